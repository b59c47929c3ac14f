"""Changing the custodian: all that is on the account is counted by both, by serial, and then the other one answers for it."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from stockpile.accounts import search_accounts, set_custodian
from stockpile.acts.change_custodian import CHANGE_CUSTODIAN
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.issue import ISSUE
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted, Precision
from stockpile.errors import DatabaseUnavailable, NotAllowed, Refused
from stockpile.files import file_store
from stockpile.standstill import close_books
from tests.in_flight import Waiting, in_flight
from tests.test_races import at_once
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scans, today, told

STORE = "Main store"


def everything(country: Country, helmets: int = 100) -> list[dict[str, Any]]:
    return [*scans(*RIFLES), {"item": str(country.helmets().item_id), "quantity": helmets}]


def changed(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    asked = {"account": STORE, "received_by": "A-1001", **request, "lines": list(lines)}
    return country.do_with_approval("clerk", "commander", CHANGE_CUSTODIAN, **asked)


def custodian(country: Country, account: str = STORE) -> str | None:
    with transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection:
        (shown,) = search_accounts(connection, today(), country.sites["TAJI"].site_id, text=account).rows
    return shown.custodian


def signed(country: Country, posted: Posted) -> dict[str, str]:
    rows = country.query(
        "SELECT part, p.code FROM signatory JOIN party p USING (party_id) WHERE document_id = %s", posted.document_id
    )
    return dict(rows)  # type: ignore[arg-type]


def test_a_store_is_handed_over_rifle_by_rifle(country: Country) -> None:
    """Nothing moves; every rifle and the helmets have an entry; both stand on the paper; then Petrov answers, then Quist."""
    posted = changed(country, *everything(country))
    assert (posted.act, posted.lines, posted.quantity, posted.discrepancy_count) == ("change custodian", 11, 110, 0)
    assert (country.where(RIFLES[0]), country.item(RIFLES[0]).version) == (STORE, 2)
    assert country.helmets().holdings[country.item(RIFLES[0]).where.account_id][1] == 100
    assert custodian(country) == "Private Petrov (A-1001)"
    parts = {"posted_by": "T-1", "approved_by": "C-1", "received_by": "A-1001", "handed_over_by": "R-1"}
    assert signed(country, posted) == parts
    again = changed(country, *everything(country), received_by="A-1002", handed_over_by="A-1001")
    assert signed(country, again)["handed_over_by"] == "A-1001"
    assert custodian(country) == "Private Quist (A-1002)"


def test_a_list_that_is_not_the_account_s_is_refused_weapon_by_weapon(country: Country) -> None:
    """One rifle missing from it, one too much, a helmet short; the draft is refused at once, and nobody else answers."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    lines = [*scans(*RIFLES[:9], "NO SUCH"), {"item": str(country.helmets().item_id), "quantity": 99}]
    refusal = country.refused("clerk", CHANGE_CUSTODIAN, account=STORE, received_by="A-1001", lines=lines)
    assert told(refusal) == [
        (RIFLES[0], f"too much: it is not on {STORE}", "Private Petrov (A-1001) (person)"),
        ("NO SUCH", "unknown: nothing in the books bears this number", None),
        (str(country.helmets().item_id), f"100 on {STORE} in the books, 99 counted", f"100 at {STORE} (store)"),
        (f"AKM {RIFLES[9]}", "missing: it is not on the list", f"{STORE} (store)"),
    ]
    assert "3 line(s) cannot be, and 1 of Main store are not on it" in refusal.detail
    refusal = country.refused("clerk", CHANGE_CUSTODIAN, account=STORE, received_by="A-1001", lines=scans(*RIFLES[1:]))
    assert told(refusal) == [("Helmet", "missing: it is not on the list", f"{STORE} (store)")]
    assert custodian(country) == "Rana Registrar (R-1)"


def test_what_changes_before_the_approval_is_found_by_it(country: Country) -> None:
    """The draft fitted; then a rifle came in. The approval is refused, and names it."""
    asked = {"account": STORE, "received_by": "A-1001", "lines": everything(country)}
    draft = country.ask("clerk", CHANGE_CUSTODIAN, **asked)
    country.do("clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "N 1"}])
    with pytest.raises(Refused) as refusal:
        country.approve("commander", draft)
    assert [reason[0] for reason in told(refusal.value)] == ["AKM N 1"]


def test_what_comes_in_while_it_is_approved_is_on_it_or_after_it(country: Country) -> None:
    """A receipt that has its number and is not committed: the approval waits for it, and then names the new rifle."""
    draft = country.ask("clerk", CHANGE_CUSTODIAN, account=STORE, received_by="A-1001", lines=everything(country))
    new = [{"model": "AKM", "serial_number": "N 1"}]
    with in_flight(country, "second clerk", RECEIVE, store=STORE, lines=new):
        approving = Waiting(lambda: country.approve("commander", draft))
        assert approving.waits(), "it did not wait for the counter"
    refusal = approving.answer()
    assert isinstance(refusal, Refused), refusal
    assert [reason[0] for reason in told(refusal)] == ["AKM N 1"]


def test_a_site_that_does_not_come_to_rest_is_told_so_while_one_waits(country: Country) -> None:
    """A long list is being posted: the commander is told within seconds to let the counters pause, and approves after it."""
    draft = country.ask("clerk", CHANGE_CUSTODIAN, account=STORE, received_by="A-1001", lines=everything(country))
    new = [{"model": "AKM", "serial_number": "N 1"}]
    with in_flight(country, "second clerk", RECEIVE, store="Quarantine", lines=new):
        begun = monotonic()
        with pytest.raises(DatabaseUnavailable, match="let them pause for a moment, and try again"):
            country.approve("commander", draft)
        assert monotonic() - begun < 20
    assert country.approve("commander", draft).lines == 11


def test_closing_the_books_leaves_how_long_the_caller_waits_for_locks(country: Country) -> None:
    site = country.sites["TAJI"]
    with transaction(country.engine, roles.POSTER, site.site_id) as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '7s'")
        close_books(connection, site)
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "7s"


def test_two_changes_at_once_are_one_after_the_other(country: Country) -> None:
    """Two take the store over at one moment: it goes to the one, and from him to the other."""
    drafts = [
        country.ask("clerk", CHANGE_CUSTODIAN, account=STORE, received_by=taker, lines=everything(country))
        for taker in ("A-1001", "A-1002")
    ]
    answers = at_once([lambda draft=draft: country.approve("commander", draft) for draft in drafts])  # type: ignore[misc]
    assert [type(answer) for answer in answers] == [Posted, Posted], answers
    first, last = sorted(answers, key=lambda posted: posted.recorded_at)
    assert signed(country, last)["handed_over_by"] == signed(country, first)["received_by"]
    assert f"({signed(country, last)['received_by']})" in (custodian(country) or "")


def test_who_hands_over_and_who_takes_over(country: Country) -> None:
    """Somebody else answers for it; the same person twice; a number nobody has; no such account."""
    asked = {"account": STORE, "received_by": "A-1001", "lines": everything(country)}
    refusal = country.refused("clerk", CHANGE_CUSTODIAN, **asked, handed_over_by="A-1002")
    assert "answers for Main store, and A-1002 hands it over" in refusal.detail
    changed(country, *everything(country))
    assert "from the same person" in country.refused("clerk", CHANGE_CUSTODIAN, **asked).detail
    assert country.invalid("clerk", CHANGE_CUSTODIAN, **{**asked, "received_by": "E-1"})[0][:2] == (
        "received_by",
        "E-1",
    )
    wrong = country.invalid("clerk", CHANGE_CUSTODIAN, **{**asked, "account": "Attic"})
    assert wrong == [("account", "Attic", "neither a store or unit of TAJI, nor 'maintenance'")]
    with pytest.raises(NotAllowed):
        country.ask("erbil clerk", CHANGE_CUSTODIAN, **asked, site="TAJI")
    with pytest.raises(NotAllowed):
        country.ask("registrar", CHANGE_CUSTODIAN, **asked, site="TAJI")


def test_a_unit_s_account_and_the_workshop(country: Country) -> None:
    """A unit by its code, the workshop by its name; what the unit's people hold is theirs."""
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store=STORE, lines=scans(*RIFLES[:2]))
    country.do("clerk", ISSUE, receiver="A-1002", store=STORE, lines=scans(RIFLES[2]))
    country.do("clerk", MAINTAIN, work="Rust", lines=scans(RIFLES[3]))
    changed(country, *scans(*RIFLES[:2]), account="1COY", received_by="A-1002")
    changed(country, *scans(RIFLES[3]), account="Maintenance", received_by="A-1003")
    assert (custodian(country, "1st Company"), custodian(country, "maintenance")) == (
        "Private Quist (A-1002)", "Private Rahim (A-1003)",
    )  # fmt: skip


def test_the_list_comes_as_a_file(country: Country) -> None:
    """A column of serial numbers, and the helmets typed with their number."""
    country.do(
        "clerk",
        ISSUE,
        receiver="A-1001",
        store=STORE,
        lines=[{"item": str(country.helmets().item_id), "quantity": 100}],
    )
    stored = file_store().keep([b"serial\n", *(f"{serial}\n".encode() for serial in RIFLES)], 10_000)
    asked = {"account": STORE, "received_by": "A-1001", "file": {"sha256": stored.sha256, "name": "inventory.csv"}}
    posted = country.do_with_approval("clerk", "commander", CHANGE_CUSTODIAN, **asked)
    assert posted.lines == 10


def test_an_inventory_on_paper_is_a_fact(country: Country) -> None:
    """A rifle is missing from it, one is a soldier's, one nobody knows, helmets are short. Nothing moves, and all of
    it is told.
    """
    country.do("clerk", ISSUE, receiver="A-1002", store=STORE, lines=scans(RIFLES[0]))
    lines = [*scans(*RIFLES[:9], "NEW 1"), {"item": str(country.helmets().item_id), "quantity": 98}]
    posted = country.do(
        "clerk", CHANGE_CUSTODIAN, account=STORE, received_by="A-1001", lines=lines, paper=paper(1, ago())
    )
    assert (country.where(RIFLES[0]), country.where(RIFLES[1])) == ("Private Quist (A-1002)", STORE)
    assert kinds(posted) == ["held elsewhere", "second party missing", "shortage", "shortage", "unknown weapon"]


def test_an_inventory_taken_back_gives_the_account_back(country: Country) -> None:
    """Petrov took the store over, and Quist from him. Quist's is taken back but for the helmets, and stands; then the whole of it, and
    Petrov answers; then Petrov's, and the registrar does. He takes over anew, and undoes it himself.
    """
    first = changed(country, *everything(country))
    second = changed(country, *everything(country), received_by="A-1002")
    wrong = {"reason": "miscounted", "document": second.document_id}
    country.do_with_approval("clerk", "commander", CORRECT, **wrong, lines=scans(*RIFLES))
    assert custodian(country) == "Private Quist (A-1002)"
    country.do_with_approval("clerk", "commander", CORRECT, **wrong, lines=[{"model": HELMET, "quantity": 100}])
    assert custodian(country) == "Private Petrov (A-1001)"
    country.do_with_approval("clerk", "commander", CORRECT, **{**wrong, "document": first.document_id})
    assert custodian(country) == "Rana Registrar (R-1)"
    again = changed(country, *everything(country))
    assert signed(country, again)["handed_over_by"] == "R-1"
    country.do("clerk", UNDO, document=again.document_id)
    assert custodian(country) == "Rana Registrar (R-1)"


def test_inventories_taken_back_from_the_first_on(country: Country) -> None:
    """Of helmets alone any may be the first. While a later one stands it says who answers; and whom a registrar named since stays."""
    helmets = {"model": HELMET, "quantity": 20}
    country.do("clerk", RECEIVE, store="Quarantine", lines=[helmets])
    asked = {"account": "Quarantine"}
    first = changed(country, helmets, **asked, received_by="A-1001")
    second = changed(country, helmets, **asked, received_by="A-1002")
    third = changed(country, helmets, **asked, received_by="A-1001")
    for posted, answers in ((first, "Private Petrov (A-1001)"), (second, "Private Petrov (A-1001)")):
        country.do_with_approval("clerk", "commander", CORRECT, document=posted.document_id, reason="miscounted")
        assert custodian(country, "Quarantine") == answers
    country.do_with_approval("clerk", "commander", CORRECT, document=third.document_id, reason="miscounted")
    assert custodian(country, "Quarantine") == "Rana Registrar (R-1)"
    fourth = changed(country, helmets, **asked, received_by="A-1001")
    account = country.query("SELECT account_id FROM account WHERE name = 'Quarantine'")[0][0]
    with transaction(country.engine, roles.REGISTRAR) as connection:
        set_custodian(connection, account, country.parties["A-1003"])
    country.do_with_approval("clerk", "commander", CORRECT, document=fourth.document_id, reason="miscounted")
    assert custodian(country, "Quarantine") == "Private Rahim (A-1003)"


def test_one_clerk_alone_appoints_nobody(country: Country) -> None:
    """A paper that lists one rifle of ten, or all that is there: kept as a fact, and the registrar answers as before, until she
    names Petrov; a change by two people takes it from there.
    """
    for number, lines in enumerate((scans(RIFLES[0]), everything(country)), 1):
        sheet = paper(number, ago(), precision=Precision.SECOND)
        asked = {"account": STORE, "received_by": "A-1001", "lines": lines}
        assert "second party missing" in kinds(country.do("clerk", CHANGE_CUSTODIAN, **asked, paper=sheet))
        assert custodian(country) == "Rana Registrar (R-1)"
    with transaction(country.engine, roles.REGISTRAR) as connection:
        set_custodian(connection, country.item(RIFLES[0]).where.account_id, country.parties["A-1001"])
    assert custodian(country) == "Private Petrov (A-1001)"
    posted = changed(country, *everything(country), received_by="A-1002")
    assert signed(country, posted)["handed_over_by"] == "A-1001"
    assert custodian(country) == "Private Quist (A-1002)"


def test_a_late_paper_leaves_what_came_after_it(country: Country) -> None:
    """Counted in the store an hour ago, keyed after the rifle went out: it stayed in the store then, and is with Petrov now;
    and who answered for the store still does.
    """
    stored = [*everything(country)]
    country.do(
        "clerk",
        RECEIVE,
        store="Quarantine",
        lines=[{"model": "AKM", "serial_number": "Q 1"}],
        paper=paper(1, ago(hours=9)),
    )
    country.do("clerk", ISSUE, receiver="A-1001", store="Quarantine", lines=scans("Q 1"), paper=paper(2, ago(hours=1)))
    changed(country, *stored, received_by="A-1003")
    late = {"account": "Quarantine", "received_by": "A-1002", "lines": scans("Q 1")}
    posted = country.do("clerk", CHANGE_CUSTODIAN, **late, paper=paper(3, ago(hours=3)))
    assert kinds(posted) == ["second party missing"]
    assert country.where("Q 1") == "Private Petrov (A-1001)"
    assert custodian(country, "Quarantine") == "Rana Registrar (R-1)"
    assert custodian(country) == "Private Rahim (A-1003)"
    country.do("clerk", RETURN, store="Quarantine", lines=scans("Q 1"))
    assert country.where("Q 1") == "Quarantine"
