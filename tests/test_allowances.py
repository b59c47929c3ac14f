"""Allowances: what units may have comes from lists, again and again; beside what they hold it tells excess and shortfall, each weapon
once.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile import catalogue, parties, units
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.allowances import AllowanceRequest, AllowancesImported, import_allowances
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Invalid, NotAllowed, NotFound
from stockpile.registers.rejects import RowsRejected, kept_rejects
from stockpile.reports.allowances import (
    AllowanceSought,
    By,
    Excess,
    State,
    excess_and_shortfall,
    held_by_unit,
    list_allowances,
)
from stockpile.reports.as_of import AsOf
from stockpile.rights import reading
from tests.api_world import Web, problem, served
from tests.reading import asked_by
from tests.rosters import stored, workbook
from tests.test_report_files import Command, stockpile
from tests.world import HELMET, RIFLES, SINCE, Country, scans, today

web = pytest.fixture(served)
__all__ = ["stockpile"]

HEADING = "Unit code,Weapon,Qty"
STORE = "Main store"


def allowed(country: Country, *rows: str, heading: str = HEADING, **asked: Any) -> AllowancesImported:
    """Imports allowances; `set_aside` and `columns` say how the file is read."""
    how = {name: asked.pop(name) for name in ("set_aside", "columns", "constants") if name in asked}
    who = country.actors[asked.pop("who", "registrar")]
    content = asked.pop("content", "\n".join([heading, *rows, ""]))
    name = asked.pop("name", "allowances.csv")
    request = AllowanceRequest.model_validate({"order": "MOD 117", "file": stored(content, name, **how), **asked})
    with reading(country.engine, who) as connection:
        return import_allowances(connection, who, request)


def remarks(answer: AllowancesImported) -> dict[int, str]:
    return {remark.row: remark.remark for remark in answer.set_aside}


def holds(country: Country, who: str = "auditor", **asked: Any) -> list[tuple[str, str, int]]:
    rows = asked_by(country, who, list_allowances, **asked).rows
    return [(row.unit, row.model, row.quantity) for row in rows]


def lines(found: Excess) -> dict[tuple[str | None, str], tuple[int, int, int, int]]:
    """Authorised, held, excess, shortfall by unit and model."""
    return {(row.unit, row.model): (row.authorised, row.held, row.excess, row.shortfall) for row in found.rows}


def beside(country: Country, who: str = "auditor", **sought: Any) -> Excess:
    how = {name: sought.pop(name) for name in ("by", "at", "limit", "cursor") if name in sought}
    return asked_by(country, who, excess_and_shortfall, AllowanceSought(**sought), **how)


def add_unit(country: Country, code: str, above: str | None = None, site: str = "TAJI") -> parties.Party:
    """A unit served by a site, under another, with a soldier whose number is the unit's with an S."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parent = parties.need_party(connection, "unit", above, "unit") if above else None
        added = parties.add_unit(connection, code, f"Unit {code}", country.sites[site], parent, SINCE)
        soldier = parties.add_person(
            connection, f"{code}-S", f"Soldier {code}", None, country.sites[site], added, SINCE
        )
        by = country.parties["registrar"].party_id
        parties.give_signature_card(connection, added, soldier, SINCE, date(2099, 12, 31), by)
    return added


def battalion(country: Country) -> None:
    """1BN above 1COY and 2COY."""
    add_unit(country, "1BN")
    add_unit(country, "2COY", "1BN")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        company, above = (parties.need_party(connection, "unit", code, "unit") for code in ("1COY", "1BN"))
        units.place_under(connection, company, above, SINCE)


def issue(country: Country, receiver: str, *serials: str) -> None:
    """To a person, or to a unit by whoever draws for it."""
    drawer = {"1COY": "A-1001"}.get(receiver, None if "-" in receiver else f"{receiver}-S")
    country.do("clerk", ISSUE, receiver=receiver, received_by=drawer, store=STORE, lines=scans(*serials))


def test_a_list_says_what_a_unit_may_have(country: Country) -> None:
    """Dry run first: it changes nothing; then it is done as told, and the list is kept with its rows under the order's number."""
    rows = ("1COY,AKM,5", "1COY,AKMS,2", "MOD,Helmet,10")
    preview = allowed(country, *rows, dry_run=True)
    assert (preview.register_id, holds(country)) == (None, [])
    assert country.query("SELECT count(*) FROM register WHERE kind = 'allowance'") == [(0,)]
    answer = allowed(country, *rows)
    assert (answer.counts, answer.changes) == (preview.counts, preview.changes)
    assert (answer.counts.units, answer.counts.new, answer.counts.set_aside) == (2, 2, 0)
    assert holds(country) == [("1COY", "AKM", 7), ("MOD", HELMET, 10)]
    assert country.query(
        "SELECT name, line_count, site_id FROM register WHERE register_id = %s", answer.register_id
    ) == [("MOD 117", 3, None)]
    (row, _) = asked_by(country, "registrar", list_allowances).rows
    assert (row.since, row.until, row.order, row.register_id) == (today(), None, "MOD 117", answer.register_id)


def test_a_unit_s_new_list_replaces_the_old_one_from_its_day(country: Country) -> None:
    """1COY's second list lets go of the helmets; 2COY, which it does not name, keeps its own; the day before all was as it was."""
    add_unit(country, "2COY")
    first, second = date(2026, 1, 1), date(2026, 3, 1)
    allowed(country, "1COY,AKM,5", "1COY,Helmet,9", "2COY,AKM,6", as_of=first)
    answer = allowed(country, "1COY,AKM,8", order="MOD 118", as_of=second)
    told = {(change.model, change.before, change.after) for change in answer.changes}
    assert told == {("AKM", 5, 8), (HELMET, 9, None)}
    assert holds(country) == [("1COY", "AKM", 8), ("2COY", "AKM", 6)]
    assert holds(country, unit="1COY", day=second - timedelta(days=1)) == [("1COY", "AKM", 5), ("1COY", HELMET, 9)]
    assert holds(country, day=first - timedelta(days=1)) == []
    spans = {
        (row.quantity, row.since, row.until)
        for row in asked_by(country, "auditor", list_allowances, "1COY", "AKM", every=True).rows
    }
    assert spans == {(5, first, second - timedelta(days=1)), (8, second, None)}


def test_a_list_that_comes_late_holds_until_the_next_one(country: Country) -> None:
    """An order of February is found in April: it held in February, not since March. Of two lists of one day the later recorded holds;
    an order of a coming day waits.
    """
    coming = today() + timedelta(days=30)
    allowed(country, "1COY,AKM,8", as_of=date(2026, 3, 1))
    allowed(country, "1COY,AKM,7", as_of=date(2026, 2, 1))
    assert holds(country, day=date(2026, 2, 15)) == [("1COY", "AKM", 7)]
    assert holds(country, day=date(2026, 3, 1)) == [("1COY", "AKM", 8)]
    allowed(country, "1COY,AKM,9", as_of=date(2026, 3, 1))
    allowed(country, "1COY,AKM,20", as_of=coming)
    assert holds(country) == [("1COY", "AKM", 9)]
    assert holds(country, day=coming) == [("1COY", "AKM", 20)]


def test_the_same_list_again_is_known(country: Country) -> None:
    """By its SHA-256, order and day: nothing is kept twice. After another list of that day it says something again."""
    first = allowed(country, "1COY,AKM,5")
    again = allowed(country, "1COY,AKM,5")
    assert (again.known, again.register_id) == (True, first.register_id)
    allowed(country, "1COY,AKM,6")
    third = allowed(country, "1COY,AKM,5")
    assert not third.known
    assert holds(country) == [("1COY", "AKM", 5)]
    assert country.query("SELECT count(*) FROM register WHERE kind = 'allowance'") == [(3,)]


def test_rows_that_cannot_be_taken_are_named_and_hold_their_unit_back(country: Country) -> None:
    """Nothing is done; set aside, the other unit's rows are, and what 1COY may have stays: half a list would take the rest away."""
    add_unit(country, "2COY")
    allowed(country, "1COY,AKM,5", "1COY,Helmet,9", as_of=date(2026, 1, 1))
    bad = (
        "1COY,AKM,6",
        "1COY,Blunderbuss,2",
        "9COY,AKM,1",
        "2COY,AKM,3",
        ",AKM,1",
        "2COY,Helmet,4",
    )
    with pytest.raises(RowsRejected) as refusal:
        allowed(country, *bad)
    assert "4 of 6 rows cannot be taken" in refusal.value.detail
    assert refusal.value.rejects is not None
    headings, rows = kept_rejects(refusal.value.rejects)
    assert headings[2:] == HEADING.split(",")
    assert [row[0] for row in rows] == [2, 3, 4, 6]
    answer = allowed(country, *bad, set_aside=True)
    told = remarks(answer)
    assert told[2].startswith("row 3 of the same unit cannot be taken")
    assert told[3].startswith("unknown model 'Blunderbuss'")
    assert told[4].startswith("there is no unit '9COY'")
    assert told[6].startswith("no unit")
    assert holds(country) == [("1COY", "AKM", 5), ("1COY", HELMET, 9), ("2COY", "AKM", 3), ("2COY", HELMET, 4)]
    assert country.query("SELECT source, name FROM alias WHERE model_id IS NULL") == [("MOD", "Blunderbuss")]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (("1COY,AKM,-1",), "negative"),
        (("1COY,AKM,many",), "whole number"),
        (("1COY,AKM,",), "no quantity"),
        (("1COY,,4",), "no model"),
        (("1COY,AKM,4", "1COY,akm,4"), "names the same unit and model"),
        (("1COY,AKM,99999999999",), "more than"),
    ],
)
def test_bad_rows(country: Country, rows: tuple[str, ...], why: str) -> None:
    """Each in words, with nothing done."""
    with pytest.raises(Invalid) as refusal:
        allowed(country, *rows)
    assert why in " ".join(fault.message for fault in refusal.value.faults)
    assert holds(country) == []


def test_a_long_list(country: Country) -> None:
    """Every model for eight units: more rows than go in one statement, each kept."""
    codes = [f"L{number}" for number in range(8)]
    for code in codes:
        add_unit(country, code)
    models = country.query("SELECT maker, name FROM model WHERE category <> 'unidentified' ORDER BY 1, 2")
    rows = [f'{code},"{maker}","{name}",{n}' for code in codes for n, (maker, name) in enumerate(models, 1)]
    answer = allowed(country, *rows, heading="Unit code,Manufacturer,Model,Qty")
    assert answer.counts.new == len(rows) > 500
    (line,) = beside(country, by=By.MODEL, model=HELMET).rows
    assert line.authorised == len(codes) * (1 + [name for _, name in models].index(HELMET))


def test_names_mean_what_they_were_mapped_to(country: Country) -> None:
    """The organisation's own names of models, a column mapped once, a workbook with the unit's name."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        meant = catalogue.find_model(connection, "AKM")
        assert meant is not None
        by = country.actors["registrar"].party_id
        catalogue.map_alias(connection, "MOD", "Rifle, assault", meant.model_id, by)
    book = workbook([["Authorised strength"], ["Formation", "Kit", "How many"], ["1st company", "Rifle,  ASSAULT", 12]])
    columns = {"unit": "Formation", "model": "Kit", "quantity": "How many"}
    allowed(country, content=book, name="allowances.xlsx", columns=columns)
    assert holds(country) == [("1COY", "AKM", 12)]
    allowed(country, "1st Company,Rifle assault,13", heading="Formation,Kit,How many", set_aside=True, dry_run=True)
    with pytest.raises(Invalid, match="which column"):
        allowed(country, "x,1", heading="A,B")


def test_only_a_registrar_says_what_units_may_have(country: Country) -> None:
    for who in ("clerk", "commander", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            allowed(country, "1COY,AKM,5", who=who)
    for ask in (list_allowances, excess_and_shortfall):
        with pytest.raises(NotAllowed):
            asked_by(country, "USA", ask)
    with pytest.raises(NotFound):
        beside(country, unit="9COY")


def test_excess_and_shortfall_of_a_company(country: Country) -> None:
    """It may have two rifles and has three, one in the company's own account; it may have helmets and has none; nobody allowed it the M4.
    What lies in the depot is nobody's excess.
    """
    country.do(
        "clerk", RECEIVE, store=STORE, lines=[{"model": "M4", "serial_number": "M 1", "condition": "serviceable"}]
    )
    allowed(country, "1COY,AKM,2", "1COY,Helmet,40", as_of=date(2026, 1, 1))
    issue(country, "A-1001", RIFLES[0], RIFLES[1], "M 1")
    issue(country, "1COY", RIFLES[2])
    found = beside(country)
    assert lines(found) == {
        ("1COY", "AKM"): (2, 3, 1, 0),
        ("1COY", HELMET): (40, 0, 0, 40),
        ("1COY", "M4"): (0, 1, 1, 0),
    }
    assert [row.model for row in found.rows if row.not_authorised] == ["M4"]
    assert (found.authorised, found.held, found.excess, found.shortfall, found.not_authorised) == (42, 4, 2, 40, 1)
    assert lines(beside(country, state=State.SHORTFALL)).keys() == {("1COY", HELMET)}
    assert lines(beside(country, state=State.NOT_AUTHORISED)).keys() == {("1COY", "M4")}
    assert beside(country, category="small arms").excess == 2
    behind = asked_by(country, "auditor", held_by_unit, "1COY", "AKM")
    assert sorted(line.serial_number or "" for line in behind.rows) == list(RIFLES[:3])


def test_a_battalion_s_allowance_is_for_its_companies_too(country: Country) -> None:
    """1BN may have four, 1COY two of them; 1COY has three and 2COY two: the company is one over, the battalion too, and the total is one,
    not two. A unit that no list covers holds what is not authorised, and so do people who belong to none.
    """
    battalion(country)
    add_unit(country, "3COY")
    allowed(country, "1BN,AKM,4", "1COY,AKM,2", as_of=date(2026, 1, 1))
    issue(country, "A-1001", *RIFLES[:3])
    issue(country, "2COY-S", *RIFLES[3:5])
    issue(country, "3COY", RIFLES[5])
    issue(country, "A-1003", RIFLES[6])
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.end_assignments(connection, country.parties["A-1003"].party_id, today() - timedelta(days=1))
    found = beside(country)
    assert lines(found) == {
        (None, "AKM"): (0, 1, 1, 0),
        ("1BN", "AKM"): (4, 5, 1, 0),
        ("1COY", "AKM"): (2, 3, 1, 0),
        ("3COY", "AKM"): (0, 1, 1, 0),
    }
    assert [row.within for row in found.rows] == [None, None, "1BN", None]
    assert (found.authorised, found.held, found.excess, found.not_authorised) == (4, 7, 3, 2)
    (of_model,) = beside(country, by=By.MODEL).rows
    assert (of_model.unit, of_model.held, of_model.excess) == (None, 7, 3)
    for unit, held in ((None, 1), ("1BN", 5), ("1COY", 3), ("3COY", 1)):
        behind = asked_by(country, "auditor", held_by_unit, unit, "AKM")
        assert (behind.line_count, behind.quantity) == (held, held), unit
    assert beside(country, unit="1COY").excess == 1


def test_one_unit_s_excess_does_not_hide_another_s_shortfall(country: Country) -> None:
    """Two over here, two short there: by model it is both."""
    add_unit(country, "2COY")
    allowed(country, "1COY,AKM,1", "2COY,AKM,2", as_of=date(2026, 1, 1))
    issue(country, "A-1001", *RIFLES[:3])
    (line,) = beside(country, by=By.MODEL).rows
    assert (line.authorised, line.held, line.excess, line.shortfall) == (3, 3, 2, 2)


def test_as_of_a_moment_on_either_clock(country: Country) -> None:
    """Two rifles were out, one was allowed; since then all came back, and five are allowed from the same day on."""
    day = date(2026, 1, 1)
    allowed(country, "1COY,AKM,1", as_of=day)
    issue(country, "A-1001", *RIFLES[:2])
    moment = now()
    country.do(
        "clerk", RETURN, store=STORE, lines=[{"scan": serial, "condition": "serviceable"} for serial in RIFLES[:2]]
    )
    allowed(country, "1COY,AKM,5", as_of=day)
    assert lines(beside(country)) == {("1COY", "AKM"): (5, 0, 0, 5)}
    assert lines(beside(country, at=AsOf(happened_at=moment))) == {("1COY", "AKM"): (5, 2, 0, 3)}
    assert lines(beside(country, at=AsOf(recorded_at=moment))) == {("1COY", "AKM"): (1, 2, 1, 0)}
    assert lines(beside(country, "clerk", at=AsOf(moment, moment))) == {("1COY", "AKM"): (1, 2, 1, 0)}
    behind = asked_by(country, "auditor", held_by_unit, "1COY", "AKM", AsOf(recorded_at=moment))
    assert behind.quantity == 2


def test_a_desk_sees_the_units_that_stand_at_its_site_alone(country: Country) -> None:
    """TAJI tells of 1COY; of a battalion with a company at ERBIL it could not tell the whole, so it tells nothing; ERBIL sees no list of
    TAJI's units.
    """
    battalion(country)
    allowed(country, "1COY,AKM,2", "1BN,AKM,9", as_of=date(2026, 1, 1))
    issue(country, "A-1001", *RIFLES[:3])
    assert lines(beside(country, "clerk")) == {("1COY", "AKM"): (2, 3, 1, 0), ("1BN", "AKM"): (9, 3, 0, 6)}
    add_unit(country, "9COY", "1BN", "ERBIL")
    assert lines(beside(country, "clerk")) == {("1COY", "AKM"): (2, 3, 1, 0)}
    assert lines(beside(country, "erbil clerk")) == {}
    assert holds(country, "erbil clerk") == []
    assert holds(country, "clerk", unit="1COY") == [("1COY", "AKM", 2)]
    assert asked_by(country, "erbil clerk", held_by_unit, "1COY", "AKM").quantity == 0


def test_pages_are_the_whole(country: Country) -> None:
    """Line by line as all at once, by unit and by model."""
    battalion(country)
    allowed(country, "1BN,AKM,4", "1COY,AKM,2", "2COY,Helmet,5", "1COY,M4,1", as_of=date(2026, 1, 1))
    issue(country, "A-1001", *RIFLES[:3])
    for by in By:
        rows, cursor = [], None
        while True:
            page = beside(country, by=by, limit=1, cursor=cursor)
            rows += page.rows
            cursor = page.cursor
            if cursor is None:
                break
        assert rows == list(beside(country, by=by).rows) == list(beside(country, by=by, limit=None).rows)
    with pytest.raises(Invalid):
        beside(country, cursor="nonsense")


CODES = ("U0", "U1", "U2", "U3", "U4")
TREES = st.tuples(*(st.one_of(st.none(), st.integers(0, n - 1)) if n else st.none() for n in range(len(CODES))))
"""Under which earlier unit each stands."""


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    tree=TREES,
    lists=st.dictionaries(st.sampled_from(CODES), st.integers(0, 6), max_size=5),
    given_to=st.lists(st.sampled_from([*CODES, *(f"{code}-S" for code in CODES)]), max_size=10),
)
def test_every_weapon_counts_once_whatever_the_tree(
    country: Country, tree: tuple[int | None, ...], lists: dict[str, int], given_to: list[str]
) -> None:
    """Units in any tree, some with lists, ten rifles with whoever: what is held in all is what was handed out; each unit's line is its
    branch's; excess and shortfall in all are those of the units that count.
    """
    prefix = f"X{country.query('SELECT count(*) FROM party')[0][0]}"
    named = {code: f"{prefix}{code}" for code in CODES}
    for code, above in zip(CODES, tree, strict=True):
        add_unit(country, named[code], named[CODES[above]] if above is not None else None)
    if lists:
        allowed(country, *(f"{named[code]},AKM,{count}" for code, count in lists.items()), as_of=date(2026, 1, 1))
    for number, receiver in enumerate(given_to):
        issue(country, receiver.replace(receiver[:2], named[receiver[:2]], 1), RIFLES[number])

    def above(code: str) -> list[str]:
        """The unit and those above it, from the top down."""
        parent = tree[CODES.index(code)]
        return [*(above(CODES[parent]) if parent is not None else []), code]

    counts_with = {code: next((up for up in above(code) if up in lists), above(code)[0]) for code in CODES}
    direct = Counter(receiver[:2] for receiver in given_to)
    held: Counter[str] = Counter()
    for code, count in direct.items():
        held[counts_with[code]] += count
    branch = {code: sum(n for unit, n in direct.items() if code in above(unit)) for code in lists}
    try:
        found = beside(country)
        ours = {row.unit: row for row in found.rows if row.unit and row.unit.startswith(prefix)}
        tops = {code for code in {*lists, *held} if counts_with[code] == code}
        expected = {named[code]: (lists.get(code, 0), branch.get(code, held[code])) for code in {*lists, *tops}}
        assert {unit: (row.authorised, row.held) for unit, row in ours.items()} == {
            unit: numbers for unit, numbers in expected.items() if numbers != (0, 0)
        }
        assert found.held == len(given_to)
        assert found.excess == sum(max(held[code] - lists.get(code, 0), 0) for code in tops)
        assert found.shortfall == sum(max(lists.get(code, 0) - held[code], 0) for code in tops)
    finally:
        if given_to:
            back = [{"scan": serial, "condition": "serviceable"} for serial in RIFLES[: len(given_to)]]
            country.do("clerk", RETURN, store=STORE, lines=back)
        if lists:
            allowed(country, *(f"{named[code]},AKM,0" for code in lists), as_of=date(2026, 1, 1))


def test_over_http(web: Web) -> None:
    """A dry run, the import, the same again; the lists and the report as JSON and files; each problem in words."""
    file = stored(f"{HEADING}\n1COY,AKM,1\n", "allowances.csv")
    body = {"order": "MOD 117", "file": file}
    assert web.post("registrar", "/v1/allowances", {**body, "dry_run": True}).status_code == 200
    done = web.post("registrar", "/v1/allowances", body)
    assert (done.status_code, done.json()["counts"]["new"]) == (201, 1)
    again = web.post("registrar", "/v1/allowances", body)
    assert (again.status_code, again.json()["known"]) == (200, True)
    problem(web.post("clerk", "/v1/allowances", body), 403, "not-allowed")
    problem(
        web.post("registrar", "/v1/allowances", {**body, "file": {"sha256": "0" * 64, "name": "x"}}), 404, "not-found"
    )
    bad = {**body, "file": stored(f"{HEADING}\n1COY,Blunderbuss,1\n", "bad.csv")}
    assert problem(web.post("registrar", "/v1/allowances", bad), 422, "invalid")["faults"][0]["row"] == 2
    issue(web.country, "A-1001", *RIFLES[:2])
    shown = web.get("clerk", "/v1/reports/allowances").json()
    assert (shown["excess"], [row["unit"] for row in shown["rows"]]) == (1, ["1COY"])
    for path in ("/v1/allowances", "/v1/reports/allowances", "/v1/reports/allowances/weapons?unit=1COY&model=AKM"):
        rows = web.get("auditor", path).json()["rows"]
        mark = "&" if "?" in path else "?"
        text = web.get("auditor", f"{path}{mark}format=csv").content.decode("utf-8-sig")
        assert text.count("\r\n") == len(rows) + 1
        problem(web.get("USA", path), 403, "not-allowed")
    problem(web.get("auditor", "/v1/reports/allowances?unit=9COY"), 404, "not-found")


def test_at_the_command_line(stockpile: Command, country: Country, tmp_path: Any) -> None:
    """Imported, listed, compared, written to a file; rejects go where they are wanted."""
    (tmp_path / "list.csv").write_text(f"{HEADING}\n1COY,AKM,1\n")
    done = stockpile("registrar", "allowance", "import", "list.csv", "--order", "MOD 117", "--as-of", "2026-01-01")
    assert done.exit_code == 0, done.output
    assert "MOD 117, from 2026-01-01: 1 row, 1 unit. 1 new, 0 changed" in done.output
    assert "MOD 117" in stockpile("auditor", "allowance", "list").output
    issue(country, "A-1001", *RIFLES[:2])
    shown = stockpile("auditor", "allowances", "--state", "excess")
    assert "In all: authorised 1, held 2, excess 1, shortfall 0; not authorised 0." in shown.output
    assert "wrote" in stockpile("auditor", "allowances", "--by", "model", "--csv", "a.csv").output.replace(
        "written", "wrote"
    )
    (tmp_path / "bad.csv").write_text(f"{HEADING}\n1COY,Blunderbuss,1\n")
    bad = stockpile("registrar", "allowance", "import", "bad.csv", "--order", "MOD 118", "--rejects", "rejects.csv")
    assert (bad.exit_code, "unknown model" in bad.output) == (1, True)
    assert "Blunderbuss" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")


def test_handing_over_moves_the_excess(country: Country) -> None:
    """From one company to the other, with the weapon."""
    add_unit(country, "2COY")
    allowed(country, "1COY,AKM,0", "2COY,AKM,1", as_of=date(2026, 1, 1))
    issue(country, "A-1001", RIFLES[0])
    assert lines(beside(country)) == {("1COY", "AKM"): (0, 1, 1, 0), ("2COY", "AKM"): (1, 0, 0, 1)}
    assert not beside(country).not_authorised
    country.do("clerk", HAND_OVER, giver="A-1001", receiver="2COY-S", lines=scans(RIFLES[0]))
    assert lines(beside(country)) == {("2COY", "AKM"): (1, 1, 0, 0)}
