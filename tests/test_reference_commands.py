"""The reference from the command line: what a registrar at the machine types, and what the program answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stockpile import tokens
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from tests.rosters import COMPANY, listed
from tests.world import Country

Ask = Callable[..., str]
KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture
def stockpile(country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs a command on the small country's books as its registrar; `fails` for one that must end with a problem."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        token = tokens.create_token(connection, "registrar", "the registrar's", "R-1").text
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", country.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("STOCKPILE_TOKEN", token)

    def ask(*words: str, fails: bool = False) -> str:
        from stockpile.commands import shown

        shown.out.width = shown.WIDE
        with shown.out.capture() as said, shown.errors.capture() as complained:
            answer = CliRunner().invoke(app, words)
        text = said.get() + complained.get() + answer.output
        assert answer.exit_code == (1 if fails else 0), text
        return text

    return ask


def test_a_roster_is_tried_then_imported(stockpile: Ask, tmp_path: Path) -> None:
    """The dry run shows who would go; without the confirmation nothing is done; with it, it is done as shown."""
    file = tmp_path / "roster.csv"
    file.write_text(listed(COMPANY[0], "A-1004,Sami,Private,1COY"), encoding="utf-8")
    tried = stockpile("roster", "import", str(file), "--site", "TAJI", "--dry-run")
    assert "dry run: nothing was done" in tried
    assert "1 new, 0 moved here, 0 back, 0 changed, 1 as before, 2 gone, 0 set aside" in tried
    assert "--confirm-gone 2" in tried
    assert "A-1003" in tried
    assert "2 of 3 people" in stockpile("roster", "import", str(file), "--site", "TAJI", fails=True)
    stockpile("roster", "import", str(file), "--site", "TAJI", "--confirm-gone", "2")
    members = stockpile("unit", "members", "1COY", "a-100")
    assert "A-1004" in members


def test_units_people_and_cards(stockpile: Ask) -> None:
    """A battalion over the company, the tree with its counts, a person added, renamed, found and shown, a card given and withdrawn."""
    stockpile("unit", "add", "1BN", "--name", "1st Battalion", "--site", "TAJI", "--since", "2020-01-01")
    stockpile("unit", "place", "1COY", "1BN")
    assert re.search(r"1BN +1st Battalion +TAJI +0 +3\s+1COY +1st Company +TAJI +3 +3", stockpile("unit", "list"))
    assert "not moved" in stockpile("unit", "place", "1BN", "1COY", fails=True)
    stockpile("unit", "station", "1COY", "ERBIL")
    stockpile("person", "add", "N-1", "--name", "Шевченко", "--rank", "рядовий", "--site", "TAJI", "--unit", "1COY")
    stockpile("person", "rename", "N-1", "--name", "Шевченко Тарас", "--rank", "сержант")
    assert re.search("N-1 +Шевченко Тарас +сержант +TAJI +1COY", stockpile("person", "list", "ШЕВЧЕНКО"))
    shown = stockpile("person", "show", "N-1")
    assert "рядовий" in shown
    assert "сержант" in shown
    stockpile("card", "give", "1COY", "N-1", "--until", "2099-01-01", "--issued-by", "R-1")
    found = KEY.search(stockpile("card", "list", "N-1", "--state", "valid"))
    assert found
    stockpile("card", "withdraw", found[0])
    assert "withdrawn" in stockpile("card", "list", "N-1")
    stockpile("donor", "add", "GBR", "--name", "United Kingdom")
    assert "United Kingdom" in stockpile("donor", "list", "gbr")


def test_sites_stores_and_accounts(stockpile: Ask) -> None:
    """A site founded, a store added, its custodian and its property book said."""
    words = ("--name", "Basra depot", "--time-zone", "Asia/Baghdad", "--custodian", "C-1", "--store", "Main store")
    stockpile("site", "add", "BASRA", *words)
    assert "already" in stockpile("site", "add", "BASRA", *words, fails=True)
    stockpile("store", "add", "BASRA", "Armoury")
    stockpile("site", "declare-open", "BASRA")
    assert re.search(r"BASRA +Basra depot +Asia/Baghdad +Major Carim Commander \(C-1\) .* Armoury, Main store",
                     stockpile("site", "list", "basra"))  # fmt: skip
    found = KEY.search(stockpile("account", "list", "armoury", "--site", "BASRA", "--class", "store"))
    assert found
    assert "Sergeant Talib Clerk (T-1) answers" in stockpile("account", "custodian", found[0], "T-1")
    assert "counts with 1st Company" in stockpile("account", "accountable-unit", found[0], "1COY")
    assert "already" in stockpile("store", "add", "BASRA", "ARMOURY", fails=True)


def test_models_aliases_and_tokens(stockpile: Ask) -> None:
    """A model added and mended, a name mapped once, the tokens listed without their text."""
    stockpile("model", "add", "Cugir", "PM md. 90", "--category", "small arms", "--set", "calibre=7.62x39mm")
    stockpile("model", "mend", "PM md. 90", "--set", "calibre=5.45x39mm", "--set", "fire_mode=automatic")
    assert re.search(r"Cugir +PM md. 90 +5.45x39mm +small arms +automatic", stockpile("model", "list", "pm md"))
    assert "one of: automatic" in stockpile("model", "mend", "PM md. 90", "--set", "fire_mode=loud", fails=True)
    stockpile("alias", "map", "USA", "Carbine 90", "PM md. 90", "--approved-by", "R-1")
    assert "mapped" in stockpile("alias", "map", "USA", "Carbine 90", "AKM", "--approved-by", "R-1", fails=True)
    assert re.search(r"USA +Carbine 90 +Cugir PM md. 90 +Rana Registrar \(R-1\)", stockpile("alias", "list", "carbine"))
    assert "There are none" in stockpile("alias", "list", "--unmapped")
    tokens_listed = stockpile("token", "list", "registrar's", "--alive")
    assert "R-1" in tokens_listed
    assert "sp_" not in tokens_listed


def test_somebody_without_a_token_imports_no_roster(
    stockpile: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the machine still signs for a roster by name."""
    monkeypatch.delenv("STOCKPILE_TOKEN")
    file = tmp_path / "roster.csv"
    file.write_text(listed(*COMPANY), encoding="utf-8")
    assert "Say who you are" in stockpile("roster", "import", str(file), "--site", "TAJI", fails=True)
