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
from stockpile.proof.note import Malformed, Note, Signer, sign_note
from stockpile.proof.package import statement
from stockpile.proof.succession import Succession

KEYS = "keys"
"""One private key a line, in the encoding of signed-note; the newest last, and it alone signs, but while it takes over."""
VERIFIERS = "keys.pub"
VOUCHED = "vouched"
"""The note in which the key before vouches for the newest."""
MEMORY = "signed.json"


class SignerRefuses(StockpileError):
    """The tree does not extend what was signed."""

    title = "The log's signer refuses"


class MemoryLost(Invalid):
    """What was signed last is not known any more: its file is missing or damaged."""


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
        if not has_keys(self.folder):
            raise NotFound(
                f"{self.folder} holds no key of the log: 'stockpile log init' makes the first. If there was one, put back its copy from "
                "the safe; if none is left, 'stockpile log restored --keys-lost' begins a new log."
            )

    @property
    def signed(self) -> Signed:
        """What was signed last. Raises MemoryLost, Invalid (it can't be read)."""
        return last_signed(self.folder)

    @property
    def verifier(self) -> str:
        """The newest key, as those who verify take it."""
        return str(_read_keys(self.folder)[-1].verifier)

    def check_at_hand(self) -> None:
        """Whether it could sign: raises MemoryLost, Invalid (the keys or the memory can't be read)."""
        _read_keys(self.folder)
        last_signed(self.folder)

    @property
    def vouched(self) -> str | None:
        """The note in which the key before the newest vouches for it; None: there was none before."""
        with suppress(OSError, ValueError, Malformed):
            note = (self.folder / VOUCHED).read_text(encoding="utf-8")
            if str(Succession.parse(Note.parse(note).text).key) == self.verifier:
                return note
        return None

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

    def take_over(self, before: str) -> str:
        """Makes a new key, which signs beside `before`; gives it as those who verify take it. Raises Invalid (another took over)."""
        with _held(self.folder):
            last = _read_keys(self.folder)[-1]
            if str(last.verifier) != before:
                raise Invalid("Another key was made at the same time: nothing was changed.")
            new = Signer.generate(last.name)
            _write(self.folder, VOUCHED, Succession(new.verifier).signed(last))
            _write_keys(self.folder, [last, new])
        return str(new.verifier)


def begin(folder: Path, origin: str) -> LogSigner:
    """Makes the folder, the first key and an empty memory. Raises Invalid where there are keys already."""
    if has_keys(folder):
        raise Invalid(f"{folder} holds the log's keys already: nothing was changed.")
    with _held(_made(folder)):
        _write_memory(folder, Signed(origin, 0, EMPTY_ROOT))
        _write_keys(folder, [Signer.generate(origin)])
    return LogSigner(folder)


def begin_anew(folder: Path, origin: str, ended: Checkpoint, memory_lost: bool = False) -> LogSigner:
    """From now on signs another log, that begins empty, with a key of its own. The key before vouches for it and signs beside it, where it
    is left. `ended`: the final checkpoint of the log before. Cut off, it is gone on with. Raises Invalid (damaged keys).
    """
    with _held(_made(folder)):
        last = _read_keys(folder)[-1:] if has_keys(folder) else []
        if not last or last[0].name != origin:
            new = Signer.generate(origin)
            for before in last:
                _write(folder, VOUCHED, Succession(new.verifier, ended, memory_lost).signed(before))
            _write_keys(folder, [*last, new])
        _write_memory(folder, Signed(origin, 0, EMPTY_ROOT))
    return LogSigner(folder)


def has_keys(folder: Path) -> bool:
    """Whether the log's keys are in a folder."""
    return (folder / KEYS).exists()


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _read_keys(folder: Path) -> list[Signer]:
    file = folder / KEYS
    try:
        keys = [Signer.parse(line) for line in file.read_text(encoding="ascii").split()]
    except OSError as problem:
        raise Invalid(f"The log's keys in {file} can't be read: {problem.strerror}.") from None
    except (Malformed, ValueError):
        keys = []
    if not keys:
        raise Invalid(
            f"The log's keys in {file} are damaged: put back the copy from the safe. If there is none, move the file away; "
            "'stockpile log restored --keys-lost' then begins a new log."
        )
    return keys


def _write_keys(folder: Path, keys: Sequence[Signer]) -> None:
    _write(folder, KEYS, "".join(f"{key.encoded()}\n" for key in keys))
    _write(folder, VERIFIERS, "".join(f"{key.verifier}\n" for key in keys))


def last_signed(folder: Path) -> Signed:
    """What was signed last with the keys of a folder. Raises MemoryLost, Invalid (it can't be read)."""
    file = folder / MEMORY
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return Signed(str(kept["origin"]), int(kept["size"]), bytes.fromhex(kept["root"]))
    except (ValueError, KeyError, TypeError, FileNotFoundError):
        raise MemoryLost(
            f"What the log's signer signed last stands in {file}, which is missing or damaged: it signs nothing without it. "
            "If it is somewhere else, put it back, but no copy made earlier; else begin a new log: 'stockpile log restored'."
        ) from None
    except OSError as problem:
        raise Invalid(f"{file} can't be read: {problem.strerror}.") from None


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
