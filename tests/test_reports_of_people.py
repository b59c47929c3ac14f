"""Reports of people and papers as their askers meet them: on pages, over HTTP, at the command line, and as files that real readers open."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.documents import now
from tests.api_world import Web, problem, served
from tests.reading_pages import visit
from tests.test_report_files import Command, stockpile
from tests.world import RIFLES, Country, paper, scans

web = pytest.fixture(served)
__all__ = ["stockpile"]

PAPERS, HOLDERS, UNUSUAL = "/reports/handover-papers", "/reports/holders", "/reports/unusual"


def troubled(country: Country) -> None:
    """Two rifles with a leaver by a paper without an hour, one with Petrov that is lost the same day."""
    country.do(
        "clerk", ISSUE, receiver="A-1009", store="Main store", lines=scans(*RIFLES[:2]),
        paper=paper(1, now(), precision="day"),  # type: ignore[arg-type]
    )  # fmt: skip
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[2]))
    country.do("clerk", REPORT_MISSING, place="Range 2", circumstances="not in the rack", lines=scans(RIFLES[2]))


def rows_of(answer: Any) -> list[dict[str, str]]:
    """What a spreadsheet reads of a CSV."""
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_each_number_on_a_page_opens_its_rows(web: Web) -> None:
    """From the index to the report, from a sum to its rows, from a row to its document, weapon and person."""
    troubled(web.country)
    index = visit(web, "auditor", "/reports")
    for path in (PAPERS, HOLDERS, UNUSUAL):
        assert path in index.addresses
    papers = visit(web, "auditor", PAPERS)
    assert "no signature, no scan" in papers.text
    narrowed = visit(web, "auditor", f"{PAPERS}?gap=no+time+of+day")
    assert f"{PAPERS}?gap=no+time+of+day" in papers.addresses
    assert "TAJI/PAPER/" in narrowed.text
    assert "no signature, no scan" not in narrowed.text
    holders = visit(web, "auditor", f"{HOLDERS}?as_of=2999-01-01T00:00")
    (behind,) = [one for one in holders.addresses if one.startswith(f"{HOLDERS}/weapons")]
    assert "as_of=2999" in behind
    weapons = visit(web, "auditor", behind)
    assert RIFLES[0] in weapons.text
    assert RIFLES[2] not in weapons.text
    signs = visit(web, "auditor", f"{UNUSUAL}?sign=issue,+then+loss")
    assert "reported missing 0 days after it left its store" in signs.text
    assert f"/weapons/{web.country.item(RIFLES[2]).item_id}" in signs.addresses
    assert f"/parties/{web.country.parties['A-1001'].party_id}" in signs.addresses


def test_a_page_speaks_as_of_a_moment_on_the_wall_of_who_asks(web: Web) -> None:
    """A clerk's wall is Baghdad's; the auditor's is UTC. A moment that cannot be is told at its field."""
    before = now()
    troubled(web.country)
    wall = (before + timedelta(seconds=-60)).astimezone(ZoneInfo("Asia/Baghdad"))
    assert "A-1009" in visit(web, "clerk", HOLDERS).text
    assert "A-1009" not in visit(web, "clerk", f"{HOLDERS}?recorded_as_of={wall:%Y-%m-%dT%H:%M}").text
    in_utc = (before + timedelta(minutes=2)).astimezone(ZoneInfo("UTC"))
    assert "A-1009" in visit(web, "auditor", f"{HOLDERS}?recorded_as_of={in_utc:%Y-%m-%dT%H:%M}").text
    assert "2026-11-24T09:30" in visit(web, "auditor", f"{HOLDERS}?as_of=yesterday", 422).text
    assert "Say whose holdings" in visit(web, "auditor", f"{HOLDERS}/weapons", 422).text


def test_over_http_page_by_page_and_as_files(web: Web) -> None:
    """Rows and sums as JSON; CSV and XLSX hold all rows, whatever the page; a threshold can be asked for."""
    troubled(web.country)
    first = web.get("auditor", f"/v1{PAPERS}", limit=1).json()
    assert (first["incomplete"], first["by_gap"]["no signature"], len(first["rows"])) == (2, 1, 1)
    second = web.get("auditor", f"/v1{PAPERS}", limit=1, cursor=first["cursor"]).json()
    assert (second["rows"][0]["lacks"], second["cursor"]) == (["no time of day"], None)
    holders = web.get("auditor", f"/v1{HOLDERS}").json()
    assert [(row["doubt"], row["quantity"]) for row in holders["rows"]] == [("gone from the roster", 2)]
    weapons = web.get("auditor", f"/v1{HOLDERS}/weapons", account=holders["rows"][0]["account_id"]).json()
    assert sorted(row["serial_number"] for row in weapons["rows"]) == sorted(RIFLES[:2])
    quiet = {"night_begins": 0, "night_ends": 0}
    signs = web.get("auditor", f"/v1{UNUSUAL}", **quiet).json()
    assert (signs["signs"], signs["thresholds"]["issue_then_loss"]) == (1, 14)
    for path, count in ((PAPERS, 2), (HOLDERS, 1), (UNUSUAL, 1)):
        asked = quiet if path == UNUSUAL else {}
        assert len(rows_of(web.get("auditor", f"/v1{path}", format="csv", limit=1, **asked))) == count, path
        book = openpyxl.load_workbook(io.BytesIO(web.get("auditor", f"/v1{path}", format="xlsx", **asked).content))
        assert len(list(book.worksheets[0].values)) == count + 1, path
    (row,) = rows_of(web.get("auditor", f"/v1{UNUSUAL}", format="csv", **quiet))
    assert (row["sign"], row["serial_number"]) == ("issue, then loss", RIFLES[2])
    problem(web.get("USA", f"/v1{HOLDERS}"), 403, "not-allowed")
    problem(web.get("auditor", f"/v1{HOLDERS}/weapons"), 422, "invalid")
    problem(web.get("USA", f"/v1{HOLDERS}/weapons", unit="1COY"), 403, "not-allowed")
    problem(web.get("erbil clerk", f"/v1{PAPERS}", site="TAJI"), 403, "not-allowed")
    problem(web.get("auditor", f"/v1{UNUSUAL}", sign="the moon"), 422, "invalid")
    problem(web.get("auditor", f"/v1{PAPERS}", gap="everything"), 422, "invalid")
    problem(web.get("auditor", f"/v1{HOLDERS}", unit="9COY"), 404, "not-found")


def test_at_the_command_line(stockpile: Command, country: Country) -> None:
    """A table with its sums; all of it as files."""
    troubled(country)
    shown = stockpile("auditor", "handover-papers").output
    assert "2 of 3 documents without complete papers (66.7 %): 1 no signature, 1 no scan, 1 no time of day" in " ".join(
        shown.split()
    )
    assert "1 holders of 2 pieces: 1 gone from the roster" in " ".join(stockpile("auditor", "holders").output.split())
    quiet = ("--night-begins", "0", "--night-ends", "0")
    assert "1 signs: 1 issue, then loss" in stockpile("auditor", "unusual", *quiet).output
    assert "Nothing unusual." in stockpile("auditor", "unusual", *quiet, "--recorded", "2020-01-01").output
    for command in ("handover-papers", "holders", "unusual"):
        done = stockpile("auditor", command, "--csv", f"{command}.csv", "--xlsx", f"{command}.xlsx")
        assert done.exit_code == 0, done.output
