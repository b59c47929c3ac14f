"""Losing: a weapon is reported missing by whoever knows of it; that it is lost is concluded by two people."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.errors import NotAllowed
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

LOSS = {"place": "Route Tampa, checkpoint 4", "circumstances": "not in the rack at the evening count"}
FINDING = {"cause": "stolen", "liability": "nobody: taken by force", "findings": "taken at the robbery"}


def missing(country: Country, *serials: str, **request: Any) -> Any:
    return country.do("clerk", REPORT_MISSING, **LOSS, **request, lines=scans(*serials))


def test_a_rifle_is_missing_from_wherever_it_was(country: Country) -> None:
    """From a soldier, from the store, from a consignment on its way; with who says so, and when it was last seen."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1",
               lines=[{"model": "AKM", "serial_number": "UA 1"}])  # fmt: skip
    seen = ago(hours=6)
    posted = missing(country, RIFLES[0], RIFLES[1], "UA 1", reported_by="A-1001", last_seen_at=seen)
    assert [country.where(serial) for serial in (RIFLES[0], RIFLES[1], "UA 1")] == ["missing"] * 3
    (details,) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert (details[0]["place"], details[0]["last_seen_at"]) == (LOSS["place"], seen.isoformat())
    signed = dict(country.query("SELECT part, party_id FROM signatory WHERE document_id = %s", posted.document_id))
    assert signed["reported_by"] == country.parties["A-1001"].party_id


def test_it_cannot_have_been_seen_after_now(country: Country) -> None:
    """By command a mistake; on paper a doubt to look into."""
    request = {**LOSS, "last_seen_at": ago(hours=-1), "lines": scans(RIFLES[0])}
    ((field, _, message),) = country.invalid("clerk", REPORT_MISSING, **request)
    assert (field, message) == ("last_seen_at", "is in the future")
    posted = country.do("clerk", REPORT_MISSING, **request, paper=paper(1, ago()))
    assert kinds(posted) == ["doubtful as it came"]


def test_who_reports_it_must_be_somebody(country: Country) -> None:
    """A stranger's report is a mistake at the counter, on paper it is posted and told: nobody is dropped in silence."""
    request = {**LOSS, "reported_by": "Z-9", "lines": scans(RIFLES[0])}
    assert country.invalid("clerk", REPORT_MISSING, **request) == [
        ("reported_by", "Z-9", "not a service number of this site")
    ]
    assert kinds(country.do("clerk", REPORT_MISSING, **request, paper=paper(1, ago()))) == ["person unknown"]


def test_what_is_missing_or_lost_or_elsewhere_or_unknown_is_not_reported_again(country: Country) -> None:
    missing(country, RIFLES[0], RIFLES[1])
    country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **FINDING, lines=scans(RIFLES[1]))
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    refusal = country.refused("clerk", REPORT_MISSING, **LOSS, lines=scans(*RIFLES[:2], "E 1", "NO SUCH"))
    begins = "the act 'report missing' does not begin there"
    assert told(refusal) == [
        (RIFLES[0], f"it is reported missing: {begins}", "missing"),
        (RIFLES[1], f"it was concluded as lost: {begins}", "lost"),
        ("E 1", "it is not at TAJI", "Main store (store)"),
        ("NO SUCH", "unknown: nothing in the books bears this number", None),
    ]


def test_helmets_are_missing_from_a_store_or_from_who_had_them(country: Country) -> None:
    item = str(country.helmets().item_id)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=[{"item": item, "quantity": 5}])
    country.do("clerk", REPORT_MISSING, **LOSS, holder="A-1001", lines=[{"item": item, "quantity": 2}])
    country.do("clerk", REPORT_MISSING, **LOSS, store="Main store", lines=[{"item": item, "quantity": 10}])
    held = {place.name: quantity for place, quantity in country.helmets().holdings.values()}
    assert held == {"Main store": 85, "Private Petrov (A-1001)": 3, "missing": 12}
    refusal = country.refused("clerk", REPORT_MISSING, **LOSS, holder="A-1001", lines=[{"item": item, "quantity": 4}])
    assert refusal.reasons[0].reason == "only 3 at Private Petrov (A-1001), 4 asked for"
    assert country.invalid("clerk", REPORT_MISSING, **LOSS, lines=[{"item": item, "quantity": 1}])[0][0] == "store"


def test_the_holder_that_is_named_holds_it(country: Country) -> None:
    """A wrong holder, and one nobody knows: refused by command, told on paper."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0], RIFLES[1]))
    refusal = country.refused("clerk", REPORT_MISSING, **LOSS, holder="A-1002", lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "Private Quist (A-1002) does not hold it"
    assert country.invalid("clerk", REPORT_MISSING, **LOSS, holder="Z-9", lines=scans(RIFLES[0]))[0][:2] == (
        "holder",
        "Z-9",
    )
    assert kinds(missing(country, RIFLES[0], holder="A-1002", paper=paper(1, ago()))) == ["held elsewhere"]
    assert kinds(missing(country, RIFLES[1], holder="Z-9", paper=paper(2, ago()))) == [
        "held elsewhere",
        "person unknown",
    ]


def test_a_paper_reports_missing_what_the_books_gave_up_or_never_had(country: Country) -> None:
    missing(country, RIFLES[0])
    country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **FINDING, lines=scans(RIFLES[0]))
    posted = missing(country, RIFLES[0], "NEVER 1", paper=paper(1, ago()))
    assert kinds(posted) == ["found what the books hold as gone", "unknown weapon"]
    assert country.where(RIFLES[0]) == country.where("NEVER 1") == "missing"


def test_two_people_conclude_a_loss(country: Country) -> None:
    """Asked for by the clerk it is still missing; approved by the commander it is lost, with both on the document."""
    missing(country, RIFLES[0])
    drafted = country.ask("clerk", CONCLUDE_LOSS, **FINDING, lines=scans(RIFLES[0]))
    assert isinstance(drafted, Drafted)
    assert country.where(RIFLES[0]) == "missing"
    posted = country.approve("commander", drafted)
    assert country.where(RIFLES[0]) == "lost"
    signed = dict(country.query("SELECT part, party_id FROM signatory WHERE document_id = %s", posted.document_id))
    assert signed == {"posted_by": country.parties["T-1"].party_id, "approved_by": country.parties["C-1"].party_id}
    (details,) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert {name: details[0][name] for name in FINDING} == FINDING


def test_only_what_is_missing_is_concluded_as_lost(country: Country) -> None:
    """Already the first of the two is told."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    refusal = country.refused("clerk", CONCLUDE_LOSS, **FINDING, lines=scans(RIFLES[0], RIFLES[1]))
    begins = "the act 'conclude loss' does not begin there"
    assert told(refusal) == [
        (RIFLES[0], f"it is issued to a person: {begins}", "Private Petrov (A-1001) (person)"),
        (RIFLES[1], f"it is in a store: {begins}", "Main store (store)"),
    ]
    item = str(country.helmets().item_id)
    refusal = country.refused("clerk", CONCLUDE_LOSS, **FINDING, lines=[{"item": item, "quantity": 1}])
    assert refusal.reasons[0].reason == "only 0 at missing, 1 asked for"


def test_neither_auditor_nor_donor_reports_or_concludes(country: Country) -> None:
    for who in ("auditor", "USA", "registrar"):
        with pytest.raises(NotAllowed, match="may not report missing"):
            country.ask(who, REPORT_MISSING, site="TAJI", **LOSS, lines=scans(RIFLES[0]))
        with pytest.raises(NotAllowed, match="may not conclude loss"):
            country.ask(who, CONCLUDE_LOSS, site="TAJI", **FINDING, lines=scans(RIFLES[0]))
