"""The demonstration: a country lived through by the acts, whose books close and whose discrepancies stand open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from stockpile import demonstration
from stockpile.db import migrate, roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Refused
from tests.conftest import Databases


@dataclass(frozen=True)
class Loaded:
    """A database with the demonstration, and how to ask it."""

    engine: Engine

    def query(self, question: str) -> list[tuple[Any, ...]]:
        with transaction(self.engine, roles.AUDITOR) as connection:
            return [tuple(row) for row in connection.exec_driver_sql(question)]


@pytest.fixture(scope="module")
def loaded(databases: Databases) -> Iterator[Loaded]:
    name = databases.empty()
    yield load(databases, name)
    databases.engine(name).dispose()
    databases.drop(name)


def load(databases: Databases, name: str) -> Loaded:
    migrate.upgrade(databases.server.url(name, roles.OWNER))
    engine = databases.engine(name)
    demonstration.load(engine)
    return Loaded(engine)


def test_it_is_a_country_of_about_three_thousand_weapons(loaded: Loaded) -> None:
    """Two donors beside own procurement, three depots, two companies with people, weapons, equipment by number."""
    ((weapons,),) = loaded.query("SELECT count(*) FROM item WHERE tracked_by = 'serial'")
    assert 2_800 <= weapons <= 3_200
    assert loaded.query("SELECT count(*) FROM site") == [(3,)]
    assert loaded.query("SELECT count(*) FROM party WHERE kind = 'donor' AND code <> 'OWN'") == [(2,)]
    members = loaded.query(
        """SELECT u.code, count(*) FROM assignment a JOIN party u ON u.party_id = a.unit_id
           JOIN party p ON p.party_id = a.party_id WHERE p.kind = 'person' GROUP BY 1 ORDER BY 1"""
    )
    assert members == [("1COY", 60), ("2COY", 60)]
    assert loaded.query("SELECT sum(quantity) FROM holding JOIN item USING (item_id) WHERE tracked_by = 'quantity'")


def test_soldiers_have_their_own_carbines(loaded: Loaded) -> None:
    """Ten are assigned; six are out this morning, each against a weapon card."""
    assert loaded.query("SELECT count(*) FROM weapon_assignment WHERE until IS NULL") == [(10,)]
    cards = """SELECT count(*) FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id)
               JOIN model m ON m.model_id = i.model_id JOIN weapon_assignment w ON w.item_id = i.item_id AND w.until IS NULL
               WHERE a.class = 'person'"""
    assert loaded.query(cards) == [(6,)]


def test_rifles_go_out_with_magazines_and_slings(loaded: Loaded) -> None:
    """Soldiers have them beside their rifles, their papers say so; one magazine did not come back with its carbine."""
    with_soldiers = dict(
        loaded.query(
            """SELECT m.name, sum(h.quantity)::int FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id)
               JOIN model m ON m.model_id = i.model_id WHERE a.class = 'person' AND i.tracked_by = 'quantity' GROUP BY 1"""
        )
    )
    assert with_soldiers["Sling, rifle"] == 60 + 60 + 6
    assert with_soldiers["Magazine, AK pattern, 30 rounds"] == 4 * 60
    assert with_soldiers["Magazine, M16 pattern, 30 rounds"] == 7 * (60 + 6)
    ((seen,),) = loaded.query("SELECT seen FROM discrepancy WHERE kind = 'accessories short'")
    assert "still has 1 Magazine, M16 pattern, 30 rounds" in seen


def test_nobody_can_take_it_for_real(loaded: Loaded) -> None:
    """The organisation, each depot and each donor say what they are."""
    names = loaded.query(
        "SELECT name FROM site UNION ALL SELECT name FROM party WHERE kind = 'donor' AND code <> 'OWN'"
    )
    assert all("(demonstration)" in name for (name,) in names)
    assert loaded.query("SELECT code FROM party WHERE kind = 'organisation'") == [("DEMONSTRATION",)]


def test_its_books_close(loaded: Loaded) -> None:
    """What came in from outside is what the accounts hold, by entries and by holdings, for every model."""
    differing = loaded.query(
        """SELECT m.name, came.quantity, held.quantity FROM
             (SELECT i.model_id, sum(CASE WHEN t.class = 'outside' THEN -e.quantity
                                          WHEN f.class = 'outside' THEN e.quantity ELSE 0 END) AS quantity
              FROM entry e JOIN item i USING (item_id) JOIN account f ON f.account_id = e.from_account
              JOIN account t ON t.account_id = e.to_account GROUP BY 1) came
           FULL JOIN (SELECT i.model_id, sum(h.quantity) AS quantity
                      FROM holding h JOIN item i USING (item_id) GROUP BY 1) held USING (model_id)
           JOIN model m USING (model_id) WHERE came.quantity IS DISTINCT FROM held.quantity"""
    )
    assert differing == []
    ((weapons,),) = loaded.query("SELECT count(*) FROM item WHERE tracked_by = 'serial'")
    assert loaded.query("SELECT count(*) FROM holding JOIN item USING (item_id) WHERE tracked_by = 'serial'") == [
        (weapons,)
    ]


def test_discrepancies_of_many_kinds_stand_open(loaded: Loaded) -> None:
    """A visitor sees what a depot sees: shortage, excess, a twin, a late paper, a number claimed twice, and more."""
    open_kinds = {kind for (kind,) in loaded.query("SELECT DISTINCT kind FROM discrepancy WHERE closed_at IS NULL")}
    assert open_kinds >= {
        "shortage", "excess", "model mismatch", "same serial number twice", "held elsewhere",
        "number claimed twice", "receiver not on the roster", "unknown weapon", "fewer in the books",
        "found what the books hold as gone",
    }  # fmt: skip


def test_its_history_goes_back_two_years_and_every_class_is_used(loaded: Loaded) -> None:
    """Weapons are in supply, in stores, with units and persons, missing and lost; papers reach back two years."""
    ((first, last),) = loaded.query("SELECT min(happened_at), max(happened_at) FROM document")
    assert first < now() - timedelta(days=700)
    assert last > now() - timedelta(hours=1)
    classes = {name for (name,) in loaded.query("SELECT DISTINCT class FROM holding JOIN account USING (account_id)")}
    assert classes >= {"supply", "store", "unit", "person", "missing", "lost"}


def test_it_is_the_same_every_time(loaded: Loaded, databases: Databases) -> None:
    """A second loading has the same weapons in the same places, the same documents and discrepancies."""
    name = databases.empty()
    again = load(databases, name)
    for question in (
        "SELECT act, fact, line_count, quantity FROM document",
        "SELECT kind, books_said, seen FROM discrepancy",
        """SELECT n.serial_number, a.class, a.name, h.quantity FROM holding h JOIN account a USING (account_id)
           LEFT JOIN identification n USING (item_id)""",
    ):
        assert Counter(loaded.query(question)) == Counter(again.query(question))
    again.engine.dispose()
    databases.drop(name)


def test_it_is_refused_beside_founded_books(loaded: Loaded) -> None:
    """Loading it where books are founded adds nothing."""
    before = loaded.query("SELECT count(*) FROM document")
    with pytest.raises(Refused, match="founded already"):
        demonstration.load(loaded.engine)
    assert loaded.query("SELECT count(*) FROM document") == before


def test_inspectors_came_were_refused_and_will_come(loaded: Loaded) -> None:
    """One visit done with two differences and the host's answer, one refused, one planned; and a plan that makes visits due."""
    said = loaded.query(
        "SELECT reference, kind FROM donor_statement WHERE reference LIKE '%%-EUM-%%' ORDER BY recorded_at, statement_id"
    )
    assert said == [
        ("AUR-EUM-1", "planned visit"), ("AUR-EUM-1", "visit"), ("AUR-EUM-1", "answered"), ("BOR-EUM-1", "refused visit"),
        ("AUR-EUM-2", "planned visit"),
    ]  # fmt: skip
    found = dict(loaded.query("SELECT finding, count(*)::int FROM visit_line GROUP BY 1"))
    assert found == {"matched": 12, "unexpected": 2}
    assert loaded.query("SELECT count(*) FROM monitoring_plan WHERE donor_id IS NOT NULL AND level = 'routine'") == [
        (1,)
    ]
