"""Losses by unit, cause, model and month, and the investigations that are open: what an auditor asks after "how many"."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stockpile.acts.correct import CORRECT
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.recover import RECOVER
from stockpile.documents import Posted, now
from stockpile.errors import NotAllowed
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.losses import By, LossesSought, LossSum, LostPiece, State, losses_by, lost_pieces
from tests.reading import asked_by, declared_and_received
from tests.world import HELMET, RIFLES, Country, ago, paper, scans, today

GONE = {"place": "the range", "circumstances": "not in the rack"}
STOLEN = {"cause": "stolen", "liability": "nobody: taken by force", "findings": "taken at the robbery"}


def lost(country: Country, *serials: str, seen: int = 0, **more: Any) -> Posted:
    """Reported missing now, last seen so many days ago."""
    return country.do("clerk", REPORT_MISSING, **GONE, last_seen_at=ago(days=seen), lines=scans(*serials), **more)


def concluded(country: Country, *serials: str) -> Posted:
    """Two people conclude that it was stolen."""
    return country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **STOLEN, lines=scans(*serials))


def found(country: Country, *serials: str) -> Posted:
    """A patrol brings it back."""
    lines = [{"scan": serial, "condition": "serviceable"} for serial in serials]
    said = {"place": "the bridge", "found_by": "a patrol", "in_hand": True}
    return country.do("clerk", RECOVER, store="Main store", **said, lines=lines)


def by(country: Country, what: By, who: str = "auditor", at: AsOf = NOW, **sought: Any) -> list[LossSum]:
    return list(asked_by(country, who, losses_by, what, LossesSought(**sought), at).rows)


def pieces(country: Country, who: str = "auditor", at: AsOf = NOW, **sought: Any) -> list[LostPiece]:
    return list(asked_by(country, who, lost_pieces, LossesSought(**sought), at).rows)


def sums(lines: list[LossSum]) -> dict[str | None, tuple[int, int, int, int]]:
    """Lost, missing, concluded, found of each line."""
    return {line.what: (line.lost, line.missing, line.concluded, line.found) for line in lines}


def test_losses_told_apart(country: Country) -> None:
    """A company lost three rifles, of which one was stolen and one came back; the depot lost one that nobody explained yet. Whatever
    the lines are told apart by they add up to the same four.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:2]))
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store="Main store", lines=scans(RIFLES[2]))
    report = lost(country, *RIFLES[:3], seen=40)
    lost(country, RIFLES[3], seen=2)
    ending = concluded(country, RIFLES[0])
    found(country, RIFLES[2])
    assert sums(by(country, By.UNIT)) == {"1COY": (3, 1, 1, 1), None: (1, 1, 0, 0)}
    assert sums(by(country, By.CAUSE)) == {"stolen": (1, 0, 1, 0), "not concluded": (3, 2, 0, 1)}
    assert sums(by(country, By.MODEL)) == {"AKM": (4, 2, 1, 1)}
    assert sums(by(country, By.SITE)) == {"TAJI": (4, 2, 1, 1)}
    assert sums(by(country, By.DONOR)) == {"OWN": (4, 2, 1, 1)}
    months = by(country, By.TIME)
    assert sum(line.lost for line in months) == 4
    assert months[0].day == (today() - timedelta(days=40)).replace(day=1)
    whole = asked_by(country, "auditor", losses_by, By.UNIT)
    assert whole.sums == (2, 4, 2, 1, 1, 0)
    (stolen,) = pieces(country, state=State.CONCLUDED)
    assert (stolen.serial_number, stolen.unit, stolen.cause, stolen.days_to_report, stolen.late) == (
        RIFLES[0], "1COY", "stolen", 40, True,
    )  # fmt: skip
    assert (stolen.document_number, stolen.ended_by_number, stolen.days_open) == (report.number, ending.number, None)
    assert {piece.serial_number for piece in pieces(country, state=State.MISSING)} == {RIFLES[1], RIFLES[3]}
    assert [piece.serial_number for piece in pieces(country, no_unit=True)] == [RIFLES[3]]
    assert [piece.serial_number for piece in pieces(country, unit="1COY", cause="stolen")] == [RIFLES[0]]
    assert len(pieces(country, since=today() - timedelta(days=3))) == 1


def test_one_row_changed_changes_the_answer(country: Country) -> None:
    """A correction by two people takes the report back: nothing is lost any more; and what was concluded and turns up is found."""
    wrong, right = lost(country, RIFLES[0]), lost(country, RIFLES[1])
    assert sums(by(country, By.MODEL)) == {"AKM": (2, 2, 0, 0)}
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong.document_id, reason="the wrong rifle")
    assert sums(by(country, By.MODEL)) == {"AKM": (1, 1, 0, 0)}
    assert [piece.document_number for piece in pieces(country)] == [right.number]
    concluded(country, RIFLES[1])
    assert sums(by(country, By.MODEL)) == {"AKM": (1, 0, 1, 0)}
    found(country, RIFLES[1])
    assert sums(by(country, By.MODEL)) == {"AKM": (1, 0, 0, 1)}
    lost(country, RIFLES[1])
    assert sums(by(country, By.MODEL)) == {"AKM": (2, 1, 0, 1)}


def test_of_what_is_counted_the_first_reported_is_the_first_found(country: Country) -> None:
    """Thirty helmets and then ten; thirty-five come back or are concluded: five of the second report are still missing."""
    store = {"store": "Main store"}
    for pieces_gone in (30, 10):
        country.do("clerk", REPORT_MISSING, **GONE, **store, lines=[{"model": HELMET, "quantity": pieces_gone}])
    said = {"place": "the bridge", "found_by": "a patrol"}
    country.do("clerk", RECOVER, **store, **said, lines=[{"model": HELMET, "quantity": 20, "condition": "serviceable"}])
    country.do_with_approval(
        "clerk", "commander", CONCLUDE_LOSS, **STOLEN, lines=[{"model": HELMET, "quantity": 15}]
    )  # fmt: skip
    assert sums(by(country, By.MODEL)) == {HELMET: (40, 5, 15, 20)}
    assert [(piece.state, piece.quantity) for piece in pieces(country)] == [
        ("found", 20), ("concluded", 10), ("missing", 5), ("concluded", 5),
    ]  # fmt: skip


def test_both_clocks(country: Country) -> None:
    """A paper of ten days ago, keyed now: as it was then the rifle was lost, as the books said then it was not; the delivery that brought
    it since found it. What was concluded in between was open before.
    """
    before = now()
    country.do("clerk", REPORT_MISSING, **GONE, lines=scans(RIFLES[0]), paper=paper(1, ago(days=10)))
    assert sums(by(country, By.MODEL, at=AsOf(happened_at=ago(days=5)))) == {"AKM": (1, 1, 0, 0)}
    assert sums(by(country, By.MODEL)) == {"AKM": (1, 0, 0, 1)}
    assert by(country, By.MODEL, at=AsOf(happened_at=ago(days=11))) == []
    assert by(country, By.MODEL, at=AsOf(recorded_at=before)) == []
    lost(country, RIFLES[1], seen=3)
    reported = now()
    concluded(country, RIFLES[1])
    assert sums(by(country, By.CAUSE)) == {"not concluded": (1, 0, 0, 1), "stolen": (1, 0, 1, 0)}
    for at in (AsOf(recorded_at=reported), AsOf(happened_at=reported), AsOf(reported, reported)):
        assert sums(by(country, By.CAUSE, at=at)) == {"not concluded": (2, 1, 0, 1)}


def test_what_an_overrun_took_and_what_a_late_paper_moved(country: Country) -> None:
    """What fell with the depot has that for its cause until somebody concludes; an issue keyed late moves its entry, not its report."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    fall = country.do("commander", OVERRUN, circumstances="attacked at night")
    late = paper(1, ago(seconds=1))
    country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[1]), paper=late)
    lines = pieces(country, cause="overrun")
    assert (sum(line.quantity for line in lines), {line.document_number for line in lines}) == (110, {fall.number})
    assert {line.serial_number for line in lines if line.unit == "1COY"} >= {RIFLES[0]}


def test_whose_losses_one_reads(country: Country) -> None:
    """A desk those of its site; a donor its own, without whose they were and what was found; nobody another site's."""
    declared_and_received(country, "US 1", "US 2")
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("US 1"))
    lost(country, "US 1", RIFLES[0])
    concluded(country, "US 1")
    assert sums(by(country, By.MODEL, "clerk")) == {"AKM": (1, 1, 0, 0), "M4": (1, 0, 1, 0)}
    assert by(country, By.MODEL, "erbil clerk") == []
    assert sums(by(country, By.MODEL, "USA")) == {"M4": (1, 0, 1, 0)}
    (own,) = pieces(country, "USA")
    assert (own.unit, own.held_by, own.cause, own.serial_number) == (None, None, "not concluded", "US 1")
    for refused in (lambda: by(country, By.UNIT, "USA"), lambda: pieces(country, "USA", unit="1COY")):
        with pytest.raises(NotAllowed):
            refused()
    with pytest.raises(NotAllowed):
        by(country, By.MODEL, "erbil clerk", site="TAJI")
