"""The questions of the auditor at a terminal: the fifteen with their findings, losses, consignments, what is on its way, records that
cannot be right, what is unaccounted for, holdings as of a moment; as the person of a token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection

from stockpile.commands.asking import Token, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.reports import Moment, in_utc, show_list
from stockpile.commands.shown import out, show_table
from stockpile.reports import consignments, losses, transit
from stockpile.reports.as_of import AsOf
from stockpile.reports.consignments import ConsignmentLine, ConsignmentRow, ConsignmentsSought, Fate
from stockpile.reports.count_compliance import ComplianceLine, count_compliance
from stockpile.reports.flows import FlowRow, FlowsSought, flows
from stockpile.reports.holdings import Holder, HoldingLine, holdings
from stockpile.reports.losses import By, LossesSought, LossSum, LostPiece
from stockpile.reports.over_time import MonthLine, holdings_over_time
from stockpile.reports.questions import REPORTS
from stockpile.reports.records import RecordRow, Wrong, wrong_records
from stockpile.reports.transit import TransitPiece, TransitRow, TransitSought
from stockpile.reports.unaccounted import UnaccountedLine, unaccounted
from stockpile.rights import Actor

DAY = ["%Y-%m-%d"]
Donor = Annotated[str | None, typer.Option(help="Only this donor's")]
AtSite = Annotated[str | None, typer.Option("--site", help="Only this site")]
Model = Annotated[str | None, typer.Option(help="Only this model")]
Unit = Annotated[str | None, typer.Option(help="Only this unit")]
Cause = Annotated[str | None, typer.Option(help="Only this cause, e.g. stolen, overrun, 'not concluded'")]
Since = Annotated[datetime | None, typer.Option(formats=DAY, help="Lost from this day on")]
Until = Annotated[datetime | None, typer.Option(formats=DAY, help="Lost up to this day")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]


def show_reports() -> None:
    """Show the fifteen reports: each with its question, the published finding it answers, and the commands that ask it."""
    for one in REPORTS:
        out.print(f"{one.number:2}. {one.name}: {one.question}", markup=False)
        out.print(f"    {one.finding}", markup=False)
        for way in one.asked:
            out.print(f"    {way.command}    (page {way.page}, GET {way.api})", markup=False)
        if not one.asked:
            out.print("    Not answered here yet.", markup=False)


def show_losses_by(
    by: Annotated[By, typer.Option(help="A line for each of these")] = By.TIME,
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    unit: Unit = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show losses by unit, cause, model, month, site or donor, and what became of them."""
    sought = LossesSought(donor, site, model, unit, None, cause, None, _day(since), _day(until))
    at = AsOf(in_utc(happened), in_utc(recorded))
    ask = partial(losses.losses_by, by=by, sought=sought, at=at)
    fields = ("what", "reports", "lost", "missing", "concluded", "found", "oldest_days")
    _shown(token, ask, LossSum, fields, "Nothing was lost.", limit, csv, xlsx, LOSS_SUMS)


LOSS_SUMS = ("reports", "lost", "missing", "concluded", "found", "days of the oldest open investigation")


def show_lost(
    state: Annotated[losses.State | None, typer.Option(help="Only what is missing, concluded, or found")] = None,
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    unit: Unit = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show each weapon that a loss report took, and what became of it; with --state missing the open investigations."""
    sought = LossesSought(donor, site, model, unit, None, cause, state, _day(since), _day(until))
    ask = partial(losses.lost_pieces, sought=sought, at=AsOf(in_utc(happened), in_utc(recorded)))
    fields = (
        "model", "serial_number", "quantity", "state", "cause", "unit", "site", "lost_on", "reported_on", "days_open", "document_number",
    )  # fmt: skip
    _shown(token, ask, LostPiece, fields, "Nothing was lost.", limit, csv, xlsx, LOSS_SUMS)


def show_consignments(
    reference: Annotated[str | None, typer.Argument(metavar="CONSIGNMENT", help="One of them: its weapons")] = None,
    donor: Donor = None,
    site: AtSite = None,
    state: Annotated[
        consignments.State | None, typer.Option(help="Only those short, in excess, late, or awaited")
    ] = None,
    fate: Annotated[Fate | None, typer.Option(help="Of one consignment: only weapons of which this became")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show consignments: declared, shipped, received, short, in excess, late; or the weapons of one."""
    sought, at = ConsignmentsSought(donor, site, reference, state), AsOf(in_utc(happened), in_utc(recorded))
    if reference is not None:
        lines = partial(consignments.list_consignment_lines, sought=sought, fate=fate, at=at)
        fields: tuple[str, ...] = (
            "asset_tag", "model", "serial_number", "fate", "declared", "shipped", "received", "rejected", "excess", "received_on",
        )  # fmt: skip
        sums: tuple[str, ...] = ("lines", "declared", "shipped", "received", "rejected", "excess")
        _shown(token, lines, ConsignmentLine, fields, "There is no such consignment.", limit, csv, xlsx, sums)
        return
    ask = partial(consignments.list_consignments, sought=sought, at=at)
    fields = (
        "donor", "reference", "site", "expected_on", "declared", "shipped", "received", "rejected", "awaited", "short", "excess",
        "late_pieces", "days_late",
    )  # fmt: skip
    sums = ("consignments", "declared", "shipped", "received", "rejected", "awaited", "short", "excess", "late")
    _shown(token, ask, ConsignmentRow, fields, "There are no such consignments.", limit, csv, xlsx, sums)


def show_transit(
    pieces: Annotated[bool, typer.Option("--pieces", help="Each weapon, not each shipment")] = False,
    overdue: Annotated[bool | None, typer.Option("--overdue/--in-time", help="Only these")] = None,
    from_site: Annotated[str | None, typer.Option(help="Only from this site")] = None,
    to_site: Annotated[str | None, typer.Option(help="Only bound for this site")] = None,
    model: Model = None,
    shipment: Annotated[str | None, typer.Option(help="Only of this shipment: its number")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what is on its way and overdue, now or as of a moment."""
    sought = TransitSought(from_site, to_site, model, overdue, shipment)
    at = AsOf(in_utc(happened), in_utc(recorded))
    nothing = "Nothing is on its way."
    if pieces:
        fields: tuple[str, ...] = (
            "model",
            "serial_number",
            "quantity",
            "number",
            "from_site",
            "to_site",
            "days_on_way",
            "days_overdue",
        )
        ask: Callable[..., Any] = partial(transit.pieces_in_transit, sought=sought, at=at)
        _shown(token, ask, TransitPiece, fields, nothing, limit, csv, xlsx, ("lines", "pieces"))
        return
    fields = (
        "number",
        "from_site",
        "to_site",
        "carried_by",
        "expected_on",
        "outstanding",
        "days_on_way",
        "days_overdue",
    )
    ask = partial(transit.in_transit, sought=sought, at=at)
    sums = ("shipments", "pieces", "shipments overdue", "pieces overdue", "days of the longest")
    _shown(token, ask, TransitRow, fields, nothing, limit, csv, xlsx, sums)


def show_records(
    register: Annotated[UUID, typer.Argument(help="The register's key")],
    wrong: Annotated[Wrong | None, typer.Option(help="Only records with which this is wrong")] = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show the records of a register that are repeated, conflict, or lack something."""
    ask = partial(wrong_records, register_id=register, wrong=wrong)
    fields = ("line", "model", "serial_number", "times", "conflicts", "lacks", "unit", "holder")
    found = _shown(token, ask, RecordRow, fields, "Nothing is wrong with them.", limit, csv, xlsx)
    if found is not None:
        told = (
            "lines",
            "serial_numbers",
            "repeated_numbers",
            "repeated",
            "conflicting",
            "incomplete",
            "wrong",
            "set_aside",
        )
        _show_sums([(name.replace("_", " "), getattr(found, name)) for name in told])


def show_unaccounted(
    audit: Annotated[str | None, typer.Argument(help="Key, name or name#run of an audit; left out: the newest")] = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what one side of an audit says was handed over and the other does not have. 'stockpile reconcile' compares two lists."""
    ask = partial(unaccounted, audit=audit)
    fields = ("model", "left", "right", "unaccounted", "not_left")
    found = _shown(token, ask, UnaccountedLine, fields, "No two lists were compared yet.", limit, csv, xlsx)
    if found is not None and found.audit is not None:
        out.print(f"\n{found.audit}: {found.left_list} beside {found.right_list}", markup=False)
        _show_sums([(name.replace("_", " "), getattr(found, name)) for name in fields[1:]])


def show_holdings(
    site: AtSite = None,
    unit: Annotated[str | None, typer.Option(help="Of this unit, with its people and sub-units")] = None,
    person: Annotated[str | None, typer.Option(help="Of this person: the service number")] = None,
    text: Annotated[str | None, typer.Option(help="Part of a model's name or of a serial number")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what a site, a unit or a person held, weapon by weapon, now or as of a moment."""
    holder, at = Holder(site=site, unit=unit, person=person), AsOf(in_utc(happened), in_utc(recorded))
    ask = partial(holdings, holder=holder, at=at, search=text)
    fields = ("asset_tag", "model", "serial_number", "quantity", "account", "since", "document_number")
    show_list(token, ask, HoldingLine, fields, fields, "Nothing is held.", limit, csv, xlsx)


def show_holdings_over_time(
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    happened: Moment = None,
    recorded: Moment = None,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show how many pieces were in each kind of place at the end of each month."""
    at = AsOf(in_utc(happened), in_utc(recorded))
    _whole(
        token,
        lambda c, a: holdings_over_time(c, a, at, donor, model, site),
        MonthLine,
        "Nothing has come in.",
        csv,
        xlsx,
    )


def show_flows(
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    since: Moment = None,
    until: Moment = None,
    recorded: Moment = None,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show how many pieces went from which kind of place to which, in a time."""
    sought = FlowsSought(donor, site, model, in_utc(since), in_utc(until), in_utc(recorded))
    _whole(token, lambda connection, actor: flows(connection, actor, sought), FlowRow, "Nothing moved.", csv, xlsx)


def show_count_compliance(site: AtSite = None, csv: Csv = None, xlsx: Xlsx = None, token: Token = None) -> None:
    """Show which sites count their weapons in time, by item and by value."""
    _whole(
        token, lambda connection, actor: count_compliance(connection, actor, site), ComplianceLine, "Nothing is to be counted.", csv, xlsx
    )  # fmt: skip


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _whole(
    token: str | None,
    ask: Callable[[Connection, Actor], Sequence[Any]],
    row: type,
    nothing: str,
    csv: Path | None,
    xlsx: Path | None,
) -> None:
    """A short report as a table, or in files."""
    with reading_as(token) as (connection, actor):
        lines = ask(connection, actor)
    if csv or xlsx:
        write_report(csv, xlsx, row, lines)
        return
    names = [name for name in row.__slots__ if any(getattr(line, name) not in (None, 0) for line in lines)]  # type: ignore[attr-defined]
    rows = [[getattr(line, name) for name in names] for line in lines]
    show_table([name.replace("_", " ") for name in names], rows, nothing)


def _shown(
    token: str | None,
    ask: Callable[..., Any],
    row: type,
    fields: Sequence[str],
    nothing: str,
    limit: int,
    csv: Path | None,
    xlsx: Path | None,
    sums: Sequence[str] = (),
) -> Any:
    """A page of a report as a table with its sums, and the page; or all of it in files, and None."""
    with reading_as(token) as (connection, actor):
        if csv or xlsx:
            write_report(csv, xlsx, row, ask(connection, actor, limit=None).rows)
            return None
        page = ask(connection, actor, limit=limit)
    rows = [[getattr(one, field) for field in fields] for one in page.rows]
    show_table([field.replace("_", " ") for field in fields], rows, nothing)
    if sums:
        _show_sums(list(zip(sums, page.sums, strict=True)))
    if page.cursor:
        out.print(f"... and more: --limit shows up to 1000, not {limit}; --csv and --xlsx write all.", markup=False)
    return page


def _show_sums(sums: Sequence[tuple[str, int | None]]) -> None:
    said = ", ".join(f"{name} {number:,}" for name, number in sums if number is not None)
    out.print(f"\nIn all: {said}.", markup=False)
