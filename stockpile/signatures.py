"""Signatures at a desk: that a receiver or returner signed for a document, by PIN or by hand on the screen. It is given before the
document is posted, for its id alone; the act that names it puts it into the document's details, which the leaf commits.

A PIN stands in no signature, draft or document: only that it was the right one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile import pins
from stockpile.counters import Counter
from stockpile.db import roles
from stockpile.db.engine import nobody_erased, transaction
from stockpile.documents import LATER, Asked, Desk, Digest, Document, Request, Scan, now
from stockpile.errors import (
    Fault,
    Invalid,
    NotFound,
    PostedWithOtherContent,
    Refused,
    UnreadableFile,
)
from stockpile.evidence import known
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.parties import read_party
from stockpile.rights import TAKE_SIGNATURES, Actor, reading, require
from stockpile.sentences import sentence

PIN, DRAWN = "PIN", "drawn"


class Sign(Asked):
    """Somebody signs for a document that is about to be posted: by PIN at an enrolled counter, or drawn."""

    signature_id: UUID = Field(default_factory=new_key, description="Made by the client: the same again is kept once")
    document_id: UUID = Field(
        description="The id that the document will have", examples=["01a216bc-9437-7e45-92ae-af34527e7fb8"]
    )
    person: Scan = Field(description="Who signs: service number or badge", examples=["A-1001"])
    pin: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="The signer's own, typed by them", repr=False
    )
    new_pin: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="With a one-time PIN: the one that the signer chooses instead", repr=False
    )
    file: Digest | None = Field(
        None, description="Instead of a PIN: SHA-256 of the drawn signature, a PNG stored before", examples=["9f" * 32]
    )

    @model_validator(mode="after")
    def _one_way(self) -> Sign:
        if (self.pin is None) == (self.file is None):
            raise ValueError(sentence("give either pin or file"))
        if self.new_pin is not None and self.pin is None:
            raise ValueError(sentence("new_pin goes with a one-time pin"))
        return self


class Signed(Request):
    """An act that a receiver or returner signs."""

    signatures: Annotated[tuple[UUID, ...], Field(max_length=50), LATER] = Field(
        (), description="What POST /v1/signatures gave for this document id", examples=[[]]
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """That somebody signed, how, and at which counter."""

    signature_id: UUID
    document_id: UUID
    party_id: UUID
    person: str
    how: str
    signed_at: datetime
    counter: str | None
    file: str | None


def sign(engine: Engine, actor: Actor, counter: Counter | None, request: Sign, address: str) -> Signature:
    """Keeps a signature. Raises NotAllowed (a PIN away from a counter), TooSoon, Invalid (a wrong PIN; a one-time PIN without another;
    nobody has this number; the file, also one that was signed with before), PostedWithOtherContent (the same id for something else).
    """
    require(actor, TAKE_SIGNATURES)
    party_id = (
        _drawn(engine, actor, request) if request.pin is None else _proven(engine, actor, counter, request, address)
    )
    at = counter.counter_id if counter and counter.site.site_id == actor.site_id else None
    with reading(engine, actor) as connection:
        nobody_erased(connection)
        connection.exec_driver_sql(
            """INSERT INTO signature (signature_id, site_id, document_id, party_id, how, file_sha256, counter_id, taken_by, signed_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (signature_id) DO NOTHING""",
            (
                request.signature_id, actor.site_id, request.document_id, party_id, PIN if request.pin is not None else DRAWN,
                bytes.fromhex(request.file) if request.file else None, at, actor.party_id, now(),
            ),
        )  # fmt: skip
        kept = _read(connection, [request.signature_id]).get(request.signature_id)
    if kept is None or (kept.document_id, kept.party_id, kept.file) != (request.document_id, party_id, request.file):
        raise PostedWithOtherContent(sentence("This signature id is taken. Take a new one for a new signature."))
    return kept


def _proven(engine: Engine, actor: Actor, counter: Counter | None, request: Sign, address: str) -> UUID:
    assert request.pin is not None
    here = counter if counter is not None and counter.site.site_id == actor.site_id else None
    proven = pins.prove(engine, here, request.person, request.pin, address)
    if proven.must_change:
        if request.new_pin is None:
            fault = Fault(sentence("this is a one-time PIN: choose your own, and sign with it"), field="new_pin")
            raise Invalid(sentence("Nothing was signed."), [fault])
        with transaction(engine, roles.REGISTRAR) as connection:
            pins.choose_pin(connection, proven.party_id, request.new_pin)
    elif request.new_pin is not None:
        fault = Fault(sentence("this PIN is no one-time PIN: leave it out"), field="new_pin")
        raise Invalid(sentence("Nothing was signed."), [fault])
    return proven.party_id


def _drawn(engine: Engine, actor: Actor, request: Sign) -> UUID:
    assert request.file is not None
    try:
        found = known(file_store(), request.file)
        wrong: str | None = None if found.media_type == "image/png" else sentence("not a PNG")
    except (UnreadableFile, NotFound) as problem:
        wrong = problem.detail
    if wrong is not None:
        raise Invalid(sentence("Nothing was signed."), [Fault(wrong, field="file", value=request.file)])
    with reading(engine, actor) as connection:
        person = pins.find_by_badge(connection, request.person)
        served = connection.exec_driver_sql(_SIGNED_WITH, _given(request)).scalar_one()
    if person is None:
        fault = Fault(
            sentence("not a service number or badge of {site}", site=actor.site_code),
            field="person",
            value=request.person,
        )
        raise Invalid(sentence("Nothing was signed."), [fault])
    if served:
        fault = Fault(sentence("it was signed with before, and nobody draws the same twice: sign anew"), field="file")
        raise Invalid(sentence("Nothing was signed."), [fault])
    return person.party_id


_SIGNED_WITH = """
SELECT EXISTS (SELECT FROM signature WHERE file_sha256 = decode(%(file)s, 'hex') AND signature_id <> %(signature)s)
    OR EXISTS (SELECT FROM documents_of_file(%(file)s) AS d (document_id) WHERE d.document_id <> %(document)s)
"""


def _given(request: Sign) -> dict[str, object]:
    return {"file": request.file, "signature": request.signature_id, "document": request.document_id}


_SIGNATURES = """
SELECT g.signature_id, g.document_id, g.party_id, g.how, g.signed_at, c.label, encode(g.file_sha256, 'hex')
FROM signature g LEFT JOIN counter c USING (counter_id) WHERE g.signature_id = ANY (%s)
"""


def _read(connection: Connection, wanted: Sequence[UUID]) -> dict[UUID, Signature]:
    rows = connection.exec_driver_sql(_SIGNATURES, (list(wanted),)).all()
    return {row[0]: Signature(row[0], row[1], row[2], read_party(connection, row[2]).display, *row[3:]) for row in rows}


def with_signatures(desk: Desk, request: Signed, document: Document, signers: Collection[UUID] = ()) -> Document:
    """The document with the signatures that its request names, in its details and, where they were drawn, among its attachments.
    `signers`: those who may sign it beside its signatories. Of a fact nothing is refused: what is wrong with one is told.

    Raises Invalid for one that is not there, Refused for one that is for another document or by somebody else.
    """
    if not request.signatures:
        return document
    allowed = {*document.signatories.values(), *signers}
    found = _rows(desk.connection, request.signatures)
    wrong = {wanted: _wrong(found.get(wanted), document.document_id, allowed) for wanted in request.signatures}
    if document.claim is None:
        _refuse(wrong)
    told = [
        _told(found[wanted]) if fault is None else {"signature": str(wanted), "how": fault}
        for wanted, fault in wrong.items()
    ]
    files = [str(one["file"]) for one in told if "file" in one]
    return replace(
        document,
        details={**document.details, "signatures": told},
        attachments=tuple(dict.fromkeys((*document.attachments, *files))),
    )


MISSING = sentence("there is no such signature at this site")


def _wrong(row: Mapping[str, Any] | None, document_id: UUID, allowed: Collection[UUID]) -> str | None:
    """What is wrong with a signature, in words; None: nothing."""
    if row is None:
        return MISSING
    if row["document_id"] != document_id:
        return sentence("it was given for another document")
    if row["party_id"] not in allowed:
        return sentence("it is of somebody who neither receives nor returns by this document")
    return None


def _refuse(wrong: Mapping[UUID, str | None]) -> None:
    missing = [str(wanted) for wanted, fault in wrong.items() if fault == MISSING]
    if missing:
        faults = [Fault(MISSING, field="signatures", value=one) for one in missing]
        raise Invalid(sentence("Nothing was done: a signature is missing."), faults)
    for fault in filter(None, wrong.values()):
        raise Refused(sentence("Nothing was done: a signature does not belong here, {fault}.", fault=fault))


def _rows(connection: Connection, wanted: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    rows = connection.exec_driver_sql(
        """SELECT signature_id, document_id, party_id, how, counter_id, signed_at, encode(file_sha256, 'hex') AS file
           FROM signature WHERE signature_id = ANY (%s)""",
        (list(wanted),),
    ).mappings()
    return {row["signature_id"]: dict(row) for row in rows}


def _told(row: Mapping[str, Any]) -> dict[str, str]:
    """A signature as the details tell it: keys, no names."""
    told = {
        "signature": row["signature_id"], "person": row["party_id"], "how": row["how"],
        "signed_at": row["signed_at"].isoformat(), "counter": row["counter_id"], "file": row["file"],
    }  # fmt: skip
    return {name: str(value) for name, value in told.items() if value is not None}
