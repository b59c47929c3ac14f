"""Shipments: what a shipping order says of the way, and what is still outstanding of it. Read by both ends, written
with the order.

One rule tells what became of a shipment. A weapon arrived, was rejected or is outstanding by where its next entry took
it. What is counted is outstanding by what was shipped less what documents that name the shipment took out of transit, also
before its order came: two shipments may have helmets of one kind on their way to one site.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.sites import Place, place_of


@dataclass(frozen=True, slots=True)
class Way:
    """What a shipping order says of the way."""

    carrier: str
    expected_on: date
    driver: str | None = None
    vehicle: str | None = None
    seal_numbers: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment as an act needs it: its order's id and number, both ends, and the transit account it is on."""

    document_id: UUID
    number: str
    from_site: UUID
    to_site: UUID
    to_code: str
    transit: UUID


@dataclass(frozen=True, slots=True)
class Shipped:
    """What became of an item of a shipment: shipped = arrived + rejected + otherwise + outstanding."""

    item_id: UUID
    line: int
    shipped: int
    arrived: int
    rejected: int
    otherwise: int
    outstanding: int


_SHIPMENT = """
SELECT s.document_id, s.number, s.from_site, s.to_site, t.code, s.transit_account
FROM shipment s JOIN site t ON t.site_id = s.to_site WHERE {which}
"""


def find_shipment(connection: Connection, named: str) -> Shipment | None:
    """The shipment of a shipping order's number or id, if the reader's site is one of its ends."""
    try:
        which, wanted = "s.document_id = %s", str(UUID(named.strip()))
    except ValueError:
        which, wanted = "s.number = %s", named.strip().upper()
    row = connection.exec_driver_sql(_SHIPMENT.format(which=which), (wanted,)).one_or_none()
    return Shipment(*row) if row else None


def add_shipment(
    connection: Connection,
    shipment: Shipment,
    way: Way,
    shipped_at: datetime,
    consignment_id: UUID | None = None,
) -> None:
    """Keeps what both ends must know of a shipping order that was just posted."""
    connection.exec_driver_sql(
        """INSERT INTO shipment (document_id, number, from_site, to_site, transit_account, consignment_id, carrier, driver,
                                 vehicle, seal_numbers, route, expected_on, shipped_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            shipment.document_id, shipment.number, shipment.from_site, shipment.to_site, shipment.transit, consignment_id,
            way.carrier, way.driver, way.vehicle, way.seal_numbers, way.route, way.expected_on, shipped_at,
        ),
    )  # fmt: skip


def withdraw_excess(connection: Connection, shipment: Shipment) -> None:
    """Withdraws what late facts, which named this shipment before its order came, had as excess and the order names."""
    connection.exec_driver_sql("SELECT withdraw_excess(%s)", (shipment.document_id,))


def shipped_items(
    connection: Connection, shipment_id: UUID, items: Iterable[UUID] | None = None
) -> dict[UUID, Shipped]:
    """What became of each item of a shipment, or of these of them, as the books have it now."""
    rows = connection.exec_driver_sql(
        """SELECT item_id, line, shipped, arrived, rejected, otherwise, outstanding
           FROM shipment_lines(ARRAY[%s::uuid], %s::uuid[]) ORDER BY line""",
        (shipment_id, list(items) if items is not None else None),
    )
    return {row[0]: Shipped(*row) for row in rows}


@dataclass(frozen=True, slots=True)
class Delivered:
    """The consignment by which items came: its donor, its supply account, and the certificate that binds it, if one
    does.
    """

    consignment_id: UUID
    donor_id: UUID
    donor: str
    reference: str
    end_user_certificate: str | None
    supply: Place


def consignments_of(connection: Connection, consignment_ids: Iterable[UUID]) -> dict[UUID, Delivered]:
    """The consignments of these keys, whichever site they were declared for."""
    rows = connection.exec_driver_sql(
        """SELECT consignment_id, donor_id, donor, reference, end_user_certificate,
                  account_id, class, account_name, site_id, party_id FROM consignments_of(%s)""",
        (list(set(consignment_ids)),),
    )
    return {row[0]: Delivered(row[0], row[1], row[2], row[3], row[4], place_of(row[5:])) for row in rows}
