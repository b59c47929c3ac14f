"""Notes: what is added to a posted document later."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    TOO_LARGE,
    UNREADABLE_REQUEST,
    documented,
)
from stockpile.notes import WriteNote
from stockpile.notes import write_note as write
from stockpile.reports.documents import number_of
from stockpile.reports.notes import NoteShown, notes_of
from stockpile.rights import READ_PEOPLE, reading, require

router = APIRouter(tags=["documents"])


class NoteWrittenShown(BaseModel):
    """A note as it was written: its answer, the same for ever."""

    note_id: UUID
    document_id: UUID
    kind: str
    recorded_at: datetime
    leaf: str


@router.post(
    "/documents/{document_id}/notes",
    status_code=201,
    summary="Add to a document",
    response_model=NoteWrittenShown,
    responses=documented(
        UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, OTHER_CONTENT, TOO_LARGE, NOT_JSON, INVALID
    ),
)
def write_note(document_id: UUID, body: WriteNote, engine: Database, actor: Asker) -> Response:
    """A photo or scan, a remark, the paper that was signed afterwards. The document stays as it is; the note has its own leaf."""
    return answer(write(engine, actor, document_id, body), 201)


@router.get(
    "/documents/{document_id}/notes",
    summary="What was added to a document",
    response_model=Page[NoteShown],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_notes(document_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """The earliest first. Not for donors."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        number = number_of(connection, document_id)
    return listing(
        engine, actor, pages, f"notes-{number}", NoteShown,
        lambda connection, limit, cursor: notes_of(connection, document_id, limit, cursor),
    )  # fmt: skip
