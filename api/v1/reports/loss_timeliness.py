"""How long losses took to be reported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Day, Donor, ModelName, Register
from stockpile.reports.listed import of_register_alone
from stockpile.reports.loss_timeliness import (
    LossRow,
    LossSought,
    LossTimeliness,
    loss_timeliness,
    loss_timeliness_of_register,
)

router = APIRouter(prefix="/reports", tags=["reports"])


class LossesShown(Page[LossRow]):
    """A page of losses, and the sums over all of them, late or not."""

    days_allowed: int
    losses: int
    quantity: int
    late: int
    late_percent: float | None
    average_days: float | None
    longest_days: int | None
    undated: int = Field(description="Of a register: lines that lack a day")


@router.get("/losses", summary="How long losses took to be reported", response_model=LossesShown, responses=REPORT)
def read_losses(
    engine: Database,
    actor: Asker,
    pages: Pages,
    register: Register = None,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    since: Annotated[Day | None, Query(description="Reported from this day on")] = None,
    until: Annotated[Day | None, Query(description="Reported up to this day")] = None,
    late: Annotated[bool | None, Query(description="Only those reported late, or in time")] = None,
    allowed: Annotated[int | None, Query(ge=0, le=36_500, description="Days a report may take; left out: 30")] = None,
) -> Response:
    """Each loss report and overrun with the day of the loss and of the report; of the ledger, or of a list of losses. The oldest
    first. What a report took: GET /v1/documents/{document_id}/lines.
    """
    of_register_alone(register, donor=donor, site=site)
    sought = LossSought(donor, site, model, since, until, late)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> LossTimeliness:
        if register is not None:
            return loss_timeliness_of_register(connection, actor, register, sought, allowed, limit, cursor)
        return loss_timeliness(connection, actor, sought, allowed, limit, cursor)

    return listing(engine, actor, pages, "losses", LossRow, ask, lambda connection: ask(connection, None, None).rows)
