"""The counterfactual of GAO-07-711: the same deliveries as they should have been written, each weapon by its number, by shipping list,
receipt and hand receipt. Nothing is unaccounted for, and the balance closes by three counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.movements import HELD
from stockpile.registers.write import Value, write_csv
from stockpile.replays.chance import hidden_places, parcels
from stockpile.replays.country import AUDITOR, CLERK, DEPOT, REGISTRAR, STORE, drawer_of, register
from stockpile.replays.episode import Figure, Origin, Stage
from stockpile.replays.gao_world import COMMAND, EQUIPMENT, IRAQ, WEAPONS, World
from stockpile.replays.hidden import named
from stockpile.reports import holdings
from stockpile.reports.audits import AuditShown
from stockpile.reports.discrepancies import Sought, State, list_discrepancies
from stockpile.reports.trial_balance import proof, trial_balance
from stockpile.rights import reading

DELIVERY = 20_000
CRATE = 5_000
COLUMNS = ("Serial Number", "Item", "Quantity")

Row = tuple[Value, ...]


def counterfactual(stage: Stage, world: World) -> Iterator[Figure]:
    """Delivers, issues, compares and counts."""
    with stage.step("counterfactual: the same deliveries through the ledger, in all"):
        with stage.step("counterfactual: shipping lists and receipts"):
            _deliver(stage, world)
        with stage.step("counterfactual: issues to the units"):
            _issue(stage, world)
    with stage.step("counterfactual: what was issued, by serial number, against the ledger"):
        log = _write_serials(stage.lists / "Issues by serial number.csv", world, frozenset())
        issued = stage.country.import_list(log, "issue log", COMMAND)
        audit = stage.country.audit("Issues against the ledger", register(issued), {})
    total = sum(sum(shares) for shares in world.issued.values())
    weapons = sum(sum(world.issued[model]) for model in WEAPONS)
    yield Figure("counterfactual: weapons found with their units", audit.audit.matched, weapons, Origin.DERIVED)
    yield Figure("counterfactual: unaccounted for", _left_over(audit), 0, Origin.LAW)
    yield from _three_counts(stage, total)
    if stage.remove:
        with stage.step("count of the world against the ledger"):
            places = hidden_places(weapons, stage.remove, stage.chance("hidden from the ledger"))
            hidden = frozenset((one.model, one.serial) for n, one in enumerate(world.weapons()) if n in places)
            file = _write_serials(stage.lists / "Count by serial number.csv", world, places)
            count = stage.country.import_list(file, "count of the world", IRAQ)
            counted = stage.country.audit("Count against the ledger", register(count), {})
        yield from named(stage, counted, "against the ledger", hidden)


def _deliver(stage: Stage, world: World) -> None:
    """Each delivery by its shipping list, received whole."""
    rows: Iterator[Row] = ((one.serial, one.model, None) for one in world.weapons())
    number = 0
    while delivery := [*islice(rows, DELIVERY)]:
        number += 1
        _receive(stage, f"FMS-2004-{number:03}", delivery)
    crates = [
        (None, model, parcel)
        for model in EQUIPMENT
        for parcel in parcels(sum(world.issued[model]), CRATE, stage.chance("crates"))
    ]
    _receive(stage, "FMS-2004-EQUIPMENT", crates)


def _receive(stage: Stage, reference: str, rows: Iterable[Row]) -> None:
    file = stage.lists / f"{reference}.csv"
    write_csv(file, COLUMNS, rows)
    country = stage.country
    country.do(REGISTRAR, DECLARE, file, donor=country.donor, reference=reference, site=DEPOT)
    country.do(CLERK, RECEIVE, file, donor=country.donor, consignment=reference, complete=True, store=STORE)


def _issue(stage: Stage, world: World) -> None:
    """Each unit's weapons and equipment against a hand receipt."""
    given: defaultdict[str, list[Row]] = defaultdict(list)
    for model, unit, quantity in world.equipment():
        given[unit].append((None, model, quantity))
    for unit, weapons in groupby(world.weapons(), key=lambda one: one.unit):
        _hand_out(stage, unit, [*((one.serial, one.model, None) for one in weapons), *given.pop(unit, ())])
    for unit, equipment in given.items():
        _hand_out(stage, unit, equipment)


def _hand_out(stage: Stage, unit: str, rows: Sequence[Row]) -> None:
    file = stage.lists / f"Hand receipt of {unit}.csv"
    write_csv(file, COLUMNS, rows)
    stage.country.do(CLERK, ISSUE, file, store=STORE, receiver=unit, received_by=drawer_of(unit))


def _write_serials(file: Path, world: World, hidden: frozenset[int]) -> Path:
    """Every weapon by its number and unit, but for the hidden; and the equipment by quantity."""

    def rows() -> Iterator[Row]:
        for place, one in enumerate(world.weapons()):
            if place not in hidden:
                yield one.unit, one.model, one.serial, None
        for model, unit, quantity in world.equipment():
            yield unit, model, None, quantity

    write_csv(file, ("Unit Code", "Item", "Serial Number", "Quantity"), rows())
    return file


def _left_over(audit: AuditShown) -> int:
    """What stands in the list and not, or with somebody else, in the ledger."""
    apart = [total.left_quantity - total.right_quantity for total in audit.by_model if total.kind == "quantity differs"]
    return audit.audit.only_left + audit.audit.conflicting + sum(map(abs, apart))


def _three_counts(stage: Stage, total: int) -> Iterator[Figure]:
    """The trial balance, the holdings and the sum of all entries, each by a question of its own."""
    auditor = stage.country.actors[AUDITOR]
    with stage.step("counterfactual: three counts"), reading(stage.country.engine, auditor) as connection:
        (balance,) = trial_balance(connection, auditor)
        held = holdings.list_weapons(connection, auditor, holdings.Sought(classes=HELD), limit=1)
        summed = proof(connection, auditor)
        opened = list_discrepancies(connection, auditor, Sought(state=State.OPEN), limit=1)
    yield Figure("counterfactual: came in, by the trial balance", balance.came_in, total, Origin.DERIVED)
    yield Figure("counterfactual: with units, by the trial balance", balance.unit, total, Origin.DERIVED)
    yield Figure("counterfactual: held, by the holdings", held.quantity, total, Origin.DERIVED)
    yield Figure("counterfactual: held, by the sum of entries", summed.held_by_legs, total, Origin.DERIVED)
    differences = abs(balance.difference) + len(summed.differences) + (not summed.closes)
    yield Figure("counterfactual: differences between the three counts", differences, 0, Origin.LAW)
    yield Figure("counterfactual: open discrepancies", len(opened.rows), 0, Origin.LAW)
