"""The story of a source's columns: proposed from their headings, confirmed once, used ever after."""

from __future__ import annotations

import io
import json
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpile.errors import Invalid
from stockpile.registers.headings import KNOWN, SYNONYMS, Field, listed, recognise
from stockpile.registers.mapping import (
    Line,
    Mapping,
    Reader,
    guess,
    lines,
    mapping_from_json,
    mapping_of,
)
from stockpile.registers.read import OpenList, Row, open_list
from stockpile.registers.rejects import headings_for, rows_of
from stockpile.registers.values import DateOrder, day, quantity
from stockpile.registers.write import csv_blocks


def opened(text: str) -> OpenList:
    return open_list(io.BytesIO(text.encode()), "list.csv")


def read_through(mapping: Mapping, text: str) -> tuple[list[Line], list[tuple[int, str]]]:
    with opened(text) as found:
        read = list(lines(mapping, found))
        assert found.counts.rows == len(read)
        assert found.counts.rejected == len(found.rejects)
        return read, [(reject.number, reject.reason) for reject in found.rejects]


class TestGuess:
    """Headings in the languages lists come in are placed; what is not sure is said."""

    @pytest.mark.parametrize(
        ("heading", "field"),
        [
            ("S/N", "serial_number"),
            ("Serial No.", "serial_number"),
            ("SERIAL  NUMBER", "serial_number"),
            ("Numéro de série", "serial_number"),
            ("NUMERO DE SERIE", "serial_number"),
            ("N° de série", "serial_number"),
            ("الرقم التسلسلي", "serial_number"),
            ("الرَّقم التسلسلى", "serial_number"),
            ("Серийный номер", "serial_number"),
            ("СЕРІЙНИЙ №", "serial_number"),
            ("Serial No. (weapon)", "serial_number"),
            ("Serial No. / الرقم التسلسلي", "serial_number"),
            ("Weapon / Model", "model"),
            ("Найменування", "model"),
            ("Qty (pcs)", "quantity"),
            ("Кол-во, шт.", "quantity"),
            ("الكميّة", "quantity"),
            ("Ф.И.О.", "name"),
            ("Прізвище, ім'я, по батькові", "name"),
            ("الرقم العسكري", "service_number"),
            ("UIC", "unit_code"),
            ("Примечание", "remarks"),
        ],
    )
    def test_a_heading_is_recognised(self, heading: str, field: str) -> None:
        assert recognise(heading) == field

    @pytest.mark.parametrize("heading", ["", "№", "No.", "Blood group", "12", "x" * 5000])
    def test_a_heading_that_says_nothing_is_not(self, heading: str) -> None:
        assert recognise(heading) is None

    def test_no_heading_stands_for_two_fields(self) -> None:
        assert len(KNOWN) == sum(len(listed(words)) for words in SYNONYMS.values())
        assert set(SYNONYMS) == set(Field)

    def test_what_is_not_placed_is_said(self) -> None:
        found = guess(["Line", "Serial Numbr", "Model", "Blood group"])
        assert found.mapping.columns == ((Field.SERIAL_NUMBER, "Serial Numbr"), (Field.MODEL, "Model"))
        assert found.doubtful == {"Serial Numbr": "like a heading for serial_number"}
        assert found.unplaced == {"Line": "unknown heading", "Blood group": "unknown heading"}

    def test_two_columns_for_one_field_are_left_to_a_person(self) -> None:
        found = guess(["Model", "Serial (old)", "Serial (new)"])
        assert found.mapping.columns == ((Field.MODEL, "Model"),)
        assert set(found.unplaced) == {"Serial (old)", "Serial (new)"}

    def test_the_plain_heading_wins_over_the_one_with_more(self) -> None:
        found = guess(["Serial Number", "Serial (magazine)"])
        assert found.mapping.columns == ((Field.SERIAL_NUMBER, "Serial Number"),)
        assert found.unplaced == {"Serial (magazine)": "another column is serial_number, too"}

    def test_a_bare_number_is_only_perhaps_the_serial(self) -> None:
        found = guess(["№", "Модель"])
        assert (Field.SERIAL_NUMBER, "№") in found.mapping.columns
        assert "№" in found.doubtful
        assert guess(["№", "Серийный номер"]).unplaced == {"№": "unknown heading"}


class TestMapping:
    """A mapping says what is wrong with it when it is made, and with a list when it meets it."""

    def test_there_and_back_as_json(self) -> None:
        mapping = mapping_of({"serial_number": "S/N", "date": "Дата"}, {"model": "AKM"}, "day first")
        assert mapping_of(**mapping.to_json()) == mapping
        assert mapping_from_json(json.dumps(mapping.to_json())) == mapping

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('{"columns": {"serial": "S/N"}}', "no field “serial”; perhaps “serial_number”"),
            ('{"columns": {"model": "A", "model": "B"}}', "“A” and “B” are both mapped to model"),
            (
                '{"columns": {"model": "A"}, "constants": {"model": "AKM"}}',
                "model has the column “A” and a value",
            ),
            ('{"columns": {}, "date_order": "year last"}', "“day first” or “month first”"),
            ("[]", "not a mapping"),
            ("{", "not a mapping"),
            ('{"columns": 5}', "not a mapping"),
            ('{"columns": {"model": 5}}', "not a mapping"),
            ('{"columns": {}, "constants": {"model": 5}}', "not a mapping"),
        ],
    )
    def test_a_wrong_mapping_names_what_is_wrong(self, text: str, words: str) -> None:
        with pytest.raises(Invalid, match=words):
            mapping_from_json(text)

    def test_every_fault_is_named_at_once(self) -> None:
        with pytest.raises(Invalid) as refused:
            mapping_of([("serial", "A"), ("model", "B"), ("model", "C")], date_order="x")
        assert [fault.field for fault in refused.value.faults] == ["serial", "model", "date_order"]

    def test_a_list_without_the_column_names_it_and_those_there_are(self) -> None:
        mapping = mapping_of({"serial_number": "Serial No.", "lot": "Batch"})
        with pytest.raises(Invalid) as refused:
            Reader(mapping, ("Serial No", "Model"))
        assert "no column “Serial No.” for serial_number. Perhaps it is now “Serial No”?" in refused.value.detail
        assert "no column “Batch” for lot" in refused.value.detail
        assert "The list has: “Serial No”, “Model”." in refused.value.detail
        assert len(refused.value.faults) == 2

    def test_a_value_for_the_whole_list(self) -> None:
        mapping = mapping_of({"serial_number": "S/N"}, {"model": "AKM", "quantity": "1", "date": "2005-03-12"})
        (line,), _ = read_through(mapping, "S/N,Other\nA1,x\n")
        assert line.fields == {"serial_number": "A1", "model": "AKM", "quantity": "1", "date": "2005-03-12"}
        assert (line.quantity, line.days["date"]) == (1, date(2005, 3, 12))

    def test_constants_alone(self) -> None:
        (line,), _ = read_through(mapping_of({}, {"model": "AKM"}), "S/N,Other\nA1,x\n")
        assert line.fields == {"model": "AKM"}


class TestLines:
    """A row in our fields; what can't be taken is rejected, what looks wrong is flagged."""

    mapping = mapping_of({"serial_number": "S/N", "quantity": "Qty", "date": "Date", "remarks": "Remarks"})

    def test_a_wrong_value_rejects_its_row_with_the_remedy(self) -> None:
        text = (
            "S/N,Qty,Date,Remarks\n"
            "A1,1,2005-03-12,\n"
            "A2,-1,,\n"
            'A3,"1,200",,\n'
            "A4,20000000,,\n"
            "A5,1,03/04/2005,\n"
            "A6,1,31.02.2005,\n"
            '"A\n7",1,,\n'
            'A8,,,"two\nlines"\n'
        )
        read, rejected = read_through(self.mapping, text)
        assert [(line.number, line.quantity, line.days["date"]) for line in read] == [
            (2, 1, date(2005, 3, 12)),
            (9, None, None),
        ]
        reasons = dict(rejected)
        assert reasons[3] == "“Qty”: -1 is negative; a quantity is 0 or more."
        assert reasons[4] == "“Qty”: “1,200” is not a whole number; write it in digits alone, such as 1200."
        assert "perhaps it is a serial number" in reasons[5]
        assert reasons[6].startswith("“Date”: 03/04/2005 can be read as two days")
        assert reasons[7] == "“Date”: There is no day 31.02.2005; write it as 2005-03-12."
        assert reasons[8] == "“S/N” has a line break or a tab inside: write it on one line."

    @pytest.mark.parametrize(
        ("serial", "flag"),
        [
            ("1.23E+05", "scientific notation"),
            ("1,23E+11", "scientific notation"),
            ("123456.0", "decimals"),
            ("2005-03-12", "date"),
            ("12-Mar", "date"),
            ("12/03/2005", "date"),
            ("'00412", "apostrophe"),
            ("AB\u200b12", "U+200B (zero width space)"),
            ("AB\xa012", "U+00A0 (no-break space)"),
        ],
    )
    def test_a_serial_that_looks_wrong_is_flagged_and_kept(self, serial: str, flag: str) -> None:
        (line,), _ = read_through(mapping_of({"serial_number": "S/N"}), f'S/N,Qty\n"{serial}",1\n')
        assert line.fields["serial_number"] == serial
        assert len(line.flags) == 1
        assert line.flags[0].startswith(f"“S/N” ({serial})")
        assert flag in line.flags[0]

    @pytest.mark.parametrize("serial", ["00412", "KT 449921", "ЇЖ-0412", "س٤٤٩", "12E5", "A/12-Mar", "KT.449", "1-2"])
    def test_an_ordinary_serial_is_not(self, serial: str) -> None:
        (line,), _ = read_through(mapping_of({"serial_number": "S/N"}), f"S/N,Qty\n{serial},1\n")
        assert line.fields["serial_number"] == serial
        assert line.flags == ()

    def test_serials_a_spreadsheet_turned_into_something_else(self) -> None:
        """Only identifiers are flagged: a quantity may well be a number."""
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in (
            ["S/N", "Qty"],
            ["00412", 1],
            [412, 1],
            [1.5, 1],
            [10**17, 1],
            [date(2005, 3, 12), 1],
            [True, 1],
        ):
            book.active.append(row)
        file = io.BytesIO()
        book.save(file)
        with open_list(file) as found:
            flags = [line.flags for line in lines(mapping_of({"serial_number": "S/N", "quantity": "Qty"}), found)]
        assert flags[0] == ()
        assert flags[1] == ("“S/N” (412) came as a number: leading zeros may be lost",)
        for told, words in zip(flags[2:], ("fraction", "15 digits", "date", "TRUE or FALSE"), strict=True):
            assert len(told) == 1
            assert words in told[0]

    def test_the_error_of_a_formula_is_no_serial(self) -> None:
        read, rejected = read_through(mapping_of({"serial_number": "S/N"}), "S/N,Qty\n#N/A,1\nA2,#REF!\n")
        assert [line.number for line in read] == [3]
        assert rejected == [(2, "“S/N” is #N/A, the error of a formula: put the value there.")]
        row = Row(2, ("#DIV/0!", "AKM"), "es")
        with pytest.raises(Invalid, match="“S/N” is #DIV/0!"):
            Reader(mapping_of({"serial_number": "S/N"}), ("S/N", "Model"))(row)
        with pytest.raises(Invalid, match="“Model” is #N/A"):
            Reader(mapping_of({"model": "Model"}), ("S/N", "Model"))(Row(3, ("A1", "#N/A"), "se"))
        assert Reader(mapping_of({"model": "Model"}), ("S/N", "Model"))(row).fields == {"model": "AKM"}

    def test_rejects_of_both_steps_come_out_together(self) -> None:
        text = "S/N,Qty,Date,Remarks\nA1,x,,\nA2,1\nA3,1,,\n"
        with opened(text) as found:
            assert [line.number for line in lines(self.mapping, found)] == [4]
            written = b"".join(csv_blocks(headings_for(found.headers, 4), rows_of(found.rejects))).decode("utf-8-sig")
        heading, first, second = written.splitlines()
        assert heading == "row,reason,S/N,Qty,Date,Remarks"
        assert first.startswith('2,"“Qty”: “x” is not a whole number')
        assert second == "3,the row has 2 cells where the heading has 4,A2,1"


class TestValues:
    """Quantities and dates: one meaning, or a fault."""

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("0", 0),
            ("12", 12),
            ("٣٠", 30),
            ("1 200", 1200),
            ("1\xa0200\xa0000", 1_200_000),
            ("12.0", 12),
            ("12,00", 12),
            ("10000000", 10_000_000),
            ("", None),
        ],
    )
    def test_a_quantity(self, text: str, number: int | None) -> None:
        assert quantity(text) == number

    @pytest.mark.parametrize(
        "text", ["-1", "1.5", "1,200", "1.200", "1e3", "x", "10000001", "9" * 5000, "12 34", "½", "+5", "²"]
    )
    def test_no_quantity(self, text: str) -> None:
        with pytest.raises(Invalid):
            quantity(text)

    @given(st.integers(0, 10_000_000))
    def test_any_quantity(self, number: int) -> None:
        assert quantity(str(number)) == number
        assert quantity(f"{number:,}".replace(",", " ")) == number

    @pytest.mark.parametrize(
        ("text", "order"),
        [
            ("2005-03-12", None),
            ("2005/3/12", None),
            ("2005-03-12 10:30:00", None),
            ("12.03.2005", None),
            ("12.3.2005", DateOrder.MONTH_FIRST),
            ("12/03/2005", DateOrder.DAY_FIRST),
            ("03/12/2005", DateOrder.MONTH_FIRST),
            ("١٢/٠٣/٢٠٠٥", DateOrder.DAY_FIRST),
        ],
    )
    def test_the_twelfth_of_march(self, text: str, order: DateOrder | None) -> None:
        assert day(text, order) == date(2005, 3, 12)

    def test_an_order_that_only_one_day_fits(self) -> None:
        assert day("25/03/2005") == day("03/25/2005") == date(2005, 3, 25)
        assert day("03/03/2005") == date(2005, 3, 3)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("03/04/2005", "two days"),
            ("03-04-2005", "two days"),
            ("31.02.2005", "no day"),
            ("25/13/2005", "no day"),
            ("12.03.05", "not a date"),
            ("1426-02-02", "common calendar"),
            ("38423", "not a date"),
            ("yesterday", "not a date"),
            ("9999999999-01-01", "not a date"),
        ],
    )
    def test_no_date(self, text: str, words: str) -> None:
        with pytest.raises(Invalid, match=words):
            day(text)

    @given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
    def test_any_date_in_any_writing(self, when: date) -> None:
        assert day(when.isoformat()) == when
        assert day(f"{when:%d.%m.%Y}") == when
        assert day(f"{when:%d/%m/%Y}", DateOrder.DAY_FIRST) == when
        assert day(f"{when:%m/%d/%Y}", DateOrder.MONTH_FIRST) == when
