"""Correcting: a mistake is taken back by a further document that two people answer for; what was posted stays to be read."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.correct import CORRECT
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted
from stockpile.errors import NotAllowed, NotFound
from stockpile.keys import new_key
from tests.world import HELMET, RIFLES, Country, ago, paper, scans, told

PETROV = "Private Petrov (A-1001)"
LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}


def issued(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", ISSUE, **{"receiver": "A-1001", "store": "Main store", **request}, lines=list(lines))


def corrected(country: Country, **request: Any) -> Posted:
    return country.do_with_approval("clerk", "commander", CORRECT, reason="the wrong rifle was scanned", **request)


def refused(country: Country, **request: Any) -> list[tuple[str, str, str | None]]:
    return told(country.refused("clerk", CORRECT, reason="the wrong rifle was scanned", **request))


def test_the_last_entry_of_a_weapon_is_taken_back(country: Country) -> None:
    """The rifle is where it was; both entries stay, the second citing the first at the first one's time."""
    wrong = issued(country, *scans(RIFLES[0]))
    posted = corrected(country, lines=scans(RIFLES[0]))
    assert country.where(RIFLES[0]) == "Main store"
    entries = country.query(
        "SELECT version, reverses, happened_at, document_id FROM entry WHERE item_id = %s ORDER BY version",
        country.item(RIFLES[0]).item_id,
    )
    assert [(row[0], row[1]) for row in entries] == [(1, None), (2, None), (3, 2)]
    assert entries[2][2:] == (wrong.happened_at, posted.document_id)


def test_a_document_of_many_is_taken_back_whole_or_in_part(country: Country) -> None:
    """Named without lines all of it; with lines only those."""
    wrong = issued(country, *scans(*RIFLES[:4]))
    assert corrected(country, document=wrong.document_id, lines=scans(RIFLES[3])).lines == 1
    assert [country.where(serial) for serial in RIFLES[:4]] == [PETROV] * 3 + ["Main store"]
    left = refused(country, document=wrong.document_id)
    assert [reason for _, reason, _ in left] == [
        "no entry of that document is live: it is none of its weapons, or was taken back already"
    ]
    assert corrected(country, document=wrong.document_id, lines=scans(*RIFLES[:3])).lines == 3
    assert {country.where(serial) for serial in RIFLES[:4]} == {"Main store"}


def test_what_a_later_document_moved_is_not_taken_back_before_that(country: Country) -> None:
    """The refusal names the later document by its number."""
    wrong = issued(country, *scans(RIFLES[0]))
    back = country.do("clerk", RETURN, store="Main store", lines=scans(RIFLES[0]))
    assert refused(country, document=wrong.document_id) == [
        (f"AKM {RIFLES[0]}", f"a later document moved it, {back.number}: correct that first", "Main store (store)")
    ]
    corrected(country, document=back.document_id)
    corrected(country, document=wrong.document_id)
    assert country.where(RIFLES[0]) == "Main store"


def test_a_conclusion_of_loss_is_taken_back(country: Country) -> None:
    """Also what closed a weapon's life: it is missing again, and can be found."""
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[0]), **LOSS)
    closed = country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=scans(RIFLES[0]), **FINDING)
    corrected(country, document=closed.document_id)
    assert country.where(RIFLES[0]) == "missing"


def test_back_to_the_beginning_and_no_further(country: Country) -> None:
    """A receipt taken back puts the weapon out of the books; there is nothing more to take back then."""
    corrected(country, lines=scans(RIFLES[0]))
    assert country.where(RIFLES[0]) == "outside"
    assert refused(country, lines=scans(RIFLES[0])) == [
        (RIFLES[0], "no entry of it is live: it was taken back already", "outside")
    ]


def test_helmets_are_taken_back_by_their_document(country: Country) -> None:
    """Any document of theirs, not only the last, while what it moved is still there."""
    item = str(country.helmets().item_id)
    first = issued(country, {"item": item, "quantity": 30})
    issued(country, {"item": item, "quantity": 20})
    assert refused(country, lines=[{"item": item}])[0][1] == (
        "name the document to take back: a quantity has no last entry of its own"
    )
    corrected(country, document=first.document_id)
    held = {place.name: quantity for place, quantity in country.helmets().holdings.values()}
    assert held == {"Main store": 80, PETROV: 20}
    assert refused(country, document=first.document_id)[0][1] == (
        "no entry of that document is live: it was taken back already"
    )


def test_helmets_that_went_on_are_not_taken_back(country: Country) -> None:
    item = str(country.helmets().item_id)
    first = issued(country, {"item": item, "quantity": 30})
    country.do("clerk", RETURN, store="Main store", returned_by="A-1001", lines=[{"item": item, "quantity": 10}])
    assert refused(country, document=first.document_id)[0][1] == f"only 20 are left at {PETROV}, 30 to take back"


def test_helmets_that_came_back_were_gone_in_between(country: Country) -> None:
    """Received, issued and returned by papers: without the receipt the store would have held less than nothing while Petrov had
    them. The documents are taken back from the last to the first.
    """
    helmets = [{"model": HELMET, "quantity": 10}]
    day = {n: paper(n, ago(days=6 - n)) for n in (1, 2, 3)}
    receipt = country.do("clerk", RECEIVE, store="Quarantine", lines=helmets, paper=day[1])
    issue = issued(country, *helmets, store="Quarantine", paper=day[2])
    back = country.do("clerk", RETURN, returned_by="A-1001", store="Quarantine", lines=helmets, paper=day[3])
    why = f"only 0 of the 10 to take back were left at Quarantine after {issue.number}: correct that first"
    assert [one[:2] for one in refused(country, document=receipt.document_id)] == [(HELMET, why)]
    for document in (back, issue, receipt):
        corrected(country, document=document.document_id)
    negative = """SELECT a.name, moment.happened_at FROM entry moment JOIN account a ON a.class <> 'outside'
                  JOIN entry e ON e.item_id = moment.item_id AND e.happened_at <= moment.happened_at
                   AND a.account_id IN (e.from_account, e.to_account)
                  GROUP BY 1, 2, moment.item_id, moment.version
                  HAVING sum(CASE WHEN e.to_account = a.account_id THEN e.quantity ELSE -e.quantity END) < 0"""
    assert country.query(negative) == []


def test_a_document_is_found_through_the_late_papers_that_moved_it(country: Country) -> None:
    """A paper lays itself under today's issue. Each is corrected as what it was: the issue first, then the paper; never
    the one in place of the other.
    """
    sheet = paper(1, ago())
    today = issued(country, *scans(RIFLES[0]), receiver="A-1002")
    late = country.do("clerk", RETURN, store="Quarantine", lines=scans(RIFLES[0]), paper=sheet)
    assert late.lines == 3
    assert refused(country, document=late.document_id) == [
        (
            f"AKM {RIFLES[0]}",
            f"a later document moved it, {late.number}: correct that first",
            "Private Quist (A-1002) (person)",
        )
    ]
    corrected(country, document=today.document_id)
    assert country.where(RIFLES[0]) == "Quarantine"
    corrected(country, document=late.document_id)
    assert country.where(RIFLES[0]) == "Main store"


def test_a_correction_and_a_document_nobody_posted_move_nothing_to_take_back(country: Country) -> None:
    """What was taken back is posted anew, not corrected again."""
    issued(country, *scans(RIFLES[0]))
    mended = corrected(country, lines=scans(RIFLES[0]))
    for document in (mended.document_id, new_key()):
        with pytest.raises(NotFound, match="that moved anything"):
            country.ask("clerk", CORRECT, reason="none", document=document)


def test_an_entry_of_another_site_is_not_ours_to_correct(country: Country) -> None:
    """Neither by its document, which we can't see, nor by the weapon."""
    there = country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    with pytest.raises(NotFound, match="at TAJI that moved anything"):
        country.ask("clerk", CORRECT, reason="not ours", document=there.document_id)
    assert refused(country, lines=scans("E 1")) == [
        ("E 1", "its last entry does not concern TAJI", "Main store (store)")
    ]


def test_nothing_named_nothing_done(country: Country) -> None:
    assert country.refused("clerk", CORRECT, reason="why not").detail.endswith(
        "name a document, or the weapons to correct."
    )
    assert refused(country, lines=scans("NO SUCH"))[0][1] == "unknown: nothing in the books bears this number"


def test_who_asked_does_not_approve(country: Country) -> None:
    """A commander asks; the same person under any role is refused, another may."""
    issued(country, *scans(RIFLES[0]))
    drafted = country.ask("commander", CORRECT, reason="wrong", lines=scans(RIFLES[0]))
    with pytest.raises(NotAllowed, match="another person"):
        country.approve("commander", drafted)
    with pytest.raises(NotAllowed, match="A clerk may not approve"):
        country.approve("clerk", drafted)
    posted = country.approve("registrar", drafted, site="TAJI")
    assert (posted.act, country.where(RIFLES[0])) == ("correct", "Main store")
