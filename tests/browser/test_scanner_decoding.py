"""What a scanner types and what was scanned: the decoder alone, in the browser that runs it, on recorded-like keystrokes."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, Route

from stockpile.marks import envelope, read_mark
from tests.browser.keyboards import (
    ARABIC,
    AZERTY,
    KEYBOARDS,
    QWERTZ,
    RUSSIAN,
    US,
    Event,
    Scanner,
    android,
    enter,
    human,
    shuffled,
)

STATIC = Path(__file__).parents[2] / "api" / "static"
TAG = "SP-000001-A"
MARK = envelope(1, enterprise="1ABC2", serial_number="WYZ-0042")
LETTERS = "0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-/.:+_()[]>"
TEXTS = (
    st.text(LETTERS, min_size=3, max_size=40).map(str.strip).filter(lambda text: len(text) >= 3 and text[0] not in " ]")
)

Decoded = dict[str, Any]


def serve(route: Route) -> None:
    """The product's scripts, without its service."""
    path = route.request.url.removeprefix("http://scanner.test/")
    if not path.startswith("static/"):
        route.fulfill(content_type="text/html", body="<!doctype html><title>Scanner</title>")
        return
    file = STATIC / path.removeprefix("static/")
    route.fulfill(content_type=mimetypes.guess_type(file)[0], body=file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scripts(browser: Browser) -> Iterator[Page]:
    """A page from which the scanner's scripts can be called."""
    page = browser.new_page()
    page.route("http://scanner.test/**", serve)
    page.goto("http://scanner.test/")
    yield page
    page.close()


def decoded(page: Page, events: list[Event], known: Any = None) -> Decoded:
    """What the decoder makes of events."""
    call = """async ([events, known]) => {
        const { decode } = await import('/static/station/scanner/decode.js');
        const { scans, typed, held, outcomes } = decode(events, known ?? undefined);
        return { scans, typed, held, outcomes };
    }"""
    return dict(page.evaluate(call, [events, known]))


def learnt(page: Page, scanner: Scanner) -> dict[str, Any] | None:
    """What the set-up code teaches, scanned by a scanner that nobody taught."""
    call = """async ([events, text]) => {
        const { decode, TO_LEARN } = await import('/static/station/scanner/decode.js');
        const { learn } = await import('/static/station/scanner/learn.js');
        const scan = decode(events, TO_LEARN).outcomes.find((outcome) => outcome.kind === 'scan');
        return scan ? learn(scan.strokes, scan.suffix) : null;
    }"""
    found = page.evaluate(call, [scanner.types(set_up_text(page)), None])
    return None if found is None else dict(found)


def passed(events: list[Event], found: Decoded) -> set[str]:
    """The keys that the browser would act on."""
    pairs = zip(events, found["held"], strict=True)
    return {event["key"] for event, held in pairs if event["kind"] == "down" and not held}


def set_up_text(page: Page) -> str:
    """What the set-up code says."""
    return str(page.evaluate("async () => (await import('/static/station/scanner/learn.js')).SET_UP_TEXT"))


def taught(page: Page, scanner: Scanner) -> dict[str, Any]:
    """The settings that a scanner's set-up code leaves."""
    found = learnt(page, scanner)
    assert found is not None
    return dict(found["settings"])


def test_a_scan_is_heard_and_nothing_of_it_reaches_a_field(scripts: Page) -> None:
    """Every key of it is held, Enter too."""
    found = decoded(scripts, Scanner(US, US).types(TAG))
    assert found["scans"] == [TAG]
    assert found["typed"] == ""
    assert passed(Scanner(US, US).types(TAG), found) <= {"Shift"}


@pytest.mark.parametrize("gap", [110, 60, 40])
def test_what_a_human_types_is_typing(scripts: Page, gap: float) -> None:
    """Also fast, with fingers that overlap; Enter after it is Enter."""
    found = decoded(scripts, human("the quick Brown fox-7/3\r", gap=gap, dwell=90))
    assert found["scans"] == []
    assert found["typed"] == "the quick Brown fox-7/3"


def test_a_scan_amid_typing(scripts: Page) -> None:
    """What was typed before and after it stays typing."""
    scanner = Scanner(US, US)
    scan = scanner.types(TAG)
    events = [*human("abc"), *scan, *human("def", start=scan[-1]["time"] + 100)]
    assert (decoded(scripts, events)["scans"], decoded(scripts, events)["typed"]) == ([TAG], "abcdef")


@pytest.mark.parametrize("suffix", ["\r", "\t", "\n", "\r\n", "\r\r", ""])
@pytest.mark.parametrize("ups", [True, False], ids=["keyup", "no keyup"])
def test_whatever_ends_a_scan(scripts: Page, suffix: str, ups: bool) -> None:
    """Enter, Tab, a line feed as Control and J, two of them, or nothing; none of it reaches the page."""
    events = Scanner(US, US, suffix=suffix, ups=ups).types(TAG)
    found = decoded(scripts, events)
    assert found["scans"] == [TAG]
    assert passed(events, found) <= {"Shift", "Control"}


@pytest.mark.parametrize("controls", ["control", "function", "number"])
@pytest.mark.parametrize(
    "pc", [US, QWERTZ, AZERTY, RUSSIAN, ARABIC], ids=["US", "German", "French", "Russian", "Arabic"]
)
def test_a_mark_is_read_whatever_stands_for_its_separators(scripts: Page, controls: str, pc: dict[Any, str]) -> None:
    """Nobody taught the scanner: the beginning of a mark shows that it is a US keyboard. Control and D never bookmarks."""
    events = Scanner(US, pc, controls=controls).types(MARK)
    found = decoded(scripts, events)
    mark = read_mark(found["scans"][0])
    assert len(found["scans"]) == 1
    assert mark is not None
    assert mark.uii == "D1ABC2WYZ-0042"
    assert passed(events, found) <= {"Shift", "Control", "Alt", "Dead", *"0123456789"}


@pytest.mark.parametrize("gap", [1, 4, 12])
def test_two_scans_run_together(scripts: Page, gap: float) -> None:
    """The end of the first parts them; where nothing ends a scan, a mark's own end does."""
    first, second = (
        envelope(1, enterprise="1ABC2", serial_number="W1"),
        envelope(1, enterprise="1ABC2", serial_number="W2"),
    )
    ended = Scanner(US, US, gap=gap)
    events = [*ended.types("KT 449900"), *ended.types("KT 449901")]
    shift = events[-1]["time"] - events[len(events) // 2]["time"]
    assert shift > 0
    assert decoded(scripts, events)["scans"] == ["KT 449900", "KT 449901"]
    open_ended = Scanner(US, US, gap=gap, suffix="")
    assert decoded(scripts, open_ended.types(first + second))["scans"] == [first, second]
    with_names = open_ended.types("]C1KT 449900]d2" + first)
    assert decoded(scripts, with_names)["scans"] == ["KT 449900", first]


@pytest.mark.parametrize("name", ["]C0", "]C1", "]d1", "]d2", "]Q3"])
def test_the_name_of_the_symbology_is_taken_off(scripts: Page, name: str) -> None:
    """On any layout."""
    for pc in KEYBOARDS.values():
        assert decoded(scripts, Scanner(US, pc).types(name + TAG))["scans"] == [TAG]


def test_a_prefix_makes_a_scan_and_nothing_else(scripts: Page) -> None:
    """A scanner too slow for its keys to be told from a human's, behind Control and B."""
    known = {"prefix": "\x02", "gap": 90}
    assert decoded(scripts, Scanner(US, US, prefix="\x02", gap=40).types(TAG), known)["scans"] == [TAG]
    typed = decoded(scripts, human("fast fingers\r", gap=50), known)
    assert (typed["scans"], typed["typed"]) == ([], "fast fingers")
    assert decoded(scripts, Scanner(US, US, prefix="\x02", suffix="").types(f"{TAG}\x02KT 1"), known)["scans"] == [
        TAG,
        "KT 1",
    ]


def test_half_a_code_is_no_scan_where_scans_have_an_end(scripts: Page) -> None:
    """A pause in the middle is waited for; what never ends becomes typing, in view."""
    whole = Scanner(US, US).types("KT 449900")
    for cut in range(2, len(whole) - 1, 2):
        late = [{**event, "time": event["time"] + (190 if n >= cut else 0)} for n, event in enumerate(whole)]
        found = decoded(scripts, late)
        assert (found["scans"], found["typed"]) in ((["KT 449900"], ""), ([], "KT 449900"))
    for known in ({"suffix": "enter"}, None):
        later = [{**event, "time": event["time"] + 3000} for event in whole[:20]]
        broken = decoded(scripts, [*whole, *later], known)
        assert broken["scans"] == ["KT 449900"]
        assert broken["typed"].startswith("KT 44")
    texts = android("KT 449900")
    torn = [{**event, "time": event["time"] + (100 if n >= len(texts) // 2 else 0)} for n, event in enumerate(texts)]
    assert decoded(scripts, [*torn, enter(torn[-1]["time"] + 5)])["scans"] == []


def test_a_scanner_too_slow_to_be_told_is_typing(scripts: Page) -> None:
    """Whole, with its Enter, into the field that has the focus: never the part that happened to come fast."""
    slow = Scanner(US, US, gap=1, ups=False).types("WZ700420")
    times = [0, 50, 100, 110, 120, 130, 180, 190, 195, 200, 205, 210, 215]
    events = [{**event, "time": 5000 + time} for event, time in zip(slow, times, strict=False)]
    found = decoded(scripts, events)
    assert (found["scans"], found["typed"], found["held"][-1]) == ([], "WZ700420", False)


def test_a_key_that_repeats_counts_once(scripts: Page) -> None:
    """In a scan; held by a human it never makes one."""
    events = Scanner(US, US).types("AAB")
    repeated = [
        copy
        for event in events
        for copy in ([event, {**event, "repeat": True}] if event["kind"] == "down" else [event])
    ]
    assert decoded(scripts, repeated)["scans"] == ["AAB"]
    down = {"kind": "down", "time": 0, "key": "a", "code": "KeyA"}
    held = [down, *({**down, "time": 500 + 30 * n, "repeat": True} for n in range(20)), enter(1110)]
    assert decoded(scripts, held)["scans"] == []


def test_shortcuts_stay_shortcuts(scripts: Page) -> None:
    """Control and D, F8 and Tab alone are the human's."""
    bookmark = {"key": "d", "code": "KeyD", "ctrlKey": True}
    for event in (
        bookmark,
        *({"key": key, "code": code} for key, code in (("F8", "F8"), ("Tab", "Tab"), (" ", "Space"))),
    ):
        assert decoded(scripts, [{"kind": "down", "time": 5, **event}])["held"] == [False]


@pytest.mark.parametrize("caps_lock", [True, False])
@pytest.mark.parametrize("follows", [True, False])
def test_caps_lock_changes_nothing(scripts: Page, caps_lock: bool, follows: bool) -> None:
    """Whether the scanner looks at it or not; learnt with it on, the scanner is known with it off too."""
    learnt_so = taught(scripts, Scanner(US, QWERTZ, caps_lock=True, follows_caps_lock=follows))
    scanner = Scanner(US, QWERTZ, caps_lock=caps_lock, follows_caps_lock=follows)
    assert decoded(scripts, scanner.types("SP-zyX/1"), learnt_so)["scans"] == ["SP-zyX/1"]
    if not follows:
        assert decoded(scripts, Scanner(US, US, caps_lock=caps_lock).types("SPzyX1"))["scans"] == ["SPzyX1"]


@pytest.mark.parametrize("pc", KEYBOARDS)
@pytest.mark.parametrize("layout", ["US", "German", "French"])
@pytest.mark.parametrize("controls", ["control", "function", "number", "none"])
def test_the_set_up_code_makes_any_layout_right(scripts: Page, layout: str, pc: str, controls: str) -> None:
    """What a scanner of one country types on a PC of another."""
    scanner = Scanner(KEYBOARDS[layout], KEYBOARDS[pc], controls=controls)
    found = learnt(scripts, scanner)
    assert found is not None
    assert found["settings"]["suffix"] == "enter"
    expected = {"control": [], "function": ["\x04"], "number": [], "none": ["\x1e", "\x1d", "\x04"]}[controls]
    assert found["findings"]["missing"] == expected
    assert found["findings"]["keyboard"] == ("US" if layout == "US" else None)
    for text in ("TAJI/B/2026/41", "WZ-700420", "yzaqm (1.5)_[x]"):
        assert decoded(scripts, scanner.types(text), found["settings"])["scans"] == [text]
    if controls in ("control", "number") and layout == "US":
        assert decoded(scripts, scanner.types(MARK), found["settings"])["scans"] == [MARK]


def test_a_scanner_that_types_numbers_needs_no_layout(scripts: Page) -> None:
    """Alt and the keypad for every character, as some do to be safe; what the system writes for it is held too."""
    scanner = Scanner(US, AZERTY, numbers=True, gap=1)
    events = scanner.types("KT-449é")
    found = decoded(scripts, events)
    assert found["scans"] == ["KT-449é"]
    assert all(held for event, held in zip(events, found["held"], strict=True) if event["kind"] == "input")
    assert decoded(
        scripts, scanner.types(MARK), taught(scripts, Scanner(US, AZERTY, numbers=True, gap=1, controls="number"))
    )["scans"] == [MARK]


def test_other_codes_teach_nothing(scripts: Page) -> None:
    """Nor does a set-up code of which a part was lost."""
    text = set_up_text(scripts)
    for wrong in (TAG, text[:-1], text.replace("Q", ""), text[::-1], "X" * len(text)):
        call = """async ([events]) => {
            const { decode } = await import('/static/station/scanner/decode.js');
            const { learn } = await import('/static/station/scanner/learn.js');
            return decode(events).outcomes.filter((each) => each.kind === 'scan').map((each) => learn(each.strokes, each.suffix));
        }"""
        assert scripts.evaluate(call, [Scanner(US, US).types(wrong)]) == [None]


@pytest.mark.parametrize("prefix", ["", "\x02", "*", "]C0", "##"])
def test_a_prefix_is_learnt(scripts: Page, prefix: str) -> None:
    """The symbology's name, which changes from code to code, is none."""
    scanner = Scanner(QWERTZ, RUSSIAN, prefix=prefix, suffix="\t")
    known = taught(scripts, scanner)
    assert known["suffix"] == "tab"
    assert (known["prefix"] == "") == (prefix in ("", "]C0"))
    assert decoded(scripts, scanner.types(TAG), known)["scans"] == [TAG]


@settings(max_examples=80, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    seeds=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    texts=st.lists(TEXTS, min_size=1, max_size=4),
    gap=st.floats(0.2, 12),
    suffix=st.sampled_from(["\r", "\t", "\n", "\r\n", ""]),
    controls=st.sampled_from(["control", "function", "number", "none"]),
    caps_lock=st.booleans(),
)
def test_what_was_scanned_comes_out_on_any_keyboards(
    scripts: Page, seeds: tuple[int, int], texts: list[str], gap: float, suffix: str, controls: str, caps_lock: bool
) -> None:
    """A scanner that nobody ever made on a PC that nobody ever made, taught by one set-up code."""
    layout, pc = shuffled(seeds[0]), shuffled(seeds[1])
    scanner = Scanner(layout, pc, gap=gap, suffix=suffix, controls=controls, caps_lock=caps_lock)
    known = taught(scripts, scanner)
    events = [event for text in texts for event in scanner.types(text)]
    found = decoded(scripts, events, known)
    assert (found["scans"], found["typed"]) == (texts, "")


@pytest.mark.parametrize("pieces", [[TAG], list(TAG), ["SP-0", "00001", "-A"]], ids=["whole", "letters", "pieces"])
@pytest.mark.parametrize("kind", ["insertText", "insertCompositionText"])
def test_android_where_keys_say_nothing(scripts: Page, pieces: list[str], kind: str) -> None:
    """The text arrives as input, is taken out of the field again, and is a scan once Enter follows."""
    if kind == "insertCompositionText":
        pieces = ["".join(pieces[: n + 1]) for n in range(len(pieces))]
    events = android(pieces, kind=kind)
    after = events[-1]["time"] + 5
    line_break = {"kind": "input", "time": after, "inputType": "insertLineBreak", "data": None}
    for end in (enter(after), line_break):
        found = decoded(scripts, [*events, end])
        assert found["scans"] == [TAG]
        assert found["outcomes"][-1]["restore"]
        assert found["held"][-1]
    assert decoded(scripts, android([*pieces[:-1], pieces[-1] + "\n"], kind=kind))["scans"] == [TAG]


def test_android_typing_stays(scripts: Page) -> None:
    """Letters at a human's pace, and a word that the keyboard completed, with Enter a moment later."""
    slow = android("KT449", gap=180)
    assert decoded(scripts, [*slow, enter(slow[-1]["time"] + 200)])["scans"] == []
    hasty = android("KT449900", gap=60)
    assert decoded(scripts, [*hasty, enter(hasty[-1]["time"] + 20)])["scans"] == []
    word = android(["Kalashnikov"])
    assert decoded(scripts, [*word, enter(word[-1]["time"] + 300)])["scans"] == []
    assert decoded(scripts, android(["Kalashnikov"]), {"suffix": "none"})["scans"] == []
    assert decoded(scripts, android([TAG]), {"suffix": "none"})["scans"] == [TAG]
    assert decoded(scripts, android(list(TAG)))["scans"] == [TAG]


def test_a_scan_right_after_text_that_came_without_keys(scripts: Page) -> None:
    """A number that the browser, a handwriting field or a paste wrote: the scan that follows at once is one all the same."""
    scanner = Scanner(US, US)
    before = scanner.types(TAG)
    written: Event = {"kind": "input", "time": before[-1]["time"] + 900, "data": "482915", "inputType": "insertText"}
    found = decoded(scripts, [*before, written, *scanner.types("SP-000002-B")])
    assert found["scans"] == [TAG, "SP-000002-B"]
    assert found["typed"] == ""
