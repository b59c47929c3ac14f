"""Returning: weapons come back to a store, each looked at. With the weapon in hand the books may say what they like."""

from __future__ import annotations

from typing import Any

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

PETROV = "Private Petrov (A-1001)"
LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}


def issued(country: Country, *lines: dict[str, Any]) -> None:
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=list(lines))


def returned(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", RETURN, store="Main store", **request, lines=list(lines))


def said(country: Country, posted: Posted) -> list[tuple[Any, ...]]:
    return country.query(
        "SELECT kind, books_said, seen FROM discrepancy WHERE document_id = %s ORDER BY kind", posted.document_id
    )


def test_the_condition_seen_at_the_counter_stays_with_the_weapon(country: Country) -> None:
    """It came back broken: the next draw is refused."""
    issued(country, *scans(RIFLES[0]))
    returned(country, {"scan": RIFLES[0], "condition": "unserviceable"})
    assert country.item(RIFLES[0]).condition == "unserviceable"
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    assert refusal.reasons[0].reason == "it is unserviceable"


def test_who_brings_it_need_not_be_who_holds_it(country: Country) -> None:
    """Quist brings Petrov's rifle: it comes back, and the document says so."""
    issued(country, *scans(RIFLES[0], RIFLES[1]))
    posted = returned(country, *scans(RIFLES[0]), returned_by="A-1002")
    details = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)[0][0]
    assert details["returner_is_not_holder_on_lines"] == [1]
    own = returned(country, *scans(RIFLES[1]), returned_by="A-1001")
    details = country.query("SELECT details FROM document WHERE document_id = %s", own.document_id)[0][0]
    assert "returner_is_not_holder_on_lines" not in details


def test_what_is_not_issued_does_not_come_back(country: Country) -> None:
    """In the store, missing, of another site, unknown: each says so and where it is."""
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[1]), **LOSS)
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    refusal = country.refused("clerk", RETURN, store="Main store", lines=scans(*RIFLES[:2], "E 1", "NO SUCH"))
    begins = "the act 'return' does not begin there"
    assert told(refusal) == [
        (RIFLES[0], f"it is in a store: {begins}", "Main store (store)"),
        (RIFLES[1], f"it is reported missing: {begins}", "missing"),
        ("E 1", f"it is in a store: {begins}", "Main store (store)"),
        ("NO SUCH", "unknown: nothing in the books bears this number", None),
    ]


def test_a_rifle_issued_at_another_site_is_not_returned_here(country: Country) -> None:
    """By command it is refused, without the name of a person of that site; in hand it is a fact, and told."""
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    sheet = paper(1, ago())
    country.do("erbil clerk", ISSUE, receiver="E-1", lines=scans("E 1"), paper=sheet)
    refusal = country.refused("clerk", RETURN, store="Main store", lines=scans("E 1"))
    assert told(refusal) == [("E 1", "it is not at TAJI", "a person of ERBIL (person)")]
    posted = returned(country, *scans("E 1"), in_hand=True)
    assert kinds(posted) == ["held elsewhere"]
    assert country.where("E 1") == "Main store"
    assert country.item("E 1").where.site_id == country.sites["TAJI"].site_id


def test_helmets_come_back_from_somebody_and_no_more_than_he_has(country: Country) -> None:
    item = str(country.helmets().item_id)
    issued(country, {"item": item, "quantity": 5})
    assert (
        country.invalid("clerk", RETURN, store="Main store", lines=[{"item": item, "quantity": 5}])[0][0]
        == "returned_by"
    )
    returned(country, {"item": item, "quantity": 4}, returned_by="A-1001")
    refusal = country.refused(
        "clerk", RETURN, store="Main store", returned_by="A-1001", lines=[{"item": item, "quantity": 2}]
    )
    assert refusal.reasons[0].reason == f"only 1 at {PETROV}, 2 asked for"


def test_more_helmets_on_paper_than_he_had_come_from_outside(country: Country) -> None:
    """The store has what was counted into it; that the books knew of fewer is somebody's to explain."""
    item = str(country.helmets().item_id)
    issued(country, {"item": item, "quantity": 5})
    posted = returned(country, {"item": item, "quantity": 8}, returned_by="A-1001", paper=paper(1, ago()))
    assert said(country, posted) == [("fewer in the books", f"5 of Helmet at {PETROV}", "8 moved to Main store")]
    assert [quantity for _, quantity in country.helmets().holdings.values()] == [103]


def test_a_rifle_in_hand_that_the_books_have_in_the_store(country: Country) -> None:
    """It lay in the rack, says the book; it was on the counter. Posted, and told."""
    posted = returned(country, *scans(RIFLES[0]), in_hand=True)
    assert (posted.fact, posted.happened_at) == (True, posted.recorded_at)
    assert said(country, posted) == [
        ("held elsewhere", f"AKM {RIFLES[0]} was at Main store (store)", "it went to Main store")
    ]


def test_a_rifle_in_hand_that_the_books_have_as_lost(country: Country) -> None:
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[0]), **LOSS)
    claim = country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=scans(RIFLES[0]), **FINDING)
    posted = returned(country, *scans(RIFLES[0]), in_hand=True)
    assert said(country, posted) == [
        (
            "found what the books hold as gone",
            f"AKM {RIFLES[0]} was lost, by document {claim.number}",
            "it went to Main store",
        )
    ]
    assert country.where(RIFLES[0]) == "Main store"


def test_a_rifle_in_hand_that_its_holder_brings_is_nothing_to_tell(country: Country) -> None:
    issued(country, *scans(RIFLES[0]))
    assert returned(country, *scans(RIFLES[0]), in_hand=True, returned_by="A-1001").discrepancy_count == 0


def test_a_rifle_in_hand_brought_by_another_is_told(country: Country) -> None:
    issued(country, *scans(RIFLES[0]))
    posted = returned(country, *scans(RIFLES[0]), in_hand=True, returned_by="A-1002")
    assert said(country, posted) == [
        ("held elsewhere", f"AKM {RIFLES[0]} was at {PETROV} (person)", "it came from Private Quist (A-1002)")
    ]


def test_a_rifle_in_hand_nobody_ever_heard_of(country: Country) -> None:
    """It enters the books from outside, as what it is said to be."""
    posted = returned(country, {"scan": "NEVER 1", "model": "Type 56", "condition": "serviceable"}, in_hand=True)
    assert kinds(posted) == ["unknown weapon"]
    assert (country.where("NEVER 1"), country.item("NEVER 1").model_name) == ("Main store", "Type 56")


def test_a_stranger_brings_nothing_by_command(country: Country) -> None:
    """On paper he is the unidentified person, and told."""
    issued(country, *scans(RIFLES[0]))
    request = {"store": "Main store", "returned_by": "Z-9", "lines": scans(RIFLES[0])}
    faults = country.invalid("clerk", RETURN, **request)
    assert faults == [("returned_by", "Z-9", "not a service number or unit code of this site")]
    assert kinds(country.do("clerk", RETURN, **request, paper=paper(1, ago()))) == ["held elsewhere", "person unknown"]
