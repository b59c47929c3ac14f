"""The story of a list that arrives: from a donor's spreadsheet, a depot's old program, a clerk's export.

Every row of it is read, rejected with a reason, or blank; nothing is guessed, nothing is lost.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import random
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stockpile.errors import Invalid, UnreadableFile
from stockpile.registers.limits import Limits
from stockpile.registers.read import OpenList, Row, open_list
from stockpile.registers.rejects import headings_for, rows_of
from stockpile.registers.write import write_csv

LISTS = Path(__file__).parent / "lists"

ENGLISH = ("Serial Number", "Model", "Quantity")
FRENCH = ("Numéro de série", "Modèle", "Quantité")
ARABIC = ("الرقم التسلسلي", "الطراز", "الكمية")
RUSSIAN = ("Серийный номер", "Модель", "Количество")
UKRAINIAN = ("Серійний номер", "Найменування", "Кількість")


def as_file(text: str, encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO(text.encode(encoding))


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",", encoding: str = "utf-8") -> io.BytesIO:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return as_file(text.getvalue(), encoding)


def as_xlsx(rows: Sequence[Sequence[object]], merges: Sequence[str] = (), name: str = "Sheet1") -> io.BytesIO:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = name
    for row in rows:
        book.active.append(row)
    for merge in merges:
        book.active.merge_cells(merge)
    return saved(book)


def saved(book: openpyxl.Workbook) -> io.BytesIO:
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def as_ods(rows: Sequence[Sequence[str | float]], repeated: str = "") -> io.BytesIO:
    """A sheet as LibreOffice writes it: blank rest of the sheet as repeated rows."""
    xml = "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="Feuille1">{xml}{repeated}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    file.seek(0)
    return file


def ods_cell(value: str | float) -> str:
    if value == "":
        return "<table:table-cell/>"
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p>'
        "</table:table-cell>"
    )


def read(opened: OpenList) -> list[Row]:
    """All rows; every row of the file is accounted for."""
    rows = list(opened.rows())
    counts = opened.counts
    assert counts.rows == len(rows)
    assert counts.rejected == len(opened.rejects)
    taken = [row.number for row in rows] + [reject.number for reject in opened.rejects]
    assert len(set(taken)) == len(taken)
    assert counts.all >= max(taken, default=0)
    assert counts.all == counts.heading + len(rows) + len(opened.rejects) + counts.blank
    return rows


def cells(file: io.BytesIO, **choices: object) -> list[tuple[str, ...]]:
    with open_list(file, "list", **choices) as opened:  # type: ignore[arg-type]
        return [row.cells for row in read(opened)]


class TestEncodings:
    """Lists come from forty years of computers, and their letters arrive as they were written."""

    @pytest.mark.parametrize(
        ("headers", "row", "encoding"),
        [
            (ENGLISH, ("KT 449921", "AKM", "1"), "utf-8"),
            (ARABIC, ("س ٤٤٩٩٢١", "كلاشنكوف", "١"), "utf-8"),
            (ARABIC, ("س 449921", "كلاشنكوف", "1"), "utf-8-sig"),
            (ARABIC, ("س 449921", "كلاشنكوف", "1"), "cp1256"),
            (ARABIC, ("س 449921", "كلاشنكوف", "1"), "iso8859_6"),
            (ARABIC, ("س 449921", "كلاشنكوف", "1"), "utf-16"),
            (RUSSIAN, ("ЖЫ 0412", "Автомат Калашникова", "1"), "cp1251"),
            (RUSSIAN, ("ЖЫ 0412", "Автомат Калашникова", "1"), "cp866"),
            (RUSSIAN, ("ЖЫ 0412", "Автомат Калашникова", "1"), "koi8_u"),
            (RUSSIAN, ("ЖЫ 0412", "Автомат Калашникова", "1"), "utf-16-le"),
            (RUSSIAN, ("ЖЫ 0412", "Автомат Калашникова", "1"), "utf-16-be"),
            (UKRAINIAN, ("ЇЖ 0412", "Карабін Сайга", "1"), "cp1251"),
            (UKRAINIAN, ("ЇЖ 0412", "Карабін", "1"), "cp1125"),
            (FRENCH, ("AB 12", "Pistolet à réviser, état détérioré", "1"), "cp1252"),
            (FRENCH, ("AB 12", "Pistolet à réviser, état détérioré", "1"), "cp437"),
            (FRENCH, ("AB 12", "Pistolet à réviser, état détérioré", "1"), "utf-32"),
        ],
    )
    def test_a_list_in_its_script(self, headers: tuple[str, ...], row: tuple[str, ...], encoding: str) -> None:
        with open_list(as_csv([headers, row], ";", encoding), "list.csv") as opened:
            assert opened.headers == headers
            assert [read_row.cells for read_row in read(opened)] == [row]
            assert opened.encoding is not None
            assert opened.encoding.certain

    def test_accents_first_met_far_down_the_file(self) -> None:
        """A hundred thousand plain lines, then a French remark: the whole file decides."""
        lines = ["Serial Number,Remarks"] + [f"AB{n:06d},ok" for n in range(100_000)] + ["AB999999,détérioré à réviser"]
        file = as_file("\r\n".join(lines), "cp1252")
        assert cells(file)[-1] == ("AB999999", "détérioré à réviser")

    def test_a_guess_says_it_is_one(self) -> None:
        with open_list(as_csv([ENGLISH, ("12", "Pistolet Müller", "1")], encoding="cp1252"), "x.csv") as opened:
            assert opened.encoding is not None
            assert not opened.encoding.certain
            assert any("guessed" in remark for remark in opened.remarks)

    def test_a_damaged_letter_costs_its_row_and_is_never_replaced(self) -> None:
        text = "Serial Number,Model\nA1,Züge\nA2,Über\nA3,".encode() + b"b\xc3\x28d\nA4,AKM\n"
        with open_list(io.BytesIO(text), "list.csv") as opened:
            assert [row.cells[0] for row in read(opened)] == ["A1", "A2", "A4"]
            (reject,) = opened.rejects
            assert reject.number == 4
            assert "“Model” contains the byte C3" in reject.reason
            assert reject.cells == ("A3", "b\\xc3(d")

    def test_a_byte_the_encoding_does_not_have(self) -> None:
        text = "Numéro de série,Modèle\nA1,fusil\nA2,".encode("cp1252") + b"x\x8fy\n"
        with open_list(io.BytesIO(text), "list.csv", encoding="cp1252") as opened:
            assert len(read(opened)) == 1
            assert "8F" in opened.rejects.first(1)[0].reason

    def test_nul_bytes_alone_make_no_utf_16(self) -> None:
        """Damaged text of one byte a letter is not read as Chinese: its rows are rejected."""
        with open_list(io.BytesIO(b"Serial Number,Model\n\x001\x00\n1111\x00\n")) as opened:
            assert opened.headers == ("Serial Number", "Model")
            assert read(opened) == []
            assert len(opened.rejects) == 2

    def test_signs_within_words_give_a_wrong_guess_away(self) -> None:
        """The same bytes in Windows-1252 would be ¿ó³ty ³uk."""
        rows = [("Numer", "Część"), ("A1", "żółty łuk"), ("A2", "źdźbło")]
        assert cells(as_csv(rows, encoding="cp1250"), heading_row=1) == rows[1:]

    def test_a_heading_we_know_decides_between_likely_encodings(self) -> None:
        """In Windows-1256 these bytes look like words, too; in KOI8 they name columns."""
        with open_list(as_csv([("Серийный номер", "Модель"), ("1", "2")], encoding="koi8_u")) as opened:
            assert opened.headers == ("Серийный номер", "Модель")
            assert opened.encoding is not None
            assert opened.encoding.certain

    def test_the_encoding_may_be_said(self) -> None:
        file = as_csv([("a", "b"), ("é", "1")], encoding="cp850")
        assert cells(file, encoding="cp850", heading_row=1) == [("é", "1")]
        with pytest.raises(Invalid, match="cp9999"):
            open_list(file, encoding="cp9999")


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cs"]), min_size=1, max_size=20
).map(lambda text: f"x{text}x")
CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp1251", "cp1256", "cp437")


class TestDialects:
    """Comma, semicolon, tab or bar; quoted or not; whatever line ends."""

    @settings(max_examples=150, deadline=None)
    @given(
        rows=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=8),
        delimiter=st.sampled_from(",;\t|"),
        quoting=st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
        ending=st.sampled_from(("\r\n", "\n", "\r")),
        codec=st.sampled_from(CODECS),
    )
    def test_any_text_comes_back_to_the_character(
        self, rows: list[tuple[str, ...]], delimiter: str, quoting: int, ending: str, codec: str
    ) -> None:
        rows = [tuple(cell.encode(codec, "ignore").decode(codec) for cell in row) for row in rows]
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=ending)  # type: ignore[arg-type]
        writer.writerows([("Serial Number", "Model", "Remarks"), *rows])
        said = None if codec in ("utf-8", "utf-8-sig", "utf-16") else codec
        assert cells(as_file(text.getvalue(), codec), encoding=said) == rows

    def test_line_breaks_and_quotes_inside_a_cell(self) -> None:
        """A spreadsheet counts a cell of three lines as one row: so do we."""
        text = 'Serial Number,Remarks\r\nA1,"one\r\ntwo ""three"""\r\n\r\nA2,x\r\n'
        with open_list(as_file(text), "list.csv") as opened:
            assert [(row.number, row.cells) for row in read(opened)] == [
                (2, ("A1", 'one\r\ntwo "three"')),
                (4, ("A2", "x")),
            ]
            assert opened.counts.blank == 1

    def test_spaces_around_are_trimmed_those_inside_kept(self) -> None:
        assert cells(as_file("Serial Number;Model\n  AB  12 ;\tAK M \n")) == [("AB  12", "AK M")]

    def test_a_quotation_mark_never_closed_costs_its_own_line(self) -> None:
        lines = ["Serial Number,Model", 'A1,"AKM', *(f"B{n},AKM" for n in range(3000))]
        with open_list(as_file("\n".join(lines)), "list.csv") as opened:
            assert len(read(opened)) == 3000
            (reject,) = opened.rejects
            assert (reject.number, reject.reason) == (2, "a quotation mark is opened and never closed")
            assert reject.cells == ("A1", '"AKM')

    def test_a_quotation_mark_closed_a_thousand_lines_on(self) -> None:
        """Two strays far apart do not swallow what lies between."""
        lines = ["Serial Number,Model", 'A1,"AKM', *(f"B{n},AKM" for n in range(1000)), 'A2,AKM"', "A3,AKM"]
        with open_list(as_file("\n".join(lines)), "list.csv") as opened:
            assert len(read(opened)) == 1002
            assert [reject.number for reject in opened.rejects] == [2]

    def test_text_after_a_closing_quotation_mark(self) -> None:
        text = 'Serial Number,Model\nA1,"AK" 47\nA2,AKM\n'
        with open_list(as_file(text), "list.csv") as opened:
            assert [row.number for row in read(opened)] == [3]
            assert "written twice" in opened.rejects.first(1)[0].reason

    def test_rows_too_short_or_too_long(self) -> None:
        text = "Serial Number,Model,Quantity\nA1,AKM\nA2,AKM,1,oops\nA3,AKM,1,,\nA4,AKM,1\n"
        with open_list(as_file(text), "list.csv") as opened:
            assert [row.cells for row in read(opened)] == [("A3", "AKM", "1"), ("A4", "AKM", "1")]
            assert [(reject.number, reject.reason) for reject in opened.rejects] == [
                (2, "the row has 2 cells where the heading has 3"),
                (3, "the row has 4 cells where the heading has 3"),
            ]

    def test_the_separator_line_of_excel(self) -> None:
        with open_list(as_file("sep=;\r\nSerial Number;Model\r\n1,5;x\r\n"), "list.csv") as opened:
            assert opened.delimiter == ";"
            assert [row.cells for row in read(opened)] == [("1,5", "x")]

    def test_a_column_of_serials_alone(self) -> None:
        """No comma to find: not even in a remark."""
        assert cells(as_file("Serial No.\nA1\nA2, worn\nA3\n")) == [("A1",), ("A2, worn",), ("A3",)]

    def test_a_file_that_ends_as_dos_files_did(self) -> None:
        assert cells(as_file("Serial No,Model\r\nA1,AKM\r\n\x1a")) == [("A1", "AKM")]


@pytest.mark.parametrize(
    ("hidden", "name"),
    [
        ("\x00", "U+0000 (NUL)"),
        ("\x1b", "U+001B (escape)"),
        ("\x85", "U+0085"),
        ("\u202e", "U+202E (right-to-left override)"),
        ("\u202a", "U+202A"),
        ("\u2066", "U+2066 (left-to-right isolate)"),
        ("\u2069", "U+2069"),
        ("\u200e", "U+200E (left-to-right mark)"),
        ("\u200f", "U+200F"),
        ("\u061c", "U+061C"),
    ],
)
@pytest.mark.parametrize("place", ["AB{}12", "{}AB12", "AB12{}"])
def test_a_hidden_character_is_refused_by_name(hidden: str, name: str, place: str) -> None:
    """A serial that shows one thing and holds another is refused, not cleaned; its neighbours are read."""
    bad = place.format(hidden)
    with open_list(as_csv([ENGLISH, ("A1", "AKM", "1"), (bad, "AKM", "1"), ("A3", "AKM", "1")])) as opened:
        assert [row.cells[0] for row in read(opened)] == ["A1", "A3"]
        (reject,) = opened.rejects
        assert reject.number == 3
        assert name in reject.reason
        assert "“Serial Number”" in reject.reason
        assert hidden not in reject.cells[0]


class TestHeading:
    """The heading is found under titles, in two lines, in two languages; what stands above is kept."""

    def test_title_rows_above_and_totals_below(self) -> None:
        rows: list[list[object]] = [
            ["Ministry of Defence, Directorate of Armaments"],
            [],
            ["Shipping list 14", None, "Date:", "12.03.2005"],
            [],
            ["Ser. No.", "Type", "Qty", "Remarks"],
            ["A1", "AKM", 1, "x"],
            [],
            ["A2", "AKM", 1, "x"],
            ["Total:", None, 2, None],
        ]
        with open_list(as_xlsx(rows, ["A1:D1"]), "list.xlsx") as opened:
            assert opened.headers == ("Ser. No.", "Type", "Qty", "Remarks")
            assert opened.heading_row == 5
            assert [(row.number, row.cells[0]) for row in read(opened)] == [(6, "A1"), (8, "A2")]
            assert [row.number for row in opened.preamble] == [1, 3]
            assert [(reject.number, reject.reason) for reject in opened.rejects] == [
                (9, "a line of totals, not an item")
            ]
            assert (opened.counts.heading, opened.counts.blank, opened.counts.all) == (5, 1, 9)

    def test_merged_groups_over_the_columns(self) -> None:
        rows = [
            ["No", "Weapon", None, "Holder", None],
            [None, "Model", "Serial No.", "Name", "Rank"],
            ["1", "AKM", "A1", "Ali", "Sgt"],
        ]
        with open_list(as_xlsx(rows, ["A1:A2", "B1:C1", "D1:E1"]), "list.xlsx") as opened:
            assert opened.headers == (
                "No",
                "Weapon / Model",
                "Weapon / Serial No.",
                "Holder / Name",
                "Holder / Rank",
            )
            assert [row.number for row in read(opened)] == [3]

    def test_a_heading_in_two_languages(self) -> None:
        with open_list(as_csv([ENGLISH, ARABIC, ("A1", "AKM", "1")]), "list.csv") as opened:
            assert opened.headers[0] == "Serial Number / الرقم التسلسلي"
            assert [row.number for row in read(opened)] == [3]

    def test_a_form_that_numbers_its_columns(self) -> None:
        with open_list(as_csv([RUSSIAN, ("1", "2", "3"), ("A1", "АКМ", "1")]), "list.csv") as opened:
            assert opened.headers == RUSSIAN
            assert [row.number for row in read(opened)] == [3]

    def test_the_heading_again_on_each_page(self) -> None:
        with open_list(as_csv([ENGLISH, ("A1", "AKM", "1"), ENGLISH, ("A2", "AKM", "1")])) as opened:
            assert len(read(opened)) == 2
            assert opened.rejects.first(1)[0].reason == "the heading again"

    def test_no_heading_loses_no_weapon(self) -> None:
        with open_list(as_csv([("A1", "AKM", "1"), ("A2", "AKM", "1")]), "list.csv") as opened:
            assert opened.headers == ("column A", "column B", "column C")
            assert len(read(opened)) == 2
            assert any("No heading" in remark for remark in opened.remarks)

    def test_the_heading_row_may_be_said(self) -> None:
        rows = [("x", "y"), ("Zzz", "Qqq"), ("1", "2")]
        with open_list(as_csv(rows), heading_row=2) as opened:
            assert opened.headers == ("Zzz", "Qqq")
            assert [row.cells for row in read(opened)] == [("1", "2")]
        with pytest.raises(UnreadableFile, match="no row 9"):
            open_list(as_csv(rows), heading_row=9)

    def test_columns_without_a_name_or_with_the_same(self) -> None:
        rows = [("Serial Number", "", "Model", "Model"), ("A1", "x", "AKM", "AKMS")]
        with open_list(as_csv(rows)) as opened:
            assert opened.headers == ("Serial Number", "column B", "Model", "Model (column D)")


class TestSpreadsheets:
    """XLSX, XLS and ODS, as Excel, LibreOffice and old programs write them."""

    def test_what_a_spreadsheet_did_to_the_cells_is_told(self) -> None:
        file = as_xlsx([
            ["Serial Number", "Model"],
            ["00412", "AKM"],
            [412, "AKM"],
            [123456.0, "AKM"],
            [1.5, "AKM"],
            [1234567890123456789, "AKM"],
            [datetime(2005, 3, 12), "AKM"],
            [True, "AKM"],
        ])  # fmt: skip
        with open_list(file, "list.xlsx") as opened:
            rows = read(opened)
        assert [row.cells[0] for row in rows] == [
            "00412", "412", "123456", "1.5", "1234567890123457024", "2005-03-12", "TRUE",
        ]  # fmt: skip
        assert [row.kinds[0] for row in rows] == list("snnfxdb")

    def test_the_error_of_a_formula_is_no_blank(self) -> None:
        """A look-up that failed must not become a weapon without a serial number."""
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
            book.add_worksheet("Cover & page")
            sheet = book.add_worksheet("Tom & Jerry's")
            sheet.write_row(2, 1, ["Serial No.", "Model", "Price"])
            sheet.write_row(3, 1, ["A1", "AKM"])
            sheet.write_formula(3, 3, "=1/0", None, "#DIV/0!")
            sheet.write_formula(4, 1, "=VLOOKUP(9,A1:B2,2)", None, "#N/A")
            sheet.write_row(4, 2, ["AKM", 5])
        with open_list(file) as opened:
            rows = read(opened)
        assert [(row.number, row.cells, row.kinds) for row in rows] == [
            (4, ("A1", "AKM", "#DIV/0!"), "sse"),
            (5, ("#N/A", "AKM", "5"), "esn"),
        ]

    @pytest.mark.parametrize("count", [448, 449, 450, 499, 500, 501, 1000, 2345])
    def test_every_row_of_a_long_sheet(self, count: int) -> None:
        """Rows come over in blocks; none is lost between two."""
        with open_list(as_xlsx([["Serial No."], *([f"A{number}"] for number in range(2, count + 2))])) as opened:
            assert [(row.number, row.cells) for row in read(opened)] == [
                (number, (f"A{number}",)) for number in range(2, count + 2)
            ]

    def test_a_table_away_from_the_corner(self) -> None:
        rows = [[], [], [None, None, "Serial No.", "Model"], [None, None, "A1", "AKM"]]
        with open_list(as_xlsx(rows), "list.xlsx") as opened:
            assert opened.headers == ("Serial No.", "Model")
            assert [(row.number, row.cells) for row in read(opened)] == [(4, ("A1", "AKM"))]

    def test_the_first_sheet_with_a_table_unless_one_is_named(self) -> None:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.title = "Cover"
        book.active.append(["Letter"])
        hidden = book.create_sheet("Old")
        hidden.sheet_state = "hidden"
        for sheet, serial in (
            (hidden, "H1"),
            (book.create_sheet("Weapons"), "W1"),
            (book.create_sheet("More"), "M1"),
        ):
            sheet.append(["Serial No.", "Model"])
            sheet.append([serial, "AKM"])
        with open_list(saved(book), "list.xlsx") as opened:
            assert opened.sheet == "Weapons"
            assert opened.sheets == ("Cover", "Old", "Weapons", "More")
            assert "Sheet “Weapons” was read; not read: “Cover”, “Old”, “More”." in opened.remarks
            assert read(opened)[0].cells[0] == "W1"
        assert cells(saved(book), sheet="More") == [("M1", "AKM")]
        assert cells(saved(book), sheet="Old") == [("H1", "AKM")]
        with pytest.raises(UnreadableFile, match=r"no sheet “Guns”\. There are: Cover, Old, Weapons, More"):
            open_list(saved(book), sheet="Guns")

    def test_text_merged_over_rows_counts_for_each_but_numbers_do_not(self) -> None:
        rows = [["Serial No.", "Model", "Quantity"], ["A1", "AKM", 2], ["A2", None, None], ["A3", "PKM", 1]]
        with open_list(as_xlsx(rows, ["B2:B3", "C2:C3"]), "list.xlsx") as opened:
            read_rows = read(opened)
        assert [row.cells for row in read_rows] == [("A1", "AKM", "2"), ("A2", "AKM", ""), ("A3", "PKM", "1")]
        assert read_rows[1].kinds[1] == "m"

    def test_an_xls_from_ukraine(self) -> None:
        with open_list(LISTS / "ukrainian.xls") as opened:
            assert opened.format == "XLS"
            assert opened.sheet == "Зброя"
            rows = read(opened)
        assert rows[0].cells[1:] == ("АКМ", "ЇЖ 0412", "2005-03-12")
        assert (rows[1].cells[2], rows[1].kinds[2]) == ("412", "n")

    def test_an_ods_of_libreoffice(self) -> None:
        rest = (
            '<table:table-row table:number-rows-repeated="1048573"><table:table-cell '
            'table:number-columns-repeated="16384"/></table:table-row>'
        )
        file = as_ods([["Numéro de série", "Modèle"], ["00412", "AKM"], [412.0, "AKM"]], rest)
        with open_list(file, "liste.ods") as opened:
            assert (opened.format, opened.sheet) == ("ODS", "Feuille1")
            rows = read(opened)
        assert [(row.number, row.cells, row.kinds) for row in rows] == [
            (2, ("00412", "AKM"), "ss"),
            (3, ("412", "AKM"), "ns"),
        ]

    def test_hidden_characters_in_a_spreadsheet_too(self) -> None:
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            for number, serial in enumerate(["Serial No.", "A\u202e1", "A\x012", "A3"]):
                sheet.write_string(number, 0, serial)
        with open_list(file, "list.xlsx") as opened:
            assert [row.cells for row in read(opened)] == [("A3",)]
            assert [reject.number for reject in opened.rejects] == [2, 3]

    @settings(max_examples=15, deadline=None)
    @given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20))
    def test_any_text_in_a_spreadsheet_comes_back(self, rows: list[tuple[str, ...]]) -> None:
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([("Serial No.", "Model"), *rows]):
                for column, cell in enumerate(row):
                    sheet.write_string(number, column, cell)
        assert cells(file) == rows


def bomb(content: bytes, declared: int | None = None) -> io.BytesIO:
    """A workbook whose one sheet unpacks to `content`, though its directory may declare less."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", content)
    packed = bytearray(file.getvalue())
    if declared is not None:
        real, false = len(content).to_bytes(4, "little"), declared.to_bytes(4, "little")
        assert packed.count(real) == 2
        packed = bytearray(bytes(packed).replace(real, false))
    return io.BytesIO(bytes(packed))


class TestUnreadable:
    """What is no list is refused whole, at once, with what to do."""

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b" \r\n\t\n", "empty"),
            (b"\xef\xbb\xbf", "empty"),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200), "JPEG"),
            (b"\x89PNG\r\n\x1a\n" + bytes(200), "PNG"),
            (b"\x1f\x8b\x08" + bytes(50), "gzip"),
            (b"<html><table><tr><td>Serial</td></tr></table>", "web page"),
            (b'<?xml version="1.0"?><Workbook/>', "XML"),
            (b"PK\x03\x04" + bytes(500), "damaged"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "damaged"),
            (random.Random(1).randbytes(20_000), "not a list"),
            (random.Random(2).randbytes(300), "not a list"),
            (bytes(5000), "empty"),
            (b"A1,AKM," * 400_000, "line of more than a million"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_it_is_refused_with_a_clear_word(self, content: bytes, words: str) -> None:
        with pytest.raises(UnreadableFile, match=words):
            open_list(io.BytesIO(content), "list.csv")

    def test_an_encrypted_workbook(self) -> None:
        with pytest.raises(UnreadableFile, match="password"):
            open_list(LISTS / "encrypted.xlsx")

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
    def test_a_workbook_cut_short(self, share: float) -> None:
        whole = as_xlsx([["Serial No."], *([f"A{n}"] for n in range(2000))]).getvalue()
        with pytest.raises(UnreadableFile, match="damaged"):
            open_list(io.BytesIO(whole[: int(len(whole) * share)]))

    def test_a_workbook_with_a_damaged_part(self) -> None:
        whole = bytearray(as_xlsx([["Serial No."], *([f"A{n}"] for n in range(2000))]).getvalue())
        at = whole.index(b"xl/worksheets/sheet1.xml") + 200
        whole[at : at + 8] = bytes(8)
        with pytest.raises(UnreadableFile, match="damaged"):
            open_list(io.BytesIO(bytes(whole)))

    def test_a_part_that_is_longer_than_it_says(self) -> None:
        whole = as_xlsx([["Serial No."], *([f"A{n}"] for n in range(2000))]).getvalue()
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
        said = whole.replace(size.to_bytes(4, "little"), (size - 1).to_bytes(4, "little"))
        assert said != whole
        with pytest.raises(UnreadableFile, match="damaged"):
            open_list(io.BytesIO(said))

    def test_a_word_document_and_a_plain_archive(self) -> None:
        for member, words in (("word/document.xml", "Word"), ("list.csv", "Unpack it")):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr(member, "x")
            with pytest.raises(UnreadableFile, match=words):
                open_list(file)

    def test_a_zip_bomb_that_declares_itself(self) -> None:
        with pytest.raises(UnreadableFile, match="unpacks to 3,000,011 bytes"):
            open_list(bomb(bytes(3_000_000)), limits=Limits(unpacked_bytes=2_000_000))

    def test_a_zip_bomb_by_its_ratio(self) -> None:
        with pytest.raises(UnreadableFile, match=r"packed .* times"):
            open_list(bomb(b" " * 50_000_000))

    def test_a_zip_bomb_that_lies_about_its_size(self) -> None:
        file = bomb(random.Random(3).randbytes(1000) * 3000, declared=1000)
        with pytest.raises(UnreadableFile, match="more than 2,000,000"):
            open_list(file, limits=Limits(unpacked_bytes=2_000_000))
        with pytest.raises(UnreadableFile, match="damaged"):
            open_list(bomb(random.Random(3).randbytes(1000) * 3000, declared=1000), limits=Limits(pack_ratio=2000))

    @pytest.mark.parametrize("last", ["XFD1048576", "AN1048576"])
    def test_two_cells_at_the_ends_of_the_sheet(self, last: str) -> None:
        """Sixteen billion cells, or forty million, in a few kilobytes: the process that reads them ends alone."""
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active["A1"] = "Serial No."
        book.active[last] = "x"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(UnreadableFile, match="memory"):
            open_list(saved(book), limits=Limits(memory_bytes=500_000_000))
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000

    def test_a_sheet_wider_than_any_list(self) -> None:
        with pytest.raises(UnreadableFile, match="“Sheet1” is 1,500 columns wide"):
            open_list(as_xlsx([["x"] * 1500]))

    def test_a_row_repeated_a_million_times(self) -> None:
        repeated = (
            '<table:table-row table:number-rows-repeated="100000000"><table:table-cell '
            'table:number-columns-repeated="16000" office:value-type="string"><text:p>x</text:p>'
            "</table:table-cell></table:table-row>"
        )
        with pytest.raises(UnreadableFile, match=r"memory|damaged"):
            open_list(as_ods([["Serial No."]], repeated), limits=Limits(memory_bytes=500_000_000))

    def test_a_file_of_two_gigabytes_costs_nothing(self, tmp_path: Path) -> None:
        large = tmp_path / "large.csv"
        large.touch()
        os.truncate(large, 2 << 30)
        read_before = resource.getrusage(resource.RUSAGE_SELF).ru_inblock
        with pytest.raises(UnreadableFile, match="larger than 200 MB"):
            open_list(large)
        with large.open("rb") as file, pytest.raises(UnreadableFile, match="larger than 200 MB"):
            open_list(file)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_inblock - read_before < 10_000

    def test_a_stream_beyond_the_limit(self) -> None:
        with pytest.raises(UnreadableFile, match="larger than 1 MB"):
            open_list(io.BytesIO(b"a,b\n" * 500_000), limits=Limits(file_bytes=1_000_000))

    def test_a_file_that_grows_while_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "growing.csv"
        path.write_text("Serial No.\nA1\n")

        class Growing(io.FileIO):
            def read(self, size: int = -1) -> bytes:
                block = super().read(size)
                if block:
                    with path.open("a") as end:
                        end.write("A2\n")
                return block

        with Growing(path) as file, pytest.raises(UnreadableFile, match="changed while it was read"):
            open_list(file)  # type: ignore[arg-type]

    def test_a_file_rewritten_while_it_is_read(self, tmp_path: Path) -> None:
        """As long as before, but another."""
        path = tmp_path / "rewritten.csv"
        path.write_text("Serial No.\nA1\n")

        class Rewritten(io.FileIO):
            def read(self, size: int = -1) -> bytes:
                block = super().read(size)
                if not block:
                    path.write_text("Serial No.\nB9\n")
                    os.utime(path, ns=(1, 1))
                return block

        with Rewritten(path) as file, pytest.raises(UnreadableFile, match="changed while it was read"):
            open_list(file)  # type: ignore[arg-type]

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match="No such file"):
            open_list(tmp_path / "nothing.csv")
        with pytest.raises(UnreadableFile, match="cannot be opened"):
            open_list(tmp_path)

    def test_a_workbook_without_a_table(self) -> None:
        with pytest.raises(UnreadableFile, match="No sheet holds a table"):
            open_list(as_xlsx([["Dear Sir"]]))

    def test_nothing_is_left_behind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with pytest.raises(UnreadableFile):
            open_list(io.BytesIO(b"PK\x03\x04" + bytes(500)))
        cells(as_xlsx([["Serial No."], ["A1"]]))
        with open_list(as_file("Serial No.\nA1\n")):
            pass
        assert list(tmp_path.iterdir()) == []


class TestAccount:
    """What was read is what was sent, and every row is answered for."""

    def test_the_hash_is_the_files(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_bytes("Serial No.,Model\nA1,AKM\n".encode("cp1251"))
        with open_list(path) as opened:
            assert opened.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert opened.size == path.stat().st_size

    def test_a_change_after_opening_changes_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_text("Serial No.,Model\nA1,AKM\n")
        with open_list(path) as opened:
            path.write_text("Serial No.,Model\nB9,PKM\n")
            assert [row.cells[0] for row in read(opened)] == ["A1"]

    @settings(max_examples=200, deadline=None)
    @given(data=st.binary(max_size=400))
    def test_no_bytes_break_the_reader(self, data: bytes) -> None:
        """Any bytes after a heading: refused in words, or every line answered for."""
        try:
            opened = open_list(io.BytesIO(b"Serial Number,Model\n" + data), "list.csv")
        except UnreadableFile:
            return
        with opened:
            read(opened)

    @settings(max_examples=100, deadline=None)
    @given(lines=st.lists(st.text("A1,;\x00\u202e ", max_size=12), max_size=30))
    def test_every_line_is_read_rejected_or_blank(self, lines: list[str]) -> None:
        """Without quotation marks the rows are the lines."""
        text = "Serial Number,Model\n" + "".join(f"{line}\n" for line in lines)
        assume(text.count("\x00") < len(text) * 0.3)
        with open_list(as_file(text)) as opened:
            read(opened)
            assert opened.counts.all == 1 + len(lines)

    def test_the_rejects_file_can_be_mended_and_sent_again(self, tmp_path: Path) -> None:
        file = as_csv([ENGLISH, ("A1", "AKM", "1"), ("=1+1\u202e", "AKM", "1"), ("A3", "AKM")])
        with open_list(file) as opened:
            read(opened)
            write_csv(tmp_path / "rejects.csv", headings_for(opened.headers, 0), rows_of(opened.rejects))
        assert ",'=1+1" in (tmp_path / "rejects.csv").read_text("utf-8")
        with open_list(tmp_path / "rejects.csv") as again:
            assert again.headers == ("row", "reason", *ENGLISH)
            (first,) = read(again)
            assert first.cells[0] == "3"
            assert first.cells[2:] == ("=1+1\\u202e", "AKM", "1")
            assert "the row has 4 cells" in again.rejects.first(1)[0].reason


MEASURED = """
import resource, sys
from stockpile.registers.mapping import guess, lines
from stockpile.registers.read import open_list
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_list(sys.argv[1]) as opened:
    count = sum(1 for _ in lines(guess(opened.headers).mapping, opened))
    print(count, len(opened.rejects), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("good", [True, False], ids=["read", "rejected"])
def test_half_a_million_lines_in_bounded_memory(tmp_path: Path, good: bool) -> None:
    """A whole country's list passes through, or is rejected line by line, in a few megabytes."""
    path = tmp_path / "country.csv"
    with path.open("w") as file:
        file.write("Serial Number,Model,Quantity\n")
        file.writelines(f"KT {n:07d},AKM{',1' if good else ''}\n" for n in range(500_000))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], check=True, capture_output=True, text=True
    ).stdout.split()
    assert done[:2] == (["500000", "0"] if good else ["0", "500000"])
    assert int(done[2]) < 30_000, "kilobytes more than before"


def dated(rows: Iterator[Row]) -> list[date]:
    return [date.fromisoformat(row.cells[1]) for row in rows]


def test_dates_are_dates_whatever_calendar_the_workbook_counts_in() -> None:
    """Excel for Macintosh counted days from 1904; the same day comes out."""
    for mac in (False, True):
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"in_memory": True, "date_1904": mac}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["Serial No.", "Date"])
            sheet.write_string(1, 0, "A1")
            sheet.write_datetime(1, 1, datetime(2005, 3, 12), book.add_format({"num_format": "dd.mm.yyyy"}))
        with open_list(file) as opened:
            assert dated(opened.rows()) == [date(2005, 3, 12)]
