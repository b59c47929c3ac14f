"""Discrepancies: what contradicts the books, who answers for it, and until when."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, OTHER_CONTENT, REFUSED, documented
from api.v1.drafts import Rejection, Site
from stockpile import closures
from stockpile.closures import AskClosure, AssignDiscrepancies, Closure, Step
from stockpile.discrepancies import Kind
from stockpile.documents import Code
from stockpile.reports.discrepancies import (
    DiscrepancyRow,
    Sought,
    State,
    list_discrepancies,
    read_discrepancy,
)
from stockpile.rights import reading

router = APIRouter(tags=["discrepancies"])


@router.get(
    "/discrepancies",
    summary="What contradicts the books",
    response_model=Page[DiscrepancyRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_discrepancies(
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[Kind | None, Query(description="What it is about")] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    state: Annotated[State, Query(description="open, closed, or all")] = State.OPEN,
    item: Annotated[UUID | None, Query(description="Of one weapon: its key")] = None,
    document: Annotated[UUID | None, Query(description="Opened by this document; not for donors")] = None,
    due_before: Annotated[
        date | None, Query(description="Due before this day: with today's date, the overdue ones")
    ] = None,
    owner: Annotated[Code | None, Query(description="Service number of who answers for it; not for donors")] = None,
) -> Response:
    """The oldest first, within one's scope. A donor sees those of its own items, without words and names of the host."""
    sought = Sought(kind, site, state, item, document, due_before, owner)
    return listing(
        engine, actor, pages, "discrepancies", DiscrepancyRow,
        lambda connection, limit, cursor: list_discrepancies(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.get(
    "/discrepancies/{discrepancy_id}",
    summary="A discrepancy",
    response_model=DiscrepancyRow,
    responses=documented(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def show_discrepancy(discrepancy_id: UUID, engine: Database, actor: Asker) -> Response:
    """What the books said, what was seen, who answers for it; and how it was settled, if it was."""
    with reading(engine, actor) as connection:
        return answer(read_discrepancy(connection, actor, discrepancy_id))


@router.get(
    "/discrepancies/{discrepancy_id}/steps",
    summary="What was done about a discrepancy",
    response_model=Page[Step],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def list_steps(discrepancy_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """Who was made to answer for it, who asked for it to be closed and by which document, who agreed or did not; or the late
    document that withdrew it. The oldest first.
    """
    with reading(engine, actor) as connection:
        read_discrepancy(connection, actor, discrepancy_id)
    return listing(
        engine, actor, pages, "steps", Step,
        lambda connection, limit, cursor: closures.list_steps(connection, actor, discrepancy_id, limit, cursor),
    )  # fmt: skip


class Assigned(BaseModel):
    """How many discrepancies somebody answers for now."""

    assigned: int = Field(examples=[1])


SETTLING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, OTHER_CONTENT, REFUSED, INVALID)
A_DISCREPANCY = "0190b5a0-0000-7000-8000-000000000003"


@router.post(
    "/discrepancies/assign",
    summary="Say who answers for discrepancies",
    response_model=Assigned,
    responses=SETTLING,
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"example": {"discrepancies": [A_DISCREPANCY], "owner": "A-1001"}}}
        }
    },
)
def assign_discrepancies(body: AssignDiscrepancies, engine: Database, actor: Asker) -> Response:
    """From now on, and until when; a commander's or a registrar's to say."""
    return answer({"assigned": closures.assign(engine, actor, body)})


@router.get(
    "/closures",
    summary="Closures of discrepancies",
    response_model=Page[Closure],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def list_closures(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: Site = None,
    waiting: Annotated[bool | None, Query(description="false: those that were settled")] = True,
) -> Response:
    """Those that wait for a second person, the oldest first."""
    return listing(
        engine, actor, pages, "closures", Closure,
        lambda connection, limit, cursor: closures.list_closures(connection, actor, site, waiting, limit, cursor),
    )  # fmt: skip


@router.post(
    "/closures",
    status_code=202,
    summary="Ask for discrepancies to be closed",
    response_model=Closure,
    responses=SETTLING,
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "example": {
                        "discrepancies": [A_DISCREPANCY],
                        "explained_by": "TAJI/B/2026/41",
                        "explanation": "Received a day later, in the second crate",
                    }
                }
            }
        }
    },
)
def ask_closure(body: AskClosure, engine: Database, actor: Asker) -> Response:
    """By the document that explains them. They stay open until another person agrees."""
    return answer(closures.ask(engine, actor, body), 202)


@router.post("/closures/{closure_id}/approve", summary="Agree to a closure", response_model=Closure, responses=SETTLING)
def approve_closure(closure_id: UUID, engine: Database, actor: Asker, site: Site = None) -> Response:
    """The second person's own request: the discrepancies are closed."""
    return answer(closures.approve(engine, actor, closure_id, site))


@router.post(
    "/closures/{closure_id}/reject",
    summary="Refuse or withdraw a closure",
    response_model=Closure,
    responses=SETTLING,
)
def refuse_closure(closure_id: UUID, body: Rejection, engine: Database, actor: Asker, site: Site = None) -> Response:
    """The discrepancies stay open."""
    return answer(closures.refuse(engine, actor, closure_id, body.reason, site))
