"""Units: a tree of dated memberships, who is in a unit on a day, and which site serves it.

Nothing is overwritten: what ends gets a last day, so that the tree of any past day can be read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import one_writer
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.keys import new_key
from stockpile.movements import AccountClass
from stockpile.parties import Left, Party, end_assignments, read_party
from stockpile.reports.keyset import Page, read_page, spellings
from stockpile.sentences import sentence
from stockpile.sites import Site, add_party_account

PAGE = 100
FOREVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit on a day: the sites that serve it, how many of the asker's scope are directly in it, how many with the units
    below it, and these.
    """

    party_id: UUID
    code: str
    name: str | None
    sites: tuple[str, ...]
    people: int
    people_with_sub_units: int
    sub_units: tuple[Unit, ...]


_UNITS = """
SELECT p.party_id, p.code, p.name,
       ARRAY(SELECT s.code FROM stationing t JOIN site s USING (site_id)
             WHERE t.unit_id = p.party_id AND t.since <= %(day)s AND (t.until IS NULL OR t.until >= %(day)s) ORDER BY s.code),
       (SELECT m.unit_id FROM assignment m JOIN party above ON above.party_id = m.unit_id AND above.kind = 'unit'
        WHERE m.party_id = p.party_id AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)
        ORDER BY m.since DESC, m.until DESC NULLS FIRST, m.assignment_id DESC LIMIT 1)
FROM party p WHERE p.kind = 'unit' ORDER BY p.code
"""
_PEOPLE = """
SELECT m.unit_id, count(DISTINCT m.party_id)
FROM assignment m JOIN party p ON p.party_id = m.party_id AND p.kind = 'person'
WHERE m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)
GROUP BY m.unit_id
"""


def unit_tree(connection: Connection, day: date) -> tuple[Unit, ...]:
    """The units of a day as a tree, by code: those under no other unit, each with its sub-units."""
    rows = connection.exec_driver_sql(_UNITS, {"day": day}).all()
    people: dict[UUID, int] = {unit: count for unit, count in connection.exec_driver_sql(_PEOPLE, {"day": day})}
    below: dict[UUID | None, list[UUID]] = {}
    for row in rows:
        below.setdefault(row[4], []).append(row[0])
    known = {row[0]: row for row in rows}

    def grown(unit: UUID) -> Unit:
        under = tuple(grown(child) for child in below.get(unit, []))
        own = people.get(unit, 0)
        whole = own + sum(child.people_with_sub_units for child in under)
        return Unit(unit, known[unit][1], known[unit][2], tuple(known[unit][3]), own, whole, under)

    return tuple(grown(unit) for unit in below.get(None, []))


_SUB_UNITS = """
WITH RECURSIVE branch (unit_id) AS (
    SELECT %s::uuid
    UNION SELECT m.party_id FROM branch b JOIN assignment m ON m.unit_id = b.unit_id
    JOIN party p ON p.party_id = m.party_id AND p.kind = 'unit'
    WHERE m.since <= %s AND (m.until IS NULL OR m.until >= %s)
)
SELECT unit_id FROM branch
"""


def with_sub_units(connection: Connection, unit_id: UUID, first: date, last: date) -> set[UUID]:
    """The unit and every unit that is below it on a day of the period."""
    return set(connection.exec_driver_sql(_SUB_UNITS, (unit_id, last, first)).scalars())


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a unit: of which unit, since when, until when if that is known."""

    party_id: UUID
    service_number: str
    name: str | None
    rank: str | None
    unit: str
    since: date
    until: date | None


_MEMBERS = """
SELECT p.code, p.party_id, u.code, m.since, p.party_id, p.code, p.name, p.rank, u.code, m.since, m.until
FROM assignment m JOIN party u ON u.party_id = m.unit_id JOIN party p ON p.party_id = m.party_id AND p.kind = 'person'
"""


def members(
    connection: Connection,
    unit_id: UUID,
    day: date,
    sub_units: bool = True,
    text: str | None = None,
    limit: int = PAGE,
    cursor: str | None = None,
) -> Page[Member]:
    """The people of a unit on a day by service number, with a part of number or name, with those of its sub-units unless
    they are left out.
    """
    units = with_sub_units(connection, unit_id, day, day) if sub_units else {unit_id}
    where = {
        "m.unit_id = ANY (%s)": list(units),
        "m.since <= %s": day,
        "coalesce(m.until, 'infinity') >= %s": day,
        "concat_ws(' ', p.code, p.rank, p.name) ILIKE ANY (%s)": spellings(text),
    }
    keys: dict[str, Callable[[str], Any]] = {
        "p.code": str, "p.party_id": UUID, "u.code": str, "m.since": date.fromisoformat,
    }  # fmt: skip
    return read_page(connection, _MEMBERS, where, keys, Member, limit, cursor)


def read_unit(connection: Connection, unit_id: UUID) -> Party:
    """The unit of a key; NotFound if there is none."""
    party = read_party(connection, unit_id)
    if party.kind != "unit":
        raise NotFound(sentence("{party} is no unit.", party=party.display))
    return party


def read_person(connection: Connection, person_id: UUID) -> Party:
    """The person of a key; NotFound if there is none."""
    party = read_party(connection, person_id)
    if party.kind != "person":
        raise NotFound(sentence("{found} is no person.", found=party.display))
    return party


def place_under(connection: Connection, unit: Party, parent: Party | None, since: date) -> None:
    """From a day on the unit belongs to another unit, or to none.

    Raises Invalid if the other is the unit itself or below it, and if a later change is known.
    """
    one_writer(connection)
    _need_no_later(connection, unit, since, sentence("The unit was not moved."))
    if parent is not None and parent.party_id in with_sub_units(connection, unit.party_id, since, FOREVER):
        fault = sentence("{parent} is {unit} or below it", parent=parent.display, unit=unit.display)
        raise Invalid(sentence("The unit was not moved."), [Fault(fault, field="parent", value=parent.code)])
    end_assignments(connection, unit.party_id, since - timedelta(days=1))
    if parent is not None:
        join_unit(connection, unit.party_id, parent.party_id, since)


def move_person(
    connection: Connection, person: Party, unit: Party | None, since: date, because: Left | None = None
) -> None:
    """From a day on the person is in another unit; in none, they are on no roster from then on, `because` says why. What was before ends
    the day before.

    Raises Invalid if a later change is known, the person was erased, or it is said why somebody left who goes to a unit.
    """
    one_writer(connection)
    if unit is not None and because is not None:
        fault = Fault(sentence("only of who leaves all units"), field="because", value=str(because))
        raise Invalid(sentence("The person was not moved."), [fault])
    if person.name is None:
        raise Invalid(sentence("The person was not moved."), [Fault(sentence("this person was erased"), field="since")])
    # What began on a day ends on it at the earliest: leaving before it would leave them on the roster.
    first = since if unit is not None else since - timedelta(days=1)
    _need_no_later(connection, person, first, sentence("The person was not moved."))
    end_assignments(connection, person.party_id, since - timedelta(days=1), because)
    if unit is not None:
        join_unit(connection, person.party_id, unit.party_id, since)


def _need_no_later(connection: Connection, party: Party, since: date, problem: str) -> None:
    """Raises Invalid if the party is placed anew on a later day."""
    later = connection.exec_driver_sql(
        "SELECT max(since) FROM assignment WHERE party_id = %s AND since > %s", (party.party_id, since)
    ).scalar_one()
    if later is not None:
        raise Invalid(
            problem, [Fault(sentence("it is placed anew on {later}", later=later), field="since", value=str(since))]
        )


def join_unit(connection: Connection, party_id: UUID, unit_id: UUID, since: date) -> None:
    """A membership from a day on; one that began on that very day and was ended is open again."""
    connection.exec_driver_sql(
        """INSERT INTO assignment (assignment_id, party_id, unit_id, since) VALUES (%s, %s, %s, %s)
           ON CONFLICT (party_id, unit_id, since) DO UPDATE SET until = NULL, ended_because = NULL""",
        (new_key(), party_id, unit_id, since),
    )


def station(connection: Connection, unit: Party, site: Site, since: date) -> None:
    """From a day on the site serves the unit, and no other does; the unit has an account there. Its people come with the
    next roster. Raises Invalid if a later stationing is known.
    """
    one_writer(connection)
    later = connection.exec_driver_sql(
        "SELECT max(since) FROM stationing WHERE unit_id = %s AND since > %s", (unit.party_id, since)
    ).scalar_one()
    if later is not None:
        fault = sentence("it is stationed anew on {later}", later=later)
        raise Invalid(sentence("The unit was not stationed."), [Fault(fault, field="since", value=str(since))])
    connection.exec_driver_sql(
        """UPDATE stationing SET until = greatest(since, %s::date - 1)
           WHERE unit_id = %s AND site_id <> %s AND (until IS NULL OR until >= %s)""",
        (since, unit.party_id, site.site_id, since),
    )
    served = connection.exec_driver_sql(
        "SELECT 1 FROM stationing WHERE unit_id = %s AND site_id = %s AND since <= %s AND (until IS NULL OR until >= %s)",
        (unit.party_id, site.site_id, since, since),
    ).first()
    if not served:
        connection.exec_driver_sql(
            "INSERT INTO stationing (stationing_id, unit_id, site_id, since) VALUES (%s, %s, %s, %s)",
            (new_key(), unit.party_id, site.site_id, since),
        )
    add_party_account(connection, site.site_id, unit.party_id, AccountClass.UNIT, unit.name or unit.display)
