"""What was added to documents later, as people read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.reports.keyset import Page, read_page
from stockpile.reports.named import named


@dataclass(frozen=True, slots=True)
class NoteShown:
    """A note: what it brings, who wrote it, when what it tells of happened and when it was recorded."""

    note_id: UUID
    kind: str
    text: str | None
    attachments: tuple[str, ...]
    written_by: str
    happened_at: datetime | None
    recorded_at: datetime


_NOTES = f"""
SELECT n.recorded_at, n.note_id, n.note_id, n.kind, n.text, n.attachments, {named("p")}, n.happened_at, n.recorded_at
FROM note n LEFT JOIN party p ON p.party_id = n.written_by
"""


def notes_of(connection: Connection, document_id: UUID, limit: int = 100, cursor: str | None = None) -> Page[NoteShown]:
    """The notes to a document, as the connection's role may read them, the earliest first. Raises Invalid (limit, cursor)."""
    order: dict[str, Callable[[str], Any]] = {"n.recorded_at": datetime.fromisoformat, "n.note_id": UUID}
    return read_page(connection, _NOTES, {"n.document_id = %s": document_id}, order, _shown, limit, cursor)


def _shown(
    note_id: UUID, kind: str, text: str | None, attachments: list[str], by: str, happened: datetime | None, at: datetime
) -> NoteShown:
    return NoteShown(note_id, kind, text, tuple(attachments), by, happened, at)
