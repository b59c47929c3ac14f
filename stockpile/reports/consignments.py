"""Consignments: what a donor declared, what was shipped of it, what was received, what is short or came in excess, and what is late; each
with its weapons by serial number. Now, or as of a moment on either clock.

Declared = received + awaited: received is what reached somebody's hands, whatever became of it since, unless it was rejected, which
takes it back to the donor's supply. Excess is what came by the consignment and was not declared. Short is what is awaited though a
receipt said that all had come, or the expected day is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import Fault, Invalid
from stockpile.identity import asset_tag
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.lines import NUMBER, Lines, Question, read_lines
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import donor_asked, site_asked
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence, template

QUESTION = template("What was declared, shipped and received of each consignment, what is short, in excess or late?")
FINDING = template(
    "14,030 weapons that had been bought were not in the books (SIGIR-06-033, 2006); 59,938 records of what was shipped had no date of "
    "shipping or receipt (SIGAR 14-84, 2014)."
)


class State(StrEnum):
    """Which consignments are asked for."""

    SHORT = "short"
    EXCESS = "excess"
    LATE = "late"
    AWAITED = "awaited"


@dataclass(frozen=True, slots=True)
class ConsignmentsSought:
    """Which consignments are sought: those to which all applies that is said. `reference`: the donor's number of it."""

    donor: str | None = None
    site: str | None = None
    reference: str | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class ConsignmentRow:
    """A consignment, in pieces. `rejected`: went back, from a store or on its way. `late_pieces` came after the expected day, or have not
    come though it is over; `days_late`: how long after it the last of them came, or has not.
    """

    consignment_id: UUID
    donor: str
    reference: str
    site: str
    declared_at: datetime
    expected_on: date | None
    end_user_certificate: str | None
    declared: int
    shipped: int
    received: int
    rejected: int
    awaited: int
    short: int
    excess: int
    late_pieces: int
    days_late: int | None


class Fate(StrEnum):
    """What became of an item of a consignment."""

    AWAITED = "awaited"
    ON_ITS_WAY = "on its way"
    RECEIVED = "received"
    REJECTED = "rejected"
    EXCESS = "excess"


@dataclass(frozen=True, slots=True)
class ConsignmentLine:
    """An item of a consignment, in pieces, and what became of it."""

    item_id: UUID
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    lot: str | None
    fate: str
    declared: int
    shipped: int
    received: int
    rejected: int
    excess: int
    received_on: date | None


_IN_HAND = "('store', 'unit', 'person', 'maintenance')"

# Of a life's entries only those count that lead from or to outside, a supply or a transit account: of a country's five million two in five.
_WAY = ("outside", "supply", "transit")
_WAY_PLACES = f"WITH {PLACES} SELECT array_agg(class_and_site) FROM place WHERE class = ANY (%(way)s)"

_ASKED = """consignment c JOIN site s ON s.site_id = c.site_id
    WHERE c.declared_at <= least(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz)
      AND (%(site)s::uuid IS NULL OR c.site_id = %(site)s) AND (%(donor)s::uuid IS NULL OR c.donor_id = %(donor)s)
      AND (%(reference)s::text IS NULL OR lower(c.reference) = lower(%(reference)s))"""
_LATE_FROM = "(c.expected_on + 1)::timestamp AT TIME ZONE s.time_zone AS late_from"
_CHOSEN = f"""
WITH {PLACES}, chosen AS (
    SELECT c.*, s.code AS site, s.time_zone, p.code AS donor, (%(moment)s::timestamptz AT TIME ZONE s.time_zone)::date AS today,
           {_LATE_FROM}
    FROM party p, {_ASKED} AND p.party_id = c.donor_id
)"""

# Legs add up, for a reversal stands at the time of what it takes back. What goes from a site's hands back to its transit is a transfer that
# returns: it was received before.
_ITEMS = f""", leg AS (
    SELECT i.consignment_id, i.item_id, i.tracked_by = 'serial' AS serial, e.quantity, f.class AS origin, t.class AS place,
           e.reverses IS NOT NULL AS back, e.from_account = c.account_id AS from_supply, e.to_account = c.account_id AS to_supply,
           f.class = 'transit' AND f.site_id = c.site_id AS from_transit, t.class = 'transit' AND t.site_id = c.site_id AS to_transit,
           e.happened_at >= c.late_from AS late, (e.happened_at AT TIME ZONE c.time_zone)::date AS on_day
    FROM {{of}} JOIN entry e ON e.item_id = i.item_id
    JOIN place f ON f.class_and_site = e.from_class_and_site JOIN place t ON t.class_and_site = e.to_class_and_site
    WHERE e.happened_at <= %(happened_at)s AND e.recorded_at <= %(recorded_at)s
      AND (f.class IN ('outside', 'supply', 'transit') OR t.class IN ('outside', 'supply', 'transit'))
), come AS (
    SELECT *, CASE WHEN place IN {_IN_HAND} AND (from_supply OR from_transit OR origin = 'outside') AND NOT back THEN quantity
                   WHEN origin IN {_IN_HAND} AND (to_supply OR to_transit OR place = 'outside') AND back THEN -quantity
                   WHEN origin IN {_IN_HAND} AND to_transit AND NOT serial THEN -quantity ELSE 0 END AS received,
              CASE WHEN to_supply AND origin IN {_IN_HAND} AND NOT back THEN quantity
                   WHEN from_supply AND place IN {_IN_HAND} AND back THEN -quantity ELSE 0 END AS sent_back
    FROM leg
), item_sum AS (
    SELECT consignment_id, item_id, serial,
           coalesce(sum(quantity) FILTER (WHERE origin = 'outside' AND to_supply), 0)
           - coalesce(sum(quantity) FILTER (WHERE place = 'outside' AND from_supply), 0) AS declared,
           coalesce(sum(quantity) FILTER (WHERE from_supply AND place = 'transit' AND NOT back), 0)
           - coalesce(sum(quantity) FILTER (WHERE to_supply AND origin = 'transit' AND back), 0) AS shipped,
           coalesce(sum(received), 0) - coalesce(sum(sent_back), 0) AS received,
           coalesce(sum(quantity) FILTER (WHERE to_supply AND origin <> 'outside' AND NOT back), 0)
           - coalesce(sum(quantity) FILTER (WHERE from_supply AND place <> 'outside' AND back), 0) AS rejected,
           coalesce(sum(received) FILTER (WHERE late), 0) AS after_day,
           max(on_day) FILTER (WHERE received > 0) AS received_on
    FROM come GROUP BY consignment_id, item_id, serial
), told AS (
    SELECT consignment_id, item_id, declared, received_on,
           CASE WHEN serial THEN least(shipped, 1) ELSE shipped END AS shipped,
           CASE WHEN serial THEN least(greatest(received, 0), 1) ELSE greatest(received, 0) END AS all_received,
           CASE WHEN serial THEN least(rejected, 1) ELSE rejected END AS all_rejected,
           CASE WHEN serial THEN least(greatest(after_day, 0), 1) ELSE greatest(after_day, 0) END AS after_day
    FROM item_sum WHERE declared > 0 OR received > 0 OR rejected > 0
)"""
# Where each weapon of a consignment only went on, from the shipping list to somebody's hands, nothing is worked out weapon by weapon: its
# entries are added up as they are. So it is if none leads to a step of the way but from the one before; what takes an entry back does not.
# What is counted is worked out item by item, a line of a list each. DISTINCT has a consignment's day worked out once, not once an entry.
_ADDED_UP = f""", way AS MATERIALIZED (
    SELECT i.consignment_id, e.serial, e.from_class_and_site, e.to_class_and_site, sum(e.quantity) AS pieces,
           coalesce(sum(e.quantity) FILTER (WHERE e.happened_at >= c.late_from), 0) AS late, max(e.happened_at) AS last_at,
           bool_and(e.from_account = c.account_id) AS from_supply, bool_and(e.to_account = c.account_id) AS to_supply
    FROM entry e JOIN item i ON i.item_id = e.item_id
    JOIN (SELECT DISTINCT c.consignment_id, c.account_id, {_LATE_FROM} FROM {_ASKED}) c ON c.consignment_id = i.consignment_id
    WHERE {{up_to}} AND (e.from_class_and_site = ANY (%(way_places)s) OR e.to_class_and_site = ANY (%(way_places)s))
    GROUP BY i.consignment_id, e.serial, e.from_class_and_site, e.to_class_and_site
), step AS (
    SELECT w.*, f.class AS origin, t.class AS place,
           t.class IN {_IN_HAND} AND (w.from_supply OR f.class = 'transit' AND f.site_id = c.site_id) AS comes,
           CASE f.class WHEN 'outside' THEN w.to_supply WHEN 'supply' THEN w.from_supply ELSE true END
           AND CASE t.class WHEN 'outside' THEN false WHEN 'supply' THEN f.class = 'outside' AND w.to_supply
                            WHEN 'transit' THEN w.from_supply OR t.site_id <> c.site_id ELSE true END AS goes_on
    FROM way w JOIN chosen c USING (consignment_id)
    JOIN place f ON f.class_and_site = w.from_class_and_site JOIN place t ON t.class_and_site = w.to_class_and_site
), winding AS (
    SELECT *, consignment_id IN (SELECT consignment_id FROM step WHERE serial AND NOT goes_on) AS weapons_wind
    FROM chosen WHERE consignment_id IN (SELECT consignment_id FROM step WHERE NOT serial OR NOT goes_on)
), straight AS (
    SELECT consignment_id, coalesce(sum(pieces) FILTER (WHERE origin = 'outside'), 0) AS declared,
           coalesce(sum(pieces) FILTER (WHERE from_supply AND place = 'transit'), 0) AS shipped,
           coalesce(sum(pieces) FILTER (WHERE comes), 0) AS received, coalesce(sum(late) FILTER (WHERE comes), 0) AS after_day,
           max(last_at) FILTER (WHERE comes) AS received_at
    FROM step WHERE serial GROUP BY consignment_id HAVING bool_and(goes_on)
)"""
_OF_CHOSEN = "chosen c JOIN item i ON i.consignment_id = c.consignment_id"
_OF_WINDING = """winding c JOIN item i
         ON i.consignment_id = c.consignment_id AND (c.weapons_wind OR i.tracked_by <> 'serial')"""
_PIECES = ("declared", "shipped", "received", "rejected", "awaited", "excess", "after_day")
_ROWS = f"""{_CHOSEN}{_ADDED_UP}{_ITEMS.format(of=_OF_WINDING)}, added_up AS (
    SELECT consignment_id, {", ".join(f"sum({name})::bigint AS {name}" for name in _PIECES)}, max(received_on) AS received_on
    FROM (
        SELECT consignment_id, declared, shipped, least(all_received, declared) AS received, all_rejected AS rejected,
               greatest(declared - all_received, 0) AS awaited, greatest(all_received - declared, 0) AS excess, after_day, received_on
        FROM told
        UNION ALL
        SELECT consignment_id, declared, shipped, received, 0, declared - received, 0, after_day, (received_at AT TIME ZONE time_zone)::date
        FROM straight JOIN chosen USING (consignment_id)) part
    GROUP BY consignment_id
), said_whole AS (
    {{whole}}
), summed AS (
    SELECT c.consignment_id, c.donor, c.reference, c.site, c.declared_at, c.expected_on, c.end_user_certificate, c.today,
           {", ".join(f"coalesce(a.{name}, 0) AS {name}" for name in _PIECES)}, a.received_on,
           c.consignment_id::text IN (SELECT consignment FROM said_whole) AS whole
    FROM chosen c LEFT JOIN added_up a USING (consignment_id)
), judged AS (
    SELECT *, CASE WHEN whole OR expected_on < today THEN awaited ELSE 0 END AS short,
           after_day + CASE WHEN expected_on < today THEN awaited ELSE 0 END AS late_pieces,
           CASE WHEN expected_on < today AND awaited > 0 THEN today - expected_on
                WHEN after_day > 0 THEN received_on - expected_on END AS days_late,
           consignment_id::text AS key
    FROM summed
), line AS (
    SELECT * FROM judged
    WHERE CASE %(state)s::text WHEN '{State.SHORT}' THEN short > 0 WHEN '{State.EXCESS}' THEN excess > 0
                               WHEN '{State.LATE}' THEN late_pieces > 0 WHEN '{State.AWAITED}' THEN awaited > 0 ELSE true END
)"""
_SAID_WHOLE = """SELECT coalesce(d.details->>'consignment', s.consignment_id::text) AS consignment
    FROM document d LEFT JOIN shipment s ON s.document_id::text = d.details->>'shipment'
    WHERE d.act = 'receive' AND d.details->>'complete' = 'true' AND d.happened_at <= %(happened_at)s AND d.recorded_at <= %(recorded_at)s"""
_NOT_TOLD = "SELECT NULL::text AS consignment"
_SUMS = ", ".join(
    ["count(*)"]
    + [
        f"coalesce(sum({name}), 0)::bigint"
        for name in ("declared", "shipped", "received", "rejected", "awaited", "short", "excess", "late_pieces")
    ]
)
_FIELDS = """p.consignment_id, p.donor, p.reference, p.site, p.declared_at, p.expected_on, p.end_user_certificate, p.declared,
       p.shipped, p.received, p.rejected, p.awaited, p.short, p.excess, p.late_pieces, p.days_late"""
ORDERS = {
    "reference": "reference",
    "donor": "donor",
    "site": "site",
    "declared_at": "to_char(declared_at, 'YYYY-MM-DD HH24:MI:SS.US')",
    "expected_on": "coalesce(expected_on::text, '')",
    **{
        name: NUMBER.format(name)
        for name in ("declared", "shipped", "received", "rejected", "awaited", "short", "excess", "late_pieces")
    },
    "days_late": NUMBER.format("coalesce(days_late + 1, 0)"),
}

_LINES = f"""{_CHOSEN}{_ITEMS.format(of=_OF_CHOSEN)}, found AS (
    SELECT t.item_id, i.tag_number, m.maker, m.name AS model, n.serial_number, i.lot, t.received_on,
           CASE WHEN t.all_received > t.declared THEN '{Fate.EXCESS}' WHEN t.all_received >= t.declared THEN '{Fate.RECEIVED}'
                WHEN t.all_rejected > 0 THEN '{Fate.REJECTED}' WHEN t.shipped > t.all_received THEN '{Fate.ON_ITS_WAY}'
                ELSE '{Fate.AWAITED}' END AS fate,
           t.declared::bigint AS declared, t.shipped::bigint AS shipped, least(t.all_received, t.declared)::bigint AS received,
           t.all_rejected::bigint AS rejected, greatest(t.all_received - t.declared, 0)::bigint AS excess,
           concat_ws(' ', m.name, n.serial_key, t.item_id::text) AS key
    FROM told t JOIN item i ON i.item_id = t.item_id JOIN model m ON m.model_id = i.model_id
    LEFT JOIN LATERAL identified(t.item_id) n ON true
), line AS (
    SELECT * FROM found WHERE %(fate)s::text IS NULL OR fate = %(fate)s
)"""
_LINE_SUMS = ", ".join(
    ["count(*)"]
    + [f"coalesce(sum({name}), 0)::bigint" for name in ("declared", "shipped", "received", "rejected", "excess")]
)
_LINE_FIELDS = """p.item_id, p.tag_number, p.maker, p.model, p.serial_number, p.lot, p.fate, p.declared, p.shipped, p.received, p.rejected,
       p.excess, p.received_on"""
LINE_ORDERS = {
    "model": "model",
    "serial_number": "coalesce(serial_number, '')",
    "fate": "fate",
    "received_on": "coalesce(received_on::text, '')",
    **{name: NUMBER.format(name) for name in ("declared", "shipped", "received", "rejected", "excess")},
}


def list_consignments(
    connection: Connection,
    actor: Actor,
    sought: ConsignmentsSought = ConsignmentsSought(),
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[ConsignmentRow]:
    """The consignments in the asker's scope, the first declared first. `sums`: how many, and the pieces declared, shipped, received,
    rejected, awaited, short, in excess and late, over all pages.

    Raises NotFound (donor, site), NotAllowed (another site's books), Invalid (limit, cursor, order).
    """
    given = {**_given(connection, actor, sought, at), "state": str(sought.state) if sought.state else None}
    # A donor reads nothing of what a receipt says beyond its lines.
    sql = _ROWS.format(up_to=at.up_to, whole=_NOT_TOLD if actor.role == DONOR else _SAID_WHOLE)
    given["way_places"] = connection.exec_driver_sql(_WAY_PLACES, {**EVERY_CLASS, "way": list(_WAY)}).scalar()
    question = Question(sql, _SUMS, _FIELDS, ORDERS, ORDERS["declared_at"], by_hash=sought.reference is None)
    return read_lines(connection, question, given, ConsignmentRow, limit, cursor, order)


def list_consignment_lines(
    connection: Connection,
    actor: Actor,
    sought: ConsignmentsSought,
    fate: Fate | None = None,
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[ConsignmentLine]:
    """The items of the consignments sought, by model and serial number. `sums`: how many, and the pieces declared, shipped, received,
    rejected and in excess. Raises as `list_consignments` does, and Invalid where no consignment is named.
    """
    if not sought.reference:
        fault = Fault(sentence("the donor's number of it"), field="consignment")
        raise Invalid(sentence("Say of which consignment."), [fault])
    given = {**_given(connection, actor, sought, at), "fate": str(fate) if fate else None}
    question = Question(_LINES, _LINE_SUMS, _LINE_FIELDS, LINE_ORDERS, "''")
    return read_lines(connection, question, given, _line, limit, cursor, order)


def _given(connection: Connection, actor: Actor, sought: ConsignmentsSought, at: AsOf) -> Mapping[str, Any]:
    require(actor, READ)
    return {
        **at.parameters,
        **EVERY_CLASS,
        "moment": at.moment or now(),
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "reference": sought.reference,
    }


def _line(item_id: UUID, tag: int, *told: Any) -> ConsignmentLine:
    return ConsignmentLine(item_id, asset_tag(tag), *told)
