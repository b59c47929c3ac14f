"""Pages in a real browser: everybody can use them, by day and by night, at a desk and on a phone, from either side."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.busy_country import Busy, make_busy
from tests.world import RIFLES

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

TOO_SMALL = """() => [...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, .button, .areas a, summary')]
    .map(each => ['checkbox', 'radio'].includes(each.type) ? each.labels[0] : each)
    .filter(each => each.offsetParent && each.getBoundingClientRect().height < 43.5 && !each.closest('.unseen'))
    .map(each => each.outerHTML.slice(0, 120))"""


def addresses(visitors: Visitors, busy: Busy) -> dict[str, list[str]]:
    """A page of each kind, by who opens it."""
    web = visitors.web
    (shortage,) = web.get("clerk", "/v1/discrepancies", kind="shortage").json()["rows"]
    person, unit = (web.country.parties[code].party_id for code in ("A-1001", "company"))
    return {
        "commander": [
            "/",
            "/documents",
            "/documents?since=soon",
            f"/documents/{busy.receipt.document_id}",
            f"/documents/{busy.undo.document_id}",
            f"/weapons/{busy.weapon(web, RIFLES[1])}?on=2026-01-01",
            "/weapons?class=person",
            "/people",
            f"/people/{person}",
            f"/people/{person}/clearance",
            "/units",
            f"/units/{unit}",
            "/discrepancies",
            f"/discrepancies/{shortage['discrepancy_id']}",
            "/shipments",
            f"/shipments/{busy.shipment.document_id}",
            "/drafts",
            f"/drafts/{busy.draft.document_id}",
            "/closures",
            "/log",
            "/log-alarms",
            "/counts/due",
            "/weapon-cards",
            "/jobs",
            f"/search?q={RIFLES[9]}",
            "/search?q=NOTHING",
            "/nothing-here",
        ],
        "USA": ["/", "/weapons", f"/weapons/{busy.weapon(web, 'UA 1')}", f"/documents/{busy.receipt.document_id}"],
    }


def sideways(page: Page) -> int:
    """How far the page as a whole can be pushed sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
def test_everybody_can_use_every_page(visitors: Visitors, scheme: str, size: dict[str, int]) -> None:
    """axe-core finds nothing, nothing is pushed sideways, what one presses is large enough."""
    busy = make_busy(visitors.web)
    for who, paths in addresses(visitors, busy).items():
        page = visitors.context(who, color_scheme=scheme, viewport=size).new_page()
        for path in paths:
            page.goto(path)
            assert page.locator("h1").inner_text(), path
            assert_accessible(page)
            assert sideways(page) <= 0, path
            assert page.evaluate(TOO_SMALL) == [], path


@pytest.mark.parametrize("language", ["ar-XB", "xx"])
def test_pages_run_from_either_side_and_take_longer_words(visitors: Visitors, language: str) -> None:
    """On a phone, from right to left and with words 40 per cent longer: nothing is pushed sideways."""
    busy = make_busy(visitors.web)
    for who, paths in addresses(visitors, busy).items():
        page = visitors.context(who, viewport=PHONE, locale=language).new_page()
        for path in paths:
            page.goto(f"{path}{'&' if '?' in path else '?'}language={language}")
            assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar-XB" else "ltr"), path
            assert sideways(page) <= 0, path


def test_a_clerk_finds_narrows_and_leafs_without_any_script(visitors: Visitors) -> None:
    """One field finds the rifle; the list of weapons is narrowed by a form and sorted by a head."""
    make_busy(visitors.web)
    page = visitors.context("clerk", java_script_enabled=False).new_page()
    page.goto("/")
    page.get_by_role("searchbox").fill(RIFLES[0].lower())
    page.keyboard.press("Enter")
    page.wait_for_url("**/weapons/*")
    assert RIFLES[0] in page.locator("h1").inner_text()
    page.get_by_role("link", name="Documents").click()
    page.get_by_text("More filters").click()
    page.get_by_label("Act", exact=True).select_option("issue")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**act=issue**")
    rows = page.get_by_role("row")
    newest = rows.nth(1).inner_text()
    page.get_by_role("columnheader", name="Recorded").get_by_role("link").click()
    page.wait_for_url("**order=recorded_at**")
    assert "act=issue" in page.url
    assert rows.nth(1).inner_text() != newest


def test_a_reader_by_keyboard_skips_to_the_content(visitors: Visitors) -> None:
    """The first Tab offers it, Enter goes there."""
    page = visitors.page("clerk", "/documents")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_clearance_prints_on_paper(visitors: Visitors) -> None:
    """As tables on A4, without navigation and search, with three lines to sign on."""
    busy = make_busy(visitors.web)
    assert busy.issued
    page = visitors.page("clerk", f"/people/{visitors.web.country.parties['A-1001'].party_id}/clearance")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})
    assert page.locator("tbody tr").first.evaluate("row => getComputedStyle(row).display") == "table-row"
    assert page.get_by_text("Person leaving").is_visible()
    assert not page.get_by_role("navigation", name="Areas").is_visible()
    assert not page.get_by_role("searchbox").is_visible()
