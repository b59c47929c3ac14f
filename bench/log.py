"""What the transparency log costs, and how soon a posting is under a checkpoint.

    python -m bench.log [--seconds 10] [--runs 3] [--leaves 1000000]

Postings with the sequencer on beside the same with it off, in one run: over HTTP by eight counters through `stockpile serve`, and by
database calls of two processes. How old the first checkpoint over a posting is, from the moment its commit returned, at a steady pace. A
receipt of 100,000 from CSV until its last leaf is under a checkpoint. Inclusion proofs from a log of a million leaves, read from the
database; and how much a leaf takes there.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.bulk_receipt import _list, receipt
from bench.ground import DATABASE, Ground, ground
from bench.issue_over_http import _stock, load, served, settle
from stockpile.acts import perform
from stockpile.acts.issue import ISSUE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import engine_of
from stockpile.log import beginning, tree
from stockpile.log.reading import published, reading_log
from stockpile.proof.merkle import inclusion_proof
from stockpile.rights import Actor

PROCESSES = 2
IN_STORE = """
SELECT n.serial_number FROM identification n JOIN holding h USING (item_id) JOIN account a USING (account_id)
WHERE a.class = 'store' AND n.serial_number LIKE 'H%%'
"""
PACE = 500
"""Postings a second whose checkpoints are timed."""


def main() -> None:
    """Prints medians and ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--leaves", type=int, default=1_000_000)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, ground(max_wal_size="4GB") as place:
        os.environ["STOCKPILE_DATA"] = folder
        counters = _stock(place, Path(folder))
        keys = Path(folder) / "log"
        beginning.begin_log(place.engine, keys, "bench.example/log")
        with sequencing(place, keys):
            caught_up(place)
        over_http(place, folder, counters, chosen.seconds, chosen.runs)
        by_calls(place, keys, chosen.seconds, chosen.runs)
        ages(place, keys, chosen.seconds)
        bulk(place, keys, Path(folder))
        proofs(place, keys, chosen.leaves)


@contextmanager
def sequencing(place: Ground, keys: Path) -> Iterator[None]:
    """The sequencing process beside us."""
    environment = {
        **os.environ,
        "STOCKPILE_DATABASE_URL": place.server.url(DATABASE, roles.SERVICE),
        "STOCKPILE_LOG_FOLDER": str(keys),
        "STOCKPILE_PARENT": str(os.getpid()),
    }
    process = subprocess.Popen([sys.executable, "-m", "stockpile.log.sequencing"], env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def caught_up(place: Ground) -> float:
    """Waits until nothing is queued and the checkpoint covers the tree; how long that took."""
    began = time.perf_counter()
    with place.administrator() as administrator:
        while True:
            ((queued, behind),) = administrator.execute(
                """SELECT EXISTS (SELECT FROM stockpile.unsequenced),
                          (SELECT coalesce(max(tree_size), 0) FROM stockpile.checkpoint)
                          < 256 * (SELECT count(*) FROM stockpile.tile WHERE level = 0) + (SELECT count(*) FROM stockpile.leaf)"""
            ).fetchall()
            if not queued and not behind:
                return time.perf_counter() - began
            time.sleep(0.02)


def over_http(place: Ground, folder: str, counters: list[Any], seconds: float, runs: int) -> None:
    """Issue and return over HTTP, sequencer off and on by turns."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(runs):
        for on in (False, True):
            os.environ["STOCKPILE_LOG_FOLDER"] = str(Path(folder) / ("log" if on else "none"))
            settle(place)
            with served(place, folder) as port:
                load(port, counters, 3)
                if on:
                    caught_up(place)
                rates[on].append(len(load(port, counters, seconds)) / seconds)
    show("postings over HTTP", rates)


def by_calls(place: Ground, keys: Path, seconds: float, runs: int) -> None:
    """The same acts without HTTP, in processes of their own."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(runs):
        for on in (False, True):
            settle(place)
            if on:
                with sequencing(place, keys):
                    caught_up(place)
                    rates[on].append(len(_posted(place, seconds, None)) / seconds)
            else:
                rates[on].append(len(_posted(place, seconds, None)) / seconds)
    show("postings by database calls", rates)


def show(what: str, rates: dict[bool, list[float]]) -> None:
    """The middle with and without, and their ratio."""
    on, off = statistics.median(rates[True]), statistics.median(rates[False])
    print(f"{what}: {on:.0f}/s with the sequencer, {off:.0f}/s without; ratio {on / off:.2f}; "
          f"runs {[round(r) for r in rates[True]]} over {[round(r) for r in rates[False]]}", flush=True)  # fmt: skip


def _posted(place: Ground, seconds: float, pace: float | None) -> list[tuple[bytes, float]]:
    """Issues and returns in processes; of each the document's leaf and when its commit had returned."""
    tags = [row[0] for row in place.country.owner_query(IN_STORE)]
    url, actor = place.server.url(DATABASE, roles.SERVICE), place.country.actors["clerk"]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:  # forked ones would share our connections
        each = None if pace is None else pace / PROCESSES
        work = [(url, actor, f"W{n}", tags[n::PROCESSES][:400], seconds, each) for n in range(PROCESSES)]
        return [one for found in pool.map(_post, work) for one in found]


def _post(work: tuple[str, Actor, str, list[str], float, float | None]) -> list[tuple[bytes, float]]:
    url, actor, book, tags, seconds, pace = work
    engine = engine_of(url)
    mine = _with_book(actor, book)
    posted, began = list[tuple[bytes, float]](), time.time()
    while time.time() < began + seconds:
        for form, more in ((ISSUE, {"receiver": "A-1001"}), (RETURN, {})):
            for tag in tags:
                if time.time() >= began + seconds:
                    break
                lines = [{"scan": tag} if form is ISSUE else {"scan": tag, "condition": "serviceable"}]
                request = form.request.model_validate({"store": "Main store", "lines": lines, **more})
                answer = perform.perform(engine, mine, form, request)
                posted.append((bytes.fromhex(answer.leaf), time.time()))
                if pace is not None:
                    time.sleep(max(0.0, began + len(posted) / pace - time.time()))
    return posted


def _with_book(actor: Actor, book: str) -> Actor:
    from dataclasses import replace

    return replace(actor, book_code=book)


def ages(place: Ground, keys: Path, seconds: float) -> None:
    """How long after its commit a posting is under a checkpoint."""
    settle(place)
    with sequencing(place, keys):
        caught_up(place)
        posted = _posted(place, seconds, PACE)
        caught_up(place)
    with reading_log(place.engine) as connection:
        latest = published(connection)
        place_of = {}
        for index in range((latest.size + 255) // 256):
            packed = tree.leaves_of_tile(connection, latest.log, index, min(256, latest.size - index * 256))
            for n, leaf in enumerate(tree.split_leaves(packed or b"")):
                place_of[leaf] = index * 256 + n
        signed = [
            (row[0], row[1].timestamp())
            for row in connection.exec_driver_sql("SELECT tree_size, signed_at FROM checkpoint ORDER BY 1")
        ]
    took = sorted(next(at for size, at in signed if size > place_of[leaf]) - committed for leaf, committed in posted)
    print(f"under a checkpoint, at {len(posted) / seconds:.0f} postings/s: median {statistics.median(took) * 1000:.0f} ms, "
          f"p99 {took[int(len(took) * 0.99)] * 1000:.0f} ms, latest {took[-1] * 1000:.0f} ms after the commit", flush=True)  # fmt: skip


def bulk(place: Ground, keys: Path, folder: Path) -> None:
    """A large receipt until it is all under a checkpoint."""
    settle(place)
    with sequencing(place, keys):
        caught_up(place)
        began = time.perf_counter()
        posting = receipt(place, _list(folder, 100_000))
        after = caught_up(place)
        print(f"receipt of 100,000: posted after {posting:.1f} s, all under a checkpoint {after:.1f} s later, "
              f"{time.perf_counter() - began:.1f} s in all", flush=True)  # fmt: skip


def proofs(place: Ground, keys: Path, leaves: int) -> None:
    """Inclusion proofs out of a large log, and its size."""
    with place.administrator() as administrator:
        administrator.execute(
            """INSERT INTO stockpile.unsequenced (leaf)
               SELECT '\\x05'::bytea || sha256(n::text::bytea) || sha256((-n)::text::bytea) FROM generate_series(1, %s) n""",
            (leaves,),
        )
    with sequencing(place, keys):
        print(f"{leaves:,} leaves into the tree: {caught_up(place):.1f} s", flush=True)
    took = []
    for _ in range(200):
        began = time.perf_counter()
        with reading_log(place.engine) as connection:
            latest = published(connection)
            inclusion_proof(
                random.randrange(latest.size), latest.size, tree.nodes_of(connection, latest.log, latest.size)
            )
        took.append((time.perf_counter() - began) * 1000)
    with place.administrator() as administrator:
        administrator.execute("VACUUM ANALYZE")
        ((size, count),) = administrator.execute(
            "SELECT pg_total_relation_size('stockpile.tile'), 256 * count(*) FROM stockpile.tile WHERE level = 0"
        ).fetchall()
    print(f"inclusion proof from {latest.size:,} leaves: median {statistics.median(took):.1f} ms, p95 {sorted(took)[190]:.1f} ms; "
          f"{int(str(size)) / int(str(count)):.0f} bytes a leaf in tiles")  # fmt: skip


if __name__ == "__main__":
    main()
