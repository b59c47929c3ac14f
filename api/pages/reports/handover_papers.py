"""Handovers that lack some of their papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages.listing import HOST, Asked, Column, Figure, Listing, answer_list, choice_filter, site_filter
from api.pages.moments import MOMENTS, as_of
from api.pages.reports.filters import BETWEEN, NARROWED
from api.pages.reports.shown import document_page
from api.words import N_
from stockpile.reports import handover_papers as papers_report
from stockpile.reports.export import PageOf
from stockpile.reports.handover_papers import Gap, HandoverPapers, PaperRow, PapersSought, handover_papers
from stockpile.rights import Actor
from stockpile.sentences import joined, of_the_books

router = APIRouter(include_in_schema=False)


def _papers(connection: Connection, actor: Actor, asked: Asked, everything: bool = False) -> HandoverPapers:
    values = dict(asked.values)
    at, gap = as_of(actor, values), values.pop("gap", None)
    sought = PapersSought(**values, gap=Gap(gap) if gap else None)
    return handover_papers(
        connection, actor, sought, at, limit=None if everything else asked.limit, cursor=asked.cursor, order=asked.order,
    )  # fmt: skip


def _paper_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, HandoverPapers)
    return (
        (N_("Documents looked at"), page.documents, "number"),
        (N_("Without complete papers"), page.incomplete, "number"),
        (N_("Of all"), page.incomplete_percent, "percent"),
        *((gap, number, "number", {"gap": gap}) for gap, number in page.by_gap.items()),
        (N_("Pieces not counted since opening"), page.not_counted, "number"),
    )


PAPERS = Listing(
    path="/reports/handover-papers",
    name="handover-papers",
    title=N_("Handovers without complete papers"),
    question=papers_report.QUESTION,
    row=PaperRow,
    columns=(
        Column("document_number", N_("Document"), "code", document_page),
        Column("act", N_("Act"), "term", document_page),
        Column("lacks", N_("Lacks"), read=lambda row: joined(", ", map(of_the_books, row.lacks))),
        Column("happened_at", N_("Happened"), "moment"),
        Column("days_late", N_("Days later"), "number", read=lambda row: row.days_late or None),
        Column("receiver", N_("Receiver, or who returned"), "person",
               lambda row: f"/parties/{row.receiver_id}" if row.receiver_id else None, roles=HOST),
        Column("quantity", N_("Pieces"), "number", lambda row: f"/documents/{row.document_id}#lines"),
        Column("not_counted", N_("Not counted"), "number", lambda row: f"/documents/{row.document_id}#lines",
               read=lambda row: row.not_counted or None, sparse=True),
        Column("site", N_("Site"), "code"),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(choice_filter("gap", N_("Lacks"), Gap), *NARROWED, *BETWEEN, *MOMENTS, site_filter()),
    empty=N_("The papers of every handover are complete."),
    ask=_papers,
    every=lambda connection, actor, asked: _papers(connection, actor, asked, everything=True).rows,
    orders=papers_report.ORDERS,
    default=papers_report.NEWEST_FIRST,
    figures=_paper_figures,
)  # fmt: skip


@router.get("/reports/handover-papers", response_class=HTMLResponse)
def of_papers(request: Request, engine: Database, actor: Asker) -> Response:
    """Handovers without complete papers."""
    return answer_list(PAPERS, request, engine, actor)
