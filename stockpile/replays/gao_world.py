"""The world of GAO-07-711: what was handed out to each unit, and what its property book holds. The totals are published; how they fall
on the units, and every serial number, is chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stockpile.models import NewModel
from stockpile.replays.chance import serial_numbers, shares, some_of
from stockpile.replays.country import Founding
from stockpile.replays.episode import Stage

MODELS = {"AK-47 rifle": "AK-47 rifle", "pistol": "pistol", "body armor": "Body armour", "helmet": "Helmet"}
"""What the report speaks of, as the catalogue calls it."""
WEAPONS = ("AK-47 rifle", "pistol")
EQUIPMENT = ("body armor", "helmet")
"""What has no serial number and is told by quantity."""
LETTERS = {"AK-47 rifle": "AK", "pistol": "GL"}
COMMAND, IRAQ = "MNSTC-I", "MOD"
"""Whose lists they are: of the command that issued, of the ministry whose units received."""
UNITS = tuple((f"{d}DIV-{b}BDE", f"Division {d}, Brigade {b}") for d in range(1, 11) for b in range(1, 5))

RIFLE = NewModel(
    maker="various", name="AK-47 rifle", category="small arms", subcategory="self-loading rifle", calibre="7.62x39mm",
    fire_mode="automatic",
)  # fmt: skip
PISTOL = NewModel(maker="various", name="pistol", category="small arms", subcategory="handgun")
FOUNDING = Founding("Taji National Depot", "Asia/Baghdad", ("USA", "United States of America"), UNITS, (RIFLE, PISTOL))

Strength = Mapping[str, Sequence[int]]
"""How many of each model, unit by unit."""


class Weapon(NamedTuple):
    """A weapon that was delivered and issued."""

    model: str
    serial: str
    unit: str


@dataclass(frozen=True, slots=True)
class World:
    """What was handed out to each unit, and what its property book holds."""

    stage: Stage
    issued: Strength
    in_books: Strength

    @classmethod
    def made(cls, stage: Stage) -> World:
        """The published totals, fallen on the units by chance; no book holds more than its unit was issued."""
        claimed, books = (stage.scale.all(stage.published[of]) for of in ("claimed_issued", "property_book"))
        chance = stage.chance("units")
        issued = {model: shares(claimed[model], len(UNITS), chance) for model in MODELS}
        return cls(stage, issued, {model: some_of(issued[model], books[model], chance) for model in MODELS})

    def weapons(self) -> Iterator[Weapon]:
        """Every weapon that was issued, unit by unit."""
        numbers = {model: serial_numbers(LETTERS[model], self.stage.chance(model)) for model in WEAPONS}
        for place, (unit, _) in enumerate(UNITS):
            for model in WEAPONS:
                for _ in range(self.issued[model][place]):
                    yield Weapon(model, next(numbers[model]), unit)

    def equipment(self) -> Iterator[tuple[str, str, int]]:
        """What is told by number: model, unit, quantity."""
        for place, (unit, _) in enumerate(UNITS):
            for model in EQUIPMENT:
                if self.issued[model][place]:
                    yield model, unit, self.issued[model][place]
