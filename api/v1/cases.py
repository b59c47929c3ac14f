"""Cases: what somebody looks into because the books and the world do not agree, until two people end it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.answers import Page, answer
from api.dependencies import Asker, Cursor, Database, Limit, Pages
from api.exports import exportable, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    REFUSED,
    TOO_LARGE,
    UNREADABLE_REQUEST,
    documented,
)
from stockpile.cases import case as cases
from stockpile.cases.case import AddPart, AnswerProposal, AssignCase, OpenCase, ProposeOutcome
from stockpile.documents import Code
from stockpile.reports.cases import (
    CasePart,
    CaseRow,
    CaseShown,
    CasesSought,
    CaseState,
    list_cases,
    list_parts,
    read_case,
)
from stockpile.rights import reading

router = APIRouter(tags=["cases"])


class PartWrittenShown(BaseModel):
    """What was written in a case: its answer, the same for ever."""

    part_id: UUID
    case_id: UUID
    case: str
    part: int
    kind: str
    recorded_at: datetime
    leaf: str


WRITING = documented(
    UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, OTHER_CONTENT, TOO_LARGE, NOT_JSON, INVALID
)


@router.get(
    "/cases",
    summary="Cases",
    response_model=Page[CaseRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_cases(
    engine: Database,
    actor: Asker,
    pages: Pages,
    state: Annotated[CaseState, Query(description="waiting: open, and somebody proposed how it ends")] = CaseState.OPEN,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    owner: Annotated[Code | None, Query(description="Service number of who answers for it")] = None,
    due_before: Annotated[date | None, Query(description="With today's date, the overdue ones")] = None,
    q: Annotated[Code | None, Query(description="Part of its title or number")] = None,
    item: Annotated[UUID | None, Query(description="Of one weapon: its key")] = None,
    discrepancy: Annotated[UUID | None, Query(description="About this discrepancy")] = None,
    document: Annotated[UUID | None, Query(description="About this document")] = None,
) -> Response:
    """The oldest first, within one's scope. Not for donors."""
    sought = CasesSought(
        state, site, owner, due_before, text=q, item_id=item, discrepancy_id=discrepancy, document_id=document
    )
    return listing(
        engine, actor, pages, "cases", CaseRow,
        lambda connection, limit, cursor: list_cases(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.post("/cases", status_code=201, summary="Open a case", response_model=PartWrittenShown, responses=WRITING)
def open_case(body: OpenCase, engine: Database, actor: Asker) -> Response:
    """About a discrepancy, a weapon, a document, a line of a list, a person or unit, or a row of a report as it was read."""
    return answer(cases.open_case(engine, actor, body), 201)


@router.get(
    "/cases/{case_id}",
    summary="A case",
    response_model=CaseShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_case(case_id: UUID, engine: Database, actor: Asker, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """What it is about, and what was done in it, the earliest first."""
    with reading(engine, actor) as connection:
        return answer(read_case(connection, actor, case_id, limit, cursor))


@router.get(
    "/cases/{case_id}/parts",
    summary="What was done in a case",
    response_model=Page[CasePart],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_parts(case_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """Part by part, each with its leaf of the log."""
    with reading(engine, actor) as connection:
        name = read_case(connection, actor, case_id, 1).case.case
    return listing(
        engine, actor, pages, f"case-{name}", CasePart,
        lambda connection, limit, cursor: list_parts(connection, actor, case_id, limit, cursor),
    )  # fmt: skip


@router.post(
    "/cases/{case_id}/parts",
    status_code=201,
    summary="Add to a case",
    response_model=PartWrittenShown,
    responses=WRITING,
)
def add_part(case_id: UUID, body: AddPart, engine: Database, actor: Asker) -> Response:
    """A step of causative research, a note, evidence. Nothing added can be changed or taken back."""
    return answer(cases.add_part(engine, actor, case_id, body), 201)


@router.post(
    "/cases/{case_id}/assign",
    status_code=201,
    summary="Say who answers for a case",
    response_model=PartWrittenShown,
    responses=WRITING,
)
def assign_case(case_id: UUID, body: AssignCase, engine: Database, actor: Asker) -> Response:
    """From now on, and until when: a commander, registrar or auditor says so, or who answers for it hands it on."""
    return answer(cases.assign_case(engine, actor, case_id, body), 201)


@router.post(
    "/cases/{case_id}/outcome",
    status_code=201,
    summary="Propose how a case ends",
    response_model=PartWrittenShown,
    responses=WRITING,
)
def propose_outcome(case_id: UUID, body: ProposeOutcome, engine: Database, actor: Asker) -> Response:
    """Found, a clerical error, a loss report, a disciplinary matter; it stays open until another person agrees."""
    return answer(cases.propose_outcome(engine, actor, case_id, body), 201)


@router.post(
    "/cases/{case_id}/close",
    status_code=201,
    summary="Close a case",
    response_model=PartWrittenShown,
    responses=WRITING,
)
def close_case(case_id: UUID, body: AnswerProposal, engine: Database, actor: Asker) -> Response:
    """The second person's own request: neither who proposed it nor who answers for the case."""
    return answer(cases.close_case(engine, actor, case_id, body), 201)


@router.post(
    "/cases/{case_id}/decline",
    status_code=201,
    summary="Decline how a case should end",
    response_model=PartWrittenShown,
    responses=WRITING,
)
def decline_outcome(case_id: UUID, body: AnswerProposal, engine: Database, actor: Asker) -> Response:
    """Or take one's own proposal back. The case stays open; say why."""
    return answer(cases.decline_outcome(engine, actor, case_id, body), 201)
