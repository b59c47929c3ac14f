"""A report as a table that leaves the system: its rows flattened to cells under the same names as in the API. Writes
nothing itself; what could run in a spreadsheet is made harmless by `registers.write`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Protocol, TypeVar, get_type_hints
from uuid import UUID

from stockpile.registers.write import Value
from stockpile.reports.pages import LONGEST_PAGE

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class PageOf(Protocol[T_co]):
    """A page of any list: its rows, and the cursor of those after them."""

    @property
    def rows(self) -> Sequence[T_co]: ...

    @property
    def cursor(self) -> str | None: ...


def every_row(ask: Callable[[int, str | None], PageOf[T]]) -> Iterator[T]:
    """All rows of a list, page after page. `ask` takes a limit and a cursor."""
    cursor: str | None = None
    while True:
        page = ask(LONGEST_PAGE, cursor)
        yield from page.rows
        cursor = page.cursor
        if cursor is None:
            return


def columns(row: type) -> list[str]:
    """The columns of a dataclass of rows; those of a dataclass inside it carry the name of its field before them."""
    kinds = get_type_hints(row)
    names: list[str] = []
    for field in fields(row):
        kind = kinds[field.name]
        inside = columns(kind) if isinstance(kind, type) and is_dataclass(kind) else None
        names += [field.name] if inside is None else [f"{field.name}_{name}" for name in inside]
    return names


def table(rows: Iterable[Any]) -> Iterator[list[Value]]:
    """Rows as cells, in the order of `columns`."""
    return map(cells, rows)


AS_THEY_ARE = frozenset({str, int, float, bool, Decimal, date, datetime, UUID, type(None)})


def cells(row: Any) -> list[Value]:
    """The cells of one row."""
    told: list[Value] = []
    for name in _names(row.__class__):
        value = getattr(row, name)
        if type(value) in AS_THEY_ARE:
            told.append(value)
        elif is_dataclass(value):
            told += cells(value)
        else:
            told.append(cell(value))
    return told


@cache
def _names(row: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(row))


def cell(value: object) -> Value:
    """A value as one cell: several in a row are joined, what has parts of its own is JSON."""
    if value is None or isinstance(value, (int, float, Decimal, date)):
        return value
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, (tuple, list)):
        return "; ".join(str(each) for each in value)
    return str(value)
