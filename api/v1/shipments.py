"""Shipments: what is on its way, to whom, by whom, and since when it should have come. Shipping itself is an act."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.answers import Page, Rows, answer
from api.dependencies import Asker, Cursor, Database, Limit, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile.carrier_hand_overs import TellHandOver, tell_hand_over
from stockpile.documents import Code
from stockpile.reports.shipments import (
    HandOver,
    ShipmentLine,
    ShipmentRow,
    ShipmentShown,
    Sought,
    list_shipment_lines,
    list_shipments,
    read_shipment,
)
from stockpile.rights import reading

router = APIRouter(tags=["shipments"])

READING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
LISTING = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
HANDED_OVER = {
    "handed_over_by": "2nd Transport Company", "carrier": "Rail Regiment", "place": "Baghdad freight yard",
    "happened_at": "2026-11-20T09:30:00+03:00",
}  # fmt: skip


@router.get("/shipments", summary="Shipments", response_model=Page[ShipmentRow], responses=LISTING)
def search_shipments(
    engine: Database,
    actor: Asker,
    pages: Pages,
    from_site: Annotated[Code | None, Query(description="From this site: its code")] = None,
    to_site: Annotated[Code | None, Query(description="Bound for this site: its code")] = None,
    overdue: Annotated[
        bool | None, Query(description="Only what should have come by now and did not, or only the others")
    ] = None,
    outstanding: Annotated[bool | None, Query(description="Only what has not all come, or only the others")] = None,
    carrier: Annotated[Code | None, Query(description="Part of the name of a carrier")] = None,
    expected_before: Annotated[date | None, Query(description="Expected before this day")] = None,
) -> Response:
    """From or to one's own site, those expected first at the top; all of them for a registrar and an auditor. Not for
    donors, who find what is theirs among their weapons.
    """
    sought = Sought(from_site, to_site, overdue, outstanding, carrier, expected_before)
    return listing(
        engine, actor, pages, "shipments", ShipmentRow,
        lambda connection, limit, cursor: list_shipments(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.get("/shipments/{shipment_id}", summary="A shipment", response_model=ShipmentShown, responses=READING)
def show_shipment(
    shipment_id: UUID, engine: Database, actor: Asker, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Its carriers one after another, and a page of its lines with what became of each."""
    with reading(engine, actor) as connection:
        return answer(read_shipment(connection, actor, str(shipment_id), limit, cursor))


@router.get(
    "/shipments/{shipment_id}/lines",
    summary="The lines of a shipment",
    response_model=Page[ShipmentLine],
    responses=LISTING,
)
def show_shipment_lines(shipment_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """In their order."""
    return listing(
        engine, actor, pages, f"shipment-{shipment_id}", ShipmentLine,
        lambda connection, limit, cursor: list_shipment_lines(connection, actor, str(shipment_id), limit, cursor),
    )  # fmt: skip


@router.post(
    "/shipments/{shipment_id}/hand-overs",
    status_code=201,
    summary="A shipment passed to the next carrier",
    response_model=Rows[HandOver],
    responses=READING,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": HANDED_OVER}}}},
)
def tell_carrier_hand_over(shipment_id: UUID, body: TellHandOver, engine: Database, actor: Asker) -> Response:
    """Told by either end; the answer is all hand-overs of the shipment. Told twice in the same words it is kept once."""
    return answer({"rows": tell_hand_over(engine, actor, str(shipment_id), body)}, 201)
