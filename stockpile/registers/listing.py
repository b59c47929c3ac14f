"""Lists of weapons that enter the books: a shipping list, a receipt, an old property book; typed in or from a file.

Reads every line into one form, finds its model, and tells new weapons from known ones. A line that can't be read is set
aside with its row and reason; none is silently dropped.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Generic, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError, model_validator
from sqlalchemy import Connection

from stockpile import items
from stockpile.catalogue import Model, find_models, note_unknown
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import (
    LATER,
    Asked,
    Code,
    Condition,
    ConditionLine,
    Desk,
    Digest,
    HowEntered,
    ItemLine,
    Quantity,
    Request,
    Words,
)
from stockpile.errors import Fault, Invalid, UnreadableFile
from stockpile.files import file_store
from stockpile.identity import LONGEST_SERIAL, check_serial, identity_key, serial_key
from stockpile.items import Known, Marks, NewItem
from stockpile.progress import told
from stockpile.registers.columns import ListKind, columns_of, guessed, remember_columns
from stockpile.registers.mapping import Line, Mapping, lines, mapping_of
from stockpile.registers.read import OpenList, open_list
from stockpile.registers.rejects import Reject, RowsRejected, keep_rejects
from stockpile.registers.values import DateOrder
from stockpile.sentences import of_the_books, sentence, words_of

ROWS_IN_MESSAGE = 100
VALUE_IN_MESSAGE = 200
BATCH = 10_000
PROGRESS_EVERY = 5_000


def serial(text: str) -> str:
    """A serial number as typed, checked. Raises ValueError in the words of `identity.check_serial`."""
    try:
        return check_serial(text)
    except Invalid as problem:
        raise ValueError(problem.faults[0].message if problem.faults else problem.detail) from None


Serial = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(serial)]
"""A serial number as it is on the weapon."""


class ListFile(Asked):
    """A stored file that holds the list, and how to read it."""

    sha256: Digest = Field(description="SHA-256 of the file, as it was stored", examples=["3b" * 32])
    name: Code = Field(description="The file's name", examples=["shipping-list.xlsx"])
    sheet: Code | None = Field(None, description="Which sheet; left out: the first with a table")
    columns: dict[str, str] | None = Field(
        None,
        description="Our field -> the file's column; left out: as remembered for this source, else guessed",
        examples=[{"serial_number": "S/N", "model": "Item"}],
    )
    constants: dict[str, str] = Field(
        {}, description="Our field -> what it is in the whole list", examples=[{"model": "AKM"}]
    )
    set_aside: bool = Field(False, description="Post the rows that can be read, set the others aside")
    date_order: Annotated[DateOrder | None, LATER] = Field(
        None, description="Which comes first in a date such as 03/04/2005; needed only where it could be either"
    )


class ListLine(Asked):
    """One line of a list as typed in: a weapon with its serial number, or a quantity."""

    model: Code = Field(description="Model name or alias", examples=["AKM"])
    serial_number: Serial | None = Field(
        None, description="As marked, to the character; left out: it bears none", examples=["KT 449921"]
    )
    quantity: Quantity = 1
    lot: Code | None = None
    obliterated: bool = Field(False, description="The serial number was removed or can't be read")
    distinguishing_mark: Words | None = Field(
        None, description="What tells it from its twin", examples=["notch on the stock"]
    )
    condition: Condition | None = None
    account: Code | None = Field(None, description="For an opening list: the store, unit or person that has it")
    how: Annotated[HowEntered | None, LATER] = Field(
        None, description="How it was entered at the counter; the document keeps it"
    )


AnyLine = TypeVar("AnyLine", bound=BaseModel)


class ListRequest(Request, Generic[AnyLine]):
    """A request by a list of what it is about: up to 500 lines typed in, or a stored file of up to 500,000."""

    lines: Annotated[tuple[AnyLine, ...], Field(max_length=500)] = ()
    file: ListFile | None = None

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if bool(self.lines) == (self.file is not None):
            raise ValueError(sentence("give either lines or a file"))
        return self


@dataclass(slots=True)
class Listed:
    """One line of a list with what it led to. `row` is its number in the list, or in the file as a spreadsheet shows it;
    `twin_of` the row that bears the same model and serial number. An obliterated serial number is no identity.
    """

    row: int
    model_name: str
    serial_number: str | None = None
    maker: str | None = None
    quantity: int = 1
    lot: str | None = None
    obliterated: bool = False
    distinguishing_mark: str | None = None
    condition: str | None = None
    account: str | None = None
    cells: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    model: Model | None = None
    identity: str | None = None
    twin_of: int | None = None
    reason: str | None = None
    item_id: UUID | None = None

    @property
    def name(self) -> str:
        """The line in words."""
        return (
            f"{self.model_name} {self.serial_number or ''}".strip()
            if self.quantity == 1
            else f"{self.quantity} {self.model_name}"
        )

    @property
    def model_names(self) -> tuple[str, ...]:
        """The names to look the model up by, with its maker first."""
        return (f"{self.maker} {self.model_name}", self.model_name) if self.maker else (self.model_name,)

    @property
    def marks(self) -> Marks:
        """What is read on the weapon."""
        return Marks(self.serial_number, self.obliterated, self.distinguishing_mark)


@dataclass(frozen=True, slots=True)
class Read:
    """A list in the one form; `headings` are the columns of its file, `mapping` what they mean: none for a typed list."""

    lines: list[Listed]
    headings: tuple[str, ...] = ()
    mapping: Mapping | None = None


def typed(lines: Sequence[ListLine]) -> Read:
    """The lines of a request in the one form."""
    return Read([
        Listed(
            n, line.model, line.serial_number, None, line.quantity, line.lot, line.obliterated, line.distinguishing_mark,
            line.condition, line.account,
        )
        for n, line in enumerate(lines, 1)
    ])  # fmt: skip


READ = ("serial_number", "asset_tag", "model", "maker", "quantity", "lot", "condition", "obliterated", "distinguishing_mark",
        "account", "holder", "service_number", "unit_code")  # fmt: skip
ACCOUNT_FIELDS = ("account", "service_number", "unit_code", "holder")
WEAPONS = ListKind("list of weapons", READ, (frozenset({"model"}),))
"""A list of what enters the books."""
SCANS = ListKind(WEAPONS.name, READ, (frozenset({"asset_tag", "serial_number", "quantity"}),))
"""A list of weapons that are in the books, and of what is counted."""

CONDITIONS: dict[str, str] = {name: name for name in ("serviceable", "unserviceable", "unknown")}
YES = frozenset({"yes", "y", "true", "1", "x", "obliterated"})


def listed_from(desk: Desk, file: ListFile, source: str) -> Read:
    """The rows of a stored file as lines, those that can't be read among them with their reason.

    The columns are mapped as the request says, else as remembered for the source, else guessed; a mapping once said is
    remembered. Raises NotFound (file), UnreadableFile, Invalid (columns).
    """
    with opened_list(file) as opened:
        return _read(opened, _columns(desk, file, source, opened.headers, WEAPONS))


def listed_alone(file: ListFile) -> Read:
    """`listed_from` for who may not read what is remembered for a source: by what the file, and who sends it, say of its columns."""
    with opened_list(file) as opened:
        said = mapping_of(file.columns, file.constants, file.date_order) if file.columns is not None else None
        return _read(opened, said or guessed(file, opened.headers, WEAPONS))


def _read(opened: OpenList, mapping: Mapping) -> Read:
    listed = [_listed(line) for line in told_rows(lines(mapping, opened))]
    listed += [Listed(reject.number, "", cells=reject.cells, reason=reject.reason) for reject in opened.rejects]
    return Read(listed, opened.headers, mapping)


def scanned_from(desk: Desk, file: ListFile) -> list[tuple[int, ItemLine]]:
    """The rows of a stored file that names weapons by asset tag or serial number, and what is counted by its model, each with
    its row number.

    Raises what `rows_from` does.
    """
    return [(number, line) for number, line in rows_from(desk, file, SCANS, _scanned)]


def rows_from(desk: Desk, file: ListFile, kind: ListKind, make: Callable[[Line], AnyLine]) -> list[tuple[int, AnyLine]]:
    """The rows of a stored file, as the site's lists of this kind are read, each with its row number. `make` raises
    ValueError, in the words of the reader, for a row that can't be.

    Raises NotFound (file), UnreadableFile, Invalid (columns), RowsRejected.
    """
    with opened_list(file) as opened:
        mapping = _columns(desk, file, desk.site.code, opened.headers, kind)
        rows: list[tuple[int, AnyLine]] = []
        rejects: list[Reject] = []
        for line in told_rows(lines(mapping, opened)):
            try:
                rows.append((line.number, make(line)))
            except ValueError as problem:
                why = problem.errors()[0]["msg"] if isinstance(problem, ValidationError) else words_of(problem)
                rejects.append(Reject(line.number, why, line.cells))
        rejects += opened.rejects
        headings = opened.headers
    if rejects:
        detail = sentence(
            "Nothing was done: {count} row(s) of {file} cannot be read", count=len(rejects), file=file.name
        )
        raise rejected(detail, headings, sorted(rejects, key=lambda reject: reject.number), sentence("Mend them."))
    if not rows:
        raise Invalid(sentence("Nothing was done: {file} has no rows.", file=file.name))
    return rows


def _columns(desk: Desk, file: ListFile, source: str, headers: Sequence[str], kind: ListKind) -> Mapping:
    mapping = columns_of(desk.connection, file, source, headers, kind)
    remember_columns(desk.connection, file, source, kind, mapping, desk.actor.party_id)
    return mapping


def rejected(detail: str, headings: tuple[str, ...], rejects: Sequence[Reject], remedy: str) -> RowsRejected:
    """The refusal of a whole list for these rows: the first are named, all of a file are kept to be mended."""
    more = sentence(", the first {shown} are shown", shown=ROWS_IN_MESSAGE) if len(rejects) > ROWS_IN_MESSAGE else ""
    faults = [
        Fault(reject.reason, row=reject.number, value="; ".join(filter(None, reject.cells))[:VALUE_IN_MESSAGE] or None)
        for reject in rejects[:ROWS_IN_MESSAGE]
    ]
    kept = keep_rejects(headings, rejects) if headings else None
    return RowsRejected(
        sentence("{detail}{more}. {remedy}", detail=detail, more=more, remedy=remedy), faults, len(rejects), kept
    )


def _scanned(line: Line) -> ConditionLine:
    get = line.fields.get
    condition, scan, model = get("condition"), get("asset_tag") or get("serial_number") or None, get("model") or None
    seen = condition.casefold() if condition else None
    if scan is None and model is not None and line.quantity is not None:
        return ConditionLine(model=model, quantity=line.quantity, lot=get("lot") or None, condition=seen)
    return ConditionLine(scan=scan or "", model=model, quantity=line.quantity or 1, condition=seen)


@contextmanager
def opened_list(file: ListFile) -> Iterator[OpenList]:
    """A stored file, open; it is the one that was stored, or UnreadableFile."""
    with open_list(file_store().path(file.sha256), file.name, sheet=file.sheet) as opened:
        if opened.sha256 != file.sha256:
            raise UnreadableFile(
                sentence(
                    "{file} is not the file that was stored: its SHA-256 is {sha256}.",
                    file=file.name,
                    sha256=opened.sha256,
                )
            )
        yield opened


@contextmanager
def many_rows_at_hand() -> Iterator[None]:
    """Within it Python looks for no cyclic garbage: with a hundred thousand rows at hand it would walk them all, again and
    again, for a sixth of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def told_rows(rows: Iterator[Line]) -> Iterator[Line]:
    """The rows, telling who watches how many were read."""
    for done, line in enumerate(rows, 1):
        if done % PROGRESS_EVERY == 0:
            told("rows read", done)
        yield line


def _condition(listed: Listed, written: str) -> str:
    """The condition that a list says. One that nobody knows is unknown, and a doubt of its row."""
    known = CONDITIONS.get(written.casefold())
    if known is None:
        listed.doubts = (*listed.doubts, f"condition {written!r} is none of {', '.join(CONDITIONS)}: taken as unknown")
    return known or "unknown"


def _listed(line: Line) -> Listed:
    get = line.fields.get
    listed = Listed(line.number, get("model", ""), get("serial_number") or None, get("maker") or None)
    listed.doubts = line.flags
    listed.quantity = 1 if line.quantity is None else line.quantity
    listed.lot = get("lot") or None
    listed.distinguishing_mark = get("distinguishing_mark") or None
    listed.obliterated = get("obliterated", "").casefold() in YES
    condition = get("condition")
    listed.condition = _condition(listed, condition) if condition else None
    listed.account = next((value for name in ACCOUNT_FIELDS if (value := get(name))), None)
    listed.cells = line.cells
    listed.reason = _unreadable(listed)
    return listed


def _unreadable(listed: Listed) -> str | None:
    if not listed.model_name:
        return sentence("no model: give the model's name, or one for the whole list")
    if listed.quantity < 1:
        return sentence("a quantity of 0: leave the row out")
    if listed.serial_number is None or (listed.serial_number.isalnum() and len(listed.serial_number) <= LONGEST_SERIAL):
        return None
    try:
        listed.serial_number = check_serial(listed.serial_number)
    except Invalid as problem:
        return problem.faults[0].message if problem.faults else problem.detail
    return None


@dataclass(slots=True)
class Sorted:
    """A list whose lines have a model and an identity: those that stand, and those set aside with a reason."""

    source: str
    headings: tuple[str, ...] = ()
    mapping: Mapping | None = None
    lines: list[Listed] = field(default_factory=list)
    rejected: list[Listed] = field(default_factory=list)
    identities: Known = field(default_factory=Known)

    @property
    def known(self) -> dict[str, list[UUID]]:
        """The weapons that bear each identity now."""
        return self.identities.bearers

    @property
    def bearers(self) -> dict[str, int]:
        """How many weapons bear each identity already, or once did."""
        return self.identities.rows


def sort_out(connection: Connection, listed: Read, source: str) -> Sorted:
    """Finds each line's model by the source's aliases, and which weapons already bear its identity. Set aside: unknown
    models, a serial number twice in the list, a quantity of what is tracked by serial number.
    """
    result, everything = Sorted(source, listed.headings, listed.mapping), listed.lines
    models = find_models(connection, {name for line in everything for name in line.model_names}, source)
    first: dict[str, int] = {}
    for line in everything:
        line.model = next((models[name] for name in line.model_names if name in models), None)
        line.reason = line.reason or _why_not(line, first)
        (result.rejected if line.reason else result.lines).append(line)
    keys = list(first)
    for start in range(0, len(keys), BATCH):
        result.identities.update(items.known_by_identity(connection, keys[start : start + BATCH]))
    return result


def _why_not(line: Listed, first: dict[str, int]) -> str | None:
    model = line.model
    if model is None:
        return sentence(
            "unknown model {model_name!r}: a registrar says once which model it is", model_name=line.model_name
        )
    if model.tracked_by != "serial":
        if line.serial_number is not None:
            return sentence("{model} is counted, not serialised: leave out the serial number", model=model.name)
        if model.tracked_by == "lot" and line.lot is None:
            return sentence("{model} is tracked by lot: give the lot", model=model.name)
        return None
    if line.quantity != 1:
        return sentence("{model} is tracked by serial number: one line a weapon", model=model.name)
    if line.serial_number is None or line.obliterated:
        return None
    line.identity = identity_key(model.maker, model.model_id, serial_key(line.serial_number))
    before = first.setdefault(line.identity, line.row)
    if before == line.row:
        return None
    line.twin_of = before
    if line.distinguishing_mark is None:
        return sentence(
            "the same model and serial number as row {before}: if it is a second weapon, say how it can be told apart",
            before=before,
        )
    return None


def unknown_models(result: Sorted) -> set[str]:
    """The model names that nobody has mapped yet."""
    return {line.model_name for line in result.rejected if line.model is None and line.model_name}


def refuse_rejected(connection: Connection, result: Sorted, source: str, what: str, set_aside: bool) -> None:
    """Raises RowsRejected with the rows that can't be read, unless they may be set aside; never for an empty rest."""
    if set_aside:
        note_unknown(connection, unknown_models(result), source)
    if result.rejected and not (set_aside and result.lines):
        rows = sorted(result.rejected, key=lambda line: line.row)
        rejects = [Reject(line.row, line.reason or "", line.cells or (line.name,)) for line in rows]
        in_all = len(rows) + len(result.lines)
        detail = sentence(
            "The {what} was not posted: {count} of {in_all} rows cannot be read",
            what=of_the_books(what),
            count=len(rows),
            in_all=in_all,
        )
        raise rejected(detail, result.headings, rejects, sentence("Mend them, or set them aside."))
    if not result.lines:
        raise Invalid(sentence("The {what} was not posted: it has no lines.", what=of_the_books(what)))


def twins(result: Sorted) -> list[Contradiction]:
    """A serial number that the books, or an earlier row, have of the same model: a second weapon, flagged, not refused."""
    return [
        Contradiction(
            Kind.TWIN,
            f"row {line.twin_of} bears the same model and serial number"
            if line.twin_of is not None
            else f"{len(result.known[line.identity])} weapon(s) of this model and serial number in the books",
            f"{line.name}, row {line.row}",
            line.item_id,
            None,
            line.row,
        )
        for line in result.lines
        if line.identity is not None and (line.twin_of is not None or line.identity in result.known)
    ]


def doubts(result: Sorted) -> list[Contradiction]:
    """One discrepancy for all the rows of a file that look wrong; the register names each."""
    doubtful = [line for line in result.lines if line.doubts]
    if not doubtful:
        return []
    rows = ", ".join(str(line.row) for line in doubtful[:10]) + (", ..." if len(doubtful) > 10 else "")
    return [
        Contradiction(
            Kind.DOUBTFUL, f"{len(doubtful)} row(s) taken as they came: {rows}", "; ".join(doubtful[0].doubts)
        )
    ]


def new_weapon(line: Listed, donor_id: UUID, consignment_id: UUID | None = None) -> NewItem:
    """The item a line brings into the books."""
    model = line.model
    assert model is not None
    item = items.new_item(
        model.maker, model.model_id, model.name, model.tracked_by, donor_id, line.marks, consignment_id, line.lot
    )
    line.item_id = item.held.item_id
    return item
