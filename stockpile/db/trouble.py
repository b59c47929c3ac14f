"""What PostgreSQL and the operating system complain of, in the words of whoever must mend it.

It only reads and names; it must never retry, repair or remove anything.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import SubprocessError

from stockpile.errors import DatabaseUnavailable

READ_AT_MOST = 65_536

FULL = "The disk that holds {folder} is full. Make room and start again: nothing that was acknowledged is lost."
READ_ONLY = "The disk that holds {folder} can only be read. Mount it for writing, then start again."

NOT_PREPARED = (
    "This system does not let Stockpile start PostgreSQL as the user it needs: root has to become another "
    "user, and a user without a name in /etc/passwd has to borrow one. Start as an ordinary user with a "
    "name, or set STOCKPILE_DATABASE_URL to a running server."
)

# What the log says, and what that means: the first that fits counts.
CAUSES = (
    ("No space left on device|Disk quota exceeded", FULL),
    ("Read-only file system", READ_ONLY),
    (
        "Cannot allocate memory|could not (map|create|resize) .*shared memory",
        "There is not enough memory for PostgreSQL. End other programs or give the machine more, then start again.",
    ),
    (
        'pre-existing shared memory block|lock file "postmaster.pid" already exists',
        "Processes of an earlier server still hold {folder}. Wait until they are gone, or end them, then start again.",
    ),
    (
        "PANIC: |could not locate a valid checkpoint|invalid page|invalid data in file|"
        "database files are incompatible|"
        "could not (open|read) file .*No such file",
        "The data in {folder} are damaged. Keep them as they are and restore a backup to another folder; "
        "{log} says more.",
    ),
    (
        "Permission denied|Operation not permitted|has wrong ownership|has invalid permissions",
        "PostgreSQL may not use {folder}: all in it must belong to the user it runs as, and its data be "
        "closed to others. {log} says which file.",
    ),
)

REFUSALS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: "You may not use {file}, which belongs to user {owner}. Start as that user, or choose "
    "another folder.",
}


def cause(written: str, folder: Path, log: Path) -> str | None:
    """What a piece of PostgreSQL's log means, or None where it names no trouble that we know."""
    for pattern, meaning in CAUSES:
        if re.search(pattern, written):
            return meaning.format(folder=folder, log=log)
    return None


def last_word(written: str) -> str:
    """The last complaint in a piece of log, else its last line."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    complaints = [line for line in lines if re.search("FATAL|PANIC|error:", line)]
    return (complaints or lines or ["it did not say why"])[-1]


def tail(log: Path, start: int = 0) -> str:
    """The end of the log, from a position on."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - READ_AT_MOST))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Turns what the system refuses to the work inside, on files in `folder`, into DatabaseUnavailable."""
    try:
        yield
    except SubprocessError as problem:
        raise DatabaseUnavailable(NOT_PREPARED) from problem
    except OSError as problem:
        file = Path(os.fsdecode(problem.filename)) if problem.filename else folder
        meaning = REFUSALS.get(problem.errno or 0, "The files of the database are not to be used: {problem}.")
        raise DatabaseUnavailable(
            meaning.format(folder=folder, file=file, owner=_owner(file), problem=problem)
        ) from problem


def _owner(file: Path) -> int | str:
    """The user id of the nearest thing above that we may look at."""
    for each in (file, *file.parents):
        try:
            return each.stat().st_uid
        except OSError:
            continue
    return "unknown"
