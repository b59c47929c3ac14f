"""`stockpile backup`: the books in a folder, while the service goes on; `stockpile restore`: the books again from one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from stockpile import backup as backups
from stockpile import backup_contents, restored_settings
from stockpile import restore as restoring
from stockpile.backup import Made
from stockpile.backup_contents import About
from stockpile.commands.serving import ends_cleanly
from stockpile.commands.shown import counted, out, progress, text
from stockpile.identity import asset_tag
from stockpile.restore import Restored
from stockpile.series import Series
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


def restore(
    folder: Annotated[Path, typer.Argument(help="A finished backup")],
    aside: Annotated[
        bool, typer.Option("--aside", help="Move what the data folder holds out of the way, instead of refusing")
    ] = False,
) -> None:
    """Restore the books from a backup into the data folder. Stop the service first."""
    settings = read_settings()
    with ends_cleanly(), progress():
        done = restoring.restore(settings, folder, aside)
    if done.aside:
        out.print(f"What was there before lies in {done.aside}.", markup=False)
    _show_books(done)
    _show_found(done)
    _show_settings(done)
    _show_next(done)


def _show_books(done: Restored) -> None:
    held = f"up to {done.newest} of {text(done.newest_at)}" if done.newest else "without documents"
    out.print(
        f"The books are restored {held}, from the backup begun {text(done.about.begun_at)}: "
        f"{counted(done.documents, 'document', 'documents')}.",
        markup=False,
    )
    if done.migrated_from:
        out.print(f"Their schema was {done.migrated_from} and was brought up.", markup=False)
    show_series(done.series)


def show_series(begun: Series) -> None:
    """How numbers go on after a restore."""
    out.print(
        f"They go on in a new series, since later numbers may stand on papers: a counter's next document is in its book "
        f"with .{begun.name} behind its code. {counted(begun.closed, 'book was', 'books were')} closed. "
        f"The next asset tag is {asset_tag(begun.next_tag)}.",
        markup=False,
    )


def _show_settings(done: Restored) -> None:
    """What the server was told that reached beyond its data. Without the values: they may hold passwords."""
    if done.settings_aside:
        out.print(
            f"Not taken over from the server's settings, lest the restored one harms what the old one left: "
            f"{', '.join(done.settings_aside)}. What they were stands in {done.place}, in postgresql.conf and files that end "
            f"with '{restored_settings.BEFORE}'.",
            markup=False,
        )


def _show_found(done: Restored) -> None:
    found = done.files
    if found.is_sound:
        out.print(
            f"{counted(found.named, 'stored file is', 'stored files are')} named, and all are there.", markup=False
        )
        return
    for how, files in (("missing", found.missing), ("altered", found.altered)):
        for one in files[: backup_contents.FAULTS_SHOWN]:
            out.print(f"A stored file is {how}: {one.sha256}, named by {one.named_by}.", markup=False)
    out.print("'stockpile files check' lists them again.")


def _show_next(done: Restored) -> None:
    steps = []
    if done.about.server == "own":
        steps.append(
            f"Your server's data lie in {done.place}: stop your PostgreSQL {done.about.major}, put them where it keeps its "
            "data, as the user that it runs as, and start it. Archiving, standbys and following another server are switched off "
            "in postgresql.auto.conf: set them anew by ALTER SYSTEM."
        )
    steps += [
        "Run 'stockpile log restored': the log begins anew and names what was lost, so that donors and witnesses see a "
        "declared restore and not a forgery.",
        "Start the service. On every station press 'Post again what this station acknowledged' (/station/device), and key "
        "the papers of the time since.",
        "Undone is what was ordered since the backup: revoke devices, counters and tokens again, disable users, and repeat "
        "erasures. Everybody signs in anew.",
    ]
    out.print("\nWhat to do now:")
    for number, step in enumerate(steps, 1):
        out.print(f"{number}. {step}", markup=False)
