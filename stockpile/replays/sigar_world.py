"""The world of SIGAR 14-84: each weapon as it was shipped to Afghanistan and received there, and what is wrong with its records in the two
registers. How many repeat and how many lack their days is published; of what is wrong with the rest of OVERLORD's records nobody published
the kind, and the kinds are invented.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from stockpile.models import NewModel
from stockpile.replays.chance import serial_numbers
from stockpile.replays.country import Founding
from stockpile.replays.episode import Stage

RIFLE = "AK-47"
COMMONNESS = {RIFLE: 35, "M16A2": 28, "Beretta M9": 15, "M249": 6, "M240": 5, "PK": 5, "RPG-7": 4, "GP-25": 2}
LETTERS = {
    model: letters for model, letters in zip(COMMONNESS, ("AK", "MR", "BP", "SW", "MG", "PK", "RP", "GP"), strict=True)
}
CORPS = ("201", "203", "205", "207", "209", "215")
UNITS = tuple((f"{c}CORPS-{b}BDE", f"{c} Corps, Brigade {b}") for c in CORPS for b in range(1, 5))
MODEL = NewModel(
    maker="various",
    name=RIFLE,
    category="small arms",
    subcategory="self-loading rifle",
    calibre="7.62x39mm",
    fire_mode="automatic",
)
FOUNDING = Founding(
    "Depot 22 Bunkers", "Asia/Kabul", ("USA", "United States of America"), UNITS, (MODEL,), arms_rooms=True
)
SINCE, UNTIL = date(2008, 1, 1), date(2013, 6, 30)
SHORTEST_WAY, LONGEST_WAY = 20, 150
"""From the ship's list to the depot, in days."""

THRICE = 10
"""One repeated number of so many stands three times, the others twice."""
UNDATED_TOO = 10
"""One undated record of so many is also one of a number that repeats."""
NO_MODEL = 4
"""Of the other flawed records one of so many lacks its model, the rest their receiver."""
CONFLICTING, ONLY_SHIPPED, ONLY_RECEIVED = 1_500, 2_000, 1_000


class Flaw(StrEnum):
    """What a record lacks, in the words of an audit."""

    NO_DATE = "no date"
    NO_RECEIVER = "no receiver"
    NO_MODEL = "no model"


class Conflict(StrEnum):
    """What one register says otherwise than the other, in the words of an audit."""

    MODEL = "model"
    SHIPPED = "shipped_on"
    RECEIVED = "received_on"
    UNIT = "unit"


class Weapon(NamedTuple):
    """A weapon as it is; its place tells what is wrong with its records."""

    place: int
    model: str
    serial: str
    unit: str
    shipped_on: date
    received_on: date


@dataclass(frozen=True, slots=True)
class Records:
    """What is wrong with one register's records: which weapons are mentioned again, twice or thrice in all, and what the first mention of a
    weapon, or which further mention of it, lacks.
    """

    twice: frozenset[int]
    thrice: frozenset[int]
    first: Mapping[int, Flaw]
    further: Mapping[int, Flaw] = field(default_factory=dict)

    @property
    def mentions(self) -> int:
        """How many records bear a number that repeats."""
        return 2 * len(self.twice) + 3 * len(self.thrice)

    def is_flawed(self, place: int) -> bool:
        """Whether anything is wrong with a weapon's records."""
        return place in self.twice or place in self.thrice or place in self.first

    def again(self) -> Iterator[int]:
        """The weapons of the further mentions, in their order."""
        return chain(sorted(self.twice), sorted(self.thrice), sorted(self.thrice))


@dataclass(frozen=True, slots=True)
class World:
    """The weapons and the flaws of both registers. The first weapons are only shipped, the next only received, as the registers have it."""

    stage: Stage
    weapons: int
    only_shipped: int
    only_received: int
    shipped: Records
    received: Records
    conflicts: Mapping[int, Conflict]

    @classmethod
    def made(cls, stage: Stage) -> World:
        """The published numbers, fallen on the weapons by chance."""
        scale, chance = stage.scale, stage.chance("flaws")
        overlord, scip = stage.published["overlord"], stage.published["scip"]
        only_shipped, only_received = scale.of(ONLY_SHIPPED), scale.of(ONLY_RECEIVED)
        repeated = scale.of(overlord["repeated_two_or_three_times"])
        arrived = scale.of(overlord["serials"]) - repeated - repeated // THRICE
        weapons = arrived + only_shipped
        received = _received(stage, range(only_shipped, weapons), chance)
        on_ships = [*range(only_shipped), *range(only_shipped + only_received, weapons)]
        twice, thrice = _repeated(scale.of(scip["repeated_two_or_three_times"]), on_ships, chance)
        undated = chance.sample(on_ships, scale.of(scip["no_ship_or_receive_date"]))
        shipped = Records(twice, thrice, dict.fromkeys(undated, Flaw.NO_DATE))
        sound = [
            place
            for place in on_ships[only_shipped:]
            if not received.is_flawed(place) and not shipped.is_flawed(place)
        ]  # fmt: skip
        kinds = list(Conflict)
        conflicts = {
            place: kinds[n % len(kinds)] for n, place in enumerate(chance.sample(sound, scale.of(CONFLICTING)))
        }
        return cls(stage, weapons, only_shipped, only_received, shipped, received, conflicts)

    def all(self) -> Iterator[Weapon]:
        """Every weapon, unit by unit."""
        draw = self.stage.chance("weapons").random
        numbers = {model: serial_numbers(letters, self.stage.chance(model)) for model, letters in LETTERS.items()}
        models = [model for model, often in COMMONNESS.items() for _ in range(often)]
        days = [SINCE + timedelta(days=n) for n in range((UNTIL - SINCE).days + LONGEST_WAY)]
        for place in range(self.weapons):
            model = models[int(draw() * len(models))]
            shipped = int(draw() * (len(days) - LONGEST_WAY))
            arrived = shipped + SHORTEST_WAY + int(draw() * (LONGEST_WAY - SHORTEST_WAY))
            unit = UNITS[place * len(UNITS) // self.weapons][0]
            yield Weapon(place, model, next(numbers[model]), unit, days[shipped], days[arrived])

    def arrived(self) -> Iterator[Weapon]:
        """Every weapon that is in the country."""
        return (one for one in self.all() if one.place >= self.only_shipped)

    def on_ships(self) -> Iterator[Weapon]:
        """Every weapon of which a shipping list tells."""
        return (
            one for one in self.all() if not self.only_shipped <= one.place < self.only_shipped + self.only_received
        )


def _repeated(numbers: int, places: range | list[int], chance: random.Random) -> tuple[frozenset[int], frozenset[int]]:
    drawn = chance.sample(places, numbers)
    return frozenset(drawn[numbers // THRICE :]), frozenset(drawn[: numbers // THRICE])


def _received(stage: Stage, places: range, chance: random.Random) -> Records:
    """What is wrong in OVERLORD: what repeats, what has no day, some of it both; and as many more as make the published sum, of kinds
    that are invented.
    """
    overlord, scale = stage.published["overlord"], stage.scale
    twice, thrice = _repeated(scale.of(overlord["repeated_two_or_three_times"]), places, chance)
    undated = scale.of(overlord["no_ship_or_receive_date"])
    records = Records(twice, thrice, {})
    both = undated // UNDATED_TOO
    clean = [place for place in places if place not in twice and place not in thrice]
    others = scale.of(overlord["missing_or_duplicate"]) - records.mentions - (undated - both)
    drawn = chance.sample(clean, undated - both + others)
    without_model = others // NO_MODEL
    first = dict.fromkeys(drawn[others:], Flaw.NO_DATE)
    first |= dict.fromkeys(drawn[:without_model], Flaw.NO_MODEL)
    first |= dict.fromkeys(drawn[without_model:others], Flaw.NO_RECEIVER)
    further = len(twice) + 2 * len(thrice)
    return Records(twice, thrice, first, dict.fromkeys(chance.sample(range(further), both), Flaw.NO_DATE))
