"""Asset tags as labels: what is printed, a scanner reads, and what it reads finds the weapon."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.tags import asset_tag_label
from stockpile.identity import asset_tag, read_asset_tag
from tests.api_world import Web, served
from tests.world import RIFLES

web = pytest.fixture(served)

SVG = "{http://www.w3.org/2000/svg}"
DOTS_A_MILLIMETRE = 12


def scanned(label: bytes) -> list[str]:
    """What a decoder nobody here wrote reads from the label, drawn at the dots of a label printer."""
    root = ElementTree.fromstring(label)

    def dots(text: str) -> int:
        return round(float(text.removesuffix("mm")) * DOTS_A_MILLIMETRE)

    width, height = dots(root.attrib["width"]), dots(root.attrib["height"])
    row = bytearray(b"\xff" * width)
    for bar in root.iter(f"{SVG}rect"):
        if "fill:black" in bar.attrib.get("style", "").replace(" ", ""):
            start = dots(bar.attrib["x"])
            length = dots(bar.attrib["width"])
            row[start : start + length] = bytes(length)
    picture = memoryview(bytes(row) * height).cast("B", shape=[height, width])
    return [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.Code128)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 32**6 - 1))
def test_a_printed_tag_reads_back(number: int) -> None:
    """Any tag there can be: printed, scanned, understood."""
    (read,) = scanned(asset_tag_label(asset_tag(number), "AKM"))
    assert read == asset_tag(number)
    assert read_asset_tag(read) == number


def test_the_label_of_a_weapon_finds_it_when_scanned(web: Web) -> None:
    """The clerk prints the tag of a rifle, sticks it on, scans it at the next issue."""
    key = web.country.item(RIFLES[0]).item_id
    label = web.get("clerk", f"/v1/weapons/{key}/tag.svg")
    assert label.headers["content-type"].startswith("image/svg+xml")
    assert re.fullmatch(r'attachment; filename="SP-[0-9A-Z]{6}-[0-9A-Z]\.svg"', label.headers["content-disposition"])
    (read,) = scanned(label.content)
    assert RIFLES[0] in label.text
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": [{"scan": read}]})
    assert web.country.where(RIFLES[0]) == "Private Petrov (A-1001)"


def test_a_name_full_of_signs_stays_text() -> None:
    """A serial number with signs of markup is shown, not obeyed."""
    label = asset_tag_label("SP-000001-A", '<script>alert("1")</script> & Co')
    texts = [text.text for text in ElementTree.fromstring(label).iter(f"{SVG}text")]
    assert texts == ["SP-000001-A", '<script>alert("1")</script> & Co']


def test_a_donor_prints_no_tag_of_another_s_weapon(web: Web) -> None:
    """Own procurement is not the donor's to see."""
    key = web.country.item(RIFLES[0]).item_id
    assert web.get("USA", f"/v1/weapons/{key}/tag.svg").status_code == 404
