"""Guests and partners in a real browser: invited by one registrar, approved by another, signed in by the code, ended; a consignment shared
from one donor to the other.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.tokens import create_token
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.test_pages import PHONE, TOO_SMALL, sideways
from tests.guests import delivered, people


def _looked_at(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert_accessible(page)


def test_a_panel_s_expert_reads_until_it_is_ended(visitors: Visitors, tmp_path: Path) -> None:
    """Every page can be used by everybody, on a phone too; what the expert is shown leads to no form."""
    country = visitors.web.country
    people(country)
    delivered(country)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        visitors.web.tokens["second registrar"] = create_token(connection, "registrar", "second", "R-2").text
    registrar = visitors.page("registrar", "/people")
    registrar.get_by_role("link", name="Guests").click()
    registrar.get_by_role("link", name="Invite a guest").click()
    registrar.get_by_label("Number of the person").fill("UN-1")
    registrar.get_by_label("What they read").select_option("consignments")
    registrar.get_by_label("Donor").fill("USA")
    registrar.get_by_label("Consignments").fill("FMS-9")
    registrar.get_by_label("Until the end of").fill((datetime.now(UTC) + timedelta(days=9)).date().isoformat())
    registrar.get_by_label("Who asked for it").fill("Panel of Experts, letter 14")
    registrar.get_by_role("button", name="Ask for it").click()
    expect(registrar.get_by_text("no consignment of this number").first).to_be_visible()
    _looked_at(registrar, tmp_path, "refused")
    registrar.get_by_label("Name").fill("Maria Silva")
    registrar.get_by_label("Consignments").fill("FMS-1")
    registrar.get_by_role("button", name="Ask for it").click()
    expect(registrar.get_by_text("waiting for approval")).to_be_visible()

    second = visitors.page("second registrar", "/", viewport=PHONE)
    expect(second.get_by_text("Guests who wait for approval")).to_be_visible()
    second.goto(registrar.url)
    assert sideways(second) <= 0
    assert second.evaluate(TOO_SMALL) == []
    second.get_by_role("button", name="Approve it").click()
    told = second.get_by_role("status")
    expect(told).to_contain_text("One-time code")
    _looked_at(second, tmp_path, "approved")
    name, code = told.locator(".code").all_inner_texts()

    expert = visitors.page(None, "/sign-in")
    expert.get_by_label("Name").fill(name)
    expert.get_by_label("Password").fill(code)
    expert.get_by_role("button", name="Sign in").click()
    for field in expert.locator("input[type=password]").all():
        field.fill("nine slow barges")
    expert.get_by_role("button", name=re.compile("Change|Choose|Keep|Save")).first.click()
    expert.goto("/weapons")
    expect(expert.get_by_text("Maria Silva")).to_be_visible()
    expect(expert.get_by_role("link", name="UA 1")).to_be_visible()
    expect(expert.get_by_text("UB 1")).to_have_count(0)
    _looked_at(expert, tmp_path, "weapons")
    expert.get_by_role("link", name="UA 2").click()
    _looked_at(expert, tmp_path, "weapon")

    registrar.goto("/guests")
    _looked_at(registrar, tmp_path, "guests")
    registrar.goto("/guest-readings")
    expect(registrar.get_by_text("/weapons").first).to_be_visible()
    second.reload()
    second.goto(registrar.url.replace("/guest-readings", "/guests"))
    second.get_by_role("link", name="Maria Silva").click()
    second.get_by_role("button", name="End this access").click()
    expect(second.get_by_text("revoked")).to_be_visible()
    expert.goto("/weapons")
    expect(expert).to_have_url(re.compile("/sign-in"))


def test_a_consignment_is_shared_and_taken_back(visitors: Visitors, tmp_path: Path) -> None:
    """The USA shares FMS-1 by a form; France reads it; the USA takes it back."""
    delivered(visitors.web.country)
    usa = visitors.page("USA", "/statements")
    usa.get_by_role("link", name="Share a consignment").click()
    usa.get_by_label("Your number of the consignment").fill("FMS-1")
    usa.get_by_label("The other donor's code").fill("FRA")
    usa.get_by_label("What for").fill("Joint delivery")
    _looked_at(usa, tmp_path, "share")
    usa.get_by_role("button", name="Share it").click()
    expect(usa.get_by_role("heading", level=1)).to_contain_text("FMS-1")
    _looked_at(usa, tmp_path, "shared")

    france = visitors.page("FRA", "/shared", viewport=PHONE)
    france.get_by_role("link", name="FMS-1").click()
    expect(france.get_by_role("link", name="UA 3")).to_be_visible()
    _looked_at(france, tmp_path, "partner")
    assert sideways(france) <= 0
    france.get_by_role("link", name="UA 3").click()
    _looked_at(france, tmp_path, "partner weapon")
    usa.get_by_role("link", name="Take it back").click()
    usa.get_by_role("button", name="Take it back").click()
    expect(usa.get_by_text("withdrawn")).to_be_visible()
    france.reload()
    expect(france.get_by_text("taken back")).to_be_visible()
