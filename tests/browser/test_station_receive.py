"""Stories of receipt at the station: a consignment ticked off, what is more and what is less, twins, another model; a shipment; a truck
of a thousand; nothing lost on the way.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Route, expect

from stockpile.acts.declare import DECLARE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.station import Counter, station
from tests.browser.test_station_offline import at_the_counter, enrolled
from tests.world import RIFLES, Country, photo, scans, today

CONSIGNMENT = "FMS-2026-117"
DECLARED = tuple(f"UA {1001 + n}" for n in range(8))


def declared(country: Country, *serials: str, helmets: int = 0) -> None:
    """USA declares rifles, and helmets with them."""
    lines: list[dict[str, Any]] = [{"model": "AKM", "serial_number": serial} for serial in serials]
    if helmets:
        lines.append({"model": "Helmet", "quantity": helmets})
    for start in range(0, len(lines), 500):
        reference = CONSIGNMENT if start == 0 else f"{CONSIGNMENT}/{start}"
        some = lines[start : start + 500]
        country.do("registrar", DECLARE, site="TAJI", donor="USA", reference=reference, lines=some)


def receipt(page: Page) -> Counter:
    """The station, at the receipt."""
    counter = station(page)
    counter.press("F6")
    expect(page.locator("#mode-title")).to_have_text("Receive")
    counter.settled()
    return counter


def received(country: Country) -> list[tuple[Any, ...]]:
    """Number and details of every receiving report from a counter."""
    return country.query(
        "SELECT number, line_count, details FROM document WHERE act = 'receive' AND details ? 'entered_on_lines'"
    )


def digits(counter: Counter) -> str:
    """The large number."""
    counter.settled()
    return counter.page.locator(".count .digits").first.inner_text()


def test_a_consignment_with_everything_that_goes_wrong(visitors: Visitors, country: Country) -> None:
    """Eight declared: five come, one of them as another model; two that nobody declared, a twin of a rifle in the store. What is missing
    is named before the clerk says that this was all; each contradiction is a discrepancy, and is told.
    """
    declared(country, *DECLARED, helmets=40)
    counter = receipt(visitors.page("clerk", "/station"))
    expect(counter.page.locator(".deliveries li").first).to_contain_text("consignment of USA · 48 pieces")
    counter.scan(CONSIGNMENT)
    counter.answers("ready", f"{CONSIGNMENT} · USA", "48 pieces are awaited")
    counter.scan(*DECLARED[:3])
    counter.answers("ready", f"AKM {DECLARED[2]}", "On the list")
    counter.scan("ua-1002")
    counter.answers("attention", f"AKM {DECLARED[1]}", "Ticked off already, on line 2")
    assert digits(counter) == "3"
    expect(counter.page.locator("#still-missing")).to_have_text("Still missing: 5")
    counter.scan("ZZ 1")
    counter.answers("attention", "AKM ZZ 1", "Not on the list")
    counter.scan(RIFLES[0])
    counter.answers("attention", f"AKM {RIFLES[0]}", "Main store has a weapon of this model and number")
    counter.press("F8")
    counter.page.get_by_label("Model", exact=True).select_option("Type 56")
    counter.press("F10")
    counter.scan(DECLARED[3])
    counter.answers("attention", f"Type 56 {DECLARED[3]}", "Declared as AKM")
    counter.press("F8")
    counter.page.get_by_label("Model", exact=True).select_option("")
    counter.press("F10")
    counter.scan(DECLARED[4])
    counter.press("ArrowRight")
    counter.press("Insert")
    counter.page.get_by_label("Helmet").fill("38")
    counter.press("F10")
    counter.settled()
    assert digits(counter) == "5"
    counter.press("F10")
    dialog = counter.page.locator("dialog")
    expect(dialog.locator(".not-here strong")).to_have_text("Not here: 5")
    expect(dialog.locator(".not-here li")).to_have_text(["2 × Helmet", *(f"AKM {serial}" for serial in DECLARED[5:])])
    dialog.get_by_label("Delivered by").fill("2nd Transport Company")
    dialog.get_by_label("Photos").set_input_files({"name": "crate.png", "mimeType": "image/png", "buffer": photo(3)})
    assert_accessible(counter.page)
    dialog.get_by_role("button", name="Complete: nothing more comes").click()
    counter.answers(
        "posted", "45 taken into Main store", "4 short", "2 more than declared", "1 otherwise than declared"
    )
    number = counter.shows_number()
    ((row, lines, details),) = received(country)
    assert (number.endswith(f"/{row}"), lines) == (True, 8)
    assert (details["complete"], details["delivered_by"]) == (True, "2nd Transport Company")
    assert details["entered_on_lines"] == {"scanned": [1, 2, 3, 4, 5, 6, 7], "typed": [8]}
    assert sorted(country.discrepancies()) == [
        "excess", "excess", "model mismatch", "same serial number twice", "shortage", "shortage", "shortage", "shortage",
    ]  # fmt: skip
    assert country.item(DECLARED[4]).condition == "unserviceable"
    assert country.query("SELECT jsonb_array_length(attachments) FROM document WHERE details ? 'complete'") == [(1,)]
    assert counter.page.locator(".done").get_by_role("button", name="Print").is_visible()


def test_a_thousand_lines_stay_fluid(visitors: Visitors, country: Country) -> None:
    """The thousandth scan asks as much, writes down as much and changes as much of the page as the tenth; a reload in the middle loses
    nothing, and it all becomes one receiving report.
    """
    serials = [f"TH {n:05}" for n in range(500)]
    declared(country, *serials)
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "TH 99999"}])
    counter = receipt(visitors.page("clerk", "/station"))
    counter.scan(CONSIGNMENT)
    counter.settled()
    counter.page.evaluate(WATCH)
    counter.scan(*serials[:10])
    early = work_of(counter, serials[10])
    for start in range(11, 490, 100):
        counter.scan(*serials[start : min(start + 100, 490)])
        counter.settled()
    others = [f"EX {n:05}" for n in range(500)]
    for start in range(0, 500, 100):
        counter.scan(*others[start : start + 100])
        counter.settled()
    late = work_of(counter, serials[490])
    assert late["asked"] == early["asked"] == 1
    assert late["nodes"] <= early["nodes"] + 10
    assert late["kept"] < 2 * early["kept"] + 6000, (early, late)
    assert late["rows"] == 30
    counter.page.reload()
    counter.settled()
    expect(counter.page.locator(".count .digits")).to_have_text("491")
    expect(counter.page.locator("#still-missing")).to_have_text("Still missing: 9")
    counter.scan(*serials[491:])
    counter.settled()
    counter.scan("SPDOCONFIRM")
    expect(counter.page.locator("dialog")).to_contain_text("Nothing is missing")
    counter.scan("SPDOCONFIRM")
    counter.answers("posted", "1000 taken into Main store", "500 differences from the list")
    ((_, lines, _),) = received(country)
    assert lines == 1000


WATCH = """
() => {
    globalThis.work = { asked: 0, kept: 0, nodes: 0 };
    new PerformanceObserver(list => { work.asked += list.getEntries().filter(one => one.initiatorType === "fetch").length; })
        .observe({ type: "resource" });
    performance.setResourceTimingBufferSize(5000);
    const set = Storage.prototype.setItem;
    Storage.prototype.setItem = function (name, value) { work.kept += value.length; return set.call(this, name, value); };
    new MutationObserver(found => { for (const one of found) work.nodes += one.addedNodes.length + one.removedNodes.length
        + (one.type === "attributes" ? 1 : 0); })
        .observe(document.getElementById("view"), { childList: true, attributes: true, subtree: true });
}
"""


def work_of(counter: Counter, serial: str) -> dict[str, int]:
    """What one scan takes: requests, characters written down, nodes of the list that change; and how many rows are on the page."""
    counter.settled()
    counter.page.wait_for_timeout(200)
    counter.page.evaluate("() => Object.assign(work, { asked: 0, kept: 0, nodes: 0 })")
    counter.scan(serial)
    counter.settled()
    counter.page.wait_for_timeout(200)
    rows = counter.page.locator(".aside .lines .line").count()
    return {**counter.page.evaluate("() => work"), "rows": rows}


def test_a_second_of_the_same_number(visitors: Visitors, country: Country) -> None:
    """Two rifles of one number in one crate: the second is taken in with what tells it apart; and one whose number was filed off."""
    declared(country, *DECLARED[:2])
    counter = receipt(visitors.page("clerk", "/station"))
    counter.scan(CONSIGNMENT, DECLARED[0], DECLARED[0])
    counter.answers("attention", "Ticked off already")
    counter.press("1")
    counter.page.get_by_label("What tells it from the other").fill("notch on the stock")
    counter.press("F10")
    counter.answers("attention", "Two weapons of one number")
    counter.press("End")
    counter.page.get_by_label("What can be read of it").fill("UA 9")
    counter.press("F10")
    counter.answers("attention", "AKM UA 9", "to be marked")
    counter.confirm()
    counter.answers("posted", "3 taken into", "1 still to come")
    counter.page.screenshot(path="/tmp/station2/receive-done.png", full_page=True)
    assert sorted(country.discrepancies()) == ["excess", "excess", "same serial number twice"]
    rows = country.query("SELECT serial_number, obliterated, distinguishing_mark FROM identification WHERE obliterated")
    assert rows == [("UA 9", True, None)]


def test_more_to_come(visitors: Visitors, country: Country) -> None:
    """The first truck brings three of eight, the second the rest: nothing is short."""
    declared(country, *DECLARED)
    counter = receipt(visitors.page("clerk", "/station"))
    counter.scan(CONSIGNMENT, *DECLARED[:3])
    counter.confirm()
    counter.answers("posted", "3 taken into", "5 still to come")
    counter.scan(CONSIGNMENT)
    counter.answers("ready", "5 pieces are awaited")
    counter.scan(*DECLARED[3:])
    counter.press("F10")
    expect(counter.page.locator("dialog")).to_contain_text("Nothing is missing")
    counter.press("F10")
    counter.answers("posted", "5 taken into")
    assert [details.get("complete") for _, _, details in received(country)] == [None, True]
    assert country.discrepancies() == []


def shipped(country: Country) -> str:
    """Erbil ships three of its rifles to TAJI under two seals; the number of the order."""
    lines = [{"model": "AKM", "serial_number": f"EB {n}", "condition": "serviceable"} for n in range(4)]
    country.do("erbil clerk", RECEIVE, store="Main store", lines=lines)
    order = country.do(
        "erbil clerk", SHIP, to_site="TAJI", store="Main store", carrier="Rail Regiment", expected_on=today(),
        seal_numbers="S-100, S-101", lines=scans("EB 0", "EB 1", "EB 2"),
    )  # fmt: skip
    return order.number


def test_a_shipment_by_its_seals(visitors: Visitors, country: Country) -> None:
    """By keyboard alone: two of three arrive, one that the sender's books still have; one seal is whole, the other is told."""
    number = shipped(country)
    counter = receipt(visitors.page("clerk", "/station"))
    counter.type("1")
    counter.answers("ready", number, "3 pieces are awaited")
    counter.type("s-100")
    counter.answers("ready", "Seal S-100", "found whole")
    counter.type("EB 0")
    counter.answers("ready", "AKM EB 0", "On the list")
    counter.type("EB 3")
    counter.answers("attention", "By the books it is at Main store: taken in as found")
    counter.type("EB 1")
    counter.settled()
    counter.press("F10")
    expect(counter.page.locator("dialog .not-here li")).to_have_text(["AKM EB 2"])
    expect(counter.page.get_by_label("Delivered by")).to_have_value("Rail Regiment")
    counter.press("F10")
    counter.answers("posted", "3 taken into Main store", "1 still to come")
    ((_, lines, details),) = received(country)
    assert (lines, details["entered_on_lines"]) == (3, {"typed": [1, 2, 3]})
    assert details["remarks"] == "Seals found whole: S-100. Seals not found whole: S-101."
    assert country.where("EB 3") == "Main store"


def test_a_lost_answer_and_a_reload(visitors: Visitors, country: Country) -> None:
    """The answer to the confirmation is lost and the page loaded anew: what was sent is sent again, and posted once."""
    declared(country, *DECLARED[:3])
    counter = receipt(visitors.page("clerk", "/station"))
    counter.scan(CONSIGNMENT, *DECLARED[:3])
    counter.settled()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    counter.page.route("**/v1/receipts", lose, times=1)
    counter.confirm()
    counter.answers("stop", "No answer")
    counter.page.reload()
    counter.answers("posted", "3 taken into")
    assert len(received(country)) == 1


def test_without_an_answer_it_is_ticked_off_all_the_same(visitors: Visitors, country: Country) -> None:
    """The link breaks between two scans: the list that was loaded answers, and what it does not know stays to be judged."""
    declared(country, *DECLARED[:3])
    counter = receipt(visitors.page("clerk", "/station"))
    counter.scan(CONSIGNMENT, DECLARED[0])
    counter.settled()
    counter.page.route("**/v1/station/verdicts", lambda route: route.abort())
    counter.scan("ua1002")
    counter.answers("ready", f"AKM {DECLARED[1]}", "On the list")
    counter.scan("ZZ 9")
    counter.answers("attention", "AKM ZZ 9", "No answer")
    counter.page.unroute("**/v1/station/verdicts")
    counter.confirm()
    counter.answers("posted", "3 taken into", "1 more than declared")
    assert country.discrepancies() == ["excess"]


def test_a_wrong_line_and_undo(visitors: Visitors, country: Country) -> None:
    """The wrong one is taken off by a key and is missing again; the posted list is taken back, and stands there to be mended."""
    declared(country, *DECLARED[:3])
    counter = receipt(visitors.page("clerk", "/station"))
    counter.scan(CONSIGNMENT, *DECLARED[:2])
    counter.settled()
    counter.press("Delete")
    expect(counter.page.locator("#still-missing")).to_have_text("Still missing: 2")
    counter.scan(DECLARED[1])
    counter.settled()
    counter.confirm()
    counter.answers("posted", "2 taken into")
    counter.press("Control+z")
    counter.press("F10")
    counter.answers("attention", "is taken back")
    counter.page.get_by_role("button", name="Take the list again").click()
    expect(counter.page.locator("#still-missing")).to_have_text("Still missing: 1")
    counter.confirm()
    counter.answers("posted", "2 taken into")


def test_everybody_can_receive(visitors: Visitors, country: Country) -> None:
    """axe-core finds nothing, before and while ticking off; on a phone nothing scrolls sideways."""
    declared(country, *DECLARED, helmets=4)
    shipped(country)
    page = visitors.page("clerk", "/station", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    counter = receipt(page)
    expect(page.locator(".deliveries li")).to_have_count(3)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    counter.scan(CONSIGNMENT, DECLARED[0], "ZZ 1")
    counter.settled()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.screenshot(path="/tmp/station2/receive-phone.png", full_page=True)
    wide = receipt(visitors.page("clerk", "/station", viewport={"width": 1280, "height": 800}))
    wide.page.screenshot(path="/tmp/station2/receive-choose.png")
    wide.scan(CONSIGNMENT, *DECLARED[:3], "ZZ 1")
    wide.settled()
    wide.page.screenshot(path="/tmp/station2/receive-wide.png")
    wide.press("F10")
    wide.page.screenshot(path="/tmp/station2/receive-dialog.png")


def test_on_a_device_without_a_link(visitors: Visitors, country: Country) -> None:
    """The link goes in the middle of a truck: the rest is ticked off by the list that was loaded, the report is numbered from the device's
    own book, and posted as a fact when the link is back.
    """
    declared(country, *DECLARED[:4])
    context, page = enrolled(visitors)
    counter = at_the_counter(visitors, context, page)
    counter.press("F6")
    expect(page.locator("#mode-title")).to_have_text("Receive")
    counter.settled()
    counter.scan(CONSIGNMENT, DECLARED[0])
    counter.answers("ready", DECLARED[0], "On the list")
    context.set_offline(True)
    counter.scan(DECLARED[1], "ZZ 5")
    counter.answers("attention", "ZZ 5", "No answer")
    counter.confirm()
    counter.answers("posted", "TAJI/TAB-3/")
    expect(page.locator("#not-sent")).to_have_text("1 not sent")
    context.set_offline(False)
    expect(page.locator("#not-sent")).to_have_text("0 not sent")
    assert country.where(DECLARED[1]) == "Main store"
    assert country.discrepancies() == ["excess"]
