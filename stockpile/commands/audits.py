"""Audits: compare two lists, look at what was found, and what changed since."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from pydantic_core import to_json

from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.options import pairs
from stockpile.commands.shown import counted, new_group, out, progress, show_table
from stockpile.db.tables.audits import JUDGED, KINDS
from stockpile.registers.audits import MakeAudit, make_audit
from stockpile.registers.judgements import Judge, judge
from stockpile.reports.audits import (
    Change,
    Finding,
    audit_called,
    changed,
    every_finding,
    list_audits,
    list_changes,
    list_findings,
    read_audit,
)
from stockpile.rights import reading

audit = new_group("Comparisons of two lists, kept under a name to be made again.")

Kind = StrEnum("Kind", {kind.replace(" ", "_").upper(): kind for kind in KINDS})  # type: ignore[misc]
Judgement = StrEnum("Judgement", {judged.upper(): judged for judged in JUDGED})  # type: ignore[misc]
SideOption = (
    "site=TAJI, unit=1-COY, donor=USA, consignment=..., account=..., happened_by=..., recorded_by=...; repeated"
)
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead of tables")]
Called = Annotated[str, typer.Argument(metavar="AUDIT", help="Its name (the last run), NAME#RUN, or its key")]


def reconcile(
    name: Annotated[str, typer.Argument(help="How the audit is called; the same name again is another run")],
    left: Annotated[list[str] | None, typer.Option(help=f"register=NAME, or of the ledger {SideOption}")] = None,
    right: Annotated[list[str] | None, typer.Option(help="In the same words; both left out: as the last run")] = None,
    json: Json = False,
    token: Token = None,
) -> None:
    """Compare two lists and keep what is found: --left register='Issue log 2005' --right site=TAJI. 'ledger=all' is all of it."""
    asked = {"name": name, "left": _side(left, "--left"), "right": _side(right, "--right")}
    with acting(token) as (engine, actor), progress():
        done = make_audit(engine, actor, MakeAudit.model_validate(asked))
    if json:
        typer.echo(to_json(done, indent=2).decode())
        return
    out.print(f"{done.name}, run {done.run}: {done.left['title']} against {done.right['title']}", markup=False)
    rows = [(total.kind, total.findings, total.left_quantity, total.right_quantity) for total in done.totals]
    show_table(("kind", "findings", "left", "right"), rows, "Both are empty.")
    for hand, side in (("left", done.left), ("right", done.right)):
        if side["unreadable"]:
            lines = counted(side["unreadable"], "line", "lines")
            out.print(f"On the {hand} {lines} could not be read, and were compared with nothing.", markup=False)
        if side["unmapped"]:
            names = ", ".join(side["unmapped"][:10])
            out.print(f"On the {hand} nobody has mapped these models; compared by name: {names}.", markup=False)


def _side(given: list[str] | None, option: str) -> dict[str, str] | None:
    if not given:
        return None
    said = pairs(given, option)
    said.pop("ledger", None)
    return said


@audit.command("list")
def show_audits(
    text: Annotated[str | None, typer.Option(help="Part of the name")] = None,
    limit: Annotated[int, typer.Option(help="How many", min=1, max=500)] = 50,
    token: Token = None,
) -> None:
    """List the audits, the newest first."""
    with reading_as(token) as (connection, actor):
        page = list_audits(connection, actor, None, text, limit)
    rows = [
        (f"{one.name}#{one.run}", one.left, one.right, one.matched, one.only_left, one.only_right, one.conflicting, one.quantity_differs,
         one.recorded_at)
        for one in page.rows
    ]  # fmt: skip
    headings = (
        "audit",
        "left",
        "right",
        "matched",
        "only left",
        "only right",
        "conflicting",
        "quantity differs",
        "made at",
    )
    show_table(headings, rows, "No audit was made yet.")


@audit.command("show")
def show_audit(
    called: Called,
    kind: Annotated[Kind | None, typer.Option(help="The findings of this kind")] = None,
    model: Annotated[str | None, typer.Option(help="Of one model")] = None,
    text: Annotated[str | None, typer.Option(help="Part of a serial number or of a holder")] = None,
    limit: Annotated[int, typer.Option(help="How many findings", min=1, max=500)] = 50,
    json: Json = False,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what an audit found: by model, or with --kind its findings."""
    with reading_as(token) as (connection, actor):
        audit_id = audit_called(connection, called)
        wanted = str(kind.value) if kind else None
        if csv or xlsx:
            write_report(csv, xlsx, Finding, every_finding(connection, actor, audit_id, wanted, model, text))
            return
        if json:
            for row in every_finding(connection, actor, audit_id, wanted, model, text):
                typer.echo(to_json(row).decode())
            return
        shown = read_audit(connection, actor, audit_id)
        page = (
            list_findings(connection, actor, audit_id, wanted, model, text, limit) if wanted or model or text else None
        )
    one = shown.audit
    out.print(f"{one.name}, run {one.run}: {one.left} against {one.right}", markup=False)
    if page is None:
        rows_shown = [
            (total.model, total.kind, total.findings, total.left_quantity, total.right_quantity)
            for total in shown.by_model
        ]
        show_table(("model", "kind", "findings", "left", "right"), rows_shown, "Nothing was found.")
        return
    headings = (
        "kind",
        "number",
        "model",
        "serial number",
        "held by",
        "left row",
        "right row",
        "left",
        "right",
        "why",
        "left says",
        "right says",
    )
    found = [
        (row.kind, row.number, row.model, row.serial_number, row.held_by, row.left_line, row.right_line, row.left_quantity,
         row.right_quantity, f"{row.why} ({row.judged})" if row.judged else row.why, row.left_says, row.right_says)
        for row in page.rows
    ]  # fmt: skip
    show_table(headings, found, "Nothing of the kind was found.")
    if page.cursor:
        out.print("... and more: --limit, or --csv for all.")


@audit.command("judge")
def judge_near_match(
    called: Called,
    number: Annotated[int, typer.Argument(help="Of the near match, as 'audit show --kind 'near match'' has it", min=1)],
    judged: Annotated[Judgement, typer.Argument(help="One weapon, misread, or two")],
    reason: Annotated[str, typer.Option(help="What shows it; kept for ever")],
    token: Token = None,
) -> None:
    """Say what a near match is: it holds in every later run of the audit's name."""
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            audit_id = audit_called(connection, called)
        judge(engine, actor, audit_id, number, Judge.model_validate({"judged": judged.value, "reason": reason}))
    out.print(f"Near match {number}: {judged.value}. The next run takes it into account.")


@audit.command("changes")
def show_changes(
    called: Called,
    before: Annotated[str | None, typer.Option(help="Since this audit; left out: the run before")] = None,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what is new and what is settled since an audit was made before."""
    with reading_as(token) as (connection, actor):
        earlier = audit_called(connection, before) if before else None
        changes = list_changes(connection, actor, audit_called(connection, called), earlier)
    if csv or xlsx:
        write_report(csv, xlsx, Change, changes)
        return
    headings = (
        "change",
        "kind",
        "model",
        "serial number",
        "held by",
        "left before",
        "right before",
        "left now",
        "right now",
    )
    rows = [
        (one.change, one.kind, one.model, one.serial_number, one.held_by, one.left_before, one.right_before, one.left_now, one.right_now)
        for one in changes[:500]
    ]  # fmt: skip
    show_table(headings, rows, "Nothing changed.")
    counts = changed(changes)
    out.print(f"{counts['new']:,} new, {counts['settled']:,} settled, {counts['changed']:,} changed.")
