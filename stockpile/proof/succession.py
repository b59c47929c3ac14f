"""How the keys of a log follow one another: each is vouched for, in a signed note, by the key before it. The first key of a log that
follows another after a restore is by the other's last, with the other's final checkpoint. Who trusts one key of a log so learns the next.

The note is signed by the key, not only named in the log: who can write to the log's database still can't have a key of his own believed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from .checkpoint import Checkpoint
from .note import ED25519, Malformed, Note, Signer, Verifier, sign_note

TITLE = "stockpile log key v1"
MEMORY_LOST = "a later checkpoint may have been signed"


@dataclass(frozen=True)
class Succession:
    """That a key signs the log of its name from now on. `ended`: after a restore, the log before it by its final checkpoint, which may not
    be the last one that was signed if the signer's memory was lost.
    """

    key: Verifier
    ended: Checkpoint | None = None
    memory_lost: bool = False

    def text(self) -> str:
        """What the key before signs."""
        last = self.ended.text() if self.ended else ""
        return f"{TITLE}\n{self.key}\n{last}" + (f"{MEMORY_LOST}\n" if self.memory_lost else "")

    @classmethod
    def parse(cls, text: str) -> Succession:
        """Read what a key signed. Raises Malformed."""
        title, _, rest = text.partition("\n")
        key, line_feed, rest = rest.partition("\n")
        if title != TITLE or not line_feed:
            raise Malformed(f"what vouches for a key begins with the line {TITLE}, then the key")
        verifier = Verifier.parse(key)
        memory_lost = rest.endswith(f"\n{MEMORY_LOST}\n")
        last = rest.removesuffix(f"{MEMORY_LOST}\n") if memory_lost else rest
        found = cls(verifier, Checkpoint.parse(last) if last else None, memory_lost)
        if verifier.kind != ED25519 or found.text() != text:
            raise Malformed("what vouches for a key is not written as docs/log.md says")
        return found

    def signed(self, before: Signer) -> str:
        """The note, by the key before."""
        return sign_note(self.text(), [before]).encoded()


@dataclass(frozen=True)
class Followed:
    """A key that one which is trusted vouches for. `is_new`: it was not trusted before."""

    succession: Succession
    by: Verifier
    is_new: bool

    def __str__(self) -> str:
        key, ended = self.succession.key, self.succession.ended
        vouches = f"The key {key.key_id.hex()} of the log {key.name} is vouched for by"
        if ended is None:
            return f"{vouches} the log's key {self.by.key_id.hex()}."
        return (
            f"{vouches} the key {self.by.key_id.hex()} of the log {ended.origin}, which ended at checkpoint {ended.size}: a restore was"
            " declared."
        )


def follow(notes: Iterable[str], keys: Collection[Verifier]) -> list[Followed]:
    """The keys that these notes lead to from known ones, in their order. One of a log that is known by a key is vouched for only by a key
    of that log: nobody brings in a key for another's log. Raises Malformed, SignatureFailed.
    """
    known, followed = list(keys), list[Followed]()
    for text in notes:
        note = Note.parse(text)
        succession = Succession.parse(note.text)
        by = next(_vouching(note, succession, known), None)
        if by is not None:
            followed.append(Followed(succession, by, succession.key not in known))
            known.append(succession.key)
    return followed


def _vouching(note: Note, succession: Succession, known: Collection[Verifier]) -> Iterator[Verifier]:
    before = succession.ended.origin if succession.ended else succession.key.name
    may = (
        succession.ended is None
        or succession.key in known
        or (before != succession.key.name and all(one.name != succession.key.name for one in known))
    )
    for one in note.check(known):
        if may and one.verifier.kind == ED25519 and one.verifier.name == before:
            yield one.verifier
