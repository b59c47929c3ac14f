"""Documents: what a request to the ledger carries, the numbered document it becomes, and the answer it gets.

The client's document id is the idempotency key (invariant 8): the answer is rebuilt from immutable rows, so that the
same request gets the same bytes for ever. An answer holds no names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails
from sqlalchemy import Connection

from stockpile.errors import Fault, Invalid, NotFound, PostedWithOtherContent
from stockpile.evidence import need_evidence
from stockpile.identity import character_fault
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.movements import Act
from stockpile.rights import Actor
from stockpile.sentences import sentence, words_of
from stockpile.sites import Site

if TYPE_CHECKING:
    from stockpile.discrepancies import Contradiction

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
DISCREPANCIES_IN_ANSWER = 100


def printable(text: str) -> str:
    """Text that a page, a paper and a spreadsheet show as it is: no NUL, control or bidirectional control characters.

    Raises ValueError naming the character and where it stands.
    """
    if text.isascii() and text.isprintable():
        return text
    for place, character in enumerate(text, 1):
        if unicodedata.category(character) in UNPRINTABLE and character != "\N{ZERO WIDTH NON-JOINER}":
            name = unicodedata.name(character, sentence("a control character"))
            raise ValueError(
                sentence(
                    "character {place} is U+{character:04X} ({name}): take it out",
                    place=place,
                    character=ord(character),
                    name=name,
                )
            )
    return text


Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(printable)
]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(printable)]

SEPARATORS = str.maketrans("\x04\x1c\x1d\x1e\x1f", "-----")
"""What ISO 15434 puts between the fields of a mark."""


def scannable(text: str) -> str:
    """A scan without the blanks around it and the scanner's line end. Raises ValueError for a character that no serial
    number and no mark can have.
    """
    scanned = text.strip(" \t\r\n\u00a0")
    if not scanned:
        raise ValueError(sentence("nothing was scanned: only blanks"))
    if fault := character_fault(scanned.translate(SEPARATORS), "scan"):
        raise ValueError(fault.message)
    return scanned


def of_a_book_year(moment: datetime) -> datetime:
    """A date as a paper can bear, on whichever wall. Raises ValueError outside the years that books have."""
    if not 1900 < moment.year < 2999:
        raise ValueError(sentence("the year {year} can't be: write a date from 1901 on", year=moment.year))
    return moment


Scan = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(scannable)]
"""What a scanner read or a clerk typed: may hold the separators of ISO 15434."""
Quantity = Annotated[int, Field(ge=1, le=10_000_000)]
Condition = Literal["serviceable", "unserviceable", "unknown"]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
HowEntered = Literal["scanned", "typed", "camera"]
"""How a line came in at a counter."""


class Precision(StrEnum):
    """How exactly a fact's time is known."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


LATER = "later"
"""Marks a field that came with a later version: left at its default it is not part of a request's content, so that what was
posted before it came keeps its content hash, and its answer (invariant 8).
"""


class Asked(BaseModel):
    """Any part of a request. Nothing it does not know is taken, nothing it took is changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_serializer(mode="wrap")
    def _without_later(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = written(self)
        for name, field_info in type(self).model_fields.items():
            if LATER in field_info.metadata and getattr(self, name) == field_info.default:
                content.pop(name, None)
        return content


class Paper(Asked):
    """A paper voucher keyed after the fact: its book and number, the date on it, and the SHA-256 of its scan."""

    book: Annotated[str, StringConstraints(pattern="^[A-Z0-9-]{1,12}$")] = Field(
        description="The code of the paper book", examples=["PAPER-1"]
    )
    number: Annotated[int, Field(ge=1, le=2_000_000_000)] = Field(
        description="The number printed on the paper", examples=[17]
    )
    happened_at: Annotated[AwareDatetime, AfterValidator(of_a_book_year)] = Field(
        description="The moment written on it, with its offset from UTC", examples=["2026-11-20T09:30:00+03:00"]
    )
    precision: Precision = Precision.MINUTE
    scan_sha256: Digest = Field(
        description="SHA-256 of the scanned paper, a file that was stored before", examples=["9f" * 32]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNumber:
    """A number that a fact brings along, in a book kept away from the service: the one printed on a paper, or a device's
    own. `evidence` is the stored file that shows it, by its SHA-256; `clock_offset` None: nobody measured the writer's clock;
    `content_hash` None: the content is the request. `details` go into the document's, `against` are opened with it.
    """

    kind: Literal["paper", "device"]
    book: str
    holder: str
    number: int
    happened_at: datetime
    precision: Precision
    evidence: str
    clock_offset: timedelta | None = None
    content_hash: bytes | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    against: tuple[Contradiction, ...] = ()

    @classmethod
    def of_paper(cls, paper: Paper) -> ClaimedNumber:
        """What a paper claims."""
        return cls(
            kind="paper",
            book=paper.book,
            holder="paper",
            number=paper.number,
            happened_at=paper.happened_at.astimezone(UTC),
            precision=paper.precision,
            evidence=paper.scan_sha256,
        )


class Request(Asked):
    """What every act is asked with."""

    document_id: UUID = Field(
        default_factory=new_key,
        description="Made by the client (UUIDv7 is best): the key under which a repeat is known",
    )
    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    remarks: Words | None = None
    attachments: Annotated[tuple[Digest, ...], Field(max_length=20), LATER] = Field(
        (), description="SHA-256 of photos and scans that belong to it, stored before", examples=[[]]
    )

    def content_hash(self, asked: str) -> bytes:
        """SHA-256 of the validated request and the act it asks for as canonical JSON."""
        return sha256(canonical({"act": asked, **self.model_dump(mode="json", exclude={"document_id"})})).digest()


class FactRequest(Request):
    """An act that may also come as a fact: from paper, or, where the act allows it, from a weapon in hand."""

    paper: Paper | None = Field(None, description="Key a paper voucher: what it says happened, and is not refused")

    _signed: ClaimedNumber | None = PrivateAttr(None)

    def signed_by_device(self, claim: ClaimedNumber) -> Self:
        """The same request as a device signed it. Nobody can ask so: it is no field."""
        signed = self.model_copy()
        signed._signed = claim
        return signed

    @property
    def claim(self) -> ClaimedNumber | None:
        """The number that it brings along; None: it is asked for at a counter."""
        if self._signed is not None:
            return self._signed
        return ClaimedNumber.of_paper(self.paper) if self.paper is not None else None

    def content_hash(self, asked: str) -> bytes:
        """SHA-256 of the request as canonical JSON; of what a device wrote: of the bytes that it signed."""
        if self._signed is not None and self._signed.content_hash is not None:
            return self._signed.content_hash
        return super().content_hash(asked)


class ItemLine(Asked):
    """One line of a voucher: a weapon as scanned or typed; or a quantity of what is counted, by its model."""

    item: UUID | None = Field(None, description="The item's key, where the client knows it")
    scan: Scan | None = Field(
        None, description="Asset tag, serial number or UII as scanned or typed", examples=["SP-000001-K"]
    )
    model: Code | None = Field(
        None,
        description="Of what is counted, without item or scan: its model's name or alias. Beside a scan: the model, "
        "where a serial number alone means several weapons",
    )
    quantity: Quantity = Field(1, description="For what is counted, not serialised")
    lot: Annotated[Code | None, LATER] = Field(None, description="With a model tracked by lot: which lot")
    how: Annotated[HowEntered | None, LATER] = Field(
        None, description="How it was entered at the counter; the document keeps it"
    )

    @model_validator(mode="after")
    def _names_one(self) -> ItemLine:
        if self.item is not None and self.scan is not None:
            raise ValueError(sentence("give either item or scan"))
        if self.item is None and self.scan is None and self.model is None:
            raise ValueError(sentence("give a scan, or of what is counted its model"))
        if self.lot is not None and not self.by_model:
            raise ValueError(sentence("a lot goes with a model, not with item or scan"))
        return self

    @property
    def by_model(self) -> bool:
        """Whether it names what is counted by its model alone."""
        return self.item is None and self.scan is None

    @property
    def named(self) -> str:
        """The weapon, or what is counted, as the clerk named it."""
        if self.by_model:
            return f"{self.model}, lot {self.lot}" if self.lot else self.model or ""
        return self.scan if self.scan is not None else str(self.item)


class ConditionLine(ItemLine):
    """A line that also says in what condition the weapon is."""

    condition: Condition | None = None


def entered_on_lines(lines: Iterable[Asked]) -> dict[str, list[int]] | None:
    """The numbers of lines by how each was entered, as a document's details have them; None where no line says so."""
    entered: dict[str, list[int]] = {}
    for number, line in enumerate(lines, 1):
        how = getattr(line, "how", None)
        if how is not None:
            entered.setdefault(how, []).append(number)
    return entered or None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a document is written: the connection, who writes, at which site, in which book, and who approved."""

    connection: Connection
    actor: Actor
    site: Site
    act: Act
    book_code: str
    content_hash: bytes
    approved_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document about to be posted. `happened_at` None means now: a command."""

    document_id: UUID
    act: Act
    signatories: dict[str, UUID]
    details: dict[str, Any] = field(default_factory=dict)
    happened_at: datetime | None = None
    precision: Precision = Precision.SECOND
    fact: bool = False
    undo: bool = False
    clock_offset: timedelta = timedelta(0)
    claim: ClaimedNumber | None = None
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedDiscrepancy:
    """A discrepancy as the answer names it."""

    discrepancy_id: UUID
    kind: str
    item_id: UUID | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer to a posting, the same for ever."""

    document_id: UUID
    number: str
    act: str
    fact: bool
    happened_at: datetime
    recorded_at: datetime
    lines: int
    quantity: int
    leaf: str
    discrepancy_count: int
    discrepancies: tuple[OpenedDiscrepancy, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """How a request came to be written: asked for now, keyed from paper, signed by a device, or from a weapon in hand."""

    request: Request
    happened_at: datetime | None
    precision: Precision
    fact: bool
    claim: ClaimedNumber | None = None
    clock_offset: timedelta = timedelta(0)

    @classmethod
    def of(cls, request: Request, in_hand: bool = False) -> Writing:
        """The writing of a request. A claimed time is never later than now (invariant 5): how far the writer's clock was
        off is kept; of a paper, how far its time is ahead.

        Raises Invalid unless the paper's scan, and what is attached, are stored photos or scans: a fact comes with its
        evidence (DESIGN section 2).
        """
        need_evidence(
            request.attachments,
            "attachments",
            sentence("The document was not posted: what is attached is no evidence."),
        )
        claim = request.claim if isinstance(request, FactRequest) else None
        if claim is None:
            return cls(request, None, Precision.SECOND, in_hand)
        if claim.kind == "paper":
            need_evidence(
                [claim.evidence], "scan_sha256", sentence("The paper was not keyed: its scan is missing, or no scan.")
            )
        claimed, moment = claim.happened_at, now()
        offset = max(claimed - moment, timedelta(0)) if claim.clock_offset is None else claim.clock_offset
        return cls(request, min(claimed, moment), claim.precision, True, claim, offset)

    def document(self, desk: Desk, signatories: dict[str, UUID], details: dict[str, Any]) -> Document:
        """The document about to be posted; details that say nothing are left out."""
        given = {
            **details,
            "remarks": self.request.remarks,
            "entered_on_lines": entered_on_lines(getattr(self.request, "lines", ())),
            **(self.claim.details if self.claim else {}),
        }
        return Document(
            self.request.document_id,
            desk.act,
            signatories,
            {name: value for name, value in given.items() if value is not None},
            self.happened_at,
            self.precision,
            self.fact,
            clock_offset=self.clock_offset,
            claim=self.claim,
            attachments=self._attachments(),
        )

    def _attachments(self) -> tuple[str, ...]:
        """The digests of what the document rests on: the paper's scan or what the device signed, the list's file."""
        file = getattr(self.request, "file", None)
        first = (*((self.claim.evidence,) if self.claim else ()), *((file.sha256,) if file else ()))
        return tuple(dict.fromkeys((*first, *self.request.attachments)))


def not_understood(problem: ValidationError) -> Invalid:
    """The faults of a request that its form does not take."""
    faults = [
        Fault(
            _said(error),
            field=".".join(str(part) for part in error["loc"]) or None,
            value=str(error["input"])[:100] if error["loc"] else None,
        )
        for error in problem.errors(include_url=False)
    ]
    return Invalid(sentence("The input has mistakes."), faults)


def _said(error: ErrorDetails) -> str:
    """Pydantic's message; of a check of ours the sentence in it."""
    problem = error.get("ctx", {}).get("error")
    if error["type"] == "value_error" and isinstance(problem, Exception):
        return sentence("Value error, {problem}", problem=words_of(problem))
    return error["msg"]


def full_number(site_code: str, book_code: str, year: int, number: int) -> str:
    """A document's number as people write it, e.g. TAJI/B/2026/41."""
    return f"{site_code}/{book_code}/{year}/{number}"


_ANSWER = """
SELECT d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.happened_at, d.recorded_at, d.line_count,
       d.quantity, d.leaf, d.content_hash
FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id
WHERE d.document_id = %s
"""

_OPENED = """
SELECT discrepancy_id, kind, item_id, line, count(*) OVER () AS of_all
FROM discrepancy WHERE document_id = %s AND opened_at = %s ORDER BY discrepancy_id LIMIT %s
"""
"""What was opened with the document, at its own recorded moment; what was found about it later is no part of its answer."""


def answer_if_posted(connection: Connection, document_id: UUID, content_hash: bytes | None) -> Posted | None:
    """The first answer again, if this document was posted before.

    Raises PostedWithOtherContent when it was, with another content than `content_hash`.
    """
    row = connection.exec_driver_sql(_ANSWER, (document_id,)).one_or_none()
    if row is None:
        return None
    if content_hash is not None and bytes(row[12]) != content_hash:
        raise PostedWithOtherContent(
            sentence(
                "Document {document_id} was posted before with other content, as {number}. Take a new "
                "document id for a new document.",
                document_id=document_id,
                number=full_number(*row[1:5]),
            )
        )
    opened = connection.exec_driver_sql(_OPENED, (document_id, row[8], DISCREPANCIES_IN_ANSWER)).all()
    return Posted(
        document_id=row[0],
        number=full_number(*row[1:5]),
        act=row[5],
        fact=row[6],
        happened_at=row[7],
        recorded_at=row[8],
        lines=row[9],
        quantity=row[10],
        leaf=bytes(row[11]).hex(),
        discrepancy_count=opened[0].of_all if opened else 0,
        discrepancies=tuple(OpenedDiscrepancy(*found[:4]) for found in opened),
    )


def numbers_of(connection: Connection, document_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The full numbers of documents; those of another site are absent."""
    rows = connection.exec_driver_sql(
        """SELECT d.document_id, s.code, b.code, b.year, d.number
           FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id WHERE d.document_id = ANY (%s)""",
        (list(document_ids),),
    )
    return {row[0]: full_number(*row[1:]) for row in rows}


def answer(connection: Connection, document_id: UUID) -> Posted:
    """The answer a posted document got; NotFound if there is no such document in the reader's scope."""
    found = answer_if_posted(connection, document_id, None)
    if found is None:
        raise NotFound(sentence("There is no document {document_id} here.", document_id=document_id))
    return found


def now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)
