"""What chance fills in where nobody published it: how a total falls on units, what the serial numbers are, which weapons are hidden.
The same for a seed, at every run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from stockpile.errors import Fault, Invalid

NUMBERS = 9_999_991
"""A prime: its multiples run through all seven-digit numbers once."""


def shares(total: int, parts: int, chance: random.Random) -> list[int]:
    """A total cut into parts of unlike size, which add up to it."""
    cuts = sorted(chance.randint(0, total) for _ in range(parts - 1))
    return [until - since for since, until in zip([0, *cuts], [*cuts, total], strict=True)]


def some_of(counts: Sequence[int], wanted: int, chance: random.Random) -> list[int]:
    """How many of each remain when only so many of all are kept: never more than there were."""
    drawn = Counter(chance.sample(range(len(counts)), wanted, counts=counts)) if wanted else Counter[int]()
    return [drawn[place] for place in range(len(counts))]


def parcels(total: int, largest: int, chance: random.Random) -> Iterator[int]:
    """A total in parcels of one up to `largest`."""
    while total > 0:
        parcel = min(total, chance.randint(1, largest))
        yield parcel
        total -= parcel


def serial_numbers(letters: str, chance: random.Random) -> Iterator[str]:
    """Serial numbers that do not run in a row, no two alike: some millions of them."""
    step, first = chance.randrange(1_000_000, NUMBERS), chance.randrange(NUMBERS)
    return (f"{letters}{(first + place * step) % NUMBERS:07}" for place in range(NUMBERS))


def some_day(since: date, until: date, chance: random.Random) -> date:
    """A day of a period."""
    return since + timedelta(days=chance.randint(0, (until - since).days))


def hidden_places(there_are: int, remove: int, chance: random.Random) -> frozenset[int]:
    """The places of the weapons that are hidden. Raises Invalid where the world has fewer."""
    if remove > there_are:
        fault = Fault(f"this world has {there_are:,} weapons", field="remove", value=str(remove))
        raise Invalid("Nothing was hidden.", [fault])
    return frozenset(chance.sample(range(there_are), remove))
