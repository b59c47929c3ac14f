"""How long 5,000 labels take as PDF, beside their floor: the same pages with the same letters, typeset by the same program, without codes.

Run it on an idle machine: `python -m bench.labels [--labels 5000] [--runs 5]`.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from statistics import median

from labels.marks import uii_envelope
from labels.sheets import find_sheet, print_sheets
from labels.tags import Code, Label
from stockpile.identity import asset_tag

SHEET = "L7160"


def labels(number: int) -> list[Label]:
    """Labels with Code 128, a Data Matrix and four lines."""
    return [
        Label(
            asset_tag(count),
            (f"KT {count:06}", "AKM", f"UII D1ABC2KT{count:06}", "TAJI"),
            asset_tag(count),
            uii_envelope(f"D1ABC2KT{count:06}"),
            Code.DATA_MATRIX,
        )
        for count in range(1, number + 1)
    ]


def taken(wanted: list[Label]) -> float:
    """Seconds until the PDF is there."""
    begun = time.monotonic()
    print_sheets(wanted, find_sheet(SHEET))
    return time.monotonic() - begun


def main() -> None:
    """Measures both in turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--labels", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    wanted = labels(asked.labels)
    bare = [replace(label, bars=None, square=None) for label in wanted]
    measured = [(taken(wanted), taken(bare)) for _ in range(asked.runs)]
    ours, floor = (median(run[place] for run in measured) for place in (0, 1))
    print(f"{asked.labels:,} labels: {ours:.2f} s, slowest {max(run[0] for run in measured):.2f} s")
    print(f"floor: {floor:.2f} s   ratio {ours / floor:.1f}")
    own, child = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"memory: {own:.0f} MB, and {child:.0f} MB in the process that typesets")


if __name__ == "__main__":
    main()
