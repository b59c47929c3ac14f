"""docs/offline.md is what a maker of devices works from: its example is tried, and the lists it points to are typed."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from stockpile.acts.issue import ISSUE
from stockpile.acts.void import VOID
from stockpile.device_vouchers import Payload
from tests.device import FieldDevice
from tests.test_reference_commands import KEY, Ask, stockpile
from tests.world import Country, ago, paper

PAGE = (Path(__file__).parent.parent / "docs" / "offline.md").read_text(encoding="utf-8")

__all__ = ["stockpile"]


def shown(pattern: str) -> str:
    """The one line of the page that looks so."""
    (found,) = re.findall(rf"^    ({pattern})$", PAGE, re.MULTILINE)
    return str(found)


def test_the_page_s_example_is_what_a_device_signs() -> None:
    """Key, payload and signature fit one another, and the payload is a voucher that this version takes."""
    private, content, evidence = re.findall("^    ([0-9a-f]{64})$", PAGE, re.MULTILINE)
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private))
    public, payload, signature = shown("[A-Za-z0-9+/]{43}="), shown('{"device": .*}'), shown("[A-Za-z0-9+/]{86}==")
    assert b64encode(key.public_key().public_bytes_raw()).decode() == public
    assert b64encode(key.sign(payload.encode())).decode() == signature
    Ed25519PublicKey.from_public_bytes(b64decode(public)).verify(b64decode(signature), payload.encode())
    assert sha256(payload.encode()).hexdigest() == content
    kept = json.dumps(
        {"payload": payload, "signature": signature}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert sha256(kept.encode()).hexdigest() == evidence
    read = Payload.model_validate_json(payload)
    assert (read.number, read.act, read.clerk) == (17, "issue", "T-1")
    assert ISSUE.request.model_validate(read.request)


def test_every_field_of_a_voucher_is_described() -> None:
    table = PAGE[PAGE.index("| field |") : PAGE.index("**It signs")]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(Payload.model_fields)


def test_the_commands_of_the_page(country: Country, stockpile: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registrar enrols a tablet, looks at the books and at what is missing, and revokes it."""
    device = FieldDevice()
    said = stockpile("device", "enrol", "TAB-3", device.public_key, "--label", "Tablet 3, north gate", "--site", "TAJI")
    (device_id,) = KEY.findall(said)
    assert said == f"Tablet 3, north gate: enrolled as {device_id}, book TAB-3.\n"
    assert "TAB-3" in stockpile("device", "list")
    assert "Nothing was set aside." in stockpile("device", "rejects")
    for number in (11, 17):
        country.do("clerk", VOID, reason="torn", paper=paper(number, ago(), "PAD-7"))
    assert re.search(r"TAJI +PAD-7 +\d{4} +paper +paper +17 +5 +12-16", stockpile("books", "--incomplete"))
    assert "PAD-7" not in stockpile("books", "--kind", "device")
    assert "/12 to 16 have not come" in stockpile("discrepancies", "--kind", "gap in a book")
    assert stockpile("device", "revoke", device_id) == "Tablet 3, north gate: revoked.\n"
    assert "There are no devices." in stockpile("device", "list", "--alive")
    assert "already" in stockpile(
        "device", "enrol", "TAB-4", device.public_key, "--label", "again", "--site", "TAJI", fails=True
    )
