"""Counts as people follow them: which there are, what was read, what was found. It only reads; and while a blind count is open it
tells nobody at a desk what to expect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number, now
from stockpile.errors import NotAllowed, NotFound, Refused
from stockpile.identity import asset_tag
from stockpile.movements import HELD
from stockpile.registers.count_findings import Kind
from stockpile.registers.counts import count_name
from stockpile.reports.documents import line_number
from stockpile.reports.keyset import (
    Page,
    by_moment,
    by_number,
    by_text,
    order_asked,
    orders,
    read_page,
)
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import of_the_books, sentence


class State(StrEnum):
    """How far a count is."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count: what it is of, who counts, how far it is. `of`: the account, the unit, the seals, or the count that it repeats.
    `override`: why the same person may count twice running, or who answers for it alone.
    """

    count_id: UUID
    name: str
    site: str
    scope: str
    of: str | None
    method: str
    blind: bool
    reason: str
    counters: list[str]
    opened_at: datetime
    opened_by: str
    state: State
    lines: int
    closed_at: datetime | None
    closed_by: str | None
    abandoned_because: str | None
    override: str | None
    recount_of: UUID | None
    register_id: UUID | None


@dataclass(frozen=True, slots=True)
class CountShown:
    """A count, and how many findings of each kind it has; none before it is closed."""

    count: CountRow
    findings: dict[str, int]


_STATE = "coalesce(c.outcome, CASE WHEN c.closed_at IS NOT NULL THEN 'closing' ELSE 'open' END)"
_COUNTS = f"""
SELECT c.opened_at, c.count_id, c.count_id, s.code, c.number, c.scope,
       CASE c.scope
           WHEN 'account' THEN (SELECT coalesce(a.name, 'a person of ' || s.code) FROM count_account t
                                LEFT JOIN account a ON a.account_id = t.account_id WHERE t.count_id = c.count_id)
           WHEN 'unit' THEN u.code
           WHEN 'containers' THEN (SELECT string_agg(DISTINCT k.number, ', ' ORDER BY k.number) FROM count_item i
                                   JOIN seal_line l ON l.item_id = i.item_id JOIN seal k ON k.seal_id = l.seal_id
                                   WHERE i.count_id = c.count_id AND k.sealed_at <= c.opened_at
                                     AND (k.broken_at IS NULL OR k.broken_at > c.opened_at))
           WHEN 'recount' THEN (SELECT s.code || '/COUNT/' || b.number FROM physical_count b WHERE b.count_id = c.recount_of)
           ELSE s.code END,
       c.method, c.blind, c.reason,
       ARRAY(SELECT {named("r")} FROM count_counter t LEFT JOIN party r ON r.party_id = t.party_id
             WHERE t.count_id = c.count_id ORDER BY 1),
       c.opened_at, {named("o")}, {_STATE},
       (SELECT coalesce(sum(b.line_count), 0)::int FROM count_batch b WHERE b.count_id = c.count_id),
       c.closed_at, CASE WHEN c.closed_by IS NOT NULL THEN {named("e")} END, c.abandoned_because, c.override, c.recount_of, c.register_id
FROM physical_count c JOIN site s ON s.site_id = c.site_id LEFT JOIN party u ON u.party_id = c.unit_id
LEFT JOIN party o ON o.party_id = c.opened_by LEFT JOIN party e ON e.party_id = c.closed_by
"""


def list_counts(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    state: State | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[CountRow]:
    """The counts in the asker's scope, the last opened first, or by one of COUNT_ORDERS. Raises NotAllowed (donors; another site's
    books), NotFound (site), Invalid (limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    where = {"c.site_id = %s": site_asked(connection, actor, site), f"{_STATE} = %s": str(state) if state else None}
    keys: dict[str, Callable[[str], Any]] = {"c.opened_at": datetime.fromisoformat, "c.count_id": UUID}
    return read_page(
        connection,
        _COUNTS,
        where,
        keys,
        _count_row,
        limit,
        cursor,
        newest_first=True,
        order=order_asked(order, COUNT_ORDERS),
    )


COUNT_ORDERS = orders(
    {"c.count_id": UUID},
    name={"s.code": str, **by_number("c.number")},
    state=by_text(_STATE),
    scope=by_text("c.scope"),
    method=by_text("c.method"),
    opened_at=by_moment("c.opened_at"),
    closed_at=by_moment("c.closed_at"),
    lines=by_number("(SELECT sum(b.line_count) FROM count_batch b WHERE b.count_id = c.count_id)"),
)


def _count_row(count_id: UUID, site: str, number: int, *more: Any) -> CountRow:
    return CountRow(count_id, count_name(site, number), site, *(*more[:8], State(more[8]), *more[9:]))


def read_count(connection: Connection, actor: Actor, count_id: UUID) -> CountShown:
    """A count in the asker's scope, with the figures of its findings. Raises NotAllowed, NotFound."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(f"{_COUNTS} WHERE c.count_id = %s", (count_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no count {count_id} here.", count_id=count_id))
    figures = connection.exec_driver_sql(
        "SELECT kind, count(*) FROM count_finding WHERE count_id = %s GROUP BY kind", (count_id,)
    ).all()
    found = {kind: number for kind, number in figures}
    return CountShown(_count_row(*row[2:]), {str(kind): found[kind] for kind in Kind if kind in found})


@dataclass(frozen=True, slots=True)
class ReadSoFar:
    """An open count as its counters see it. `weapons`: each that was read, once; `moment`: when this was asked, by which a
    counter's clock is set right.
    """

    count: CountRow
    weapons: int
    moment: datetime


def read_so_far(connection: Connection, actor: Actor, count_id: UUID) -> ReadSoFar:
    """How many weapons were read in a count. Raises NotAllowed, NotFound."""
    count = read_count(connection, actor, count_id).count
    weapons = connection.exec_driver_sql(
        "SELECT count(*) FROM count_line WHERE count_id = %s AND model_id IS NULL AND again_of IS NULL", (count_id,)
    ).scalar_one()
    return ReadSoFar(count, weapons, now())


def count_named(connection: Connection, actor: Actor, name: str) -> UUID:
    """The count of a name such as TAJI/COUNT/3, or of a key. Raises NotAllowed (donors), NotFound."""
    require(actor, READ_PEOPLE)
    try:
        return read_count(connection, actor, UUID(name.strip())).count.count_id
    except ValueError:
        pass
    site, _, number = name.strip().upper().partition("/COUNT/")
    found = connection.exec_driver_sql(
        """SELECT c.count_id FROM physical_count c JOIN site s USING (site_id)
           WHERE s.code = %s AND c.number::text = %s""",
        (site, number),
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(sentence("There is no count {name!r} here: 'TAJI/COUNT/3' is how one is called.", name=name))
    return UUID(str(found))


@dataclass(frozen=True, slots=True)
class CountLineRow:
    """A line as it was read. `again_of`: the line that read the same weapon before; this one is no part of the figures."""

    line: int
    scan: str | None
    item_id: UUID | None
    asset_tag: str | None
    model: str | None
    serial_number: str | None
    lot: str | None
    quantity: int
    condition: str | None
    container: str | None
    seal: str | None
    entered: str
    counted_at: datetime
    counted_by: str
    again_of: int | None
    doubts: str | None


_LINES = f"""
SELECT l.line, l.line, l.scan, l.item_id, i.tag_number, coalesce(m.name, l.model), n.serial_number, l.lot, l.quantity, l.condition,
       l.container, k.number, l.entered, l.counted_at, {named("p")}, l.again_of, l.doubts
FROM count_line l LEFT JOIN item i ON i.item_id = l.item_id
LEFT JOIN model m ON m.model_id = coalesce(l.model_id, i.model_id)
LEFT JOIN LATERAL identified(l.item_id) n ON true
LEFT JOIN seal k ON k.seal_id = l.seal_id LEFT JOIN party p ON p.party_id = l.counted_by
"""


def list_count_lines(
    connection: Connection,
    actor: Actor,
    count_id: UUID,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[CountLineRow]:
    """What was read, in the order in which it came. Raises NotAllowed, NotFound, Invalid (limit, cursor)."""
    read_count(connection, actor, count_id)
    where = {"l.count_id = %s": count_id}
    return read_page(
        connection,
        _LINES,
        where,
        {"l.line": line_number},
        _line_row,
        limit,
        cursor,
        order=order_asked(order, LINE_ORDERS),
    )


LINE_ORDERS = orders(
    {"l.line": line_number},
    line={},
    scan=by_text("l.scan"),
    model=by_text("coalesce(m.name, l.model)"),
    serial_number=by_text("n.serial_key"),
    quantity=by_number("l.quantity"),
    condition=by_text("l.condition"),
    container=by_text("l.container"),
    seal=by_text("k.number"),
    entered=by_text("l.entered"),
    counted_at=by_moment("l.counted_at"),
    counted_by=by_text("concat_ws(' ', p.rank, p.name)"),
    again_of=by_number("l.again_of"),
    doubts=by_text("l.doubts"),
)


def _line_row(line: int, scan: str | None, item_id: UUID | None, tag: int | None, *more: Any) -> CountLineRow:
    return CountLineRow(line, scan, item_id, asset_tag(tag) if tag is not None else None, *more)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding. `account`: where the ledger had it at the moment of its line, or, of what nobody read, at the closing; none:
    nowhere in the books. `document_number`: what moved it meanwhile; of a quantity, between its first and its last line.
    """

    number: int
    kind: Kind
    line: int | None
    scan: str | None
    item_id: UUID | None
    asset_tag: str | None
    model: str | None
    serial_number: str | None
    lot: str | None
    expected: int | None
    counted: int | None
    account: str | None
    site: str | None
    document_id: UUID | None
    document_number: str | None


_FINDINGS = """
SELECT f.number, f.number, f.kind, f.line, l.scan, f.item_id, i.tag_number, m.name, n.serial_number, f.lot, f.expected, f.counted,
       CASE WHEN f.account_id IS NOT NULL THEN coalesce(a.name, 'a person of another site') END, s.code, f.document_id,
       t.code, b.code, b.year, d.number
FROM count_finding f LEFT JOIN count_line l ON l.count_id = f.count_id AND l.line = f.line
LEFT JOIN item i ON i.item_id = f.item_id LEFT JOIN model m ON m.model_id = coalesce(f.model_id, i.model_id)
LEFT JOIN LATERAL identified(f.item_id) n ON true
LEFT JOIN account a ON a.account_id = f.account_id LEFT JOIN site s ON s.site_id = a.site_id
LEFT JOIN document d ON d.document_id = f.document_id LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site t ON t.site_id = d.site_id
"""


def list_findings(
    connection: Connection,
    actor: Actor,
    count_id: UUID,
    kind: Kind | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[FindingRow]:
    """What a closed count found: first what was read, in its order. Raises NotAllowed, NotFound, Invalid (limit, cursor)."""
    read_count(connection, actor, count_id)
    where = {"f.count_id = %s": count_id, "f.kind = %s": str(kind) if kind else None}
    return read_page(
        connection,
        _FINDINGS,
        where,
        {"f.number": line_number},
        _finding_row,
        limit,
        cursor,
        order=order_asked(order, FINDING_ORDERS),
    )


FINDING_ORDERS = orders(
    {"f.number": line_number},
    kind=by_text("f.kind"),
    model=by_text("m.name"),
    serial_number=by_text("coalesce(n.serial_key, l.scan)"),
    lot=by_text("f.lot"),
    expected=by_number("f.expected"),
    counted=by_number("f.counted"),
    account=by_text("a.name"),
    site=by_text("s.code"),
)


def _finding_row(*row: Any) -> FindingRow:
    tag = asset_tag(row[5]) if row[5] is not None else None
    number = full_number(*row[14:]) if row[17] is not None else None
    return FindingRow(*(row[0], Kind(row[1]), *row[2:5], tag, *row[6:14], number))


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """What the books have on an account that is being counted. `line`: which line read it, if one did."""

    item_id: UUID
    asset_tag: str
    model: str
    serial_number: str | None
    lot: str | None
    quantity: int
    account: str
    line: int | None


_EXPECTED = """
SELECT m.name, coalesce(n.serial_key, ''), h.item_id, h.account_id, h.item_id, i.tag_number, m.name, n.serial_number, i.lot, h.quantity,
       a.name, (SELECT l.line FROM count_line l WHERE l.count_id = c.count_id AND l.item_id = h.item_id AND l.again_of IS NULL)
FROM physical_count c
JOIN account a ON a.site_id = c.site_id
    AND (c.whole_site OR a.account_id IN (SELECT t.account_id FROM count_account t WHERE t.count_id = c.count_id))
JOIN holding h ON h.account_id = a.account_id
    AND (c.scope NOT IN ('containers', 'recount') OR h.item_id IN (SELECT t.item_id FROM count_item t WHERE t.count_id = c.count_id))
JOIN item i ON i.item_id = h.item_id JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(h.item_id) n ON true
"""


def list_expected(
    connection: Connection,
    actor: Actor,
    count_id: UUID,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[ExpectedRow]:
    """What the books have now where an open count that is not blind is held, by model and serial number.

    Raises NotAllowed (it is blind), NotFound, Refused (it is over: its findings say more), Invalid (limit, cursor).
    """
    count = read_count(connection, actor, count_id).count
    if count.state is not State.OPEN:
        raise Refused(
            sentence(
                "{count} is {state}: its findings say what was expected.",
                count=count.name,
                state=of_the_books(count.state),
            )
        )
    if count.blind:
        raise NotAllowed(sentence("{count} is blind: what is expected is told when it is closed.", count=count.name))
    keys: dict[str, Callable[[str], Any]] = {
        "m.name": str, "coalesce(n.serial_key, '')": str, "h.item_id": UUID, "h.account_id": UUID,
    }  # fmt: skip
    where = {"c.count_id = %s": count_id, "a.class = ANY (%s)": [str(one) for one in HELD]}
    return read_page(
        connection, _EXPECTED, where, keys, _expected_row, limit, cursor, order=order_asked(order, EXPECTED_ORDERS)
    )


EXPECTED_ORDERS = orders(
    {"h.item_id": UUID, "h.account_id": UUID},
    model={"m.name": str, **by_text("n.serial_key")},
    serial_number=by_text("n.serial_key"),
    asset_tag=by_number("i.tag_number"),
    lot=by_text("i.lot"),
    quantity=by_number("h.quantity"),
    account=by_text("a.name"),
)


def _expected_row(item_id: UUID, tag: int, *more: Any) -> ExpectedRow:
    return ExpectedRow(item_id, asset_tag(tag), *more)
