"""What is on its way: how long, and what should have come; now and on any day before."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from stockpile.acts.arrive import ARRIVE
from stockpile.acts.correct import CORRECT
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.ship import SHIP
from stockpile.documents import Posted, now
from stockpile.errors import NotAllowed
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.transit import TransitPiece, TransitRow, TransitSought, in_transit, pieces_in_transit
from tests.reading import asked_by
from tests.world import HELMET, RIFLES, Country, ago, paper, scans, today

NUMBERS = count(1)
"""Of the papers: a paper alone may say that it was expected before today."""


def shipped(country: Country, *serials: str, helmets: int = 0, late: int = 0, **more: Any) -> Posted:
    """A truck to ERBIL, expected so many days ago."""
    lines: list[dict[str, Any]] = [*scans(*serials), *([{"model": HELMET, "quantity": helmets}] if helmets else [])]
    expected = str(today() - timedelta(days=late))
    said = {"to_site": "ERBIL", "store": "Main store", "carrier": "2nd Transport Company", "expected_on": expected}
    if late:
        more.setdefault("paper", paper(next(NUMBERS), now()))
    return country.do("clerk", SHIP, **said, lines=lines, **more)


def arrived(country: Country, shipment: Posted, *lines: dict[str, Any]) -> Posted:
    return country.do("erbil clerk", ARRIVE, shipment=shipment.number, store="Main store", lines=list(lines))


def rows(country: Country, who: str = "auditor", at: AsOf = NOW, **sought: Any) -> dict[str, int]:
    """The pieces outstanding, by shipment."""
    found = asked_by(country, who, in_transit, TransitSought(**sought), at).rows
    return {row.number: row.outstanding for row in found}


def pieces(country: Country, who: str = "auditor", at: AsOf = NOW, **sought: Any) -> list[TransitPiece]:
    return list(asked_by(country, who, pieces_in_transit, TransitSought(**sought), at).rows)


def test_on_its_way_and_overdue(country: Country) -> None:
    """Two trucks, one due nine days ago. Of the first a rifle and thirty helmets arrive: a rifle and what is left of its helmets are on
    their way. Both ends and the auditor read the same, a donor nothing.
    """
    first = shipped(country, *RIFLES[:2], helmets=40, late=9)
    second = shipped(country, RIFLES[2], helmets=10)
    moment = now()
    arrived(country, first, *scans(RIFLES[0]), {"model": HELMET, "quantity": 30})
    for who in ("auditor", "registrar", "clerk", "erbil clerk"):
        assert rows(country, who) == {first.number: 11, second.number: 11}, who
        assert rows(country, who, overdue=True) == {first.number: 11}, who
        assert rows(country, who, AsOf(happened_at=moment)) == {first.number: 42, second.number: 11}, who
        assert rows(country, who, AsOf(recorded_at=moment)) == {first.number: 42, second.number: 11}, who
    row: TransitRow = asked_by(country, "auditor", in_transit).rows[0]
    assert (row.days_overdue, row.overdue, row.days_on_way, row.carried_by) == (9, True, 0, "2nd Transport Company")
    assert asked_by(country, "auditor", in_transit).sums == (2, 22, 1, 11, 0)
    assert [(one.serial_number, one.quantity) for one in pieces(country, shipment=first.number, model="AKM")] == [
        (RIFLES[1], 1)
    ]
    assert sum(one.quantity for one in pieces(country)) == 22
    assert rows(country, from_site="ERBIL") == {}
    with pytest.raises(NotAllowed):
        rows(country, "USA")


def test_one_row_changed_changes_the_answer(country: Country) -> None:
    """A rifle that fell off the truck is missing, not on its way; an order taken back shipped nothing; the rest stays."""
    first, second = shipped(country, *RIFLES[:2], late=1), shipped(country, RIFLES[2], late=1)
    said = {"place": "Route 1", "circumstances": "not on the truck"}
    country.do("erbil clerk", REPORT_MISSING, **said, lines=scans(RIFLES[0]))
    assert rows(country) == {first.number: 1, second.number: 1}
    country.do_with_approval("clerk", "commander", CORRECT, document=second.document_id, reason="never left")
    assert rows(country) == {first.number: 1}


def test_a_paper_that_came_late(country: Country) -> None:
    """Shipped by a paper of an hour ago: as it was then it was on its way, as the books said then it was not; an arrival keyed late moves
    the entry, and the shipment stays the one that carried it.
    """
    before = now()
    sent = shipped(country, RIFLES[0], paper=paper(90, ago(seconds=0.5)), late=2)
    assert rows(country, at=AsOf(recorded_at=before)) == {}
    assert rows(country) == {sent.number: 1}
    assert rows(country, at=AsOf(happened_at=ago(days=1))) == {}
