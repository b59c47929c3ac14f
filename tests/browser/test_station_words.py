"""The station in another language: what a scan means, why not, and what a page cannot do, in the reader's words."""

from __future__ import annotations

from playwright.sync_api import expect

from api.words import pseudo
from stockpile.acts.issue import ISSUE
from tests.browser.conftest import Visitors
from tests.browser.station import station
from tests.test_problems_in_words import english
from tests.world import RIFLES, Country, scans


def test_a_counter_in_the_pseudo_locale(visitors: Visitors, country: Country) -> None:
    """A badge that may not draw, a rifle that Petrov has, one twice, one that nobody knows; a list that is refused line by line."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    page = visitors.page("clerk", "/station?language=xx")
    expect(page.locator("#mode-title")).to_have_text(pseudo("Issue"))
    counter = station(page)
    answer = counter.page.locator("#answer .words")
    counter.scan("A-1009")
    counter.answers("stop")
    assert english(answer.inner_text()) == []
    counter.scan("A-1001")
    counter.answers("ready")
    for serial, severity in ((RIFLES[0], "stop"), (RIFLES[1], "ready"), (RIFLES[1], "attention"), ("0815-X", "stop")):
        counter.scan(serial)
        counter.settled()
        expect(counter.page.locator(f"#answer.{severity}")).to_be_visible()
        assert english(answer.inner_text()) == [], serial
    country.do("second clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[1]))
    counter.confirm()
    expect(counter.page.locator("#answer.stop")).to_be_visible()
    assert english(answer.inner_text(), "Private Quist (A-1002)") == []
