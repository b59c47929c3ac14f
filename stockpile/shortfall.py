"""What is counted, not told apart: a fact takes what was there when it happened, and the rest from outside, flagged; and a
fact that shows, late, that more was there takes back what had to come from outside (invariants 1 and 4).

No account ever held less than nothing, at no moment; and what is short in the end does not hang on the order in which
documents arrive.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.correction import Laid
from stockpile.discrepancies import Contradiction, Kind
from stockpile.items import Entry, Held, Line
from stockpile.movements import AccountClass
from stockpile.sites import OUTSIDE, Place, place_of


@dataclass(frozen=True, slots=True)
class Short:
    """What a fact took from an account beyond what the books had there: a live entry that comes from outside."""

    version: int
    quantity: int
    happened_at: datetime
    condition: str | None
    first_document: UUID
    to: Place


_HELD_SINCE = "SELECT happened_at, change FROM held_since(%s, %s, %s)"
_SHORT = """
SELECT item_id, claimed_from, version, quantity, happened_at, condition, first_document, account_id, class, name, site_id, party_id
FROM short_entries(%s, %s)
"""

Key = tuple[UUID, UUID]
"""An item and an account."""

UNORDERED = frozenset({AccountClass.OUTSIDE, AccountClass.SUPPLY})
"""From these a fact takes what is there now. What a shipping list announces may be keyed after it came."""


@dataclass(slots=True)
class Counted:
    """The counted items of a document as its lines are worked out, one after another. Of a fact, `happened_at` is its moment;
    of a command None: it is judged by what is there now.
    """

    connection: Connection
    happened_at: datetime | None
    short: dict[Key, list[Short]] = field(default_factory=dict)
    changes: dict[Key, list[tuple[datetime, int]]] = field(default_factory=dict)
    """What accounts got and gave, with what this document does so far; from the earliest moment that matters."""

    @classmethod
    def of(cls, connection: Connection, lines: Sequence[Line], happened_at: datetime | None) -> Counted:
        """The items of lines that are counted, with what facts were short of where these lines go."""
        counted = cls(connection, happened_at)
        lines = [line for line in lines if not line.held.serial]
        if happened_at is None or not lines:
            return counted
        items, accounts = {line.held.item_id for line in lines}, {line.to.account_id for line in lines}
        for row in connection.exec_driver_sql(_SHORT, (list(items), list(accounts))):
            short = Short(row[2], row[3], row[4], row[5], row[6], place_of(row[7:]))
            counted.short.setdefault((row[0], row[1]), []).append(short)
        return counted

    def move(self, line: Line, happened_at: datetime) -> Laid:
        """The entries of one line, from its origin as far as it had so much, the rest from outside."""
        held, origin = line.held, line.origin or OUTSIDE
        there = self._there(held, origin)
        short = max(line.quantity - there, 0) if self.happened_at is not None and origin is not OUTSIDE else 0
        laid = Laid()
        for place, quantity in ((origin, line.quantity - short), (OUTSIDE, short)):
            if quantity:
                claimed = origin.account_id if place is OUTSIDE and short else None
                laid.entries.append(
                    _entry(held, place, line.to, quantity, happened_at, line.condition, claimed_from=claimed)
                )
                self._shift(held, place, line.to, quantity, happened_at)
        if short:
            laid.found.append(_fewer(held, origin, line.to, there, line.quantity))
        if self.happened_at is not None:
            laid.add(self._take_back(held, line.to))
        return laid

    def _there(self, held: Held, place: Place) -> int:
        """How much a line can take from a place: what is there now; of a fact, no more than the least since it happened."""
        now = held.holdings.get(place.account_id, (place, 0))[1]
        if self.happened_at is None or place.account_class in UNORDERED:
            return now
        return max(min(now, self._least(held, place, self.happened_at)), 0)

    def _least(self, held: Held, place: Place, moment: datetime) -> int:
        """The least that a place held from a moment on."""
        return _least(self._changes((held.item_id, place.account_id)), moment)

    def _changes(self, key: Key) -> list[tuple[datetime, int]]:
        """The changes of an account in their order, from the fact on, or from the first it was short at."""
        if key not in self.changes:
            assert self.happened_at is not None
            since = min([self.happened_at, *(short.happened_at for short in self.short.get(key, ()))])
            rows = self.connection.exec_driver_sql(_HELD_SINCE, (*key, since))
            self.changes[key] = [(row[0], row[1]) for row in rows]
        return self.changes[key]

    def _take_back(self, held: Held, place: Place) -> Laid:
        """What came in late was there when facts took more than the books knew of: they are posted again from here, and only
        what is still short comes from outside.
        """
        laid, still = Laid(), list[Short]()
        for short in self.short.get((held.item_id, place.account_id), []):
            found = min(short.quantity, self._least(held, place, short.happened_at))
            if found <= 0:
                still.append(short)
                continue
            back = _entry(held, short.to, OUTSIDE, short.quantity, short.happened_at, reverses=short.version)
            laid.entries.append(back)
            left = short.quantity - found
            for origin, quantity in ((place, found), (OUTSIDE, left)):
                if quantity:
                    claimed = place.account_id if origin is OUTSIDE else None
                    laid.entries.append(
                        _entry(
                            held, origin, short.to, quantity, short.happened_at, short.condition, short.version,
                            claimed_from=claimed,
                        )
                    )  # fmt: skip
            self._shift(held, place, OUTSIDE, found, short.happened_at)
            laid.judged.append((held.item_id, short.first_document))
            if left:
                still.append(replace(short, version=held.version, quantity=left))
                laid.found.append(_fewer(held, place, short.to, found, short.quantity, short.first_document))
        self.short[held.item_id, place.account_id] = still
        return laid

    def _shift(self, held: Held, origin: Place, to: Place, quantity: int, happened_at: datetime) -> None:
        for place, change in ((origin, -quantity), (to, quantity)):
            if place.account_class is AccountClass.OUTSIDE:
                continue
            known = held.holdings.get(place.account_id, (place, 0))[1]
            held.holdings[place.account_id] = (place, known + change)
            if self.happened_at is not None:
                insort(self._changes((held.item_id, place.account_id)), (happened_at, change))


def least_since(connection: Connection, item_id: UUID, account_id: UUID, moment: datetime) -> int:
    """The least that an account held of a counted item from a moment on, as the books know now."""
    rows = connection.exec_driver_sql(_HELD_SINCE, (item_id, account_id, moment))
    return max(_least([(row[0], row[1]) for row in rows], moment), 0)


def left_then(
    connection: Connection, item_ids: Iterable[UUID], places: Iterable[Place], moment: datetime
) -> dict[Key, int]:
    """What a fact of a moment can take of counted items from places: the least they held since. Absent: nothing, or as much as
    there is now (`Counted` says where no order binds).
    """
    accounts = [place.account_id for place in places if place.account_class not in UNORDERED]
    rows = connection.exec_driver_sql(
        "SELECT item_id, account_id, there FROM least_held(%s, %s, %s)", (list(item_ids), accounts, moment)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _least(changes: Sequence[tuple[datetime, int]], moment: datetime) -> int:
    """The least balance from a moment on, by the changes in their order."""
    balance, least = 0, None
    for happened_at, change in changes:
        if happened_at > moment:
            least = balance if least is None else min(least, balance)
        balance += change
    return balance if least is None else min(least, balance)


def _entry(
    held: Held,
    origin: Place,
    to: Place,
    quantity: int,
    happened_at: datetime,
    condition: str | None = None,
    posts_again: int | None = None,
    reverses: int | None = None,
    claimed_from: UUID | None = None,
) -> Entry:
    held.version += 1
    return Entry(held, held.version, origin, to, quantity, happened_at, condition, claimed_from, reverses, posts_again)


def _fewer(held: Held, origin: Place, to: Place, there: int, moved: int, concerns: UUID | None = None) -> Contradiction:
    return Contradiction(
        Kind.FEWER_IN_BOOKS,
        f"{there} of {held.name} at {origin.name}",
        f"{moved} moved to {to.name}",
        held.item_id,
        held.donor_id,
        concerns=concerns,
    )
