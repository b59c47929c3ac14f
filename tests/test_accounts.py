"""Accounts: each shows who answers for it, and the unit on whose property book it counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from stockpile import accounts, parties, units
from stockpile.accounts import AccountShown
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, NotFound
from tests.world import SINCE, Country, today

TODAY = today()


@pytest.fixture
def registrar(country: Country) -> Iterator[Connection]:
    with transaction(country.engine, roles.REGISTRAR) as connection:
        yield connection


def shown(connection: Connection, name: str, site: str = "TAJI", day: date = TODAY) -> AccountShown:
    """The account of a name."""
    (found,) = [row for row in accounts.search_accounts(connection, day, text=name).rows if row.site == site]
    return found


def test_a_store_is_answered_for_by_the_sites_custodian_until_another_is_named(
    country: Country, registrar: Connection
) -> None:
    """Rana has TAJI; Talib takes the quarantine store, and gives it back."""
    quarantine = shown(registrar, "Quarantine")
    assert (quarantine.custodian, quarantine.accountable_unit) == ("Rana Registrar (R-1)", "Ministry of Defence (MOD)")
    accounts.set_custodian(registrar, quarantine.account_id, country.parties["T-1"])
    assert shown(registrar, "Quarantine").custodian == "Sergeant Talib Clerk (T-1)"
    assert shown(registrar, "Main store").custodian == "Rana Registrar (R-1)"
    accounts.set_custodian(registrar, quarantine.account_id, None)
    assert shown(registrar, "Quarantine") == quarantine


def test_a_store_counts_on_a_units_property_book(country: Country, registrar: Connection) -> None:
    """The company's own store; else that of its custodian's unit; else the organisation's."""
    store = shown(registrar, "Main store").account_id
    accounts.set_accountable_unit(registrar, store, country.parties["company"])
    assert shown(registrar, "Main store").accountable_unit == "1st Company (1COY)"
    accounts.set_accountable_unit(registrar, store, None)
    depot = parties.add_unit(registrar, "DEPOT", "Depot Company", country.sites["TAJI"], None, SINCE)
    parties.assign(registrar, country.parties["registrar"].party_id, depot.party_id, TODAY)
    assert shown(registrar, "Main store").accountable_unit == "Depot Company (DEPOT)"
    yesterday = shown(registrar, "Main store", day=TODAY - timedelta(days=1))
    assert yesterday.accountable_unit == "Ministry of Defence (MOD)"


def test_people_and_units_answer_for_themselves(country: Country, registrar: Connection) -> None:
    """Petrov's account is Petrov's and counts with his company, with the next from the day he moves; the company's is its own."""
    petrov = shown(registrar, "Petrov")
    assert (petrov.custodian, petrov.accountable_unit) == ("Private Petrov (A-1001)", "1st Company (1COY)")
    company = shown(registrar, "1st Company")
    assert (company.account_class, company.accountable_unit_id) == ("unit", country.parties["company"].party_id)
    second = parties.add_unit(registrar, "2COY", "2nd Company", country.sites["TAJI"], None, SINCE)
    parties.move_people(registrar, [parties.Movement(country.parties["A-1001"].party_id, second.party_id)], TODAY)
    assert shown(registrar, "Petrov").accountable_unit == "2nd Company (2COY)"
    assert shown(registrar, "Petrov", day=TODAY - timedelta(days=1)).accountable_unit == "1st Company (1COY)"


def test_what_cannot_be_said_of_an_account(country: Country, registrar: Connection) -> None:
    """A donor answers for nothing, nobody answers for Petrov's rifle but he, a person's account has no property book of its own."""
    store, petrov = shown(registrar, "Main store").account_id, shown(registrar, "Petrov").account_id
    company, clerk = country.parties["company"], country.parties["T-1"]
    for refused, field in (
        (lambda: accounts.set_custodian(registrar, store, country.parties["USA"]), "custodian"),
        (lambda: accounts.set_custodian(registrar, petrov, clerk), "custodian"),
        (lambda: accounts.set_accountable_unit(registrar, store, clerk), "unit"),
        (lambda: accounts.set_accountable_unit(registrar, petrov, company), "unit"),
    ):
        with pytest.raises(Invalid) as refusal:
            refused()
        assert [fault.field for fault in refusal.value.faults] == [field]
    for missing in (
        lambda: accounts.set_custodian(registrar, company.party_id, clerk),
        lambda: accounts.read_account(registrar, company.party_id, TODAY),
    ):
        with pytest.raises(NotFound):
            missing()


def test_every_account_has_somebody_who_answers(country: Country, registrar: Connection) -> None:
    """All but outside; in pages of three each account once, in the same order; by class and site the right ones."""
    whole = accounts.search_accounts(registrar, TODAY, limit=500).rows
    assert {row.name for row in whole if row.custodian is None} == {"outside"}
    paged: list[AccountShown] = []
    cursor = None
    while True:
        page = accounts.search_accounts(registrar, TODAY, limit=3, cursor=cursor)
        paged += page.rows
        cursor = page.cursor
        if cursor is None:
            break
    assert tuple(paged) == whole
    erbil = accounts.search_accounts(registrar, TODAY, country.sites["ERBIL"].site_id, "store").rows
    assert [(row.site, row.name) for row in erbil] == [("ERBIL", "Main store")]


def test_units_below_keep_their_own_accounts(country: Country, registrar: Connection) -> None:
    """A company under a battalion: its account still counts with itself, the tree says the rest."""
    battalion = parties.add_unit(registrar, "1BN", "1st Battalion", country.sites["TAJI"], None, SINCE)
    units.place_under(registrar, country.parties["company"], battalion, TODAY)
    assert shown(registrar, "1st Company").accountable_unit == "1st Company (1COY)"
