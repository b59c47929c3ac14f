"""A page that listens: scans come whatever has the focus, and what a human types goes where it was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.keyboards import AZERTY, QWERTZ, RUSSIAN, US, Scanner, android, enter, press, scan
from tests.browser.test_scanner_decoding import TAG, serve, set_up_text

BODY = """
<input id=field aria-label=Scan><input id=name aria-label=Name value=""><textarea id=notes aria-label=Notes></textarea>
<select id=condition aria-label=Condition><option>Serviceable<option>Damaged<option>Unknown</select>
<button id=press>Confirm</button><div id=free contenteditable>x</div>
<dialog id=dialog><input id=reason aria-label=Reason><button id=close>Close</button></dialog>
"""
LISTEN = """async () => {
    const { listen } = await import('/static/station/scanner/scanner.js');
    window.heard = []; window.pressed = 0; window.keys = [];
    window.stop = listen(document.querySelector('#field'), (scan) => window.heard.push(scan));
    document.querySelector('#press').addEventListener('click', () => window.pressed++);
    window.addEventListener('keydown', (event) => window.keys.push(event.key));
    window.addEventListener('scannerlearnt', (event) => { window.learnt = event.detail; });
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with fields and a dialog, which listens."""
    context = browser.new_context()
    page = context.new_page()
    page.route("http://scanner.test/**", serve)
    page.goto("http://scanner.test/")
    page.evaluate("body => { document.body.innerHTML = body; }", BODY)
    page.evaluate(LISTEN)
    yield page
    context.close()


def heard(page: Page) -> list[dict[str, Any]]:
    """What the page was told."""
    return list(page.evaluate("window.heard"))


@pytest.mark.parametrize("focus", ["#field", "#name", "#notes", "#condition", "#press", "#free", None])
def test_a_scan_is_heard_wherever_the_focus_is(page: Page, focus: str | None) -> None:
    """Nothing of it stays in a field, no button is pressed, no choice changes."""
    if focus:
        page.focus(focus)
    assert set(scan(page, TAG)) <= {"Shift"}
    assert heard(page) == [{"text": TAG, "how": "scanned"}]
    assert page.input_value("#field") == page.input_value("#name") == page.input_value("#notes") == ""
    assert (page.input_value("#condition"), page.inner_text("#free")) == ("Serviceable", "x")
    assert page.evaluate("window.pressed") == 0


def test_a_scan_while_a_dialog_is_open(page: Page) -> None:
    """It goes to the page, and the dialog stays as it is."""
    page.evaluate("document.querySelector('#dialog').showModal()")
    page.focus("#close")
    scan(page, TAG)
    assert heard(page) == [{"text": TAG, "how": "scanned"}]
    assert page.evaluate("document.querySelector('#dialog').open")


def test_what_a_human_types_goes_to_its_field(page: Page) -> None:
    """Letters, blanks, corrections, shortcuts and the page's own keys; Enter in the scan's field is a scan typed by hand."""
    page.focus("#name")
    page.keyboard.type("Ali Petrov-7", delay=70)
    page.keyboard.press("Backspace")
    expect(page.locator("#name")).to_have_value("Ali Petrov-")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Bo", delay=70)
    expect(page.locator("#name")).to_have_value("Bo")
    page.keyboard.press("ControlOrMeta+z")
    assert page.input_value("#name") != "Bo"
    assert {"A", "7", "Backspace"} <= set(page.evaluate("window.keys"))
    page.focus("#free")
    page.keyboard.press("End")
    page.keyboard.type("yz", delay=70)
    expect(page.locator("#free")).to_have_text("xyz")
    assert heard(page) == []
    page.focus("#field")
    page.keyboard.type("kt 44", delay=70)
    page.keyboard.press("Enter")
    assert heard(page) == [{"text": "kt 44", "how": "typed"}]
    assert page.input_value("#field") == ""


def test_typing_chooses_and_presses(page: Page) -> None:
    """A letter over a list of choices chooses, a blank on a button presses it, Tab goes on."""
    page.focus("#condition")
    page.keyboard.type("d")
    expect(page.locator("#condition")).to_have_value("Damaged")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert page.evaluate("[window.pressed, document.activeElement.id]") == [2, "press"]


def test_what_is_held_is_not_lost_when_the_focus_moves(page: Page) -> None:
    """A letter typed the moment before a click."""
    page.focus("#name")
    page.evaluate("""() => {
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'q', code: 'KeyQ', bubbles: true, cancelable: true}));
        window.dispatchEvent(new PointerEvent('pointerdown'));
    }""")
    assert page.input_value("#name") == "q"


def test_android_takes_the_scan_out_of_the_field(page: Page) -> None:
    """Whole or in pieces: what the field held stays, the scan is told."""
    page.focus("#name")
    page.fill("#name", "kept")
    page.wait_for_timeout(300)
    for pieces in ([TAG], list(TAG)):
        events = android(pieces)
        press(page, [*events, enter(events[-1]["time"] + 5)])
        expect(page.locator("#name")).to_have_value("kept")
    assert heard(page) == [{"text": TAG, "how": "scanned"}] * 2


@pytest.mark.parametrize(("layout", "pc"), [(US, QWERTZ), (US, AZERTY), (US, RUSSIAN), (QWERTZ, AZERTY)])
def test_the_set_up_code_teaches_on_any_page(page: Page, layout: dict[Any, str], pc: dict[Any, str]) -> None:
    """It is no scan; it is known after a reload; and it is told to other windows of the browser."""
    other = page.context.new_page()
    other.route("http://scanner.test/**", serve)
    other.goto("http://scanner.test/")
    other.evaluate("body => { document.body.innerHTML = body; }", BODY)
    other.evaluate(LISTEN)
    scanner = Scanner(layout, pc)
    press(page, scanner.types(set_up_text(page)))
    assert heard(page) == []
    assert page.evaluate("window.learnt.kept")
    press(page, scanner.types("WZ-700420"))
    assert heard(page) == [{"text": "WZ-700420", "how": "scanned"}]
    other.wait_for_timeout(100)
    press(other, scanner.types("YZ-1"))
    assert heard(other) == [{"text": "YZ-1", "how": "scanned"}]


def test_the_last_that_listens_gets_the_scan_until_it_stops(page: Page) -> None:
    """A dialog with a field of its own."""
    page.evaluate("""async () => {
        const { listen } = await import('/static/station/scanner/scanner.js');
        window.inner = [];
        window.stopInner = listen(document.querySelector('#reason'), (scan) => window.inner.push(scan.text));
    }""")
    scan(page, TAG)
    page.evaluate("window.stopInner()")
    scan(page, "KT 449900")
    assert (page.evaluate("window.inner"), [each["text"] for each in heard(page)]) == ([TAG], ["KT 449900"])
    page.evaluate("window.stop()")
    assert "Enter" in scan(page, TAG)
