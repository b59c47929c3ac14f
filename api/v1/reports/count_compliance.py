"""Which sites count in time."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, Pages
from api.v1.reports.answered import listing_at_once
from api.v1.reports.asked import REPORT, AtSite
from stockpile.reports.count_compliance import ComplianceLine, count_compliance
from stockpile.reports.keyset import Page as PageOfRows
from stockpile.reports.keyset import page_of

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get("/count-compliance", summary="Counts kept in time", response_model=Page[ComplianceLine], responses=REPORT)
def read_count_compliance(engine: Database, actor: Asker, pages: Pages, site: AtSite = None) -> Response:
    """By site: of what must be counted by serial number, what was in time, what is overdue; by item and by value."""

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[ComplianceLine]:
        found = count_compliance(connection, actor, site)
        return page_of(found, lambda line: (line.site,), limit, cursor)

    return listing_at_once(engine, actor, pages, "count-compliance", ComplianceLine, ask)
