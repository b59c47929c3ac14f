"""The station without its link: nothing that was scanned or confirmed is lost, and what it says meanwhile is what the books said."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from stockpile.acts.receive import RECEIVE
from stockpile.files import file_store
from stockpile.reports.standing import standings
from stockpile.rights import reading
from tests.api_world import fresh
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NOT_OURS, PATIENCE, Visitors, chromium
from tests.browser.station import Counter, station
from tests.test_problems_in_words import english
from tests.test_verdicts import TABLE, stocked
from tests.world import RIFLES, Country

STORE = "Main store"
CHROMIUM_ASKS_FOR_ROOM_EVERY = 31_000
"""Milliseconds: until then it writes into the room that it last knew of."""

OPEN = """
async () => {
    const { service } = await import("/static/station/service.js");
    const { openOffline } = await import("/static/station/offline/books.js");
    globalThis.service = service;
    globalThis.books = await openOffline(service);
}
"""
ASK = """
async ([name, given]) => {
    try { return await service[name](...given); }
    catch (problem) { return { failed: problem.constructor.name, detail: problem.message, status: problem.status ?? null }; }
}
"""
IN_PSEUDO = """async () => (await import("/static/station/words.js")).loadWords("xx")"""
"""From here on the page's scripts speak the pseudo-locale."""
OF_THE_TABLE = ("Private Petrov (A-1001)", "Private Quist (A-1002)", "Type 56", "missing")
"""What stands in the books of the table's cases."""


def enrolled(visitors: Visitors, **options: Any) -> tuple[BrowserContext, Page]:
    """A browser at TAJI that the commander made a device."""
    context = visitors.context("commander", **options)
    page = context.new_page()
    make_device(page, starts="can't start" if options.get("service_workers") == "block" else "can now start")
    return context, page


def make_device(page: Page, starts: str = "can now start") -> None:
    """The commander, signed in, makes the browser a device; it says whether it starts without a network."""
    page.goto("/station/device")
    page.get_by_label("Its book").fill("TAB-3")
    page.get_by_label("What it is called").fill("Tablet 3, north gate")
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_text("Enrolled. ")).to_contain_text(starts, timeout=PATIENCE)


def hand_over(visitors: Visitors, context: BrowserContext, who: str) -> None:
    """Somebody else is signed in at this browser from now on."""
    context.set_extra_http_headers(visitors.web.headers(who))


def opened(page: Page, path: str = "/") -> Page:
    """A page with the station's functions at hand."""
    page.goto(path)
    page.evaluate(OPEN)
    until(page, "books.state.writer && books.state.asOf !== null && !books.state.locked")
    return page


def until(page: Page, condition: str, seconds: float = 20) -> None:
    """Waits until it is so; the pages' policy lets nothing be evaluated from inside."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"{condition}: {page.evaluate('books.state')}"
        page.wait_for_timeout(50)


def ask(page: Page, name: str, *given: Any) -> Any:
    """Asks as a mode of the station does."""
    return page.evaluate(ASK, [name, list(given)])


def test_enrolling_a_browser(visitors: Visitors) -> None:
    """The commander makes it a device: the service knows its key, the browser its site's books."""
    context, page = enrolled(visitors)
    assert_accessible(page)
    (device,) = visitors.web.get("commander", "/v1/devices").json()["rows"]
    assert (device["book"], device["label"]) == ("TAB-3", "Tablet 3, north gate")
    hand_over(visitors, context, "clerk")
    opened(page)
    assert page.evaluate("books.state.person.code") == "T-1"
    context.set_offline(True)
    verdict = ask(page, "verdict", {"mode": "issue", "scan": RIFLES[0], "store": STORE})
    assert (verdict["verdict"], verdict["words"]) == ("ready", STORE)
    assert verdict["as_of_words"].startswith("By the books of ")
    body = {
        "document_id": fresh(),
        "receiver": "A-1001",
        "store": STORE,
        "lines": [{"scan": RIFLES[0], "how": "scanned"}],
    }
    posted = ask(page, "confirm", "issues", body)
    assert posted["number"].startswith("TAJI/TAB-3/"), posted
    assert ask(page, "confirm", "issues", body) == posted
    verdict = ask(page, "verdict", {"mode": "issue", "scan": RIFLES[0], "store": STORE})
    assert verdict["verdict"] == "held"
    context.set_offline(False)
    until(page, "books.state.waiting === 0")
    assert [voucher["state"] for voucher in page.evaluate("books.vouchers()")] == ["posted"]


def test_the_table_of_verdicts(visitors: Visitors) -> None:
    """Every case of the table that the service's verdicts run too: as loud and in the same words, from the books kept here."""
    country = visitors.web.country
    stocked(country)
    context, page = enrolled(visitors)
    hand_over(visitors, context, "clerk")
    opened(page)
    context.set_offline(True)
    wrong = []
    cases = [case for case in TABLE["cases"] if not case.get("online")]
    for case in cases:
        found = ask_case(page, country, case)
        said = (found.get("verdict"), found.get("severity"), found.get("line"), found.get("recover"))
        expected = (case["verdict"], case["severity"], case.get("line"), case.get("recover", False))
        candidates = len(found.get("candidates", ()))
        if said != expected or candidates != case.get("candidates", 0) or not in_these_words(country, case, found):
            wrong.append(f"{case['case']}: {found}")
    assert not wrong, "\n".join(wrong)
    assert len(cases) > 15
    context.set_offline(False)
    page.evaluate(IN_PSEUDO)
    context.set_offline(True)
    untold = {case["case"]: english(ask_case(page, country, case)["words"], *OF_THE_TABLE) for case in cases}
    assert {case: words for case, words in untold.items() if words} == {}, "told in no other language"


def ask_case(page: Page, country: Country, case: dict[str, Any]) -> Any:
    """What the station says of a case."""
    given = {name: case[name] for name in ("mode", "scan", "model", "quantity", "receiver") if name in case}
    lines = [{"item": str(country.item(serial).item_id)} for serial in case.get("lines", ())]
    store = {"store": STORE} if case["mode"] == "issue" else {}
    return ask(page, "verdict", {**given, **store, "lines": lines})


def in_these_words(country: Country, case: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether the station's words are the table's."""
    words = case.get("words")
    if words is None or "{" not in words:
        return words is None or found["words"] == words
    with reading(country.engine, country.actors["clerk"]) as connection:
        item = UUID(found["weapon"]["item_id"])
        (standing,) = standings(connection, country.actors["clerk"], [item])[item]
    since = standing.since.astimezone(ZoneInfo("Asia/Baghdad"))
    return bool(found["words"] == words.format(since=f"{since:%Y-%m-%d %H:%M}", document=standing.document_number))


PIN = "271828"


def at_the_counter(visitors: Visitors, context: BrowserContext, page: Page) -> Counter:
    """The clerk sits down at the device: signed in, PIN set, station open."""
    hand_over(visitors, context, "clerk")
    set_pin(page)
    page.goto("/station")
    counter = station(page)
    expect(page.locator("#not-sent")).to_have_text("0 not sent")
    return counter


def set_pin(page: Page) -> None:
    """Who is signed in sets the PIN for this device."""
    page.goto("/station/device")
    page.get_by_label("Your PIN for this device").fill(PIN)
    page.get_by_role("button", name="Set my PIN").click()
    expect(page.get_by_text("Your PIN for this device is set")).to_be_visible()


def unlock(page: Page, code: str = "T-1", pin: str = PIN, by: str = "Enter") -> None:
    """Says who works here while the link is down."""
    expect(page.get_by_role("heading", name="Who works here?")).to_be_visible()
    page.get_by_label("Service number").fill(code)
    page.get_by_label("PIN of this device").fill(pin)
    page.get_by_label("PIN of this device").press(by)


def hand_out(counter: Counter, receiver: str, *serials: str) -> str:
    """Issues at the station; the number of the document."""
    counter.scan(receiver, *serials)
    counter.settled()
    counter.press("F10")
    expect(counter.page.get_by_role("dialog")).to_be_visible()
    counter.press("F10")
    return counter.shows_number()


def sent(page: Page) -> None:
    """Waits until nothing waits to be sent."""
    expect(page.locator("#not-sent")).to_have_text("0 not sent")


def stock(country: Country, count: int) -> list[str]:
    """So many more rifles in TAJI's store."""
    serials = [f"HX {n:05}" for n in range(count)]
    lines = [{"model": "AKM", "serial_number": serial, "condition": "serviceable"} for serial in serials]
    country.do("clerk", RECEIVE, store=STORE, lines=lines)
    return serials


def documents(country: Country) -> list[tuple[str, int, str]]:
    """What the device's book has: number, act."""
    return [
        (act, number, posted_by)
        for act, number, posted_by in country.query(
            "SELECT d.act, d.number, p.code FROM document d JOIN book b USING (book_id) JOIN party p ON p.party_id = d.posted_by "
            "WHERE b.kind = 'device' ORDER BY d.number"
        )
    ]


def test_a_hundred_scans_and_a_kill_in_the_middle(visitors: Visitors, tmp_path: Path) -> None:
    """Link down: sixty rifles are handed out, forty more scanned; somebody pulls the plug. After it the station starts without a
    network, the forty are on the list, the sixty not sent; all are handed out, and all of it is posted once when the link is back.
    """
    rifles = stock(visitors.web.country, 100)
    with at_a_pc(visitors, tmp_path) as (context, page):
        make_device(page)
        counter = at_the_counter(visitors, context, page)
        context.set_offline(True)
        first = hand_out(counter, "A-1001", *rifles[:60])
        counter.scan("A-1002", *rifles[60:])
        counter.settled()
        expect(page.locator(".lines .line")).to_have_count(40)
        kill(tmp_path)
    with at_a_pc(visitors, tmp_path, offline=True) as (context, page):
        begun = time.monotonic()
        page.goto("/station")
        unlock(page)
        counter = station(page)
        assert time.monotonic() - begun < 15
        expect(page.locator("#not-sent")).to_have_text("1 not sent")
        expect(page.locator(".lines .line")).to_have_count(40)
        assert len({name for _, name in counter.lines()}) == 40
        counter.press("F10")
        expect(page.get_by_role("dialog")).to_be_visible()
        counter.press("F10")
        second = counter.shows_number()
        assert [first.rsplit("/", 1)[1], second.rsplit("/", 1)[1]] == ["1", "2"]
        context.set_extra_http_headers(visitors.web.headers("clerk"))
        context.set_offline(False)
        sent(page)
    assert documents(visitors.web.country) == [("issue", 1, "T-1"), ("issue", 2, "T-1")]
    holders = [visitors.web.country.where(serial) for serial in (rifles[0], rifles[59], rifles[60], rifles[99])]
    assert holders == ["Private Petrov (A-1001)"] * 2 + ["Private Quist (A-1002)"] * 2
    assert visitors.web.country.discrepancies() == []


@contextmanager
def at_a_pc(visitors: Visitors, folder: Path, offline: bool = False) -> Iterator[tuple[BrowserContext, Page]]:
    """A browser with a profile of its own on the disk, as on a counter's PC; one that was killed meanwhile is let go."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    context = visitors.browser.browser_type.launch_persistent_context(
        folder / "profile", executable_path=chromium(), args=[*NOT_OURS, *sandbox], base_url=visitors.address, offline=offline,
        extra_http_headers=visitors.web.headers("commander"),
    )  # fmt: skip
    context.set_default_timeout(PATIENCE)
    try:
        yield context, context.pages[0]
    finally:
        with suppress(Error):
            context.close()


def kill(folder: Path) -> None:
    """SIGKILL to every process of the browser with this profile, at once."""
    profile = str(folder / "profile").encode()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if profile in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)


def test_it_starts_without_a_network(visitors: Visitors) -> None:
    """From its cache, with no name in the page itself; a wrong PIN opens nothing."""
    context, page = enrolled(visitors)
    at_the_counter(visitors, context, page)
    context.set_offline(True)
    page.goto("/station")
    unlock(page, pin="000000")
    expect(page.get_by_text("The PIN is wrong")).to_be_visible()
    assert "Talib" not in page.content()
    unlock(page, by="F10")
    counter = station(page)
    expect(page.locator("#name")).to_have_text("Sergeant Talib Clerk (T-1)")
    counter.scan(RIFLES[0])
    counter.settled()
    assert_accessible(page)
    kept = page.evaluate("""async () => {
        const [name] = await caches.keys();
        return (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname);
    }""")
    assert not [path for path in kept if path.startswith("/v1")]
    assert {path for path in kept if not path.startswith("/static/")} == {"/station", "/station/device"}


def test_the_other_counter_was_faster(visitors: Visitors) -> None:
    """While the link is down here, the other counter issues the same rifle. Both happened: the voucher is posted with a discrepancy,
    and the device says which.
    """
    web = visitors.web
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    web.posted("second clerk", "/v1/issues", {"receiver": "A-1001", "store": STORE, "lines": [{"scan": RIFLES[0]}]})
    hand_out(counter, "A-1002", RIFLES[0])
    context.set_offline(False)
    sent(page)
    page.goto("/station/device")
    row = page.get_by_role("row", name="TAJI/TAB-3")
    expect(row).to_contain_text("Posted, with a discrepancy")
    assert web.country.where(RIFLES[0]) == "Private Quist (A-1002)"
    assert web.country.discrepancies()


def test_a_file_from_a_station_without_any_link(visitors: Visitors, tmp_path: Path) -> None:
    """The link does not come back: the vouchers go by stick to another machine. When it does come back they are sent again, and
    nothing is posted twice.
    """
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    number = hand_out(counter, "A-1001", RIFLES[0])
    page.goto("/station/device")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save what is not sent to a file").click()
    file = tmp_path / saving.value.suggested_filename
    saving.value.save_as(file)
    other = visitors.page("second clerk", "/vouchers")
    assert_accessible(other)
    other.get_by_label("File of the station").set_input_files(file)
    other.get_by_role("button", name="Bring in").click()
    expect(other.get_by_text("1 of 1 posted, 0 set aside.")).to_be_visible()
    expect(other.get_by_role("row", name=number)).to_contain_text("Posted")
    context.set_offline(False)
    page.goto("/station")
    sent(page)
    assert documents(visitors.web.country) == [("issue", 1, "T-1")]
    file.write_text("no JSON", encoding="utf-8")
    other.get_by_label("File of the station").set_input_files(file)
    other.get_by_role("button", name="Bring in").click()
    expect(other.get_by_text("This is no file of a station")).to_be_visible()


def test_a_full_disk_is_said_at_once(visitors: Visitors) -> None:
    """Nothing more can be kept: it says so in red, no number is given out, and the next one follows without a gap."""
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    hand_out(counter, "A-1001", RIFLES[0])
    control = context.new_cdp_session(page)
    control.send("Storage.overrideQuotaForOrigin", {"origin": visitors.address, "quotaSize": 1})
    page.wait_for_timeout(CHROMIUM_ASKS_FOR_ROOM_EVERY)
    counter.scan("A-1002", RIFLES[1])
    counter.settled()
    expect(page.get_by_role("alert").filter(has_text="The disk is full")).to_be_visible()
    counter.press("F10")
    expect(page.get_by_role("dialog")).to_be_visible()
    counter.press("F10")
    counter.answers("stop", "Nothing was posted")
    expect(page.locator("#not-sent")).to_have_text("1 not sent")
    control.send("Storage.overrideQuotaForOrigin", {"origin": visitors.address})
    counter.press("F10")
    expect(page.get_by_role("dialog")).to_be_visible()
    counter.press("F10")
    assert counter.shows_number().endswith("/2")
    context.set_offline(False)
    sent(page)
    assert [number for _, number, _ in documents(visitors.web.country)] == [1, 2]


def test_two_windows(visitors: Visitors) -> None:
    """The second only reads, and says so; when the first is closed it is its turn."""
    context, page = enrolled(visitors)
    at_the_counter(visitors, context, page)
    second = context.new_page()
    second.goto("/station")
    counter = station(second)
    expect(second.get_by_text("Open in another window: this one only reads")).to_be_visible()
    context.set_offline(True)
    counter.scan("A-1001", RIFLES[0])
    counter.settled()
    counter.press("F10")
    expect(second.get_by_role("dialog")).to_be_visible()
    counter.press("F10")
    counter.answers("stop", "The station is open in another window")
    page.close()
    expect(second.get_by_text("this one only reads")).to_be_hidden()
    counter.press("F10")
    expect(second.get_by_role("dialog")).to_be_visible()
    counter.press("F10")
    assert counter.shows_number().endswith("/1")


def test_signing_out_keeps_everything(visitors: Visitors) -> None:
    """Nobody is signed in when the link returns: the vouchers wait, and the next who signs in sends them."""
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    hand_out(counter, "A-1001", RIFLES[0])
    context.set_extra_http_headers({})
    context.set_offline(False)
    expect(page.get_by_text("Sign in to send them")).to_be_visible()
    expect(page.locator("#not-sent")).to_have_text("1 not sent")
    hand_over(visitors, context, "second clerk")
    sent(page)
    assert documents(visitors.web.country) == [("issue", 1, "T-1")]


def test_giving_it_up_wipes_it(visitors: Visitors) -> None:
    """Not while something waits; after it was sent, the commander gives the device up and nothing is left in the browser."""
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    hand_out(counter, "A-1001", RIFLES[0])
    page.goto("/station/device")
    page.get_by_role("button", name="Give it up and wipe it").click()
    expect(page.get_by_text("1 vouchers are not sent")).to_be_visible()
    hand_over(visitors, context, "commander")
    context.set_offline(False)
    expect(page.get_by_role("heading", name="0 not sent")).to_be_visible()
    page.get_by_role("button", name="Give it up and wipe it").click()
    expect(page.get_by_text("Everything was taken off it")).to_be_visible()
    assert left(page) == {"stores": 0, "caches": [], "workers": 0}
    (device,) = visitors.web.get("commander", "/v1/devices").json()["rows"]
    assert device["revoked_at"] is not None


def test_a_revoked_device_is_wiped_when_it_hears_of_it(visitors: Visitors) -> None:
    """Revoked from elsewhere while the link was down: what it wrote is sent as a fact first, then everything is taken off it."""
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    hand_out(counter, "A-1001", RIFLES[0])
    (device,) = visitors.web.get("commander", "/v1/devices").json()["rows"]
    visitors.web.post("commander", f"/v1/devices/{device['device_id']}/revoke")
    context.set_offline(False)
    until_wiped(page)
    assert documents(visitors.web.country) == [("issue", 1, "T-1")]
    assert "from a revoked device" in visitors.web.country.discrepancies()
    page.goto("/station/device")
    expect(page.get_by_role("heading", name="Make this browser a device")).to_be_visible()


def left(page: Page) -> dict[str, Any]:
    """What is left in the browser."""
    found: dict[str, Any] = page.evaluate("""async () => {
        const { Storage } = await import("/static/station/offline/storage.js");
        const storage = await Storage.open();
        const counts = await storage.read(["about", "books", "journal", "vouchers", "files", "online"], (stores) =>
            Object.fromEntries(Object.entries(stores).map(([name, store]) => [name, store.count()])));
        return {
            stores: Object.values(counts).reduce((sum, count) => sum + count, 0),
            caches: await caches.keys(),
            workers: (await navigator.serviceWorker.getRegistrations()).length,
        };
    }""")
    return found


def until_wiped(page: Page, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while left(page)["stores"]:
        assert time.monotonic() < end, left(page)
        page.wait_for_timeout(200)


def test_an_answer_that_never_came(visitors: Visitors) -> None:
    """The service posted it, and the link broke before it said so: written here too, it stands as the counter's document, and the
    device's number is a void one.
    """
    context, page = enrolled(visitors, service_workers="block")
    counter = at_the_counter(visitors, context, page)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/v1/issues", lose)
    number = hand_out(counter, "A-1001", RIFLES[0])
    assert number.startswith("TAJI/TAB-3/")
    sent(page)
    page.goto("/station/device")
    expect(page.get_by_role("row", name="issue")).to_contain_text("Posted as TAJI/B/")
    expect(page.get_by_role("row", name="void")).to_contain_text("Posted")
    assert documents(visitors.web.country) == [("void", 1, "T-1")]
    assert visitors.web.country.where(RIFLES[0]) == "Private Petrov (A-1001)"
    page.unroute("**/v1/issues")
    page.get_by_role("button", name="Post again what this station acknowledged").click()
    expect(page.get_by_text("were there, 0 were posted anew, 0 could not be posted")).to_be_visible()


def test_taken_back_before_it_was_sent(visitors: Visitors) -> None:
    """A minute later the clerk takes it back: its number is a void one, the rifle is in the store again, and no gap is left."""
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    hand_out(counter, "A-1001", RIFLES[0])
    counter.press("Control+z")
    expect(page.get_by_role("dialog")).to_be_visible()
    counter.press("F10")
    counter.answers("attention", "is taken back")
    hand_out(counter, "A-1002", RIFLES[0])
    context.set_offline(False)
    sent(page)
    assert documents(visitors.web.country) == [("void", 1, "T-1"), ("issue", 2, "T-1")]
    assert visitors.web.country.where(RIFLES[0]) == "Private Quist (A-1002)"
    assert visitors.web.country.discrepancies() == []


def test_the_receiver_signs_on_the_screen(visitors: Visitors) -> None:
    """Drawn while the link is down, the signature is kept with the voucher, and belongs to the document afterwards."""
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    counter.scan("A-1001", RIFLES[0])
    counter.settled()
    counter.press("F10")
    box = page.locator("canvas.signature").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    for step in range(8):
        page.mouse.move(box["x"] + 30 + 20 * step, box["y"] + 40 + 8 * (step % 3))
    page.mouse.up()
    counter.press("F10")
    counter.shows_number()
    context.set_offline(False)
    sent(page)
    ((attachments,),) = visitors.web.country.query(
        "SELECT d.attachments FROM document d JOIN book b USING (book_id) WHERE b.kind = 'device'"
    )
    assert len(attachments) == 2
    assert all(file_store().holds(digest) for digest in attachments)


def test_only_the_own_site_is_on_the_device(visitors: Visitors) -> None:
    """Invariant 10: nothing of Erbil, of no weapon and of nobody."""
    country = visitors.web.country
    country.do("erbil clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "ER 77"}])
    context, page = enrolled(visitors)
    at_the_counter(visitors, context, page)
    kept = page.evaluate("""async () => {
        const { Storage } = await import("/static/station/offline/storage.js");
        const storage = await Storage.open();
        const all = await storage.read(["about", "books", "journal", "vouchers", "online"], (stores) =>
            Object.fromEntries(Object.entries(stores).map(([name, store]) => [name, store.getAll()])));
        return JSON.stringify(all);
    }""")
    assert "Petrov" in kept
    assert RIFLES[0] in kept
    assert not [word for word in ("ER 77", "Elin", "ERBIL", "E-1") if word in kept]


def test_what_is_not_enrolled_keeps_nothing(visitors: Visitors) -> None:
    """A borrowed browser: the station works over the link, and leaves nothing behind."""
    page = visitors.page("clerk", "/station")
    counter = station(page)
    hand_out(counter, "A-1001", RIFLES[0])
    assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0
    assert page.evaluate("caches.keys().then((all) => all.length)") == 0


def test_the_morning_draw_goes_on(visitors: Visitors) -> None:
    """One scan out, one scan back, without the service: an issue and a return in the device's book, and the card in the rack."""
    web = visitors.web
    web.post("armourer", "/v1/assignments", {"lines": [{"scan": RIFLES[0], "person": "A-1001"}]})
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    counter.press("F4")
    counter.scan(RIFLES[0])
    counter.settled()
    counter.answers("ready", "OUT", "Private Petrov (A-1001)")
    expect(page.locator(".lines .card")).to_have_count(1)
    counter.scan(RIFLES[0])
    counter.settled()
    counter.answers("attention", "scanned twice?")
    page.get_by_role("button", name="It really comes back").click()
    counter.answers("ready", "BACK")
    counter.scan(RIFLES[1])
    counter.answers("stop", "It is assigned to nobody")
    context.set_offline(False)
    sent(page)
    assert documents(web.country) == [("issue", 1, "T-1"), ("return", 2, "T-1")]
    assert web.country.where(RIFLES[0]) == STORE
    assert web.country.discrepancies() == []


def test_a_return_and_a_look_up(visitors: Visitors) -> None:
    """What was out when the link broke comes back; a look-up says where a rifle is by the books kept here."""
    web = visitors.web
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": STORE, "lines": [{"scan": RIFLES[0]}]})
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    context.set_offline(True)
    counter.press("F9")
    counter.scan(RIFLES[0])
    counter.answers("ready", "Private Petrov (A-1001)")
    counter.press("F3")
    counter.scan(RIFLES[0])
    counter.settled()
    counter.press("F10")
    expect(page.get_by_role("dialog")).to_be_visible()
    counter.press("F10")
    counter.shows_number()
    context.set_offline(False)
    sent(page)
    assert web.country.where(RIFLES[0]) == STORE
    assert web.country.discrepancies() == []
