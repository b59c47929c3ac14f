"""Routine plans make visits of stores due, once they say within how many days: by class of model and store, by items and value."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.documents import Precision
from stockpile.donors.plans import MonitoringPlan, keep_plan
from stockpile.errors import NotAllowed
from stockpile.reports.routine_visits import RoutineSought, RoutineVisits, routine_visits_due
from stockpile.rights import reading
from tests.api_world import Web, served
from tests.inspecting import turned_away, visited
from tests.reading import asked_by
from tests.reading_pages import visit
from tests.test_inspections import BAGHDAD, CAME, arrive, days
from tests.test_report_files import Command, stockpile
from tests.test_visits import with_france
from tests.world import RIFLES, Country, paper, scans

web = pytest.fixture(served)
__all__ = ["stockpile"]

PLAN = {
    "what": "Rifles of ours", "level": "routine", "initial_days": 60, "yearly_days": 180, "source": "Letter of offer 9", "binds": False,
}  # fmt: skip


def rifles(
    country: Country, number: int, *serials: str, on: date = CAME, donor: str = "USA", who: str = "clerk"
) -> None:
    """M4s of a donor, received by a paper of that day."""
    moment = datetime(on.year, on.month, on.day, 12, tzinfo=BAGHDAD)
    lines = [{"model": "M4", "serial_number": serial, "condition": "serviceable"} for serial in serials]
    sheet = paper(number, moment, precision=Precision.DAY)
    country.do(who, RECEIVE, store="Main store", donor=donor, lines=lines, paper=sheet)


def plan(country: Country, who: str = "USA", code: str = "rifles", **more: Any) -> None:
    actor = country.actors[who]
    with reading(country.engine, actor) as connection:
        keep_plan(connection, actor, code, MonitoringPlan.model_validate({**PLAN, **more}))


def due(country: Country, on: date | None, who: str = "USA", **sought: Any) -> RoutineVisits:
    how = {name: sought.pop(name) for name in ("limit", "cursor", "order") if name in sought}
    return asked_by(country, who, routine_visits_due, RoutineSought(**sought), on, **how)


def told(found: RoutineVisits) -> list[tuple[str, int, date | None, date | None, int]]:
    """Of each line: where, items, visited, due, days late."""
    return [(row.place, row.items, row.visited_on, row.due_on, row.days_late) for row in found.rows]


def seen(country: Country, number: int, on: date, **more: Any) -> None:
    when = f"{on}T12:00:00+03:00"
    visited(country, number=f"EUM-{number}", level="routine", began_at=when, ended_at=when, **more)


def test_a_store_is_due_from_when_they_lie_there_then_from_visit_to_visit(country: Country) -> None:
    """Three M4 lie in the store, one is Petrov's; France's are no part of it, nor are Stingers, which an enhanced plan binds.
    Until the plan says days nothing is due. A visit of the store alone leaves Petrov's due; a refused one leaves all.
    """
    with_france(country)
    rifles(country, 1, "US 1", "US 2", "US 3", "US 4")
    rifles(country, 2, "FR 1", donor="FRA")
    arrive(country, "S 1", number=3)
    nothing = due(country, days(61))
    assert (nothing.rows, nothing.without_days) == ((), 4)
    plan(country)
    assert told(due(country, days(60))) == [("store", 4, None, days(60), 0)]
    late = due(country, days(61))
    assert told(late) == [("store", 4, None, days(60), 1)]
    assert (late.items, late.delinquent, late.delinquent_percent) == (4, 4, 100.0)
    assert late.delinquent_value == late.value
    assert (late.rows[0].since, late.rows[0].site, late.rows[0].plan) == (CAME, "TAJI", "rifles")
    assert due(country, days(-1)).rows == ()

    turned_away(country, number="EUM-9", level="routine", refused_on=str(days(30)))
    assert due(country, days(61)).delinquent == 4
    seen(country, 1, days(40), store="Main store")
    assert told(due(country, days(61))) == [("store", 4, days(40), days(220), 0)]
    assert told(due(country, days(39))) == [("store", 4, None, days(60), 0)]
    seen(country, 2, days(-5))
    assert told(due(country, days(61))) == [("store", 4, days(40), days(220), 0)]

    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("US 4"))
    now = due(country, None)
    on_the_day = now.on
    by_place = {row.place: row for row in now.rows}
    assert (by_place["store"].items, by_place["store"].store) == (3, "Main store")
    own = by_place["in hands"]
    assert (own.items, own.since, own.due_on) == (1, on_the_day, on_the_day + timedelta(days=60))
    for who in ("auditor", "clerk", "registrar"):
        assert {row.store: row.items for row in due(country, None, who, donor="USA").rows} == {"Main store": 3, None: 1}
    seen(country, 3, on_the_day - timedelta(days=1))
    assert {row.store: row.visited_on for row in due(country, None).rows} == {
        "Main store": on_the_day - timedelta(days=1), None: None,
    }  # fmt: skip
    moment = datetime(CAME.year, CAME.month, CAME.day, 12, tzinfo=BAGHDAD) + timedelta(days=10)
    sheet = paper(4, moment, precision=Precision.DAY)
    country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans("US 3"), paper=sheet)
    assert sorted(told(due(country, days(61)))) == [
        ("in hands", 1, None, days(70), 0),
        ("store", 3, days(40), days(220), 0),
    ]


def test_the_closest_plan_counts_and_the_list_is_narrowed(country: Country) -> None:
    """The registrar's general row is for all; the USA has its own for one category, and takes it out of the routine by an enhanced one."""
    with_france(country)
    rifles(country, 1, "US 1", "US 2")
    rifles(country, 2, "FR 1", donor="FRA", on=days(10))
    plan(country, "registrar", "routine", what="All", yearly_days=300, initial_days=None)
    both = due(country, days(20), "auditor")
    assert {(row.donor, row.plan, row.due_on) for row in both.rows} == {
        ("USA", "routine", days(300)), ("FRA", "routine", days(310)),
    }  # fmt: skip
    category = both.rows[0].category
    plan(country, category=category)
    assert {(row.donor, row.plan) for row in due(country, days(20), "auditor").rows} == {
        ("USA", "rifles"),
        ("FRA", "routine"),
    }
    assert [row.donor for row in due(country, days(20), "FRA").rows] == ["FRA"]
    assert due(country, days(20), "auditor", category="helmet").rows == ()
    assert [
        row.donor for row in due(country, days(20), "auditor", model="M4", delinquent=False, order="-due_on").rows
    ] == ["FRA", "USA"]
    late = due(country, days(61), "auditor", delinquent=True)
    assert [row.donor for row in late.rows] == ["USA"]
    assert (late.items, late.delinquent) == (3, 2)
    first = due(country, days(61), "auditor", limit=1)
    assert [row.donor for row in first.rows] == ["USA"]
    assert [row.donor for row in due(country, days(61), "auditor", limit=1, cursor=first.cursor).rows] == ["FRA"]
    with pytest.raises(NotAllowed):
        due(country, None, "erbil clerk", site="TAJI")
    assert due(country, None, "erbil clerk").rows == ()
    plan(country, code="close", level="enhanced", category=category, binds=True)
    assert [row.donor for row in due(country, days(20), "auditor").rows] == ["FRA"]


def test_on_a_page_over_http_and_at_a_terminal(web: Web, stockpile: Command) -> None:
    country = web.country
    country.do(
        "clerk", RECEIVE, store="Main store", donor="USA",
        lines=[{"model": "M4", "serial_number": "US 1", "condition": "serviceable"}],
    )  # fmt: skip
    path = "/reports/routine-visits"
    empty = visit(web, "USA", path)
    assert "A plan makes one due once it says within how many days" in empty.text
    assert empty.links["Plans by class of model"] == "/monitoring-plans"
    plan(country)
    (row,) = (row for row in visit(web, "USA", path).rows if "Visited last" in row)
    assert (row["Where"], row["Visited last"], row["Weapons"]) == ("store", "never", "1")
    assert path in visit(web, "USA", "/visits").links.values()
    assert path in visit(web, "auditor", "/reports").links.values()
    body = web.get("USA", "/v1/reports/routine-visits").json()
    assert (body["items"], body["delinquent"], body["rows"][0]["plan"]) == (1, 0, "rifles")
    assert body["rows"][0]["store"] is None
    assert web.get("clerk", "/v1/reports/routine-visits").json()["rows"][0]["store"] == "Main store"
    csv = web.get("USA", "/v1/reports/routine-visits", format="csv").text
    assert "rifles" in csv
    assert web.get("FRA", "/v1/reports/routine-visits").json()["rows"] == []
    assert RIFLES[0] not in csv
    done = stockpile("USA", "visit", "due")
    assert "rifles" in done.output
    assert "0 of 1 items delinquent" in done.output
