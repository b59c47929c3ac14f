"""The station's own reading of serial numbers, tags and marks gives what the service's gives, text by text."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NonInteractiveExampleWarning
from playwright.sync_api import Page

from stockpile.errors import Invalid
from stockpile.identity import LOOK_ALIKE_ROWS, asset_tag, fold, read_asset_tag, serial_key
from stockpile.marks import envelope, read_mark
from tests.browser.conftest import Visitors

LIKELY = (
    "".join(latin + others for _, latin, others in LOOK_ALIKE_ROWS) + "KT0123456789 -–—٠١٢٣۴۵६७ßﬁǅ\u00a0\u200d\ufeff"
)
SERIALS = (
    st.text(max_size=24)
    | st.text(LIKELY, max_size=20)
    | st.text("ABCXYZabcxyz0123456789 -/.", max_size=20)
    | st.integers(0, 2**63 - 1).map(asset_tag)
    | st.integers(0, 99_999).map(asset_tag).map(str.lower)
    | st.text("SP-0123456789ABCKZ", max_size=12).map(lambda rest: "SP" + rest)
)
PIECES = st.sampled_from(
    ["[)>", "\x1e", "\x1d", "\x04", "<RS>", "{gs}", "^]", "^^", "^D", "␞", "\\x1d", "05", "06", "12", "DD", "17V1ABC2", "1PM4A1",
     "SW0042", "18S1ABC2W0042", "25SD1ABC2W1", "25SLBX1", "CAG 1ABC2", "SER1234567", "MFR1ABC2", "PNO 77", "SEQ 9", "UID D1ABC2X",
     "8003", "00614141000012", "80040614141X12", "0104012345123456", "21ABC", "12V123456789", "3V0614141", "7LW25G1Q", "18VLD123456",
     "UN123456789X", "LHXYZ9", "D1ABC2W0042", "]d1", " ", "x", "é", "\u2028", "ſ"]
)  # fmt: skip
MARKS = (
    st.lists(PIECES, max_size=9).map("".join)
    | st.lists(PIECES, min_size=2, max_size=6).map(lambda parts: "[)>\x1e06\x1d" + "\x1d".join(parts) + "\x1e\x04")
    | st.lists(PIECES, min_size=2, max_size=6).map(lambda parts: "[)>\x1e12\x1d" + "\x1d".join(parts) + "\x1e\x04")
    | st.from_regex(r"(D|UN|LD|LB)?[A-Z0-9]{3,14}", fullmatch=True)
)
TEXTS = 3000


def examples(strategy: st.SearchStrategy[str]) -> list[str]:
    """Texts that hypothesis thinks up, those that Python's older Unicode knows all characters of."""
    found: list[str] = []

    @seed(7)
    @settings(
        max_examples=TEXTS, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(text: str) -> None:
        found.append(text)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonInteractiveExampleWarning)
        collect()
    return list(dict.fromkeys(found))


def told(text: str) -> list[Any]:
    """What the service makes of a text."""
    tag = read_asset_tag(text)
    try:
        mark = read_mark(text)
        read = [mark.uii, mark.serial_number if mark.format else None, mark.format] if mark else None
    except Invalid:
        read = ["unreadable"]
    return [serial_key(text), fold(text), None if tag is None else str(tag), read]


IN_THE_PAGE = """
async (texts) => {
    const { serialKey, fold, readAssetTag } = await import("/static/station/offline/identity.js");
    const { readMark } = await import("/static/station/offline/marks.js");
    const mark = (text) => {
        try {
            const read = readMark(text);
            return read && [read.uii, read.format ? read.serialNumber : null, read.format];
        } catch { return ["unreadable"]; }
    };
    return texts.map((text) => [serialKey(text), fold(text), readAssetTag(text), mark(text)]);
}
"""


@pytest.fixture
def page(visitors: Visitors) -> Page:
    """Any page of ours: modules are loaded from it."""
    return visitors.page(None, "/")


@pytest.mark.parametrize("strategy", [SERIALS, MARKS], ids=["serials", "marks"])
def test_as_the_service_reads_it(page: Page, strategy: st.SearchStrategy[str]) -> None:
    """Thousands of texts, in one batch."""
    texts = examples(strategy)
    assert len(texts) > TEXTS / 3
    answers = page.evaluate(IN_THE_PAGE, texts)
    differing = [
        (text, told(text), answer) for text, answer in zip(texts, answers, strict=True) if told(text) != answer
    ]
    assert not differing, f"{len(differing)} of {len(texts)}: {differing[:5]}"


def test_real_marks(page: Page) -> None:
    """Marks as we print them, and the standard's own example."""
    texts = [
        envelope(1, enterprise="1ABC2", serial_number="W0042"),
        envelope(2, enterprise="1ABC2", serial_number="7", part_number="M4A1"),
        envelope(1, enterprise="A3309", serial_number="1234567", format="12"),
    ]
    assert page.evaluate(IN_THE_PAGE, texts) == [told(text) for text in texts]
    assert told(texts[2])[3][0] == "DA33091234567"


def test_tags_both_ways(page: Page) -> None:
    """An asset tag is written as the service writes it."""
    numbers = [0, 1, 35, 36, 46_655, 2_176_782_336, 9_007_199_254_740_991]
    written = page.evaluate(
        "async (numbers) => (await import('/static/station/offline/identity.js')).assetTag && "
        "numbers.map((await import('/static/station/offline/identity.js')).assetTag)",
        numbers,
    )
    assert written == [asset_tag(number) for number in numbers]
