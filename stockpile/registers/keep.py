"""Keeping a list as it came: every row of it as a register, committed by a leaf of the log, so that a list once shown
can't be swapped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stockpile.db.rows import given
from stockpile.documents import Desk, now
from stockpile.keys import new_key, new_secret
from stockpile.log.leaf import name_value, person_digest, register_leaf
from stockpile.registers.listing import Listed, ListFile, Sorted

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


def keep_register(
    desk: Desk, kind: str, name: str, file: ListFile | None, listed: Sorted, donor_id: UUID | None, document_id: UUID
) -> UUID | None:
    """Keeps a file's rows, the readable and the rejected, as a register; None for a typed list, whose lines are the
    document's own.
    """
    if file is None:
        return None
    rows: list[Listed] = sorted([*listed.lines, *listed.rejected], key=lambda line: line.row)
    cells = [cells_json(line.cells) for line in rows]
    register_id, seed, moment = new_key(), new_secret(), now()
    header: dict[str, Any] = {
        "register_id": register_id,
        "kind": kind,
        "name": name,
        "site_id": desk.site.site_id,
        "donor_id": donor_id,
        "document_id": document_id,
        "as_of": moment,
        "recorded_at": moment,
        "file_name": file.name,
        "file_sha256": bytes.fromhex(file.sha256),
        "line_count": len(rows),
        "rejected_count": len(listed.rejected),
        "lines_digest": lines_digest((line.row, written) for line, written in zip(rows, cells, strict=True)),
    }
    person = desk.connection.exec_driver_sql(
        "SELECT code, name, rank, name_version, secret FROM signatures(%s)", ([desk.actor.party_id],)
    ).one()
    imported_by = person_digest(bytes(person[4]), register_id, "imported_by", name_value(*person[:4]))
    leaf = register_leaf(seed, header, imported_by)
    columns = [*header, "headings", "imported_by", "seed", "leaf"]
    desk.connection.exec_driver_sql(
        f"INSERT INTO register ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
        (*header.values(), Jsonb(list(listed.headings)), desk.actor.party_id, seed, leaf),
    )
    desk.connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    kept = (
        (line.row, written, line.reason, "; ".join(line.doubts) or None, line.item_id)
        for line, written in zip(rows, cells, strict=True)
    )
    with given(desk.connection, _LINE, kept, len(rows)) as lines:
        lines.insert(_INSERT_LINES, (register_id,))
    return register_id
