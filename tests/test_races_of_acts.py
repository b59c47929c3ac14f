"""Every act against every other on one rifle, at one moment: whatever the two are told and whatever the books say afterwards, one
after the other would have told and said the same; nobody meets an error of the database, and nobody waits for who waits.

A sample of the pairs runs by default; STOCKPILE_TEST_RACES=all runs every pair (tests/racing.py has the table).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from stockpile.acts import ACTS
from stockpile.acts.perform import Drafted
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotFound, Refused
from tests.conftest import Databases
from tests.racing import ENTRANTS, STAGES, Depot, Race, all_races, found_depot, same_book
from tests.test_races import at_once
from tests.world import Country, kinds

EVERY = os.environ.get("STOCKPILE_TEST_RACES") == "all"
SAMPLE = 100
ROUNDS = 2

Outcome = tuple[Any, ...]


def the_races(stage: str) -> list[Race]:
    """Those of a stage that run."""
    races = all_races()
    if not EVERY:
        races = random.Random(2005).sample(races, SAMPLE)
    return [race for race in races if race.stage == stage]


def test_every_act_is_in_the_table() -> None:
    assert {entrant.form.act for entrant in ENTRANTS} == set(ACTS)
    assert {stage for entrant in ENTRANTS for stage in entrant.fits} == STAGES.keys()


@contextmanager
def without_deadlock(country: Country, databases: Databases) -> Iterator[None]:
    """PostgreSQL had to end nobody's transaction. It tells so for certain when the connections are closed."""
    yield
    country.engine.dispose()
    (ended,) = databases.ask("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", country.engine.url.database)
    assert ended == (0,)


@pytest.mark.parametrize("stage", STAGES)
def test_each_two_acts_at_once(country: Country, databases: Databases, stage: str) -> None:
    """The outcome of a race is that of one of the two orders, with all that the books say of the depot."""
    wrong = []
    with without_deadlock(country, databases):
        for race in the_races(stage):
            wrong += contested(country, race)
    assert not wrong, "\n\n".join(wrong)


def contested(country: Country, race: Race) -> list[str]:
    """What is wrong with how a race ends, several times over."""
    orders = [in_turn(country, race, turns) for turns in ((0, 1), (1, 0))]
    if None in orders:
        return []  # what takes two was refused to the first of them: nobody can approve it
    wrong = []
    for round_ in range(ROUNDS):
        ended = at_one_moment(country, race, one_book=bool(round_ % 2))
        if ended not in orders:
            wrong.append(f"{race}\nended  {ended}\norders {orders[0]}\n    or {orders[1]}")
    return wrong


def staged(country: Country, race: Race, one_book: bool = False) -> tuple[Depot, list[Any]]:
    """A depot with its rifle where the race begins, and the two who are about to ask."""
    depot = found_depot(country)
    STAGES[race.stage](depot)
    if race.brings_a_twin:
        depot.name_by_key()
    if one_book:
        depot = same_book(depot)
    return depot, [race.first.begin(depot, 0, race.second), race.second.begin(depot, 1, race.first)]


def in_turn(country: Country, race: Race, turns: Sequence[int]) -> tuple[Outcome, Outcome, Outcome] | None:
    """What two come to who ask one after the other."""
    depot, tasks = staged(country, race)
    if None in tasks:
        return None
    answers: list[Any] = [None, None]
    for number in turns:
        (answers[number],) = at_once([tasks[number]])
    return outcome(answers[0]), outcome(answers[1]), books(depot)


def at_one_moment(country: Country, race: Race, one_book: bool) -> tuple[Outcome, Outcome, Outcome]:
    """What two come to who ask at once."""
    depot, tasks = staged(country, race, one_book)
    first, second = at_once(tasks)
    return outcome(first), outcome(second), books(depot)


def outcome(answer: Any) -> Outcome:
    """What somebody is told, as far as it does not hang on who they are."""
    if isinstance(answer, Posted):
        # Which of two papers opens the gap between their numbers is a matter of which comes first, and of nothing else.
        return (
            "posted",
            answer.act,
            answer.fact,
            answer.lines,
            *(kind for kind in kinds(answer) if kind != "gap in a book"),
        )
    if isinstance(answer, Drafted):
        return (answer.state,)
    if isinstance(answer, Refused | Invalid | NotFound):
        return ("not done",)
    return (type(answer).__name__, str(answer))


ITEMS = """WITH entered AS (
    SELECT DISTINCT e.item_id FROM entry e JOIN document d USING (document_id) JOIN site s ON s.site_id = d.site_id WHERE s.code = %s)"""
ENTRIES = f"""{ITEMS}
SELECT array_agg(concat_ws(' ', e.version, d.act, CASE WHEN d.fact THEN 'fact' END, f.name, '>', t.name, e.quantity,
                           'reverses ' || e.reverses, 'again ' || e.posts_again) ORDER BY e.version)
FROM entered JOIN entry e USING (item_id) JOIN document d USING (document_id)
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account GROUP BY e.item_id
"""
HOLDINGS = f"""{ITEMS}
SELECT concat_ws(' ', a.name, h.quantity) FROM entered JOIN holding h USING (item_id) JOIN account a USING (account_id)
"""
BORNE = f"""{ITEMS}
SELECT concat_ws(' ', count(*), (array_agg(n.serial_number ORDER BY n.version DESC))[1],
                 (array_agg(n.import_mark ORDER BY n.version DESC))[1])
FROM entered JOIN identification n USING (item_id) GROUP BY item_id
"""
DISCREPANCIES = """SELECT concat_ws(' ', x.kind, coalesce(x.outcome, 'open')) FROM discrepancy x JOIN site s USING (site_id)
WHERE s.code = %s
"""
CUSTODIANS = """SELECT concat_ws(' ', a.name, p.code) FROM account a JOIN site s USING (site_id)
JOIN party p ON p.party_id = a.custodian_id WHERE s.code = %s
"""
DRAFTS = """SELECT concat_ws(' ', f.act, coalesce(f.outcome, 'waiting')) FROM draft f JOIN site s USING (site_id) WHERE s.code = %s"""


def books(depot: Depot) -> Outcome:
    """All that the books say of a depot: of each item every entry, where it is and what it bears, and what is open."""
    return tuple(
        sorted(depot.anonymous(row[0]) for row in depot.country.query(question, depot.site.code))
        for question in (ENTRIES, HOLDINGS, BORNE, DISCREPANCIES, CUSTODIANS, DRAFTS)
    )
