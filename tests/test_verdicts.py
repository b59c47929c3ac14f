"""Verdicts at the counter: what a scan is answered while the list grows, by the act's own guards, before anybody confirms."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stockpile import at_the_counter, items, verdicts, weapon_assignments
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import NotAllowed
from stockpile.identity import read_asset_tag
from stockpile.movements import Act
from stockpile.reports.standing import standings
from stockpile.rights import reading
from stockpile.verdicts import AskVerdict, Verdict, judge
from stockpile.weapon_assignments import Assign
from tests.api_world import Web, problem, served
from tests.world import RIFLES, Country, scans

web = pytest.fixture(served)

TABLE = json.loads((Path(__file__).parent / "verdict_cases.json").read_text(encoding="utf-8"))


def asked(country: Country, who: str = "clerk", **request: Any) -> Verdict:
    """The verdict somebody gets."""
    return judge(country.engine, country.actors[who], AskVerdict.model_validate({"store": "Main store", **request}))


def stocked(country: Country) -> None:
    """The weapons of the table, each brought by acts to where it says."""
    for weapon in TABLE["weapons"]:
        line = {
            "model": weapon.get("model", "AKM"),
            "serial_number": weapon["serial"],
            "condition": weapon.get("condition", "serviceable"),
            "obliterated": not weapon.get("marked", True),
        }
        who = "erbil clerk" if weapon.get("site") == "ERBIL" else "clerk"
        store = weapon["where"] if weapon["class"] == "store" else "Main store"
        country.do(who, RECEIVE, store=store, lines=[line])
        brought(country, weapon)


def brought(country: Country, weapon: dict[str, Any]) -> None:
    """Takes a weapon from its store to where the table has it."""
    lines = scans(weapon["serial"])
    match weapon["class"]:
        case "person":
            country.do("clerk", ISSUE, receiver=weapon["holder"], store="Main store", lines=lines)
        case "maintenance":
            country.do("clerk", MAINTAIN, work="Firing pin broken", store="Main store", lines=lines)
        case "missing" | "lost":
            country.do("clerk", REPORT_MISSING, place="Range 2", circumstances="Not in the rack", lines=lines)
    if weapon["class"] == "lost":
        findings = {"cause": "stolen", "liability": "Nobody", "findings": "Taken at night"}
        country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=lines, **findings)
    if weapon.get("assigned_to"):
        line = {**lines[0], "person": weapon["assigned_to"]}
        weapon_assignments.assign(country.engine, country.actors["commander"], Assign.model_validate({"lines": [line]}))


def test_the_table_of_cases(country: Country) -> None:
    """Each case of the table that the station's own script runs too: the same verdict, as loud, in the same words."""
    stocked(country)
    wrong = []
    for case in TABLE["cases"]:
        request = {name: case[name] for name in ("mode", "scan", "model", "quantity", "receiver") if name in case}
        lines = [{"item": country.item(serial).item_id} for serial in case.get("lines", ())]
        found = asked(country, **request, lines=lines)
        said = (found.verdict, found.severity, found.line, found.recover, len(found.candidates))
        expected = (
            case["verdict"], case["severity"], case.get("line"), case.get("recover", False), case.get("candidates", 0),
        )  # fmt: skip
        if said != expected or ("words" in case and found.words != in_words(country, case["words"], found)):
            wrong.append(f"{case['case']}: {said} {found.words!r}")
    assert not wrong, "\n".join(wrong)
    assert {case["verdict"] for case in TABLE["cases"]} >= set(verdicts.SEVERITY) - {"not arrived", "not in the books"}


def in_words(country: Country, words: str, found: Verdict) -> str:
    """The table's words with when the weapon came where it is, and under which number, as the reports have them."""
    if "{" not in words:
        return words
    assert found.weapon is not None
    with reading(country.engine, country.actors["clerk"]) as connection:
        (standing,) = standings(connection, country.actors["clerk"], [found.weapon.item_id])[found.weapon.item_id]
    since = standing.since.astimezone(ZoneInfo("Asia/Baghdad"))
    return words.format(since=f"{since:%Y-%m-%d %H:%M}", document=standing.document_number)


def test_a_weapon_of_another_site_names_no_person(country: Country) -> None:
    """Erbil's clerk asks for a rifle that Petrov of TAJI has: where it belongs, and no name."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    found = asked(country, "erbil clerk", mode="issue", scan=RIFLES[0])
    assert (found.verdict, found.severity) == ("elsewhere", "stop")
    assert found.words.startswith("It belongs to TAJI: a person of TAJI since ")
    assert "Petrov" not in str(found)


def test_what_comes_in_is_told_by_tag_too(country: Country) -> None:
    """The verdict gives the tag that the next label bears; scanned, it is the same weapon."""
    first = asked(country, mode="issue", scan=RIFLES[0])
    assert first.weapon is not None
    assert read_asset_tag(first.weapon.asset_tag) is not None
    again = asked(country, mode="issue", scan=first.weapon.asset_tag)
    assert again.weapon is not None
    assert again.weapon.item_id == first.weapon.item_id


def test_a_number_on_the_list_counts_for_the_next(country: Country) -> None:
    """Sixty of a hundred helmets are on the list: forty are left, fifty are too many."""
    lines = [{"model": "Helmet", "quantity": 60}]
    assert asked(country, mode="issue", model="Helmet", quantity=40, lines=lines).verdict == "ready"
    assert asked(country, mode="issue", model="Helmet", quantity=50, lines=lines).verdict == "too few"


def test_asking_locks_nothing(country: Country) -> None:
    """While somebody holds a rifle under lock, a verdict on it comes all the same."""
    item = country.item(RIFLES[0]).item_id
    with (
        ThreadPoolExecutor() as others,
        transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection,
    ):
        items.whereabouts(connection, [item])
        for mode, verdict in (("issue", "ready"), ("draw", "refused"), ("return", "in a store")):
            assert others.submit(asked, country, mode=mode, scan=RIFLES[0]).result(30).verdict == verdict


def test_an_auditor_has_no_counter(country: Country) -> None:
    """Who may not issue gets no verdict on an issue."""
    with pytest.raises(NotAllowed):
        asked(country, "auditor", mode="issue", scan=RIFLES[0])


# Badges


def test_whose_badge_it_is(country: Country) -> None:
    """A soldier with what he has; one who left; a stranger; a unit, by whoever is on its signature card."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:2]))

    def badge(code: str, act: Act = Act.ISSUE, by: str | None = None) -> at_the_counter.Badge:
        return at_the_counter.badge(country.engine, country.actors["clerk"], code, act, by)

    petrov = badge("A-1001")
    assert (petrov.verdict, petrov.words) == ("ready", "Private Petrov (A-1001)")
    assert petrov.party is not None
    assert petrov.party.holds == 2
    left = badge("A-1009")
    assert (left.verdict, left.severity) == ("refused", "stop")
    assert left.words == "Private Leaver (A-1009) is not on the roster since 2024-06-30"
    assert badge("A-1009", Act.RETURN).verdict == "ready"
    assert badge("nobody").words == "Nobody at TAJI has the number nobody"
    company = badge("1COY")
    assert (company.verdict, [one.code for one in company.drawers]) == ("who draws", ["A-1001"])
    assert badge("1COY", by="A-1002").verdict == "refused"
    drawn = badge("1COY", by="A-1001")
    assert (drawn.verdict, drawn.drawn_by) == ("ready", "A-1001")


# Suggestions


def test_a_serial_typed_half_is_suggested(country: Country) -> None:
    """The beginning, its look-alikes, a part inside the store, a character that can't be read."""

    def suggested(text: str, store: str | None = "Main store") -> list[str | None]:
        found = at_the_counter.suggestions(country.engine, country.actors["clerk"], text, store)
        return [one.serial_number for one in found]

    assert suggested("KT 4499")[:3] == list(RIFLES[:3])
    assert suggested("kt 44990O") == [RIFLES[0]]
    assert suggested("9907") == [RIFLES[7]]
    assert suggested("KT4?9903") == [RIFLES[3]]
    assert suggested("9907", None) == []
    assert suggested("") == suggested("*") == suggested("ZZZ") == []


def test_those_at_hand_come_first(country: Country) -> None:
    """One is out and one lies in quarantine: what is in the store is suggested before."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    country.do("clerk", RETURN, store="Quarantine", lines=scans(RIFLES[0]))
    found = at_the_counter.suggestions(country.engine, country.actors["clerk"], "KT", "Quarantine")
    assert [one.serial_number for one in found][:2] == [RIFLES[0], RIFLES[1]]


# Over HTTP


def test_over_http(web: Web) -> None:
    """Where one works, a verdict, a badge, suggestions, what is counted; and who has no counter is told so."""
    here = web.get("clerk", "/v1/station").json()
    assert (here["site"], here["role"], here["name"], here["book"]) == (
        "TAJI",
        "clerk",
        "Sergeant Talib Clerk (T-1)",
        "B",
    )
    assert here["stores"] == ["Main store", "Quarantine"]
    told = web.post("clerk", "/v1/station/verdicts", {"mode": "issue", "scan": RIFLES[0], "store": "Main store"}).json()
    assert (told["verdict"], told["weapon"]["serial_number"]) == ("ready", RIFLES[0])
    assert web.get("clerk", "/v1/station/badges", code="A-1001").json()["verdict"] == "ready"
    assert len(web.get("clerk", "/v1/station/suggestions", text="KT").json()["rows"]) == 8
    assert web.get("clerk", "/v1/station/equipment").json()["rows"] == [
        {"account": "Main store", "model": "Helmet", "lot": None, "quantity": 100}
    ]
    problem(web.get("auditor", "/v1/station"), 422, "invalid")
    problem(web.get("USA", "/v1/station"), 403, "not-allowed")
    problem(web.post("clerk", "/v1/station/verdicts", {"mode": "issue", "scan": RIFLES[0]}), 422, "invalid")


# How a line was entered


def test_how_each_line_was_entered_is_kept(country: Country) -> None:
    """Two scanned, one typed because its label was torn: the document says so; a list that says nothing keeps its content."""
    lines = [
        {"scan": RIFLES[0], "how": "scanned"},
        {"scan": RIFLES[1], "how": "typed"},
        {"scan": RIFLES[2], "how": "scanned"},
    ]
    posted = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=lines)
    ((details,),) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert details["entered_on_lines"] == {"scanned": [1, 3], "typed": [2]}
    back = country.do("clerk", RETURN, store="Main store", lines=scans(*RIFLES[:3]))
    ((details,),) = country.query("SELECT details FROM document WHERE document_id = %s", back.document_id)
    assert "entered_on_lines" not in details
    plain = ISSUE.request.model_validate({"receiver": "A-1001", "lines": scans(RIFLES[0])})
    assert "how" not in plain.model_dump(mode="json")["lines"][0]
