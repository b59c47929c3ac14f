"""Shipments as both ends see them: what was shipped, what arrived, what is outstanding, by whom it is carried, and
which are overdue.

It only reads. Overdue is what is outstanding after the day it was expected, by the wall of the site it is bound for; it
is not lost yet, and nobody has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import NotAllowed, NotFound
from stockpile.identity import asset_tag
from stockpile.reports.documents import line_number
from stockpile.reports.keyset import (
    Keys,
    Page,
    by_day,
    by_moment,
    by_number,
    by_text,
    order_asked,
    orders,
    read_page,
    spellings,
)
from stockpile.reports.named import named
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence
from stockpile.shipments import find_shipment
from stockpile.sites import find_site


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """A shipment. shipped = arrived + rejected + otherwise + outstanding; `otherwise`: reported missing on the way, or
    moved by another act. `carried_by` is the last carrier that took it over. `consignment`: the donor's that is on
    its way.
    """

    shipment_id: UUID
    number: str
    from_site: str
    to_site: str
    consignment: str | None
    carrier: str
    carried_by: str
    driver: str | None
    vehicle: str | None
    seal_numbers: str | None
    route: str | None
    shipped_at: datetime
    expected_on: date
    shipped: int
    arrived: int
    rejected: int
    otherwise: int
    outstanding: int
    overdue: bool
    days_overdue: int


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """An item of a shipment, and what became of it."""

    line: int
    item_id: UUID
    asset_tag: str
    model: str
    serial_number: str | None
    donor: str | None
    shipped: int
    arrived: int
    rejected: int
    otherwise: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """A shipment passed from one carrier to the next. `recorded_by` has a name only at the own site."""

    ordinal: int
    handed_over_by: str
    carrier: str
    place: str
    happened_at: datetime
    recorded_at: datetime
    recorded_by: str
    remarks: str | None


@dataclass(frozen=True, slots=True)
class ShipmentShown:
    """A shipment with its hand-overs and a page of its lines. `cursor`: more lines follow."""

    shipment: ShipmentRow
    hand_overs: tuple[HandOver, ...]
    lines: tuple[ShipmentLine, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which shipments are sought: those to which all apply that is said. `carrier`: a part of the name of any that
    carried it.
    """

    from_site: str | None = None
    to_site: str | None = None
    overdue: bool | None = None
    outstanding: bool | None = None
    carrier: str | None = None
    expected_before: date | None = None


_SHIPMENTS = """
SELECT x.expected_on, x.document_id,
       x.document_id, x.number, x.from_code, x.to_code, x.consignment, x.carrier, x.carried_by, x.driver, x.vehicle, x.seal_numbers,
       x.route, x.shipped_at, x.expected_on, x.shipped, x.arrived, x.rejected, x.otherwise, x.outstanding, x.overdue,
       CASE WHEN x.overdue THEN x.today - x.expected_on ELSE 0 END
FROM (
    SELECT s.*, f.code AS from_code, t.code AS to_code, p.code || ' ' || c.reference AS consignment,
           coalesce(last.carrier, s.carrier) AS carried_by, sums.*, day.today,
           sums.outstanding > 0 AND s.expected_on < day.today AS overdue
    FROM shipment s
    JOIN site f ON f.site_id = s.from_site
    JOIN site t ON t.site_id = s.to_site
    LEFT JOIN consignment c ON c.consignment_id = s.consignment_id
    LEFT JOIN party p ON p.party_id = c.donor_id
    LEFT JOIN LATERAL (SELECT h.carrier FROM carrier_hand_over h WHERE h.document_id = s.document_id
                       ORDER BY h.happened_at DESC, h.ordinal DESC LIMIT 1) last ON true
    CROSS JOIN LATERAL (SELECT (%s::timestamptz AT TIME ZONE t.time_zone)::date AS today) day
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.shipped), 0)::bigint AS shipped, coalesce(sum(l.arrived), 0)::bigint AS arrived,
               coalesce(sum(l.rejected), 0)::bigint AS rejected, coalesce(sum(l.otherwise), 0)::bigint AS otherwise,
               coalesce(sum(l.outstanding), 0)::bigint AS outstanding
        FROM shipment_lines(ARRAY[s.document_id]) l) sums) x
"""
_UNDER_WAY = "x.document_id IN (SELECT shipments_under_way())"
_CARRIED = """(x.carrier ILIKE ANY (%s) OR EXISTS (SELECT FROM carrier_hand_over h WHERE h.document_id = x.document_id
                                             AND h.carrier ILIKE ANY (%s)))"""
_ORDER: Keys = {"x.expected_on": date.fromisoformat, "x.document_id": UUID}
ORDERS = orders(
    {"x.document_id": UUID},
    number=by_text("x.number"),
    from_site=by_text("x.from_code"),
    to_site=by_text("x.to_code"),
    carried_by=by_text("x.carried_by"),
    shipped_at=by_moment("x.shipped_at"),
    expected_on=by_day("x.expected_on"),
    shipped=by_number("x.shipped"),
    arrived=by_number("x.arrived"),
    outstanding=by_number("x.outstanding"),
    days_overdue=by_number("CASE WHEN x.overdue THEN x.today - x.expected_on ELSE 0 END"),
)

_LINES = """
SELECT l.line, l.item_id, l.line, l.item_id, i.tag_number, m.name, n.serial_number, p.code,
       l.shipped, l.arrived, l.rejected, l.otherwise, l.outstanding
FROM shipment_lines(ARRAY[%s::uuid]) l
JOIN item i ON i.item_id = l.item_id
JOIN model m ON m.model_id = i.model_id
LEFT JOIN party p ON p.party_id = i.donor_id
LEFT JOIN LATERAL identified(l.item_id) n ON true
"""
_LINE_ORDER: Keys = {"l.line": line_number, "l.item_id": UUID}

_HAND_OVERS = f"""
SELECT h.ordinal, h.handed_over_by, h.carrier, h.place, h.happened_at, h.recorded_at, {named("p")}, h.remarks
FROM carrier_hand_over h LEFT JOIN party p ON p.party_id = h.recorded_by
WHERE h.document_id = %s ORDER BY h.ordinal
"""


def list_shipments(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[ShipmentRow]:
    """The shipments from or to the asker's site, those expected first at the top, or by one of ORDERS; a registrar and an
    auditor see all.

    Raises NotAllowed (a donor), NotFound (site), Invalid (limit, cursor, order).
    """
    _require_host(actor)
    open_only = bool(sought.overdue or sought.outstanding)
    where = {
        _UNDER_WAY: True if open_only else None,
        "x.from_site = %s": find_site(connection, sought.from_site).site_id if sought.from_site else None,
        "x.to_site = %s": find_site(connection, sought.to_site).site_id if sought.to_site else None,
        "x.expected_on < %s": sought.expected_before,
        _CARRIED: spellings(sought.carrier),
        "(x.outstanding > 0) = %s": sought.outstanding,
        "x.overdue = %s": sought.overdue,
    }
    by = order_asked(order, ORDERS)
    return read_page(connection, _SHIPMENTS, where, _ORDER, ShipmentRow, limit, cursor, (now(),), order=by)


def read_shipment(
    connection: Connection, actor: Actor, named: str, limit: int = 500, cursor: str | None = None
) -> ShipmentShown:
    """A shipment by its order's id or number, with its hand-overs and a page of its lines. Raises NotAllowed (a donor),
    NotFound, Invalid (limit, cursor).
    """
    shipment_id = _need(connection, actor, named)
    rows = read_page(
        connection, _SHIPMENTS, {"x.document_id = %s": shipment_id}, _ORDER, ShipmentRow, 1, None, (now(),)
    ).rows
    lines = list_shipment_lines(connection, actor, named, limit, cursor)
    return ShipmentShown(rows[0], read_hand_overs(connection, shipment_id), lines.rows, lines.cursor)


def list_shipment_lines(
    connection: Connection, actor: Actor, named: str, limit: int = 500, cursor: str | None = None
) -> Page[ShipmentLine]:
    """What became of each item of a shipment, in the order of its lines. Raises as `read_shipment` does."""
    shipment_id = _need(connection, actor, named)
    return read_page(connection, _LINES, {}, _LINE_ORDER, _line, limit, cursor, (shipment_id,))


def read_hand_overs(connection: Connection, shipment_id: UUID) -> tuple[HandOver, ...]:
    """The hand-overs of a shipment in the order they were told."""
    return tuple(HandOver(*row) for row in connection.exec_driver_sql(_HAND_OVERS, (shipment_id,)))


def _require_host(actor: Actor) -> None:
    require(actor, READ)
    if actor.role == DONOR:
        raise NotAllowed(
            sentence("A donor sees its weapons on their way among its weapons, in class transit: not who carries them.")
        )


def _need(connection: Connection, actor: Actor, named: str) -> UUID:
    _require_host(actor)
    shipment = find_shipment(connection, named)
    if shipment is None:
        raise NotFound(sentence("There is no shipment {named!r} here.", named=named))
    return shipment.document_id


def _line(line: int, item_id: UUID, tag: int, *more: Any) -> ShipmentLine:
    return ShipmentLine(line, item_id, asset_tag(tag), *more)
