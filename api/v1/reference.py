"""Reference: sites, stores, units, people, signature cards, models, aliases, tokens. Read by all who may, written by
registrars.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from api.answers import Page, Rows, answer, page
from api.dependencies import Asker, Database, Limit
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile import catalogue, founding, parties, sites, tokens
from stockpile.db.engine import transaction
from stockpile.documents import Code, Words
from stockpile.errors import Fault, Invalid
from stockpile.rights import KEEP_REFERENCE, READ_PEOPLE, Actor, reading, require

router = APIRouter(tags=["reference"])

READING = documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID)
WRITING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)


class Form(BaseModel):
    """What a registrar sends."""

    model_config = ConfigDict(extra="forbid")


class NewSite(Form):
    """A site with its stores and the person who answers for it."""

    code: Code = Field(examples=["BASRA"])
    name: Words = Field(examples=["Basra depot"])
    time_zone: Code = Field(examples=["Asia/Baghdad"])
    stores: Annotated[list[Words], Field(min_length=1, max_length=100)] = Field(examples=[["Main store", "Quarantine"]])
    custodian: Code = Field(description="Service number", examples=["C-1"])


class NewUnit(Form):
    """A unit served by a site."""

    code: Code = Field(examples=["2COY"])
    name: Words = Field(examples=["2nd Company"])
    site: Code = Field(examples=["TAJI"])
    parent: Code | None = Field(None, description="Code of the unit above it")
    since: date = Field(examples=["2026-01-01"])


class NewPerson(Form):
    """A person at a site, in a unit or in none."""

    service_number: Code = Field(examples=["A-2001"])
    name: Words = Field(examples=["Karim Hadi"])
    rank: Words | None = Field(None, examples=["Private"])
    site: Code = Field(examples=["TAJI"])
    unit: Code | None = Field(None, description="Code of the unit they join", examples=["1COY"])
    since: date = Field(examples=["2026-01-01"])


class NewDonor(Form):
    """A donor."""

    code: Code = Field(examples=["GBR"])
    name: Words = Field(examples=["Government of the United Kingdom"])


class NewCard(Form):
    """Who may draw for a unit, until when."""

    unit: Code = Field(examples=["1COY"])
    person: Code = Field(description="Service number", examples=["A-1002"])
    since: date = Field(examples=["2026-01-01"])
    until: date = Field(description="The last day", examples=["2027-12-31"])


class AliasMapped(Form):
    """What a source means by a name."""

    source: Code = Field(examples=["USA"])
    name: Words = Field(examples=["AK-47, Norinco"])
    model_id: UUID = Field(description="As GET /v1/models gives it", examples=["0190b5a0-0000-7000-8000-000000000001"])


class TokenWanted(Form):
    """A token for a person in a role."""

    role: Code = Field(examples=["clerk"])
    label: Words = Field(examples=["Counter 1"])
    party: Code | None = Field(
        None, description="Service number; for a donor's token leave it out", examples=["A-1001"]
    )
    site: Code | None = Field(None, description="For clerk, armourer and commander", examples=["TAJI"])
    donor: Code | None = Field(None, description="For a donor's token: the donor's code")
    book: Code | None = Field(None, description="The counter's book", examples=["B"])
    hours: Annotated[int, Field(ge=1, le=24 * 90)] | None = Field(
        None, description="How long it lives; left out: 12 hours at a desk, else 30 days", examples=[12]
    )


class SiteShown(BaseModel):
    """A site with its stores."""

    code: str
    name: str
    time_zone: str
    declared_open_at: datetime | None
    stores: list[str] = Field(description="Not told to donors")


class ModelShown(BaseModel):
    """A make and model of the catalogue."""

    model_id: UUID
    maker: str
    name: str
    country: str | None
    calibre: str | None
    category: str
    subcategory: str | None
    variants: str | None
    fire_mode: str | None
    security_risk_category: str | None
    stock_number: str | None
    value: Decimal | None
    treaty_row: str | None
    enhanced_monitoring: bool
    tracked_by: str


class AliasShown(BaseModel):
    """How a source calls a model; without `model_id` nobody has mapped it yet."""

    alias_id: UUID
    source: str
    name: str
    model_id: UUID | None
    approved_at: datetime | None
    first_seen_at: datetime


class AliasMeans(BaseModel):
    """What a name means from now on."""

    source: str
    name: str
    model: catalogue.Model


class CardGiven(BaseModel):
    """A line on a signature card."""

    signature_card_id: UUID


class TokenMade(BaseModel):
    """A token just made: `token` is its text, shown this once."""

    token: str = Field(examples=["sp_Jx0Zl9gVb1n3n0mI2m4cQvXw6yR8tA5uB7kC1dE3fG0"])
    token_id: UUID
    role: str
    party: str | None
    name: str | None
    site: str | None
    donor: str | None
    book: str | None
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@router.get("/sites", summary="Sites and their stores", response_model=Rows[SiteShown], responses=READING)
def list_sites(engine: Database, actor: Asker) -> Response:
    """All sites by code."""
    with reading(engine, actor) as connection:
        rows = connection.exec_driver_sql(
            """SELECT s.code, s.name, s.time_zone, s.declared_open_at,
                      coalesce(array_agg(a.name ORDER BY a.name) FILTER (WHERE a.class = 'store'), '{}')
               FROM site s LEFT JOIN account a USING (site_id) GROUP BY s.site_id ORDER BY s.code"""
            if actor.role != "donor"
            else "SELECT code, name, time_zone, declared_open_at, ARRAY[]::text[] FROM site ORDER BY code"
        )
        names = ("code", "name", "time_zone", "declared_open_at", "stores")
        return answer({"rows": [dict(zip(names, row, strict=True)) for row in rows]})


@router.post("/sites", status_code=201, summary="Add a site", response_model=sites.Site, responses=WRITING)
def add_site(body: NewSite, engine: Database, actor: Asker) -> Response:
    """Founds a site with its accounts and stores."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        custodian = parties.need_party(connection, "person", body.custodian, "custodian")
        site = founding.found_site(connection, body.code, body.name, body.time_zone, list(body.stores), custodian)
        return answer(site, 201)


@router.post("/units", status_code=201, summary="Add a unit", response_model=parties.Party, responses=WRITING)
def add_unit(body: NewUnit, engine: Database, actor: Asker) -> Response:
    """Adds a unit, with an account at its site."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        site = sites.find_site(connection, body.site)
        parent = parties.need_party(connection, "unit", body.parent, "parent") if body.parent else None
        return answer(parties.add_unit(connection, body.code, body.name, site, parent, body.since), 201)


@router.post("/people", status_code=201, summary="Add a person", response_model=parties.Party, responses=WRITING)
def add_person(body: NewPerson, engine: Database, actor: Asker) -> Response:
    """Adds a person, with an account at the site."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        site = sites.find_site(connection, body.site)
        unit = parties.need_party(connection, "unit", body.unit, "unit") if body.unit else None
        person = parties.add_person(connection, body.service_number, body.name, body.rank, site, unit, body.since)
        return answer(person, 201)


@router.post("/donors", status_code=201, summary="Add a donor", response_model=parties.Party, responses=WRITING)
def add_donor(body: NewDonor, engine: Database, actor: Asker) -> Response:
    """Adds a donor."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        return answer(parties.add_party(connection, "donor", body.code, body.name), 201)


@router.get("/parties", summary="Units, people, donors", response_model=Page[parties.Party], responses=READING)
def list_parties(
    engine: Database,
    actor: Asker,
    kind: Annotated[str, Query(pattern="^(person|unit|donor|organisation)$")] = "person",
    text: Annotated[Code | None, Query(description="Part of the name or code")] = None,
    limit: Limit = 100,
    after: Annotated[UUID | None, Query(description="The last party of the page before")] = None,
) -> Response:
    """Within one's scope: a site sees its own people."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        rows = [
            parties.Party(*row)
            for row in connection.exec_driver_sql(
                """SELECT party_id, kind, code, name, rank FROM party
                   WHERE kind = %(kind)s AND (%(after)s::uuid IS NULL OR party_id > %(after)s)
                     AND (%(text)s::text IS NULL OR strpos(lower(concat_ws(' ', code, name)), lower(%(text)s)) > 0)
                   ORDER BY party_id LIMIT %(limit)s""",
                {"kind": kind, "after": after, "text": text, "limit": limit},
            )
        ]
    return page(rows, limit, "party_id")


@router.post(
    "/signature-cards",
    status_code=201,
    summary="Let a person draw for a unit",
    response_model=CardGiven,
    responses=WRITING,
)
def give_card(body: NewCard, engine: Database, actor: Asker) -> Response:
    """A line on the unit's signature card (DA 1687)."""
    require(actor, KEEP_REFERENCE)
    if body.until < body.since:
        raise Invalid("The card was not given.", [Fault("ends before it begins", field="until", value=str(body.until))])
    with reading(engine, actor) as connection:
        unit = parties.need_party(connection, "unit", body.unit, "unit")
        person = parties.need_party(connection, "person", body.person, "person")
        card = parties.give_signature_card(connection, unit, person, body.since, body.until, actor.party_id)
        return answer({"signature_card_id": card}, 201)


@router.get("/models", summary="The catalogue", response_model=Page[ModelShown], responses=READING)
def list_models(
    engine: Database,
    actor: Asker,
    text: Annotated[Code | None, Query(description="Part of maker or name")] = None,
    limit: Limit = 100,
    after: Annotated[UUID | None, Query(description="The last model of the page before")] = None,
) -> Response:
    """Makes and models."""
    columns = tuple(ModelShown.model_fields)
    with reading(engine, actor) as connection:
        found = connection.exec_driver_sql(
            f"""SELECT {", ".join(columns)} FROM model
                WHERE (%(after)s::uuid IS NULL OR model_id > %(after)s)
                  AND (%(text)s::text IS NULL OR strpos(lower(maker || ' ' || name), lower(%(text)s)) > 0)
                ORDER BY model_id LIMIT %(limit)s""",
            {"after": after, "text": text, "limit": limit},
        )
        rows = [dict(zip(columns, row, strict=True)) for row in found]
    return answer({"rows": rows, "next": rows[-1]["model_id"] if len(rows) == limit else None})


@router.get("/aliases", summary="Names of models", response_model=Page[AliasShown], responses=READING)
def list_aliases(
    engine: Database,
    actor: Asker,
    unmapped: Annotated[bool, Query(description="Only names nobody has mapped")] = False,
    limit: Limit = 100,
    after: UUID | None = None,
) -> Response:
    """How donors and old books call models, the unmapped ones waiting for a registrar."""
    require(actor, READ_PEOPLE)
    names = ("alias_id", "source", "name", "model_id", "approved_at", "first_seen_at")
    with reading(engine, actor) as connection:
        found = connection.exec_driver_sql(
            f"""SELECT {", ".join(names)} FROM alias
                WHERE (model_id IS NULL OR NOT %(unmapped)s) AND (%(after)s::uuid IS NULL OR alias_id > %(after)s)
                ORDER BY alias_id LIMIT %(limit)s""",
            {"unmapped": unmapped, "after": after, "limit": limit},
        )
        rows = [dict(zip(names, row, strict=True)) for row in found]
    return answer({"rows": rows, "next": rows[-1]["alias_id"] if len(rows) == limit else None})


@router.post("/aliases", status_code=201, summary="Say what a name means", response_model=AliasMeans, responses=WRITING)
def map_alias(body: AliasMapped, engine: Database, actor: Asker) -> Response:
    """Once: what lists were read with does not change."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        model = catalogue.read_model(connection, body.model_id)
        catalogue.map_alias(connection, body.source, body.name, body.model_id, actor.party_id)
        return answer({"source": body.source, "name": body.name, "model": model}, 201)


@router.get("/tokens", summary="Tokens", response_model=Page[tokens.Token], responses=READING)
def list_tokens(
    engine: Database, actor: Asker, alive: bool = False, limit: Limit = 100, after: UUID | None = None
) -> Response:
    """Whose, in which role, until when; never the token itself."""
    rows = _as_registrar(engine, actor, lambda connection: tokens.list_tokens(connection, alive, after, limit))
    return page(rows, limit, "token_id")


@router.post("/tokens", status_code=201, summary="Make a token", response_model=TokenMade, responses=WRITING)
def create_token(body: TokenWanted, engine: Database, actor: Asker) -> Response:
    """The only answer that shows it."""
    lives = timedelta(hours=body.hours) if body.hours else None
    made = _as_registrar(
        engine,
        actor,
        lambda connection: tokens.create_token(
            connection, body.role, body.label, body.party, body.site, body.donor, body.book, lives
        ),
    )
    return answer({"token": made.text, **_plain(made.token)}, 201)


@router.post("/tokens/{token_id}/revoke", summary="Revoke a token", response_model=tokens.Token, responses=WRITING)
def revoke_token(token_id: UUID, engine: Database, actor: Asker) -> Response:
    """From now on it is nobody's."""
    return answer(_as_registrar(engine, actor, lambda connection: tokens.revoke_token(connection, token_id)))


def _as_registrar(engine: Engine, actor: Actor, ask: Any) -> Any:
    require(actor, KEEP_REFERENCE)
    with transaction(engine, actor.database_role, actor.site_id) as connection:
        return ask(connection)


def _plain(token: tokens.Token) -> dict[str, Any]:
    return {name: getattr(token, name) for name in token.__slots__}
