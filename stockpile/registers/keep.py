"""Keeping a list as it came: every row of it as a register, committed by a leaf of the log, so that a list once shown
can't be swapped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from stockpile.db.rows import given
from stockpile.documents import Desk, now
from stockpile.keys import new_key, new_secret
from stockpile.log.leaf import name_value, person_digest, register_leaf
from stockpile.registers.listing import ListFile, Sorted

_WRITTEN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def lines_digest(rows: Iterable[tuple[int, str]]) -> bytes:
    """SHA-256 over the rows in order: number and cells (as `cells_json`) as one JSON list, and a line feed."""
    digest = sha256()
    for number, cells in rows:
        digest.update(f"[{number},{cells[1:]}\n".encode() if cells != "[]" else f"[{number}]\n".encode())
    return digest.digest()


def cells_json(cells: tuple[str, ...]) -> str:
    """A row's cells as the JSON list that the register keeps and its digest covers."""
    return _WRITTEN(cells)


_INSERT_LINES = """
INSERT INTO register_line (register_id, line, cells, rejected, doubts, item_id)
SELECT %s::uuid, line, cells::jsonb, rejected, doubts, item_id FROM {given}
"""
_LINE = (("line", "int4"), ("cells", "text"), ("rejected", "text"), ("doubts", "text"), ("item_id", "uuid"))


class KeptRow(NamedTuple):
    """A row of a file: its number and cells, why it was not taken, what looks wrong with it, the item it led to."""

    number: int
    cells: tuple[str, ...]
    reason: str | None = None
    doubts: tuple[str, ...] = ()
    item_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """What a file's rows are kept as. `as_of` is the moment the list speaks of."""

    kind: str
    name: str
    site_id: UUID
    file: ListFile | None
    as_of: datetime
    headings: tuple[str, ...] = ()
    donor_id: UUID | None = None
    document_id: UUID | None = None
    register_id: UUID = field(default_factory=new_key)


def register_of(
    desk: Desk, kind: str, name: str, file: ListFile | None, listed: Sorted, donor_id: UUID | None, document_id: UUID
) -> Register | None:
    """The register of an act's list; None for a typed list, whose lines are the document's own."""
    if file is None:
        return None
    return Register(kind, name, desk.site.site_id, file, now(), listed.headings, donor_id, document_id)


def keep_listed(desk: Desk, register: Register | None, listed: Sorted) -> None:
    """Keeps the rows of an act's list, if it came as a file."""
    if register is None:
        return
    rows = (
        KeptRow(line.row, line.cells, line.reason, line.doubts, line.item_id)
        for line in (*listed.lines, *listed.rejected)
    )
    keep_rows(desk.connection, desk.actor.party_id, register, rows)


def keep_rows(connection: Connection, imported_by: UUID, register: Register, given_rows: Iterable[KeptRow]) -> None:
    """Keeps a file's rows, the readable and the rejected, as a register."""
    rows = sorted(given_rows, key=lambda row: row.number)
    cells = [cells_json(row.cells) for row in rows]
    register_id, seed = register.register_id, new_secret()
    header: dict[str, Any] = {
        "register_id": register_id,
        "kind": register.kind,
        "name": register.name,
        "site_id": register.site_id,
        "donor_id": register.donor_id,
        "document_id": register.document_id,
        "as_of": register.as_of,
        "recorded_at": now(),
        "file_name": register.file.name if register.file else None,
        "file_sha256": bytes.fromhex(register.file.sha256) if register.file else None,
        "line_count": len(rows),
        "rejected_count": sum(row.reason is not None for row in rows),
        "lines_digest": lines_digest((row.number, written) for row, written in zip(rows, cells, strict=True)),
    }
    person = connection.exec_driver_sql(
        "SELECT code, name, rank, name_version, secret FROM signatures(%s)", ([imported_by],)
    ).one()
    signed = person_digest(bytes(person[4]), register_id, "imported_by", name_value(*person[:4]))
    leaf = register_leaf(seed, header, signed)
    columns = [*header, "headings", "imported_by", "seed", "leaf"]
    kept = (
        (row.number, written, row.reason, "; ".join(row.doubts) or None, row.item_id)
        for row, written in zip(rows, cells, strict=True)
    )
    with given(connection, _LINE, kept, len(rows)) as lines:
        lines.insert(_INSERT_LINES, (register_id,))
    # The register's own row closes it: no line is added later.
    connection.exec_driver_sql(
        f"INSERT INTO register ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
        (*header.values(), Jsonb(list(register.headings)), imported_by, seed, leaf),
    )
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
