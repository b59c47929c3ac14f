"""Tracing at the command line: a request goes in, its candidates are shown, an answer waits for another person, a file comes out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from stockpile.acts.loss import REPORT_MISSING
from tests import test_report_files
from tests.test_identification_commands import ran
from tests.test_report_files import Command
from tests.world import RIFLES, Country, photo, scans

stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)


def test_from_the_request_to_the_files(stockpile: Command, country: Country) -> None:
    country.do("clerk", REPORT_MISSING, place="Road 7", circumstances="Ambush", lines=scans(RIFLES[4]))
    Path("rifle.png").write_bytes(photo(5))
    read = ("--serial", "KT 44?904", "--model", "AKM", "--photo", "rifle.png")
    said = ran(
        stockpile,
        "registrar",
        "trace",
        "receive",
        "--asked-by",
        "Amman",
        "--illicit-because",
        "Found with a gang",
        *read,
    )
    number = said.split(":")[0]
    assert number.startswith("TRACE-IN/")
    assert RIFLES[4] in ran(stockpile, "auditor", "trace", "candidates", number)
    ran(stockpile, "registrar", "trace", "step", number, "acknowledged")
    ran(stockpile, "registrar", "trace", "answer", number, "traced", "--weapon", RIFLES[4])
    alone = stockpile("registrar", "trace", "release", number)
    assert alone.exit_code == 1
    assert "another person" in alone.output
    ran(stockpile, "registrar", "trace", "turn-down", number, "--reason", "Not sure yet")
    assert "answer turned down" in ran(stockpile, "registrar", "trace", "show", number)
    assert number in ran(stockpile, "auditor", "trace", "list")
    how = ("--how", "observed", "--confidence", "possible", "--serial", RIFLES[0])
    seen = ran(stockpile, "clerk", "trace", "sighting", "--source", "A driver", *how)
    assert "ALARM" not in seen
    ran(stockpile, "auditor", "trace", "iarms", "lost.csv", "--contact", "ncb@example.org")
    with Path("lost.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["record_type"], row["serial_number"], row["contact"]) == ("missing", RIFLES[4], "ncb@example.org")
    none = stockpile("auditor", "trace", "print", number, "--to", "answer.pdf")
    assert none.exit_code == 1
    assert "No answer" in none.output
    assert "stockpile trace list" in stockpile("auditor", "trace", "show", "TRACE-IN/1999/7").output
