"""How long questions take among a million weapons with five million entries: look-ups, histories, trial balances.

    python -m bench.reports FOLDER [--weapons 1000000] [--runs 9]

Makes the country in FOLDER (about 5 GB), unless it is there. Each question is asked by the domain's own function, in the
asker's role under row-level security; "database" is the time its statements took as the service saw it. Beside it the floor:
the rows themselves by bare SQL past every rule, in the same run.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, event

from bench.large_country import DATABASE, make
from stockpile.db import roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of, transaction
from stockpile.find import find
from stockpile.movements import AccountClass
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.consignments import list_consignments
from stockpile.reports.count_compliance import count_compliance
from stockpile.reports.flows import FlowsSought, flow_movements, flows
from stockpile.reports.handover_papers import handover_papers
from stockpile.reports.history import history
from stockpile.reports.holders import doubtful_holders
from stockpile.reports.losses import By as LossesBy
from stockpile.reports.losses import LossesSought, losses_by, lost_pieces
from stockpile.reports.losses import State as LossState
from stockpile.reports.over_time import holdings_over_time
from stockpile.reports.transit import in_transit
from stockpile.reports.trial_balance import By, proof, trial_balance
from stockpile.reports.unusual import unusual
from stockpile.rights import Actor, reading
from stockpile.sites import find_site

MOMENTS = (datetime(2022, 9, 1, tzinfo=UTC), datetime(2023, 3, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC))
"""The last has every entry."""
ANY_DAY = AsOf(MOMENTS[1])

ENTRIES_OF_ONE = "SELECT * FROM entry WHERE item_id = (SELECT item_id FROM identification LIMIT 1)"
ONE_BY_SERIAL = "SELECT * FROM identification WHERE serial_key = (SELECT serial_key FROM identification LIMIT 1)"
SOME_BY_SERIAL = "SELECT count(*) FROM identification WHERE serial_key LIKE (SELECT '%' || substr(serial_key, 3, 4) || '%' FROM identification LIMIT 1)"
EVERY_HANDOVER = """
SELECT d.act, count(*), count(g.party_id), sum((d.recorded_at - d.happened_at > interval '1 day')::int)
FROM document d LEFT JOIN signatory g ON g.document_id = d.document_id AND g.part = 'received_by' WHERE d.act IN ('issue', 'return', 'receive')
GROUP BY d.act
"""
EVERY_HOLDING = "SELECT h.account_id, i.model_id, sum(h.quantity) FROM holding h JOIN item i USING (item_id) GROUP BY h.account_id, i.model_id"
EVERY_NIGHT = """
SELECT count(*) FROM document d JOIN site s USING (site_id)
WHERE d.act = 'issue' AND extract(hour FROM d.happened_at AT TIME ZONE s.time_zone) NOT BETWEEN 5 AND 21
"""
EVERY_ENTRY = "SELECT donor_id, sum(quantity) FROM entry GROUP BY donor_id"

Question = Callable[[Connection, Actor, int], Any]


@dataclass(frozen=True)
class Asked:
    """A question, who asks it, what it must take at most, in milliseconds in the database, and the floor beside it."""

    name: str
    who: str
    ask: Question
    target: float
    floor: str


def main() -> None:
    """Asks each question several times, another weapon or day each time; prints medians."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--weapons", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=9)
    chosen = arguments.parse_args()
    with make(chosen.folder, chosen.weapons) as server:
        engine = engine_of(server.url(DATABASE, roles.SERVICE))
        weapons, entries = _size(engine)
        print(f"{weapons:,} weapons, {entries:,} entries; medians of {chosen.runs}, in milliseconds")
        print(
            f"{'question':52} {'asked by':8} {'database':>9} {'largest':>8} {'with Python':>12} {'target':>7} {'floor':>8}"
        )
        for asked in questions(engine):
            measure(engine, asked, chosen.runs, floor(server, asked, chosen.runs))
        engine.dispose()


def _size(engine: Engine) -> tuple[int, int]:
    with transaction(engine, roles.AUDITOR) as connection:
        row = connection.exec_driver_sql("SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM entry)").one()
        return row[0], row[1]


def questions(engine: Engine) -> list[Asked]:
    """What is asked, over a sample of weapons."""
    with transaction(engine, roles.AUDITOR) as connection:
        sample = connection.exec_driver_sql(
            "SELECT item_id, serial_number FROM identification WHERE donor_id = (SELECT party_id FROM party WHERE code = 'USA') LIMIT 200"
        ).all()
    chance = random.Random(2005)
    weapons: list[tuple[UUID, str]] = [(row[0], row[1]) for row in chance.sample(sample, 50)]

    def weapon(n: int) -> tuple[UUID, str]:
        return weapons[n % len(weapons)]

    def day(n: int) -> AsOf:
        return AsOf(MOMENTS[n % len(MOMENTS)])

    return [
        *(Asked("history of a weapon", who, lambda c, a, n: history(c, a, weapon(n)[0]), 5, ENTRIES_OF_ONE) for who in ("clerk", "auditor", "donor")),
        *(Asked("exact serial number", who, lambda c, a, n: find(c, a, weapon(n)[1]), 5, ONE_BY_SERIAL) for who in ("clerk", "auditor", "donor")),
        *(
            Asked(f"partial serial number: {words}", who, lambda c, a, n, form=form: find(c, a, form(weapon(n)[1])), 200, SOME_BY_SERIAL)
            for words, form in (
                ("beginning known", lambda serial: f"{serial[:-2]}??"),
                ("middle known", lambda serial: f"*{serial[2:-1]}*"),
                ("end known", lambda serial: f"*{serial[-4:]}"),
            )
            for who in ("clerk", "auditor", "donor")
        ),
        Asked("trial balance by donor, now", "auditor", lambda c, a, n: trial_balance(c, a, [By.DONOR]), 2000, EVERY_ENTRY),
        Asked("trial balance by donor, as of a day", "auditor", lambda c, a, n: trial_balance(c, a, [By.DONOR], day(n)), 2000, EVERY_ENTRY),
        Asked("trial balance by donor, model, site, as of a day", "auditor", lambda c, a, n: trial_balance(c, a, list(By), day(n)), 2000, EVERY_ENTRY),
        Asked("trial balance as of a day, as then recorded", "auditor",
              lambda c, a, n: trial_balance(c, a, [By.DONOR], AsOf(MOMENTS[n % 3], MOMENTS[n % 3])), 2000, EVERY_ENTRY),
        Asked("trial balance by donor, as of the last day", "auditor", lambda c, a, n: trial_balance(c, a, [By.DONOR], AsOf(MOMENTS[2])), 2000, EVERY_ENTRY),
        Asked("trial balance of a site, as of a day", "clerk", lambda c, a, n: trial_balance(c, a, [By.DONOR], day(n)), 2000, EVERY_ENTRY),
        Asked("trial balance of a donor, as of a day", "donor", lambda c, a, n: trial_balance(c, a, [By.SITE], day(n)), 2000, EVERY_ENTRY),
        *reports_of_weapons(day),
        Asked("proof of the balance, now", "auditor", lambda c, a, n: proof(c, a, NOW), 10_000, EVERY_ENTRY),
        Asked("proof of the balance, as of a day", "auditor", lambda c, a, n: proof(c, a, ANY_DAY), 10_000, EVERY_ENTRY),
        *(
            asked
            for who in ("auditor", "clerk")
            for asked in (
                Asked("handovers without papers, now", who, lambda c, a, n: handover_papers(c, a), 2000, EVERY_HANDOVER),
                Asked("handovers without papers, as then recorded", who,
                      lambda c, a, n: handover_papers(c, a, at=AsOf(recorded_at=MOMENTS[n % 3])), 2000, EVERY_HANDOVER),
                Asked("holders against the roster, now", who, lambda c, a, n: doubtful_holders(c, a), 2000, EVERY_HOLDING),
                Asked("holders against the roster, as of a day", who, lambda c, a, n: doubtful_holders(c, a, at=day(n)), 2000, EVERY_ENTRY),
                Asked("unusual, now", who, lambda c, a, n: unusual(c, a), 2000, EVERY_NIGHT),
                Asked("unusual, as of a day", who, lambda c, a, n: unusual(c, a, at=day(n)), 2000, EVERY_NIGHT),
            )
        ),
    ]  # fmt: skip


LOST_ENTRIES = "SELECT e.* FROM document d JOIN entry e ON e.document_id = d.document_id WHERE d.act IN ('report missing', 'overrun')"
CONSIGNED_ENTRIES = """
SELECT i.consignment_id, f.class, t.class, sum(e.quantity) FROM item i JOIN entry e ON e.item_id = i.item_id
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
WHERE i.consignment_id IS NOT NULL GROUP BY 1, 2, 3
"""
IN_TRANSIT = "SELECT h.* FROM account a JOIN holding h ON h.account_id = a.account_id WHERE a.class = 'transit'"
LEGS_BY_MONTH = """
SELECT date_trunc('month', e.happened_at AT TIME ZONE 'UTC'), f.class, t.class, sum(e.quantity)
FROM entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account GROUP BY 1, 2, 3
"""
LEGS = """
SELECT f.class, t.class, e.reverses IS NULL, sum(e.quantity)
FROM entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account GROUP BY 1, 2, 3
"""
HELD_BY_ACCOUNT = "SELECT account_id, count(*) FROM holding WHERE serial GROUP BY account_id"


def reports_of_weapons(day: Callable[[int], AsOf]) -> list[Asked]:
    """The first page of each report of weapons, now and as of a day."""
    every = FlowsSought()
    return [
        *(
            Asked(f"losses by {by}{words}", who, lambda c, a, n, by=by, at=at: losses_by(c, a, by, LossesSought(), at(n)), 2000, LOST_ENTRIES)
            for by, who, words, at in (
                (LossesBy.UNIT, "auditor", "", lambda n: NOW), (LossesBy.TIME, "auditor", ", as of a day", day), (LossesBy.MODEL, "clerk", "", lambda n: NOW),
                (LossesBy.MODEL, "donor", "", lambda n: NOW),
            )
        ),
        Asked("open investigations", "auditor",
              lambda c, a, n: lost_pieces(c, a, LossesSought(state=LossState.MISSING)), 2000, LOST_ENTRIES),
        *(Asked("consignments", who, lambda c, a, n: list_consignments(c, a), 2000, CONSIGNED_ENTRIES) for who in ("auditor", "clerk", "donor")),
        Asked("consignments as of a day", "auditor", lambda c, a, n: list_consignments(c, a, at=day(n)), 2000, CONSIGNED_ENTRIES),
        *(Asked("in transit", who, lambda c, a, n: in_transit(c, a), 2000, IN_TRANSIT) for who in ("auditor", "clerk")),
        Asked("in transit as of a day", "auditor", lambda c, a, n: in_transit(c, a, at=day(n)), 2000, EVERY_ENTRY),
        *(Asked("holdings over time", who, lambda c, a, n: holdings_over_time(c, a), 2000, LEGS_BY_MONTH) for who in ("auditor", "donor")),
        Asked("flows", "auditor", lambda c, a, n: flows(c, a, every), 2000, LEGS),
        Asked("movements of a flow", "auditor",
              lambda c, a, n: flow_movements(c, a, AccountClass.STORE, AccountClass.PERSON, every), 2000, LEGS),
        Asked("count compliance", "auditor", lambda c, a, n: count_compliance(c, a), 2000, HELD_BY_ACCOUNT),
    ]  # fmt: skip


def _actor(engine: Engine, who: str) -> Actor:
    with transaction(engine, roles.REGISTRAR) as connection:
        if who == "donor":
            donor = connection.exec_driver_sql("SELECT party_id FROM party WHERE code = 'USA'").scalar_one()
            return Actor(donor, "donor", donor_id=donor)
        site = find_site(connection, "SITE-00")
        if who == "clerk":
            return Actor(site.custodian_id, "clerk", site, book_code="B")
        return Actor(site.custodian_id, "auditor")


def floor(server: Server, asked: Asked, runs: int) -> float:
    """The median milliseconds of the bare rows of a question; the first asking is not counted."""
    with psycopg.connect(server.conninfo(DATABASE), autocommit=True) as administrator:
        administrator.execute("SET search_path = stockpile")
        administrator.execute("SET jit = off")
        taken = []
        for _ in range(runs + 1):
            begun = time.perf_counter()
            administrator.execute(asked.floor, prepare=True).fetchall()
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken[1:])


def measure(engine: Engine, asked: Asked, runs: int, bare: float) -> None:
    """Prints the medians of one question; the first asking, which warms the plans, is not counted."""
    actor = _actor(engine, asked.who)
    database, whole = [], []
    for n in range(runs + 1):
        with reading(engine, actor) as connection, _clock(engine) as spent:
            begun = time.perf_counter()
            asked.ask(connection, actor, n)
            whole.append((time.perf_counter() - begun) * 1000)
        database.append(sum(spent) * 1000)
    print(
        f"{asked.name:52} {asked.who:8} {statistics.median(database[1:]):9.1f} {max(database[1:]):8.1f} "
        f"{statistics.median(whole[1:]):12.1f} {asked.target:7,.0f} {bare:8.1f}",
        flush=True,
    )


@contextmanager
def _clock(engine: Engine) -> Iterator[list[float]]:
    """The seconds each statement takes meanwhile."""
    spent: list[float] = []
    begun = 0.0

    def before(*_: Any) -> None:
        nonlocal begun
        begun = time.perf_counter()

    def after(*_: Any) -> None:
        spent.append(time.perf_counter() - begun)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield spent
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


if __name__ == "__main__":
    main()
