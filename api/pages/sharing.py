"""Partners: the forms by which a donor shares a consignment and takes that back, what others share with it, and what it reads there: the
weapons, their histories, the statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Cursor, Database
from api.pages import templates
from api.pages.forms import or_none, sent
from api.pages.listing import Asked, Column, Listing, Way, answer_list, table
from api.pages.statement_forms import Asking, Speech
from api.pages.statements import DIFFERENCES, facts_of
from api.pages.weapons import HELD, HISTORY, WEAPONS
from api.v1.statements import whole
from api.words import N_
from stockpile.donors.sharing import (
    SHARED_ORDERS,
    ShareConsignment,
    SharedRow,
    WithdrawShare,
    list_shared,
    share_consignment,
    withdraw_share,
    within_share,
)
from stockpile.donors.statements import StatementKind, StatementRow, list_statements, need_statement
from stockpile.keys import new_key
from stockpile.log.reading import is_published
from stockpile.reports import history as histories
from stockpile.reports.holdings import HoldingLine
from stockpile.reports.keyset import Page
from stockpile.rights import RIGHTS, TELL_HOST, Actor, reading, require

router = APIRouter(include_in_schema=False)

ENTRIES_SHOWN = 60
Text = Annotated[str, Form(max_length=10_000)]

SHARING = Speech(
    N_("Share a consignment"),
    N_(
        "The other donor reads what it brought, its statements and proofs, until you take it back. Both stand in the log."
    ),
    TELL_HOST,
    (
        Asking("reference", N_("Your number of the consignment"), required=True),
        Asking(
            "partner",
            N_("The other donor's code"),
            required=True,
            help=N_("As your partner tells it: nobody is told who else gives"),
        ),
        Asking("words", N_("What for"), "long", required=True),
    ),
    N_("Share it"),
)
WITHDRAWING = Speech(
    N_("Take back a share"),
    N_("From now on the other donor reads nothing of it. That it was shared stays in the log."),
    TELL_HOST,
    (Asking("reason", N_("Why"), "long"),),
    N_("Take it back"),
)


def _show_form(
    request: Request, actor: Actor, speech: Speech, action: str, form: Mapping[str, Any], status: int = 200
) -> Response:
    require(actor, speech.right)
    shown = {
        "speech": speech,
        "action": action,
        "sites": (),
        "form": {"faults": {}, "problem": None, "given": {"statement_id": str(new_key())}, **form},
    }
    response: Response = templates.TemplateResponse(request, "statement_new.html", shown, status_code=status)
    return response


@router.get("/shared/new", response_class=HTMLResponse)
def share_form(request: Request, actor: Asker) -> Response:
    """The form of a share."""
    return _show_form(request, actor, SHARING, "/shared/new", {})


@router.post("/shared/new", response_class=HTMLResponse)
def share(
    request: Request, engine: Database, actor: Asker, statement_id: Text = "", reference: Text = "", partner: Text = "", words: Text = ""
) -> Response:  # fmt: skip
    """A donor shares a consignment."""
    given = {"statement_id": statement_id, "reference": reference, "partner": partner, "words": words}

    def do() -> str:
        asked = {name: value for name, value in given.items() if or_none(value)}
        done = share_consignment(engine, actor, ShareConsignment.model_validate(asked))
        return f"/statements/{done.statement_id}"

    return sent(given, do, lambda form, status: _show_form(request, actor, SHARING, "/shared/new", form, status))


@router.get("/shared/{share_id}/withdraw", response_class=HTMLResponse)
def withdraw_form(share_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The form that takes a share back."""
    require(actor, TELL_HOST)
    with reading(engine, actor) as connection:
        need_statement(connection, share_id, StatementKind.SHARE)
    return _show_form(request, actor, WITHDRAWING, f"/shared/{share_id}/withdraw", {})


@router.post("/shared/{share_id}/withdraw", response_class=HTMLResponse)
def withdraw(
    share_id: UUID, request: Request, engine: Database, actor: Asker, statement_id: Text = "", reason: Text = ""
) -> Response:
    """The donor takes it back."""
    given, action = {"statement_id": statement_id, "reason": reason}, f"/shared/{share_id}/withdraw"

    def do() -> str:
        asked = {name: value for name, value in given.items() if or_none(value)}
        withdraw_share(engine, actor, share_id, WithdrawShare.model_validate(asked))
        return f"/statements/{share_id}"

    return sent(given, do, lambda form, status: _show_form(request, actor, WITHDRAWING, action, form, status))


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[SharedRow]:
    return list_shared(connection, actor, asked.limit, asked.cursor, asked.order)


SHARED = Listing(
    path="/shared",
    name="shared",
    title=N_("Shared with you"),
    question=N_("Which consignments do other donors let you read?"),
    row=SharedRow,
    columns=(
        Column("reference", N_("Consignment"), "code", lambda row: f"/shared/{row.share_id}/weapons"),
        Column("donor", N_("Donor"), "code"),
        Column("donor_name", N_("Name")),
        Column("words", N_("What for")),
        Column("shared_at", N_("Shared"), "moment"),
    ),
    ways=(Way(N_("Share a consignment"), "/shared/new", RIGHTS[TELL_HOST]),),
    empty=N_("No other donor shares a consignment with you."),
    ask=_ask,
    orders=SHARED_ORDERS,
    cases=False,
)


@router.get("/shared", response_class=HTMLResponse)
def shared(request: Request, engine: Database, actor: Asker) -> Response:
    """What others share."""
    return answer_list(SHARED, request, engine, actor)


SHARED_ABOVE = "shared_list.html"


@router.get("/shared/{share_id}/weapons", response_class=HTMLResponse)
def weapons(share_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What a shared consignment brought."""
    found = within_share(engine, actor, share_id)

    def link(row: HoldingLine) -> str:
        return f"/shared/{share_id}/weapons/{row.item_id}"

    columns = tuple(
        replace(column, link=link if column.link else None, roles=None)
        for column in HELD
        if column.name not in ("account", "open_cases")
    )
    listed = replace(
        WEAPONS,
        path=f"/shared/{share_id}/weapons",
        columns=columns,
        filters=tuple(each for each in WEAPONS.filters if each.name in ("text", "class", "model")),
        ways=(),
        template=SHARED_ABOVE,
        cases=False,
        packages=False,
    )
    return answer_list(listed, request, engine, found.partner, share=found.row)


def _ask_statements(connection: Connection, actor: Actor, asked: Asked) -> Page[StatementRow]:
    return list_statements(connection, actor, limit=asked.limit, cursor=asked.cursor)


@router.get("/shared/{share_id}/statements", response_class=HTMLResponse)
def statements(share_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What was said of it."""
    found = within_share(engine, actor, share_id)
    listed = Listing(
        path=f"/shared/{share_id}/statements",
        name="statements",
        title=N_("Statements of a shared consignment"),
        question=N_("What was declared and certified, and what was answered?"),
        row=StatementRow,
        columns=(
            Column("reference", N_("Number"), "code", lambda row: f"/shared/{share_id}/statements/{row.statement_id}"),
            Column("kind", N_("What"), "term"),
            Column("site", N_("Site"), "code"),
            Column("recorded_at", N_("Recorded"), "moment"),
            Column("state", N_("State"), "term"),
        ),
        empty=N_("Nothing was said so."),
        ask=_ask_statements,
        template=SHARED_ABOVE,
        cases=False,
        packages=False,
    )
    return answer_list(listed, request, engine, found.partner, share=found.row)


@router.get("/shared/{share_id}/weapons/{item_id}", response_class=HTMLResponse)
def weapon(
    share_id: UUID, item_id: UUID, request: Request, engine: Database, actor: Asker, cursor: Cursor = None
) -> Response:
    """One weapon: what it is, where it is, what happened to it."""
    found = within_share(engine, actor, share_id)
    with reading(engine, found.partner) as connection:
        told = histories.history(connection, found.partner, item_id, ENTRIES_SHOWN, cursor)
        now = histories.as_of(connection, found.partner, item_id)
        provable = is_published(connection)
    shown = {
        "share": found.row,
        "item": told.item,
        "now": now[0] if len(now) == 1 else None,
        "history": table(
            tuple(replace(column, link=None) for column in HISTORY if column.name != "signatures"),
            told.entries,
            N_("Nothing happened to it."),
        ),
        "cursor": told.cursor,
        "provable": provable,
    }
    response: Response = templates.TemplateResponse(request, "shared_weapon.html", shown)
    return response


@router.get("/shared/{share_id}/statements/{statement_id}", response_class=HTMLResponse)
def statement(share_id: UUID, statement_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One statement, and how far the consignment is."""
    found = within_share(engine, actor, share_id)
    told = whole(engine, found.partner, statement_id)
    differences = tuple(
        replace(
            column,
            link=(lambda one: f"/shared/{share_id}/weapons/{one.item_id}") if column.name == "serial_number" else None,
        )
        for column in DIFFERENCES
    )
    progress = told["progress"]
    shown = {
        "share": found.row,
        "statement": told["statement"],
        "facts": facts_of(told["statement"]),
        "progress": progress,
        "differences": table(differences, progress.differences, N_("Nothing of it is open.")) if progress else None,
    }
    response: Response = templates.TemplateResponse(request, "shared_statement.html", shown)
    return response
