"""Undoing: one's own last document, within fifteen minutes, alone, and for all to see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stockpile.acts import correct as correcting
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.reports.documents import list_documents
from tests.world import RIFLES, Country, ago, paper, scans, told


def issued(country: Country, *lines: dict[str, Any], who: str = "clerk", **request: Any) -> Posted:
    return country.do(who, ISSUE, receiver="A-1001", store="Main store", **request, lines=list(lines))


def refusal(country: Country, document: Posted, who: str = "clerk") -> str:
    return country.refused(who, UNDO, document=document.document_id).detail


def test_a_slip_is_undone_alone_and_everybody_sees_it(country: Country) -> None:
    """Rifles and helmets are back; the list of documents marks the undo, and there is no second signature."""
    item = str(country.helmets().item_id)
    slip = issued(country, *scans(RIFLES[0], RIFLES[1]), {"item": item, "quantity": 7})
    undone = country.do("clerk", UNDO, document=slip.document_id)
    assert (undone.act, undone.lines) == ("correct", 3)
    assert country.where(RIFLES[0]) == country.where(RIFLES[1]) == "Main store"
    assert [quantity for _, quantity in country.helmets().holdings.values()] == [100]
    with transaction(country.engine, roles.AUDITOR) as connection:
        newest, before = list_documents(connection, country.actors["auditor"], limit=2).rows
    assert (newest.document_id, newest.undo, newest.act) == (undone.document_id, True, "correct")
    assert (before.document_id, before.undo) == (slip.document_id, False)
    assert country.query("SELECT approved_by FROM document WHERE document_id = %s", undone.document_id) == [(None,)]


def test_another_ones_document_is_not_mine_to_undo(country: Country) -> None:
    slip = issued(country, *scans(RIFLES[0]))
    assert refusal(country, slip, "second clerk") == "Nothing was done: somebody else posted it. Ask for a correction."


def test_only_the_last_document_is_undone(country: Country) -> None:
    slip = issued(country, *scans(RIFLES[0]))
    last = country.do("clerk", VOID, reason="torn")
    assert refusal(country, slip) == "Nothing was done: it is not your last document. Ask for a correction."
    assert "void document can only be corrected" in refusal(country, last)


def test_after_fifteen_minutes_it_takes_a_correction(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the one thing a test can't wait for."""
    slip = issued(country, *scans(RIFLES[0]))
    monkeypatch.setattr(correcting, "now", lambda: slip.recorded_at + timedelta(minutes=15, seconds=1))
    assert refusal(country, slip) == "Nothing was done: it is older than 15 minutes. Ask for a correction."
    monkeypatch.setattr(correcting, "now", lambda: slip.recorded_at + timedelta(minutes=14, seconds=59))
    country.do("clerk", UNDO, document=slip.document_id)


def test_what_somebody_moved_since_is_not_undone(country: Country) -> None:
    """Another counter took the rifle back, and drew helmets: both are named."""
    item = str(country.helmets().item_id)
    slip = issued(country, *scans(RIFLES[0], RIFLES[1]), {"item": item, "quantity": 7})
    country.do("second clerk", RETURN, store="Main store", lines=scans(RIFLES[0]))
    country.do("second clerk", ISSUE, receiver="A-1002", store="Main store", lines=[{"item": item, "quantity": 1}])
    refused = country.refused("clerk", UNDO, document=slip.document_id)
    assert refused.detail.startswith("Nothing was done: something was posted on its items since.")
    assert sorted((weapon, reason) for weapon, reason, _ in told(refused)) == [
        (f"AKM {RIFLES[0]}", "a later document moved it"), ("Helmet", "a later document moved it"),
    ]  # fmt: skip


def test_a_correction_an_undo_and_a_late_paper_are_not_undone(country: Country) -> None:
    """Mending is not unmended in a hurry: it takes two."""
    sheet = paper(1, ago())
    slip = issued(country, *scans(RIFLES[0]))
    undone = country.do("clerk", UNDO, document=slip.document_id)
    assert "a late, correcting or void document can only be corrected" in refusal(country, undone)
    issued(country, *scans(RIFLES[0]), who="second clerk")
    late = country.do("clerk", RETURN, store="Quarantine", lines=scans(RIFLES[0]), paper=sheet)
    assert "a late, correcting or void document can only be corrected" in refusal(country, late)
    mended = country.do_with_approval("clerk", "commander", CORRECT, reason="wrong", lines=scans(RIFLES[0]))
    assert "a late, correcting or void document can only be corrected" in refusal(country, mended)


def test_a_receipt_and_a_paper_in_its_place_are_undone(country: Country) -> None:
    """New weapons go back outside; a paper that moved nothing else is a document like any."""
    receipt = country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "N 1"}])
    country.do("clerk", UNDO, document=receipt.document_id)
    assert country.where("N 1") == "outside"
    keyed = issued(country, *scans(RIFLES[0]), paper=paper(1, ago()))
    country.do("clerk", UNDO, document=keyed.document_id)
    assert country.where(RIFLES[0]) == "Main store"


def test_an_undo_twice_is_refused(country: Country) -> None:
    slip = issued(country, *scans(RIFLES[0]))
    country.do("clerk", UNDO, document=slip.document_id)
    assert refusal(country, slip) == "Nothing was done: it is not your last document. Ask for a correction."


def test_a_document_of_nowhere_or_of_another_site(country: Country) -> None:
    there = country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    for document in (there.document_id, new_key()):
        with pytest.raises(NotFound, match="at TAJI"):
            country.ask("clerk", UNDO, document=document)
    with pytest.raises(NotAllowed):
        country.ask("auditor", UNDO, site="TAJI", document=there.document_id)


def test_by_its_number(country: Country) -> None:
    """As the clerk reads it on the answer; one of another site is none."""
    posted = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    with pytest.raises(NotFound):
        country.ask("erbil clerk", UNDO, document=posted.number)
    undone = country.do("clerk", UNDO, document=posted.number.lower())
    assert (undone.act, country.where(RIFLES[0])) == ("correct", "Main store")
    assert country.query("SELECT details ->> 'corrects' FROM document WHERE document_id = %s", undone.document_id) == [
        (str(posted.document_id),)
    ]


def test_what_was_taken_back_out_of_the_books_is_not_at_the_counter(country: Country) -> None:
    """A list received twice by mistake, and the second receipt undone: the number means the one that is there."""
    first = country.item(RIFLES[0])
    again = country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": RIFLES[0]}])
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    assert "2 weapons bear this number" in refusal.reasons[0].reason
    country.do("clerk", UNDO, document=again.document_id)
    issued = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    assert country.query("SELECT item_id FROM entry WHERE document_id = %s", issued.document_id) == [(first.item_id,)]
