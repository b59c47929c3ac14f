"""Overrun: the depot fell, and its document is the list of what was inside. Who posts at the same moment is in it, or is
told; who turns up later with a weapon in hand is found present.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from stockpile import jobs
from stockpile.acts.declare import DECLARE
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted, now
from stockpile.errors import NotAllowed, Refused
from stockpile.reports.documents import list_lines, read_document
from stockpile.rights import reading
from tests.in_flight import Waiting, in_flight
from tests.test_races import a_busy_clerk, asking, at_once, clerk
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

STORE = "Main store"
FELL: dict[str, Any] = {"circumstances": "attacked at night, the garrison withdrew to the bridge"}
PRESENT: dict[str, Any] = {"place": "the bridge", "found_by": "the rear guard"}


def fell(country: Country, who: str = "commander", **request: Any) -> Posted:
    return country.do(who, OVERRUN, **{**FELL, **request})


def details(country: Country, posted: Posted) -> dict[str, Any]:
    ((found,),) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    return dict(found)


def held_at(country: Country, posted: Posted) -> list[tuple[Any, ...]]:
    """What the site's accounts held when the document was recorded, by all that was recorded until then."""
    return country.query(
        """SELECT a.class, a.name, sum(leg.quantity) FROM (
               SELECT to_account AS account_id, quantity, recorded_at FROM entry
               UNION ALL SELECT from_account, -quantity, recorded_at FROM entry) leg
           JOIN account a USING (account_id)
           WHERE a.site_id = %s AND a.class IN ('store', 'unit', 'person', 'maintenance') AND leg.recorded_at <= %s
           GROUP BY 1, 2 HAVING sum(leg.quantity) <> 0""",
        country.sites["TAJI"].site_id, posted.recorded_at,
    )  # fmt: skip


def test_everything_a_site_held_is_missing(country: Country) -> None:
    """Store, soldier, company, workshop, helmets: one document, its lines the list of what was inside and with whom. Another
    site's rifle, and what was missing before, are not in it; a clerk who comes after is told.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store=STORE, lines=scans(RIFLES[1]))
    country.do("clerk", MAINTAIN, work="Rust", lines=scans(RIFLES[2]))
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLES[3]))
    helmets = {"item": str(country.helmets().item_id), "quantity": 30}
    country.do("clerk", ISSUE, receiver="A-1002", store=STORE, lines=[helmets])
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    posted = fell(country, reported_by="C-1")
    assert (posted.act, posted.fact, posted.lines, posted.quantity) == ("overrun", False, 11, 109)
    assert {country.where(serial) for serial in RIFLES} == {"missing"}
    assert country.where("E 1", "ERBIL") == STORE
    assert held_at(country, posted) == []
    with reading(country.engine, country.actors["auditor"]) as connection:
        lines = list_lines(connection, country.actors["auditor"], posted.document_id).rows
        shown = read_document(connection, country.actors["auditor"], posted.document_id)
    inside = {(line.serial_number or line.model, line.from_account, line.quantity) for line in lines}
    assert {
        (RIFLES[0], "Private Petrov (A-1001)", 1), (RIFLES[1], "1st Company", 1), (RIFLES[2], "maintenance", 1),
        (RIFLES[4], STORE, 1), ("Helmet", STORE, 70), ("Helmet", "Private Quist (A-1002)", 30),
    } <= inside  # fmt: skip
    assert shown.details == {"paper": "loss report", "called": "overrun", **FELL}
    assert shown.signatories["reported_by"] == "Major Carim Commander (C-1)"
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[4]))
    assert told(refusal) == [(RIFLES[4], "it is reported missing: the act 'issue' does not begin there", "missing")]


def test_who_may_say_that_a_site_fell(country: Country) -> None:
    """Its commander, or the registrar who names it; no clerk, no auditor, no commander of another site."""
    for who in ("clerk", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            fell(country, who)
    with pytest.raises(NotAllowed):
        fell(country, "commander", site="ERBIL")
    posted = fell(country, "registrar", site="TAJI")
    assert posted.number.startswith("TAJI/REG/")
    assert country.where(RIFLES[0]) == "missing"


def test_nothing_is_left_to_fall(country: Country) -> None:
    """A second overrun, and one as of a moment when nothing was there, are refused; one in the future is a mistake."""
    assert "held nothing at" in country.refused("commander", OVERRUN, **FELL, moment=ago(days=900)).detail
    future = (now() + timedelta(hours=1)).isoformat()
    assert country.invalid("commander", OVERRUN, **FELL, moment=future)[0][0] == "moment"
    with pytest.raises(ValidationError, match="either moment or paper"):
        country.ask("commander", OVERRUN, **FELL, moment=ago(hours=1), paper=paper(1, ago()))
    with pytest.raises(ValidationError):
        country.ask("commander", OVERRUN)
    fell(country)
    assert "held nothing" in country.refused("commander", OVERRUN, **FELL).detail


def test_as_of_the_moment_it_fell(country: Country) -> None:
    """It fell two hours ago, and is told now. What was issued since comes again after it, with a discrepancy; what was handed on
    since was inside all the same; what came in since was not.
    """
    old = [{"model": "AKM", "serial_number": f"OLD {n}"} for n in range(3)]
    country.do("clerk", RECEIVE, store=STORE, lines=old, paper=paper(1, ago(hours=5)))
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans("OLD 1"), paper=paper(2, ago(hours=4)))
    country.do(
        "clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans("OLD 1"), paper=paper(3, ago(hours=1))
    )
    country.do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans("OLD 2"), paper=paper(4, ago(hours=1)))
    posted = fell(country, moment=ago(hours=2))
    assert posted.fact
    assert [country.where(serial) for serial in ("OLD 0", "OLD 1", "OLD 2", RIFLES[0])] == [
        "missing", "Private Quist (A-1002)", "Private Rahim (A-1003)", STORE,
    ]  # fmt: skip
    assert kinds(posted) == ["found what the books hold as gone"] * 2
    taken = country.query(
        """SELECT n.serial_number, f.name FROM entry e JOIN identification n USING (item_id)
           JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
           WHERE e.document_id = %s AND t.class = 'missing' AND e.reverses IS NULL ORDER BY 1""",
        posted.document_id,
    )
    assert taken == [("OLD 0", STORE), ("OLD 1", "Private Petrov (A-1001)"), ("OLD 2", STORE)]


def test_helmets_fall_as_many_as_were_there_and_are_there_still(country: Country) -> None:
    """Of forty that came three hours ago ten went out since: thirty are missing, ten are with the soldier, none from nowhere."""
    early = [{"model": "Body armour", "quantity": 40}]
    country.do("clerk", RECEIVE, store=STORE, lines=early, paper=paper(1, ago(hours=3)))
    ((item,),) = country.query("SELECT item_id FROM item JOIN model USING (model_id) WHERE name = 'Body armour'")
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"item": str(item), "quantity": 10}])
    posted = fell(country, moment=ago(hours=1))
    held = "SELECT a.name, h.quantity FROM holding h JOIN account a USING (account_id) WHERE h.item_id = %s ORDER BY 1"
    assert country.query(held, item) == [("Private Petrov (A-1001)", 10), ("missing", 30)]
    assert (posted.quantity, posted.discrepancy_count) == (30, 0)


def test_an_overrun_is_keyed_from_paper(country: Country) -> None:
    """The paper says when; it is its own number, and nobody is refused for not being known."""
    posted = fell(country, paper=paper(7, ago()), reported_by="X-9")
    assert (posted.fact, posted.number.split("/")[1::2]) == (True, ["PAPER", "7"])
    assert kinds(posted) == ["person unknown"]
    assert country.where(RIFLES[0]) == "missing"


def test_a_donor_sees_what_of_its_own_fell(country: Country) -> None:
    """Two of twelve rifles are the USA's: it reads a document of two lines, and no account's name."""
    lines = [{"model": "M4", "serial_number": f"US {n}"} for n in (1, 2)]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    country.do("clerk", RECEIVE, store=STORE, donor="USA", consignment="FMS-1", lines=lines)
    posted = fell(country)
    with reading(country.engine, country.actors["USA"]) as connection:
        shown = read_document(connection, country.actors["USA"], posted.document_id)
    assert (shown.document.lines, {line.serial_number for line in shown.lines}) == (2, {"US 1", "US 2"})
    assert {(line.to_class, line.from_account) for line in shown.lines} == {("missing", None)}
    assert shown.details == {}


def test_who_turns_up_with_his_rifle_is_found_present(country: Country) -> None:
    """Petrov has his still, and keeps it; the rear guard brings one into a store; the papers say so. What was missing
    before the depot fell was not present.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLES[9]))
    fell(country)
    kept = country.do("clerk", RECOVER, **PRESENT, holder="A-1001", lines=scans(RIFLES[0]))
    assert (country.where(RIFLES[0]), kept.fact, kept.discrepancy_count) == ("Private Petrov (A-1001)", False, 0)
    assert details(country, kept)["finding"] == "later found present"
    signed = country.query(
        "SELECT part, p.code FROM signatory JOIN party p USING (party_id) WHERE document_id = %s ORDER BY part",
        kept.document_id,
    )
    assert signed == [("posted_by", "T-1"), ("received_by", "A-1001")]
    brought = country.do("clerk", RECOVER, **PRESENT, store="Quarantine", lines=scans(RIFLES[9], RIFLES[1]))
    assert country.where(RIFLES[1]) == "Quarantine"
    assert details(country, brought)["found_present_on_lines"] == [2]
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLES[1]))
    again = country.do("clerk", RECOVER, **PRESENT, store=STORE, lines=scans(RIFLES[1]))
    assert "finding" not in details(country, again)


def test_a_rifle_goes_back_only_to_who_had_it(country: Country) -> None:
    """Another soldier, a rifle from the store, a store and a holder at once: refused; in hand it is a fact and told."""
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store=STORE, lines=scans(RIFLES[0]))
    fell(country)
    refusal = country.refused("clerk", RECOVER, **PRESENT, holder="A-1002", lines=scans(*RIFLES[:2]))
    assert [reason for _, reason, _ in told(refusal)] == [
        "1st Company had it, not Private Quist (A-1002): take it into a store",
        "Main store had it, not Private Quist (A-1002): take it into a store",
    ]
    both = country.invalid("clerk", RECOVER, **PRESENT, holder="1COY", store=STORE, lines=scans(RIFLES[0]))
    assert both == [("holder", None, "give one of store and holder")]
    assert country.invalid("clerk", RECOVER, **PRESENT, holder="X-9", lines=scans(RIFLES[0]))[0][:2] == (
        "holder",
        "X-9",
    )
    back = country.do("clerk", RECOVER, **PRESENT, holder="1COY", lines=scans(RIFLES[0]))
    assert (country.where(RIFLES[0]), back.discrepancy_count) == ("1st Company", 0)
    odd = country.do("clerk", RECOVER, **PRESENT, holder="A-1002", in_hand=True, lines=scans(RIFLES[1]))
    assert (country.where(RIFLES[1]), kinds(odd)) == ("Private Quist (A-1002)", ["held elsewhere"])


def test_what_is_under_way_when_it_falls_is_in_it(country: Country) -> None:
    """An issue, a receipt of new rifles, and one on the first paper of a new book are done and not committed: the overrun
    waits for each and takes it.
    """
    new = [{"model": "AKM", "serial_number": "NEW 1"}]
    first_paper = {"lines": [{"model": "AKM", "serial_number": "NEW 2"}], "paper": paper(1, ago(), book="FRESH")}
    with (
        in_flight(country, "clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0])),
        in_flight(country, "second clerk", RECEIVE, store=STORE, lines=new),
        in_flight(country, "commander", RECEIVE, store=STORE, **first_paper),
    ):
        falling = Waiting(lambda: fell(country, "registrar", site="TAJI"))
        assert falling.waits(), "it did not wait for the counters"
    posted = falling.answer()
    assert isinstance(posted, Posted), posted
    assert {country.where(serial) for serial in (*RIFLES, "NEW 1", "NEW 2")} == {"missing"}
    assert held_at(country, posted) == []


def test_a_first_paper_alone_is_waited_for(country: Country) -> None:
    """Its book has no row yet that anybody could lock."""
    first_paper = {"lines": [{"model": "AKM", "serial_number": "NEW 2"}], "paper": paper(1, ago(), book="FRESH")}
    with in_flight(country, "clerk", RECEIVE, store=STORE, **first_paper):
        falling = Waiting(lambda: fell(country))
        assert falling.waits(), "it did not wait for the paper"
    assert isinstance(falling.answer(), Posted)
    assert country.where("NEW 2") == "missing"


def test_who_comes_after_waits_and_is_told(country: Country) -> None:
    """While the overrun is posted a clerk issues a rifle of the store, and another takes a new one in: the first is told that it
    is missing, the second's rifle comes after it, and stays.
    """
    new = [{"model": "AKM", "serial_number": "NEW 1"}]
    with in_flight(country, "commander", OVERRUN, **FELL):
        issuing = Waiting(lambda: country.ask("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0])))
        receiving = Waiting(lambda: country.do("second clerk", RECEIVE, store=STORE, lines=new))
        assert issuing.waits()
        assert receiving.waits()
    refusal, received = issuing.answer(), receiving.answer()
    assert isinstance(refusal, Refused), refusal
    assert told(refusal)[0][1] == "it is reported missing: the act 'issue' does not begin there"
    ((fell_at,),) = country.query("SELECT recorded_at FROM document WHERE act = 'overrun'")
    assert received.recorded_at > fell_at
    assert country.where("NEW 1") == STORE


@pytest.mark.parametrize("round_", range(3))
def test_a_depot_falls_while_its_clerks_work(country: Country, round_: int) -> None:
    """Eight clerks issue, take back and receive as fast as they can when the commander says that the depot fell. Nobody meets
    an error of the database, nobody waits for ever, and when it fell nothing was left on any account of the site.
    """
    tasks = []
    for number in range(8):
        rifle = RIFLES[number]
        requests = []
        for turn in range(4):
            new = [{"model": "AKM", "serial_number": f"N {number} {turn}"}]
            for form, asked in (
                (ISSUE, {"receiver": "A-1001", "store": STORE, "lines": scans(rifle, RIFLES[9 - number % 3])}),
                (RECEIVE, {"store": STORE, "lines": new}),
                (RETURN, {"store": STORE, "lines": scans(rifle)}),
            ):
                requests.append((form, form.request.model_validate(asked)))
        tasks.append(lambda number=number, requests=requests: a_busy_clerk(country, clerk(number), requests))
    falling = asking(country, "commander", OVERRUN, OVERRUN.request.model_validate(FELL))
    *clerks, posted = at_once([*tasks, falling])
    assert isinstance(posted, Posted), posted
    assert {type(answer) for answers in clerks for answer in answers} <= {Posted, Refused}, clerks
    assert held_at(country, posted) == []
    assert country.query("SELECT count(*) FROM entry WHERE document_id = %s", posted.document_id)[0][0] >= 10


def test_two_who_say_it_at_once(country: Country) -> None:
    """The commander and the registrar: one document, and the other is told that nothing is left."""
    requests = [("commander", FELL), ("registrar", {**FELL, "site": "TAJI"})]
    answers = at_once([asking(country, who, OVERRUN, OVERRUN.request.model_validate(asked)) for who, asked in requests])
    assert sorted(type(answer).__name__ for answer in answers) == ["Posted", "Refused"], answers


def test_a_large_depot_s_overrun_is_a_job(country: Country) -> None:
    """Posted in the background: the job names the document in the end."""
    request = OVERRUN.request.model_validate({"circumstances": "attacked at night"})
    job = jobs.start(country.engine, country.actors["commander"], OVERRUN, request)
    for _ in range(600):
        job = jobs.read(country.engine, country.actors["commander"], job.job_id)
        if job.ended_at is not None:
            break
        time.sleep(0.05)
    assert job.state == "done"
    assert job.result is not None
    assert job.result["posted"]["act"] == "overrun"
    assert country.where(RIFLES[0]) == "missing"
