"""Which column of a source's lists is which field of ours: settled once, kept as JSON, used ever after.

A mapping is proposed from the headings (`guess`) and confirmed by a person. Reading through it tells what
looks wrong with an identifier, such as a number that has lost its zeros; it never mends one. What can't be
taken as it must be, a quantity or a date, sends its row to the rejects with the column, the value and the
remedy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from rapidfuzz import fuzz, process

from stockpile.errors import Fault, Invalid
from stockpile.registers.characters import UNSEEN, describe
from stockpile.registers.headings import KNOWN, Field, listed, plain, recognise
from stockpile.registers.read import OpenList, Row
from stockpile.registers.values import DateOrder, day, quantity
from stockpile.sentences import joined, sentence

T = TypeVar("T")

IDENTIFIERS = frozenset(
    {
        Field.SERIAL_NUMBER,
        Field.LOT,
        Field.ASSET_TAG,
        Field.SERVICE_NUMBER,
        Field.DOCUMENT_NUMBER,
        Field.STOCK_NUMBER,
    }
)
"""Fields that are text even where they look like numbers: each character counts."""

LINES_ALLOWED = frozenset({Field.REMARKS})
"""Fields that may run over several lines."""

DATES = (Field.DATE, Field.SHIPPED_ON, Field.RECEIVED_ON)
"""Fields that are days."""

KIND_FLAGS = {
    "n": "came as a number: leading zeros may be lost",
    "f": "came as a number with a fraction: it may not be what was typed",
    "x": "came as a number of more than 15 digits: the last digits are lost",
    "d": "came as a date: a spreadsheet may have changed it",
    "t": "came as a time: a spreadsheet may have changed it",
    "b": "came as TRUE or FALSE: a spreadsheet may have changed it",
    "m": "is one cell merged over several rows",
}
TEXT_FLAGS = {
    "scientific": "is in scientific notation: digits are lost",
    "decimals": "looks like a number with decimals: leading zeros may be lost",
    "date": "looks like a date: a spreadsheet may have changed it",
    "apostrophe": "begins with an apostrophe, as spreadsheets mark text: it may not be on the weapon",
}
SUSPICIOUS = re.compile(
    r"(?P<scientific>[\d.,]+[eE][+-]?\d+)|(?P<decimals>\d+[.,]0+)|(?P<apostrophe>'.*)"
    r"|(?P<date>\d{4}-\d\d-\d\d([ T][\d:.]+)?|\d{1,2}(?P<between>[./])\d{1,2}(?P=between)\d{2,4}"
    r"|\d{1,2}-[A-Za-z]{3}(-\d{2,4})?)"
)
FORMULA_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#Н/Д", "#ССЫЛКА!"})
NUMBER_HEADINGS = listed("№; no; nr; number; n°; n; num; numéro; номер; رقم; الرقم")
"""Headings that say only "number": perhaps the serial number, perhaps the line's."""

LIKENESS = 86.0
"""How like a known heading one must be, of 100, to be proposed for it."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Our fields by the columns that hold them, and values of the whole list. Made by `mapping_of`."""

    columns: tuple[tuple[Field, str], ...]
    constants: tuple[tuple[Field, str], ...] = ()
    date_order: DateOrder | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object that `mapping_of` takes back: {"columns": {"serial_number": "S/N"}, ...}."""
        return {
            "columns": {field.value: column for field, column in self.columns},
            "constants": {field.value: value for field, value in self.constants},
            "date_order": self.date_order.value if self.date_order else None,
        }


class Line(NamedTuple):
    """A row in our fields: the list's text, the quantity and days it states, what looks wrong; its cells."""

    number: int
    fields: dict[str, str]
    quantity: int | None
    days: dict[str, date | None]
    flags: tuple[str, ...]
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """A proposal: what each column seems to be; `doubtful` and `unplaced` columns, each with why."""

    mapping: Mapping
    doubtful: dict[str, str]
    unplaced: dict[str, str]


def mapping_of(
    columns: Map[str, str] | Sequence[tuple[str, str]],
    constants: Map[str, str] | None = None,
    date_order: str | None = None,
) -> Mapping:
    """A checked mapping from field to column, and from field to the value it has in the whole list.

    Raises:
        Invalid: an unknown field, two columns for one field, a field with both a column and a constant, an
            unknown order of dates; one fault each.
    """
    pairs = list(columns.items() if isinstance(columns, Map) else columns)
    faults = list(field_faults(pairs, dict(constants or {})))
    if date_order is not None and date_order not in tuple(DateOrder):
        faults.append(Fault(sentence("Dates are “day first” or “month first”."), field="date_order", value=date_order))
    if faults:
        raise Invalid(joined(" ", (fault.message for fault in faults)), faults)
    return Mapping(
        columns=tuple((Field(field), column) for field, column in pairs),
        constants=tuple((Field(field), value.strip()) for field, value in (constants or {}).items()),
        date_order=DateOrder(date_order) if date_order else None,
    )


def mapping_from_json(text: str | bytes) -> Mapping:
    """A mapping from its JSON; a field written twice is found, too. Raises Invalid as `mapping_of` does."""
    try:
        said = dict(json.loads(text, object_pairs_hook=list))
        columns, constants = said["columns"], dict(said.get("constants") or [])
        if not all(isinstance(text, str) for pair in (*columns, *constants.items()) for text in pair):
            raise TypeError("a name that is no text")
        return mapping_of(columns, constants, said.get("date_order"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(sentence("This is not a mapping: a JSON object with “columns” is.")) from error


def field_faults(pairs: Sequence[tuple[str, str]], constants: Map[str, str]) -> Iterator[Fault]:
    names = [field for field, _ in pairs]
    for field in dict.fromkeys([*names, *constants]):
        columns = [column for name, column in pairs if name == field]
        if field not in tuple(Field):
            near = process.extractOne(field, [known.value for known in Field])
            yield Fault(
                sentence("There is no field “{field}”; perhaps “{near}”?", field=field, near=near[0]), field=field
            )
        elif len(columns) > 1:
            both = joined(sentence(" and "), (f"“{column}”" for column in columns))
            yield Fault(
                sentence("The columns {both} are both mapped to {field}: choose one.", both=both, field=field),
                field=field,
            )
        elif columns and field in constants:
            yield Fault(
                sentence(
                    "{field} has the column “{column}” and a value for the whole list.", field=field, column=columns[0]
                ),
                field=field,
            )


def guess(headers: Sequence[str]) -> Guess:
    """Propose a mapping from a list's headings; two columns that claim one field are left to a person."""
    claims: dict[Field, list[str]] = {}
    doubtful: dict[str, str] = {}
    unplaced: dict[str, str] = {}
    for header in headers:
        field = recognise(header)
        if field is None:
            field = nearest(header)
            if field is not None:
                doubtful[header] = f"like a heading for {field}"
        if field is None:
            unplaced[header] = "unknown heading"
        else:
            claims.setdefault(field, []).append(header)
    columns = []
    for field, claimed in claims.items():
        best = [header for header in claimed if KNOWN.get(plain(header)) is field] or claimed
        if len(best) == 1:
            columns.append((field, best[0]))
        for header in claimed:
            if best != [header]:
                doubtful.pop(header, None)
                unplaced[header] = f"another column is {field}, too"
    if Field.SERIAL_NUMBER not in claims:
        columns += bare_number(headers, unplaced, doubtful)
    order = {header: place for place, header in enumerate(headers)}
    columns.sort(key=lambda pair: order[pair[1]])
    return Guess(Mapping(tuple(columns)), doubtful, unplaced)


def nearest(header: str) -> Field | None:
    """The field whose heading is nearly this one: a misspelling, an ending, words in another order."""
    wanted = plain(header)
    if len(wanted) < 5:
        return None
    found = process.extractOne(wanted, KNOWN.keys(), scorer=fuzz.token_sort_ratio, score_cutoff=LIKENESS)
    return KNOWN[found[0]] if found else None


def bare_number(headers: Sequence[str], unplaced: dict[str, str], doubtful: dict[str, str]) -> list[tuple[Field, str]]:
    """The one column headed only "No." or "№", doubtfully, as the serial number where nothing else is."""
    numbers = [header for header in headers if header in unplaced and plain(header) in NUMBER_HEADINGS]
    if len(numbers) != 1:
        return []
    del unplaced[numbers[0]]
    doubtful[numbers[0]] = "says only “number”: it may be the line's, not the weapon's"
    return [(Field.SERIAL_NUMBER, numbers[0])]


def lines(mapping: Mapping, opened: OpenList) -> Iterator[Line]:
    """The rows of a list in our fields; a row whose values can't be taken goes to the list's rejects.

    Raises:
        Invalid: the list lacks a column of the mapping; names it and the columns there are.
    """
    return read_by(Reader(mapping, opened.headers), opened)


def read_by(read: Callable[[Row], T], opened: OpenList) -> Iterator[T]:
    """The rows of a list, each as `read` has it; those for which it raises Invalid go to the list's rejects."""
    for row in opened.rows():
        try:
            line = read(row)
        except Invalid as fault:
            opened.rejects.add(row.number, fault.detail, row.cells)
            opened.counts.rows -= 1
            opened.counts.rejected += 1
        else:
            yield line


class Reader:
    """A mapping made ready for lists with these columns: turns a row into a line."""

    def __init__(self, mapping: Mapping, headers: Sequence[str]) -> None:
        places = {header: index for index, header in enumerate(headers)}
        missing = [(field, column) for field, column in mapping.columns if column not in places]
        if missing:
            raise missing_columns(missing, headers)
        self._constants = {field.value: value for field, value in mapping.constants}
        self._names = [field.value for field, _ in mapping.columns]
        self._indexes = [places[column] for _, column in mapping.columns]
        self._take = taking(self._indexes)
        self._headers = tuple(headers)
        self._identifiers = [places[column] for field, column in mapping.columns if field in IDENTIFIERS]
        self._one_line = [places[column] for field, column in mapping.columns if field not in LINES_ALLOWED]
        placed = {field: places[column] for field, column in mapping.columns}
        self._quantity = placed.get(Field.QUANTITY)
        self._dates = [(field.value, placed[field]) for field in DATES if field in placed]
        self._days = lru_cache(maxsize=65_536)(self._read_days)  # few days stand in many rows
        self._day = partial(day, order=mapping.date_order)
        constant = self._constants.get
        self._constant_quantity = quantity(constant("quantity", ""))
        self._constant_days = {
            field.value: self._day(constant(field, "")) for field in DATES if field in self._constants
        }

    def __call__(self, row: Row) -> Line:
        """The row as a line.

        Raises:
            Invalid: a quantity, a date or a line break that can't be taken; names column, value and remedy.
        """
        flags, cells = self.flags(row), row.cells
        fields = dict(zip(self._names, self._take(cells)))  # noqa: B905 - one name an index, by construction
        if self._constants:
            fields.update(self._constants)
        return Line(row.number, fields, self.quantity(cells), self.days(cells), flags, cells)

    def flags(self, row: Row) -> tuple[str, ...]:
        """What looks wrong with a row's identifiers. Raises Invalid for a line break, or the error of a formula."""
        _, cells, kinds, printable = row
        if not printable:
            self._check_line_breaks(cells)
        if "e" in kinds:
            self._check_errors(cells, kinds)
        flags: tuple[str, ...] = ()
        for index in self._identifiers:
            cell = cells[index]
            ordinary = cell.isalnum() or (cell.isascii() and cell[:1].isalpha())
            if not ordinary or (kinds and kinds[index] != "s"):
                flags += self._flags(index, cell, kinds[index] if kinds else "s")
        return flags

    def quantity(self, cells: Sequence[str]) -> int | None:
        """The quantity that a row states. Raises Invalid."""
        counted = self._quantity
        return self._constant_quantity if counted is None else self._stated(quantity, cells, counted)

    def days(self, cells: Sequence[str]) -> dict[str, date | None]:
        """The days that a row states, by the names of their fields. Raises Invalid."""
        return self._days(*[cells[index] for _, index in self._dates]) if self._dates else self._constant_days

    def text_of(self, *fields: Field) -> Callable[[Sequence[str]], str | None]:
        """What gives a row's text for the first of these fields that is mapped and not blank; None where there is none."""
        constants = [self._constants[field] for field in fields if self._constants.get(field)]
        default = constants[0] if constants else None
        indexes = [self._indexes[self._names.index(field)] for field in fields if field in self._names]
        if not indexes:
            return lambda cells: default
        if len(indexes) == 1:
            (only,) = indexes
            return lambda cells: cells[only] or default
        return lambda cells: next((cells[index] for index in indexes if cells[index]), default)

    def _read_days(self, *written: str) -> dict[str, date | None]:
        days = dict(self._constant_days)
        for (name, index), text in zip(self._dates, written, strict=True):
            try:
                days[name] = self._day(text)
            except Invalid as fault:
                raise Invalid(
                    sentence("“{header}”: {fault}", header=self._headers[index], fault=fault.detail)
                ) from None
        return days

    def _stated(self, value: Callable[[str], T], cells: Sequence[str], index: int) -> T:
        try:
            return value(cells[index])
        except Invalid as fault:
            raise Invalid(sentence("“{header}”: {fault}", header=self._headers[index], fault=fault.detail)) from None

    def _check_line_breaks(self, cells: Sequence[str]) -> None:
        for index in self._one_line:
            if any(mark in cells[index] for mark in "\n\r\t"):
                raise Invalid(
                    sentence(
                        "“{header}” has a line break or a tab inside: write it on one line.",
                        header=self._headers[index],
                    )
                )

    def _check_errors(self, cells: Sequence[str], kinds: str) -> None:
        for index in self._indexes:
            if kinds[index] == "e":
                raise error_of_formula(self._headers[index], cells[index])

    def _flags(self, index: int, cell: str, kind: str) -> tuple[str, ...]:
        """What looks wrong with an identifier."""
        if not cell:
            return ()
        if cell in FORMULA_ERRORS:
            raise error_of_formula(self._headers[index], cell)
        name = f"“{self._headers[index]}” ({cell})"
        if kind in KIND_FLAGS:
            return (f"{name} {KIND_FLAGS[kind]}",)
        if suspicious := SUSPICIOUS.fullmatch(cell):
            return next((f"{name} {flag}",) for kind, flag in TEXT_FLAGS.items() if suspicious[kind])
        unseen = UNSEEN.search(cell)
        return (f"{name} contains {describe(unseen[0])}",) if unseen else ()


def taking(indexes: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """What takes the cells of these columns out of a row."""
    return itemgetter(*indexes) if len(indexes) > 1 else lambda cells: tuple(cells[index] for index in indexes)


def error_of_formula(header: str, error: str) -> Invalid:
    return Invalid(
        sentence("“{header}” is {error}, the error of a formula: put the value there.", header=header, error=error)
    )


def missing_columns(missing: Sequence[tuple[Field, str]], headers: Sequence[str]) -> Invalid:
    faults = []
    for field, column in missing:
        near = process.extractOne(column, headers, score_cutoff=70)
        perhaps = sentence(" Perhaps it is now “{near}”?", near=near[0]) if near else ""
        faults.append(
            Fault(
                sentence(
                    "There is no column “{column}” for {field}.{perhaps}", column=column, field=field, perhaps=perhaps
                ),
                field=field,
                value=column,
            )
        )
    there_are = ", ".join(f"“{header}”" for header in headers)
    return Invalid(
        sentence(
            "{faults} The list has: {there_are}.",
            faults=joined(" ", (fault.message for fault in faults)),
            there_are=there_are,
        ),
        faults,
    )
