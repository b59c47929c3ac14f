"""Registers: lists of weapons as somebody wrote them, every row with what became of it. It only reads; what a row led to is
told by the item, never by the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.errors import NotFound
from stockpile.registers.rejects import Reject
from stockpile.registers.write import Value
from stockpile.reports.documents import line_number
from stockpile.reports.export import every_row
from stockpile.reports.keyset import Page, by_moment, by_number, by_text, order_asked, orders, read_page, spellings
from stockpile.reports.named import named
from stockpile.reports.scope import donor_asked, site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A register: whose list it is, who took it in, the document posted from it, and how many of its rows were set aside."""

    register_id: UUID
    kind: str
    name: str
    site: str | None
    donor: str | None
    document_id: UUID | None
    document_number: str | None
    as_of: datetime
    recorded_at: datetime
    imported_by: str
    file_name: str | None
    file_sha256: str | None
    line_count: int
    rejected_count: int


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A row of a list: its number in the file, its cells as they stood, why it was set aside, what looks wrong with it, and
    the item it led to.
    """

    line: int
    cells: list[str]
    rejected: str | None
    doubts: str | None
    item_id: UUID | None


@dataclass(frozen=True, slots=True)
class RegisterShown:
    """A register with the names of its columns and a page of its lines. `cursor`: more lines follow."""

    register: RegisterRow
    headings: list[str]
    lines: tuple[RegisterLine, ...]
    cursor: str | None


class Lines(StrEnum):
    """Which lines of a register are asked for."""

    ALL = "all"
    TAKEN = "taken"
    REJECTED = "rejected"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which registers are sought: those to which all applies that is said. `text`: part of its name or of its file's."""

    kind: str | None = None
    site: str | None = None
    donor: str | None = None
    document_id: UUID | None = None
    text: str | None = None


_REGISTERS = f"""
SELECT r.register_id, r.register_id, r.kind, r.name, s.code, o.code, r.document_id, t.code, b.code, b.year, d.number,
       r.as_of, r.recorded_at,
       {named("p")},
       r.file_name, encode(r.file_sha256, 'hex'), r.line_count, r.rejected_count
FROM register r
LEFT JOIN site s ON s.site_id = r.site_id
LEFT JOIN party o ON o.party_id = r.donor_id
LEFT JOIN party p ON p.party_id = r.imported_by
LEFT JOIN document d ON d.document_id = r.document_id
LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site t ON t.site_id = d.site_id
"""
_LINES = "SELECT l.line, l.line, l.cells, l.rejected, l.doubts, l.item_id FROM register_line l"
_WHICH = {
    Lines.ALL: "l.register_id = %s",
    Lines.TAKEN: "l.register_id = %s AND l.rejected IS NULL",
    Lines.REJECTED: "l.register_id = %s AND l.rejected IS NOT NULL",
    Lines.DOUBTFUL: "l.register_id = %s AND l.doubts IS NOT NULL",
}


def list_registers(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[RegisterRow]:
    """The registers in the asker's scope, the newest first.

    Raises NotFound (site, donor), NotAllowed (donors; another site's books), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    where = {
        "r.kind = %s": sought.kind,
        "r.site_id = %s": site_asked(connection, actor, sought.site),
        "r.donor_id = %s": donor_asked(connection, actor, sought.donor),
        "r.document_id = %s": sought.document_id,
        "concat_ws(' ', r.name, r.file_name) ILIKE ANY (%s)": spellings(sought.text),
    }
    return read_page(
        connection,
        _REGISTERS,
        where,
        {"r.register_id": UUID},
        _row,
        limit,
        cursor,
        newest_first=True,
        order=order_asked(order, ORDERS),
    )


ORDERS = orders(
    {"r.register_id": UUID},
    name=by_text("r.name"),
    kind=by_text("r.kind"),
    site=by_text("s.code"),
    donor=by_text("o.code"),
    as_of=by_moment("r.as_of"),
    recorded_at=by_moment("r.recorded_at"),
    imported_by=by_text("concat_ws(' ', p.rank, p.name)"),
    line_count=by_number("r.line_count"),
    rejected_count=by_number("r.rejected_count"),
    document_number=by_text("concat_ws('/', t.code, b.code, b.year, d.number)"),
)


def read_register(
    connection: Connection,
    actor: Actor,
    register_id: UUID,
    which: Lines = Lines.ALL,
    limit: int = 100,
    cursor: str | None = None,
) -> RegisterShown:
    """A register in the asker's scope with a page of its lines. Raises NotFound, NotAllowed, Invalid (limit, cursor)."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(f"{_REGISTERS} WHERE r.register_id = %s", (register_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no register {register_id} here.", register_id=register_id))
    headings = connection.exec_driver_sql(
        "SELECT headings FROM register WHERE register_id = %s", (register_id,)
    ).scalar_one()
    lines = list_lines(connection, actor, register_id, which, limit, cursor)
    return RegisterShown(_row(*row[1:]), headings, lines.rows, lines.cursor)


def register_called(connection: Connection, called: str) -> UUID:
    """The register of a key, or of a name: the newest that is called so. Raises NotFound."""
    try:
        wanted = UUID(called)
    except ValueError:
        found = connection.exec_driver_sql(
            "SELECT register_id FROM register WHERE name = %s ORDER BY recorded_at DESC LIMIT 1", (called,)
        ).scalar_one_or_none()
    else:
        found = connection.exec_driver_sql(
            "SELECT register_id FROM register WHERE register_id = %s", (wanted,)
        ).scalar_one_or_none()
    if found is None:
        raise NotFound(sentence("There is no register {called!r} here.", called=called))
    return found  # type: ignore[no-any-return]


def list_lines(
    connection: Connection,
    actor: Actor,
    register_id: UUID,
    which: Lines = Lines.ALL,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[RegisterLine]:
    """Lines of a register in the asker's scope, in the order of the file. Raises NotAllowed, Invalid (limit, cursor)."""
    require(actor, READ_PEOPLE)
    return read_page(
        connection, _LINES, {_WHICH[which]: register_id}, {"l.line": line_number}, RegisterLine, limit, cursor
    )


def every_line(connection: Connection, actor: Actor, register_id: UUID, which: Lines) -> Iterator[RegisterLine]:
    """All such lines of a register."""
    return every_row(lambda limit, cursor: list_lines(connection, actor, register_id, which, limit, cursor))


def rejects_of(connection: Connection, actor: Actor, register_id: UUID) -> Iterator[Reject]:
    """The rows of a register that were set aside, to be mended."""
    lines = every_line(connection, actor, register_id, Lines.REJECTED)
    return (Reject(line.line, line.rejected or "", tuple(line.cells)) for line in lines)


def widest(connection: Connection, register_id: UUID) -> int:
    """How many cells the longest row of a register has."""
    return int(
        connection.exec_driver_sql(
            "SELECT coalesce(max(jsonb_array_length(cells)), 0) FROM register_line WHERE register_id = %s",
            (register_id,),
        ).scalar_one()
    )


LINE_HEADINGS = ("line", "set aside because", "doubts", "item_id")


def lines_table(lines: Iterator[RegisterLine]) -> Iterator[Sequence[Value]]:
    """Lines as the rows of a table: what became of each, then its cells."""
    return (
        (line.line, line.rejected, line.doubts, str(line.item_id) if line.item_id else None, *line.cells)
        for line in lines
    )


def _row(*row: Any) -> RegisterRow:
    number = full_number(*row[6:10]) if row[9] is not None else None
    return RegisterRow(*(*row[:6], number, *row[10:]))
