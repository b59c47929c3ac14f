"""Flows between kinds of place, and the movements behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import Asked, Column, Listing, answer_list, choice_filter, day_filter, site_filter
from api.pages.moments import RECORDED, as_of, carrying
from api.pages.pictures_of_reports import flows_between_places
from api.pages.reports.drawn import drawn, once
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.pages.reports.shown import weapon_page
from api.words import N_
from stockpile.movements import AccountClass
from stockpile.reports import flows
from stockpile.reports.flows import FlowRow, FlowsSought, Movement
from stockpile.reports.keyset import Page, page_of
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _flows_sought(actor: Actor, values: dict[str, Any]) -> FlowsSought:
    at, wall = as_of(actor, values), ZoneInfo(actor.time_zone or "UTC")
    since, until = values.pop("since", None), values.pop("until", None)
    begin = datetime.combine(since, time(), wall) if since else None
    end = datetime.combine(until + timedelta(days=1), time(), wall) - timedelta(microseconds=1) if until else None
    return FlowsSought(**values, since=begin, until=end, recorded_at=at.recorded_at)


def _all_flows(connection: Connection, actor: Actor, asked: Asked) -> Sequence[FlowRow]:
    return flows.flows(connection, actor, _flows_sought(actor, dict(asked.values)))


def _page(found: Sequence[FlowRow], asked: Asked) -> Page[FlowRow]:
    return page_of(
        found, lambda row: (str(row.origin), str(row.place)), asked.limit, asked.cursor, asked.order, FLOW_ORDERS
    )


def _flows(connection: Connection, actor: Actor, asked: Asked) -> Page[FlowRow]:
    return _page(_all_flows(connection, actor, asked), asked)


def _movements(connection: Connection, actor: Actor, asked: Asked) -> Page[Movement]:
    values = dict(asked.values)
    origin, place = values.pop("origin", "outside"), values.pop("place", "store")
    sought = _flows_sought(actor, values)
    return flows.flow_movements(
        connection, actor, AccountClass(origin), AccountClass(place), sought, asked.limit, asked.cursor, asked.order
    )


FLOW_ORDERS = ("origin", "place", "pieces")
FLOW_FILTERS = (
    day_filter("since", N_("From the day")), day_filter("until", N_("To the day")), MODEL_FILTER, DONOR_FILTER, site_filter(), RECORDED,
)  # fmt: skip


FLOWS = Listing(
    path="/reports/flows",
    name="flows",
    title=N_("Flow of weapons"),
    question=flows.QUESTION,
    row=FlowRow,
    columns=(
        Column("origin", N_("From"), "place"),
        Column("place", N_("To"), "place"),
        Column("pieces", N_("Pieces"), "number", lambda row: address("/reports/flows/movements", origin=row.origin, place=row.place)),
    ),
    filters=FLOW_FILTERS,
    empty=N_("Nothing moved."),
    ask=_flows,
    orders=FLOW_ORDERS,
    default="origin",
    template="report.html",
)  # fmt: skip


MOVEMENTS = Listing(
    path="/reports/flows/movements",
    name="movements",
    title=N_("The movements of a flow"),
    question=N_("Which weapons went from one kind of place to the other, when, under which document?"),
    row=Movement,
    columns=(
        Column("happened_at", N_("Happened"), "moment"),
        Column("model", N_("Model"), link=weapon_page),
        Column("serial_number", N_("Serial number"), "code", weapon_page),
        Column("asset_tag", N_("Asset tag"), "code", weapon_page),
        Column("quantity", N_("Pieces"), "number"),
        Column("act", N_("Act"), "term"),
        Column("document_number", N_("Document"), "code", lambda row: f"/documents/{row.document_id}"),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(
        choice_filter("origin", N_("From"), AccountClass, any=N_("outside")),
        choice_filter("place", N_("To"), AccountClass, any=N_("store")),
        *FLOW_FILTERS,
    ),
    empty=N_("Nothing moved."),
    ask=_movements,
    orders=flows.MOVEMENT_ORDERS,
    default="happened_at",
)


@router.get("/reports/flows", response_class=HTMLResponse)
def of_flows(request: Request, engine: Database, actor: Asker) -> Response:
    """Flows between kinds of place, as a picture and a table."""
    this = once(FLOWS, _all_flows, _page)
    picture = drawn(this, request, engine, actor, N_("Flow of weapons"), flows_between_places)
    names = ("donor", "model", "site", "since", "until")
    return answer_list(carrying(this, request, *names), request, engine, actor, picture=picture)


@router.get("/reports/flows/movements", response_class=HTMLResponse)
def of_movements(request: Request, engine: Database, actor: Asker) -> Response:
    """The entries behind a flow."""
    return answer_list(MOVEMENTS, request, engine, actor)
