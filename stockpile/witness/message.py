"""What a log sends to a witness, as text: the size it proves from, the consistency proof, and the checkpoint
(C2SP tlog-witness, "add-checkpoint").
"""

from __future__ import annotations

from dataclasses import dataclass

from stockpile.proof.checkpoint import number
from stockpile.proof.note import Malformed, base64_text
from stockpile.proof.tlog_proof import hash_of

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
"""Content type of the answer that names the latest size instead."""
MOST_HASHES = 63
LONGEST = 1 << 16
"""Bytes of a request that are read: more than any proof with a checkpoint of a hundred signatures."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """Please cosign this checkpoint; `proof` leads to it from the first `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: str

    def encoded(self) -> str:
        """The body of the request."""
        return "\n".join((f"old {self.old}", *map(base64_text, self.proof), "", self.checkpoint))

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """Reads the body of a request. Raises Malformed."""
        if len(body) > LONGEST:
            raise Malformed(f"a request has at most {LONGEST} bytes")
        try:
            head, empty_line, checkpoint = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise Malformed("a request is written in UTF-8") from None
        first, *hashes = head.split("\n")
        if not empty_line or not first.startswith("old "):
            raise Malformed(
                "a request has a line 'old' with a size, the lines of the proof, an empty line and a checkpoint"
            )
        if len(hashes) > MOST_HASHES:
            raise Malformed(f"a consistency proof has at most {MOST_HASHES} lines")
        return cls(number(first.removeprefix("old ")), tuple(hash_of(line) for line in hashes), checkpoint)
