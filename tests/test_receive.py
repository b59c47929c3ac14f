"""Receiving: what stands at the counter is taken in as it is found; whatever the shipping list or the books say against it is
a discrepancy, never a refusal.
"""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.documents import Posted
from stockpile.errors import NotAllowed
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scans

DELIVERY = {"store": "Main store", "donor": "USA", "consignment": "FMS-117"}
LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}


def rifle(serial: str, model: str = "AKM", **more: Any) -> dict[str, Any]:
    return {"model": model, "serial_number": serial, "condition": "serviceable", **more}


def declared(country: Country, *lines: dict[str, Any], site: str = "TAJI", **request: Any) -> Posted:
    request = {"donor": "USA", "reference": "FMS-117", **request}
    return country.do("registrar", DECLARE, site=site, **request, lines=list(lines))


def received(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", RECEIVE, **{**DELIVERY, **request}, lines=list(lines))


def said(country: Country, posted: Posted) -> list[tuple[str, str, str]]:
    """Each discrepancy of a document: its kind, what the books said, what was seen."""
    rows = country.query(
        "SELECT kind, books_said, seen FROM discrepancy WHERE document_id = %s ORDER BY kind, line", posted.document_id
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_delivery_as_declared_moves_from_supply_to_the_store(country: Country) -> None:
    """Nothing is against it, nothing is left on its way; the weapons stay the donor's."""
    declared(country, rifle("UA 1"), rifle("UA 2"), {"model": HELMET, "quantity": 40})
    posted = received(country, rifle("ua-1"), rifle("UA 2"), {"model": HELMET, "quantity": 40}, complete=True)
    assert (posted.quantity, posted.fact, posted.discrepancy_count) == (42, False, 0)
    assert country.where("UA 1") == "Main store"
    assert country.item("UA 1").donor_id == country.parties["USA"].party_id
    assert country.query(
        "SELECT count(*) FROM holding h JOIN account a USING (account_id) WHERE a.class = 'supply'"
    ) == [(0,)]


def test_what_does_not_come_is_short_only_when_nothing_more_will_come(country: Country) -> None:
    """A first part is no shortage; the receipt that says complete names each rifle and how many helmets are missing."""
    declared(country, rifle("UA 1"), rifle("UA 2"), rifle("UA 3"), {"model": HELMET, "quantity": 40})
    assert received(country, rifle("UA 1"), {"model": HELMET, "quantity": 10}).discrepancy_count == 0
    last = received(country, rifle("UA 2"), {"model": HELMET, "quantity": 25}, complete=True)
    assert sorted(said(country, last)) == [
        ("shortage", "AKM UA 3 in USA FMS-117", "not received"),
        ("shortage", "Helmet in USA FMS-117", "5 of 30 not received"),
    ]
    assert country.where("UA 3") == "USA FMS-117"


def test_what_was_not_declared_is_received_as_excess(country: Country) -> None:
    """A rifle and five helmets more than the list has: taken in from outside, each with its discrepancy."""
    declared(country, rifle("UA 1"), {"model": HELMET, "quantity": 40})
    posted = received(country, rifle("UA 1"), rifle("UA 9"), {"model": HELMET, "quantity": 45})
    assert said(country, posted) == [
        ("excess", "not on the shipping list", "AKM UA 9 received, row 2"),
        ("excess", "40 declared", "45 Helmet received, row 3"),
    ]
    assert country.where("UA 9") == "Main store"
    assert country.query(
        "SELECT sum(h.quantity) FROM holding h JOIN account a USING (account_id) WHERE NOT h.serial AND h.donor_id = %s",
        country.parties["USA"].party_id,
    ) == [(45,)]


def test_fewer_helmets_than_declared_leave_the_rest_in_supply(country: Country) -> None:
    declared(country, {"model": HELMET, "quantity": 40})
    received(country, {"model": HELMET, "quantity": 15})
    left = "SELECT h.quantity FROM holding h JOIN account a USING (account_id) WHERE a.class = 'supply'"
    assert country.query(left) == [(25,)]


def test_helmets_come_in_other_parcels_than_the_list_has_them(country: Country) -> None:
    """Three crates on the list, five heaps at the counter: each crate is emptied before the next, none more than it held."""
    declared(country, *({"model": HELMET, "quantity": crate} for crate in (100, 20, 30)))
    heaps = (30, 30, 50, 25, 15)
    posted = received(country, *({"model": HELMET, "quantity": heap} for heap in heaps), complete=True)
    assert kinds(posted) == []
    assert posted.quantity == 150
    stored = country.query(
        "SELECT sum(h.quantity) FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id) "
        "WHERE i.consignment_id IS NOT NULL AND a.class = 'store'"
    )
    assert stored == [(150,)]


def test_another_model_under_the_declared_number_is_a_mismatch(country: Country) -> None:
    """Declared as an AKM, a Type 56 stands there: the declared weapon is received, and the difference is somebody's to explain."""
    declared(country, rifle("UA 1"))
    posted = received(country, rifle("UA 1", "Type 56"), complete=True)
    assert said(country, posted) == [("model mismatch", "declared as AKM", "Type 56 UA 1 received, row 1")]
    assert country.where("UA 1") == "Main store"


def test_a_twin_of_a_rifle_in_the_store_is_received_and_flagged(country: Country) -> None:
    """It can't be the one that lies in the rack; so it is another, and both are kept."""
    posted = received(country, rifle(RIFLES[0]), donor=None, consignment=None)
    assert said(country, posted) == [
        (
            "same serial number twice",
            "a weapon of this model and serial number at Main store (store)",
            f"AKM {RIFLES[0]} received, row 1",
        )
    ]
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    assert refusal.reasons[0].reason == "2 weapons bear this number: scan the asset tag, or name the model"


def test_two_rifles_of_one_number_in_one_crate(country: Country) -> None:
    """Refused as a slip of the pen, unless the clerk says how they can be told apart: then the second is a flagged twin."""
    lines = [rifle("TWIN"), rifle("TWIN")]
    assert country.invalid("clerk", RECEIVE, store="Main store", lines=lines)[0][0] == 2
    lines[1]["distinguishing_mark"] = "no bayonet lug"
    posted = country.do("clerk", RECEIVE, store="Main store", lines=lines)
    assert said(country, posted) == [
        ("same serial number twice", "a weapon of this model and serial number in row 1", "AKM TWIN received, row 2")
    ]


def test_a_weapon_the_books_gave_up_is_received_as_a_fact(country: Country) -> None:
    """It was concluded as lost and comes in a crate: the same weapon, back in the store, at the moment it was seen."""
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[0]), **LOSS)
    claim = country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=scans(RIFLES[0]), **FINDING)
    before = country.item(RIFLES[0])
    posted = received(country, rifle(RIFLES[0]), donor=None, consignment=None)
    assert (posted.fact, posted.happened_at) == (True, posted.recorded_at)
    assert said(country, posted) == [
        (
            "found what the books hold as gone",
            f"AKM {RIFLES[0]} was lost, by document {claim.number}",
            "it went to Main store",
        )
    ]
    assert (country.item(RIFLES[0]).item_id, country.where(RIFLES[0])) == (before.item_id, "Main store")


def test_a_missing_weapon_is_received_as_a_fact(country: Country) -> None:
    """No receipt begins at missing; but there it stands."""
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[0]), **LOSS)
    posted = received(country, rifle(RIFLES[0]), donor=None, consignment=None)
    assert posted.fact
    assert kinds(posted) == ["found what the books hold as gone"]


def test_a_receipt_taken_back_can_be_received_again(country: Country) -> None:
    """The weapon that was corrected out of the books is the same one when it comes again."""
    first = received(country, rifle("UA 1"), donor=None, consignment=None)
    item = country.item("UA 1").item_id
    country.do_with_approval("clerk", "commander", CORRECT, document=first.document_id, reason="not unpacked yet")
    assert country.where("UA 1") == "outside"
    posted = received(country, rifle("UA 1"), donor=None, consignment=None)
    assert (country.item("UA 1").item_id, posted.discrepancy_count) == (item, 0)


def test_a_delivery_nobody_declared_is_excess_as_a_whole(country: Country) -> None:
    """Without a shipping list there is nothing to compare: one discrepancy says so."""
    posted = received(country, rifle("UA 1"), rifle("UA 2"), consignment=None)
    assert said(country, posted) == [("excess", "no shipping list", "2 lines from USA")]


def test_declared_weapons_received_without_naming_their_list_come_out_of_supply(country: Country) -> None:
    """The clerk forgot the consignment's number: the books know which list they stand on."""
    declared(country, rifle("UA 1"))
    assert received(country, rifle("UA 1"), consignment=None).discrepancy_count == 0
    assert country.where("UA 1") == "Main store"


def test_a_weapon_of_another_list_another_donor_or_another_site_is_received_and_named(country: Country) -> None:
    declared(country, rifle("UA 1"))
    declared(country, rifle("UA 2"), reference="FMS-118")
    assert said(country, received(country, rifle("UA 2"))) == [
        ("model mismatch", "declared in USA FMS-118", "AKM UA 2 received, row 1")
    ]
    assert said(country, received(country, rifle("UA 1"), donor="FRA", consignment=None)) == [
        ("model mismatch", "declared in USA FMS-117", "AKM UA 1 received, row 1")
    ]
    declared(country, rifle("UA 3"), site="ERBIL", reference="FMS-119")
    assert said(country, received(country, rifle("UA 3"), consignment=None)) == [
        ("model mismatch", "declared in USA FMS-119", "AKM UA 3 received, row 1")
    ]
    assert country.where("UA 3") == "Main store"


def test_a_consignment_for_another_site_is_not_to_be_had_here(country: Country) -> None:
    """Nor one that nobody declared: the fault names the number."""
    declared(country, rifle("UA 1"), site="ERBIL")
    assert country.invalid("clerk", RECEIVE, **DELIVERY, lines=[rifle("UA 1")]) == [
        ("consignment", "FMS-117", "USA declared no such consignment for TAJI")
    ]


def test_a_receipt_names_what_it_does_not_know(country: Country) -> None:
    """The store, where there are two; the donor; the model."""
    assert country.invalid("clerk", RECEIVE, lines=[rifle("UA 1")])[0][0] == "store"
    assert country.invalid("clerk", RECEIVE, store="Attic", lines=[rifle("UA 1")])[0][:2] == ("store", "Attic")
    assert country.invalid("clerk", RECEIVE, store="Main store", donor="ATL", lines=[rifle("UA 1")])[0][0] == "donor"
    assert country.invalid("clerk", RECEIVE, store="Main store", lines=[rifle("UA 1", "Musket")])[0][0] == 1


def test_an_illegible_weapon_is_received_beside_the_one_it_seems_to_be(country: Country) -> None:
    """The number can't be trusted: no twin, no match; it waits in the store for a mark."""
    posted = received(country, rifle(RIFLES[0], obliterated=True), donor=None, consignment=None)
    assert posted.discrepancy_count == 0
    item = country.query("SELECT item_id FROM entry WHERE document_id = %s", posted.document_id)[0][0]
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=[{"item": str(item)}])
    assert refusal.reasons[0].reason == "it bears no serial number or mark: mark it first"


def test_a_receipt_on_paper_before_its_list_was_declared(country: Country) -> None:
    """The shipping list was keyed a week late. What came in is in the store, not on its way again."""
    declared(country, rifle("UA 1"), {"model": HELMET, "quantity": 5})
    sheet = paper(1, ago(days=7))
    posted = received(country, rifle("UA 1"), {"model": HELMET, "quantity": 5}, complete=True, paper=sheet)
    assert (posted.happened_at, country.where("UA 1")) == (sheet.happened_at, "Main store")
    assert said(country, posted) == [
        (
            "moved by a late fact",
            "AKM UA 1 went from outside to USA FMS-117",
            "a late document puts it at Main store before that",
        )
    ]


def test_a_registrar_and_a_donor_receive_nothing(country: Country) -> None:
    for who in ("registrar", "auditor", "USA"):
        with pytest.raises(NotAllowed, match="may not receive"):
            country.ask(who, RECEIVE, store="Main store", site="TAJI", lines=[rifle("UA 1")])
