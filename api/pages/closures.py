"""One closure of discrepancies: what somebody says explains them, and the second person's answer to it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.discrepancies import DISCREPANCIES
from api.pages.forms import kept
from api.pages.listing import table
from api.pages.problems import shown_problem
from api.words import N_
from stockpile import closures
from stockpile.documents import Words
from stockpile.errors import Fault, Invalid, NotFound, StockpileError
from stockpile.reports.discrepancies import Sought, State, list_discrepancies
from stockpile.reports.documents import number_of
from stockpile.rights import APPROVE, RIGHTS, Actor, reading
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

SHOWN = 100
_words: TypeAdapter[str] = TypeAdapter(Words)


@router.get("/closures/{closure_id}", response_class=HTMLResponse)
def closure(closure_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Which discrepancies, by which document, in which words, and what became of it."""
    return _page(request, engine, actor, closure_id, {})


@router.post("/closures/{closure_id}/approve", response_class=HTMLResponse)
def agree(closure_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The second person agrees: the discrepancies are closed."""
    try:
        closures.approve(engine, actor, closure_id, _site(engine, actor, closure_id))
    except StockpileError as error:
        return _page(request, engine, actor, closure_id, kept(error, {}), shown_problem(error)["status"])
    return RedirectResponse(f"/closures/{closure_id}", 303)


@router.post("/closures/{closure_id}/reject", response_class=HTMLResponse)
def decline(
    closure_id: UUID, request: Request, engine: Database, actor: Asker, reason: Annotated[str, Form()] = ""
) -> Response:
    """The second person does not agree, or who asked for it takes it back: the discrepancies stay open."""
    given = {"reason": reason}
    try:
        closures.refuse(engine, actor, closure_id, _why(reason), _site(engine, actor, closure_id))
    except StockpileError as error:
        return _page(request, engine, actor, closure_id, kept(error, given), shown_problem(error)["status"])
    return RedirectResponse(f"/closures/{closure_id}", 303)


def _why(reason: str) -> str:
    try:
        return _words.validate_python(reason)
    except ValidationError:
        fault = Fault(sentence("say why, in 1 to 500 characters"), field="reason")
        raise Invalid(sentence("Nothing was done: say why."), [fault]) from None


def _site(engine: Engine, actor: Actor, closure_id: UUID) -> str:
    with reading(engine, actor) as connection:
        return closures.read_closure(connection, actor, closure_id).site


def _page(
    request: Request, engine: Engine, actor: Actor, closure_id: UUID, form: dict[str, Any], status: int = 200
) -> Response:
    with reading(engine, actor) as connection:
        found = closures.read_closure(connection, actor, closure_id)
        named = found.closure.discrepancies
        sought = Sought(state=State.ALL, among=named)
        rows = list_discrepancies(connection, actor, sought, SHOWN).rows
        try:
            number_of(connection, found.closure.explained_by)
            readable = True
        except NotFound:
            readable = False
    waits, may = found.closure.outcome is None, actor.role in RIGHTS[APPROVE]
    shown = {
        "closure": found.closure,
        "site": found.site,
        "readable": readable,
        "discrepancies": table(DISCREPANCIES.columns, rows, N_("They are not here to be read."), actor.role),
        "more": len(named) - len(rows),
        "may_approve": waits and may and not found.own,
        "may_take_back": waits and found.own,
        "form": {"given": {}, "faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "closure.html", shown, status_code=status)
    return response
