"""Declaring: a donor's shipping list becomes a consignment that is on its way, and nobody can act on it before it arrives."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.documents import Posted
from stockpile.errors import NotAllowed
from tests.world import HELMET, RIFLES, Country, kinds, scans, told

LIST = {"site": "TAJI", "donor": "USA", "reference": "FMS-117"}


def declared(country: Country, *lines: dict[str, Any]) -> Posted:
    return country.do("registrar", DECLARE, **LIST, lines=list(lines))


def rifle(serial: str, **more: Any) -> dict[str, Any]:
    return {"model": "AKM", "serial_number": serial, **more}


def test_a_shipping_list_is_on_its_way(country: Country) -> None:
    """Its rifles and helmets stand on the consignment's supply account, as the donor's."""
    posted = declared(country, rifle("UA 1"), rifle("UA 2"), {"model": HELMET, "quantity": 40})
    assert (posted.lines, posted.quantity, posted.discrepancy_count) == (3, 42, 0)
    held = country.item("UA 1")
    assert (held.where.name, held.where.account_class, held.donor_id) == (
        "USA FMS-117", "supply", country.parties["USA"].party_id,
    )  # fmt: skip
    assert country.query("SELECT d.code, c.reference FROM consignment c JOIN party d ON d.party_id = c.donor_id") == [
        ("USA", "FMS-117")
    ]


def test_what_has_not_arrived_is_not_issued(country: Country) -> None:
    """The clerk reads that it is still in supply."""
    declared(country, rifle("UA 1"))
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("UA 1"))
    assert told(refusal) == [
        ("UA 1", "it has not arrived: the act 'issue' does not begin there", "USA FMS-117 (supply)")
    ]


def test_a_consignment_is_declared_once(country: Country) -> None:
    """Its number says which it is: the same number of the same donor is a mistake, of another donor it is not."""
    declared(country, rifle("UA 1"))
    assert country.invalid("registrar", DECLARE, **LIST, lines=[rifle("UA 2")]) == [
        ("reference", "FMS-117", "USA declared a consignment of this number already")
    ]
    country.do("registrar", DECLARE, **{**LIST, "donor": "FRA"}, lines=[rifle("UA 2")])


def test_each_row_that_cannot_be_is_named(country: Country) -> None:
    """An unknown model, a repeated number, a counted thing with a number, several rifles in a line."""
    faults = country.invalid(
        "registrar", DECLARE, **LIST,
        lines=[
            rifle("UA 1"),
            {"model": "Blunderbuss", "serial_number": "UA 2"},
            rifle("ua-1"),
            {"model": HELMET, "serial_number": "H 1"},
            {"model": "AKM", "quantity": 3},
        ],
    )  # fmt: skip
    assert [(row, message.split(":")[0]) for row, _, message in faults] == [
        (2, "unknown model 'Blunderbuss'"),
        (3, "the same model and serial number as row 1"),
        (4, "Helmet is counted, not serialised"),
        (5, "AKM is tracked by serial number"),
    ]
    assert country.query("SELECT count(*) FROM consignment") == [(0,)]


def test_a_donor_nobody_knows(country: Country) -> None:
    assert country.invalid("registrar", DECLARE, **{**LIST, "donor": "ATL"}, lines=[rifle("UA 1")]) == [
        ("donor", "ATL", "there is no donor with this code")
    ]


def test_a_number_the_books_have_already_is_declared_and_flagged(country: Country) -> None:
    """Two makers' weapons with one number are two weapons; two of one maker are twins, and somebody must look."""
    posted = declared(country, rifle(RIFLES[0]), {"model": "Type 56", "serial_number": RIFLES[1]})
    assert kinds(posted) == ["same serial number twice"]
    assert posted.discrepancies[0].line == 1


def test_a_weapon_without_a_number_is_declared_all_the_same(country: Country) -> None:
    """It has an item, and so an asset tag, of its own."""
    posted = declared(country, {"model": "AKM", "distinguishing_mark": "burned stock"}, {"model": "AKM"})
    assert (posted.lines, posted.discrepancy_count) == (2, 0)


def test_only_a_registrar_declares_and_says_for_which_site(country: Country) -> None:
    with pytest.raises(NotAllowed, match="A clerk may not declare"):
        country.ask("clerk", DECLARE, donor="USA", reference="FMS-1", lines=[rifle("UA 1")])
    assert country.invalid("registrar", DECLARE, donor="USA", reference="FMS-1", lines=[rifle("UA 1")])[0][0] == "site"
