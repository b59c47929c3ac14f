"""Units: a tree of dated memberships, who is in a unit on a day, and which site serves it.

Nothing is overwritten: what ends gets a last day, so that the tree of any past day can be read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.movements import AccountClass
from stockpile.parties import Party, end_assignments
from stockpile.reports.keyset import Page, read_page
from stockpile.sites import Site, add_party_account

PAGE = 100


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit on a day: the sites that serve it, how many people are directly in it, and the units below it."""

    party_id: UUID
    code: str
    name: str | None
    sites: tuple[str, ...]
    people: int
    sub_units: tuple[Unit, ...]

    @property
    def people_with_sub_units(self) -> int:
        """How many people are in it and in every unit below it."""
        return self.people + sum(unit.people_with_sub_units for unit in self.sub_units)


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
FROM assignment m JOIN party u ON u.party_id = m.unit_id AND u.kind = 'unit'
WHERE m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)
  AND NOT EXISTS (SELECT FROM party p WHERE p.party_id = m.party_id AND p.kind = 'unit')
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

    def grown(parent: UUID | None) -> tuple[Unit, ...]:
        return tuple(
            Unit(unit, known[unit][1], known[unit][2], tuple(known[unit][3]), people.get(unit, 0), grown(unit))
            for unit in below.get(parent, [])
        )

    return grown(None)


SUB_UNITS = """
WITH RECURSIVE branch (unit_id) AS (
    SELECT unnest(%s::uuid[])
    UNION SELECT m.party_id FROM branch b JOIN assignment m ON m.unit_id = b.unit_id
    JOIN party p ON p.party_id = m.party_id AND p.kind = 'unit'
    WHERE m.since <= %s AND (m.until IS NULL OR m.until >= %s)
)
"""
"""The units given and all below them on a day; its parameters: the units, the day, the day."""


def with_sub_units(connection: Connection, unit_ids: list[UUID], day: date) -> set[UUID]:
    """The units and every unit below them on a day."""
    rows = connection.exec_driver_sql(f"{SUB_UNITS} SELECT unit_id FROM branch", (unit_ids, day, day))
    return {row[0] for row in rows}


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
SELECT p.code, p.party_id, u.code, p.party_id, p.code, p.name, p.rank, u.code, m.since, m.until
FROM branch b JOIN party u ON u.party_id = b.unit_id JOIN assignment m ON m.unit_id = b.unit_id
JOIN party p ON p.party_id = m.party_id AND p.kind = 'person'
"""


def members(
    connection: Connection,
    unit_id: UUID,
    day: date,
    sub_units: bool = True,
    limit: int = PAGE,
    cursor: str | None = None,
) -> Page[Member]:
    """The people of a unit on a day by service number, with those of its sub-units unless they are left out."""
    if sub_units:
        question, parameters = f"{SUB_UNITS} {_MEMBERS}", ([unit_id], day, day)
    else:
        question, parameters = (
            f"WITH branch (unit_id) AS (SELECT unnest(%s::uuid[]), %s, %s) {_MEMBERS}",
            ([unit_id], day, day),
        )
    where = {"m.since <= %s": day, "coalesce(m.until, 'infinity') >= %s": day}
    keys = {"p.code": str, "p.party_id": UUID, "u.code": str}
    return read_page(connection, question, where, keys, Member, limit, cursor, parameters)


def place_under(connection: Connection, unit: Party, parent: Party | None, since: date) -> None:
    """From a day on the unit belongs to another unit, or to none. Raises Invalid if that would make it its own."""
    if parent is not None and parent.party_id in with_sub_units(connection, [unit.party_id], since):
        fault = f"{parent.display} is {unit.display} or below it"
        raise Invalid("The unit was not moved.", [Fault(fault, field="parent", value=parent.code)])
    end_assignments(connection, unit.party_id, since - timedelta(days=1))
    if parent is not None:
        join_unit(connection, unit.party_id, parent.party_id, since)


def join_unit(connection: Connection, party_id: UUID, unit_id: UUID, since: date) -> None:
    """A membership from a day on; one that began on that very day and was ended is open again."""
    connection.exec_driver_sql(
        """INSERT INTO assignment (assignment_id, party_id, unit_id, since) VALUES (%s, %s, %s, %s)
           ON CONFLICT (party_id, unit_id, since) DO UPDATE SET until = NULL""",
        (new_key(), party_id, unit_id, since),
    )


def station(connection: Connection, unit: Party, site: Site, since: date) -> None:
    """From a day on the site serves the unit, and no other does; the unit has an account there. Its people come with the
    next roster. Raises Invalid if a later stationing is known.
    """
    later = connection.exec_driver_sql(
        "SELECT max(since) FROM stationing WHERE unit_id = %s AND since > %s", (unit.party_id, since)
    ).scalar_one()
    if later is not None:
        fault = f"it is stationed anew on {later}"
        raise Invalid("The unit was not stationed.", [Fault(fault, field="since", value=str(since))])
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
            """INSERT INTO stationing (stationing_id, unit_id, site_id, since) VALUES (%s, %s, %s, %s)""",
            (new_key(), unit.party_id, site.site_id, since),
        )
    add_party_account(connection, site.site_id, unit.party_id, AccountClass.UNIT, unit.name or unit.display)
