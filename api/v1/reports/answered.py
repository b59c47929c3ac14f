"""What several reports answer alike: a page with its sums, and a file that costs what a page costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Response
from sqlalchemy import Connection

from api.exports import listing
from stockpile.reports.lines import Lines
from stockpile.rights import Actor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Summed(Generic[T]):
    """A page of lines with its sums by name."""

    rows: tuple[T, ...]
    sums: dict[str, Any]
    cursor: str | None


def named(lines: Lines[T], *names: str) -> Summed[T]:
    """The lines with their sums called by these names, in their order."""
    return Summed(lines.rows, dict(zip(names, lines.sums, strict=True)), lines.cursor)


def listing_at_once(
    engine: Any,
    actor: Actor,
    pages: Any,
    name: str,
    row: type,
    ask: Callable[[Connection, int | None, str | None], Any],
) -> Response:
    """A page, or a file of all rows of one asking: these cost the same whole as page by page."""

    def every(connection: Connection) -> Sequence[Any]:
        rows: Sequence[Any] = ask(connection, None, None).rows
        return rows

    return listing(engine, actor, pages, name, row, ask, every)
