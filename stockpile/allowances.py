"""Allowances: how many of each model a unit with its sub-units may have, from lists, again and again. A list of a unit holds from its
day until the next one of that unit; of a unit that it does not name it says nothing. Nothing is overwritten or deleted.

The file is kept as a register named for the order, so that every number leads back to the row that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from stockpile.catalogue import note_unknown
from stockpile.db.engine import one_writer
from stockpile.db.rows import given
from stockpile.documents import Code
from stockpile.errors import Invalid
from stockpile.registers.allowance_list import ALLOWANCE, AllowanceList, PropertyBooks, read_allowances
from stockpile.registers.keep import KeptRow, Register, keep_rows
from stockpile.registers.listing import ListFile, rejected
from stockpile.registers.rejects import Reject
from stockpile.rights import KEEP_REFERENCE, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls

SHOWN = 500
"""So many changes and rows stand in an answer; the counts are of all."""


class AllowanceRequest(BaseModel):
    """Say by a list how many of each model units may have from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Code = Field(description="Number of the order that authorises it", examples=["MOD 117/2026"])
    file: ListFile
    as_of: date | None = Field(
        None,
        ge=date(1900, 1, 1),
        le=date(2199, 12, 31),
        description="From which day on it holds, also a coming one; left out: today",
    )
    source: Code | None = Field(
        None, description="Whose names of models and columns these are; left out: the organisation's", examples=["MOD"]
    )
    dry_run: bool = Field(False, description="Only say what would change")


@dataclass(frozen=True, slots=True)
class AllowanceChange:
    """What a list changes of one unit and model; None: not named before, or no more."""

    unit: str
    maker: str
    model: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class AllowanceRemark:
    """What is to be said of a row."""

    row: int
    remark: str


@dataclass(frozen=True, slots=True)
class AllowanceCounts:
    """What became of the rows, and of what the units may have."""

    rows: int
    set_aside: int
    units: int
    new: int
    changed: int
    ended: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class AllowancesImported:
    """What a list of allowances changed, or in a dry run would change. `known`: the same file said the same of that day before, and
    `register_id` is that list's.
    """

    register_id: UUID | None
    order: str
    as_of: date
    dry_run: bool
    known: bool
    sha256: str
    counts: AllowanceCounts
    changes: tuple[AllowanceChange, ...]
    set_aside: tuple[AllowanceRemark, ...]


@dataclass(frozen=True, slots=True)
class _Compared:
    changes: list[AllowanceChange]
    units: int
    unchanged: int


def import_allowances(connection: Connection, actor: Actor, request: AllowanceRequest) -> AllowancesImported:
    """Imports a list of allowances as a registrar, or only says what it would change.

    Raises NotFound (file), UnreadableFile, Invalid (columns), RowsRejected (rows that can't be taken, unless they may be set aside).
    """
    require(actor, KEEP_REFERENCE)
    source = request.source or PropertyBooks(connection).organisation.code or ""
    listed = read_allowances(connection, request.file, source, None if request.dry_run else actor.party_id)
    one_writer(connection)
    day = request.as_of or day_on_the_walls(connection)
    compared = _compare(connection, listed, day)
    register_id = _known(connection, request, day) if not compared.changes else None
    known = register_id is not None
    if not request.dry_run and not known:
        _refuse_unreadable(connection, request, listed, source)
        register_id = _keep(connection, actor, request, listed, day)
    return _answer(request, listed, compared, day, register_id, known)


_HOLDS = """
WITH listed AS (
    SELECT DISTINCT ON (unit_id) unit_id, register_id FROM allowance WHERE since <= %s AND unit_id = ANY (%s)
    ORDER BY unit_id, since DESC, recorded_at DESC, register_id DESC
)
SELECT a.unit_id, a.model_id, p.code, m.maker, m.name, a.quantity
FROM allowance a JOIN listed USING (unit_id, register_id) JOIN party p ON p.party_id = a.unit_id JOIN model m USING (model_id)
"""


def _compare(connection: Connection, listed: AllowanceList, day: date) -> _Compared:
    """What the list says otherwise than the books do of its day."""
    after = listed.quantities()
    units = {unit for unit, _ in after}
    named: dict[tuple[UUID, UUID], tuple[str, str, str]] = {}
    for row in listed.taken:
        assert row.unit is not None
        assert row.model is not None
        key = (row.unit.party_id, row.model.model_id)
        named[key] = (row.unit.code or "", row.model.maker, row.model.name)
    before: dict[tuple[UUID, UUID], int] = {}
    for unit, model, *names, quantity in connection.exec_driver_sql(_HOLDS, (day, list(units))):
        before[unit, model] = quantity
        named[unit, model] = (names[0], names[1], names[2])
    changes = [
        AllowanceChange(*named[key], before.get(key), after.get(key))
        for key in sorted(named, key=named.__getitem__)
        if before.get(key) != after.get(key)
    ]
    return _Compared(changes, len(units), len(named) - len(changes))


def _known(connection: Connection, request: AllowanceRequest, day: date) -> UUID | None:
    """The register of the same file under the same order and day."""
    row = connection.exec_driver_sql(
        "SELECT register_id FROM register WHERE kind = %s AND name = %s AND file_sha256 = %s AND as_of = %s ORDER BY recorded_at DESC",
        (ALLOWANCE.name, request.order, bytes.fromhex(request.file.sha256), _moment(day)),
    ).first()
    return row[0] if row else None


def _refuse_unreadable(connection: Connection, request: AllowanceRequest, listed: AllowanceList, source: str) -> None:
    if request.file.set_aside:
        note_unknown(
            connection, {row.model_name for row in listed.rows if row.model_name and row.model is None}, source
        )
    if listed.set_aside and not (request.file.set_aside and listed.taken):
        rejects = [Reject(row.number, row.reason or "", row.cells) for row in listed.set_aside]
        detail = sentence(
            "The allowances were not imported: {count} of {rows} rows cannot be taken",
            count=len(rejects),
            rows=len(listed.rows),
        )
        raise rejected(detail, listed.headings, rejects, sentence("Mend them, or set them aside."))
    if not listed.rows:
        raise Invalid(sentence("The allowances were not imported: the list has no rows."))


_INSERT = """
INSERT INTO allowance (register_id, unit_id, model_id, quantity, since, recorded_at)
SELECT r.register_id, g.unit_id, g.model_id, g.quantity, %s::date, r.recorded_at
FROM (SELECT * FROM {given}) g JOIN register r USING (register_id)
"""


def _keep(connection: Connection, actor: Actor, request: AllowanceRequest, listed: AllowanceList, day: date) -> UUID:
    register = Register(ALLOWANCE.name, request.order, None, request.file, _moment(day), listed.headings)
    keep_rows(connection, actor.party_id, register, (KeptRow(row.number, row.cells, row.reason) for row in listed.rows))
    quantities = listed.quantities()
    columns = (("register_id", "uuid"), ("unit_id", "uuid"), ("model_id", "uuid"), ("quantity", "int8"))
    rows = ((register.register_id, unit, model, quantity) for (unit, model), quantity in quantities.items())
    with given(connection, columns, rows, len(quantities)) as allowed:
        allowed.insert(_INSERT, (day,))
    return register.register_id


def _moment(day: date) -> datetime:
    """The beginning of a day, as a list speaks of it that is no site's."""
    return datetime.combine(day, time(), UTC)


def _answer(
    request: AllowanceRequest,
    listed: AllowanceList,
    compared: _Compared,
    day: date,
    register_id: UUID | None,
    known: bool,
) -> AllowancesImported:
    changes = compared.changes
    new, ended = (sum(getattr(change, side) is None for change in changes) for side in ("before", "after"))
    counts = AllowanceCounts(
        rows=len(listed.rows),
        set_aside=len(listed.set_aside),
        units=compared.units,
        new=new,
        changed=len(changes) - new - ended,
        ended=ended,
        unchanged=compared.unchanged,
    )
    remarks = tuple(AllowanceRemark(row.number, row.reason or "") for row in listed.set_aside[:SHOWN])
    return AllowancesImported(
        register_id, request.order, day, request.dry_run, known, request.file.sha256, counts, tuple(changes[:SHOWN]), remarks
    )  # fmt: skip
