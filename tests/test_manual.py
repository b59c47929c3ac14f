"""The manual does not fall behind the program."""

from __future__ import annotations

from pathlib import Path

from stockpile.commands.manual import MEANING, movements_page
from stockpile.discrepancies import Kind
from stockpile.movements import AccountClass, Act
from stockpile.settings import PREFIX, Settings

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_movements_is_the_table() -> None:
    """docs/movements.md is what `stockpile movements` writes now, with every act and every class."""
    page = movements_page()
    assert (DOCS / "movements.md").read_text(encoding="utf-8") == page
    assert all(f"| {act} |" in page for act in Act)
    assert set(MEANING) == set(AccountClass)


def test_every_kind_of_discrepancy_is_explained() -> None:
    """docs/discrepancies.md has a row for each, and none for another."""
    page = (DOCS / "discrepancies.md").read_text(encoding="utf-8")
    told = [row.split(" | ")[0].removeprefix("| ") for row in page.split("| --- | --- |\n")[1].splitlines()]
    assert sorted(told) == sorted(Kind)


def test_every_setting_is_described() -> None:
    """docs/running.md names each variable with its default."""
    page = (DOCS / "running.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"`{PREFIX}{name.upper()}`" in page
        default = f"{field.default:,}" if name == "upload_limit" else str(field.default)
        assert default in page
