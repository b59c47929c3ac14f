"""The tree in the database: how it grows by leaves, and its tiles and hashes as they are asked for.

A row of `tile` is a full tile: the 256 leaves of one of level 0, and of each the hash over all that is under it. A tile of
hashes is those of the tiles below it, so no hash stands twice. Leaves whose tile is not full stand in `leaf`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection

from stockpile.db.engine import ask
from stockpile.proof.merkle import EMPTY_ROOT, leaf_hash, node_hash

WIDTH = 256
LEAF_BYTES = 65
HIGHEST = 7
"""Level of the highest tiles: 2^64 leaves."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile that became full. `leaves`: of level 0, one after another."""

    level: int
    index: int
    root: bytes
    leaves: bytes | None = None


@dataclass(slots=True)
class Edge:
    """The right edge of a tree: whatever is not under a full tile yet. `hashes[level]` are the hashes of that level's unfinished
    tile, `leaves` the leaves of level 0's.
    """

    size: int = 0
    leaves: list[bytes] = field(default_factory=list)
    hashes: list[list[bytes]] = field(default_factory=lambda: [[] for _ in range(HIGHEST + 1)])

    def copy(self) -> Edge:
        """One that grows by itself."""
        return Edge(self.size, list(self.leaves), [list(level) for level in self.hashes])

    def append(self, leaves: Iterable[bytes]) -> list[Tile]:
        """Adds leaves; the tiles that became full."""
        full: list[Tile] = []
        for leaf in leaves:
            self.size += 1
            self.leaves.append(leaf)
            self.hashes[0].append(leaf_hash(leaf))
            if len(self.leaves) == WIDTH:
                self._close(0, full)
        return full

    def _close(self, level: int, full: list[Tile]) -> None:
        root = perfect_root(self.hashes[level])
        leaves = b"".join(self.leaves) if level == 0 else None
        full.append(Tile(level, (self.size >> 8 * (level + 1)) - 1, root, leaves))
        self.hashes[level].clear()
        if level == 0:
            self.leaves.clear()
        self.hashes[level + 1].append(root)
        if len(self.hashes[level + 1]) == WIDTH:
            self._close(level + 1, full)

    def root(self) -> bytes:
        """The Merkle tree hash (RFC 6962, section 2.1) over all leaves."""
        largest_first = [root for level in reversed(self.hashes) for root in _perfect_subtrees(level)]
        if not largest_first:
            return EMPTY_ROOT
        whole = largest_first[-1]
        for left in reversed(largest_first[:-1]):
            whole = node_hash(left, whole)
        return whole


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The hash over 2^n hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[n], level[n + 1]) for n in range(0, len(level), 2)]
    return level[0]


def _perfect_subtrees(hashes: Sequence[bytes]) -> list[bytes]:
    """The hashes over the largest runs of 2^n hashes, from the left."""
    found, start = [], 0
    for height in reversed(range(WIDTH.bit_length())):
        if len(hashes) & 1 << height:
            found.append(perfect_root(hashes[start : start + (1 << height)]))
            start += 1 << height
    return found


def read_edge(connection: Connection, log: int) -> Edge:
    """The right edge of a log as it stands in the database."""
    leaves = [leaf for (leaf,) in ask(connection, "SELECT leaf FROM leaf WHERE log = %s ORDER BY leaf_index", (log,))]
    edge = Edge(leaves=leaves)
    edge.hashes[0] = [leaf_hash(leaf) for leaf in leaves]
    for level in range(HIGHEST):
        full = _count(connection, log, level)
        if level == 0:
            edge.size = full * WIDTH + len(leaves)
        edge.hashes[level + 1] = _roots(connection, log, level, full - full % WIDTH, full)
        if full < WIDTH:
            break
    return edge


def size_of(connection: Connection, log: int) -> int:
    """How many leaves are in the tree."""
    ((loose,),) = ask(connection, "SELECT count(*) FROM leaf WHERE log = %s", (log,))
    return _count(connection, log, 0) * WIDTH + int(loose)


def _count(connection: Connection, log: int, level: int) -> int:
    question = "SELECT coalesce(max(tile_index) + 1, 0) FROM tile WHERE log = %s AND level = %s"
    return int(ask(connection, question, (log, level))[0][0])


_ROOTS = """SELECT root FROM tile WHERE log = %s AND level = %s AND tile_index >= %s AND tile_index < %s ORDER BY tile_index"""


def _roots(connection: Connection, log: int, level: int, start: int, end: int) -> list[bytes]:
    return [root for (root,) in ask(connection, _ROOTS, (log, level, start, end))] if start < end else []


def write(connection: Connection, log: int, before: int, edge: Edge, full: Sequence[Tile]) -> None:
    """Writes what a tree of `before` leaves grew by: the full tiles, and the leaves of the unfinished one."""
    loose_from = edge.size - len(edge.leaves)
    if full:
        connection.exec_driver_sql("DELETE FROM leaf WHERE log = %s", (log,))
        connection.exec_driver_sql(
            """INSERT INTO tile (log, level, tile_index, root, leaves)
               SELECT %s, * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[], %s::bytea[])""",
            (log, [tile.level for tile in full], [tile.index for tile in full], [tile.root for tile in full],
             [tile.leaves for tile in full]),
        )  # fmt: skip
    first = max(before, loose_from)
    connection.exec_driver_sql(
        "INSERT INTO leaf (log, leaf_index, leaf) SELECT %s, %s + n - 1, leaf FROM unnest(%s::bytea[]) WITH ORDINALITY AS given (leaf, n)",
        (log, first, edge.leaves[first - loose_from :]),
    )


def leaves_of_tile(connection: Connection, log: int, index: int, width: int = WIDTH) -> bytes | None:
    """The first `width` leaves of a tile of level 0, one after another; None: there are not so many."""
    stored = ask(connection, "SELECT leaves FROM tile WHERE log = %s AND level = 0 AND tile_index = %s", (log, index))
    if stored:
        return bytes(stored[0][0][: width * LEAF_BYTES])
    loose = ask(
        connection,
        "SELECT leaf FROM leaf WHERE log = %s AND leaf_index >= %s AND leaf_index < %s ORDER BY leaf_index",
        (log, index * WIDTH, index * WIDTH + width),
    )
    return b"".join(leaf for (leaf,) in loose) if len(loose) == width else None


def split_leaves(packed: bytes) -> list[bytes]:
    """The leaves that stand one after another."""
    return [packed[start : start + LEAF_BYTES] for start in range(0, len(packed), LEAF_BYTES)]


def hashes_of_tile(connection: Connection, log: int, level: int, index: int, width: int = WIDTH) -> list[bytes] | None:
    """The first `width` hashes of a tile (C2SP tlog-tiles); None: there are not so many."""
    if level == 0:
        packed = leaves_of_tile(connection, log, index, width)
        return None if packed is None else [leaf_hash(leaf) for leaf in split_leaves(packed)]
    roots = _roots(connection, log, level - 1, index * WIDTH, index * WIDTH + width)
    return roots if len(roots) == width else None


def nodes_of(connection: Connection, log: int, size: int) -> Callable[[int, int], bytes]:
    """The hashes of a tree of `size` leaves, for proofs: `node(level, index)` is that over the 2^level leaves from index * 2^level on."""

    @lru_cache(maxsize=64)
    def tile(level: int, index: int) -> list[bytes]:
        width = min(WIDTH, (size >> 8 * level) - index * WIDTH)
        hashes = hashes_of_tile(connection, log, level, index, width)
        assert hashes is not None, f"tile {level}/{index} of log {log} is missing"
        return hashes

    def node(level: int, index: int) -> bytes:
        height = level % 8
        first = index << height
        hashes = tile(level // 8, first // WIDTH)
        start = first % WIDTH
        return perfect_root(hashes[start : start + (1 << height)])

    return node
