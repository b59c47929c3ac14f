"""The reports of weapons as their readers meet them: on pages, over HTTP, at the command line, in files; each picture beside its table."""

from __future__ import annotations

import csv
import io
import re
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest

from api.words import catalogue
from stockpile.acts.correct import CORRECT
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.overrun import OVERRUN
from stockpile.documents import now
from stockpile.movements import AccountClass
from stockpile.reports.count_compliance import count_compliance
from stockpile.reports.flows import FlowsSought, flow_movements, flows
from stockpile.reports.over_time import holdings_over_time
from stockpile.reports.questions import REPORTS
from tests.api_world import Web, problem, served
from tests.busy_country import make_busy
from tests.reading import asked_by
from tests.reading_pages import BROWSER, visit
from tests.registers import compared, imported
from tests.test_report_files import Command, rows, stockpile
from tests.world import RIFLES, Country, ago, scans

web = pytest.fixture(served)
__all__ = ["stockpile"]

BOOK = "Serial,Model,Unit\nK 1,AKM,1COY\nK 1,AKM,2COY\n,AKM,1COY\n"
LOGGED = "Model,Quantity,Unit\nAKM,100,1COY\n"
HELD = "Model,Quantity,Unit\nAKM,60,1COY\n"


def asked_on_pages(web: Web) -> dict[str, str]:
    """Every report's page, by the address of the same in the API."""
    register = imported(web.country, BOOK).register_id
    compared(web.country, imported(web.country, LOGGED), imported(web.country, HELD), "registrar", "GAO")
    return {
        "/reports/losses-by?by=cause": "/v1/reports/losses-by?by=cause",
        "/reports/lost?state=missing": "/v1/reports/lost?state=missing",
        "/reports/consignments?state=short": "/v1/reports/consignments?state=short",
        "/reports/consignments/lines?consignment=FMS-1": "/v1/reports/consignments/lines?consignment=FMS-1",
        "/reports/transit": "/v1/reports/transit",
        "/reports/transit/pieces": "/v1/reports/transit/pieces",
        f"/reports/records?register={register}": f"/v1/reports/records?register={register}",
        "/reports/unaccounted?audit=GAO": "/v1/reports/unaccounted?audit=GAO",
        "/reports/holdings-over-time": "/v1/reports/holdings-over-time",
        "/reports/flows": "/v1/reports/flows",
        "/reports/count-compliance": "/v1/reports/count-compliance",
        "/holdings?site=TAJI": "/v1/reports/holdings?site=TAJI",
    }


def test_each_is_a_page_an_answer_and_two_files_of_the_same_rows(web: Web) -> None:
    """Read with real readers: as many rows in the table, the JSON, the CSV and the workbook."""
    make_busy(web)
    for page, path in asked_on_pages(web).items():
        told = web.get("auditor", path).json()
        assert told["rows"], path
        shown = visit(web, "auditor", page)
        assert shown.heading
        for source, address in (("API", path), ("page", page)):
            mark = "&" if "?" in address else "?"
            text = web.get("auditor", f"{address}{mark}format=csv").text.removeprefix("\ufeff")
            listed = list(csv.DictReader(io.StringIO(text)))
            book = openpyxl.load_workbook(io.BytesIO(web.get("auditor", f"{address}{mark}format=xlsx").content))
            values = list(book.worksheets[0].values)
            assert len(listed) == len(values) - 1 == len(told["rows"]), (source, address)
            assert list(listed[0]) == list(values[0]) == list(told["rows"][0]), (source, address)


def test_the_fifteen_questions(web: Web, stockpile: Command) -> None:
    """In order, each with its question and finding, on the page, in the API, at the command line; what a donor may not ask it is not
    shown; every way leads somewhere; every word goes to the translators.
    """
    assert [one.number for one in REPORTS] == list(range(1, 16))
    text = visit(web, "auditor", "/reports").text
    told = web.get("auditor", "/v1/reports").json()["rows"]
    printed = stockpile("auditor", "reports").output
    texts = catalogue()
    for one, answered in zip(REPORTS, told, strict=True):
        assert one.question in text
        assert one.finding in text
        assert one.finding in printed
        assert (answered["question"], len(answered["asked"])) == (one.question, len(one.asked))
        for words in (one.name, one.question, one.finding, *(way.question for way in one.asked)):
            assert words in texts, words
        for way in one.asked:
            assert web.client.get(way.page, headers={**BROWSER, **web.headers("auditor")}).status_code == 200, way.page
            assert stockpile("auditor", *re.split(r"\s+", way.command)[1:], "--help").exit_code == 0, way.command
    own = web.get("USA", "/v1/reports").json()["rows"]
    assert [one["number"] for one in own if one["asked"]] == [1, 3, 5, 7, 8, 10, 11, 12, 15]


def test_every_number_leads_to_its_rows(web: Web) -> None:
    """As of a moment too: the weapons behind a number of the balance are those of that moment."""
    make_busy(web)
    before = now().isoformat()
    country = web.country
    country.do("clerk", REPORT_MISSING, place="x", circumstances="y", lines=scans(RIFLES[7]))
    page = visit(web, "auditor", f"/reports/balance?as_of={before.replace('+', '%2B')}")
    (link,) = [one for one in page.addresses if one.startswith("/weapons?") and "class=missing" in one]
    assert "as_of=" in link
    assert "1 piece" in visit(web, "auditor", link).text
    assert "2 pieces" in visit(web, "auditor", "/weapons?class=missing").text
    page = visit(web, "auditor", "/reports/losses-by?by=unit")
    assert any("no_unit=yes" in one for one in page.addresses)
    for one in page.addresses:
        if one.startswith("/reports/lost"):
            visit(web, "auditor", one)
    assert "write a moment like" in visit(web, "auditor", "/reports/lost?as_of=yesterday", 422).text
    assert "holdings" in visit(web, "auditor", "/reports/balance").text


def test_what_an_overrun_took_is_one_click_away(web: Web) -> None:
    """On the overrun's own page: a file of what was inside, with serial numbers, read with a real reader, and its paper; and the site's
    holdings as they were before it fell.
    """
    before = now()
    fall = web.country.do("commander", OVERRUN, circumstances="attacked at night")
    page = visit(web, "commander", f"/documents/{fall.document_id}")
    (link,) = {one for one in page.addresses if one.endswith("format=csv")}
    listed = list(csv.DictReader(io.StringIO(web.get("commander", link).text.removeprefix("\ufeff"))))
    assert {row["serial_number"] for row in listed} >= set(RIFLES)
    assert sum(int(row["quantity"]) for row in listed) == 110
    book = openpyxl.load_workbook(io.BytesIO(web.get("commander", link.replace("csv", "xlsx")).content))
    assert len(list(book.worksheets[0].values)) == len(listed) + 1
    assert web.get("commander", f"/v1/documents/{fall.document_id}/paper.pdf").content.startswith(b"%PDF")
    for at, pieces in ((before, 110), (now(), 0)):
        held = web.get("auditor", "/v1/reports/holdings", site="TAJI", as_of=at.isoformat()).json()
        assert held["quantity"] == pieces
    assert web.get("auditor", "/v1/reports/lost", cause="overrun").json()["sums"]["missing"] == 110


def test_who_may_ask_what(web: Web) -> None:
    """A donor reads no shipments, no lists of the host, nobody's units; a desk not another site's; nobody without signing in."""
    make_busy(web)
    for path in ("transit", "transit/pieces", "unaccounted", "count-compliance", "losses-by?by=unit"):
        problem(web.get("USA", f"/v1/reports/{path}"), 403, "not-allowed")
    problem(web.get("erbil clerk", "/v1/reports/lost", site="TAJI"), 403, "not-allowed")
    problem(web.get("auditor", "/v1/reports/consignments", donor="NOBODY"), 404, "not-found")
    problem(web.get("auditor", "/v1/reports/holdings"), 422, "invalid")
    assert web.client.get("/v1/reports/lost").status_code == 401


def test_at_the_command_line(stockpile: Command, country: Country) -> None:
    """Tables with their sums, and files."""
    country.do(
        "clerk", REPORT_MISSING, place="x", circumstances="y", last_seen_at=ago(days=3), lines=scans(*RIFLES[:2])
    )
    assert "In all: reports 1, lost 2, missing 2" in stockpile("auditor", "losses-by", "--by", "cause").output
    assert RIFLES[1] in stockpile("auditor", "lost", "--state", "missing").output
    assert "Nothing is on its way" in stockpile("auditor", "transit").output
    assert "no such consignments" in stockpile("auditor", "consignments").output
    assert "No two lists" in stockpile("auditor", "unaccounted").output
    register = str(imported(country, BOOK).register_id)
    assert "repeated 2, conflicting 2, incomplete 1, wrong 3" in stockpile("auditor", "records", register).output
    assert "AKM" in stockpile("auditor", "holdings", "--site", "TAJI").output
    for words in (("holdings-over-time",), ("flows",), ("count-compliance",), ("lost",), ("consignments", "FMS-9")):
        done = stockpile("auditor", *words, "--csv", "a.csv")
        assert done.exit_code == 0, done.output
        assert Path("a.csv").exists()
    assert len(rows("a.csv")) == 0


def test_flows_and_holdings_over_time(country: Country) -> None:
    """Ten rifles and a hundred helmets came in; two went missing, of which a correction takes one back: it never moved. What the books said
    before they do not know yet.
    """
    country.do("clerk", REPORT_MISSING, place="x", circumstances="y", lines=scans(RIFLES[0]))
    before = now()
    wrong = country.do("clerk", REPORT_MISSING, place="x", circumstances="y", lines=scans(RIFLES[1]))

    def net(**sought: Any) -> dict[tuple[str, str], int]:
        found = asked_by(country, "auditor", flows, FlowsSought(**sought))
        return {(row.origin, row.place): row.pieces for row in found}

    assert net() == {("outside", "store"): 110, ("store", "missing"): 2}
    assert net(recorded_at=before) == {("outside", "store"): 110, ("store", "missing"): 1}
    assert net(since=before) == {("store", "missing"): 1}
    ask = partial(flow_movements, origin=AccountClass.STORE, place=AccountClass.MISSING)
    moved = asked_by(country, "auditor", lambda connection, actor: ask(connection, actor)).rows
    assert {row.serial_number for row in moved} == set(RIFLES[:2])
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong.document_id, reason="found at once")
    assert net() == {("outside", "store"): 110, ("store", "missing"): 1}
    assert net(since=before) == {}
    (left,) = asked_by(country, "auditor", lambda connection, actor: ask(connection, actor)).rows
    assert (left.serial_number, left.act) == (RIFLES[0], "report missing")
    (month,) = asked_by(country, "auditor", holdings_over_time)
    assert (month.store, month.missing) == (109, 1)
    assert asked_by(country, "erbil clerk", holdings_over_time) == []
    (line,) = asked_by(country, "auditor", count_compliance)
    assert (line.site, line.weapons, line.in_time, line.overdue, line.never) == ("TAJI", 9, 0, 9, 9)


NUMBER = re.compile(r"^[\d,]+$")


def picture_of(web: Web, page: str) -> tuple[ElementTree.Element, list[int]]:
    """The picture on a page, read as XML, and its bold numbers."""
    text = web.client.get(page, headers={**BROWSER, **web.headers("auditor")}).text
    found = re.search(r"<svg class=\"picture\".*?</svg>", text, re.DOTALL)
    assert found, page
    picture = ElementTree.fromstring(found.group())
    figures = [one for one in picture.iter("text") if one.get("class") == "figure"]
    told = ["".join(one.itertext()) for one in figures]
    return picture, [int(part.replace(",", "")) for one in told for part in one.split(" / ")]


def test_pictures_say_what_their_tables_say(web: Web) -> None:
    """Each is well-formed, has a title and a description, no style of its own, and the numbers of the table below it."""
    make_busy(web)

    def told(path: str) -> list[dict[str, Any]]:
        return list(web.get("auditor", f"/v1/reports/{path}").json()["rows"])

    losses, moved, sites = told("losses-by"), told("flows"), told("count-compliance")
    sums = {end: {one[end] for one in moved} for end in ("origin", "place")}
    for page, numbers in {
        "/reports/losses-by": [one["lost"] for one in losses],
        "/reports/transit": [sum(one["outstanding"] for one in told("transit"))],
        "/reports/flows": [
            sum(one["pieces"] for one in moved if one[end] == place)
            for end in ("origin", "place")
            for place in sums[end]
        ],
        "/reports/holdings-over-time": [
            sum(value for name, value in one.items() if name != "on") for one in told("holdings-over-time")
        ],
        "/reports/count-compliance": [
            number for one in sites for number in (one["in_time"], one["overdue"] - one["never"], one["never"])
        ],
    }.items():
        picture, figures = picture_of(web, page)
        assert sorted(figures) == sorted(numbers), page
        names = {one.get("id"): one.text for one in picture if one.tag in ("title", "desc")}
        assert list(names) == (picture.get("aria-labelledby") or "").split()
        assert all(names.values())
        assert all("style" not in one.attrib for one in picture.iter())
    assert "picture" not in web.client.get(
        "/reports/transit?to_site=TAJI", headers={**BROWSER, **web.headers("auditor")}
    ).text.partition("<main")[2].replace("pictures", "")
