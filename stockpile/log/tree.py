"""The tree in the database: how it grows by leaves, and its tiles and hashes as they are asked for.

A row of `tile` is a full tile: the 256 leaves of one of level 0, and of each the hash over all that is under it. A tile of
hashes is those of the tiles below it, so no hash stands twice. Leaves whose tile is not full stand in `leaf`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from stockpile.db.engine import ask
from stockpile.proof.merkle import TILE_HEIGHT, TILE_WIDTH, NodeReader, Tree, leaf_hash, node_reader

LEAF_BYTES = 65


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile that became full. `leaves`: of level 0, one after another."""

    level: int
    index: int
    root: bytes
    leaves: bytes | None = None


@dataclass(slots=True)
class Edge:
    """A tree with the leaves of its unfinished tile: all that it takes to grow."""

    tree: Tree = field(default_factory=Tree)
    leaves: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self.tree.size

    def copy(self) -> Edge:
        """One that grows by itself."""
        return Edge(self.tree.copy(), list(self.leaves))

    def append(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Adds leaves; the tiles that became full."""
        first = self.size // TILE_WIDTH
        loose = [*self.leaves, *leaves]
        grown = self.tree.append(map(leaf_hash, leaves))
        packed = [b"".join(loose[n : n + TILE_WIDTH]) for n in range(0, len(loose) - TILE_WIDTH + 1, TILE_WIDTH)]
        self.leaves = loose[len(packed) * TILE_WIDTH :]
        return [
            Tile(level, index, root, packed[index - first] if level == 0 else None)
            for nodes in grown
            if nodes.level and nodes.level % TILE_HEIGHT == 0
            for level in [nodes.level // TILE_HEIGHT - 1]
            for index, root in enumerate(nodes.hashes, nodes.first)
        ]


def read_edge(connection: Connection, log: int) -> Edge:
    """The right edge of a log as it stands in the database."""
    size = size_of(connection, log)
    packed = leaves_of_tile(connection, log, size // TILE_WIDTH, size % TILE_WIDTH)
    return Edge(Tree.read(size, nodes_of(connection, log, size)), split_leaves(packed or b""))


def size_of(connection: Connection, log: int) -> int:
    """How many leaves are in the tree."""
    ((loose,),) = ask(connection, "SELECT count(*) FROM leaf WHERE log = %s", (log,))
    return _full_tiles(connection, log) * TILE_WIDTH + int(loose)


def _full_tiles(connection: Connection, log: int) -> int:
    question = "SELECT coalesce(max(tile_index) + 1, 0) FROM tile WHERE log = %s AND level = 0"
    return int(ask(connection, question, (log,))[0][0])


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


def leaves_of_tile(connection: Connection, log: int, index: int, width: int = TILE_WIDTH) -> bytes | None:
    """The first `width` leaves of a tile of level 0, one after another; None: there are not so many."""
    stored = ask(connection, "SELECT leaves FROM tile WHERE log = %s AND level = 0 AND tile_index = %s", (log, index))
    if stored:
        return bytes(stored[0][0][: width * LEAF_BYTES])
    loose = ask(
        connection,
        "SELECT leaf FROM leaf WHERE log = %s AND leaf_index >= %s AND leaf_index < %s ORDER BY leaf_index",
        (log, index * TILE_WIDTH, index * TILE_WIDTH + width),
    )
    return b"".join(leaf for (leaf,) in loose) if len(loose) == width else None


def split_leaves(packed: bytes) -> list[bytes]:
    """The leaves that stand one after another."""
    return [packed[start : start + LEAF_BYTES] for start in range(0, len(packed), LEAF_BYTES)]


def hashes_of_tile(
    connection: Connection, log: int, level: int, index: int, width: int = TILE_WIDTH
) -> list[bytes] | None:
    """The first `width` hashes of a tile (C2SP tlog-tiles); None: there are not so many."""
    if level == 0:
        packed = leaves_of_tile(connection, log, index, width)
        return None if packed is None else [leaf_hash(leaf) for leaf in split_leaves(packed)]
    roots = _roots(connection, log, level - 1, index * TILE_WIDTH, index * TILE_WIDTH + width)
    return roots if len(roots) == width else None


def nodes_of(connection: Connection, log: int, size: int) -> NodeReader:
    """The hashes of a tree of `size` leaves, for proofs."""

    def tile(level: int, index: int) -> bytes:
        width = min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH)
        return b"".join(hashes_of_tile(connection, log, level, index, width) or ())

    return node_reader(tile)


_PLACE = """
SELECT tile_index * 256 + (position(%(leaf)s::bytea IN leaves) - 1) / 65 FROM tile
WHERE log = %(log)s AND level = 0 AND tile_index >= %(from)s AND position(%(leaf)s::bytea IN leaves) > 0
UNION ALL SELECT leaf_index FROM leaf WHERE log = %(log)s AND leaf = %(leaf)s LIMIT 1
"""
_BEFORE = """
SELECT coalesce(max(tree_size), 0) FROM checkpoint
WHERE log = %(log)s AND tree_size < coalesce(
    (SELECT min(tree_size) FROM checkpoint WHERE log = %(log)s AND signed_at >= %(since)s), 9223372036854775807)
"""


def find_leaf(connection: Connection, log: int, leaf: bytes, since: datetime) -> int | None:
    """The index of a leaf that was not in the tree before `since`; None: it is not in this log, or waits for it."""
    before = int(ask(connection, _BEFORE, {"log": log, "since": since})[0][0])
    found = ask(connection, _PLACE, {"leaf": leaf, "log": log, "from": before // TILE_WIDTH})
    return int(found[0][0]) if found else None
