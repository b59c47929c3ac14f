"""Shipments: what is on its way, by whom, and what has not all come."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Cursor, Database
from api.pages import templates
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    day_filter,
    flag_filter,
    site_filter,
    table,
)
from api.words import N_
from stockpile.movements import Act
from stockpile.reports.keyset import Page
from stockpile.reports.shipments import ORDERS, ShipmentRow, Sought, list_shipments, read_shipment
from stockpile.rights import DESK, RIGHTS, Actor, reading

router = APIRouter(include_in_schema=False)


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[ShipmentRow]:
    return list_shipments(connection, actor, Sought(**asked.values), asked.limit, asked.cursor, asked.order)


def _lines(row: ShipmentRow) -> str:
    return f"/shipments/{row.shipment_id}#lines"


SHIPMENTS = Listing(
    path="/shipments",
    name="shipments",
    title=N_("Shipments"),
    question=N_("What is on its way, who carries it, and what has not arrived?"),
    row=ShipmentRow,
    columns=(
        Column("number", N_("Shipping order"), "code", lambda row: f"/shipments/{row.shipment_id}"),
        Column("from_site", N_("From"), "code"),
        Column("to_site", N_("To"), "code"),
        Column("carried_by", N_("Carried by")),
        Column("shipped_at", N_("Shipped"), "moment", order="shipped_at"),
        Column("expected_on", N_("Expected"), "day", order="expected_on"),
        Column("shipped", N_("Pieces"), "number", _lines),
        Column("arrived", N_("Arrived"), "number", _lines),
        Column("outstanding", N_("Outstanding"), "number", _lines),
        Column("days_overdue", N_("Days overdue"), "number", read=lambda row: row.days_overdue or None),
    ),
    filters=(
        Filter("carrier", N_("Carrier")),
        flag_filter("overdue", N_("Overdue")),
        flag_filter("outstanding", N_("Not all arrived")),
        site_filter("from_site", N_("From"), roles=HOST),
        site_filter("to_site", N_("To"), roles=HOST),
        day_filter("expected_before", N_("Expected before")),
    ),
    default="expected_on",
    ways=(
        Way(N_("Send something"), "/shipments/new", RIGHTS[Act.SHIP]),
        Way(N_("Receive what came, at the station"), "/station", DESK),
    ),
    empty=N_("No shipment fits."),
    ask=_ask,
    orders=ORDERS,
)

LINES = (
    Column("line", N_("Line"), "number"),
    Column("model", N_("Model")),
    Column("serial_number", N_("Serial number"), "code", lambda line: f"/weapons/{line.item_id}"),
    Column("asset_tag", N_("Asset tag"), "code", lambda line: f"/weapons/{line.item_id}"),
    Column("shipped", N_("Pieces"), "number"),
    Column("arrived", N_("Arrived"), "number"),
    Column("rejected", N_("Rejected"), "number"),
    Column("otherwise", N_("Otherwise"), "number"),
    Column("outstanding", N_("Outstanding"), "number"),
)
HAND_OVERS = (
    Column("happened_at", N_("When"), "moment"),
    Column("handed_over_by", N_("From carrier")),
    Column("carrier", N_("To carrier")),
    Column("place", N_("Where")),
    Column("recorded_by", N_("Told by"), "person"),
    Column("remarks", N_("Remarks")),
)


@router.get("/shipments", response_class=HTMLResponse)
def shipments(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of shipments."""
    return answer_list(SHIPMENTS, request, engine, actor)


@router.get("/shipments/{shipment_id}", response_class=HTMLResponse)
def shipment(shipment_id: UUID, request: Request, engine: Database, actor: Asker, cursor: Cursor = None) -> Response:
    """One shipment with its carriers and a page of its lines."""
    with reading(engine, actor) as connection:
        found = read_shipment(connection, actor, str(shipment_id), limit=60, cursor=cursor)
    shown = {
        "shipment": found.shipment,
        "lines": table(LINES, found.lines, N_("It has no lines.")),
        "hand_overs": table(HAND_OVERS, found.hand_overs, N_("It passed to no other carrier.")),
        "cursor": found.cursor,
    }
    response: Response = templates.TemplateResponse(request, "shipment.html", shown)
    return response
