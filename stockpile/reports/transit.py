"""What is on its way and has not arrived, by shipment and piece by piece: how long, and for how long overdue. Now, or as of a moment on
either clock. Of what is counted, what was shipped first is held to have arrived first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import NotAllowed
from stockpile.identity import asset_tag
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.lines import NUMBER, Lines, Question, read_lines
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import models_of
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import sentence, template
from stockpile.sites import find_site

QUESTION = template("What is on its way, since when, and what should have arrived by now?")
FINDING = template(
    "Documents that confirm the day of receipt, the quantity and the unit were not consistently collected (GAO-07-711, "
    "2007); 50,304 records had no date of shipping or receipt (SIGAR 14-84, 2014)."
)


@dataclass(frozen=True, slots=True)
class TransitSought:
    """Which shipments are sought: those to which all applies that is said. `shipment`: its number."""

    from_site: str | None = None
    to_site: str | None = None
    model: str | None = None
    overdue: bool | None = None
    shipment: str | None = None


@dataclass(frozen=True, slots=True)
class TransitRow:
    """A shipment of which something is on its way: how many pieces, for how many days, and for how many beyond the day expected."""

    shipment_id: UUID
    number: str
    from_site: str
    to_site: str
    consignment: str | None
    carried_by: str
    shipped_at: datetime
    expected_on: date
    outstanding: int
    days_on_way: int
    days_overdue: int
    overdue: bool


@dataclass(frozen=True, slots=True)
class TransitPiece:
    """A weapon, or so many pieces, on its way."""

    item_id: UUID
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    quantity: int
    shipment_id: UUID
    number: str
    from_site: str
    to_site: str
    expected_on: date
    days_on_way: int
    days_overdue: int


_ITEMS_NOW = """
    SELECT DISTINCT item_id FROM holding WHERE class_and_site = ANY (ARRAY(SELECT class_and_site FROM place WHERE class = 'transit'))
"""
_ITEMS_THEN = """
    SELECT item_id FROM (
        SELECT e.item_id, e.quantity FROM entry e JOIN place p ON p.class_and_site = e.to_class_and_site AND p.class = 'transit'
        WHERE e.happened_at <= %(happened_at)s AND e.recorded_at <= %(recorded_at)s
        UNION ALL
        SELECT e.item_id, -e.quantity FROM entry e JOIN place p ON p.class_and_site = e.from_class_and_site AND p.class = 'transit'
        WHERE e.happened_at <= %(happened_at)s AND e.recorded_at <= %(recorded_at)s) leg
    GROUP BY item_id HAVING sum(quantity) > 0
"""
# A desk reads the shipments of both its ends, and of the other end's entries only those of what they carried.
_ITEMS_OF_DESK = """
    SELECT DISTINCT l.item_id FROM shipment_lines(ARRAY({shipments})) l
"""
_UNDER_WAY, _EVER = "SELECT shipments_under_way()", "SELECT s.document_id FROM shipment s"
_ENTRIES = """
    SELECT e.item_id, e.version, e.document_id, e.quantity, e.happened_at, e.recorded_at, e.reverses, e.posts_again,
           e.from_account, f.class AS from_class, e.to_account, t.class AS to_class
    FROM entry e JOIN place f ON f.class_and_site = e.from_class_and_site JOIN place t ON t.class_and_site = e.to_class_and_site
    WHERE e.item_id = ANY (ARRAY(SELECT item_id FROM carried))
"""
_ENTRIES_OF_DESK = """
    SELECT e.item_id, e.version, e.document_id, e.quantity, e.happened_at, e.recorded_at, e.reverses, e.posts_again,
           e.from_account, e.from_class, e.to_account, e.to_class
    FROM entries_of(ARRAY(SELECT item_id FROM carried)) e
"""

_PIECES = """
WITH RECURSIVE {places}, carried AS ({items}
), told AS MATERIALIZED (
    SELECT * FROM ({entries}) e WHERE e.recorded_at <= %(recorded_at)s
), held AS (
    SELECT item_id, account_id, sum(quantity)::bigint AS quantity
    FROM (SELECT item_id, to_account AS account_id, quantity FROM told WHERE to_class = 'transit' AND happened_at <= %(happened_at)s
          UNION ALL
          SELECT item_id, from_account, -quantity FROM told WHERE from_class = 'transit' AND happened_at <= %(happened_at)s) leg
    GROUP BY item_id, account_id HAVING sum(quantity) > 0
), sent AS (
    SELECT e.item_id, e.version, e.document_id, e.posts_again, e.quantity, h.quantity AS held,
           sum(e.quantity) OVER (PARTITION BY e.item_id, e.to_account ORDER BY e.happened_at DESC, e.version DESC)::bigint AS down_to
    FROM held h JOIN told e ON e.item_id = h.item_id AND e.to_account = h.account_id AND e.from_account <> e.to_account
    LEFT JOIN told r ON r.item_id = e.item_id AND r.reverses = e.version
    WHERE e.reverses IS NULL AND r.item_id IS NULL AND e.happened_at <= %(happened_at)s
), left_over AS (
    SELECT item_id, version, document_id, posts_again, least(quantity, held - (down_to - quantity)) AS quantity
    FROM sent WHERE held > down_to - quantity
), cited AS (
    SELECT item_id, version, document_id, posts_again, quantity FROM left_over
    UNION ALL
    SELECT c.item_id, c.version, p.document_id, p.posts_again, c.quantity
    FROM cited c JOIN told p ON p.item_id = c.item_id AND p.version = c.posts_again
), piece AS (
    SELECT c.item_id, c.version, c.quantity::bigint AS quantity, s.document_id, s.number, f.code AS from_site, t.code AS to_site,
           s.consignment_id, s.carrier, s.shipped_at, s.expected_on,
           greatest(day.today - (s.shipped_at AT TIME ZONE t.time_zone)::date, 0) AS days_on_way,
           greatest(day.today - s.expected_on, 0) AS days_overdue
    FROM cited c JOIN shipment s ON s.document_id = c.document_id
    JOIN site f ON f.site_id = s.from_site JOIN site t ON t.site_id = s.to_site
    CROSS JOIN LATERAL (SELECT (%(moment)s::timestamptz AT TIME ZONE t.time_zone)::date AS today) day
    WHERE c.posts_again IS NULL AND (%(from_site)s::uuid IS NULL OR s.from_site = %(from_site)s)
      AND (%(to_site)s::uuid IS NULL OR s.to_site = %(to_site)s)
      AND (%(models)s::uuid[] IS NULL OR c.item_id IN (SELECT item_id FROM item WHERE model_id = ANY (%(models)s)))
      AND (%(overdue)s::bool IS NULL OR (s.expected_on < day.today) = %(overdue)s)
      AND (%(shipment)s::text IS NULL OR s.number = upper(%(shipment)s))
)
"""
_ROWS = """, line AS (
    SELECT document_id, number, from_site, to_site, consignment_id, carrier, shipped_at, expected_on, sum(quantity)::bigint AS outstanding,
           days_on_way, days_overdue, document_id::text AS key
    FROM piece
    GROUP BY document_id, number, from_site, to_site, consignment_id, carrier, shipped_at, expected_on, days_on_way, days_overdue
)"""
_SUMS = """count(*), coalesce(sum(outstanding), 0)::bigint, count(*) FILTER (WHERE days_overdue > 0),
           coalesce(sum(outstanding) FILTER (WHERE days_overdue > 0), 0)::bigint, max(days_on_way)"""
_FIELDS = """p.document_id, p.number, p.from_site, p.to_site, d.code || ' ' || c.reference, coalesce(last.carrier, p.carrier), p.shipped_at,
       p.expected_on, p.outstanding, p.days_on_way, p.days_overdue, p.days_overdue > 0"""
_JOINED = """LEFT JOIN consignment c ON c.consignment_id = p.consignment_id LEFT JOIN party d ON d.party_id = c.donor_id
LEFT JOIN LATERAL (SELECT h.carrier FROM carrier_hand_over h
                   WHERE h.document_id = p.document_id AND h.happened_at <= %(happened_at)s AND h.recorded_at <= %(recorded_at)s
                   ORDER BY h.happened_at DESC, h.ordinal DESC LIMIT 1) last ON true"""
_BOTH = {
    "number": "number",
    "from_site": "from_site",
    "to_site": "to_site",
    "expected_on": "expected_on::text",
    "days_on_way": NUMBER.format("days_on_way"),
    "days_overdue": NUMBER.format("days_overdue"),
}
ORDERS = {
    **_BOTH,
    "shipped_at": "to_char(shipped_at, 'YYYY-MM-DD HH24:MI:SS.US')",
    "outstanding": NUMBER.format("outstanding"),
}
_LINES = """, line AS (
    SELECT p.item_id, i.tag_number, m.maker, m.name AS model, p.quantity, p.document_id, p.number, p.from_site, p.to_site, p.expected_on,
           p.days_on_way, p.days_overdue, concat_ws('/', p.item_id, lpad(p.version::text, 10, '0')) AS key
    FROM piece p JOIN item i ON i.item_id = p.item_id JOIN model m ON m.model_id = i.model_id
)"""
_LINE_SUMS = "count(*), coalesce(sum(quantity), 0)::bigint"
_LINE_FIELDS = """p.item_id, p.tag_number, p.maker, p.model, n.serial_number, p.quantity, p.document_id, p.number, p.from_site, p.to_site,
       p.expected_on, p.days_on_way, p.days_overdue"""
_LINE_JOINED = "LEFT JOIN LATERAL identified(p.item_id) n ON true"
LINE_ORDERS = {**_BOTH, "model": "model", "quantity": NUMBER.format("quantity")}


def in_transit(
    connection: Connection,
    actor: Actor,
    sought: TransitSought = TransitSought(),
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[TransitRow]:
    """The shipments on their way from or to the asker's site, or all; those expected first at the top. `sums`: shipments, pieces, both
    again of what is overdue, the days of the longest on its way.

    Raises NotAllowed (a donor), NotFound (an unknown code), Invalid (limit, cursor, order).
    """
    given = _given(connection, actor, sought, at)
    question = Question(
        _pieces(actor, at) + _ROWS, _SUMS, _FIELDS, ORDERS, ORDERS["expected_on"], _JOINED, by_hash=True
    )
    return read_lines(connection, question, given, TransitRow, limit, cursor, order)


def pieces_in_transit(
    connection: Connection,
    actor: Actor,
    sought: TransitSought = TransitSought(),
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[TransitPiece]:
    """The weapons and pieces on their way, those expected first at the top. `sums`: lines and pieces. Raises as `in_transit` does."""
    given = _given(connection, actor, sought, at)
    question = Question(
        _pieces(actor, at) + _LINES,
        _LINE_SUMS,
        _LINE_FIELDS,
        LINE_ORDERS,
        LINE_ORDERS["expected_on"],
        _LINE_JOINED,
        by_hash=True,
    )
    return read_lines(connection, question, given, _piece, limit, cursor, order)


def _pieces(actor: Actor, at: AsOf) -> str:
    if actor.role in DESK:
        items = _ITEMS_OF_DESK.format(shipments=_UNDER_WAY if at.now else _EVER)
        return _PIECES.format(places=PLACES, items=items, entries=_ENTRIES_OF_DESK)
    return _PIECES.format(places=PLACES, items=_ITEMS_NOW if at.now else _ITEMS_THEN, entries=_ENTRIES)


def _given(connection: Connection, actor: Actor, sought: TransitSought, at: AsOf) -> Mapping[str, Any]:
    require(actor, READ)
    if actor.role == DONOR:
        raise NotAllowed(
            sentence("A donor sees its weapons on their way among its weapons, in class transit: not who carries them.")
        )
    return {
        **at.parameters,
        **EVERY_CLASS,
        "moment": at.moment or now(),
        "from_site": find_site(connection, sought.from_site).site_id if sought.from_site else None,
        "to_site": find_site(connection, sought.to_site).site_id if sought.to_site else None,
        "models": models_of(connection, sought.model) if sought.model else None,
        "overdue": sought.overdue,
        "shipment": sought.shipment,
    }


def _piece(item_id: UUID, tag: int, *told: Any) -> TransitPiece:
    return TransitPiece(item_id, asset_tag(tag), *told)
