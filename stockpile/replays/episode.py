"""What an episode is: records written as files at some scale, questions asked of the ordinary product, and each answer beside the
figure it must come to. The generator of the records knows the published figures; what answers the questions never does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from stockpile.catalogue_data import findings
from stockpile.errors import Fault, Invalid
from stockpile.replays.country import Country, Founding

SMALLEST = Decimal("0.005")
LARGEST = Decimal(1)


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the records are, of the published size. Each number that is no sum and no difference of others is multiplied and
    rounded, halves up; sums, differences and percentages are made of the rounded numbers.
    """

    factor: Decimal = LARGEST

    @classmethod
    def read(cls, text: str) -> Scale:
        """A scale as typed. Raises Invalid outside 0.005 to 1."""
        try:
            factor = Decimal(text)
            fits = SMALLEST <= factor <= LARGEST
        except ArithmeticError:
            fits = False
        if not fits:
            fault = Fault(f"a number from {SMALLEST} to {LARGEST}, such as 0.01", field="scale", value=text)
            raise Invalid("Nothing was replayed.", [fault])
        return cls(factor)

    @property
    def full(self) -> bool:
        """Whether it is the published size."""
        return self.factor == 1

    def of(self, published: int) -> int:
        """A published number at this scale."""
        return int((published * self.factor).to_integral_value(ROUND_HALF_UP))

    def all(self, published: Mapping[str, int]) -> dict[str, int]:
        """Several published numbers at this scale."""
        return {name: self.of(number) for name, number in published.items()}


def rounded(part: int, whole: int, digits: int = 0) -> Decimal:
    """What percentage a part is of a whole, as reports print it: halves up."""
    return (Decimal(100 * part) / Decimal(whole)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


class Origin(StrEnum):
    """Why a figure must be what it must be."""

    PUBLISHED = "published"
    DERIVED = "from published figures"
    INVENTED = "invented here"
    LAW = "must hold"


Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it counts, what the product answered, and what it must come to at this scale; what was published, if it was."""

    what: str
    found: Number
    wanted: Number
    origin: Origin
    published: Number | None = None

    @property
    def agrees(self) -> bool:
        """Whether the answer is exactly what it must come to."""
        return self.found == self.wanted


@dataclass(slots=True)
class Stage:
    """Where an episode is played: its country, the folder its lists are written in, the scale, the chance that fills in what nobody
    published, and how many weapons are hidden from the world once the books are made. `tell` hears what is being done.
    """

    country: Country
    lists: Path
    published: Mapping[str, Any]
    scale: Scale = field(default_factory=Scale)
    remove: int = 0
    seed: int = 1
    tell: Callable[[str], None] = lambda _: None

    def chance(self, of: str) -> random.Random:
        """Chance that is the same for a seed and a purpose, whatever else is drawn."""
        return random.Random(f"{self.seed} {of}")  # noqa: S311 - nothing secret comes of it

    def figure(self, what: str, found: Number, published: Number, scaled: Number | None = None) -> Figure:
        """A published figure. At full scale it must be what was published, to the last digit; below it the number scaled, or, of a sum, a
        difference or a percentage, what `scaled` numbers make.
        """
        if scaled is None:
            scaled = self.scale.of(int(published))
        return Figure(what, found, published if self.scale.full else scaled, Origin.PUBLISHED, published)

    def unscaled(self, what: str, found: Number, published: Number) -> Figure:
        """A published figure that is the same at any scale, as a number of days."""
        return Figure(what, found, published, Origin.PUBLISHED, published)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tells how long a step took."""
        began = time.monotonic()
        yield
        self.tell(f"{time.monotonic() - began:7.1f} s  {what}")


@dataclass(frozen=True, slots=True)
class Episode:
    """A published failure: its name, what its country is founded with, which of its circumstances are invented because nobody published
    them, and how it is played.
    """

    name: str
    founding: Founding
    invented: tuple[str, ...]
    play: Callable[[Stage], Iterator[Figure]]

    @property
    def published(self) -> Mapping[str, Any]:
        """The report's figures, as `findings.json` has them."""
        figures: Mapping[str, Any] = findings()[self.name]
        return figures
