"""Flows of pieces between the kinds of place, in a time: what was declared, received, issued, returned, lost, and how many of each. What
was taken back did not move. As the books say now, or said at a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import full_number
from stockpile.identity import asset_tag
from stockpile.movements import AccountClass
from stockpile.reports.as_of import FOREVER
from stockpile.reports.keyset import Keys, Page, by_moment, by_number, by_text, order_asked, orders, read_page
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.rights import READ, Actor, require
from stockpile.sentences import template

QUESTION = template("How many pieces went from which kind of place to which, in a time?")


@dataclass(frozen=True, slots=True)
class FlowsSought:
    """Which movements are sought: those to which all applies that is said; `since` (inclusive) and `until` are of when they happened."""

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FlowRow:
    """So many pieces from one kind of place to another."""

    origin: AccountClass
    place: AccountClass
    pieces: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A live entry from one kind of place to another: which item, how many pieces, when, under which document."""

    item_id: UUID
    asset_tag: str
    model: str
    serial_number: str | None
    quantity: int
    act: str
    document_id: UUID
    document_number: str
    happened_at: datetime
    recorded_at: datetime


# A reversal runs the other way at the time of what it takes back: it is subtracted from that. Added up by one number for class and site, as
# millions of texts take longer.
_MOVED = """
    SELECT f.class AS origin, t.class AS place, e.back, e.pieces
    FROM (SELECT from_class_and_site, to_class_and_site, reverses IS NOT NULL AS back, sum(quantity) AS pieces
          FROM entry e WHERE {which} GROUP BY from_class_and_site, to_class_and_site, reverses IS NOT NULL) e
    JOIN place f ON f.class_and_site = e.from_class_and_site JOIN place t ON t.class_and_site = e.to_class_and_site
    WHERE %(site)s::uuid IS NULL OR f.site_id = %(site)s OR t.site_id = %(site)s
"""
_WHICH = {
    "since": "e.happened_at >= %(since)s",
    "until": "e.happened_at <= %(until)s",
    "recorded_at": "e.recorded_at <= %(recorded_at)s",
    "donor": "e.donor_id = %(donor)s",
    "models": "e.model_id = ANY (%(models)s)",
}
"""What narrows the entries, where it is asked: of five million each is asked everything that stands there."""
_NET = """
WITH {places}
SELECT origin, place, sum(pieces)::bigint AS pieces
FROM (SELECT CASE WHEN back THEN place ELSE origin END AS origin, CASE WHEN back THEN origin ELSE place END AS place,
             CASE WHEN back THEN -pieces ELSE pieces END AS pieces FROM ({moved}) moved) net
WHERE origin <> place GROUP BY origin, place HAVING sum(pieces) <> 0 ORDER BY 1, 2
"""


def flows(connection: Connection, actor: Actor, sought: FlowsSought = FlowsSought()) -> list[FlowRow]:
    """The flows in the asker's scope, in the order of the classes. A desk is told what its own site's documents moved.

    Raises NotFound (an unknown code), NotAllowed (another site's books).
    """
    require(actor, READ)
    narrowing: dict[str, Any] = {
        "since": sought.since,
        "until": sought.until,
        "recorded_at": sought.recorded_at,
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
    }
    given: dict[str, Any] = {**narrowing, **EVERY_CLASS, "site": site_asked(connection, actor, sought.site)}
    which = " AND ".join(_WHICH[name] for name, value in narrowing.items() if value is not None) or "true"
    for_sums(connection)
    rows = connection.exec_driver_sql(_NET.format(places=PLACES, moved=_MOVED.format(which=which)), given)
    order = list(AccountClass)
    found = [FlowRow(AccountClass(row[0]), AccountClass(row[1]), row[2]) for row in rows]
    return sorted(found, key=lambda row: (order.index(row.origin), order.index(row.place)))


_ENTRIES = """
SELECT e.happened_at, e.item_id, e.version, e.item_id, i.tag_number, m.name, n.serial_number, e.quantity, d.act, d.document_id,
       s.code, b.code, b.year, d.number, e.happened_at, e.recorded_at
FROM entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
JOIN item i ON i.item_id = e.item_id JOIN model m ON m.model_id = e.model_id
JOIN document d ON d.document_id = e.document_id JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
LEFT JOIN LATERAL identified(e.item_id) n ON true
"""
_LIVE = """e.reverses IS NULL AND NOT EXISTS (
    SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version AND r.recorded_at <= %s)"""


def flow_movements(
    connection: Connection,
    actor: Actor,
    origin: AccountClass,
    place: AccountClass,
    sought: FlowsSought = FlowsSought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[Movement]:
    """The entries behind a flow, the oldest first, or by one of MOVEMENT_ORDERS. Raises as `flows` does, and Invalid (limit, cursor,
    order).
    """
    require(actor, READ)
    known = sought.recorded_at or FOREVER
    site = site_asked(connection, actor, sought.site)
    where = {
        "f.class = %s": str(origin),
        "t.class = %s": str(place),
        "e.recorded_at <= %s": known,
        "e.happened_at >= %s": sought.since,
        "e.happened_at <= %s": sought.until,
        "e.donor_id = %s": donor_asked(connection, actor, sought.donor),
        "e.model_id = ANY (%s)": models_of(connection, sought.model) if sought.model else None,
        "%s IN (f.site_id, t.site_id)": site,
        _LIVE: known,
    }
    keys: Keys = {"e.happened_at": datetime.fromisoformat, "e.item_id": UUID, "e.version": int}
    by = order_asked(order, MOVEMENT_ORDERS)
    return read_page(connection, _ENTRIES, where, keys, _movement, limit, cursor, order=by)


MOVEMENT_ORDERS = orders(
    {"e.item_id": UUID, "e.version": int},
    happened_at=by_moment("e.happened_at"),
    recorded_at=by_moment("e.recorded_at"),
    model=by_text("m.name"),
    quantity=by_number("e.quantity"),
)


def _movement(item_id: UUID, tag: int, *told: Any) -> Movement:
    model, serial, quantity, act, document_id, site, book, year, number, happened_at, recorded_at = told
    return Movement(
        item_id, asset_tag(tag), model, serial, quantity, act, document_id, full_number(site, book, year, number),
        happened_at, recorded_at,
    )  # fmt: skip
