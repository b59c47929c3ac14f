"""Reports of people and their papers: handovers that lack some, holders against the roster, and what is unusual (docs/reports.md)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import listing
from api.v1.reports import REPORT, AtSite, Day, Donor, ModelName
from api.v1.weapons import WeaponsShown
from stockpile.documents import Code
from stockpile.reports.as_of import AsOf
from stockpile.reports.handover_papers import Gap, PaperRow, PapersSought, handover_papers
from stockpile.reports.holders import Doubt, HolderRow, HoldersSought, doubtful_holders, weapons_of_holder
from stockpile.reports.holdings import HoldingLine
from stockpile.reports.unusual import Thresholds, UnusualRow, UnusualSought, unusual

router = APIRouter(prefix="/reports", tags=["reports"])

OfUnit = Annotated[
    Code | None, Query(description="Of one unit with its people and sub-units: its code", examples=["1COY"])
]
Since = Annotated[Day | None, Query(description="What happened from this day on, by the wall of the site")]
Until = Annotated[Day | None, Query(description="What happened up to this day")]
Hour = Annotated[int | None, Query(ge=0, le=23)]
Number = Annotated[int | None, Query(ge=1, le=100_000)]


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
    since: Since = None,
    until: Until = None,
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


class HoldersShown(Page[HolderRow]):
    """A page of holders, and the sums over all pages."""

    on: date = Field(description="The day of the roster")
    holders: int
    quantity: int
    by_doubt: dict[str, int] = Field(description="How many holders by what speaks against them")
    weapons_a_head: int


@router.get("/holders", summary="Holders against the roster", response_model=HoldersShown, responses=REPORT)
def read_holders(
    engine: Database,
    actor: Asker,
    pages: Pages,
    doubt: Annotated[Doubt | None, Query(description="Only rows of this kind")] = None,
    unit: OfUnit = None,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    weapons_a_head: Annotated[
        int | None, Query(ge=0, le=1000, description="Weapons a unit may have for each of its people; left out: 2")
    ] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Who holds weapons and is on no roster, gone or elsewhere; units without people or with more weapons than people can carry; and what
    is beyond an allowance. The weapons: GET /v1/reports/holders/weapons with its account, or its unit, and the same moments.
    """
    sought, at = HoldersSought(donor, site, model, unit, doubt), AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, "holders", HolderRow,
        lambda connection, limit, cursor: doubtful_holders(connection, actor, sought, at, weapons_a_head, limit, cursor),
        lambda connection: doubtful_holders(connection, actor, sought, at, weapons_a_head, None).rows,
    )  # fmt: skip


@router.get("/holders/weapons", summary="The weapons of a holder", response_model=WeaponsShown, responses=REPORT)
def read_weapons_of_holder(
    engine: Database,
    actor: Asker,
    pages: Pages,
    account: Annotated[UUID | None, Query(description="On this account: its key")] = None,
    unit: OfUnit = None,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What a line of the report counts, each piece with its account, since when and under which document: of an account, or of a unit."""
    sought, at = HoldersSought(donor, site, model), AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, "weapons-of-holder", HoldingLine,
        lambda connection, limit, cursor: weapons_of_holder(connection, actor, account, unit, sought, at, limit, cursor),
    )  # fmt: skip


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
    since: Since = None,
    until: Until = None,
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
