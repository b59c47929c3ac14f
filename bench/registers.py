"""Import of a register of a country's weapons beside bare COPY of the same rows into the same table; and the comparison of two such
registers, with and without near matches, beside the bare FULL JOIN of the same columns. The two together are what the workbench takes from
files to differences.

python -m bench.registers [--lines 474823] [--runs 3]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from uuid import UUID

from bench.ground import Ground, ground, peak_memory
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.progress import heard_by
from stockpile.registers.audits import MakeAudit, make_audit
from stockpile.registers.importing import ImportRegister, import_register

COLUMNS = "line, cells, rejected, doubts, item_id, serial_number, serial_key, maker, model, quantity, shipped_on, received_on, dated_on, unit, holder, condition"
MODELS = ("AKM", "M16A2", "M4A1", "PKM", "Glock 17", "Type 56", "RPK", "SVD")


def main() -> None:
    """Alternates floor and import, then floor and comparison; prints medians and their ratios."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, default=474_823)
    arguments.add_argument("--runs", type=int, default=3)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, ground(max_wal_size="4GB") as place:
        os.environ["STOCKPILE_DATA"] = folder
        kept, took_in = importing(place, Path(folder), chosen.lines, max(chosen.runs, 2))
        compared = comparing(place, kept[0], kept[1], chosen.runs)
        print(f"from two files of {chosen.lines:,} lines to their differences: {2 * took_in + compared:.1f} s; "
              f"from one, the other being kept: {took_in + compared:.1f} s")  # fmt: skip


def importing(place: Ground, folder: Path, lines: int, runs: int) -> tuple[list[UUID], float]:
    ours, floors, kept = [], [], []
    for run in range(runs):
        file = _list(folder, lines, run)
        settle(place)
        took, register = imported(place, file)
        memory = peak_memory()
        kept.append(register)
        ours.append(took)
        settle(place)
        floors.append(copied(place, register))
    mine, bare = statistics.median(ours), statistics.median(floors)
    print(f"import of {lines:,} lines: {mine:.2f} s; bare COPY {bare:.2f} s; ratio {mine / bare:.2f}; memory {memory:.0f} MB; "
          f"runs {[round(t, 2) for t in ours]} over {[round(t, 2) for t in floors]}")  # fmt: skip
    return kept, mine


def _list(folder: Path, lines: int, run: int) -> Path:
    """A register as SIGAR saw them: most lines whole, some repeated, some without their dates. Of two runs a twentieth of the
    weapons stands in one alone, some with one character misread, and some with other units.
    """
    file, other = folder / f"register-{run}.csv", random.Random(run)
    with file.open("w") as out:
        out.write("Serial Number,Nomenclature,Date Shipped,Date Received,Unit,Condition,Contract\n")
        for n in range(lines):
            weapon = n - 1 if n % 19 == 0 else n
            number = f"US{weapon * 7919 % 9_999_991:07}"
            chance = other.random()
            if chance < 0.05:
                number = f"{number}X{run}"
            elif chance < 0.06:
                number = f"{number[:4]}{other.choice('OIBSZ')}{number[5:]}"
            shipped = "" if n % 10 == 0 else f"2011-{n % 12 + 1:02}-{n % 28 + 1:02}"
            received = "" if n % 10 == 0 else f"2012-{n % 12 + 1:02}-{n % 28 + 1:02}"
            kandak = n % 180 if chance < 0.98 else other.randrange(180)
            out.write(f"{number},{MODELS[weapon % 8]},{shipped},{received},{kandak} Kandak,serviceable,W56-{n % 97}\n")
    return file


def imported(place: Ground, file: Path) -> tuple[float, UUID]:
    """Seconds from the stored file to the kept register."""
    stored = file_store().keep_copy(file, 1 << 30)
    request = ImportRegister.model_validate(
        {
            "kind": "property book",
            "name": file.stem,
            "source": "OVERLORD",
            "file": {"sha256": stored.sha256, "name": file.name},
        }
    )
    began = time.perf_counter()
    done = import_register(place.engine, place.country.actors["auditor"], request)
    return time.perf_counter() - began, done.register_id


def copied(place: Ground, register: UUID) -> float:
    """Seconds of COPY of the register's lines into the same table, as another register."""
    with place.administrator() as db:
        taken = f"COPY (SELECT '{new_key()}'::uuid, {COLUMNS} FROM stockpile.register_line WHERE register_id = '{register}' ORDER BY line) TO STDOUT (FORMAT BINARY)"
        with db.cursor().copy(taken) as copy:
            rows = [bytes(block) for block in copy]
        began = time.perf_counter()
        with (
            db.transaction(),
            db.cursor().copy(
                f"COPY stockpile.register_line (register_id, {COLUMNS}) FROM STDIN (FORMAT BINARY)"
            ) as copy,
        ):
            for block in rows:
                copy.write(block)
        return time.perf_counter() - began


def comparing(place: Ground, left: UUID, right: UUID, runs: int) -> float:
    with_near, without, floors = [], [], []
    for run in range(runs):
        settle(place)
        floors.append(joined(place, left, right))
        settle(place)
        request = MakeAudit.model_validate(
            {"name": f"audit {run}", "left": {"register": str(left)}, "right": {"register": str(right)}}
        )
        told_at: dict[str, float] = {}
        began = time.perf_counter()
        with heard_by(lambda what, done, of, told_at=told_at: told_at.setdefault(what, time.perf_counter())):
            done = make_audit(place.engine, place.country.actors["auditor"], request)
        with_near.append(time.perf_counter() - began)
        without.append(with_near[-1] - (told_at["totals"] - told_at["near matches"]))
    for total in done.totals:
        print(f"  {total.kind}: {total.findings:,}")
    bare = statistics.median(floors)
    for what, ours in (("comparison without near matches", without), ("comparison", with_near)):
        mine = statistics.median(ours)
        print(f"{what}: {mine:.2f} s; bare FULL JOIN {bare:.2f} s; ratio {mine / bare:.2f}; "
              f"runs {[round(t, 2) for t in ours]} over {[round(t, 2) for t in floors]}")  # fmt: skip
    return statistics.median(with_near)


def joined(place: Ground, left: UUID, right: UUID) -> float:
    """Seconds of the FULL JOIN of the same columns by model and number, its rows kept in a table with a primary key."""
    columns = "line, item_id, serial_key, serial_number, model, quantity, shipped_on, received_on, unit, holder"
    side = "(SELECT {} FROM stockpile.register_line WHERE register_id = '{}' AND rejected IS NULL)"
    both = ", ".join(f"{hand}.{column} AS {hand}_{column}" for hand in "lr" for column in columns.split(", "))
    with place.administrator() as db:
        db.execute("DROP TABLE IF EXISTS floor.joined")
        db.execute("SET work_mem = '256MB'")
        began = time.perf_counter()
        db.execute(
            f"CREATE TABLE floor.joined AS SELECT row_number() OVER () AS number, {both} FROM {side.format(columns, left)} l "
            f"FULL JOIN {side.format(columns, right)} r ON l.serial_key = r.serial_key AND l.model = r.model"
        )
        db.execute("ALTER TABLE floor.joined ADD PRIMARY KEY (number)")
        return time.perf_counter() - began


def settle(place: Ground) -> None:
    with place.administrator() as administrator:
        administrator.execute("CHECKPOINT")
        administrator.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
