"""Registers and audits: the lists that were taken in, line by line, and what comparing two of them found, difference by difference."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Cursor, Database
from api.pages import address, templates
from api.pages.listing import (
    CHOOSE,
    Asked,
    Column,
    Filter,
    Listing,
    answer_list,
    choice_filter,
    hidden_filter,
    site_filter,
    table,
    text_filter,
)
from api.words import N_
from stockpile.db.tables.audits import KINDS
from stockpile.errors import Fault, Invalid
from stockpile.reports import audits as audit_report
from stockpile.reports import registers as register_report
from stockpile.reports.audits import AuditRow, Finding, audit_called, list_audits, list_findings, read_audit
from stockpile.reports.keyset import Page
from stockpile.reports.registers import Lines, RegisterLine, RegisterRow, Sought, list_registers, read_register
from stockpile.rights import READ_PEOPLE, RIGHTS, WRITE_CASES, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

LINES_SHOWN = 40
COLUMNS_SHOWN = 12
"""A wide list shows its first columns; the file has all."""


def _registers(connection: Connection, actor: Actor, asked: Asked) -> Page[RegisterRow]:
    return list_registers(connection, actor, Sought(**asked.values), asked.limit, asked.cursor, asked.order)


def _register(row: RegisterRow) -> str:
    return f"/registers/{row.register_id}"


def _set_aside(row: RegisterRow) -> str | None:
    return address(_register(row), lines="rejected") if row.rejected_count else None


REGISTERS = Listing(
    path="/registers",
    name="registers",
    title=N_("Registers"),
    question=N_("Which lists were taken in, by whom, and which of their rows could not be read?"),
    row=RegisterRow,
    columns=(
        Column("name", N_("Register"), link=_register),
        Column("kind", N_("Kind"), "term"),
        Column("site", N_("Site"), "code"),
        Column("donor", N_("Donor"), "code"),
        Column("as_of", N_("Speaks of"), "moment"),
        Column("recorded_at", N_("Recorded"), "moment"),
        Column("imported_by", N_("Taken in by"), "person"),
        Column("line_count", N_("Lines"), "number", _register),
        Column("rejected_count", N_("Set aside"), "number", _set_aside),
        Column("document_number", N_("Document"), "code", lambda row: f"/documents/{row.document_id}"),
    ),
    filters=(
        text_filter(N_("Name, or name of its file")), Filter("kind", N_("Kind")), Filter("donor", N_("Donor"), help=N_("Its code")),
        site_filter(),
    ),
    empty=N_("No list was taken in."),
    ask=_registers,
    orders=register_report.ORDERS,
    default="-recorded_at",
)  # fmt: skip


@router.get("/registers", response_class=HTMLResponse)
def registers(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of registers."""
    return answer_list(REGISTERS, request, engine, actor)


@router.get("/registers/{register_id}", response_class=HTMLResponse)
def register(
    register_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    lines: Lines = Lines.ALL,
    cursor: Cursor = None,
    case: str = "",
) -> Response:
    """One register with a page of its lines as they stood in the file. `case`: a line is to be chosen that a case is about."""
    may_choose = actor.role in RIGHTS[WRITE_CASES]
    choosing = may_choose and case == CHOOSE
    with reading(engine, actor) as connection:
        found = read_register(connection, actor, register_id, lines, LINES_SHOWN, cursor)
    shown = {
        "register": found.register,
        "lines": table(
            (*_columns(found.headings), *_case_columns(register_id, choosing)), found.lines, N_("It has no such line.")
        ),
        "which": lines,
        "choices": list(Lines),
        "hidden_columns": max(len(found.headings) - COLUMNS_SHOWN, 0),
        "next_page": (
            address(request.url.path, lines=lines, cursor=found.cursor, case=case if choosing else None)
            if found.cursor
            else None
        ),
        "choose_for_case": (
            address(request.url.path, lines=lines, cursor=cursor, case=CHOOSE) if may_choose and not choosing else None
        ),
    }
    response: Response = templates.TemplateResponse(request, "register.html", shown)
    return response


def _case_columns(register_id: UUID, choosing: bool) -> tuple[Column, ...]:
    """A way to a case about each line."""

    def form(line: RegisterLine) -> str:
        return address("/cases/new", register_id=register_id, line=line.line)

    return (Column("case", N_("Case"), "term", form, read=lambda line: N_("Open a case")),) if choosing else ()


def _columns(headings: list[str]) -> tuple[Column, ...]:
    """The columns of a list as its own file calls them, after what became of each line."""

    def cell(number: int, heading: str) -> Column:
        def read(line: RegisterLine) -> str | None:
            return line.cells[number] if number < len(line.cells) else None

        return Column(f"cell {number}", heading or f"{number + 1}", read=read)

    return (
        Column("line", N_("Line"), "number", lambda line: f"/weapons/{line.item_id}" if line.item_id else None),
        *(cell(number, heading) for number, heading in enumerate(headings[:COLUMNS_SHOWN])),
        Column("rejected", N_("Set aside because")),
        Column("doubts", N_("Doubts")),
    )


def _audits(connection: Connection, actor: Actor, asked: Asked) -> Page[AuditRow]:
    return list_audits(
        connection, actor, asked.values.get("site"), asked.values.get("text"), asked.limit, asked.cursor, asked.order
    )


def _audit(row: AuditRow) -> str:
    return f"/audits/{row.audit_id}"


def _kind(kind: str, label: str) -> Column:
    """How many findings of a kind, a way to them."""
    name = kind.replace(" ", "_")
    return Column(name, label, "number", lambda row: findings_of(row, kind) if getattr(row, name) else None)


def findings_of(row: AuditRow, kind: str) -> str:
    """The address of an audit's findings of a kind."""
    return address("/audits/findings", audit=f"{row.name}#{row.run}", kind=kind)


LABELS = {
    "matched": N_("Matched"),
    "conflicting": N_("Conflicting"),
    "only left": N_("Only left"),
    "only right": N_("Only right"),
    "repeated left": N_("Repeated left"),
    "repeated right": N_("Repeated right"),
    "incomplete left": N_("Incomplete left"),
    "incomplete right": N_("Incomplete right"),
}
AUDITS = Listing(
    path="/audits",
    name="audits",
    title=N_("Audits"),
    question=N_("Which two lists were compared, and how many differences of each kind were found?"),
    row=AuditRow,
    columns=(
        Column("name", N_("Audit"), link=_audit),
        Column("run", N_("Run"), "number", _audit),
        Column("left", N_("Left")),
        Column("right", N_("Right")),
        *(_kind(kind, label) for kind, label in LABELS.items()),
        Column("made_by", N_("Made by"), "person"),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(text_filter(N_("Name")), site_filter()),
    empty=N_("No two lists were compared yet."),
    ask=_audits,
    orders=audit_report.ORDERS,
    default="-recorded_at",
)


def _findings(connection: Connection, actor: Actor, asked: Asked) -> Page[Finding]:
    require(actor, READ_PEOPLE)
    values = dict(asked.values)
    name = values.pop("audit", None)
    if name is None:
        raise Invalid(
            sentence("Say of which audit."), [Fault(sentence("its name, such as 3rd Division#2"), field="audit")]
        )
    return list_findings(
        connection,
        actor,
        audit_called(connection, name),
        **values,
        limit=asked.limit,
        cursor=asked.cursor,
        order=asked.order,
    )


def _item(finding: Finding) -> str | None:
    item = finding.left_item or finding.right_item
    return f"/weapons/{item}" if item else None


FINDINGS = Listing(
    path="/audits/findings",
    name="audit-findings",
    title=N_("Findings of an audit"),
    question=N_("Where do the two lists agree, and where do they differ?"),
    row=Finding,
    columns=(
        Column("kind", N_("What"), "term"),
        Column("model", N_("Model")),
        Column("serial_number", N_("Serial number"), "code", _item),
        Column("held_by", N_("Held by"), "person"),
        Column("left_line", N_("Line left"), "number"),
        Column("right_line", N_("Line right"), "number"),
        Column("left_quantity", N_("Pieces left"), "number"),
        Column("right_quantity", N_("Pieces right"), "number"),
        Column("times", N_("Times"), "number"),
        Column("why", N_("Why")),
        Column("left_says", N_("Left says")),
        Column("right_says", N_("Right says")),
    ),
    filters=(
        text_filter(N_("Serial number or holder")),
        choice_filter("kind", N_("What"), KINDS),
        Filter("model", N_("Model"), help=N_("Its whole name, such as AKM")),
        hidden_filter("audit", N_("Audit"), fixed=True),
    ),
    empty=N_("Nothing of this kind was found."),
    ask=_findings,
    orders=audit_report.FINDING_ORDERS,
)

BY_MODEL = (
    Column("kind", N_("What"), "term"),
    Column("model", N_("Model")),
    Column("findings", N_("Findings"), "number"),
    Column("left_quantity", N_("Pieces left"), "number"),
    Column("right_quantity", N_("Pieces right"), "number"),
)


@router.get("/audits", response_class=HTMLResponse)
def audits(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of audits."""
    return answer_list(AUDITS, request, engine, actor)


@router.get("/audits/findings", response_class=HTMLResponse)
def audit_findings(request: Request, engine: Database, actor: Asker) -> Response:
    """What one audit found."""
    return answer_list(FINDINGS, request, engine, actor)


@router.get("/audits/{audit_id}", response_class=HTMLResponse)
def audit(audit_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One audit: its two sides, and its findings by kind and model."""
    with reading(engine, actor) as connection:
        found = read_audit(connection, actor, audit_id)
    row = found.audit
    figures = [(label, getattr(row, kind.replace(" ", "_")), findings_of(row, kind)) for kind, label in LABELS.items()]
    shown: dict[str, Any] = {
        "audit": row,
        "figures": figures,
        "by_model": table(BY_MODEL, found.by_model[:200], N_("Nothing was found.")),
        "sides": ((N_("Left"), row.left, found.left_source), (N_("Right"), row.right, found.right_source)),
    }
    response: Response = templates.TemplateResponse(request, "audit.html", shown)
    return response
