"""Emergency issue: a store is emptied in minutes by one list, and the papers follow."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest

from stockpile import parties
from stockpile.acts.emergency_issue import EMERGENCY_ISSUE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotAllowed
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.registers.rejects import RowsRejected
from tests.test_counted import ROUNDS, received
from tests.world import RIFLES, SINCE, Country, kinds

STORE = "Main store"
REASON = "the gate is under attack"


def to(receiver: str, *serials: str) -> list[dict[str, Any]]:
    return [{"scan": serial, "receiver": receiver} for serial in serials]


def emptied(country: Country, *lines: dict[str, Any], who: str = "clerk", **request: Any) -> Posted:
    return country.do(who, EMERGENCY_ISSUE, reason=REASON, **request, lines=list(lines))


def stored(*rows: str) -> dict[str, str]:
    kept = file_store().keep([f"{row}\n".encode() for row in rows], 10_000_000)
    return {"sha256": kept.sha256, "name": "emergency.csv"}


def test_a_store_is_emptied_to_many_receivers_under_one_document(country: Country) -> None:
    """Two soldiers and the company, from two stores: each has his own, one document names the reason, and one discrepancy says
    that three have to sign.
    """
    country.do("clerk", RECEIVE, store="Quarantine", lines=[{"model": "AKM", "serial_number": "Q 1"}])
    posted = emptied(country, *to("A-1001", RIFLES[0], "Q 1"), *to("A-1002", RIFLES[1]), *to("1COY", RIFLES[2]))
    assert (posted.act, posted.fact, posted.lines, kinds(posted)) == ("issue", False, 4, ["papers to follow"])
    assert [country.where(serial) for serial in (RIFLES[0], "Q 1", RIFLES[1], RIFLES[2])] == [
        "Private Petrov (A-1001)", "Private Petrov (A-1001)", "Private Quist (A-1002)", "1st Company",
    ]  # fmt: skip
    ((details,),) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert details == {"paper": "hand receipt", "called": "emergency issue", "reason": REASON, "receivers": 3}
    ((seen,),) = country.query("SELECT seen FROM discrepancy WHERE document_id = %s", posted.document_id)
    assert seen == "handed out in an emergency: 3 receiver(s) still have to sign"


def test_what_speaks_against_it_is_told_and_not_refused(country: Country) -> None:
    """A broken rifle, one without a mark, a leaver, a company for which nobody may draw: all go out, each with its discrepancy."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"scan": RIFLES[0]}])
    country.do("clerk", RETURN, store=STORE, lines=[{"scan": RIFLES[0], "condition": "unserviceable"}])
    bare = country.do("clerk", RECEIVE, store=STORE, lines=[{"model": "AKM"}])
    ((item,),) = country.query("SELECT item_id FROM entry WHERE document_id = %s", bare.document_id)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.add_unit(connection, "2COY", "2nd Company", country.sites["TAJI"], None, SINCE)
    posted = emptied(
        country, *to("A-1001", RIFLES[0]), {"item": str(item), "receiver": "A-1001"}, *to("A-1009", *RIFLES[1:3]),
        *to("2COY", RIFLES[3]),
    )  # fmt: skip
    assert kinds(posted) == [
        *["issued though unmarked or unserviceable"] * 2, "papers to follow", *["receiver not on the roster"] * 2,
    ]  # fmt: skip
    assert country.where(RIFLES[1]) == "Private Leaver (A-1009)"


def test_what_could_not_be_told_afterwards_is_refused_row_by_row(country: Country) -> None:
    """Nobody of this site, a rifle that is out, missing, at another site, unknown, twice on the list; nothing is done."""
    country.do("clerk", ISSUE, receiver="A-1002", store=STORE, lines=[{"scan": RIFLES[0]}])
    country.do("clerk", REPORT_MISSING, place="range", circumstances="gone", lines=[{"scan": RIFLES[1]}])
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    refusal = country.refused(
        "clerk", EMERGENCY_ISSUE, reason=REASON,
        lines=[*to("A-1001", RIFLES[0], RIFLES[1], "E 1", "NO SUCH", RIFLES[2], RIFLES[2]), *to("E-1", RIFLES[3]),
               *to("Z-9", "NO SUCH 2")],
    )  # fmt: skip
    begins = "the act 'issue' does not begin there"
    unknown, nobody = "unknown: nothing in the books bears this number", "nobody at TAJI has the number"
    assert [(reason.line, reason.reason) for reason in refusal.reasons] == [
        (1, f"it is issued to a person: {begins}"), (2, f"it is reported missing: {begins}"), (3, "it is not at TAJI"),
        (4, unknown), (6, "already on this list, line 5"), (7, f"{nobody} E-1"), (8, f"{unknown}; {nobody} Z-9"),
    ]  # fmt: skip
    assert country.where(RIFLES[2]) == STORE


def test_helmets_go_with_the_rifles_a_row_each(country: Country) -> None:
    """A helmet for each of two soldiers on rows of their own; together no more than there are."""
    helmet = {"item": str(country.helmets().item_id)}
    rows = [{**helmet, "receiver": "A-1001"}, {**helmet, "receiver": "A-1002", "quantity": 2}]
    emptied(country, *to("A-1001", RIFLES[0]), *rows, store=STORE)
    held = "SELECT a.name, h.quantity FROM holding h JOIN account a USING (account_id) WHERE h.item_id = %s ORDER BY 1"
    assert country.query(held, UUID(helmet["item"])) == [
        (STORE, 97), ("Private Petrov (A-1001)", 1), ("Private Quist (A-1002)", 2),
    ]  # fmt: skip
    too_many = [{**helmet, "receiver": "A-1001", "quantity": 90}, {**helmet, "receiver": "A-1002", "quantity": 8}]
    refusal = country.refused("clerk", EMERGENCY_ISSUE, reason=REASON, store=STORE, lines=too_many)
    assert [(reason.line, reason.reason) for reason in refusal.reasons] == [
        (2, f"only 97 at {STORE}, 98 asked for on the rows up to here")
    ]
    assert country.invalid("clerk", EMERGENCY_ISSUE, reason=REASON, lines=rows)[0][0] == "store"


def test_rounds_go_out_by_their_lot(country: Country) -> None:
    """Which lot was handed out could not be told afterwards: without one the row is refused, with one it goes, also from a file."""
    received(country, *({"model": ROUNDS, "lot": lot, "quantity": 1000} for lot in ("12-77", "3-81")))
    rounds = {"model": ROUNDS, "quantity": 1500, "receiver": "A-1001"}
    refusal = country.refused("clerk", EMERGENCY_ISSUE, reason=REASON, store=STORE, lines=[rounds])
    assert [(reason.line, reason.reason) for reason in refusal.reasons] == [
        (1, f"{ROUNDS} is tracked by lot: give the lot")
    ]
    emptied(country, {**rounds, "lot": "3-81", "quantity": 200}, store=STORE)
    listed = stored(
        "serial,model,lot,quantity,service number", f"{RIFLES[0]},AKM,,,A-1002", f',"{ROUNDS}",3-81,300,A-1002',
        f',"{ROUNDS}",12-77,100,A-1001',
    )  # fmt: skip
    country.do("clerk", EMERGENCY_ISSUE, reason=REASON, store=STORE, file=listed)
    held = """SELECT a.name, i.lot, h.quantity::int FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id)
              WHERE i.tracked_by = 'lot' AND a.class = 'person' ORDER BY 1, 2"""
    assert country.query(held) == [
        ("Private Petrov (A-1001)", "12-77", 100), ("Private Petrov (A-1001)", "3-81", 200),
        ("Private Quist (A-1002)", "3-81", 300),
    ]  # fmt: skip


def test_two_thousand_rifles_go_out_in_seconds(country: Country) -> None:
    """By a file with the weapon and its receiver on each row. The same list again under its id is the same document."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        company = country.parties["company"]
        for n in range(200):
            parties.add_person(connection, f"B-{n}", f"Soldier {n}", None, country.sites["TAJI"], company, SINCE)
    serials = [f"M {n:05}" for n in range(2_000)]
    delivery = stored("serial,model,condition", *(f"{serial},AKM,serviceable" for serial in serials))
    country.do("clerk", RECEIVE, store=STORE, file=delivery)
    listed = stored("serial,service number", *(f"{serial},B-{n % 200}" for n, serial in enumerate(serials)))
    asked = {"document_id": new_key(), "reason": REASON, "file": listed}
    began = time.perf_counter()
    posted = country.do("clerk", EMERGENCY_ISSUE, **asked)
    took = time.perf_counter() - began
    assert (posted.lines, posted.discrepancy_count) == (2_000, 1)
    assert took < 10
    assert country.where("M 00007") == "Soldier 7 (B-7)"
    assert country.do("clerk", EMERGENCY_ISSUE, **asked) == posted


def test_a_row_that_names_nobody_is_rejected_with_its_number(country: Country) -> None:
    """As are rows without a weapon; a list without a column of receivers is asked for one. Units by code, or "issued to"."""
    with pytest.raises(RowsRejected) as problem:
        emptied_by(country, "serial,service number", f"{RIFLES[0]},A-1001", f"{RIFLES[1]},")
    assert [(fault.row, fault.message) for fault in problem.value.faults] == [
        (3, "nobody is named: give a service number or a unit code")
    ]
    with pytest.raises(Invalid) as unmapped:
        emptied_by(country, "serial,model", f"{RIFLES[0]},AKM")
    assert {fault.field for fault in unmapped.value.faults} == {"holder", "service_number", "unit_code"}
    emptied_by(country, "serial,issued to", f"{RIFLES[0]},A-1001", f"{RIFLES[1]},1COY")
    assert (country.where(RIFLES[0]), country.where(RIFLES[1])) == ("Private Petrov (A-1001)", "1st Company")


def emptied_by(country: Country, *rows: str) -> Posted:
    return country.do("clerk", EMERGENCY_ISSUE, reason=REASON, file=stored(*rows))


def test_who_may_empty_a_store(country: Country) -> None:
    """Who stands at its desk; neither a registrar nor another site's clerk."""
    emptied(country, *to("A-1001", RIFLES[0]), who="commander")
    for who in ("registrar", "auditor", "erbil clerk"):
        with pytest.raises(NotAllowed):
            emptied(country, *to("A-1001", RIFLES[1]), who=who, site="TAJI")
    with pytest.raises(ValueError, match="either lines or a file"):
        country.ask("clerk", EMERGENCY_ISSUE, reason=REASON)
