"""Tables out, as CSV and XLSX, a row at a time.

What people typed must never run in somebody's spreadsheet: text that a spreadsheet would take for a formula
gets an apostrophe before it in CSV and is written as a string in XLSX. Numbers given as numbers stay numbers;
a serial number is always given, and written, as text.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from stockpile.errors import Invalid, StockpileError
from stockpile.registers.whole_rows import Value, WholeRows
from stockpile.sentences import sentence

__all__ = ["Value", "csv_blocks", "harmless", "original", "write_csv", "write_xlsx"]

SIGNS = "=+\\-@\t\r\n＝＋－＠﹦﹢﹣﹫"
"""What begins a formula, or hides one behind it; in full width too, as East Asian spreadsheets allow."""

FORMULA = re.compile(rf"'*(?:[{SIGNS}]|[\s\x00-\x20\u200b-\u200f\ufeff]+[{SIGNS}])")
BLOCK = 1000
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
"""Counted as a spreadsheet counts: a character beyond the first 65,536 of Unicode is two."""
SURELY_FITS = CELL_CHARACTERS // 2
"""A row of no more characters has no cell that is too long."""


class CannotWrite(StockpileError):
    """The file can't be written: no room, no such folder."""

    title = sentence("The file cannot be written")


def harmless(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would take it for a formula.

    What begins so after apostrophes of its own gets one more, so that `original` gives back every text.
    """
    return "'" + text if FORMULA.match(text) else text


def original(text: str) -> str:
    """What `harmless` was given: for whoever reads our own CSV again."""
    return text[1:] if text[:1] == "'" and FORMULA.match(text) else text


def csv_text(value: Value) -> str | int | float | Decimal | UUID:
    """A value as its CSV cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


def csv_blocks(headers: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """A CSV file in pieces of a thousand rows: UTF-8 with its mark, commas, CRLF, as spreadsheets expect."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow([harmless(header) for header in headers])
    for number, row in enumerate(rows, start=1):
        writer.writerow([csv_text(value) for value in row])
        if number % BLOCK == 0:
            yield taken(text)
    yield taken(text)


def taken(text: io.StringIO) -> bytes:
    # A lone surrogate can't be encoded: shown as \udc80 rather than ending the export half-way.
    block = text.getvalue().encode("utf-8", "backslashreplace")
    text.seek(0)
    text.truncate()
    return block


@contextmanager
def complete(target: Path) -> Iterator[Path]:
    """A path to write to, which takes the target's place once all is written: never half a file.

    Raises:
        CannotWrite: the disk is full, or the folder is not there.
    """
    unfinished = target.with_name(target.name + ".part")
    try:
        yield unfinished
        unfinished.replace(target)
    except (OSError, FileCreateError) as error:
        raise CannotWrite(f"{target} cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_csv(target: Path | BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Write a CSV file; raises CannotWrite."""
    if not isinstance(target, Path):
        target.writelines(csv_blocks(headers, rows))
        return
    with complete(target) as unfinished, unfinished.open("wb") as file:
        file.writelines(csv_blocks(headers, rows))


def write_xlsx(
    target: Path | BinaryIO,
    headers: Sequence[str],
    rows: Iterable[Sequence[Value]],
    sheet: str = "List",
) -> None:
    """Write an XLSX file in constant memory; past a million rows it goes on in a further sheet.

    Raises:
        Invalid: a text is longer than a spreadsheet cell; names row and column.
        CannotWrite: the disk is full, or the folder is not there.
    """
    if not isinstance(target, Path):
        write_book(target, headers, rows, sheet)
        return
    with complete(target) as unfinished:
        write_book(str(unfinished), headers, rows, sheet)


def write_book(target: str | BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[Value]], sheet: str) -> None:
    # A folder of its own, because xlsxwriter leaves its parts behind when a row fails.
    with tempfile.TemporaryDirectory() as parts:
        options = {
            "constant_memory": True,
            "tmpdir": parts,
            "default_date_format": "yyyy-mm-dd",
            "remove_timezone": True,
        }
        book = xlsxwriter.Workbook(target, options)
        fill(book, headers, rows, sheet)
        book.close()


def fill(book: xlsxwriter.Workbook, headers: Sequence[str], rows: Iterable[Sequence[Value]], name: str) -> None:
    bold = book.add_format({"bold": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = new_sheet(book, name, headers, bold, moment)
    sheets, at = 1, 1
    for number, row in enumerate(rows, start=1):
        if at == SHEET_ROWS:
            sheets += 1
            sheet, at = new_sheet(book, f"{name} {sheets}", headers, bold, moment), 1
        if sheet.write_values(at, row) > SURELY_FITS:
            check_fit(row, number, headers)
        at += 1


def new_sheet(
    book: xlsxwriter.Workbook,
    name: str,
    headers: Sequence[str],
    bold: xlsxwriter.format.Format,
    moment: xlsxwriter.format.Format,
) -> WholeRows:
    sheet: WholeRows = book.add_worksheet(name, WholeRows)
    sheet.freeze_panes(1, 0)
    for column, header in enumerate(headers):
        sheet.write_string(0, column, header, bold)
    sheet.begin(len(headers), moment)
    return sheet


def check_fit(row: Sequence[Value], number: int, headers: Sequence[str]) -> None:
    """A spreadsheet takes a file with a longer text for a broken one: so it is refused here."""
    for value, header in zip(row, headers, strict=True):
        if isinstance(value, str) and len(value.encode("utf-16-le", "surrogatepass")) > 2 * CELL_CHARACTERS:
            raise Invalid(
                sentence(
                    "Row {number}, “{header}”: {count:,} characters do not fit a spreadsheet cell, which "
                    "holds {most:,}. Export as CSV instead.",
                    number=number,
                    header=header,
                    count=len(value),
                    most=CELL_CHARACTERS,
                )
            )
