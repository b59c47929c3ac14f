"""Visits of a donor's inspectors: planned, done, refused. Each is a statement of the donor, kept as it was said with a leaf of the log;
what was read becomes a register, compared with the ledger at each line's own moment by the engine of counts. Nothing moves custody.

What differs, and a refusal, are discrepancies of the site, which both sides see. The host answers in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile import discrepancies
from stockpile.db import roles
from stockpile.db.engine import at_one_moment, connected, for_sums, nobody_erased, take_role, transaction
from stockpile.discrepancies import Contradiction
from stockpile.discrepancies import Kind as Contradicts
from stockpile.documents import Asked, Code, Digest, Words, now
from stockpile.donors.files import need_own_file
from stockpile.donors.physical_security import SecurityAnswer, need_points
from stockpile.donors.statements import (
    VISITS,
    Clause,
    Said,
    Signer,
    StatementKind,
    StatementWritten,
    need_statement,
    said_already,
    say,
    signer_of,
    speaking,
)
from stockpile.donors.visit_findings import add_lines, compare_visit, contradictions, lines_found
from stockpile.donors.visit_lists import (
    HEADINGS,
    MAPPING,
    MOST_LINES,
    Moment,
    Read,
    VisitLine,
    as_rows,
    read_visit_lines,
)
from stockpile.errors import Fault, Invalid, NotAllowed, Refused
from stockpile.evidence import why_no_evidence
from stockpile.keys import new_key
from stockpile.registers.count_findings import Finding
from stockpile.registers.keep import KeptRow, Register, keep_rows
from stockpile.registers.listing import ListFile
from stockpile.reports.inspections import INSPECTION
from stockpile.rights import ANSWER_VISITS, MONITOR, Actor, reading, require
from stockpile.sentences import sentence
from stockpile.sites import Site, find_site, find_store

MOST_FILES = 50
SOURCE = "end-use monitoring"
REFUSAL = "refused visit"
"""The kind of the register that says what was refused."""

Level = Literal["routine", "enhanced"]
Inspectors = Annotated[tuple[Words, ...], Field(min_length=1, max_length=50)]


class EvidenceFile(Asked):
    """A photo or paper that the donor stored."""

    sha256: Digest = Field(description="SHA-256 of the file that you stored", examples=["9f" * 32])
    name: Code = Field(examples=["side-door.jpg"])


Evidence = Annotated[tuple[EvidenceFile, ...], Field(max_length=MOST_FILES)]


class PlanVisit(Asked):
    """Say when inspectors come. Said again under the same number it is the new plan."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    number: Code = Field(description="Your number of the visit", examples=["EUM-2026-4"])
    site: Code = Field(description="The depot", examples=["TAJI"])
    store: Code | None = Field(None, description="Only this store", examples=[None])
    level: Level = Field("enhanced", description="enhanced: every serial number is read")
    planned_on: date = Field(examples=["2026-12-15"])
    inspectors: Inspectors = Field(description="Who comes", examples=[["Maj. Ana Reyes"]])
    notes: Clause | None = Field(None, examples=["We bring our own scanner."])


class RecordVisit(Asked):
    """What inspectors saw at a visit."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    number: Code = Field(description="Your number of the visit, planned before or not", examples=["EUM-2026-4"])
    site: Code = Field(description="The depot", examples=["TAJI"])
    store: Code | None = Field(
        None, description="Only this store was visited; left out: all that is in hands at the depot", examples=[None]
    )
    level: Level = "enhanced"
    began_at: Moment = Field(examples=["2026-12-15T09:00:00+03:00"])
    ended_at: Moment = Field(examples=["2026-12-15T15:30:00+03:00"])
    inspectors: Inspectors = Field(examples=[["Maj. Ana Reyes"]])
    lines: Annotated[tuple[VisitLine, ...], Field(max_length=MOST_LINES)] = Field(
        (), description="What was read, keyed or scanned"
    )
    file: ListFile | None = Field(None, description="What was read, as a list that you stored: CSV or XLSX")
    complete: bool = Field(
        False,
        description="All your weapons under enhanced monitoring that the books have there were to be shown: what nobody read is missing",
    )
    physical_security: Annotated[tuple[SecurityAnswer, ...], Field(max_length=100)] = Field(
        (), description="The check of the store, by the points of GET /v1/physical-security"
    )
    evidence: Evidence = Field((), examples=[[]])
    notes: Clause | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lines and self.file is not None:
            raise ValueError(sentence("give either lines or a file"))
        if self.ended_at < self.began_at:
            raise ValueError(sentence("it ended before it began"))
        if self.complete and self.level != "enhanced":
            raise ValueError(sentence("every serial number is shown at an enhanced visit: say that it was one"))
        return self


class RefuseVisit(Asked):
    """Say that a visit was refused: inspectors were not let in, or not shown what they asked for."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    number: Code = Field(description="Your number of the visit, planned before or not", examples=["EUM-2026-4"])
    site: Code = Field(examples=["TAJI"])
    level: Level = "enhanced"
    refused_on: date = Field(examples=["2026-12-15"])
    refused_by: Words = Field(description="Who refused it, and in which office", examples=["The depot's duty officer"])
    why: Words = Field(description="The reason that was given", examples=["No clearance from the ministry"])
    inspectors: Inspectors = Field(examples=[["Maj. Ana Reyes"]])
    evidence: Evidence = Field((), examples=[[]])
    notes: Clause | None = None


class AnswerVisit(Asked):
    """What the host says to a visit, or to a plan of one."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: of the answer")
    words: Clause = Field(examples=["FA 1044 is at ERBIL for repair; the side door has a new lock since yesterday."])


def plan_visit(engine: Engine, actor: Actor, request: PlanVisit) -> StatementWritten:
    """Says when inspectors come. Raises NotAllowed, NotFound (site), Invalid (store), Refused (the visit was done or refused),
    PostedWithOtherContent.
    """
    donor_id = need_inspecting(actor)
    with visiting(engine, actor, request.site) as (connection, site, signer):
        if request.store is not None:
            find_store(connection, site, request.store)
        content = {**_content(request), "day": request.planned_on.isoformat()}
        said = Said(request.statement_id, donor_id, StatementKind.PLANNED_VISIT, request.number, content, site.site_id)
        as_donor(connection, actor)
        return _known_or_new(connection, said) or say(connection, actor, signer, said)


def refuse_visit(engine: Engine, actor: Actor, request: RefuseVisit) -> StatementWritten:
    """Keeps that a visit was refused: an alarm of the site. Raises NotAllowed, NotFound (site), Invalid (evidence, a day to come),
    Refused (the visit was done or refused), PostedWithOtherContent.
    """
    donor_id = need_inspecting(actor)
    with visiting(engine, actor, request.site) as (connection, site, signer):
        content = {**_content(request), "day": request.refused_on.isoformat()}
        said = Said(request.statement_id, donor_id, StatementKind.REFUSED_VISIT, request.number, content, site.site_id)
        as_donor(connection, actor)
        known = _known_or_new(connection, said)
        if known is not None:
            return known
        _need_past("refused_on", request.refused_on > site.local_day(now()))
        _need_files(connection, donor_id, request.evidence)
        written = say(connection, actor, signer, said)
        take_role(connection, roles.POSTER, site.site_id)
        donor = _code_of(connection, donor_id)
        headings = ("visit", "donor", "day", "refused by", "why")
        cells = (request.number, donor, request.refused_on.isoformat(), request.refused_by, request.why)
        register = Register(REFUSAL, f"{request.number} of {donor}", site.site_id, None, now(), headings, donor_id)
        keep_rows(connection, actor.party_id, register, [KeptRow(1, cells)])
        seen = f"visit {request.number} of {donor} on {request.refused_on}: refused"
        found = Contradiction(Contradicts.VISIT_REFUSED, f"visit {request.number} of {donor}", seen, donor_id=donor_id)
        discrepancies.open_all(connection, site, None, now(), [found], register.register_id)
        return written


def record_visit(engine: Engine, actor: Actor, request: RecordVisit) -> StatementWritten:
    """Keeps what inspectors saw, compares it with the ledger at each line's moment, and opens what differs.

    Raises NotAllowed, NotFound (site, file), UnreadableFile, Invalid (store, lines, times, evidence, points of the check), Refused (the
    visit was done or refused), PostedWithOtherContent.
    """
    donor_id = need_inspecting(actor)
    with reading(engine, actor) as connection:
        site = find_site(connection, request.site)
    day = site.local_day(request.began_at)
    content = {**_content(request), "day": day.isoformat()}
    said = Said(request.statement_id, donor_id, StatementKind.VISIT, request.number, content, site.site_id)
    with reading(engine, actor) as connection:
        known = said_already(connection, said)
        if known is not None:
            return known
        _need_past("ended_at", request.ended_at > now())
        need_points(request.physical_security)
        _need_files(connection, donor_id, request.evidence)
        if request.file is not None:
            need_own_file(connection, donor_id, request.file.sha256, "file.sha256")
    read = read_visit_lines(site, request.lines, request.file, request.began_at, request.ended_at)
    with transaction(at_one_moment(engine), roles.POSTER, site.site_id) as connection:
        for_sums(connection)
        found = compare_visit(
            connection, site, donor_id, request.store, request.began_at, request.ended_at, request.complete, read
        )
    with visiting(engine, actor, request.site) as (connection, _, signer):
        as_donor(connection, actor)
        known = _known_or_new(connection, said)
        if known is not None:
            return known
        written = say(connection, actor, signer, said)
        add_lines(connection, written.statement_id, donor_id, site.site_id, lines_found(read, found))
        take_role(connection, roles.POSTER, site.site_id)
        _keep_what_was_read(connection, actor, site, said, request, read, found)
        return written


def answer_visit(engine: Engine, actor: Actor, statement_id: UUID, request: AnswerVisit) -> StatementWritten:
    """The host's words to a visit, a refusal or a plan. Raises NotAllowed, NotFound, Refused (answered already)."""
    require(actor, ANSWER_VISITS)
    with speaking(engine, actor) as (connection, signer):
        kept = need_statement(connection, statement_id)
        if kept.kind not in VISITS or kept.kind is StatementKind.DISPOSITIONS:
            raise NotAllowed(sentence("Only a donor's visit is answered so."))
        said = Said(
            request.statement_id, kept.donor_id, StatementKind.ANSWERED, kept.reference, {"words": request.words}, kept.site_id,
            statement_id,
        )  # fmt: skip
        return say(connection, actor, signer, said)


def need_inspecting(actor: Actor) -> UUID:
    """The donor whose inspectors somebody speaks for. Raises NotAllowed."""
    require(actor, MONITOR)
    if actor.donor_id is None:
        raise NotAllowed(sentence("Only a donor tells this."))
    return actor.donor_id


@contextmanager
def visiting(engine: Engine, actor: Actor, site_code: str) -> Iterator[tuple[Connection, Site, Signer]]:
    """A transaction in the name of a site, with who speaks: what follows from a visit is opened at its site. Raises NotFound."""
    with connected(engine) as connection:
        take_role(connection, roles.POSTER)
        nobody_erased(connection)
        site = find_site(connection, site_code)
        take_role(connection, roles.POSTER, site.site_id)
        yield connection, site, signer_of(connection, actor)


def as_donor(connection: Connection, actor: Actor) -> None:
    """From here on a donor's own role: its policies say what it may add."""
    take_role(connection, actor.database_role, None, actor.donor_id)


def _content(request: Asked) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude={"statement_id", "number", "site"}, exclude_none=True)


def _known_or_new(connection: Connection, said: Said) -> StatementWritten | None:
    """The first answer to what was said before. Raises Refused: of this number a visit was done or refused."""
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"visit {said.donor_id} {said.reference}",)
    )
    known = said_already(connection, said)
    if known is not None:
        return known
    over = connection.exec_driver_sql(
        "SELECT kind FROM donor_statement WHERE donor_id = %s AND reference = %s AND kind IN ('visit', 'refused visit')",
        (said.donor_id, said.reference),
    ).scalar()
    if over is not None:
        happened = sentence("done") if over == StatementKind.VISIT else sentence("refused")
        raise Refused(
            sentence(
                "Visit {number} was {happened} already: take a new number.", number=said.reference, happened=happened
            )
        )
    return None


def _need_past(field: str, to_come: bool) -> None:
    if to_come:
        raise Invalid(
            sentence("The visit was not kept: see the fields marked below."),
            [Fault(sentence("is still to come"), field=field)],
        )


def _need_files(connection: Connection, donor_id: UUID, evidence: Sequence[EvidenceFile]) -> None:
    for file in evidence:
        need_own_file(connection, donor_id, file.sha256, "evidence")
    faults = [
        Fault(why, field="evidence", value=file.name)
        for file in evidence
        if (why := why_no_evidence(file.sha256)) is not None
    ]
    if faults:
        raise Invalid(sentence("The visit was not kept: what is attached is no evidence."), faults)


def _code_of(connection: Connection, donor_id: UUID) -> str:
    return str(connection.exec_driver_sql("SELECT code FROM party WHERE party_id = %s", (donor_id,)).scalar_one())


def _keep_what_was_read(
    connection: Connection,
    actor: Actor,
    site: Site,
    said: Said,
    request: RecordVisit,
    read: Sequence[Read],
    found: Sequence[Finding],
) -> None:
    """What was read as a register of inspections, and what differs as discrepancies under it."""
    if not read and not found:
        return
    visit = f"{request.number} of {_code_of(connection, said.donor_id)}"
    register = Register(
        INSPECTION,
        visit,
        site.site_id,
        request.file,
        request.ended_at,
        HEADINGS,
        said.donor_id,
        source=SOURCE,
        mapping=MAPPING,
    )
    keep_rows(connection, actor.party_id, register, sorted(as_rows(site, read), key=lambda row: row.number))
    differences = list(contradictions(connection, said.donor_id, f"visit {visit}", read, found))
    discrepancies.open_all(connection, site, None, now(), differences, register.register_id)
