"""A log of 21 leaves with three entries of one rifle and the documents they came under, for stories of proofs; and the
table of what both checkers say of it (proof_cases.json).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from stockpile.proof.bundle import Bundle, Growth, Row, build, fields_of
from stockpile.proof.check import Findings, check_text
from stockpile.proof.checkpoint import Checkpoint
from stockpile.proof.commitment import DOCUMENT, ENTRY, NOTE, entry_tag, row_tag
from stockpile.proof.merkle import Tree, consistency_proof, inclusion_proof, leaf_hash
from stockpile.proof.note import COSIGNATURE, Note, Signature, Signer, Verifier
from stockpile.proof.succession import Succession
from stockpile.proof.tlog_proof import TlogProof

TABLE = json.loads((Path(__file__).parent / "proof_cases.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = TABLE["cases"]

ORIGIN = "armoury.example/log"
LOG = Signer(ORIGIN, b"\x01" * 32)
THIEF = Signer(ORIGIN, b"\x02" * 32)
OTHER_LOG = Signer("elsewhere.example/log", b"\x03" * 32)
BEFORE, BEFORE_LATER = (Signer("before.example/log", bytes([number]) * 32) for number in (7, 8))
WITNESS = Signer("donor.example/witness", b"\x04" * 32, COSIGNATURE)
KEYS = {
    "log": str(LOG.verifier),
    "witness": str(WITNESS.verifier),
    "thief": str(THIEF.verifier),
    "elsewhere": str(OTHER_LOG.verifier),
    "before": str(BEFORE.verifier),
}
SECRET, OTHER_SECRET = b"\x05" * 32, b"\x06" * 32
SEEN = 1_795_000_000
PLACES = (2, 8, 13)
SIZE, EARLIER = 21, 9
OPENED = (
    "item_id", "version", "document_id", "line", "serial_number", "from_account", "from_class", "to_account", "to_class",
    "happened_at",
)  # fmt: skip
OPENED_OF_DOCUMENT = ("document_id", "number", "act", "happened_at", "line_count", "entries")


def key(number: int) -> UUID:
    return UUID(f"0190b5a0-0000-7000-8000-{number:012}")


def seed(name: str) -> bytes:
    return sha256(name.encode()).digest()


@dataclass(frozen=True)
class Leaf:
    """A leaf before it has a place in the log."""

    kind: int
    tag: bytes
    fields: tuple[Any, ...]
    entries: tuple[bytes, ...] = ()

    def row(self, proof: TlogProof) -> Row:
        return Row(self.kind, self.tag, self.fields, proof, self.entries)

    def bytes(self) -> bytes:
        return self.row(TlogProof(0, (), "")).leaf()


def entry(
    version: int, begins: int, ends: int, *, item: int = 1, secret: bytes = SECRET, serial: str = "КТ 449921"
) -> Leaf:
    """An entry of a rifle from one account to another, numbers of made-up accounts."""
    classes = {0: "outside", 1: "supply", 2: "store", 3: "person", 4: "missing"}
    values = {
        "item_id": str(key(item)).encode(),
        "version": str(version).encode(),
        "document_id": str(key(100 + version)).encode(),
        "line": b"1",
        "site_id": str(key(50)).encode(),
        "donor_id": str(key(51)).encode(),
        "model_id": str(key(52)).encode(),
        "serial_number": serial.encode(),
        "quantity": b"1",
        "from_account": str(key(10 + begins)).encode(),
        "from_class": classes[begins].encode(),
        "to_account": str(key(10 + ends)).encode(),
        "to_class": classes[ends].encode(),
        "condition": b"serviceable",
        "happened_at": f"2026-11-2{version}T08:00:00.000000Z".encode(),
        "recorded_at": f"2026-11-2{version}T08:00:00.250000Z".encode(),
    }
    fields = fields_of(ENTRY, seed(f"entry {item} {version} {begins}"), values, OPENED)
    return Leaf(ENTRY, entry_tag(secret, version), fields)


def document(version: int, act: str, entries: Sequence[Leaf]) -> Leaf:
    """The document under which an entry came; who posted it stays closed."""
    leaves = tuple(one.bytes() for one in entries)
    values = {
        "document_id": str(key(100 + version)).encode(),
        "site_id": str(key(50)).encode(),
        "number": f"TAJI/B/2026/{40 + version}".encode(),
        "act": act.encode(),
        "happened_at": f"2026-11-2{version}T08:00:00.000000Z".encode(),
        "line_count": str(len(leaves)).encode(),
        "entries": sha256(b"".join(leaves)).hexdigest().encode(),
    }
    sown = seed(f"document {version}")
    fields = fields_of(DOCUMENT, sown, values, OPENED_OF_DOCUMENT, {"posted_by": seed("a digest of a person")})
    return Leaf(DOCUMENT, row_tag(sown), fields, leaves)


def statement(number: int, kind: str, content: str, answers: int | None = None) -> Leaf:
    """What a donor declared, or the host answered; who said it stays closed."""
    values = {
        "statement_id": str(key(200 + number)).encode(),
        "donor_id": str(key(51)).encode(),
        "kind": kind.encode(),
        "reference": b"FMS-2026-117",
        "answers": str(key(200 + answers)).encode() if answers else b"",
        "content": content.encode(),
        "recorded_at": f"2026-11-2{number}T08:00:00.250000Z".encode(),
    }
    sown = seed(f"statement {number}")
    fields = fields_of(NOTE, sown, values, values, {"said_by": seed("a digest of a person")})
    return Leaf(NOTE, row_tag(sown), fields)


STATEMENTS = {
    15: statement(1, "declaration", '{"line_count":2}'),
    17: statement(2, "accepted", '{"lines":2}', answers=1),
}


class Log:
    """A log of these leaves, with checkpoints at any size."""

    def __init__(self, leaves: Sequence[bytes], signer: Signer = LOG) -> None:
        self.leaves, self.signer = leaves, signer
        grown = Tree().append(map(leaf_hash, leaves))
        self.nodes = {(g.level, g.first + at): value for g in grown for at, value in enumerate(g.hashes)}

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def checkpoint(self, size: int, witness: Signer | None = WITNESS) -> Note:
        checked = Checkpoint(self.signer.name, size, Tree.read(size, self.node).root())
        note = checked.signed(self.signer)
        return note.signed_also(witness.sign(checked.text(), SEEN)) if witness else note

    def proof(self, index: int, size: int) -> TlogProof:
        hashes = inclusion_proof(index, size, self.node)
        return TlogProof(index, tuple(hashes), self.checkpoint(size).encoded())

    def growth(self, old: int, new: int) -> Growth:
        return Growth(self.signer.name, old, new, tuple(consistency_proof(old, new, self.node)))


def books(third: Leaf | None = None) -> tuple[Log, list[Leaf], list[Leaf]]:
    """The log, the rifle's three entries, the documents of the first two of them."""
    entries = [entry(1, 0, 1), entry(2, 1, 2), third or entry(3, 2, 3)]
    beside = entry(2, 1, 2, item=2, secret=OTHER_SECRET, serial="КТ 449922")
    documents = [document(1, "declare", [entries[0]]), document(2, "receive", [entries[1], beside])]
    leaves = [bytes([NOTE]) + seed(f"tag {at}") + seed(f"commitment {at}") for at in range(SIZE)]
    for place, leaf in zip(PLACES, entries, strict=True):
        leaves[place] = leaf.bytes()
    for place, leaf in zip((3, 10), documents, strict=True):
        leaves[place] = leaf.bytes()
    leaves[9] = beside.bytes()
    for place, leaf in STATEMENTS.items():
        leaves[place] = leaf.bytes()
    return Log(leaves), entries, documents


def bundle(third: Leaf | None = None) -> Bundle:
    """The bundle of the rifle, made for who keeps the checkpoint of nine leaves."""
    log, entries, documents = books(third)
    return build(
        "AKM КТ 449921",
        [leaf.row(log.proof(place, SIZE)) for place, leaf in zip(PLACES, entries, strict=True)],
        [leaf.row(log.proof(place, SIZE)) for place, leaf in zip((3, 10), documents, strict=True)],
        [log.growth(EARLIER, SIZE)],
    )


def told() -> Bundle:
    """What a donor declared and the host answered, with the consistency proof of the log."""
    log, _, _ = books()
    rows = [leaf.row(log.proof(place, SIZE)) for place, leaf in STATEMENTS.items()]
    return build("FMS-2026-117", [], [], [log.growth(EARLIER, SIZE)], rows)


def rewritten() -> Log:
    """A log whose second entry was written otherwise, all of it built again, under the log's own key."""
    log, _, _ = books()
    leaves = list(log.leaves)
    leaves[PLACES[0]] = entry(1, 0, 1, serial="КТ 000000").bytes()
    return Log(leaves)


PINNED: dict[str, Callable[[], str]] = {
    "nine leaves": lambda: books()[0].checkpoint(EARLIER, None).encoded(),
    "the same": lambda: books()[0].checkpoint(SIZE, None).encoded(),
    "twenty leaves": lambda: books()[0].checkpoint(20, None).encoded(),
    "before it was rewritten": lambda: rewritten().checkpoint(EARLIER, None).encoded(),
    "as large, but rewritten": lambda: rewritten().checkpoint(SIZE, None).encoded(),
    "of another log": lambda: Log(books()[0].leaves, OTHER_LOG).checkpoint(EARLIER, None).encoded(),
    "of a thief": lambda: Log(books()[0].leaves, THIEF).checkpoint(EARLIER, None).encoded(),
    "torn": lambda: books()[0].checkpoint(EARLIER, None).encoded()[:40],
}


def with_cosignature_moved() -> str:
    """The bundle with the moment of the witness's cosignature set a second later."""
    note = books()[0].checkpoint(SIZE)
    _, seen = note.signatures
    later = Signature(seen.name, seen.key_id, (SEEN + 1).to_bytes(8, "big") + seen.value[8:])
    return bundle().encoded().replace(seen.line()[:-1], later.line()[:-1])


def with_keys(*notes: str) -> str:
    """The bundle with what keys say of those after them."""
    return replace(bundle(), keys=notes).encoded()


def followed() -> list[str]:
    """The log followed another after a restore, which had a new key before."""
    ended = Checkpoint(BEFORE.name, 40, seed("root"))
    return [
        Succession(BEFORE_LATER.verifier).signed(BEFORE),
        Succession(LOG.verifier, ended, memory_lost=True).signed(BEFORE_LATER),
    ]


def vouched_for_by_another() -> str:
    """The keeper of another log says that this one follows it."""
    ended = Checkpoint(OTHER_LOG.name, 40, seed("root"))
    return Succession(LOG.verifier, ended).signed(OTHER_LOG)


FILES: dict[str, Callable[[], str]] = {
    "good": lambda: bundle().encoded(),
    "cosigned a second later": with_cosignature_moved,
    "compact": lambda: bundle().compact(),
    "statements": lambda: told().encoded(),
    "keys that follow one another": lambda: with_keys(*followed()),
    "keys with one missing between": lambda: with_keys(*followed()[1:]),
    "a key that another's log vouches for": lambda: with_keys(vouched_for_by_another()),
    "a key that is vouched for by nobody": lambda: with_keys(
        Succession(LOG.verifier).signed(replace(THIEF, seed=b"\x09" * 32))
    ),
    "keys with another put in": lambda: with_keys(
        followed()[0].replace(str(BEFORE_LATER.verifier), str(Signer(BEFORE.name, b"\x0a" * 32).verifier))
    ),
    "a gap in custody": lambda: bundle(entry(3, 4, 3)).encoded(),
    "another rifle's entry": lambda: bundle(entry(3, 2, 3, item=2)).encoded(),
}


def findings_of(case: dict[str, Any]) -> Findings:
    """What the checker in Python says of a case."""
    keys = [Verifier.parse(KEYS[name]) for name in case["keys"]]
    return check_text(text_of(case), keys, pinned_of(case), secret_of(case))


def pinned_of(case: dict[str, Any]) -> str | None:
    """The checkpoint that the asker of a case had kept."""
    return PINNED[case["pinned"]]() if "pinned" in case else None


def secret_of(case: dict[str, Any]) -> bytes | None:
    """The secret that the asker of a case has."""
    return {"item": SECRET, "other": OTHER_SECRET}.get(case.get("secret", ""))


def text_of(case: dict[str, Any]) -> str:
    """The file of a case: one of FILES, changed as the table says."""
    text = FILES[case.get("file", "good")]()
    for change in case.get("changes", ()):
        if "at" not in change:
            text = text.replace(*change["replace"])
            continue
        plain = json.loads(text)
        *path, last = change["at"]
        place = plain
        for step in path:
            place = place[step]
        if "swap" in change:
            rows = place[last]
            rows[0], rows[1] = rows[1], rows[0]
        elif "proof_at" in change:
            place[last] = books()[0].proof(PLACES[0], change["proof_at"]).encoded()
        elif "to" in change:
            place[last] = change["to"]
        elif "replace" in change:
            assert change["replace"][0] in place[last]
            place[last] = place[last].replace(*change["replace"])
        elif "flip" in change:
            place[last] = ("A" if place[last][0] != "A" else "B") + place[last][1:]
        else:
            del place[last]
        text = json.dumps(plain, ensure_ascii=False)
    return text
