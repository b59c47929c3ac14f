"""Of how many weapons the books have a serial number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import Asked, Column, Figure, Filter, Listing, answer_list, site_filter
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.words import N_
from stockpile.reports import serial_capture as serial_capture_report
from stockpile.reports.export import PageOf
from stockpile.reports.serial_capture import CaptureLine, CaptureSought, SerialCapture, serial_capture
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _capture(connection: Connection, actor: Actor, asked: Asked) -> SerialCapture:
    values = dict(asked.values)
    at = as_of(actor, values)
    return serial_capture(connection, actor, CaptureSought(**values), at, asked.limit, asked.cursor, asked.order)


def _capture_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, SerialCapture)
    return (
        (N_("Weapons"), page.weapons, "number"),
        (N_("With a serial number"), page.with_serial, "number"),
        (N_("Without one"), page.without_serial, "number"),
        (N_("Recorded"), page.percent, "percent"),
        (N_("Counted by number"), page.counted, "number"),
    )


SERIAL_CAPTURE = Listing(
    path="/reports/serial-capture",
    name="serial-capture",
    title=N_("Serial numbers recorded"),
    question=N_("Of how many weapons do the books have a readable serial number?"),
    row=CaptureLine,
    columns=(
        Column("maker", N_("Maker")),
        Column("model", N_("Model"), link=lambda row: address("/weapons", model=row.model)),
        Column("what", N_("What"), "term"),
        Column("quantity", N_("Pieces"), "number", lambda row: address("/weapons", model=row.model)),
        Column("with_serial", N_("With a serial number"), "number"),
        Column("without_serial", N_("Without one"), "number"),
        Column("percent", N_("Recorded"), "percent"),
    ),
    filters=(MODEL_FILTER, DONOR_FILTER, Filter("consignment", N_("Consignment"), help=N_("The donor's number of it")), site_filter(),
             *MOMENTS),
    empty=N_("No weapon fits."),
    ask=_capture,
    orders=serial_capture_report.ORDERS,
    figures=_capture_figures,
)  # fmt: skip


@router.get("/reports/serial-capture", response_class=HTMLResponse)
def of_serial_numbers(request: Request, engine: Database, actor: Asker) -> Response:
    """Serial numbers recorded."""
    return answer_list(carrying(SERIAL_CAPTURE, request, "donor", "site"), request, engine, actor)
