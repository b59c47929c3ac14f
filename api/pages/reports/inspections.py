"""Weapons under enhanced monitoring whose inspection is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages.listing import Asked, Column, Figure, Listing, answer_list, day_filter, flag_filter, site_filter
from api.pages.moments import RECORDED, as_of
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.pages.reports.shown import weapon_page
from api.words import N_
from stockpile.reports import inspections
from stockpile.reports.export import PageOf
from stockpile.reports.inspections import InspectionRow, Inspections, InspectionSought, inspections_due
from stockpile.reports.routine_visits import RoutineVisits
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _inspections(connection: Connection, actor: Actor, asked: Asked) -> Inspections:
    values = dict(asked.values)
    on, known = values.pop("on", None), as_of(actor, values).recorded_at
    return inspections_due(
        connection,
        actor,
        InspectionSought(**values),
        on,
        known,
        limit=asked.limit,
        cursor=asked.cursor,
        order=asked.order,
    )


def delinquency(page: Inspections | RoutineVisits) -> tuple[Figure, ...]:
    """What is delinquent by items and by value, as the DoD IG counted it."""
    return (
        (N_("As of"), page.on, "day"),
        (N_("Monitored weapons"), page.items, "number"),
        (N_("Delinquent"), page.delinquent, "number"),
        (N_("Of all"), page.delinquent_percent, "percent"),
        (N_("Value"), page.value, "number"),
        (N_("Value of what is delinquent"), page.delinquent_value, "number"),
        (N_("Without a value in the catalogue"), page.without_value, "number"),
    )


def _inspection_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Inspections)
    return (
        *delinquency(page),
        (N_("First inventory late"), page.initial_late, "number"),
        (N_("Value of these"), page.initial_late_value, "number"),
    )


INSPECTIONS = Listing(
    path="/reports/inspections",
    name="inspections",
    title=N_("Inspections due"),
    question=N_("Which weapons under enhanced monitoring are to be inspected, and which inspections are late?"),
    row=InspectionRow,
    columns=(
        Column("model", N_("Model")),
        Column("serial_number", N_("Serial number"), "code", weapon_page),
        Column("asset_tag", N_("Asset tag"), "code", weapon_page),
        Column("donor", N_("Donor"), "code"),
        Column("site", N_("Site"), "code"),
        Column("arrived_on", N_("Arrived"), "day"),
        Column("first_inspected_on", N_("Inspected first"), "day", sparse=True),
        Column("inspected_on", N_("Inspected last"), "day", none=N_("never")),
        Column("due_on", N_("Due"), "day"),
        Column("days_late", N_("Days late"), "number", read=lambda row: row.days_late or None),
        Column("initial_late", N_("First inventory late"), "flag"),
        Column("value", N_("Value"), "number"),
    ),
    filters=(MODEL_FILTER, flag_filter("delinquent", N_("Delinquent")), DONOR_FILTER, day_filter("on", N_("As of")), site_filter(),
             RECORDED),
    empty=N_("No weapon under enhanced monitoring fits."),
    ask=_inspections,
    orders=inspections.ORDERS,
    default="due_on",
    figures=_inspection_figures,
)  # fmt: skip


@router.get("/reports/inspections", response_class=HTMLResponse)
def of_inspections(request: Request, engine: Database, actor: Asker) -> Response:
    """Inspections due."""
    return answer_list(INSPECTIONS, request, engine, actor)
