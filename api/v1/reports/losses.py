"""Losses added up, and what was lost."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.v1.reports.answered import Summed, listing_at_once, named
from api.v1.reports.asked import REPORT, AtSite, Day, Donor, ModelName, Unit
from stockpile.documents import Code
from stockpile.reports import losses
from stockpile.reports.as_of import AsOf
from stockpile.reports.losses import By, LossesSought, LossSum, LostPiece

router = APIRouter(prefix="/reports", tags=["reports"])


class LossSums(BaseModel):
    """Sums over all pages."""

    reports: int
    lost: int
    missing: int
    concluded: int
    found: int
    oldest_days: int | None


class LossesByShown(Page[LossSum]):
    """A page of lines, and the sums over all of them."""

    sums: LossSums


class LostShown(Page[LostPiece]):
    """A page of pieces, and the sums over all of them."""

    sums: LossSums


LOSS_SUMS = tuple(LossSums.model_fields)
CauseNamed = Annotated[
    Code | None, Query(description="Of one cause: as concluded, 'overrun' or 'not concluded'", examples=["stolen"])
]
Since = Annotated[Day | None, Query(description="Lost from this day on")]
Until = Annotated[Day | None, Query(description="Lost up to this day")]
LossState = Annotated[losses.State | None, Query(description="Only what is missing, concluded, or found")]


@router.get("/losses-by", summary="Losses by unit, cause, model, time", response_model=LossesByShown, responses=REPORT)
def read_losses_by(
    engine: Database,
    actor: Asker,
    pages: Pages,
    by: Annotated[By, Query(description="A line for each of these")] = By.TIME,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    unit: Unit = None,
    cause: CauseNamed = None,
    state: LossState = None,
    since: Since = None,
    until: Until = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Pieces lost, and what became of them: still missing, concluded, found. The rows behind a number: GET /v1/reports/lost with the same
    filters.
    """
    sought, at = LossesSought(donor, site, model, unit, None, cause, state, since, until), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[LossSum]:
        return named(losses.losses_by(connection, actor, by, sought, at, limit, cursor), *LOSS_SUMS)

    return listing_at_once(engine, actor, pages, "losses-by", LossSum, ask)


@router.get("/lost", summary="What was lost, and open investigations", response_model=LostShown, responses=REPORT)
def read_lost(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    unit: Unit = None,
    no_unit: Annotated[bool | None, Query(description="Only what no unit lost, or only what one did")] = None,
    cause: CauseNamed = None,
    state: LossState = None,
    since: Since = None,
    until: Until = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Each weapon that a loss report took, the longest lost first; with state=missing the open investigations and their age."""
    sought = LossesSought(donor, site, model, unit, no_unit, cause, state, since, until)
    at = AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[LostPiece]:
        return named(losses.lost_pieces(connection, actor, sought, at, limit, cursor), *LOSS_SUMS)

    return listing_at_once(engine, actor, pages, "lost", LostPiece, ask)
