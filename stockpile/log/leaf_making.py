"""Making the leaves of entries: at once when they are few; by other processes, while the caller goes on, when they are many: a leaf
takes some sixty hashes, and a bulk receipt has a hundred thousand leaves.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
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
Leaves = Callable[[], list[bytes]]
"""Gives the leaves that were begun, in order. Raises WorkerDied."""


class WorkerDied(Exception):
    """A process that made leaves ended before it gave them: what they are for fails whole."""


def begin(rows: Sequence[Row]) -> Leaves:
    """Begins to make leaves; the answer gives them when it is called."""
    if len(rows) < MANY or PROCESSES == 1:
        return _made_here(rows)
    shares = list(_shares(rows))
    threads = ThreadPoolExecutor(len(shares), "leaves")
    parts = [threads.submit(_made_by_another, share) for share in shares]
    threads.shutdown(wait=False)
    return lambda: _joined(parts)


@contextmanager
def workshop() -> Iterator[Callable[[Sequence[Row]], Leaves]]:
    """Within it, `begin` with processes that stay from one call to the next, as for a million leaves; there are none before they are
    needed.
    """
    with ExitStack() as open_until_the_end:
        workers: list[subprocess.Popen[bytes]] = []

        def begin_there(rows: Sequence[Row]) -> Leaves:
            if len(rows) < MANY or PROCESSES == 1:
                return _made_here(rows)
            if not workers:
                workers.extend(open_until_the_end.enter_context(_worker()) for _ in range(PROCESSES))
            shares = zip(threads, workers, _shares(rows), strict=False)
            parts = [thread.submit(_made_by, worker, share) for thread, worker, share in shares]
            return lambda: _joined(parts)

        threads = [open_until_the_end.enter_context(ThreadPoolExecutor(1, "leaves")) for _ in range(PROCESSES)]
        yield begin_there


def _made_here(rows: Sequence[Row]) -> Leaves:
    made = [entry_leaf(*row) for row in rows]
    return lambda: made


def _shares(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    share = -(-len(rows) // PROCESSES)
    return (rows[start : start + share] for start in range(0, len(rows), share))


@contextmanager
def _worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that makes leaves until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "stockpile.log.leaf_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
    ) as worker:
        try:
            yield worker
        except BaseException:
            worker.kill()
            if worker.stdin is not None:
                with suppress(BrokenPipeError):
                    worker.stdin.close()
            raise


def _made_by_another(rows: Sequence[Row]) -> bytes:
    with _worker() as worker:
        return _made_by(worker, rows)


def _made_by(worker: subprocess.Popen[bytes], rows: Sequence[Row]) -> bytes:
    """Piece after piece: the worker is read before it gets more, or both would wait for each other."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    made = []
    for start in range(0, len(rows), AT_A_TIME):
        piece = rows[start : start + AT_A_TIME]
        try:
            worker.stdin.write(pickle.dumps(piece, protocol=5))
            worker.stdin.flush()
        except BrokenPipeError:
            raise WorkerDied("a process that made leaves was ended") from None
        leaves = worker.stdout.read(LEAF * len(piece))
        if len(leaves) < LEAF * len(piece):
            raise WorkerDied("a process that made leaves was ended")
        made.append(leaves)
    return b"".join(made)


def _joined(parts: Sequence[Future[bytes]]) -> list[bytes]:
    made = b"".join(part.result() for part in parts)
    return [made[start : start + LEAF] for start in range(0, len(made), LEAF)]
