"""The leaves of our rows: which fields an entry, a document, a register and a note commit, in which order, written how.

Frozen from the first migration: a field more is a new kind of leaf, never a change of these lists. docs/log.md holds
the test vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from stockpile.proof.commitment import (
    DOCUMENT,
    ENTRY,
    KEY,
    NOTE,
    REGISTER,
    Form,
    entry_tag,
    field_digest,
    hmac_sha256,
    row_tag,
)
from stockpile.proof.fields import DOCUMENT_FIELDS, DONOR_STATEMENT_FIELDS, ENTRY_FIELDS

REGISTER_FIELDS = (
    "register_id",
    "kind",
    "name",
    "site_id",
    "donor_id",
    "document_id",
    "as_of",
    "recorded_at",
    "file_name",
    "file_sha256",
    "line_count",
    "rejected_count",
    "lines_digest",
    "imported_by",
)

NOTE_FIELDS = (
    "note_id",
    "site_id",
    "document_id",
    "kind",
    "text",
    "attachments",
    "happened_at",
    "recorded_at",
    "content_hash",
    "written_by",
)

ERASURE_FIELDS = (
    "erasure_id",
    "party_id",
    "order_reference",
    "reason",
    "files",
    "registers",
    "erased",
    "asked_at",
    "recorded_at",
    "asked_by",
    "approved_by",
)
"""An erasure is a note too, to the books as a whole: it names no document."""

CASE_FIELDS = (
    "part_id",
    "case_id",
    "part",
    "kind",
    "case",
    "text",
    "attachments",
    "owner_id",
    "due_on",
    "outcome",
    "document_id",
    "of_part",
    "recorded_at",
    "content_hash",
    "written_by",
)
"""A part of a case is a note too. `case`: of its first part what the case is about, of all others nothing."""

OPENING_FIELDS = (
    "site_id",
    "number",
    "title",
    "subject",
    "item_id",
    "discrepancy_id",
    "document_id",
    "register_id",
    "line",
    "party_id",
    "report",
    "reopens",
)
"""What the field `case` holds: the case's row, but for its key and moment, which are those of the part."""

STATEMENT_FIELDS = (
    "statement_id",
    "kind",
    "content",
    "recorded_at",
)
"""What the log says of itself: a key (a leaf of kind key), a restore or padding (a note)."""

ENTRY_FORM = Form(ENTRY, ENTRY_FIELDS)
DOCUMENT_FORM = Form(DOCUMENT, DOCUMENT_FIELDS)
REGISTER_FORM = Form(REGISTER, REGISTER_FIELDS)
NOTE_FORM = Form(NOTE, NOTE_FIELDS)
ERASURE_FORM = Form(NOTE, ERASURE_FIELDS)
CASE_FORM = Form(NOTE, CASE_FIELDS)
STATEMENT_FORM = Form(NOTE, STATEMENT_FIELDS)
DONOR_STATEMENT_FORM = Form(NOTE, DONOR_STATEMENT_FIELDS)
KEY_STATEMENT_FORM = Form(KEY, STATEMENT_FIELDS)


def moment_text(moment: datetime) -> str:
    """A moment as it stands in a leaf: UTC, six digits of a second, `2026-11-24T08:00:00.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def microseconds(offset: timedelta) -> int:
    """A clock's offset as it stands in a leaf. Counted by a float, so that some are one less than they are: frozen with the rest."""
    return int(offset.total_seconds() * 1_000_000)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, characters as they are: one form for one content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def value_bytes(value: object) -> bytes | None:
    """A value as its field's bytes: text in UTF-8, numbers in decimal, digests in lower-case hex, moments by
    `moment_text`, yes/no as `true`/`false`, lists and tables as canonical JSON. None stays None.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, str | UUID | int):
        return str(value).encode()
    if isinstance(value, datetime):
        return moment_text(value).encode()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex().encode()
    return canonical(value)


def entry_leaf(secret: bytes, seed: bytes, values: Sequence[bytes | None], version: int) -> bytes:
    """The leaf of an entry; `values` are the bytes of ENTRY_FIELDS in order."""
    return ENTRY_FORM.leaf(entry_tag(secret, version), ENTRY_FORM.digests(seed, values))


def name_value(code: str | None, name: str, rank: str | None, version: int) -> bytes:
    """What a person's field commits: one version of the name."""
    return canonical({"code": code, "name": name, "rank": rank, "version": version})


def person_digest(secret: bytes, document_id: UUID, part: str, value: bytes) -> bytes:
    """A person's field: the salt is HMAC(the party's secret, the document's id), so that the same soldier in two
    documents can't be linked, and erasing secret and name leaves only this digest.
    """
    return field_digest(hmac_sha256(secret, document_id.bytes), part, value)


def entries_digest(leaves: Iterable[bytes]) -> bytes:
    """SHA-256 over the leaves of a document's entries in the order of their lines."""
    digest = sha256()
    for leaf in leaves:
        digest.update(leaf)
    return digest.digest()


def document_leaf(seed: bytes, header: Mapping[str, object], persons: Mapping[str, bytes]) -> bytes:
    """The leaf of a document. `header` has every field but the persons; `persons` has the stored digest of each part
    taken. A part nobody took is committed as an empty value under the row's own seed.
    """
    return _leaf_with_persons(DOCUMENT_FORM, seed, header, persons)


def register_leaf(seed: bytes, header: Mapping[str, object], imported_by: bytes) -> bytes:
    """The leaf of a register; `imported_by` is the digest of the person, salted by the register's id."""
    return _leaf_with_persons(REGISTER_FORM, seed, header, {"imported_by": imported_by})


def note_leaf(seed: bytes, header: Mapping[str, object], written_by: bytes) -> bytes:
    """The leaf of a note; `written_by` is the digest of the person, salted by the note's id."""
    return _leaf_with_persons(NOTE_FORM, seed, header, {"written_by": written_by})


def donor_statement_leaf(seed: bytes, header: Mapping[str, object], said_by: bytes) -> bytes:
    """The leaf of what donor and host tell each other; `said_by` is the digest of who said it, salted by the statement's id."""
    return _leaf_with_persons(DONOR_STATEMENT_FORM, seed, header, {"said_by": said_by})


def erasure_leaf(seed: bytes, header: Mapping[str, object], persons: Mapping[str, bytes]) -> bytes:
    """The leaf of an erasure; `persons` are the digests of who asked and who approved, salted by the erasure's id."""
    return _leaf_with_persons(ERASURE_FORM, seed, header, persons)


def case_leaf(seed: bytes, header: Mapping[str, object], written_by: bytes) -> bytes:
    """The leaf of a part of a case; `written_by` is the digest of the person, salted by the part's id."""
    return _leaf_with_persons(CASE_FORM, seed, header, {"written_by": written_by})


def opening_value(case: Mapping[str, object]) -> dict[str, object]:
    """What the leaf of a case's first part commits of the case: its columns that hold anything, keys as text."""
    held = {name: case[name] for name in OPENING_FIELDS if case[name] is not None}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in held.items()}


def statement_leaf(seed: bytes, statement: Mapping[str, object]) -> bytes:
    """The leaf of what the log says of itself."""
    form = KEY_STATEMENT_FORM if statement["kind"] == "key" else STATEMENT_FORM
    return _leaf_with_persons(form, seed, statement, {})


def _leaf_with_persons(form: Form, seed: bytes, header: Mapping[str, object], persons: Mapping[str, bytes]) -> bytes:
    digests = form.digests(seed, [value_bytes(header.get(name)) for name in form.fields])
    shown = [persons.get(name, digest) for name, digest in zip(form.fields, digests, strict=True)]
    return form.leaf(row_tag(seed), shown)
