"""A donor's officer records a visit in a real browser, on a telephone and at a desk, and the depot's commander answers it."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from stockpile.acts.receive import RECEIVE
from stockpile.documents import now
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.world import SCAN

PHONE = {"width": 360, "height": 740}


def picture(page: Page, name: str) -> None:
    """What the page looks like, where somebody wants to see it."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_recorded_and_answered(visitors: Visitors, viewport: dict[str, int]) -> None:
    country = visitors.web.country
    lines = [{"model": "FIM-92 Stinger", "serial_number": f"S {n}", "condition": "serviceable"} for n in (1, 2)]
    country.do("clerk", RECEIVE, store="Main store", donor="USA", lines=lines)
    donor = visitors.page("USA", "/visits/record", viewport=viewport)
    for name, value in (("number", "EUM-4"), ("inspectors", "Maj. Ana Reyes"), ("lines", "S 1\nZZ 9")):
        donor.locator(f"[name={name}]").fill(value)
    wall = now() + timedelta(hours=3)
    donor.locator("[name=began_at]").fill((wall - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M"))
    donor.locator("[name=ended_at]").fill((wall + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"))
    donor.locator("[name=site]").select_option("TAJI")
    donor.locator("[name=level]").select_option("enhanced")
    donor.get_by_text("Check of the store").click()
    donor.locator("[name=point-locks]").select_option("no")
    donor.locator("[name=remarks-locks]").fill("A bicycle lock")
    donor.locator("[name=evidence]").set_input_files(
        {"name": "door.pdf", "mimeType": "application/pdf", "buffer": SCAN}
    )
    assert_accessible(donor)
    picture(donor, f"record-{viewport['width']}")
    donor.get_by_role("button", name="Record it").click()
    donor.wait_for_selector("[role=alert]")
    assert donor.locator("[name=remarks-locks]").input_value() == "A bicycle lock"
    assert "door.pdf" in donor.locator("#visit-evidence-help").inner_text()
    picture(donor, f"refused-form-{viewport['width']}")
    moment = (now() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    donor.locator("[name=ended_at]").fill(moment)
    donor.get_by_role("button", name="Record it").click()
    donor.wait_for_url("**/visits/*-*")
    assert_accessible(donor)
    picture(donor, f"visit-{viewport['width']}")
    assert donor.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    commander = visitors.page("commander", donor.url, viewport=viewport)
    commander.get_by_label("In words").fill("ZZ 9 is no weapon of ours.")
    commander.get_by_role("button", name="Answer").click()
    commander.get_by_text("ZZ 9 is no weapon of ours.").wait_for()
    commander.goto(donor.url.rpartition("/")[0])
    assert_accessible(commander)
    picture(commander, f"list-{viewport['width']}")
    for path in ("/monitoring-plans", "/monitoring-plans/change?code=enhanced", "/reports/inspections"):
        donor.goto(path)
        assert_accessible(donor)
        picture(donor, f"{path.strip('/').partition('?')[0].replace('/', '-')}-{viewport['width']}")
