"""Holders against the roster, and the weapons behind each."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Donor, ModelName, OfUnit
from api.v1.weapons import WeaponsShown
from stockpile.reports.as_of import AsOf
from stockpile.reports.holders import Doubt, HolderRow, HoldersSought, doubtful_holders, weapons_of_holder
from stockpile.reports.holdings import HoldingLine

router = APIRouter(prefix="/reports", tags=["reports"])


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
