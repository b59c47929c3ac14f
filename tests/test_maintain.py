"""Maintaining: weapons go to the workshop from a store or a unit and come back, each way under a work order."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.receive import RECEIVE
from stockpile.documents import Posted
from stockpile.errors import Invalid, Refused
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

STORE = "Main store"
WORKSHOP = "maintenance"


def sent(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", MAINTAIN, work="Firing pin broken", **request, lines=list(lines))


def taken_back(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", MAINTAIN, back=True, work="New firing pin", **request, lines=list(lines))


def to_the_company(country: Country, *serials: str) -> None:
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store=STORE, lines=scans(*serials))


def test_a_broken_rifle_goes_to_the_workshop_and_comes_back_whole(country: Country) -> None:
    """Unserviceable on the way in, serviceable on the way back: now it may be issued again."""
    posted = sent(country, {"scan": RIFLES[0], "condition": "unserviceable"})
    assert (posted.act, posted.fact, country.where(RIFLES[0])) == ("maintain", False, WORKSHOP)
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "it is in maintenance: the act 'issue' does not begin there"
    taken_back(country, {"scan": RIFLES[0], "condition": "serviceable"}, store=STORE)
    assert country.where(RIFLES[0]) == STORE
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    details = country.query("SELECT details FROM document WHERE act = 'maintain' ORDER BY recorded_at")
    assert [row[0] for row in details] == [
        {"paper": "work order", "work": "Firing pin broken"},
        {"paper": "work order", "work": "New firing pin", "back": True},
    ]


def test_a_unit_s_rifle_goes_back_to_the_unit_by_who_is_on_its_card(country: Country) -> None:
    """From the company by its code; back only to somebody on its signature card, who stands on the order."""
    to_the_company(country, RIFLES[0])
    company = country.where(RIFLES[0])
    sent(country, *scans(RIFLES[0]), unit="1COY")
    with pytest.raises(Refused, match="signature card"):
        taken_back(country, *scans(RIFLES[0]), unit="1COY", received_by="A-1002")
    posted = taken_back(country, *scans(RIFLES[0]), unit="1COY", received_by="A-1001")
    assert country.where(RIFLES[0]) == company
    signed = country.query(
        "SELECT p.code FROM signatory g JOIN party p USING (party_id) WHERE document_id = %s AND part = 'received_by'",
        posted.document_id,
    )
    assert signed == [("A-1001",)]


def test_what_is_not_there_is_refused_weapon_by_weapon(country: Country) -> None:
    """With a person, missing, in the workshop already, in another store than the order says; and back what never went."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLES[1]))
    sent(country, *scans(RIFLES[2]))
    refusal = country.refused("clerk", MAINTAIN, work="Rust", lines=scans(*RIFLES[:3]))
    begins = "the act 'maintain' does not begin there"
    assert [reason for _, reason, _ in told(refusal)] == [
        f"it is issued to a person: {begins}", f"it is reported missing: {begins}", "it is in the workshop already",
    ]  # fmt: skip
    refusal = country.refused("clerk", MAINTAIN, work="Rust", unit="1COY", lines=scans(RIFLES[3]))
    assert told(refusal)[0][1].startswith("it is not in ")
    refusal = country.refused("clerk", MAINTAIN, back=True, work="Oiled", store=STORE, lines=scans(RIFLES[3]))
    assert told(refusal) == [(RIFLES[3], "it is not in the workshop", f"{STORE} (store)")]
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    refusal = country.refused("clerk", MAINTAIN, work="Rust", lines=scans("E 1"))
    assert told(refusal)[0][1] == "it is not at TAJI"


def test_what_the_order_leaves_open_is_asked(country: Country) -> None:
    """A person is no unit; a store and a unit are two places; a depot of several stores has no store by itself."""
    with pytest.raises(Invalid, match="stores and units"):
        sent(country, *scans(RIFLES[0]), unit="A-1001")
    with pytest.raises(Invalid, match="a store or a unit"):
        sent(country, *scans(RIFLES[0]), unit="1COY", store=STORE)
    with pytest.raises(Invalid, match="nobody at TAJI"):
        sent(country, *scans(RIFLES[0]), unit="9COY")
    sent(country, *scans(RIFLES[1]))
    with pytest.raises(Invalid, match="which store of TAJI"):
        taken_back(country, *scans(RIFLES[1]))
    helmet = {"item": str(country.helmets().item_id), "quantity": 3}
    with pytest.raises(Invalid, match="what is counted"):
        sent(country, helmet)


def test_helmets_are_mended_by_number(country: Country) -> None:
    """Thirty of a hundred go to the workshop, twenty-nine come back; more than there are is refused."""
    item = country.helmets().item_id
    sent(country, {"item": str(item), "quantity": 30}, store=STORE)
    taken_back(country, {"item": str(item), "quantity": 29}, store=STORE)
    held = country.query(
        "SELECT a.name, h.quantity FROM holding h JOIN account a USING (account_id) WHERE h.item_id = %s ORDER BY 1",
        item,
    )
    assert held == [(STORE, 99), (WORKSHOP, 1)]
    with pytest.raises(Refused):
        taken_back(country, {"item": str(item), "quantity": 2}, store=STORE)


def test_an_order_on_paper_is_a_fact(country: Country) -> None:
    """The rifle was with Petrov by the books: the workshop has it all the same, and that is a discrepancy."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    posted = sent(country, *scans(RIFLES[0], "NEW 1"), store=STORE, paper=paper(1, ago()))
    assert posted.fact
    assert (country.where(RIFLES[0]), country.where("NEW 1")) == (WORKSHOP, WORKSHOP)
    assert sorted(kinds(posted)) == ["held elsewhere", "unknown weapon"]
