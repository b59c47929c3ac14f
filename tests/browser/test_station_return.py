"""Stories of return at the station: condition by one key, who brings it, and what the books speak against."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.station import Counter, station
from tests.world import RIFLES, Country, scans

STORE = "Main store"


def returning(page: Page) -> Counter:
    """A counter in the mode of returns."""
    counter = station(page)
    counter.press("F3")
    expect(page.locator("#mode-title")).to_have_text("Return")
    counter.settled()
    return counter


def confirmed(counter: Counter) -> str:
    """Takes back what is on the list."""
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    counter.press("F10")
    return counter.shows_number()


def handed_out(country: Country, *serials: str, **more: object) -> None:
    """Petrov has them."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(*serials), **more)


def test_three_come_back_one_of_them_broken(visitors: Visitors, country: Country) -> None:
    """One key says that the second is unserviceable; nobody needs to say who brings them."""
    handed_out(country, *RIFLES[:3])
    counter = returning(visitors.page("clerk", "/station"))
    counter.scan(*RIFLES[:2])
    counter.settled()
    counter.press("ArrowRight")
    expect(counter.page.locator(".condition").first).to_have_text("unserviceable")
    counter.scan(RIFLES[2])
    assert [severity for severity, _ in counter.lines()] == ["ready", "ready", "ready"]
    confirmed(counter)
    assert [country.item(serial).condition for serial in RIFLES[:3]] == ["serviceable", "unserviceable", "serviceable"]
    assert country.where(RIFLES[1]) == STORE
    counter.press("F2")
    counter.scan("A-1001", RIFLES[1])
    counter.answers("stop", "It is unserviceable")


def test_somebody_else_brings_it(visitors: Visitors, country: Country) -> None:
    """Quist brings Petrov's rifle: each line says so, before and after his badge, and the turn-in says it for ever."""
    handed_out(country, *RIFLES[:2])
    counter = returning(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0])
    counter.answers("ready", "Private Petrov (A-1001)")
    counter.scan("A-1002")
    counter.answers("ready", "Private Quist (A-1002)", "brings it; holds 0 weapons here")
    assert counter.lines() == [("attention", f"AKM {RIFLES[0]}")]
    counter.scan(RIFLES[1])
    counter.answers("attention", "Private Petrov (A-1001) has it, not Private Quist (A-1002)")
    confirmed(counter)
    ((details,),) = country.query("SELECT details FROM document WHERE act = 'return'")
    assert details["returner_is_not_holder_on_lines"] == [1, 2]
    assert details["returned_by"] == str(country.parties["A-1002"].party_id)


def test_it_lies_on_the_counter_whatever_the_books_say(visitors: Visitors, country: Country) -> None:
    """One that the store has already by the books, and one they never heard of: taken in as they lie there, and reported."""
    handed_out(country, RIFLES[0])
    counter = returning(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0], RIFLES[1], "ZZ 777")
    assert [severity for severity, _ in counter.lines()] == ["ready", "stop", "stop"]
    counter.press("F10")
    counter.page.get_by_role("button", name="All of it lies here").click()
    counter.shows_number()
    expect(counter.page.locator(".done")).to_contain_text("contradictions were opened as discrepancies")
    assert (country.where(RIFLES[0]), country.where("ZZ 777")) == (STORE, STORE)
    assert "unknown weapon" in country.discrepancies()


def test_a_missing_rifle_is_recovered(visitors: Visitors, country: Country) -> None:
    """It is reported missing, and lies in the clerk's hand: the verdict leads to the recovery."""
    country.do("clerk", REPORT_MISSING, place="Range 2", circumstances="Not in the rack", lines=scans(RIFLES[0]))
    counter = returning(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0])
    counter.answers("stop", "Reported missing since", "recover it")
    counter.press("1")
    counter.page.get_by_label("Where it was found").fill("Ditch behind range 2")
    counter.page.get_by_label("By whom").fill("2nd patrol")
    counter.press("F10")
    counter.answers("posted", "Taken into Main store")
    assert country.where(RIFLES[0]) == STORE
    assert counter.lines() == []


def test_what_went_out_with_it_comes_back_with_it(visitors: Visitors, country: Country) -> None:
    """The line says what went out with the rifle; one button says that all of it is here; helmets come back by number."""
    handed_out(country, RIFLES[0], accessories=[{"model": "Helmet", "quantity": 2}])
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"model": "Helmet", "quantity": 5}])
    counter = returning(visitors.page("clerk", "/station"))
    counter.scan(RIFLES[0])
    expect(counter.page.locator(".line")).to_contain_text("with 2 × Helmet")
    counter.press("Insert")
    counter.answers("attention", "Scan the badge of who brings it")
    counter.scan("A-1001")
    counter.settled()
    counter.press("Insert")
    counter.page.locator("dialog").wait_for()
    counter.page.get_by_label("Helmet").fill("5")
    counter.press("F10")
    counter.answers("ready", "5 × Helmet")
    counter.press("F10")
    expect(counter.page.get_by_role("dialog")).to_contain_text("reported short unless you say that it is all here")
    counter.page.get_by_role("button", name="With all that went out with them").click()
    counter.shows_number()
    assert country.discrepancies() == []
    assert sum(n for _, n in country.helmets().holdings.values()) == 100
    assert {place.name for place, _ in country.helmets().holdings.values()} == {STORE}


def test_everybody_can_use_it(visitors: Visitors, country: Country) -> None:
    """axe-core finds nothing, with a list and its window."""
    handed_out(country, *RIFLES[:2])
    counter = returning(visitors.page("clerk", "/station"))
    counter.scan("A-1002", *RIFLES[:3])
    counter.settled()
    assert_accessible(counter.page)
    counter.press("F10")
    counter.page.locator("dialog").wait_for()
    assert_accessible(counter.page)
