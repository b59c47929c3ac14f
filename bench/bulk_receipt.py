"""Receipt of serials from CSV to the committed ledger, beside bare COPY and INSERT ... SELECT of the same rows.

python -m bench.bulk_receipt [--rows 100000] [--runs 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from bench.ground import Ground, ground, peak_memory
from stockpile.acts.receive import RECEIVE
from stockpile.files import file_store
from stockpile.identity import fold, serial_key
from stockpile.keys import new_key
from stockpile.sites import OUTSIDE_ID


def main() -> None:
    """Alternates floor and receipt, prints medians and their ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--runs", type=int, default=3)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, ground(max_wal_size="4GB") as place:
        os.environ["STOCKPILE_DATA"] = folder
        receipt(place, _list(Path(folder), chosen.rows))
        memory = peak_memory()  # before a floor has rows at hand
        _settle(place)
        ours, floors = [], []
        for _ in range(chosen.runs):
            file = _list(Path(folder), chosen.rows)
            floors.append(floor(place, file))
            _settle(place)
            ours.append(receipt(place, file))
            _settle(place)
        mine, bare = statistics.median(ours), statistics.median(floors)
        print(f"receipt of {chosen.rows:,} from CSV: {mine:.2f} s; bare {bare:.2f} s; ratio {mine / bare:.2f}; "
              f"memory {memory:.0f} MB; runs {[round(t, 2) for t in ours]} over {[round(t, 2) for t in floors]}")  # fmt: skip


def _list(folder: Path, rows: int) -> Path:
    file = folder / f"{uuid4().hex}.csv"
    tag = os.urandom(3).hex().upper()
    file.write_text("serial,model,condition\n" + "".join(f"{tag}{n:07},AKM,serviceable\n" for n in range(rows)))
    return file


def _settle(place: Ground) -> None:
    with place.administrator() as administrator:
        administrator.execute("CHECKPOINT")
        administrator.execute("VACUUM ANALYZE")


def receipt(place: Ground, file: Path) -> float:
    """Seconds from the stored file to the acknowledged document."""
    stored = file_store().keep_copy(file, 1 << 30)
    began = time.perf_counter()
    place.country.do("clerk", RECEIVE, store="Main store", file={"sha256": stored.sha256, "name": file.name})
    return time.perf_counter() - began


def floor(place: Ground, file: Path) -> float:
    """Seconds to write the same rows into tables with primary keys alone."""
    serials = [line.split(",")[0] for line in file.read_text().splitlines()[1:]]
    site, clerk = place.country.sites["TAJI"].site_id, place.country.actors["clerk"].party_id
    rows = [(new_key(), os.urandom(32), serial, serial_key(serial), fold(serial), n, os.urandom(32), b"\x01" + os.urandom(64),
             f'["{serial}","AKM","serviceable"]')
            for n, serial in enumerate(serials, 1)]  # fmt: skip
    names = {
        "document": new_key(), "site": site, "clerk": clerk, "outside": OUTSIDE_ID, "rows": len(rows),
        "store": place.country.item("KT 449900").where.account_id, "model": place.country.item("KT 449900").model_id,
    }  # fmt: skip
    began = time.perf_counter()
    with place.administrator() as db, db.transaction():
        db.execute(
            "CREATE TEMPORARY TABLE list (item_id uuid, secret bytea, serial_number text, serial_key text, fold text, line int, seed bytea, leaf bytea, cells text) ON COMMIT DROP"
        )
        with db.cursor().copy("COPY list FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["uuid", "bytea", "text", "text", "text", "int4", "bytea", "bytea", "text"])
            for row in rows:
                copy.write_row(row)
        for statement in STATEMENTS:
            db.execute(statement, names)
    return time.perf_counter() - began


STATEMENTS = (
    "INSERT INTO floor.item (item_id, tracked_by, model_id, donor_id, secret, tag_number) SELECT item_id, 'serial', %(model)s, %(clerk)s, secret, line FROM list",
    """INSERT INTO floor.document (document_id, site_id, book_id, number, act, fact, happened_at, recorded_at, posted_by, line_count, quantity, leaf)
       SELECT %(document)s, %(site)s, %(site)s, 1, 'receive', false, now(), now(), %(clerk)s, %(rows)s, %(rows)s, '\\x00'""",
    """INSERT INTO floor.entry (item_id, version, serial, donor_id, site_id, document_id, line, from_account, to_account, quantity, condition, happened_at, recorded_at, seed, leaf)
       SELECT item_id, 1, true, %(clerk)s, %(site)s, %(document)s, line, %(outside)s, %(store)s, 1, 'serviceable', now(), now(), seed, leaf FROM list""",
    "INSERT INTO floor.holding (item_id, account_id, serial, donor_id, site_id, quantity) SELECT item_id, %(store)s, true, %(clerk)s, %(site)s, 1 FROM list",
    """INSERT INTO floor.identification (item_id, version, donor_id, site_id, entry_version, maker, serial_number, serial_key, fold)
       SELECT item_id, 1, %(clerk)s, %(site)s, 1, 'Izhmash', serial_number, serial_key, fold FROM list""",
    "INSERT INTO floor.identity (identity_key, ordinal, model_id, item_id) SELECT 'IZHMASH/' || %(model)s::text || '/' || serial_key, 1, %(model)s, item_id FROM list",
    """INSERT INTO floor.register_line (register_id, line, cells, item_id, serial_number, serial_key, model, quantity, condition)
       SELECT %(document)s, line, cells::jsonb, item_id, serial_number, serial_key, 'AKM', 1, 'serviceable' FROM list""",
    "INSERT INTO floor.unsequenced (leaf) SELECT leaf FROM list",
)

if __name__ == "__main__":
    main()
