"""Stores whose visit is due by a routine plan of monitoring."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Day, Donor, ModelName
from stockpile.documents import Code
from stockpile.reports.routine_visits import RoutineRow, RoutineSought, RoutineVisits, routine_visits_due

router = APIRouter(prefix="/reports", tags=["reports"])


class RoutineVisitsShown(Page[RoutineRow]):
    """A page of stores, and the sums over all of them, delinquent or not."""

    on: date
    items: int
    delinquent: int = Field(description="Items in stores whose visit is late")
    delinquent_percent: float | None
    value: Decimal = Field(description="As the catalogue says, of all items")
    delinquent_value: Decimal
    delinquent_value_percent: float | None
    without_value: int = Field(description="Items whose model has no value, which the sums of value lack")
    without_days: int = Field(description="Items under routine plans that say no days: nothing of them is due")


@router.get("/routine-visits", summary="Routine visits due", response_model=RoutineVisitsShown, responses=REPORT)
def read_routine_visits(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    category: Annotated[
        Code | None, Query(description="Of one category of models", examples=["self-loading rifle"])
    ] = None,
    model: ModelName = None,
    delinquent: Annotated[bool | None, Query(description="Only stores whose visit is late, or is not")] = None,
    on: Annotated[Day | None, Query(description="As of this day; left out: today")] = None,
) -> Response:
    """By class of model and store: what lies there since when, when inspectors came last, and when they are due. Plans that say no days
    make nothing due. The longest overdue first.
    """
    sought = RoutineSought(donor, site, category, model, delinquent)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> RoutineVisits:
        return routine_visits_due(connection, actor, sought, on, limit, cursor)

    return listing(
        engine, actor, pages, "routine-visits", RoutineRow, ask, lambda connection: ask(connection, None, None).rows
    )
