"""Cases in a real browser: an auditor opens one about a row of a list, a clerk adds a photo, the commander ends it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.test_pages import PHONE, TOO_SMALL, sideways
from tests.busy_country import make_busy
from tests.world import photo


def test_from_a_row_to_its_end(visitors: Visitors, tmp_path: Path) -> None:
    """Three people, each in a browser of their own; every page can be used by everybody."""
    make_busy(visitors.web)
    auditor = visitors.page("auditor", "/weapons")
    auditor.get_by_role("link", name="Open a case about a row").click()
    assert_accessible(auditor)
    auditor.get_by_role("row", name="KT 449901").get_by_role("link", name="Open a case").click()
    assert_accessible(auditor)
    auditor.get_by_label("In a line").fill("Not in the rack since October")
    auditor.get_by_label("Who answers for it").fill("T-1")
    auditor.get_by_label("What is known so far").fill("The cards say it was drawn.\nNobody signed.")
    auditor.get_by_role("button", name="Open the case").click()
    expect(auditor.get_by_role("heading", level=1)).to_have_text("TAJI/CASE/1 Not in the rack since October")
    assert_accessible(auditor)

    clerk = visitors.page("clerk", "/")
    clerk.goto("/cases?owner=T-1")
    clerk.get_by_role("link", name="TAJI/CASE/1").click()
    clerk.get_by_label("What", exact=False).first.select_option("step")
    clerk.get_by_label("In words").fill("Looked through the cards with the armourer")
    rack = tmp_path / "rack.png"
    rack.write_bytes(photo(90))
    clerk.get_by_label("Photos and scans").set_input_files(rack)
    clerk.get_by_role("button", name="Add it").click()
    expect(clerk.get_by_role("listitem").filter(has_text="Looked through the cards").locator("img")).to_be_visible()
    clerk.get_by_label("Outcome").select_option("found")
    clerk.get_by_label("The cause").fill("It stood in the wrong rack")
    clerk.get_by_role("button", name="Propose it").click()
    expect(clerk.get_by_text("You proposed this end yourself")).to_be_visible()

    commander = visitors.page("commander", auditor.url.partition(visitors.address)[2], viewport=PHONE)
    assert_accessible(commander)
    assert sideways(commander) <= 0
    assert commander.evaluate(TOO_SMALL) == []
    commander.get_by_role("button", name="Agree: the case is closed").click()
    expect(commander.get_by_text("Closed:")).to_be_visible()
    expect(commander.get_by_role("button", name="Add it")).to_have_count(0)
    commander.goto("/cases?state=closed")
    expect(commander.get_by_role("link", name="TAJI/CASE/1")).to_be_visible()
