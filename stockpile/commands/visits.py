"""End-use monitoring at a terminal: visits, their answers, holders' reports, plans; as the person of a token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection, Engine

from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.monitoring import DAY, Limit, day_of, show_report
from stockpile.commands.options import pairs
from stockpile.commands.shown import new_group, out, show_table
from stockpile.donors.dispositions import ReportDispositions, report_dispositions
from stockpile.donors.files import remember_file
from stockpile.donors.physical_security import checklist
from stockpile.donors.plans import MonitoringPlan, keep_plan
from stockpile.donors.statements import StatementWritten
from stockpile.donors.visits import (
    AnswerVisit,
    PlanVisit,
    RecordVisit,
    RefuseVisit,
    answer_visit,
    plan_visit,
    record_visit,
    refuse_visit,
)
from stockpile.errors import Invalid
from stockpile.evidence import judge
from stockpile.files import file_store
from stockpile.reports.export import every_row
from stockpile.reports.routine_visits import RoutineRow, RoutineSought, RoutineVisits, routine_visits_due
from stockpile.reports.visits import (
    VisitLineRow,
    VisitSought,
    list_plans,
    list_visit_lines,
    list_visits,
    read_plan,
    read_visit,
)
from stockpile.rights import DONOR, Actor
from stockpile.settings import read_settings

Key = Annotated[UUID, typer.Argument(metavar="VISIT", help="Its key, as 'stockpile visit list' shows it")]
Said = Annotated[list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="What is said, as in the API")]
Inspector = Annotated[list[str] | None, typer.Option("--inspector", help="Who comes or came; repeated")]
Attach = Annotated[list[Path] | None, typer.Option("--attach", help="A photo or paper; repeated")]

visit = new_group("End-use monitoring: visits of a donor's inspectors, what holders report, plans.")
plan = new_group("How closely which class of models is monitored.")
visit.add_typer(plan, name="plans")


@visit.command("list")
def show_list(
    state: Annotated[str | None, typer.Option(help="planned, overdue, done, refused or reported")] = None,
    site: Annotated[str | None, typer.Option(help="Only this site")] = None,
    donor: Annotated[str | None, typer.Option(help="Only this donor's")] = None,
    differing: Annotated[bool | None, typer.Option("--differing/--agreeing", help="Only these")] = None,
    token: Token = None,
) -> None:
    """Show visits and holders' reports, the newest first."""
    with reading_as(token) as (connection, actor):
        sought = VisitSought(state=state, site=site, donor=donor, differing=differing)
        rows = list_visits(connection, actor, sought, 1000).rows
    columns = (
        "statement_id",
        "number",
        "donor",
        "site",
        "day",
        "state",
        "level",
        "who",
        "read",
        "differences",
        "answered",
    )
    _table(columns, rows, "No visit was planned or made.")


@visit.command("show")
def show(key: Key, csv: Csv = None, xlsx: Xlsx = None, token: Token = None) -> None:
    """Show one with what differs from the ledger; all its lines as a file."""
    with reading_as(token) as (connection, actor):
        found = read_visit(connection, actor, key)
        if csv or xlsx:
            rows = every_row(lambda limit, cursor: list_visit_lines(connection, actor, key, None, None, limit, cursor))
            write_report(csv, xlsx, VisitLineRow, rows)
            return
        differing = list_visit_lines(connection, actor, key, differing=True, limit=1000).rows
    out.print(
        f"{found.row.number} of {found.row.donor} at {found.row.site} on {found.row.day}: {found.row.state}",
        markup=False,
    )
    for name, value in found.content.items():
        if value not in (None, [], "") and name not in ("lines", "day"):
            out.print(f"  {name}: {value}", markup=False)
    if found.answer is not None:
        out.print(f"  answered: {found.answer.content['words']}", markup=False)
    if found.findings:
        out.print(", ".join(f"{number} {finding}" for finding, number in found.findings.items()), markup=False)
    columns = ("line", "read", "model", "serial_number", "finding", "said", "stood", "stood_site", "read_at")
    _table(columns, differing, "Nothing differs from the ledger.")


@visit.command("due")
def show_due(
    site: Annotated[str | None, typer.Option(help="Only this site")] = None,
    donor: Annotated[str | None, typer.Option(help="Only this donor's")] = None,
    category: Annotated[str | None, typer.Option(help="Only this category of models")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model")] = None,
    delinquent: Annotated[bool | None, typer.Option("--delinquent/--in-time", help="Only these")] = None,
    on: Annotated[datetime | None, typer.Option(formats=DAY, help="As of this day; left out: today")] = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show which stores are to be visited by the routine plans, and which of these visits are late."""
    sought, day = RoutineSought(donor, site, category, model, delinquent), day_of(on)

    def ask(connection: Connection, actor: Actor, limit: int | None, cursor: str | None) -> RoutineVisits:
        return routine_visits_due(connection, actor, sought, day, limit, cursor)

    fields = (
        "site",
        "place",
        "store",
        "category",
        "plan",
        "donor",
        "items",
        "value",
        "since",
        "visited_on",
        "due_on",
        "days_late",
    )
    nothing = (
        "No routine visit is due. A plan makes one due once it says within how many days: 'stockpile visit plans set'."
    )
    found = show_report(token, ask, RoutineRow, fields, nothing, limit, csv, xlsx)
    if found is not None:
        out.print(
            f"\nOn {found.on}: {found.delinquent:,} of {found.items:,} items delinquent ({found.delinquent_percent or 0} %), "
            f"worth {found.delinquent_value:,} of {found.value:,} ({found.delinquent_value_percent or 0} %). "
            f"{found.without_value:,} without a value, {found.without_days:,} under plans that say no days.",
            markup=False,
        )


@visit.command("plan")
def make_plan(said: Said = None, inspector: Inspector = None, token: Token = None) -> None:
    """As a donor: plan a visit, with number=, site= and planned_on=."""
    with acting(token) as (engine, actor):
        given: dict[str, Any] = {**pairs(said, "FIELD=VALUE"), "inspectors": inspector or []}
        _told(plan_visit(engine, actor, PlanVisit.model_validate(given)))


@visit.command("record")
def record(
    said: Said = None,
    inspector: Inspector = None,
    read: Annotated[
        list[str] | None, typer.Option("--read", help="A tag or serial number that was read; repeated")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A scan list instead: CSV or XLSX")] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="All enhanced weapons there were to be shown: the others are missing")
    ] = False,
    check: Annotated[list[str] | None, typer.Option(help="POINT=yes, no or 'not seen' of the check; repeated")] = None,
    attach: Attach = None,
    token: Token = None,
) -> None:
    """As a donor: record a visit, with number=, site=, began_at= and ended_at=."""
    with acting(token) as (engine, actor):
        given: dict[str, Any] = {
            **pairs(said, "FIELD=VALUE"), "inspectors": inspector or [], "lines": [{"scan": one} for one in read or ()],
            "complete": complete, "evidence": _evidence(engine, actor, attach),
            "physical_security": [{"point": point, "found": found} for point, found in pairs(check, "--check").items()],
        }  # fmt: skip
        if file is not None:
            given["file"] = {"sha256": _stored(engine, actor, file, evidence=False), "name": file.name[-64:]}
        done = record_visit(engine, actor, RecordVisit.model_validate(given))
    _told(done)
    with reading_as(token) as (connection, actor):
        findings = read_visit(connection, actor, done.statement_id).findings
    out.print(
        ", ".join(f"{number} {finding}" for finding, number in findings.items()) or "Nothing was read.", markup=False
    )


@visit.command("refused")
def refused(said: Said = None, inspector: Inspector = None, attach: Attach = None, token: Token = None) -> None:
    """As a donor: keep that a visit was refused, with number=, site=, refused_on=, refused_by= and why=."""
    with acting(token) as (engine, actor):
        given: dict[str, Any] = {
            **pairs(said, "FIELD=VALUE"), "inspectors": inspector or [], "evidence": _evidence(engine, actor, attach),
        }  # fmt: skip
        _told(refuse_visit(engine, actor, RefuseVisit.model_validate(given)))


@visit.command("answer")
def give_answer(
    key: Key, words: Annotated[str, typer.Argument(help="What the host says")], token: Token = None
) -> None:
    """As the site's commander or a registrar: answer a visit, once."""
    with acting(token) as (engine, actor):
        _told(answer_visit(engine, actor, key, AnswerVisit(words=words)))


@visit.command("report")
def report(
    said: Said = None,
    line: Annotated[
        list[str] | None, typer.Option("--line", help="NUMBER;STATE;DAY: held, expended or lost; repeated")
    ] = None,
    token: Token = None,
) -> None:
    """As the desk of a holder's site: report to a donor, with donor=, number= and unit=."""
    lines = []
    for one in line or ():
        scan, state, day = ([part.strip() for part in one.split(";")] + ["", ""])[:3]
        lines.append({"scan": scan, "state": state, "on": day})
    with acting(token) as (engine, actor):
        request = ReportDispositions.model_validate({**pairs(said, "FIELD=VALUE"), "lines": lines})
        _told(report_dispositions(engine, actor, request))


@visit.command("checklist")
def show_checklist() -> None:
    """Show the points of the check of a store, each with its source."""
    rows = ([one.code, one.what, one.source, "from memory" if one.unverified else ""] for one in checklist())
    show_table(("point", "what", "who says so", ""), rows, "There are none.")


@plan.command("list")
def show_plans(token: Token = None) -> None:
    """Show the plans, a donor's own and the general ones."""
    with reading_as(token) as (connection, actor):
        rows = list_plans(connection, actor, limit=1000).rows
    columns = (
        "code", "donor", "what", "level", "flagged", "category", "security_risk_category", "initial_days", "yearly_days", "binds", "source",
    )  # fmt: skip
    _table(columns, rows, "There are no plans.")


@plan.command("set")
def set_plan(
    code: Annotated[str, typer.Argument(help="e.g. missiles; a new one adds a plan")],
    said: Said = None,
    token: Token = None,
) -> None:
    """Say how closely something is monitored, with what=, initial_days=, yearly_days= and source=: what is not said stays."""
    with reading_as(token) as (connection, actor):
        known = read_plan(connection, actor, code)
        kept = {name: getattr(known, name) for name in MonitoringPlan.model_fields} if known is not None else {}
        request = MonitoringPlan.model_validate({**kept, **pairs(said, "FIELD=VALUE")})
        keep_plan(connection, actor, code, request)
    out.print(f"{code}: kept.", markup=False)


def _table(columns: Sequence[str], rows: Sequence[Any], nothing: str) -> None:
    shown = ([getattr(row, name) for name in columns] for row in rows)
    show_table([name.replace("_", " ") for name in columns], shown, nothing)


def _evidence(engine: Engine, actor: Actor, files: Sequence[Path] | None) -> list[dict[str, str]]:
    return [{"sha256": _stored(engine, actor, file, evidence=True), "name": file.name[-64:]} for file in files or ()]


def _stored(engine: Engine, actor: Actor, file: Path, evidence: bool) -> str:
    settings = read_settings()
    limit = settings.evidence_limit if evidence else settings.upload_limit
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise Invalid(f"{file} can't be read: {problem.strerror}.") from None
    kept = file_store().keep([content], limit, judge if evidence else None).sha256
    if actor.role == DONOR:
        remember_file(engine, actor, kept)
    return kept


def _told(done: StatementWritten) -> None:
    out.print(f"{done.kind} {done.reference}: {done.statement_id}", markup=False)
