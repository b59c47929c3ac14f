"""DODIG-2024-043: weapons under enhanced end-use monitoring that nobody inspected in time, by their value; and how long losses took to
be reported.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from stockpile.models import NewModel
from stockpile.registers.write import Value, write_csv
from stockpile.replays.chance import hidden_places, serial_numbers, some_day
from stockpile.replays.country import AUDITOR, Founding, register
from stockpile.replays.episode import Episode, Figure, Stage, rounded
from stockpile.replays.hidden import named
from stockpile.reports.inspections import Inspections, inspections_due_of_arrivals
from stockpile.reports.loss_timeliness import LossTimeliness, loss_timeliness_of_register
from stockpile.rights import reading

MILLION = 1_000_000
VALUES = {
    "FIM-92 Stinger": 120_000, "FIM-92 Stinger gripstock": 40_000, "TOW-2A": 60_000, "FGM-148 Javelin": 80_000,
    "Javelin command launch unit": 250_000, "Night vision device": 3_600,
}  # fmt: skip
"""Unit values in dollars: of the first three the catalogue's planning figures, of the others invented."""
COMMONNESS = {
    "FIM-92 Stinger": 6, "FIM-92 Stinger gripstock": 2, "TOW-2A": 8, "FGM-148 Javelin": 25, "Javelin command launch unit": 3,
    "Night vision device": 56,
}  # fmt: skip
SMALLEST = "Night vision device"
LETTERS = dict(zip(VALUES, ("ST", "SG", "TW", "JM", "JC", "NV"), strict=True))
SINCE = date(2022, 3, 1)
INITIAL, YEARLY = timedelta(days=90), timedelta(days=365)
LOSSES = 500
MOST_ASTRAY = 150
"""A loss report took at most so many days more or fewer than the average."""
OFFICE = "ODC"


def _model(maker: str, name: str, category: str, subcategory: str) -> NewModel:
    return NewModel.model_validate({
        "maker": maker, "name": name, "category": category, "subcategory": subcategory, "value": Decimal(VALUES[name]),
        "value_source": "invented for this replay", "enhanced_monitoring": True,
    })  # fmt: skip


MODELS = (
    _model("Raytheon", "FGM-148 Javelin", "light weapons", "anti-tank guided weapon"),
    _model("Raytheon", "Javelin command launch unit", "light weapons", "anti-tank guided weapon"),
    _model("L3Harris", SMALLEST, "equipment", "optic"),
)

Row = tuple[Value, ...]


class Article(NamedTuple):
    """Something under enhanced monitoring: when it came, and when it was inspected, if it was."""

    model: str
    serial: str
    arrived_on: date
    inspected_on: date | None


@dataclass(frozen=True, slots=True)
class World:
    """The articles, as many as are worth the published sums: those that are delinquent on the day, and those that are not."""

    stage: Stage
    on: date

    def articles(self) -> Iterator[Article]:
        """All of them, in no order."""
        stage = self.stage
        late = stage.scale.of(stage.published["delinquent_usd_millions"])
        in_time = stage.scale.of(stage.published["value_usd_millions"]) - late
        numbers = {model: serial_numbers(LETTERS[model], stage.chance(model)) for model in VALUES}
        for millions, delinquent in ((late, True), (in_time, False)):
            chance = stage.chance(f"delinquent {delinquent}")
            for model in _worth(millions * MILLION, chance):
                yield Article(
                    model, next(numbers[model]), *(self._late(chance) if delinquent else self._in_time(chance))
                )

    def _late(self, chance: random.Random) -> tuple[date, date | None]:
        """Never inspected within 90 days, or not again within the year."""
        if chance.random() < 0.9:
            return some_day(SINCE, self.on - INITIAL - timedelta(days=1), chance), None
        inspected = some_day(SINCE, self.on - YEARLY - timedelta(days=1), chance)
        return some_day(SINCE, inspected, chance), inspected

    def _in_time(self, chance: random.Random) -> tuple[date, date | None]:
        """Inspected within the year, or here for less than 90 days."""
        if chance.random() < 0.2:
            return some_day(self.on - INITIAL, self.on, chance), None
        arrived = some_day(SINCE, self.on, chance)
        return arrived, some_day(max(arrived, self.on - YEARLY), self.on, chance)


def _worth(dollars: int, chance: random.Random) -> Iterator[str]:
    """Models that are together worth at least so much, and not one of the cheapest more."""
    while dollars > 0:
        (model,) = chance.choices([*COMMONNESS], [*COMMONNESS.values()])
        if VALUES[model] > dollars:
            model = SMALLEST
        dollars -= VALUES[model]
        yield model


def play(stage: Stage) -> Iterator[Figure]:
    """What is delinquent on the day, by value; and the losses."""
    world = World(stage, date.fromisoformat(stage.published["as_of"]))
    with stage.step("arrivals, inspections and loss reports written"):
        arrivals = _write_arrivals(stage.lists / "Arrivals.csv", world, frozenset())
        inspections = _write_inspections(stage.lists / "Inspections.csv", world)
        losses = _write_losses(stage, world)
    with stage.step("all imported"):
        arrived = stage.country.import_list(arrivals, "arrivals", OFFICE, world.on)
        inspected = stage.country.import_list(inspections, "inspection", OFFICE, world.on)
        lost = stage.country.import_list(
            losses, "loss report", "Loss reports", world.on,
            {"serial_number": "Serial Number", "model": "Item", "date": "Date of Loss", "received_on": "Date Reported"},
        )  # fmt: skip
    with stage.step("inspections due"):
        due = _due(stage, arrived, inspected)
    yield from _inspected(stage, due)
    with stage.step("timeliness of loss reports"):
        took = _took(stage, lost)
    allowed, average = (stage.published[f"loss_report_days_{of}"] for of in ("allowed", "average"))
    yield stage.unscaled("days allowed for a loss report", took.days_allowed, allowed)
    yield stage.unscaled("days a loss report took on average", Decimal(str(took.average_days)), average)
    if stage.remove:
        yield from _count(stage, world, arrived)


def _write_arrivals(file: Path, world: World, hidden: frozenset[tuple[str, str]]) -> Path:
    rows = (
        (one.serial, one.model, one.arrived_on) for one in world.articles() if (one.model, one.serial) not in hidden
    )
    write_csv(file, ("Serial Number", "Item", "Date Received"), rows)
    return file


def _write_inspections(file: Path, world: World) -> Path:
    rows = ((one.serial, one.model, one.inspected_on) for one in world.articles() if one.inspected_on is not None)
    write_csv(file, ("Serial Number", "Item", "Date"), rows)
    return file


def _write_losses(stage: Stage, world: World) -> Path:
    """Loss reports that took as long as published on average: one of two took as many days more as the other fewer."""
    chance, average, file = (
        stage.chance("losses"),
        stage.published["loss_report_days_average"],
        stage.lists / "Loss reports.csv",
    )
    astray = [chance.randint(1, MOST_ASTRAY) for _ in range(max(stage.scale.of(LOSSES) // 2, 1))]
    numbers = serial_numbers("LO", chance)
    rows: list[Row] = []
    for days in (average, *(average + sign * days for days in astray for sign in (1, -1))):
        reported = some_day(SINCE + timedelta(days=days), world.on, chance)
        rows.append((next(numbers), chance.choice([*VALUES]), reported - timedelta(days=days), reported))
    write_csv(file, ("Serial Number", "Item", "Date of Loss", "Date Reported"), rows)
    return file


def _due(stage: Stage, arrivals: UUID, inspections: UUID) -> Inspections:
    auditor = stage.country.actors[AUDITOR]
    with reading(stage.country.engine, auditor) as connection:
        return inspections_due_of_arrivals(connection, auditor, arrivals, inspections, limit=1)


def _inspected(stage: Stage, due: Inspections) -> Iterator[Figure]:
    """The report's sums; the published amounts are "more than" so many millions."""
    published, scale = stage.published, stage.scale
    whole, late = (published[f"{of}_usd_millions"] for of in ("value", "delinquent"))
    yield stage.figure(
        "worth under enhanced monitoring, in million dollars, more than", int(due.value // MILLION), whole
    )
    yield stage.figure("delinquent of it, in million dollars, more than", int(due.delinquent_value // MILLION), late)
    share = rounded(int(due.delinquent_value), int(due.value))
    yield stage.figure(
        "percent delinquent", share, published["delinquent_percent"], rounded(scale.of(late), scale.of(whole))
    )


def _took(stage: Stage, losses: UUID) -> LossTimeliness:
    auditor = stage.country.actors[AUDITOR]
    with reading(stage.country.engine, auditor) as connection:
        return loss_timeliness_of_register(connection, auditor, losses, limit=1)


def _count(stage: Stage, world: World, arrived: UUID) -> Iterator[Figure]:
    """A count of the world against the list of arrivals, once weapons were hidden."""
    there: Sequence[tuple[str, str]] = [(one.model, one.serial) for one in world.articles()]
    hidden = frozenset(there[place] for place in hidden_places(len(there), stage.remove, stage.chance("hidden")))
    with stage.step("count of the world against the arrivals"):
        file = _write_arrivals(stage.lists / "Count.csv", world, hidden)
        count = stage.country.import_list(file, "count of the world", OFFICE)
        counted = stage.country.audit("Count", register(count), register(arrived))
    yield from named(stage, counted, "against the list of arrivals", hidden)


EPISODE = Episode(
    "dodig-2024-043",
    Founding("Depot", "Europe/Kyiv", ("USA", "United States of America"), (), MODELS),
    (
        "which articles there are, how many of each, their unit values and serial numbers, and on which days they came and were inspected",
        f"that there were {LOSSES} loss reports, or nearly, and how long each took around the published average",
    ),
    play,
)
