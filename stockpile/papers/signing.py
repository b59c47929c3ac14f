"""How somebody signed a document, as its paper shows it: under an own sign-in, by PIN, by a drawn signature, or not yet: then the
paper has a line to sign by hand. Nobody is ever said to have signed who is only named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from PIL import Image
from sqlalchemy import Connection

from stockpile.errors import NotFound
from stockpile.files import file_store
from stockpile.papers.kinds import PaperKind
from stockpile.papers.paper import Signature, Signatures, on_the_wall
from stockpile.papers.words import Word
from stockpile.reports.papers import PaperHead, party_names

ELSEWHERE = {"paper": "as on the paper, whose scan is attached", "device": "as written on the device, which signed it"}
"""Of what was written away from the service: where the signatures of those stand that it names."""
LARGEST_PICTURE = (900, 300)
"""Pixels of a drawn signature on paper: 60 mm wide at 380 dots to the inch."""
MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Signed:
    """That a person signed: how, when, and the drawn signature if it is one."""

    how: Word
    at: str | None
    picture: bytes | None = None


def signatures_of(connection: Connection, head: PaperHead, kind: PaperKind) -> Signatures:
    """The boxes of a document's paper, in the order of its kind; then whoever signed beside those: of a draw each soldier."""
    signed = _signed(head)
    written = ELSEWHERE.get(head.book_kind or "")
    elsewhere = Signed(Word(written), None) if written else None
    boxes = []
    for part in kind.parts:
        name = _name(head, part.key)
        if name is None and not part.always:
            continue
        by = signed.get(part.key) or (elsewhere if name is not None else None)
        keyed = part.key == "posted_by" and head.book_kind == "paper"
        boxes.append(_box(Word("Keyed by") if keyed else Word(part.label), name, by))
    others = {person: by for person, by in signed_by(head).items() if person not in head.signers.values()}
    names = party_names(connection, others) if others else {}
    boxes += [_box(Word("Signed by"), names.get(person), by) for person, by in others.items()]
    return Signatures(tuple(boxes), Word(kind.statement) if kind.statement else None)


def _box(part: Word, name: str | None, by: Signed | None) -> Signature:
    return Signature(part, name, by.how, by.at, by.picture) if by is not None else Signature(part, name)


def _name(head: PaperHead, part: str) -> str | None:
    if part == "posted_by":
        return head.posted_by
    if part == "approved_by":
        return head.approved_by
    in_words = head.details.get(part)
    return head.signatories.get(part) or (str(in_words) if isinstance(in_words, str) else None)


def _signed(head: PaperHead) -> dict[str, Signed]:
    """Who signed, by part: who posted and who approved did under their own sign-in; others as the details say."""
    zone = head.issuer.time_zone
    recorded = on_the_wall(head.recorded_at, zone)
    found = {"posted_by": Signed(Word("posted under own sign-in"), recorded)}
    if head.approved_by is not None:
        found["approved_by"] = Signed(Word("approved under own sign-in"), recorded)
    persons = signed_by(head)
    for part, person in head.signers.items():
        if part not in found and person in persons:
            found[part] = persons[person]
    return found


def signed_by(head: PaperHead) -> dict[UUID, Signed]:
    """Which persons signed the document at a desk, as its details tell: by PIN, or drawn on the screen."""
    found = {}
    for one in _told(head.details):
        how, person = HOW.get(str(one.get("how"))), one.get("person")
        if how is not None and isinstance(person, str):
            file = one.get("file")
            picture = drawn(file) if isinstance(file, str) else None
            found[UUID(person)] = Signed(Word(how), _moment(one.get("signed_at"), head.issuer.time_zone), picture)
    return found


def _moment(told: Any, zone: str) -> str | None:
    try:
        return on_the_wall(datetime.fromisoformat(str(told)), zone) if told else None
    except ValueError:
        return None


HOW = {"PIN": "signed by PIN at the counter", "drawn": "signed on the screen"}
"""How a receiver or returner signed, as `details.signatures` says it."""


def drawn(sha256: str) -> bytes | None:
    """A drawn signature as a small PNG, ink on nothing; None if the file is missing, too large or no picture."""
    try:
        path = file_store().path(sha256)
        if path.stat().st_size > MOST_BYTES:
            return None
        with Image.open(path, formats=["PNG", "JPEG", "WEBP"]) as picture:
            if picture.width * picture.height > 20_000_000:
                return None
            picture.thumbnail(LARGEST_PICTURE)
            written = BytesIO()
            picture.convert("RGBA").save(written, "PNG", optimize=True)
    except (NotFound, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return written.getvalue()


def _told(details: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The signatures that a document's details carry: each with person, how, signed_at and, of a drawn one, its file."""
    given = details.get("signatures")
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def names_of_speakers(connection: Connection, statement_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Who made statements between donors and the host, by the statement: for the host's own copies alone."""
    said_by = {
        key: party
        for key, party in connection.exec_driver_sql(
            "SELECT statement_id, said_by FROM donor_statement WHERE statement_id = ANY (%s)", (list(statement_ids),)
        )
    }
    names = party_names(connection, said_by.values())
    return {key: names[party] for key, party in said_by.items() if party in names}
