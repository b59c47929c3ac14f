"""Opening: at go-live an old property book enters in mass, under two signatures, each line unverified."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile import sites
from stockpile.acts.open_books import OPEN
from stockpile.acts.perform import Drafted
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import NotAllowed, Refused
from tests.world import HELMET, RIFLES, Country, kinds

BOOK = {"site": "TAJI", "name": "Property book 2019", "store": "Main store"}


def opened(country: Country, *lines: dict[str, Any]) -> Posted:
    return country.do_with_approval("registrar", "commander", OPEN, **BOOK, lines=list(lines))


def test_an_old_book_enters_when_a_second_person_approves(country: Country) -> None:
    """The registrar asks, nothing is in the books; the commander approves, and the rifle is there, opening and unverified."""
    drafted = country.ask("registrar", OPEN, **BOOK, lines=[{"model": "AKM", "serial_number": "OLD 1"}])
    assert isinstance(drafted, Drafted)
    assert country.query("SELECT count(*) FROM identification WHERE serial_number = 'OLD 1'") == [(0,)]
    posted = opened(country, {"model": "AKM", "serial_number": "OLD 2"}, {"model": HELMET, "quantity": 40})
    assert (posted.lines, posted.quantity, posted.discrepancy_count) == (2, 41, 0)
    assert country.where("OLD 2") == "Main store"
    assert country.item("OLD 2").unverified
    assert not country.item(RIFLES[0]).unverified
    assert country.query("SELECT quantity FROM holding WHERE unverified AND NOT serial") == [(40,)]


def test_the_old_book_says_who_has_each_weapon(country: Country) -> None:
    """A line may name a store, a unit or a service number; a line that names none goes to the store of the request."""
    opened(
        country,
        {"model": "AKM", "serial_number": "OLD 1", "account": "Quarantine"},
        {"model": "AKM", "serial_number": "OLD 2", "account": "1COY"},
        {"model": "AKM", "serial_number": "OLD 3", "account": "A-1002"},
        {"model": "AKM", "serial_number": "OLD 4"},
    )
    places = [country.where(f"OLD {n}") for n in range(1, 5)]
    assert places == ["Quarantine", "1st Company", "Private Quist (A-1002)", "Main store"]


def test_an_account_nobody_has_and_a_weapon_already_there_are_named_by_row(country: Country) -> None:
    """Each row that can't be says why; nothing of the list enters."""
    faults = country.invalid(
        "registrar", OPEN, **BOOK,
        lines=[
            {"model": "AKM", "serial_number": "OLD 1", "account": "E-1"},
            {"model": "AKM", "serial_number": RIFLES[0].replace(" ", "-").lower()},
            {"model": "AKM", "serial_number": "OLD 2"},
        ],
    )  # fmt: skip
    assert [(row, message.split(":")[0]) for row, _, message in faults] == [
        (1, "TAJI has no store, unit or person 'E-1'"),
        (2, "already in the books"),
    ]
    assert country.query("SELECT count(*) FROM draft") == [(0,)]


def test_a_second_weapon_of_the_same_number_enters_with_what_tells_it_apart(country: Country) -> None:
    """Against one in the books and against one in the same list: both flagged as twins."""
    posted = opened(
        country,
        {"model": "AKM", "serial_number": RIFLES[0], "distinguishing_mark": "notch on the stock"},
        {"model": "AKM", "serial_number": "OLD 1"},
        {"model": "AKM", "serial_number": "old-1", "distinguishing_mark": "painted magazine"},
    )
    assert kinds(posted) == ["same serial number twice"] * 2
    assert {found.line for found in posted.discrepancies} == {1, 3}


def test_an_illegible_number_is_no_proof_of_identity(country: Country) -> None:
    """What seems to read like a rifle of the books enters beside it, not marked and so not issuable."""
    posted = opened(country, {"model": "AKM", "serial_number": RIFLES[0], "obliterated": True})
    assert posted.discrepancy_count == 0
    bearers = country.query(
        "SELECT obliterated FROM identification WHERE serial_number = %s ORDER BY obliterated", RIFLES[0]
    )
    assert bearers == [(False,), (True,)]


def test_a_site_declared_open_takes_no_more_old_books(country: Country) -> None:
    """From then on what is found is a gain, and what arrives is a receipt."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        sites.declare_open(connection, country.sites["TAJI"])
    refusal = country.refused("registrar", OPEN, **BOOK, lines=[{"model": "AKM", "serial_number": "OLD 1"}])
    assert refusal.detail.startswith("TAJI was declared open")


def test_a_draft_that_waits_while_the_site_is_declared_open_is_refused(country: Country) -> None:
    """It is checked anew on the day it is approved."""
    drafted = country.ask("registrar", OPEN, **BOOK, lines=[{"model": "AKM", "serial_number": "OLD 1"}])
    with transaction(country.engine, roles.REGISTRAR) as connection:
        sites.declare_open(connection, country.sites["TAJI"])
    with pytest.raises(Refused, match="declared open"):
        country.approve("commander", drafted)


def test_a_clerk_opens_no_books(country: Country) -> None:
    with pytest.raises(NotAllowed, match="A clerk may not open"):
        country.ask("clerk", OPEN, name="Mine", store="Main store", lines=[{"model": "AKM", "serial_number": "OLD 1"}])
