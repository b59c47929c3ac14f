"""Registers: any list kept as it was read, to be compared with others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from stockpile.commands.asking import Token, acting, every_row, reading_as
from stockpile.commands.files import Csv, RejectsFile, Xlsx, check_ending, write_kept_rejects, write_report, write_rows
from stockpile.commands.lists import Columns, Constants, Sheet
from stockpile.commands.options import pairs
from stockpile.commands.reports import FORMATS
from stockpile.commands.shown import counted, new_group, out, progress, show_table
from stockpile.files import file_store
from stockpile.registers.importing import Imported, ImportRegister, import_register
from stockpile.registers.rejects import RowsRejected, headings_for, rows_of
from stockpile.registers.values import DateOrder
from stockpile.reports.registers import (
    RegisterRow,
    Sought,
    list_registers,
    read_register,
    register_called,
    rejects_of,
    widest,
)
from stockpile.settings import read_settings

register = new_group("Lists kept as they were read: import, look at, compare.")


@register.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="The list: CSV, XLSX, XLS, XLSB or ODS")],
    kind: Annotated[str, typer.Option(help="What it is, e.g. 'property book', 'issue log'")],
    source: Annotated[str, typer.Option(help="Whose list: columns and model names are mapped once for each source")],
    name: Annotated[str | None, typer.Option(help="How to call it; left out: as the file")] = None,
    site: Annotated[str | None, typer.Option(help="Of which site it speaks")] = None,
    donor: Annotated[str | None, typer.Option(help="Of which donor's weapons it speaks")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=FORMATS, help="The moment it speaks of, in UTC unless it says otherwise; left out: now"),
    ] = None,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    date_order: Annotated[
        DateOrder | None, typer.Option(help="Of dates like 03/04/2005: 'day first' or 'month first'")
    ] = None,
    rejects: RejectsFile = None,
    token: Token = None,
) -> None:
    """Keep a list as a register: as read, whole, and moving nothing."""
    if rejects is not None:
        check_ending(rejects)
    with acting(token) as (engine, actor), progress():
        stored = file_store().keep_copy(file, read_settings().upload_limit)
        moment = as_of.replace(tzinfo=as_of.tzinfo or UTC) if as_of else None
        request = ImportRegister.model_validate({
            "kind": kind, "source": source, "name": name or file.name[:64], "site": site, "donor": donor, "as_of": moment,
            "file": {
                "sha256": stored.sha256, "name": file.name[:64], "sheet": sheet, "columns": pairs(column, "--column") or None,
                "constants": pairs(constant, "--all"), "date_order": date_order,
            },
        })  # fmt: skip
        try:
            done = import_register(engine, actor, request)
        except RowsRejected as refusal:
            if rejects is not None:
                write_kept_rejects(rejects, refusal)
            raise
    _show_imported(done)
    if rejects is not None:
        _write_rejects(done.register_id, rejects, token)


def _show_imported(done: Imported) -> None:
    before = " was kept before" if done.known else ""
    out.print(
        f"{done.name}{before}: register {done.register_id}, {counted(done.lines, 'line', 'lines')}.", markup=False
    )
    if done.rejected:
        out.print(
            f"{counted(done.rejected, 'line', 'lines')} could not be read: kept with the reason, compared with nothing."
        )
    if done.doubtful:
        out.print(f"{counted(done.doubtful, 'line looks', 'lines look')} wrong: taken as read, each with its doubt.")
    if done.unknown_models:
        names = ", ".join(done.unknown_models[:10]) + (", ..." if len(done.unknown_models) > 10 else "")
        out.print(f"Nobody has mapped these models yet (stockpile alias): {names}.", markup=False)


def _write_rejects(register_id: UUID, file: Path, token: str | None) -> None:
    with reading_as(token) as (connection, actor):
        shown = read_register(connection, actor, register_id, limit=1)
        headings = headings_for(shown.headings, widest(connection, register_id))
        write_rows(file, headings, rows_of(rejects_of(connection, actor, register_id)))


@register.command("list")
def show_registers(
    kind: Annotated[str | None, typer.Option(help="What they are")] = None,
    site: Annotated[str | None, typer.Option(help="Of one site")] = None,
    donor: Annotated[str | None, typer.Option(help="Of one donor")] = None,
    text: Annotated[str | None, typer.Option(help="Part of the name or of the file's")] = None,
    limit: Annotated[int, typer.Option(help="How many", min=1, max=500)] = 50,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """List the registers, the newest first."""
    sought = Sought(kind, site, donor, None, text)
    with reading_as(token) as (connection, actor):
        if csv or xlsx:
            rows = every_row(lambda cursor: list_registers(connection, actor, sought, 500, cursor))
            write_report(csv, xlsx, RegisterRow, rows)
            return
        page = list_registers(connection, actor, sought, limit)
    headings = ("register", "kind", "name", "site", "donor", "as of", "lines", "rejected", "imported by")
    rows_shown = [
        (one.register_id, one.kind, one.name, one.site, one.donor, one.as_of, one.line_count, one.rejected_count, one.imported_by)
        for one in page.rows
    ]  # fmt: skip
    show_table(headings, rows_shown, "There are no such registers.")
    if page.cursor:
        out.print("... and more: --limit, or --csv for all.")


@register.command("show")
def show_register(
    called: Annotated[str, typer.Argument(metavar="REGISTER", help="Its key, or its name")],
    limit: Annotated[int, typer.Option(help="How many lines", min=1, max=500)] = 20,
    token: Token = None,
) -> None:
    """Show a register: whose list it is, and its first lines."""
    with reading_as(token) as (connection, actor):
        shown = read_register(connection, actor, register_called(connection, called), limit=limit)
    about = shown.register
    out.print(f"{about.name}: {about.kind}, register {about.register_id}", markup=False)
    out.print(
        f"as of {about.as_of:%Y-%m-%d %H:%M}Z, {about.line_count:,} lines, SHA-256 {about.file_sha256}", markup=False
    )
    columns = [*shown.headings[:8]]
    lines = [
        (line.line, *(line.cells + [""] * len(columns))[: len(columns)], line.rejected or line.doubts)
        for line in shown.lines
    ]
    show_table(("row", *columns, "said of it"), lines, "It has no lines.")
