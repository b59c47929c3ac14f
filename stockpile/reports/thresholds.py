"""From where on something is told as late, unusual or too much: as it ships in `stockpile/data/thresholds.csv`, each with a word of
why. Reports take these where nobody asks with others.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of a unit, and why it is that one."""

    what: str
    value: int
    unit: str
    why: str


@cache
def thresholds() -> dict[str, Threshold]:
    """All of them, by name."""
    text = files("stockpile.data").joinpath("thresholds.csv").read_text(encoding="utf-8")
    rows = (
        Threshold(row["what"], int(row["value"]), row["unit"], row["why"]) for row in csv.DictReader(text.splitlines())
    )
    return {row.what: row for row in rows}


def value_of(what: str, asked: int | None = None) -> int:
    """The number that was asked for, else the one of the file; KeyError for a name that the file does not have."""
    return thresholds()[what].value if asked is None else asked
