"""Papers at the command line: `stockpile print ...` writes PDFs, to be printed by whatever prints."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from labels.papers import Size, render
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.reports import one_weapon
from stockpile.commands.shown import new_group, out
from stockpile.errors import Fault, Invalid
from stockpile.papers.count_sheet import count_sheet_of
from stockpile.papers.custody import consignment_called, custody_of, custody_of_consignment, with_proofs
from stockpile.papers.daily_sheet import daily_sheet_of
from stockpile.papers.documents import paper_of
from stockpile.papers.holdings import holdings_of
from stockpile.papers.issue_sheet import issue_sheets
from stockpile.papers.paper import Paper
from stockpile.papers.signature_card import signature_card_of
from stockpile.papers.visit_report import visit_report_of
from stockpile.reports.counts import count_named
from stockpile.rights import reading

printing = new_group(
    "Papers as PDF: of documents, holdings, signature cards, counts and days; blank pages of a paper book."
)

Language = Annotated[str | None, typer.Option(help="en, ar or uk; left out: en")]
Sheet = Annotated[Size, typer.Option(help="The sheet that is printed on")]
To = Annotated[Path | None, typer.Option("--to", help="The file to write; left out: named for the paper, here")]
SiteCode = Annotated[str | None, typer.Option("--site", help="Site code, for who is bound to none")]


@printing.command("document")
def print_document(
    number: Annotated[str, typer.Argument(help="The document: e.g. TAJI/B/2026/41")],
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """The paper of a document: hand receipt, weapon card, receiving report, turn-in, ..."""
    with reading_as(token) as (connection, actor):
        paper = paper_of(connection, actor, number)
    _write(to, f"{paper.title.text} {paper.number}", (paper,), language, size)


@printing.command("custody")
def print_custody(
    scan: Annotated[str, typer.Argument(help="Asset tag, serial number or UII")],
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """The custody of a weapon, complete, with its proof attached to the PDF."""
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            item_id = one_weapon(connection, actor, scan)
            paper = custody_of(connection, actor, item_id)
        paper = with_proofs(engine, actor, paper, [item_id])
    _write(to, f"custody {paper.number}", (paper,), language, size)


@printing.command("consignment")
def print_consignment(
    donor: Annotated[str, typer.Argument(help="The donor's code")],
    reference: Annotated[str, typer.Argument(help="The consignment's reference")],
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """The custody of a consignment, weapon by weapon, with their proofs attached to the PDF."""
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            weapons = consignment_called(connection, actor, donor, reference)[3]
            paper = custody_of_consignment(connection, actor, donor, reference)
        paper = with_proofs(engine, actor, paper, weapons)
    _write(to, f"custody {paper.number}", (paper,), language, size)


@printing.command("holdings")
def print_holdings(
    person: Annotated[str, typer.Argument(help="Service number")],
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """All that a person holds now, to be signed."""
    with reading_as(token) as (connection, actor):
        paper = holdings_of(connection, actor, person)
    _write(to, f"holdings {person}", (paper,), language, size)


@printing.command("signature-card")
def print_signature_card(
    unit: Annotated[str, typer.Argument(help="Unit code")],
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """Who may draw for a unit, with room for each signature."""
    with reading_as(token) as (connection, actor):
        paper = signature_card_of(connection, actor, unit)
    _write(to, f"signature-card {unit}", (paper,), language, size)


@printing.command("count-sheet")
def print_count_sheet(
    name: Annotated[str, typer.Argument(help="The count: e.g. TAJI/COUNT/3")],
    rows: Annotated[int, typer.Option(min=1, max=500, help="Empty rows")] = 44,
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """An empty sheet of an open count. It never says what to expect."""
    with reading_as(token) as (connection, actor):
        paper = count_sheet_of(connection, actor, count_named(connection, actor, name), rows)
    _write(to, f"count-sheet {paper.number}", (paper,), language, size)


@printing.command("daily-sheet")
def print_daily_sheet(
    site: Annotated[str | None, typer.Argument(help="Site code; left out: one's own")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on the site's wall; left out: today")
    ] = None,
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """A site's day on a page, with the log's newest checkpoint as text and code: to be kept elsewhere."""
    with reading_as(token) as (connection, actor):
        paper = daily_sheet_of(connection, actor, site, day.date() if day else None)
        name = f"daily-sheet {site or actor.site_code} {paper.number}"
    _write(to, name, (paper,), language, size)


@printing.command("visit")
def print_visit(
    key: Annotated[UUID, typer.Argument(metavar="VISIT", help="Its key, as 'stockpile visit list' shows it")],
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """The report of a visit of inspectors that was done or refused."""
    with reading_as(token) as (connection, actor):
        paper = visit_report_of(connection, actor, key)
    _write(to, f"visit {paper.number}", (paper,), language, size)


@printing.command("issue-sheets")
def print_issue_sheets(
    book: Annotated[str, typer.Argument(help="Code of the paper book, e.g. PAPER-1")],
    first: Annotated[int, typer.Option("--from", min=1, max=1_999_999_000, help="The first number")] = 1,
    count: Annotated[int, typer.Option(help="How many pages")] = 10,
    site: SiteCode = None,
    to: To = None,
    language: Language = None,
    size: Sheet = Size.A4,
    token: Token = None,
) -> None:
    """Numbered blank hand receipts for power cuts, one a page."""
    if re.fullmatch(r"[A-Z0-9-]{1,12}", book) is None:
        fault = Fault("up to 12 capital letters, digits and hyphens", field="book", value=book)
        raise Invalid("The book's code cannot be.", [fault])
    with reading_as(token) as (connection, actor):
        papers = issue_sheets(connection, actor, book, first, count, site)
    _write(to, f"issue-sheets {book} {first}", papers, language, size)


def _write(to: Path | None, name: str, papers: tuple[Paper, ...], language: str | None, size: Size) -> None:
    path = to or Path(re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-") + ".pdf")
    path.write_bytes(render(papers, language, size))
    out.print(f"Written: {path}", markup=False)
