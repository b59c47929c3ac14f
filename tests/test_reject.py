"""Rejecting: what a donor delivered is not taken and goes back to its consignment, with a reason that the donor reads."""

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
from stockpile.acts.turn_in import RETURN
from stockpile.errors import Invalid, NotAllowed
from stockpile.reports.history import history
from stockpile.reports.trial_balance import By, proof, trial_balance
from stockpile.rights import reading
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scans, today, told

STORE = "Main store"
LINES: list[dict[str, Any]] = [
    *({"model": "M4", "serial_number": f"US {n}", "condition": "serviceable"} for n in (1, 2)),
    {"model": HELMET, "quantity": 40},
]
DELIVERY = {"donor": "USA", "consignment": "FMS-1"}
WAY = {"carrier": "Sea line", "expected_on": str(today() + timedelta(days=2))}
CRACKED = "Receivers cracked"


def delivered(country: Country) -> None:
    """Two rifles and 40 helmets of the USA are declared for TAJI, and received."""
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=LINES)
    country.do("clerk", RECEIVE, store=STORE, **DELIVERY, lines=LINES)


def donated(country: Country, quantity: int) -> dict[str, Any]:
    """A line of the donor's helmets."""
    found = country.query("SELECT item_id FROM item WHERE tracked_by = 'quantity' AND consignment_id IS NOT NULL")
    return {"item": str(found[0][0]), "quantity": quantity}


def in_supply(country: Country) -> list[tuple[str, int]]:
    return country.query(
        """SELECT a.name, sum(h.quantity)::int FROM holding h JOIN account a USING (account_id)
           WHERE a.class = 'supply' GROUP BY a.name"""
    )


def reasons(country: Country, who: str, serial: str) -> list[tuple[str, str | None]]:
    """The acts of a weapon's history with their reasons, as one of the actors reads it."""
    with reading(country.engine, country.actors[who]) as connection:
        found = history(connection, country.actors[who], country.item(serial).item_id)
    return [(entry.act, entry.reason) for entry in found.entries]


def test_a_cracked_rifle_goes_back_and_the_donor_reads_why(country: Country) -> None:
    """From the store to the supply of its consignment; the donor, who reads no details of documents, reads the reason.
    Received again, it is the same rifle, no twin.
    """
    delivered(country)
    item = country.item("US 1").item_id
    posted = country.do(
        "clerk", REJECT, reason=CRACKED, store=STORE, lines=[{"scan": "US 1", "condition": "unserviceable"}]
    )
    assert (posted.act, posted.fact, country.where("US 1")) == ("reject", False, "USA FMS-1")
    told_all = [("declare", None), ("receive", None), ("reject", CRACKED)]
    for who in ("USA", "auditor", "clerk"):
        assert reasons(country, who, "US 1") == told_all
    again = country.do("clerk", RECEIVE, store=STORE, **DELIVERY, lines=LINES[:1])
    assert (again.discrepancy_count, country.where("US 1"), country.item("US 1").item_id) == (0, STORE, item)


def test_helmets_go_back_by_number_and_come_again(country: Country) -> None:
    """Twelve of forty; of what is received again the twelve are no excess, a thirteenth is."""
    delivered(country)
    country.do("clerk", REJECT, reason="No straps", store=STORE, lines=[donated(country, 12)])
    assert in_supply(country) == [("USA FMS-1", 12)]
    again = country.do("clerk", RECEIVE, store=STORE, **DELIVERY, lines=[{"model": HELMET, "quantity": 13}])
    assert kinds(again) == ["excess"]
    assert in_supply(country) == []
    refusal = country.refused("clerk", REJECT, reason="No straps", store=STORE, lines=[donated(country, 41)])
    assert told(refusal)[0][1] == "only 40 at Main store, 41 asked for"


def test_what_is_on_its_way_is_rejected_at_the_gate(country: Country) -> None:
    """One rifle and ten helmets of a shipment are not taken off the truck: they are not outstanding any more, the rest
    is.
    """
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=LINES)
    notice = country.do("registrar", SHIP, site="TAJI", **DELIVERY, **WAY)
    refusal = country.refused("clerk", REJECT, reason="Wet", shipment=notice.number, lines=[donated(country, 41)])
    assert told(refusal)[0][1] == f"only 40 outstanding on shipment {notice.number}, 41 asked for"
    lines = [*scans("US 1"), donated(country, 10)]
    country.do("clerk", REJECT, reason="Wet", shipment=notice.number, lines=lines)
    assert in_supply(country) == [("USA FMS-1", 11)]
    counted = (
        "SELECT shipped, arrived, rejected, otherwise, outstanding FROM shipment_lines(ARRAY[%s::uuid]) ORDER BY line"
    )
    assert sorted(country.query(counted, notice.document_id)) == [(1, 0, 0, 0, 1), (1, 0, 1, 0, 0), (40, 0, 10, 0, 30)]
    last = country.do(
        "clerk",
        ARRIVE,
        shipment=notice.number,
        store=STORE,
        complete=True,
        lines=[*scans("US 2"), donated(country, 30)],
    )
    assert last.discrepancy_count == 0


def test_another_depot_rejects_what_the_first_passed_on(country: Country) -> None:
    """Declared for TAJI, shipped to ERBIL, rejected there: back to the consignment, which is TAJI's, from transit or
    store.
    """
    delivered(country)
    order = country.do("clerk", SHIP, to_site="ERBIL", store=STORE, **WAY, lines=scans("US 1", "US 2"))
    country.do("erbil clerk", ARRIVE, shipment=order.number, lines=scans("US 2"))
    country.do("erbil clerk", REJECT, reason=CRACKED, lines=scans("US 1", "US 2"))
    assert (country.where("US 1"), country.where("US 2")) == ("USA FMS-1", "USA FMS-1")


def test_what_can_not_be_rejected_says_why(country: Country) -> None:
    """Nobody delivered it; a soldier has it; another store; not on the shipment; another site's."""
    delivered(country)
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans("US 1"))
    refusal = country.refused("clerk", REJECT, reason=CRACKED, lines=scans(RIFLES[0], "US 1"))
    assert [reason for _, reason, _ in told(refusal)] == [
        "no consignment brought it, so nobody delivered it: ship it back",
        "it is issued to a person: the act 'reject' does not begin there",
    ]
    refusal = country.refused("clerk", REJECT, reason=CRACKED, store="Quarantine", lines=scans("US 2"))
    assert told(refusal)[0][1] == "it is not in Quarantine"
    refusal = country.refused("erbil clerk", REJECT, reason=CRACKED, lines=scans("US 2"))
    assert told(refusal)[0][1] == "it is not at ERBIL"
    with pytest.raises(Invalid, match="what is counted"):
        country.do("clerk", REJECT, reason=CRACKED, lines=[donated(country, 1)])
    with pytest.raises(Invalid, match="a store or a shipment"):
        country.do("clerk", REJECT, reason=CRACKED, store=STORE, shipment="X/B/2026/1", lines=scans("US 2"))
    assert (
        country.invalid("clerk", REJECT, reason=CRACKED, shipment="X/B/2026/1", lines=scans("US 2"))[0][0] == "shipment"
    )
    for who in ("registrar", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            country.do(who, REJECT, site="TAJI", reason=CRACKED, lines=scans("US 2"))


def test_a_rejection_on_paper_is_a_fact(country: Country) -> None:
    """The rifle was with Petrov by the books, and there are fewer helmets than it sends back."""
    delivered(country)
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans("US 1"))
    lines = [*scans("US 1"), donated(country, 45)]
    posted = country.do("clerk", REJECT, reason=CRACKED, store=STORE, paper=paper(1, ago()), lines=lines)
    assert (posted.fact, kinds(posted)) == (True, ["fewer in the books", "held elsewhere"])
    assert in_supply(country) == [("USA FMS-1", 46)]
    assert reasons(country, "USA", "US 1")[-1] == ("reject", CRACKED)


@pytest.mark.parametrize("first", ["the rejection", "the issue"])
def test_a_paper_that_rejects_what_nobody_delivered_is_posted(country: Country, first: str) -> None:
    """The host's own rifle and helmets, and one nobody ever heard of: there is no consignment to go back to, so each stays in
    the store that the paper names, with a doubt; whatever other paper comes first.
    """
    issued, rejected = ago(days=2), ago(days=1)
    own = {"item": str(country.helmets().item_id), "quantity": 10}

    def issue() -> None:
        request = {"receiver": "A-1001", "store": STORE, "lines": scans(RIFLES[0])}
        country.do("clerk", ISSUE, **request, paper=paper(1, issued))

    if first == "the issue":
        issue()
    lines = [*scans(RIFLES[0], "NEW 1"), own]
    posted = country.do("clerk", REJECT, reason=CRACKED, store=STORE, paper=paper(2, rejected), lines=lines)
    if first == "the rejection":
        issue()
    assert posted.fact
    assert (country.where(RIFLES[0]), country.where("NEW 1")) == (STORE, STORE)
    doubts = "SELECT seen FROM discrepancy WHERE document_id = %s AND kind = 'doubtful as it came' ORDER BY line"
    assert country.query(doubts, posted.document_id) == [
        (f"AKM {RIFLES[0]} rejected, line 1: it stays at {STORE}",),
        (f"unidentified weapon NEW 1 rejected, line 2: it stays at {STORE}",),
        (f"Helmet rejected, line 3: it stays at {STORE}",),
    ]
    assert [kind for kind in country.discrepancies() if kind != "doubtful as it came"] == [
        "fewer in the books", "held elsewhere", "moved by a late fact", "unknown weapon", "unknown weapon",
    ]  # fmt: skip


def test_a_rejection_on_paper_of_helmets_that_were_there_after_all(country: Country) -> None:
    """More than the store had by the books; an older paper shows that Petrov had brought them back: nothing is open."""
    delivered(country)
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[donated(country, 40)])
    sent = country.do("clerk", REJECT, reason=CRACKED, store=STORE, paper=paper(2, ago()), lines=[donated(country, 10)])
    assert kinds(sent) == ["fewer in the books"]
    back = {"returned_by": "A-1001", "store": STORE, "lines": [donated(country, 10)]}
    country.do("clerk", RETURN, **back, paper=paper(1, sent.happened_at - timedelta(microseconds=1)))
    assert (country.discrepancies(), in_supply(country)) == ([], [("USA FMS-1", 10)])


def test_a_late_paper_keeps_the_reason_with_the_entry_it_moves(country: Country) -> None:
    """An issue keyed late goes before the rejection, which is posted again: the donor reads its reason as before."""
    delivered(country)
    moment = ago()
    country.do("clerk", REJECT, reason=CRACKED, store=STORE, lines=scans("US 1"))
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans("US 1"), paper=paper(1, moment))
    assert country.where("US 1") == "USA FMS-1"
    assert reasons(country, "USA", "US 1")[-1][1] == CRACKED


def test_a_rejection_is_taken_back_by_two(country: Country) -> None:
    """The reason stays to be read, with the entry that was reversed."""
    delivered(country)
    posted = country.do("clerk", REJECT, reason=CRACKED, store=STORE, lines=scans("US 1"))
    country.do_with_approval("clerk", "commander", CORRECT, document=posted.document_id, reason="the wrong rifle")
    assert country.where("US 1") == STORE
    assert reasons(country, "USA", "US 1")[2:] == [("reject", CRACKED), ("correct", None)]


def test_the_books_close_over_what_went_back(country: Country) -> None:
    delivered(country)
    country.do("clerk", REJECT, reason=CRACKED, store=STORE, lines=[*scans("US 1"), donated(country, 5)])
    with reading(country.engine, country.actors["USA"]) as connection:
        (line,) = trial_balance(connection, country.actors["USA"], (By.DONOR,))
    assert (line.came_in, line.supply, line.store, line.difference) == (42, 6, 36, 0)
    with reading(country.engine, country.actors["auditor"]) as connection:
        assert proof(connection, country.actors["auditor"]).closes
