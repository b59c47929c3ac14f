"""Notes: what is added to a posted document later, such as the signed paper of an emergency issue, a photo, a remark. A note
moves nothing and changes nothing; it has a leaf of its own in the log.

The client's note id is the idempotency key, as a document's is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import connected, stand_at_desk, take_role
from stockpile.documents import Asked, Digest, now, of_a_book_year, printable
from stockpile.errors import Fault, Invalid, NotAllowed, PostedWithOtherContent
from stockpile.evidence import need_evidence
from stockpile.keys import new_key, new_secret
from stockpile.log.leaf import canonical, name_value, note_leaf, person_digest
from stockpile.reports.documents import number_of
from stockpile.rights import WRITE_NOTES, Actor, require
from stockpile.sentences import sentence


class NoteKind(StrEnum):
    """What a note brings."""

    ATTACHMENT = "attachment"
    REMARK = "remark"
    SIGNATURE = "signature"


def printable_lines(text: str) -> str:
    """Text of several lines that a page and a paper show as it is. Raises ValueError naming the character and its place."""
    return "\n".join(printable(line) for line in text.replace("\r\n", "\n").split("\n"))


class WriteNote(Asked):
    """Add to a document: a photo or scan, a remark, the paper that was signed afterwards."""

    note_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    kind: NoteKind | None = Field(
        None, description="Left out: an attachment if something is attached, else a remark", examples=["signature"]
    )
    text: (
        Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
            AfterValidator(printable_lines),
        ]
        | None
    ) = Field(None, examples=["Signed by all twelve on the evening after"])
    attachments: Annotated[tuple[Digest, ...], Field(max_length=20)] = Field(
        (), description="SHA-256 of photos and scans, stored before", examples=[[]]
    )
    happened_at: Annotated[AwareDatetime, AfterValidator(of_a_book_year)] | None = Field(
        None, description="When it was signed, photographed or seen, with its offset from UTC"
    )

    @model_validator(mode="after")
    def _says_something(self) -> WriteNote:
        if self.text is None and not self.attachments:
            raise ValueError(sentence("a note says something or brings something: give text or attachments"))
        if self.kind is NoteKind.REMARK and self.text is None:
            raise ValueError(sentence("a remark has a text"))
        if self.kind in (NoteKind.ATTACHMENT, NoteKind.SIGNATURE) and not self.attachments:
            raise ValueError(sentence("a note of kind {kind} has something attached", kind=self.kind))
        return self

    @property
    def brings(self) -> NoteKind:
        """What it brings, said or not."""
        return self.kind or (NoteKind.ATTACHMENT if self.attachments else NoteKind.REMARK)

    def content_hash(self, document_id: UUID) -> bytes:
        """SHA-256 of the validated request and the document it is for, as canonical JSON."""
        content = self.model_dump(mode="json", exclude={"note_id"})
        return sha256(canonical({"note to": str(document_id), **content})).digest()


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """The answer to a note, the same for ever; it holds no names."""

    note_id: UUID
    document_id: UUID
    kind: str
    recorded_at: datetime
    leaf: str


def write_note(engine: Engine, actor: Actor, document_id: UUID, request: WriteNote) -> NoteWritten:
    """Adds a note to a document of the own site; a registrar to any. The same note again gets the first answer.

    Raises NotFound (document), NotAllowed, Invalid (attachments, a moment to come), PostedWithOtherContent.
    """
    require(actor, WRITE_NOTES)
    with connected(engine) as connection:
        site_id = _site_of(connection, actor, document_id)
        stand_at_desk(connection, roles.POSTER, site_id)
        known = _written_before(connection, request, document_id)
        if known is not None:
            return known
        need_evidence(
            request.attachments, "attachments", sentence("The note was not written: what is attached is no evidence.")
        )
        return _insert(connection, actor, site_id, document_id, request) or _lost(connection, request, document_id)


def _site_of(connection: Connection, actor: Actor, document_id: UUID) -> UUID:
    take_role(connection, actor.database_role, actor.site_id)
    number_of(connection, document_id)
    site_id: UUID = connection.exec_driver_sql(
        "SELECT site_id FROM document WHERE document_id = %s", (document_id,)
    ).scalar_one()
    return site_id


def _written_before(connection: Connection, request: WriteNote, document_id: UUID) -> NoteWritten | None:
    row = connection.exec_driver_sql(
        "SELECT note_id, document_id, kind, recorded_at, leaf, content_hash FROM note WHERE note_id = %s",
        (request.note_id,),
    ).one_or_none()
    if row is None:
        return None
    if bytes(row[5]) != request.content_hash(document_id):
        raise PostedWithOtherContent(
            sentence(
                "Note {note_id} was written before with other content. Take a new note id for a new note.",
                note_id=request.note_id,
            )
        )
    return NoteWritten(row[0], row[1], row[2], row[3], bytes(row[4]).hex())


def _lost(connection: Connection, request: WriteNote, document_id: UUID) -> NoteWritten:
    """Somebody wrote under this id at the same moment: the same, whose answer this is, or something else."""
    known = _written_before(connection, request, document_id)
    if known is None:
        raise PostedWithOtherContent(sentence("This note id is in use elsewhere. Take a new note id for a new note."))
    return known


def _insert(
    connection: Connection, actor: Actor, site_id: UUID, document_id: UUID, request: WriteNote
) -> NoteWritten | None:
    recorded_at = now()
    if request.happened_at is not None and request.happened_at > recorded_at:
        fault = Fault(sentence("is still to come"), field="happened_at", value=request.happened_at.isoformat())
        raise Invalid(sentence("The note was not written."), [fault])
    header: dict[str, Any] = {
        "note_id": request.note_id,
        "site_id": site_id,
        "document_id": document_id,
        "kind": str(request.brings),
        "text": request.text,
        "attachments": list(request.attachments),
        "happened_at": request.happened_at,
        "recorded_at": recorded_at,
        "content_hash": request.content_hash(document_id),
    }
    signer = connection.exec_driver_sql(
        "SELECT code, name, rank, name_version, secret FROM signatures(%s)", ([actor.party_id],)
    ).one()
    if signer[4] is None:
        raise NotAllowed(sentence("The note was not written: who writes it was erased at this moment."))
    digest = person_digest(bytes(signer[4]), request.note_id, "written_by", name_value(*signer[:4]))
    seed = new_secret()
    leaf = note_leaf(seed, header, digest)
    row = {
        **header, "attachments": Jsonb(header["attachments"]), "written_by": actor.party_id, "name_version": signer[3],
        "digest": digest, "seed": seed, "leaf": leaf,
    }  # fmt: skip
    inserted = connection.exec_driver_sql(
        f"""INSERT INTO note ({", ".join(row)}) VALUES ({", ".join(["%s"] * len(row))})
            ON CONFLICT (note_id) DO NOTHING""",
        tuple(row.values()),
    ).rowcount
    if not inserted:
        return None
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    return NoteWritten(request.note_id, document_id, str(request.brings), recorded_at, leaf.hex())
