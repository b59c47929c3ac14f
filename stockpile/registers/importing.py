"""Import any list as a register: a property book, a shipping list, an issue log, a count sheet, another country's register. Its
columns are mapped once per source; its lines are kept as read, and moved nowhere: a register is what somebody wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, Field
from sqlalchemy import Connection, Engine

from stockpile.catalogue import find_models, note_unknown
from stockpile.db import roles
from stockpile.db.engine import nobody_erased, transaction
from stockpile.db.rows import as_copied
from stockpile.documents import Asked, Code, now
from stockpile.errors import Fault, Invalid, NotAllowed
from stockpile.identity import character_fault, scripts_of, serial_key
from stockpile.parties import need_party
from stockpile.progress import told
from stockpile.registers.columns import ListKind, columns_of, remember_columns
from stockpile.registers.headings import Field as Said
from stockpile.registers.keep import Beside, KeptRow, Register, in_capitals, keep_rows
from stockpile.registers.listing import ROWS_IN_MESSAGE, YES, ListFile, many_rows_at_hand, opened_list
from stockpile.registers.mapping import Mapping, Reader, guess, read_by, taking
from stockpile.registers.read import OpenList, Row
from stockpile.registers.rejects import RowsRejected, keep_rejects
from stockpile.rights import DESK, IMPORT_REGISTER, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import find_site

ANY = ListKind(
    "register",
    (
        "serial_number", "model", "maker", "quantity", "condition", "obliterated", "shipped_on", "received_on", "date", "unit_code",
        "unit", "service_number", "holder", "name", "account",
    ),
    (frozenset({"serial_number", "model", "quantity"}),),
)  # fmt: skip
"""What a register is read for; every other column stays in its cells."""

UNITS = (Said.UNIT_CODE, Said.UNIT)
HOLDERS = (Said.SERVICE_NUMBER, Said.HOLDER, Said.NAME, Said.ACCOUNT)
"""Fields that say the unit, and who holds it: the first that a row fills."""
BESIDE = frozenset(
    {
        Said.MAKER, Said.MODEL, Said.QUANTITY, Said.SHIPPED_ON, Said.RECEIVED_ON, Said.DATE, Said.CONDITION, Said.OBLITERATED,
        *UNITS, *HOLDERS,
    }
)  # fmt: skip
"""Fields that are read beside the serial number."""
BETWEEN = "\0"
"""What stands between cells that are one text; in no cell, for `OpenList` lets none through."""
RESERVED = frozenset({"roster", "allowance", "count sheet", "incoming request", "outgoing request", "sighting"})
"""Kinds of registers that come about otherwise, and count for more than what somebody wrote."""
INSPECTION = "inspection"
"""What an inspector read; it settles what is due, for the donor too, so that no desk may say it of itself."""
LONGEST_KEY = 200
"""A longer text in the column of serial numbers is none, and is no key to compare by."""
TOLD_EVERY = 5_000
MODELS_SEEN = 50_000
"""So many names are looked up; a list with more has something else in the column."""
MODELS_NOTED = 1_000
"""So many names of models that nobody has mapped are kept for a registrar; more are not names."""


class ImportRegister(Asked):
    """Keep a list as a register, to be compared with others."""

    kind: Code = Field(description="What it is", examples=["property book"])
    name: Code = Field(
        description="How it is to be called", examples=["Property book of the 3rd Division, January 2007"]
    )
    source: Code = Field(
        description="Whose list it is: columns and names of models are mapped once for each source",
        examples=["OVERLORD"],
    )
    site: Code | None = Field(None, description="Of which site it speaks; a desk's own if left out", examples=["TAJI"])
    donor: Code | None = Field(None, description="Of which donor's weapons it speaks", examples=["USA"])
    as_of: AwareDatetime | None = Field(
        None, description="The moment it speaks of, with its offset from UTC; left out: now"
    )
    file: ListFile


@dataclass(frozen=True, slots=True)
class Imported:
    """A register as it was kept. `known`: the same file was kept before, as this register; nothing was done.
    `unknown_models`: names that nobody has mapped yet, the first of them.
    """

    register_id: UUID
    name: str
    known: bool
    lines: int
    rejected: int
    doubtful: int
    unknown_models: tuple[str, ...]


def import_register(engine: Engine, actor: Actor, request: ImportRegister) -> Imported:
    """Keeps a list as a register, whole or not at all; rows that can't be read are kept with their reason, and compared with
    nothing. The same file of the same kind and source is kept once.

    Raises NotAllowed, NotFound (site, donor, file), UnreadableFile, Invalid (kind; columns; a moment in the future; no row at all).
    """
    require(actor, IMPORT_REGISTER)
    _check_kind(actor, request.kind)
    with many_rows_at_hand(), opened_list(request.file) as opened, writing(engine, actor) as connection:
        return _kept(connection, actor, request, opened)


def check_import(engine: Engine, actor: Actor, request: ImportRegister) -> None:
    """What can be told of an import before a row is read: keeps nothing. Raises as `import_register` does."""
    require(actor, IMPORT_REGISTER)
    _check_kind(actor, request.kind)
    with opened_list(request.file) as opened, writing(engine, actor) as connection:
        _register(connection, actor, request, opened)
        columns_of(connection, request.file, request.source, opened.headers, ANY)


def proposed_columns(engine: Engine, actor: Actor, file: ListFile, source: str) -> dict[str, str]:
    """Our fields by the columns of a stored list: as remembered for its source, else as far as they can be guessed.

    Raises NotAllowed, NotFound (file), UnreadableFile.
    """
    require(actor, IMPORT_REGISTER)
    with opened_list(file) as opened, writing(engine, actor) as connection:
        try:
            mapping = columns_of(connection, file, source, opened.headers, ANY)
        except Invalid:
            mapping = guess(opened.headers).mapping
    return {str(name): column for name, column in mapping.columns if name in ANY.fields}


def _check_kind(actor: Actor, kind: str) -> None:
    said = kind.strip().casefold()
    if said in RESERVED:
        fault = Fault(
            sentence("registers of this kind are made by their own command: say what else this list is"),
            field="kind",
            value=kind,
        )
        raise Invalid(sentence("The list was not kept."), [fault])
    if said == INSPECTION and actor.role in DESK:
        raise NotAllowed(
            sentence("A desk may not keep inspections: an auditor or a registrar keeps what inspectors read.")
        )


def writing(engine: Engine, actor: Actor) -> Any:
    """A transaction that writes registers and audits: a desk's at its own site; of all others where no site binds them."""
    role = roles.POSTER if actor.role in DESK else roles.REGISTRAR
    return transaction(engine, role, actor.site_id)


def _kept(connection: Connection, actor: Actor, request: ImportRegister, opened: OpenList) -> Imported:
    nobody_erased(connection)
    register = _register(connection, actor, request, opened)
    _one_at_a_time(connection, request)
    mapping = columns_of(connection, request.file, request.source, opened.headers, ANY)
    known = _kept_before(connection, request, register, mapping)
    if known is not None:
        return known
    _remember(connection, actor, request, mapping)
    register, read = replace(register, mapping=mapping), RowReader(mapping, opened.headers)
    kept = keep_rows(connection, actor.party_id, register, _all_rows(opened, read))
    if kept == 0:
        raise Invalid(sentence("The list was not kept: {file} has no rows.", file=request.file.name))
    if kept == len(opened.rejects):
        raise _nothing_readable(request, opened)
    unknown = _unknown(connection, read.models, request.source)
    return Imported(
        register.register_id, register.name, False, kept, len(opened.rejects), read.doubtful, tuple(unknown[:100])
    )


def _remember(connection: Connection, actor: Actor, request: ImportRegister, mapping: Mapping) -> None:
    """A source's columns are everybody's: a desk settles those of a new one, and changes none; what holds for the whole of its list
    stays with the list.
    """
    if actor.role in DESK:
        asked = "SELECT count(*) FROM column_mapping WHERE source = %s AND kind = %s"
        if connection.exec_driver_sql(asked, (request.source, ANY.name)).scalar_one():
            return
        mapping = replace(mapping, constants=())
    remember_columns(connection, request.file, request.source, ANY, mapping, actor.party_id)


def _nothing_readable(request: ImportRegister, opened: OpenList) -> RowsRejected:
    detail = sentence(
        "The list was not kept: none of the {count} rows of {file} can be read. Mend them.",
        count=len(opened.rejects),
        file=request.file.name,
    )
    first = opened.rejects.first(ROWS_IN_MESSAGE)
    faults = [Fault(reject.reason, row=reject.number) for reject in first]
    return RowsRejected(detail, faults, len(opened.rejects), keep_rejects(opened.headers, opened.rejects))


def _register(connection: Connection, actor: Actor, request: ImportRegister, opened: OpenList) -> Register:
    site = find_site(connection, request.site) if request.site else actor.site
    if actor.role in DESK and site is not None and site.site_id != actor.site_id:
        fault = Fault(
            sentence("you keep the registers of {site} only", site=actor.site_code),
            field="site",
            value=request.site,
        )
        raise Invalid(sentence("The list was not kept."), [fault])
    moment = now()
    if request.as_of is not None and request.as_of > moment:
        fault = Fault(sentence("is in the future"), field="as_of", value=request.as_of.isoformat())
        raise Invalid(sentence("The list was not kept."), [fault])
    donor = need_party(connection, "donor", request.donor, "donor") if request.donor else None
    return Register(
        INSPECTION if request.kind.strip().casefold() == INSPECTION else request.kind,
        request.name,
        site.site_id if site else None,
        request.file,
        request.as_of or moment,
        opened.headers,
        donor.party_id if donor else None,
        source=request.source,
    )


def _one_at_a_time(connection: Connection, request: ImportRegister) -> None:
    """Of two who import one file at once the second finds it kept."""
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"register {request.file.sha256}",)
    )


_BEFORE = """
SELECT register_id, name, line_count, rejected_count,
       (SELECT count(*) FROM register_line l WHERE l.register_id = r.register_id AND l.doubts IS NOT NULL)
FROM register r
WHERE file_sha256 = %s AND kind = %s AND source = %s AND mapping = %s AND site_id IS NOT DISTINCT FROM %s
ORDER BY recorded_at LIMIT 1
"""


def _kept_before(
    connection: Connection, request: ImportRegister, register: Register, mapping: Mapping
) -> Imported | None:
    row = connection.exec_driver_sql(
        _BEFORE,
        (
            bytes.fromhex(request.file.sha256),
            register.kind,
            register.source,
            Jsonb(mapping.to_json()),
            register.site_id,
        ),
    ).one_or_none()
    return Imported(row[0], row[1], True, row[2], row[3], row[4], ()) if row else None


def _all_rows(opened: OpenList, read: RowReader) -> Iterator[KeptRow]:
    """The rows of a list in the order of the file, those that could not be read where they stand."""
    rejected = 0
    for done, row in enumerate(read_by(read, opened), 1):
        if len(opened.rejects) > rejected:
            yield from _rejected(opened, rejected)
            rejected = len(opened.rejects)
        if done % TOLD_EVERY == 0:
            told("rows read", done)
        yield row
    yield from _rejected(opened, rejected)


def _rejected(opened: OpenList, seen: int) -> Iterator[KeptRow]:
    return (KeptRow(one.number, one.cells, one.reason) for one in opened.rejects.after(seen))


class RowReader:
    """A mapping made ready for a list with these columns: tells what a row says in our fields. What can't be a serial number is a doubt,
    not a rejection: it is what the list says. `doubtful`: how many rows had a doubt; `models`: the makers and models they named.
    """

    def __init__(self, mapping: Mapping, headers: Sequence[str]) -> None:
        read = Reader(mapping, headers)
        self._flags = read.flags
        self._serial = read.text_of(Said.SERIAL_NUMBER)
        others = replace(mapping, columns=tuple(column for column in mapping.columns if column[0] in BESIDE))
        names = [header for _, header in others.columns]
        self._others = taking([headers.index(name) for name in names])
        # Half a million rows often say few different things beside their numbers: each is read once. They are looked up as one text,
        # for of several each must be found in memory and compared.
        beside = _BesideReader(others, names)
        self._beside = lru_cache(maxsize=65_536)(beside)
        self.doubtful, self.models = 0, beside.models

    def __call__(self, row: Row) -> KeptRow:
        """The row as it is kept. Raises Invalid (a quantity, a date; nothing that tells what it is)."""
        doubts, cells = self._flags(row), row.cells
        copied, names_model, quantity, obliterated = self._beside(BETWEEN.join(self._others(cells)))
        serial, key = self._serial(cells), None
        if serial is not None:
            key = serial_key(serial)
            if not (serial.isascii() and serial.isalnum() and len(key) <= LONGEST_KEY):
                doubts += _doubts(serial, key)
                key = key if 0 < len(key) <= LONGEST_KEY else None
            if obliterated:
                key = None
        elif not names_model:
            raise Invalid(sentence("neither a serial number nor a model: nothing tells what it is"))
        if quantity != 1 and key is not None:
            doubts += (f"a quantity of {quantity} with one serial number: compared as one weapon",)
        self.doubtful += doubts != ()
        return KeptRow(row.number, cells, None, doubts, None, serial, key, copied)


class _BesideReader:
    """Reads the cells of the columns that say something `BESIDE` the serial number."""

    def __init__(self, mapping: Mapping, headers: Sequence[str]) -> None:
        read = Reader(mapping, headers)
        self._quantity, self._days = read.quantity, read.days
        self._obliterated = read.text_of(Said.OBLITERATED)
        self._maker, self._model = read.text_of(Said.MAKER), read.text_of(Said.MODEL)
        self._unit, self._holder = read.text_of(*UNITS), read.text_of(*HOLDERS)
        self._condition = read.text_of(Said.CONDITION)
        self.models: set[tuple[str | None, str | None]] = set()

    def __call__(self, joined: str) -> tuple[bytes, bool, int, bool]:
        """What they say as COPY takes it, whether they name a model, the quantity, and whether the number is said to be obliterated.
        Raises Invalid (a quantity, a date).
        """
        cells = joined.split(BETWEEN)
        quantity, days, maker, model = self._quantity(cells), self._days(cells), self._maker(cells), self._model(cells)
        if len(self.models) < MODELS_SEEN:
            self.models.add((maker, model))
        quantity = 1 if quantity is None else quantity
        beside = Beside(
            maker, model, quantity, days.get("shipped_on"),
            days.get("received_on"), days.get("date"), in_capitals(self._unit(cells)), in_capitals(self._holder(cells)),
            self._condition(cells),
        )  # fmt: skip
        obliterated = (self._obliterated(cells) or "").casefold() in YES
        return as_copied(beside), model is not None, quantity, obliterated


def _doubts(serial: str, key: str) -> tuple[str, ...]:
    if not key:
        return ("the serial number has only blanks and dashes: taken as none",)
    if len(key) > LONGEST_KEY:
        return (f"the serial number has {len(key)} characters: taken as none",)
    fault = character_fault(serial, "serial number")
    if fault is not None:
        return (fault.message,)
    scripts = scripts_of(serial)
    return (f"the serial number mixes {' and '.join(scripts)} letters",) if len(scripts) > 1 else ()


def _unknown(connection: Connection, said: set[tuple[str | None, str | None]], source: str) -> list[str]:
    """The names of models that nobody has mapped for the source, kept for a registrar to see."""
    called = {model: {model} for _, model in said if model is not None}
    for maker, model in said:
        if maker is not None and model is not None:
            called[model].add(f"{maker} {model}")
    models = find_models(connection, set().union(*called.values()), source)
    unknown = sorted(model for model, names in called.items() if not names & models.keys())
    note_unknown(connection, islice(unknown, MODELS_NOTED), source)
    return unknown
