"""What the units of SIGAR 14-84 have beyond their authorised strength: every weapon received in the ledger, the allowances imported,
and the ordinary report of excess and shortfall asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from stockpile.acts.receive import RECEIVE
from stockpile.registers.write import Value, write_csv
from stockpile.replays.chance import some_of
from stockpile.replays.country import AUDITOR, CLERK, arms_room_of
from stockpile.replays.episode import Figure, Stage
from stockpile.replays.sigar_world import RIFLE, UNITS, World
from stockpile.reports.allowances import By, excess_and_shortfall
from stockpile.rights import reading

SHORT_UNIT = 4
"""One unit of so many has no excess but a shortfall."""
LARGEST_SHORTFALL = 40

Held = Counter[tuple[str, str]]
"""How many of a model a unit has, by unit and model."""


def excess(stage: Stage, world: World) -> Iterator[Figure]:
    """More than 112,000 weapons that nobody needs, of which 83,184 are AK-47."""
    with stage.step("weapons received into the units' arms rooms, through the ledger"):
        held = _receive(stage, world)
    with stage.step("allowances imported"):
        _allow(stage, held)
    auditor, published = stage.country.actors[AUDITOR], stage.published
    with stage.step("excess and shortfall"), reading(stage.country.engine, auditor) as connection:
        told = excess_and_shortfall(connection, auditor, by=By.MODEL)
    rifles = sum(line.excess for line in told.rows if line.model == RIFLE)
    yield stage.figure("more than authorised: weapons", told.excess, published["excess_weapons"])
    yield stage.figure("more than authorised: AK-47", rifles, published["excess_ak47"])


def _receive(stage: Stage, world: World) -> Held:
    """Every weapon that arrived is received into its unit's arms room; answers who has how many."""
    held: Held = Counter()
    for unit, arrived in groupby(world.arrived(), key=lambda one: one.unit):
        weapons = [*arrived]
        held.update((unit, one.model) for one in weapons)
        file = stage.lists / f"Arrived at {unit}.csv"
        rows: Iterator[tuple[Value, ...]] = ((one.serial, one.model) for one in weapons)
        write_csv(file, ("Serial Number", "Nomenclature"), rows)
        stage.country.do(CLERK, RECEIVE, file, donor=stage.country.donor, store=arms_room_of(unit))
    return held


def _allow(stage: Stage, held: Held) -> None:
    """Allowances that leave the published excess."""
    chance, scale, published = stage.chance("excess"), stage.scale, stage.published
    rifles, weapons = scale.of(published["excess_ak47"]), scale.of(published["excess_weapons"])
    in_excess = {unit for n, (unit, _) in enumerate(UNITS) if n % SHORT_UNIT}
    allowed = held.copy()
    for of_rifles, quantity in ((True, rifles), (False, weapons - rifles)):
        places = [place for place in sorted(held) if place[0] in in_excess and (place[1] == RIFLE) is of_rifles]
        for place, number in zip(places, some_of([held[place] for place in places], quantity, chance), strict=True):
            allowed[place] -= number
    for place in sorted(held):
        if place[0] not in in_excess:
            allowed[place] += chance.randint(0, LARGEST_SHORTFALL)
    file = stage.lists / "Allowances.csv"
    write_csv(file, ("Unit Code", "Nomenclature", "Quantity"), ((*place, allowed[place]) for place in sorted(allowed)))
    stage.country.allow(file, "Tashkil 1392")
