"""Settling what a witness was not shown to extend: once it cosigned a larger checkpoint, the log's tiles show whether the refused one is
part of that. They are believed only as far as they lead to the checkpoint that was cosigned.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from stockpile.proof.merkle import NodeReader, ProofFailed, Tree, consistency_proof, verify_consistency
from stockpile.witness.memory import Contradiction, Seen
from stockpile.witness.witness import Witness

ReadNodes = Callable[[int], NodeReader]
"""From the size of a tree, to its hashes as the log serves them."""

SETTLED = "It is part of the checkpoint of {size:,} leaves, which was cosigned since: nothing contradicts."
FORKED = (
    "The checkpoint of {size:,} leaves, which was cosigned since, holds another tree of as many: the log signed two."
)
TOO_SMALL = "No checkpoint of as many leaves was cosigned yet: ask again when the log has grown."
OTHER_TILES = (
    "The tiles that the log serves don't lead to the checkpoint of {size:,} leaves that was cosigned: nothing is shown."
)


def settle(witness: Witness, origin: str, read_nodes: ReadNodes) -> list[tuple[Contradiction, str]]:
    """Looks at each checkpoint of a log that nobody showed to extend what was cosigned, and keeps what comes of it: with what is said of
    each. Raises StockpileError (the tiles can't be read).
    """
    latest = next((seen for seen in witness.memory.latest() if seen.origin == origin), None)
    doubtful = [one for one in witness.memory.contradictions() if one.origin == origin and not one.fork]
    return [(one, _settled(witness, one, latest, read_nodes)) for one in doubtful]


def _settled(witness: Witness, doubtful: Contradiction, latest: Seen | None, read_nodes: ReadNodes) -> str:
    if latest is None or latest.size < doubtful.size:
        return TOO_SMALL
    node = read_nodes(latest.size)
    try:
        root = Tree.read(doubtful.size, node).root()
        proof = consistency_proof(doubtful.size, latest.size, node) if doubtful.size < latest.size else []
        verify_consistency(doubtful.size, root, latest.size, latest.root, proof)
    except (ProofFailed, ValueError):
        return OTHER_TILES.format(size=latest.size)
    with witness.memory.writing() as memory:
        if root == doubtful.root:
            memory.settle(doubtful, latest.size, int(time.time()))
            return SETTLED.format(size=latest.size)
        memory.keep(replace(doubtful, fork=True, kept_size=latest.size, kept_note=latest.note))
    return FORKED.format(size=latest.size)
