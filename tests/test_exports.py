"""The story of a table that leaves: whoever opens it sees what is in the books, and nothing in it runs."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from stockpile.errors import Invalid
from stockpile.registers import write
from stockpile.registers.write import CannotWrite, csv_blocks, harmless, original, write_csv, write_xlsx

ATTACKS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\xa0=1+1",
    "\u3000＝1+1",
    "\u200b=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.org/?"&A1,"x")',
    "\t",
    "\rx",
]
SAFE = [
    "",
    "A1",
    "KT-449921",
    "1=1",
    "a+b",
    "x@y.org",
    "'=1+1 is quoted",
    "رقم",
    "Ж-12",
    "00412",
    "'tis",
    "  A1",
]


def back_from_csv(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def as_xlsx(headers: list[str], rows: list[list[write.Value]]) -> openpyxl.Workbook:
    file = io.BytesIO()
    write_xlsx(file, headers, rows)
    file.seek(0)
    return openpyxl.load_workbook(file)


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_that_would_run_is_text(attack: str) -> None:
    """In CSV an apostrophe stands before it; in XLSX it is a string, read back to the character."""
    (header, row) = back_from_csv(b"".join(csv_blocks([attack], [[attack]])))
    assert header == row == ["'" + attack]
    sheet = as_xlsx([attack], [[attack]]).active
    assert sheet is not None
    for cell in (sheet["A1"], sheet["A2"]):
        assert cell.data_type == "s"
        assert cell.value is not None
        assert unescape(cell.value) == attack


@pytest.mark.parametrize("text", SAFE)
def test_text_that_would_not_is_left_alone(text: str) -> None:
    if not text.startswith("'="):
        assert harmless(text) == text


@settings(max_examples=300)
@given(st.text() | st.text("'=+-@\t \u200bA＝", max_size=6))
def test_what_was_made_harmless_comes_back(text: str) -> None:
    """Whoever reads our CSV again gets every text as it was; and none of it begins like a formula."""
    assert original(harmless(text)) == text
    assert harmless(text).lstrip("".join(map(chr, range(33))))[:1] not in tuple("=+-@＝＋－＠")


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2), max_size=5))
def test_any_text_through_csv(rows: list[list[str]]) -> None:
    read = back_from_csv(b"".join(csv_blocks(["a", "b"], rows)))
    assert [[original(cell) for cell in row] for row in read[1:]] == rows


def test_numbers_stay_numbers_and_serials_stay_text() -> None:
    row: list[write.Value] = [
        "00412", -5, 1.5, Decimal("2.25"), date(2005, 3, 12), datetime(2005, 3, 12, 10, 30, tzinfo=UTC), True,
        None, 10**17, float("nan"), "https://example.org",
    ]  # fmt: skip
    headers = [str(number) for number in range(len(row))]
    read = back_from_csv(b"".join(csv_blocks(headers, [row])))[1]
    assert read == [
        "00412", "-5", "1.5", "2.25", "2005-03-12", "2005-03-12 10:30:00+00:00", "yes", "",
        "100000000000000000", "nan", "https://example.org",
    ]  # fmt: skip
    sheet = as_xlsx(headers, [row]).active
    assert sheet is not None
    values = [cell.value for cell in sheet[2]]
    assert values[:7] == ["00412", -5, 1.5, 2.25, datetime(2005, 3, 12), datetime(2005, 3, 12, 10, 30), True]
    assert values[7:] == [None, str(10**17), "nan", "https://example.org"]
    assert [cell.data_type for cell in sheet[2]][:2] == ["s", "n"]


def test_a_sheet_that_is_full_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "SHEET_ROWS", 4)
    book = as_xlsx(["Serial"], [[f"A{number}"] for number in range(7)])
    assert book.sheetnames == ["List", "List 2", "List 3"]
    read = [row for sheet in book.worksheets for row in list(sheet.values)[1:]]
    assert read == [(f"A{number}",) for number in range(7)]
    assert all(sheet["A1"].value == "Serial" for sheet in book.worksheets)


def test_no_rows_is_a_table_with_its_heading() -> None:
    assert back_from_csv(b"".join(csv_blocks(["a"], []))) == [["a"]]
    sheet = as_xlsx(["a"], []).active
    assert sheet is not None
    assert list(sheet.values) == [("a",)]


def test_a_text_too_long_for_a_cell_is_refused_not_left_out(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Row 2, “Remarks”: 40,000 characters"):
        write_xlsx(tmp_path / "list.xlsx", ["Remarks"], [["x"], ["x" * 40_000]])
    assert list(tmp_path.iterdir()) == []


def test_a_character_that_a_spreadsheet_counts_twice(tmp_path: Path) -> None:
    """It counts 40,000 where there are 20,000 crossed swords of the second plane."""
    with pytest.raises(Invalid, match="Row 1, “Remarks”: 20,000 characters"):
        write_xlsx(tmp_path / "list.xlsx", ["Remarks"], [["\U0001f5e1" * 20_000]])


@pytest.mark.parametrize(
    "text", ["<r><t>in</t></r>", "R & D <b>", " kept ", "a\nb", "\x0c", "_x000C_", "\ufffe", "a  b"]
)
def test_no_text_is_mark_up_of_the_sheet(text: str) -> None:
    """Also what looks like the sheet's own mark-up, or like its way to write a character, comes back as it was."""
    sheet = as_xlsx(["a", "b"], [[text, "beside"]]).active
    assert sheet is not None
    value = sheet["A2"].value
    assert isinstance(value, str)
    assert (unescape(value), sheet["B2"].value) == (text, "beside")


def test_rows_are_written_as_they_come() -> None:
    """A million rows are never held: the first block leaves before the last row is made."""
    made = 0

    def rows() -> Iterator[list[write.Value]]:
        nonlocal made
        for made in range(1, 1_000_001):
            yield [f"A{made}"]

    blocks = csv_blocks(["Serial"], rows())
    assert next(blocks).startswith("\ufeffSerial\r\nA1\r\n".encode())
    assert made < 5000


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def rows() -> Iterator[list[write.Value]]:
        yield ["A1"]
        raise RuntimeError("the database went away")

    target = tmp_path / "list.csv"
    target.write_text("the old one")
    for writes in (write_csv, write_xlsx):
        with pytest.raises(RuntimeError):
            writes(target, ["Serial"], rows())
        assert target.read_text() == "the old one"
        assert os.listdir(tmp_path) == ["list.csv"]
        with pytest.raises(CannotWrite, match="No such file"):
            writes(tmp_path / "nowhere" / "list", ["Serial"], [["A1"]])


def test_both_formats_to_a_path(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["Serial"], [["=A1"]])
    write_xlsx(tmp_path / "a.xlsx", ["Serial"], [["=A1"]])
    assert back_from_csv((tmp_path / "a.csv").read_bytes()) == [["Serial"], ["'=A1"]]
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]["A2"].value == "=A1"
