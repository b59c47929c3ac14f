"""Unusual: at night, in bulk, lost soon after, renamed again, typed, too fast, against the rule, undone again and again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.emergency_issue import EMERGENCY_ISSUE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted, now
from stockpile.errors import Invalid, NotAllowed
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.thresholds import thresholds
from stockpile.reports.unusual import SIGNS, Sign, Thresholds, Unusual, UnusualRow, UnusualSought, unusual
from tests import counts
from tests.reading import asked_by, declared_and_received
from tests.test_amend_identification import amended
from tests.test_override import REASON, broken
from tests.world import RIFLES, Country, ago, paper, scans, today

NO_NIGHT = {"night_begins": 0, "night_ends": 0}
"""The stories run at any hour."""


def of(
    country: Country, who: str = "auditor", at: AsOf = NOW, limits: dict[str, int] | None = None, **sought: Any
) -> Unusual:
    wanted = Thresholds(**{**NO_NIGHT, **(limits or {})})
    return asked_by(country, who, unusual, UnusualSought(**sought), at, wanted)


def only(found: Unusual, sign: str) -> UnusualRow:
    """The one row there is, which is of this sign."""
    (row,) = found.rows
    assert (row.sign, found.signs, found.by_sign[sign]) == (sign, 1, 1)
    return row


def issued(country: Country, *serials: str, to: str = "A-1001", **more: Any) -> Posted:
    return country.do("clerk", ISSUE, receiver=to, store="Main store", lines=scans(*serials), **more)


def returned(country: Country, *serials: str) -> Posted:
    lines = [{"scan": serial, "condition": "serviceable"} for serial in serials]
    return country.do("clerk", RETURN, store="Main store", lines=lines)


def lost(country: Country, *serials: str) -> Posted:
    return country.do("clerk", REPORT_MISSING, place="Range 2", circumstances="not in the rack", lines=scans(*serials))


def test_the_table_of_signs_says_why_each_is_one() -> None:
    """Each has a sentence, and its thresholds stand in the data with a reason and a number above zero."""
    assert len({sign.name for sign in SIGNS}) == len(SIGNS) == 9
    named = {name.replace("_", " ") for sign in SIGNS for name in sign.thresholds}
    assert named == {name.replace("_", " ") for name in Thresholds().parameters}
    for sign in SIGNS:
        assert sign.why.endswith("."), sign.name
    for threshold in thresholds().values():
        assert threshold.value > 0, threshold
        assert threshold.why, threshold
    assert isinstance(SIGNS[0], Sign)


def test_an_issue_at_night_by_the_wall_of_the_site(country: Country) -> None:
    """The hour counts in Baghdad, not in UTC; a paper without an hour says none; what was taken back is looked at no more."""
    document = issued(country, RIFLES[0])
    wall = document.happened_at.astimezone(ZoneInfo("Asia/Baghdad"))
    night = {"night_begins": (wall.hour - 1) % 24, "night_ends": (wall.hour + 1) % 24}
    before = now()
    row = only(of(country, limits=night), "issue at night")
    assert row.reason == (
        f"at {wall:%H:%M} by the wall of TAJI; the night is {night['night_begins']}:00 to {night['night_ends']}:00"
    )
    assert (row.document_number, row.person, row.site) == (document.number, "Private Petrov (A-1001)", "TAJI")
    utc = {"night_begins": (wall.hour - 4) % 24, "night_ends": (wall.hour - 2) % 24}
    assert of(country, limits=utc).signs == 0
    issued(country, RIFLES[1], paper=paper(1, now(), precision="day"))  # type: ignore[arg-type]
    assert of(country, limits=night).signs == 1
    country.do_with_approval("clerk", "commander", CORRECT, document=document.document_id, reason="the wrong rifle")
    assert of(country, limits=night).signs == 0
    assert of(country, limits=night, at=AsOf(recorded_at=before)).signs == 1
    assert of(country, limits=night, at=AsOf(happened_at=document.happened_at - timedelta(seconds=1))).signs == 0


def test_many_rifles_to_one_person_in_a_day(country: Country) -> None:
    """Three and three are six under two documents; the same rifle twice is one; six to two people, named line by line, are none."""
    first = issued(country, *RIFLES[:3])
    issued(country, *RIFLES[3:5])
    assert of(country).signs == 0
    returned(country, *RIFLES[:2])
    issued(country, *RIFLES[:2])
    assert of(country).signs == 0
    last = issued(country, RIFLES[5])
    row = only(of(country), "bulk issue to one person")
    assert row.reason == f"6 weapons to one person on {today()}, more than 5; documents: 4"
    assert (row.document_number, row.person) == (last.number, "Private Petrov (A-1001)")
    assert of(country, limits={"bulk_issue": 6}).signs == 0
    assert of(country, at=AsOf(happened_at=first.happened_at), limits={"bulk_issue": 2}).signs == 1
    everybody = [{"scan": serial, "receiver": "A-1002" if n % 2 else "A-1003"} for n, serial in enumerate(RIFLES[6:])]
    country.do("commander", EMERGENCY_ISSUE, reason="The gate is under attack", lines=everybody)
    assert only(of(country), "bulk issue to one person")
    assert of(country, limits={"bulk_issue": 1}).by_sign["bulk issue to one person"] == 3


def test_lost_days_after_it_was_issued(country: Country) -> None:
    """A rifle lost from its store is none; one that left its store today is; who had it is told. Taken back, it was no loss."""
    lost(country, RIFLES[1])
    issued(country, RIFLES[0], paper=paper(1, now()))
    loss = lost(country, RIFLES[0])
    row = only(of(country), "issue, then loss")
    assert row.reason == "reported missing 0 days after it left its store, within 14"
    assert (row.document_number, row.serial_number, row.model, row.person) == (
        loss.number, RIFLES[0], "AKM", "Private Petrov (A-1001)",
    )  # fmt: skip
    assert row.item_id == country.item(RIFLES[0]).item_id
    for narrowed in ({"model": "AKM"}, {"donor": "OWN"}, {"unit": "1COY"}, {"site": "TAJI"}, {"since": today()}):
        assert of(country, **narrowed).signs == 1, narrowed
    for narrowed in ({"model": "M4"}, {"donor": "USA"}, {"site": "ERBIL"}, {"until": today() - timedelta(days=1)}):
        assert of(country, **narrowed).signs == 0, narrowed
    country.do_with_approval("clerk", "commander", CORRECT, document=loss.document_id, reason="it was there")
    assert of(country).signs == 0


def test_a_number_that_changes_again(country: Country) -> None:
    """Once is a mistake; twice is told, with the last document; as the books said before, it was once."""
    amended(country, {"scan": RIFLES[0], "serial_number": "KT 1"})
    assert of(country).signs == 0
    before = now()
    last = amended(country, {"scan": "KT 1", "serial_number": "KT 2"})
    row = only(of(country), "identification changed again")
    assert row.reason == f"its identification was amended 2 times since {today()}"
    assert (row.document_number, row.serial_number) == (last.number, "KT 2")
    assert of(country, at=AsOf(recorded_at=before)).signs == 0
    assert of(country, limits={"identification_changes": 3}).signs == 0


def test_typed_against_the_rule_and_undone(country: Country) -> None:
    """Who typed, who let a broken rifle go and why, who undid three documents in a day."""
    lines = [{"scan": serial, "how": "typed" if n < 5 else "scanned"} for n, serial in enumerate(RIFLES[:6])]
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=lines[1:])
    assert of(country, limits={"bulk_issue": 9}).signs == 0
    typed = only(of(country, limits={"bulk_issue": 9, "typed_lines": 4}), "typed instead of scanned")
    assert typed.reason == "4 of 5 lines were typed, 4 or more are a sign"
    assert typed.person == "Sergeant Talib Clerk (T-1)"
    broken(country, RIFLES[7])
    country.do_with_approval(
        "clerk", "commander", ISSUE, receiver="A-1002", store="Main store", override=REASON, lines=scans(RIFLES[7])
    )
    many = {"bulk_issue": 9}
    row = only(of(country, limits=many), "issued against the rule")
    assert row.reason == f"lines that went out unmarked or unserviceable: 1; the reason given: {REASON}"
    assert row.person == "Major Carim Commander (C-1)"
    for _ in range(3):
        country.do("clerk", UNDO, document=issued(country, RIFLES[9]).number)
    found = of(country, limits=many, sign="undone again and again")
    assert [one.reason for one in found.rows] == [
        f"3 documents undone by one person on {today()}, 3 or more are a sign"
    ]
    assert (found.signs, found.rows[0].person) == (2, "Sergeant Talib Clerk (T-1)")


def test_a_count_too_fast_to_be_real(country: Country) -> None:
    """Ten rifles read in a few seconds after it was opened; nine would say nothing; by whom it is allowed to count alone is told too."""
    count_id = counts.opened(country)
    counts.read(country, count_id, *RIFLES[:9], counted_by="T-2")
    assert of(country).signs == 0
    counts.read(country, count_id, RIFLES[9], counted_by="T-2")
    row = only(of(country), "counted too fast")
    assert row.reason.startswith("10 weapons read in ")
    assert row.reason.endswith("less than 3 for each")
    assert (row.count, row.count_id, row.person) == ("TAJI/COUNT/1", count_id, "Corporal Tara Clerk (T-2)")
    assert of(country, limits={"seconds_a_weapon": 0}).signs == 0
    assert of(country, at=AsOf(recorded_at=ago(minutes=5))).signs == 0
    assert of(country, model="AKM").signs == 0
    assert (of(country, unit="1COY").signs, of(country, "erbil clerk").signs) == (0, 0)
    counts.closed(country, count_id)
    counts.opened(country, "commander", override="nobody else is here")
    found = of(country)
    assert [(one.sign, one.reason, one.count) for one in found.rows][:1] == [
        ("counted against the rule", "the reason given: nobody else is here", "TAJI/COUNT/2"),
    ]  # fmt: skip


def test_who_is_told_what(country: Country) -> None:
    """A desk of its own site; a donor what its own weapons show, without a name."""
    declared_and_received(country, "US 1")
    issued(country, "US 1", RIFLES[0])
    lost(country, "US 1", RIFLES[0])
    assert of(country).signs == of(country, "clerk").signs == 2
    row = only(of(country, "USA"), "issue, then loss")
    assert (row.serial_number, row.person, row.party_id) == ("US 1", None, None)
    assert set(of(country, "USA").by_sign) == {"issue at night", "issue, then loss", "identification changed again"}
    assert of(country, "erbil clerk").signs == 0
    for who, sought in (("erbil clerk", {"site": "TAJI"}), ("USA", {"sign": SIGNS[1].name}), ("USA", {"unit": "1COY"})):
        with pytest.raises(NotAllowed):
            of(country, who, **sought)
    with pytest.raises(Invalid):
        of(country, sign="the moon is full")
    assert isinstance(row.happened_at, datetime)
