"""SIGIR-06-033: weapons bought for Iraq under 19 contracts, two of which asked for serial numbers; and what of the deliveries the
property books do not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from stockpile.models import NewModel
from stockpile.registers.write import Value, write_csv, write_xlsx
from stockpile.replays.chance import hidden_places, serial_numbers, shares, some_day
from stockpile.replays.country import AUDITOR, Founding, register
from stockpile.replays.episode import Episode, Figure, Origin, Stage, rounded
from stockpile.replays.hidden import named
from stockpile.reports.audits import AuditShown
from stockpile.reports.serial_capture import SerialCapture, serial_capture_of_register
from stockpile.rights import reading

PISTOL = "9 mm pistol"
BOUGHT = {
    PISTOL: 138_000, "assault rifle": 165_400, "MP5 machine gun": 2_400, "RPK": 18_000, "PK": 14_000, "M4": 3_000, "Shotgun": 2_500,
    "Dragunov SVD": 1_100, "RPG-7": 4_500, "GP-25": 1_300,
}  # fmt: skip
"""How many of each model, invented; of the last model as many as make the published total."""
REMAINDER = "M249"
UNITS = tuple(
    (code, name)
    for code, name in (
        ("IZ-ARMY", "Iraqi Army"), ("IZ-POLICE", "Iraqi Police"), ("IZ-BORDER", "Border Enforcement"), ("IZ-NAVY", "Iraqi Navy"),
        ("IZ-FACILITIES", "Facilities Protection Service"), ("IZ-SPECIAL", "Special Operations"),
    )
)  # fmt: skip
COMMAND = "MNSTC-I"
SINCE, UNTIL = date(2003, 11, 1), date(2006, 4, 30)

_small_arms = {"maker": "various", "category": "small arms"}
MODELS = (
    NewModel.model_validate({**_small_arms, "name": PISTOL, "subcategory": "handgun"}),
    NewModel.model_validate({**_small_arms, "name": "assault rifle", "fire_mode": "automatic"}),
    NewModel.model_validate(
        {**_small_arms, "maker": "Heckler & Koch", "name": "MP5 machine gun", "fire_mode": "automatic"}
    ),
)

Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What was bought, by model, and how many of each the books have, unit by unit. The pistols with recorded numbers come first."""

    stage: Stage
    bought: dict[str, int]
    in_books: dict[str, list[int]]
    recorded: int

    @classmethod
    def made(cls, stage: Stage) -> World:
        """The published totals; the rest by chance."""
        scale, published, chance = stage.scale, stage.published, stage.chance("books")
        bought = scale.all(BOUGHT)
        bought[REMAINDER] = scale.of(published["weapons"]) - sum(bought.values())
        recorded = scale.of(published["with_serial_recorded"])
        missing = Counter(scale.all(published["not_in_books_by_model"]))
        without_number = {model: number - (recorded if model == PISTOL else 0) for model, number in bought.items()}
        in_books = {
            model: shares(number - missing[model], len(UNITS), chance) for model, number in without_number.items()
        }
        return cls(stage, bought, in_books, recorded)

    def pistols(self) -> Iterator[tuple[str, str]]:
        """The pistols whose numbers were recorded, each with its unit."""
        numbers, chance = serial_numbers("GL", self.stage.chance("pistols")), self.stage.chance("their units")
        return ((next(numbers), chance.choice(UNITS)[0]) for _ in range(self.recorded))


def play(stage: Stage) -> Iterator[Figure]:
    """How many serial numbers were recorded, and what the books lack."""
    world, published = World.made(stage), stage.published
    with stage.step("contracts, their deliveries and the property books written"):
        contracts, deliveries = _write_contracts(stage, world)
        books = _write_books(stage.lists / "Property books.csv", world, frozenset(), Counter())
    with stage.step("all imported"):
        registers = [stage.country.import_list(file, "contract", COMMAND) for file in contracts]
        delivered = stage.country.import_list(deliveries, "delivery list", COMMAND)
        held = stage.country.import_list(books, "property book", COMMAND)
    with stage.step("serial numbers counted"):
        captures = [_capture(stage, contract) for contract in registers]
        capture = _capture(stage, delivered)
    asked = sum(one.with_serial > 0 for one in captures)
    yield stage.unscaled("contracts", len(captures), published["contracts"])
    yield stage.unscaled("contracts with serial numbers", asked, published["contracts_that_asked_for_serials"])
    yield stage.figure("weapons delivered", capture.weapons, published["weapons"])
    yield stage.figure("with a serial number recorded", capture.with_serial, published["with_serial_recorded"])
    share = rounded(stage.scale.of(published["with_serial_recorded"]), stage.scale.of(published["weapons"]), 1)
    found = Decimal(str(capture.percent))
    yield stage.figure("percent", found, Decimal(str(published["with_serial_recorded_percent"])), share)
    with stage.step("deliveries compared with the property books"):
        audit = stage.country.audit("SIGIR-06-033", register(delivered), register(held))
    yield from _not_in_books(stage, audit)
    if stage.remove:
        yield from _count(stage, world, held)


def _write_contracts(stage: Stage, world: World) -> tuple[list[Path], Path]:
    """A list for each contract, and one of all their deliveries."""
    published, chance = stage.published, stage.chance("contracts")
    with_numbers = published["contracts_that_asked_for_serials"]
    others = published["contracts"] - with_numbers
    numbers = iter([serial for serial, _ in world.pistols()])
    rows: list[list[Row]] = []
    for quantity in shares(world.recorded - with_numbers, with_numbers, chance):
        rows.append([(PISTOL, next(numbers), None) for _ in range(quantity + 1)])
    without_number = {**world.bought, PISTOL: world.bought[PISTOL] - world.recorded}
    parts = {model: shares(quantity, others, chance) for model, quantity in without_number.items()}
    rows += [[(model, None, part[n]) for model, part in parts.items() if part[n]] for n in range(others)]
    files, of_all = [], list[Row]()
    for n, lines in enumerate(rows, 1):
        day = some_day(SINCE, UNTIL, chance)
        dated: list[Row] = [(f"W914NS-{n:02}", day, *line) for line in lines]
        files.append(_write(stage.lists / f"Contract {n:02}.csv", dated or [(f"W914NS-{n:02}", day, PISTOL, None, 0)]))
        of_all += dated
    return files, _write(stage.lists / "Deliveries under all contracts.csv", of_all)


def _write(file: Path, rows: Sequence[Row]) -> Path:
    write_csv(file, ("Contract Number", "Date Received", "Item", "Serial Number", "Quantity"), rows)
    return file


def _write_books(file: Path, world: World, hidden: frozenset[str], gone: Counter[tuple[str, str]]) -> Path:
    """What the books have, or, without what is hidden, what a count of the units finds."""

    def rows() -> Iterator[Row]:
        for serial, unit in world.pistols():
            if serial not in hidden:
                yield unit, PISTOL, serial, None
        for model, held in world.in_books.items():
            for (unit, _), quantity in zip(UNITS, held, strict=True):
                if quantity > gone[model, unit]:
                    yield unit, model, None, quantity - gone[model, unit]

    write = write_xlsx if file.suffix == ".xlsx" else write_csv
    write(file, ("Unit Code", "Item", "Serial Number", "Quantity"), rows())
    return file


def _capture(stage: Stage, register_id: UUID) -> SerialCapture:
    auditor = stage.country.actors[AUDITOR]
    with reading(stage.country.engine, auditor) as connection:
        return serial_capture_of_register(connection, auditor, register_id)


def _not_in_books(stage: Stage, audit: AuditShown) -> Iterator[Figure]:
    published = stage.published["not_in_books_by_model"]
    scaled, lacking = stage.scale.all(published), Counter[str]()
    for total in audit.by_model:
        if total.kind == "quantity differs":
            lacking[total.model or ""] += total.left_quantity - total.right_quantity
    for model, number in published.items():
        yield stage.figure(f"{model}: not in the books", lacking[model], number)
    in_all = stage.published["not_in_books"]
    yield stage.figure("weapons not in the books", lacking.total(), in_all, sum(scaled.values()))
    recorded = stage.scale.of(stage.published["with_serial_recorded"])
    yield Figure("pistols found by their numbers", audit.audit.matched, recorded, Origin.DERIVED)


def _count(stage: Stage, world: World, held: UUID) -> Iterator[Figure]:
    """A count of the world against the books, once weapons were hidden."""
    pistols = [*world.pistols()]
    lines = [(model, unit) for model, quantities in world.in_books.items()
             for (unit, _), quantity in zip(UNITS, quantities, strict=True) for _ in range(quantity)]  # fmt: skip
    places = hidden_places(len(pistols) + len(lines), stage.remove, stage.chance("hidden"))
    by_number = [pistols[place] for place in places if place < len(pistols)]
    gone = Counter(lines[place - len(pistols)] for place in places if place >= len(pistols))
    with stage.step("count of the world against the property books"):
        numbers = frozenset(serial for serial, _ in by_number)
        file = _write_books(stage.lists / "Count of the units.csv", world, numbers, gone)
        count = stage.country.import_list(file, "count of the world", COMMAND)
        counted = stage.country.audit("Count of the units", register(count), register(held))
    serials = frozenset((PISTOL, serial) for serial in numbers)
    # A pistol that is not found by its number is one pistol less with its unit, too.
    gone.update((PISTOL, unit) for _, unit in by_number)
    yield from named(stage, counted, "against the property books", serials, gone)


EPISODE = Episode(
    "sigir-06-033",
    Founding("Taji National Depot", "Asia/Baghdad", ("USA", "United States of America"), UNITS, MODELS),
    (
        "how many of each model were bought, under which contract, and on which days they came",
        "which units have what by the property books, and that the books have the recorded serial numbers",
    ),
    play,
)
