"""Papers to print: of every document, of a person's holdings, of a unit's signature card, of a count, of a site's day; and the blank
pages of a paper book. Each as PDF, within the asker's own scope.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.dependencies import Asker, Database
from api.exports import file_name
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, TOO_SOON, Kind, documented
from labels.papers import Size, render
from stockpile.documents import Code
from stockpile.papers.count_sheet import count_sheet_of
from stockpile.papers.custody import consignment_called, custody_of, custody_of_consignment, with_proofs
from stockpile.papers.daily_sheet import daily_sheet_of
from stockpile.papers.documents import paper_of
from stockpile.papers.holdings import holdings_of
from stockpile.papers.issue_sheet import MOST, issue_sheets
from stockpile.papers.paper import Paper
from stockpile.papers.signature_card import signature_card_of
from stockpile.rights import Actor, reading

router = APIRouter(tags=["papers"])

PDF = "application/pdf"

Language = Annotated[
    str | None,
    Query(max_length=20, description="The language of what the paper says of itself: en, ar, uk; left out: en"),
]
Sheet = Annotated[Size, Query(description="a4 or letter")]


def a_paper(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with a paper."""
    shown = {"schema": {"type": "string", "format": "binary"}}
    headers = {"Content-Disposition": {"description": "The file's name", "schema": {"type": "string"}}}
    said = {"description": "The paper", "content": {PDF: shown}, "headers": headers}
    return {200: said, **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID, TOO_SOON, *kinds)}


def printed(actor: Actor, name: str, papers: tuple[Paper, ...], language: str | None, size: Size) -> Response:
    """The papers as an answer that a browser shows, to be printed."""
    headers = {"Content-Disposition": f'inline; filename="{file_name(actor, name)}.pdf"'}
    return Response(render(papers, language, size), media_type=PDF, headers=headers)


@router.get(
    "/documents/{document_id}/paper.pdf",
    summary="The paper of a document",
    response_class=Response,
    responses=a_paper(),
)
def print_document(
    document_id: UUID, engine: Database, actor: Asker, language: Language = None, size: Sheet = Size.A4
) -> Response:
    """Hand receipt, weapon card, receiving report, turn-in, ...: whatever the document is. It says by whom and when the copy was
    printed, bears the hash of the document's leaf, and a barcode by which the document is found. A donor gets its own lines,
    without names.
    """
    with reading(engine, actor) as connection:
        paper = paper_of(connection, actor, document_id)
    return printed(actor, f"{paper.title.text} {paper.number}", (paper,), language, size)


@router.get(
    "/weapons/{item_id}/custody.pdf",
    summary="The custody of a weapon, complete, with its proof",
    response_class=Response,
    responses=a_paper(REFUSED),
)
def print_custody(
    item_id: UUID, engine: Database, actor: Asker, language: Language = None, size: Sheet = Size.A4
) -> Response:
    """Every entry with its document and who signed, every mark, what contradicted the books. The proof is attached to the PDF:
    `stockpile check-proof` checks it.
    """
    with reading(engine, actor) as connection:
        paper = custody_of(connection, actor, item_id)
    return printed(actor, f"custody {paper.number}", (with_proofs(engine, actor, paper, [item_id]),), language, size)


@router.get(
    "/consignments/custody.pdf",
    summary="The custody of a consignment, complete, with its proofs",
    response_class=Response,
    responses=a_paper(REFUSED),
)
def print_custody_of_consignment(
    engine: Database,
    actor: Asker,
    donor: Annotated[Code, Query(description="The donor's code", examples=["USA"])],
    reference: Annotated[Code, Query(description="The consignment's reference", examples=["FMS-2026-117"])],
    language: Language = None,
    size: Sheet = Size.A4,
) -> Response:
    """Weapon by weapon what became of it, up to 200; the proof of each is attached to the PDF."""
    with reading(engine, actor) as connection:
        weapons = consignment_called(connection, actor, donor, reference)[3]
        paper = custody_of_consignment(connection, actor, donor, reference)
    return printed(actor, f"custody {reference}", (with_proofs(engine, actor, paper, weapons),), language, size)


@router.get(
    "/persons/{code}/holdings.pdf",
    summary="All that a person holds, to sign",
    response_class=Response,
    responses=a_paper(REFUSED),
)
def print_holdings(
    code: Annotated[Code, Path(description="Service number", examples=["A-1001"])],
    engine: Database,
    actor: Asker,
    language: Language = None,
    size: Sheet = Size.A4,
) -> Response:
    """As the books stand now, at one's own site. Not for donors."""
    with reading(engine, actor) as connection:
        paper = holdings_of(connection, actor, code)
    return printed(actor, f"holdings {code}", (paper,), language, size)


@router.get(
    "/signature-cards/{unit}/paper.pdf",
    summary="The signature card of a unit, to sign",
    response_class=Response,
    responses=a_paper(),
)
def print_signature_card(
    unit: Annotated[Code, Path(description="Unit code", examples=["1COY"])],
    engine: Database,
    actor: Asker,
    language: Language = None,
    size: Sheet = Size.A4,
) -> Response:
    """Who may draw for the unit today and until when, with room for each signature. Not for donors."""
    with reading(engine, actor) as connection:
        paper = signature_card_of(connection, actor, unit)
    return printed(actor, f"signature-card {unit}", (paper,), language, size)


@router.get(
    "/counts/{count_id}/sheet.pdf",
    summary="A count sheet, to fill in",
    response_class=Response,
    responses=a_paper(REFUSED),
)
def print_count_sheet(
    count_id: UUID,
    engine: Database,
    actor: Asker,
    rows: Annotated[int, Query(ge=1, le=500, description="Empty rows")] = 44,
    language: Language = None,
    size: Sheet = Size.A4,
) -> Response:
    """Of an open count; it never says what to expect. What was written is keyed as a file: `POST /v1/counts/{count_id}/lines`."""
    with reading(engine, actor) as connection:
        paper = count_sheet_of(connection, actor, count_id, rows)
    return printed(actor, f"count-sheet {paper.number}", (paper,), language, size)


@router.get(
    "/sites/{code}/daily-sheet.pdf",
    summary="The daily sheet of a site, with the log's checkpoint",
    response_class=Response,
    responses=a_paper(),
)
def print_daily_sheet(
    code: Annotated[Code, Path(description="Site code", examples=["TAJI"])],
    engine: Database,
    actor: Asker,
    day: Annotated[date | None, Query(description="The day on the site's wall; left out: today")] = None,
    language: Language = None,
    size: Sheet = Size.A4,
) -> Response:
    """The day's documents, what is held now, open discrepancies, what is overdue; and the newest cosigned checkpoint of the log, as text
    and as QR code. Not for donors.
    """
    with reading(engine, actor) as connection:
        paper = daily_sheet_of(connection, actor, code, day)
    return printed(actor, f"daily-sheet {code} {paper.number}", (paper,), language, size)


@router.get(
    "/papers/issue-sheet.pdf",
    summary="Blank pages of a paper book, for when the service is away",
    response_class=Response,
    responses=a_paper(),
)
def print_issue_sheets(
    engine: Database,
    actor: Asker,
    book: Annotated[
        str, Query(pattern="^[A-Z0-9-]{1,12}$", description="Code of the paper book", examples=["PAPER-1"])
    ],
    first: Annotated[int, Query(alias="from", ge=1, le=1_999_999_000, description="The first number")] = 1,
    count: Annotated[int, Query(ge=1, le=MOST, description="How many pages")] = 10,
    site: Annotated[Code | None, Query(description="Site code; only those bound to no site need it")] = None,
    language: Language = None,
    size: Sheet = Size.A4,
) -> Response:
    """Hand receipts with their numbers printed, one a page; numbers that documents have already are refused. Keyed later as facts,
    with their scans.
    """
    with reading(engine, actor) as connection:
        papers = issue_sheets(connection, actor, book, first, count, site)
    return printed(actor, f"issue-sheets {book} {first}", papers, language, size)
