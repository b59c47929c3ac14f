"""The morning draw at a terminal: a scan that hands out or takes back, whose weapons they are, which cards stand in the
racks; as the person of a token.
"""

from __future__ import annotations

from typing import Annotated

import typer

from stockpile import weapon_assignments
from stockpile.acts.draw import DRAW
from stockpile.acts.perform import perform
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.shown import new_group, out, show_posted, show_table
from stockpile.reports.weapon_cards import cards_out
from stockpile.weapon_assignments import Assign, EndAssignments

Scans = Annotated[list[str], typer.Argument(metavar="SCAN...", help="Asset tags, serial numbers or UIIs")]
SiteCode = Annotated[str | None, typer.Option("--site", help="Only of this site")]
Text = Annotated[str | None, typer.Option(help="Part of the person's number or name, the model or the serial number")]
Rows = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many")]


def draw(
    scans: Scans,
    person: Annotated[str | None, typer.Option(help="Service number of who stands at the counter")] = None,
    direction: Annotated[str | None, typer.Option(help="Insist on one way: out or back")] = None,
    store: Annotated[str | None, typer.Option(help="Only from, or back into, this store")] = None,
    token: Token = None,
) -> None:
    """Hand assigned weapons out against their weapon cards, or take them back: where they are decides."""
    given = {"lines": [{"scan": scan} for scan in scans], "person": person, "direction": direction, "store": store}
    with acting(token) as (engine, actor):
        answer = perform(engine, actor, DRAW, DRAW.request.model_validate(given))
    show_posted(answer)


def show_cards(
    overdue: Annotated[bool, typer.Option(help="Only those out for more than a day")] = False,
    site: SiteCode = None,
    text: Text = None,
    limit: Rows = 100,
    token: Token = None,
) -> None:
    """Show the weapon cards that stand in the racks, the longest out first."""
    with reading_as(token) as (connection, actor):
        page = cards_out(connection, actor, overdue or None, site, text, limit)
    show_table(
        ("since", "tag", "model", "serial number", "person", "name", "unit", "document", "overdue"),
        (
            (c.since, c.asset_tag, c.model, c.serial_number, c.person, c.name, c.unit, c.document_number, c.overdue)
            for c in page.rows
        ),
        "No card stands in a rack.",
    )
    _say_more(page.cursor)


assignment = new_group("Weapon assignments: whose weapon it is at the morning draw.")


@assignment.command("add")
def add(
    person: Annotated[str, typer.Argument(help="Service number")],
    scans: Scans,
    token: Token = None,
) -> None:
    """Assign weapons to a person; the earlier assignment of each ends."""
    request = Assign.model_validate({"lines": [{"scan": scan, "person": person} for scan in scans]})
    with acting(token) as (engine, actor):
        rows = weapon_assignments.assign(engine, actor, request)
    for row in rows:
        weapon = f"{row.asset_tag} {row.model} {row.serial_number or ''}".rstrip()
        out.print(f"{weapon}: {row.rank or ''} {row.name} ({row.person})".replace(":  ", ": "), markup=False)


@assignment.command("end")
def end(scans: Scans, token: Token = None) -> None:
    """End the assignments of weapons."""
    request = EndAssignments.model_validate({"lines": [{"scan": scan} for scan in scans]})
    with acting(token) as (engine, actor):
        ended = weapon_assignments.end_assignments(engine, actor, request)
    out.print(f"{ended:,} assignments ended.", markup=False)


@assignment.command("list")
def list_assignments(
    person: Annotated[str | None, typer.Option(help="Service number")] = None,
    unit: Annotated[str | None, typer.Option(help="Code of a unit: its people's and its sub-units'")] = None,
    weapon: Annotated[str | None, typer.Option(help="Asset tag, serial number or UII")] = None,
    site: SiteCode = None,
    text: Text = None,
    ended: Annotated[bool, typer.Option(help="With the earlier ones")] = False,
    limit: Rows = 100,
    token: Token = None,
) -> None:
    """List whose weapons they are, by service number."""
    with reading_as(token) as (connection, actor):
        page = weapon_assignments.search_assignments(connection, actor, person, unit, weapon, site, text, ended, limit)
    show_table(
        ("person", "name", "unit", "tag", "model", "serial number", "where", "since", "until"),
        (
            (a.person, a.name, a.unit, a.asset_tag, a.model, a.serial_number, a.where, a.since, a.until)
            for a in page.rows
        ),
        "No weapon is assigned so.",
    )
    _say_more(page.cursor)


def _say_more(cursor: str | None) -> None:
    if cursor:
        out.print("... and more: --limit shows up to 1000.")
