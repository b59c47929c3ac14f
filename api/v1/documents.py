"""Documents: lists of them, and each with its lines."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.answers import Page, answer, page
from api.dependencies import Asker, Database, Limit
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile.movements import Act
from stockpile.reports import documents
from stockpile.reports.documents import DocumentRow, DocumentShown
from stockpile.rights import reading

router = APIRouter(tags=["documents"])

Day = Annotated[date | None, Query(description="A day of recording, inclusive")]


@router.get(
    "/documents", summary="Documents", response_model=Page[DocumentRow], responses=documented(NOT_SIGNED_IN, INVALID)
)
def list_documents(
    engine: Database,
    actor: Asker,
    act: Act | None = None,
    since: Day = None,
    until: Day = None,
    limit: Limit = 100,
    after: Annotated[UUID | None, Query(description="The last document of the page before")] = None,
) -> Response:
    """The newest first, within one's scope."""
    with reading(engine, actor) as connection:
        rows = documents.list_documents(connection, act, since, until, after, limit)
    return page(rows, limit, "document_id")


@router.get(
    "/documents/by-number/{number:path}",
    summary="A document by its number",
    response_model=DocumentShown,
    responses=documented(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def read_by_number(
    number: str,
    engine: Database,
    actor: Asker,
    after_line: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Limit = 500,
) -> Response:
    """As people write it: TAJI/B/2026/41, in any case."""
    with reading(engine, actor) as connection:
        found = documents.find_document(connection, number)
        return answer(documents.read_document(connection, actor, found, after_line, limit))


@router.get(
    "/documents/{document_id}",
    summary="A document",
    response_model=DocumentShown,
    responses=documented(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def read_document(
    document_id: UUID,
    engine: Database,
    actor: Asker,
    after_line: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Limit = 500,
) -> Response:
    """Who signed it, its details, and its lines from `after_line` on."""
    with reading(engine, actor) as connection:
        return answer(documents.read_document(connection, actor, document_id, after_line, limit))
