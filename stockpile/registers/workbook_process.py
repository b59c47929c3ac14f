"""Reads one spreadsheet in a process of its own, which may use so much memory and time and no more.

Run as a script by `workbook.py`, never imported. A workbook made to exhaust memory or to crash its reader
ends this process and nothing else. Imports nothing of ours; speaks JSON, one message a line:

    <- {"sheets": [[name, visible], ...]}
    -> {"open": 0}    <- {"first_column": 1, "width": 8, "last_row": 90, "merges": [[top, left, bottom, right], ...]}
    -> {"read": 50}   <- [[cells, kinds], ...]   the next rows; an empty list after the last
    <- {"fault": "password" | "damaged" | "memory"}   at any time, and the end
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

EXACT_DIGITS = 10**15
"""A spreadsheet keeps 15 digits of a number; those after them became zeros."""


def spelled(cell: Any) -> tuple[str, str]:
    """A cell as text, and its kind by the letters of `heading_row.Record`."""
    match cell:
        case str():
            return cell, "s"
        case bool():
            return "TRUE" if cell else "FALSE", "b"
        case int() | float():
            return spelled_number(cell)
        case datetime():
            midnight = cell.time() == time.min
            return cell.date().isoformat() if midnight else cell.isoformat(" ", "seconds"), "d"
        case date():
            return cell.isoformat(), "d"
        case time() | timedelta():
            return str(cell), "t"
        case _:
            return str(cell), "s"


def spelled_number(number: int | float) -> tuple[str, str]:
    """A number in plain digits: 123456.0 is 123456, and never 1.23E+05."""
    if number == number // 1:
        return str(int(number)), "x" if abs(number) >= EXACT_DIGITS else "n"
    return repr(number), "f"


def rows_of(sheet: CalamineSheet) -> Iterator[tuple[list[str], str]]:
    for row in sheet.iter_rows():
        cells, kinds = zip(*map(spelled, row), strict=True) if row else ((), ())
        yield list(cells), "".join(kinds)


def say(message: object) -> None:
    sys.stdout.buffer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()


def merges_of(sheet: CalamineSheet, first_column: int) -> list[list[int]]:
    """Merged cells by row number (from 1) and index of cell in the row."""
    return [
        [top + 1, left - first_column, bottom + 1, right - first_column]
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or []
    ]


def visible_sheets(book: CalamineWorkbook) -> list[tuple[str, bool]]:
    return [
        (sheet.name, sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet)
        for sheet in book.sheets_metadata
    ]


def answer(path: str) -> None:
    book = CalamineWorkbook.from_path(path)
    say({"sheets": visible_sheets(book)})
    rows: Iterator[tuple[list[str], str]] = iter(())
    for line in sys.stdin:
        request = json.loads(line)
        if "open" in request:
            sheet = book.get_sheet_by_index(request["open"])
            first_column = sheet.start[1] if sheet.start else 0
            rows = rows_of(sheet)
            last_row = sheet.end[0] + 1 if sheet.end else 0
            place = {"first_column": first_column, "width": sheet.width, "last_row": last_row}
            say({**place, "merges": merges_of(sheet, first_column)})
        else:
            say(list(islice(rows, request["read"])))


def main(path: str, memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer(path)
    except PasswordError:
        say({"fault": "password"})
    except MemoryError:
        say({"fault": "memory"})
    except BaseException:  # calamine panics on some damage, which is no Exception
        say({"fault": "damaged"})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
