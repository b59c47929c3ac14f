"""What an inspector read: lines keyed, scanned, or as the rows of a list that the donor stored; and how they become the lines of a
register. What they mean is compared elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError

from stockpile.db.rows import as_copied
from stockpile.documents import Asked, Code, Condition, Scan, of_a_book_year
from stockpile.errors import Fault, Invalid
from stockpile.identity import serial_key
from stockpile.registers import mapping
from stockpile.registers.columns import ListKind, guessed
from stockpile.registers.count_sheets import written_at
from stockpile.registers.keep import Beside, KeptRow
from stockpile.registers.listing import CONDITIONS, ListFile, opened_list
from stockpile.registers.mapping import mapping_of
from stockpile.sentences import sentence, words_of
from stockpile.sites import Site

Moment = Annotated[AwareDatetime, AfterValidator(of_a_book_year)]

MOST_LINES = 2_000
"""Keyed or scanned; a list as a file has up to MOST_ROWS."""
MOST_ROWS = 20_000


class VisitLine(Asked):
    """A weapon that the inspector read."""

    scan: Scan = Field(description="Asset tag, serial number or UII as scanned or typed", examples=["FA 1044"])
    model: Code | None = Field(
        None, description="The model, where a serial number means several weapons", examples=["FIM-92 Stinger"]
    )
    condition: Condition | None = None
    read_at: Moment | None = Field(
        None, description="When, with its offset from UTC; left out: at the end of the visit"
    )
    entered: Literal["scanned", "typed"] = "typed"


@dataclass(slots=True)
class Read:
    """A line about to be compared. `again_of`: the line that read the same weapon before it."""

    line: int
    said: VisitLine
    read_at: datetime
    meant: Sequence[UUID] = ()
    again_of: int | None = None
    cells: tuple[str, ...] = ()
    doubts: tuple[str, ...] = field(default=())

    @property
    def item_id(self) -> UUID | None:
        """The weapon, if it can be but one."""
        return self.meant[0] if len(self.meant) == 1 else None

    @property
    def key(self) -> UUID | str:
        """What tells that the same weapon was read."""
        return self.item_id or serial_key(self.said.scan) or self.said.scan


SCAN_LIST = ListKind(
    "scan list",
    ("asset_tag", "serial_number", "model", "condition", "date"),
    (frozenset({"asset_tag", "serial_number"}),),
)
HEADINGS = ("scan", "model", "condition", "entered", "read at")
MAPPING = mapping_of({"serial_number": "scan", "model": "model", "condition": "condition", "date": "read at"})
"""How the register of a visit reads in our fields."""


def read_visit_lines(
    site: Site, lines: Sequence[VisitLine], file: ListFile | None, began_at: datetime, ended_at: datetime
) -> list[Read]:
    """The lines of a visit in their order. Raises NotFound (file), UnreadableFile, Invalid: columns, rows that can't be read, a time
    outside the visit.
    """
    if file is None:
        read = [Read(number, line, line.read_at or ended_at) for number, line in enumerate(lines, 1)]
    else:
        read = _of_file(site, file, ended_at)
    faults = [
        Fault(sentence("is not within the visit"), one.line, "read_at", one.read_at.isoformat())
        for one in read
        if not began_at <= one.read_at <= ended_at
    ]
    if faults:
        raise Invalid(
            sentence("The visit was not kept: {count} line(s) have a time outside it.", count=len(faults)), faults[:100]
        )
    return read


def _of_file(site: Site, file: ListFile, ended_at: datetime) -> list[Read]:
    read: list[Read] = []
    faults: list[Fault] = []
    with opened_list(file) as opened:
        columns = (
            mapping_of(file.columns, file.constants, file.date_order)
            if file.columns is not None
            else guessed(file, opened.headers, SCAN_LIST)
        )
        for row in mapping.lines(columns, opened):
            if len(read) + len(faults) >= MOST_ROWS:
                raise Invalid(sentence("The visit was not kept: more than {most} rows.", most=f"{MOST_ROWS:,}"))
            try:
                read.append(_of_row(row, site, ended_at))
            except (ValueError, Invalid) as problem:
                why = problem.errors()[0]["msg"] if isinstance(problem, ValidationError) else words_of(problem)
                faults.append(Fault(why.removeprefix("Value error, "), row.number))
        faults += [Fault(reject.reason, reject.number) for reject in opened.rejects]
    if faults:
        detail = sentence(
            "The visit was not kept: {count} row(s) of {file} cannot be read. Mend them.",
            count=len(faults),
            file=file.name,
        )
        raise Invalid(detail, sorted(faults, key=lambda fault: fault.row or 0)[:100])
    if not read:
        raise Invalid(sentence("The visit was not kept: {file} has no rows.", file=file.name))
    return read


def _of_row(row: mapping.Line, site: Site, ended_at: datetime) -> Read:
    get = row.fields.get
    condition = CONDITIONS.get((get("condition") or "").casefold())
    said = VisitLine.model_validate(
        {
            "scan": get("asset_tag") or get("serial_number") or "",
            "model": get("model") or None,
            "condition": condition,
        }
    )
    moment = written_at(get("date") or "", site, ended_at)
    return Read(row.number, said, moment or ended_at, doubts=row.flags)


def as_rows(site: Site, read: Sequence[Read]) -> Iterator[KeptRow]:
    """The lines as a register keeps them. A number that is no weapon of the donor's names no model in our fields: it would tell that
    another donor's weapon was inspected.
    """
    for one in read:
        said = one.said
        cells = (said.scan, said.model or "", said.condition or "", said.entered, one.read_at.isoformat())
        if one.again_of is not None:
            yield KeptRow(one.line, cells, f"the same weapon as line {one.again_of}", one.doubts, one.item_id)
            continue
        beside = Beside(
            model=said.model if one.meant else None, dated_on=site.local_day(one.read_at), condition=said.condition
        )
        yield KeptRow(
            one.line, cells, None, one.doubts, one.item_id, said.scan, serial_key(said.scan) or None, as_copied(beside)
        )
