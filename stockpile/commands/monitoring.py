"""Questions that auditors and donors have asked before: serial numbers recorded, inspections due, how long losses took to be reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection

from stockpile.commands.asking import Token, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.reports import Moment, in_utc
from stockpile.commands.shown import out, show_table
from stockpile.reports.as_of import AsOf
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
from stockpile.rights import Actor

DAY = ["%Y-%m-%d"]
Register = Annotated[UUID | None, typer.Option(help="Of this register instead of the ledger")]
Donor = Annotated[str | None, typer.Option(help="Only this donor's")]
AtSite = Annotated[str | None, typer.Option("--site", help="Only this site")]
Model = Annotated[str | None, typer.Option(help="Only this model")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]
Days = Annotated[int | None, typer.Option(min=0, max=36_500)]


def show_serial_capture(
    register: Register = None,
    donor: Donor = None,
    consignment: Annotated[str | None, typer.Option(help="Only this consignment: the donor's number of it")] = None,
    site: AtSite = None,
    model: Model = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show how many weapons have a readable serial number recorded: of the ledger, or of a register."""
    asked = {"donor": donor, "consignment": consignment, "site": site, "model": model}
    of_register_alone(register, **asked, happened=happened, recorded=recorded)
    sought, at = CaptureSought(**asked), AsOf(in_utc(happened), in_utc(recorded))

    def ask(connection: Connection, actor: Actor, limit: int | None, cursor: str | None) -> SerialCapture:
        if register is not None:
            return serial_capture_of_register(connection, actor, register, limit, cursor)
        return serial_capture(connection, actor, sought, at, limit, cursor)

    fields = ("what", "maker", "model", "quantity", "with_serial", "without_serial", "percent")
    found = show_report(token, ask, CaptureLine, fields, "There are no weapons.", limit, csv, xlsx)
    if found is not None:
        share = f" ({found.percent} %)" if found.percent is not None else ""
        out.print(
            f"\nIn all: {found.with_serial:,} of {found.weapons:,} weapons with a readable serial number{share}. Beside them "
            f"{found.counted:,} pieces of what is counted, {found.unknown_model:,} under names that nobody has mapped, "
            f"{found.set_aside:,} lines set aside.",
            markup=False,
        )


def show_inspections(
    register: Annotated[UUID | None, typer.Option(help="Of this list of arrivals instead of the ledger")] = None,
    inspections: Annotated[
        UUID | None, typer.Option(help="The register of its inspections; left out: all of them")
    ] = None,
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    delinquent: Annotated[bool | None, typer.Option("--delinquent/--in-time", help="Only these")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=DAY, help="As of this day; left out: today, or the list's")
    ] = None,
    recorded: Moment = None,
    initial_days: Days = None,
    yearly_days: Days = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show which weapons under enhanced monitoring are due for inspection, and what is delinquent."""
    of_register_alone(register, donor=donor, site=site, recorded=recorded)
    sought, periods = InspectionSought(donor, site, model, delinquent), Periods(initial_days, yearly_days)
    day, known = day_of(on), in_utc(recorded)

    def ask(connection: Connection, actor: Actor, limit: int | None, cursor: str | None) -> Inspections:
        if register is not None:
            return inspections_due_of_arrivals(
                connection, actor, register, inspections, model, delinquent, day, periods, limit, cursor
            )
        return inspections_due(connection, actor, sought, day, known, periods, limit, cursor)

    which = ("line",) if register is not None else ("asset_tag", "donor", "site")
    fields = (*which, "model", "serial_number", "arrived_on", "inspected_on", "due_on", "days_late", "value")
    found = show_report(token, ask, InspectionRow, fields, "Nothing under enhanced monitoring.", limit, csv, xlsx)
    if found is not None:
        out.print(
            f"\nOn {found.on}: {found.delinquent:,} of {found.items:,} items delinquent ({found.delinquent_percent or 0} %), "
            f"worth {found.delinquent_value:,} of {found.value:,} ({found.delinquent_value_percent or 0} %). "
            f"{found.without_value:,} without a value, {found.undated:,} without a day of arrival, "
            f"{found.unknown_model:,} under names that nobody has mapped. The first inventory of {found.initial_late:,}, worth "
            f"{found.initial_late_value:,}, was late or is.",
            markup=False,
        )


def show_losses(
    register: Register = None,
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    since: Annotated[datetime | None, typer.Option(formats=DAY, help="Reported from this day on")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Reported up to this day")] = None,
    late: Annotated[bool | None, typer.Option("--late/--in-time", help="Only these")] = None,
    allowed: Days = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show how long losses took to be reported."""
    of_register_alone(register, donor=donor, site=site)
    sought = LossSought(donor, site, model, day_of(since), day_of(until), late)

    def ask(connection: Connection, actor: Actor, limit: int | None, cursor: str | None) -> LossTimeliness:
        if register is not None:
            return loss_timeliness_of_register(connection, actor, register, sought, allowed, limit, cursor)
        return loss_timeliness(connection, actor, sought, allowed, limit, cursor)

    which = ("line",) if register is not None else ("document_number", "act")
    fields = (*which, "model", "serial_number", "quantity", "lost_on", "reported_on", "days", "late")
    found = show_report(token, ask, LossRow, fields, "No loss was reported.", limit, csv, xlsx)
    if found is not None:
        out.print(
            f"\n{found.losses:,} reported, {found.late:,} later than {found.days_allowed} days ({found.late_percent or 0} %); "
            f"{found.average_days or 0} days on average, {found.longest_days or 0} at most; {found.undated:,} lack a day.",
            markup=False,
        )


def day_of(given: datetime | None) -> date | None:
    """The day of an option."""
    return given.date() if given else None


def show_report(
    token: str | None,
    ask: Callable[[Connection, Actor, int | None, str | None], Any],
    row: type,
    fields: Sequence[str],
    nothing: str,
    limit: int,
    csv: Path | None,
    xlsx: Path | None,
) -> Any:
    """A page of a report as a table, and the page; or all of it in files, and None."""
    with reading_as(token) as (connection, actor):
        if csv or xlsx:
            write_report(csv, xlsx, row, ask(connection, actor, None, None).rows)
            return None
        page = ask(connection, actor, limit, None)
    rows = [[getattr(one, field) for field in fields] for one in page.rows]
    show_table([field.replace("_", " ") for field in fields], rows, nothing)
    if page.cursor:
        out.print(f"... and more: --limit shows up to 1000, not {limit}; --csv and --xlsx write all.", markup=False)
    return page
