"""Stories of issue at the station: a badge, a burst of scans, one key; what goes wrong, and how it is mended."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from api.pages.scanner import SET_UP_TEXT
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.keyboards import KEYBOARDS, US, Scanner, press
from tests.browser.station import Counter, station
from tests.world import RIFLES, Country, scans

PETROV = "Private Petrov (A-1001)"
FORTY = tuple(f"ST {100001 + n}" for n in range(40))


def delivered(country: Country) -> None:
    """Forty more rifles in the main store."""
    lines = [{"model": "AKM", "serial_number": serial, "condition": "serviceable"} for serial in FORTY]
    country.do("clerk", RECEIVE, store="Main store", lines=lines)


def issued(country: Country) -> list[tuple[Any, ...]]:
    """Number and details of every issue, the newest first."""
    return country.query("SELECT number, details FROM document WHERE act = 'issue' ORDER BY recorded_at DESC")


def for_petrov(page: Page, *serials: str) -> Counter:
    """A counter with Petrov before it and rifles on the list."""
    counter = station(page)
    counter.scan("A-1001", *serials)
    counter.settled()
    return counter


def test_forty_rifles_by_scanner_and_keyboard_alone(visitors: Visitors, country: Country) -> None:
    """Badge, forty bursts, F10, F10: a number in large letters, forty rifles with Petrov, each kept as scanned."""
    delivered(country)
    counter = station(visitors.page("clerk", "/station"))
    counter.scan("A-1001")
    counter.answers("ready", PETROV, "holds 0 weapons here")
    counter.scan(*FORTY)
    assert counter.lines() == [("ready", f"AKM {serial}") for serial in FORTY]
    expect(counter.page.locator(".count .digits").first).to_have_text("40")
    counter.press("F10")
    expect(counter.page.locator("dialog h2")).to_have_text(f"Hand out to {PETROV}")
    counter.press("F10")
    number = counter.shows_number()
    assert {country.where(serial) for serial in FORTY} == {PETROV}
    ((posted, details),) = issued(country)
    assert number.endswith(f"/{posted}")
    assert details["entered_on_lines"] == {"scanned": list(range(1, 41))}


@pytest.mark.parametrize("layout", ["French", "German", "Russian"])
def test_forty_rifles_on_a_keyboard_of_another_layout(visitors: Visitors, country: Country, layout: str) -> None:
    """The scanner is set to US, the PC is not: the set-up code scanned once at the station, and forty bursts are forty rifles."""
    delivered(country)
    counter = station(visitors.page("clerk", "/station"))
    scanner = Scanner(US, KEYBOARDS[layout])
    press(counter.page, scanner.types(SET_UP_TEXT))
    counter.page.wait_for_function("localStorage.length > 0")
    for text in ("A-1001", *FORTY):
        press(counter.page, scanner.types(text))
    assert counter.lines() == [("ready", f"AKM {serial}") for serial in FORTY]
    counter.press("F10", "F10")
    counter.shows_number()
    assert {country.where(serial) for serial in FORTY} == {PETROV}


def test_each_scan_says_what_it_is(visitors: Visitors, country: Country) -> None:
    """Held by somebody, scanned twice, unknown, unreadable: seen on the line and in the answer; only what is ready goes."""
    country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[0]))
    counter = for_petrov(visitors.page("clerk", "/station"), RIFLES[1])
    counter.answers("ready", f"AKM {RIFLES[1]}", "Main store")
    counter.scan(RIFLES[0])
    counter.answers("stop", "Held by Private Quist (A-1002) since ")
    counter.scan(RIFLES[1])
    counter.answers("attention", "Already on this list, line 1")
    counter.scan("XX 404")
    counter.answers("stop", "Nothing in the books bears this number")
    assert counter.lines() == [("ready", f"AKM {RIFLES[1]}"), ("stop", f"AKM {RIFLES[0]}"), ("stop", "XX 404")]
    counter.press("Delete")
    counter.answers("attention", "XX 404", "Taken off the list")
    counter.press("F10")
    expect(counter.page.locator("dialog .left-out")).to_contain_text("Left out: 1")
    counter.press("F10")
    counter.shows_number()
    assert (country.where(RIFLES[1]), country.where(RIFLES[0])) == (PETROV, "Private Quist (A-1002)")


def test_a_look_alike_and_a_twin_are_chosen_by_one_key(visitors: Visitors, country: Country) -> None:
    """O for 0 brings the rifle that was meant; of two of one number the second is chosen; a digit alone does it."""
    twin = {"model": "Type 56", "serial_number": RIFLES[3], "condition": "serviceable"}
    country.do("clerk", RECEIVE, store="Main store", lines=[twin])
    counter = for_petrov(visitors.page("clerk", "/station"), "KT 4499O2")
    counter.answers("attention", "Did you mean one of these?", f"AKM {RIFLES[2]}")
    counter.press("1")
    counter.answers("ready", f"AKM {RIFLES[2]}")
    counter.scan(RIFLES[3])
    counter.answers("attention", "2 weapons bear this number")
    counter.page.get_by_role("button", name="Type 56").click()
    counter.answers("ready", f"Type 56 {RIFLES[3]}")
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.shows_number()
    assert country.query(
        "SELECT count(*) FROM holding h JOIN account a USING (account_id) WHERE a.name = %s", PETROV
    ) == [(2,)]


def test_a_torn_label_is_typed_and_suggested(visitors: Visitors, country: Country) -> None:
    """The clerk types what he can read, slowly; the arrow keys take the rifle from the list; it is kept as typed."""
    counter = for_petrov(visitors.page("clerk", "/station"))
    counter.page.keyboard.type("9904", delay=120)
    expect(counter.page.locator("#suggestions li")).to_have_text([f"AKM {RIFLES[4]}Main store"])
    counter.press("ArrowDown", "Enter")
    counter.answers("ready", f"AKM {RIFLES[4]}")
    counter.type(RIFLES[5].lower())
    counter.answers("ready", f"AKM {RIFLES[5]}")
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.shows_number()
    ((_, details),) = issued(country)
    assert details["entered_on_lines"] == {"typed": [1, 2]}


def test_a_unit_draws_by_somebody_on_its_card(visitors: Visitors, country: Country) -> None:
    """The company's code, then who draws; the wrong one is told who may; helmets by number go along."""
    counter = station(visitors.page("clerk", "/station"))
    counter.scan("1COY")
    counter.answers("attention", "1st Company", "Say who draws", PETROV)
    counter.scan("A-1002")
    counter.answers("stop", "is not on the signature card")
    counter.scan("A-1001", RIFLES[0])
    counter.settled()
    counter.press("Insert")
    counter.page.locator("dialog").wait_for()
    counter.page.get_by_label("Helmet").nth(1).fill("30")
    counter.press("F10")
    counter.answers("ready", "30 × Helmet")
    expect(counter.page.locator(".count .digits").first).to_have_text("31")
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.shows_number()
    held = country.query(
        "SELECT sum(h.quantity)::int FROM holding h JOIN account a USING (account_id) WHERE a.name = '1st Company'"
    )
    assert held == [(31,)]


def test_what_goes_with_each_weapon(visitors: Visitors, country: Country) -> None:
    """One number with each weapon: two rifles go out with a helmet each, kept with the rifle."""
    counter = for_petrov(visitors.page("clerk", "/station"), *RIFLES[:2])
    counter.press("Insert")
    counter.page.locator("dialog").wait_for()
    counter.page.get_by_label("Helmet").nth(0).fill("1")
    counter.press("F10")
    expect(counter.page.locator(".kit")).to_have_text("With each weapon: 1 × Helmet")
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.shows_number()
    ((_, details),) = issued(country)
    assert sorted(one[0]["model"] for one in details["accessories"].values()) == ["Helmet", "Helmet"]


def test_the_receiver_signs_on_the_screen(visitors: Visitors, country: Country) -> None:
    """Petrov signs by finger; the picture belongs to the document."""
    counter = for_petrov(visitors.page("clerk", "/station"), RIFLES[0])
    counter.press("F10")
    pad = counter.page.locator("canvas.signature")
    box = pad.bounding_box()
    assert box is not None
    mouse = counter.page.mouse
    mouse.move(box["x"] + 40, box["y"] + 60)
    mouse.down()
    for n in range(12):
        mouse.move(box["x"] + 40 + 20 * n, box["y"] + 60 + 30 * (n % 2))
    mouse.up()
    counter.press("F10")
    counter.shows_number()
    ((kept,),) = country.query(
        "SELECT count(*) FROM document WHERE act = 'issue' AND jsonb_array_length(attachments) = 1"
    )
    assert kept == 1


def test_confirmed_twice_and_an_answer_that_was_lost(visitors: Visitors, country: Country) -> None:
    """The answer breaks off; the page is loaded anew and sends the same again: it is posted once, under one number."""
    counter = for_petrov(visitors.page("clerk", "/station"), *RIFLES[:3])
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    counter.page.route("**/v1/issues", lose, times=2)
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.answers("stop", "No answer", "it is posted once")
    counter.scan(RIFLES[4])
    counter.answers("attention", RIFLES[4], "Not taken")
    counter.press("F10")
    counter.answers("stop", "No answer")
    counter.page.reload()
    counter.shows_number()
    assert lost == [201, 201]
    assert len(issued(country)) == 1
    assert country.where(RIFLES[4]) == "Main store"


def test_a_key_pressed_twice_posts_once(visitors: Visitors, country: Country) -> None:
    """A nervous finger: the button is hit twice in one moment, and the key after it; one document."""
    counter = for_petrov(visitors.page("clerk", "/station"), *RIFLES[:2])
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.page.evaluate("() => { const main = document.querySelector('dialog .main'); main.click(); main.click(); }")
    counter.press("F10", "F10")
    counter.shows_number()
    counter.settled()
    assert len(issued(country)) == 1


def test_a_list_survives_a_reload(visitors: Visitors, country: Country) -> None:
    """Half a list, the browser is loaded anew: receiver and lines are there, and go out."""
    counter = for_petrov(visitors.page("clerk", "/station"), *RIFLES[:3])
    counter.page.reload()
    station(counter.page)
    assert counter.lines() == [("ready", f"AKM {serial}") for serial in RIFLES[:3]]
    counter.scan("SPDOCONFIRM")
    counter.page.locator("dialog").wait_for()
    counter.scan("SPDOCONFIRM")
    counter.shows_number()
    assert country.where(RIFLES[2]) == PETROV


def test_somebody_else_was_faster(visitors: Visitors, country: Country) -> None:
    """Between scan and key another counter hands one out: that line says so, the rest stays and goes out without it."""
    counter = for_petrov(visitors.page("clerk", "/station"), *RIFLES[:3])
    country.do("second clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[1]))
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.answers("stop", "Nothing was posted", "1 line(s)")
    assert [severity for severity, _ in counter.lines()] == ["ready", "stop", "ready"]
    expect(counter.page.locator(".line.stop .words")).to_contain_text("Private Quist (A-1002)")
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.shows_number()
    assert [country.where(serial) for serial in RIFLES[:3]] == [PETROV, "Private Quist (A-1002)", PETROV]


def test_the_clerk_undoes_it_alone_and_takes_the_list_again(visitors: Visitors, country: Country) -> None:
    """Ctrl+Z a minute later: everything is back in the store; list and receiver can be mended and handed out anew."""
    counter = for_petrov(visitors.page("clerk", "/station"), *RIFLES[:2])
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.shows_number()
    counter.press("Control+z")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    counter.answers("attention", "is taken back")
    assert country.where(RIFLES[0]) == "Main store"
    counter.page.get_by_role("button", name="Take the list again").click()
    assert counter.lines() == [("ready", f"AKM {serial}") for serial in RIFLES[:2]]
    expect(counter.page.locator(".party")).to_have_text(PETROV)


def test_a_badge_scanned_out_of_turn(visitors: Visitors, country: Country) -> None:
    """A rifle before the badge is kept; the next soldier's badge in the middle of a list changes nothing by itself."""
    counter = station(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0])
    counter.answers("ready", f"AKM {RIFLES[0]}")
    counter.press("F10")
    counter.answers("attention", "Scan the receiver's badge")
    counter.scan("A-1001", "A-1002")
    counter.answers("attention", "Private Quist (A-1002)", f"The list is for {PETROV}")
    expect(counter.page.locator(".party")).to_have_text(PETROV)
    counter.press("1")
    expect(counter.page.locator(".party")).to_have_text("Private Quist (A-1002)")


def test_everybody_can_use_it(visitors: Visitors, country: Country) -> None:
    """axe-core finds nothing, by day, in the sun and at night; with a list, a window and a number on the screen."""
    counter = for_petrov(visitors.page("clerk", "/station"), RIFLES[0], "XX 404", "KT 4499O2")
    for theme in ("day", "sunlight", "night"):
        counter.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        counter.page.wait_for_timeout(200)
        assert_accessible(counter.page)
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    assert_accessible(counter.page)
    counter.press("F10")
    counter.shows_number()
    assert_accessible(counter.page)
    assert_accessible(visitors.page("clerk", "/station/commands"))


def test_on_a_phone(visitors: Visitors, country: Country) -> None:
    """360 wide: nothing is cut off or scrolls sideways, every target is large enough for a glove, and it hands out by touch."""
    page = visitors.page("clerk", "/station", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    counter = for_petrov(page, *RIFLES[:3])
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter(one => one.offsetParent)"
        ".map(one => [one.id || one.textContent, one.offsetWidth, one.offsetHeight])"
        ".filter(([, width, height]) => width < 56 || height < 56)"
    )
    assert small == []
    page.get_by_role("button", name="Hand out").tap()
    page.locator("dialog").get_by_role("button", name="Hand out").tap()
    counter.shows_number()
    assert country.where(RIFLES[2]) == PETROV


def test_the_station_is_for_a_desk(visitors: Visitors) -> None:
    """An auditor is told so; nobody in particular is asked to sign in."""
    context = visitors.context("auditor")
    assert context.request.get(f"{visitors.address}/station").status == 403
    assert visitors.context(None).request.get(f"{visitors.address}/station", max_redirects=0).status in (303, 401)


def test_its_first_load_is_small(visitors: Visitors) -> None:
    """Everything that the first load transfers is under 150 kB."""
    context = visitors.context("clerk")
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("requestfinished", lambda asked: sizes.update({asked.url: asked.sizes()["responseBodySize"]}))
    page.goto("/station")
    station(page)
    page.wait_for_load_state("networkidle")
    assert 5_000 < sum(sizes.values()) < 150_000, sizes
