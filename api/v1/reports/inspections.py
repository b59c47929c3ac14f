"""Weapons under enhanced monitoring whose inspection is due."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, KnownBy, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Day, Donor, ModelName, Register
from stockpile.reports.inspections import (
    InspectionRow,
    Inspections,
    InspectionSought,
    Periods,
    inspections_due,
    inspections_due_of_arrivals,
)
from stockpile.reports.listed import of_register_alone

router = APIRouter(prefix="/reports", tags=["reports"])


class InspectionsShown(Page[InspectionRow]):
    """A page of weapons, and the sums over all of them, delinquent or not."""

    on: date
    items: int
    delinquent: int
    delinquent_percent: float | None
    value: Decimal = Field(description="As the catalogue says, of all items")
    delinquent_value: Decimal
    delinquent_value_percent: float | None
    without_value: int = Field(description="Items whose model has no value, which the sums of value lack")
    undated: int = Field(description="Of a register: items of which it does not say when they came")
    unknown_model: int = Field(description="Of a register: pieces under names that nobody has mapped")
    initial_late: int = Field(
        description="Items whose first inventory was late or is, also where they were inspected since"
    )
    initial_late_value: Decimal


@router.get("/inspections", summary="Inspections due", response_model=InspectionsShown, responses=REPORT)
def read_inspections(
    engine: Database,
    actor: Asker,
    pages: Pages,
    register: Register = None,
    inspections: Annotated[
        UUID | None,
        Query(description="Of a register: the register of its inspections; left out: all of kind inspection"),
    ] = None,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    delinquent: Annotated[bool | None, Query(description="Only rows that are delinquent, or are not")] = None,
    on: Annotated[
        Day | None, Query(description="As of this day; left out: today, or the day of which the register speaks")
    ] = None,
    recorded_as_of: KnownBy = None,
    initial_days: Annotated[
        int | None,
        Query(ge=0, le=36_500, description="Until the first inventory; left out: as the plan says, of a register 90"),
    ] = None,
    yearly_days: Annotated[
        int | None,
        Query(ge=0, le=36_500, description="Until the next; left out: as the plan says, of a register 365"),
    ] = None,
) -> Response:
    """Weapons of models under enhanced monitoring: when each came, was inspected last, and is due; of the ledger, or of a list of arrivals.
    The longest overdue first.
    """
    of_register_alone(register, donor=donor, site=site, recorded_as_of=recorded_as_of)
    sought, periods = InspectionSought(donor, site, model, delinquent), Periods(initial_days, yearly_days)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Inspections:
        if register is not None:
            return inspections_due_of_arrivals(
                connection, actor, register, inspections, model, delinquent, on, periods, limit, cursor
            )
        return inspections_due(connection, actor, sought, on, recorded_as_of, periods, limit, cursor)

    return listing(
        engine, actor, pages, "inspections", InspectionRow, ask, lambda connection: ask(connection, None, None).rows
    )
