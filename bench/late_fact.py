"""A paper that comes late and has 50 later entries of its rifle reversed and posted again, beside bare INSERTs of the same rows.

python -m bench.late_fact [--later 50] [--rifles 30]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

from bench.ground import Ground, ground
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from tests.world import ago, paper, scans

STORE = "Main store"


def main() -> None:
    """Prints medians, the slowest run and the ratio to the floor."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--later", type=int, default=50)
    arguments.add_argument("--rifles", type=int, default=30)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, ground() as place:
        os.environ["STOCKPILE_DATA"] = folder
        serials = [f"LATE {n:04}" for n in range(chosen.rifles)]
        lines = [{"model": "AKM", "serial_number": serial, "condition": "serviceable"} for serial in serials]
        place.country.do("clerk", RECEIVE, store=STORE, lines=lines)
        ours, floors = [], []
        for number, serial in enumerate(serials, 1):
            before, rows = _live_through(place, serial, chosen.later)
            sheet = paper(number, before)
            began = time.perf_counter()
            posted = place.country.do(
                "clerk", HAND_OVER, giver="A-1001", receiver="A-1003", lines=scans(serial), paper=sheet
            )
            ours.append((time.perf_counter() - began) * 1000)
            assert posted.lines == rows, posted
            floors.append(_floor(place, str(posted.document_id)))
        mine, bare = statistics.median(ours), statistics.median(floors)
        print(f"a late fact before {chosen.later} later entries: {mine:.1f} ms, slowest {max(ours):.1f} ms; "
              f"bare {bare:.1f} ms; ratio {mine / bare:.1f}")  # fmt: skip


def _live_through(place: Ground, serial: str, later: int) -> tuple[object, int]:
    """Issues a rifle, and after a moment that it gives brings it to and fro; and how many entries a fact of that moment takes."""
    place.country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(serial))
    moment = ago()
    for turn in range(later):
        if turn % 2:
            place.country.do("clerk", ISSUE, receiver="A-1002", store=STORE, lines=scans(serial))
        else:
            place.country.do("clerk", RETURN, store=STORE, lines=scans(serial))
    return moment, 2 * later + 1


def _floor(place: Ground, document: str) -> float:
    """Milliseconds to write the document and its entries once more, into tables with primary keys alone."""
    with place.administrator() as db:
        header = db.execute("SELECT * FROM stockpile.document WHERE document_id = %s", (document,)).fetchone()
        entries = db.execute("SELECT * FROM stockpile.entry WHERE document_id = %s", (document,)).fetchall()
        assert header is not None
        columns = [column.name for column in db.execute("SELECT * FROM floor.document").description or ()]
        kept = [value for value, name in zip(header, columns, strict=True) if name not in ("details", "attachments")]
        names = ", ".join(name for name in columns if name not in ("details", "attachments"))
        began = time.perf_counter()
        with db.transaction(), db.pipeline():
            db.execute(f"INSERT INTO floor.document ({names}) VALUES ({', '.join(['%s'] * len(kept))})", kept)
            for entry in entries:
                db.execute(f"INSERT INTO floor.entry VALUES ({', '.join(['%s'] * len(entry))})", entry)
            for entry in entries:
                db.execute("INSERT INTO floor.unsequenced (leaf) VALUES (%s)", (entry[-1],))
        return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
