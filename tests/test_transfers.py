"""Transfers: what leaves one depot is on its way until the other has it. What comes is taken in as it is found; what
does not come stays in transit, for somebody to answer for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stockpile.acts.arrive import ARRIVE
from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotAllowed, Refused
from stockpile.reports.trial_balance import By, proof, trial_balance
from stockpile.rights import reading
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scans, today, told

STORE = "Main store"
WAY: dict[str, Any] = {"carrier": "2nd Transport Company", "expected_on": str(today() + timedelta(days=2))}


def shipped(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", SHIP, **{"to_site": "ERBIL", "store": STORE, **WAY, **request}, lines=list(lines))


def arrived(country: Country, shipment: Posted, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("erbil clerk", ARRIVE, shipment=shipment.number, **request, lines=list(lines))


def helmets(country: Country, quantity: int) -> dict[str, Any]:
    return {"item": str(country.helmets().item_id), "quantity": quantity}


def lines_of(country: Country, shipment: Posted) -> list[tuple[int, ...]]:
    """Of each item of a shipment: shipped, arrived, rejected, otherwise, outstanding."""
    return country.query(
        "SELECT shipped, arrived, rejected, otherwise, outstanding FROM shipment_lines(ARRAY[%s::uuid]) ORDER BY line",
        shipment.document_id,
    )


def held(country: Country) -> list[tuple[str, str, int]]:
    """The helmets: site, account, how many."""
    return country.query(
        """SELECT s.code, a.name, h.quantity FROM holding h JOIN account a USING (account_id) JOIN site s ON s.site_id = a.site_id
           WHERE h.item_id = %s ORDER BY 1, 2""",
        country.helmets().item_id,
    )


def said(country: Country, posted: Posted) -> list[tuple[str, str, str]]:
    """Each discrepancy of a document: its kind, what the books said, what was seen."""
    return country.query(
        "SELECT kind, books_said, seen FROM discrepancy WHERE document_id = %s ORDER BY kind, line, books_said",
        posted.document_id,
    )


def test_two_rifles_and_helmets_go_from_taji_to_erbil(country: Country) -> None:
    """On their way they are ERBIL's transit, nobody's store; arrived they stand in ERBIL's, in the condition seen
    there.
    """
    order = shipped(country, *scans(*RIFLES[:2]), helmets(country, 20), driver="Sgt Karim", seal_numbers="S-100")
    assert (order.act, order.fact, order.quantity) == ("ship", False, 22)
    on_its_way = country.item(RIFLES[0]).where
    assert (on_its_way.account_class, on_its_way.site_id) == ("transit", country.sites["ERBIL"].site_id)
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "it is on its way: the act 'issue' does not begin there"
    assert lines_of(country, order) == [(1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (20, 0, 0, 0, 20)]

    receipt = arrived(
        country, order, {"scan": RIFLES[0], "condition": "serviceable"},
        {"scan": RIFLES[1], "condition": "unserviceable"}, helmets(country, 20), complete=True,
    )  # fmt: skip
    assert (receipt.act, receipt.fact, receipt.discrepancy_count) == ("receive", False, 0)
    there = country.item(RIFLES[1])
    assert (there.where.name, there.where.site_id, there.condition) == (
        STORE, country.sites["ERBIL"].site_id, "unserviceable",
    )  # fmt: skip
    assert held(country) == [("ERBIL", STORE, 20), ("TAJI", STORE, 80)]
    assert lines_of(country, order) == [(1, 1, 0, 0, 0), (1, 1, 0, 0, 0), (20, 20, 0, 0, 0)]


def test_a_shipping_order_says_what_it_can_not_take(country: Country) -> None:
    """Out with a soldier, in another store, unknown, more than there is: each with its reason, and nothing leaves."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    lines = [*scans(RIFLES[0], "NO SUCH", RIFLES[1]), helmets(country, 101)]
    refusal = country.refused("clerk", SHIP, to_site="ERBIL", store=STORE, **WAY, lines=lines)
    assert [(weapon, reason) for weapon, reason, _ in told(refusal)][:2] == [
        (RIFLES[0], "it is issued to a person: the act 'ship' does not begin there"),
        ("NO SUCH", "unknown: nothing in the books bears this number"),
    ]
    assert told(refusal)[2][1] == "only 100 at Main store, 101 asked for"
    assert country.where(RIFLES[1]) == STORE
    refusal = country.refused("clerk", SHIP, to_site="ERBIL", store="Quarantine", **WAY, lines=scans(RIFLES[1]))
    assert told(refusal) == [(RIFLES[1], "it is not in Quarantine", "Main store (store)")]
    refusal = country.refused("erbil clerk", SHIP, to_site="TAJI", **WAY, lines=scans(RIFLES[1]))
    assert told(refusal)[0][1] == "it is not at ERBIL"


def test_what_is_wrong_with_an_order_is_named(country: Country) -> None:
    """No such site, this very site, a day that is over, a store that must be said; both ways at once."""

    def faults(**request: Any) -> list[tuple[str | int | None, str | None, str]]:
        return country.invalid("clerk", SHIP, **{"to_site": "ERBIL", **WAY, "lines": scans(RIFLES[0]), **request})

    assert faults(to_site="BASRA") == [("to_site", "BASRA", "there is no site with this code")]
    assert faults(to_site="taji") == [("to_site", "taji", "this is the site they leave: name another")]
    yesterday = today() - timedelta(days=1)
    assert faults(expected_on=str(yesterday)) == [
        ("expected_on", str(yesterday), f"that day is over: at ERBIL it is {today()}")
    ]
    assert faults(lines=[helmets(country, 3)])[0][0] == "store"
    for wrong in ({"donor": "USA"}, {"donor": "USA", "consignment": "F-1"}, {"to_site": None}, {"lines": []}):
        with pytest.raises(ValueError, match="give"):
            faults(**wrong)


def test_another_site_ships_nothing_for_taji(country: Country) -> None:
    """A clerk writes documents of the own site; a registrar ships from no store; a donor and an auditor not at all."""
    with pytest.raises(NotAllowed, match="ERBIL only"):
        country.do("erbil clerk", SHIP, site="TAJI", to_site="ERBIL", **WAY, lines=scans(RIFLES[0]))
    with pytest.raises(NotAllowed, match="its own site's clerk"):
        country.do("registrar", SHIP, site="TAJI", to_site="ERBIL", **WAY, lines=scans(RIFLES[0]))
    for who in ("auditor", "USA"):
        with pytest.raises(NotAllowed):
            country.do(who, SHIP, site="TAJI", to_site="ERBIL", **WAY, lines=scans(RIFLES[0]))


def test_one_rifle_does_not_come(country: Country) -> None:
    """Short when nothing more will come, and in transit still; reported missing by ERBIL it is settled. One that turns
    up the day after is no shortage.
    """
    order = shipped(country, *scans(*RIFLES[:3]), helmets(country, 20))
    first = arrived(country, order, *scans(RIFLES[0]), helmets(country, 5))
    assert first.discrepancy_count == 0
    last = arrived(country, order, helmets(country, 12), complete=True)
    assert said(country, last) == [
        ("shortage", f"AKM {RIFLES[1]} on shipment {order.number}", "not arrived"),
        ("shortage", f"AKM {RIFLES[2]} on shipment {order.number}", "not arrived"),
        ("shortage", f"Helmet on shipment {order.number}", "3 of 20 not arrived"),
    ]
    assert country.where(RIFLES[1]) == "transit"
    late = arrived(country, order, *scans(RIFLES[1]))
    assert (late.fact, late.discrepancy_count) == (False, 0)
    country.do("erbil clerk", REPORT_MISSING, place="Route 1", circumstances="not on the truck", lines=scans(RIFLES[2]))
    assert lines_of(country, order) == [(1, 1, 0, 0, 0), (1, 1, 0, 0, 0), (1, 0, 0, 1, 0), (20, 17, 0, 0, 3)]


def test_helmets_that_do_not_come_are_reported_missing_from_their_shipment(country: Country) -> None:
    """Three of twenty: no more than are outstanding on that shipment, though another has ten on its way. Both ends see
    it settled.
    """
    order, other = shipped(country, helmets(country, 20)), shipped(country, helmets(country, 10))
    arrived(country, order, helmets(country, 17), complete=True)
    loss = {"place": "Route 1", "circumstances": "a crate fell off"}
    refusal = country.refused("erbil clerk", REPORT_MISSING, **loss, shipment=order.number, lines=[helmets(country, 4)])
    assert told(refusal)[0][1] == f"only 3 outstanding on shipment {order.number}, 4 asked for"
    country.do("erbil clerk", REPORT_MISSING, **loss, shipment=order.number, lines=[helmets(country, 3)])
    assert held(country) == [
        ("ERBIL", STORE, 17),
        ("ERBIL", "missing", 3),
        ("ERBIL", "transit", 10),
        ("TAJI", STORE, 70),
    ]
    assert lines_of(country, order) == [(20, 17, 0, 3, 0)]
    assert lines_of(country, other) == [(10, 0, 0, 0, 10)]
    refusal = country.refused("erbil clerk", REPORT_MISSING, **loss, shipment=order.number, lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "it is not at ERBIL"


def test_what_stands_at_the_counter_is_taken_whatever_the_books_say(country: Country) -> None:
    """On another shipment, still in TAJI's store, with a soldier, reported lost on the way, never heard of, helmets too
    many: ERBIL has them all, and each contradiction is open.
    """
    other = shipped(country, *scans(RIFLES[5]))
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[2]))
    order = shipped(country, *scans(RIFLES[0]), helmets(country, 10))
    excess = arrived(country, order, *scans(RIFLES[5]), helmets(country, 12))
    assert excess.fact is False
    assert said(country, excess) == [
        ("excess", f"not on shipment {order.number}", f"AKM {RIFLES[5]} arrived, line 1"),
        ("excess", f"10 of Helmet outstanding on shipment {order.number}", "12 arrived, line 2"),
    ]
    assert lines_of(country, other) == [(1, 1, 0, 0, 0)]
    found = arrived(country, order, *scans(RIFLES[0], RIFLES[1], RIFLES[2], "NEW 1"))
    assert found.fact is True
    assert said(country, found) == [
        ("held elsewhere", f"AKM {RIFLES[1]} was at Main store (store)", "it came from transit"),
        ("held elsewhere", f"AKM {RIFLES[2]} was at a person of TAJI (person)", "it came from transit"),
        ("unknown weapon", "unknown: nothing in the books bears this number", "NEW 1 on line 4"),
    ]
    erbil = country.sites["ERBIL"].site_id
    for serial in (RIFLES[0], RIFLES[1], RIFLES[2], RIFLES[5], "NEW 1"):
        where = country.item(serial).where
        assert (where.name, where.site_id) == (STORE, erbil)
    assert held(country) == [("ERBIL", STORE, 12), ("TAJI", STORE, 90)]


def test_what_the_books_gave_up_comes_off_the_truck(country: Country) -> None:
    """Lost by the books, and missing: both stand at the counter, and are taken as facts."""
    order = shipped(country, *scans(RIFLES[0]))
    for rifle in RIFLES[1:3]:
        country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(rifle))
    country.do_with_approval(
        "clerk", "commander", CONCLUDE_LOSS, cause="lost", liability="nobody", findings="none", lines=scans(RIFLES[1])
    )
    posted = arrived(country, order, *scans(*RIFLES[:3]))
    elsewhere = "by a document of another site"
    assert said(country, posted) == [
        ("found what the books hold as gone", f"AKM {RIFLES[1]} was lost, {elsewhere}", "it came from transit"),
        ("found what the books hold as gone", f"AKM {RIFLES[2]} was missing, {elsewhere}", "it came from transit"),
    ]


def test_helmets_of_two_shipments_are_told_apart(country: Country) -> None:
    """Ten and thirty of one kind are on their way: what comes is taken from the shipment it came by, never from the
    other.
    """
    small, large = shipped(country, helmets(country, 10)), shipped(country, helmets(country, 30))
    over = arrived(country, small, helmets(country, 8), helmets(country, 4))
    assert kinds(over) == ["excess"]
    assert lines_of(country, small) == [(10, 10, 0, 0, 0)]
    assert lines_of(country, large) == [(30, 0, 0, 0, 30)]
    assert arrived(country, large, helmets(country, 30), complete=True).discrepancy_count == 0
    assert held(country) == [("ERBIL", STORE, 42), ("TAJI", STORE, 60)]


def test_an_order_taken_back_is_not_outstanding(country: Country) -> None:
    """TAJI corrects it before the truck left: the rifle is in its store, and the shipment has nothing on its way."""
    order = shipped(country, *scans(*RIFLES[:2]), helmets(country, 10))
    country.do_with_approval("clerk", "commander", CORRECT, document=order.document_id, reason="the truck broke down")
    assert country.where(RIFLES[0]) == STORE
    assert held(country) == [("TAJI", STORE, 100)]
    assert lines_of(country, order) == []


def test_an_arrival_taken_back_is_outstanding_again(country: Country) -> None:
    """ERBIL scanned the wrong shipment's rifle: corrected, it is on its way as before."""
    order = shipped(country, *scans(RIFLES[0]), helmets(country, 10))
    receipt = arrived(country, order, *scans(RIFLES[0]), helmets(country, 10))
    drafted = country.ask("erbil clerk", CORRECT, document=receipt.document_id, reason="still on the truck")
    country.approve("registrar", drafted, "ERBIL")
    assert lines_of(country, order) == [(1, 0, 0, 0, 1), (10, 0, 0, 0, 10)]


def test_a_shipment_is_known_at_both_ends_alone(country: Country) -> None:
    """By number in any case, or by id; TAJI can't take in what is bound for ERBIL, and nobody what nobody sent."""
    order = shipped(country, *scans(*RIFLES[:2]))
    fault = ("shipment", order.number, "it is bound for ERBIL")
    assert country.invalid("clerk", ARRIVE, shipment=order.number, store=STORE, lines=scans(RIFLES[0])) == [fault]
    nobody = country.invalid("erbil clerk", ARRIVE, shipment="TAJI/B/2026/999", lines=scans(RIFLES[0]))
    assert nobody == [("shipment", "TAJI/B/2026/999", "no shipment of this number is bound for ERBIL")]
    by_number = country.do("erbil clerk", ARRIVE, shipment=order.number.lower(), lines=scans(RIFLES[0]))
    by_id = country.do("erbil clerk", ARRIVE, shipment=str(order.document_id), lines=scans(RIFLES[1]))
    assert (by_number.fact, by_id.fact) == (False, False)
    with pytest.raises(NotAllowed):
        country.do("registrar", ARRIVE, site="ERBIL", shipment=order.number, lines=scans(RIFLES[0]))


def test_the_same_arrival_twice_is_one(country: Country) -> None:
    """A repeat under its id gets the first answer, though nothing is outstanding any more."""
    order = shipped(country, *scans(RIFLES[0]))
    request = {
        "document_id": "0190b5a0-0000-7000-8000-0000000000aa",
        "shipment": order.number,
        "lines": scans(RIFLES[0]),
    }
    first = country.do("erbil clerk", ARRIVE, **request)
    assert country.do("erbil clerk", ARRIVE, **request) == first


def test_a_receipt_by_list_takes_what_is_on_its_way(country: Country) -> None:
    """Who has the list and not the order receives as ever: the rifle is no twin, and the shipment knows that it came."""
    order = shipped(country, *scans(RIFLES[0]))
    line = {"model": "AKM", "serial_number": RIFLES[0], "condition": "serviceable"}
    receipt = country.do("erbil clerk", RECEIVE, lines=[line])
    assert (receipt.discrepancy_count, country.item(RIFLES[0]).version) == (0, 3)
    assert lines_of(country, order) == [(1, 1, 0, 0, 0)]


def test_a_truck_that_stops_at_the_wrong_depot(country: Country) -> None:
    """Bound for ERBIL, unloaded at TAJI again: received, and that it is not where it was bound for is open."""
    order = shipped(country, *scans(RIFLES[0]))
    line = {"model": "AKM", "serial_number": RIFLES[0], "condition": "serviceable"}
    receipt = country.do("clerk", RECEIVE, store=STORE, lines=[line])
    assert said(country, receipt) == [
        ("held elsewhere", f"AKM {RIFLES[0]} was at transit (transit)", "it went to Main store")
    ]
    assert lines_of(country, order) == [(1, 1, 0, 0, 0)]


# Papers


def test_the_papers_of_a_transfer_are_keyed_in_any_order(country: Country) -> None:
    """ERBIL keys its receiving report first, and the books are astonished; then TAJI keys the order it rests on, and
    the rifle's story is whole: it left, it came.
    """
    left, came = ago(), ago()
    receipt = country.do(
        "erbil clerk", ARRIVE, shipment="TAJI/PAPER/2026/7", lines=scans(RIFLES[0]), paper=paper(1, came),
        store=STORE,
    )  # fmt: skip
    assert sorted(kinds(receipt)) == ["excess", "held elsewhere"]
    order = shipped(country, *scans(RIFLES[0]), paper=paper(7, left))
    assert kinds(order) == []
    moves = country.query(
        """SELECT f.class, t.class FROM entry e JOIN account f ON f.account_id = e.from_account
           JOIN account t ON t.account_id = e.to_account
           WHERE e.item_id = %s AND e.reverses IS NULL
             AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version) ORDER BY e.version""",
        country.item(RIFLES[0]).item_id,
    )
    assert moves == [("outside", "store"), ("store", "transit"), ("transit", "store")]
    assert lines_of(country, order) == [(1, 1, 0, 0, 0)]


@pytest.mark.parametrize("first", ["the order", "the arrival"])
def test_the_papers_of_helmets_are_keyed_in_any_order(country: Country, first: str) -> None:
    """Fifty came to TAJI nine days ago, by a paper, and ten of them went to ERBIL: whichever paper is keyed first, ERBIL has
    ten, nothing is on its way, and nothing is open. Both were counted by name.
    """
    country.do("clerk", RECEIVE, store=STORE, lines=[{"model": HELMET, "quantity": 50}], paper=paper(1, ago(days=9)))
    left, came = ago(days=5), ago(days=3)
    ten = {"model": HELMET, "quantity": 10}
    number = f"TAJI/PAPER/{country.sites['TAJI'].local_year(left)}/2"

    def arrives() -> None:
        asked = {"shipment": number.lower(), "store": STORE, "lines": [ten]}
        country.do("erbil clerk", ARRIVE, **asked, paper=paper(1, came))

    if first == "the arrival":
        arrives()
        assert country.discrepancies() == ["excess", "fewer in the books"]
    order = shipped(country, ten, paper=paper(2, left))
    if first == "the order":
        arrives()
    assert order.number == number
    assert country.discrepancies() == []
    assert lines_of(country, order) == [(10, 10, 0, 0, 0)]
    everywhere = """SELECT s.code, a.name, sum(h.quantity)::int FROM holding h JOIN account a USING (account_id)
                    JOIN site s ON s.site_id = a.site_id WHERE NOT h.serial GROUP BY 1, 2 ORDER BY 1, 2"""
    assert country.query(everywhere) == [("ERBIL", STORE, 10), ("TAJI", STORE, 140)]


def test_an_order_that_names_other_weapons_explains_nothing(country: Country) -> None:
    """ERBIL's paper says two rifles and helmets came by TAJI's order 7; that names one rifle, and is bound for ERBIL: the rest
    stays excess. What it explains it withdraws, and says so.
    """
    left, came = ago(), ago()
    lines = [*scans(*RIFLES[:2]), helmets(country, 5)]
    number = f"TAJI/PAPER/{country.sites['TAJI'].local_year(left)}/7"
    receipt = country.do("erbil clerk", ARRIVE, shipment=number, store=STORE, lines=lines, paper=paper(1, came))
    assert [one for one in said(country, receipt) if one[0] == "excess"] == [
        ("excess", f"shipment {number}: no shipment of this number is bound for ERBIL", f"{what} on line {n}")
        for n, what in enumerate((f"AKM {RIFLES[0]}", f"AKM {RIFLES[1]}", "Helmet"), 1)
    ]
    order = shipped(country, *scans(RIFLES[0]), paper=paper(7, left))
    assert country.discrepancies() == ["excess", "excess", "fewer in the books", "held elsewhere"]
    withdrawn = country.query(
        "SELECT explained_by, seen FROM discrepancy WHERE outcome = 'withdrawn' AND kind = 'excess'"
    )
    assert withdrawn == [(order.document_id, f"AKM {RIFLES[0]} on line 1")]
    steps = country.query("SELECT what, words FROM discrepancy_step WHERE document_id = %s", order.document_id)
    assert steps == [("withdrawn", f"{order.number} came late and explains it")] * 2


def test_a_shipment_of_what_the_books_had_too_few_of(country: Country) -> None:
    """TAJI's paper sent twelve where the books had none yet; a later paper shows that five had come by then: twelve were sent,
    not more.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[helmets(country, 100)])
    order = shipped(country, helmets(country, 12), paper=paper(2, ago()))
    back = {"returned_by": "A-1001", "store": STORE, "lines": [helmets(country, 5)]}
    country.do("clerk", RETURN, **back, paper=paper(1, order.happened_at - timedelta(microseconds=1)))
    assert lines_of(country, order) == [(12, 0, 0, 0, 12)]


def test_an_order_on_paper_is_not_refused(country: Country) -> None:
    """Petrov had the rifle by the books, the day it should have come is long over, and it names more helmets than there
    are.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    yesterday = str(today() - timedelta(days=1))
    order = shipped(
        country, *scans(RIFLES[0], "NEW 1"), helmets(country, 105), expected_on=yesterday, paper=paper(1, ago())
    )
    assert sorted(kinds(order)) == ["fewer in the books", "held elsewhere", "unknown weapon"]
    assert lines_of(country, order) == [(1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (105, 0, 0, 0, 105)]


# A donor's consignment


def declared(country: Country, **request: Any) -> None:
    lines = [{"model": "M4", "serial_number": f"US {n}", "condition": "serviceable"} for n in (1, 2, 3)]
    country.do(
        "registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", **request,
        lines=[*lines, {"model": HELMET, "quantity": 40}],
    )  # fmt: skip


def test_a_consignment_is_on_its_way(country: Country) -> None:
    """The shipping notice comes: all of it goes from supply into TAJI's transit, by the registrar; it arrives like any
    shipment, one rifle short. A second notice finds nothing left.
    """
    declared(country)
    notice = country.do("registrar", SHIP, site="TAJI", donor="USA", consignment="FMS-1", **WAY)
    assert (notice.lines, notice.quantity, country.where("US 1")) == (4, 43, "transit")
    with pytest.raises(Refused, match="nothing of USA FMS-1 is left"):
        country.do("clerk", SHIP, donor="USA", consignment="FMS-1", **WAY)
    item = country.query("SELECT item_id FROM item WHERE tracked_by = 'quantity' AND consignment_id IS NOT NULL")[0][0]
    receipt = country.do(
        "clerk", ARRIVE, shipment=notice.number, store=STORE, complete=True,
        lines=[*scans("US 1", "US 2"), {"item": str(item), "quantity": 40}],
    )  # fmt: skip
    assert (receipt.fact, kinds(receipt)) == (False, ["shortage"])
    assert (country.where("US 2"), country.where("US 3")) == (STORE, "transit")


def test_only_named_lines_of_a_consignment_are_on_their_way(country: Country) -> None:
    """Two of three rifles; what is in a store is none of it, and another site's clerk has no such consignment."""
    declared(country)
    refusal = country.refused("clerk", SHIP, donor="USA", consignment="FMS-1", **WAY, lines=scans("US 1", RIFLES[0]))
    assert told(refusal) == [(RIFLES[0], "it is not in USA FMS-1", "Main store (store)")]
    country.do("clerk", SHIP, donor="USA", consignment="FMS-1", **WAY, lines=scans("US 1", "US 2"))
    assert (country.where("US 2"), country.where("US 3")) == ("transit", "USA FMS-1")
    with pytest.raises(Invalid, match="Nothing was shipped"):
        country.do("erbil clerk", SHIP, donor="USA", consignment="FMS-1", **WAY)
    refusal = country.refused("clerk", SHIP, to_site="ERBIL", **WAY, lines=scans("US 3"))
    assert "shipped by its donor and consignment" in told(refusal)[0][1]


def test_the_donor_sees_its_weapons_on_their_way_and_the_books_close(country: Country) -> None:
    """Three rifles and 40 helmets: in supply, then in transit, then part of them in the store; the sum never changes."""
    declared(country)

    def balance() -> tuple[int, int, int, int, int]:
        with reading(country.engine, country.actors["USA"]) as connection:
            (line,) = trial_balance(connection, country.actors["USA"], (By.DONOR,))
        with reading(country.engine, country.actors["auditor"]) as connection:
            assert proof(connection, country.actors["auditor"]).closes
        return line.came_in, line.supply, line.transit, line.store, line.difference

    assert balance() == (43, 43, 0, 0, 0)
    notice = country.do("clerk", SHIP, donor="USA", consignment="FMS-1", **WAY)
    assert balance() == (43, 0, 43, 0, 0)
    country.do("clerk", ARRIVE, shipment=notice.number, store=STORE, lines=scans("US 1", "US 2"))
    assert balance() == (43, 0, 41, 2, 0)
