"""Stores whose visit is due by a routine plan of monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages.listing import (
    Asked,
    Column,
    Figure,
    Filter,
    Listing,
    Way,
    answer_list,
    day_filter,
    flag_filter,
    site_filter,
)
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.pages.reports.inspections import delinquency
from api.words import N_
from stockpile.reports import routine_visits
from stockpile.reports.export import PageOf
from stockpile.reports.routine_visits import RoutineRow, RoutineSought, RoutineVisits, routine_visits_due
from stockpile.rights import ROLES, Actor

router = APIRouter(include_in_schema=False)


def _due(connection: Connection, actor: Actor, asked: Asked) -> RoutineVisits:
    values = dict(asked.values)
    on = values.pop("on", None)
    return routine_visits_due(connection, actor, RoutineSought(**values), on, asked.limit, asked.cursor, asked.order)


def _figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, RoutineVisits)
    return (
        *delinquency(page),
        (N_("Under plans that say no days"), page.without_days, "number"),
    )


ROUTINE = Listing(
    path="/reports/routine-visits",
    name="routine-visits",
    title=N_("Routine visits due"),
    question=N_("Which stores are to be visited by the routine plans of monitoring, and which of these visits are late?"),
    row=RoutineRow,
    columns=(
        Column("site", N_("Site"), "code"),
        Column("place", N_("Where"), "term"),
        Column("store", N_("Store"), sparse=True),
        Column("category", N_("Category"), "term"),
        Column("plan", N_("Plan"), "code"),
        Column("donor", N_("Donor"), "code"),
        Column("items", N_("Weapons"), "number"),
        Column("value", N_("Value"), "number"),
        Column("since", N_("There since"), "day"),
        Column("visited_on", N_("Visited last"), "day", none=N_("never")),
        Column("due_on", N_("Due"), "day"),
        Column("days_late", N_("Days late"), "number", read=lambda row: row.days_late or None),
    ),
    filters=(
        MODEL_FILTER, Filter("category", N_("Category"), help=N_("Such as self-loading rifle")),
        flag_filter("delinquent", N_("Delinquent")), DONOR_FILTER, day_filter("on", N_("As of")), site_filter(),
    ),
    ways=(
        Way(N_("Plans by class of model"), "/monitoring-plans", frozenset(ROLES)),
        Way(N_("Inspections due"), "/reports/inspections", frozenset(ROLES)),
    ),
    empty=N_("No routine visit is due here. A plan makes one due once it says within how many days: see the plans by class of model."),
    ask=_due,
    orders=routine_visits.ORDERS,
    default="due_on",
    figures=_figures,
)  # fmt: skip


@router.get("/reports/routine-visits", response_class=HTMLResponse)
def of_routine_visits(request: Request, engine: Database, actor: Asker) -> Response:
    """Routine visits due."""
    return answer_list(ROUTINE, request, engine, actor)
