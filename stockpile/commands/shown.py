"""How commands speak: tables, refusals in plain words, progress of long tasks. A command never shows a stack trace."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.core import TyperGroup

from stockpile.acts.perform import Drafted
from stockpile.documents import Posted, not_understood
from stockpile.errors import Invalid, Refused, StockpileError
from stockpile.progress import heard_by

WIDE = 240
"""Columns of a table that goes to a file or another program."""

out = Console(highlight=False, soft_wrap=True)
if not out.is_terminal:
    out.width = WIDE
errors = Console(stderr=True, highlight=False, soft_wrap=True)


class Plain(TyperGroup):
    """Shows what went wrong in words, and ends with status 1."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except StockpileError as problem:
            show_problem(problem)
        except ValidationError as problem:
            show_problem(not_understood(problem))
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # who read us has read enough
        except (typer.Exit, typer.Abort, KeyboardInterrupt):
            raise
        except Exception as problem:
            if _is_usage(problem):
                raise
            show_unforeseen(problem)
        raise typer.Exit(1)


def _is_usage(problem: Exception) -> bool:
    """Whether typer itself says what is wrong with the command line."""
    return hasattr(problem, "exit_code")


def new_group(about: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        cls=Plain, help=about, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
        add_completion=False,
    )  # fmt: skip


def show_problem(problem: StockpileError) -> None:
    """A problem in words: what happened, then each fault or reason on a line."""
    errors.print(problem.detail, markup=False)
    if isinstance(problem, Invalid):
        for fault in problem.faults:
            place = ", ".join(part for part in (f"row {fault.row}" if fault.row else None, fault.field) if part)
            value = f" ({fault.value!r})" if fault.value is not None else ""
            errors.print(f"  {place + ': ' if place else ''}{fault.message}{value}", markup=False)
    if isinstance(problem, Refused):
        for reason in problem.reasons:
            where = f"; now at {reason.where}" if reason.where else ""
            errors.print(f"  line {reason.line}, {reason.weapon}: {reason.reason}{where}", markup=False)


def show_unforeseen(problem: Exception) -> None:
    """What nobody foresaw, in a line; where it happened only for who asks for it."""
    if os.environ.get("STOCKPILE_LOG_LEVEL") == "debug":
        traceback.print_exception(problem)
    name = type(problem).__name__
    errors.print(f"Unforeseen: {name}: {problem}. STOCKPILE_LOG_LEVEL=debug shows where.", markup=False)


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """A table, or a word that there is nothing."""
    given = [[text(value) for value in row] for row in rows]
    if not given:
        out.print(nothing, markup=False)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        numeric = all(row[number].replace(",", "").isdigit() or not row[number] for row in given)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in given:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    out.print(table)


def text(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    return str(value)


def show_posted(answer: Posted | Drafted) -> None:
    """What an act led to."""
    if isinstance(answer, Drafted):
        out.print(f"Waiting for a second person: draft {answer.document_id}.", markup=False)
        return
    lines = counted(answer.lines, "line", "lines")
    out.print(f"{answer.number}: {answer.act}, {lines}, quantity {answer.quantity:,}.", markup=False)
    if answer.discrepancy_count:
        kinds: dict[str, int] = {}
        for found in answer.discrepancies:
            kinds[found.kind] = kinds.get(found.kind, 0) + 1
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        more = "" if answer.discrepancy_count == len(answer.discrepancies) else ", and more"
        opened = counted(answer.discrepancy_count, "discrepancy", "discrepancies")
        out.print(f"{opened} opened: {listed}{more}.", markup=False)


def counted(number: int, one: str, many: str) -> str:
    """A number with its word."""
    return f"{number:,} {one if number == 1 else many}"


@contextmanager
def progress() -> Iterator[None]:
    """Shows how far the long tasks within it are; on a terminal only."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as shown:
        task = shown.add_task("", total=None)

        def hear(what: str, done: int, of: int | None) -> None:
            shown.update(task, description=what, completed=done, total=of)

        with heard_by(hear):
            yield
