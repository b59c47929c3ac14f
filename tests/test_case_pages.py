"""Cases as people meet them: over HTTP, on pages, at the command line. An auditor may do all of it, and nothing in the ledger."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.keys import new_key
from tests import test_report_files
from tests.api_world import Web, problem, served
from tests.busy_country import make_busy
from tests.reading_pages import BROWSER, read, visit
from tests.registers import imported
from tests.test_identification_commands import ran
from tests.test_report_files import Command
from tests.world import RIFLES, Country, photo, scans

web = pytest.fixture(served)
stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)


def opened(web: Web, who: str, **case: Any) -> dict[str, Any]:
    return web.posted(who, "/v1/cases", {"title": "Not where the books say", "subject": {"weapon": RIFLES[0]}, **case})


def test_over_http(web: Web) -> None:
    """Opened, sent again, worked off, ended by another; every refusal in words."""
    key = str(new_key())
    case = opened(web, "auditor", case_id=key, owner="T-1")
    asked = {"title": "Not where the books say", "subject": {"weapon": RIFLES[0]}, "case_id": key, "owner": "T-1"}
    again = web.post("auditor", "/v1/cases", asked)
    assert (again.status_code, again.json()) == (201, case)
    problem(
        web.post("auditor", "/v1/cases", {"title": "x", "subject": {"unit": "1COY"}, "case_id": key}),
        409,
        "posted-with-other-content",
    )
    at = f"/v1/cases/{key}"
    web.posted("clerk", f"{at}/parts", {"kind": "step", "text": "Asked the armourer"})
    refused = problem(web.post("clerk", f"{at}/parts", {"kind": "evidence"}), 422, "invalid")
    assert "photo or a scan" in str(refused)
    web.posted("clerk", f"{at}/outcome", {"outcome": "clerical", "text": "Wrong counter"})
    problem(web.post("clerk", f"{at}/close", {}), 403, "not-allowed")
    problem(web.post("USA", f"{at}/parts", {"kind": "note", "text": "x"}), 403, "not-allowed")
    problem(web.post("erbil clerk", f"{at}/parts", {"kind": "note", "text": "x"}), 404, "not-found")
    web.posted("commander", f"{at}/decline", {"text": "Show it"})
    web.posted("commander", f"{at}/assign", {"owner": "T-2", "due_on": "2099-01-01"})
    web.posted("clerk", f"{at}/outcome", {"outcome": "clerical", "text": "Wrong counter"})
    web.posted("auditor", f"{at}/close", {})
    problem(web.post("clerk", f"{at}/parts", {"kind": "note", "text": "x"}), 409, "refused")
    shown = web.get("clerk", at).json()
    assert [part["kind"] for part in shown["parts"]] == [
        "opened", "step", "outcome proposed", "declined", "assigned", "outcome proposed", "closed",
    ]  # fmt: skip
    assert web.get("clerk", "/v1/cases").json()["rows"] == []
    assert [row["case"] for row in web.get("clerk", "/v1/cases", state="closed").json()["rows"]] == ["TAJI/CASE/1"]
    assert web.get("auditor", f"{at}/parts", format="csv").text.count("\n") == 8
    problem(web.get("USA", "/v1/cases"), 403, "not-allowed")


def test_a_weapon_with_a_case_shows_it_everywhere(web: Web) -> None:
    """In its list, in what is found, at the counter's scan, on its page; at another site that there is one and no more."""
    case = opened(web, "auditor")
    item = str(web.country.item(RIFLES[0]).item_id)
    rows = {row["item_id"]: row["open_cases"] for row in web.get("clerk", "/v1/weapons").json()["rows"]}
    assert rows.pop(item) == 1
    assert set(rows.values()) == {0}
    assert web.get("clerk", "/v1/find", q=RIFLES[0]).json()["items"][0]["open_cases"] == 1
    asked = {"mode": "issue", "receiver": "A-1001", "store": "Main store", "scan": RIFLES[0]}
    verdict = web.post("clerk", "/v1/station/verdicts", asked).json()
    assert verdict["severity"] == "ready"
    assert verdict["words"].endswith("A case about it is open")
    assert verdict["weapon"]["open_cases"] == 1
    page = visit(web, "clerk", f"/weapons/{item}")
    assert page.links[f"{case['case']} Not where the books say"] == f"/cases/{case['case_id']}"
    assert "open at another site" in visit(web, "erbil clerk", f"/weapons/{item}").text
    assert visit(web, "clerk", "/weapons").rows[0]["Cases open"] == "1"
    for who in ("USA", "FRA"):
        assert "case" not in web.get(who, "/weapons", **{}).text.lower().replace("showcase", "")
    headers = {**BROWSER, **web.headers("clerk")}
    found = web.client.get("/search", params={"q": "taji/case/1"}, headers=headers, follow_redirects=False)
    assert found.headers["location"] == f"/cases/{case['case_id']}"


def form_of(web: Web, who: str, address: str) -> dict[str, str]:
    """The fields of a page's forms as they stand."""
    return visit(web, who, address).fields


def sent(web: Web, who: str, path: str, given: dict[str, str], files: Any = None) -> Any:
    given = {name: value for name, value in given.items() if name != "files"}
    return web.client.post(
        path, data=given, files=files or {}, headers={**BROWSER, **web.headers(who)}, follow_redirects=False
    )


def test_a_row_of_any_list_becomes_a_case(web: Web) -> None:
    """Every list that the host reads offers it, and its row is kept as it was read: whatever the list, as the auditor sees it."""
    make_busy(web)
    tried = 0
    for path, listing in web.client.app.state.listings.items():  # type: ignore[attr-defined]
        if not listing.cases or any(one.fixed for one in listing.filters):
            continue
        page = visit(web, "auditor", f"{path}?case=choose")
        ways = [link for link in page.addresses if link.startswith("/cases/new")]
        if not ways:
            continue
        tried += 1
        form = visit(web, "auditor", ways[-1])
        answer = sent(web, "auditor", "/cases/new", {**form.fields, "title": "Why?"})
        assert answer.status_code == 303, (path, read(answer).text)
        case = web.get("auditor", f"/v1{answer.headers['location']}").json()
        assert case["case"]["title"] == "Why?"
        if case["report"]:
            assert case["report"]["path"] == path
            assert set(case["report"]["row"]) >= {column.name for column in listing.columns if column.read is None}, (
                path
            )
        assert visit(web, "auditor", answer.headers["location"]).heading.endswith("Why?")
    assert tried > 12
    assert not [link for link in visit(web, "USA", "/weapons?case=choose").addresses if "case" in link]


def test_a_row_that_changed_meanwhile_is_read_again(web: Web) -> None:
    """Between the click and the form somebody issued the rifle: the case would keep what nobody read. The form says so."""
    page = visit(web, "commander", "/weapons?case=choose")
    way = next(link for link in page.addresses if link.startswith("/cases/new"))
    form = visit(web, "commander", way)
    web.country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES))
    answer = sent(web, "commander", "/cases/new", {**form.fields, "title": "Why?", "text": "Typed already"})
    assert answer.status_code == 422
    assert "otherwise by now" in read(answer).text
    for wrong in ("list=/nowhere", "list=/weapons&row=x", "weapon=x", "discrepancy=" + str(new_key()), "party=x", ""):
        assert visit(web, "commander", f"/cases/new?{wrong}", 404).text


def test_a_line_of_a_list(web: Web) -> None:
    """From the list's own page, and back to it."""
    register = imported(web.country, "Serial,Model\nK 1,AKM\nK 2,AKM\n").register_id
    page = visit(web, "auditor", f"/registers/{register}?case=choose")
    way = [link for link in page.addresses if link.startswith("/cases/new")][1]
    assert parse_qs(urlsplit(way).query)["line"] == ["3"]
    answer = sent(web, "auditor", "/cases/new", form_of(web, "auditor", way))
    assert answer.status_code == 303
    assert "line 3" in visit(web, "auditor", answer.headers["location"]).text


def test_a_case_on_pages(web: Web) -> None:
    """From the weapon's page to the end: forms keep what was typed, files are chosen once, the second person's form is the
    second person's. The start pages count it.
    """
    item = web.country.item(RIFLES[0]).item_id
    fields = form_of(web, "auditor", visit(web, "auditor", f"/weapons/{item}").links["Open a case"])
    assert fields["title"] == "AKM KT 449900"
    wrong = sent(
        web, "auditor", "/cases/new", {**fields, "owner": "X-9", "text": "Not in the rack"},
        {"files": ("rack.png", photo(), "image/png")},
    )  # fmt: skip
    assert wrong.status_code == 422
    page = read(wrong)
    assert "there is no person" in page.text
    assert "1 file is kept already" in page.text
    assert "Not in the rack" in page.text
    answer = sent(web, "auditor", "/cases/new", {**page.fields, "owner": "T-1", "text": "Not in the rack"})
    at = answer.headers["location"]
    assert visit(web, "clerk", at).addresses.count(f"/files/{stored(web, at)}") == 1
    assert web.client.get(f"/files/{stored(web, at)}", headers=web.headers("clerk")).status_code == 200
    assert sent(web, "clerk", f"{at}/add", {"kind": "step", "text": ""}).status_code == 422
    bad = sent(
        web, "clerk", f"{at}/add", {"kind": "step", "text": "Cards read"}, {"files": ("x.txt", b"hello", "text/plain")}
    )
    assert bad.status_code == 422
    assert "Cards read" in read(bad).text
    assert (
        sent(
            web, "clerk", f"{at}/add", {"kind": "step", "text": "Cards read", "document": "TAJI/B/2026/99"}
        ).status_code
        == 422
    )
    assert sent(web, "clerk", f"{at}/add", {"kind": "step", "text": "Cards read"}).status_code == 303
    assert sent(web, "second clerk", f"{at}/outcome", {"outcome": "loss report", "text": "Gone"}).status_code == 422
    assert (
        sent(web, "second clerk", f"{at}/outcome", {"outcome": "found", "text": "Behind the rack"}).status_code == 303
    )
    assert "Cases that wait for a second person" in visit(web, "commander", "/").text
    assert "You proposed this end yourself" in visit(web, "second clerk", at).text
    assert "it takes another person" in visit(web, "clerk", at).text
    assert "Agree: the case is closed" not in visit(web, "clerk", at).text
    assert sent(web, "clerk", f"{at}/answer", {"agree": "yes"}).status_code == 403
    assert sent(web, "commander", f"{at}/answer", {"text": ""}).status_code == 422
    assert sent(web, "commander", f"{at}/assign", {"due_on": "2000-01-01"}).status_code == 303
    assert visit(web, "auditor", "/cases?due_before=2001-01-01").rows[0]["Days open"] == "0"
    assert "overdue" in visit(web, "commander", at).text
    assert "Agree: the case is closed" in visit(web, "commander", at).text
    assert sent(web, "commander", f"{at}/answer", {"agree": "yes"}).status_code == 303
    closed = visit(web, "auditor", at)
    assert "Closed: found" in re.sub(r"\s+", " ", closed.text)
    again = dict(parse_qsl(urlsplit(closed.links["Take it up again in a new case"]).query))
    assert again == {"weapon": str(item), "reopens": at.rpartition("/")[2]}
    second = sent(web, "auditor", "/cases/new", form_of(web, "auditor", closed.links["Take it up again in a new case"]))
    assert "Taken up again by TAJI/CASE/2" in re.sub(r"\s+", " ", visit(web, "auditor", at).text)
    assert "Takes up again" in visit(web, "auditor", second.headers["location"]).text


def stored(web: Web, at: str) -> str:
    return str(web.get("auditor", f"/v1{at}").json()["parts"][0]["attachments"][0])


def test_an_auditor_writes_cases_and_nothing_in_the_ledger(web: Web) -> None:
    """Every route of the API that moves, marks, corrects or approves refuses; every form of a page does; cases are taken."""
    opened(web, "auditor")
    before = web.country.owner_query(
        "SELECT (SELECT count(*) FROM stockpile.document), (SELECT count(*) FROM stockpile.entry)"
    )
    line = {"lines": scans(RIFLES[0])}
    for path, body in (
        ("/v1/issues", {"receiver": "A-1001", "store": "Main store", **line}),
        ("/v1/returns", {"store": "Main store", **line}),
        ("/v1/receipts", {"store": "Main store", "lines": [{"model": "AKM", "serial_number": "Z 1"}]}),
        ("/v1/loss-reports", {"place": "x", "circumstances": "x", **line}),
        ("/v1/corrections", {"document": "TAJI/B/2026/1", "reason": "x"}),
        ("/v1/voids", {"reason": "x"}),
    ):
        assert web.post("auditor", path, {"site": "TAJI", **body}).status_code in (403, 404), path
    assert (
        web.country.owner_query(
            "SELECT (SELECT count(*) FROM stockpile.document), (SELECT count(*) FROM stockpile.entry)"
        )
        == before
    )


def test_at_the_command_line(stockpile: Command, country: Country) -> None:
    """The same, by words."""
    assert (
        ran(stockpile, "auditor", "case", "open", "Where is it?", "--weapon", RIFLES[0], "--owner", "T-1")
        == "TAJI/CASE/1: opened.\n"
    )
    assert "part 2: step" in ran(
        stockpile, "clerk", "case", "add", "TAJI/CASE/1", "--kind", "step", "--text", "Cards read"
    )
    assert "part 3: assigned" in ran(stockpile, "commander", "case", "assign", "TAJI/CASE/1", "--due", "2000-01-01")
    assert "TAJI/CASE/1" in ran(stockpile, "auditor", "case", "list", "--overdue")
    ran(stockpile, "second clerk", "case", "propose", "TAJI/CASE/1", "found", "--text", "Behind the rack")
    ran(stockpile, "commander", "case", "decline", "TAJI/CASE/1", "--text", "Which rack?")
    ran(stockpile, "second clerk", "case", "propose", "TAJI/CASE/1", "found", "--text", "Rack 3")
    done = stockpile("clerk", "case", "close", "TAJI/CASE/1")
    assert (done.exit_code, "commander" in done.output) == (1, True)
    assert "part 7: closed" in ran(stockpile, "commander", "case", "close", "TAJI/CASE/1")
    said = ran(stockpile, "auditor", "case", "show", "TAJI/CASE/1")
    assert "Cards read" in said
    assert "Rack 3" in said
    assert "No case." in ran(stockpile, "auditor", "case", "list")
    ran(stockpile, "auditor", "case", "list", "--state", "all", "--csv", "cases.csv")
    assert ran(
        stockpile, "auditor", "case", "open", "Again", "--weapon", RIFLES[0], "--reopens", "TAJI/CASE/1"
    ).startswith("TAJI/CASE/2")
