"""When what is to be counted: periods that registrars keep, and the accounts by how overdue they are."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import NotAllowed
from stockpile.registers.count_periods import Period, keep_period
from stockpile.reports.counts_due import DueRow, list_due, list_periods
from stockpile.rights import reading
from tests.counts import STORE, closed, opened, read
from tests.world import RIFLES, Country, ago, scans


def due(country: Country, who: str = "auditor", **asked: Any) -> dict[str, DueRow]:
    """Account -> when it is due, in the order of the list."""
    actor = country.actors[who]
    with reading(country.engine, actor) as connection:
        return {row.account: row for row in list_due(connection, actor, **asked).rows}


def kept(country: Country, code: str, who: str = "registrar", **said: Any) -> None:
    actor = country.actors[who]
    with reading(country.engine, actor) as connection:
        keep_period(connection, actor, code, Period.model_validate({"what": "all", "source": "Order 7", **said}))


def test_what_was_never_counted_comes_first(country: Country) -> None:
    """The store was counted, the soldier was not, and an empty store is none of it. By the rules that came with the program: a
    depot yearly, what is with a unit's people monthly.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    count = opened(country)
    read(country, count, *RIFLES[1:])
    before = due(country)
    assert {name: (row.due_on, row.overdue) for name, row in before.items()} == {
        STORE: (None, True),
        "Private Petrov (A-1001)": (None, True),
    }
    shown = closed(country, count).count
    rows = due(country)
    assert list(rows) == ["Private Petrov (A-1001)", STORE]
    row = rows[STORE]
    day = country.sites["TAJI"].local_day(shown.opened_at)
    assert (row.period, row.every_days, row.unverified, row.last_count) == ("depot-yearly", 366, False, "TAJI/COUNT/1")
    assert row.due_on is not None
    assert ((row.due_on - day).days, row.days_overdue, row.overdue) == (366, 0, False)
    petrov = rows["Private Petrov (A-1001)"]
    assert (petrov.period, petrov.every_days, petrov.unverified) == ("unit-monthly", 31, True)
    assert list(due(country, overdue=True)) == ["Private Petrov (A-1001)"]
    assert list(due(country, overdue=False)) == [STORE]
    assert list(due(country, "clerk")) == list(rows)
    assert due(country, "erbil clerk") == {}


def test_the_shortest_period_that_binds_what_is_there(country: Country) -> None:
    """A launcher of category I in the depot: half-yearly. A store of an accountable unit: monthly. A row that a registrar adds."""
    country.do("clerk", RECEIVE, store="Quarantine", lines=[{"model": "FN-6", "serial_number": "M 1"}])
    assert (due(country)["Quarantine"].period, due(country)["Quarantine"].security_risk_category) == (
        "category-i-depot",
        "I",
    )
    assert due(country)[STORE].period == "depot-yearly"
    kept(country, "order-7", held_by="depot", security_risk_category="II", days=10)
    assert due(country)[STORE].every_days == 10
    kept(country, "order-7", held_by="depot", security_risk_category="II", days=10, binds=False)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        connection.exec_driver_sql(
            "UPDATE account SET unit_id = %s WHERE name = 'Main store'", (country.parties["company"].party_id,)
        )
    assert due(country)[STORE].period == "unit-monthly"


def test_how_overdue_it_is(country: Country) -> None:
    """Counted on paper forty days ago, and by number yesterday: ten days overdue of thirty. A recount is no count of it all."""
    kept(country, "depot-yearly", held_by="depot", days=30)
    count = opened(country, opened_at=ago(days=40).isoformat())
    read(country, count, *({"scan": serial, "entered": "sheet"} for serial in RIFLES))
    closed(country, count)
    by_number = opened(country, method="quantity")
    read(country, by_number, {"model": "AKM", "quantity": 10})
    closed(country, by_number)
    again = opened(country, counters=["T-1"], recount_of=count)
    read(country, again, RIFLES[0], who="clerk")
    closed(country, again)
    assert (due(country)[STORE].days_overdue, due(country)[STORE].overdue) == (10, True)
    whole = opened(country, counters=["T-1"], whole_site=True)
    read(country, whole, *RIFLES, who="clerk")
    closed(country, whole)
    assert (due(country)[STORE].days_overdue, due(country)[STORE].last_count) == (0, "TAJI/COUNT/4")


def test_registrars_keep_the_periods(country: Country) -> None:
    """Each says who says so; a change says who made it. Nobody else changes one; one that binds has days."""
    actor = country.actors["clerk"]
    with reading(country.engine, actor) as connection:
        rows = {row.code: row for row in list_periods(connection, actor).rows}
    assert len(rows) == 13
    assert (rows["unit-quarterly"].days, rows["unit-quarterly"].unverified, rows["unit-monthly"].unverified) == (
        92,
        False,
        True,
    )
    assert (rows["receipt"].days, rows["receipt"].binds, rows["receipt"].changed_by) == (None, False, None)
    for who in ("clerk", "commander", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            kept(country, "unit-monthly", who, days=90)
    kept(country, "unit-monthly", days=28, held_by="unit")
    with reading(country.engine, country.actors["registrar"]) as connection:
        rows = {row.code: row for row in list_periods(connection, country.actors["registrar"]).rows}
    assert (rows["unit-monthly"].days, rows["unit-monthly"].changed_by) == (28, "Rana Registrar (R-1)")
    for wrong in (
        {"days": 0},
        {"days": None},
        {"days": 5, "held_by": "attic"},
        {"days": 5, "security_risk_category": "V"},
    ):
        with pytest.raises(ValidationError):
            Period.model_validate({"what": "all", "source": "Order 7", **wrong})
