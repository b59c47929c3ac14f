"""How long a hand receipt takes to print, of 40 lines and of 500: read from the books and set in type, beside an empty page set by the
same typst, alternating.

Run it on an idle machine: `python -m bench.papers [--runs 15]`. Medians by the clock and of the processors' time,
the size of the file, and the most memory that the process has had after each.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from bench.ground import Ground, ground, peak_memory
from labels.papers import IN_PROCESS, render
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.papers.documents import paper_of
from stockpile.papers.paper import Paper
from stockpile.papers.words import Word
from stockpile.rights import reading

STORE = "Main store"
EMPTY = Paper(title=Word("Hand receipt"), organisation=None, site="-", number="-", blocks=())
"""A page with nothing on it but its frame."""


def main(runs: int) -> None:
    with ground() as place:
        print(f"{'':<50} {'clock':>10} {'processor':>10} {'file':>9} {'memory':>9}")
        for lines in (40, 500):
            measure(place, lines, runs)


def measure(place: Ground, lines: int, runs: int) -> None:
    """A receipt of so many rifles with magazines, read and printed, beside an empty page."""
    country, clerk = place.country, place.country.actors["clerk"]
    serials = [f"P{lines} {n}" for n in range(lines - 1)]
    rifles: list[dict[str, Any]] = [{"model": "AKM", "serial_number": serial} for serial in serials]
    country.do("clerk", RECEIVE, store=STORE, lines=[*rifles, {"model": "AKM magazine", "quantity": 4 * lines}])
    issued = country.do(
        "clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"scan": serial} for serial in serials],
        accessories=[{"model": "AKM magazine", "quantity": 4}],
    )  # fmt: skip

    def read() -> Paper:
        with reading(place.engine, clerk) as connection:
            return paper_of(connection, clerk, issued.document_id)

    paper = read()
    times: dict[str, list[Taken]] = {"read": [], "whole": [], "floor": []}
    for _ in range(runs):
        times["read"].append(taken(read))
        times["whole"].append(taken(lambda: render([read()])))
        times["floor"].append(taken(lambda: render([EMPTY])))
    where = "in the process" if lines <= IN_PROCESS else "in a process of its own"
    for name, what in (
        ("read", "read from the books"),
        ("whole", f"read and set {where}"),
        ("floor", "floor: an empty page"),
    ):
        size = {"whole": len(render([paper])), "floor": len(render([EMPTY]))}.get(name)
        file = f"{size / 1000:.0f} kB" if size else ""
        said = f"{issued.lines} lines, {what}"
        clock, processor = (median(each) * 1000 for each in zip(*times[name], strict=True))
        print(f"{said:<50} {clock:7.0f} ms {processor:7.0f} ms {file:>9} {peak_memory():6.0f} MB")


Taken = tuple[float, float]
"""Seconds by the clock, and of the processors: this process's and those of the processes that it waited for."""


def taken(act: Callable[[], object]) -> Taken:
    """How long an act takes."""
    begun, worked = time.perf_counter(), _worked()
    act()
    return time.perf_counter() - begun, _worked() - worked


def _worked() -> float:
    of = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in of)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    main(parser.parse_args().runs)
