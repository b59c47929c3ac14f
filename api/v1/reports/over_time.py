"""Holdings at the end of each month."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.v1.reports.answered import listing_at_once
from api.v1.reports.asked import REPORT, AtSite, Donor, ModelName
from stockpile.reports.as_of import AsOf
from stockpile.reports.keyset import Page as PageOfRows
from stockpile.reports.keyset import page_of
from stockpile.reports.over_time import MonthLine, holdings_over_time

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get("/holdings-over-time", summary="Holdings over time", response_model=Page[MonthLine], responses=REPORT)
def read_holdings_over_time(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many pieces were in each kind of place at the end of each month."""
    at = AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[MonthLine]:
        lines = holdings_over_time(connection, actor, at, donor, model, site)
        return page_of(lines, lambda line: (line.on.isoformat(),), limit, cursor)

    return listing_at_once(engine, actor, pages, "holdings-over-time", MonthLine, ask)
