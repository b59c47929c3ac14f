"""Of how many weapons the books, or a list, have a serial number."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Donor, ModelName, Register
from stockpile.documents import Code
from stockpile.reports.as_of import AsOf
from stockpile.reports.listed import of_register_alone
from stockpile.reports.serial_capture import (
    CaptureLine,
    CaptureSought,
    SerialCapture,
    serial_capture,
    serial_capture_of_register,
)

router = APIRouter(prefix="/reports", tags=["reports"])


class SerialCaptureShown(Page[CaptureLine]):
    """A page of lines, and the sums over all pages."""

    weapons: int
    with_serial: int
    without_serial: int
    percent: float | None = Field(description="Of the weapons, those with a readable serial number")
    counted: int = Field(description="Pieces of what is counted: it bears no number of its own")
    unknown_model: int = Field(description="Pieces under names that nobody has mapped")
    set_aside: int = Field(description="Of a register: lines that could not be read")


@router.get("/serial-capture", summary="Serial numbers recorded", response_model=SerialCaptureShown, responses=REPORT)
def read_serial_capture(
    engine: Database,
    actor: Asker,
    pages: Pages,
    register: Register = None,
    donor: Donor = None,
    consignment: Annotated[Code | None, Query(description="Of one consignment: the donor's number of it")] = None,
    site: AtSite = None,
    model: ModelName = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many weapons have a readable serial number, by model: of the ledger, or of a register alone. The rows: GET /v1/weapons with the
    same filters, or GET /v1/registers/{register_id}.
    """
    sought, at = CaptureSought(donor, consignment, site, model), AsOf(as_of, recorded_as_of)
    of_register_alone(
        register,
        donor=donor,
        consignment=consignment,
        site=site,
        model=model,
        as_of=as_of,
        recorded_as_of=recorded_as_of,
    )

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> SerialCapture:
        if register is not None:
            return serial_capture_of_register(connection, actor, register, limit, cursor)
        return serial_capture(connection, actor, sought, at, limit, cursor)

    return listing(
        engine, actor, pages, "serial-capture", CaptureLine, ask, lambda connection: ask(connection, None, None).rows
    )
