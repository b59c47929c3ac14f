"""What a finished backup consists of, and whether it is still that. `SHA256SUMS` lists every file, so that `sha256sum -c` reads it
too; `backup.json` says what was copied and has the digest of that list. It is written last: without it a backup was cut off.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from stockpile.errors import Fault, Invalid, NotFound
from stockpile.files import BLOCK
from stockpile.progress import told
from stockpile.sentences import sentence

ABOUT, SUMS = "backup.json", "SHA256SUMS"
DATABASE, FILES = "postgres", "files"

FAULTS_SHOWN = 50
TOLD_EVERY = 50


class DamagedBackup(Invalid):
    """The backup is not whole: cut off, altered, or no backup at all."""

    title = sentence("The backup is damaged")


class About(BaseModel):
    """What was copied, when and by what. `superuser` is the role that `initdb` made, `folders` those that lie empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["stockpile backup 1"] = "stockpile backup 1"
    begun_at: datetime
    finished_at: datetime
    program: str
    schema_version: str
    server: Literal["embedded", "own"]
    postgresql: str
    superuser: str
    database: str
    newest_document: datetime | None
    folders: tuple[str, ...]
    files: int
    size: int
    sums_sha256: str

    @property
    def major(self) -> int:
        """The version of PostgreSQL that can read the data."""
        return int(self.postgresql.split(".")[0])


def read_about(folder: Path) -> About:
    """What a backup says of itself. Raises NotFound, DamagedBackup for one that was cut off or whose list was altered."""
    if not folder.is_dir():
        raise NotFound(f"There is no backup in {folder}.")
    try:
        about = About.model_validate_json((folder / ABOUT).read_bytes())
    except FileNotFoundError:
        raise DamagedBackup(
            f"{folder} is no finished backup: it has no {ABOUT}, which is written last. Take an older backup."
        ) from None
    except ValidationError:
        raise DamagedBackup(f"{ABOUT} of {folder} is not as Stockpile wrote it. Take an older backup.") from None
    try:
        listed = digest_of(folder / SUMS)
    except FileNotFoundError:
        listed = ""
    if listed != about.sums_sha256:
        raise DamagedBackup(f"{SUMS} of {folder} is missing or altered. Take an older backup.")
    return about


def check(folder: Path) -> About:
    """Reads every file of a backup. Raises what `read_about` does; DamagedBackup naming each file that is missing, altered or
    was put there since.
    """
    about = read_about(folder)
    there = set(walk(folder)) - {ABOUT, SUMS}
    faults = []
    for done, (digest, path) in enumerate(sums(folder)):
        if done % TOLD_EVERY == 0:
            told("files of the backup read", done, about.files)
        fault = _fault(folder, digest, path) if path in there else "missing"
        there.discard(path)
        if fault:
            faults.append(Fault(fault, field=path))
    faults += [Fault("was put there since", field=path) for path in sorted(there)]
    if faults:
        raise _damaged(folder, faults)
    return about


def _fault(folder: Path, digest: str, path: str) -> str | None:
    try:
        return None if digest_of(folder / path) == digest else "altered"
    except OSError as problem:
        return f"cannot be read: {problem.strerror}"


def _damaged(folder: Path, faults: list[Fault]) -> DamagedBackup:
    more = f", the first {FAULTS_SHOWN} of {len(faults):,}" if len(faults) > FAULTS_SHOWN else ""
    return DamagedBackup(
        f"The backup in {folder} is not as it was made{more}. Take an older one, or bring back these files.",
        faults[:FAULTS_SHOWN],
    )


def sums(folder: Path) -> Iterator[tuple[str, str]]:
    """The digest and the path of every file, as listed."""
    with (folder / SUMS).open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            digest, _, path = line.rstrip("\n").partition("  ")
            yield digest, path


def walk(folder: Path) -> Iterator[str]:
    """The paths of all that lies in a folder and is none itself, in order."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in sorted([*names, *links]):
            yield os.path.relpath(os.path.join(place, name), folder)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex. Raises OSError."""
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def copy(source: Path, target: Path, mode: int) -> str:
    """Copies a file and gives the SHA-256 of what was copied. Raises OSError."""
    found = sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as written, source.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
            written.write(block)
    return found.hexdigest()


def make_durable(folder: Path) -> None:
    """All that was written to the disk that holds a folder outlives a power cut; other disks are left alone. Raises OSError."""
    system = ctypes.CDLL(None, use_errno=True)
    if not hasattr(system, "syncfs"):
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if system.syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(descriptor)
