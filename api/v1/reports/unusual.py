"""What is unusual."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Donor, HappenedSince, HappenedUntil, ModelName, OfUnit
from stockpile.documents import Code
from stockpile.reports.as_of import AsOf
from stockpile.reports.unusual import Thresholds, UnusualRow, UnusualSought, unusual

router = APIRouter(prefix="/reports", tags=["reports"])

Hour = Annotated[int | None, Query(ge=0, le=23)]
Number = Annotated[int | None, Query(ge=1, le=100_000)]


class UnusualShown(Page[UnusualRow]):
    """A page of signs, and how many there are over all pages."""

    signs: int
    by_sign: dict[str, int]
    thresholds: dict[str, int] = Field(description="From where on something is a sign")


@router.get("/unusual", summary="What is unusual", response_model=UnusualShown, responses=REPORT)
def read_unusual(
    engine: Database,
    actor: Asker,
    pages: Pages,
    sign: Annotated[Code | None, Query(description="Only this sign", examples=["issue at night"])] = None,
    unit: OfUnit = None,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    since: HappenedSince = None,
    until: HappenedUntil = None,
    night_begins: Hour = None,
    night_ends: Hour = None,
    bulk_issue: Number = None,
    issue_then_loss: Number = None,
    identification_changes: Number = None,
    typed_lines: Number = None,
    seconds_a_weapon: Number = None,
    fast_count: Number = None,
    undone_in_a_day: Number = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Issues at night, in bulk, or followed by a loss; identifications changed again; lines typed instead of scanned; counts too fast to be
    real; overrides; and what was undone again and again: each with its reason. A threshold left out is that of the data.
    """
    sought, at = UnusualSought(donor, site, model, unit, since, until, sign), AsOf(as_of, recorded_as_of)
    limits = Thresholds(
        night_begins, night_ends, bulk_issue, issue_then_loss, identification_changes, typed_lines, seconds_a_weapon, fast_count,
        undone_in_a_day,
    )  # fmt: skip
    return listing(
        engine, actor, pages, "unusual", UnusualRow,
        lambda connection, limit, cursor: unusual(connection, actor, sought, at, limits, limit, cursor),
        lambda connection: unusual(connection, actor, sought, at, limits, None).rows,
    )  # fmt: skip
