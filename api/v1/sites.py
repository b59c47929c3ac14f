"""Sites, their stores, and every account with who answers for it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.answers import answer
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reference import LISTING, WRITING, Form, OnDay, Text, day_asked
from stockpile import accounts, founding, parties, sites
from stockpile.accounts import AccountShown
from stockpile.documents import Code, Words
from stockpile.movements import AccountClass
from stockpile.reports.keyset import Page
from stockpile.reports.reference import SiteRow, search_sites
from stockpile.rights import DONOR, KEEP_REFERENCE, READ_PEOPLE, reading, require

router = APIRouter(tags=["sites"])

SiteCode = Annotated[str, Path(max_length=64, description="Site code", examples=["TAJI"])]


class NewSite(Form):
    """A site with its stores and the person who answers for it."""

    code: Code = Field(examples=["BASRA"])
    name: Words = Field(examples=["Basra depot"])
    time_zone: Code = Field(examples=["Asia/Baghdad"])
    stores: Annotated[list[Words], Field(min_length=1, max_length=100)] = Field(examples=[["Main store", "Quarantine"]])
    custodian: Code = Field(description="Service number", examples=["C-1"])


class NewStore(Form):
    """A store of a site."""

    name: Words = Field(examples=["Armoury 2"])


class Custodian(Form):
    """Who answers for an account."""

    custodian: Code | None = Field(description="Service number; null: the site's custodian", examples=["T-1"])


class AccountableUnit(Form):
    """On whose property book a store counts."""

    unit: Code | None = Field(description="Unit code; null: that of the site's custodian", examples=["1COY"])


@router.get("/sites", summary="Sites and their stores", response_model=Page[SiteRow], responses=LISTING)
def list_sites(engine: Database, actor: Asker, pages: Pages, text: Text = None) -> Response:
    """By code. A donor is told neither stores nor custodians."""
    return listing(
        engine, actor, pages, "sites", SiteRow,
        lambda connection, limit, cursor: search_sites(connection, text, actor.role == DONOR, limit, cursor),
    )  # fmt: skip


@router.post("/sites", status_code=201, summary="Add a site", response_model=sites.Site, responses=WRITING)
def add_site(body: NewSite, engine: Database, actor: Asker) -> Response:
    """Founds a site with its accounts and stores."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        custodian = parties.need_party(connection, "person", body.custodian, "custodian")
        site = founding.found_site(connection, body.code, body.name, body.time_zone, list(body.stores), custodian)
        return answer(site, 201)


@router.post(
    "/sites/{code}/stores", status_code=201, summary="Add a store", response_model=AccountShown, responses=WRITING
)
def add_store(code: SiteCode, body: NewStore, engine: Database, actor: Asker) -> Response:
    """Answers with its account."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        store = sites.add_store(connection, sites.find_site(connection, code), body.name)
        return answer(accounts.read_account(connection, store.account_id, day_asked(connection, actor, None)), 201)


@router.post("/sites/{code}/open", summary="Declare a site open", response_model=sites.Site, responses=WRITING)
def declare_open(code: SiteCode, engine: Database, actor: Asker) -> Response:
    """From now on nothing enters it by an opening list. Once declared, it stays so."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        sites.declare_open(connection, sites.find_site(connection, code))
        return answer(sites.find_site(connection, code))


@router.get("/accounts", summary="Accounts", response_model=Page[AccountShown], responses=LISTING)
def list_accounts(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: Annotated[Code | None, Query(description="Site code")] = None,
    account_class: Annotated[AccountClass | None, Query(alias="class")] = None,
    text: Text = None,
    on: OnDay = None,
) -> Response:
    """By site, class and name, each with its custodian and the unit on whose property book it counts."""
    require(actor, READ_PEOPLE)

    def ask(connection: Connection, limit: int, cursor: str | None) -> Page[AccountShown]:
        site_id = sites.find_site(connection, site).site_id if site else None
        day = day_asked(connection, actor, on)
        return accounts.search_accounts(connection, day, site_id, account_class, text, limit, cursor)

    return listing(engine, actor, pages, "accounts", AccountShown, ask)


@router.get("/accounts/{account_id}", summary="One account", response_model=AccountShown, responses=WRITING)
def read_account(account_id: UUID, engine: Database, actor: Asker, on: OnDay = None) -> Response:
    """With its custodian and the unit on whose property book it counts."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        return answer(accounts.read_account(connection, account_id, day_asked(connection, actor, on)))


@router.post(
    "/accounts/{account_id}/custodian", summary="Say who answers", response_model=AccountShown, responses=WRITING
)
def set_custodian(account_id: UUID, body: Custodian, engine: Database, actor: Asker) -> Response:
    """Of a store, workshop or unit; for a person's account that person answers."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        person = parties.need_party(connection, "person", body.custodian, "custodian") if body.custodian else None
        accounts.set_custodian(connection, account_id, person)
        return answer(accounts.read_account(connection, account_id, day_asked(connection, actor, None)))


@router.post(
    "/accounts/{account_id}/accountable-unit",
    summary="Say on whose property book a store counts",
    response_model=AccountShown,
    responses=WRITING,
)
def set_accountable_unit(account_id: UUID, body: AccountableUnit, engine: Database, actor: Asker) -> Response:
    """A unit, or the organisation. Persons' and units' accounts count where they belong."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        unit = parties.need_property_book(connection, body.unit, "unit") if body.unit else None
        accounts.set_accountable_unit(connection, account_id, unit)
        return answer(accounts.read_account(connection, account_id, day_asked(connection, actor, None)))
