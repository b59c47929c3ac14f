"""Stories of a count at the station: blind, while another counter goes on issuing; sealed containers; the differences counted again; what
is missing reported. What was read is never lost.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from playwright.sync_api import Page, expect

from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.registers.count_closing import close_count
from stockpile.registers.counts import OpenCount, open_count
from stockpile.registers.seals import SealContainer, seal_container
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.station import Counter, station
from tests.browser.test_sign_in import Depot, enter_by_badge
from tests.signing_in import PINS, add_pins, add_users
from tests.world import RIFLES, Country, scans


def opened(country: Country, *counters: str, who: str = "clerk", **scope: Any) -> UUID:
    """A count of the main store, or of what else is said."""
    wanted = {"counters": counters or ("T-1", "T-2"), **(scope or {"account": "Main store"})}
    return open_count(country.engine, country.actors[who], OpenCount.model_validate(wanted))


def counting(page: Page, *, choose: str | None = "1") -> Counter:
    """The station, in a count that is open."""
    counter = station(page)
    counter.press("F7")
    expect(page.locator("#mode-title")).to_have_text("Count")
    counter.settled()
    if choose is not None:
        counter.scan(choose)
        counter.settled()
    return counter


def read(country: Country) -> list[tuple[Any, ...]]:
    """What the service has of all counts: as scanned, how, and whether it is a repeat."""
    return country.query("SELECT scan, entered, again_of IS NOT NULL FROM count_line ORDER BY line")


def all_sent(country: Country, counter: Counter, lines: int) -> None:
    """Waits until the service has so many lines."""
    for _ in range(100):
        if len(read(country)) == lines:
            return
        counter.page.wait_for_timeout(100)
    assert len(read(country)) == lines, read(country)


def closed(counter: Counter, *words: str) -> None:
    """Closes the count, and sees what it says."""
    counter.press("F10")
    expect(counter.page.locator("dialog h2")).to_contain_text("Close TAJI/COUNT/")
    counter.press("F10")
    clean = "0 missing · 0 unexpected" in words[0]
    counter.answers("posted" if clean else "attention", *words)


def badge(counter: Counter, code: str) -> None:
    """Scans a moment after the last key, as people do: a key right before a burst would be taken as a part of it."""
    counter.settled()
    counter.page.wait_for_timeout(400)
    counter.scan(code)


def group(counter: Counter, title: str) -> list[str]:
    """The findings under a title, as they are shown."""
    section = counter.page.locator(".findings section", has=counter.page.get_by_role("heading", name=title))
    return [text.replace("\n", " · ") for text in section.locator("li").all_inner_texts()]


def test_a_blind_count_while_the_clerk_goes_on_issuing(visitors: Visitors, country: Country) -> None:
    """Ten rifles: three are issued from another window, two of them after they were read; one is nowhere; one of Erbil lies here, and one
    that nobody knows. Nothing says what to expect before the end.
    """
    country.do("erbil clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "EB 1"}])
    opened(country)
    counter = counting(visitors.page("commander", "/station"))
    counter.scan("T-2")
    counter.answers("ready", "Tara Clerk (T-2)", "reads from now on")
    counter.scan(*RIFLES[:6])
    counter.answers("ready", f"AKM {RIFLES[5]}", "Read")
    other = station(visitors.page("clerk", "/station"))
    other.scan("A-1001", RIFLES[0], RIFLES[1], RIFLES[9])
    other.confirm()
    other.answers("posted", "TAJI/B/")
    counter.scan("kt449903")
    counter.answers("attention", f"AKM {RIFLES[3]}", "Read before")
    counter.scan("EB 1")
    counter.answers("ready", "AKM EB 1", "Read")
    counter.scan("ZZ 77")
    counter.answers("attention", "ZZ 77", "Nothing in the books bears this number")
    counter.scan(RIFLES[6], RIFLES[7])
    counter.settled()
    expect(counter.page.locator(".count .digits")).to_have_text("10")
    counter.press("Insert")
    counter.page.get_by_label("Model").select_option("Helmet")
    counter.page.get_by_label("How many lie here").fill("97")
    counter.press("F10")
    counter.answers("ready", "97 × Helmet")
    text = counter.page.locator("main").inner_text()
    assert "Main store" in text
    assert not any(told in text for told in ("Petrov", "ERBIL", RIFLES[8], "100"))
    closed(counter, "8 matched · 1 missing · 2 unexpected")
    counter.page.screenshot(path="/tmp/station2/count-found.png", full_page=True)
    assert group(counter, "Missing") == [f"AKM {RIFLES[8]} · the books have it at Main store"]
    assert group(counter, "Unexpected") == [
        "AKM EB 1 · the books have it at ERBIL Main store", "ZZ 77 · nowhere in the books",
    ]  # fmt: skip
    assert group(counter, "Another number") == ["Helmet · 97 counted, 100 in the books"]
    assert [one.split(" · ")[0] for one in group(counter, "Came or went")] == [f"AKM {RIFLES[9]}"]
    assert country.where(RIFLES[8]) == "Main store"
    assert_accessible(counter.page)


def test_missing_ones_lead_to_a_loss_report(visitors: Visitors, country: Country) -> None:
    """Counted again by another, what is still missing is reported missing, by the same screen: a document, and no edit."""
    opened(country, "T-1")
    counter = counting(visitors.page("commander", "/station"))
    counter.scan(*RIFLES[:7])
    closed(counter, "7 matched · 3 missing · 0 unexpected")
    counter.press("Insert")
    counter.page.get_by_label("Who counts").fill("T-1")
    counter.press("F10")
    counter.answers("stop", "No count was opened", "T-1 alone counted")
    badge(counter, "TAJI/COUNT/1")
    counter.answers("stop", "No count of this name is open")
    again = opened(country, "T-2", who="commander", recount_of=first_count(country))
    counter.page.reload()
    counter = counting(counter.page, choose="TAJI/COUNT/2")
    expect(counter.page.locator(".who")).to_contain_text("the differences of TAJI/COUNT/1")
    counter.scan(RIFLES[7])
    closed(counter, "1 matched · 2 missing · 0 unexpected")
    assert again is not None
    counter.press("F8")
    counter.page.get_by_label("Where it was last").fill("Rack 4")
    counter.page.get_by_label(f"AKM {RIFLES[9]}").uncheck()
    assert_accessible(counter.page)
    counter.press("F10")
    counter.answers("posted", "TAJI/CO/", "1 reported missing")
    assert (country.item(RIFLES[8]).where.name, country.where(RIFLES[9])) == ("missing", "Main store")


def first_count(country: Country) -> UUID:
    """The site's first count."""
    ((count_id,),) = country.query("SELECT count_id FROM physical_count WHERE number = 1")
    return UUID(str(count_id))


def test_the_differences_by_keyboard_alone(visitors: Visitors, country: Country) -> None:
    """Opened, read, closed and counted again with two counters, without a mouse."""
    counter = counting(visitors.page("commander", "/station"), choose=None)
    counter.press("Insert")
    counter.page.get_by_label("Who counts").fill("T-1, T-2")
    counter.press("F10")
    counter.answers("ready", "TAJI/COUNT/1")
    badge(counter, "T-1")
    counter.answers("ready", "Talib Clerk (T-1)", "reads from now on")
    for serial in RIFLES[:9]:
        counter.scan(serial)
    counter.type(RIFLES[9])
    closed(counter, "10 matched · 0 missing · 0 unexpected")
    assert {entered for _, entered, _ in read(country)} == {"scanned", "typed"}
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    counter.page.get_by_role("button", name="Another count").click()
    counter.settled()
    counter.press("Insert")
    counter.page.get_by_label("Who counts").fill("T-1 T-2")
    counter.press("F10")
    counter.answers("ready", "TAJI/COUNT/2")
    badge(counter, "T-2")
    counter.answers("ready", "Tara Clerk (T-2)", "reads from now on")
    counter.scan(*RIFLES)
    closed(counter, "9 matched · 0 missing · 1 unexpected")
    counter.press("Insert")
    counter.page.get_by_label("Who counts").fill("T-2 T-1")
    counter.press("F10")
    counter.answers("ready", "TAJI/COUNT/3")
    expect(counter.page.locator(".who")).to_contain_text("the differences of TAJI/COUNT/2")


def test_a_sealed_crate(visitors: Visitors, country: Country) -> None:
    """One whole seal stands for three rifles; the other is found broken: it is said, and the crate is read weapon by weapon."""
    clerk = country.actors["clerk"]
    for number, weapons in (("S-1", RIFLES[:3]), ("S-2", RIFLES[3:6])):
        seal = {"number": number, "store": "Main store", "container": f"Crate {number}", "weapons": weapons}
        seal_container(country.engine, clerk, SealContainer.model_validate(seal))
    opened(country)
    counter = counting(visitors.page("clerk", "/station"))
    counter.scan("s-1")
    counter.answers("ready", "Crate S-1, seal S-1: 3 weapons count as seen")
    counter.scan("S-2")
    counter.answers("ready", "Crate S-2")
    counter.press("1")
    counter.answers("attention", "Broken: scan every weapon")
    counter.scan("S-2")
    counter.answers("stop", "it was broken at")
    counter.scan(*RIFLES[3:])
    counter.settled()
    all_sent(country, counter, 10)
    expect(counter.page.locator(".count .digits")).to_have_text("10")
    assert [entered for _, entered, _ in read(country)].count("sealed") == 3
    close_count(country.engine, country.actors["commander"], first_count(country))
    assert country.query("SELECT kind, count(*) FROM count_finding GROUP BY kind ORDER BY kind") == [
        ("matched", 10), ("not counted", 1),
    ]  # fmt: skip


def test_nothing_is_lost(visitors: Visitors, country: Country) -> None:
    """The link breaks, the page is loaded anew, the answer to a batch is lost: every rifle is there, once."""
    opened(country)
    counter = counting(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0])
    counter.settled()
    all_sent(country, counter, 1)
    counter.page.route("**/v1/**", lambda route: route.abort())
    counter.scan(*RIFLES[1:4])
    counter.settled()
    counter.answers("attention", RIFLES[3], "No answer: kept here, and sent later")
    expect(counter.page.locator(".count .staying")).to_have_text("3 not sent")
    counter.press("F10")
    counter.answers("stop", "Not closed", "3 lines have no answer yet")
    lost: list[str] = []

    def lose(route: Any) -> None:
        route.fetch()
        lost.append(route.request.url)
        route.abort()

    # In this order: the station may send again at any moment.
    counter.page.route("**/v1/counts/*/lines", lose, times=1)
    counter.page.unroute("**/v1/**")
    counter.page.reload()
    counter.settled()
    all_sent(country, counter, 4)
    assert lost
    counter.scan(RIFLES[4], RIFLES[2])
    counter.answers("attention", f"AKM {RIFLES[2]}", "Read before")
    expect(counter.page.locator(".count .digits")).to_have_text("5")
    all_sent(country, counter, 5)
    assert [again for _, _, again in read(country)] == [False] * 5


def test_several_of_one_number(visitors: Visitors, country: Country) -> None:
    """Two models bear the number: a digit chooses; who goes on without a choice has read the number as it stands."""
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "Type 56", "serial_number": RIFLES[0]}])
    opened(country)
    counter = counting(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0])
    counter.answers("attention", "2 weapons bear this number")
    counter.press("1")
    counter.answers("ready", RIFLES[0], "Read")
    counter.scan("KT 4499O1")
    counter.answers("attention", "Did you mean one of these?")
    counter.scan(RIFLES[2])
    counter.answers("ready", RIFLES[2])
    all_sent(country, counter, 3)
    assert [scan for scan, _, _ in read(country)][1:] == ["KT 4499O1", RIFLES[2]]


def test_a_wrong_one_before_it_is_sent(visitors: Visitors, country: Country) -> None:
    """Delete takes away what was not sent; what was sent stays, and that is said."""
    opened(country)
    counter = counting(visitors.page("clerk", "/station"))
    counter.page.route("**/v1/counts/*/lines", lambda route: route.abort())
    counter.scan(RIFLES[0], RIFLES[1])
    counter.settled()
    counter.press("Delete")
    counter.answers("attention", RIFLES[1], "Taken off the list")
    counter.page.unroute("**/v1/counts/*/lines")
    all_sent(country, counter, 1)
    counter.page.wait_for_timeout(300)
    counter.press("Delete")
    counter.answers("attention", "Nothing to take away")


def test_a_clerk_who_counted_does_not_close_alone(visitors: Visitors, country: Country) -> None:
    """The service says who may; nothing is lost, and the count is still open."""
    opened(country)
    counter = counting(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0])
    counter.settled()
    counter.confirm()
    counter.answers("stop", "A clerk may not close counts")
    expect(counter.page.locator(".count .digits")).to_have_text("1")


def test_everybody_can_count(visitors: Visitors, country: Country) -> None:
    """axe-core finds nothing; on a phone nothing scrolls sideways."""
    opened(country)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    country.do("clerk", RETURN, store="Quarantine", lines=scans(RIFLES[0]))
    page = visitors.page("clerk", "/station", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    counter = counting(page, choose=None)
    assert_accessible(page)
    page.screenshot(path="/tmp/station2/count-choose-phone.png", full_page=True)
    counter.scan("1", *RIFLES[:3], "ZZ 1")
    counter.settled()
    all_sent(country, counter, 4)
    expect(page.locator(".lines .remove")).to_have_count(0)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.screenshot(path="/tmp/station2/count-phone.png", full_page=True)
    wide = counting(visitors.page("clerk", "/station", viewport={"width": 1280, "height": 800}))
    wide.scan(*RIFLES[3:9])
    wide.settled()
    wide.page.screenshot(path="/tmp/station2/count-wide.png")


def test_the_second_person_signs_at_the_counter(visitors: Visitors, country: Country) -> None:
    """The clerk counted; the commander closes it beside him by badge and PIN, under his own name, and the clerk goes on. A wrong PIN
    closes nothing.
    """
    add_users(country)
    add_pins(country)
    page = Depot(visitors).counter()
    enter_by_badge(page, "T-1", PINS["T-1"])
    page.get_by_role("group", name="Who is signed in").wait_for()
    opened(country)
    page.goto("/station")
    counter = counting(page)
    counter.scan(*RIFLES)
    counter.settled()
    for pin in ("000000", PINS["C-1"]):
        counter.press("F10")
        page.get_by_label("Badge", exact=True).fill("C-1")
        page.get_by_label("PIN", exact=True).fill(pin)
        assert_accessible(page)
        counter.press("F10")
        if pin == "000000":
            counter.answers("stop", "PIN")
            expect(page.locator(".count .digits")).to_have_text("10")
    counter.answers("posted", "10 matched · 0 missing · 0 unexpected")
    expect(page.locator(".kit")).to_contain_text("signed by Major Carim Commander (C-1)")
    (row,) = country.query("SELECT p.code FROM physical_count c JOIN party p ON p.party_id = c.closed_by")
    assert row == ("C-1",)
    expect(page.locator("#name")).to_contain_text("Talib Clerk")


def test_a_mode_that_does_not_load(visitors: Visitors, country: Country) -> None:
    """The link breaks before the mode was ever opened: it is said, the mode before goes on, and it opens when the link is back."""
    opened(country)
    counter = station(visitors.page("clerk", "/station"))
    counter.page.route("**/modes/count.js", lambda route: route.abort())
    counter.press("F7")
    counter.answers("stop", "Count", "It could not be loaded")
    expect(counter.page.locator("#mode-title")).to_have_text("Issue")
    counter.scan("A-1001")
    counter.answers("ready", "Private Petrov")
    counter.page.unroute("**/modes/count.js")
    counter.press("F7")
    expect(counter.page.locator("#mode-title")).to_have_text("Count")
