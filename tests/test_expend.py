"""Expending: what was fired or destroyed in combat leaves the holdings for good, by two people."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.expend import EXPEND
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.perform import Drafted
from stockpile.acts.recover import RECOVER
from stockpile.errors import NotAllowed
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

SPENT = {"manner": "destroyed in combat", "place": "the bridge", "circumstances": "the vehicle burnt out"}


def spent(country: Country, *lines: dict[str, Any], **request: Any) -> Any:
    return country.do_with_approval("clerk", "commander", EXPEND, **SPENT, **request, lines=list(lines))


def test_a_soldier_s_rifle_burnt_with_the_vehicle(country: Country) -> None:
    """Asked for by the clerk it waits, and moves nothing; approved by the commander it is expended, and stays so."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    held = country.where(RIFLES[0])
    waiting = country.ask("clerk", EXPEND, **SPENT, holder="A-1001", lines=scans(RIFLES[0]))
    assert isinstance(waiting, Drafted)
    assert country.where(RIFLES[0]) == held
    with pytest.raises(NotAllowed):
        country.approve("clerk", waiting)
    posted = country.approve("commander", waiting)
    assert (posted.act, country.where(RIFLES[0])) == ("expend", "expended")
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "it was expended: the act 'issue' does not begin there"


def test_what_nobody_holds_is_not_expended(country: Country) -> None:
    """Missing, or held by another than the report says: each with its reason."""
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLES[0]))
    refusal = country.refused("clerk", EXPEND, **SPENT, lines=scans(RIFLES[0], "NO SUCH"))
    assert told(refusal) == [
        (RIFLES[0], "it is reported missing: the act 'expend' does not begin there", "missing"),
        ("NO SUCH", "unknown: nothing in the books bears this number", None),
    ]
    refusal = country.refused("clerk", EXPEND, **SPENT, holder="A-1001", lines=scans(RIFLES[1]))
    assert told(refusal)[0][1].endswith("does not hold it")


def test_helmets_are_expended_by_number(country: Country) -> None:
    """Twelve from the store, on one report with a rifle that a soldier had."""
    item = country.helmets().item_id
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    spent(country, {"item": str(item), "quantity": 12}, *scans(RIFLES[0]), store="Main store")
    assert country.where(RIFLES[0]) == "expended"
    held = "SELECT a.name, h.quantity FROM holding h JOIN account a USING (account_id) WHERE h.item_id = %s ORDER BY 1"
    assert country.query(held, item) == [("Main store", 88), ("expended", 12)]


def test_a_report_from_the_field_is_a_fact_without_its_second_party(country: Country) -> None:
    """The paper is posted; that nobody approved it, and that the books had the rifle elsewhere, stands open."""
    country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[0]))
    posted = country.do("clerk", EXPEND, **SPENT, holder="A-1001", lines=scans(RIFLES[0]), paper=paper(1, ago()))
    assert country.where(RIFLES[0]) == "expended"
    assert kinds(posted) == ["held elsewhere", "second party missing"]


def test_what_was_expended_turns_up(country: Country) -> None:
    """The burnt rifle lies on the counter: taken back as a fact, with what the books had claimed."""
    spent(country, *scans(RIFLES[0]))
    back = country.do(
        "clerk",
        RECOVER,
        store="Main store",
        place="the bridge",
        found_by="a patrol",
        in_hand=True,
        lines=scans(RIFLES[0]),
    )
    assert (country.where(RIFLES[0]), kinds(back)) == ("Main store", ["found what the books hold as gone"])
