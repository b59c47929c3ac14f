"""Guests at a terminal: invite, approve, end, and see what they read; as the person of a token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from stockpile import guests
from stockpile.commands.asking import Token, acting, every_row, reading_as
from stockpile.commands.shown import new_group, out, show_table
from stockpile.guests import Invited, InviteGuest
from stockpile.reports.guests import list_guests, list_readings

Key = Annotated[UUID, typer.Argument(metavar="INVITATION", help="Its key, as 'stockpile guest list' shows it")]
Moment = Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="By UTC")]

guest = new_group("Guests: people from outside who read for a time, and write nothing.")


@guest.command("invite")
def invite(
    person: Annotated[str, typer.Argument(help="A number for the person, or the one that they have in the books")],
    until: Moment,
    reason: Annotated[str, typer.Option(help="Who asked for it, and what for")],
    name: Annotated[str | None, typer.Option(help="Of somebody new to the books")] = None,
    donor: Annotated[
        str | None, typer.Option(help="Only this donor's weapons; left out: everything, as an auditor")
    ] = None,
    consignment: Annotated[
        list[str] | None, typer.Option(help="Only this consignment of the donor's; repeated")
    ] = None,
    begin: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="By UTC; left out: as soon as approved"),
    ] = None,
    token: Token = None,
) -> None:
    """As a registrar: invite somebody. Another registrar or an auditor approves it."""
    asked: dict[str, Any] = {
        "person": person, "name": name, "scope": "consignments" if consignment else "donor" if donor else "country", "donor": donor,
        "consignments": consignment or [], "begins_at": begin and begin.replace(tzinfo=UTC), "ends_at": until.replace(tzinfo=UTC),
        "reason": reason,
    }  # fmt: skip
    with acting(token) as (engine, actor):
        _told(guests.invite(engine, actor, InviteGuest.model_validate(asked)))


@guest.command("list")
def show_list(
    state: Annotated[str | None, typer.Option(help="waiting for approval, to come, reads, over, revoked, ...")] = None,
    token: Token = None,
) -> None:
    """Show guests, the newest invitation first."""
    with reading_as(token) as (connection, actor):
        found = list(every_row(lambda cursor: list_guests(connection, actor, state, cursor=cursor)))
    columns = ("guest_id", "person", "state", "scope", "donor", "begins_at", "ends_at", "readings")
    rows = ([getattr(row, name) for name in columns] for row in found)
    show_table([name.replace("_", " ") for name in columns], rows, "Nobody was invited.")


@guest.command("approve")
def approve(key: Key, token: Token = None) -> None:
    """As the second person: let them read. Prints the name and the one-time code to sign in with."""
    with acting(token) as (engine, actor):
        _told(guests.approve(engine, actor, key))


@guest.command("reject")
def reject(key: Key, token: Token = None) -> None:
    """As the second person: say no; as who asked: take it back."""
    with acting(token) as (engine, actor):
        _told(guests.reject(engine, actor, key))


@guest.command("revoke")
def revoke(key: Key, token: Token = None) -> None:
    """End an access at once, for good."""
    with acting(token) as (engine, actor):
        _told(guests.revoke(engine, actor, key))


@guest.command("token")
def make_token(key: Key, label: Annotated[str, typer.Option(help="What it is for")], token: Token = None) -> None:
    """Make a token for a guest's programs; it is printed this once."""
    with acting(token) as (engine, actor):
        print(guests.give_token(engine, actor, key, label).text)


@guest.command("readings")
def show_readings(
    key: Annotated[UUID | None, typer.Argument(metavar="[INVITATION]", help="Of one guest")] = None, token: Token = None
) -> None:
    """Show what guests read, the newest first."""
    with reading_as(token) as (connection, actor):
        found = list(every_row(lambda cursor: list_readings(connection, actor, key, cursor=cursor)))
    show_table(
        ("when", "person", "how", "what"),
        ((one.read_at, one.person, one.method, one.path) for one in found),
        "Nothing was read.",
    )


def _told(invited: Invited) -> None:
    out.print(f"{invited.guest_id}: {invited.state}.", markup=False)
    if invited.code:
        out.print(f"Signs in as {invited.name}, the first time by the code {invited.code}", markup=False)
