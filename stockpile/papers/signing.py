"""How somebody signed a document, as its paper shows it: under an own sign-in, by PIN, by a drawn signature, or not yet: then the
paper has a line to sign by hand. Nobody is ever said to have signed who is only named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from PIL import Image

from stockpile.errors import NotFound
from stockpile.files import file_store
from stockpile.papers.kinds import PaperKind
from stockpile.papers.paper import Signature, Signatures, on_the_wall
from stockpile.papers.words import Word
from stockpile.reports.papers import PaperHead

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


def signatures_of(head: PaperHead, kind: PaperKind) -> Signatures:
    """The boxes of a document's paper, in the order of its kind."""
    signed = _signed(head)
    written = ELSEWHERE.get(head.book_kind or "")
    elsewhere = Signed(Word(written), None) if written else None
    boxes = []
    for part in kind.parts:
        name = _name(head, part.key)
        if name is None and not part.always:
            continue
        by = signed.get(part.key)
        if by is None and name is not None:
            by = elsewhere
        if by is None:
            boxes.append(Signature(Word(part.label), name))
        else:
            keyed = part.key == "posted_by" and head.book_kind == "paper"
            label = Word("Keyed by") if keyed else Word(part.label)
            boxes.append(Signature(label, name, by.how, by.at, by.picture))
    return Signatures(tuple(boxes), Word(kind.statement) if kind.statement else None)


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
    for one in _told(head.details):
        how = HOW.get(str(one.get("how")))
        if how is None:
            continue
        at = _moment(one.get("signed_at"), zone)
        file = one.get("file")
        found[str(one.get("part", "received_by"))] = Signed(
            Word(how), at, drawn(file) if isinstance(file, str) else None
        )
    return found


def _moment(told: Any, zone: str) -> str | None:
    try:
        return on_the_wall(datetime.fromisoformat(str(told)), zone) if told else None
    except ValueError:
        return None


HOW = {"pin": "signed by PIN at the counter", "drawn": "signed on the screen"}
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
    """The signatures that a document's details carry: each with part, how, signed_at and, of a drawn one, its file."""
    given = details.get("signatures")
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
