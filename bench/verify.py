"""`verify` of a whole country, beside the bare hashes of the same leaves and nodes and a bare read of the rows.

python -m bench.verify [--entries 1000000] [--runs 1] [--checks]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from bench.ground import DATABASE, Ground, ground, peak_memory
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import engine_of
from stockpile.files import file_store
from stockpile.log import beginning
from stockpile.log.leaf import ENTRY_FORM
from stockpile.log.sequencer import Sequencer
from stockpile.log.signer import LogSigner
from stockpile.log.verify import verify
from stockpile.progress import heard_by

A_LIST = 100_000
VALUE = b"0190b5a0-0000-7000-8000-000000000001"


def main() -> None:
    """Fills the books by lists, sequences them, then verifies and prints times, their ratio and the memory, at a tenth and at all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entries", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=1)
    arguments.add_argument("--checks", action="store_true", help="the seconds of each check that takes one or more")
    chosen = arguments.parse_args()
    entries = chosen.entries
    with tempfile.TemporaryDirectory() as folder, ground(max_wal_size="4GB") as place:
        os.environ["STOCKPILE_DATA"] = folder
        begin_log(place, Path(folder))
        fill(place, Path(folder), 0, entries // 10)
        _, small = in_a_process(place, False)
        print(f"verify of {entries // 10:,} entries: the process had {small:.0f} MB at most")
        fill(place, Path(folder), entries // 10, entries)
        for _ in range(chosen.runs):
            hashes, reading = bare_hashes(entries), bare_read(place)
            seconds, memory = in_a_process(place, chosen.checks)
            bare = hashes + reading
            print(
                f"verify of {entries:,} entries: {seconds:.1f} s; bare {bare:.1f} s (hashes {hashes:.1f}, read {reading:.1f}); "
                f"ratio {seconds / bare:.2f}; the process had {memory:.0f} MB at most; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )


def in_a_process(place: Ground, checks: bool) -> tuple[float, float]:
    """Seconds and the most memory, in MB, of a verification in a process of its own, as `stockpile verify` is."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(verified, place.server.url(DATABASE, roles.SERVICE), checks).result()


def verified(url: str, checks: bool) -> tuple[float, float]:
    """Verifies the books and asks that they are sound."""
    begun: list[tuple[float, str]] = []

    def heard(what: str, done: int, _: int | None) -> None:
        if not begun or begun[-1][1] != what:
            begun.append((time.perf_counter(), what))

    engine = engine_of(url)
    began = time.perf_counter()
    with heard_by(heard):
        done = verify(engine, file_store(), go_on=True)
    ended = time.perf_counter()
    assert done.is_sound, done.wrong
    engine.dispose()
    for (at, name), (until, _) in pairwise([*begun, (ended, "")]):
        if checks and until - at >= 1:
            print(f"  {name}: {until - at:.1f} s", flush=True)
    return ended - began, peak_memory()


def begin_log(place: Ground, folder: Path) -> None:
    """The log's key and first leaf."""
    beginning.begin_log(place.engine, folder / "keys", "bench.example/log")


def fill(place: Ground, folder: Path, first: int, end: int) -> None:
    """Receives weapons by lists, and puts their leaves into the log. No statistics are taken: a bulk load has none."""
    for start in range(first, end, A_LIST):
        file = folder / f"list-{start}.csv"
        numbers = range(start, min(start + A_LIST, end))
        file.write_text("serial,model,condition\n" + "".join(f"V{n:08},AKM,serviceable\n" for n in numbers))
        stored = file_store().keep_copy(file, 1 << 30)
        place.country.do("clerk", RECEIVE, store="Main store", file={"sha256": stored.sha256, "name": file.name})
    sequencer = Sequencer(place.engine, LogSigner(folder / "keys"))
    while sequencer.step():
        pass
    sequencer.close()


def bare_hashes(entries: int) -> float:
    """Seconds for as many SHA-256 as the leaves and the tree take, of as many bytes, in one process."""
    fields, padded = len(ENTRY_FORM.fields), b"\x36" * 64
    inner, salted, digests, node = padded + b"serial_number", padded + bytes(32), bytes(32) * fields, bytes(65)
    shown = bytes(36) + b"serial_number" + bytes(8) + VALUE
    began = time.perf_counter()
    for _ in range(entries):
        for _ in range(fields):
            sha256(inner).digest()
            sha256(salted).digest()
            sha256(shown).digest()
        for hashed in (bytes(36), digests, node, node):
            sha256(hashed).digest()
    return time.perf_counter() - began


def bare_read(place: Ground) -> float:
    """Seconds to read the rows out, as the server writes them."""
    began = time.perf_counter()
    with place.administrator() as administrator:
        for table in ("entry", "item", "identification", "holding", "register_line", "tile"):
            with administrator.cursor().copy(f"COPY stockpile.{table} TO STDOUT (FORMAT BINARY)") as copy:
                for _ in copy:
                    pass
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
