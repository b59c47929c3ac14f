"""Printed count sheets keyed later, and sealed containers that count by their list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.documents import now
from stockpile.errors import Invalid, NotFound, PostedWithOtherContent, Refused
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.registers.count_lines import BatchTaken, send_lines
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.rejects import RowsRejected
from stockpile.registers.seals import BreakSeal, SealContainer, break_seal, seal_container
from tests.counts import STORE, closed, faults, found, opened, read
from tests.world import HELMET, RIFLES, Country, ago, scans


def keyed(
    country: Country, count_id: UUID, text: str, columns: dict[str, str] | None = None, **asked: Any
) -> BatchTaken:
    """Keys a sheet."""
    sha256 = file_store().keep([text.encode()], 1_000_000).sha256
    file = {"sha256": sha256, "name": "sheet.csv", "columns": columns}
    request = SendLines.model_validate({"file": file, **asked})
    return send_lines(country.engine, country.actors["second clerk"], count_id, request)


def test_a_printed_sheet_keyed_the_next_day(country: Country) -> None:
    """Counted before a rifle was issued, keyed after: it is where the books had it when it was counted. Helmets stand on the same
    sheet, by number.
    """
    began = now()
    rows = "".join(f"{serial},AKM,,serviceable\n" for serial in RIFLES)
    sheet = f"S/N,Item,Qty,Condition\n{rows},{HELMET},100,\n"
    counted_at = now()
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    count = opened(country, opened_at=began.isoformat())
    columns = {"serial_number": "S/N", "model": "Item", "quantity": "Qty", "condition": "Condition"}
    taken = keyed(country, count, sheet, columns, counted_at=counted_at.isoformat())
    assert (taken.line_count, taken.weapons) == (11, 10)
    assert closed(country, count).findings == {"matched": 10, "quantity matched": 1}
    # The columns are remembered for the site's next sheet.
    again = opened(country, counters=["T-1"], account="Quarantine")
    assert keyed(country, again, sheet).line_count == 11


def test_each_row_may_say_when(country: Country) -> None:
    """On the wall of the site, or with its own offset; a day alone takes the time of the whole sheet, and is asked for without."""
    count = opened(country, opened_at=ago(days=3).isoformat())
    wall = ZoneInfo("Asia/Baghdad")
    moment = (now() - timedelta(days=1)).astimezone(wall).replace(second=0, microsecond=0)
    rows = [
        f"{RIFLES[0]},{moment:%Y-%m-%d %H:%M}",
        f"{RIFLES[1]},{moment.isoformat()}",
        f"{RIFLES[2]},{moment:%Y-%m-%d}",
        f"{RIFLES[3]},",
    ]
    sheet = "Serial,Date\n" + "\n".join(rows) + "\n"
    with pytest.raises(RowsRejected) as problem:
        keyed(country, count, sheet)
    assert [(fault.row, "no time of day" in fault.message) for fault in problem.value.faults] == [(4, True)]
    keyed(country, count, sheet, counted_at=moment.isoformat())
    assert country.query("SELECT DISTINCT counted_at FROM count_line") == [(moment,)]


def test_rows_that_cannot_be_read_are_named_and_nothing_is_kept(country: Country) -> None:
    """Nothing on it, a number below nought, a weapon two times over, an unknown model, a time to come: each with its row, and all in
    a file to be mended. What only looks wrong is kept with its doubt.
    """
    count = opened(country)
    sheet = f"Serial,Model,Quantity,Date\n,,,\n,{HELMET},-3,\nK 1,AKM,2,\n,{HELMET},,\n{RIFLES[0]},AKM,1,\n"
    with pytest.raises(RowsRejected) as problem:
        keyed(country, count, sheet)
    assert sorted({fault.row for fault in problem.value.faults}) == [3, 4, 5]
    assert problem.value.rejects is not None
    later = f"{now() + timedelta(days=1):%Y-%m-%d %H:%M}"
    with pytest.raises(RowsRejected) as problem:
        keyed(country, count, f"Serial,Model,Quantity,Date\n,Blunderbuss,3,\nK 2,,,{later}\n")
    assert [(fault.row, fault.message) for fault in problem.value.faults] == [
        (2, "unknown model: a registrar says once which model it is"),
        (3, "is still to come"),
    ]
    assert country.query("SELECT count(*) FROM count_line") == [(0,)]
    taken = keyed(country, count, "Serial,Condition\n1.23E+05,rusty\n")
    (line,) = taken.lines
    assert line.doubts is not None
    assert "scientific" in line.doubts
    assert "'rusty'" in line.doubts
    with pytest.raises(Invalid):
        keyed(country, count, "Nothing,We know\n1,2\n")
    with pytest.raises(NotFound):
        send_lines(
            country.engine, country.actors["second clerk"], count,
            SendLines.model_validate({"file": {"sha256": "ab" * 32, "name": "x.csv"}}),
        )  # fmt: skip
    with pytest.raises(ValidationError):
        SendLines.model_validate({"file": {"sha256": "ab" * 32, "name": "x.csv", "set_aside": True}})


def sealed(country: Country, number: str = "S-1", *weapons: str, who: str = "clerk", **asked: Any) -> UUID:
    request = {"number": number, "store": STORE, "container": "Crate 12", "weapons": weapons, **asked}
    return seal_container(country.engine, country.actors[who], SealContainer.model_validate(request))


def test_an_unbroken_seal_counts_its_list_as_seen(country: Country) -> None:
    """Five rifles under a seal, five on the rack: nobody opens the crate. A rifle of it that the books issued is unexpected; one
    that is also read by hand is one.
    """
    sealed(country, "S-0011", *RIFLES[:5])
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[4]))
    count = opened(country)
    taken = read(country, count, *RIFLES[5:], {"seal": "s 0011"}, RIFLES[0])
    assert (taken.line_count, taken.again) == (11, 1)
    shown = closed(country, count)
    assert (shown.findings["matched"], shown.findings["unexpected"]) == (9, 1)
    assert found(country, count) == [("unexpected", RIFLES[4], "Private Petrov (A-1001)", None)]
    assert country.query("SELECT count(*), count(DISTINCT container) FROM count_line WHERE entered = 'sealed'") == [
        (5, 1)
    ]


def test_a_broken_or_unknown_seal_is_opened_and_counted(country: Country) -> None:
    """It says so, and keeps nothing; once broken a seal stays so, and counted nothing from that moment on."""
    sealed(country, "S-1", *RIFLES[:5])
    count = opened(country)
    assert faults(country, count, {"seal": "S-9"})[0][1:] == (
        "seal", "S-9", "nobody knows this seal: open the container and count it by serial number",
    )  # fmt: skip
    read(country, count, {"seal": "S-1"})
    for _ in range(2):
        break_seal(country.engine, country.actors["clerk"], BreakSeal(number="s1"))
    assert "it was broken at" in faults(country, count, {"seal": "S-1"})[0][3]
    with pytest.raises(Invalid, match="seal"):
        opened(country, account=None, seals=["S-1"])
    with pytest.raises(NotFound):
        break_seal(country.engine, country.actors["clerk"], BreakSeal(number="S-9"))
    sealed(country, "S-2", *RIFLES[:5])
    with pytest.raises(Invalid, match="not changed"):
        break_seal(country.engine, country.actors["clerk"], BreakSeal(number="S-2", broken_at=ago(days=1)))


def test_a_container_is_sealed_over_what_the_books_have_in_the_store(country: Country) -> None:
    """Each weapon that can't be in it is named; a number is used once; the same again is kept once; another site's store is none."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[4]))
    with pytest.raises(Refused) as refusal:
        sealed(country, "S-1", RIFLES[0], RIFLES[4], "ZZ 9", RIFLES[0])
    assert [(one.line, one.reason) for one in refusal.value.reasons] == [
        (2, "the books do not have it in Main store"),
        (3, "unknown: nothing in the books bears this number"),
        (4, "named twice"),
    ]
    key = new_key()
    assert sealed(country, "S-1", *RIFLES[:3], seal_id=key) == sealed(country, "S-1", *RIFLES[:3], seal_id=key)
    for other in ({"seal_id": key, "container": "Crate 13"}, {}):
        with pytest.raises(PostedWithOtherContent):
            sealed(country, "S-1", *RIFLES[:3], **other)
    with pytest.raises(PostedWithOtherContent):
        sealed(country, "S-1", *RIFLES[:2], seal_id=key)
    for wrong in ({"number": "--"}, {"store": "Attic"}):
        with pytest.raises(Invalid):
            sealed(country, **{"number": "S-3", "weapons": RIFLES[:2], **wrong})
    assert country.query("SELECT count(*) FROM seal") == [(1,)]


def test_sealed_over_the_lines_of_a_count_and_counted_by_container(country: Country) -> None:
    """The count read three rifles in crate 12: it is sealed over them. The next count is of that crate alone: by its seal, or,
    opened, by what is in it.
    """
    count = opened(country)
    read(country, count, *({"scan": serial, "container": "Crate 12"} for serial in RIFLES[:3]), *RIFLES[3:])
    closed(country, count)
    with pytest.raises(Invalid, match="not sealed"):
        sealed(country, weapons=(), count_id=count, container="Crate 99")
    sealed(country, "S-1", weapons=(), count_id=count, container="crate 12")
    by_seal = opened(country, counters=["T-1"], account=None, seals=["S-1"])
    assert faults(country, by_seal, {"model": HELMET, "quantity": 1}, who="clerk")[0][1] == "model"
    read(country, by_seal, {"seal": "S-1"}, who="clerk")
    assert closed(country, by_seal).findings == {"matched": 3}

    opened_up = opened(country, counters=["T-2"], account=None, seals=["S-1"])
    break_seal(country.engine, country.actors["clerk"], BreakSeal(number="S-1"))
    read(country, opened_up, RIFLES[0], RIFLES[2])
    closed(country, opened_up)
    assert found(country, opened_up) == [("missing", RIFLES[1], STORE, None)]


def test_another_site_s_seals_are_nothing_here(country: Country) -> None:
    """ERBIL may use the same number; it neither breaks nor counts by TAJI's."""
    sealed(country, "S-1", *RIFLES[:2])
    country.do("erbil clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    with pytest.raises(NotFound):
        break_seal(country.engine, country.actors["erbil clerk"], BreakSeal(number="S-1"))
    sealed(country, "S-1", "E 1", who="erbil clerk")
    with pytest.raises(Refused):
        sealed(country, "S-2", RIFLES[5], who="erbil clerk")
    break_seal(country.engine, country.actors["erbil clerk"], BreakSeal(number="S-1"))
    assert country.query("SELECT count(*) FROM seal WHERE broken_at IS NULL") == [(1,)]
