"""Registers and audits at the command line: a list goes in, two are compared, the findings come out as tables and files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from stockpile.acts.receive import RECEIVE
from tests import test_report_files
from tests.test_identification_commands import ran
from tests.test_report_files import Command
from tests.world import RIFLES, Country

stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)

BOOK = (
    "S/N;Item;Qty;Date received\n"
    + "".join(f"{serial};AKM;1;\n" for serial in RIFLES[:8])
    + "GONE 1;AKM;1;\n;Helmet;-2;\n"
)


def test_an_auditor_s_day(stockpile: Command, country: Country) -> None:
    Path("book.csv").write_text(BOOK, encoding="utf-8")
    said = ran(
        stockpile, "auditor", "register", "import", "book.csv", "--kind", "property book", "--source", "3DIV", "--name", "Book",
        "--as-of", "2026-11-01", "--rejects", "rejects.csv",
    )  # fmt: skip
    assert "10 lines" in said
    assert "1 line could not be read" in said
    with Path("rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row[:2] for row in csv.reader(file)][1] == ["11", "“Qty”: -2 is negative; a quantity is 0 or more."]
    again = ran(stockpile, "auditor", "register", "import", "book.csv", "--kind", "property book", "--source", "3DIV")
    assert "Book was kept before" in again
    assert "property book" in ran(stockpile, "auditor", "register", "list", "--text", "boo")
    assert "GONE 1" in ran(stockpile, "auditor", "register", "show", "Book")
    compared = ran(stockpile, "auditor", "reconcile", "TAJI", "--left", "register=Book", "--right", "site=TAJI")
    assert "On the left 1 line could not be read" in compared
    alone = ran(stockpile, "auditor", "audit", "show", "TAJI", "--kind", "only left", "--json")
    assert [json.loads(line)["serial_number"] for line in alone.splitlines()] == ["GONE 1"]
    ran(stockpile, "auditor", "audit", "show", "TAJI", "--csv", "findings.csv", "--xlsx", "findings.xlsx")
    with Path("findings.csv").open(encoding="utf-8-sig", newline="") as file:
        kinds = [row[0] for row in csv.reader(file)][1:]
    assert (kinds.count("matched"), kinds.count("only right"), kinds.count("only left")) == (8, 2, 1)
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "GONE 1"}])
    assert "run 2" in ran(stockpile, "auditor", "reconcile", "TAJI")
    assert "0 new, 1 settled, 0 changed." in ran(stockpile, "auditor", "audit", "changes", "TAJI")
    assert "TAJI#2" in ran(stockpile, "auditor", "audit", "list")
    everything = json.loads(
        ran(stockpile, "auditor", "reconcile", "All", "--left", "ledger=all", "--right", "site=TAJI", "--json")
    )
    assert {total["kind"] for total in everything["totals"]} == {"matched", "quantity matched"}


def test_two_columns_for_one_field_are_told(stockpile: Command) -> None:
    Path("book.csv").write_text("A;B;Item\n1;2;AKM\n", encoding="utf-8")
    done = stockpile(
        "auditor", "register", "import", "book.csv", "--kind", "book", "--source", "X", "--column", "serial_number=A", "--column",
        "serial_number=B",
    )  # fmt: skip
    assert done.exit_code == 1
    assert "serial_number is “A” and “B”: choose one" in done.output


def test_what_is_not_there_is_told(stockpile: Command) -> None:
    for words in (
        ("register", "show", "No such list"),
        ("audit", "show", "No such audit"),
        ("reconcile", "Never made"),
        ("reconcile", "X", "--left", "register=No such list", "--right", "ledger=all"),
        ("reconcile", "X", "--left", "place=here", "--right", "ledger=all"),
    ):
        done = stockpile("auditor", *words)
        assert done.exit_code == 1, words
        assert "Traceback" not in done.output
