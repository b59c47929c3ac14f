"""The guides name what stands on the pages: a button that was renamed is renamed in its guide, and what a guide links to is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from api.words import catalogue
from stockpile.rights import ROLES

DOCS = Path(__file__).parent.parent / "docs"
GUIDES = sorted(DOCS.glob("guide-*.md"))


@cache
def said() -> frozenset[str]:
    """The texts of the pages."""
    return frozenset(str(message.id).casefold() for message in catalogue() if message.id)


def test_there_is_one_for_each_role() -> None:
    """A page each."""
    assert [guide.stem for guide in GUIDES] == sorted(f"guide-{role}" for role in ROLES)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_what_a_guide_names_stands_on_a_page(guide: Path) -> None:
    """What stands between asterisks is a text of the pages, to the letter; what is linked is a page of docs."""
    text = " ".join(guide.read_text(encoding="utf-8").split())
    named = re.findall(r"(?<![*\w])\*([^*]+)\*(?!\*)", text)
    assert named, "it names nothing"
    assert [name for name in named if name.casefold() not in said()] == []
    assert [link for link in re.findall(r"\]\(([^)#]+)", text) if not (DOCS / link).exists()] == []
