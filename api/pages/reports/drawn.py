"""The picture above a report's table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from markupsafe import Markup
from sqlalchemy import Connection

from api.dependencies import Database
from api.pages.listing import Asked, Listing, asked_of
from stockpile.errors import StockpileError
from stockpile.reports.keyset import Page
from stockpile.rights import Actor, reading

EVERY_ROW = 1000


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture above a table, and what it is called."""

    title: str
    drawing: Markup


def drawn(
    this: Listing, request: Request, engine: Database, actor: Actor, title: str, draw: Any, **asked: str
) -> Drawn | None:
    """A picture of all that a list holds as it is asked for, whatever page of it is shown; none where it cannot be asked so."""
    given = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    if given.get("format"):
        return None
    given = {name: value for name, value in {**given, **asked}.items() if name not in ("order", "cursor")}
    try:
        with reading(engine, actor) as connection:
            page = this.ask(connection, actor, asked_of(this, actor, given, EVERY_ROW))
    except StockpileError:
        return None  # the list itself says what is wrong
    return Drawn(title, draw(page.rows)) if page.rows else None


def once(
    this: Listing,
    whole: Callable[[Connection, Actor, Asked], Sequence[Any]],
    paged: Callable[[Sequence[Any], Asked], Page[Any]],
) -> Listing:
    """The list for one request, which works all its rows out once, for the picture and the table alike."""
    known: dict[Hashable, Sequence[Any]] = {}

    def ask(connection: Connection, actor: Actor, asked: Asked) -> Page[Any]:
        values = frozenset(asked.values.items())
        if values not in known:
            known[values] = whole(connection, actor, asked)
        return paged(known[values], asked)

    return replace(this, ask=ask)
