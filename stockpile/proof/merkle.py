"""The append-only Merkle tree of a log (RFC 6962 section 2.1, RFC 9162 section 2.1): its root, its growth, inclusion and
consistency proofs made and checked, and where a node stands in the tiles of C2SP tlog-tiles. Pure: imports nothing of
ours, so that a donor can carry it away; it knows no storage, and reads nodes through a function that it is given.

A node is named by its level (0 are the leaves' hashes) and its index in that level, and is there only when all 2**level
leaves below it are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

NodeReader = Callable[[int, int], bytes]
"""Level and index to the hash of that complete node."""


class ProofFailed(Exception):
    """A proof does not show what it claims; the message says why, in words for whoever checks."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of a zero byte and the leaf (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a one byte and both children (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Grown:
    """Nodes of one level that appending completed: `hashes[0]` has the index `first`, the others follow it."""

    level: int
    first: int
    hashes: list[bytes]


@dataclass
class Tree:
    """A tree known by its right edge alone, so that it grows in time and space of what is new.

    `frontier` holds the roots of the perfect subtrees that `size` splits into, largest first: one for each bit of size.
    """

    size: int = 0
    frontier: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size.bit_count() != len(self.frontier):
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} perfect subtrees")

    @classmethod
    def read(cls, size: int, node: NodeReader) -> Tree:
        """The tree of the first `size` leaves, its frontier read from complete nodes."""
        return cls(size, [node(level, index) for level, index in perfect_subtrees(0, size)])

    def root(self) -> bytes:
        """The tree's root; EMPTY_ROOT without leaves."""
        return _joined(self.frontier) if self.frontier else EMPTY_ROOT

    def append(self, leaf_hashes: Iterable[bytes]) -> list[Grown]:
        """Append leaves by their hashes. Returns the nodes that this completed, level by level from the leaves up; the
        levels that are multiples of TILE_HEIGHT are what tiles hold.
        """
        before = self.size
        left_over = dict(self._levels())
        fresh = list(leaf_hashes)
        self.size += len(fresh)
        grown: list[Grown] = []
        level = 0
        while fresh:
            grown.append(Grown(level, before >> level, fresh))
            row = [left_over.pop(level), *fresh] if (before >> level) & 1 else fresh
            if len(row) % 2:
                left_over[level] = row[-1]
            fresh = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
            level += 1
        self.frontier = [left_over[level] for level in sorted(left_over, reverse=True)]
        return grown

    def copy(self) -> Tree:
        """Another tree of the same leaves, to grow apart from this one."""
        return Tree(self.size, list(self.frontier))

    def _levels(self) -> Iterator[tuple[int, bytes]]:
        levels = (level for level, _ in perfect_subtrees(0, self.size))
        return zip(levels, self.frontier, strict=True)


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of the tree over these hashes of leaves."""
    tree = Tree()
    tree.append(leaf_hashes)
    return tree.root()


def perfect_subtrees(begin: int, end: int) -> list[tuple[int, int]]:
    """The nodes (level, index) that together cover the leaves from `begin` up to, not including, `end`, largest first.

    `begin` must be a multiple of the largest power of two not above their number, as in every range that a proof names.
    """
    nodes = []
    for level in range((end - begin).bit_length() - 1, -1, -1):
        if (end - begin) >> level & 1:
            nodes.append((level, begin >> level))
            begin += 1 << level
    return nodes


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """The hashes that join the leaf at `index` to the root of the first `size` leaves, from the leaf's sibling up
    (RFC 9162 section 2.1.3.1). Raises ValueError when no such leaf is in the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    proof = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(_range_root(middle, end, node))
            end = middle
        else:
            proof.append(_range_root(begin, middle, node))
            begin = middle
    proof.reverse()
    return proof


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """The hashes that show the first `old` leaves unchanged in the tree of `new` (RFC 9162 section 2.1.4.1); none are
    needed from an empty tree or to the same size. Raises ValueError when the tree would have to shrink.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not extend one of {old}")
    if old in (0, new):
        return []
    proof = []
    begin, end = 0, new
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(_range_root(middle, end, node))
            end = middle
        else:
            proof.append(_range_root(begin, middle, node))
            begin = middle
    if begin:
        proof.append(_range_root(begin, end, node))
    proof.reverse()
    return proof


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf of this hash is the one at `index` of the tree of `size` with this root (RFC 9162
    section 2.1.3.2). Raises ProofFailed.
    """
    if not 0 <= index < size:
        raise ProofFailed(f"leaf {index} can't be in a tree of {size} leaves")
    _check_hashes(proof, root, leaf_hash)
    position, last, reached = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofFailed(f"the inclusion proof of leaf {index} is too long for a tree of {size} leaves")
        if position & 1 or position == last:
            reached = node_hash(sibling, reached)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            reached = node_hash(reached, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise ProofFailed(f"the inclusion proof of leaf {index} is too short for a tree of {size} leaves")
    if reached != root:
        raise ProofFailed(f"leaf {index} does not lead to the root of the tree of {size} leaves")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `new_size` only adds to the tree of `old_size` (RFC 9162 section 2.1.4.2). Raises
    ProofFailed.
    """
    if not 0 <= old_size <= new_size:
        raise ProofFailed(f"a tree of {new_size} leaves can't extend one of {old_size}")
    _check_hashes(proof, old_root, new_root)
    if old_size in (0, new_size):
        _verify_trivially(old_size, old_root, new_size, new_root, proof)
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path or (len(path) == 1 and not old_size & (old_size - 1)):
        raise ProofFailed(f"the consistency proof from {old_size} to {new_size} leaves is too short")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old_reached = new_reached = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofFailed(f"the consistency proof from {old_size} to {new_size} leaves is too long")
        if position & 1 or position == last:
            old_reached = node_hash(sibling, old_reached)
            new_reached = node_hash(sibling, new_reached)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            new_reached = node_hash(new_reached, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise ProofFailed(f"the consistency proof from {old_size} to {new_size} leaves is too short")
    if old_reached != old_root or new_reached != new_root:
        raise ProofFailed(f"the tree of {new_size} leaves does not contain the tree of {old_size} leaves unchanged")


def _verify_trivially(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofFailed(f"the consistency proof from {old_size} to {new_size} leaves is too long")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise ProofFailed("the root of the tree without leaves is not the empty tree's")
    if old_size == new_size and old_root != new_root:
        raise ProofFailed(f"there are two trees of {new_size} leaves with different roots")


def _check_hashes(proof: Sequence[bytes], *others: bytes) -> None:
    if any(len(value) != HASH_SIZE for value in (*proof, *others)):
        raise ProofFailed(f"a hash of a tree has {HASH_SIZE} bytes")


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(begin: int, end: int, node: NodeReader) -> bytes:
    return _joined([node(level, index) for level, index in perfect_subtrees(begin, end)])


def _joined(roots: Sequence[bytes]) -> bytes:
    joined = roots[-1]
    for root in reversed(roots[:-1]):
        joined = node_hash(root, joined)
    return joined


@dataclass(frozen=True, order=True)
class Tile:
    """256 neighbouring nodes of a level that is a multiple of 8, or fewer at the right edge (C2SP tlog-tiles, "Merkle
    Tree"). `level` is the tile's own: its hashes stand at the tree's level 8 * level.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where the tile is served below `tile/`: `0/x001/x234/067`, a partial one `0/273.p/112`."""
        return f"{self.level}/{tile_path(self.index, self.width)}"


def tile_path(index: int, width: int = TILE_WIDTH) -> str:
    """The index of a tile or entry bundle in path elements of three digits, all but the last after an `x`, and the width
    of a partial one (C2SP tlog-tiles).
    """
    elements = [f"{index % 1000:03}"]
    while index := index // 1000:
        elements.append(f"x{index % 1000:03}")
    whole = "/".join(reversed(elements))
    return whole if width == TILE_WIDTH else f"{whole}.p/{width}"


def tiles_between(old: int, new: int) -> list[Tile]:
    """The tiles, full and partial, that a tree of `new` leaves has and a tree of `old` had not, or not as wide."""
    tiles = []
    level = 0
    while new >> (TILE_HEIGHT * level):
        had, has = old >> (TILE_HEIGHT * level), new >> (TILE_HEIGHT * level)
        if had < has:
            for index in range(had // TILE_WIDTH, (has - 1) // TILE_WIDTH + 1):
                tiles.append(Tile(level, index, min(TILE_WIDTH, has - index * TILE_WIDTH)))
        level += 1
    return tiles


def tile_of(level: int, index: int) -> tuple[int, int, int, int]:
    """Where a node is found: level and index of its tile, and which of the tile's hashes (first, number) it joins."""
    height = level % TILE_HEIGHT
    first = index << height
    return level // TILE_HEIGHT, first // TILE_WIDTH, first % TILE_WIDTH, 1 << height


def node_reader(tile: Callable[[int, int], bytes]) -> NodeReader:
    """Read nodes from tiles. `tile(level, index)` gives a tile's hashes one after the other, as wide as it is, and is
    asked once for each. Raises ValueError at a node that its tile does not hold yet.
    """
    kept = lru_cache(maxsize=None)(tile)

    def node(level: int, index: int) -> bytes:
        tile_level, tile_index, first, count = tile_of(level, index)
        hashes = kept(tile_level, tile_index)[first * HASH_SIZE : (first + count) * HASH_SIZE]
        if len(hashes) != count * HASH_SIZE:
            raise ValueError(
                f"tile {tile_path(tile_index)} of level {tile_level} holds no node {index} of level {level}"
            )
        return root_of(hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE))

    return node
