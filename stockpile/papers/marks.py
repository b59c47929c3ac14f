"""What the papers of markings, amendments and consents have beyond their lines: each mark with where and how it was put on; what an
identification was and is; who consented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stockpile.papers.paper import Block, Column, Row, Table
from stockpile.papers.words import Word
from stockpile.reports.papers import PaperLine

MARKS: Mapping[str, str] = {
    "serial_number": "serial number",
    "distinguishing_mark": "distinguishing mark",
    "import_mark": "import mark",
    "import_country": "import mark: country",
    "import_year": "import mark: year",
    "uii": "UII",
    "maker": "maker",
    "obliterated": "obliterated",
}


def put_on(details: Mapping[str, Any], lines: Sequence[PaperLine]) -> Iterator[Block]:
    """Every mark that a marking record put on."""
    tags = {str(line.item_id): line.asset_tag for line in lines}
    rows = [
        Row((tags.get(one.get("item", "")), Word(label), str(one[name]), _text(one, "method"), _text(one, "place")))
        for one in details.get("marks") or ()
        for name, label in MARKS.items()
        if one.get(name) is not None
    ]
    columns = (
        Column(Word("Asset tag"), 26, "code"),
        Column(Word("Mark"), 34),
        Column(Word("What was put on"), None, "code"),
        Column(Word("Method"), 32),
        Column(Word("Place on the weapon"), 34),
    )
    if rows:
        yield Table(columns, tuple(rows), Word("Marks put on"))


def amended(details: Mapping[str, Any], lines: Sequence[PaperLine]) -> Iterator[Block]:
    """What each identification was, and is from now on."""
    tags = {str(line.item_id): line.asset_tag for line in lines}
    rows = [
        Row((tags.get(one.get("item", "")), Word(MARKS[name]), _shown(one.get("was", {}).get(name)), _shown(value)))
        for one in details.get("amended") or ()
        for name, value in one.get("is", {}).items()
        if name in MARKS
    ]
    columns = (
        Column(Word("Asset tag"), 26, "code"),
        Column(Word("What"), 40),
        Column(Word("It was"), None, "code"),
        Column(Word("It is"), 56, "code"),
    )
    if rows:
        yield Table(columns, tuple(rows), Word("What was amended"))


def consents(details: Mapping[str, Any]) -> Iterator[Block]:
    """The donors' consents on which an export or a destruction rests."""
    rows = [
        Row((str(one.get("donor")), str(one.get("reference")), str(one.get("given_on"))))
        for one in details.get("consents") or ()
    ]
    columns = (
        Column(Word("Donor"), 40),
        Column(Word("Reference"), None, "code"),
        Column(Word("Given on"), 40, "code"),
    )
    if rows:
        yield Table(columns, tuple(rows), Word("Consents of donors"))


def _text(one: Mapping[str, Any], name: str) -> str | None:
    return str(one[name]) if one.get(name) is not None else None


def _shown(value: Any) -> str | Word | None:
    if isinstance(value, bool):
        return Word("yes") if value else Word("no")
    return None if value is None else str(value)
