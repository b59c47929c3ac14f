"""Gaps in the books that are kept away from the service, by devices and on paper pads: of the numbers below the highest that
came, each maximal run that has not is an open discrepancy. When one of them comes, also as a void document, its run is
withdrawn and what is left of it opened anew: so the open runs are the same whatever the order of arrival.

Works under the lock of the book's row, which whoever numbers a document holds until the end. A number that went to the
exceptions book fills no gap: which of the two documents is the right one, nobody knows yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import ask
from stockpile.discrepancies import DAYS_TO_SETTLE, Kind
from stockpile.documents import OpenedDiscrepancy
from stockpile.keys import new_key
from stockpile.sites import Site


@dataclass(frozen=True, slots=True)
class Series:
    """A book of one year, named as its numbers begin (TAJI/PAPER/2026). A device begins it at 1; a pad of paper begins
    wherever the site came by it, so what lies before the first number seen is no gap, unless a smaller one comes.
    """

    book_id: UUID
    name: str
    begins_at_one: bool


@dataclass(frozen=True, slots=True)
class Come:
    """A document that just took its number in a series."""

    document_id: UUID
    number: int
    recorded_at: datetime


Run = tuple[int, int]
"""The first and the last of numbers that have not come."""


def note(connection: Connection, site: Site, series: Series, come: Come) -> list[OpenedDiscrepancy]:
    """Brings the gaps of a series up to a document just written; gives those that were opened."""
    before, after = _neighbours(connection, series, come.number)
    if before is None and series.begins_at_one:
        before = 0
    if before is not None and after is not None:
        return _fill(connection, site, series, come)
    due_on = (come.recorded_at + timedelta(days=DAYS_TO_SETTLE)).date()
    if before is not None:
        return _open(connection, site, series, come, [(before + 1, come.number - 1)], site.custodian_id, due_on)
    if after is not None:
        return _open(connection, site, series, come, [(come.number + 1, after - 1)], site.custodian_id, due_on)
    return []


def run_of(name: str, first: int, last: int) -> str:
    """A run as people write it: TAJI/PAPER/2026/12 to 16."""
    return f"{name}/{first}" if first == last else f"{name}/{first} to {last}"


_NEIGHBOURS = """
SELECT (SELECT max(number) FROM document WHERE book_id = %s AND number < %s),
       (SELECT min(number) FROM document WHERE book_id = %s AND number > %s)
"""


def _neighbours(connection: Connection, series: Series, number: int) -> tuple[int | None, int | None]:
    """The nearest numbers that came, below and above."""
    ((before, after),) = ask(connection, _NEIGHBOURS, (series.book_id, number, series.book_id, number))
    return before, after


_MISSING_IN = """
SELECT discrepancy_id, first_number, last_number, owner_id, due_on FROM discrepancy
WHERE book_id = %s AND first_number <= %s AND last_number >= %s AND closed_at IS NULL FOR NO KEY UPDATE
"""


def _fill(connection: Connection, site: Site, series: Series, come: Come) -> list[OpenedDiscrepancy]:
    """Withdraws the run that the number was missing in. What is left of it keeps its owner and its day: a gap that is due
    does not become younger by one of its numbers. A run that two people explained before stays explained.
    """
    opened = []
    rows = ask(connection, _MISSING_IN, (series.book_id, come.number, come.number))
    for discrepancy_id, first, last, owner_id, due_on in rows:
        why = f"{series.name}/{come.number} has come"
        ask(connection, "SELECT withdraw_discrepancies(%s, %s, %s)", ([discrepancy_id], come.document_id, why))
        left = [(first, come.number - 1), (come.number + 1, last)]
        opened += _open(connection, site, series, come, left, owner_id, due_on)
    return opened


_OPEN = """
INSERT INTO discrepancy (discrepancy_id, site_id, kind, document_id, books_said, seen, owner_id, opened_at, due_on,
                         book_id, first_number, last_number)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def _open(
    connection: Connection, site: Site, series: Series, come: Come, runs: Sequence[Run], owner_id: UUID, due_on: date
) -> list[OpenedDiscrepancy]:
    """Opens those of the runs that have numbers. After the last of a run comes one that is there."""
    opened = []
    for first, last in runs:
        if first > last:
            continue
        key, verb = new_key(), "has" if first == last else "have"
        said = f"{series.name}/{last + 1} has come"
        seen = f"{run_of(series.name, first, last)} {verb} not come"
        ask(
            connection,
            _OPEN,
            (
                key, site.site_id, str(Kind.GAP_IN_BOOK), come.document_id, said, seen, owner_id, come.recorded_at, due_on,
                series.book_id, first, last,
            ),
        )  # fmt: skip
        opened.append(OpenedDiscrepancy(key, str(Kind.GAP_IN_BOOK), None, None))
    return opened
