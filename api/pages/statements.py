"""Donors and the host: what was declared, certified, consented to and answered; and the registrar's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, may, templates
from api.pages.forms import sent
from api.pages.listing import Asked, Column, Filter, Listing, Way, answer_list, choice_filter, site_filter, table
from api.pages.navigation import HOST
from api.pages.statement_forms import Text
from api.v1.statements import confirmed
from api.words import N_
from stockpile.donors.certificates import send_back
from stockpile.donors.consignments import AcceptDeclaration, accept_declaration, to_settle
from stockpile.donors.statements import (
    ANSWERS,
    ORDERS,
    VISITS,
    SendBack,
    Sought,
    State,
    StatementKind,
    StatementRow,
    StatementShown,
    list_statements,
    need_statement,
    read_statement,
)
from stockpile.donors.verifications import read_progress
from stockpile.keys import new_key
from stockpile.reports.keyset import Page
from stockpile.rights import ANSWER_DONORS, DESK, RIGHTS, ROLES, SIGN_DELIVERIES, TELL_HOST, Actor, reading

router = APIRouter(include_in_schema=False)

DONORS = RIGHTS[TELL_HOST]


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[StatementRow]:
    return list_statements(connection, actor, Sought(**asked.values), asked.limit, asked.cursor, asked.order)


def _page_of(row: StatementRow) -> str:
    return f"/visits/{row.statement_id}" if row.kind in VISITS else f"/statements/{row.statement_id}"


STATEMENTS = Listing(
    path="/statements",
    name="statements",
    title=N_("Donors and the host"),
    question=N_("What did donors declare and certify, and what was answered?"),
    row=StatementRow,
    columns=(
        Column("reference", N_("Number"), "code", _page_of),
        Column("kind", N_("What"), "term"),
        Column("donor", N_("Donor"), "code", roles=HOST),
        Column("site", N_("Site"), "code"),
        Column("recorded_at", N_("Recorded"), "moment"),
        Column("state", N_("State"), "term"),
        Column("reason", N_("Why not"), sparse=True),
    ),
    filters=(
        Filter("reference", N_("Number"), help=N_("Of the consignment or certificate")),
        choice_filter("kind", N_("What"), (kind for kind in StatementKind if kind not in ANSWERS)),
        choice_filter("state", N_("State"), State),
        Filter("donor", N_("Donor"), roles=HOST),
        site_filter(),
    ),
    ways=(
        Way(N_("Declare a consignment"), "/statements/declaration", DONORS),
        Way(N_("Send an end-user certificate"), "/statements/certificate", DONORS),
        Way(N_("Give a consent"), "/statements/consent", DONORS),
        Way(N_("Share a consignment"), "/shared/new", DONORS),
        Way(N_("Shared with you"), "/shared", DONORS),
        Way(N_("Certify a delivery"), "/statements/verification", RIGHTS[SIGN_DELIVERIES]),
        Way(N_("End-use monitoring"), "/visits", frozenset(ROLES)),
    ),
    empty=N_("Nothing was said so."),
    ask=_ask,
    orders=ORDERS,
    default="-recorded_at",
)


@router.get("/statements", response_class=HTMLResponse)
def statements(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of statements."""
    return answer_list(STATEMENTS, request, engine, actor)


MODELS = (
    Column("called", N_("As the donor calls it")),
    Column("model", N_("Model"), none=N_("nobody has said which it is")),
    Column("lines", N_("Lines"), "number"),
    Column("quantity", N_("Pieces"), "number"),
)
TO_SETTLE = (
    Column("row", N_("Line"), "number"),
    Column("model", N_("Model")),
    Column("serial_number", N_("Serial number"), "code"),
    Column("why", N_("Why it waits")),
)
DIFFERENCES = (
    Column("kind", N_("What"), "term", lambda one: f"/discrepancies/{one.discrepancy_id}"),
    Column("model", N_("Model")),
    Column("serial_number", N_("Serial number"), "code", lambda one: f"/weapons/{one.item_id}"),
    Column("opened_at", N_("Opened"), "moment"),
    Column("due_on", N_("To be settled by"), "day"),
)


@router.get("/statements/{statement_id}", response_class=HTMLResponse)
def statement(statement_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What was said, what was answered, and how far its consignment is; a visit has a page of its own."""
    with reading(engine, actor) as connection:
        if read_statement(connection, actor, statement_id).kind in VISITS:
            return RedirectResponse(f"/visits/{statement_id}", 303)
    return _page(request, engine, actor, statement_id, {})


def _page(
    request: Request, engine: Database, actor: Actor, statement_id: UUID, form: Mapping[str, Any], status: int = 200
) -> Response:
    with reading(engine, actor) as connection:
        found = read_statement(connection, actor, statement_id)
        of_consignment = found.kind in (StatementKind.DECLARATION, StatementKind.VERIFICATION)
        progress = read_progress(connection, actor, found.donor, found.reference) if of_consignment else None
        answers = (
            found.state == State.WAITING
            and found.kind != StatementKind.VERIFICATION
            and actor.role in RIGHTS[ANSWER_DONORS]
        )
        waiting = (
            to_settle(connection, need_statement(connection, statement_id))
            if answers and found.kind == StatementKind.DECLARATION
            else None
        )
    shown = {
        "statement": found,
        "facts": facts_of(found),
        "progress": progress,
        "differences": table(DIFFERENCES, progress.differences, N_("Nothing of it is open.")) if progress else None,
        "waiting": waiting,
        "models": table(MODELS, waiting.models, N_("It has no lines.")) if waiting else None,
        "to_settle": table(TO_SETTLE, waiting.rows, N_("Nothing is left to settle.")) if waiting else None,
        "unknown": [model for model in waiting.models if model.model is None] if waiting else [],
        "may_answer": answers,
        "may_sign": found.state == State.WAITING and found.kind == StatementKind.VERIFICATION and actor.role in RIGHTS[SIGN_DELIVERIES],
        "may_withdraw": found.kind == StatementKind.SHARE and found.state == State.GIVEN and may(actor, TELL_HOST),
        "may_certify": found.kind == StatementKind.DECLARATION and found.state == State.ACCEPTED and actor.role in DESK,
        "certify": address("/statements/verification", donor=found.donor, consignment=found.reference),
        "has_file": "file" in found.content or "scan_sha256" in found.content,
        "form": {"faults": {}, "problem": None, "given": {"document_id": str(new_key())}, **form},
    }  # fmt: skip
    response: Response = templates.TemplateResponse(request, "statement.html", shown, status_code=status)
    return response


FACTS = (
    ("partner", N_("Shared with"), "code"),
    ("number", N_("Number"), "code"), ("supplier", N_("Supplier"), "text"), ("end_user", N_("End user"), "text"),
    ("end_use", N_("End use"), "text"), ("units", N_("Units that may have it"), "several"),
    ("sites", N_("Depots that may keep it"), "several"),
    ("retransfer_clause", N_("Clause on re-transfer and change of end use"), "text"), ("disposal_clause", N_("Clause on disposal"), "text"),
    ("issued_on", N_("Issued on"), "text"), ("expires_on", N_("Holds until"), "text"), ("purpose", N_("To what"), "term"),
    ("recipient", N_("To whom"), "text"), ("until", N_("Holds until"), "text"), ("words", N_("In words"), "text"),
    ("end_user_certificate", N_("End-user certificate"), "code"), ("carrier", N_("Carrier"), "text"), ("route", N_("Route"), "text"),
    ("shipped_on", N_("Leaves on"), "text"), ("expected_on", N_("Expected"), "text"), ("line_count", N_("Lines"), "number"),
    ("quantity", N_("Pieces"), "number"), ("rows_set_aside", N_("Set aside"), "number"),
    ("outstanding_quantity", N_("Outstanding"), "number"), ("title_passes_on", N_("Title passes on"), "text"),
    ("title_passes_to", N_("Title passes to"), "text"), ("remarks", N_("Remarks"), "text"),
)  # fmt: skip
"""What a statement's content is called, in the order in which it is shown."""


def facts_of(found: StatementShown) -> list[tuple[str, Any, str]]:
    """What a statement says, each with its label and the kind by which it is shown."""
    facts = [(label, found.content[name], kind) for name, label, kind in FACTS if found.content.get(name)]
    if found.content.get("vetting"):
        named = [f"{one['unit']} {one['until']}" for one in found.content["vetted"]]
        facts.append((N_("Vetted units"), named or [N_("none")], "several"))
    return [(label, tuple(value) if isinstance(value, list) else value, kind) for label, value, kind in facts]


def _answered(
    request: Request,
    engine: Database,
    actor: Actor,
    statement_id: UUID,
    given: dict[str, Any],
    do: Callable[[], object],
) -> Response:
    def there() -> str:
        do()
        return f"/statements/{statement_id}"

    return sent(given, there, lambda form, status: _page(request, engine, actor, statement_id, form, status))


async def _text_of(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.post("/statements/{statement_id}/accept", response_class=HTMLResponse)
async def accept(statement_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The registrar takes a declaration into the books, with what was settled of its rows."""
    given: dict[str, Any] = await _text_of(request)

    def take() -> object:
        settled = []
        for name, text in given.items():
            what, _, row = name.partition("-")
            if what in ("mark", "leave") and row.isdecimal() and text.strip():
                settled.append({"row": int(row), "distinguishing_mark" if what == "mark" else "left_out": text})
        asked = AcceptDeclaration.model_validate(
            {
                "settled": settled,
                "set_aside": bool(given.get("set_aside")),
                "document_id": given.get("document_id") or new_key(),
            }
        )
        return accept_declaration(engine, actor, statement_id, asked)

    return await run_in_threadpool(_answered, request, engine, actor, statement_id, given, take)


@router.post("/statements/{statement_id}/confirm", response_class=HTMLResponse)
def confirm(statement_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """A certificate comes in force; a delivery verification has its second signature."""
    return _answered(request, engine, actor, statement_id, {}, lambda: confirmed(engine, actor, statement_id))


@router.post("/statements/{statement_id}/send-back", response_class=HTMLResponse)
def give_back(statement_id: UUID, request: Request, engine: Database, actor: Asker, reason: Text = "") -> Response:
    """It goes back, with the reason."""
    given = {"reason": reason}
    return _answered(
        request, engine, actor, statement_id, given,
        lambda: send_back(engine, actor, statement_id, SendBack.model_validate(given)),
    )  # fmt: skip
