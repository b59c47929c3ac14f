"""A case from its opening to its end: who answers for it, what was looked into, how it should end, and the second person who ends it.

Nothing in a case is changed or taken back. What is closed stays closed: a new case takes it up again, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from psycopg.types.json import Json
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from stockpile.cases.evidence import Attachments, need_photos_or_scans
from stockpile.cases.parts import (
    Part,
    PartWritten,
    Proposal,
    Standing,
    need_open,
    stand_to_write,
    standing,
    write_part,
    written_before,
)
from stockpile.cases.subject import About, Subject, about
from stockpile.db.engine import connected
from stockpile.discrepancies import DAYS_TO_SETTLE
from stockpile.documents import Asked, Code, Words, now
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.notes import printable_lines
from stockpile.parties import need_party, read_party
from stockpile.reports.documents import document_named, number_of
from stockpile.rights import DESK, LEAD_CASES, RIGHTS, WRITE_CASES, Actor, reading, require
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls, find_site

Lines = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(printable_lines)
]
LATEST_DUE = date(2999, 12, 31)
Due = Annotated[date, Field(le=LATEST_DUE)]


class Outcome(StrEnum):
    """How a case ends."""

    FOUND = "found"
    CLERICAL = "clerical"
    LOSS_REPORT = "loss report"
    DISCIPLINARY = "disciplinary"


class OpenCase(Asked):
    """Open a case about something that must be explained."""

    case_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    title: Words = Field(examples=["Rifle missing at the monthly count"])
    subject: Subject = Field(examples=[{"weapon": "KT 449900"}])
    site: Code | None = Field(
        None, description="Site code; left out: where the subject is, or no site", examples=["TAJI"]
    )
    owner: Code | None = Field(
        None, description="Service number of who answers for it; left out: who opens it", examples=["C-1"]
    )
    due_on: Due | None = Field(None, description="Left out: in 30 days", examples=["2026-12-24"])
    text: Lines | None = Field(None, description="What is known so far")
    attachments: Attachments = ()
    reopens: UUID | None = Field(None, description="The closed case that it takes up again")


class AddKind(StrEnum):
    """What is added to a case while it is open."""

    NOTE = "note"
    STEP = "step"
    EVIDENCE = "evidence"


class AddPart(Asked):
    """Add to a case: a step of causative research, a note, evidence."""

    part_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    kind: AddKind = Field(description="step: what was looked into, and what was found", examples=["step"])
    text: Lines | None = Field(None, examples=["Looked through the armourer's cards of October: no entry"])
    attachments: Attachments = ()
    document: Code | None = Field(
        None, description="A document it speaks of: number or key", examples=["TAJI/B/2026/41"]
    )

    @model_validator(mode="after")
    def _says_something(self) -> AddPart:
        if self.kind is AddKind.EVIDENCE and not self.attachments:
            raise ValueError(sentence("evidence is a photo or a scan: attach it"))
        if self.kind is not AddKind.EVIDENCE and self.text is None:
            raise ValueError(sentence("say it in words: a {kind} has a text", kind=self.kind))
        return self


class AssignCase(Asked):
    """Say who answers for a case from now on, and until when."""

    part_id: UUID = Field(default_factory=new_key, description="Made by the client")
    owner: Code | None = Field(None, description="Service number; left out: as it is", examples=["C-1"])
    due_on: Due | None = Field(None, description="Left out: as it is", examples=["2026-12-24"])
    text: Lines | None = Field(None, description="Why")

    @model_validator(mode="after")
    def _changes_something(self) -> AssignCase:
        if self.owner is None and self.due_on is None:
            raise ValueError(sentence("say who answers for it from now on, or until when"))
        return self


class ProposeOutcome(Asked):
    """Say how a case should end. It takes a second person."""

    part_id: UUID = Field(default_factory=new_key, description="Made by the client")
    outcome: Outcome = Field(examples=["clerical"])
    text: Lines = Field(description="The cause", examples=["Keyed at the wrong counter, put right the day after"])
    document: Code | None = Field(
        None, description="The document that shows it; a loss report must be named", examples=["TAJI/B/2026/41"]
    )

    @model_validator(mode="after")
    def _names_the_loss_report(self) -> ProposeOutcome:
        if self.outcome is Outcome.LOSS_REPORT and self.document is None:
            raise ValueError(sentence("document: name the loss report, by its number"))
        return self


class AnswerProposal(Asked):
    """The second person's answer to how a case should end."""

    part_id: UUID = Field(default_factory=new_key, description="Made by the client")
    text: Lines | None = Field(None, description="In words; to decline takes them", examples=["Agreed"])


def open_case(engine: Engine, actor: Actor, request: OpenCase) -> PartWritten:
    """Opens a case. The same again gets the first answer.

    Raises NotAllowed, NotFound (what it is about), Invalid (owner, site, attachments, weapon), Refused (what it takes up again is not
    closed), PostedWithOtherContent.
    """
    require(actor, WRITE_CASES)
    content = _content(request, "case_id")
    with reading(engine, actor) as connection:
        known = written_before(connection, request.case_id, content)
        if known is not None:
            return known
        found = about(connection, actor, request.subject)
        site_id = _site(connection, actor, request, found)
        owner = need_party(connection, "person", request.owner, "owner").party_id if request.owner else actor.party_id
        _need_a_person(connection, owner)
        due = request.due_on or day_on_the_walls(connection, actor.time_zone) + timedelta(days=DAYS_TO_SETTLE)
        if request.reopens is not None and not standing(connection, request.reopens).closed:
            raise Refused(sentence("The case that it takes up again is open: go on there."))
    need_photos_or_scans(request.attachments)
    with connected(engine) as connection:
        stand_to_write(connection, actor)
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"cases of {site_id}",))
        known = written_before(connection, request.case_id, content)
        if known is not None:
            return known
        row = _new_row(connection, request, found, site_id)
        _insert(connection, row, request.case_id)
        part = Part(
            part_id=request.case_id, kind="opened", content_hash=content, text=request.text,
            attachments=request.attachments, owner_id=owner, due_on=due, opens=row, recorded_at=row["opened_at"],
        )  # fmt: skip
        return write_part(connection, actor, standing(connection, request.case_id), part)


def _site(connection: Connection, actor: Actor, request: OpenCase, found: About) -> UUID | None:
    """A desk's cases are its own site's; others' belong where their subject is, or where they are said to."""
    if actor.role in DESK:
        if request.site is not None and request.site.upper() != actor.site_code:
            raise NotAllowed(
                sentence("You open cases of {site} only, not of {wanted}.", site=actor.site_code, wanted=request.site)
            )
        return actor.site_id
    return find_site(connection, request.site).site_id if request.site is not None else found.site_id


def _need_a_person(connection: Connection, party_id: UUID) -> None:
    if read_party(connection, party_id).kind != "person":
        fault = Fault(sentence("a service number: who answers for it is a person"), field="owner")
        raise Invalid(sentence("No case was opened."), [fault])


def _new_row(connection: Connection, request: OpenCase, found: About, site_id: UUID | None) -> dict[str, Any]:
    number = connection.exec_driver_sql(
        "SELECT coalesce(max(number), 0) + 1 FROM case_file WHERE site_id IS NOT DISTINCT FROM %s", (site_id,)
    ).scalar_one()
    return {
        "case_id": request.case_id, "site_id": site_id, "number": number, "title": request.title,
        "subject": found.subject, "item_id": found.item_id, "discrepancy_id": found.discrepancy_id,
        "document_id": found.document_id, "register_id": found.register_id, "line": found.line,
        "party_id": found.party_id, "report": found.report, "reopens": request.reopens, "opened_at": now(),
    }  # fmt: skip


def _insert(connection: Connection, row: dict[str, Any], case_id: UUID) -> None:
    values = {**row, "report": Json(row["report"]) if row["report"] is not None else None}
    try:
        connection.exec_driver_sql(
            f"INSERT INTO case_file ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})",
            tuple(values.values()),
        )
    except IntegrityError as problem:
        if getattr(getattr(problem.orig, "diag", None), "constraint_name", None) != "case_file_pkey":
            raise
        raise PostedWithOtherContent(
            sentence("The id {case_id} is in use elsewhere. Take a new one.", case_id=case_id)
        ) from None


def add_part(engine: Engine, actor: Actor, case_id: UUID, request: AddPart) -> PartWritten:
    """Adds a step of causative research, a note or evidence. Raises NotAllowed, NotFound (case, document), Invalid (attachments),
    Refused (closed), PostedWithOtherContent.
    """
    need_photos_or_scans(request.attachments)

    def part(case: Standing, document_id: UUID | None, content: bytes) -> Part:
        return Part(
            part_id=request.part_id, kind=request.kind, content_hash=content, text=request.text,
            attachments=request.attachments, document_id=document_id,
        )  # fmt: skip

    return _write(engine, actor, WRITE_CASES, case_id, request, part, request.document)


def assign_case(engine: Engine, actor: Actor, case_id: UUID, request: AssignCase) -> PartWritten:
    """Makes a person answer for a case; who answers for it may hand it on, too. Raises NotAllowed, NotFound, Invalid (owner),
    Refused (closed), PostedWithOtherContent.
    """
    require(actor, WRITE_CASES)
    with reading(engine, actor) as connection:
        owner = need_party(connection, "person", request.owner, "owner").party_id if request.owner else None

    def part(case: Standing, document_id: UUID | None, content: bytes) -> Part:
        if actor.party_id != case.owner_id:
            require(actor, LEAD_CASES)
        return Part(
            part_id=request.part_id, kind="assigned", content_hash=content, text=request.text,
            owner_id=owner or case.owner_id, due_on=request.due_on or case.due_on,
        )  # fmt: skip

    return _write(engine, actor, WRITE_CASES, case_id, request, part)


def propose_outcome(engine: Engine, actor: Actor, case_id: UUID, request: ProposeOutcome) -> PartWritten:
    """The first person's part of the end. Raises NotAllowed, NotFound (case, document), Refused (closed, or another proposal waits),
    PostedWithOtherContent.
    """

    def part(case: Standing, document_id: UUID | None, content: bytes) -> Part:
        if case.proposal is not None:
            raise Refused(
                sentence(
                    "It is proposed already that case {case} ends as {outcome}: that waits for an answer.",
                    case=case.case,
                    outcome=case.proposal.outcome,
                )
            )
        return Part(
            part_id=request.part_id, kind="outcome proposed", content_hash=content, text=request.text,
            outcome=request.outcome, document_id=document_id,
        )  # fmt: skip

    return _write(engine, actor, WRITE_CASES, case_id, request, part, request.document)


def close_case(engine: Engine, actor: Actor, case_id: UUID, request: AnswerProposal) -> PartWritten:
    """The second person's part: the case ends as proposed. Raises NotAllowed (who proposed it, or answers for it), NotFound, Refused
    (closed, or nothing is proposed), PostedWithOtherContent.
    """

    def part(case: Standing, document_id: UUID | None, content: bytes) -> Part:
        proposal = _proposal(case)
        if proposal.proposed_by == actor.party_id:
            raise NotAllowed(sentence("You proposed this end yourself: it takes another person to close the case."))
        if actor.party_id in proposal.answer_for_it:
            raise NotAllowed(
                sentence("You answered for this case when its end was proposed, or do now: it takes another person.")
            )
        return Part(
            part_id=request.part_id, kind="closed", content_hash=content, text=request.text, of_part=proposal.part
        )

    return _write(engine, actor, LEAD_CASES, case_id, request, part)


def decline_outcome(engine: Engine, actor: Actor, case_id: UUID, request: AnswerProposal) -> PartWritten:
    """The second person does not agree, or the first takes it back: the case stays open. Raises NotAllowed, NotFound, Invalid (no
    words), Refused (closed, or nothing is proposed), PostedWithOtherContent.
    """
    if request.text is None:
        raise Invalid(sentence("Nothing was done: say why."), [Fault(sentence("say why"), field="text")])

    def part(case: Standing, document_id: UUID | None, content: bytes) -> Part:
        proposal = _proposal(case)
        if proposal.proposed_by != actor.party_id:
            require(actor, LEAD_CASES)
        return Part(
            part_id=request.part_id, kind="declined", content_hash=content, text=request.text, of_part=proposal.part
        )

    return _write(engine, actor, WRITE_CASES, case_id, request, part)


def may_close(actor: Actor, case: Standing) -> bool:
    """Whether the asker could be the second person who ends a case."""
    return (
        case.proposal is not None
        and not case.closed
        and actor.role in RIGHTS[LEAD_CASES]
        and actor.party_id != case.proposal.proposed_by
        and actor.party_id not in case.proposal.answer_for_it
    )


def _proposal(case: Standing) -> Proposal:
    if case.proposal is None:
        raise Refused(sentence("Nobody proposed how case {case} should end.", case=case.case))
    return case.proposal


Make = Callable[[Standing, UUID | None, bytes], Part]


def _write(
    engine: Engine, actor: Actor, right: str, case_id: UUID, request: Any, make: Make, document: str | None = None
) -> PartWritten:
    """Writes what `make` makes of the case as it stands, in the asker's scope."""
    require(actor, right)
    content = _content(request, "part_id", case_id)
    with reading(engine, actor) as connection:
        standing(connection, case_id)
        document_id = _document(connection, document)
    with connected(engine) as connection:
        stand_to_write(connection, actor)
        case = standing(connection, case_id, lock=True)
        known = written_before(connection, request.part_id, content)
        if known is not None:
            return known
        need_open(case)
        return write_part(connection, actor, case, make(case, document_id, content))


def _document(connection: Connection, named: str | None) -> UUID | None:
    if named is None:
        return None
    try:
        document_id = document_named(connection, named)
        number_of(connection, document_id)
    except NotFound as problem:
        raise Invalid(
            sentence("Nothing was written."), [Fault(problem.detail, field="document", value=named)]
        ) from None
    return document_id


def _content(request: Asked, key: str, case_id: UUID | None = None) -> bytes:
    """SHA-256 of the validated request and the case it is for, as canonical JSON."""
    content = request.model_dump(mode="json", exclude={key})
    return sha256(canonical({"case": str(case_id), "part": type(request).__name__, **content})).digest()
