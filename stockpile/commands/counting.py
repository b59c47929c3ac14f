"""Counting at a terminal: open a count, send what is read, close it, see what it found; what is due; seals; as the person of a
token.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.files import Csv, RejectsFile, Xlsx, check_ending, write_kept_rejects, write_report
from stockpile.commands.options import counts, pairs
from stockpile.commands.shown import counted, new_group, out, progress, show_table
from stockpile.files import file_store
from stockpile.registers.count_closing import close_count
from stockpile.registers.count_findings import Kind
from stockpile.registers.count_lines import BatchTaken, send_lines
from stockpile.registers.count_periods import Period, keep_period
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.counts import AbandonCount, OpenCount, abandon_count, open_count
from stockpile.registers.rejects import RowsRejected
from stockpile.registers.seals import BreakSeal, SealContainer, break_seal, seal_container
from stockpile.reports.counts import (
    CountLineRow,
    FindingRow,
    State,
    count_named,
    list_count_lines,
    list_counts,
    list_expected,
    list_findings,
    read_count,
)
from stockpile.reports.counts_due import DueRow, PeriodRow, list_due, list_periods
from stockpile.reports.export import every_row
from stockpile.reports.seals import list_seals, read_seal
from stockpile.rights import Actor, reading
from stockpile.settings import read_settings

Name = Annotated[str, typer.Argument(metavar="COUNT", help="Its name or id, e.g. TAJI/COUNT/3")]
SiteCode = Annotated[str | None, typer.Option("--site", help="Site code, for who is bound to none")]
Moment = Annotated[
    datetime | None,
    typer.Option(
        "--at", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%z"], help="When; in UTC unless it says otherwise"
    ),
]
By = Annotated[str | None, typer.Option("--by", help="Service number of which counter read it, if there are several")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]

count = new_group("Counts: what is there, against what the books say at the moment it is read.")
period = new_group("How often what is to be counted.")
count.add_typer(period, name="period")
seal = new_group("Seals: a container that counts by its list while its seal is unbroken.")


@count.command("open")
def open_a_count(
    counter: Annotated[list[str], typer.Option(help="Service number of who counts; repeated")],
    account: Annotated[str | None, typer.Option(help="A store; 'maintenance'; a unit's code; a service number")] = None,
    unit: Annotated[str | None, typer.Option(help="A unit's code: with its people")] = None,
    seals: Annotated[list[str] | None, typer.Option("--seal", help="A sealed container; repeated")] = None,
    whole_site: Annotated[bool, typer.Option(help="Everything in somebody's hands at the site")] = False,
    recount: Annotated[str | None, typer.Option(metavar="COUNT", help="The differences of a closed count")] = None,
    seeing: Annotated[bool, typer.Option("--seeing", help="Not blind: who counts is shown what to expect")] = False,
    method: Annotated[str, typer.Option(help="serial, or quantity")] = "serial",
    reason: Annotated[str, typer.Option(help="e.g. periodic, receipt, 'change of custodian'")] = "periodic",
    opened: Moment = None,
    override: Annotated[
        str | None, typer.Option(help="A commander's reason why the same person may count again")
    ] = None,
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Open a count; --at: of one held on paper, when it began."""
    asked: dict[str, Any] = {
        "counters": counter, "account": account, "unit": unit, "seals": seals or (), "whole_site": whole_site, "site": site,
        "blind": not seeing, "method": method, "reason": reason, "opened_at": _in_utc(opened), "override": override,
    }  # fmt: skip
    with acting(token) as (engine, actor):
        if recount is not None:
            with reading(engine, actor) as connection:
                asked["recount_of"] = count_named(connection, actor, recount)
        count_id = open_count(engine, actor, OpenCount.model_validate(asked))
        with reading(engine, actor) as connection:
            row = read_count(connection, actor, count_id).count
    blind = ", blind" if row.blind else ""
    out.print(f"{row.name}: open over {row.of}, by {row.method}{blind}. {count_id}", markup=False)


@count.command("line")
def send(
    name: Name,
    scans: Annotated[list[str] | None, typer.Argument(help="Asset tags, serial numbers or UIIs")] = None,
    quantity: Annotated[
        list[str] | None, typer.Option("--count", help="MODEL=NUMBER, 'MODEL, lot LOT=NUMBER'; repeated")
    ] = None,
    seals: Annotated[list[str] | None, typer.Option("--seal", help="An unbroken seal; repeated")] = None,
    container: Annotated[str | None, typer.Option(help="In which container these weapons are")] = None,
    at: Moment = None,
    by: By = None,
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Send what was read: weapons, how many of a model, sealed containers; without --at: now."""
    lines: list[dict[str, Any]] = [{"scan": scan, "entered": "typed", "container": container} for scan in scans or ()]
    lines += [{**line, "entered": "typed"} for line in counts(quantity, "--count")]
    lines += [{"seal": number, "entered": "typed"} for number in seals or ()]
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            count_id = count_named(connection, actor, name)
        asked = {"lines": lines, "counted_at": _in_utc(at), "counted_by": by, "site": site or _site(name, actor)}
        _show_taken(send_lines(engine, actor, count_id, SendLines.model_validate(asked)))


@count.command("sheet")
def send_sheet(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The count sheet: CSV or XLSX")],
    at: Moment = None,
    by: By = None,
    sheet: Annotated[str | None, typer.Option(help="Which sheet; left out: the first with a table")] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="field=heading, e.g. serial_number='S/N'")
    ] = None,
    constant: Annotated[list[str] | None, typer.Option("--all", help="field=value for the whole list")] = None,
    rejects: RejectsFile = None,
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Key a printed count sheet; --at: when it was counted, where its rows do not say."""
    if rejects is not None:
        check_ending(rejects)
    with acting(token) as (engine, actor), progress():
        with reading(engine, actor) as connection:
            count_id = count_named(connection, actor, name)
        stored = file_store().keep_copy(file, read_settings().upload_limit)
        listed = {
            "sha256": stored.sha256, "name": file.name[:64], "sheet": sheet, "columns": pairs(column, "--column") or None,
            "constants": pairs(constant, "--all"),
        }  # fmt: skip
        asked = {"file": listed, "counted_at": _in_utc(at), "counted_by": by, "site": site or _site(name, actor)}
        try:
            taken = send_lines(engine, actor, count_id, SendLines.model_validate(asked))
        except RowsRejected as refusal:
            if rejects is not None:
                write_kept_rejects(rejects, refusal)
            raise
    _show_taken(taken)


def _show_taken(taken: BatchTaken) -> None:
    figures = (
        (taken.again, "read before"),
        (taken.unknown, "in no book"),
        (taken.several, "of which several bear the number"),
    )
    more = "".join(f", {number} {what}" for number, what in figures if number)
    out.print(f"{counted(taken.line_count, 'line', 'lines')} kept{more}.", markup=False)
    second_look = [one for one in taken.lines if one.again_of or not one.known or one.several or one.doubts]
    if second_look:
        rows = ((one.line, one.read, _look(one.again_of, one.known, one.several), one.doubts) for one in second_look)
        show_table(("line", "read", "", "doubts"), rows, "")


def _look(again_of: int | None, known: bool, several: int | None) -> str:
    if again_of is not None:
        return f"the same weapon as line {again_of}"
    if not known:
        return "in no book: read it again"
    return f"{several} bear it: scan the asset tag" if several else ""


@count.command("close")
def close(name: Name, site: SiteCode = None, token: Token = None) -> None:
    """Close a count: compare what was read with the books."""
    with acting(token) as (engine, actor), progress():
        with reading(engine, actor) as connection:
            count_id = count_named(connection, actor, name)
        close_count(engine, actor, count_id, site or _site(name, actor))
    show(name, None, 20, None, None, token)


@count.command("abandon")
def abandon(
    name: Name,
    because: Annotated[str, typer.Option(help="Why")],
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Give up a count that was opened by mistake or broken off."""
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            count_id = count_named(connection, actor, name)
        request = AbandonCount(site=site or _site(name, actor), because=because)
        abandon_count(engine, actor, count_id, request)
    out.print(f"{name}: abandoned.", markup=False)


SHOWN = tuple(kind for kind in Kind if kind not in (Kind.MATCHED, Kind.QUANTITY_MATCHED))
"""What is shown of a count's findings where nothing else is asked for."""


@count.command("show")
def show(
    name: Name,
    kind: Annotated[Kind | None, typer.Option(help="Only findings of this kind")] = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show how far a count is; of a closed one what it found, but for what agrees. As a file: all of it."""
    with reading_as(token) as (connection, actor):
        count_id = count_named(connection, actor, name)
        shown = read_count(connection, actor, count_id)

        def every() -> Any:
            return every_row(lambda size, cursor: list_findings(connection, actor, count_id, kind, size, cursor))

        if csv or xlsx:
            write_report(csv, xlsx, FindingRow, every())
            return
        asked = [kind] if kind else SHOWN
        pages = [list_findings(connection, actor, count_id, one, limit) for one in asked]
    row = shown.count
    out.print(
        f"{row.name}: {row.state}, {row.of}, by {row.method}, {counted(row.lines, 'line', 'lines')}", markup=False
    )
    if row.override:
        out.print(f"allowed though against the rule: {row.override}", markup=False)
    if shown.findings:
        figures = ", ".join(f"{number:,} {what}" for what, number in shown.findings.items())
        out.print(figures, markup=False)
        headings = ("", "line", "read", "model", "serial number", "expected", "counted", "in the books on", "document")
        show_table(headings, (_finding(one) for page in pages for one in page.rows), "Nothing to show.")
        if any(page.cursor for page in pages):
            out.print("... and more: --limit shows up to 1000 of each; --csv and --xlsx write all.")


def _finding(one: FindingRow) -> Sequence[object]:
    model = f"{one.model}, lot {one.lot}" if one.lot else one.model
    return (
        one.kind, one.line, one.scan, model, one.serial_number, one.expected, one.counted, one.account, one.document_number,
    )  # fmt: skip


@count.command("lines")
def show_lines(name: Name, limit: Limit = 100, csv: Csv = None, xlsx: Xlsx = None, token: Token = None) -> None:
    """Show what was read."""
    with reading_as(token) as (connection, actor):
        count_id = count_named(connection, actor, name)
        if csv or xlsx:
            whole = every_row(lambda size, cursor: list_count_lines(connection, actor, count_id, size, cursor))
            write_report(csv, xlsx, CountLineRow, whole)
            return
        page = list_count_lines(connection, actor, count_id, limit)
    headings = ("line", "read", "model", "serial number", "quantity", "seal", "how", "when", "by", "again", "doubts")
    rows = (
        (one.line, one.scan, one.model, one.serial_number, one.quantity, one.seal, one.entered, one.counted_at, one.counted_by,
         one.again_of, one.doubts)
        for one in page.rows
    )  # fmt: skip
    show_table(headings, rows, "Nothing was read yet.")
    _more(page.cursor)


@count.command("expected")
def show_expected(name: Name, limit: Limit = 500, token: Token = None) -> None:
    """Show what the books have where a count is held that is not blind."""
    with reading_as(token) as (connection, actor):
        page = list_expected(connection, actor, count_named(connection, actor, name), limit)
    headings = ("model", "serial number", "tag", "quantity", "on", "read")
    rows = ((one.model, one.serial_number, one.asset_tag, one.quantity, one.account, one.line) for one in page.rows)
    show_table(headings, rows, "The books have nothing there.")
    _more(page.cursor)


@count.command("list")
def show_counts(
    state: Annotated[State | None, typer.Option(help="Only open, closing, closed or abandoned ones")] = None,
    site: Annotated[str | None, typer.Option(help="Only of this site")] = None,
    limit: Limit = 100,
    token: Token = None,
) -> None:
    """List counts, the last opened first."""
    with reading_as(token) as (connection, actor):
        page = list_counts(connection, actor, site, state, limit)
    headings = ("count", "of", "by", "reason", "counters", "opened", "state", "lines", "closed")
    rows = (
        (
            one.name,
            one.of,
            one.method,
            one.reason,
            ", ".join(one.counters),
            one.opened_at,
            one.state,
            one.lines,
            one.closed_at,
        )
        for one in page.rows
    )
    show_table(headings, rows, "Nothing was counted yet.")
    _more(page.cursor)


@count.command("due")
def show_due(
    overdue: Annotated[bool, typer.Option(help="Only what is overdue")] = False,
    site: Annotated[str | None, typer.Option(help="Only of this site")] = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show which accounts are to be counted by serial number, and when."""
    with reading_as(token) as (connection, actor):
        only = True if overdue else None
        if csv or xlsx:
            write_report(
                csv, xlsx, DueRow, every_row(lambda size, cursor: list_due(connection, actor, site, only, size, cursor))
            )
            return
        page = list_due(connection, actor, site, only, limit)
    headings = ("site", "account", "weapons", "last counted", "due", "days overdue", "every", "who says so")
    rows = (
        (one.site, one.account, one.weapons, one.last_counted_at or "never", one.due_on or "now", one.days_overdue,
         f"{one.every_days} days", _source(one))
        for one in page.rows
    )  # fmt: skip
    show_table(headings, rows, "Nothing is to be counted.")
    _more(page.cursor)


def _source(row: DueRow | PeriodRow) -> str:
    return f"{row.source} (from memory)" if row.unverified else row.source


@period.command("list")
def show_periods(token: Token = None) -> None:
    """List the periods, with who says so."""
    with reading_as(token) as (connection, actor):
        rows = list(every_row(lambda size, cursor: list_periods(connection, actor, None, size, cursor)))
    headings = ("period", "what", "held by", "category", "by", "days", "binds", "who says so")
    show_table(
        headings,
        ((p.code, p.what, p.held_by, p.security_risk_category, p.method, p.days, p.binds, _source(p)) for p in rows),
        "There are none.",
    )


@period.command("set")
def set_period(
    code: Annotated[str, typer.Argument(help="e.g. unit-monthly; a new one adds a period")],
    what: Annotated[str, typer.Option(help="What is counted, and how")],
    source: Annotated[str, typer.Option(help="Who says so")],
    days: Annotated[int | None, typer.Option(help="At the latest after so many days; left out: at an event")] = None,
    held_by: Annotated[str | None, typer.Option(help="unit or depot; left out: both")] = None,
    category: Annotated[str | None, typer.Option(help="Security risk category; left out: any")] = None,
    method: Annotated[str, typer.Option(help="serial, or quantity")] = "serial",
    unverified: Annotated[bool, typer.Option("--unverified", help="From memory")] = False,
    binds: Annotated[bool, typer.Option("--binds/--binds-not", help="Whether what is due is judged by it")] = True,
    token: Token = None,
) -> None:
    """Say how often something is counted; a registrar's to say."""
    asked = {
        "what": what, "source": source, "days": days, "held_by": held_by, "security_risk_category": category,
        "method": method, "unverified": unverified, "binds": binds,
    }  # fmt: skip
    with reading_as(token) as (connection, actor):
        keep_period(connection, actor, code, Period.model_validate(asked))
    out.print(f"{code}: kept.", markup=False)


@seal.command("add")
def add_seal(
    number: Annotated[str, typer.Argument(help="The number on the seal")],
    scans: Annotated[list[str] | None, typer.Argument(help="Each weapon in the container")] = None,
    container: Annotated[str | None, typer.Option(help="What is written on the container")] = None,
    counted_by: Annotated[
        str | None,
        typer.Option("--count", metavar="COUNT", help="Instead of scans: what this count read in the container"),
    ] = None,
    store: Annotated[str | None, typer.Option(help="In which store it stands")] = None,
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Seal a container over the weapons in it."""
    with acting(token) as (engine, actor):
        count_id: UUID | None = None
        if counted_by is not None:
            with reading(engine, actor) as connection:
                count_id = count_named(connection, actor, counted_by)
        asked = {
            "number": number, "weapons": scans or (), "container": container, "count_id": count_id, "store": store, "site": site,
        }  # fmt: skip
        seal_id = seal_container(engine, actor, SealContainer.model_validate(asked))
        with reading(engine, actor) as connection:
            row = read_seal(connection, actor, seal_id)
    out.print(f"{row.number}: {counted(row.weapons, 'weapon', 'weapons')} sealed in {row.store}.", markup=False)


@seal.command("break")
def break_a_seal(number: str, at: Moment = None, site: SiteCode = None, token: Token = None) -> None:
    """Say that a seal was found broken, or was opened; without --at: now."""
    request = BreakSeal.model_validate({"number": number, "broken_at": _in_utc(at), "site": site})
    with acting(token) as (engine, actor):
        break_seal(engine, actor, request)
    out.print(f"{number}: broken. What was under it is counted by serial number from now on.", markup=False)


@seal.command("list")
def show_seals(
    text: Annotated[str | None, typer.Argument(help="Part of the number, or of what is on the container")] = None,
    broken: Annotated[bool | None, typer.Option("--broken/--unbroken", help="Only such")] = None,
    site: Annotated[str | None, typer.Option(help="Only of this site")] = None,
    limit: Limit = 100,
    token: Token = None,
) -> None:
    """List seals by number."""
    with reading_as(token) as (connection, actor):
        page = list_seals(connection, actor, site, broken, text, limit)
    headings = ("seal", "site", "store", "container", "weapons", "sealed", "by", "broken")
    rows = (
        (one.number, one.site, one.store, one.container, one.weapons, one.sealed_at, one.sealed_by, one.broken_at)
        for one in page.rows
    )
    show_table(headings, rows, "There are no such seals.")
    _more(page.cursor)


def _site(name: str, actor: Actor) -> str | None:
    """The site that a count's name says, for who is bound to none."""
    site, slash, _ = name.partition("/")
    return site if slash and actor.site is None else None


def _more(cursor: str | None) -> None:
    if cursor:
        out.print("... and more: --limit shows up to 1000.")


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
