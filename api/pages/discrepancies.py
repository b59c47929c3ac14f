"""Discrepancies: the list, and one of them with what was done about it and the form that asks for it to be closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.forms import faulty, kept
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    day_filter,
    key_filter,
    site_filter,
    table,
)
from api.pages.problems import shown_problem
from api.words import N_
from stockpile import closures
from stockpile.closures import AskClosure, AssignDiscrepancies
from stockpile.discrepancies import Kind
from stockpile.errors import NotFound, StockpileError
from stockpile.reports.cases import CasesSought, list_cases
from stockpile.reports.described import described
from stockpile.reports.discrepancies import ORDERS, DiscrepancyRow, Sought, State, list_discrepancies, read_discrepancy
from stockpile.reports.documents import number_of
from stockpile.reports.keyset import Page
from stockpile.rights import ASK_CLOSURE, ASSIGN_DISCREPANCY, DONOR, RIGHTS, Actor, reading

router = APIRouter(include_in_schema=False)


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[DiscrepancyRow]:
    values = dict(asked.values)
    state = State(values.pop("state", State.OPEN))
    return list_discrepancies(connection, actor, Sought(state=state, **values), asked.limit, asked.cursor, asked.order)


def _document(row: DiscrepancyRow) -> str | None:
    return f"/documents/{row.document_id}" if row.document_number else None


OPENED = Column("opened_at", N_("Opened"), "moment", order="opened_at")
DISCREPANCIES = Listing(
    path="/discrepancies",
    name="discrepancies",
    title=N_("Discrepancies"),
    question=N_("What contradicts the books, who answers for it, and until when?"),
    row=DiscrepancyRow,
    columns=(
        Column("kind", N_("What"), "term", lambda row: f"/discrepancies/{row.discrepancy_id}", "kind"),
        Column("books_said", N_("The books said"), roles=HOST),
        Column("seen", N_("Seen"), roles=HOST),
        Column("site", N_("Site"), "code"),
        Column("document_number", N_("Document"), "code", _document, roles=HOST),
        OPENED,
        Column("due_on", N_("Due"), "day", order="due_on"),
        Column("owner", N_("Answers for it"), "person", roles=HOST),
        Column("outcome", N_("Outcome"), "term"),
    ),
    filters=(
        choice_filter("kind", N_("What"), Kind),
        Filter("state", N_("State"), "choice", State, tuple((str(each), str(each)) for each in State), any=N_("open")),
        day_filter("due_before", N_("Due before")),
        Filter("owner", N_("Answers for it"), help=N_("A service number"), roles=HOST),
        site_filter(),
        key_filter("item_id", N_("Of one weapon.")),
        key_filter("document_id", N_("Opened by one document."), roles=HOST),
    ),
    default="opened_at",
    ways=(Way(N_("Cases"), "/cases"),),
    empty=N_("Nothing contradicts the books here."),
    ask=_ask,
    orders=ORDERS,
)


@router.get("/discrepancies", response_class=HTMLResponse)
def discrepancies(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of discrepancies."""
    return answer_list(DISCREPANCIES, request, engine, actor)


@dataclass(frozen=True, slots=True)
class StepShown:
    """A step, and the number of its document as far as it is the asker's to read."""

    step: closures.Step
    number: str | None


STEPS = (
    Column("happened_at", N_("When"), "moment", read=lambda it: it.step.happened_at),
    Column("what", N_("What was done"), "term", read=lambda it: it.step.what),
    Column("done_by", N_("By"), "person", read=lambda it: it.step.done_by),
    Column("words", N_("In words"), read=lambda it: it.step.words),
    Column("number", N_("Document"), "code", lambda it: f"/documents/{it.step.document_id}"),
)


@router.get("/discrepancies/{discrepancy_id}", response_class=HTMLResponse)
def discrepancy(
    discrepancy_id: UUID, request: Request, engine: Database, actor: Asker, asked: bool = False
) -> Response:
    """One discrepancy. `asked`: its closure was asked for just now."""
    return _page(request, engine, actor, discrepancy_id, {"asked": asked})


@router.post("/discrepancies/{discrepancy_id}/close", response_class=HTMLResponse)
def ask_closure(
    discrepancy_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    explained_by: Annotated[str, Form()] = "",
    explanation: Annotated[str, Form()] = "",
) -> Response:
    """The first person's part: says which document explains it, and how. A second person agrees elsewhere."""
    given = {"explained_by": explained_by, "explanation": explanation}
    try:
        with reading(engine, actor) as connection:
            site = read_discrepancy(connection, actor, discrepancy_id).site
        wanted = AskClosure.model_validate({"site": site, "discrepancies": [discrepancy_id], **given})
        closures.ask(engine, actor, wanted)
    except ValidationError as error:
        return _page(request, engine, actor, discrepancy_id, faulty(error, given), 422)
    except StockpileError as error:
        return _page(request, engine, actor, discrepancy_id, kept(error, given), shown_problem(error)["status"])
    return RedirectResponse(f"/discrepancies/{discrepancy_id}?asked=true", 303)


@router.post("/discrepancies/{discrepancy_id}/assign", response_class=HTMLResponse)
def assign(
    discrepancy_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    owner: Annotated[str, Form()] = "",
    due_on: Annotated[str, Form()] = "",
) -> Response:
    """Says who answers for it from now on, and until when."""
    given = {"owner": owner, "due_on": due_on}
    try:
        with reading(engine, actor) as connection:
            site = read_discrepancy(connection, actor, discrepancy_id).site
        wanted = {"site": site, "discrepancies": [discrepancy_id], "owner": owner, "due_on": due_on or None}
        closures.assign(engine, actor, AssignDiscrepancies.model_validate(wanted))
    except ValidationError as error:
        return _page(request, engine, actor, discrepancy_id, faulty(error, given), 422)
    except StockpileError as error:
        return _page(request, engine, actor, discrepancy_id, kept(error, given), shown_problem(error)["status"])
    return RedirectResponse(f"/discrepancies/{discrepancy_id}", 303)


def _page(
    request: Request, engine: Engine, actor: Actor, discrepancy_id: UUID, form: dict[str, Any], status: int = 200
) -> Response:
    with reading(engine, actor) as connection:
        row = read_discrepancy(connection, actor, discrepancy_id)
        steps = closures.list_steps(connection, actor, discrepancy_id).rows if actor.role != DONOR else ()
        known = {
            document: _number(connection, document)
            for document in {row.concerns, row.explained_by, *(step.document_id for step in steps)}
        }
        waiting = closures.waiting_for(connection, actor, discrepancy_id) if actor.role != DONOR else None
        cases = (
            list_cases(connection, actor, CasesSought(discrepancy_id=discrepancy_id)).rows
            if actor.role != DONOR
            else ()
        )
        item = described(connection, actor, [row.item_id]).get(row.item_id) if row.item_id else None
    # Somebody else may have asked while this form was filled in: what was written stays in view.
    writing = bool(form.get("given", {}).get("explained_by"))
    shown = {
        "row": row,
        "item": item,
        "concerns": known[row.concerns],
        "explained_by": known[row.explained_by],
        "steps": table(
            STEPS, (StepShown(step, known[step.document_id]) for step in steps), N_("Nothing was done about it yet.")
        ),
        "waiting": waiting,
        "open_cases": cases,
        "may_close": (writing or (row.closed_at is None and waiting is None)) and actor.role in RIGHTS[ASK_CLOSURE],
        "may_assign": row.closed_at is None and actor.role in RIGHTS[ASSIGN_DISCREPANCY],
        "form": {"given": {}, "faults": {}, "problem": None, "asked": False, **form},
    }
    response: Response = templates.TemplateResponse(request, "discrepancy.html", shown, status_code=status)
    return response


def _number(connection: Connection, document_id: UUID | None) -> str | None:
    """The number of a document in the asker's scope."""
    try:
        return number_of(connection, document_id) if document_id else None
    except NotFound:
        return None
