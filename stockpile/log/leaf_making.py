"""Making the leaves of a posting: at once when they are few; by other processes, while the caller goes on, when they are
many: a leaf takes some sixty hashes, and a bulk receipt has a hundred thousand leaves.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from stockpile.log.leaf import entry_leaf

MANY = 5_000
AT_A_TIME = 2_000
"""Rows handed over in one piece: while it is made nobody else in this process is served."""
PROCESSES = min(os.cpu_count() or 1, 4)
LEAF = 65
PACKAGES = Path(__file__).parent.parent.parent

Row = tuple[bytes, bytes, Sequence[bytes | None], int]
"""An item's secret, the row's seed, the values of ENTRY_FIELDS, the version: what `entry_leaf` takes."""


def begin(rows: Sequence[Row]) -> Callable[[], list[bytes]]:
    """Begins to make leaves; the answer gives them, in order, when it is called.

    Raises (on the call) subprocess.CalledProcessError if a process died: the posting fails whole.
    """
    if len(rows) < MANY or PROCESSES == 1:
        made = [entry_leaf(*row) for row in rows]
        return lambda: made
    share = -(-len(rows) // PROCESSES)
    threads = ThreadPoolExecutor(PROCESSES, "leaves")
    parts = [threads.submit(_made_elsewhere, rows[start : start + share]) for start in range(0, len(rows), share)]
    threads.shutdown(wait=False)
    return lambda: _joined(parts)


def _made_elsewhere(rows: Sequence[Row]) -> bytes:
    ended = subprocess.run(
        [sys.executable, "-m", "stockpile.log.leaf_worker"],
        input=b"".join(
            pickle.dumps(rows[start : start + AT_A_TIME], protocol=5) for start in range(0, len(rows), AT_A_TIME)
        ),
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
    )
    return ended.stdout


def _joined(parts: Sequence[Future[bytes]]) -> list[bytes]:
    made = b"".join(part.result() for part in parts)
    return [made[start : start + LEAF] for start in range(0, len(made), LEAF)]
