"""Recovering: what was missing is found; and what the books had given up is in hand after all, whatever they claimed."""

from __future__ import annotations

from typing import Any

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.reports.documents import find_document, read_document
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}
FOUND = {"store": "Main store", "place": "Wadi north of checkpoint 4", "found_by": "2nd patrol"}


def missing(country: Country, *serials: str) -> None:
    country.do("clerk", REPORT_MISSING, lines=scans(*serials), **LOSS)


def lost(country: Country, *serials: str) -> Posted:
    missing(country, *serials)
    return country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=scans(*serials), **FINDING)


def recovered(country: Country, *serials: str, **request: Any) -> Posted:
    lines = [{"scan": serial, "condition": "unserviceable"} for serial in serials]
    return country.do("clerk", RECOVER, **FOUND, **request, lines=lines)


def test_what_is_only_missing_is_found_by_command(country: Country) -> None:
    """It is back, in the condition it was found; where and by whom stands on the document; nobody had given it up."""
    missing(country, RIFLES[0])
    posted = recovered(country, RIFLES[0])
    assert (posted.fact, posted.discrepancy_count) == (False, 0)
    assert (country.where(RIFLES[0]), country.item(RIFLES[0]).condition) == ("Main store", "unserviceable")
    (details,) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert (details[0]["place"], details[0]["found_by"]) == (FOUND["place"], FOUND["found_by"])


def test_what_was_concluded_as_lost_is_a_fact_against_who_concluded_it(country: Country) -> None:
    """The discrepancy names what the books claimed and the document that claimed it; from there to who signed is one look."""
    claim = lost(country, RIFLES[0])
    posted = recovered(country, RIFLES[0])
    assert posted.fact
    ((kind, said, seen),) = country.query(
        "SELECT kind, books_said, seen FROM discrepancy WHERE document_id = %s", posted.document_id
    )
    assert (kind, said, seen) == (
        "found what the books hold as gone", f"AKM {RIFLES[0]} was lost, by document {claim.number}", "it went to Main store",
    )  # fmt: skip
    with transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection:
        shown = read_document(connection, country.actors["clerk"], find_document(connection, claim.number))
    assert shown.signatories == {
        "posted_by": "Sergeant Talib Clerk (T-1)",
        "approved_by": "Major Carim Commander (C-1)",
    }


def test_what_was_never_missing_is_not_found(country: Country) -> None:
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    refusal = country.refused("clerk", RECOVER, **FOUND, lines=scans(RIFLES[0], RIFLES[1], "NO SUCH"))
    begins = "the act 'recover' does not begin there"
    assert told(refusal) == [
        (RIFLES[0], f"it is issued to a person: {begins}", "Private Petrov (A-1001) (person)"),
        (RIFLES[1], f"it is in a store: {begins}", "Main store (store)"),
        ("NO SUCH", "unknown: nothing in the books bears this number", None),
    ]
    item = str(country.helmets().item_id)
    refusal = country.refused("clerk", RECOVER, **FOUND, lines=[{"item": item, "quantity": 1}])
    assert refusal.reasons[0].reason == "only 0 at missing, 1 asked for"


def test_in_hand_it_is_found_whatever_the_books_say(country: Country) -> None:
    """With a soldier, in the store, nowhere: posted, each told."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    posted = recovered(country, RIFLES[0], RIFLES[1], "NEVER 1", in_hand=True)
    assert kinds(posted) == ["held elsewhere", "held elsewhere", "unknown weapon"]
    assert country.where(RIFLES[0]) == country.where("NEVER 1") == "Main store"


def test_another_sites_weapon_is_found_here(country: Country) -> None:
    """By command it is not ours to find; in hand it is told, once for each, and comes to our store."""
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": serial} for serial in ("E 1", "E 2")])
    country.do("erbil clerk", REPORT_MISSING, **LOSS, lines=scans("E 1", "E 2"))
    assert told(country.refused("clerk", RECOVER, **FOUND, lines=scans("E 1"))) == [
        ("E 1", "it is not at TAJI", "missing")
    ]
    posted = recovered(country, "E 1", in_hand=True)
    assert kinds(posted) == ["held elsewhere"]
    assert country.item("E 1").where.site_id == country.sites["TAJI"].site_id


def test_helmets_are_found_as_far_as_they_were_missing(country: Country) -> None:
    """More of them on paper come from outside, and are told."""
    item = str(country.helmets().item_id)
    country.do("clerk", REPORT_MISSING, **LOSS, store="Main store", lines=[{"item": item, "quantity": 10}])
    country.do("clerk", RECOVER, **FOUND, lines=[{"item": item, "quantity": 4}])
    posted = country.do("clerk", RECOVER, **FOUND, lines=[{"item": item, "quantity": 8}], paper=paper(1, ago()))
    assert kinds(posted) == ["fewer in the books"]
    assert [quantity for _, quantity in country.helmets().holdings.values()] == [102]
