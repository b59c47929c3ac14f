"""Allowances: imported as the registrar of a token; what units may have beside what they have, for whoever may read it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from stockpile.allowances import AllowanceRequest, AllowancesImported, import_allowances
from stockpile.commands.asking import Token, reading_as
from stockpile.commands.files import Csv, RejectsFile, Xlsx, check_ending, write_kept_rejects, write_report
from stockpile.commands.lists import Columns, Constants, SetAside, Sheet
from stockpile.commands.options import pairs
from stockpile.commands.reports import Moment, in_utc, show_list
from stockpile.commands.shown import counted, new_group, out, progress, show_table
from stockpile.files import file_store
from stockpile.registers.rejects import RowsRejected
from stockpile.reports.allowances import (
    AllowanceRow,
    AllowanceSought,
    By,
    ExcessLine,
    State,
    excess_and_shortfall,
    list_allowances,
)
from stockpile.reports.as_of import AsOf
from stockpile.settings import read_settings

DAY = ["%Y-%m-%d"]

allowance = new_group("Allowances: how many of each model a unit may have.")


@allowance.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The list: CSV or XLSX")],
    order: Annotated[str, typer.Option(help="Number of the order that authorises it")],
    as_of: Annotated[datetime | None, typer.Option(formats=DAY, help="From which day on; left out: today")] = None,
    source: Annotated[str | None, typer.Option(help="Whose names these are; left out: the organisation's")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would change")] = False,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    set_aside: SetAside = False,
    rejects: RejectsFile = None,
    token: Token = None,
) -> None:
    """Say how many of each model units may have from a day on; a unit's list replaces its former one."""
    if rejects is not None:
        check_ending(rejects)
    asked = {"order": order, "as_of": as_of.date() if as_of else None, "source": source, "dry_run": dry_run}
    with reading_as(token) as (connection, actor), progress():
        listed = {
            "sha256": file_store().keep_copy(file, read_settings().upload_limit).sha256,
            "name": file.name[:64],
            "sheet": sheet,
            "columns": pairs(column, "--column") or None,
            "constants": pairs(constant, "--all"),
            "set_aside": set_aside,
        }
        request = AllowanceRequest.model_validate({**asked, "file": listed})
        try:
            done = import_allowances(connection, actor, request)
        except RowsRejected as refusal:
            if rejects is not None:
                write_kept_rejects(rejects, refusal)
            raise
    _show_imported(done)


def _show_imported(done: AllowancesImported) -> None:
    counts = done.counts
    nothing = " (dry run: nothing was done)" if done.dry_run else " (in the books already)" if done.known else ""
    out.print(
        f"{done.order}, from {done.as_of}{nothing}: {counted(counts.rows, 'row', 'rows')}, "
        f"{counted(counts.units, 'unit', 'units')}. {counts.new:,} new, {counts.changed:,} changed, {counts.ended:,} ended, "
        f"{counts.unchanged:,} as before, {counts.set_aside:,} set aside.",
        markup=False,
    )
    if done.changes:
        rows = [(c.unit, c.maker, c.model, c.before, c.after) for c in done.changes]
        show_table(("unit", "maker", "model", "before", "after"), rows, "")
    if done.set_aside:
        out.print("Set aside:", markup=False)
        show_table(("row", "why"), [(row.row, row.remark) for row in done.set_aside], "")


@allowance.command("list")
def list_(
    unit: Annotated[str | None, typer.Option(help="Only of this unit")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model")] = None,
    on: Annotated[datetime | None, typer.Option(formats=DAY, help="As of this day; left out: today")] = None,
    every: Annotated[bool, typer.Option(help="Also those that no longer hold, or not yet")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show how many of each model units may have."""
    ask = partial(list_allowances, unit=unit, model=model, day=on.date() if on else None, every=every)
    headings = ("unit", "maker", "model", "allowed", "since", "until", "order")
    fields = ("unit", "maker", "model", "quantity", "since", "until", "order")
    show_list(token, ask, AllowanceRow, headings, fields, "There are no allowances.", limit, csv, xlsx)


def show_excess(
    unit: Annotated[str | None, typer.Option(help="Only this unit")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model")] = None,
    category: Annotated[str | None, typer.Option(help="Only this category, e.g. 'small arms'")] = None,
    state: Annotated[State | None, typer.Option(help="Only lines in excess, short, or not authorised")] = None,
    by: Annotated[By, typer.Option(help="A line for each unit and model, or for each model")] = By.UNIT,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what units may have beside what they have: excess and shortfall, now or as of a moment."""
    sought, at = AllowanceSought(unit, model, category, state), AsOf(in_utc(happened), in_utc(recorded))
    with reading_as(token) as (connection, actor):
        if csv or xlsx:
            write_report(csv, xlsx, ExcessLine, excess_and_shortfall(connection, actor, sought, by, at, None).rows)
            return
        found = excess_and_shortfall(connection, actor, sought, by, at, limit)
    sums = ("authorised", "held", "excess", "shortfall")
    names = ("maker", "model", *sums) if by is By.MODEL else ("unit", "within", "maker", "model", *sums)
    rows = [
        [*(getattr(line, name) for name in names), "not authorised" if line.not_authorised else None]
        for line in found.rows
    ]
    show_table((*names, ""), rows, "Units hold nothing, and may have nothing.")
    total = (
        f"authorised {found.authorised:,}, held {found.held:,}, excess {found.excess:,}, shortfall {found.shortfall:,}"
    )
    out.print(f"\nIn all: {total}; not authorised {found.not_authorised:,}.", markup=False)
    if found.cursor:
        out.print(f"... and more: --limit shows up to 1000, not {limit}; --csv and --xlsx write all.", markup=False)
