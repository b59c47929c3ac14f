"""Questions to the books, as the person of a token, in its scope: a weapon's history, the balance, discrepancies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection

from labels.tags import asset_tag_label
from stockpile.commands.asking import Token, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.shown import out, show_table, text
from stockpile.errors import NotFound, Refused
from stockpile.find import FoundItem, find
from stockpile.movements import BALANCED, Act
from stockpile.reports import discrepancies, documents
from stockpile.reports.accessories import out_with
from stockpile.reports.as_of import AsOf
from stockpile.reports.described import described
from stockpile.reports.destruction_orders import DestructionOrderRow, OrderState, list_destruction_orders
from stockpile.reports.discrepancies import DiscrepancyRow, State
from stockpile.reports.documents import DocumentRow
from stockpile.reports.export import PageOf, every_row
from stockpile.reports.history import End, HistoryEntry, Identified, history, list_entries
from stockpile.reports.trial_balance import BalanceLine, By, Proof, proof, trial_balance
from stockpile.rights import DONOR, Actor
from stockpile.scans import look_up

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%z"]
Moment = Annotated[datetime | None, typer.Option(formats=FORMATS, help="In UTC unless it says otherwise")]


def show_found(
    asked: Annotated[
        str, typer.Argument(metavar="TEXT", help="Tag, serial number (? and * allowed), UII, document, person, Helmet")
    ],
    limit: Annotated[int, typer.Option(help="How many weapons", min=1, max=1000)] = 20,
    token: Token = None,
) -> None:
    """Find anything one can scan or type: what it is, where, since when, under which document."""
    with reading_as(token) as (connection, actor):
        found = find(connection, actor, asked, limit)
    if not (found.items or found.documents or found.parties or found.counted):
        raise NotFound(f"Nothing in the books is called {asked!r}.")
    if found.did_you_mean:
        out.print("Nothing is called exactly so. Did you mean:")
    if found.items:
        headings = ("tag", "model", "serial number", "where", "quantity", "since", "document")
        show_table(headings, [row for item in found.items for row in _standing(item)], "")
    if found.counted:
        sums = [(one.model, one.lot, one.site, one.account_class, one.quantity) for one in found.counted]
        show_table(("model", "lot", "site", "where", "quantity"), sums, "")
    for document in found.documents:
        what = f"{document.act}, {document.lines:,} lines, quantity {document.quantity:,}"
        out.print(f"{document.number}: {what}, {text(document.happened_at)}", markup=False)
    for party in found.parties:
        member = f", {', '.join(party.units)}" if party.units else ""
        out.print(f"{party.name}: {party.kind}{member}; holds {party.holds.quantity:,}", markup=False)
        rows = [(line.asset_tag, line.model, line.serial_number, line.quantity) for line in party.holds.rows]
        if rows:
            show_table(("tag", "model", "serial number", "quantity"), rows, "")
    if found.cursor:
        out.print("... and more: --limit shows up to 1000.")


def _standing(found: FoundItem) -> list[tuple[object, ...]]:
    item = found.item
    number = (
        f"{item.serial_number or ''} (formerly {', '.join(item.formerly)})" if item.formerly else item.serial_number
    )
    named = (item.asset_tag, item.model, number)
    if not found.standings:
        return [(*named, "outside", None, None, None)]
    rows: list[tuple[object, ...]] = []
    for place in found.standings:
        where = place.account if place.account and place.account != place.account_class else str(place.account_class)
        quantity = place.quantity if item.tracked_by != "serial" else None
        rows.append((*named, f"{place.site} {where}", quantity, place.since, place.document_number))
    return rows


def show_history(
    scan: Annotated[str, typer.Argument(help="Asset tag, serial number or UII")],
    limit: Annotated[int, typer.Option(help="How many entries", min=1, max=1000)] = 500,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show a weapon's whole history."""
    with reading_as(token) as (connection, actor):
        item_id = one_weapon(connection, actor, scan)
        if csv or xlsx:
            entries = every_row(lambda limit, cursor: list_entries(connection, actor, item_id, limit, cursor))
            write_report(csv, xlsx, HistoryEntry, entries)
            return
        found = history(connection, actor, item_id, limit)
        with_it = out_with(connection, item_id) if actor.role != DONOR else ()
    item = found.item
    out.print(f"{item.model} {item.serial_number or ''}  {item.asset_tag}  donor {item.donor}", markup=False)
    if len(found.identifications) > 1:
        show_table(IDENTIFIED, [_identified(one) for one in found.identifications], "")
    if with_it:
        out.print(f"out with {'; '.join(one.name for one in with_it)}", markup=False)
    headings = ("", "happened", "act", "document", "from", "to", "quantity", "remarks")
    show_table(headings, [_entry(entry) for entry in found.entries], "Nothing was posted on it.")


IDENTIFIED = (
    "",
    "recorded",
    "act",
    "document",
    "serial number",
    "told apart by",
    "import mark",
    "UII",
    "method",
    "part",
    "",
)


def _identified(one: Identified) -> tuple[object, ...]:
    """A version of what the weapon bears, as a row."""
    number = f"{one.serial_number or ''} (obliterated)".strip() if one.obliterated else one.serial_number
    marks = (number, one.distinguishing_mark, one.import_mark, one.uii, one.mark_method, one.mark_place)
    return one.version, one.recorded_at, one.act, one.document_number, *marks, None if one.stands else "taken back"


def print_tag(
    scan: Annotated[str, typer.Argument(help="Asset tag, serial number or UII")], token: Token = None
) -> None:
    """Write a weapon's asset tag as SVG, to print: stockpile tag "KT 449921" > tag.svg."""
    with reading_as(token) as (connection, actor):
        key = one_weapon(connection, actor, scan)
        item = described(connection, actor, [key])[key]
    typer.echo(asset_tag_label(item.asset_tag, *item.label))


def _entry(entry: HistoryEntry) -> tuple[object, ...]:
    remarks = ", ".join(filter(None, (entry.reason, _remarks(entry.reverses, entry.reversed_by, entry.posts_again))))
    ends = (_end(entry.origin), _end(entry.to))
    quantity = entry.quantity if entry.quantity != 1 else None
    return entry.version, entry.happened_at, entry.act, entry.document_number, *ends, quantity, remarks


def one_weapon(connection: Connection, actor: Actor, scan: str) -> UUID:
    """The one item a scan means. Raises NotFound, Refused where it means several."""
    items = look_up(connection, [scan]).get(scan, [])
    known = described(connection, actor, items)
    if not known:
        raise NotFound(f"Nothing in the books bears {scan!r}.")
    if len(known) > 1:
        several = "; ".join(f"{item.model} of {item.maker}: {item.asset_tag}" for item in known.values())
        raise Refused(f"{len(known)} items bear {scan!r}. Name one by its asset tag: {several}.")
    return next(iter(known))


def _end(end: End) -> str:
    if end.account is None or end.account == end.account_class:
        return f"{end.site or ''} {end.account_class}".strip()
    return f"{end.site or ''} {end.account}".strip()


def _remarks(reverses: int | None, reversed_by: int | None, posts_again: int | None) -> str:
    said = (("takes back", reverses), ("taken back by", reversed_by), ("posts again", posts_again))
    return ", ".join(f"{words} {number}" for words, number in said if number is not None)


def show_balance(
    by: Annotated[list[By] | None, typer.Option(help="Tell apart by donor, model, site; may be repeated")] = None,
    donor: Annotated[str | None, typer.Option(help="Only this donor's")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model")] = None,
    site: Annotated[str | None, typer.Option(help="Only this site")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show the trial balance, now or as of a moment on either clock, and whether it closes."""
    at = AsOf(in_utc(happened), in_utc(recorded))
    told_apart = tuple(by or (By.DONOR,))
    with reading_as(token) as (connection, actor):
        lines = trial_balance(connection, actor, told_apart, at, donor, model, site)
        counted = proof(connection, actor, at)
    write_report(csv, xlsx, BalanceLine, lines)
    used = ("came_in", *(one for one in BALANCED if any(getattr(line, one) for line in lines)), "difference")
    names = (*told_apart, *used)
    rows = [[getattr(line, name) for name in names] for line in lines]
    show_table([name.replace("_", " ") for name in names], rows, "The books are empty.")
    _show_proof(counted)
    if not counted.closes:
        raise typer.Exit(1)


def _show_proof(counted: Proof) -> None:
    """The separate counts, and where they differ."""
    counts = (
        ("entries", counted.entry_lines),
        ("lines of documents", counted.document_lines),
        ("held by entries", counted.held_by_legs),
        ("held by holdings", counted.held),
    )
    listed = ", ".join(f"{count:,} {what}" for what, count in counts if count is not None)
    verdict = "The books close" if counted.closes else "THE BOOKS DO NOT CLOSE"
    out.print(f"\n{verdict}: {listed}.", markup=False)
    for apart in counted.differences:
        out.print(f"  {apart.what} {apart.where}: entries {apart.entries:,}, else {apart.other:,}", markup=False)


def in_utc(moment: datetime | None) -> datetime | None:
    """A moment as typed, in UTC unless it says otherwise."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def show_discrepancies(
    kind: Annotated[str | None, typer.Option(help="Only of this kind, e.g. shortage")] = None,
    site: Annotated[str | None, typer.Option(help="Only of this site")] = None,
    state: Annotated[State, typer.Option(help="Open ones, closed ones, or all")] = State.OPEN,
    due_before: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Due before this day")] = None,
    owner: Annotated[str | None, typer.Option(help="Only those this person answers for: service number")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what contradicts the books, the oldest first."""
    due = due_before.date() if due_before else None
    sought = discrepancies.Sought(kind, site, state, due_before=due, owner=owner)
    ask = partial(discrepancies.list_discrepancies, sought=sought)
    headings = ("kind", "site", "document", "the books said", "seen", "due", "discrepancy")
    fields = ("kind", "site", "document_number", "books_said", "seen", "due_on", "discrepancy_id")
    show_list(token, ask, DiscrepancyRow, headings, fields, "Nothing contradicts the books.", limit, csv, xlsx)


def show_documents(
    act: Annotated[Act | None, typer.Option(help="Only of this act")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Recorded from this day on")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Recorded up to this day")] = None,
    site: Annotated[str | None, typer.Option(help="Only of this site's books")] = None,
    book: Annotated[str | None, typer.Option(help="Only of this book")] = None,
    poster: Annotated[str | None, typer.Option(help="Service number of who posted")] = None,
    text: Annotated[str | None, typer.Option(help="Part of the number, or of what the document says")] = None,
    fact: Annotated[bool | None, typer.Option("--facts/--commands", help="Only facts, or only commands")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show documents, the newest first."""
    days = (since.date() if since else None, until.date() if until else None)
    ask = partial(documents.list_documents, sought=documents.Sought(act, *days, site, book, poster, text, fact))
    headings = ("number", "act", "fact", "happened", "recorded", "lines", "quantity", "posted by")
    fields = ("number", "act", "fact", "happened_at", "recorded_at", "lines", "quantity", "posted_by")
    show_list(token, ask, DocumentRow, headings, fields, "There are no such documents.", limit, csv, xlsx)


def show_destruction_orders(
    state: Annotated[OrderState | None, typer.Option(help="How far they are; left out: all of them")] = None,
    site: Annotated[str | None, typer.Option(help="Only of this site")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show destruction orders, the oldest first: what is certified, what is left, what is overdue."""
    ask = partial(list_destruction_orders, state=state, site=site, at=AsOf(in_utc(happened), in_utc(recorded)))
    headings = ("number", "authority", "due", "ordered", "certified", "left", "state")
    fields = ("number", "authority", "due_on", "quantity", "certified", "left", "state")
    show_list(token, ask, DestructionOrderRow, headings, fields, "There are no such orders.", limit, csv, xlsx)


def show_list(
    token: str | None,
    ask: Callable[..., PageOf[Any]],
    row: type,
    headings: Sequence[str],
    fields: Sequence[str],
    nothing: str,
    limit: int,
    csv: Path | None,
    xlsx: Path | None,
) -> None:
    """A page of a list as a table; or all of it in files."""
    with reading_as(token) as (connection, actor):
        if csv or xlsx:
            whole = every_row(lambda limit, cursor: ask(connection, actor, limit=limit, cursor=cursor))
            write_report(csv, xlsx, row, whole)
            return
        page = ask(connection, actor, limit=limit)
    show_table(headings, ([getattr(one, field) for field in fields] for one in page.rows), nothing)
    if page.cursor:
        out.print(f"... and more: --limit shows up to 1000, not {limit}; --csv and --xlsx write all.", markup=False)
