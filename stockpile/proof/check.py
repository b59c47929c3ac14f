"""Check a bundle as whoever carries it does: without a database, without a network, without believing its maker. Says in
plain words what was proven and up to which checkpoint, what was not, and of a failure which weapon, entry and check.

`check.html` does the same in a browser, in the same words: tests/proof_cases.json holds both to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from .bundle import Bundle, Growth, Row
from .checkpoint import Checkpoint, Opened, open_checkpoint
from .commitment import ENTRY, NOTE, entry_tag
from .merkle import ProofFailed, leaf_hash, verify_consistency, verify_inclusion
from .note import Malformed, SignatureFailed, Verifier
from .succession import follow

NOTHING_FOLLOWS = (
    "That nothing follows: the weapon may have entries that this file does not hold, in the log up to this checkpoint or"
    " after it."
)
NO_ANSWER_FOLLOWS = (
    "That nothing follows: another statement that answers or replaces one of these may be in the log, up to this checkpoint or"
    " after it."
)
NOT_THE_TRUTH = (
    "That what was written is true: the log proves what was written and not changed since, not what happened."
)
NO_PINNED = (
    "That the log's past was not rewritten before this checkpoint: no earlier checkpoint was given to compare with."
)
NO_WITNESS = "That others are shown the same log: no cosignature of a witness whose key was given stands on it."
_LAST_SHOWN = 253402300799


@dataclass(frozen=True)
class Failure:
    """One check that failed: of which weapon, of which of its entries or documents, and why."""

    weapon: str
    row: str
    check: str
    why: str

    def __str__(self) -> str:
        return ", ".join(part for part in (self.weapon, self.row, self.check) if part) + ": " + self.why


@dataclass(frozen=True)
class Shown:
    """A row that is in the log, with the fields that it opened."""

    title: str
    fields: list[tuple[str, str]]


@dataclass
class Findings:
    """What a check found, in words."""

    weapon: str
    failures: list[Failure] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    until: list[str] = field(default_factory=list)

    @property
    def headline(self) -> str:
        """The answer in a line."""
        if not self.ok:
            return "NOT PROVEN: a check failed, so the file as a whole proves nothing."
        return f"PROVEN, up to {' and '.join(self.until)}."

    @property
    def ok(self) -> bool:
        """Whether there was something to prove, and nothing failed."""
        return bool(self.shown and not self.failures)

    def lines(self) -> Iterator[str]:
        """The findings as text, in the order to be read. What a file says is shown without characters that could pass for
        something else: line feeds, terminals' orders, changes of direction.
        """
        yield from map(printable, self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.headline
        yield from (f"Failed: {failure}" for failure in self.failures)
        yield from (f"Proven: {line}" for line in self.proven)
        for row in self.shown:
            yield f"Proven: {row.title} It says:"
            yield from (f"  {name}: {value}" for name, value in row.fields)
        yield from (f"Not proven: {line}" for line in self.not_proven)


def check_text(
    text: str, keys: Collection[Verifier], pinned: str | None = None, secret: bytes | None = None
) -> Findings:
    """Read a bundle and check it: `check` for a file's text. What can't be read is a finding too."""
    try:
        bundle = Bundle.parse(text)
    except Malformed as problem:
        why = f"this is no proof bundle, or it is damaged: {problem}"
        return Findings("", failures=[Failure("", "", "the file", why)])
    return check(bundle, keys, pinned, secret)


def check(
    bundle: Bundle, keys: Collection[Verifier], pinned: str | None = None, secret: bytes | None = None
) -> Findings:
    """Check every entry and document of a bundle. `keys` are the log's, and those of known witnesses; `pinned` is a
    checkpoint that was kept earlier; `secret` the item's, if the asker has it.
    """
    return _Check(bundle, keys, pinned, secret).findings()


class _Check:
    def __init__(self, bundle: Bundle, keys: Collection[Verifier], pinned: str | None, secret: bytes | None) -> None:
        self.bundle, self.keys, self.pinned, self.secret = bundle, keys, pinned, secret
        self.found = Findings(bundle.weapon)
        self.opened: dict[str, Opened] = {}
        self.logs: dict[str, Opened] = {}

    def findings(self) -> Findings:
        """Every check in its order."""
        self._follow_keys()
        held = [row for row in self.bundle.rows if self._is_in_log(row)]
        self._check_item(self.bundle.entries)
        self._check_documents(self.bundle.entries, self.bundle.documents)
        self._check_statements(self.bundle.statements)
        if self.pinned is not None:
            self._check_pinned(self.pinned)
        for opened in self.logs.values():
            self.found.proven.extend(signed_words(opened))
            self.found.until.append(f"checkpoint {opened.checkpoint.size} of the log {opened.checkpoint.origin}")
        self.found.shown.extend(Shown(self._title(row), list(row.values().items())) for row in held)
        self.found.not_proven.extend(self._not_proven())
        return self.found

    def _follow_keys(self) -> None:
        try:
            followed = follow(self.bundle.keys, self.keys)
        except SignatureFailed as problem:
            return self._fail(None, "keys", str(problem))
        new = [one for one in followed if one.is_new]
        self.keys = [*self.keys, *(one.succession.key for one in new)]
        self.found.proven.extend(map(str, new))
        return None

    def _fail(self, row: Row | None, check: str, why: str) -> None:
        self.found.failures.append(Failure(self.bundle.weapon, _called(row) if row else "", check, why))

    def _is_in_log(self, row: Row) -> bool:
        try:
            opened = self._open(row.proof.checkpoint)
        except SignatureFailed as problem:
            self._fail(row, "checkpoint", str(problem))
            return False
        except Malformed:
            self._fail(row, "checkpoint", "its checkpoint is not written as C2SP tlog-checkpoint says")
            return False
        checkpoint = opened.checkpoint
        first = self.logs.setdefault(checkpoint.origin, opened).checkpoint
        if first != checkpoint:
            self._fail(row, "checkpoint", f"the file holds two checkpoints of {checkpoint.origin}")
            return False
        try:
            hashed = leaf_hash(row.leaf())
            verify_inclusion(hashed, row.proof.index, checkpoint.size, row.proof.hashes, checkpoint.root)
        except ProofFailed:
            why = (
                f"its fields and its proof do not lead to the root of checkpoint {checkpoint.size}: it was changed,"
                " or is not in the log"
            )
            self._fail(row, "inclusion", why)
            return False
        return True

    def _check_item(self, entries: Iterable[Row]) -> None:
        before: Row | None = None
        for row in entries:
            values = row.values()
            if self.secret is not None and "version" in values:
                expected = entry_tag(self.secret, int(values["version"])) if _is_count(values) else b""
                if row.tag != expected:
                    self._fail(row, "tag", "it is not the tag of this item's secret and this version")
            if before is not None:
                self._check_follows(before.values(), row)
            before = row

    def _check_follows(self, before: dict[str, str], row: Row) -> None:
        values = row.values()
        if _differ(before, "item_id", values, "item_id"):
            self._fail(row, "item", "it is of another item than the entry before it")
        if "version" in before and "version" in values:
            if not (_is_count(before) and _is_count(values) and int(values["version"]) == int(before["version"]) + 1):
                self._fail(row, "order", "it is not the version that follows the entry before it")
            elif values.get("serial_number") and _differ(before, "to_account", values, "from_account"):
                self._fail(row, "custody", "it does not begin where the entry before it ended")

    def _check_documents(self, entries: Iterable[Row], documents: Collection[Row]) -> None:
        for document in documents:
            values = document.values()
            mine = [row for row in entries if _is_of(row, document)]
            if not mine:
                self._fail(document, "document", "no entry in the file is of this document")
            if document.entries:
                self._check_entries(document, values, mine)

    def _check_entries(self, document: Row, values: dict[str, str], mine: Iterable[Row]) -> None:
        if values.get("entries") != sha256(b"".join(document.entries)).hexdigest():
            self._fail(document, "entries", "the leaves given as its entries are not those it commits")
        if "line_count" in values and values["line_count"] != str(len(document.entries)):
            self._fail(document, "entries", "it does not have as many entries as it has lines")
        for row in mine:
            if row.leaf() not in document.entries:
                self._fail(row, "document", "it is not among the entries of its document")

    def _check_statements(self, statements: Collection[Row]) -> None:
        named = {row.values().get("statement_id") for row in statements}
        for row in statements:
            answered = row.values().get("answers")
            if answered and answered not in named:
                self._fail(row, "answer", "what it answers is not in the file")

    def _check_pinned(self, pinned: str) -> None:
        try:
            old = open_checkpoint(pinned, self.keys).checkpoint
        except SignatureFailed as problem:
            return self._fail(None, "earlier checkpoint", str(problem))
        except Malformed:
            return self._fail(None, "earlier checkpoint", "it is not written as C2SP tlog-checkpoint says")
        if old.origin not in self.logs:
            return self._fail(None, "earlier checkpoint", f"it is of the log {old.origin}, this file of another")
        new = self.logs[old.origin].checkpoint
        smaller, larger = (old, new) if old.size <= new.size else (new, old)
        if smaller.size == larger.size:
            hashes: tuple[bytes, ...] | None = ()
        else:
            hashes = _hashes(self.bundle.growth, smaller, larger)
        if hashes is None:
            why = (
                f"the file has no consistency proof between {smaller.size} and {larger.size}; ask for a file made for"
                f" your checkpoint {old.size}"
            )
            return self._fail(None, "earlier checkpoint", why)
        try:
            verify_consistency(smaller.size, smaller.root, larger.size, larger.root, hashes)
        except ProofFailed:
            why = f"the log of checkpoint {larger.size} does not hold the log of checkpoint {smaller.size} unchanged"
            return self._fail(None, "earlier checkpoint", f"{why}: its history was rewritten, or the proof is damaged")
        self.found.proven.append(
            f"Nothing in the log {old.origin} was changed or taken out between checkpoint {smaller.size} and checkpoint"
            f" {larger.size}."
        )
        return None

    def _title(self, row: Row) -> str:
        opened = self._open(row.proof.checkpoint)
        size, origin = opened.checkpoint.size, opened.checkpoint.origin
        return f"{_called(row)} is leaf {row.proof.index} of the log {origin} at checkpoint {size}."

    def _open(self, checkpoint: str) -> Opened:
        if checkpoint not in self.opened:
            self.opened[checkpoint] = open_checkpoint(checkpoint, self.keys)
        return self.opened[checkpoint]

    def _not_proven(self) -> Iterator[str]:
        yield f"The name {self.bundle.weapon}: it is what the file says; what the log holds are the opened fields."
        for row in self.bundle.rows:
            closed = [field.name for field in row.fields if field.value is None]
            if closed:
                yield f"What stands in the fields that {_called(row)} does not open: {', '.join(closed)}."
        yield from _unopened(self.bundle.entries, self.secret is not None)
        if self.pinned is None:
            yield NO_PINNED
        if not any(opened.witnesses for opened in self.logs.values()):
            yield NO_WITNESS
        if self.bundle.entries:
            yield NOTHING_FOLLOWS
        if self.bundle.statements:
            yield NO_ANSWER_FOLLOWS
        yield NOT_THE_TRUTH


def _called(row: Row) -> str:
    values = row.values()
    if row.kind == ENTRY:
        return f"entry {values['version']}" if "version" in values else f"entry at leaf {row.proof.index}"
    if row.kind == NOTE:
        said = " ".join(values[name] for name in ("kind", "reference") if name in values)
        return f"statement {said}" if said else f"statement at leaf {row.proof.index}"
    return f"document {values['number']}" if "number" in values else f"document at leaf {row.proof.index}"


def _is_of(row: Row, document: Row) -> bool:
    named = document.values().get("document_id")
    return row.leaf() in document.entries or (named is not None and row.values().get("document_id") == named)


def _is_count(values: dict[str, str]) -> bool:
    version = values["version"]
    return version.isascii() and version.isdigit() and len(version) < 10


def _differ(before: dict[str, str], one: str, values: dict[str, str], other: str) -> bool:
    return one in before and other in values and before[one] != values[other]


def _unopened(entries: Collection[Row], secret_given: bool) -> Iterator[str]:
    if not entries:
        return
    values = [row.values() for row in entries]
    versions_hidden = any("version" not in opened for opened in values)
    if any("item_id" not in opened for opened in values) and (versions_hidden or not secret_given):
        yield "That every entry is of one item: an entry does not open item_id."
    if versions_hidden:
        yield "That no entry is left out between those in the file: an entry does not open version."
    elif values[0]["version"] != "1":
        yield f"What came before entry {values[0]['version']}: the file begins with it."


def signed_words(opened: Opened) -> Iterator[str]:
    """Who signed a checkpoint, in words: the log's keys, and the witnesses known."""
    checkpoint = opened.checkpoint
    for one in opened.signed:
        if one.verifier.name == checkpoint.origin:
            yield f"Checkpoint {checkpoint.size} of the log {checkpoint.origin} is signed by its key {one.verifier.key_id.hex()}."
    for one in opened.witnesses:
        seen = f" at {moment_words(one.moment)}" if one.moment is not None else ""
        yield f"The witness {one.verifier.name} saw checkpoint {checkpoint.size} of {checkpoint.origin}{seen}."


def printable(text: str) -> str:
    """The text with every character that shows nothing written out, `\\u{202e}`."""
    return "".join(one if one.isprintable() else f"\\u{{{ord(one):x}}}" for one in text)


def moment_words(moment: int) -> str:
    """Seconds since 1970 as `2026-11-24 08:00:00 UTC`."""
    if moment > _LAST_SHOWN:
        return f"second {moment}"
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _hashes(growths: Iterable[Growth], smaller: Checkpoint, larger: Checkpoint) -> tuple[bytes, ...] | None:
    for growth in growths:
        if (growth.origin, growth.old, growth.new) == (smaller.origin, smaller.size, larger.size):
            return growth.hashes
    return () if smaller.size == 0 else None
