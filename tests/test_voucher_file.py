"""A station's file of vouchers, brought in on another machine: as from the station itself, and once, however often it comes."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stockpile.errors import Invalid, NotAllowed, UnreadableFile
from stockpile.voucher_file import VoucherFile, bring, read_voucher_file
from tests.api_world import Web, served
from tests.device import FieldDevice
from tests.test_devices import enrolled
from tests.test_reference_commands import Ask, stockpile
from tests.world import RIFLES, ago, photo, scans

web = pytest.fixture(served)

__all__ = ["stockpile"]

OUT = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}


def saved(device: FieldDevice, **other: Any) -> dict[str, Any]:
    """The file as the station saves it."""
    numbered = [{"number": f"TAJI/TAB-3/2026/{n}", **one} for n, one in enumerate(device.kept, 1)]
    return {
        "kind": "stockpile vouchers", "version": 1, "device": device.device_id, "site": "TAJI", "book": "TAB-3",
        "saved_at": ago().isoformat(), "clock_offset": 0, "vouchers": numbered, "files": {}, **other,
    }  # fmt: skip


def became(web: Web, file: dict[str, Any], who: str = "clerk") -> list[str]:
    """What became of each voucher."""
    country = web.country
    brought = bring(country.engine, country.actors[who], VoucherFile.model_validate(file))
    return [one.outcome.posted.number if one.outcome.posted else "set aside" for one in brought]


def test_brought_once_however_often(web: Web) -> None:
    """An issue and a void; the second time they get their first answers."""
    device = enrolled(web)
    device.write("issue", ago(hours=3), OUT)
    device.write("void", ago(hours=2), {"reason": "wrong button"})
    file = saved(device)
    first = became(web, file)
    assert [number.rsplit("/", 1)[1] for number in first] == ["1", "2"]
    assert became(web, file) == first


def test_the_signature_on_the_screen_comes_along(web: Web) -> None:
    """The voucher names its picture; the file has both."""
    device, picture = enrolled(web), photo(400)
    digest = sha256(picture).hexdigest()
    device.write("issue", ago(hours=3), {**OUT, "attachments": [digest]})
    assert became(web, saved(device)) == ["set aside"]
    file = saved(device, files={digest: b64encode(picture).decode()})
    assert became(web, file)[0].endswith("/1")


def test_trusted_in_nothing(web: Web) -> None:
    """What somebody changed on the way is set aside; what is no picture is not stored; who may not carry does not."""
    device = enrolled(web)
    device.write("issue", ago(hours=3), OUT)
    file = saved(device)
    file["vouchers"][0]["payload"] = file["vouchers"][0]["payload"].replace("A-1001", "A-1002")
    assert became(web, file) == ["set aside"]
    with pytest.raises(UnreadableFile):
        became(web, saved(device, files={"0" * 64: b64encode(b"<script>").decode()}))
    with pytest.raises(Invalid):
        became(web, saved(device, files={"0" * 64: "%%%"}))
    with pytest.raises(NotAllowed):
        became(web, saved(device), "registrar")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"kind": "stockpile vouchers", "version": 2}', "\x00"])
def test_no_file_of_a_station(tmp_path: Path, content: str) -> None:
    """It says so, whatever it is."""
    path = tmp_path / "some.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Invalid, match="no file that a station saved"):
        read_voucher_file(path)


def test_at_the_command_line(web: Web, stockpile: Ask, tmp_path: Path) -> None:
    """A clerk brings the stick's file in."""
    device = enrolled(web)
    device.write("issue", ago(hours=3), OUT)
    device.write("issue", ago(hours=2), {**OUT, "lines": scans("NOBODY-KNOWS")})
    path = tmp_path / "vouchers-TAJI-TAB-3.json"
    path.write_text(json.dumps(saved(device)), encoding="utf-8")
    said = stockpile("device", "bring", str(path), "--token", web.tokens["clerk"])
    assert "2 of 2 posted, 0 set aside." in said
    assert "with a discrepancy" in said
