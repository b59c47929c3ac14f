"""Files as evidence: stored once under their SHA-256, outside the database, never changed and never overwritten. What is
erased by order leaves a mark beside its place, and is not stored again.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from stockpile.errors import NotFound, UnreadableFile
from stockpile.sentences import sentence
from stockpile.settings import Settings

DIGEST = re.compile("[0-9a-f]{64}")
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file: its SHA-256 in hex and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class FileStore:
    """A folder of files under their SHA-256."""

    folder: Path

    def path(self, digest: str) -> Path:
        """Where a stored file lies. Raises NotFound if it is not there."""
        if self.was_erased(digest):
            raise NotFound(sentence("The file {digest} was erased by order.", digest=digest))
        if not self.holds(digest):
            raise NotFound(sentence("There is no stored file {digest}: upload it first.", digest=digest))
        return self._place(digest)

    def holds(self, digest: str) -> bool:
        """Whether a file of this SHA-256 is stored."""
        return self._place(digest).is_file()

    def was_erased(self, digest: str) -> bool:
        """Whether the file of this SHA-256 was erased by order."""
        return self._mark(digest).exists()

    def keep(self, blocks: Iterable[bytes], limit: int, judge: Callable[[Path], object] | None = None) -> StoredFile:
        """Stores what comes in, durably, and gives its digest. Raises UnreadableFile beyond `limit` bytes, for what was
        erased by order, when the disk is full, or as `judge` says; nothing is left behind then.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        digest, size = sha256(), 0
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="incoming-")
        incoming = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for block in blocks:
                    size += len(block)
                    if size > limit:
                        raise UnreadableFile(sentence("The file is larger than {limit:,} bytes.", limit=limit))
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            if judge is not None:
                judge(incoming)
            self._settle(incoming, digest.hexdigest())
        except OSError as problem:
            raise UnreadableFile(
                sentence("The file could not be stored: {strerror}. Nothing was kept.", strerror=problem.strerror)
            ) from None
        finally:
            incoming.unlink(missing_ok=True)
        return StoredFile(digest.hexdigest(), size)

    def keep_copy(self, source: Path, limit: int, judge: Callable[[Path], object] | None = None) -> StoredFile:
        """Stores a copy of a file of this machine."""
        try:
            if source.stat().st_size > limit:
                raise UnreadableFile(
                    sentence("{source} is larger than {limit:,} bytes.", source=source.name, limit=limit)
                )
            with source.open("rb") as file:
                return self.keep(iter(lambda: file.read(BLOCK), b""), limit, judge)
        except OSError as problem:
            raise UnreadableFile(
                sentence("{source} cannot be read: {strerror}.", source=source, strerror=problem.strerror)
            ) from None

    def is_unaltered(self, digest: str) -> bool:
        """Whether a stored file still has its SHA-256: reads all of it. Raises NotFound, OSError."""
        found = sha256()
        with self.path(digest).open("rb") as file:
            while block := file.read(BLOCK):
                found.update(block)
        return found.hexdigest() == digest

    def digests(self) -> Iterator[str]:
        """The SHA-256 of every file that lies here."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(name for name in os.listdir(folder) if DIGEST.fullmatch(name))

    def erase(self, digest: str) -> None:
        """Takes a file away for good, and leaves the mark that says so; again it changes nothing."""
        place, mark = self._place(digest), self._mark(digest)
        place.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        mark.touch(mode=0o400)
        self._settle_folder(place.parent)
        place.unlink(missing_ok=True)
        place.with_suffix(".evidence").unlink(missing_ok=True)
        self._settle_folder(place.parent)

    def _place(self, digest: str) -> Path:
        """Only ever a place in the folder: what is no digest names no file, and least of all a path."""
        if not DIGEST.fullmatch(digest):
            raise NotFound(sentence("There is no stored file {digest}: upload it first.", digest=digest))
        return self.folder / digest[:2] / digest

    def _mark(self, digest: str) -> Path:
        return self._place(digest).with_suffix(".erased")

    def _settle(self, incoming: Path, digest: str) -> None:
        place = self._place(digest)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        if not place.exists():
            incoming.chmod(0o400)
            os.replace(incoming, place)
        # The mark is there before its file goes: whoever erases in between takes away what was settled, or is seen here.
        if self.was_erased(digest):
            place.unlink(missing_ok=True)
            raise UnreadableFile(sentence("This file was erased by order: it is not stored again."))
        self._settle_folder(place.parent)

    @staticmethod
    def _settle_folder(path: Path) -> None:
        """What was done in a folder outlives a power cut."""
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def file_store() -> FileStore:
    """The store of this installation, in its data folder."""
    return FileStore(Settings().data / "files")
