"""Keeping a list as it came: every row of it as a register, committed by a leaf of the log, so that a list once shown
can't be swapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy import Connection

from stockpile.db.rows import as_copied, insert_as_they_come, is_plain
from stockpile.documents import Desk, now
from stockpile.identity import serial_key
from stockpile.keys import new_key, new_secret
from stockpile.log.leaf import name_value, person_digest, register_leaf
from stockpile.registers.listing import Listed, ListFile, Sorted
from stockpile.registers.mapping import Mapping


def lines_digest(rows: Iterable[tuple[int, bytes]]) -> bytes:
    """SHA-256 over the rows in order: number and cells (as `cells_json`) as one JSON list, and a line feed."""
    digest = sha256()
    for number, cells in rows:
        digest.update(line_of_digest(number, cells))
    return digest.digest()


def line_of_digest(number: int, cells: bytes) -> bytes:
    """A row as the digest covers it: its number, and its cells as `cells_json`."""
    return b"[%d,%b\n" % (number, cells[1:]) if cells != b"[]" else b"[%d]\n" % number


def cells_json(cells: tuple[str, ...]) -> bytes:
    """A row's cells as the JSON list that the register keeps and its digest covers."""
    return to_json(cells)


class Beside(NamedTuple):
    """What a line says beside its serial number, model and maker as written. `dated_on`: a day, and the list does not say of what."""

    maker: str | None = None
    model: str | None = None
    quantity: int | None = None
    shipped_on: date | None = None
    received_on: date | None = None
    dated_on: date | None = None
    unit: str | None = None
    holder: str | None = None
    condition: str | None = None


NOTHING_BESIDE = as_copied(Beside())


class KeptRow(NamedTuple):
    """A row of a file: its number and cells, why it was not taken, what looks wrong with it, the item it led to; what it says in our
    fields: `beside` is what it says `Beside` its number, as COPY takes it, which many rows share.
    """

    number: int
    cells: tuple[str, ...]
    reason: str | None = None
    doubts: tuple[str, ...] = ()
    item_id: UUID | None = None
    serial_number: str | None = None
    serial_key: str | None = None
    beside: bytes = NOTHING_BESIDE


_COLUMNS = (
    ("line", "int4"), ("cells", "jsonb"), ("rejected", "text"), ("doubts", "text"), ("item_id", "uuid"), ("serial_number", "text"),
    ("serial_key", "text"), ("maker", "text"), ("model", "text"), ("quantity", "int8"), ("shipped_on", "date"),
    ("received_on", "date"), ("dated_on", "date"), ("unit", "text"), ("holder", "text"), ("condition", "text"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_INSERT_LINES = f"INSERT INTO register_line (register_id, {_NAMES}) SELECT %s::uuid, {_NAMES} FROM {{given}}"


@dataclass(frozen=True, slots=True)
class Register:
    """What a file's rows are kept as. `as_of` is the moment the list speaks of; `mapping` which column is which of our fields,
    None where they were not read so.
    """

    kind: str
    name: str
    site_id: UUID | None
    file: ListFile | None
    as_of: datetime
    headings: tuple[str, ...] = ()
    donor_id: UUID | None = None
    document_id: UUID | None = None
    source: str | None = None
    mapping: Mapping | None = None
    register_id: UUID = field(default_factory=new_key)


def register_of(
    desk: Desk,
    kind: str,
    name: str,
    file: ListFile | None,
    listed: Sorted,
    donor_id: UUID | None,
    document_id: UUID,
) -> Register | None:
    """The register of an act's list; None for a typed list, whose lines are the document's own."""
    if file is None:
        return None
    return Register(
        kind,
        name,
        desk.site.site_id,
        file,
        now(),
        listed.headings,
        donor_id,
        document_id,
        listed.source,
        listed.mapping,
    )


def keep_listed(desk: Desk, register: Register | None, listed: Sorted) -> None:
    """Keeps the rows of an act's list, if it came as a file."""
    if register is None:
        return
    rows = map(_kept, (*listed.lines, *listed.rejected))
    keep_rows(desk.connection, desk.actor.party_id, register, sorted(rows, key=lambda row: row.number))


def _kept(line: Listed) -> KeptRow:
    if line.reason:
        return KeptRow(line.row, line.cells, line.reason, line.doubts, line.item_id)
    serial = line.serial_number
    key = serial_key(serial) if serial and not line.obliterated else None
    beside = Beside(
        line.maker, line.model_name, line.quantity, holder=in_capitals(line.account), condition=line.condition
    )
    return KeptRow(line.row, line.cells, None, line.doubts, line.item_id, serial, key, as_copied(beside))


@lru_cache(maxsize=65_536)
def in_capitals(text: str | None) -> str | None:
    """A name as names are compared: in capitals, with single spaces."""
    return " ".join(text.split()).upper() or None if text else None


@dataclass(slots=True)
class _Committed:
    """What the rows that went by came to."""

    digest: Any = field(default_factory=sha256)
    lines: int = 0
    rejected: int = 0

    def passing(self, rows: Iterable[KeptRow]) -> Iterator[bytes]:
        """The rows as COPY takes them: tabs between, nothing for NULL."""
        committed = self.digest.update
        for self.lines, (number, cells, reason, doubts, item_id, serial, key, beside) in enumerate(rows, 1):
            written = cells_json(cells)
            committed(line_of_digest(number, written))
            became = b"\t\t"
            if reason or doubts or item_id:
                self.rejected += reason is not None
                became = as_copied((reason, "; ".join(doubts), item_id))
            said = f"{serial or ''}\t{key or ''}"
            numbers = said.encode() if is_plain(said, 2) else as_copied((serial, key))
            yield b"%d\t%b\t%b\t%b\t%b\n" % (number, written.replace(b"\\", b"\\\\"), became, numbers, beside)


def keep_rows(connection: Connection, imported_by: UUID, register: Register, rows: Iterable[KeptRow]) -> int:
    """Keeps a file's rows, the readable and the rejected, in the order of their numbers, as a register; answers how many there
    were. They are never all in memory.
    """
    register_id, seed, committed = register.register_id, new_secret(), _Committed()
    insert_as_they_come(connection, _COLUMNS, committed.passing(rows), _INSERT_LINES, (register_id,))
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
        "line_count": committed.lines,
        "rejected_count": committed.rejected,
        "lines_digest": committed.digest.digest(),
    }
    person = connection.exec_driver_sql(
        "SELECT code, name, rank, name_version, secret FROM signatures(%s)", ([imported_by],)
    ).one()
    signed = person_digest(bytes(person[4]), register_id, "imported_by", name_value(*person[:4]))
    leaf = register_leaf(seed, header, signed)
    beside = {
        "headings": Jsonb(list(register.headings)),
        "imported_by_version": person[3],
        "imported_by_digest": signed,
        "imported_by": imported_by,
        "seed": seed,
        "leaf": leaf,
        "source": register.source,
        "mapping": Jsonb(register.mapping.to_json()) if register.mapping else None,
    }
    columns = [*header, *beside]
    # The register's own row closes it: no line is added later.
    connection.exec_driver_sql(
        f"INSERT INTO register ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
        (*header.values(), *beside.values()),
    )
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    return committed.lines
