"""What an inspector looks at in a store: the checklist as it ships in `stockpile/data/physical_security.csv`, each point with its source.
Points from memory say so; another list is another file, not another program.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from stockpile.documents import Asked, Code, Words
from stockpile.errors import Fault, Invalid
from stockpile.sentences import sentence

Seen = Literal["yes", "no", "not seen"]


@dataclass(frozen=True, slots=True)
class SecurityPoint:
    """A point of the checklist. `unverified`: from memory, until somebody holds the original."""

    code: str
    what: str
    source: str
    unverified: bool


class SecurityAnswer(Asked):
    """What an inspector found of one point."""

    point: Code = Field(description="Its code in the checklist", examples=["locks"])
    found: Seen = Field(examples=["no"])
    remarks: Words | None = Field(None, examples=["The side door has a bicycle lock"])


@cache
def checklist() -> tuple[SecurityPoint, ...]:
    """The points in their order."""
    text = files("stockpile.data").joinpath("physical_security.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(SecurityPoint(row["code"], row["what"], row["source"], row["unverified"] == "yes") for row in rows)


def need_points(answers: tuple[SecurityAnswer, ...]) -> None:
    """Raises Invalid for a point that the checklist does not have, or that is answered twice."""
    known = {point.code for point in checklist()}
    named = [answer.point for answer in answers]
    faults = [
        Fault(sentence("the checklist has no such point"), field="physical_security", value=code)
        for code in named
        if code not in known
    ]
    faults += [
        Fault(sentence("is answered twice"), field="physical_security", value=code)
        for code in sorted({code for code in named if named.count(code) > 1})
    ]
    if faults:
        raise Invalid(sentence("The visit was not kept: see the check of the store."), faults)
