"""Which documents there are, and what one of them moved: read in the asker's role, so that row-level security holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.errors import NotFound
from stockpile.rights import DONOR, Actor


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document in a list."""

    document_id: UUID
    number: str
    act: str
    fact: bool
    undo: bool
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One entry of a document. Donors see classes of accounts, never whose they are."""

    line: int
    item_id: UUID
    version: int
    model: str
    serial_number: str | None
    quantity: int
    from_class: str
    to_class: str
    from_account: str | None
    to_account: str | None
    condition: str | None
    reverses: int | None
    posts_again: int | None


@dataclass(frozen=True, slots=True)
class DocumentShown:
    """A document with who signed it, its details and a page of its lines."""

    document: DocumentRow
    signatories: dict[str, str]
    details: dict[str, Any]
    lines: list[DocumentLine]
    more_lines: bool


_DOCUMENTS = """
SELECT d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.undo, d.happened_at, d.recorded_at
FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id
"""
_LISTED = f"""{_DOCUMENTS}
WHERE (%(act)s::text IS NULL OR d.act = %(act)s)
  AND (%(since)s::date IS NULL OR d.recorded_at >= %(since)s)
  AND (%(until)s::date IS NULL OR d.recorded_at < %(until)s::date + 1)
  AND (%(after)s::uuid IS NULL OR (d.recorded_at, d.document_id)
       < (SELECT last.recorded_at, last.document_id FROM document last WHERE last.document_id = %(after)s))
ORDER BY d.recorded_at DESC, d.document_id DESC LIMIT %(limit)s
"""
_LINES = """
SELECT e.line, e.item_id, e.version, m.name, n.serial_number, e.quantity, f.class, t.class, {accounts}, e.condition,
       e.reverses, e.posts_again
FROM entry e JOIN item i ON i.item_id = e.item_id JOIN model m ON m.model_id = i.model_id
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
LEFT JOIN LATERAL (SELECT serial_number FROM identification n WHERE n.item_id = e.item_id
                   ORDER BY n.version DESC LIMIT 1) n ON true
WHERE e.document_id = %s AND e.line > %s ORDER BY e.line LIMIT %s
"""


def list_documents(
    connection: Connection,
    act: str | None = None,
    since: date | None = None,
    until: date | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> list[DocumentRow]:
    """Documents in the reader's scope, the newest first; `since` and `until` are days of recording, inclusive."""
    rows = connection.exec_driver_sql(
        _LISTED, {"act": act, "since": since, "until": until, "after": after, "limit": limit}
    )
    return [_row(tuple(row)) for row in rows]


def find_document(connection: Connection, number: str) -> UUID:
    """The document of a full number such as TAJI/B/2026/41. Raises NotFound."""
    parts = number.strip().upper().split("/")
    if len(parts) == 4 and parts[2].isdigit() and parts[3].isdigit() and len(parts[2]) == 4 and len(parts[3]) < 10:
        found = connection.exec_driver_sql(
            """SELECT d.document_id FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = b.site_id
               WHERE s.code = %s AND b.code = %s AND b.year = %s AND d.number = %s""",
            (parts[0], parts[1], int(parts[2]), int(parts[3])),
        ).scalar_one_or_none()
        if found is not None:
            return UUID(str(found))
    raise NotFound(f"There is no document {number!r} here.")


def read_document(
    connection: Connection, actor: Actor, document_id: UUID, after_line: int = 0, limit: int = 500
) -> DocumentShown:
    """A document in the reader's scope with a page of its lines. Raises NotFound."""
    row = connection.exec_driver_sql(f"{_DOCUMENTS} WHERE d.document_id = %s", (document_id,)).one_or_none()
    if row is None:
        raise NotFound(f"There is no document {document_id} here.")
    named = actor.role != DONOR
    signatories: dict[str, str] = {}
    details: dict[str, Any] = {}
    if named:
        signed = connection.exec_driver_sql(
            """SELECT g.part, coalesce(concat_ws(' ', p.rank, p.name, '(' || p.code || ')'), 'a person of another site')
               FROM signatory g LEFT JOIN party p ON p.party_id = g.party_id WHERE g.document_id = %s ORDER BY g.part""",
            (document_id,),
        )
        signatories = {part: name or "a person of another site" for part, name in signed}
        details = connection.exec_driver_sql(
            "SELECT details FROM document WHERE document_id = %s", (document_id,)
        ).scalar_one()
    accounts = "f.name, t.name" if named else "NULL, NULL"
    lines = connection.exec_driver_sql(
        _LINES.replace("{accounts}", accounts), (document_id, after_line, limit + 1)
    ).all()
    return DocumentShown(
        _row(tuple(row)), signatories, details, [DocumentLine(*line) for line in lines[:limit]], len(lines) > limit
    )


def _row(row: tuple[Any, ...]) -> DocumentRow:
    return DocumentRow(row[0], full_number(*row[1:5]), *row[5:10])
