"""Cases at the command line: opened, worked off part by part, ended by two people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from stockpile.cases import case as cases
from stockpile.cases.case import AddKind, AddPart, AnswerProposal, AssignCase, OpenCase, Outcome, ProposeOutcome
from stockpile.cases.parts import PartWritten
from stockpile.commands.asking import Token, acting, every_row, reading_as
from stockpile.commands.evidence import EvidenceFiles, stored
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.shown import new_group, out, show_table
from stockpile.reports.cases import CaseRow, CasesSought, CaseState, case_called, list_cases, read_case
from stockpile.rights import reading
from stockpile.sites import day_on_the_walls

case = new_group("Cases: what is looked into, with its evidence, until two people end it.")

Case = Annotated[str, typer.Argument(metavar="CASE", help="As 'stockpile case list' shows, e.g. TAJI/CASE/3")]
Text = Annotated[str | None, typer.Option(help="In words")]
DueOn = Annotated[str | None, typer.Option("--due", metavar="YYYY-MM-DD", help="Until when")]
DocumentNumber = Annotated[str | None, typer.Option(help="The document it speaks of, e.g. TAJI/B/2026/41")]


@case.command("open")
def open_case(
    title: Annotated[str, typer.Argument(help="What is looked into, in a line")],
    discrepancy: Annotated[UUID | None, typer.Option(help="About a discrepancy: its key")] = None,
    weapon: Annotated[str | None, typer.Option(help="About a weapon: its tag or serial number")] = None,
    document: Annotated[str | None, typer.Option(help="About a document: its number")] = None,
    register: Annotated[str | None, typer.Option(help="About a line of a list: the list's name")] = None,
    line: Annotated[int | None, typer.Option(help="Which line of the list")] = None,
    person: Annotated[str | None, typer.Option(help="About a person: the service number")] = None,
    unit: Annotated[str | None, typer.Option(help="About a unit: its code")] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it; left out: who opens it")] = None,
    due: DueOn = None,
    text: Text = None,
    attach: EvidenceFiles = None,
    site: Annotated[str | None, typer.Option(help="Site code; left out: where it is about")] = None,
    reopens: Annotated[str | None, typer.Option(help="The closed case that it takes up again")] = None,
    token: Token = None,
) -> None:
    """Open a case about a discrepancy, weapon, document, line of a list, person or unit."""
    named = {
        "discrepancy": discrepancy, "weapon": weapon, "document": document, "list": register, "line": line,
        "person": person, "unit": unit,
    }  # fmt: skip
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            cited = case_called(connection, actor, reopens) if reopens is not None else None
        request = OpenCase.model_validate(
            {
                "title": title, "subject": {name: value for name, value in named.items() if value is not None},
                "owner": owner, "due_on": due, "text": text, "attachments": _stored(attach), "site": site, "reopens": cited,
            }
        )  # fmt: skip
        opened = cases.open_case(engine, actor, request)
    out.print(f"{opened.case}: opened.", markup=False)


@case.command("list")
def show_cases(
    state: Annotated[CaseState, typer.Option(help="waiting: somebody proposed how it ends")] = CaseState.OPEN,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are overdue")] = False,
    owner: Annotated[str | None, typer.Option(help="Service number of who answers for it")] = None,
    site: Annotated[str | None, typer.Option(help="Of one site: its code")] = None,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show cases, the oldest first."""
    with reading_as(token) as (connection, actor):
        today = day_on_the_walls(connection, actor.time_zone) if overdue else None
        sought = CasesSought(state=state, owner=owner, site=site, due_before=today)
        rows = every_row(lambda cursor: list_cases(connection, actor, sought, 500, cursor))
        if csv is not None or xlsx is not None:
            write_report(csv, xlsx, CaseRow, rows)
            return
        show_table(
            ("case", "title", "state", "outcome", "age", "due", "owner"),
            (
                (one.case, one.title, one.state, one.outcome or "", f"{one.age_days} days", one.due_on, one.owner)
                for one in rows
            ),
            "No case.",
        )


@case.command("show")
def show_case(called: Case, token: Token = None) -> None:
    """Show a case, and part by part what was done in it."""
    with reading_as(token) as (connection, actor):
        found = read_case(connection, actor, case_called(connection, actor, called))
    out.print(
        f"{found.case.case} {found.case.title}: {found.case.state}, {found.case.owner} until {found.case.due_on}",
        markup=False,
    )
    show_table(
        ("part", "when", "what", "by", "in words", "document", "files"),
        (
            (
                part.part, part.recorded_at, " ".join(filter(None, (part.kind, part.outcome))), part.written_by,
                part.text or (f"{part.owner} until {part.due_on}" if part.owner else ""), part.document_number or "",
                len(part.attachments),
            )
            for part in found.parts
        ),
        "Nothing was done in it.",
    )  # fmt: skip


@case.command("add")
def add_part(
    called: Case,
    kind: Annotated[AddKind, typer.Option(help="step: what was looked into, and what was found")] = AddKind.NOTE,
    text: Text = None,
    attach: EvidenceFiles = None,
    document: DocumentNumber = None,
    token: Token = None,
) -> None:
    """Add a step of causative research, a note or evidence."""
    asked = {"kind": kind, "text": text, "attachments": _stored(attach), "document": document}
    _write(token, called, AddPart.model_validate(asked), cases.add_part)


@case.command("assign")
def assign_case(
    called: Case,
    owner: Annotated[str | None, typer.Option(help="Service number of who answers for it from now on")] = None,
    due: DueOn = None,
    text: Text = None,
    token: Token = None,
) -> None:
    """Say who answers for a case, and until when."""
    _write(token, called, AssignCase.model_validate({"owner": owner, "due_on": due, "text": text}), cases.assign_case)


@case.command("propose")
def propose_outcome(
    called: Case,
    outcome: Annotated[Outcome, typer.Argument(help="How it ends")],
    text: Annotated[str, typer.Option(help="The cause, in words")],
    document: DocumentNumber = None,
    token: Token = None,
) -> None:
    """Say how a case should end. It takes a second person."""
    asked = {"outcome": outcome, "text": text, "document": document}
    _write(token, called, ProposeOutcome.model_validate(asked), cases.propose_outcome)


@case.command("close")
def close_case(called: Case, text: Text = None, token: Token = None) -> None:
    """Agree, as the second person: the case ends as proposed."""
    _write(token, called, AnswerProposal(text=text), cases.close_case)


@case.command("decline")
def decline_outcome(called: Case, text: Annotated[str, typer.Option(help="Why not")], token: Token = None) -> None:
    """Do not agree, or take one's own proposal back: the case stays open."""
    _write(token, called, AnswerProposal(text=text), cases.decline_outcome)


def _stored(files: list[Path] | None) -> list[str]:
    return [stored(file) for file in files or ()]


def _write(token: str | None, called: str, request: Any, write: Any) -> None:
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            case_id = case_called(connection, actor, called)
        written: PartWritten = write(engine, actor, case_id, request)
    out.print(f"{written.case}, part {written.part}: {written.kind}.", markup=False)
