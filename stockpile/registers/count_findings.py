"""What a count found: each line against the ledger at its own moment, so that issuing need not stop while it goes on. What was
there from the opening to the closing and nobody read is missing; what came or went between is told with its document.

It only compares: what two clerks post meanwhile neither waits for it nor changes what it saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from stockpile.movements import HELD, AccountClass
from stockpile.registers.counts import Count


class Kind(StrEnum):
    """What a finding says."""

    MATCHED = "matched"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    UNCLEAR = "unclear"
    MOVED_MEANWHILE = "moved meanwhile"
    QUANTITY_MATCHED = "quantity matched"
    QUANTITY_DIFFERS = "quantity differs"
    NOT_COUNTED = "not counted"


@dataclass(frozen=True, slots=True)
class Stood:
    """Where the ledger had a weapon at a moment, by the name that the asker may know."""

    account_id: UUID
    account_class: AccountClass
    name: str
    site_id: UUID | None
    site: str | None

    @property
    def words(self) -> str:
        """The account with its site."""
        return f"{self.name} of {self.site}" if self.site and self.site not in self.name else self.name


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `line`: what read it, of a quantity the last line; `at`: where the ledger had it; `document_id`: what moved
    it meanwhile; `expected` and `counted` of a quantity.
    """

    kind: Kind
    line: int | None = None
    item_id: UUID | None = None
    model_id: UUID | None = None
    lot: str | None = None
    at: Stood | None = None
    document_id: UUID | None = None
    expected: int | None = None
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class LineRead:
    """A line of the count that is part of the figures."""

    line: int
    item_id: UUID | None
    meant: tuple[UUID, ...]
    model_id: UUID | None
    lot: str | None
    quantity: int
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """An entry to or from the accounts that are counted. `live`: neither a reversal nor reversed."""

    item_id: UUID
    version: int
    serial: bool
    document_id: UUID
    quantity: int
    happened_at: datetime
    live: bool
    origin: UUID
    to: UUID


@dataclass(slots=True)
class Counted:
    """A count or a visit with all that it is compared by. `items`: the only weapons that may be missing; None: all on its accounts."""

    opened_at: datetime
    closed_at: datetime
    accounts: frozenset[UUID]
    items: frozenset[UUID] | None
    lines: list[LineRead]
    moved: list[Moved] = field(default_factory=list)
    by_quantity: bool = False

    def holds(self, at: Stood | None) -> bool:
        """Whether what stood there was on an account that is counted."""
        return at is not None and at.account_id in self.accounts

    def during(self, move: Moved) -> bool:
        """Whether it happened between the opening and the closing."""
        return self.opened_at < move.happened_at <= self.closed_at


def compare(connection: Connection, count: Count) -> list[Finding]:
    """The findings of a count that takes no more lines: the weapons that were read, the others, then quantities. The connection
    sees the books as they were at one moment, after the closing.
    """
    counted = _counted(connection, count)
    found = weapons_found(connection, counted)
    found += _quantities(connection, counted)
    return found


def weapons_found(connection: Connection, counted: Counted) -> list[Finding]:
    """What became of each line that reads a weapon, in their order; then, where something may be missing, of what nobody read."""
    seen, resolved = _read(connection, counted)
    return (
        seen
        if counted.by_quantity or counted.items == frozenset()
        else [*seen, *_unread(connection, counted, resolved)]
    )


_ACCOUNTS = """
SELECT account_id FROM account a
WHERE a.site_id = %(site)s AND a.class = ANY (%(held)s)
  AND (%(whole)s OR a.account_id IN (SELECT c.account_id FROM count_account c WHERE c.count_id = %(count)s))
"""
_LINES = """
SELECT line, item_id, meant, model_id, lot, quantity, counted_at FROM count_line
WHERE count_id = %s AND again_of IS NULL ORDER BY line
"""


def _counted(connection: Connection, count: Count) -> Counted:
    assert count.closed_at is not None
    asked = {
        "site": count.site_id, "held": [str(one) for one in HELD], "whole": count.whole_site, "count": count.count_id,
    }  # fmt: skip
    accounts = frozenset(connection.exec_driver_sql(_ACCOUNTS, asked).scalars())
    items = None
    if count.scope in ("containers", "recount"):
        listed = "SELECT item_id FROM count_item WHERE count_id = %s"
        items = frozenset(connection.exec_driver_sql(listed, (count.count_id,)).scalars())
    rows = connection.exec_driver_sql(_LINES, (count.count_id,))
    lines = [LineRead(*(*row[:2], tuple(row[2]), *row[3:])) for row in rows]
    by_quantity = count.method == "quantity"
    counted = Counted(count.opened_at, count.closed_at, accounts, items, lines, by_quantity=by_quantity)
    since = min([count.opened_at, *(line.counted_at for line in lines)])
    counted.moved = moved_since(connection, accounts, since)
    return counted


def moved_since(connection: Connection, accounts: Collection[UUID], since: datetime) -> list[Moved]:
    """What went to or from accounts of the own site by documents recorded since a moment."""
    rows = connection.exec_driver_sql(
        """SELECT item_id, version, serial, document_id, quantity, happened_at, live, from_account, to_account
           FROM moved_since(%s, %s) ORDER BY happened_at, item_id, version""",
        (list(accounts), since),
    )
    return [Moved(*row) for row in rows]


_STOOD = "SELECT place, account_id, class, name, site_id, site FROM stood_when(%s, %s)"


def stood_when(connection: Connection, asked: Sequence[tuple[UUID, datetime]]) -> list[Stood | None]:
    """Where each weapon stood at its own moment, as the books know now; None: it was not in the books then."""
    found: list[Stood | None] = [None] * len(asked)
    items, moments = [item_id for item_id, _ in asked], [moment for _, moment in asked]
    for place, account_id, account_class, *rest in connection.exec_driver_sql(_STOOD, (items, moments)):
        found[place - 1] = Stood(account_id, AccountClass(account_class), *rest)
    return found


def _read(connection: Connection, counted: Counted) -> tuple[list[Finding], set[UUID]]:
    """What became of each line that reads a weapon, and which weapons were read."""
    lines = [line for line in counted.lines if line.model_id is None]
    asked = [(item_id, line.counted_at) for line in lines for item_id in line.meant]
    stood = iter(stood_when(connection, asked))
    places = {line.line: {item_id: next(stood) for item_id in line.meant} for line in lines}
    own = {line.item_id for line in lines if line.item_id is not None}
    found, seen = [], set(own)
    for line in lines:
        at = places[line.line]
        item_id = line.item_id or _the_one(counted, at, seen)
        if item_id is not None:
            seen.add(item_id)
            kind = Kind.MATCHED if counted.holds(at[item_id]) else Kind.UNEXPECTED
            found.append(Finding(kind, line.line, item_id, at=at[item_id]))
        else:
            unclear = any(counted.holds(place) for place in at.values())
            found.append(Finding(Kind.UNCLEAR if unclear else Kind.UNEXPECTED, line.line))
    return found, seen


def _the_one(counted: Counted, at: dict[UUID, Stood | None], seen: Collection[UUID]) -> UUID | None:
    """Of several weapons that bear a number the only one that was part of what is counted, and that no other line read."""
    there = [item_id for item_id, place in at.items() if counted.holds(place) and item_id not in seen]
    return there[0] if len(there) == 1 else None


def _unread(connection: Connection, counted: Counted, seen: Collection[UUID]) -> Iterator[Finding]:
    """What nobody read, by name: missing, if it was there at the opening and the closing and never out of what is counted between;
    after these what moved meanwhile.
    """
    crossings = _crossings(counted)
    there = {*_serial_now(connection, counted), *crossings} - set(seen)
    unread = _by_name(connection, there if counted.items is None else there & counted.items)
    opened = stood_when(connection, [(item_id, counted.opened_at) for item_id in unread])
    closed = stood_when(connection, [(item_id, counted.closed_at) for item_id in unread])
    moved = []
    for item_id, before, after in zip(unread, opened, closed, strict=True):
        was, is_still = counted.holds(before), counted.holds(after)
        between = [move for move in crossings.get(item_id, ()) if counted.during(move)]
        if was and is_still and not between:
            yield Finding(Kind.MISSING, item_id=item_id, at=after)
        elif (was or is_still) and between:
            document_id = between[-1].document_id
            moved.append(Finding(Kind.MOVED_MEANWHILE, item_id=item_id, at=after, document_id=document_id))
    yield from moved


_BY_NAME = """
SELECT i.item_id FROM item i JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE i.item_id = ANY (%s) ORDER BY m.name, n.serial_key, i.item_id
"""


def _by_name(connection: Connection, item_ids: Collection[UUID]) -> Sequence[UUID]:
    return connection.exec_driver_sql(_BY_NAME, (list(item_ids),)).scalars().all()


def _crossings(counted: Counted) -> dict[UUID, list[Moved]]:
    """Of each weapon the live entries, in their order, that led it into what is counted or out of it."""
    found: dict[UUID, list[Moved]] = defaultdict(list)
    for move in counted.moved:
        if move.serial and (move.origin in counted.accounts) != (move.to in counted.accounts):
            kept = found[move.item_id]
            if move.live:
                kept.append(move)
    return found


def _serial_now(connection: Connection, counted: Counted) -> Iterable[UUID]:
    return connection.exec_driver_sql(
        "SELECT item_id FROM holding WHERE serial AND account_id = ANY (%s)", (list(counted.accounts),)
    ).scalars()


_MODELS_NOW = """
SELECT i.model_id, i.lot, m.tracked_by, sum(h.quantity)::bigint
FROM holding h JOIN item i USING (item_id) JOIN model m ON m.model_id = i.model_id
WHERE h.account_id = ANY (%s) GROUP BY i.model_id, i.lot, m.tracked_by ORDER BY 1, 2
"""
Goods = tuple[UUID, str | None]
"""A model, and the lot of what is tracked by lot."""


def _quantities(connection: Connection, counted: Counted) -> Iterator[Finding]:
    """Each model that was counted, all its lines together, against what the books had at the last of them; and what is in the
    books and nobody counted.
    """
    now: dict[Goods, int] = {}
    for model_id, lot, tracked_by, quantity in connection.exec_driver_sql(_MODELS_NOW, (list(counted.accounts),)):
        if tracked_by != "serial" or counted.by_quantity:
            now[model_id, lot] = quantity
    by_goods: dict[Goods, list[LineRead]] = defaultdict(list)
    for line in counted.lines:
        if line.model_id is not None:
            by_goods[line.model_id, line.lot].append(line)
    changes = _changes(connection, counted)
    for goods, lines in sorted(by_goods.items(), key=lambda pair: pair[1][0].line):
        last = max(lines, key=lambda line: (line.counted_at, line.line))
        after = [(move, change) for move, change in changes.get(goods, ()) if move.happened_at > last.counted_at]
        expected = now.pop(goods, 0) - sum(change for _, change in after)
        number = sum(line.quantity for line in lines)
        first = min(line.counted_at for line in lines)
        between = [
            move for move, _ in changes.get(goods, ()) if move.live and first < move.happened_at <= last.counted_at
        ]
        kind = Kind.QUANTITY_MATCHED if number == expected else Kind.QUANTITY_DIFFERS
        yield Finding(
            kind, last.line, None, *goods, document_id=between[-1].document_id if between else None, expected=expected,
            counted=number,
        )  # fmt: skip
    if counted.items is None:
        yield from (Finding(Kind.NOT_COUNTED, None, None, *goods, expected=number) for goods, number in now.items())


_GOODS = "SELECT item_id, model_id, lot FROM item WHERE item_id = ANY (%s)"


def _changes(connection: Connection, counted: Counted) -> dict[Goods, list[tuple[Moved, int]]]:
    """By how much each entry changed what is counted of a model."""
    wanted = {move.item_id for move in counted.moved}
    goods = {item: (model, lot) for item, model, lot in connection.exec_driver_sql(_GOODS, (list(wanted),))}
    found: dict[Goods, list[tuple[Moved, int]]] = defaultdict(list)
    for move in counted.moved:
        change = move.quantity * ((move.to in counted.accounts) - (move.origin in counted.accounts))
        if change:
            found[goods[move.item_id]].append((move, change))
    return found
