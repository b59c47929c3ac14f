"""Rosters for stories: written as a site sends them, imported as the registrar of the small country."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from stockpile.files import file_store
from stockpile.rights import reading
from stockpile.roster import Imported, RosterRequest, import_roster
from tests.world import Country

HEADING = "Service No,Name,Rank,Unit code"
COMPANY = (
    "A-1001,Petrov,Private,1COY",
    "A-1002,Quist,Private,1COY",
    "A-1003,Rahim,Private,1COY",
)
"""The 1st Company as the books have it."""


def listed(*rows: str, heading: str = HEADING) -> str:
    """A roster as CSV."""
    return "\n".join([heading, *rows, ""])


def workbook(rows: Iterable[Sequence[object]]) -> bytes:
    """A roster as XLSX, cell by cell."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def stored(content: bytes | str, name: str = "roster.csv", **how: Any) -> dict[str, Any]:
    """A stored file, as a request names it."""
    data = content.encode() if isinstance(content, str) else content
    return {"sha256": file_store().keep([data], 20_000_000).sha256, "name": name, **how}


def imported(country: Country, content: bytes | str, site: str = "TAJI", **asked: Any) -> Imported:
    """Imports a roster; `set_aside`, `columns` and `constants` say how the file is read."""
    how = {name: asked.pop(name) for name in ("name", "set_aside", "columns", "constants") if name in asked}
    who = country.actors[asked.pop("who", "registrar")]
    request = RosterRequest.model_validate({"site": site, "file": stored(content, **how), **asked})
    with reading(country.engine, who) as connection:
        return import_roster(connection, who, request)
