"""The station without its link: nothing that was scanned or confirmed is lost, and what it says meanwhile is what the books said."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from playwright.sync_api import BrowserContext, Page, expect

from stockpile.reports.standing import standings
from stockpile.rights import reading
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.test_verdicts import TABLE, stocked
from tests.world import RIFLES, Country

STORE = "Main store"

OPEN = """
async () => {
    const { service } = await import("/static/station/service.js");
    const { openOffline } = await import("/static/station/offline/books.js");
    globalThis.service = service;
    globalThis.books = await openOffline(service);
}
"""
ASK = """
async ([name, given]) => {
    try { return await service[name](...given); }
    catch (problem) { return { failed: problem.constructor.name, detail: problem.message, status: problem.status ?? null }; }
}
"""


def enrolled(visitors: Visitors, book: str = "TAB-3", **options: Any) -> tuple[BrowserContext, Page]:
    """A browser at TAJI that the commander made a device."""
    context = visitors.context("commander", **options)
    page = context.new_page()
    page.goto("/station/device")
    page.get_by_label("Its book").fill(book)
    page.get_by_label("What it is called").fill("Tablet 3, north gate")
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_text("Enrolled. This station")).to_be_visible()
    return context, page


def hand_over(visitors: Visitors, context: BrowserContext, who: str) -> None:
    """Somebody else is signed in at this browser from now on."""
    context.set_extra_http_headers(visitors.web.headers(who))


def opened(page: Page, path: str = "/") -> Page:
    """A page with the station's functions at hand."""
    page.goto(path)
    page.evaluate(OPEN)
    until(page, "books.state.writer && books.state.asOf !== null && !books.state.locked")
    return page


def until(page: Page, condition: str, seconds: float = 20) -> None:
    """Waits until it is so; the pages' policy lets nothing be evaluated from inside."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"{condition}: {page.evaluate('books.state')}"
        page.wait_for_timeout(50)


def ask(page: Page, name: str, *given: Any) -> Any:
    """Asks as a mode of the station does."""
    return page.evaluate(ASK, [name, list(given)])


def test_enrolling_a_browser(visitors: Visitors) -> None:
    """The commander makes it a device: the service knows its key, the browser its site's books."""
    context, page = enrolled(visitors)
    assert_accessible(page)
    (device,) = visitors.web.get("commander", "/v1/devices").json()["rows"]
    assert (device["book"], device["label"]) == ("TAB-3", "Tablet 3, north gate")
    hand_over(visitors, context, "clerk")
    opened(page)
    assert page.evaluate("books.state.person.code") == "T-1"
    context.set_offline(True)
    verdict = ask(page, "verdict", {"mode": "issue", "scan": RIFLES[0], "store": STORE})
    assert (verdict["verdict"], verdict["words"]) == ("ready", STORE)
    assert verdict["as_of_words"].startswith("By the books of ")
    posted = ask(
        page,
        "confirm",
        "issues",
        {
            "document_id": "0190b5a0-0000-7000-8000-00000000d002",
            "receiver": "A-1001",
            "store": STORE,
            "lines": [{"scan": RIFLES[0]}],
        },
    )
    assert posted["number"].startswith("TAJI/TAB-3/"), posted
    verdict = ask(page, "verdict", {"mode": "issue", "scan": RIFLES[0], "store": STORE})
    assert verdict["verdict"] == "held"
    print("BEFORE", page.evaluate("books.state"))
    context.set_offline(False)
    until(page, "books.state.waiting === 0")
    print(page.evaluate("books.state"), page.evaluate("books.vouchers()"))


def test_the_table_of_verdicts(visitors: Visitors) -> None:
    """Every case of the table that the service's verdicts run too: as loud and in the same words, from the books kept here."""
    country = visitors.web.country
    stocked(country)
    context, page = enrolled(visitors)
    hand_over(visitors, context, "clerk")
    opened(page)
    context.set_offline(True)
    wrong = []
    cases = [case for case in TABLE["cases"] if not case.get("online")]
    for case in cases:
        given = {name: case[name] for name in ("mode", "scan", "model", "quantity", "receiver") if name in case}
        lines = [{"item": str(country.item(serial).item_id)} for serial in case.get("lines", ())]
        store = {"store": STORE} if case["mode"] == "issue" else {}
        found = ask(page, "verdict", {**given, **store, "lines": lines})
        said = (found.get("verdict"), found.get("severity"), found.get("line"), found.get("recover"))
        expected = (case["verdict"], case["severity"], case.get("line"), case.get("recover", False))
        candidates = len(found.get("candidates", ()))
        if said != expected or candidates != case.get("candidates", 0) or not in_these_words(country, case, found):
            wrong.append(f"{case['case']}: {found}")
    assert not wrong, "\n".join(wrong)
    assert len(cases) > 15


def in_these_words(country: Country, case: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether the station's words are the table's."""
    words = case.get("words")
    if words is None or "{" not in words:
        return words is None or found["words"] == words
    with reading(country.engine, country.actors["clerk"]) as connection:
        item = UUID(found["weapon"]["item_id"])
        (standing,) = standings(connection, country.actors["clerk"], [item])[item]
    since = standing.since.astimezone(ZoneInfo("Asia/Baghdad"))
    return bool(found["words"] == words.format(since=f"{since:%Y-%m-%d %H:%M}", document=standing.document_number))
