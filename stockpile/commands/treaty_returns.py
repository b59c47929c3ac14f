"""Yearly returns to treaties, written as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockpile.commands.asking import Token, reading_as
from stockpile.commands.reports import Moment, in_utc
from stockpile.commands.shown import out, show_table
from stockpile.registers.write import write_csv
from stockpile.reports.treaty_returns import Treaty, treaty_return


def write_treaty_return(
    treaty: Annotated[Treaty, typer.Argument(help="To which treaty")],
    year: Annotated[int, typer.Argument(help="Of which year", min=1900, max=2199)],
    folder: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write each table as a CSV file into this folder", file_okay=False),
    ] = None,
    recorded: Moment = None,
    token: Token = None,
) -> None:
    """Make a year's return to a treaty from the books: show how many lines each table has, or write the tables as files."""
    with reading_as(token) as (connection, actor):
        made = treaty_return(connection, actor, treaty, year, in_utc(recorded))
    show_table(("table", "title", "lines"), [(one.name, one.title, len(one.rows)) for one in made.tables], "")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for table in made.tables:
            target = folder / f"{made.treaty}-{made.year}-{table.name}.csv"
            write_csv(target, table.headings, table.rows)
            out.print(f"{target}: written.", markup=False)
    for remark in (*made.remarks, *sorted({one.source for one in made.tables})):
        out.print(f"- {remark}", markup=False)
