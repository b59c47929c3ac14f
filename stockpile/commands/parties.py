"""Units, people, donors and signature cards, by whoever administers the machine; rosters as the registrar of a token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection

from stockpile import parties, sites, units
from stockpile.commands.asking import Token, administering, every_row, reading_as
from stockpile.commands.lists import Columns, Constants, SetAside, Sheet
from stockpile.commands.options import pairs
from stockpile.commands.shown import new_group, out, progress, show_table
from stockpile.files import file_store
from stockpile.reports.party import show_party
from stockpile.reports.reference import search_parties, search_signature_cards
from stockpile.roster import Imported, RosterRequest, import_roster
from stockpile.settings import read_settings

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From which day on; left out: today")]
AsOf = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="As of this day; left out: today")]


def _day(connection: Connection, given: datetime | None, site: sites.Site | None = None) -> date:
    """The day given, else today at the site, else on the walls of the country."""
    return given.date() if given else sites.day_on_the_walls(connection, site.time_zone if site else None)


unit = new_group("Units, as a tree.")


@unit.command("add")
def add_unit(
    code: str,
    name: Annotated[str, typer.Option()],
    site: Annotated[str, typer.Option(help="The site that serves it")],
    parent: Annotated[str | None, typer.Option(help="Code of the unit above it")] = None,
    since: Day = None,
) -> None:
    """Add a unit."""
    with administering() as connection:
        above = parties.need_party(connection, "unit", parent, "parent") if parent else None
        at = sites.find_site(connection, site)
        parties.add_unit(connection, code, name, at, above, _day(connection, since, at))
    out.print(f"{code}: added.", markup=False)


@unit.command("list")
def list_units(on: AsOf = None) -> None:
    """Show the units as a tree."""
    with administering() as connection:
        tree = units.unit_tree(connection, _day(connection, on))
    show_table(("unit", "name", "sites", "people", "with sub-units"), _branches(tree, 0), "There are no units.")


def _branches(tree: Iterable[units.Unit], depth: int) -> Iterator[tuple[object, ...]]:
    for shown in tree:
        yield ("  " * depth + shown.code, shown.name, ", ".join(shown.sites), shown.people, shown.people_with_sub_units)
        yield from _branches(shown.sub_units, depth + 1)


@unit.command("members")
def list_members(
    code: str,
    text: Annotated[str | None, typer.Argument(help="Part of number or name")] = None,
    only: Annotated[bool, typer.Option(help="Without those of its sub-units")] = False,
    on: AsOf = None,
) -> None:
    """List who is in a unit."""
    with administering() as connection:
        of = parties.need_party(connection, "unit", code, "unit").party_id
        day = _day(connection, on)
        found = list(every_row(lambda cursor: units.members(connection, of, day, not only, text, cursor=cursor)))
    show_table(
        ("service number", "name", "rank", "unit", "since", "until"),
        ((m.service_number, m.name, m.rank, m.unit, m.since, m.until) for m in found),
        "There is nobody.",
    )


@unit.command("place")
def place_under(
    code: str,
    parent: Annotated[str | None, typer.Argument(help="Code of the unit above it; left out: none")] = None,
    since: Day = None,
) -> None:
    """Place a unit under another."""
    with administering() as connection:
        above = parties.need_party(connection, "unit", parent, "parent") if parent else None
        units.place_under(
            connection, parties.need_party(connection, "unit", code, "unit"), above, _day(connection, since)
        )
    out.print(f"{code}: {f'under {parent}' if parent else 'under no other'}.", markup=False)


@unit.command("station")
def station(code: str, site: str, since: Day = None) -> None:
    """Station a unit at another site."""
    with administering() as connection:
        at = sites.find_site(connection, site)
        units.station(connection, parties.need_party(connection, "unit", code, "unit"), at, _day(connection, since, at))
    out.print(f"{code}: served by {at.code}.", markup=False)


person = new_group("People.")


@person.command("add")
def add_person(
    service_number: str,
    name: Annotated[str, typer.Option()],
    site: Annotated[str, typer.Option(help="Site code")],
    unit: Annotated[str | None, typer.Option(help="Code of the unit")] = None,
    rank: Annotated[str | None, typer.Option()] = None,
    since: Day = None,
) -> None:
    """Add a person; whole rosters come by 'stockpile roster import'."""
    with administering() as connection:
        member_of = parties.need_party(connection, "unit", unit, "unit") if unit else None
        at = sites.find_site(connection, site)
        added = parties.add_person(connection, service_number, name, rank, at, member_of, _day(connection, since, at))
    out.print(f"{added.display}: added.", markup=False)


@person.command("rename")
def rename_person(
    service_number: str,
    name: Annotated[str, typer.Option()],
    rank: Annotated[str | None, typer.Option(help="Left out: none")] = None,
) -> None:
    """Give a person another name or rank; documents keep the old one."""
    with administering() as connection:
        known = parties.need_party(connection, "person", service_number, "service_number")
        renamed = parties.rename(connection, known.party_id, name, rank)
    out.print(f"{renamed.display}.", markup=False)


@person.command("list")
def list_people(
    text: Annotated[str | None, typer.Argument(help="Part of number or name")] = None,
    site: Annotated[str | None, typer.Option(help="Site code")] = None,
    unit: Annotated[str | None, typer.Option(help="Code of the unit")] = None,
    on: AsOf = None,
) -> None:
    """List people with their unit."""
    with administering() as connection:
        site_id = sites.find_site(connection, site).site_id if site else None
        unit_id = parties.need_party(connection, "unit", unit, "unit").party_id if unit else None
        day = _day(connection, on)
        found = list(
            every_row(lambda cursor: search_parties(connection, day, "person", text, site_id, unit_id, cursor=cursor))
        )
    show_table(
        ("service number", "name", "rank", "site", "unit"),
        ((p.code, p.name, p.rank, p.site, p.unit) for p in found),
        "There is nobody.",
    )


@person.command("show")
def show_person(service_number: str) -> None:
    """Show a person's names, units, signature cards and accounts."""
    with administering() as connection:
        known = parties.need_party(connection, "person", service_number, "service_number")
        shown = show_party(connection, known.party_id, sites.day_on_the_walls(connection), with_names=True)
    out.print(f"{known.display}, {shown.site or 'at no site'}", markup=False)
    show_table(("name", "rank", "recorded"), ((n.name, n.rank, n.recorded_at) for n in shown.names), "No names.")
    show_table(("unit", "since", "until"), ((m.unit, m.since, m.until) for m in shown.memberships), "In no unit.")
    show_table(
        ("draws for", "since", "until", "state"),
        ((c.unit, c.since, c.until, c.state) for c in shown.signature_cards),
        "On no signature card.",
    )
    show_table(("account at", "holds"), ((a.site, a.holds) for a in shown.accounts), "Without an account.")


card = new_group("Signature cards: who may draw for a unit, until when.")


@card.command("give")
def give_card(
    unit: str,
    person: Annotated[str, typer.Argument(help="Service number of who may draw")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day")],
    issued_by: Annotated[str, typer.Option(help="Service number of who issues the card")],
    since: Day = None,
) -> None:
    """Let a person draw for a unit."""
    with administering() as connection:
        parties.give_signature_card(
            connection,
            parties.need_party(connection, "unit", unit, "unit"),
            parties.need_party(connection, "person", person, "person"),
            _day(connection, since),
            until.date(),
            parties.need_party(connection, "person", issued_by, "issued_by").party_id,
        )
    out.print(f"{person} may draw for {unit} until {until.date()}.", markup=False)


@card.command("list")
def list_cards(
    text: Annotated[str | None, typer.Argument(help="Part of unit or person")] = None,
    state: Annotated[str | None, typer.Option(help="valid, expired, withdrawn, not begun or left")] = None,
    on: AsOf = None,
) -> None:
    """List signature cards, the first to end first."""
    with administering() as connection:
        day = _day(connection, on)
        found = list(
            every_row(lambda cursor: search_signature_cards(connection, day, state=state, text=text, cursor=cursor))
        )
    show_table(
        ("card", "unit", "person", "name", "since", "until", "state"),
        ((c.signature_card_id, c.unit, c.person, c.name, c.since, c.until, c.state) for c in found),
        "There are no such cards.",
    )


@card.command("withdraw")
def withdraw_card(signature_card_id: UUID) -> None:
    """From now on the person may not draw by it."""
    with administering() as connection:
        parties.withdraw_signature_card(connection, signature_card_id)
    out.print("Withdrawn.", markup=False)


donor = new_group("Donors.")


@donor.command("add")
def add_donor(code: str, name: Annotated[str, typer.Option()]) -> None:
    """Add a donor."""
    with administering() as connection:
        parties.add_party(connection, "donor", code, name)
    out.print(f"{code}: added.", markup=False)


@donor.command("list")
def list_donors(text: Annotated[str | None, typer.Argument(help="Part of code or name")] = None) -> None:
    """List the donors."""
    with administering() as connection:
        found = list(
            every_row(
                lambda cursor: search_parties(
                    connection, sites.day_on_the_walls(connection), "donor", text, cursor=cursor
                )
            )
        )
    show_table(("code", "name"), ((d.code, d.name) for d in found), "There are no donors.")


roster = new_group("Rosters: the people of a site from a list, again and again.")


@roster.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The list: CSV or XLSX")],
    site: Annotated[str, typer.Option(help="Whose roster it is: site code")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would change")] = False,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When it was drawn up")] = None,
    confirm_gone: Annotated[int | None, typer.Option(help="How many people go, as the dry run said")] = None,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    set_aside: SetAside = False,
    token: Token = None,
) -> None:
    """Bring the people of a site up to a roster; those gone get an end date, nobody is deleted."""
    asked: dict[str, Any] = {"site": site, "dry_run": dry_run, "confirm_gone": confirm_gone}
    asked["as_of"] = as_of.date() if as_of else None
    with reading_as(token) as (connection, actor), progress():
        listed = {
            "sha256": file_store().keep_copy(file, read_settings().upload_limit).sha256,
            "name": file.name[:64],
            "sheet": sheet,
            "columns": pairs(column, "--column") or None,
            "constants": pairs(constant, "--all"),
            "set_aside": set_aside,
        }
        done = import_roster(connection, actor, RosterRequest.model_validate({**asked, "file": listed}))
    _show_roster(done)


def _show_roster(done: Imported) -> None:
    counts = done.counts
    out.print(
        f"{done.site}, {done.as_of}{' (dry run: nothing was done)' if done.dry_run else ''}: {counts.rows:,} rows. "
        f"{counts.new:,} new, {counts.moved_here:,} moved here, {counts.back:,} back, {counts.changed:,} changed, "
        f"{counts.unchanged:,} as before, {counts.gone:,} gone, {counts.set_aside:,} set aside.",
        markup=False,
    )
    if done.dry_run and done.confirm_gone is not None:
        out.print(f"So many go that it takes --confirm-gone {done.confirm_gone}.", markup=False)
    for title, headings, rows in (
        ("", ("what", "row", "service number", "name", "rank", "unit", "was", "why"),
         [(c.kind, c.row, c.service_number, c.name, c.rank, c.unit, c.was, c.because) for c in done.changes]),
        ("Still hold weapons:", ("service number", "name", "at", "holds", "the first of them"),
         [(h.service_number, h.name, h.site, h.holds, ", ".join(h.weapons)) for h in done.still_holding]),
        ("Doubtful:", ("row", "why"), [(doubt.row, doubt.remark) for doubt in done.doubts]),
        ("Set aside:", ("row", "why"), [(row.row, row.remark) for row in done.set_aside]),
    ):  # fmt: skip
        if rows:
            out.print(title, markup=False)
            show_table(headings, rows, "")
