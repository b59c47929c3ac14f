"""Yearly returns to treaties, from the ledger: docs/treaty-returns.md tells what counts and what is from memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.answers import answer
from api.dependencies import Asker, Database, FileFormat, Format, KnownBy
from api.exports import exportable, table_file
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN
from stockpile.documents import Code
from stockpile.errors import NotFound
from stockpile.reports.treaty_returns import ReturnTable, Treaty, TreatyReturn, treaty_return
from stockpile.rights import reading
from stockpile.sentences import sentence

router = APIRouter(prefix="/treaty-returns", tags=["reports"])


@router.get(
    "/{treaty}/{year}",
    summary="A year's return to a treaty",
    response_model=TreatyReturn,
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def read_treaty_return(
    engine: Database,
    actor: Asker,
    treaty: Treaty,
    year: Annotated[int, Path(ge=1900, le=2199)],
    table: Annotated[
        Code | None, Query(description="As a file: of which table, by its name", examples=["imports"])
    ] = None,
    recorded_as_of: KnownBy = None,
    file_format: FileFormat = Format.JSON,
) -> Response:
    """Its tables, with the treaty's own headings, and what is to be known of them; or one of the tables as a file. For auditors and
    registrars: a return is of the whole country.
    """
    with reading(engine, actor) as connection:
        made = treaty_return(connection, actor, treaty, year, recorded_as_of)
    if file_format is Format.JSON:
        return answer(made)
    found = _table(made, table)
    return table_file(actor, file_format, f"{made.treaty}-{made.year}-{found.name}", found.headings, found.rows)


def _table(made: TreatyReturn, name: str | None) -> ReturnTable:
    for one in made.tables:
        if one.name == (name or made.tables[0].name):
            return one
    raise NotFound(
        sentence(
            "This return has no table {name!r}: {tables}.", name=name, tables=", ".join(t.name for t in made.tables)
        )
    )
