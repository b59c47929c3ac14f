"""Sites, stores and accounts, by whoever administers the machine."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from stockpile import accounts, parties, sites
from stockpile import founding as domain
from stockpile.commands.asking import administering, every_row
from stockpile.commands.shown import new_group, out, show_table
from stockpile.movements import AccountClass
from stockpile.reports.reference import search_sites

site = new_group("Sites: depots and arms rooms.")


@site.command("add")
def add_site(
    code: Annotated[str, typer.Argument(help="e.g. TAJI")],
    name: Annotated[str, typer.Option()],
    time_zone: Annotated[str, typer.Option(help="e.g. Asia/Baghdad")],
    custodian: Annotated[str, typer.Option(help="Service number of who answers for it")],
    store: Annotated[list[str], typer.Option(help="A store; may be repeated")],
) -> None:
    """Add a site with its stores."""
    with administering() as connection:
        person = parties.need_party(connection, "person", custodian, "custodian")
        added = domain.found_site(connection, code, name, time_zone, store, person)
    out.print(f"{added.code}: added, with {len(store)} store(s).", markup=False)


@site.command("list")
def list_sites(text: Annotated[str | None, typer.Argument(help="Part of code or name")] = None) -> None:
    """List the sites."""
    with administering() as connection:
        found = list(every_row(lambda cursor: search_sites(connection, text, cursor=cursor)))
    show_table(
        ("code", "name", "time zone", "custodian", "declared open", "stores"),
        ((s.code, s.name, s.time_zone, s.custodian, s.declared_open_at, ", ".join(s.stores)) for s in found),
        "There are no sites.",
    )


@site.command("declare-open")
def declare_open(code: str) -> None:
    """From now on nothing enters the site by an opening list."""
    with administering() as connection:
        sites.declare_open(connection, sites.find_site(connection, code))
    out.print(f"{code}: declared open.", markup=False)


store = new_group("Stores of a site.")


@store.command("add")
def add_store(site: Annotated[str, typer.Argument(help="Site code")], name: str) -> None:
    """Add a store to a site."""
    with administering() as connection:
        added = sites.add_store(connection, sites.find_site(connection, site), name)
    out.print(f"{added.name}: added to {site.upper()}.", markup=False)


account = new_group("Accounts: where items are, who answers for them, on whose property book they count.")


@account.command("list")
def list_accounts(
    text: Annotated[str | None, typer.Argument(help="Part of the name")] = None,
    site: Annotated[str | None, typer.Option(help="Site code")] = None,
    of_class: Annotated[AccountClass | None, typer.Option("--class", help="e.g. store")] = None,
) -> None:
    """List accounts with custodian and accountable unit."""
    with administering() as connection:
        site_id = sites.find_site(connection, site).site_id if site else None
        found = list(
            every_row(
                lambda cursor: accounts.search_accounts(
                    connection, sites.day_on_the_walls(connection), site_id, of_class, text, cursor=cursor
                )
            )
        )
    show_table(
        ("account", "site", "class", "name", "custodian", "accountable unit"),
        ((a.account_id, a.site, a.account_class, a.name, a.custodian, a.accountable_unit) for a in found),
        "There are no such accounts.",
    )


@account.command("custodian")
def set_custodian(
    account_id: UUID,
    person: Annotated[str | None, typer.Argument(help="Service number; left out: the site's custodian")] = None,
) -> None:
    """Say who answers for a store, workshop or unit's account."""
    with administering() as connection:
        by = parties.need_party(connection, "person", person, "custodian") if person else None
        accounts.set_custodian(connection, account_id, by)
        shown = accounts.read_account(connection, account_id, sites.day_on_the_walls(connection))
    out.print(f"{shown.site} {shown.name}: {shown.custodian} answers.", markup=False)


@account.command("accountable-unit")
def set_accountable_unit(
    account_id: UUID,
    unit: Annotated[str | None, typer.Argument(help="Code; left out: that of the site's custodian")] = None,
) -> None:
    """Say on whose property book a store counts."""
    with administering() as connection:
        of = parties.need_property_book(connection, unit, "unit") if unit else None
        accounts.set_accountable_unit(connection, account_id, of)
        shown = accounts.read_account(connection, account_id, sites.day_on_the_walls(connection))
    out.print(f"{shown.site} {shown.name}: counts with {shown.accountable_unit}.", markup=False)
