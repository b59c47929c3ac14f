"""GAO-07-711: what the commander in Iraq reported as issued, beside what the property books held. The log has no serial numbers, the
books have none; the difference is 190,000 weapons. Then the same deliveries once more as they should have been written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from stockpile.registers.write import Value, write_csv, write_xlsx
from stockpile.replays.chance import hidden_places, parcels, some_day
from stockpile.replays.country import register
from stockpile.replays.episode import Episode, Figure, Origin, Stage
from stockpile.replays.gao_counterfactual import counterfactual
from stockpile.replays.gao_world import COMMAND, FOUNDING, IRAQ, MODELS, UNITS, WEAPONS, Strength, World
from stockpile.replays.hidden import named
from stockpile.reports.audits import AuditShown

BOOKS_AS_OF = date(2007, 1, 31)
LARGEST_ISSUE = 800
UNDATED = 16
"""One issue of so many was logged without its day."""


def play(stage: Stage) -> Iterator[Figure]:
    """The audit of 2007, then the counterfactual."""
    world = World.made(stage)
    yield from _as_it_was(stage, world)
    yield from counterfactual(stage, world)


def _as_it_was(stage: Stage, world: World) -> Iterator[Figure]:
    with stage.step("issue log and property books written"):
        log, undated = _write_log(stage, world)
        books = _write_books(stage.lists / "Property books.xlsx", world.in_books)
    with stage.step("both imported"):
        issued = stage.country.import_list(log, "issue log", COMMAND, date.fromisoformat(stage.published["as_of"]))
        held = stage.country.import_list(books, "property book", IRAQ, BOOKS_AS_OF)
    with stage.step("compared"):
        audit = stage.country.audit("GAO-07-711", register(issued), register(held))
    yield from _unaccounted(stage, audit)
    yield Figure("issues logged without a day", audit.audit.incomplete_left, undated, Origin.INVENTED)
    if stage.remove:
        with stage.step("count of the world against the property books"):
            file, hidden = _write_count(stage, world)
            count = stage.country.import_list(file, "count of the world", IRAQ)
            counted = stage.country.audit("Count of the units", register(count), register(held))
        yield from named(stage, counted, "against the property books", quantities=hidden)


def _write_log(stage: Stage, world: World) -> tuple[Path, int]:
    """The commander's log: one line an issue, some without their day; answers how many."""
    chance, file, undated = stage.chance("log"), stage.lists / "Issue log.csv", 0
    since, until = date.fromisoformat(stage.published["period"][0]), date.fromisoformat(stage.published["as_of"])
    rows: list[tuple[Value, ...]] = []
    for model in MODELS:
        for (code, name), quantity in zip(UNITS, world.issued[model], strict=True):
            for parcel in parcels(quantity, LARGEST_ISSUE, chance):
                day = None if len(rows) % UNDATED == 0 else some_day(since, until, chance)
                undated += day is None
                rows.append((day, code, name, model, parcel))
    write_csv(file, ("Date Issued", "Unit Code", "Unit", "Item", "Quantity"), rows)
    return file, undated


def _write_books(file: Path, strength: Strength) -> Path:
    rows = (
        (code, name, model, quantity)
        for model in MODELS
        for (code, name), quantity in zip(UNITS, strength[model], strict=True)
        if quantity
    )
    write = write_xlsx if file.suffix == ".xlsx" else write_csv
    write(file, ("Unit Code", "Unit", "Item", "Quantity"), rows)
    return file


def _unaccounted(stage: Stage, audit: AuditShown) -> Iterator[Figure]:
    published, missing = stage.published, {}
    claimed, books = (stage.scale.all(published[of]) for of in ("claimed_issued", "property_book"))
    for model, called in MODELS.items():
        compared = [total for total in audit.by_model if total.model == called and total.kind.startswith("quantity")]
        differs = [total for total in compared if total.kind == "quantity differs"]
        missing[model] = sum(total.left_quantity - total.right_quantity for total in differs)
        in_log, in_books = (sum(getattr(total, f"{hand}_quantity") for total in compared) for hand in ("left", "right"))
        yield stage.figure(f"{model}: issued, as reported", in_log, published["claimed_issued"][model])
        yield stage.figure(f"{model}: in the property books", in_books, published["property_book"][model])
        difference = claimed[model] - books[model]
        yield stage.figure(f"{model}: unaccounted for", missing[model], published["unaccounted"][model], difference)
    weapons = sum(claimed[model] - books[model] for model in WEAPONS)
    in_all = sum(missing[model] for model in WEAPONS)
    yield stage.figure("weapons unaccounted for", in_all, published["unaccounted_weapons"], weapons)


def _write_count(stage: Stage, world: World) -> tuple[Path, Counter[tuple[str, str]]]:
    """What a count of the units' weapons finds: the property books without the weapons that are hidden."""
    kept = [
        (model, place) for model in WEAPONS for place in range(len(UNITS)) for _ in range(world.in_books[model][place])
    ]
    gone = Counter(kept[place] for place in hidden_places(len(kept), stage.remove, stage.chance("hidden")))
    left = {
        model: [quantity - gone[model, place] for place, quantity in enumerate(world.in_books[model])] for model in MODELS
    }  # fmt: skip
    hidden = Counter({(MODELS[model], UNITS[place][0]): number for (model, place), number in gone.items()})
    return _write_books(stage.lists / "Count of the units.csv", left), hidden


EPISODE = Episode(
    "gao-07-711",
    FOUNDING,
    (
        f"how the totals fall on {len(UNITS)} units, the size and the day of each issue, and which have no day",
        "every serial number, and how the deliveries of the counterfactual are cut into consignments",
    ),
    play,
)
