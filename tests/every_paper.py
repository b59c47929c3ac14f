"""A document of every act in the small country, by the name of its paper: what there is to print."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.arrive import ARRIVE
from stockpile.acts.change_custodian import CHANGE_CUSTODIAN
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.declare import DECLARE
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.draw import DRAW
from stockpile.acts.emergency_issue import EMERGENCY_ISSUE
from stockpile.acts.expend import EXPEND
from stockpile.acts.export import EXPORT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.mark import MARK
from stockpile.acts.open_books import OPEN
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.register_gain import REGISTER_GAIN
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.documents import Posted
from stockpile.weapon_assignments import Assign, assign
from tests.world import HELMET, RIFLES, Country, ago, paper, photo, scanned_paper, scans, today

STORE = "Main store"
EQUIPPED = [{"scan": RIFLES[0], "accessories": [{"model": "AKM magazine", "quantity": 4}, {"model": "Sling, rifle"}]}]
AMERICAN = [{"model": "M4", "serial_number": f"US {n}", "condition": "serviceable"} for n in range(1, 6)]


def staffed(country: Country) -> Country:
    """With an armourer."""
    country.actors["armourer"] = replace(country.actors["second clerk"], role="armourer", book_code="D")
    return country


def hand_receipt(country: Country) -> Posted:
    """A rifle with magazines and a sling, two rifles, two helmets, to Petrov."""
    lines = [{"model": "AKM magazine", "quantity": 60}, {"model": "Sling, rifle", "quantity": 30}]
    country.do("clerk", RECEIVE, store=STORE, lines=lines)
    more = [*scans(*RIFLES[1:3]), {"model": HELMET, "quantity": 2}]
    return country.do(
        "clerk", ISSUE, receiver="A-1001", store=STORE, lines=[*EQUIPPED, *more], remarks="For the range, until Friday"
    )


def one_of_each(country: Country) -> dict[str, Posted]:
    """One life of the country in which every act happens."""
    staffed(country)
    made: dict[str, Posted] = {}
    do, with_second = country.do, country.do_with_approval
    made["hand receipt"] = hand_receipt(country)
    made["turn-in"] = do(
        "clerk", RETURN, store=STORE, returned_by="A-1001",
        lines=[{"scan": RIFLES[0], "condition": "unserviceable", "accessories": [{"model": "AKM magazine", "quantity": 3}]}],
    )  # fmt: skip
    made["lateral transfer"] = do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans(RIFLES[1]))
    country_lines = [(RIFLES[3], "A-1001"), (RIFLES[4], "A-1002")]
    request = Assign.model_validate({"lines": [{"scan": scan, "person": person} for scan, person in country_lines]})
    assign(country.engine, country.actors["armourer"], request)
    made["weapon card"] = do("armourer", DRAW, lines=[{"scan": scan} for scan, _ in country_lines])
    made["loss report"] = do(
        "clerk", REPORT_MISSING, lines=scans(RIFLES[1], RIFLES[2]), reported_by="A-1001", place="Route Tampa, checkpoint 4",
        last_seen_at=ago(days=1), circumstances="Not in the rack at the evening count",
    )  # fmt: skip
    made["investigation"] = with_second(
        "clerk", "commander", CONCLUDE_LOSS, lines=scans(RIFLES[1]), cause="stolen", liability="Nobody: theft by force",
        findings="Taken at the robbery of the night before",
    )  # fmt: skip
    made["recovery"] = do("clerk", RECOVER, store=STORE, lines=scans(RIFLES[2]), place="A wadi", found_by="2nd patrol")
    made["work order"] = do("clerk", MAINTAIN, work="Firing pin broken", lines=scans(RIFLES[0]))
    made["marking record"] = do(
        "armourer", MARK, method="laser", place="receiver", lines=[{"scan": RIFLES[5], "distinguishing_mark": "TAJI 5"}]
    )
    made["amendment"] = with_second(
        "clerk", "commander", AMEND_IDENTIFICATION, reason="Misread at receipt", attachments=[scanned_paper(photo())],
        lines=[{"scan": RIFLES[6], "serial_number": "KT 449996"}],
    )  # fmt: skip
    made["expenditure"] = with_second(
        "clerk", "commander", EXPEND, holder="A-1002", lines=scans(RIFLES[4]), manner="destroyed in combat", place="Hill 80",
        circumstances="Burnt with the vehicle",
    )  # fmt: skip
    made["destruction order"] = order = with_second(
        "clerk", "commander", ORDER_DESTRUCTION, reason="worn out", authority="Minister's order 118", due_on="2099-12-31",
        method="cutting", lines=scans(RIFLES[2]),
    )  # fmt: skip
    made["destruction certificate"] = with_second(
        "clerk", "commander", DESTROY, order=order.number, method="cutting", place="Workshop yard", counted_before=1,
        counted_after=0, witness_1="A-1001", witness_2="Jane Miller, UNMAS", attachments=[scanned_paper(photo())],
        lines=scans(RIFLES[2]),
    )  # fmt: skip
    _donated(country, made)
    _between_sites(country, made)
    made["gain report"] = with_second(
        "clerk", "commander", REGISTER_GAIN, store=STORE, manner="surrendered", place="Collection point 7",
        circumstances="Handed in at the gate", surrendered_by="An unknown man",
        lines=[{"model": "AKM", "serial_number": "GAIN 1", "condition": "unknown"}],
    )  # fmt: skip
    made["opening list"] = with_second(
        "registrar", "commander", OPEN, site="TAJI", name="Old book", store=STORE,
        lines=[{"model": "AKM", "serial_number": "OLD 1"}],
    )  # fmt: skip
    made["emergency issue"] = do(
        "clerk", EMERGENCY_ISSUE, reason="Attack on the gate",
        lines=[{"scan": RIFLES[8], "receiver": "A-1001"}, {"scan": RIFLES[9], "receiver": "A-1002"}],
    )  # fmt: skip
    wrong = do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans("OLD 1", "GAIN 1"))
    made["corrected"] = wrong
    made["correction"] = with_second(
        "clerk",
        "commander",
        CORRECT,
        document=wrong.number,
        reason="The wrong rifles were scanned",
        lines=scans("OLD 1"),
    )
    made["undone"] = do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans("OLD 1"))
    made["undo"] = do("clerk", UNDO, document=made["undone"].number)
    made["void"] = do("clerk", VOID, reason="The form tore in the printer")
    made["late paper"] = do(
        "clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[5]), paper=paper(17, ago(minutes=1))
    )
    everything = country.query(
        "SELECT h.item_id, h.quantity FROM holding h JOIN account a USING (account_id) WHERE a.name = %s AND a.site_id = %s",
        STORE, country.sites["TAJI"].site_id,
    )  # fmt: skip
    made["joint inventory"] = with_second(
        "clerk", "commander", CHANGE_CUSTODIAN, account=STORE, received_by="A-1001",
        lines=[{"item": str(item), "quantity": quantity} for item, quantity in everything],
    )  # fmt: skip
    made["overrun"] = do("commander", OVERRUN, circumstances="The depot was overrun at dawn")
    return made


def _donated(country: Country, made: dict[str, Posted]) -> None:
    """A consignment of the USA of which two rifles do not come, one is rejected, and one goes abroad and comes back."""
    do, with_second = country.do, country.do_with_approval
    helmets: list[dict[str, Any]] = [{"model": HELMET, "quantity": 40}]
    made["shipping list"] = do(
        "registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", end_user_certificate="EUC-2026-8",
        lines=[*AMERICAN, *helmets],
    )  # fmt: skip
    of_it = {"store": STORE, "donor": "USA", "consignment": "FMS-1"}
    made["first receipt"] = do("clerk", RECEIVE, **of_it, lines=AMERICAN[:1])
    came = [*AMERICAN[1:3], {"model": "M4", "serial_number": "US 99", "condition": "serviceable"}, *helmets]
    made["receiving report"] = do("clerk", RECEIVE, **of_it, complete=True, lines=came)
    made["rejection"] = do("clerk", REJECT, reason="Barrel bent", lines=scans("US 3"))
    day = str(today() - timedelta(days=3))
    consent = {"donor": "USA", "reference": "DSP-83 4417", "given_on": day, "scan_sha256": scanned_paper()}
    made["export"] = with_second(
        "clerk", "commander", EXPORT, destination="Jordan", consignee="Royal Ordnance Works, Amman",
        authorisation="EXP-2026-12", purpose="repair abroad", consents=[consent], lines=scans("US 1"),
    )  # fmt: skip
    made["import again"] = do(
        "clerk", IMPORT_AGAIN, store=STORE, received_from="Royal Ordnance Works, Amman",
        lines=[{"scan": "US 1", "condition": "serviceable"}],
    )  # fmt: skip


def _between_sites(country: Country, made: dict[str, Posted]) -> None:
    """Two rifles on the way to Erbil, of which one has arrived."""
    tomorrow = str(today() + timedelta(days=1))
    made["transfer order"] = order = country.do(
        "clerk", SHIP, to_site="ERBIL", store=STORE, carrier="2nd Transport Company", expected_on=tomorrow,
        driver="Sgt Hassan", vehicle="Truck 17", seal_numbers="S-1 S-2", route="Route 1, by day", lines=scans(RIFLES[7], "US 2"),
    )  # fmt: skip
    made["arrival"] = country.do(
        "erbil clerk", ARRIVE, shipment=order.number, delivered_by="2nd Transport Company", lines=scans(RIFLES[7])
    )
