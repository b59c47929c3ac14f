"""`verify` of a whole country, beside the bare hashes of the same leaves and nodes and a bare read of the rows.

python -m bench.verify [--entries 1000000]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from bench.ground import Ground, ground, peak_memory
from stockpile.acts.receive import RECEIVE
from stockpile.files import file_store
from stockpile.log import beginning
from stockpile.log.leaf import ENTRY_FORM
from stockpile.log.sequencer import Sequencer
from stockpile.log.verify import verify

A_LIST = 100_000
VALUE = b"0190b5a0-0000-7000-8000-000000000001"


def main() -> None:
    """Fills the books by lists, sequences them, then verifies and prints both times and their ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entries", type=int, default=1_000_000)
    entries = arguments.parse_args().entries
    with tempfile.TemporaryDirectory() as folder, ground(max_wal_size="4GB") as place:
        os.environ["STOCKPILE_DATA"] = folder
        fill(place, Path(folder), entries)
        before = peak_memory()
        hashes, reading = bare_hashes(entries), bare_read(place)
        began = time.perf_counter()
        done = verify(place.engine, file_store(), go_on=True)
        mine = time.perf_counter() - began
        assert done.is_sound, done.wrong
        print(
            f"verify of {entries:,} entries: {mine:.1f} s; bare {hashes + reading:.1f} s (hashes {hashes:.1f}, read {reading:.1f}); "
            f"ratio {mine / (hashes + reading):.2f}; memory grew by {peak_memory() - before:.0f} MB"
        )


def fill(place: Ground, folder: Path, entries: int) -> None:
    """Receives so many weapons by lists, and puts their leaves into the log. No statistics are taken: a bulk load has none."""
    for start in range(0, entries, A_LIST):
        file = folder / f"list-{start}.csv"
        numbers = range(start, min(start + A_LIST, entries))
        file.write_text("serial,model,condition\n" + "".join(f"V{n:08},AKM,serviceable\n" for n in numbers))
        stored = file_store().keep_copy(file, 1 << 30)
        place.country.do("clerk", RECEIVE, store="Main store", file={"sha256": stored.sha256, "name": file.name})
    sequencer = Sequencer(place.engine, beginning.begin_log(place.engine, folder / "keys", "bench.example/log"))
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
