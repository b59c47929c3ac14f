"""Handovers that lack some of their papers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Donor, HappenedSince, HappenedUntil, ModelName, OfUnit
from stockpile.reports.as_of import AsOf
from stockpile.reports.handover_papers import Gap, PaperRow, PapersSought, handover_papers

router = APIRouter(prefix="/reports", tags=["reports"])


class PapersShown(Page[PaperRow]):
    """A page of documents, and the sums over all pages."""

    documents: int = Field(description="How many were looked at")
    incomplete: int
    incomplete_percent: float | None
    by_gap: dict[str, int] = Field(description="How many lack what")
    not_counted: int = Field(description="Pieces of opening lists that no count confirmed")
    late_after_hours: int


@router.get(
    "/handover-papers", summary="Handovers without complete papers", response_model=PapersShown, responses=REPORT
)
def read_handover_papers(
    engine: Database,
    actor: Asker,
    pages: Pages,
    gap: Annotated[Gap | None, Query(description="Only rows that lack this")] = None,
    unit: OfUnit = None,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    since: HappenedSince = None,
    until: HappenedUntil = None,
    late_after_hours: Annotated[
        int | None, Query(ge=0, le=100_000, description="Hours from what happened to its record; left out: 24")
    ] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Issues, hand-overs, returns and receipts whose papers lack a receiver, a signature, a scan or a date, or were recorded late; and
    opening lists not confirmed by a count. What one moved: GET /v1/documents/{document_id}/lines.
    """
    sought, at = PapersSought(donor, site, model, unit, since, until, gap), AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, "handover-papers", PaperRow,
        lambda connection, limit, cursor: handover_papers(connection, actor, sought, at, late_after_hours, limit, cursor),
        lambda connection: handover_papers(connection, actor, sought, at, late_after_hours, None).rows,
    )  # fmt: skip
