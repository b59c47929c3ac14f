"""Which column of a file is which of our fields: as the request says, else as remembered for the source, else guessed where
nothing that matters is in doubt. A doubt is asked for, never settled by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import Fault, Invalid
from stockpile.registers.mapping import Mapping, guess, mapping_of
from stockpile.sentences import joined, sentence

if TYPE_CHECKING:
    from stockpile.registers.listing import ListFile


@dataclass(frozen=True, slots=True)
class ListKind:
    """A kind of list: the name under which a source's columns are remembered, the fields that are read, and those of
    which it must have at least one in each group.
    """

    name: str
    fields: tuple[str, ...]
    needs: tuple[frozenset[str], ...]


def columns_of(connection: Connection, file: ListFile, source: str, headers: Sequence[str], kind: ListKind) -> Mapping:
    """The mapping of a file's columns. Raises Invalid: unknown fields, and columns that nobody can tell."""
    if file.columns is not None:
        return mapping_of(file.columns, file.constants, file.date_order)
    remembered = connection.exec_driver_sql(
        "SELECT mapping FROM column_mapping WHERE source = %s AND kind = %s", (source, kind.name)
    ).scalar_one_or_none()
    if remembered is not None and set(remembered["columns"].values()) <= set(headers):
        columns = {name: column for name, column in remembered["columns"].items() if name not in file.constants}
        order = file.date_order or remembered.get("date_order")
        return mapping_of(columns, {**remembered["constants"], **file.constants}, order)
    return guessed(file, headers, kind)


def remember_columns(
    connection: Connection, file: ListFile, source: str, kind: ListKind, mapping: Mapping, saved_by: UUID
) -> None:
    """Keeps a mapping that the request itself said, for the source's next list."""
    if file.columns is None:
        return
    connection.exec_driver_sql(
        """INSERT INTO column_mapping (source, kind, mapping, saved_by, saved_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (source, kind) DO UPDATE
           SET mapping = excluded.mapping, saved_by = excluded.saved_by, saved_at = excluded.saved_at""",
        (source, kind.name, Jsonb(mapping.to_json()), saved_by, now()),
    )


def guessed(file: ListFile, headers: Sequence[str], kind: ListKind) -> Mapping:
    """The mapping that the headings leave no doubt of. Raises Invalid: columns that nobody can tell."""
    proposal = guess(headers)
    columns = {str(name): column for name, column in proposal.mapping.columns if name in kind.fields}
    columns = {name: column for name, column in columns.items() if name not in file.constants}
    doubtful = [column for column in columns.values() if column in proposal.doubtful]
    missing = [names for names in kind.needs if not names & {*columns, *file.constants}]
    if missing or doubtful:
        faults = [
            Fault(
                sentence("the column seems {what}: say what it is", what=proposal.doubtful[column]),
                field=column,
            )
            for column in doubtful
        ]
        raise Invalid(
            sentence(
                "Say which column of {file} is which. Its columns are: {headers}. Understood so far: {columns}.",
                file=file.name,
                headers=", ".join(headers),
                columns=joined(
                    ", ", (sentence("{column} is {name}", column=column, name=name) for name, column in columns.items())
                )
                or sentence("none"),
            ),
            faults
            or [
                Fault(sentence("no column seems to be this: map it, or give one value for the whole list"), field=name)
                for names in missing
                for name in sorted(names)
            ],
        )
    return mapping_of(columns, file.constants, file.date_order)
