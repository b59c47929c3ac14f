"""Guests and partners at the command line: invited by one, approved by another, ended by either; a consignment shared, read, taken back."""

from __future__ import annotations

import re

import pytest

from tests import test_report_files
from tests.api_world import BEARERS
from tests.guests import delivered, people
from tests.test_identification_commands import ran
from tests.test_report_files import Command
from tests.world import Country

stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)
KEY = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")


def key_in(said: str) -> str:
    """The first key that a command printed."""
    found = KEY.search(said)
    assert found is not None, said
    return found.group()


def test_a_guest_from_invitation_to_end(stockpile: Command, country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    people(country)
    delivered(country)
    monkeypatch.setitem(BEARERS, "second registrar", {"role": "registrar", "party": "R-2"})
    asked = ("guest", "invite", "UN-1", "--name", "Maria Silva", "--until", "2026-12-20", "--reason", "Letter 14")
    assert "nobody in the books" in stockpile("registrar", *asked[:3], *asked[5:]).output
    key = key_in(ran(stockpile, "registrar", *asked, "--donor", "USA", "--consignment", "FMS-1"))
    refused = stockpile("registrar", "guest", "approve", key)
    assert refused.exit_code == 1
    assert "another person" in refused.output
    assert "Signs in as un-1" in ran(stockpile, "second registrar", "guest", "approve", key)
    assert ran(stockpile, "registrar", "guest", "token", key, "--label", "analysis").startswith("sp_")
    assert "consignments" in ran(stockpile, "registrar", "guest", "list", "--state", "reads")
    assert "Nothing was read" in ran(stockpile, "auditor", "guest", "readings", key)
    assert "revoked" in ran(stockpile, "auditor", "guest", "revoke", key)
    other = key_in(ran(stockpile, "registrar", *asked[:2], "PAR-1", *asked[5:]))
    assert "withdrawn" in ran(stockpile, "registrar", "guest", "reject", other)


def test_a_share_from_one_donor_to_another(stockpile: Command, country: Country) -> None:
    delivered(country)
    ran(stockpile, "USA", "share", "with", "FRA", "FMS-2", "--words", "Joint delivery")
    key = key_in(ran(stockpile, "FRA", "share", "list"))
    weapons = ran(stockpile, "FRA", "share", "weapons", key)
    assert "UB 1" in weapons
    assert "UA 1" not in weapons
    unproven = stockpile("FRA", "share", "proof", key, key_in(weapons), "-o", "proof.json")
    assert "No checkpoint covers" in unproven.output
    assert "given" in ran(stockpile, "USA", "statement", "list", "--kind", "share")
    ran(stockpile, "USA", "share", "withdraw", key, "--reason", "It ended")
    gone = stockpile("FRA", "share", "weapons", key)
    assert (gone.exit_code, "taken back" in gone.output) == (1, True)
