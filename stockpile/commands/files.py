"""Reports that leave as files, and the rows of lists that could not be taken: CSV or XLSX, as the file's name ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from stockpile.commands.asking import Token, reading_as
from stockpile.commands.shown import out
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.registers.rejects import RowsRejected, headings_for, kept_rejects, rows_of
from stockpile.registers.write import Value, write_csv, write_xlsx
from stockpile.reports.documents import find_document
from stockpile.reports.export import columns, table
from stockpile.reports.registers import Sought, list_registers, read_register, rejects_of, widest

Csv = Annotated[Path | None, typer.Option("--csv", help="Write all rows to this CSV file", dir_okay=False)]
Xlsx = Annotated[Path | None, typer.Option("--xlsx", help="Write all rows to this XLSX file", dir_okay=False)]
RejectsFile = Annotated[
    Path | None,
    typer.Option("--rejects", help="Write the rows that cannot be taken to this .csv or .xlsx file", dir_okay=False),
]


def write_report(csv: Path | None, xlsx: Path | None, row: type, rows: Iterable[object]) -> None:
    """Writes all rows of a report to the files asked for, and says so. Raises CannotWrite."""
    held = rows if csv is None or xlsx is None else list(rows)
    for target, write in ((csv, write_csv), (xlsx, write_xlsx)):
        if target is not None:
            write(target, columns(row), table(held))
            out.print(f"{target}: written.", markup=False)


def write_rows(target: Path, headings: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Writes a table as CSV or XLSX, as the file's name ends. Raises Invalid (another ending), CannotWrite."""
    check_ending(target)
    write = write_xlsx if target.suffix.lower() == ".xlsx" else write_csv
    write(target, headings, rows)
    out.print(f"{target}: written.", markup=False)


def check_ending(target: Path) -> None:
    """Raises Invalid unless the file's name says CSV or XLSX."""
    if target.suffix.lower() not in (".csv", ".xlsx"):
        raise Invalid(
            "The file cannot be written.",
            [Fault("end its name in .csv or .xlsx", field="file", value=target.name)],
        )


def write_kept_rejects(target: Path, refusal: RowsRejected) -> None:
    """Writes all rows for which a list was refused."""
    if refusal.rejects is not None:
        write_rows(target, *kept_rejects(refusal.rejects))


def write_rejects(
    document: Annotated[str, typer.Argument(help="The document posted from the list: its number")],
    file: Annotated[Path, typer.Argument(help="To this .csv or .xlsx file", dir_okay=False)],
    token: Token = None,
) -> None:
    """Write the rows of a list that were set aside when it was posted, to be mended and sent again."""
    check_ending(file)
    with reading_as(token) as (connection, actor):
        found = list_registers(connection, actor, Sought(document_id=find_document(connection, document)))
        if not found.rows:
            raise NotFound(f"{document} was not posted from a file.")
        register_id: UUID = found.rows[0].register_id
        shown = read_register(connection, actor, register_id, limit=1)
        headings = headings_for(shown.headings, widest(connection, register_id))
        write_rows(file, headings, rows_of(rejects_of(connection, actor, register_id)))
