"""Stories of the arms room's window: one scan out, one scan in, the cards in view, one key that undoes; and of looking up."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from stockpile import weapon_assignments
from stockpile.acts.draw import DRAW
from stockpile.acts.issue import ISSUE
from stockpile.weapon_assignments import Assign
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.station import Counter, station
from tests.world import RIFLES, Country, scans

PETROV, QUIST = "Private Petrov (A-1001)", "Private Quist (A-1002)"


@pytest.fixture
def arms_room(country: Country) -> Country:
    """Petrov and Quist have a rifle each."""
    lines = [{"scan": RIFLES[0], "person": "A-1001"}, {"scan": RIFLES[1], "person": "A-1002"}]
    weapon_assignments.assign(country.engine, country.actors["commander"], Assign.model_validate({"lines": lines}))
    return country


def window(page: Page) -> Counter:
    """The window, at the morning draw."""
    counter = station(page)
    counter.press("F4")
    expect(page.locator("#mode-title")).to_have_text("Morning draw")
    counter.settled()
    return counter


def cards(counter: Counter) -> list[str]:
    """Whose cards stand in the rack."""
    counter.settled()
    return counter.page.locator(".lines .name").all_inner_texts()


def test_one_scan_out_and_who_drew_is_in_view(visitors: Visitors, arms_room: Country) -> None:
    """Two scans, two cards; the second beep of one is told, and turned round only by a key."""
    counter = window(visitors.page("armourer", "/station"))
    counter.scan(RIFLES[0])
    counter.answers("ready", f"OUT · {PETROV}", RIFLES[0])
    counter.scan(RIFLES[1])
    counter.answers("ready", f"OUT · {QUIST}")
    assert cards(counter) == [PETROV, QUIST]
    expect(counter.page.locator(".count .digits")).to_have_text("2")
    counter.scan(RIFLES[0])
    counter.answers("attention", "It went out", "It really comes back")
    assert arms_room.where(RIFLES[0]) == PETROV
    counter.press("1")
    counter.answers("ready", f"BACK · {PETROV}")
    assert arms_room.where(RIFLES[0]) == "Main store"
    assert cards(counter) == [QUIST]
    ((details,),) = arms_room.query("SELECT details FROM document WHERE act = 'return'")
    assert details["entered_on_lines"] == {"scanned": [1]}


def test_one_key_undoes_the_last_scan(visitors: Visitors, arms_room: Country) -> None:
    """The wrong rifle was scanned: Ctrl+Z, or its printed code, and it is in the rack."""
    counter = window(visitors.page("armourer", "/station"))
    counter.scan(RIFLES[0])
    counter.answers("ready", f"OUT · {PETROV}")
    counter.scan("SPDOUNDO")
    counter.answers("attention", "is taken back")
    assert arms_room.where(RIFLES[0]) == "Main store"
    assert cards(counter) == []
    counter.press("Control+z")
    counter.answers("attention", "nothing to take back")


def test_what_may_not_be_drawn_is_told(visitors: Visitors, arms_room: Country) -> None:
    """Assigned to nobody, and held by another: nothing moves."""
    arms_room.do("clerk", ISSUE, receiver="A-1003", store="Main store", lines=scans(RIFLES[1]))
    counter = window(visitors.page("armourer", "/station"))
    counter.scan(RIFLES[2])
    counter.answers("stop", "It is assigned to nobody")
    counter.scan(RIFLES[1])
    counter.answers("stop", f"Private Rahim (A-1003) holds it, not {QUIST}")
    assert arms_room.query("SELECT count(*) FROM document WHERE details->>'paper' = 'weapon card'") == [(0,)]


def test_an_answer_that_was_lost(visitors: Visitors, arms_room: Country) -> None:
    """The page is loaded anew and asks again: the rifle went out once."""
    counter = window(visitors.page("armourer", "/station"))

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    counter.page.route("**/v1/draws", lose, times=1)
    counter.scan(RIFLES[0])
    counter.answers("stop", "No answer")
    counter.page.reload()
    counter.answers("ready", f"OUT · {PETROV}")
    assert arms_room.where(RIFLES[0]) == PETROV
    assert arms_room.query("SELECT count(*) FROM document WHERE act = 'issue'") == [(1,)]


def test_everybody_can_use_the_window(visitors: Visitors, arms_room: Country) -> None:
    """axe-core finds nothing; on a phone nothing scrolls sideways."""
    arms_room.do("clerk", DRAW, scan=RIFLES[1])
    page = visitors.page("armourer", "/station", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    counter = window(page)
    counter.scan(RIFLES[0])
    counter.settled()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert_accessible(page)


# Look up


def test_one_scan_tells_everything(visitors: Visitors, country: Country) -> None:
    """A rifle with its last entries, a badge with what he holds, a document by its number; and nothing."""
    posted = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    counter = station(visitors.page("clerk", "/station"))
    counter.press("F9")
    counter.scan(RIFLES[0])
    counter.answers("ready", f"AKM {RIFLES[0]}", PETROV, posted.number)
    expect(counter.page.locator(".history li")).to_have_count(2)
    expect(counter.page.locator(".history li").first).to_contain_text(f"Main store → {PETROV}")
    counter.scan("A-1001")
    counter.answers("ready", PETROV, "holds 1")
    expect(counter.page.locator(".history li")).to_have_text([f"AKM {RIFLES[0]}"])
    counter.scan(posted.number)
    counter.answers("ready", posted.number, "issue")
    counter.scan("KT 4499O1")
    counter.answers("attention", "Did you mean one of these?")
    counter.scan("ZZ 1")
    counter.answers("stop", "Nothing in the books bears this")
    assert_accessible(counter.page)


def test_the_printed_codes_switch_modes_and_help(visitors: Visitors) -> None:
    """Everything by scanner: mode codes, help, cancel; each code on the sheet is one that the station knows, and no asset tag."""
    counter = station(visitors.page("clerk", "/station"))
    counter.scan("SPDOFIND")
    expect(counter.page.locator("#mode-title")).to_have_text("Look up")
    counter.scan("SPDOHELP")
    expect(counter.page.locator("dialog h2")).to_have_text("Keys")
    assert_accessible(counter.page)
    counter.scan("KT 1")
    counter.answers("attention", "Not taken")
    counter.scan("SPDOCANCEL")
    expect(counter.page.locator("dialog")).to_have_count(0)
    known = counter.page.evaluate(
        "async () => { const { COMMANDS } = await import('/static/station/commands.js');"
        " const { MODES } = await import('/static/station/modes/all.js');"
        " return [...Object.keys(COMMANDS), ...MODES.map(mode => mode.command)]; }"
    )
    sheet = visitors.page("clerk", "/station/commands")
    printed = sheet.locator("code").all_inner_texts()
    assert set(known) <= set(printed)
