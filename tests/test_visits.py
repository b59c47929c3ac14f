"""A donor's inspectors come and read serial numbers: what the ledger has otherwise is named, to the weapon, though
counters go on issuing. A refused visit is an alarm; another donor learns of none of it.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.donors.plans import MonitoringPlan, keep_plan
from stockpile.donors.visits import AnswerVisit, answer_visit
from stockpile.errors import Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.log import beginning
from stockpile.log.proofs import proof_of_statement
from stockpile.proof.check import check_text
from stockpile.proof.note import Verifier
from stockpile.reports.visits import VisitSought, list_visits
from stockpile.rights import DONOR, Actor, reading
from tests.consigned import stored
from tests.inspecting import found, planned, reported, rows, shown, turned_away, visited
from tests.test_inspections import STINGER, VALUE, arrive, days, due
from tests.test_log import ORIGIN, caught_up
from tests.world import RIFLES, SCAN, Country, scans


def received(country: Country, *serials: str, donor: str = "USA", model: str = STINGER) -> None:
    lines = [{"model": model, "serial_number": serial, "condition": "serviceable"} for serial in serials]
    country.do("clerk", RECEIVE, store="Main store", donor=donor, lines=lines)


def with_france(country: Country) -> Actor:
    """France's officer too."""
    party = country.parties["FRA"].party_id
    country.actors["FRA"] = Actor(party, DONOR, donor_id=party)
    return country.actors["FRA"]


def opened(country: Country) -> list[str]:
    """What is open but for what came without a shipping list."""
    return [kind for kind in country.discrepancies() if kind != "excess"]


def test_an_initial_inventory_on_day_91_counts_as_late(country: Country) -> None:
    """One Stinger is read on the 90th day, one on the 91st: the visits are the inspections, and only the second was late, for good."""
    arrive(country, "S 1", "S 2")
    for number, (serial, day) in enumerate((("S 1", 90), ("S 2", 91)), 1):
        when = f"{days(day)}T12:00:00+03:00"
        visited(country, serial, number=f"EUM-{number}", began_at=when, ended_at=when)
    for who in ("auditor", "USA"):
        report = due(country, days(100), who)
        assert {row.serial_number: (row.first_inspected_on, row.initial_late) for row in report.rows} == {
            "S 1": (days(90), False),
            "S 2": (days(91), True),
        }
        assert (report.delinquent, report.initial_late, report.initial_late_value) == (0, 1, VALUE)
    assert due(country, days(90)).initial_late == 0
    assert due(country, days(91) + timedelta(days=365)).delinquent == 1


def test_a_donor_s_own_plan_comes_before_the_general_one(country: Country) -> None:
    """The USA takes its Stingers within 60 days; France's keep the 90. A registrar changes the general row, and no donor's."""
    with_france(country)
    arrive(country, "S 1")
    arrive(country, "S 2", donor="FRA", number=2)
    plan = {"what": "Stingers", "source": "Letter of offer 7", "flagged": True, "initial_days": 60, "yearly_days": 180}
    usa, registrar = country.actors["USA"], country.actors["registrar"]
    with reading(country.engine, usa) as connection:
        keep_plan(connection, usa, "enhanced", MonitoringPlan.model_validate(plan))
    assert {row.serial_number: row.due_on for row in due(country, days(70)).rows} == {"S 1": days(60), "S 2": days(90)}
    with reading(country.engine, registrar) as connection:
        keep_plan(connection, registrar, "enhanced", MonitoringPlan.model_validate({**plan, "initial_days": 80}))
    assert {row.serial_number: row.due_on for row in due(country, days(70)).rows} == {"S 1": days(60), "S 2": days(80)}
    assert due(country, days(70), "FRA").delinquent == 0
    rifles = {
        **plan,
        "flagged": False,
        "category": country.query("SELECT category FROM model WHERE name = 'AKM'")[0][0],
    }
    received(country, "UA 1", model="AKM")
    with reading(country.engine, usa) as connection:
        keep_plan(connection, usa, "rifles", MonitoringPlan.model_validate(rifles))
    assert {row.serial_number for row in due(country, None).rows} == {"S 1", "S 2", "UA 1"}
    with pytest.raises(NotAllowed), reading(country.engine, country.actors["clerk"]) as connection:
        keep_plan(connection, country.actors["clerk"], "x", MonitoringPlan.model_validate(plan))


def test_three_planted_differences_are_found_though_a_rifle_moved(country: Country, tmp_path: Path) -> None:
    """Of six missiles one is hidden, one is shown that the books have at ERBIL, and a number of nobody; one leaves after it was read, one
    before anybody read it. The donor proves far away what it said.
    """
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    received(country, "S 1", "S 2", "S 3", "S 4", "S 5", "S 6")
    sent = {"to_site": "ERBIL", "carrier": "2nd Transport", "expected_on": "2099-12-31"}
    country.do("clerk", SHIP, **sent, lines=scans("S 6"))
    began = now()
    read_s4 = now()
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("S 4", "S 5"))
    visit = visited(
        country, "S 1", "s-1", "S 2", ("S 4", read_s4), "S 6", "ZZ 9", store="Main store", complete=True,
        began_at=began.isoformat(), ended_at=now().isoformat(),
    )  # fmt: skip
    differences = [
        ("S 6", "unexpected", "transit", None), ("ZZ 9", "unexpected", None, None), ("S 3", "missing", "store", "TAJI"),
    ]  # fmt: skip
    seen = shown(country, visit.statement_id)
    for who in ("USA", "commander", "registrar", "auditor"):
        told = [(read, finding, stood) for read, finding, stood, _ in found(country, visit.statement_id, who)]
        assert told == [one[:3] for one in differences]
    assert seen.findings == {
        "matched": 3, "missing": 1, "unexpected": 2, "moved meanwhile": 1, "read again": 1
    }  # fmt: skip
    assert opened(country) == ["missing at visit", "unexpected at visit", "unexpected at visit"]
    assert country.where("S 4") != "Main store"
    with reading(country.engine, country.actors["USA"]) as connection:
        kinds = connection.exec_driver_sql(
            "SELECT count(*) FROM discrepancy WHERE kind LIKE '%% at visit'"
        ).scalar_one()
    assert kinds == 3

    answer = AnswerVisit(words="S 3 was lent to the range; it is back.")
    with pytest.raises(NotAllowed):
        answer_visit(country.engine, country.actors["clerk"], visit.statement_id, answer)
    answer_visit(country.engine, country.actors["commander"], visit.statement_id, answer)
    said = shown(country, visit.statement_id).answer
    assert said is not None
    assert said.content == {"words": answer.words}
    with pytest.raises(Refused, match="answered already"):
        answer_visit(country.engine, country.actors["registrar"], visit.statement_id, AnswerVisit(words="No"))

    caught_up(country, signer)
    bundle = proof_of_statement(country.engine, country.actors["USA"], visit.statement_id)
    keys = [Verifier.parse(signer.verifier)]
    assert check_text(bundle.encoded(), keys).ok
    assert not check_text(bundle.encoded().replace("ZZ 9", "ZZ 8", 1), keys).ok


def test_a_refused_visit_is_an_alarm_of_both_sides(country: Country) -> None:
    """Planned, put off, and refused: who refused it and why stands for good; a new number is taken for the next."""
    first = planned(country, planned_on="2026-02-01")
    with reading(country.engine, country.actors["USA"]) as connection:
        (row,) = list_visits(connection, country.actors["USA"], VisitSought(text="reyes")).rows
    assert (row.statement_id, row.state, row.day) == (first.statement_id, "overdue", date(2026, 2, 1))
    again = planned(country)
    with pytest.raises(NotFound):
        shown(country, first.statement_id)
    assert shown(country, again.statement_id, "commander").row.state == "planned"
    with pytest.raises(Invalid) as problem:
        turned_away(country, refused_on="2099-01-01")
    assert [fault.field for fault in problem.value.faults] == ["refused_on"]
    refused = turned_away(country, evidence=[{"sha256": stored(country, "USA", SCAN), "name": "letter.pdf"}])
    assert turned_away(
        country, statement_id=refused.statement_id, evidence=[{"sha256": stored(country, "USA", SCAN), "name": "letter.pdf"}]
    ) == refused  # fmt: skip
    with pytest.raises(PostedWithOtherContent):
        turned_away(country, statement_id=refused.statement_id, why="Another reason")
    with pytest.raises(Refused, match="refused already: take a new number"):
        visited(country)
    assert shown(country, refused.statement_id, "commander").content["refused_by"] == "The duty officer"
    assert opened(country) == ["visit refused"]
    with reading(country.engine, country.actors["USA"]) as connection:
        assert connection.exec_driver_sql("SELECT kind FROM discrepancy").scalars().all() == ["visit refused"]
        assert [one.state for one in list_visits(connection, country.actors["USA"]).rows] == ["refused"]


def test_another_donor_sees_none_of_it(country: Country) -> None:
    """France sent a missile of the same number; the USA's inspector reads it, and a French rifle: nothing tells that they are there. No
    French page tells of the visit, and no list counts it as an inspection.
    """
    france = with_france(country)
    received(country, "S 1", "S 2")
    received(country, "S 1", "FR 7", donor="FRA")
    visit = visited(country, "S 1", "S 2", "FR 7", RIFLES[0])
    assert found(country, visit.statement_id) == [
        ("FR 7", "unexpected", None, None), (RIFLES[0], "unexpected", None, None),
    ]  # fmt: skip
    turned_away(country, number="EUM-2")
    for statement in (visit.statement_id,):
        with pytest.raises(NotFound):
            shown(country, statement, "FRA")
        with pytest.raises(NotFound):
            rows(country, statement, "erbil clerk")
    with reading(country.engine, france) as connection:
        assert list_visits(connection, france).rows == ()
        for table in ("visit_line", "donor_statement"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
        kinds = connection.exec_driver_sql("SELECT kind FROM discrepancy").scalars().all()
    assert not {kind for kind in kinds if "visit" in kind}
    report = due(country, None, "FRA")
    assert {(row.serial_number, row.inspected_on) for row in report.rows} == {("S 1", None), ("FR 7", None)}
    visited(country, "S 1", who="FRA")  # its own number EUM-1
    assert {row.serial_number: row.inspected_on is not None for row in due(country, None, "FRA").rows} == {
        "S 1": True,
        "FR 7": False,
    }


def test_what_a_visit_may_not_say(country: Country) -> None:
    """A time outside it, a store that is none, a file that another stored, a point nobody asked: each is named."""
    with_france(country)
    received(country, "S 1")
    moment = now()
    wrong = (
        ({"lines": [{"scan": "S 1", "read_at": (moment - timedelta(days=2)).isoformat()}]}, "read_at"),
        ({"store": "Cellar"}, "store"),
        ({"evidence": [{"sha256": stored(country, "FRA", SCAN), "name": "x.pdf"}]}, "evidence"),
        ({"physical_security": [{"point": "moat", "found": "yes"}]}, "physical_security"),
        ({"ended_at": (moment + timedelta(days=1)).isoformat()}, "ended_at"),
    )
    for more, field in wrong:
        with pytest.raises(Invalid) as problem:
            visited(country, "S 1", **more)
        assert [fault.field for fault in problem.value.faults] == [field], more
    for who in ("clerk", "auditor", "registrar"):
        with pytest.raises(NotAllowed):
            visited(country, "S 1", who=who)
    assert country.query("SELECT count(*) FROM visit_line") == [(0,)]


def test_a_scan_list_as_a_file(country: Country) -> None:
    """Its rows have their own times; a row that can't be read is named, and nothing is kept until it is mended."""
    received(country, "S 1", "S 2")
    moment = now()
    began, ended = (moment - timedelta(hours=2)), moment
    times = {"began_at": began.isoformat(), "ended_at": ended.isoformat()}

    def listed(content: str) -> dict[str, object]:
        return {"file": {"sha256": stored(country, "USA", content.encode()), "name": "scans.csv"}, "lines": [], **times}

    with pytest.raises(Invalid) as problem:
        visited(country, **listed("Serial No.,Condition\nS 1,serviceable\n,serviceable\n"))
    assert [fault.row for fault in problem.value.faults] == [3]
    visit = visited(country, **listed("Serial No.,Condition\nS 1,serviceable\nS 2,unserviceable\n"))
    assert [(row.read, row.finding, row.condition) for row in rows(country, visit.statement_id)] == [
        ("S 1", "matched", "serviceable"),
        ("S 2", "matched", "unserviceable"),
    ]


def test_a_holder_reports_and_the_ledger_answers(country: Country) -> None:
    """Held is held, though by its soldiers; expended where the books have it with the unit is a discrepancy, and moves nothing."""
    with_france(country)
    received(country, "S 1", "S 2", "S 3")
    received(country, "FR 7", donor="FRA")
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("S 1", "S 2"))
    today = country.sites["TAJI"].local_day(now()).isoformat()
    proof = stored(country, "USA", SCAN)
    report = reported(
        country,
        {"scan": "S 1", "state": "held", "on": today},
        {"scan": "S 2", "state": "expended", "on": today, "evidence": [proof]},
        {"scan": "S 3", "state": "held", "on": today},
        {"scan": "FR 7", "state": "held", "on": today},
        {"scan": "s1", "state": "lost", "on": today},
    )
    assert [(row.read, row.said, row.finding, row.stood) for row in rows(country, report.statement_id)] == [
        ("S 1", "held", "matched", "person"),
        ("S 2", "expended", "differs", "person"),
        ("S 3", "held", "differs", "store"),
        ("FR 7", "held", "unexpected", None),
        ("s1", "lost", "read again", "person"),
    ]
    assert opened(country) == ["reported otherwise by its holder"] * 3
    assert country.item("S 2").where.account_class == "person"
    assert shown(country, report.statement_id, "commander").row.state == "reported"
    with pytest.raises(NotFound):
        shown(country, report.statement_id, "FRA")
    with pytest.raises(NotAllowed):
        reported(country, {"scan": "S 1", "state": "held", "on": today}, who="auditor")
    with pytest.raises(Invalid, match="see the lines"):
        reported(country, {"scan": "S 1", "state": "held", "on": "2099-01-01"}, number="1COY-2")


def test_no_role_writes_what_is_not_its_own(country: Country) -> None:
    """Lines come with their statement: a donor adds none later, and none to another's; no desk speaks as a donor."""
    received(country, "S 1")
    visit = visited(country, "S 1")
    usa, taji = country.parties["USA"].party_id, country.sites["TAJI"].site_id
    insert = "INSERT INTO visit_line (donor_id, statement_id, line, site_id, read, finding) VALUES (%s, %s, 99, %s, 'x', 'matched')"
    for role, site in ((roles.DONOR, None), (roles.POSTER, taji)):
        with (
            pytest.raises(Exception, match="row-level security"),
            transaction(country.engine, role, site, usa) as connection,
        ):
            connection.exec_driver_sql(insert, (usa, visit.statement_id, taji))
    for role, donor in ((roles.DONOR, None), (roles.REGISTRAR, usa)):
        with (
            pytest.raises(Exception, match="row-level security"),
            transaction(country.engine, role, taji, usa) as connection,
        ):
            connection.exec_driver_sql(
                """INSERT INTO monitoring_plan (plan_id, donor_id, code, what, level, flagged, source, unverified, binds)
                   VALUES (gen_random_uuid(), %s, 'x', 'x', 'routine', false, 'x', false, false)""",
                (donor,),
            )
