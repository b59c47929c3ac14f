"""Consignments as an auditor asks of them: declared, shipped, received, short, in excess, late; each down to its serial numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stockpile.acts.arrive import ARRIVE
from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.documents import Posted, now
from stockpile.errors import Invalid, NotAllowed, NotFound
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.consignments import (
    ConsignmentLine,
    ConsignmentRow,
    ConsignmentsSought,
    Fate,
    State,
    list_consignment_lines,
    list_consignments,
)
from tests.reading import asked_by
from tests.world import HELMET, RIFLES, Country, scans, today

FIVE = ("US 1", "US 2", "US 3", "US 4", "US 5")


def declared(country: Country, reference: str = "FMS-1", helmets: int = 0, **more: Any) -> Posted:
    """Five M4 of the USA for TAJI, and helmets."""
    lines: list[dict[str, Any]] = [{"model": "M4", "serial_number": serial} for serial in FIVE]
    lines += [{"model": HELMET, "quantity": helmets}] if helmets else []
    return country.do("registrar", DECLARE, site="TAJI", donor="USA", reference=reference, lines=lines, **more)


def received(country: Country, *serials: str, helmets: int = 0, **more: Any) -> Posted:
    """What of it stands at the counter of TAJI."""
    lines: list[dict[str, Any]] = [{"model": "M4", "serial_number": serial} for serial in serials]
    lines += [{"model": HELMET, "quantity": helmets}] if helmets else []
    return country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", lines=lines, **more)


def rows(country: Country, who: str = "auditor", at: AsOf = NOW, **sought: Any) -> list[ConsignmentRow]:
    return list(asked_by(country, who, list_consignments, ConsignmentsSought(**sought), at).rows)


def lines(country: Country, fate: Fate | None = None, who: str = "auditor", at: AsOf = NOW) -> list[ConsignmentLine]:
    sought = ConsignmentsSought(reference="FMS-1")
    return list(asked_by(country, who, list_consignment_lines, sought, fate, at).rows)


def figures(row: ConsignmentRow) -> tuple[int, ...]:
    """Declared, shipped, received, rejected, awaited, short, in excess."""
    return (row.declared, row.shipped, row.received, row.rejected, row.awaited, row.short, row.excess)


def test_from_declaration_to_the_last_crate(country: Country) -> None:
    """Five rifles and forty helmets are declared and shipped; three rifles, thirty helmets and a rifle that nobody declared arrive; one is
    sent back. Each figure says so, and opens to its weapons.
    """
    declared(country, helmets=40)
    assert figures(rows(country)[0]) == (45, 0, 0, 0, 45, 0, 0)
    moment = now()
    sent = country.do(
        "registrar", SHIP, site="TAJI", donor="USA", consignment="FMS-1", carrier="Sea line", expected_on=str(today() + timedelta(days=9))
    )  # fmt: skip
    assert figures(rows(country)[0]) == (45, 45, 0, 0, 45, 0, 0)
    came = country.do(
        "clerk", ARRIVE, shipment=sent.number, store="Main store", lines=[*scans(*FIVE[:3]), {"model": HELMET, "quantity": 30}]
    )  # fmt: skip
    received(country, "US 99")
    assert figures(rows(country)[0]) == (45, 45, 33, 0, 12, 0, 1)
    rejection = country.do(
        "clerk", REJECT, reason="cracked", store="Main store", lines=[{"scan": "US 1", "condition": "unserviceable"}]
    )
    assert figures(rows(country)[0]) == (45, 45, 32, 1, 13, 0, 1)
    fates = {line.serial_number or line.model: line.fate for line in lines(country)}
    assert fates == {
        "US 1": "rejected", "US 2": "received", "US 3": "received", "US 4": "on its way", "US 5": "on its way",
        "US 99": "excess", HELMET: "on its way",
    }  # fmt: skip
    assert [line.serial_number for line in lines(country, Fate.EXCESS)] == ["US 99"]
    assert figures(rows(country, at=AsOf(happened_at=moment))[0]) == (45, 0, 0, 0, 45, 0, 0)
    assert figures(rows(country, at=AsOf(recorded_at=moment))[0]) == (45, 0, 0, 0, 45, 0, 0)
    assert rows(country, at=AsOf(happened_at=moment - timedelta(days=1))) == []
    country.do_with_approval("clerk", "commander", CORRECT, document=rejection.document_id, reason="the wrong rifle")
    assert figures(rows(country)[0]) == (45, 45, 33, 0, 12, 0, 1)
    country.do_with_approval("clerk", "commander", CORRECT, document=came.document_id, reason="the wrong truck")
    assert figures(rows(country)[0]) == (45, 45, 0, 0, 45, 0, 1)


WAY = {"carrier": "Trucks", "expected_on": str(today() + timedelta(days=9))}


def agree(country: Country) -> tuple[int, ...]:
    """The consignment's figures, added up over all weapons at once; its weapons, worked out one by one, add up to the same."""
    (row,) = rows(country)
    told = lines(country)
    sums = [
        sum(getattr(line, name) for line in told) for name in ("declared", "shipped", "received", "rejected", "excess")
    ]
    assert [row.declared, row.shipped, row.received, row.rejected, row.excess] == sums
    return figures(row)


def test_a_rifle_that_leaves_and_comes_again_is_received_once(country: Country) -> None:
    """Two rifles arrive; one goes on to Erbil, comes back to TAJI and goes out to a soldier: it was received, once."""
    declared(country)
    received(country, "US 1", "US 2")
    there = country.do("clerk", SHIP, to_site="ERBIL", store="Main store", **WAY, lines=scans("US 1"))
    assert agree(country) == (5, 0, 2, 0, 3, 0, 0)
    country.do("erbil clerk", ARRIVE, shipment=there.number, lines=scans("US 1"))
    back = country.do("erbil clerk", SHIP, to_site="TAJI", **WAY, lines=scans("US 1"))
    assert agree(country) == (5, 0, 2, 0, 3, 0, 0)
    country.do("clerk", ARRIVE, shipment=back.number, store="Main store", lines=scans("US 1"))
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("US 1"))
    assert agree(country) == (5, 0, 2, 0, 3, 0, 0)


def test_a_rifle_sent_back_and_sent_again_is_received_once(country: Country) -> None:
    """It is rejected and received after all, and the first receipt of another is taken back and keyed anew."""
    declared(country)
    received(country, "US 1")
    country.do(
        "clerk", REJECT, reason="cracked", store="Main store", lines=[{"scan": "US 1", "condition": "unserviceable"}]
    )
    assert agree(country) == (5, 0, 0, 1, 5, 0, 0)
    received(country, "US 1")
    wrong = received(country, "US 2")
    assert agree(country) == (5, 0, 2, 1, 3, 0, 0)
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong.document_id, reason="it was US 3")
    received(country, "US 3")
    assert agree(country) == (5, 0, 2, 1, 3, 0, 0)


def test_a_declaration_taken_back_leaves_what_came(country: Country) -> None:
    """What was declared by mistake counts no longer; what is received without it is in excess."""
    list_of_five = declared(country)
    country.do_with_approval(
        "registrar", "commander", CORRECT, site="TAJI", document=list_of_five.document_id, reason="another's list"
    )
    assert agree(country) == (0, 0, 0, 0, 0, 0, 0)
    received(country, "US 1")
    assert agree(country) == (0, 0, 0, 0, 0, 0, 1)


def test_what_is_short_and_what_is_late(country: Country) -> None:
    """Four of five come, and the receipt says that is all: one is short. Of another, expected last week, nothing came: all are short and
    late.
    """
    declared(country)
    received(country, *FIVE[:4])
    assert rows(country, state=State.SHORT) == []
    received(country, RIFLES[9], complete=True)
    (short,) = rows(country, state=State.SHORT)
    assert (short.received, short.short, short.late_pieces, short.days_late) == (4, 1, 0, None)
    lines = [{"model": "AKM", "serial_number": "FR 1"}]
    week = str(today() - timedelta(days=7))
    country.do("registrar", DECLARE, site="TAJI", donor="FRA", reference="F-1", expected_on=week, lines=lines)
    (late,) = rows(country, state=State.LATE)
    assert (late.donor, late.short, late.late_pieces, late.days_late) == ("FRA", 1, 1, 7)
    country.do("clerk", RECEIVE, store="Main store", donor="FRA", consignment="F-1", lines=lines)
    (late,) = rows(country, state=State.LATE)
    assert (late.awaited, late.short, late.late_pieces, late.days_late) == (0, 0, 1, 7)
    whole = asked_by(country, "auditor", list_consignments)
    assert whole.sums[:4] == (2, 6, 0, 5)


def test_who_reads_which(country: Country) -> None:
    """A donor its own, a desk those for its site; an unknown donor is told, and no weapons without a consignment."""
    declared(country)
    received(country, *FIVE[:2])
    assert [figures(row)[2] for row in rows(country, "USA")] == [2]
    assert len(lines(country, who="USA")) == 5
    assert len(rows(country, "clerk")) == 1
    assert rows(country, "erbil clerk") == []
    with pytest.raises(NotAllowed):
        rows(country, "erbil clerk", site="TAJI")
    with pytest.raises(NotFound):
        rows(country, donor="NOBODY")
    with pytest.raises(Invalid):
        asked_by(country, "auditor", list_consignment_lines, ConsignmentsSought())
