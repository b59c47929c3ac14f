"""Consignments, and the weapons of each."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import (
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    hidden_filter,
    site_filter,
)
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.navigation import WHO_FOLLOWS
from api.pages.reports.filters import DONOR_FILTER
from api.pages.reports.shown import sums, weapon_page
from api.words import N_
from stockpile.reports import consignments
from stockpile.reports.consignments import ConsignmentLine, ConsignmentRow, ConsignmentsSought, Fate
from stockpile.reports.lines import Lines
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _consignments(connection: Connection, actor: Actor, asked: Asked) -> Lines[ConsignmentRow]:
    values = dict(asked.values)
    at, state = as_of(actor, values), values.pop("state", None)
    sought = ConsignmentsSought(
        values.get("donor"), values.get("site"), values.get("consignment"), consignments.State(state) if state else None
    )
    return consignments.list_consignments(connection, actor, sought, at, asked.limit, asked.cursor, asked.order)


def _lines_of(row: ConsignmentRow, fate: Fate | None = None) -> str:
    return address("/reports/consignments/lines", consignment=row.reference, donor=row.donor, fate=fate)


def _of_fate(name: str, label: str, fate: Fate | None = None) -> Column:
    def link(row: ConsignmentRow) -> str | None:
        return _lines_of(row, fate) if getattr(row, name) else None

    return Column(name, label, "number", link)


CONSIGNMENTS = Listing(
    path="/reports/consignments",
    name="consignments",
    title=N_("Consignments"),
    question=consignments.QUESTION,
    row=ConsignmentRow,
    columns=(
        Column("reference", N_("Consignment"), "code", _lines_of),
        Column("donor", N_("Donor"), "code"),
        Column("site", N_("Site"), "code"),
        Column("declared_at", N_("Declared on"), "moment"),
        Column("expected_on", N_("Expected"), "day"),
        _of_fate("declared", N_("Declared")),
        _of_fate("shipped", N_("Shipped")),
        _of_fate("received", N_("Received"), Fate.RECEIVED),
        _of_fate("rejected", N_("Rejected"), Fate.REJECTED),
        _of_fate("awaited", N_("Awaited")),
        _of_fate("short", N_("Short")),
        _of_fate("excess", N_("Excess"), Fate.EXCESS),
        _of_fate("late_pieces", N_("Late")),
        Column("days_late", N_("Days late"), "number"),
    ),
    filters=(
        Filter("consignment", N_("Consignment"), help=N_("The donor's number of it")),
        choice_filter("state", N_("State"), consignments.State),
        DONOR_FILTER,
        site_filter(),
        *MOMENTS,
    ),
    empty=N_("No consignment fits."),
    ask=_consignments,
    orders=consignments.ORDERS,
    default="declared_at",
    figures=sums(
        (N_("Consignments"), "number"), (N_("Declared"), "number"), (N_("Shipped"), "number"), (N_("Received"), "number"),
        (N_("Rejected"), "number"), (N_("Awaited"), "number"), (N_("Short"), "number"), (N_("Excess"), "number"), (N_("Late"), "number"),
    ),
    template="report.html",
    ways=(Way(N_("How far each is, and where now"), "/consignments", WHO_FOLLOWS),),
)  # fmt: skip


def _consignment_lines(connection: Connection, actor: Actor, asked: Asked) -> Lines[ConsignmentLine]:
    values = dict(asked.values)
    at, fate = as_of(actor, values), values.pop("fate", None)
    sought = ConsignmentsSought(values.get("donor"), values.get("site"), values.get("consignment"))
    return consignments.list_consignment_lines(
        connection, actor, sought, Fate(fate) if fate else None, at, asked.limit, asked.cursor, asked.order
    )


CONSIGNMENT_LINES = Listing(
    path="/reports/consignments/lines",
    name="consignment-lines",
    title=N_("The weapons of a consignment"),
    question=N_("What became of each weapon that was declared, and what came beside them?"),
    row=ConsignmentLine,
    columns=(
        Column("model", N_("Model"), link=weapon_page),
        Column("serial_number", N_("Serial number"), "code", weapon_page),
        Column("asset_tag", N_("Asset tag"), "code", weapon_page),
        Column("lot", N_("Lot"), "code"),
        Column("fate", N_("What became of it"), "term"),
        Column("declared", N_("Declared"), "number"),
        Column("shipped", N_("Shipped"), "number"),
        Column("received", N_("Received"), "number"),
        Column("rejected", N_("Rejected"), "number"),
        Column("excess", N_("Excess"), "number"),
        Column("received_on", N_("Came on"), "day"),
    ),
    filters=(
        choice_filter("fate", N_("What became of it"), Fate),
        *MOMENTS,
        hidden_filter("consignment", N_("Of the consignment"), fixed=True),
        hidden_filter("donor", N_("Of the donor"), fixed=True),
    ),
    empty=N_("Nothing of it fits."),
    ask=_consignment_lines,
    orders=consignments.LINE_ORDERS,
    default="model",
    figures=sums(
        (N_("Lines"), "number"), (N_("Declared"), "number"), (N_("Shipped"), "number"), (N_("Received"), "number"),
        (N_("Rejected"), "number"),
        (N_("Excess"), "number"),
    ),
)  # fmt: skip


@router.get("/reports/consignments", response_class=HTMLResponse)
def of_consignments(request: Request, engine: Database, actor: Asker) -> Response:
    """Consignments."""
    return answer_list(carrying(CONSIGNMENTS, request), request, engine, actor, finding=consignments.FINDING)


@router.get("/reports/consignments/lines", response_class=HTMLResponse)
def of_consignment_lines(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons of one consignment."""
    return answer_list(CONSIGNMENT_LINES, request, engine, actor)
