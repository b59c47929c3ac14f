"""Registers and audits: the lists that were taken in, line by line, and what comparing two of them found, difference by difference."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.audit_file import audit_file
from api.dependencies import Asker, Cursor, Database
from api.pages import address, may, templates
from api.pages.listing import (
    CHOOSE,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    hidden_filter,
    site_filter,
    table,
    text_filter,
)
from api.v1.registers import show_kept_rejects, show_rejects
from api.words import N_
from stockpile.db.tables.audits import JUDGED, KINDS, MATCHED, NOT_JUDGED
from stockpile.errors import Fault, Invalid
from stockpile.reports import audits as audit_report
from stockpile.reports import registers as register_report
from stockpile.reports.audits import (
    AuditRow,
    AuditShown,
    Change,
    Finding,
    ModelTotal,
    audit_called,
    list_audits,
    list_changes,
    list_findings,
    read_audit,
)
from stockpile.reports.judgements import JUDGEMENT_ORDERS, JudgementRow, list_judgements
from stockpile.reports.keyset import Page, page_of
from stockpile.reports.pages import cursor_of
from stockpile.reports.registers import Lines, RegisterLine, RegisterRow, Sought, list_registers, read_register
from stockpile.rights import COMPARE, IMPORT_REGISTER, READ_PEOPLE, RIGHTS, WRITE_CASES, Actor, reading, require
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
    ways=(
        Way(N_("Take in a list"), "/registers/new", RIGHTS[IMPORT_REGISTER]),
        Way(N_("Compare two lists"), "/audits/new", RIGHTS[COMPARE]),
    ),
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
    line: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    case: str = "",
) -> Response:
    """One register with a page of its lines as they stood in the file; with `line` from that one on. `case`: a line is to be chosen that
    a case is about.
    """
    if cursor is None and line is not None and line > 1:
        cursor = cursor_of(str(line - 1))
    may_choose = may(actor, WRITE_CASES)
    choosing = may_choose and case == CHOOSE
    with reading(engine, actor) as connection:
        found = read_register(connection, actor, register_id, lines, LINES_SHOWN, cursor)
    shown = {
        "register": found.register,
        "lines": table(
            (*_columns(found.headings), *_case_columns(register_id, choosing)), found.lines, N_("It has no such line.")
        ),
        "which": lines,
        "from_line": line,
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


def called(row: AuditRow) -> str:
    """How a run of an audit is called."""
    return f"{row.name}#{row.run}"


def findings_of(row: AuditRow, kind: str, **more: str) -> str:
    """The address of an audit's findings of a kind."""
    return address("/audits/findings", audit=called(row), kind=kind, **more)


def _asked_anew(found: AuditShown) -> str:
    """The form of another run of the name, as this one was asked for."""
    sources = {"left": found.left_source, "right": found.right_source}
    given = {f"{hand}_{name}": value for hand, source in sources.items() for name, value in source.items()}
    return address("/audits/new", name=found.audit.name, **given)


LABELS = {
    "matched": N_("Matched"),
    "conflicting": N_("Conflicting"),
    "only left": N_("Only left"),
    "only right": N_("Only right"),
    "repeated left": N_("Repeated left"),
    "repeated right": N_("Repeated right"),
    "incomplete left": N_("Incomplete left"),
    "incomplete right": N_("Incomplete right"),
    "near match": N_("Near matches"),
    "quantity matched": N_("Quantities that match"),
    "quantity differs": N_("Quantities that differ"),
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
    ways=(
        Way(N_("Compare two lists"), "/audits/new", RIGHTS[COMPARE]),
        Way(N_("Take in a list"), "/registers/new", RIGHTS[IMPORT_REGISTER]),
    ),
)


def _findings(connection: Connection, actor: Actor, asked: Asked) -> Page[Finding]:
    require(actor, READ_PEOPLE)
    values = dict(asked.values)
    values.pop("audit", None)
    return list_findings(
        connection,
        actor,
        _audit_asked(connection, asked),
        **values,
        limit=asked.limit,
        cursor=asked.cursor,
        order=asked.order,
    )


def _item(finding: Finding) -> str | None:
    item = finding.left_item or finding.right_item
    return f"/weapons/{item}" if item else None


def _line(register: UUID | None, line: int | None) -> str | None:
    return address(f"/registers/{register}", line=line) + "#lines" if register and line else None


def _judged(finding: Finding) -> str | None:
    return finding.judged or NOT_JUDGED if finding.kind == "near match" else None


def _near(finding: Finding) -> str | None:
    return f"/audits/{finding.audit_id}/near-matches/{finding.number}" if finding.kind == "near match" else None


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
        Column("left_line", N_("Line left"), "number", lambda row: _line(row.left_register, row.left_line)),
        Column("right_line", N_("Line right"), "number", lambda row: _line(row.right_register, row.right_line)),
        Column("judged", N_("Judged"), "term", _near, read=_judged, sparse=True),
        Column("left_quantity", N_("Pieces left"), "number"),
        Column("right_quantity", N_("Pieces right"), "number"),
        Column("times", N_("Times"), "number"),
        Column("why", N_("Why")),
        Column("left_says", N_("Left says")),
        Column("right_says", N_("Right says")),
        Column("reason", N_("Reason"), sparse=True),
    ),
    filters=(
        text_filter(N_("Serial number or holder")),
        choice_filter("kind", N_("What"), KINDS),
        choice_filter("judged", N_("Near matches judged"), (NOT_JUDGED, *JUDGED)),
        Filter("model", N_("Model"), help=N_("Its whole name, such as AKM")),
        hidden_filter("audit", N_("Audit"), fixed=True),
    ),
    empty=N_("Nothing of this kind was found."),
    ask=_findings,
    orders=audit_report.FINDING_ORDERS,
)


def _audit_asked(connection: Connection, asked: Asked) -> UUID:
    name = asked.values.get("audit")
    if name is None:
        raise Invalid(
            sentence("Say of which audit."), [Fault(sentence("its name, such as 3rd Division#2"), field="audit")]
        )
    return audit_called(connection, name)


def _every_change(connection: Connection, actor: Actor, asked: Asked) -> list[Change]:
    require(actor, READ_PEOPLE)
    before = asked.values.get("before")
    since = audit_called(connection, before) if before else None
    every = list_changes(connection, actor, _audit_asked(connection, asked), since)
    return [one for one in every if asked.values.get("change") in (None, one.change)]


def _changes(connection: Connection, actor: Actor, asked: Asked) -> Page[Change]:
    every = _every_change(connection, actor, asked)
    places = {id(one): f"{place:09}" for place, one in enumerate(every)}
    return page_of(every, lambda one: (places[id(one)],), asked.limit, asked.cursor, asked.order, CHANGE_ORDERS)


CHANGE_ORDERS = (
    "change", "kind", "model", "serial_number", "held_by", "left_before", "right_before", "left_now", "right_now",
)  # fmt: skip


CHANGES = Listing(
    path="/audits/changes",
    name="audit-changes",
    title=N_("What changed since the run before"),
    question=N_("Which differences are new, which are settled, and which quantities changed?"),
    row=Change,
    columns=(
        Column("change", N_("What"), "term"),
        Column("kind", N_("Finding"), "term"),
        Column("model", N_("Model")),
        Column("serial_number", N_("Serial number"), "code", lambda row: address("/search", q=row.serial_number)),
        Column("held_by", N_("Held by"), "person"),
        Column("left_before", N_("Left before"), "number"),
        Column("right_before", N_("Right before"), "number"),
        Column("left_now", N_("Left now"), "number"),
        Column("right_now", N_("Right now"), "number"),
    ),
    filters=(
        choice_filter("change", N_("What"), ("new", "settled", "changed")),
        Filter("before", N_("Since the run"), help=N_("Its name and number, such as 3rd Division#1; left out: the run before")),
        hidden_filter("audit", N_("Audit"), fixed=True),
    ),
    empty=N_("Nothing changed."),
    ask=_changes,
    every=_every_change,
    orders=CHANGE_ORDERS,
)  # fmt: skip


def _judgements(connection: Connection, actor: Actor, asked: Asked) -> Page[JudgementRow]:
    require(actor, READ_PEOPLE)
    return list_judgements(connection, actor, _audit_asked(connection, asked), asked.limit, asked.cursor, asked.order)


JUDGEMENTS = Listing(
    path="/audits/judgements",
    name="audit-judgements",
    title=N_("Near matches that were judged"),
    question=N_("Which numbers are one weapon, misread, and which are two: who says so, and why?"),
    row=JudgementRow,
    columns=(
        Column("judged", N_("Judged"), "term"),
        Column("model", N_("Model")),
        Column("left_key", N_("Left"), "code", lambda row: address("/search", q=row.left_key)),
        Column("right_key", N_("Right"), "code", lambda row: address("/search", q=row.right_key)),
        Column("reason", N_("Reason")),
        Column("judged_by", N_("Judged by"), "person"),
        Column("recorded_at", N_("Recorded"), "moment"),
        Column("run", N_("In run"), "number", lambda row: f"/audits/{row.audit_id}"),
    ),
    filters=(hidden_filter("audit", N_("Audit"), fixed=True),),
    empty=N_("No near match was judged yet."),
    ask=_judgements,
    orders=JUDGEMENT_ORDERS,
)


def _by_model(row: AuditRow) -> tuple[Column, ...]:
    def findings(total: ModelTotal) -> str | None:
        # What agrees is kept without its model, and the smallest totals under no name.
        named = total.model and total.model != "others" and total.kind != MATCHED
        return (
            findings_of(row, total.kind, model=total.model) if named and total.model else findings_of(row, total.kind)
        )

    return (
        Column("kind", N_("What"), "term"),
        Column("model", N_("Model")),
        Column("findings", N_("Findings"), "number", findings),
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


@router.get("/audits/changes", response_class=HTMLResponse)
def audit_changes(request: Request, engine: Database, actor: Asker) -> Response:
    """What changed since an audit was made before."""
    return answer_list(CHANGES, request, engine, actor)


@router.get("/audits/judgements", response_class=HTMLResponse)
def audit_judgements(request: Request, engine: Database, actor: Asker) -> Response:
    """What was said of near matches."""
    return answer_list(JUDGEMENTS, request, engine, actor)


@router.get("/audits/{audit_id}/file", response_class=Response)
def whole_audit(audit_id: UUID, engine: Database, actor: Asker) -> Response:
    """All of an audit as one file of JSON."""
    return audit_file(engine, actor, audit_id)


@router.get("/registers/{register_id}/rejects", response_class=Response)
def register_rejects(register_id: UUID, engine: Database, actor: Asker) -> Response:
    """The rows of a register that were set aside, as a file to be mended."""
    return show_rejects(register_id, engine, actor)


@router.get("/rejects/{sha256}", response_class=Response)
def refused_rows(sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], actor: Asker) -> Response:
    """All rows for which a list was refused, as a file to be mended."""
    return show_kept_rejects(sha256, actor)


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
        "near_open": findings_of(row, "near match", judged=NOT_JUDGED),
        "near_judged": row.near_match and found.judged_since,
        "found": found,
        "changes": address("/audits/changes", audit=called(row)) if found.before else None,
        "judgements": address("/audits/judgements", audit=called(row)),
        "anew": _asked_anew(found),
        "by_model": table(_by_model(row), found.by_model[:200], N_("Nothing was found.")),
        "sides": (
            (N_("Left"), row.left, found.left_side, found.left_source),
            (N_("Right"), row.right, found.right_side, found.right_source),
        ),
    }
    response: Response = templates.TemplateResponse(request, "audit.html", shown)
    return response
