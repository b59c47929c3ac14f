"""Gaining, marking and amending at the command line, and what find and history then show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import test_report_files
from tests.test_report_files import Command
from tests.world import RIFLES, Country, photo

stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)


def ran(stockpile: Command, who: str, *words: str) -> str:
    """What a command says that works."""
    done = stockpile(who, *words)
    assert done.exit_code == 0, done.output
    return done.output


def waiting(said: str) -> str:
    """The key of the draft that a command left."""
    return said.strip().removesuffix(".").rsplit(" ", 1)[1]


def test_an_armourer_s_day(stockpile: Command, country: Country) -> None:
    """A camp's list is taken in, a rifle marked with a photo, a rack with the country of import, a number amended."""
    Path("camp.csv").write_text("S/N;Item\nD 1;AKM\nD 2;AKM\n", encoding="utf-8")
    Path("photo.jpg").write_bytes(photo())
    about = (
        "--place",
        "the camp",
        "--circumstances",
        "DDR",
        "--surrendered-by",
        "former fighters",
        "--store",
        "Main store",
    )
    drafted = ran(stockpile, "clerk", "gain", "camp.csv", "--manner", "collected", *about)
    assert "register gain, 2 lines" in ran(stockpile, "commander", "approve", waiting(drafted))

    how = ("--method", "laser", "--place", "receiver", "--photo", "photo.jpg")
    assert "mark, 1 line" in ran(stockpile, "armourer", "mark", "D 1", "--uii", "D1ABC2X", *how)
    rack = (
        "method=stamped",
        "place=barrel",
        "import_country=IQ",
        "import_year=2026",
        "--scan",
        "D 1",
        "--scan",
        RIFLES[0],
    )
    assert "mark, 2 lines" in ran(stockpile, "armourer", "act", "mark", *rack)

    why = ("--serial-number", "D 77", "--reason", "misread", "--evidence", "photo.jpg")
    drafted = ran(stockpile, "armourer", "amend", "D 1", *why)
    ran(stockpile, "commander", "approve", waiting(drafted))
    assert "D 77 (formerly D 1)" in ran(stockpile, "clerk", "find", "D 1")
    shown = ran(stockpile, "clerk", "history", "D 77")
    for words in ("D1ABC2X", "IQ 2026", "stamped", "barrel", "amend identification"):
        assert words in shown
    assert "UII D1ABC2X" in ran(stockpile, "clerk", "tag", "D 77")


def test_what_can_not_be_is_said_in_words(stockpile: Command, country: Country) -> None:
    Path("photo.jpg").write_bytes(photo())
    how = ("--method", "laser", "--place", "receiver")
    refused = stockpile("armourer", "mark", RIFLES[0], "--serial-number", "N 1", *how)
    assert (refused.exit_code, "ask for an amendment" in refused.output) == (1, True)
    wrong = stockpile("armourer", "mark", RIFLES[0], "--import-country", "Iraq", *how)
    assert (wrong.exit_code, "import_country" in wrong.output) == (1, True)
    nothing = stockpile("clerk", "amend", RIFLES[0], "--reason", "none", "--evidence", "photo.jpg")
    assert (nothing.exit_code, "A model can't be amended" in nothing.output) == (1, True)
