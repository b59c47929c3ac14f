"""Units, people and donors: who there is, who belongs where, and by which names."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.answers import answer
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reference import LISTING, LISTING_ONE, READING, READING_ONE, WRITING, Day, Form, OnDay, Text, day_asked
from stockpile import parties, sites, units
from stockpile.documents import Code, Words
from stockpile.parties import Left, Party
from stockpile.reports.keyset import Page
from stockpile.reports.party import PartyShown, show_party
from stockpile.reports.reference import PartyRow, search_parties
from stockpile.rights import DESK, KEEP_REFERENCE, READ_PEOPLE, reading, require

router = APIRouter(tags=["units and people"])

FILE_NAME = {"person": "people", "unit": "units", "donor": "donors", "organisation": "organisations"}


class NewUnit(Form):
    """A unit served by a site."""

    code: Code = Field(examples=["2COY"])
    name: Words = Field(examples=["2nd Company"])
    site: Code = Field(examples=["TAJI"])
    parent: Code | None = Field(None, description="Code of the unit above it")
    since: Day = Field(examples=["2026-01-01"])


class UnitAbove(Form):
    """Under which unit a unit stands."""

    parent: Code | None = Field(description="Code of the unit above it; null: none", examples=["1COY"])
    since: Day = Field(examples=["2026-01-01"])


class UnitStationed(Form):
    """Which site serves a unit."""

    site: Code = Field(examples=["TAJI"])
    since: Day = Field(examples=["2026-01-01"])


class NewPerson(Form):
    """A person at a site, in a unit or in none."""

    service_number: Code = Field(examples=["A-2001"])
    name: Words = Field(examples=["Karim Hadi"])
    rank: Words | None = Field(None, examples=["Private"])
    site: Code = Field(examples=["TAJI"])
    unit: Code | None = Field(None, description="Code of the unit they join", examples=["1COY"])
    since: Day = Field(examples=["2026-01-01"])


class PersonMoved(Form):
    """In which unit a person is from a day on."""

    unit: Code | None = Field(
        description="Code of the unit; null: none, they are on no roster any more", examples=["1COY"]
    )
    since: Day = Field(examples=["2026-01-01"])
    because: Left | None = Field(
        None, description="Of who leaves all units: why, if it is known", examples=["discharged"]
    )


class NewDonor(Form):
    """A donor."""

    code: Code = Field(examples=["GBR"])
    name: Words = Field(examples=["Government of the United Kingdom"])


class NewName(Form):
    """How a party is called from now on."""

    name: Words = Field(examples=["Karim Hadi"])
    rank: Words | None = Field(None, description="A person's; left out: none", examples=["Corporal"])


class UnitTree(BaseModel):
    """The units under no other, each with those below it."""

    units: list[units.Unit]


@router.get("/units", summary="Units as a tree", response_model=UnitTree, responses=READING)
def read_units(engine: Database, actor: Asker, on: OnDay = None) -> Response:
    """As they stood on a day, with how many people each has; a desk counts those of its own site."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        return answer({"units": units.unit_tree(connection, day_asked(connection, actor, on))})


@router.post("/units", status_code=201, summary="Add a unit", response_model=Party, responses=WRITING)
def add_unit(body: NewUnit, engine: Database, actor: Asker) -> Response:
    """Adds a unit, with an account at its site."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        site = sites.find_site(connection, body.site)
        parent = parties.need_party(connection, "unit", body.parent, "parent") if body.parent else None
        return answer(parties.add_unit(connection, body.code, body.name, site, parent, body.since), 201)


@router.get(
    "/units/{unit_id}/members", summary="Who is in a unit", response_model=Page[units.Member], responses=LISTING_ONE
)
def list_members(
    unit_id: UUID,
    engine: Database,
    actor: Asker,
    pages: Pages,
    sub_units: Annotated[bool, Query(description="With those of the units below it")] = True,
    text: Text = None,
    on: OnDay = None,
) -> Response:
    """By service number; a desk sees those of its own site."""
    require(actor, READ_PEOPLE)

    def ask(connection: Connection, limit: int, cursor: str | None) -> Page[units.Member]:
        unit = units.read_unit(connection, unit_id)
        day = day_asked(connection, actor, on)
        return units.members(connection, unit.party_id, day, sub_units, text, limit, cursor)

    return listing(engine, actor, pages, "members", units.Member, ask)


@router.post(
    "/units/{unit_id}/parent", summary="Place a unit under another", response_model=PartyShown, responses=WRITING
)
def place_under(unit_id: UUID, body: UnitAbove, engine: Database, actor: Asker) -> Response:
    """From a day on; what was before ends the day before."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        parent = parties.need_party(connection, "unit", body.parent, "parent") if body.parent else None
        units.place_under(connection, units.read_unit(connection, unit_id), parent, body.since)
        return answer(show_party(connection, unit_id, day_asked(connection, actor, None), True))


@router.post(
    "/units/{unit_id}/station", summary="Station a unit at a site", response_model=PartyShown, responses=WRITING
)
def station_unit(unit_id: UUID, body: UnitStationed, engine: Database, actor: Asker) -> Response:
    """From a day on that site serves it, and no other. Its people come with the site's next roster."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        site = sites.find_site(connection, body.site)
        units.station(connection, units.read_unit(connection, unit_id), site, body.since)
        return answer(show_party(connection, unit_id, day_asked(connection, actor, None), True))


@router.post("/people", status_code=201, summary="Add a person", response_model=Party, responses=WRITING)
def add_person(body: NewPerson, engine: Database, actor: Asker) -> Response:
    """Adds a person, with an account at the site; whole rosters come by POST /v1/rosters."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        site = sites.find_site(connection, body.site)
        unit = parties.need_party(connection, "unit", body.unit, "unit") if body.unit else None
        person = parties.add_person(connection, body.service_number, body.name, body.rank, site, unit, body.since)
        return answer(person, 201)


@router.post("/people/{person_id}/unit", summary="Move a person", response_model=PartyShown, responses=WRITING)
def move_person(person_id: UUID, body: PersonMoved, engine: Database, actor: Asker) -> Response:
    """From a day on into another unit, or into none; what was before ends the day before. Whole rosters come by POST /v1/rosters."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        unit = parties.need_party(connection, "unit", body.unit, "unit") if body.unit else None
        units.move_person(connection, units.read_person(connection, person_id), unit, body.since, body.because)
        return answer(show_party(connection, person_id, day_asked(connection, actor, None), True))


@router.post("/donors", status_code=201, summary="Add a donor", response_model=Party, responses=WRITING)
def add_donor(body: NewDonor, engine: Database, actor: Asker) -> Response:
    """Adds a donor."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        return answer(parties.add_party(connection, "donor", body.code, body.name), 201)


@router.get("/parties", summary="Units, people, donors", response_model=Page[PartyRow], responses=LISTING)
def list_parties(
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Literal["person", "unit", "donor", "organisation"] = "person",
    text: Text = None,
    site: Annotated[Code | None, Query(description="People who serve at this site: its code")] = None,
    unit: Annotated[Code | None, Query(description="Who is directly in this unit: its code")] = None,
    on: OnDay = None,
) -> Response:
    """By code, within one's scope: a site sees its own people."""
    require(actor, READ_PEOPLE)

    def ask(connection: Connection, limit: int, cursor: str | None) -> Page[PartyRow]:
        site_id = sites.find_site(connection, site).site_id if site else None
        unit_id = parties.need_party(connection, "unit", unit, "unit").party_id if unit else None
        day = day_asked(connection, actor, on)
        return search_parties(connection, day, kind, text, site_id, unit_id, limit, cursor)

    return listing(engine, actor, pages, FILE_NAME[kind], PartyRow, ask)


@router.get(
    "/parties/{party_id}", summary="One unit, person or donor", response_model=PartyShown, responses=READING_ONE
)
def read_party(party_id: UUID, engine: Database, actor: Asker) -> Response:
    """With the units it belonged to, its signature cards and accounts; its former names for registrars and auditors."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        return answer(show_party(connection, party_id, day_asked(connection, actor, None), actor.role not in DESK))


@router.post("/parties/{party_id}/rename", summary="Give another name or rank", response_model=Party, responses=WRITING)
def rename_party(party_id: UUID, body: NewName, engine: Database, actor: Asker) -> Response:
    """As a new version: documents keep the one they were signed with."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        return answer(parties.rename(connection, party_id, body.name, body.rank))
