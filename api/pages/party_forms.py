"""What a registrar says of units and people: a new unit; from which day on a unit stands under another or is served by another site;
how somebody is called; from which day on a person is in another unit, or in none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.forms import or_none, sent
from api.pages.listing import sites_offered
from api.v1.parties import NewName, NewUnit, PersonMoved, UnitAbove, UnitStationed
from stockpile import parties, sites, units
from stockpile.parties import Left, Party
from stockpile.rights import KEEP_REFERENCE, Actor, reading, require
from stockpile.sites import day_on_the_walls

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]
REASONS = tuple((str(one), str(one)) for one in Left)


@router.get("/units/new", response_class=HTMLResponse)
def unit_form(request: Request, engine: Database, actor: Asker, parent: str = "") -> Response:
    """The form of a new unit."""
    return _new(request, engine, actor, {"given": {"parent": parent}})


@router.post("/units", response_class=HTMLResponse)
def add_unit(
    request: Request,
    engine: Database,
    actor: Asker,
    code: Text = "",
    name: Text = "",
    site: Text = "",
    parent: Text = "",
    since: Text = "",
) -> Response:
    """Adds a unit with an account at its site, and goes to its page."""
    given = {"code": code, "name": name, "site": site, "parent": parent, "since": since}

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        wanted = NewUnit.model_validate({**given, "parent": or_none(parent)})
        with reading(engine, actor) as connection:
            at = sites.find_site(connection, wanted.site)
            above = parties.need_party(connection, "unit", wanted.parent, "parent") if wanted.parent else None
            added = parties.add_unit(connection, wanted.code, wanted.name, at, above, wanted.since)
        return f"/units/{added.party_id}"

    return sent(given, do, lambda form, status: _new(request, engine, actor, form, status))


def _new(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        shown = {**_offered(connection, actor), "form": {"faults": {}, "problem": None, **form}}
    response: Response = templates.TemplateResponse(request, "unit_new.html", shown, status_code=status)
    return response


@router.get("/units/{unit_id}/change", response_class=HTMLResponse)
def unit_changes(unit_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What can be said anew of a unit."""
    return _change(request, engine, actor, unit_id, {})


@router.get("/people/{person_id}/change", response_class=HTMLResponse)
def person_changes(person_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What can be said anew of a person."""
    return _change(request, engine, actor, person_id, {})


Change = Callable[[Connection, Party], None]


def _done(
    request: Request,
    engine: Engine,
    actor: Actor,
    party_id: UUID,
    which: str,
    given: Mapping[str, Any],
    make: Callable[[], Change],
) -> Response:
    """One of the forms of a unit or person; wrong, it is shown again among the others."""

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        change = make()
        with reading(engine, actor) as connection:
            party = parties.read_party(connection, party_id)
            change(connection, party)
        return f"/parties/{party_id}"

    return sent(
        given, do, lambda form, status: _change(request, engine, actor, party_id, {**form, "which": which}, status)
    )


@router.post("/parties/{party_id}/name", response_class=HTMLResponse)
def rename(
    party_id: UUID, request: Request, engine: Database, actor: Asker, name: Text = "", rank: Text = ""
) -> Response:
    """Called so from now on; documents keep the name they were signed with."""

    def make() -> Change:
        wanted = NewName.model_validate({"name": name, "rank": or_none(rank)})
        return lambda connection, party: _renamed(connection, party, wanted)

    return _done(request, engine, actor, party_id, "name", {"name": name, "rank": rank}, make)


def _renamed(connection: Connection, party: Party, wanted: NewName) -> None:
    parties.rename(connection, party.party_id, wanted.name, wanted.rank if party.kind == "person" else None)


@router.post("/units/{unit_id}/parent", response_class=HTMLResponse)
def place_under(
    unit_id: UUID, request: Request, engine: Database, actor: Asker, parent: Text = "", since: Text = ""
) -> Response:
    """From a day on it stands under another unit, or under none."""

    def make() -> Change:
        wanted = UnitAbove.model_validate({"parent": or_none(parent), "since": since})

        def change(connection: Connection, _: Party) -> None:
            above = parties.need_party(connection, "unit", wanted.parent, "parent") if wanted.parent else None
            units.place_under(connection, units.read_unit(connection, unit_id), above, wanted.since)

        return change

    return _done(request, engine, actor, unit_id, "parent", {"parent": parent, "since": since}, make)


@router.post("/units/{unit_id}/station", response_class=HTMLResponse)
def station(
    unit_id: UUID, request: Request, engine: Database, actor: Asker, site: Text = "", since: Text = ""
) -> Response:
    """From a day on another site serves it."""

    def make() -> Change:
        wanted = UnitStationed.model_validate({"site": site, "since": since})

        def change(connection: Connection, _: Party) -> None:
            at = sites.find_site(connection, wanted.site)
            units.station(connection, units.read_unit(connection, unit_id), at, wanted.since)

        return change

    return _done(request, engine, actor, unit_id, "station", {"site": site, "since": since}, make)


@router.post("/people/{person_id}/unit", response_class=HTMLResponse)
def move_person(
    person_id: UUID, request: Request, engine: Database, actor: Asker, unit: Text = "", since: Text = ""
) -> Response:
    """From a day on they are in another unit."""

    def make() -> Change:
        wanted = PersonMoved.model_validate({"unit": unit, "since": since})

        def change(connection: Connection, _: Party) -> None:
            into = parties.need_party(connection, "unit", wanted.unit or "", "unit")
            units.move_person(connection, units.read_person(connection, person_id), into, wanted.since)

        return change

    return _done(request, engine, actor, person_id, "unit", {"unit": unit, "since": since}, make)


@router.post("/people/{person_id}/leave", response_class=HTMLResponse)
def leave(
    person_id: UUID, request: Request, engine: Database, actor: Asker, since: Text = "", because: Text = ""
) -> Response:
    """Their last day, and why they leave: on the day after it they are on no roster."""

    def make() -> Change:
        wanted = PersonMoved.model_validate({"unit": None, "since": since, "because": or_none(because)})
        return lambda connection, _: units.move_person(
            connection, units.read_person(connection, person_id), None, wanted.since + timedelta(days=1), wanted.because
        )

    return _done(request, engine, actor, person_id, "leave", {"since": since, "because": because}, make)


def _change(
    request: Request, engine: Engine, actor: Actor, party_id: UUID, form: Mapping[str, Any], status: int = 200
) -> Response:
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        party = parties.read_party(connection, party_id)
        found = (units.read_unit if party.kind == "unit" else units.read_person)(connection, party_id)
        shown = {
            **_offered(connection, actor),
            "party": found,
            "form": {"which": None, "given": {}, "faults": {}, "problem": None, **form},
        }
    response: Response = templates.TemplateResponse(request, "party_change.html", shown, status_code=status)
    return response


def _offered(connection: Connection, actor: Actor) -> dict[str, Any]:
    return {
        "sites": sites_offered(connection),
        "reasons": REASONS,
        "today": day_on_the_walls(connection, actor.time_zone).isoformat(),
    }
