"""What a holder reports of the weapons it has, to their donor: held, expended or lost, with the day and evidence. It is kept as it was
said, as a statement with its leaf and as a register, and compared with the ledger at the end of that day. Nothing of it moves custody:
what the books say otherwise is a discrepancy, mended by the act that it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Connection, Engine

from stockpile import discrepancies
from stockpile.db import roles
from stockpile.db.engine import connected, nobody_erased, take_role
from stockpile.db.rows import as_copied
from stockpile.discrepancies import Contradiction
from stockpile.discrepancies import Kind as Contradicts
from stockpile.documents import Asked, Code, Digest, ItemLine, Scan, Words, now
from stockpile.donors.statements import Said, StatementKind, StatementWritten, said_already, say, signer_of
from stockpile.donors.visit_findings import DIFFERS, READ_AGAIN, LineFound, add_lines, called
from stockpile.errors import Fault, Invalid, NotAllowed
from stockpile.evidence import need_evidence
from stockpile.identity import serial_key
from stockpile.keys import new_key
from stockpile.movements import HELD, AccountClass
from stockpile.parties import need_party
from stockpile.registers.count_findings import Kind, Stood, stood_when
from stockpile.registers.counts import of_unit
from stockpile.registers.keep import Beside, KeptRow, Register, keep_rows
from stockpile.registers.mapping import mapping_of
from stockpile.rights import REPORT_DISPOSITIONS, Actor, require
from stockpile.scans import candidates
from stockpile.sentences import sentence
from stockpile.sites import Site

REGISTER = "disposition report"
HEADINGS = ("scan", "model", "reported", "on", "evidence", "remarks")
MAPPING = mapping_of({"serial_number": "scan", "model": "model", "date": "on"})


class DispositionLine(Asked):
    """What became of a weapon, as its holder says."""

    scan: Scan = Field(description="Asset tag, serial number or UII", examples=["FA 1044"])
    model: Code | None = Field(None, description="The model, where a serial number means several weapons")
    state: Literal["held", "expended", "lost"] = Field(examples=["held"])
    on: date = Field(description="Of which day it is said", examples=["2026-12-01"])
    evidence: Annotated[tuple[Digest, ...], Field(max_length=10)] = Field(
        (), description="SHA-256 of stored photos and papers", examples=[[]]
    )
    remarks: Words | None = None


class ReportDispositions(Asked):
    """Report to a donor what a unit of the own site has of its weapons, and what became of the others."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    donor: Code = Field(examples=["USA"])
    number: Code = Field(description="Your number of the report", examples=["1COY-2026-12"])
    unit: Code = Field(description="Whose report it is: the unit's code", examples=["1COY"])
    lines: Annotated[tuple[DispositionLine, ...], Field(min_length=1, max_length=2_000)] = Field(
        examples=[[{"scan": "FA 1044", "state": "held", "on": "2026-12-01"}]]
    )
    remarks: Words | None = None


@dataclass(frozen=True, slots=True)
class _Reported:
    """A line with what it means and where the ledger had it at the end of its day."""

    line: int
    said: DispositionLine
    meant: Sequence[UUID]
    again_of: int | None
    at: Stood | None
    finding: str

    @property
    def item_id(self) -> UUID | None:
        return self.meant[0] if len(self.meant) == 1 else None


def report_dispositions(engine: Engine, actor: Actor, request: ReportDispositions) -> StatementWritten:
    """Keeps a holder's report and opens what the books say otherwise. Raises NotAllowed, NotFound, Invalid (donor, unit, a day to come,
    evidence), PostedWithOtherContent.
    """
    require(actor, REPORT_DISPOSITIONS)
    if actor.site is None:
        raise NotAllowed(sentence("A holder reports at its depot."))
    site = actor.site
    with connected(engine) as connection:
        take_role(connection, roles.POSTER, site.site_id)
        nobody_erased(connection)
        donor_id = need_party(connection, "donor", request.donor, "donor").party_id
        content = request.model_dump(mode="json", exclude={"statement_id", "donor", "number"}, exclude_none=True)
        content["day"] = max(line.on for line in request.lines).isoformat()
        said = Said(request.statement_id, donor_id, StatementKind.DISPOSITIONS, request.number, content, site.site_id)
        known = said_already(connection, said)
        if known is not None:
            return known
        _check(site, request)
        reported = list(_compare(connection, site, donor_id, request))
        written = say(connection, actor, signer_of(connection, actor), said)
        lines = (
            LineFound(
                one.line, one.said.scan, one.item_id, one.finding, one.at.account_class if one.at else None,
                one.at.site_id if one.at else None, one.said.state, one.said.on,
            )
            for one in reported
        )  # fmt: skip
        add_lines(connection, written.statement_id, donor_id, site.site_id, lines)
        name = f"{request.number} of {request.unit} to {request.donor}"
        register = Register(
            REGISTER, name, site.site_id, None, now(), HEADINGS, donor_id, source=site.code, mapping=MAPPING
        )
        keep_rows(connection, actor.party_id, register, map(_row, reported))
        found = list(_contradictions(connection, donor_id, name, reported))
        discrepancies.open_all(connection, site, None, now(), found, register.register_id)
        return written


def _check(site: Site, request: ReportDispositions) -> None:
    today = site.local_day(now())
    faults = [
        Fault(sentence("is still to come"), number, "on", str(line.on))
        for number, line in enumerate(request.lines, 1)
        if line.on > today
    ]
    if faults:
        raise Invalid(sentence("Nothing was reported: see the lines below."), faults)
    digests = dict.fromkeys(digest for line in request.lines for digest in line.evidence)
    need_evidence(digests, "evidence", sentence("Nothing was reported: what is attached is no evidence."))


def _compare(connection: Connection, site: Site, donor_id: UUID, request: ReportDispositions) -> Iterator[_Reported]:
    moment = now()
    own = frozenset(of_unit(connection, site, request.unit, moment).accounts)
    asked = [ItemLine(scan=line.scan, model=line.model) for line in request.lines]
    meant = candidates(connection, asked, donor_id)
    known = [
        (items[0], _end_of(site, line.on, moment))
        for line, items in zip(request.lines, meant, strict=True)
        if len(items) == 1
    ]
    stood = iter(stood_when(connection, known))
    first: dict[UUID | str, int] = {}
    for number, (line, items) in enumerate(zip(request.lines, meant, strict=True), 1):
        at = next(stood) if len(items) == 1 else None
        key = items[0] if len(items) == 1 else line.scan
        before = first.setdefault(key, number)
        again_of = before if before != number else None
        yield _Reported(number, line, items, again_of, at, READ_AGAIN if again_of else _finding(line, items, at, own))


def _end_of(site: Site, day: date, latest: datetime) -> datetime:
    """The last moment of a day on the site's wall, or now."""
    after = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(site.time_zone))
    return min(after - timedelta(microseconds=1), latest)


def _finding(line: DispositionLine, items: Sequence[UUID], at: Stood | None, own: frozenset[UUID]) -> str:
    if len(items) != 1:
        return str(Kind.UNCLEAR if items else Kind.UNEXPECTED)
    stands = at.account_class if at else None
    agrees = {
        "held": at is not None and at.account_id in own and stands in HELD,
        "expended": stands is AccountClass.EXPENDED,
        "lost": stands in (AccountClass.MISSING, AccountClass.LOST),
    }[line.state]
    return str(Kind.MATCHED) if agrees else DIFFERS


def _row(one: _Reported) -> KeptRow:
    said = one.said
    cells = (said.scan, said.model or "", said.state, said.on.isoformat(), " ".join(said.evidence), said.remarks or "")
    if one.again_of is not None:
        return KeptRow(one.line, cells, f"the same weapon as line {one.again_of}", item_id=one.item_id)
    beside = Beside(model=said.model if one.meant else None, dated_on=said.on)
    return KeptRow(one.line, cells, None, (), one.item_id, said.scan, serial_key(said.scan) or None, as_copied(beside))


def _contradictions(
    connection: Connection, donor_id: UUID, report: str, reported: Sequence[_Reported]
) -> Iterator[Contradiction]:
    names = called(connection, {one.item_id for one in reported if one.item_id is not None})
    for one in reported:
        about = (one.item_id, donor_id, one.line)
        seen = f"{one.said.state} on {one.said.on}, as {report} says"
        if one.finding == DIFFERS and one.item_id is not None:
            where = f"on {one.at.words}" if one.at else "not in the books then"
            yield Contradiction(Contradicts.REPORTED_OTHERWISE, f"{names[one.item_id]} {where}", seen, *about)
        elif one.finding == Kind.UNEXPECTED:
            books = "no weapon of this donor bears it"
            yield Contradiction(Contradicts.REPORTED_OTHERWISE, books, f"{one.said.scan!r} {seen}", *about)
