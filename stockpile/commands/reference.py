"""Reference: sites, stores, units, people, donors, models, aliases, tokens, by whoever administers the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from stockpile import catalogue, parties, sites, tokens
from stockpile import founding as domain
from stockpile.commands.asking import administering
from stockpile.commands.shown import new_group, out, show_table
from stockpile.errors import Fault, Invalid, NotFound

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From which day on; left out: today")]


def _day(given: datetime | None) -> Any:
    return (given or datetime.now(UTC)).date()


token = new_group("Tokens: who may speak to the service, in which role, until when.")


@token.command("create")
def create_token(
    role: Annotated[str, typer.Argument(help="clerk, armourer, commander, registrar, auditor or donor")],
    label: Annotated[str, typer.Option(help="What it is for")],
    party: Annotated[str | None, typer.Option(help="Service number of the person it belongs to")] = None,
    site: Annotated[str | None, typer.Option(help="Site of a desk's token")] = None,
    donor: Annotated[str | None, typer.Option(help="Code of the donor, for a donor's token")] = None,
    book: Annotated[str | None, typer.Option(help="The counter's book")] = None,
    hours: Annotated[int | None, typer.Option(help="How long it lives", min=1)] = None,
) -> None:
    """Make a token; it is shown this once."""
    lives = timedelta(hours=hours) if hours else None
    with administering() as connection:
        made = tokens.create_token(connection, role, label, party, site, donor, book, lives)
    out.print(made.text, markup=False)


@token.command("list")
def list_tokens(alive: Annotated[bool, typer.Option(help="Without the expired and revoked")] = False) -> None:
    """List tokens, the newest first; never their text."""
    with administering() as connection:
        found = tokens.list_tokens(connection, alive)
    show_table(
        ("token", "role", "party", "site", "book", "label", "expires", "revoked"),
        ((t.token_id, t.role, t.party, t.site, t.book, t.label, t.expires_at, t.revoked_at) for t in found),
        "There are no tokens.",
    )


@token.command("revoke")
def revoke_token(token_id: UUID) -> None:
    """End a token now."""
    with administering() as connection:
        revoked = tokens.revoke_token(connection, token_id)
    out.print(f"{revoked.label}: revoked.", markup=False)


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
def list_sites() -> None:
    """List the sites."""
    with administering() as connection:
        found = sites.list_sites(connection)
    show_table(
        ("code", "name", "time zone", "declared open"),
        ((s.code, s.name, s.time_zone, s.declared_open_at) for s in found),
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
        parties.add_unit(connection, code, name, sites.find_site(connection, site), above, _day(since))
    out.print(f"{code}: added.", markup=False)


@unit.command("card")
def give_card(
    unit: str,
    person: Annotated[str, typer.Option(help="Service number of who may draw")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day")],
    issued_by: Annotated[str, typer.Option(help="Service number of who issues the card")],
    since: Day = None,
) -> None:
    """Let a person draw for a unit (signature card)."""
    first, last = _day(since), until.date()
    if last < first:
        raise Invalid("The card was not given.", [Fault("ends before it begins", field="until", value=str(last))])
    with administering() as connection:
        parties.give_signature_card(
            connection,
            parties.need_party(connection, "unit", unit, "unit"),
            parties.need_party(connection, "person", person, "person"),
            first,
            last,
            parties.need_party(connection, "person", issued_by, "issued_by").party_id,
        )
    out.print(f"{person} may draw for {unit} until {last}.", markup=False)


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
        added = parties.add_person(connection, service_number, name, rank, at, member_of, _day(since))
    out.print(f"{added.display}: added.", markup=False)


donor = new_group("Donors.")


@donor.command("add")
def add_donor(code: str, name: Annotated[str, typer.Option()]) -> None:
    """Add a donor."""
    with administering() as connection:
        parties.add_party(connection, "donor", code, name)
    out.print(f"{code}: added.", markup=False)


alias = new_group("Aliases: what a donor or an old book calls a model.")


@alias.command("list")
def list_aliases(
    unmapped: Annotated[bool, typer.Option(help="Only those nobody has mapped yet")] = False,
    source: Annotated[str | None, typer.Option(help="Of one donor or book")] = None,
) -> None:
    """List aliases."""
    with administering() as connection:
        found = connection.exec_driver_sql(
            """SELECT a.source, a.name, concat_ws(' ', m.maker, m.name), a.first_seen_at
               FROM alias a LEFT JOIN model m USING (model_id)
               WHERE (a.model_id IS NULL OR NOT %(unmapped)s) AND (%(source)s::text IS NULL OR a.source = %(source)s)
               ORDER BY a.source, a.name""",
            {"unmapped": unmapped, "source": source},
        ).all()
    show_table(("source", "name", "model", "first seen"), (tuple(row) for row in found), "There are none.")


@alias.command("map")
def map_alias(
    source: Annotated[str, typer.Argument(help="Donor or book that uses the name")],
    name: Annotated[str, typer.Argument(help="The name as it stands in its lists")],
    model: Annotated[str, typer.Argument(help="The model it means, e.g. 'Type 56' or 'Norinco Type 56'")],
    approved_by: Annotated[str, typer.Option(help="Service number of the registrar who says so")],
) -> None:
    """Say once what a source means by a name."""
    with administering() as connection:
        meant = catalogue.find_model(connection, model)
        if meant is None:
            raise NotFound(f"No model {model!r}: 'stockpile model list' shows them, with their makers.")
        by = parties.need_party(connection, "person", approved_by, "approved_by")
        catalogue.map_alias(connection, source, name, meant.model_id, by.party_id)
    out.print(f"{source}: {name} means {meant.maker} {meant.name}.", markup=False)


model = new_group("Models: the catalogue.")


@model.command("list")
def list_models(text: Annotated[str, typer.Argument(help="Part of maker or name")] = "") -> None:
    """List the catalogue's models."""
    with administering() as connection:
        found = connection.exec_driver_sql(
            """SELECT maker, name, calibre, category, subcategory, fire_mode, security_risk_category, tracked_by
               FROM model WHERE strpos(lower(maker || ' ' || name), lower(%s)) > 0 ORDER BY category, maker, name""",
            (text,),
        ).all()
    show_table(
        ("maker", "name", "calibre", "category", "kind", "fire mode", "risk", "tracked by"),
        (tuple(row) for row in found),
        "There is no such model.",
    )
