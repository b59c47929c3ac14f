"""Consignments as their donor declares them: the list is staged as it came, with its leaf, and read at once, so that the donor hears which
rows can't be read. It enters the books when the host accepts it, as an ordinary shipping list.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile.acts.declare import DECLARE, Declare
from stockpile.acts.perform import perform
from stockpile.documents import Asked, Code, Posted, Words
from stockpile.donors.certificates import need_certificate, need_donor
from stockpile.donors.files import need_own_file
from stockpile.donors.staged import SettledRow, as_content, as_file
from stockpile.donors.statements import (
    Kept,
    Said,
    StatementKind,
    StatementWritten,
    need_statement,
    said_already,
    say,
    speaking,
)
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.registers import listing
from stockpile.registers.keep import cells_json, lines_digest
from stockpile.registers.listing import ROWS_IN_MESSAGE, Listed, ListFile, ListLine, Read
from stockpile.rights import ANSWER_DONORS, Actor, reading, require
from stockpile.sentences import sentence
from stockpile.sites import Site, find_site

MOST_ROWS = 100_000


class DeclareConsignment(Asked):
    """Declare a consignment to the host: the shipping list, typed in or as a file that you stored."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    site: Code = Field(description="The depot that it is for", examples=["TAJI"])
    reference: Code = Field(description="Your number of the consignment", examples=["FMS-2026-117"])
    end_user_certificate: Code | None = Field(
        None, description="The number of the one that binds it", examples=["EUC-2026-8"]
    )
    carrier: Words | None = Field(None, examples=["Sea line"])
    route: Words | None = Field(None, examples=["Norfolk, Umm Qasr, Taji"])
    shipped_on: date | None = Field(None, description="Leaves, or left, on this day", examples=["2026-11-20"])
    expected_on: date | None = Field(None, examples=["2026-12-20"])
    remarks: Words | None = None
    lines: Annotated[tuple[ListLine, ...], Field(max_length=500)] = ()
    file: ListFile | None = None

    @model_validator(mode="after")
    def _one_list(self) -> DeclareConsignment:
        if bool(self.lines) == (self.file is not None):
            raise ValueError(sentence("give either lines or a file"))
        if self.shipped_on is not None and self.expected_on is not None and self.expected_on < self.shipped_on:
            raise ValueError(sentence("it is expected before it leaves"))
        return self


class AcceptDeclaration(Asked):
    """Take a declaration into the books, settling what only the host can."""

    document_id: UUID = Field(default_factory=new_key, description="Made by the client: of the shipping list posted")
    settled: Annotated[tuple[SettledRow, ...], Field(max_length=500)] = Field(
        (), examples=[[{"row": 17, "distinguishing_mark": "notch on the stock"}]]
    )
    set_aside: bool = Field(False, description="Set aside all other rows that can't be taken")
    remarks: Words | None = None


@dataclass(frozen=True, slots=True)
class DeclaredModel:
    """How many of a model a list names, as the donor calls it; `model` is ours, None: nobody has said which it is."""

    called: str
    model: str | None
    lines: int
    quantity: int


@dataclass(frozen=True, slots=True)
class RowToSettle:
    """A row that waits for the host: why, and what stands in it."""

    row: int
    model: str
    serial_number: str | None
    why: str
    twin: bool


@dataclass(frozen=True, slots=True)
class ToSettle:
    """What the host finds in a declaration as the books stand now. `in_books`: numbers that the books have already: taken as twins."""

    models: tuple[DeclaredModel, ...]
    rows: tuple[RowToSettle, ...]
    rows_in_all: int
    in_books: int
    doubtful: int


def declare_consignment(engine: Engine, actor: Actor, request: DeclareConsignment) -> StatementWritten:
    """Stages a donor's declaration. Raises NotAllowed, NotFound (site, file), UnreadableFile, Invalid (columns, rows, certificate, number),
    PostedWithOtherContent.
    """
    donor_id = need_donor(actor)
    with reading(engine, actor) as connection:
        site = find_site(connection, request.site)
        if request.file is not None:
            need_own_file(connection, donor_id, request.file.sha256, "file.sha256")
    content = {
        **request.model_dump(
            mode="json", exclude={"statement_id", "site", "reference", "lines", "file"}, exclude_none=True
        ),
        **(_of_file(request.file) if request.file else _of_lines(request.lines)),
    }
    said = Said(request.statement_id, donor_id, StatementKind.DECLARATION, request.reference, content, site.site_id)
    with speaking(engine, actor) as (connection, signer):
        known = said_already(connection, said)
        if known is not None:
            return known
        _check_new(connection, said, request)
        return say(connection, actor, signer, said)


def _of_lines(lines: tuple[ListLine, ...]) -> dict[str, Any]:
    return {"line_count": len(lines), "quantity": sum(line.quantity for line in lines), "lines": as_content(lines)}


def _of_file(file: ListFile) -> dict[str, Any]:
    """What of a file is declared: its digest, how its columns are read, and a digest over its rows. Raises Invalid for rows that can't be
    read, unless they are set aside.
    """
    read = listing.listed_alone(file)
    rejected = [line for line in read.lines if line.reason]
    taken = [line for line in read.lines if not line.reason]
    _refuse_unreadable(file, read, rejected, taken)
    rows = sorted(read.lines, key=lambda line: line.row)
    assert read.mapping is not None
    told = file.model_copy(update=read.mapping.to_json())
    return {
        "line_count": len(taken),
        "quantity": sum(line.quantity for line in taken),
        "rows_set_aside": len(rejected),
        "file": as_file(told),
        "lines_digest": lines_digest((line.row, cells_json(line.cells)) for line in rows).hex(),
    }


def _refuse_unreadable(file: ListFile, read: Read, rejected: list[Listed], taken: list[Listed]) -> None:
    if len(read.lines) > MOST_ROWS:
        raise Invalid(
            sentence("Nothing was declared: more than {most} rows. Declare it in parts.", most=f"{MOST_ROWS:,}")
        )
    if rejected and not (file.set_aside and taken):
        rows = sorted(rejected, key=lambda line: line.row)[:ROWS_IN_MESSAGE]
        detail = sentence(
            "Nothing was declared: {count} of {in_all} rows cannot be read. Mend them, or set them aside.",
            count=len(rejected),
            in_all=len(read.lines),
        )
        cells = ("; ".join(filter(None, line.cells))[: listing.VALUE_IN_MESSAGE] or None for line in rows)
        raise Invalid(
            detail, [Fault(line.reason or "", line.row, value=value) for line, value in zip(rows, cells, strict=True)]
        )
    if not taken:
        raise Invalid(sentence("Nothing was declared: {file} has no rows.", file=file.name))


def _check_new(connection: Connection, said: Said, request: DeclareConsignment) -> None:
    """Of two declarations of one number at once, the second is told."""
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"declaration {said.donor_id} {said.reference}",)
    )
    if request.end_user_certificate is not None:
        need_certificate(connection, said.donor_id, request.end_user_certificate, "end_user_certificate")
    taken = connection.exec_driver_sql(
        """SELECT 1 FROM consignment WHERE donor_id = %(donor)s AND reference = %(reference)s
           UNION ALL
           SELECT 1 FROM donor_statement x WHERE donor_id = %(donor)s AND kind = 'declaration' AND reference = %(reference)s
             AND NOT EXISTS (SELECT FROM donor_statement a WHERE a.donor_id = x.donor_id AND a.answers = x.statement_id
                             AND a.kind = 'sent back')""",
        {"donor": said.donor_id, "reference": said.reference},
    ).first()
    if taken:
        fault = Fault(
            sentence("you declared a consignment of this number already"), field="reference", value=said.reference
        )
        raise Invalid(sentence("Nothing was declared."), [fault])


def accept_declaration(engine: Engine, actor: Actor, statement_id: UUID, request: AcceptDeclaration) -> Posted:
    """Takes a declaration into the books as a shipping list. Sent again it gets the first answer.

    Raises NotAllowed, NotFound, Refused (answered already), Invalid (rows not settled, a certificate that is not in force).
    """
    require(actor, ANSWER_DONORS)
    with reading(engine, actor) as connection:
        kept = need_statement(connection, statement_id, StatementKind.DECLARATION)
        site = _site_of(connection, kept)
        if kept.answered is None:
            _check_certificate(connection, kept)
    posted = perform(engine, actor, DECLARE, _posting(kept, site, request))
    assert isinstance(posted, Posted)
    return posted


def _posting(kept: Kept, site: Site, request: AcceptDeclaration) -> Declare:
    """The shipping list that a declaration becomes."""
    content = kept.content
    file = (
        {**content["file"], "set_aside": request.set_aside or bool(content["rows_set_aside"])}
        if "file" in content
        else None
    )
    return Declare.model_validate({
        "document_id": request.document_id, "site": site.code, "donor": kept.donor, "reference": kept.reference,
        "expected_on": content.get("expected_on"), "end_user_certificate": content.get("end_user_certificate"),
        "lines": content.get("lines") or (), "file": file, "declaration": kept.statement_id,
        "settled": [one.model_dump() for one in request.settled], "remarks": request.remarks,
    })  # fmt: skip


def _site_of(connection: Connection, kept: Kept) -> Site:
    code = connection.exec_driver_sql("SELECT code FROM site WHERE site_id = %s", (kept.site_id,)).scalar_one()
    return find_site(connection, code)


def _check_certificate(connection: Connection, kept: Kept) -> None:
    number = kept.content.get("end_user_certificate")
    if number is None:
        return
    in_force = connection.exec_driver_sql(
        """SELECT x.content->>'expires_on' FROM donor_statement x
           JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id AND a.kind = 'accepted'
           WHERE x.donor_id = %s AND x.kind = 'end-user certificate' AND x.reference = %s ORDER BY a.recorded_at DESC LIMIT 1""",
        (kept.donor_id, number),
    ).one_or_none()
    if in_force is None:
        fault = Fault(
            sentence("it waits for its own answer: accept it first"), field="end_user_certificate", value=number
        )
        raise Invalid(sentence("The declaration was not accepted: its end-user certificate is not in force."), [fault])


def to_settle(connection: Connection, kept: Kept) -> ToSettle:
    """What is to be settled of a declaration: models that nobody knows, twins within the list, rows that can't be read."""
    source = kept.donor
    if "file" in kept.content:
        rows = listing.listed_alone(ListFile.model_validate(kept.content["file"]))
    else:
        rows = listing.typed([ListLine.model_validate(line) for line in kept.content["lines"]])
    listed = listing.sort_out(connection, rows, source)
    named = Counter(
        (line.model_name, line.model.name if line.model else None) for line in rows.lines if line.model_name
    )
    pieces: Counter[str] = Counter()
    for line in rows.lines:
        pieces[line.model_name] += line.quantity
    waiting = sorted(listed.rejected, key=lambda line: line.row)
    return ToSettle(
        tuple(DeclaredModel(called, model, count, pieces[called]) for (called, model), count in named.most_common()),
        tuple(
            RowToSettle(line.row, line.model_name, line.serial_number, line.reason or "", line.twin_of is not None)
            for line in waiting[:500]
        ),
        len(waiting),
        sum(1 for line in listed.lines if line.identity in listed.known),
        sum(1 for line in listed.lines if line.doubts),
    )
