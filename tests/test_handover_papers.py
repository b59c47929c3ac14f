"""Handovers without complete papers: who signed, what came as a scan, what came late; and what an opening list said that no count read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from stockpile.acts.correct import CORRECT
from stockpile.acts.emergency_issue import EMERGENCY_ISSUE
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.open_books import OPEN
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted, Precision, now
from stockpile.errors import Invalid, NotAllowed
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.notes import WriteNote, write_note
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.handover_papers import Gap, HandoverPapers, PapersSought, handover_papers
from stockpile.signatures import Sign, sign
from tests import counts
from tests.reading import asked_by, declared_and_received
from tests.world import RIFLES, Country, ago, paper, photo, scanned_paper, scans, today


def of(country: Country, who: str = "auditor", at: AsOf = NOW, **sought: Any) -> HandoverPapers:
    return asked_by(country, who, handover_papers, PapersSought(**sought), at)


def lacks(found: HandoverPapers) -> dict[str, tuple[str, ...]]:
    return {row.document_number: row.lacks for row in found.rows}


def issued(country: Country, *serials: str, to: str = "A-1001", **more: Any) -> Posted:
    return country.do("clerk", ISSUE, receiver=to, store="Main store", lines=scans(*serials), **more)


UNSIGNED = (Gap.SIGNATURE, Gap.SCAN)


def signs(country: Country, document_id: UUID, *people: str) -> list[str]:
    """Signatures drawn on the screen, for a document that is about to be."""
    made = []
    for shade, person in enumerate(people, 1):
        drawn = file_store().keep([photo(shade + document_id.int % 60_000)], 100_000).sha256
        request = Sign(document_id=document_id, person=person, file=drawn)
        made.append(str(sign(country.engine, country.actors["clerk"], None, request, "127.0.0.1").signature_id))
    return made


def test_an_issue_is_complete_when_its_receiver_signed_or_the_signed_paper_came(country: Country) -> None:
    """By nobody; by the receiver on the screen; on paper, attached later: before that, and as the books said before that, it lacks both."""
    bare = issued(country, RIFLES[0])
    document = new_key()
    issued(country, RIFLES[1], document_id=document, signatures=signs(country, document, "A-1001"))
    later = issued(country, RIFLES[2])
    assert lacks(of(country)) == {bare.number: UNSIGNED, later.number: UNSIGNED}
    before = now()
    request = WriteNote(kind="signature", attachments=[scanned_paper()])
    write_note(country.engine, country.actors["clerk"], later.document_id, request)
    found = of(country)
    assert lacks(found) == {bare.number: UNSIGNED}
    assert (found.documents, found.incomplete, found.incomplete_percent) == (4, 1, 25.0)
    assert found.by_gap == {**dict.fromkeys(Gap, 0), "no signature": 1, "no scan": 1}
    (row,) = found.rows
    assert (row.receiver, row.receiver_id, row.quantity, row.act, row.site) == (
        "Private Petrov (A-1001)", country.parties["A-1001"].party_id, 1, "issue", "TAJI",
    )  # fmt: skip
    assert lacks(of(country, at=AsOf(recorded_at=before))) == {bare.number: UNSIGNED, later.number: UNSIGNED}
    assert of(country, at=AsOf(happened_at=ago(days=1))).documents == 0


def test_a_photo_is_a_scan_but_no_signature_and_both_sign_a_hand_over(country: Country) -> None:
    """What is attached shows something; who gives has to sign too."""
    shown = issued(country, RIFLES[0], attachments=[file_store().keep([photo(3)], 100_000).sha256])
    half, whole = new_key(), new_key()
    given = {"giver": "A-1001", "receiver": "A-1002"}
    issued(country, RIFLES[1], RIFLES[2], document_id=new_key())
    one = country.do(
        "clerk", HAND_OVER, **given, document_id=half, lines=scans(RIFLES[1]), signatures=signs(country, half, "A-1002")
    )
    two = signs(country, whole, "A-1002", "A-1001")
    country.do("clerk", HAND_OVER, **given, document_id=whole, lines=scans(RIFLES[2]), signatures=two)
    found = of(country, unit="1COY")
    assert lacks(found)[shown.number] == (Gap.SIGNATURE,)
    assert lacks(found)[one.number] == UNSIGNED
    assert found.incomplete == 3


def test_a_paper_is_signed_but_late_dated_ahead_or_without_an_hour(country: Country) -> None:
    """A unit's paper on which nobody stands as its drawer has no receiver; one of a day that has not come bears no date to trust."""
    nobody = issued(country, RIFLES[0], to="1COY", paper=paper(1, ago(hours=30)))
    ahead = issued(country, RIFLES[1], paper=paper(2, ago(days=-3)))
    by_day = issued(country, RIFLES[2], paper=paper(3, ago(hours=1), precision=Precision.DAY))
    found = of(country)
    assert lacks(found) == {
        nobody.number: (Gap.RECEIVER, Gap.LATE), ahead.number: (Gap.DATE,), by_day.number: (Gap.TIME,),
    }  # fmt: skip
    assert {row.document_number: row.days_late for row in found.rows} == {
        nobody.number: 1, ahead.number: 0, by_day.number: 0,
    }  # fmt: skip
    assert asked_by(country, "auditor", handover_papers, late_after_hours=31).by_gap["recorded late"] == 0
    assert [row.document_number for row in of(country, gap=Gap.LATE).rows] == [nobody.number]
    yesterday = today() - timedelta(days=1)
    assert nobody.number not in lacks(of(country, since=today()))
    assert nobody.number in lacks(of(country, since=yesterday - timedelta(days=1), until=yesterday))


def test_in_an_emergency_the_papers_follow_and_a_card_is_a_paper(country: Country) -> None:
    """Each line says who has it, so there are receivers; nobody signed. What was taken back by two people lacks nothing any more."""
    lines = [{"scan": RIFLES[0], "receiver": "A-1001"}, {"scan": RIFLES[1], "receiver": "A-1002"}]
    out = country.do("commander", EMERGENCY_ISSUE, reason="The gate is under attack", lines=lines)
    found = of(country)
    assert lacks(found) == {out.number: UNSIGNED}
    assert found.rows[0].receiver is None
    wrong = issued(country, RIFLES[2])
    before = now()
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong.document_id, reason="the wrong rifle")
    assert lacks(of(country)) == {out.number: UNSIGNED}
    assert wrong.number in lacks(of(country, at=AsOf(recorded_at=before)))


def test_what_a_late_paper_moved_stands_for_its_document(country: Country) -> None:
    """The return was written before the issue's paper came: moved in time, it is still what it was; so is the issue that it follows."""
    first = issued(country, RIFLES[0])
    country.do(
        "clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans(RIFLES[0]), paper=paper(1, ago(hours=-1))
    )
    country.do(
        "clerk", RETURN, store="Main store", returned_by="A-1001", lines=[{"scan": RIFLES[0], "condition": "serviceable"}],
        paper=paper(2, ago(minutes=1)),
    )  # fmt: skip
    assert lacks(of(country))[first.number] == UNSIGNED


def test_an_opening_entry_is_unconfirmed_until_a_closed_count_read_it(country: Country) -> None:
    """Two of three are on the shelf; as of before the count, on either clock, none was counted."""
    book = {"site": "TAJI", "name": "Property book 2019", "store": "Quarantine"}
    lines = [{"model": "AKM", "serial_number": f"OLD {n}"} for n in range(3)]
    opened = country.do_with_approval("registrar", "commander", OPEN, **book, lines=lines)
    found = of(country)
    assert (lacks(found), found.not_counted) == ({opened.number: (Gap.COUNT,)}, 3)
    before = now()
    count_id = counts.opened(country, account="Quarantine")
    counts.read(country, count_id, "OLD 0", "OLD 1")
    read = now()
    assert of(country).not_counted == 3
    counts.closed(country, count_id)
    for at in (NOW, AsOf(recorded_at=now()), AsOf(happened_at=read)):
        assert of(country, at=at).not_counted == 1
    for at in (AsOf(happened_at=before), AsOf(recorded_at=read)):
        assert of(country, at=at).not_counted == 3
    assert of(country, donor="USA").not_counted == 0
    assert of(country, donor="OWN", model="AKM").rows[0].not_counted == 1


def test_who_is_told_what(country: Country) -> None:
    """A desk of its own site; a donor of its own weapons, that it was late, and no name."""
    declared_and_received(country, "US 1")
    issued(country, "US 1", RIFLES[0], paper=paper(1, ago(seconds=0), precision=Precision.DAY))
    (row,) = of(country, "USA").rows
    assert (row.lacks, row.receiver, row.receiver_id, row.quantity) == ((Gap.TIME,), None, None, 1)
    assert set(of(country, "USA").by_gap) == {"no time of day", "recorded late", "opening, not counted"}
    assert of(country, "clerk").incomplete == 1
    assert of(country, "clerk", donor="USA", model="M4", unit="1COY").rows[0].quantity == 1
    assert of(country, "erbil clerk").documents == 0
    for who, sought in (
        ("erbil clerk", {"site": "TAJI"}), ("USA", {"gap": Gap.SIGNATURE}), ("USA", {"unit": "1COY"}),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            of(country, who, **sought)
    with pytest.raises(Invalid):
        of(country, "USA", AsOf(recorded_at=now()), gap=Gap.COUNT)
