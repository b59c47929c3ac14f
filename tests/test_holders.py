"""Holders against the roster and the allowances: people who are gone or never were, ghost units, and too much."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from stockpile import parties
from stockpile.acts.issue import ISSUE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted, now
from stockpile.errors import NotAllowed, NotFound
from stockpile.parties import Left
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.holders import Doubt, HolderRow, Holders, HoldersSought, doubtful_holders, weapons_of_holder
from stockpile.roster_changes import Kind
from tests.reading import asked_by, declared_and_received
from tests.rosters import COMPANY, imported, listed
from tests.test_allowances import allowed
from tests.world import HELMET, RIFLES, SINCE, Country, ago, paper, scans, today


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))


def of(country: Country, who: str = "auditor", at: AsOf = NOW, head: int | None = None, **sought: Any) -> Holders:
    return asked_by(country, who, doubtful_holders, HoldersSought(**sought), at, head)


def told(found: Holders) -> list[tuple[str, str | None, int]]:
    return sorted((row.doubt, row.holder, row.quantity) for row in found.rows)


def row_of(found: Holders, doubt: Doubt) -> HolderRow:
    (row,) = [row for row in found.rows if row.doubt == doubt]
    return row


def behind(country: Country, row: HolderRow, at: AsOf = NOW, **sought: Any) -> int:
    """How many pieces the rows behind a line's number are."""
    unit = None if row.account_id else row.unit
    wanted = HoldersSought(**{**sought, "model": row.model or sought.get("model")})
    return asked_by(country, "auditor", weapons_of_holder, row.account_id, unit, wanted, at).quantity


def issued(country: Country, to: str, *serials: str, number: int = 0, **more: Any) -> Posted:
    by = {"paper": paper(number, now())} if number else {}
    return country.do("clerk", ISSUE, receiver=to, store="Main store", lines=scans(*serials), **by, **more)


def test_who_is_gone_never_was_and_nobody_knows(country: Country) -> None:
    """A private on the roster is no doubt; a leaver, one who belongs to no unit and a stranger are; what comes back clears them."""
    issued(country, "A-1001", RIFLES[0])
    issued(country, "A-1009", RIFLES[1], number=1)
    issued(country, "T-2", RIFLES[2], RIFLES[3], number=2)
    issued(country, "X-77", RIFLES[4], number=3)
    before = now()
    found = of(country)
    assert told(found) == [
        (Doubt.GONE, "Private Leaver (A-1009)", 1),
        (Doubt.UNIDENTIFIED, "unidentified person at TAJI (UNIDENTIFIED-TAJI)", 1),
        (Doubt.NOT_ON_ROSTER, "Corporal Tara Clerk (T-2)", 2),
    ]  # fmt: skip
    gone = row_of(found, Doubt.GONE)
    days = (today() - date(2024, 6, 30)).days
    assert gone.reason == f"left the roster on 2024-06-30, {days:,} days before"
    assert (gone.site, gone.party_id) == ("TAJI", country.parties["A-1009"].party_id)
    assert found.rows[0].doubt == Doubt.NOT_ON_ROSTER
    assert (found.holders, found.quantity, found.by_doubt["gone from the roster"]) == (3, 4, 1)
    country.do("clerk", RETURN, store="Main store", lines=[{"scan": RIFLES[1], "condition": "serviceable"}])
    assert of(country).by_doubt["gone from the roster"] == 0
    for at in (AsOf(happened_at=before), AsOf(recorded_at=before), AsOf(before, before)):
        assert told(of(country, at=at)) == told(found)
        assert told(of(country, "clerk", at)) == told(found)
        for row in found.rows:
            assert behind(country, row, at) == row.quantity, row
    assert of(country, at=AsOf(recorded_at=ago(minutes=2))).holders == 0
    assert [row.doubt for row in of(country, doubt=Doubt.GONE, at=AsOf(before)).rows] == [Doubt.GONE]


def test_a_soldier_leaves_tomorrow_and_is_gone_then(country: Country) -> None:
    """The roster is that of the day: who left yesterday was there the day before, and is gone now."""
    issued(country, "A-1001", RIFLES[0], number=1)
    assert of(country).holders == 0
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.end_assignments(connection, country.parties["A-1001"].party_id, today() - timedelta(days=1))
    assert told(of(country)) == [(Doubt.GONE, "Private Petrov (A-1001)", 1)]


def test_the_dead_are_told_apart_from_the_gone(country: Country) -> None:
    """Petrov fell and Quist deserted with their rifles, Rahim moved on without a word: each line says what the roster said."""
    for n, soldier in enumerate(("A-1001", "A-1002", "A-1003")):
        issued(country, soldier, RIFLES[n], number=n + 1)
    heading = "Service No,Name,Rank,Unit code,Duty status"
    roster = listed(
        "A-1001,Petrov,Private,1COY,KIA", "A-1002,Quist,Private,1COY,deserted", "A-1004,Sami,Private,1COY,on leave",
        heading=heading,
    )  # fmt: skip
    done = imported(country, roster)
    assert {(change.service_number, change.because) for change in done.changes if change.kind is Kind.GONE} == {
        ("A-1001", Left.DIED), ("A-1002", Left.DESERTED), ("A-1003", None),
    }  # fmt: skip
    found = of(country)
    assert sorted(told(found)) == [
        (Doubt.DEAD, "Private Petrov (A-1001)", 1),
        (Doubt.GONE, "Private Quist (A-1002)", 1),
        (Doubt.GONE, "Private Rahim (A-1003)", 1),
    ]  # fmt: skip
    reasons = {row.holder: row.reason for row in found.rows}
    assert reasons["Private Petrov (A-1001)"].startswith("died: on the roster until")
    assert reasons["Private Quist (A-1002)"].startswith("deserted: left the roster on")
    assert reasons["Private Rahim (A-1003)"].startswith("left the roster on")
    assert (found.by_doubt["dead"], found.by_doubt["gone from the roster"]) == (1, 2)


def test_a_later_roster_says_why(country: Country) -> None:
    """Who had only left turns out to have died; whoever comes back alive is no doubt any more."""
    issued(country, "A-1001", RIFLES[0], number=1)
    imported(country, listed(*COMPANY[1:]))
    assert told(of(country)) == [(Doubt.GONE, "Private Petrov (A-1001)", 1)]
    heading = "Service No,Name,Rank,Unit code,Reason for leaving"
    fallen = listed("A-1001,Petrov,Private,1COY,died of wounds", *(f"{row}," for row in COMPANY[1:]), heading=heading)
    (change,) = imported(country, fallen).changes
    assert (change.kind, change.because) == (Kind.CHANGED, Left.DIED)
    assert told(of(country)) == [(Doubt.DEAD, "Private Petrov (A-1001)", 1)]
    assert imported(country, fallen).changes == ()
    imported(country, listed(*COMPANY))
    assert told(of(country)) == []


def second_company(country: Country, people: int = 0) -> parties.Party:
    """A unit at TAJI with so many people, and a drawer of another."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        taji, registrar = country.sites["TAJI"], country.parties["registrar"].party_id
        unit = parties.add_unit(connection, "2COY", "2nd Company", taji, None, SINCE)
        petrov = country.parties["A-1001"]
        parties.give_signature_card(connection, unit, petrov, SINCE, date(2099, 12, 31), registrar)
        for n in range(people):
            parties.add_person(connection, f"G-{n}", f"Ghost {n}", None, taji, unit, SINCE)
    return unit


def test_a_unit_of_nobody_holds_rifles(country: Country) -> None:
    """Ten rifles with a company that has no people; with one soldier in it, it is more than a soldier carries; with five it is none."""
    unit = second_company(country)
    issued(country, "2COY", *RIFLES, received_by="A-1001")
    found = of(country)
    assert told(found) == [(Doubt.NO_PEOPLE, "2nd Company (2COY)", 10)]
    assert found.rows[0].reason == f"holds 10 weapons, and nobody belongs to it or a unit below it on {today()}"
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.add_person(connection, "G-1", "Ghost", None, country.sites["TAJI"], unit, SINCE)
    found = of(country)
    assert told(found) == [(Doubt.MORE_THAN_PEOPLE, "2nd Company (2COY)", 10)]
    assert (found.rows[0].reason, found.rows[0].unit) == ("10 weapons for 1 people, more than 2 each", "2COY")
    assert of(country, head=10).holders == 0
    assert behind(country, found.rows[0]) == 10
    assert behind(country, found.rows[0], model=HELMET) == 0
    assert told(of(country, unit="2COY")) == told(found)
    assert of(country, unit="1COY").holders == 0
    assert of(country, model=HELMET).holders == 0
    with pytest.raises(NotFound):
        of(country, unit="9COY")


def test_people_of_units_below_count_and_a_unit_that_left_is_told(country: Country) -> None:
    """A battalion over a company has its people; its own stationing ended."""
    battalion = second_company(country)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.assign(connection, country.parties["company"].party_id, battalion.party_id, SINCE)
    issued(country, "2COY", *RIFLES[:4], received_by="A-1001")
    assert of(country).holders == 0
    country.owner_query(
        "UPDATE stationing SET until = %s WHERE unit_id = %s RETURNING 1", ago(days=2).date(), battalion.party_id
    )
    assert told(of(country)) == [(Doubt.UNIT_GONE, "2nd Company (2COY)", 4)]


def test_beyond_what_a_unit_may_have(country: Country) -> None:
    """Not authorised at all is beyond; whose rifles they are makes no difference to an allowance, so a donor's are not told so."""
    issued(country, "A-1001", RIFLES[0], RIFLES[1])
    assert of(country).holders == 0
    allowed(country, "1COY,AKM,1")
    found = of(country)
    assert told(found) == [(Doubt.BEYOND_ALLOWANCE, "1st Company (1COY)", 1)]
    assert (found.rows[0].reason, found.rows[0].model) == ("may have 1, has 2", "AKM")
    assert of(country, donor="OWN").holders == 0
    allowed(country, "1COY,AKM,2")
    assert of(country).holders == 0


def test_who_is_told_what(country: Country) -> None:
    """A desk of its own site; who serves elsewhere by now has no name there; donors nothing."""
    declared_and_received(country, "US 1")
    issued(country, "A-1003", "US 1")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.bring_people(connection, [country.parties["A-1003"]], country.sites["ERBIL"])
        ward = parties.add_unit(connection, "3COY", "3rd Company", country.sites["ERBIL"], None, SINCE)
        parties.move_people(connection, [parties.Movement(country.parties["A-1003"].party_id, ward.party_id)], today())
    assert told(of(country)) == [(Doubt.ELSEWHERE, "Private Rahim (A-1003)", 1)]
    assert told(of(country, "clerk", donor="USA", model="M4")) == [(Doubt.ELSEWHERE, "a person of another site", 1)]
    assert of(country, "erbil clerk").holders == 0
    assert of(country, donor="FRA").holders == 0
    for who, sought in (("USA", {}), ("erbil clerk", {"site": "TAJI"})):
        with pytest.raises(NotAllowed):
            of(country, who, **sought)
