"""Audit packages at the command line: any report that has a page, with its rows, checkpoint and proofs, signed by the log's key."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl

import typer

from stockpile.audit_packages import make_package
from stockpile.commands.asking import Token, acting
from stockpile.commands.shown import counted, out
from stockpile.commands.transparency import named_checkpoint
from stockpile.errors import NotFound
from stockpile.settings import read_settings

PAGES = "api.application"
LISTS = "api.pages.listing"


def write_package(
    report: Annotated[str, typer.Argument(help="The report by the address of its page, such as /reports/balance")],
    file: Annotated[Path, typer.Option("-o", "--output", help="Where to write it, .zip", dir_okay=False)],
    asked: Annotated[
        str, typer.Option(help="How it is asked: the query of its page, such as 'by=donor&site=TAJI'")
    ] = "",
    pinned: Annotated[
        Path | None, typer.Option(help="A checkpoint that its receiver keeps: the log is shown to have grown out of it")
    ] = None,
    token: Token = None,
) -> None:
    """Write a report as an audit package, to be checked without these books: 'stockpile check-proof'."""
    lists = importlib.import_module(LISTS)
    listing = lists.listings_of(importlib.import_module(PAGES).PAGES).get(report)
    if listing is None:
        raise NotFound(f"There is no report {report!r}: take the address of its page, such as /reports/balance.")
    known = [named_checkpoint(pinned)] if pinned is not None else []
    with acting(token) as (engine, actor):
        answered = lists.answered(listing, engine, actor, dict(parse_qsl(asked)))
        packed = make_package(engine, actor, read_settings().signing_folder, answered, known)
    file.write_bytes(packed)
    out.print(f"{file}: {counted(len(answered.rows), 'row', 'rows')} of {answered.report}, signed.", markup=False)
