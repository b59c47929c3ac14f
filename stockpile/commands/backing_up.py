"""`stockpile backup`: the books in a folder, while the service goes on; `stockpile restore`: the books again from one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from stockpile import backup as backups
from stockpile import backup_contents
from stockpile.backup import Made
from stockpile.backup_contents import About
from stockpile.commands.serving import ends_cleanly
from stockpile.commands.shown import counted, out, progress, text
from stockpile.settings import read_settings

BackupUrl = Annotated[
    str,
    typer.Option(
        "--backup-url",
        help="URL of a role that may copy a server of your own (REPLICATION); or set STOCKPILE_BACKUP_URL, which others do not see",
    ),
]


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for it; or, with --check, one that is there")],
    check: Annotated[
        bool, typer.Option("--check", help="Read a finished backup, and say what is wrong with it")
    ] = False,
    backup_url: BackupUrl = "",
) -> None:
    """Make a backup of the books: the database and the stored files. The service goes on meanwhile."""
    if check:
        with progress():
            about = backup_contents.check(folder)
        out.print(f"The backup in {folder} is whole.", markup=False)
        _show(about, backup_contents.digest_of(folder / backup_contents.ABOUT))
        return
    settings = read_settings()
    with ends_cleanly(), progress():
        made = backups.make(settings, folder, backup_url or os.environ.get("STOCKPILE_BACKUP_URL", ""))
    out.print(f"The backup is in {made.folder}.", markup=False)
    _show(made.about, made.about_sha256)
    _show_files(made)
    out.print("It does not hold the log's keys: keep those apart from it. docs/backup.md says how.")


def _show(about: About, sha256: str) -> None:
    newest = f"newest document of {text(about.newest_document)}" if about.newest_document else "no documents"
    out.print(
        f"Begun {text(about.begun_at)}, {newest}; {counted(about.files, 'file', 'files')}, {about.size / 1e6:,.1f} MB; "
        f"PostgreSQL {about.postgresql}, schema {about.schema_version}.",
        markup=False,
    )
    out.print(f"SHA-256 of {backup_contents.ABOUT}, to keep elsewhere: {sha256}", markup=False)


def _show_files(made: Made) -> None:
    if made.linked:
        shared = counted(made.linked, "stored file is", "stored files are")
        out.print(f"{shared} shared with the backup before it.", markup=False)
    for digest in made.altered:
        out.print(f"Altered before it was copied: the stored file {digest}. See 'stockpile files check'.", markup=False)
