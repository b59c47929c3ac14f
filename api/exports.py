"""Lists as answers: a page as JSON, or with `?format=csv` or `xlsx` all rows of the same question as a file.

A route takes `pages: Pages`, says `responses=exportable(...)` beside its `response_model=Page[Row]`, and ends in

    return listing(engine, actor, pages, "sites", SiteRow, lambda connection, limit, cursor:
                   search_sites(connection, text, limit, cursor))

where the last gives a page (`rows` and `cursor`) of that dataclass; its fields become the columns. A table that has no pages
ends in `table_file`. A file is written whole, in constant memory, before its first byte is sent: what goes wrong half-way is
a problem, never half a file that looks whole. It holds what its asker may read and nothing that runs in a spreadsheet.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from os import SEEK_END
from typing import IO, Any, TypeVar

from fastapi import Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection, Engine

from api.answers import answer
from api.dependencies import Format, Paging
from api.problems import Kind, documented
from stockpile.db.engine import at_one_moment
from stockpile.registers.write import Value, write_csv, write_xlsx
from stockpile.reports.export import PageOf, columns, every_row, table
from stockpile.rights import Actor, reading

MEDIA_TYPE = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
IN_MEMORY = 1 << 20
BLOCK = 1 << 16

T = TypeVar("T")
Ask = Callable[[Connection, int, str | None], PageOf[T]]
"""Gives a page of a list for a limit and a cursor."""


def listing(
    engine: Engine,
    actor: Actor,
    paging: Paging,
    name: str,
    row: type[T],
    ask: Ask[T],
    every: Callable[[Connection], Iterable[T]] | None = None,
) -> Response:
    """A list: one page of it, or all of it as a file called `name`. `every` gives all rows where that costs less than page
    after page.
    """
    if paging.format is Format.JSON:
        with reading(engine, actor) as connection:
            return answer(ask(connection, paging.limit, paging.cursor))
    with reading(at_one_moment(engine), actor) as connection:
        rows = every(connection) if every else every_row(lambda limit, cursor: ask(connection, limit, cursor))
        return table_file(actor, paging.format, name, columns(row), table(rows))


def table_file(
    actor: Actor, file_format: Format, name: str, headings: Sequence[str], rows: Iterable[Sequence[Value]]
) -> Response:
    """A table as a file to keep; its name says what it is, of which site, and when it was made."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when it was sent
    try:
        if file_format is Format.CSV:
            write_csv(file, headings, rows)  # type: ignore[arg-type]
        else:
            write_xlsx(file, headings, rows)  # type: ignore[arg-type]
        size = file.seek(0, SEEK_END)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(actor, name)}.{file_format}"',
        "Content-Length": str(size),
    }
    return StreamingResponse(_sent(file), headers=headers, media_type=MEDIA_TYPE[file_format])


def file_name(actor: Actor, name: str) -> str:
    """A name that every file system takes: documents-TAJI-2026-11-24-0930Z."""
    parts = (name, actor.site_code, f"{datetime.now(UTC):%Y-%m-%d-%H%MZ}")
    return re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(part for part in parts if part))


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


def exportable(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that also answers with files, for its documentation."""
    return {200: {**_FILE, "description": "A page as JSON; or all rows as a file, times in UTC"}, **documented(*kinds)}


def a_file(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with a file only."""
    return {200: {**_FILE, "description": "The file"}, **documented(*kinds)}


_FILE = {
    "content": {
        kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPE.values()
    },
    "headers": {"Content-Disposition": {"description": "Of a file: its name", "schema": {"type": "string"}}},
}
