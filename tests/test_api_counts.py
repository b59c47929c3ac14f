"""A count over HTTP and at the command line: opened, read, closed, followed, exported."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest

from tests import test_report_files
from tests.api_world import Web, fresh, problem, served
from tests.test_report_files import Command, rows
from tests.world import HELMET, RIFLES, Country

web = pytest.fixture(served)
stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)

STORE = "Main store"


def test_a_count_from_its_opening_to_its_findings(web: Web) -> None:
    """Opened by the clerk, read by two tablets, one batch twice, closed by the commander; every list pages and exports."""
    shown = web.posted("clerk", "/v1/counts", {"account": STORE, "counters": ["T-1", "T-2"]})
    path = f"/v1/counts/{shown['count']['count_id']}"
    assert (shown["count"]["name"], shown["count"]["state"], shown["findings"]) == ("TAJI/COUNT/1", "open", {})
    body = {"batch_id": fresh(), "lines": [{"scan": serial} for serial in RIFLES[:9]]}
    first, again = (web.post("clerk", f"{path}/lines", body) for _ in range(2))
    assert (first.status_code, first.content) == (201, again.content)
    problem(web.post("clerk", f"{path}/lines", {**body, "lines": body["lines"][:1]}), 409, "posted-with-other-content")
    web.posted("second clerk", f"{path}/lines", {"lines": [{"scan": "ZZ 1"}, {"model": HELMET, "quantity": 97}]})
    assert web.get("clerk", path).json()["count"]["lines"] == 11
    problem(web.get("commander", f"{path}/expected"), 403, "not-allowed")
    problem(web.post("clerk", f"{path}/close"), 403, "not-allowed")
    closed = web.post("commander", f"{path}/close").json()
    assert closed["findings"] == {"matched": 9, "missing": 1, "unexpected": 1, "quantity differs": 1}
    problem(web.post("clerk", f"{path}/lines", {"lines": [{"scan": RIFLES[9]}]}), 409, "refused")

    missing = web.get("clerk", f"{path}/findings", kind="missing").json()["rows"]
    assert [(one["serial_number"], one["account"]) for one in missing] == [(RIFLES[9], STORE)]
    page = web.get("clerk", f"{path}/findings", limit=5).json()
    assert len(page["rows"]) == 5
    rest = web.get("clerk", f"{path}/findings", limit=500, cursor=page["cursor"]).json()
    assert (len(rest["rows"]), rest["cursor"]) == (7, None)
    for name, count in (("findings", 12), ("lines", 11)):
        table = list(
            csv.reader(StringIO(web.get("auditor", f"{path}/{name}", format="csv").content.decode("utf-8-sig")))
        )
        assert len(table) == count + 1
        assert web.get("auditor", f"{path}/{name}", format="xlsx").content[:2] == b"PK"
    register = closed["count"]["register_id"]
    assert web.get("auditor", f"/v1/registers/{register}").json()["register"]["kind"] == "count sheet"
    found = web.get("clerk", "/v1/discrepancies", kind="missing at count").json()["rows"]
    assert [one["register_id"] for one in found] == [register] * 2


def test_who_may_not_and_what_is_not_there(web: Web) -> None:
    """Donors see no count; ERBIL none of TAJI's; a wrong line is named; nothing is known of another key."""
    shown = web.posted("clerk", "/v1/counts", {"account": STORE, "counters": ["T-2"]})
    path = f"/v1/counts/{shown['count']['count_id']}"
    for query in ("/v1/counts", "/v1/counts/due", "/v1/seals", "/v1/count-periods", path):
        problem(web.get("USA", query), 403, "not-allowed")
    assert web.get("erbil clerk", "/v1/counts").json()["rows"] == []
    problem(web.get("erbil clerk", path), 404, "not-found")
    problem(web.get("clerk", f"/v1/counts/{fresh()}/findings"), 404, "not-found")
    told = problem(web.post("clerk", f"{path}/lines", {"lines": [{"model": HELMET, "quantity": -1}]}), 422, "invalid")
    assert told["faults"][0]["field"].endswith("quantity")
    told = problem(web.post("clerk", "/v1/counts", {"account": STORE, "counters": ["Z-9"]}), 422, "invalid")
    assert told["faults"][0]["value"] == "Z-9"
    assert web.post("clerk", f"{path}/abandon", {"because": "wrong store"}).json()["count"]["state"] == "abandoned"


def test_seals_periods_and_what_is_due(web: Web) -> None:
    """A crate is sealed and its seal broken; a registrar changes a period; the list of what is due follows."""
    body = {"number": "S-1", "store": STORE, "container": "Crate 12", "weapons": list(RIFLES[:3])}
    assert web.posted("clerk", "/v1/seals", body)["weapons"] == 3
    assert web.get("clerk", "/v1/seals", text="crate", broken=False).json()["rows"][0]["number"] == "S-1"
    assert web.post("clerk", "/v1/seals/break", {"number": "S-1"}).json()["broken_at"] is not None
    period = {"what": "depots", "held_by": "depot", "days": 10, "source": "Order 7"}
    problem(web.post("clerk", "/v1/count-periods/order-7", period), 403, "not-allowed")
    assert web.post("registrar", "/v1/count-periods/order-7", period).json()["changed_by"] == "Rana Registrar (R-1)"
    problem(web.post("registrar", "/v1/count-periods/Order 7", period), 422, "invalid")
    assert len(web.get("auditor", "/v1/count-periods", binds=True).json()["rows"]) == 6
    (row,) = web.get("clerk", "/v1/counts/due", overdue=True).json()["rows"]
    assert (row["account"], row["every_days"], row["due_on"]) == (STORE, 10, None)
    assert len(web.get("auditor", "/v1/counts/due", format="csv").text.splitlines()) == 2


def ran(stockpile: Command, who: str, *words: str) -> str:
    """What a command says that works."""
    done = stockpile(who, *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_count_at_the_command_line(stockpile: Command, country: Country) -> None:
    """A sheet is keyed, some is typed, a crate counts by its seal; the findings, the list, what is due; a recount."""
    said = ran(stockpile, "clerk", "count", "open", "--account", STORE, "--counter", "T-1", "--counter", "T-2")
    assert said.startswith("TAJI/COUNT/1: open over Main store, by serial, blind. ")
    Path("sheet.csv").write_text("Serial\n" + "\n".join(RIFLES[:4]) + "\n", encoding="utf-8")
    assert "4 lines kept." in ran(stockpile, "clerk", "count", "sheet", "TAJI/COUNT/1", "sheet.csv")
    ran(stockpile, "clerk", "seal", "add", "S-1", *RIFLES[4:6], "--store", STORE, "--container", "Crate 12")
    said = ran(
        stockpile, "clerk", "count", "line", "taji/count/1", RIFLES[6], RIFLES[0], "ZZ 9", "--count", f"{HELMET}=99",
        "--seal", "S-1",
    )  # fmt: skip
    assert "6 lines kept, 1 read before, 1 in no book." in said
    assert "the same weapon as line 1" in said
    Path("bad.csv").write_text("Serial,Quantity\n,-2\n", encoding="utf-8")
    done = stockpile("clerk", "count", "sheet", "TAJI/COUNT/1", "bad.csv", "--rejects", "rejects.csv")
    assert done.exit_code == 1
    assert len(rows("rejects.csv")) == 1
    assert "It takes an armourer" in stockpile("clerk", "count", "close", "TAJI/COUNT/1").output
    said = ran(stockpile, "auditor", "count", "close", "TAJI/COUNT/1")
    assert "7 matched, 3 missing, 1 unexpected, 1 quantity differs" in said
    assert RIFLES[9] in said
    assert "ZZ 9" in said
    ran(stockpile, "commander", "count", "show", "TAJI/COUNT/1", "--csv", "found.csv")
    assert len(rows("found.csv")) == 12
    assert "closed" in ran(stockpile, "clerk", "count", "list", "--state", "closed")
    assert "sealed" in ran(stockpile, "clerk", "count", "lines", "TAJI/COUNT/1")
    assert "depot" in ran(stockpile, "registrar", "count", "period", "list")
    ran(
        stockpile, "registrar", "count", "period", "set", "order-7", "--what", "depots", "--source", "Order 7", "--days", "9",
        "--held-by", "depot",
    )  # fmt: skip
    assert "9 days" in ran(stockpile, "commander", "count", "due")
    assert "Nothing is to be counted." in ran(stockpile, "commander", "count", "due", "--overdue")
    again = ran(stockpile, "clerk", "count", "open", "--recount", "TAJI/COUNT/1", "--counter", "A-1001", "--seeing")
    assert again.startswith("TAJI/COUNT/2: open over TAJI/COUNT/1, by serial. ")
    assert RIFLES[9] in ran(stockpile, "clerk", "count", "expected", "TAJI/COUNT/2")
    assert "abandoned" in ran(stockpile, "clerk", "count", "abandon", "TAJI/COUNT/2", "--because", "lunch")
    ran(stockpile, "clerk", "seal", "break", "S-1")
    assert "Crate 12" in ran(stockpile, "clerk", "seal", "list", "--broken")
    done = stockpile("clerk", "count", "show", "TAJI/COUNT/77")
    assert (done.exit_code, "There is no count" in done.output) == (1, True)
