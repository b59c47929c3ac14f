"""One handover from end to end, as it goes at a depot's window: who works there signs in by badge and PIN, the receiver signs by PIN, the
paper prints and says so, and the second person approves beside the first.
"""

from __future__ import annotations

import re
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.station import station
from tests.browser.test_sign_in import Depot, enter_by_badge
from tests.signing_in import PINS, add_pins, add_users, one_time_pin
from tests.world import RIFLES


@pytest.fixture
def window(visitors: Visitors) -> Page:
    """An enrolled counter at which the clerk signed in."""
    add_users(visitors.web.country)
    add_pins(visitors.web.country)
    page = Depot(visitors).counter()
    enter_by_badge(page, "T-1", PINS["T-1"])
    page.wait_for_url(re.compile(r"/$"))
    return page


def test_handed_out_signed_and_printed(window: Page, tmp_path: Path) -> None:
    """Badge, two rifles, F10; the receiver types his PIN; the number is the counter's own; the receipt says who signed and how."""
    window.get_by_role("link", name="Station").first.click()
    counter = station(window)
    expect(window.locator("#book")).to_have_text("book K1")
    counter.scan("A-1001", *RIFLES[:2])
    assert [severity for severity, _ in counter.lines()] == ["ready", "ready"]
    counter.press("F10")
    window.get_by_label("or by PIN").fill(PINS["A-1001"])
    counter.press("F10")
    number = counter.shows_number()
    assert re.fullmatch(r"TAJI/K1/\d{4}/1", number)

    with window.expect_popup() as opened:
        window.get_by_role("button", name="Print").click()
    paper = window.context.request.get(opened.value.url)
    assert paper.headers["content-type"] == "application/pdf"
    text = pypdfium2.PdfDocument(paper.body())[0].get_textpage().get_text_range()
    assert number in text
    assert "PIN" in text
    for rifle in RIFLES[:2]:
        assert rifle in text


def test_a_wrong_pin_hands_out_nothing(window: Page) -> None:
    """The list stays as it is, and it is said what was wrong; the right PIN then does it."""
    window.goto("/station")
    counter = station(window)
    counter.scan("A-1001", RIFLES[0])
    counter.settled()
    counter.press("F10")
    window.get_by_label("or by PIN").fill("000000")
    counter.press("F10")
    counter.answers("stop", "PIN")
    assert [severity for severity, _ in counter.lines()] == ["ready"]
    counter.press("F10")
    window.get_by_label("or by PIN").fill(PINS["A-1001"])
    counter.press("F10")
    assert counter.shows_number().startswith("TAJI/K1/")


def test_a_one_time_pin_becomes_an_own_one_as_it_signs(window: Page, visitors: Visitors) -> None:
    """He was given a PIN this morning: he chooses his own at the window, too easy once, and the next one signs by it."""
    given = one_time_pin(visitors.web.country, "A-1001")
    window.goto("/station")
    counter = station(window)
    for rifle, pin in ((RIFLES[0], given), (RIFLES[1], "482915")):
        counter.scan("A-1001", rifle)
        counter.settled()
        counter.press("F10")
        window.get_by_label("or by PIN").fill(pin)
        counter.press("F10")
        if pin == given:
            choose(window, "123456", "123456")
            expect(window.get_by_role("dialog")).to_contain_text("too easy")
            choose(window, "482915", "482914")
            expect(window.get_by_role("dialog")).to_contain_text("not the same")
            choose(window, "482915", "482915")
        counter.answers("posted", "1 handed out")


def choose(window: Page, pin: str, again: str) -> None:
    """A new PIN, twice, and F10."""
    window.get_by_label("New PIN").fill(pin)
    window.get_by_label("The same again").fill(again)
    window.keyboard.press("F10")


def test_a_badge_is_typed_after_a_pin_was(window: Page) -> None:
    """The window in which the PIN was typed is closed; the field takes what is typed next, without a click."""
    window.goto("/station")
    counter = station(window)
    counter.scan("A-1001", RIFLES[0])
    counter.settled()
    counter.press("F10")
    window.get_by_label("or by PIN").click()
    window.keyboard.type(PINS["A-1001"], delay=120)
    counter.press("F10")
    counter.shows_number()
    counter.type("A-1002")
    expect(window.locator(".party")).to_contain_text("A-1002")
