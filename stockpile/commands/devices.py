"""Devices and the books kept away from the service, as the person of a token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from stockpile import devices
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.shown import new_group, out, show_table
from stockpile.device_vouchers import reason_of
from stockpile.reports import books
from stockpile.reports import devices as reports
from stockpile.reports.books import BookRow
from stockpile.reports.export import every_row
from stockpile.rights import reading
from stockpile.voucher_file import Brought, bring, read_voucher_file

device = new_group("Devices: which may write vouchers while the link is down.")

SiteCode = Annotated[str | None, typer.Option("--site", help="Only of this site")]


@device.command("enrol")
def enrol(
    book: Annotated[str, typer.Argument(help="The code of its own book, e.g. TAB-3")],
    public_key: Annotated[str, typer.Argument(help="Ed25519 public key in base64, as the device shows it")],
    label: Annotated[str, typer.Option(help="What it is called, e.g. 'Tablet 3, north gate'")],
    site: Annotated[str | None, typer.Option(help="Its site; only those bound to no site need it")] = None,
    token: Token = None,
) -> None:
    """Enrol a device; shows the id that it puts into each voucher."""
    with acting(token) as (engine, actor), reading(engine, actor) as connection:
        device_id = devices.enrol(connection, actor, book, label, public_key, site)
    out.print(f"{label}: enrolled as {device_id}, book {book}.", markup=False)


@device.command("list")
def list_devices(
    site: SiteCode = None,
    text: Annotated[str | None, typer.Option(help="Part of the label or the book's code")] = None,
    alive: Annotated[bool, typer.Option(help="Without the revoked")] = False,
    token: Token = None,
) -> None:
    """List devices: last contact, how far the clock was off then (seconds ahead), what has not come."""
    with reading_as(token) as (connection, actor):
        rows = every_row(
            lambda limit, cursor: reports.search_devices(connection, actor, site, text, alive, limit, cursor)
        )
        found = list(rows)
    show_table(
        ("device", "site", "book", "label", "last contact", "clock", "highest", "missing", "set aside", "revoked"),
        (
            (d.device_id, d.site, d.book, d.label, d.last_contact, _seconds(d.clock_offset), d.highest, d.missing,
             d.set_aside, d.revoked_at)
            for d in found
        ),
        "There are no devices.",
    )  # fmt: skip


def _seconds(offset: float | None) -> str | None:
    return None if offset is None else f"{offset:+.1f} s"


@device.command("revoke")
def revoke(device_id: Annotated[UUID, typer.Argument(help="As 'device list' shows it")], token: Token = None) -> None:
    """Rely on a device no more; what still comes from it is kept, with a discrepancy."""
    with acting(token) as (engine, actor), reading(engine, actor) as connection:
        devices.revoke(connection, actor, device_id)
        row = reports.read_device(connection, device_id)
    out.print(f"{row.label}: revoked.", markup=False)


@device.command("rejects")
def show_rejects(
    site: SiteCode = None,
    posted: Annotated[bool | None, typer.Option("--posted/--open", help="Posted since, or not")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what came from devices and could not be posted; --csv and --xlsx write it as it came."""
    with reading_as(token) as (connection, actor):
        if csv or xlsx:
            rows = every_row(
                lambda limit, cursor: reports.list_rejects(connection, actor, site, None, posted, limit, cursor)
            )
            write_report(csv, xlsx, reports.DeviceReject, rows)
            return
        page = reports.list_rejects(connection, actor, site, None, posted, limit)
    show_table(
        ("received", "device", "document id", "why", "posted as"),
        ((r.received_at, r.device, r.document_id, r.reason, r.posted_as) for r in page.rows),
        "Nothing was set aside.",
    )


@device.command("bring")
def bring_file(
    file: Annotated[Path, typer.Argument(help="As the station saved it", exists=True, dir_okay=False, readable=True)],
    token: Token = None,
) -> None:
    """Bring in the vouchers that a station without a link saved to a file; as often as you like."""
    saved = read_voucher_file(file)
    with acting(token) as (engine, actor):
        brought = list(bring(engine, actor, saved))
    show_table(
        ("number", "what became of it"), ((one.number, _became(one)) for one in brought), "The file has no vouchers."
    )
    aside = sum(one.outcome.posted is None for one in brought)
    out.print(f"{len(brought) - aside} of {len(brought)} posted, {aside} set aside.", markup=False)


def _became(one: Brought) -> str:
    posted = one.outcome.posted
    if posted is None:
        assert one.outcome.problem is not None
        return f"set aside: {reason_of(one.outcome.problem)}"
    kinds = ", ".join(dict.fromkeys(str(found.kind) for found in posted.discrepancies))
    return f"posted as {posted.number}" + (f", with a discrepancy: {kinds}" if kinds else "")


def show_books(
    site: SiteCode = None,
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(books.KINDS)}")] = None,
    year: Annotated[int | None, typer.Option()] = None,
    incomplete: Annotated[bool, typer.Option(help="Only those with numbers that have not come")] = False,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show the books: who numbers in each, how far it goes, which numbers have not come."""
    with reading_as(token) as (connection, actor):
        rows = list(
            every_row(
                lambda limit, cursor: books.list_books(connection, actor, site, kind, year, incomplete, limit, cursor)
            )
        )
    if csv or xlsx:
        write_report(csv, xlsx, BookRow, rows)
        return
    show_table(
        ("site", "book", "year", "kind", "holder", "highest", "missing", "which"),
        ((b.site, b.book, str(b.year), b.kind, b.holder, b.highest, b.missing, b.runs) for b in rows),
        "There are no such books.",
    )
