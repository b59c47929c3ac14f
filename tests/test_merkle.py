"""The log's tree: against RFC 6962 as it is written, the vectors that other logs use, and every size up to 300."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.proof.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    ProofFailed,
    Tile,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    node_reader,
    perfect_subtrees,
    root_of,
    tile_path,
    tiles_between,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 300
LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(LARGEST)]

PUBLISHED_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
"""The leaves with which the logs of Certificate Transparency try their trees, and the roots over the first 1 to 8."""
PUBLISHED_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def rfc_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it, over hashes of leaves."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(rfc_root(leaves[:split]), rfc_root(leaves[split:]))


NODES = {(level, index): rfc_root(LEAVES[index << level : (index + 1) << level])
         for level in range(LARGEST.bit_length()) for index in range(LARGEST >> level)}  # fmt: skip
ROOTS = [rfc_root(LEAVES[:size]) for size in range(LARGEST + 1)]


def node(level: int, index: int) -> bytes:
    return NODES[level, index]


def test_the_published_vectors() -> None:
    hashes = [leaf_hash(leaf) for leaf in PUBLISHED_LEAVES]
    assert [root_of(hashes[:size]).hex() for size in range(1, 9)] == list(PUBLISHED_ROOTS)
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_tree_grown_in_any_steps_is_the_tree_built_at_once() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, 1):
        tree.append([leaf])
        assert tree.root() == ROOTS[size]
        assert tree == Tree.read(size, node)


@given(st.lists(st.integers(0, 70), max_size=12))
@settings(max_examples=60, deadline=None)
def test_appending_tells_which_nodes_it_completed(steps: list[int]) -> None:
    tree, seen = Tree(), {}
    for step in steps:
        for grown in tree.append(LEAVES[tree.size : tree.size + step]):
            for offset, value in enumerate(grown.hashes):
                assert (grown.level, grown.first + offset) not in seen
                seen[grown.level, grown.first + offset] = value
    assert seen == {
        (level, index): NODES[level, index]
        for level in range(tree.size.bit_length())
        for index in range(tree.size >> level)
    }
    assert tree.root() == ROOTS[tree.size]
    assert tree.frontier == [NODES[at] for at in perfect_subtrees(0, tree.size)]


def test_a_tree_needs_the_frontier_of_its_size() -> None:
    with pytest.raises(ValueError, match="2 perfect subtrees"):
        Tree(3, [LEAVES[0]])


def test_every_inclusion_proof_up_to_300_holds() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            verify_inclusion(LEAVES[index], index, size, inclusion_proof(index, size, node), ROOTS[size])


def test_every_consistency_proof_up_to_300_holds() -> None:
    for new in range(LARGEST + 1):
        for old in range(new + 1):
            verify_consistency(old, ROOTS[old], new, ROOTS[new], consistency_proof(old, new, node))


def flipped(proof: list[bytes], byte: int) -> list[bytes]:
    """The proof with one bit of one byte turned."""
    at, offset = divmod(byte, HASH_SIZE)
    changed = bytearray(proof[at])
    changed[offset] ^= 1 << (byte % 8)
    return [*proof[:at], bytes(changed), *proof[at + 1 :]]


SIZES = (*range(1, 20), 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 299, 300)


def test_an_inclusion_proof_fails_when_any_byte_is_flipped() -> None:
    for size in SIZES:
        for index in {0, size // 3, size // 2, size - 1}:
            proof = inclusion_proof(index, size, node)
            for byte in range(HASH_SIZE * len(proof)):
                with pytest.raises(ProofFailed):
                    verify_inclusion(LEAVES[index], index, size, flipped(proof, byte), ROOTS[size])
            for byte in range(HASH_SIZE):
                with pytest.raises(ProofFailed):
                    verify_inclusion(flipped([LEAVES[index]], byte)[0], index, size, proof, ROOTS[size])
                with pytest.raises(ProofFailed):
                    verify_inclusion(LEAVES[index], index, size, proof, flipped([ROOTS[size]], byte)[0])


def test_a_consistency_proof_fails_when_any_byte_is_flipped() -> None:
    for new in SIZES:
        for old in {1, new // 3, new // 2, new - 1, new} - {0}:
            proof = consistency_proof(old, new, node)
            for byte in range(HASH_SIZE * len(proof)):
                with pytest.raises(ProofFailed):
                    verify_consistency(old, ROOTS[old], new, ROOTS[new], flipped(proof, byte))
            for byte in range(HASH_SIZE):
                with pytest.raises(ProofFailed):
                    verify_consistency(old, flipped([ROOTS[old]], byte)[0], new, ROOTS[new], proof)
                with pytest.raises(ProofFailed):
                    verify_consistency(old, ROOTS[old], new, flipped([ROOTS[new]], byte)[0], proof)


@given(st.integers(1, LARGEST), st.data())
@settings(max_examples=300, deadline=None)
def test_a_proof_of_one_place_is_none_of_another(size: int, data: st.DataObject) -> None:
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(-1, size))
    proof = inclusion_proof(index, size, node)
    if other != index:
        with pytest.raises(ProofFailed):
            verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
    for wrong in ([*proof, LEAVES[0]], proof[:-1] if proof else [LEAVES[0]], [b"short", *proof[1:]]):
        with pytest.raises(ProofFailed):
            verify_inclusion(LEAVES[index], index, size, wrong, ROOTS[size])


@given(st.integers(0, LARGEST), st.integers(0, LARGEST), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_a_tree_that_was_rewritten_does_not_extend_the_old_one(old: int, new: int, seed: int) -> None:
    if old > new:
        with pytest.raises(ProofFailed, match="can't extend"):
            verify_consistency(old, ROOTS[old], new, ROOTS[new], [])
        with pytest.raises(ValueError, match="does not extend"):
            consistency_proof(old, new, node)
        return
    if old == 0:
        return
    leaves = list(LEAVES[:new])
    leaves[random.Random(seed).randrange(old)] = leaf_hash(b"another weapon")
    tree = Tree()
    nodes = {(g.level, g.first + at): value for g in tree.append(leaves) for at, value in enumerate(g.hashes)}
    proof = consistency_proof(old, new, lambda level, index: nodes[level, index])
    with pytest.raises(ProofFailed):
        verify_consistency(old, ROOTS[old], new, tree.root(), proof)
    with pytest.raises(ProofFailed):
        verify_consistency(old, ROOTS[old], new, tree.root(), consistency_proof(old, new, node))


def test_refusals_say_why() -> None:
    with pytest.raises(ProofFailed, match="leaf 7 can't be in a tree of 7 leaves"):
        verify_inclusion(LEAVES[7], 7, 7, [], ROOTS[7])
    with pytest.raises(ProofFailed, match="leaf 3 does not lead to the root of the tree of 7 leaves"):
        verify_inclusion(LEAVES[4], 3, 7, inclusion_proof(3, 7, node), ROOTS[7])
    with pytest.raises(ProofFailed, match="two trees of 7 leaves with different roots"):
        verify_consistency(7, ROOTS[7], 7, ROOTS[6], [])
    with pytest.raises(ProofFailed, match="does not contain the tree of 5 leaves unchanged"):
        verify_consistency(5, ROOTS[4], 7, ROOTS[7], consistency_proof(5, 7, node))


def test_tiles_are_those_of_the_document() -> None:
    """The two examples of C2SP tlog-tiles: a tree of 70,000 and the path of tile 1,234,067."""
    assert tile_path(1234067) == "x001/x234/067"
    tiles = tiles_between(0, 70_000)
    assert len([tile for tile in tiles if tile.level == 0]) == 274
    assert [tile for tile in tiles if tile.width < 256] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert Tile(0, 273, 112).path == "0/273.p/112"
    assert Tile(1, 0).path == "1/000"
    assert tiles_between(0, 256) == [Tile(0, 0), Tile(1, 0, 1)]
    assert tiles_between(256, 256) == []
    assert tiles_between(255, 257) == [Tile(0, 0), Tile(0, 1, 1), Tile(1, 0, 1)]


def test_nodes_are_read_from_tiles() -> None:
    def tile(level: int, index: int) -> bytes:
        width = min(256, (LARGEST >> 8 * level) - index * 256)
        return b"".join(NODES[8 * level, index * 256 + at] for at in range(width))

    read = node_reader(tile)
    assert {at: read(*at) for at in NODES} == NODES
    with pytest.raises(ValueError, match="holds no node 300 of level 0"):
        read(0, LARGEST)
