"""Documents: lists of them, and each with its lines."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.answers import Page, answer
from api.dependencies import Asker, Cursor, Database, Limit, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile.documents import Code
from stockpile.movements import Act
from stockpile.reports.attachments import Attachment, list_attachments
from stockpile.reports.documents import (
    DocumentLine,
    DocumentRow,
    DocumentShown,
    Sought,
    every_line,
    find_document,
    list_documents,
    list_lines,
    number_of,
    read_document,
)
from stockpile.rights import reading

router = APIRouter(tags=["documents"])

Day = Annotated[date | None, Query(description="A day of recording (UTC), inclusive")]


@router.get(
    "/documents",
    summary="Documents",
    response_model=Page[DocumentRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_documents(
    engine: Database,
    actor: Asker,
    pages: Pages,
    act: Act | None = None,
    since: Day = None,
    until: Day = None,
    site: Annotated[Code | None, Query(description="Of one site's books: its code")] = None,
    book: Annotated[Code | None, Query(description="Of the books of this code")] = None,
    poster: Annotated[Code | None, Query(description="Service number of who posted; not for donors")] = None,
    text: Annotated[
        Code | None, Query(description="Part of the number, or of what the document says", examples=["TAJI/B/2026/4"])
    ] = None,
    fact: Annotated[bool | None, Query(description="true: facts only; false: commands only")] = None,
) -> Response:
    """The newest first, within one's scope."""
    sought = Sought(act, since, until, site, book, poster, text, fact)
    return listing(
        engine, actor, pages, "documents", DocumentRow,
        lambda connection, limit, cursor: list_documents(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.get(
    "/documents/by-number/{number:path}",
    summary="A document by its number",
    response_model=DocumentShown,
    responses=documented(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def show_by_number(number: str, engine: Database, actor: Asker, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """As people write it: TAJI/B/2026/41, in any case."""
    with reading(engine, actor) as connection:
        return answer(read_document(connection, actor, find_document(connection, number), limit, cursor))


@router.get(
    "/documents/{document_id}",
    summary="A document",
    response_model=DocumentShown,
    responses=documented(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def show_document(
    document_id: UUID, engine: Database, actor: Asker, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Who signed it, its details, and a page of its lines."""
    with reading(engine, actor) as connection:
        return answer(read_document(connection, actor, document_id, limit, cursor))


@router.get(
    "/documents/{document_id}/lines",
    summary="The lines of a document",
    response_model=Page[DocumentLine],
    responses=exportable(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def show_lines(document_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """In their order."""
    with reading(engine, actor) as connection:
        number = number_of(connection, document_id)
    return listing(
        engine, actor, pages, f"lines-{number}", DocumentLine,
        lambda connection, limit, cursor: list_lines(connection, actor, document_id, limit, cursor),
        lambda connection: every_line(connection, actor, document_id),
    )  # fmt: skip


@router.get(
    "/documents/{document_id}/attachments",
    summary="What is attached to a document",
    response_model=Page[Attachment],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_attachments(document_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """Its photos and scans, those of its notes, and the list it was posted from. Not for donors."""
    with reading(engine, actor) as connection:
        number = number_of(connection, document_id)
    return listing(
        engine, actor, pages, f"attachments-{number}", Attachment,
        lambda connection, limit, cursor: list_attachments(connection, actor, document_id, limit, cursor),
    )  # fmt: skip
