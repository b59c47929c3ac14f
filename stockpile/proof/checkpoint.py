"""Checkpoints of a log (C2SP tlog-checkpoint): origin, size and root in a signed note. Read strictly, written exactly;
a checkpoint is believed only under a signature of a key that bears the log's own name, its origin.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .merkle import EMPTY_ROOT, HASH_SIZE
from .note import (
    COSIGNATURE,
    Malformed,
    Note,
    SignatureFailed,
    Signed,
    Signer,
    Verifier,
    base64_text,
    sign_note,
    strict_base64,
)

_NUMBER = re.compile("0|[1-9][0-9]{0,18}")


def number(text: str) -> int:
    """A decimal without leading zeros, below 2**63. Raises Malformed."""
    if not _NUMBER.fullmatch(text) or int(text) >= 1 << 63:
        raise Malformed(f"{text[:80]!r} is no number as a log writes it")
    return int(text)


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of its tree at one size."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(not line or re.search(r"[\x00-\x1f]", line) for line in (self.origin, *self.extensions)):
            raise Malformed("a checkpoint has no empty lines and no control characters")
        if len(self.root) != HASH_SIZE or not 0 <= self.size < 1 << 63:
            raise Malformed(f"a checkpoint has a size and a root of {HASH_SIZE} bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise Malformed("a checkpoint of no leaves has the root of the empty tree")

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text. Raises Malformed."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() != "":
            raise Malformed("a checkpoint has a line each for origin, size and root")
        return cls(lines[0], number(lines[1]), strict_base64(lines[2]), tuple(lines[3:]))

    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, base64_text(self.root), *self.extensions))

    def signed(self, *signers: Signer) -> Note:
        """The checkpoint as a note under these keys."""
        return sign_note(self.text(), signers)


@dataclass(frozen=True)
class Opened:
    """A checkpoint that its log signed, with every signature that was checked: the log's and the known witnesses'."""

    checkpoint: Checkpoint
    signed: Sequence[Signed]

    @property
    def witnesses(self) -> list[Signed]:
        """The cosignatures of others than the log. A plain signature beside its own is none: so signs the key of the log that was
        before it, after a restore.
        """
        return [
            one
            for one in self.signed
            if one.verifier.kind == COSIGNATURE and one.verifier.name != self.checkpoint.origin
        ]


def open_checkpoint(encoded: bytes | str, verifiers: Collection[Verifier]) -> Opened:
    """Read a signed checkpoint and check it against known keys: at least one named as its origin must have signed it.
    Raises Malformed, SignatureFailed.
    """
    note = Note.parse(encoded)
    checkpoint = Checkpoint.parse(note.text)
    signed = note.check(verifiers)
    if not any(verifier.name == checkpoint.origin for verifier in verifiers):
        raise SignatureFailed(
            f"no key was given for the log {checkpoint.origin}, nor one that vouches for its own: get it by other hands"
        )
    if not any(one.verifier.name == checkpoint.origin for one in signed):
        raise SignatureFailed(f"the checkpoint is not signed by a given key of the log {checkpoint.origin}")
    return Opened(checkpoint, signed)
