"""The log's signer: its keys and what it signed last, in a folder outside the database and outside the database's backups.

It signs no checkpoint that does not extend the last one it signed (C2SP tlog-checkpoint). What it signs it has written down, durably,
before: a crash in between leaves a size and root that it signs again, with the same bytes, as Ed25519 has no chance in it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from stockpile.errors import Invalid, NotFound, StockpileError
from stockpile.proof.checkpoint import Checkpoint
from stockpile.proof.merkle import EMPTY_ROOT, ProofFailed, verify_consistency
from stockpile.proof.note import Malformed, Signer, sign_note
from stockpile.proof.package import statement

KEYS = "keys"
"""One private key a line, in the encoding of signed-note; the newest last, and it alone signs, but while it takes over."""
VERIFIERS = "keys.pub"
MEMORY = "signed.json"


class SignerRefuses(StockpileError):
    """The tree does not extend what was signed."""

    title = "The log's signer refuses"


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed last: so many leaves under this root, of the log of this name."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class LogSigner:
    """Signs with the keys in a folder. Processes may share it: each act reads what the last one left, under a lock."""

    folder: Path

    def __post_init__(self) -> None:
        """Raises NotFound where there are no keys."""
        if not (self.folder / KEYS).exists():
            raise NotFound(f"{self.folder} holds no key of the log: 'stockpile log init' makes one.")

    @property
    def signed(self) -> Signed:
        """What was signed last. Raises Invalid where that is not known."""
        return _read_memory(self.folder)

    @property
    def verifier(self) -> str:
        """The newest key, as those who verify take it."""
        return str(_read_keys(self.folder)[-1].verifier)

    def check(self, origin: str, size: int, root: bytes, proof: Sequence[bytes]) -> None:
        """Whether a tree extends what was signed last; `proof` leads from that to it. Raises SignerRefuses, saying what is wrong."""
        last = self.signed
        if origin != last.origin:
            raise SignerRefuses(
                f"The database has the log {origin}; this signer signed {last.origin} last, with {last.size:,} leaves. "
                "If the database was restored from a backup, say so: 'stockpile log restored'."
            )
        if size < last.size:
            raise SignerRefuses(
                f"The log has {size:,} leaves in the database, and {last.size:,} were signed: the database is older than what was "
                "signed. If it was restored from a backup, say so: 'stockpile log restored'."
            )
        try:
            verify_consistency(last.size, last.root, size, root, proof)
        except ProofFailed:
            raise SignerRefuses(
                f"The first {last.size:,} leaves in the database are not those that were signed: somebody altered the log. "
                "Nothing more is signed. Keep the database as it is, and tell the auditor."
            ) from None

    def sign(self, origin: str, size: int, root: bytes, proof: Sequence[bytes]) -> str:
        """The checkpoint, signed. Raises SignerRefuses."""
        with _held(self.folder):
            self.check(origin, size, root, proof)
            self.remember(Signed(origin, size, root))
            return self.last_checkpoint()

    def sign_package(self, manifest: bytes) -> str:
        """A note over an audit package's manifest, by the newest key. What is signed begins with words of its own, so that nobody can take
        it for a checkpoint.
        """
        key = _read_keys(self.folder)[-1]
        return sign_note(statement(key.name, manifest), [key]).encoded()

    def last_checkpoint(self) -> str:
        """What was signed last, once more: byte for byte as it was then, while the keys are the same."""
        signed = self.signed
        return Checkpoint(signed.origin, signed.size, signed.root).signed(*_read_keys(self.folder)).encoded()

    def remember(self, signed: Signed) -> None:
        """Writes down what is about to be signed."""
        _write_memory(self.folder, signed)

    def begin_anew(self, origin: str) -> None:
        """From now on signs another log, that begins empty, with a key of its own; the key before signs beside it."""
        with _held(self.folder):
            last = _read_keys(self.folder)[-1]
            if last.name != origin:  # else it was cut off after this line, and the keys are made
                _write_keys(self.folder, [last, Signer.generate(origin)])
            self.remember(Signed(origin, 0, EMPTY_ROOT))

    def take_over(self) -> str:
        """Makes a new key, which signs beside the one before; gives it as those who verify take it."""
        with _held(self.folder):
            keys = [_read_keys(self.folder)[-1], Signer.generate(self.signed.origin)]
            _write_keys(self.folder, keys)
        return str(keys[-1].verifier)


def begin(folder: Path, origin: str) -> LogSigner:
    """Makes the folder, the first key and an empty memory. Raises Invalid where there are keys already."""
    if (folder / KEYS).exists():
        raise Invalid(f"{folder} holds the log's keys already: nothing was changed.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    with _held(folder):
        _write_memory(folder, Signed(origin, 0, EMPTY_ROOT))
        _write_keys(folder, [Signer.generate(origin)])
    return LogSigner(folder)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _read_keys(folder: Path) -> list[Signer]:
    try:
        return [Signer.parse(line) for line in (folder / KEYS).read_text(encoding="ascii").split()]
    except (Malformed, ValueError, OSError):
        raise Invalid(f"The log's keys in {folder / KEYS} are damaged, or can't be read.") from None


def _write_keys(folder: Path, keys: Sequence[Signer]) -> None:
    _write(folder, KEYS, "".join(f"{key.encoded()}\n" for key in keys))
    _write(folder, VERIFIERS, "".join(f"{key.verifier}\n" for key in keys))


def _read_memory(folder: Path) -> Signed:
    try:
        kept = json.loads((folder / MEMORY).read_text(encoding="utf-8"))
        return Signed(str(kept["origin"]), int(kept["size"]), bytes.fromhex(kept["root"]))
    except (ValueError, KeyError, TypeError, OSError):
        raise Invalid(
            f"What the log's signer signed last stands in {folder / MEMORY}, which is missing or damaged: it signs nothing without it. "
            "Put it back, or begin a new log: 'stockpile log restored'."
        ) from None


def _write_memory(folder: Path, signed: Signed) -> None:
    _write(folder, MEMORY, json.dumps({"origin": signed.origin, "size": signed.size, "root": signed.root.hex()}) + "\n")


def _write(folder: Path, name: str, text: str) -> None:
    """Writes a file that only its owner reads, whole or not at all, and durably."""
    new = folder / f"{name}.new"
    with suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / name)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
