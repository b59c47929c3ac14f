"""A proof that a leaf is in a log, as text that others' tools read (C2SP tlog-proof): index, inclusion proof, and the
checkpoint with its signatures.
"""

from __future__ import annotations

from dataclasses import dataclass

from .checkpoint import number
from .merkle import HASH_SIZE
from .note import Malformed, base64_text, strict_base64

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST_PROOF = 63
"""Hashes of an inclusion proof in the largest tree there can be."""


def hash_of(text: str) -> bytes:
    """A hash as base64. Raises Malformed."""
    value = strict_base64(text)
    if len(value) != HASH_SIZE:
        raise Malformed(f"a hash has {HASH_SIZE} bytes, not {len(value)}")
    return value


@dataclass(frozen=True)
class TlogProof:
    """Where a leaf is, the hashes from its sibling up, and the signed checkpoint as it was issued."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    def encoded(self) -> str:
        """The proof as text."""
        extra = [f"extra {base64_text(self.extra)}"] if self.extra else []
        lines = (HEADER, *extra, f"index {self.index}", *map(base64_text, self.hashes), "", self.checkpoint)
        return "\n".join(lines)

    @classmethod
    def parse(cls, text: str) -> TlogProof:
        """Read a proof (C2SP tlog-proof, "Format"). The checkpoint is kept unread. Raises Malformed."""
        above, empty_line, checkpoint = text.partition("\n\n")
        lines = above.split("\n")
        if not empty_line or lines.pop(0) != HEADER or not lines:
            raise Malformed(f"a proof begins with {HEADER} and has an empty line before its checkpoint")
        extra = strict_base64(lines.pop(0).removeprefix("extra ")) if lines[0].startswith("extra ") else b""
        if not lines or not lines[0].startswith("index ") or len(lines) > LONGEST_PROOF + 1:
            raise Malformed(f"a proof has a line of its index, then up to {LONGEST_PROOF} hashes")
        index, *hashes = lines
        return cls(number(index.removeprefix("index ")), tuple(map(hash_of, hashes)), checkpoint, extra)
