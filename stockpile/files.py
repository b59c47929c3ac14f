"""Files as evidence: stored once under their SHA-256, outside the database, never changed and never overwritten."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from stockpile.errors import NotFound, UnreadableFile
from stockpile.settings import Settings


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
        if not self.holds(digest):
            raise NotFound(f"There is no stored file {digest}: upload it first.")
        return self._place(digest)

    def holds(self, digest: str) -> bool:
        """Whether a file of this SHA-256 is stored."""
        return self._place(digest).is_file()

    def keep(self, blocks: Iterable[bytes], limit: int) -> StoredFile:
        """Stores what comes in, durably, and gives its digest. Raises UnreadableFile beyond `limit` bytes or when the
        disk is full; nothing is left behind then.
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
                        raise UnreadableFile(f"The file is larger than {limit:,} bytes.")
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            self._settle(incoming, digest.hexdigest())
        except OSError as problem:
            raise UnreadableFile(f"The file could not be stored: {problem.strerror}. Nothing was kept.") from None
        finally:
            incoming.unlink(missing_ok=True)
        return StoredFile(digest.hexdigest(), size)

    def keep_copy(self, source: Path, limit: int) -> StoredFile:
        """Stores a copy of a file of this machine."""
        try:
            if source.stat().st_size > limit:
                raise UnreadableFile(f"{source.name} is larger than {limit:,} bytes.")
            with source.open("rb") as file:
                return self.keep(iter(lambda: file.read(1 << 20), b""), limit)
        except OSError as problem:
            raise UnreadableFile(f"{source} cannot be read: {problem.strerror}.") from None

    def _place(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def _settle(self, incoming: Path, digest: str) -> None:
        place = self._place(digest)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        if not place.exists():
            incoming.chmod(0o400)
            os.replace(incoming, place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def file_store() -> FileStore:
    """The store of this installation, in its data folder."""
    return FileStore(Settings().data / "files")
