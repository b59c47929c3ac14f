"""What a route takes from its request: the engine, who asks, and how long answers are cut into pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime
from sqlalchemy import Engine

from stockpile.errors import NotSignedIn
from stockpile.rights import Actor
from stockpile.sentences import sentence


# These wait for nothing, yet are coroutines: a plain function would cost a change of threads for each.
async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


async def _actor(request: Request) -> Actor:
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        raise getattr(request.state, "not_signed_in", None) or NotSignedIn(sentence("Sign in first."))
    return actor


Database = Annotated[Engine, Depends(_engine)]
Asker = Annotated[Actor, Depends(_actor)]
Limit = Annotated[int, Query(ge=1, le=500, description="Rows on a page")]

Cursor = Annotated[str | None, Query(max_length=1000, description="As the page before gave it")]


class Format(StrEnum):
    """How a list is answered: a page as JSON, or all its rows as a table."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


FileFormat = Annotated[Format, Query(alias="format", description="json; or csv or xlsx: all rows as a file")]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is asked for, and in which form. A file holds all rows of the list, whatever the page."""

    limit: int
    cursor: str | None
    format: Format


async def _paging(limit: Limit = 100, cursor: Cursor = None, file_format: FileFormat = Format.JSON) -> Paging:
    return Paging(limit, cursor, file_format)


Pages = Annotated[Paging, Depends(_paging)]
"""What every list takes: `limit`, `cursor`, `format`."""

HappenedBy = Annotated[
    AwareDatetime | None,
    Query(description="As of this moment, by when things happened; with its offset from UTC"),
]
KnownBy = Annotated[
    AwareDatetime | None,
    Query(description="As the books said at this moment, by when things were recorded; with its offset from UTC"),
]
