"""Pinning: whoever does not run the log keeps each checkpoint that it was shown, and compares. What was kept is never changed or removed,
so two checkpoints that contradict one another stay as evidence, and are told of each time.

A checkpoint says how many leaves, not when: of an old sheet of paper it can't be said that the log went back. What the log answers now must
hold all that it signed before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from stockpile.errors import Invalid, StockpileError
from stockpile.proof.checkpoint import Checkpoint, Opened, open_checkpoint
from stockpile.proof.merkle import NodeReader, ProofFailed, Tree, consistency_proof, verify_consistency
from stockpile.proof.note import Malformed, Note, Verifier

KEYS = "keys"
ReadNodes = Callable[[int], NodeReader]
"""From the size of a tree, to its hashes as the log serves them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint in the folder, its signature checked."""

    file: Path
    note: str
    checkpoint: Checkpoint


@dataclass(slots=True)
class Comparison:
    """What came of a checkpoint: what was shown, what could not be, and for a disagreement the checkpoints that do not go together."""

    opened: Opened
    file: Path
    shown: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    disagreements: list[tuple[str, Kept, Kept]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pins:
    """A folder of checkpoints, and of the keys that they are checked with."""

    folder: Path

    def keys(self) -> list[Verifier]:
        """The keys that were given so far. Raises Invalid."""
        file = self.folder / KEYS
        try:
            return [Verifier.parse(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []
        except (OSError, ValueError, Malformed) as problem:
            raise Invalid(f"The keys in {file} can't be read: {problem}.") from None

    def trust(self, keys: Collection[str]) -> None:
        """Checks with these keys too from now on. Raises Invalid."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for text in keys:
            try:
                verifier = Verifier.parse(text)
            except Malformed as problem:
                raise Invalid(f"This is no key: {problem}.") from None
            if verifier not in self.keys():
                with (self.folder / KEYS).open("a", encoding="utf-8") as file:
                    file.write(f"{verifier}\n")

    def kept(self, origin: str) -> list[Kept]:
        """The checkpoints of a log, by size. Raises Invalid (one of them was changed)."""
        keys = self.keys()
        found = []
        for file in sorted(self._folder_of(origin).glob("*.txt")):
            try:
                note = file.read_bytes().decode()
                found.append(Kept(file, note, open_checkpoint(note, keys).checkpoint))
            except (OSError, ValueError, ProofFailed) as problem:
                raise Invalid(f"{file} is not as it was kept: {problem}.") from None
        return sorted(found, key=lambda one: one.checkpoint.size)

    def pin(self, note: str, read_nodes: ReadNodes | None = None, latest: bool = False) -> Comparison:
        """Keeps a checkpoint and compares it with those kept before: by proofs from the log's tiles, where they can be read. `latest`: the
        log shows it now. Raises Invalid (no checkpoint; not signed by a key that was given).
        """
        try:
            opened = open_checkpoint(note, self.keys())
        except ProofFailed as problem:
            raise Invalid(f"This checkpoint can't be believed: {problem}. {self._hint(note)}") from None
        before = self.kept(opened.checkpoint.origin)
        new = Kept(self._keep(opened.checkpoint, note), note, opened.checkpoint)
        done = Comparison(opened, new.file)
        others = [one for one in before if one.file != new.file]
        for one, other in pairwise(others):
            _compare_sizes(done, one, other)
        if not others:
            done.open.append("It is the first of this log that you keep: there is nothing to compare it with.")
        _compare(done, others, new, latest)
        if read_nodes is not None:
            _prove(done, others, new, read_nodes)
        elif others:
            done.open.append(
                "That it holds what you kept before unchanged can't be said from a file alone: give --tiles and a token."
            )
        return done

    def _hint(self, note: str) -> str:
        """What to do about a checkpoint that no known key of its log signed."""
        with suppress(ProofFailed):
            if signed := Note.parse(note).check(self.keys()):
                name = signed[0].verifier.name
                return (
                    f"The key of {name}, which you gave, signed it too: after a restore a log goes on under a new name with a new "
                    "key. If that was declared to you, give the new key with --key; what you kept stays."
                )
        return "Give the log's key with --key."

    def _folder_of(self, origin: str) -> Path:
        return self.folder / sha256(origin.encode()).hexdigest()[:16]

    def _keep(self, checkpoint: Checkpoint, note: str) -> Path:
        """Writes a checkpoint once; with other signatures under the same text it is the same."""
        folder = self._folder_of(checkpoint.origin)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / f"{checkpoint.size:019}-{checkpoint.root.hex()}.txt"
        if file.exists():
            return file
        new = file.with_suffix(".new")
        with new.open("w", encoding="utf-8", newline="") as opened:
            opened.write(note)
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(new, file)
        new.unlink()
        return file


def _compare_sizes(done: Comparison, one: Kept, other: Kept) -> bool:
    """Two checkpoints of one size; whether they agree."""
    same, agree = one.checkpoint.size == other.checkpoint.size, one.checkpoint.root == other.checkpoint.root
    if same and not agree:
        done.disagreements.append(
            (f"The log signed two different trees of {one.checkpoint.size:,} leaves.", one, other)
        )
    return agree or not same


def _compare(done: Comparison, others: Sequence[Kept], new: Kept, latest: bool) -> None:
    """What can be said without the log."""
    size = new.checkpoint.size
    for one in others:
        _compare_sizes(done, one, new)
    larger = [one for one in others if one.checkpoint.size > size]
    if larger and latest:
        words = f"The log went back: it shows {size:,} leaves now, and signed {larger[-1].checkpoint.size:,} before."
        done.disagreements.append((words, larger[-1], new))
    elif larger:
        done.open.append(
            f"It has fewer leaves than what you kept ({larger[-1].checkpoint.size:,}). If it is older, that is in order; if it is what the "
            "log shows now, the log went back: say --latest."
        )


def _prove(done: Comparison, others: Sequence[Kept], new: Kept, read_nodes: ReadNodes) -> None:
    """What the log's tiles show: that they are those of the checkpoint, and that it holds each earlier one unchanged."""
    size = new.checkpoint.size
    node = read_nodes(size)
    try:
        served = Tree.read(size, node).root()
    except (ValueError, StockpileError) as problem:  # what was found before it is told all the same
        done.open.append(f"The log's tiles could not be read whole, so nothing is proven: {problem}")
        return
    if served != new.checkpoint.root:
        done.disagreements.append(
            ("The tiles that the log serves are not those of the checkpoint that it signed.", new, new)
        )
        return
    earlier = [one for one in others if one.checkpoint.size < size]
    for one in earlier:
        try:
            proof = consistency_proof(one.checkpoint.size, size, node)
            verify_consistency(one.checkpoint.size, one.checkpoint.root, size, new.checkpoint.root, proof)
        except StockpileError as problem:
            done.open.append(f"The log's tiles could not be read whole, so less is proven: {problem}")
            return
        except ProofFailed:
            words = f"The log was altered: the {one.checkpoint.size:,} leaves that it signed before are not the first of these {size:,}."
            done.disagreements.append((words, one, new))
    if earlier and not done.disagreements:
        done.shown.append(f"It holds all that you kept before unchanged, up to {earlier[-1].checkpoint.size:,} leaves.")
