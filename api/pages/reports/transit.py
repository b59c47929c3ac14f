"""What is on its way, and overdue."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import HOST, Asked, Column, Filter, Listing, Way, answer_list, flag_filter, site_filter
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.pictures_of_reports import ages_of_transits
from api.pages.reports.drawn import drawn
from api.pages.reports.filters import MODEL_FILTER
from api.pages.reports.shown import sums, weapon_page
from api.words import N_
from stockpile.reports import transit
from stockpile.reports.lines import Lines
from stockpile.reports.transit import TransitPiece, TransitRow, TransitSought
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _transit(connection: Connection, actor: Actor, asked: Asked) -> Lines[TransitRow]:
    values = dict(asked.values)
    at = as_of(actor, values)
    return transit.in_transit(connection, actor, TransitSought(**values), at, asked.limit, asked.cursor, asked.order)


def _pieces_of(row: TransitRow) -> str:
    return address("/reports/transit/pieces", shipment=row.number)


TRANSIT = Listing(
    path="/reports/transit",
    name="in-transit",
    title=N_("On its way, and overdue"),
    question=transit.QUESTION,
    row=TransitRow,
    columns=(
        Column("number", N_("Shipping order"), "code", lambda row: f"/shipments/{row.shipment_id}"),
        Column("from_site", N_("From"), "code"),
        Column("to_site", N_("To"), "code"),
        Column("consignment", N_("Consignment"), "code"),
        Column("carried_by", N_("Carried by")),
        Column("shipped_at", N_("Shipped"), "moment"),
        Column("expected_on", N_("Expected"), "day"),
        Column("outstanding", N_("On its way"), "number", _pieces_of),
        Column("days_on_way", N_("Days on its way"), "number", _pieces_of),
        Column("days_overdue", N_("Days overdue"), "number", _pieces_of),
    ),
    filters=(
        flag_filter("overdue", N_("Overdue")),
        MODEL_FILTER,
        site_filter("from_site", N_("From"), roles=HOST),
        site_filter("to_site", N_("To"), roles=HOST),
        Filter("shipment", N_("Shipping order"), help=N_("Its number")),
        *MOMENTS,
    ),
    empty=N_("Nothing is on its way."),
    ask=_transit,
    orders=transit.ORDERS,
    default="expected_on",
    figures=sums(
        (N_("Shipments"), "number"), (N_("Pieces"), "number"), (N_("Shipments overdue"), "number"), (N_("Pieces overdue"), "number"),
        (N_("Longest on its way (days)"), "number"),
    ),
    template="report.html",
    ways=(Way(N_("All shipments, arrived ones too"), "/shipments"),),
)  # fmt: skip


def _transit_pieces(connection: Connection, actor: Actor, asked: Asked) -> Lines[TransitPiece]:
    values = dict(asked.values)
    at = as_of(actor, values)
    return transit.pieces_in_transit(
        connection, actor, TransitSought(**values), at, asked.limit, asked.cursor, asked.order
    )


TRANSIT_PIECES = Listing(
    path="/reports/transit/pieces",
    name="pieces-in-transit",
    title=N_("The weapons on their way"),
    question=N_("Which weapons are on their way, with which shipment, and for how long?"),
    row=TransitPiece,
    columns=(
        Column("model", N_("Model"), link=weapon_page),
        Column("serial_number", N_("Serial number"), "code", weapon_page),
        Column("asset_tag", N_("Asset tag"), "code", weapon_page),
        Column("quantity", N_("Pieces"), "number"),
        Column("number", N_("Shipping order"), "code", lambda row: f"/shipments/{row.shipment_id}"),
        Column("from_site", N_("From"), "code"),
        Column("to_site", N_("To"), "code"),
        Column("expected_on", N_("Expected"), "day"),
        Column("days_on_way", N_("Days on its way"), "number"),
        Column("days_overdue", N_("Days overdue"), "number"),
    ),
    filters=TRANSIT.filters,
    empty=N_("Nothing is on its way."),
    ask=_transit_pieces,
    orders=transit.LINE_ORDERS,
    default="expected_on",
    figures=sums((N_("Lines"), "number"), (N_("Pieces"), "number")),
)


@router.get("/reports/transit", response_class=HTMLResponse)
def of_transit(request: Request, engine: Database, actor: Asker) -> Response:
    """What is on its way; how long, as a picture."""
    picture = drawn(TRANSIT, request, engine, actor, N_("How long pieces have been on their way"), ages_of_transits)
    return answer_list(carrying(TRANSIT, request), request, engine, actor, picture=picture, finding=transit.FINDING)


@router.get("/reports/transit/pieces", response_class=HTMLResponse)
def of_pieces_in_transit(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons on their way."""
    return answer_list(TRANSIT_PIECES, request, engine, actor)
