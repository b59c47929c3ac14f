"""End-use monitoring's periods, as they ship in `stockpile/data/monitoring_periods.csv`, each with its source. Reports take them where
nobody asks with others: another donor's agreement may say other days.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

INITIAL_INVENTORY = "initial inventory"
YEARLY_INVENTORY = "yearly inventory"
LOSS_REPORT = "loss report"


@dataclass(frozen=True, slots=True)
class Period:
    """Within how many days something is to be done, and who says so."""

    what: str
    days: int
    source: str


@cache
def period(what: str) -> Period:
    """The period of a name; KeyError for one that the file does not have."""
    text = files("stockpile.data").joinpath("monitoring_periods.csv").read_text(encoding="utf-8")
    rows = [Period(row["what"], int(row["days"]), row["source"]) for row in csv.DictReader(text.splitlines())]
    return {row.what: row for row in rows}[what]


def days_allowed(what: str, asked: int | None) -> int:
    """The days that were asked for, else those of the period."""
    return period(what).days if asked is None else asked
