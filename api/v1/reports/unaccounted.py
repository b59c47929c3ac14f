"""What one list says was handed over and the other does not have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.answers import Page
from api.dependencies import Asker, Database, Pages
from api.v1.reports.answered import listing_at_once
from api.v1.reports.asked import REPORT
from stockpile.documents import Code
from stockpile.reports.unaccounted import UnaccountedLine, unaccounted

router = APIRouter(prefix="/reports", tags=["reports"])


class UnaccountedShown(Page[UnaccountedLine]):
    """A page of models, and the sums over all of them. Without an audit there is nothing to tell yet."""

    audit_id: UUID | None
    audit: str | None
    left_list: str | None
    right_list: str | None
    recorded_at: datetime | None
    left: int
    right: int
    unaccounted: int
    not_left: int


@router.get("/unaccounted", summary="Unaccounted for", response_model=UnaccountedShown, responses=REPORT)
def read_unaccounted(
    engine: Database,
    actor: Asker,
    pages: Pages,
    audit: Annotated[
        Code | None, Query(description="Of this audit: its key, its name, or name#run; left out: the newest")
    ] = None,
) -> Response:
    """What one side of an audit says was handed over and the other does not have. The rows: GET /v1/audits/{audit_id}/findings."""
    return listing_at_once(
        engine, actor, pages, "unaccounted", UnaccountedLine,
        lambda connection, limit, cursor: unaccounted(connection, actor, audit, limit, cursor),
    )  # fmt: skip
