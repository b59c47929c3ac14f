"""Questions that auditors and donors have asked of weapons before: docs/reports.md tells which, and what counts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN
from api.v1.weapons import WeaponsShown
from stockpile.documents import Code
from stockpile.reports.allowances import (
    AllowanceSought,
    By,
    ExcessLine,
    State,
    excess_and_shortfall,
    held_by_unit,
)
from stockpile.reports.as_of import AsOf
from stockpile.reports.holdings import HoldingLine
from stockpile.reports.inspections import (
    InspectionRow,
    Inspections,
    InspectionSought,
    Periods,
    inspections_due,
    inspections_due_of_arrivals,
)
from stockpile.reports.listed import of_register_alone
from stockpile.reports.loss_timeliness import (
    LossRow,
    LossSought,
    LossTimeliness,
    loss_timeliness,
    loss_timeliness_of_register,
)
from stockpile.reports.serial_capture import (
    CaptureLine,
    CaptureSought,
    SerialCapture,
    serial_capture,
    serial_capture_of_register,
)

router = APIRouter(prefix="/reports", tags=["reports"])

REPORT = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
Register = Annotated[UUID | None, Query(description="Of one register instead of the ledger: its key")]
Donor = Annotated[Code | None, Query(description="Of one donor: its code", examples=["USA"])]
AtSite = Annotated[Code | None, Query(description="Of one site: its code", examples=["TAJI"])]
Unit = Annotated[Code | None, Query(description="Of one unit: its code", examples=["1COY"])]
ModelName = Annotated[Code | None, Query(description="Of one model: its name", examples=["AKM"])]


class ExcessShown(Page[ExcessLine]):
    """A page of lines, and the sums over all pages: each weapon once."""

    authorised: int
    held: int
    excess: int
    shortfall: int
    not_authorised: int = Field(description="Pieces of the excess that no allowance names")


@router.get("/allowances", summary="Excess and shortfall", response_model=ExcessShown, responses=REPORT)
def read_excess(
    engine: Database,
    actor: Asker,
    pages: Pages,
    unit: Unit = None,
    model: ModelName = None,
    category: Annotated[Code | None, Query(description="Of a category of models", examples=["small arms"])] = None,
    state: Annotated[State | None, Query(description="Only lines in excess, short, or not authorised")] = None,
    by: Annotated[By, Query(description="A line for each unit and model, or for each model")] = By.UNIT,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many of each model units may have, and have, with their people and sub-units; now, or as of a moment on either clock or both.
    The rows behind a number held: GET /v1/reports/allowances/weapons with the same unit, model and moments.
    """
    sought, at = AllowanceSought(unit, model, category, state), AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, "excess-and-shortfall", ExcessLine,
        lambda connection, limit, cursor: excess_and_shortfall(connection, actor, sought, by, at, limit, cursor),
        lambda connection: excess_and_shortfall(connection, actor, sought, by, at, None).rows,
    )  # fmt: skip


@router.get("/allowances/weapons", summary="The weapons behind a line", response_model=WeaponsShown, responses=REPORT)
def read_weapons_of_line(
    engine: Database,
    actor: Asker,
    pages: Pages,
    model: Annotated[Code, Query(description="Of which model: its name", examples=["AKM"])],
    unit: Annotated[Code | None, Query(description="Of which unit; left out: of people who are in none")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What a unit holds of a model as its line counts it, each with its account, since when and under which document."""
    at = AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, f"weapons-of-{unit or 'no-unit'}", HoldingLine,
        lambda connection, limit, cursor: held_by_unit(connection, actor, unit, model, at, limit, cursor),
    )  # fmt: skip


class SerialCaptureShown(Page[CaptureLine]):
    """A page of lines, and the sums over all pages."""

    weapons: int
    with_serial: int
    without_serial: int
    percent: float | None = Field(description="Of the weapons, those with a readable serial number")
    counted: int = Field(description="Pieces of what is counted: it bears no number of its own")
    unknown_model: int = Field(description="Pieces under names that nobody has mapped")
    set_aside: int = Field(description="Of a register: lines that could not be read")


@router.get("/serial-capture", summary="Serial numbers recorded", response_model=SerialCaptureShown, responses=REPORT)
def read_serial_capture(
    engine: Database,
    actor: Asker,
    pages: Pages,
    register: Register = None,
    donor: Donor = None,
    consignment: Annotated[Code | None, Query(description="Of one consignment: the donor's number of it")] = None,
    site: AtSite = None,
    model: ModelName = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many weapons have a readable serial number, by model: of the ledger, or of a register alone. The rows: GET /v1/weapons with the
    same filters, or GET /v1/registers/{register_id}.
    """
    sought, at = CaptureSought(donor, consignment, site, model), AsOf(as_of, recorded_as_of)
    of_register_alone(
        register,
        donor=donor,
        consignment=consignment,
        site=site,
        model=model,
        as_of=as_of,
        recorded_as_of=recorded_as_of,
    )

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> SerialCapture:
        if register is not None:
            return serial_capture_of_register(connection, actor, register, limit, cursor)
        return serial_capture(connection, actor, sought, at, limit, cursor)

    return listing(
        engine, actor, pages, "serial-capture", CaptureLine, ask, lambda connection: ask(connection, None, None).rows
    )


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
