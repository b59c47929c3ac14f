"""Alerts in a real browser: the list, and a donor's officer who says how to be told."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page, expect

from stockpile.acts.loss import REPORT_MISSING
from stockpile.alerts.finding import find_alerts
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.consigned import accepted, declared, listed
from tests.world import RIFLES, scans

PHONE = {"width": 390, "height": 844}


def look(page: Page, name: str) -> None:
    """Keeps a picture where somebody wants to see it."""
    if folder := os.environ.get("STOCKPILE_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_told_by_a_feed_and_by_e_mail(visitors: Visitors, viewport: dict[str, int]) -> None:
    """What is wrong with the form stands beside its field with what was typed; the feed's secret is shown once."""
    country = visitors.web.country
    accepted(country, declared(country, listed(["UA 1"]), expected_on="2026-01-31").statement_id)
    stolen = {"place": "Arms room", "circumstances": "Not in the rack at the evening count"}
    country.do("clerk", REPORT_MISSING, **stolen, lines=scans(RIFLES[0]))
    find_alerts(country.engine)
    commander = visitors.page("commander", "/alerts", viewport=viewport)
    assert_accessible(commander)
    look(commander, f"alerts-{viewport['width']}")
    page = visitors.page("USA", "/alerts", viewport=viewport)
    expect(page.locator("main")).to_contain_text("USA FMS-117 to TAJI is late")
    expect(page.locator("main")).not_to_contain_text("missing or lost: TAJI")
    page.get_by_role("link", name="How I am told").click()
    assert_accessible(page)
    page.get_by_label("Address of e-mail").fill("nobody")
    page.get_by_label("late", exact=True).check()
    page.get_by_role("button", name="Tell me").click()
    expect(page.get_by_label("Address of e-mail")).to_have_value("nobody")
    expect(page.get_by_label("late", exact=True)).to_be_checked()
    expect(page.locator("main")).to_contain_text("write an address like")
    page.get_by_label("Address of e-mail").fill("officer@donor.example")
    page.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("button", name="Send a test to officer@donor.example")).to_be_visible()
    page.get_by_role("button", name="Send a test to officer@donor.example").click()
    expect(page.locator("main")).to_contain_text("waits")
    page.get_by_label("Way").select_option("web feed")
    page.get_by_role("button", name="Tell me").click()
    expect(page.locator("main")).to_contain_text("sf_")
    assert_accessible(page)
    look(page, f"subscriptions-{viewport['width']}")
    page.goto("/alerts/subscriptions")
    expect(page.locator("main")).not_to_contain_text("sf_")
