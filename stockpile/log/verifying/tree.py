"""The log against the rows: every leaf of a row is in it once, or waits for it; it has no leaf of no row; its tiles and the root of every
checkpoint are made anew from the leaves, and every checkpoint's signature holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from stockpile.log.leaf import STATEMENT_FIELDS, statement_leaf
from stockpile.log.tree import split_leaves
from stockpile.log.verifying.books import Books, Check, Wrong
from stockpile.log.verifying.leaves import leaf_differs
from stockpile.proof.checkpoint import open_checkpoint
from stockpile.proof.merkle import Grown, ProofFailed, Tree, leaf_hash
from stockpile.proof.note import Verifier

_OF_LOG = """
SELECT substr(t.leaves, 65 * t.n + 1, 65) AS leaf FROM (SELECT leaves, generate_series(0, 255) AS n FROM tile WHERE level = 0) t
UNION ALL SELECT leaf FROM leaf UNION ALL SELECT leaf FROM unsequenced
"""
_MEMBERS = f"""
SELECT leaf, sum(in_rows), sum(in_log) FROM (
    SELECT leaf, 1 AS in_rows, 0 AS in_log FROM entry UNION ALL SELECT leaf, 1, 0 FROM document UNION ALL SELECT leaf, 1, 0 FROM register
    UNION ALL SELECT leaf, 1, 0 FROM note UNION ALL SELECT leaf, 1, 0 FROM case_part UNION ALL SELECT leaf, 1, 0 FROM donor_statement
    UNION ALL SELECT leaf, 1, 0 FROM erasure UNION ALL SELECT leaf, 1, 0 FROM log_statement
    UNION ALL SELECT leaf, 0, 1 FROM ({_OF_LOG}) logged) leaves
GROUP BY leaf HAVING sum(in_rows) <> sum(in_log) ORDER BY leaf
"""


def _members(books: Books) -> Iterator[Wrong]:
    for leaf, in_rows, in_log in books.rows(_MEMBERS):
        name = _name(books, leaf) if in_rows else f"leaf {_short(leaf)} of the log"
        if not in_rows:
            what = "no row has this leaf: the row was deleted, or its leaf altered"
        elif not in_log:
            what = "its leaf is neither in the log nor waits for it: it was inserted past the log, or altered"
        else:
            what = f"its leaf stands {in_log:,} times in the log, and in {in_rows:,} rows"
        yield Wrong(name, what)


_NAMED = (
    ("SELECT item_id, version FROM entry WHERE leaf = %s", "entry"),
    ("SELECT document_id FROM document WHERE leaf = %s", "document"),
    ("SELECT 'register ' || name FROM register WHERE leaf = %s", ""),
    ("SELECT 'note ' || note_id FROM note WHERE leaf = %s", ""),
    ("SELECT 'part ' || part || ' of case ' || case_id FROM case_part WHERE leaf = %s", ""),
    ("SELECT 'erasure ' || erasure_id FROM erasure WHERE leaf = %s", ""),
    ("SELECT kind || ' ' || reference || ' (' || statement_id || ')' FROM donor_statement WHERE leaf = %s", ""),
    ("SELECT 'statement ' || statement_id || ' of the log' FROM log_statement WHERE leaf = %s", ""),
)


def _name(books: Books, leaf: bytes) -> str:
    for question, kind in _NAMED:
        row = books.connection.exec_driver_sql(question, (leaf,)).first()
        if row is not None:
            return books.entry(*row) if kind == "entry" else books.document(row[0]) if kind else str(row[0])
    return f"leaf {_short(leaf)}"


def _short(leaf: bytes) -> str:
    return f"{leaf.hex()[:32]}..."


class Point(NamedTuple):
    """A checkpoint as it is stored."""

    size: int
    root: bytes
    note: str


_LEAVES = """
SELECT tile_index * 256 AS first, root, leaves FROM tile WHERE log = %s AND level = 0
UNION ALL SELECT leaf_index, NULL, leaf FROM leaf WHERE log = %s
ORDER BY 1
"""
_TILES = "SELECT level, tile_index, root FROM tile WHERE log = %s AND level > 0"
_CHECKPOINTS = "SELECT tree_size, root, note FROM checkpoint WHERE log = %s ORDER BY tree_size"
_LOGS = "SELECT log, origin FROM log_origin ORDER BY log"


def _trees(books: Books) -> Iterator[Wrong]:
    for log, origin in books.connection.exec_driver_sql(_LOGS).all():
        yield from _Rebuilt(books, log, origin, verifiers(books, log, origin)).wrong()


def verifiers(books: Books, log: int, origin: str) -> list[Verifier]:
    """The keys of a log: those that its own leaves name, and those at hand."""
    named = books.connection.exec_driver_sql(
        "SELECT content ->> 'key' FROM log_statement WHERE content ? 'key' AND log = %s", (log,)
    ).scalars()
    found = []
    for text in (*named, *books.log_keys):
        try:
            verifier = Verifier.parse(text)
        except ProofFailed:
            continue
        if verifier.name == origin and verifier not in found:
            found.append(verifier)
    return found


class _Rebuilt:
    """One log's tree, made anew from its leaves beside what is stored of it."""

    def __init__(self, books: Books, log: int, origin: str, keys: list[Verifier]) -> None:
        self.books, self.log, self.origin, self.keys = books, log, origin, keys
        self.tree = Tree()
        self.tiles = {(level, index): bytes(root) for level, index, root in books.rows(_TILES, (log,))}
        self.points = (Point(*row) for row in books.rows(_CHECKPOINTS, (log,)))
        self.next = next(self.points, None)
        self.kept = books.since if books.since is not None and books.since.log == log else None

    def wrong(self) -> Iterator[Wrong]:
        """What is stored otherwise than it follows from the leaves."""
        for first, root, packed in self.books.rows(_LEAVES, (self.log, self.log)):
            if first != self.tree.size:
                yield Wrong(f"log {self.origin}", f"leaf {self.tree.size:,} is missing before leaf {first:,}")
                return
            yield from self._grow(split_leaves(packed), root)
        for level, index in sorted(self.tiles):
            yield Wrong(f"tile {level}/{index} of the log {self.origin}", "there are no leaves that it is of")
        for size, name in self._ahead():
            yield Wrong(name, f"it covers {size:,} leaves, and the log has {self.tree.size:,}: its end was cut off")

    def _ahead(self) -> Iterator[tuple[int, str]]:
        if self.next is not None:
            yield self.next.size, self._name(self.next)
        if self.kept is not None and self.kept.size > self.tree.size:
            yield self.kept.size, f"the checkpoint that was given, of the log {self.origin}"

    def _grow(self, leaves: list[bytes], root: bytes | None) -> Iterator[Wrong]:
        hashes = [leaf_hash(leaf) for leaf in leaves]
        while hashes:
            stops = [stop.size for stop in (self.next, self.kept) if stop is not None and stop.size > self.tree.size]
            room = min(stops) - self.tree.size if stops else len(hashes)
            yield from self._compared(self.tree.append(hashes[:room]), root)
            hashes = hashes[room:]
            if self.kept is not None and self.tree.size == self.kept.size and self.tree.root() != self.kept.root:
                what = f"the first {self.kept.size:,} leaves of the log are not those it was signed over: the log was made anew since"
                yield Wrong(f"the checkpoint that was given, of the log {self.origin}", what)
            if self.next is not None and self.tree.size == self.next.size:
                yield from self._at(self.next)
                self.next = next(self.points, None)

    def _compared(self, grown: Iterable[Grown], root: bytes | None) -> Iterator[Wrong]:
        for level, first, hashes in ((one.level, one.first, one.hashes) for one in grown):
            if level == 0 or level % 8:
                continue
            for index, made in enumerate(hashes, first):
                stored = root if level == 8 else self.tiles.pop((level // 8 - 1, index), None)
                if stored != made:
                    what = "it is missing" if stored is None else "its hash does not follow from the leaves under it"
                    yield Wrong(f"tile {level // 8 - 1}/{index} of the log {self.origin}", what)

    def _at(self, point: Point) -> Iterator[Wrong]:
        if self.tree.root() != point.root:
            what = "its root is not that of the leaves under it: one of them was altered since it was signed, or the checkpoint"
            yield Wrong(self._name(point), what)
        if not self.keys:
            yield Wrong(self._name(point), "no key of this log is at hand to check its signature: give one with --key")
            return
        try:
            opened = open_checkpoint(point.note, self.keys).checkpoint
        except ProofFailed as problem:
            yield Wrong(self._name(point), f"its signature does not hold: {problem}")
            return
        if (opened.origin, opened.size, opened.root) != (self.origin, point.size, point.root):
            yield Wrong(self._name(point), "the note that was signed says another origin, size or root")

    def _name(self, point: Point) -> str:
        return f"checkpoint {point.size:,} of the log {self.origin}"


_STATEMENTS = f"SELECT seed, leaf, {', '.join(STATEMENT_FIELDS)} FROM log_statement ORDER BY statement_id"


def _statements(books: Books) -> Iterator[Wrong]:
    for seed, leaf, *values in books.rows(_STATEMENTS):
        said: dict[str, Any] = dict(zip(STATEMENT_FIELDS, values, strict=True))
        if statement_leaf(seed, said) != leaf:
            yield Wrong(f"statement {said['statement_id']} of the log", leaf_differs(seed, leaf, "what it says"))


CHECKS = (
    Check("leaves of the log's own statements", _STATEMENTS, _statements),
    Check("leaves of rows and of the log", _MEMBERS, _members),
    Check("tree and checkpoints", "", _trees),
)
