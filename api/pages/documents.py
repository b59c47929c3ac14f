"""Documents: the list, and one of them with its lines, who signed it, what it opened and what corrected it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Cursor, Database
from api.pages import templates
from api.pages.drafts import said
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    answer_list,
    choice_filter,
    day_filter,
    flag_filter,
    site_filter,
    table,
    text_filter,
)
from api.words import N_
from stockpile.movements import Act
from stockpile.reports.attachments import file_to_read, list_attachments
from stockpile.reports.cases import CasesSought, list_cases
from stockpile.reports.discrepancies import Sought as SoughtDiscrepancies
from stockpile.reports.discrepancies import State, list_discrepancies
from stockpile.reports.documents import DocumentLine, DocumentRow, Sought, corrections, list_documents, read_document
from stockpile.reports.keyset import Page
from stockpile.rights import DONOR, Actor, reading

router = APIRouter(include_in_schema=False)


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[DocumentRow]:
    return list_documents(connection, actor, Sought(**asked.values), asked.limit, asked.cursor, asked.order)


DOCUMENTS = Listing(
    path="/documents",
    name="documents",
    title=N_("Documents"),
    question=N_("Which documents were recorded, and what did each move?"),
    row=DocumentRow,
    columns=(
        Column("number", N_("Number"), "code", lambda row: f"/documents/{row.document_id}"),
        Column("act", N_("Act"), "term"),
        Column("happened_at", N_("Happened"), "moment"),
        Column("recorded_at", N_("Recorded"), "moment", order="recorded_at"),
        Column("quantity", N_("Pieces"), "number", lambda row: f"/documents/{row.document_id}#lines"),
        Column("posted_by", N_("Posted by"), "person", roles=HOST),
        Column("approved_by", N_("Approved by"), "person", roles=HOST),
    ),
    filters=(
        text_filter(N_("Number, or words in it")),
        choice_filter("act", N_("Act"), Act),
        day_filter("since", N_("Recorded from")),
        day_filter("until", N_("Recorded to")),
        site_filter(),
        Filter("book", N_("Book"), help=N_("Its code, such as B")),
        Filter("poster", N_("Posted by"), help=N_("A service number"), roles=HOST),
        flag_filter("fact", N_("Recorded as a fact")),
        Filter("signatory", N_("Signed by"), help=N_("A service number"), roles=HOST),
    ),
    default="-recorded_at",
    empty=N_("No document fits."),
    ask=_ask,
)


@router.get("/documents", response_class=HTMLResponse)
def documents(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of documents."""
    return answer_list(DOCUMENTS, request, engine, actor)


def _from(line: DocumentLine) -> str:
    return line.from_account or line.from_class


def _to(line: DocumentLine) -> str:
    return line.to_account or line.to_class


LINES = (
    Column("line", N_("Line"), "number"),
    Column("model", N_("Model"), link=lambda line: f"/weapons/{line.item_id}"),
    Column("serial_number", N_("Serial number"), "code", lambda line: f"/weapons/{line.item_id}"),
    Column("lot", N_("Lot"), "code"),
    Column("quantity", N_("Pieces"), "number"),
    Column("from_class", N_("From"), "person", read=_from),
    Column("to_class", N_("To"), "person", read=_to),
    Column("condition", N_("Condition"), "term"),
    Column("reverses", N_("Takes back"), read=lambda line: line.reverses and f"#{line.reverses}"),
)
FOUND = (
    Column("kind", N_("What"), "term", lambda row: f"/discrepancies/{row.discrepancy_id}"),
    Column("books_said", N_("The books said")),
    Column("seen", N_("Seen")),
    Column("due_on", N_("Due"), "day"),
    Column("outcome", N_("Outcome"), "term"),
)
NOTES = (
    Column("recorded_at", N_("When"), "moment"),
    Column("kind", N_("What"), "term"),
    Column("text", N_("In words")),
    Column("written_by", N_("By"), "person"),
)
LINES_SHOWN = 60
SHOWN_ELSEWHERE = frozenset({"accessories", "corrects", "paper"})
"""Details that a page shows in another place, or that are for machines."""


@router.get("/documents/{document_id}", response_class=HTMLResponse)
def document(document_id: UUID, request: Request, engine: Database, actor: Asker, cursor: Cursor = None) -> Response:
    """One document: who signed it, what it says, a page of its lines, what it opened, and what corrected it."""
    with reading(engine, actor) as connection:
        found = read_document(connection, actor, document_id, LINES_SHOWN, cursor)
        by, of = corrections(connection, actor, document_id)
        host = actor.role != DONOR
        sought = SoughtDiscrepancies(state=State.ALL, document_id=document_id)
        opened = list_discrepancies(connection, actor, sought, limit=20) if host else None
        cases = list_cases(connection, actor, CasesSought(document_id=document_id)).rows if host else ()
        files = list_attachments(connection, actor, document_id).rows if host else ()
    shown = {
        "document": found.document,
        "signatories": found.signatories,
        "said": list(said({name: value for name, value in found.details.items() if name not in SHOWN_ELSEWHERE})),
        "lines": table(LINES, found.lines, N_("It moved nothing.")),
        "cursor": found.cursor,
        "corrected_by": by,
        "corrects": of,
        "opened": table(FOUND, opened.rows, N_("It contradicted nothing.")) if opened else None,
        "more_opened": bool(opened and opened.cursor),
        "files": files,
        "open_cases": cases,
        "notes": table(NOTES, found.notes, N_("Nothing was added later.")),
        "has_notes": bool(found.notes),
    }
    response: Response = templates.TemplateResponse(request, "document.html", shown)
    return response


@router.get("/files/{sha256}")
def file(sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], engine: Database, actor: Asker) -> Response:
    """A photo or a scan, for who may read a document that it belongs to or has to answer a draft that names it: photos to be seen, all
    else to be kept.
    """
    with reading(engine, actor) as connection:
        found = file_to_read(connection, actor, sha256)
    shown = "inline" if found.media_type.startswith("image/") else "attachment"
    headers = {"Cache-Control": "no-store"}
    return FileResponse(
        found.path, headers=headers, media_type=found.media_type, filename=found.name, content_disposition_type=shown
    )
