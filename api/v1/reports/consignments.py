"""Consignments, and the weapons of each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.v1.reports.answered import Summed, listing_at_once, named
from api.v1.reports.asked import REPORT, AtSite, Donor
from stockpile.documents import Code
from stockpile.reports import consignments
from stockpile.reports.as_of import AsOf
from stockpile.reports.consignments import ConsignmentLine, ConsignmentRow, ConsignmentsSought, Fate

router = APIRouter(prefix="/reports", tags=["reports"])


class ConsignmentSums(BaseModel):
    """Sums over all pages."""

    consignments: int
    declared: int
    shipped: int
    received: int
    rejected: int
    awaited: int
    short: int
    excess: int
    late_pieces: int


class ConsignmentsShown(Page[ConsignmentRow]):
    """A page of consignments, and the sums over all of them."""

    sums: ConsignmentSums


Reference = Annotated[Code | None, Query(description="Of one consignment: the donor's number of it")]


@router.get("/consignments", summary="Consignments", response_model=ConsignmentsShown, responses=REPORT)
def read_consignments(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    consignment: Reference = None,
    state: Annotated[
        consignments.State | None, Query(description="Only those short, in excess, late, or awaited")
    ] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What was declared, shipped, received, rejected, is short, in excess or late. The weapons: GET /v1/reports/consignments/lines."""
    sought, at = ConsignmentsSought(donor, site, consignment, state), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[ConsignmentRow]:
        found = consignments.list_consignments(connection, actor, sought, at, limit, cursor)
        return named(found, *ConsignmentSums.model_fields)

    return listing_at_once(engine, actor, pages, "consignments", ConsignmentRow, ask)


class ConsignmentLineSums(BaseModel):
    """Sums over all pages."""

    lines: int
    declared: int
    shipped: int
    received: int
    rejected: int
    excess: int


class ConsignmentLinesShown(Page[ConsignmentLine]):
    """A page of lines, and the sums over all of them."""

    sums: ConsignmentLineSums


@router.get(
    "/consignments/lines",
    summary="The weapons of a consignment",
    response_model=ConsignmentLinesShown,
    responses=REPORT,
)
def read_consignment_lines(
    engine: Database,
    actor: Asker,
    pages: Pages,
    consignment: Annotated[Code, Query(description="The donor's number of the consignment")],
    donor: Donor = None,
    fate: Annotated[Fate | None, Query(description="Only those of which this became")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What became of each weapon of a consignment, by model and serial number."""
    sought, at = ConsignmentsSought(donor, None, consignment), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[ConsignmentLine]:
        found = consignments.list_consignment_lines(connection, actor, sought, fate, at, limit, cursor)
        return named(found, *ConsignmentLineSums.model_fields)

    return listing_at_once(engine, actor, pages, f"consignment-{consignment}", ConsignmentLine, ask)
