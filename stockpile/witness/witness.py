"""The witness: its key, the logs it trusts, and its one act. What it cosigns it has written down before, in the transaction in which it
compared: of two requests at once the second is compared with what the first left, so that no fork is ever cosigned.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from stockpile.errors import Invalid, NotFound
from stockpile.proof.checkpoint import Checkpoint, open_checkpoint
from stockpile.proof.merkle import ProofFailed, verify_consistency
from stockpile.proof.note import COSIGNATURE, ED25519, Malformed, Note, SignatureFailed, Signer, Verifier
from stockpile.witness.memory import Contradiction, Memory, Seen, Writing
from stockpile.witness.message import SIZE_TYPE, AddCheckpoint

KEY, TRUSTED, MEMORY = "key", "trusted", "seen.sqlite"
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request: HTTP's status, the content's type, and the content."""

    status: int
    content: str
    media_type: str = _TEXT


@dataclass(frozen=True)
class Witness:
    """A witness by its folder, which holds its key, the keys of logs that it trusts, and what it has seen."""

    folder: Path
    signer: Signer = field(repr=False)

    @property
    def verifier(self) -> str:
        """Its key, as those who verify take it."""
        return str(self.signer.verifier)

    @property
    def memory(self) -> Memory:
        """What it has seen."""
        return Memory(self.folder / MEMORY)

    def trusted(self) -> list[Verifier]:
        """The keys of logs that it cosigns, as they are in the file now. Raises Invalid."""
        file = self.folder / TRUSTED
        try:
            lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
            return [Verifier.parse(line) for line in lines if line.strip()]
        except (OSError, ValueError, Malformed) as problem:
            raise Invalid(f"The trusted keys in {file} can't be read: {problem}.") from None

    def trust(self, key: str) -> Verifier:
        """Cosigns from now on what this key of a log signs under its own name. Raises Invalid."""
        try:
            verifier = Verifier.parse(key)
        except Malformed as problem:
            raise Invalid(f"This is no key of a log: {problem}.") from None
        if verifier.kind != ED25519:
            raise Invalid(f"The key of {verifier.name} is a witness's, not a log's.")
        if verifier not in self.trusted():
            with (self.folder / TRUSTED).open("a", encoding="utf-8") as file:
                file.write(f"{verifier}\n")
        return verifier

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosigns a checkpoint, or says why not (C2SP tlog-witness, "add-checkpoint")."""
        try:
            request = AddCheckpoint.parse(body)
            checkpoint = Checkpoint.parse(Note.parse(request.checkpoint).text)
        except Malformed as problem:
            return Answer(400, f"{problem}\n")
        keys = [key for key in self.trusted() if key.name == checkpoint.origin]
        if not keys:
            return Answer(404, "This witness does not know the log.\n")
        try:
            open_checkpoint(request.checkpoint, keys)
        except SignatureFailed:
            return Answer(403, "No key of the log that this witness trusts signed the checkpoint.\n")
        if request.old > checkpoint.size:
            return Answer(400, "The old size is larger than the checkpoint's.\n")
        with self.memory.writing() as memory:
            seen = Seen(checkpoint.origin, checkpoint.size, checkpoint.root, request.checkpoint, int(time.time()))
            refusal = _refusal(memory, request, seen)
            if refusal is None:
                memory.remember(seen)
        return refusal or Answer(200, self.signer.sign(checkpoint.text(), seen.seen_at).line())


def _refusal(memory: Writing, request: AddCheckpoint, offered: Seen) -> Answer | None:
    """Why a checkpoint that its log signed is not cosigned; evidence is kept. Where another tree was cosigned, its note is the answer, so
    that the log can show both.
    """
    twin = memory.at(offered.origin, offered.size)
    if twin is not None and twin.root != offered.root:
        memory.keep(_contradiction(offered, twin, fork=True))
    latest = memory.latest(offered.origin)
    if request.old != (latest.size if latest else 0):
        return Answer(409, f"{latest.size if latest else 0}\n", SIZE_TYPE)
    if latest is None:
        return Answer(422, "A proof from no leaves is empty.\n") if request.proof else None
    if latest.size == offered.size and latest.root != offered.root:
        return Answer(409, latest.note)
    try:
        verify_consistency(latest.size, latest.root, offered.size, offered.root, request.proof)
    except ProofFailed:
        if latest.root != offered.root:
            memory.keep(_contradiction(offered, latest, fork=False))
        return Answer(422, latest.note)
    return None


def _contradiction(offered: Seen, kept: Seen, fork: bool) -> Contradiction:
    return Contradiction(
        offered.origin, offered.size, offered.root, fork, offered.note, kept.size, kept.note, offered.seen_at
    )


def begin(folder: Path, name: str) -> Witness:
    """Makes a folder with a new key, which its owner alone reads. Raises Invalid (a key is there already; no name for a key)."""
    if (folder / KEY).exists() or (folder / MEMORY).exists():
        raise Invalid(f"{folder} holds a witness already: nothing was changed.")
    try:
        signer = Signer.generate(name, COSIGNATURE)
    except Malformed as problem:
        raise Invalid(f"{problem}. Take an address of yours, such as witness.donor.example.") from None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    witness = Witness(folder, signer)
    witness.memory.begin()
    with os.fdopen(os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{signer.encoded()}\n")
        file.flush()
        os.fsync(file.fileno())
    return witness


def open_witness(folder: Path) -> Witness:
    """The witness of a folder. Raises NotFound, Invalid."""
    file = folder / KEY
    if not file.exists():
        raise NotFound(f"{folder} holds no witness: 'stockpile witness init' makes one.")
    try:
        return Witness(folder, Signer.parse(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, Malformed) as problem:
        raise Invalid(f"{file} can't be read: {problem}.") from None
