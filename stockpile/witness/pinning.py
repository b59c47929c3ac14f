"""Pinning: whoever does not run the log keeps each checkpoint that it was shown, and compares. What was kept is never changed or removed,
so two checkpoints that contradict one another stay as evidence, and are told of each time.

A checkpoint says how many leaves, not when: of an old sheet of paper it can't be said that the log went back. What the log answers now must
hold all that it signed before.
"""

from __future__ import annotations

import json
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
from stockpile.proof.succession import Followed, follow

KEYS = "keys"
ReadNodes = Callable[[int], NodeReader]
"""From the size of a tree, to its hashes as the log serves them."""


@dataclass(frozen=True, slots=True)
class ServedKeys:
    """What a log says of its keys: its name now, the keys that it names, what its signer lost, and the notes in which keys vouch for
    those after them. Only the notes are believed, and only under a key that is trusted.
    """

    origin: str
    keys: tuple[str, ...]
    lost: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def parse(cls, content: bytes) -> ServedKeys:
        """Reads what `/log/keys` answers. Raises Malformed."""
        try:
            said = json.loads(content)
            lists = [tuple(map(str, said[name])) for name in ("keys", "lost", "vouched")]
            return cls(str(said["origin"]), *lists)
        except (ValueError, LookupError, TypeError, RecursionError):
            raise Malformed("the log's list of keys is not written as docs/log.md says") from None


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint in the folder, its signature checked."""

    file: Path
    note: str
    checkpoint: Checkpoint


@dataclass(slots=True)
class Comparison:
    """What came of a checkpoint: which keys were taken up, what was shown, what could not be, and for a disagreement the checkpoints that
    do not go together.
    """

    opened: Opened
    file: Path
    keys: list[str] = field(default_factory=list)
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

    def follow(self, served: ServedKeys) -> list[Followed]:
        """The keys that trusted keys vouch for; new ones are trusted from now on. Raises Invalid."""
        try:
            followed = follow(served.notes, self.keys())
        except ProofFailed as problem:
            raise Invalid(f"What the log says of its keys can't be believed: {problem}.") from None
        self.trust([str(one.succession.key) for one in followed if one.is_new])
        return followed

    def pin(
        self, note: str, read_nodes: ReadNodes | None = None, latest: bool = False, served: ServedKeys | None = None
    ) -> Comparison:
        """Keeps a checkpoint and compares it with those kept before: by proofs from the log's tiles, where they can be read. `latest`: the
        log shows it now. `served`: what the log says of its keys, so that a new one is taken up for which a trusted one vouches. Raises
        Invalid (no checkpoint; not signed by a key that was given or vouched for).
        """
        followed = self.follow(served) if served else []
        try:
            opened = open_checkpoint(note, self.keys())
        except ProofFailed as problem:
            raise Invalid(f"This checkpoint can't be believed: {problem}. {self._hint(note, served)}") from None
        before = self.kept(opened.checkpoint.origin)
        new = Kept(self._keep(opened.checkpoint, note), note, opened.checkpoint)
        done = Comparison(opened, new.file)
        others = [one for one in before if one.file != new.file]
        for one, other in pairwise(others):
            _compare_sizes(done, one, other)
        if not others:
            done.open.append("It is the first of this log that you keep: there is nothing to compare it with.")
        _compare(done, others, new, latest)
        done.keys += [str(one) for one in followed if one.is_new]
        for step in followed:
            self._compare_ended(done, step, new)
        if read_nodes is not None:
            _prove(done, others, new, read_nodes)
        elif others:
            done.open.append(
                "That it holds what you kept before unchanged can't be said from a file alone: give --tiles and a token."
            )
        return done

    def _compare_ended(self, done: Comparison, followed: Followed, new: Kept) -> None:
        """Whether a log that ended with a restore ended with what is kept of it."""
        ended = followed.succession.ended
        if ended is None:
            return
        said = f"The log {ended.origin} is said to have ended with {ended.size:,} leaves"
        for one in self.kept(ended.origin):
            size = one.checkpoint.size
            if size == ended.size and one.checkpoint.root != ended.root:
                done.disagreements.append((f"{said}, and you keep another tree of as many.", one, new))
            elif size > ended.size and followed.succession.memory_lost:
                done.open.append(
                    f"{said}; what was signed last was not known any more. You keep its checkpoint of {size:,}: show it to the auditors."
                )
            elif size > ended.size:
                done.disagreements.append(
                    (f"{said}, and it signed {size:,}: more is lost than was declared.", one, new)
                )

    def _hint(self, note: str, served: ServedKeys | None) -> str:
        """What to do about a checkpoint that no known key of its log signed."""
        if served is not None and served.keys:
            lost = " It says that the keys before it were lost." if "keys" in served.lost else ""
            return (
                f"No key that you trust vouches for the log's newest, {served.keys[-1]}.{lost} Ask whoever runs the log, by other hands "
                "than this address, whether that is its key and why the ones before don't vouch for it; only then give it with --key."
            )
        with suppress(ProofFailed):
            if signed := Note.parse(note).check(self.keys()):
                name = signed[0].verifier.name
                return (
                    f"The key of {name}, which you gave, signed it too: after a restore a log goes on under a new name with a new "
                    "key. Give the log's address, or with a file --tiles, and the new key is taken up if the old one vouches for it; or "
                    "give it with --key. What you kept stays."
                )
        return "Give the log's key with --key, or its address: what a key that you trust vouches for is then taken up."

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
