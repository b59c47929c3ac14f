"""A file of 100,000 weapons among a million, as XLSX and CSV, beside its floor, by turns.

    python -m bench.export FOLDER [--runs 3]

Makes the country in FOLDER (about 9 GB, six minutes), unless it is there. The list of what units hold (100,000 of them) is asked as its page
asks it, as the auditor, and written to a file. The floor is the bare SQL of the same rows past every rule, fetched by the driver through a
server's cursor, and the same cells written one by one by xlsxwriter in constant memory. Target: 10 s, in memory that does not grow.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import xlsxwriter
from sqlalchemy import Engine

from bench.beside import bare_connection
from bench.ground import peak_memory
from bench.large_country import DATABASE, make
from bench.lists import auditor_of
from stockpile.db import migrate, roles
from stockpile.db.engine import at_one_moment, engine_of
from stockpile.movements import AccountClass
from stockpile.registers.write import write_csv, write_xlsx
from stockpile.reports.export import columns, table
from stockpile.reports.holdings import HoldingLine, Sought, every_weapon
from stockpile.rights import Actor, reading

SOUGHT = Sought(classes=(AccountClass.UNIT,))
BARE = """
SELECT i.item_id::text, i.tracked_by, i.tag_number::text, m.maker, m.name, n.serial_number, p.code, h.account_id::text, a.class, a.name, s.code,
       a.unit_id::text, h.quantity, seen.condition, h.unverified, e.happened_at, concat_ws('/', t.code, b.code, b.year, d.number), 0
FROM account a JOIN holding h USING (account_id) JOIN item i USING (item_id) JOIN model m ON m.model_id = i.model_id
JOIN identification n USING (item_id) JOIN party p ON p.party_id = i.donor_id JOIN site s ON s.site_id = a.site_id
JOIN LATERAL (SELECT * FROM entry e WHERE e.item_id = h.item_id AND e.to_account = h.account_id ORDER BY version DESC LIMIT 1) e ON true
LEFT JOIN LATERAL (SELECT condition FROM entry e WHERE e.item_id = h.item_id AND condition IS NOT NULL ORDER BY version DESC LIMIT 1) seen ON true
JOIN document d ON d.document_id = e.document_id JOIN book b USING (book_id) JOIN site t ON t.site_id = d.site_id
WHERE a.class = 'unit' ORDER BY m.name, n.serial_key, h.item_id
"""
BATCH = 1000


def main() -> None:
    """Prints medians and the most memory the process had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with make(asked.folder, 1_000_000) as server, tempfile.TemporaryDirectory() as folder:
        migrate.upgrade(server.url(DATABASE, roles.OWNER))
        engine = engine_of(server.url(DATABASE, roles.SERVICE))
        auditor = auditor_of(engine)
        to = Path(folder)
        ours(engine, auditor, write_csv, to / "first.csv")
        gc.freeze()  # as the service does
        before = peak_memory()
        with bare_connection(server) as bare:
            taken = []
            for _ in range(asked.runs):
                xlsx = ours(engine, auditor, write_xlsx, to / "ours.xlsx")
                csv = ours(engine, auditor, write_csv, to / "ours.csv")
                after = peak_memory()
                taken.append((xlsx, csv, *floor(bare, to / "floor.xlsx")))
        xlsx, csv, rows, written = (statistics.median(one) for one in zip(*taken, strict=True))
        print(f"100,000 weapons as XLSX {xlsx:.1f} s, as CSV {csv:.1f} s; floor {rows:.1f} s for the rows and {written:.1f} s "
              f"to write them, ratio {xlsx / (rows + written):.2f}; memory {before:.0f} MB, then {after:.0f} MB")  # fmt: skip
        engine.dispose()


def ours(engine: Engine, auditor: Actor, write: Any, file: Path) -> float:
    """The seconds that a file takes."""
    begun = time.perf_counter()
    with reading(at_one_moment(engine), auditor) as connection:
        write(file, columns(HoldingLine), table(every_weapon(connection, auditor, SOUGHT)))
    return time.perf_counter() - begun


def floor(bare: psycopg.Connection[tuple[Any, ...]], file: Path) -> tuple[float, float]:
    """The seconds that the bare rows take, and those that the library takes to write them."""
    rows = written = 0.0
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "remove_timezone": True})
    sheet, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    line = 0
    with bare.transaction(), bare.cursor("floor") as cursor:
        begun = time.perf_counter()
        cursor.execute(BARE)
        while found := cursor.fetchmany(BATCH):
            rows += time.perf_counter() - begun
            begun = time.perf_counter()
            for values in found:
                line += 1
                _write(sheet, line, values, moment)
            written += time.perf_counter() - begun
            begun = time.perf_counter()
    book.close()
    return rows, written + time.perf_counter() - begun


def _write(sheet: Any, line: int, values: tuple[Any, ...], moment: Any) -> None:
    for column, value in enumerate(values):
        if isinstance(value, str):
            sheet.write_string(line, column, value)
        elif isinstance(value, (bool, int)):
            sheet.write_number(line, column, value)
        elif value is not None:
            sheet.write_datetime(line, column, value, moment)


if __name__ == "__main__":
    main()
