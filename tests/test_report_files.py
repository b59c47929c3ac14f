"""The same files from the command line: reports as CSV and XLSX, and the rows of a list that could not be taken."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from stockpile import tokens
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from tests.api_world import BEARERS
from tests.world import RIFLES, Country

Command = Callable[..., Result]

LIST = "S/N;Item\nUA 1;AKM\nUA 2;Blunderbuss\nUA 3;AKM\n"


@pytest.fixture
def stockpile(country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`stockpile ...` as one of the country's people, in a folder of its own."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", country.engine.url.render_as_string(hide_password=False))
    monkeypatch.chdir(tmp_path)

    def run(who: str, *words: str) -> Result:
        with transaction(country.engine, roles.REGISTRAR) as connection:
            bearer: dict[str, Any] = BEARERS[who]
            token = tokens.create_token(connection, label="a command", **bearer).text
        return CliRunner().invoke(app, words, env={"STOCKPILE_TOKEN": token})

    return run


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_reports_are_written_as_csv_and_xlsx(stockpile: Command) -> None:
    """Balance, documents, discrepancies, a history: each with all its rows."""
    for words, count in (
        (("balance", "--by", "model"), 2),
        (("documents", "--act", "receive"), 1),
        (("discrepancies", "--state", "all"), 0),
        (("history", RIFLES[0]), 1),
    ):
        done = stockpile("commander", *words, "--csv", "a.csv", "--xlsx", "a.xlsx")
        assert done.exit_code == 0, done.output
        assert "a.csv: written." in done.output
        assert len(rows("a.csv")) == count, words
        assert len(list(openpyxl.load_workbook("a.xlsx").worksheets[0].values)) == count + 1, words
    shown = stockpile("commander", "documents", "--book", "B")
    assert "TAJI/B/" in shown.output


def test_a_file_that_cannot_be_written_is_said(stockpile: Command) -> None:
    """No such folder: a word, not a trace."""
    done = stockpile("clerk", "documents", "--csv", "nowhere/a.csv")
    assert done.exit_code == 1
    assert "cannot be written" in done.output


def test_the_rejects_of_a_refused_list(stockpile: Command, country: Country) -> None:
    """Nothing is posted; the file holds the row that could not be read; its ending is asked for before anything is done."""
    Path("list.csv").write_text(LIST)
    words = ("declare", "list.csv", "--site", "TAJI", "--donor", "USA", "--reference", "F-1", "--rejects")
    done = stockpile("registrar", *words, "rejects.csv")
    assert done.exit_code == 1
    assert "1 of 3 rows cannot be read" in done.output
    (row,) = rows("rejects.csv")
    assert (row["row"], row["S/N"], row["Item"]) == ("3", "UA 2", "Blunderbuss")
    assert "unknown model" in row["reason"]
    assert country.query("SELECT count(*) FROM consignment") == [(0,)]
    wrong = stockpile("registrar", *words, "rejects.txt")
    assert (wrong.exit_code, "end its name in .csv or .xlsx" in wrong.output) == (1, True)


def test_the_rejects_of_a_list_that_was_posted(stockpile: Command) -> None:
    """Two rows are declared, one is set aside: it is written at once, and again by the document's number."""
    Path("list.csv").write_text(LIST)
    words = ("declare", "list.csv", "--site", "TAJI", "--donor", "USA", "--reference", "F-1", "--set-aside")
    done = stockpile("registrar", *words, "--rejects", "rejects.xlsx")
    assert done.exit_code == 0, done.output
    values = list(openpyxl.load_workbook("rejects.xlsx").worksheets[0].values)
    assert [(row[0], row[2]) for row in values[1:]] == [(3, "UA 2")]
    number = next(word.rstrip(":") for word in done.output.split() if word.startswith("TAJI/"))
    again = stockpile("auditor", "rejects", number, "again.csv")
    assert again.exit_code == 0, again.output
    assert [row["S/N"] for row in rows("again.csv")] == ["UA 2"]
    none = stockpile("auditor", "rejects", "TAJI/B/2020/1", "again.csv")
    assert (none.exit_code, "no document" in none.output) == (1, True)
