"""A rifle seen abroad, in a real browser: reported from a form, the alarm found by the commander, the request answered. By day at a desk,
by night on a phone.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.test_pages import DESK, PHONE, TOO_SMALL, sideways
from tests.test_tracing_pages import second_registrar
from tests.world import RIFLES

PICTURES = os.environ.get("STOCKPILE_TEST_PICTURES")
"""A folder for what the pages look like, for whoever wants to see them."""


def sound(page: Page, name: str) -> None:
    """Axe finds nothing, nothing is pushed sideways, what one presses is large enough."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
    assert_accessible(page)
    assert sideways(page) <= 0, page.url
    assert page.evaluate(TOO_SMALL) == [], page.url


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
def test_a_rifle_is_seen_abroad(visitors: Visitors, scheme: str, size: dict[str, int]) -> None:
    """The registrar keeps a request with a look-alike in its number; the candidates stand there, and the alarm; she proposes the
    answer, and her colleague releases it.
    """
    second_registrar(visitors.web)
    page = visitors.context("registrar", color_scheme=scheme, viewport=size).new_page()
    page.goto("/tracing/new/incoming")
    sound(page, f"form-{scheme}")
    page.get_by_label("Serial number as read").fill(RIFLES[1].replace("0", "O"))
    page.get_by_label("Model").fill("AKM")
    page.get_by_label("State or organisation").fill("National Central Bureau, Amman")
    page.get_by_label("How it was found to be illicit").fill("Found with an armed group")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("alert")).to_contain_text("Diversion alarm")
    expect(page.get_by_role("table", name="Candidates").get_by_role("link").first).to_have_text(RIFLES[1])
    page.get_by_label("Outcome").select_option("traced")
    page.get_by_label("Weapon that was traced").fill(RIFLES[1])
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_text("it takes another person to release it")).to_be_visible()
    sound(page, f"proposed-{scheme}")

    other = visitors.context("second registrar", color_scheme=scheme, viewport=size).new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Release the answer").click()
    expect(other.get_by_role("link", name="Print the answer (PDF)")).to_be_visible()
    for path in ("/tracing", "/tracing/iarms", "/tracing/new/sighting"):
        other.goto(path)
        sound(other, f"{path.replace('/', '-')}-{scheme}")
    commander = visitors.page("commander", "/discrepancies?kind=diversion+alarm")
    expect(commander.get_by_role("link", name="diversion alarm")).to_be_visible()
