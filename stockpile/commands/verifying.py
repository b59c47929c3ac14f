"""`stockpile verify`: everything recomputed from the rows, for whoever runs the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockpile.commands.shown import counted, out, progress
from stockpile.db.ready import opened
from stockpile.errors import Invalid
from stockpile.files import file_store
from stockpile.log import verify as verifying
from stockpile.log.verify import keys_at_hand
from stockpile.settings import read_settings


def verify(
    go_on: Annotated[bool, typer.Option("--all", help="Go on after the first wrong row")] = False,
    since: Annotated[
        str | None,
        typer.Option(
            help="A checkpoint that you kept (a file), or the size of one: leaves under it are not made anew",
            metavar="CHECKPOINT",
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A public key of the log, beside those that it names itself; may be repeated"),
    ] = None,
) -> None:
    """Recompute everything from the rows: custody, documents, leaves, lists, persons, files, books, the log. Changes nothing."""
    settings = read_settings()
    keys = [*(key or ()), *keys_at_hand(settings.signing_folder)]
    with opened(settings) as engine, progress():
        verified = verifying.verify(engine, file_store(), go_on, _checkpoint(since), keys, heard=_show)
        verifying.record(engine, verified)
    checks = counted(len(verified.checks), "check", "checks")
    seconds = f"{(verified.ended_at - verified.began_at).total_seconds():.1f} s"
    if verified.is_sound:
        kept = (
            f" Leaves under the checkpoint of {verified.since.size:,} were taken as they are." if verified.since else ""
        )
        out.print(f"Everything is as it follows from the rows: {checks} in {seconds}.{kept}", markup=False)
        return
    for name in verified.more:
        out.print(f"{name}: more than {verifying.MOST} rows are wrong; the first stand above.", markup=False)
    found = counted(len(verified.wrong), "row is wrong", "rows are wrong")
    more = "" if go_on else " --all looks for more."
    out.print(f"{found} ({checks} in {seconds}).{more} docs/verify.md says what to do.", markup=False)
    raise typer.Exit(1)


def _show(found: verifying.Found) -> None:
    out.print(f"{found.check}: {found}", markup=False)


def _checkpoint(since: str | None) -> str | None:
    """The checkpoint in the file, if a file is meant."""
    if since is None or since.strip().isdecimal():
        return since
    try:
        return Path(since).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid(
            f"{since} is no file with a checkpoint: {getattr(problem, 'strerror', None) or 'not text'}."
        ) from None
