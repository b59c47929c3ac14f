"""What is attached to a document, to its notes and to a draft: which files, whether they are there, and who may have one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.cases.evidence import is_of_a_case
from stockpile.errors import NotFound, UnreadableFile
from stockpile.evidence import Evidence, known
from stockpile.files import file_store
from stockpile.reports.documents import line_number, number_of
from stockpile.reports.drafts import DraftRead, files_named, may_judge, waits_with_file
from stockpile.reports.keyset import Page, read_page
from stockpile.rights import READ_PEOPLE, RIGHTS, TRACE, Actor, require
from stockpile.sentences import sentence

OTHER = ("application/octet-stream", "bin")
"""A list from a file belongs to its document too, and is no photo."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a document: by the document itself, or by a note that was added later. `state`: there, missing
    (tell who runs the service), or erased by order. Altered content only the check of files finds.
    """

    sha256: str
    attached_at: datetime
    note_id: UUID | None
    state: str
    media_type: str | None
    size: int | None
    width: int | None
    height: int | None


_ATTACHMENTS = """
SELECT a.attached_at, a.place, a.sha256, a.sha256, a.attached_at, a.note_id
FROM (SELECT d.recorded_at AS attached_at, f.place, f.sha256, NULL::uuid AS note_id
      FROM document d, jsonb_array_elements_text(d.attachments) WITH ORDINALITY AS f (sha256, place) WHERE d.document_id = %s
      UNION ALL
      SELECT n.recorded_at, f.place, f.sha256, n.note_id
      FROM note n, jsonb_array_elements_text(n.attachments) WITH ORDINALITY AS f (sha256, place) WHERE n.document_id = %s) a
"""
_ORDER: dict[str, Callable[[str], Any]] = {
    "a.attached_at": datetime.fromisoformat,
    "a.place": line_number,
    "a.sha256": str,
}


def list_attachments(
    connection: Connection, actor: Actor, document_id: UUID, limit: int = 100, cursor: str | None = None
) -> Page[Attachment]:
    """What is attached to a document in the asker's scope, the earliest first.

    Raises NotFound, NotAllowed (donors), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    number_of(connection, document_id)
    return read_page(
        connection, _ATTACHMENTS, {}, _ORDER, _attachment, limit, cursor, parameters=(document_id, document_id)
    )


_OF_ITEM = """
SELECT DISTINCT ON (f.sha256) f.sha256, d.recorded_at, NULL::uuid
FROM document d, jsonb_array_elements_text(d.attachments) AS f (sha256)
WHERE d.document_id IN (SELECT document_id FROM entry WHERE item_id = %s) AND d.attachments <> '[]'
ORDER BY f.sha256, d.recorded_at LIMIT %s
"""


def photos_of(connection: Connection, actor: Actor, item_id: UUID, limit: int = 24) -> tuple[Attachment, ...]:
    """The photos of the documents that moved an item, in the asker's scope, the earliest first. Raises NotAllowed (donors)."""
    require(actor, READ_PEOPLE)
    files = (_attachment(*row) for row in connection.exec_driver_sql(_OF_ITEM, (item_id, limit)))
    photos = (one for one in files if one.media_type is not None and one.media_type.startswith("image/"))
    return tuple(sorted(photos, key=lambda one: one.attached_at))


def files_of_draft(actor: Actor, draft: DraftRead) -> tuple[Attachment, ...]:
    """The files that a draft names, for who may answer it; for all others none."""
    if not may_judge(actor, draft.draft):
        return ()
    return tuple(_attachment(sha256, draft.draft.drafted_at, None) for sha256 in files_named(draft.request))


def attachment(sha256: str, attached_at: datetime) -> Attachment:
    """A file that is attached elsewhere than to a document: whether it is there, and what it is."""
    return _attachment(sha256, attached_at, None)


def _attachment(sha256: str, attached_at: datetime, note_id: UUID | None) -> Attachment:
    store = file_store()
    try:
        path = store.path(sha256)
    except NotFound:
        state = "erased" if store.was_erased(sha256) else "missing"
        return Attachment(sha256, attached_at, note_id, state, None, None, None, None)
    seen = _seen(sha256)
    return Attachment(
        sha256,
        attached_at,
        note_id,
        "there",
        seen.media_type if seen else OTHER[0],
        path.stat().st_size,
        seen.width if seen else None,
        seen.height if seen else None,
    )


def _seen(sha256: str) -> Evidence | None:
    """What a stored photo or scan is; None for a list."""
    try:
        return known(file_store(), sha256)
    except UnreadableFile:
        return None


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be handed out: where it lies, its media type, the name to save it under."""

    path: Path
    media_type: str
    name: str


def file_to_read(connection: Connection, actor: Actor, sha256: str) -> Download:
    """A stored file, for who may read a document or case that it belongs to, or has to answer a draft that names it.

    Raises NotFound: none in the asker's scope names it, it is missing, or it was erased; NotAllowed (donors).
    """
    require(actor, READ_PEOPLE)
    of_document = connection.exec_driver_sql(
        "SELECT 1 FROM document WHERE document_id IN (SELECT documents_of_file(%s)) LIMIT 1", (sha256,)
    ).first()
    if of_document is None and not (
        is_of_a_case(connection, sha256)
        or waits_with_file(connection, actor, sha256)
        or _of_tracing(connection, actor, sha256)
    ):
        raise NotFound(sentence("No document and no case here has a file {sha256}.", sha256=sha256))
    store = file_store()
    if not store.was_erased(sha256) and not store.holds(sha256):
        raise NotFound(
            sentence(
                "The file {sha256} is missing: tell who runs the service; 'stockpile files check' says more.",
                sha256=sha256,
            )
        )
    path, seen = store.path(sha256), _seen(sha256)
    media_type, ending = (seen.media_type, seen.ending) if seen else OTHER
    return Download(path, media_type, f"{sha256[:16]}.{ending}")


def _of_tracing(connection: Connection, actor: Actor, sha256: str) -> bool:
    """Whether a tracing request or a sighting brought the file, for who reads those."""
    if actor.role not in RIGHTS[TRACE]:
        return False
    question = "SELECT 1 FROM tracing WHERE photos @> to_jsonb(ARRAY[%s::text]) LIMIT 1"
    return connection.exec_driver_sql(question, (sha256,)).first() is not None
