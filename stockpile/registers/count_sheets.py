"""The lines of a count as they come: scanned, typed, or as the rows of a printed sheet that somebody keyed later. What they mean is
for `count_lines`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from hashlib import sha256
from typing import Annotated, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, model_validator
from sqlalchemy import Connection

from stockpile.catalogue import Model
from stockpile.documents import Asked, Code, Condition, Scan, of_a_book_year
from stockpile.errors import Invalid
from stockpile.identity import serial_key
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.registers import mapping
from stockpile.registers.columns import ListKind, columns_of, remember_columns
from stockpile.registers.listing import CONDITIONS, ListFile, opened_list, rejected, told_rows
from stockpile.registers.rejects import Reject
from stockpile.registers.seals import Seal
from stockpile.registers.values import day
from stockpile.rights import Actor
from stockpile.sentences import sentence, words_of
from stockpile.sites import Site

Moment = Annotated[AwareDatetime, AfterValidator(of_a_book_year)]
Number = Annotated[int, Field(ge=0, le=10_000_000)]
"""How many there are: none, too, is a count."""


class CountLine(Asked):
    """One line: a weapon as scanned or typed; so many of a model; or a container under an unbroken seal."""

    scan: Scan | None = Field(
        None, description="Asset tag, serial number or UII as scanned or typed", examples=["KT 449921"]
    )
    model: Code | None = Field(
        None, description="Of what is counted. Beside a scan: the model, where a serial number means several weapons"
    )
    quantity: Number | None = Field(None, description="Of a model: how many there are")
    lot: Code | None = Field(None, description="With a model tracked by lot: which lot")
    seal: Code | None = Field(None, description="The number on the unbroken seal of a container", examples=[None])
    entered: Literal["scanned", "typed", "sheet"] = Field(
        "scanned", description="sheet: keyed later from a printed one"
    )
    condition: Condition | None = None
    container: Code | None = Field(None, description="In which container it was", examples=["Crate 12"])
    counted_at: Moment | None = Field(
        None, description="When, with its offset from UTC; left out: as the batch says, else now"
    )
    counted_by: Code | None = Field(None, description="Service number of which counter, if there are several")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.seal is not None:
            if self.scan is not None or self.model is not None or self.quantity is not None or self.lot is not None:
                raise ValueError(sentence("a seal stands alone: its list says what is under it"))
        elif self.scan is not None:
            if self.quantity is not None or self.lot is not None:
                raise ValueError(sentence("a scan is one weapon: leave out quantity and lot"))
        elif self.model is None:
            raise ValueError(sentence("give a scan; or a model and how many; or a seal"))
        elif self.quantity is None:
            raise ValueError(sentence("say how many of {model} there are", model=self.model))
        return self


class SendLines(Asked):
    """Lines of a count: up to 500 as they are read, or a count sheet as a stored file of up to 500,000."""

    batch_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    lines: Annotated[tuple[CountLine, ...], Field(max_length=500)] = ()
    file: ListFile | None = Field(None, description="A printed count sheet, keyed as a file")
    counted_at: Moment | None = Field(None, description="When, of all lines that do not say so themselves")
    counted_by: Code | None = Field(None, description="By whom, of all lines that do not say so themselves")

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if bool(self.lines) == (self.file is not None):
            raise ValueError(sentence("give either lines or a file"))
        if self.file is not None and self.file.set_aside:
            raise ValueError(
                sentence("of a count sheet no row is set aside: mend those that can't be read, and send it again")
            )
        return self

    def content_hash(self) -> bytes:
        """SHA-256 of the validated request as canonical JSON."""
        return sha256(canonical({"count lines": self.model_dump(mode="json", exclude={"batch_id"})})).digest()


@dataclass(slots=True)
class Read:
    """A line about to be kept."""

    row: int
    line: CountLine
    doubts: tuple[str, ...] = ()
    counted_at: datetime | None = None
    counted_by: UUID | None = None
    item_id: UUID | None = None
    meant: list[UUID] = field(default_factory=list)
    model: Model | None = None
    seal: Seal | None = None
    again_of: int | None = None

    @property
    def entered(self) -> str:
        """How it came."""
        return "sealed" if self.seal else self.line.entered

    @property
    def key(self) -> UUID | str | None:
        """What tells that the same weapon was read: the weapon, or of an unknown one its number. None: it can't be told."""
        if self.item_id is not None:
            return self.item_id
        return serial_key(self.line.scan) or self.line.scan if self.line.scan is not None and not self.meant else None


SHEET = ListKind(
    "count sheet",
    ("asset_tag", "serial_number", "model", "quantity", "lot", "condition", "container", "seal", "date"),
    (frozenset({"asset_tag", "serial_number", "quantity", "seal"}),),
)


def read_lines(
    connection: Connection, actor: Actor, site: Site, request: SendLines
) -> tuple[list[Read], tuple[str, ...]]:
    """The lines of a request, or the rows of its file, with the headings; its columns are those of the site's sheets.

    Raises NotFound (file), UnreadableFile, Invalid (columns), RowsRejected.
    """
    file = request.file
    if file is None:
        return [Read(number, line) for number, line in enumerate(request.lines, 1)], ()
    read, rejects = [], []
    with opened_list(file) as opened:
        columns = columns_of(connection, file, site.code, opened.headers, SHEET)
        remember_columns(connection, file, site.code, SHEET, columns, actor.party_id)
        for row in told_rows(mapping.lines(columns, opened)):
            try:
                read.append(_of_sheet(row, site, request))
            except (ValueError, Invalid) as problem:
                why = problem.errors()[0]["msg"] if isinstance(problem, ValidationError) else words_of(problem)
                rejects.append(Reject(row.number, why.removeprefix("Value error, "), row.cells))
        rejects += opened.rejects
        headings = opened.headers
    if rejects:
        detail = sentence(
            "Nothing was counted: {count} row(s) of {file} cannot be read", count=len(rejects), file=file.name
        )
        raise rejected(detail, headings, sorted(rejects, key=lambda reject: reject.number), sentence("Mend them."))
    if not read:
        raise Invalid(sentence("Nothing was counted: {file} has no rows.", file=file.name))
    return read, headings


def _of_sheet(row: mapping.Line, site: Site, request: SendLines) -> Read:
    """A row as a line. Raises ValueError, Invalid in the words of the reader."""
    get = row.fields.get
    condition = (get("condition") or "").casefold() or None
    scan = get("asset_tag") or get("serial_number") or None
    doubts = row.flags
    if condition is not None and condition not in CONDITIONS:
        doubts = (*doubts, f"condition {condition!r} is none of {', '.join(CONDITIONS)}: taken as unknown")
        condition = "unknown"
    alone = row.quantity if scan is None else None if row.quantity in (None, 1) else row.quantity
    line = CountLine(
        scan=scan, model=get("model") or None, quantity=alone, lot=get("lot") or None if scan is None else None,
        seal=get("seal") or None if scan is None and alone is None else None, entered="sheet",
        condition=condition, container=get("container") or None,
        counted_at=written_at(get("date") or "", site, request.counted_at),
    )  # fmt: skip
    return Read(row.number, line, doubts)


def written_at(text: str, site: Site, of_all: datetime | None) -> datetime | None:
    """The moment a row says: a date and time on the site's wall; a day alone takes the time of day of the whole sheet. Raises
    ValueError.
    """
    if not text:
        return None
    wall = ZoneInfo(site.time_zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is not None and (len(text) > len("2026-11-20") or moment.time() != time()):
        return moment if moment.tzinfo else moment.replace(tzinfo=wall)
    written = day(text)
    assert written is not None
    if of_all is None:
        raise ValueError(
            sentence(
                "{text} says no time of day: write it like 2026-11-20 09:30, or give counted_at for the whole sheet",
                text=text,
            )
        )
    return datetime.combine(written, of_all.astimezone(wall).timetz())
