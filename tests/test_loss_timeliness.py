"""How long losses took to be reported: from when a weapon was last seen to when the books knew."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile.acts.correct import CORRECT
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.recover import RECOVER
from stockpile.documents import Posted
from stockpile.errors import NotAllowed
from stockpile.reports.loss_timeliness import (
    LossSought,
    LossTimeliness,
    loss_timeliness,
    loss_timeliness_of_register,
)
from tests.api_world import Web, problem, served
from tests.lists_kept import kept
from tests.reading import asked_by, declared_and_received
from tests.registers import imported
from tests.test_report_files import Command, stockpile
from tests.world import HELMET, RIFLES, Country, ago, paper, scans, today

web = pytest.fixture(served)
__all__ = ["stockpile"]

GONE = {"place": "the range", "circumstances": "not in the rack"}


def lost(country: Country, *serials: str, seen: int = 0, **more: Any) -> Posted:
    """Reported missing now, last seen so many days ago."""
    return country.do("clerk", REPORT_MISSING, **GONE, last_seen_at=ago(days=seen), lines=scans(*serials), **more)


def of(country: Country, who: str = "auditor", allowed: int | None = None, **sought: Any) -> LossTimeliness:
    return asked_by(country, who, loss_timeliness, LossSought(**sought), allowed)


def test_a_loss_is_late_after_thirty_days(country: Country) -> None:
    """Seen 31 days ago and reported today: late. Thirty days: not. Without a word on when it was seen, it was lost when reported."""
    first, second = lost(country, RIFLES[0], seen=31), lost(country, RIFLES[1], RIFLES[2], seen=30)
    third = country.do("clerk", REPORT_MISSING, **GONE, lines=scans(RIFLES[3]))
    found = of(country)
    assert [(row.document_number, row.days, row.late, row.quantity) for row in found.rows] == [
        (first.number, 31, True, 1), (second.number, 30, False, 2), (third.number, 0, False, 1),
    ]  # fmt: skip
    assert (found.losses, found.quantity, found.late, found.late_percent) == (3, 4, 1, 33.3)
    assert (found.average_days, found.longest_days, found.days_allowed) == (20.3, 31, 30)
    row = found.rows[0]
    assert (row.model, row.serial_number, row.lost_on, row.reported_on) == (
        "AKM", RIFLES[0], today() - timedelta(days=31), today(),
    )  # fmt: skip
    assert found.rows[1].serial_number is None
    assert [row.document_number for row in of(country, late=True).rows] == [first.number]
    assert of(country, allowed=0).late == 2
    assert of(country, until=today() - timedelta(days=1)).losses == 0


def test_a_paper_keyed_late_and_a_depot_overrun(country: Country) -> None:
    """The paper is of forty days ago, and the rifle came since; what was overrun, helmets and that rifle too, is one loss of its moment."""
    country.do("clerk", REPORT_MISSING, **GONE, lines=scans(RIFLES[0]), paper=paper(1, ago(days=40)))
    country.do("commander", OVERRUN, circumstances="attacked at night")
    found = of(country)
    assert [(row.act, row.days, row.quantity, row.model) for row in found.rows] == [
        ("report missing", 40, 1, "AKM"), ("overrun", 0, 110, None),
    ]  # fmt: skip
    assert of(country, model=HELMET).quantity == 100


def test_a_mistake_is_no_loss_and_what_was_found_was_one(country: Country) -> None:
    """Taken back by two people it is gone from the report; recovered it stays; moved in time by a late paper it stays too."""
    wrong = lost(country, RIFLES[0], seen=50)
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong.document_id, reason="the wrong rifle")
    assert of(country).losses == 0
    found = lost(country, RIFLES[1], seen=3)
    country.do(
        "clerk", RECOVER, store="Main store", place="the bridge", found_by="a patrol", in_hand=True,
        lines=[{"scan": RIFLES[1], "condition": "serviceable"}],
    )  # fmt: skip
    late_paper = paper(1, ago(minutes=1))
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[1]), paper=late_paper)
    assert [row.document_number for row in of(country).rows] == [found.number]


def test_a_donor_reads_of_its_own_when_and_how_many_and_nothing_else(country: Country) -> None:
    """Of one report of three weapons two are the USA's; the last sighting counts for it too. ERBIL has none."""
    declared_and_received(country, "US 1", "US 2")
    lost(country, "US 1", "US 2", RIFLES[0], seen=35)
    lost(country, RIFLES[1], seen=90)
    (row,) = of(country, "USA").rows
    assert (row.quantity, row.days, row.late, row.model) == (2, 35, True, "M4")
    assert of(country, donor="USA").rows == (row,)
    assert of(country, "clerk").losses == 2
    assert of(country, "erbil clerk").losses == 0
    with pytest.raises(NotAllowed):
        of(country, "erbil clerk", site="TAJI")


def test_a_list_of_losses(country: Country) -> None:
    """The day of the loss and the day the report was received; a line that lacks one counts in no average."""
    day = date(2023, 1, 1)
    register = kept(
        country, "loss report",
        {"model": "AKM", "serial_number": "L 1", "dated_on": day, "received_on": day + timedelta(days=301)},
        {"model": "M4", "quantity": 4, "dated_on": day, "received_on": day + timedelta(days=10)},
        {"model": "Blunderbuss", "serial_number": "L 3", "dated_on": day},
        {"model": "AKM", "serial_number": "L 4", "rejected": "no such day"},
    )  # fmt: skip
    found = asked_by(country, "auditor", loss_timeliness_of_register, register)
    assert [(row.line, row.model, row.days, row.late) for row in found.rows] == [
        (2, "M4", 10, False), (1, "AKM", 301, True), (3, "Blunderbuss", None, False),
    ]  # fmt: skip
    assert (found.losses, found.quantity, found.late, found.late_percent) == (3, 6, 1, 50.0)
    assert (found.average_days, found.longest_days, found.undated) == (155.5, 301, 1)
    assert asked_by(country, "auditor", loss_timeliness_of_register, register, LossSought(model="AKM")).losses == 1
    with pytest.raises(NotAllowed):
        asked_by(country, "USA", loss_timeliness_of_register, register)


def test_a_list_of_losses_as_it_is_imported(country: Country) -> None:
    """Its date is the day of the loss, the day received that of the report: said once by who imports it."""
    listed = imported(
        country, "S/N,Weapon,Lost,Reported\nL 1,AKM,2023-01-01,2023-10-29\n", kind="loss report",
        file={"columns": {"serial_number": "S/N", "model": "Weapon", "date": "Lost", "received_on": "Reported"}},
    )  # fmt: skip
    found = asked_by(country, "auditor", loss_timeliness_of_register, listed.register_id)
    assert (found.losses, found.late, found.average_days) == (1, 1, 301.0)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(taken=st.lists(st.integers(0, 400), max_size=12), allowed=st.integers(0, 100))
def test_sums_are_what_the_lines_say(country: Country, taken: list[int], allowed: int) -> None:
    day = date(2023, 1, 1)
    lines = ({"model": "AKM", "dated_on": day, "received_on": day + timedelta(days=days)} for days in taken)
    found = asked_by(
        country, "auditor", loss_timeliness_of_register, kept(country, "loss report", *lines), LossSought(), allowed
    )
    assert (found.losses, found.late) == (len(taken), sum(days > allowed for days in taken))
    assert found.longest_days == max(taken, default=None)
    assert sorted(row.days or 0 for row in found.rows) == sorted(taken)
    if taken:
        assert found.average_days == pytest.approx(sum(taken) / len(taken), abs=0.051)


def test_over_http_and_at_the_command_line(web: Web, stockpile: Command) -> None:
    """Page by page, as a file, of the ledger and of a list."""
    for number, serial in enumerate(RIFLES[:3]):
        lost(web.country, serial, seen=20 * number)
    path = "/v1/reports/losses"
    rows, cursor = [], {}
    while True:
        page = web.get("clerk", path, limit=1, **cursor).json()
        rows += page["rows"]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert [row["days"] for row in rows] == [0, 20, 40]
    assert web.get("clerk", path, format="csv").text.count("\r\n") == 4
    register = kept(web.country, "loss report", {"model": "AKM"})
    assert web.get("auditor", path, register=str(register)).json()["undated"] == 1
    problem(web.get("auditor", path, register=str(register), donor="USA"), 422, "invalid")
    assert (
        "3 reported, 1 later than 30 days (33.3 %); 20.0 days on average, 40 at most"
        in stockpile("auditor", "losses").output
    )
    assert "1 lack a day" in stockpile("auditor", "losses", "--register", str(register)).output
