"""A commander's override: an unmarked or unserviceable weapon goes out for a reason that is written down, and is reported."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.errors import NotAllowed, Refused
from stockpile.keys import new_key
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

REASON = "the gate is under attack"
DRAW = {"receiver": "A-1001", "store": "Main store"}


def broken(country: Country, serial: str) -> None:
    country.do("clerk", ISSUE, **DRAW, lines=scans(serial))
    country.do("clerk", RETURN, store="Main store", lines=[{"scan": serial, "condition": "unserviceable"}])


def unmarked(country: Country) -> dict[str, Any]:
    posted = country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM"}])
    ((item_id,),) = country.query("SELECT item_id FROM entry WHERE document_id = %s", posted.document_id)
    return {"item": str(item_id)}


def test_a_broken_rifle_goes_out_for_a_reason(country: Country) -> None:
    """Refused without one; with one it waits for the commander, and the document says why and which lines; each is reported."""
    broken(country, RIFLES[1])
    bare = unmarked(country)
    lines = [*scans(*RIFLES[:2]), bare]
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=lines)
    assert [reason for _, reason, _ in told(refusal)] == [
        "it is unserviceable", "it bears no serial number or mark: mark it first",
    ]  # fmt: skip
    draft = country.ask("clerk", ISSUE, **DRAW, override=REASON, lines=lines)
    assert isinstance(draft, Drafted)
    assert country.where(RIFLES[1]) == "Main store"
    posted = country.approve("commander", draft)
    assert country.where(RIFLES[1]) == "Private Petrov (A-1001)"
    assert kinds(posted) == ["issued though unmarked or unserviceable"] * 2
    assert {(found.line, found.item_id) for found in posted.discrepancies} == {
        (2, country.item(RIFLES[1]).item_id), (3, UUID(bare["item"])),
    }  # fmt: skip
    ((details, approver),) = country.query(
        "SELECT details, p.code FROM document JOIN party p ON p.party_id = approved_by WHERE document_id = %s",
        posted.document_id,
    )
    assert (details["override"], details["overridden_on_lines"], approver) == (REASON, [2, 3], "C-1")


def test_only_a_commander_approves_it(country: Country) -> None:
    """The registrar may approve other things; the commander who asked needs another."""
    broken(country, RIFLES[0])
    draft = country.ask("clerk", ISSUE, **DRAW, override=REASON, lines=scans(RIFLES[0]))
    with pytest.raises(NotAllowed, match="It takes a commander"):
        country.approve("registrar", draft, site="TAJI")
    with pytest.raises(NotAllowed):
        country.approve("clerk", draft)
    own = country.ask("commander", ISSUE, **DRAW, override=REASON, lines=scans(RIFLES[0]))
    with pytest.raises(NotAllowed, match="another person"):
        country.approve("commander", own)


def test_an_override_that_nothing_needs_is_refused(country: Country) -> None:
    """Every rifle is fine: no draft; and one that was mended before the approval is not overridden either."""
    assert (
        "without an override" in country.refused("clerk", ISSUE, **DRAW, override=REASON, lines=scans(RIFLES[0])).detail
    )
    broken(country, RIFLES[0])
    draft = country.ask("clerk", ISSUE, **DRAW, override=REASON, lines=scans(RIFLES[0]))
    country.do("clerk", ISSUE, **DRAW, lines=scans(RIFLES[0]), paper=paper(1, ago()))
    country.do("clerk", RETURN, store="Main store", lines=[{"scan": RIFLES[0], "condition": "serviceable"}])
    with pytest.raises(Refused, match="without an override"):
        country.approve("commander", draft)


def test_nothing_else_is_overridden(country: Country) -> None:
    """Not the roster, not the store, not the number of helmets."""
    broken(country, RIFLES[0])
    asked = {**DRAW, "override": REASON, "lines": scans(RIFLES[0])}
    assert "not on the roster" in country.refused("clerk", ISSUE, **{**asked, "receiver": "A-1009"}).detail
    refusal = country.refused("clerk", ISSUE, **{**asked, "store": "Quarantine"})
    assert told(refusal)[0][1] == "it is not in Quarantine"
    helmets = {"item": str(country.helmets().item_id), "quantity": 101}
    refusal = country.refused("clerk", ISSUE, **{**asked, "lines": [*scans(RIFLES[0]), helmets]})
    assert [reason for _, reason, _ in told(refusal)] == ["only 100 at Main store, 101 asked for"]


def test_a_request_without_an_override_has_the_content_it_always_had(country: Country) -> None:
    """Left out or empty it changes no content hash: what was posted before it came is known again."""
    plain = {"document_id": new_key(), **DRAW, "lines": scans(RIFLES[0])}
    first = country.do("clerk", ISSUE, **plain)
    assert country.do("clerk", ISSUE, **plain, override=None) == first
    assert "override" not in ISSUE.request.model_validate(plain).model_dump()


def test_on_paper_the_reason_is_kept(country: Country) -> None:
    """A fact waits for nobody: posted, reported, the reason and its lines on the document."""
    broken(country, RIFLES[0])
    posted = country.do("clerk", ISSUE, **DRAW, override=REASON, lines=scans(*RIFLES[:2]), paper=paper(1, ago()))
    assert kinds(posted) == ["issued though unmarked or unserviceable"]
    ((details,),) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert (details["override"], details["overridden_on_lines"]) == (REASON, [1])
