"""A plain model of what is counted: all that documents say was moved, when, from where to where. Where more left a place than
it can have had, the rest came from outside; not in what order the documents came, nor which of them was short.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

OUTSIDE = "outside"


@dataclass
class Helmets:
    """Movements of one kind of helmet."""

    moves: list[tuple[datetime, str, str, int]]

    def short(self, place: str) -> int:
        """How many more left a place than it can have had, by the worst moment."""
        balance, least = 0, 0
        for _, origin, to, number in sorted(self.moves):
            balance += number * ((to == place) - (origin == place))
            least = min(least, balance)
        return -least

    def held(self) -> dict[str, int]:
        """What each place has now."""
        sums: dict[str, int] = {}
        for _, origin, to, number in self.moves:
            for place, change in ((origin, -number), (to, number)):
                if place != OUTSIDE:
                    sums[place] = sums.get(place, 0) + change
        held = {place: number + self.short(place) for place, number in sums.items()}
        return {place: number for place, number in held.items() if number}
