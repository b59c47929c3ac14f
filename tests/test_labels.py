"""Labels: what is printed, a scanner reads, and what it reads finds the weapon, the person, the store, the container."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import zxingcpp
from click.testing import Result
from httpx import Response
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from labels.marks import uii_envelope
from labels.sheets import sheets
from labels.tags import asset_tag_label
from stockpile import labelling, tokens
from stockpile.acts.receive import RECEIVE
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.identity import asset_tag, read_asset_tag
from tests import printed
from tests.api_world import BEARERS, Web, problem, served
from tests.test_label_zpl import Printer
from tests.world import RIFLES, scans

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


def codes(answer: Response) -> set[str]:
    """What a scanner reads on the sheets that came."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return {content.decode() for page in printed.pages(answer.content) for _, content in printed.scanned(page)}


def tag(web: Web, serial: str) -> str:
    """The asset tag of a rifle."""
    found = web.get("clerk", f"/v1/weapons/{web.country.item(serial).item_id}").json()
    return str(found["item"]["asset_tag"])


def test_a_rack_is_labelled_after_a_receipt(web: Web) -> None:
    """The clerk prints the labels of a receiving report, sticks them on, and scans one at the next issue."""
    received = web.country.do(
        "clerk", RECEIVE, store="Quarantine", lines=[{"model": "AKM", "serial_number": f"NEW {n}"} for n in range(5)]
    )
    answer = web.post("clerk", "/v1/labels", {"document": received.number, "codes": ["code-128", "qr"], "start": 3})
    assert codes(answer) == {tag(web, f"NEW {n}") for n in range(5)}
    assert (answer.headers["labels"], answer.headers["labels-left-out"]) == ("5", "0")
    assert re.fullmatch(
        r'attachment; filename="labels-weapons-TAJI-[0-9Z-]+\.pdf"', answer.headers["content-disposition"]
    )
    text = printed.letters(answer.content)
    assert "NEW 4" in text
    assert "TAJI" in text
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Quarantine", "lines": scans(tag(web, "NEW 3"))})
    assert web.country.where("NEW 3") == "Private Petrov (A-1001)"
    assert codes(web.post("clerk", "/v1/labels", {"document": str(received.document_id)})) == codes(answer)


def test_weapons_that_left_are_not_labelled(web: Web) -> None:
    """Of a document, those that are still here; a weapon that was scanned but is missing is refused, and says where it is."""
    (first,) = [row for row in web.get("clerk", "/v1/documents", act="receive").json()["rows"] if row["lines"] > 1]
    web.posted(
        "clerk", "/v1/loss-reports", {"place": "Range 2", "circumstances": "Not back", "lines": scans(RIFLES[0])}
    )
    answer = web.post("clerk", "/v1/labels", {"document": first["number"], "codes": ["qr"]})
    assert (answer.headers["labels"], answer.headers["labels-left-out"]) == ("9", "1")
    told = problem(web.post("clerk", "/v1/labels", {"scans": [RIFLES[1], RIFLES[0], "NEVER SEEN"]}), 409, "refused")
    assert [(reason["line"], reason.get("where")) for reason in told["reasons"]] == [(2, "TAJI, missing"), (3, None)]


def test_weapons_of_a_store_or_a_model(web: Web) -> None:
    """Chosen as the commander thinks of them; what is counted has no label."""
    in_store = codes(web.post("commander", "/v1/labels", {"store": "main store", "model": "AKM", "codes": ["qr"]}))
    assert in_store == {tag(web, rifle) for rifle in RIFLES}
    assert codes(web.post("registrar", "/v1/labels", {"site": "TAJI", "codes": ["qr"]})) == in_store
    problem(web.post("clerk", "/v1/labels", {"store": "Quarantine"}), 422, "invalid")
    problem(web.post("clerk", "/v1/labels", {"model": "Musket"}), 404, "not-found")
    problem(web.post("clerk", "/v1/labels", {"site": "ERBIL"}), 403, "not-allowed")
    problem(web.post("erbil clerk", "/v1/labels", {"scans": [RIFLES[0]]}), 409, "refused")


def test_a_data_matrix_holds_the_uii_of_the_books(web: Web) -> None:
    """Byte for byte in ISO 15434, and scanned it finds the weapon; a weapon without one is named, and nothing printed."""
    marking = {"method": "laser", "place": "receiver", "uii": {"enterprise": "1ABC2"}, "lines": scans(RIFLES[0])}
    web.posted("armourer", "/v1/markings", marking)
    asked = {"scans": [RIFLES[0]], "codes": ["data-matrix", "code-128"], "sheet": "5163"}
    answer = web.post("clerk", "/v1/labels", asked)
    envelope = uii_envelope("D1ABC2KT449900")
    assert envelope == "[)>\x1e06\x1d25SD1ABC2KT449900\x1e\x04"
    assert codes(answer) == {envelope, tag(web, RIFLES[0])}
    assert "UII D1ABC2KT449900" in printed.letters(answer.content)
    found = web.get("clerk", "/v1/find", q=envelope).json()
    assert [one["item"]["serial_number"] for one in found["items"]] == [RIFLES[0]]
    told = problem(web.post("clerk", "/v1/labels", {**asked, "scans": list(RIFLES[:3])}), 409, "refused")
    assert [reason["line"] for reason in told["reasons"]] == [2, 3]
    assert "no UII" in told["reasons"][0]["reason"]


def test_badges_of_a_unit(web: Web) -> None:
    """Service number to scan, name and unit to read; only of the own site, never of who left the books."""
    answer = web.post("clerk", "/v1/labels", {"of": "people", "unit": "1COY"})
    assert codes(answer) == {"A-1001", "A-1002", "A-1003"}
    assert "Private Petrov" in printed.letters(answer.content)
    assert "1st Company" in printed.letters(answer.content)
    assert codes(web.post("clerk", "/v1/labels", {"of": "people", "scans": ["T-2"], "codes": ["qr"]})) == {"T-2"}
    assert "E-1" not in codes(web.post("clerk", "/v1/labels", {"of": "people"}))
    told = problem(web.post("clerk", "/v1/labels", {"of": "people", "scans": ["T-2", "E-1"]}), 409, "refused")
    assert [reason["weapon"] for reason in told["reasons"]] == ["E-1"]


def test_stores_and_sealed_containers(web: Web) -> None:
    """A store's door and a crate: what is scanned is what the counter asks for."""
    assert codes(web.post("clerk", "/v1/labels", {"of": "stores"})) == {"Main store", "Quarantine"}
    assert codes(web.post("clerk", "/v1/labels", {"of": "stores", "store": "Quarantine", "codes": ["code-128"]})) == {
        "Quarantine"
    }
    web.posted(
        "clerk",
        "/v1/seals",
        {"number": "S-004411", "store": "Main store", "container": "Crate 12", "weapons": RIFLES[:2]},
    )
    answer = web.post("clerk", "/v1/labels", {"of": "seals"})
    assert codes(answer) == {"S-004411"}
    assert "Crate 12" in printed.letters(answer.content)
    assert codes(web.post("clerk", "/v1/labels", {"of": "seals", "scans": ["s 004411"]})) == {"S-004411"}
    problem(web.post("clerk", "/v1/labels", {"of": "seals", "scans": ["S-1"]}), 409, "refused")


def test_zpl_for_a_thermal_printer(web: Web) -> None:
    """The same labels, to be sent to the printer as they are."""
    printer = {"width": 60, "height": 30, "dots_an_inch": 300, "density": 18}
    answer = web.post("clerk", "/v1/labels", {"scans": list(RIFLES[:2]), "codes": ["qr", "code-128"], "zpl": printer})
    assert answer.headers["content-type"] == "application/vnd.zebra-zpl"
    assert answer.headers["content-disposition"].endswith('.zpl"')
    drawn = Printer().takes(answer.content)
    assert drawn.density == 18
    assert [{content.decode() for _, content in printed.scanned(one)} for one in drawn.printed] == [
        {tag(web, RIFLES[0])},
        {tag(web, RIFLES[1])},
    ]


def test_one_label_by_its_address(web: Web) -> None:
    """What a page links to."""
    key = web.country.item(RIFLES[0]).item_id
    assert codes(web.get("clerk", f"/v1/weapons/{key}/label", codes="qr", sheet="L7651", start=9)) == {
        tag(web, RIFLES[0])
    }
    assert web.get("clerk", f"/v1/weapons/{key}/label", zpl=True).content.startswith(b"^XA")
    problem(web.get("clerk", f"/v1/weapons/{key}/label", codes=["qr", "data-matrix"]), 422, "invalid")
    problem(web.get("clerk", f"/v1/weapons/{key}/label", sheet="L7160", zpl=True), 422, "invalid")
    problem(web.get("clerk", f"/v1/weapons/{web.country.sites['TAJI'].site_id}/label"), 409, "refused")
    shown = {row["code"]: row for row in web.get("clerk", "/v1/label-sheets").json()["rows"]}
    assert shown.keys() == sheets().keys()
    assert (shown["5160"]["columns"], shown["5160"]["paper"]) == (3, "Letter")


MAKE_NO_SENSE: tuple[dict[str, Any], ...] = (
    {"sheet": "L9999"},
    {"start": 22},
    {"offset_x": 11},
    {"codes": ["qr", "qr"]},
    {"codes": ["qr", "data-matrix"]},
    {"of": "people", "model": "AKM"},
    {"of": "stores", "codes": ["data-matrix"]},
    {"scans": [RIFLES[0]], "store": "Main store"},
    {"scans": [RIFLES[0]], "zpl": {}, "start": 2},
    {"scans": [RIFLES[0]], "zpl": {"dots_an_inch": 250}},
    {"sheet": "L7651", "codes": ["code-128"]},
)


def test_orders_that_make_no_sense(web: Web) -> None:
    """Each is told in words what is wrong."""
    for wrong in MAKE_NO_SENSE:
        asked = {"model": "AKM", **wrong} if "of" not in wrong else wrong
        assert problem(web.post("clerk", "/v1/labels", asked), 422, "invalid")["faults"], wrong


def test_too_many_at_once(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is said before anything is drawn."""
    monkeypatch.setattr(labelling, "MOST", 9)
    told = problem(web.post("clerk", "/v1/labels", {"model": "AKM"}), 422, "invalid")
    assert "at most 9 at once" in told["faults"][0]["message"]


def test_who_prints_no_labels(web: Web) -> None:
    """A label is put on by who keeps the weapon; a donor does not even find another's by its tag."""
    for who in ("USA", "auditor"):
        problem(web.post(who, "/v1/labels", {"scans": [RIFLES[0]]}), 403, "not-allowed")
    key = web.country.item(RIFLES[0]).item_id
    assert web.get("USA", f"/v1/weapons/{key}/tag.svg").status_code == 404


def test_labels_at_the_command_line(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's ending says what is printed on."""
    stockpile = command(web, monkeypatch)
    sheet = tmp_path / "rack.pdf"
    done = stockpile("label", "weapons", RIFLES[0], RIFLES[1], "--code", "qr", "--sheet", "L7651", "--to", str(sheet))
    assert done.output.strip() == f"{sheet}: 2 labels."
    read = {content.decode() for page in printed.pages(sheet.read_bytes()) for _, content in printed.scanned(page)}
    assert read == {tag(web, rifle) for rifle in RIFLES[:2]}
    for words in (("people", "A-1001"), ("stores", "--store", "Quarantine")):
        roll = tmp_path / f"{words[0]}.zpl"
        done = stockpile("label", *words, "--to", str(roll), "--dots", "300", "--width", "70")
        assert done.output.strip() == f"{roll}: 1 label."
        assert len(Printer().takes(roll.read_bytes()).printed) == 1
    assert "L6011" in stockpile("label", "sheets").output
    for wrong, why in (
        (("--to", "labels.doc"), ".pdf or .zpl"),
        (("--to", str(tmp_path / "no" / "x.pdf")), "cannot be written"),
    ):
        refused = stockpile("label", "weapons", RIFLES[0], *wrong)
        assert refused.exit_code == 1
        assert why in refused.output


def command(web: Web, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`stockpile ...` as the clerk."""
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", web.country.engine.url.render_as_string(hide_password=False))
    with transaction(web.country.engine, roles.REGISTRAR) as connection:
        bearer: dict[str, Any] = BEARERS["clerk"]
        token = tokens.create_token(connection, label="a command", **bearer).text
    return lambda *words: CliRunner().invoke(app, words, env={"STOCKPILE_TOKEN": token})
