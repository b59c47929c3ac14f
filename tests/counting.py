"""A plain model of what is counted: all that documents say was moved, when, from where to where. Where more left a place than
it can have had, the rest came from outside; not in what order the documents came, nor which of them was short.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

OUTSIDE = "outside"

P = TypeVar("P", bound=Hashable)


@dataclass
class Helmets(Generic[P]):
    """Movements of one kind of helmet, between places of any form."""

    moves: list[tuple[datetime, P, P, int]]
    outside: P

    def short(self, place: P) -> int:
        """How many more left a place than it can have had, by the worst moment."""
        balance, least = 0, 0
        for _, origin, to, number in sorted(self.moves, key=lambda move: move[0]):
            balance += number * ((to == place) - (origin == place))
            least = min(least, balance)
        return -least

    def any_short(self) -> bool:
        """Whether more left any place than it can have had."""
        return any(self.short(place) for place in self._sums())

    def held(self) -> dict[P, int]:
        """What each place has now."""
        held = {place: number + self.short(place) for place, number in self._sums().items()}
        return {place: number for place, number in held.items() if number}

    def _sums(self) -> dict[P, int]:
        sums: dict[P, int] = {}
        for _, origin, to, number in self.moves:
            for place, change in ((origin, -number), (to, number)):
                if place != self.outside:
                    sums[place] = sums.get(place, 0) + change
        return sums
