"""Issuing: who may draw, what may leave, and what a refusal tells."""

from __future__ import annotations

from stockpile.acts.issue import ISSUE
from stockpile.acts.turn_in import RETURN
from tests.world import RIFLES, Country, scans


def test_a_rifle_goes_to_a_soldier_and_comes_back(country: Country) -> None:
    """Petrov draws a rifle; the books say he has it, under a numbered document; he brings it back."""
    issued = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    assert issued.number.startswith("TAJI/B/")
    assert country.where(RIFLES[0]) == "Private Petrov (A-1001)"
    returned = country.do("clerk", RETURN, store="Main store", lines=[{"scan": RIFLES[0], "condition": "serviceable"}])
    assert country.where(RIFLES[0]) == "Main store"
    assert int(returned.number.rsplit("/", 1)[1]) == int(issued.number.rsplit("/", 1)[1]) + 1
