"""Documents: the list, and one of them with its lines, who signed it, what it opened and what corrected it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
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
    text_filter,
)
from api.words import N_
from stockpile.movements import Act
from stockpile.reports.documents import DocumentRow, Sought, list_documents
from stockpile.reports.keyset import Page
from stockpile.rights import Actor

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
    ),
    default="-recorded_at",
    empty=N_("No document fits."),
    ask=_ask,
)


@router.get("/documents", response_class=HTMLResponse)
def documents(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of documents."""
    return answer_list(DOCUMENTS, request, engine, actor)
