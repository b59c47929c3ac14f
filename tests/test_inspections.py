"""Weapons under enhanced monitoring: inspected by serial number within 90 days of arrival, then yearly, or delinquent; of the ledger, and
of a donor's list alone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile import catalogue
from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Precision, now
from stockpile.errors import NotAllowed, NotFound
from stockpile.monitoring import INITIAL_INVENTORY, LOSS_REPORT, YEARLY_INVENTORY, period
from stockpile.reports.inspections import (
    Inspections,
    InspectionSought,
    Periods,
    inspections_due,
    inspections_due_of_arrivals,
)
from tests.api_world import Web, problem, served
from tests.lists_kept import AS_OF, kept
from tests.reading import asked_by
from tests.registers import imported
from tests.test_report_files import Command, stockpile
from tests.world import Country, paper, scans

web = pytest.fixture(served)
__all__ = ["stockpile"]

STINGER = "FIM-92 Stinger"
AS_SHIPPED = Periods()
VALUE = Decimal(120_000)
CAME = date(2026, 2, 1)
BAGHDAD = ZoneInfo("Asia/Baghdad")


def arrive(country: Country, *serials: str, on: date = CAME, donor: str = "USA", number: int = 1) -> UUID:
    """Stingers of a donor, received at TAJI by a paper of that day."""
    moment = datetime(on.year, on.month, on.day, 12, tzinfo=BAGHDAD)
    lines = [{"model": STINGER, "serial_number": serial, "condition": "serviceable"} for serial in serials]
    sheet = paper(number, moment, precision=Precision.DAY)
    return country.do("clerk", RECEIVE, store="Main store", donor=donor, lines=lines, paper=sheet).document_id


def inspected(country: Country, on: date, *serials: str, model: str = STINGER, **how: Any) -> UUID:
    return kept(
        country, "inspection", *({"model": model, "serial_number": serial, "dated_on": on} for serial in serials), **how
    )


def due(
    country: Country, on: date | None, who: str = "auditor", periods: Periods = AS_SHIPPED, **sought: Any
) -> Inspections:
    how = {name: sought.pop(name) for name in ("recorded_at", "limit", "cursor") if name in sought}
    return asked_by(country, who, inspections_due, InspectionSought(**sought), on, periods=periods, **how)


def told(found: Inspections) -> dict[str | None, tuple[date | None, date | None, bool]]:
    """By serial number: inspected on, due on, delinquent."""
    return {row.serial_number: (row.inspected_on, row.due_on, row.delinquent) for row in found.rows}


def days(number: int) -> date:
    return CAME + timedelta(days=number)


def test_the_periods_come_with_their_sources() -> None:
    assert [period(what).days for what in (INITIAL_INVENTORY, YEARLY_INVENTORY, LOSS_REPORT)] == [90, 365, 30]
    assert "SAMM C8.4" in period(INITIAL_INVENTORY).source


def test_within_90_days_of_arrival_then_yearly(country: Country) -> None:
    """On the 90th day neither is late, on the 91st the one not inspected is; the other is due a year after its inspection."""
    arrive(country, "S 1", "S 2")
    inspected(country, days(30), "s-1")
    assert told(due(country, days(90))) == {"S 1": (days(30), days(395), False), "S 2": (None, days(90), False)}
    found = due(country, days(91))
    assert told(found)["S 2"] == (None, days(90), True)
    assert (found.items, found.delinquent, found.delinquent_percent) == (2, 1, 50.0)
    assert (found.value, found.delinquent_value, found.delinquent_value_percent) == (2 * VALUE, VALUE, 50.0)
    assert [row.days_late for row in found.rows] == [1, 0]
    assert due(country, days(396)).delinquent == 2
    assert due(country, days(95), periods=Periods(initial_days=100)).delinquent == 0
    assert due(country, days(95), periods=Periods(yearly_days=10)).delinquent == 2


def test_an_inspection_later_than_the_day_or_before_the_arrival_is_none_yet(country: Country) -> None:
    arrive(country, "S 1")
    inspected(country, days(-10), "S 1")
    inspected(country, days(100), "S 1")
    assert told(due(country, days(99)))["S 1"] == (None, days(90), True)
    assert told(due(country, days(100)))["S 1"] == (days(100), days(465), False)


def test_what_the_books_did_not_know_then(country: Country) -> None:
    """The list of an inspection on the 50th day came in today: as the books said before, it was not done."""
    arrive(country, "S 1")
    before = now()
    inspected(country, days(50), "S 1")
    assert due(country, days(91)).delinquent == 0
    assert due(country, days(91), recorded_at=before).delinquent == 1


def test_a_line_names_its_weapon_or_serial_number_and_model(country: Country) -> None:
    """By key, by any name that the model goes by, dated by its list if not by itself; not by another model, nor by a number that two
    weapons bear, nor by a line that was set aside.
    """
    arrive(country, "S 1", "S 2", "S 3", "S 4", "S 5")
    arrive(country, "S 5", donor="FRA", number=2)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        model = catalogue.find_model(connection, STINGER)
        assert model is not None
        catalogue.map_alias(connection, "USA", "Стингер", model.model_id, country.actors["registrar"].party_id)
    moment = datetime(CAME.year, 3, 3, tzinfo=BAGHDAD)
    kept(country, "inspection", {"item_id": country.item("S 1").item_id}, as_of=moment, site="TAJI")
    inspected(country, days(30), "S 2", model="Стингер")
    kept(
        country, "inspection",
        {"maker": "raytheon", "model": "fim-92  STINGER", "serial_number": "S3", "dated_on": days(31)},
        {"model": "TOW-2A", "serial_number": "S 4", "dated_on": days(31)},
        {"model": STINGER, "serial_number": "S 4", "dated_on": days(31), "rejected": "no such day"},
        {"model": STINGER, "serial_number": "S 5", "dated_on": days(31)},
        {"serial_number": "S 4", "dated_on": days(31)},
    )  # fmt: skip
    kept(country, "count sheet", {"model": STINGER, "serial_number": "S 4", "dated_on": days(31)})
    found = {row.serial_number: row.inspected_on for row in due(country, days(60), donor="USA").rows}
    assert found == {"S 1": date(CAME.year, 3, 3), "S 2": days(30), "S 3": days(31), "S 4": None, "S 5": None}


def test_what_is_not_monitored_not_here_or_missing_is_not_due(country: Country) -> None:
    """The ten AKM are not monitored; one Stinger is only declared, one missing, one was taken back; one is on its way to ERBIL."""
    arrive(country, "S 1", "S 2", "S 3")
    wrong = country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", lines=[{"model": STINGER, "serial_number": "S 4"}]
    )
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong.document_id, reason="never came")
    country.do(
        "registrar",
        DECLARE,
        site="TAJI",
        donor="USA",
        reference="F 1",
        lines=[{"model": STINGER, "serial_number": "S 5"}],
    )
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans("S 2"))
    way = {"to_site": "ERBIL", "carrier": "2nd Transport", "expected_on": "2099-12-31"}
    country.do("clerk", SHIP, **way, lines=scans("S 3"))
    assert told(due(country, None)).keys() == {"S 1", "S 3"}
    assert told(due(country, days(10))).keys() == {"S 1", "S 2", "S 3"}
    country.do("erbil clerk", RECEIVE, lines=[{"model": STINGER, "serial_number": "S 3"}])
    (moved,) = due(country, None, "erbil clerk").rows
    assert (moved.serial_number, moved.arrived_on, moved.site) == ("S 3", CAME, "ERBIL")
    assert due(country, days(-1)).rows == ()


def test_a_receipt_that_was_taken_back_was_no_arrival(country: Country) -> None:
    """Keyed for the wrong day, corrected by two, keyed again: it came on the day that stands."""
    wrong = arrive(country, "S 1")
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong, reason="the wrong day")
    arrive(country, "S 1", on=days(20), number=2)
    for who in ("auditor", "clerk", "USA"):
        assert [row.arrived_on for row in due(country, None, who).rows] == [days(20)], who


def test_a_donor_sees_its_own_with_its_inspections(country: Country) -> None:
    """The same numbers as the auditor of the USA's, now and as of a day; nothing of France's, nor by asking for it."""
    arrive(country, "S 1", "S 2")
    arrive(country, "F 1", donor="FRA", number=2)
    inspected(country, days(30), "S 1", "F 1")
    for on in (None, days(91)):
        own = due(country, on, "USA")
        assert own == due(country, on, donor="USA")
        assert told(own).keys() == {"S 1", "S 2"}
        with pytest.raises(NotFound):
            due(country, on, "USA", donor="FRA")
        assert due(country, on, "clerk").items == due(country, on, site="TAJI").items == 3
    assert (own.delinquent, own.items) == (1, 2)
    with pytest.raises(NotAllowed):
        due(country, None, "erbil clerk", site="TAJI")


def test_an_opened_price_counts_and_a_model_without_one_is_said(country: Country) -> None:
    arrive(country, "S 1")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        connection.exec_driver_sql("UPDATE model SET value = NULL, value_source = NULL WHERE name = %s", (STINGER,))
    found = due(country, days(91))
    assert (found.value, found.delinquent_value_percent, found.without_value) == (0, None, 1)


def arrivals(country: Country, *lines: dict[str, Any]) -> UUID:
    return kept(country, "arrivals", *({"model": STINGER, **line} for line in lines))


def of_list(country: Country, register: UUID, who: str = "auditor", **asked: Any) -> Inspections:
    return asked_by(country, who, inspections_due_of_arrivals, register, **asked)


def test_a_list_of_arrivals_alone(country: Country) -> None:
    """As the Inspector General had it: no ledger. As of the list's own day; four came, one was inspected, one came lately, one has no day;
    a line of ten without numbers was never inspected by any; an AKM is not monitored; a name nobody knows is said.
    """
    day = AS_OF.date()
    register = arrivals(
        country,
        {"serial_number": "S 1", "received_on": day - timedelta(days=100)},
        {"serial_number": "S 2", "received_on": day - timedelta(days=100)},
        {"serial_number": "S 3", "received_on": day - timedelta(days=10)},
        {"serial_number": "S 4"},
        {"quantity": 10, "received_on": day - timedelta(days=91)},
        {"serial_number": "S 5", "received_on": day + timedelta(days=1)},
        {"model": "AKM", "serial_number": "S 6", "received_on": day - timedelta(days=100)},
        {"model": "Blunderbuss", "quantity": 3, "received_on": day},
    )
    ours = inspected(country, day - timedelta(days=20), "S-1", source="FRA")
    other = inspected(country, day - timedelta(days=20), "S 2")
    found = of_list(country, register, inspections=ours)
    assert (found.on, found.items, found.delinquent, found.undated, found.unknown_model) == (day, 14, 11, 1, 3)
    assert (found.value, found.delinquent_value) == (14 * VALUE, 11 * VALUE)
    assert [row.line for row in found.rows] == [2, 5, 3, 1, 4]
    assert of_list(country, register).delinquent == 10
    assert of_list(country, register, inspections=other).delinquent == 11
    assert of_list(country, register, on=day + timedelta(days=200), delinquent=False).rows[-1].line == 4
    with pytest.raises(NotAllowed):
        of_list(country, register, "USA")


def test_lists_as_they_are_imported(country: Country) -> None:
    """Arrivals and inspections as files: the columns that the import reads are those that are asked here."""
    came = imported(
        country, f"Serial No,Model,Date received\nS 1,{STINGER},2023-01-01\nS 2,{STINGER},2023-01-01\n",
        kind="arrivals", as_of="2023-06-02T00:00:00Z",
    )  # fmt: skip
    looks = imported(country, f"S/N,Item,Date\ns-1,{STINGER},2023-02-01\n", kind="inspection", source="TEAM 3")
    found = of_list(country, came.register_id, inspections=looks.register_id)
    assert told(found) == {
        "S 1": (date(2023, 2, 1), date(2024, 2, 1), False),
        "S 2": (None, date(2023, 4, 1), True),
    }
    arrive(country, "S 1", on=date(2023, 1, 5))
    assert told(due(country, date(2023, 6, 2)))["S 1"] == (date(2023, 2, 1), date(2024, 2, 1), False)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    listed=st.lists(
        st.tuples(st.integers(0, 500), st.none() | st.integers(1, 4), st.lists(st.integers(0, 500), max_size=3)),
        max_size=8,
    )
)
def test_sums_are_what_the_lines_say(country: Country, listed: list[tuple[int, int | None, list[int]]]) -> None:
    """Any arrivals, by serial number or quantity, any inspections of them: delinquent is who was due before the day."""
    day = AS_OF.date()
    ago = [day - timedelta(days=came) for came, _, _ in listed]
    register = arrivals(
        country,
        *(
            {"received_on": came, "quantity": quantity, "serial_number": None if quantity else f"S {n}"}
            for n, (came, (_, quantity, _)) in enumerate(zip(ago, listed, strict=True))
        ),
    )
    looks = kept(
        country, "inspection",
        *({"model": STINGER, "serial_number": f"S {n}", "dated_on": day - timedelta(days=back)}
          for n, (_, quantity, looked) in enumerate(listed) if not quantity for back in looked),
    )  # fmt: skip
    late = 0
    for came, quantity, looked in listed:
        done = [] if quantity else [back for back in looked if back <= came]
        late += (quantity or 1) * (min(done) > 365 if done else came > 90)
    found = of_list(country, register, inspections=looks)
    assert found.items == sum(quantity or 1 for _, quantity, _ in listed)
    assert found.delinquent == late
    assert found.delinquent_value == late * VALUE
    assert sum(row.quantity for row in found.rows if row.delinquent) == late


def test_page_by_page_over_http_and_at_the_command_line(web: Web, stockpile: Command) -> None:
    """The longest overdue first, one row a page; as a file; both forms of the question."""
    arrive(web.country, "S 1", "S 2")
    inspected(web.country, days(30), "S 1")
    path, asked = "/v1/reports/inspections", {"on": days(91).isoformat()}
    serials, cursor = [], {}
    while True:
        page = web.get("USA", path, **asked, limit=1, **cursor).json()
        serials += [row["serial_number"] for row in page["rows"]]
        assert (page["items"], page["delinquent_percent"]) == (2, 50.0)
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert serials == ["S 2", "S 1"]
    assert web.get("USA", path, **asked, format="csv").text.count("\r\n") == 3
    (late,) = web.get("USA", path, **asked, delinquent="true").json()["rows"]
    assert late["serial_number"] == "S 2"
    register = arrivals(web.country, {"serial_number": "S 9", "received_on": AS_OF.date()})
    assert web.get("auditor", path, register=str(register)).json()["items"] == 1
    problem(web.get("auditor", path, register=str(register), site="TAJI"), 422, "invalid")
    problem(web.get("auditor", path, on="0001-01-01"), 422, "invalid")
    problem(web.get("auditor", path, cursor="nonsense"), 422, "invalid")
    shown = stockpile("USA", "inspections", "--on", days(91).isoformat())
    assert "1 of 2 items delinquent (50.0 %), worth 120,000.00 of 240,000.00 (50.0 %)" in shown.output
    assert "0 of 1 items delinquent" in stockpile("auditor", "inspections", "--register", str(register)).output
