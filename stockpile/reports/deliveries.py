"""What a site waits for: consignments of which something is still in supply, and shipments on their way to it, each with what is
outstanding, line by line. A counter ticks off against it. It only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import NotFound
from stockpile.identity import asset_tag
from stockpile.reports.documents import line_number
from stockpile.reports.keyset import Keys, Page, read_page
from stockpile.reports.shipments import Sought, list_shipments
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence
from stockpile.shipments import find_shipment
from stockpile.sites import Site

DeliveryKind = Literal["consignment", "shipment"]


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery of which something is outstanding. `number`: the donor's, or the shipping order's; `sender`: the donor's code, or
    the sending site's; `consignment`: of a shipment, the donor's code and number of the
    consignment that it is.
    """

    kind: DeliveryKind
    delivery_id: UUID
    number: str
    sender: str
    outstanding: int
    carrier: str | None = None
    seal_numbers: str | None = None
    expected_on: date | None = None
    overdue: bool = False
    consignment: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """An item that is outstanding. `model_name` is how a receipt names the model: with its maker, where several use the name."""

    item_id: UUID
    tracked_by: str
    asset_tag: str
    model: str
    model_name: str
    serial_number: str | None
    lot: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as a verdict needs it. `account_id`: the supply account of a consignment, the transit account of a shipment."""

    kind: DeliveryKind
    delivery_id: UUID
    number: str
    donor: str | None
    account_id: UUID


_CONSIGNMENTS = """
SELECT c.consignment_id, c.reference, p.code, sum(h.quantity)::bigint
FROM consignment c JOIN party p ON p.party_id = c.donor_id JOIN holding h ON h.account_id = c.account_id
WHERE c.site_id = %s GROUP BY c.consignment_id, c.reference, p.code HAVING sum(h.quantity) > 0 ORDER BY c.consignment_id DESC LIMIT 500
"""


def list_deliveries(connection: Connection, actor: Actor, site: Site) -> list[DeliveryRow]:
    """What the site waits for: shipments first, those that should have come at the top. Raises NotAllowed."""
    require(actor, READ_PEOPLE)
    shipments = list_shipments(connection, actor, Sought(to_site=site.code, outstanding=True), 500).rows
    rows = connection.exec_driver_sql(_CONSIGNMENTS, (site.site_id,))
    return [
        *(
            DeliveryRow(
                "shipment", one.shipment_id, one.number, one.from_site, one.outstanding, one.carried_by, one.seal_numbers,
                one.expected_on, one.overdue, one.consignment,
            )
            for one in shipments
        ),
        *(DeliveryRow("consignment", *row) for row in rows),
    ]  # fmt: skip


_CONSIGNMENT = """
SELECT c.consignment_id, c.reference, p.code, c.account_id FROM consignment c JOIN party p ON p.party_id = c.donor_id
WHERE c.consignment_id = %s AND c.site_id = %s
"""


def need_delivery(connection: Connection, site: Site, delivery_id: UUID) -> Delivery:
    """The consignment or shipment of a key that is bound for a site. Raises NotFound."""
    row = connection.exec_driver_sql(_CONSIGNMENT, (delivery_id, site.site_id)).one_or_none()
    if row is not None:
        return Delivery("consignment", *row)
    shipment = find_shipment(connection, str(delivery_id))
    if shipment is None or shipment.to_site != site.site_id:
        raise NotFound(sentence("Nothing of this key is bound for {site}.", site=site.code))
    return Delivery("shipment", shipment.document_id, shipment.number, None, shipment.transit)


_NAMED = """
m.name, CASE WHEN EXISTS (SELECT FROM model o WHERE lower(o.name) = lower(m.name) AND o.model_id <> m.model_id)
             THEN m.maker || ' ' || m.name ELSE m.name END
"""
_OF_CONSIGNMENT = f"""
SELECT m.name, coalesce(n.serial_key, ''), h.item_id,
       h.item_id, i.tracked_by, i.tag_number, {_NAMED}, n.serial_number, i.lot, h.quantity
FROM holding h JOIN item i ON i.item_id = h.item_id JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(h.item_id) n ON true
"""
_BY_SERIAL: Keys = {"m.name": str, "coalesce(n.serial_key, '')": str, "h.item_id": UUID}
_OF_SHIPMENT = f"""
SELECT l.line, l.item_id, l.item_id, i.tracked_by, i.tag_number, {_NAMED}, n.serial_number, i.lot, l.outstanding
FROM shipment_lines(ARRAY[%s::uuid]) l JOIN item i ON i.item_id = l.item_id JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(l.item_id) n ON true
"""
_BY_LINE: Keys = {"l.line": line_number, "l.item_id": UUID}


def list_delivery_lines(
    connection: Connection, actor: Actor, site: Site, delivery_id: UUID, limit: int = 500, cursor: str | None = None
) -> Page[DeliveryLine]:
    """What is outstanding of a delivery: of a consignment by model and serial number, of a shipment in the order of its lines.

    Raises NotAllowed, NotFound, Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    delivery = need_delivery(connection, site, delivery_id)
    if delivery.kind == "consignment":
        where = {"h.account_id = %s": delivery.account_id}
        return read_page(connection, _OF_CONSIGNMENT, where, _BY_SERIAL, _line, limit, cursor)
    outstanding = {"(l.outstanding > 0) = %s": True}
    return read_page(connection, _OF_SHIPMENT, outstanding, _BY_LINE, _line, limit, cursor, (delivery_id,))


def _line(item_id: UUID, tracked_by: str, tag: int, *more: Any) -> DeliveryLine:
    return DeliveryLine(item_id, tracked_by, asset_tag(tag), *more)
