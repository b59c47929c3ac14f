"""Shipments at a terminal: what is on its way and overdue, one of them with its lines, and its passing from carrier to
carrier; as the person of a token.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from stockpile.carrier_hand_overs import TellHandOver, tell_hand_over
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.shown import new_group, out, show_table
from stockpile.reports.export import every_row
from stockpile.reports.shipments import HandOver, ShipmentRow, Sought, list_shipments, read_shipment

Number = Annotated[str, typer.Argument(metavar="SHIPMENT", help="Number or id of the shipping order")]

ON_THE_WAY = (
    "number", "from_site", "to_site", "carried_by", "expected_on", "shipped", "arrived", "rejected", "otherwise", "outstanding",
    "days_overdue",
)  # fmt: skip


def show_shipments(
    overdue: Annotated[bool, typer.Option(help="Only what should have come by now and did not")] = False,
    outstanding: Annotated[bool, typer.Option(help="Only what has not all come")] = False,
    from_site: Annotated[str | None, typer.Option(help="Only from this site")] = None,
    to_site: Annotated[str | None, typer.Option(help="Only bound for this site")] = None,
    carrier: Annotated[str | None, typer.Option(help="Part of the name of a carrier")] = None,
    expected_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Expected before this day")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show shipments, those expected first at the top."""
    day = expected_before.date() if expected_before else None
    sought = Sought(from_site, to_site, overdue or None, outstanding or None, carrier, day)
    with reading_as(token) as (connection, actor):
        if csv or xlsx:
            whole = every_row(lambda limit, cursor: list_shipments(connection, actor, sought, limit, cursor))
            write_report(csv, xlsx, ShipmentRow, whole)
            return
        page = list_shipments(connection, actor, sought, limit)
    headings = [name.replace("_", " ") for name in ON_THE_WAY]
    rows = ([getattr(row, name) for name in ON_THE_WAY] for row in page.rows)
    show_table(headings, rows, "There are no such shipments.")
    if page.cursor:
        out.print(f"... and more: --limit shows up to 1000, not {limit}; --csv and --xlsx write all.", markup=False)


shipment = new_group("One shipment: what became of each line, and its carriers.")


@shipment.command("show")
def show(number: Number, limit: Annotated[int, typer.Option(min=1, max=1000)] = 500, token: Token = None) -> None:
    """Show a shipment with its lines and hand-overs."""
    with reading_as(token) as (connection, actor):
        found = read_shipment(connection, actor, number, limit)
    row = found.shipment
    late = f", {row.days_overdue} days overdue" if row.overdue else ""
    out.print(f"{row.number}: {row.from_site} to {row.to_site}, expected on {row.expected_on}{late}", markup=False)
    columns = ("asset_tag", "model", "serial_number", "shipped", "arrived", "rejected", "otherwise", "outstanding")
    headings = [name.replace("_", " ") for name in columns]
    show_table(headings, ([getattr(line, name) for name in columns] for line in found.lines), "It was taken back.")
    if found.cursor:
        out.print("... and more: --limit shows up to 1000.")
    _show_hand_overs(found.hand_overs, f"{row.carrier} has had it since {row.shipped_at:%Y-%m-%d %H:%M}Z.")


@shipment.command("hand-over")
def hand_over(
    number: Number,
    handed_over_by: Annotated[str, typer.Option("--from", help="Who handed it over")],
    carrier: Annotated[str, typer.Option("--to", help="Who took it over")],
    place: Annotated[str, typer.Option(help="Where")],
    happened: Annotated[
        datetime | None,
        typer.Option(
            "--at", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%z"], help="When; in UTC unless it says otherwise"
        ),
    ] = None,
    remarks: Annotated[str | None, typer.Option()] = None,
    site: Annotated[str | None, typer.Option("--site", help="Site code, for who is bound to none")] = None,
    token: Token = None,
) -> None:
    """Tell that a shipment passed from one carrier to the next; without --at: now."""
    at = happened or datetime.now(UTC)
    request = TellHandOver.model_validate({
        "site": site, "handed_over_by": handed_over_by, "carrier": carrier, "place": place, "remarks": remarks,
        "happened_at": at if at.tzinfo else at.replace(tzinfo=UTC),
    })  # fmt: skip
    with acting(token) as (engine, actor):
        _show_hand_overs(tell_hand_over(engine, actor, number, request), "")


def _show_hand_overs(hand_overs: tuple[HandOver, ...], nothing: str) -> None:
    headings = ("", "when", "where", "handed over by", "taken over by", "told by", "remarks")
    rows = (
        (one.ordinal, one.happened_at, one.place, one.handed_over_by, one.carrier, one.recorded_by, one.remarks)
        for one in hand_overs
    )
    show_table(headings, rows, nothing)
