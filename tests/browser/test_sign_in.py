"""Stories of signing in, in a real browser: by password, by badge and PIN as a scanner types them, a second person, no script needed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors, chromium
from tests.signing_in import PASSWORD, PINS, add_pins, add_users
from tests.world import RIFLES, Country, scans


@dataclass
class Depot:
    """The small country with people who sign in, and browsers before it."""

    visitors: Visitors

    @property
    def country(self) -> Country:
        return self.visitors.web.country

    def browser(self, path: str, **options: object) -> Page:
        """A fresh browser of nobody's."""
        return self.visitors.page(None, path, **options)

    def signed_in(self, name: str, path: str = "/sessions", **options: object) -> Page:
        """One in which somebody signed in by name and password, and went on to a page."""
        page = self.browser(path, **options)
        page.get_by_label("Sign-in name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        page.wait_for_url(f"**{path}")
        return page

    def counter(self, **options: object) -> Page:
        """A browser that the commander made Counter 1, and signed out of."""
        page = self.signed_in("carim", "/counters", **options)
        page.get_by_label("What it is called").fill("Counter 1")
        page.get_by_label("Its book").fill("k1")
        page.get_by_role("button", name="Enrol this browser").click()
        expect(page.get_by_role("status")).to_contain_text("This browser is Counter 1 of TAJI, book K1.")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        return page


@pytest.fixture
def depot(visitors: Visitors) -> Depot:
    add_users(visitors.web.country)
    add_pins(visitors.web.country)
    return Depot(visitors)


def scan_badge(page: Page, badge: str) -> None:
    """What the scanner types into the field that has the focus, and its line end."""
    page.keyboard.type(badge)
    page.keyboard.press("Enter")


def enter_by_badge(page: Page, badge: str, pin: str) -> None:
    """A badge scanned, and the PIN typed once it is asked for."""
    scan_badge(page, badge)
    expect(page.get_by_label("PIN", exact=True)).to_be_focused()
    page.keyboard.type(pin)
    page.keyboard.press("Enter")


def test_by_name_and_password(depot: Depot) -> None:
    """Led from a page to the form and back; who one is stands in view; a mistake is told in the form, which keeps the name."""
    page = depot.browser("/sessions")
    page.wait_for_url("**/sign-in?next=/sessions")
    assert_accessible(page)
    expect(page.get_by_label("Sign-in name")).to_be_focused()
    page.keyboard.type("Talib")
    page.keyboard.press("Tab")
    page.keyboard.type("a guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    expect(page.get_by_label("Sign-in name")).to_have_value("Talib")
    expect(page.get_by_label("Password")).to_be_focused()
    assert_accessible(page)
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions")
    expect(page.get_by_role("group", name="Who is signed in")).to_contain_text(
        "Sergeant Talib Clerk clerk · TAJI · book B"
    )
    assert_accessible(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.go_back()
    page.reload()
    page.wait_for_url("**/sign-in?next=/sessions")


def test_by_badge_and_pin_at_a_counter(depot: Depot) -> None:
    """The clerk scans the badge, types the PIN, and never touches the mouse."""
    page = depot.counter()
    assert_accessible(page)
    expect(page.get_by_label("Badge or service number")).to_be_focused()
    enter_by_badge(page, "T-1", PINS["T-1"])
    expect(page.get_by_role("group", name="Who is signed in")).to_contain_text("clerk · TAJI · Counter 1 · book K1")


def test_without_any_script(depot: Depot) -> None:
    """Signing in needs none."""
    page = depot.counter(java_script_enabled=False)
    enter_by_badge(page, "T-1", PINS["T-1"])
    expect(page.get_by_role("group", name="Who is signed in")).to_contain_text("Counter 1")


ISSUE = """
async (body) => {
    const answer = await fetch('/v1/issues', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
    return [answer.status, (await answer.json()).number];
}
"""
APPROVE = """
async ([badge, pin, draft]) => {
    const send = (path, body, headers = {}) => fetch(path, {method: 'POST',
        headers: {'Content-Type': 'application/json', ...headers}, body: body && JSON.stringify(body)});
    const second = await (await send('/v1/station/second', {badge, pin})).json();
    const approved = await send(`/v1/drafts/${draft}/approve`, null, {Authorization: `Bearer ${second.token}`});
    return [second.person, approved.status];
}
"""
ASK = """
async (body) => {
    const send = (path, more) => fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({...body, ...more})});
    await send('/v1/loss-reports', {place: 'Range 2', circumstances: 'Not in the rack'});
    return (await (await send('/v1/loss-conclusions', {cause: 'stolen', liability: 'nobody', findings: 'none'})).json()).document_id;
}
"""


def test_the_commander_approves_beside_the_clerk(depot: Depot) -> None:
    """The clerk asks; the commander approves at the same counter by badge and PIN; the clerk goes on."""
    page = depot.counter()
    enter_by_badge(page, "T-1", PINS["T-1"])
    page.get_by_role("group", name="Who is signed in").wait_for()
    draft = page.evaluate(ASK, {"lines": scans(RIFLES[0])})
    assert page.evaluate(APPROVE, ["C-1", PINS["C-1"], draft]) == ["Major Carim Commander (C-1)", 201]
    issue = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[1])}
    status, number = page.evaluate(ISSUE, issue)
    assert (status, number.startswith("TAJI/K1/")) == (201, True)
    page.goto("/sessions")
    expect(page.get_by_role("group", name="Who is signed in")).to_contain_text("Sergeant Talib Clerk")


def test_a_new_pin_from_the_commander(depot: Depot) -> None:
    """Given on the commander's page, typed at the counter, changed there."""
    counter = depot.counter()
    office = depot.signed_in("carim", "/pins")
    assert_accessible(office)
    office.get_by_label("Badge or service number").fill("T-1")
    office.get_by_role("button", name="Give a one-time PIN").click()
    given = office.locator(".secret").inner_text()
    assert_accessible(office)
    enter_by_badge(counter, "T-1", given)
    counter.wait_for_url("**/sign-in/pin")
    assert_accessible(counter)
    expect(counter.get_by_label("New PIN")).to_be_focused()
    counter.get_by_label("New PIN").fill("806427")
    counter.get_by_label("The same again").fill("806427")
    counter.get_by_role("button", name="Keep this PIN").click()
    expect(counter.get_by_role("group", name="Who is signed in")).to_contain_text("Counter 1")


def test_every_page_of_signing_in_is_accessible(depot: Depot) -> None:
    """Counters, PINs, failures, sessions, password, PIN and role; also with a fault, and on a phone."""
    prankster = depot.browser("/sign-in")
    prankster.get_by_label("Sign-in name").fill("carim")
    prankster.get_by_label("Password").fill("a guess")
    prankster.keyboard.press("Enter")
    page = depot.signed_in("carim", "/counters", viewport={"width": 390, "height": 844})
    page.get_by_label("Its book").fill("B")
    page.get_by_role("button", name="Enrol this browser").click()
    expect(page.get_by_label("Its book")).to_have_attribute("aria-invalid", "true")
    assert_accessible(page)
    for path in (
        "/counters",
        "/pins",
        "/sign-in-failures",
        "/sessions",
        "/sign-in/password",
        "/sign-in/pin",
        "/sign-in/role",
    ):
        page.goto(path)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_over_http_under_a_name_that_is_not_localhost(depot: Depot) -> None:
    """There browsers say no Sec-Fetch-Site, only the origin: the form comes in all the same, and another site's does not."""
    running = depot.visitors.browser.browser_type.launch(
        executable_path=chromium(), args=["--no-sandbox", "--host-resolver-rules=MAP * 127.0.0.1"]
    )
    try:
        port = depot.visitors.address.rpartition(":")[2]
        page = running.new_context(base_url=f"http://depot.example:{port}").new_page()
        page.goto("/sign-in?next=/sessions")
        page.get_by_label("Sign-in name").fill("talib")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/sessions")
        expect(page.get_by_role("group", name="Who is signed in")).to_contain_text("Talib")
        page.goto("about:blank")
        page.set_content(
            f'<form method="post" action="http://depot.example:{port}/sign-out"><button>win</button></form>'
        )
        page.get_by_role("button").click()
        expect(page.locator("body")).to_contain_text("Nothing was done: this was sent by another site")
    finally:
        running.close()
