"""A list of allowances as it stands in the file: unit, model, how many. Which unit and model are meant is looked up here too; what
the list changes is for `stockpile/allowances.py`.

A row that can't be read keeps its number and the reason, and holds back the other rows of its unit: a list replaces the one before, so
half of a unit's rows would take away what the other half says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue import Model, find_models, name_key
from stockpile.parties import Party
from stockpile.registers.columns import ListKind, columns_of, remember_columns
from stockpile.registers.listing import ListFile, opened_list, told_rows
from stockpile.registers.mapping import Line, lines
from stockpile.sentences import sentence

ALLOWANCE = ListKind(
    "allowance",
    ("unit_code", "unit", "model", "maker", "quantity"),
    (frozenset({"unit_code", "unit"}), frozenset({"model"}), frozenset({"quantity"})),
)


@dataclass(slots=True)
class AllowanceRow:
    """A row of a list of allowances; `reason` says why it can't be taken."""

    number: int
    unit_name: str = ""
    model_name: str = ""
    maker: str | None = None
    quantity: int = 0
    cells: tuple[str, ...] = ()
    reason: str | None = None
    unit: Party | None = None
    model: Model | None = None

    @property
    def model_names(self) -> tuple[str, ...]:
        """The names to look the model up by, with its maker first."""
        return (f"{self.maker} {self.model_name}", self.model_name) if self.maker else (self.model_name,)


@dataclass(slots=True)
class AllowanceList:
    """A list of allowances as read; `headings` are the columns of its file."""

    rows: list[AllowanceRow] = field(default_factory=list)
    headings: tuple[str, ...] = ()

    @property
    def taken(self) -> list[AllowanceRow]:
        """The rows that say what some unit may have."""
        return [row for row in self.rows if row.reason is None]

    @property
    def set_aside(self) -> list[AllowanceRow]:
        """The rows that can't be taken."""
        return [row for row in self.rows if row.reason is not None]

    def quantities(self) -> dict[tuple[UUID, UUID], int]:
        """How many each unit may have of each model: what several names of one model say is added up."""
        found: dict[tuple[UUID, UUID], int] = {}
        for row in self.taken:
            assert row.unit is not None
            assert row.model is not None
            key = (row.unit.party_id, row.model.model_id)
            found[key] = found.get(key, 0) + row.quantity
        return found


class PropertyBooks:
    """Who keeps a property book: the units and the organisation, by code, or by a name that only one of them has."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.exec_driver_sql(
            "SELECT party_id, kind, code, name FROM party WHERE kind IN ('unit', 'organisation') ORDER BY kind, party_id"
        )
        self.all = [Party(*row) for row in rows]
        self.organisation = next(party for party in self.all if party.kind == "organisation")
        self._by_code: dict[str, list[Party]] = {}
        self._by_key: dict[str, list[Party]] = {}
        for party in self.all:
            self._by_code.setdefault(party.code or "", []).append(party)
            for key in {name_key(party.code or ""), name_key(party.name or "")}:
                self._by_key.setdefault(key, []).append(party)

    def called(self, name: str) -> list[Party]:
        """Those of an exact code, else those of a code or name however written."""
        return self._by_code.get(name) or self._by_key.get(name_key(name), []) if name else []


def read_allowances(connection: Connection, file: ListFile, source: str, saved_by: UUID | None) -> AllowanceList:
    """The rows of a stored file; its columns are remembered for the source if `saved_by` says who vouches for them.

    Raises NotFound (file), UnreadableFile, Invalid (columns).
    """
    with opened_list(file) as opened:
        mapping = columns_of(connection, file, source, opened.headers, ALLOWANCE)
        if saved_by is not None:
            remember_columns(connection, file, source, ALLOWANCE, mapping, saved_by)
        rows = [_row(line) for line in told_rows(lines(mapping, opened))]
        rows += [AllowanceRow(reject.number, cells=reject.cells, reason=reject.reason) for reject in opened.rejects]
        listed = AllowanceList(sorted(rows, key=lambda row: row.number), opened.headers)
    books = PropertyBooks(connection)
    _find_units(listed.rows, books)
    _find_models(connection, listed.rows, source)
    _set_aside_repeated(listed.rows)
    _hold_back_units(listed.rows, books)
    return listed


def _row(line: Line) -> AllowanceRow:
    get = line.fields.get
    row = AllowanceRow(line.number, get("unit_code") or get("unit") or "", get("model") or "", get("maker") or None)
    row.cells = line.cells
    if not row.unit_name:
        row.reason = sentence("no unit: give the unit's code")
    elif not row.model_name:
        row.reason = sentence("no model: give the model's name")
    elif line.quantity is None:
        row.reason = sentence("no quantity: 0 says that the unit may have none")
    else:
        row.quantity = line.quantity
    return row


def _find_units(rows: Iterable[AllowanceRow], books: PropertyBooks) -> None:
    for row in rows:
        found = books.called(row.unit_name)
        if len(found) == 1:
            row.unit = found[0]
        elif row.reason is None:
            many = sentence(
                "{count} units are called {unit_name!r}: give the unit's code",
                count=len(found),
                unit_name=row.unit_name,
            )
            row.reason = (
                many
                if found
                else sentence("there is no unit {unit_name!r}: add it first, or mend the row", unit_name=row.unit_name)
            )


def _find_models(connection: Connection, rows: Sequence[AllowanceRow], source: str) -> None:
    models = find_models(connection, {name for row in rows for name in row.model_names if name}, source)
    for row in rows:
        row.model = next((models[name] for name in row.model_names if name in models), None)
        if row.reason is None and row.model is None:
            row.reason = sentence(
                "unknown model {model_name!r}: a registrar says once which model it is", model_name=row.model_name
            )


def _set_aside_repeated(rows: Iterable[AllowanceRow]) -> None:
    """Two rows of one unit that call one model by one name: nobody here can tell whether the second adds to the first or mends it."""
    told: dict[tuple[UUID, str], list[AllowanceRow]] = {}
    for row in rows:
        if row.reason is None and row.unit is not None:
            told.setdefault((row.unit.party_id, name_key(row.model_names[0])), []).append(row)
    for several in told.values():
        for row in several if len(several) > 1 else ():
            others = ", ".join(str(other.number) for other in several if other is not row)
            row.reason = sentence(
                "row {others} names the same unit and model: leave one row with the whole quantity", others=others
            )


def _hold_back_units(rows: Sequence[AllowanceRow], books: PropertyBooks) -> None:
    first: dict[UUID, int] = {}
    for row in rows:
        if row.reason is not None:
            for unit in [row.unit] if row.unit else _units_among(row.cells, books):
                first.setdefault(unit.party_id, row.number)
    for row in rows:
        if row.reason is None and row.unit is not None and row.unit.party_id in first:
            bad = first[row.unit.party_id]
            row.reason = sentence(
                "row {bad} of the same unit cannot be taken: what the unit may have stays as it was until it is mended",
                bad=bad,
            )


def _units_among(cells: Sequence[str], books: PropertyBooks) -> list[Party]:
    """Whom a row may mean that could not even be read: whoever one of its cells names."""
    return [found[0] for cell in cells if len(found := books.called(cell.strip())) == 1]
