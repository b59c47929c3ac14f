"""What the units of SIGAR 14-84 have beyond their authorised strength: their property books opened in the ledger, their allowances
imported, and the ordinary report of excess and shortfall asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from stockpile.acts.open_books import OPEN
from stockpile.registers.write import Value, write_csv
from stockpile.replays.chance import some_of
from stockpile.replays.country import AUDITOR, COMMANDER, DEPOT, REGISTRAR
from stockpile.replays.episode import Figure, Stage
from stockpile.replays.sigar_world import RIFLE, UNITS, World
from stockpile.reports.allowances import By, every_excess
from stockpile.rights import reading

BOOK = 40_000
"""So many weapons to a property book: it is posted whole."""
SHORT_UNIT = 4
"""One unit of so many has no excess but a shortfall."""
LARGEST_SHORTFALL = 40

Held = Counter[tuple[str, str]]
"""How many of a model a unit has, by unit and model."""


def excess(stage: Stage, world: World) -> Iterator[Figure]:
    """More than 112,000 weapons that nobody needs, of which 83,184 are AK-47."""
    with stage.step("property books opened in the ledger"):
        held = _open(stage, world)
    with stage.step("allowances imported"):
        _allow(stage, held)
    auditor, published = stage.country.actors[AUDITOR], stage.published
    with stage.step("excess and shortfall"), reading(stage.country.engine, auditor) as connection:
        lines = {line.model: line.excess for line in every_excess(connection, auditor, by=By.MODEL)}
    yield stage.figure("more than authorised: weapons", sum(lines.values()), published["excess_weapons"])
    yield stage.figure("more than authorised: AK-47", lines[RIFLE], published["excess_ak47"])


def _open(stage: Stage, world: World) -> Held:
    """Every weapon that arrived enters the ledger with its unit, by two people; answers who has how many."""
    held: Held = Counter()
    weapons, number = world.arrived(), 0
    while book := [*islice(weapons, BOOK)]:
        number += 1
        held.update((one.unit, one.model) for one in book)
        file = stage.lists / f"Property book {number:02}.csv"
        rows: Iterator[tuple[Value, ...]] = ((one.serial, one.model, one.unit) for one in book)
        write_csv(file, ("Serial Number", "Nomenclature", "Unit Code"), rows)
        asked = {"name": file.stem, "donor": stage.country.donor, "site": DEPOT}
        stage.country.do_with_approval(REGISTRAR, COMMANDER, OPEN, file, **asked)
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
