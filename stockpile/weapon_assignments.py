"""Weapon assignments: whose weapon it is at the morning draw. Dated reference data, one person a weapon at a time.

Nothing here moves custody, and nothing is overwritten: who is assigned a weapon anew ends the earlier assignment. The
items are locked as for posting, so that a draw sees an assignment whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine

from stockpile.acts import voucher
from stockpile.acts.perform import scope
from stockpile.acts.voucher import Scanned
from stockpile.db.engine import connected
from stockpile.documents import Code, ItemLine, now
from stockpile.errors import Fault, Invalid
from stockpile.identity import asset_tag
from stockpile.movements import HELD
from stockpile.parties import Receiver, find_people, need_party
from stockpile.reports.keyset import Page, read_page, spellings
from stockpile.reports.named import named
from stockpile.rights import ASSIGN, READ_PEOPLE, Actor, require
from stockpile.scans import look_up
from stockpile.sentences import sentence
from stockpile.sites import Site, day_on_the_walls, find_site
from stockpile.units import with_sub_units


class AssignmentLine(ItemLine):
    """A weapon, and whose it is to be."""

    person: Code = Field(description="Service number", examples=["A-1001"])


class Assign(BaseModel):
    """Assign weapons to persons: up to 500, all of them or none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    lines: Annotated[tuple[AssignmentLine, ...], Field(min_length=1, max_length=500)]


class EndAssignments(BaseModel):
    """End the assignments of weapons: up to 500, all of them or none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    lines: Annotated[tuple[ItemLine, ...], Field(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whose weapon it was or is. `unit` is the person's of today, None off the roster; `where` is None if another site has
    the weapon.
    """

    item_id: UUID
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    party_id: UUID
    person: str | None
    name: str | None
    rank: str | None
    unit: str | None
    site: str
    since: datetime
    until: datetime | None
    assigned_by: str
    where: str | None


_ASSIGNMENTS = f"""
SELECT coalesce(p.code, ''), w.since, w.item_id,
       w.item_id, i.tag_number, m.maker, m.name, n.serial_number, w.party_id, p.code, p.name, p.rank, u.code, s.code,
       w.since, w.until, {named("y")}, a.name
FROM weapon_assignment w
JOIN site s ON s.site_id = w.site_id
JOIN item i ON i.item_id = w.item_id
JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(w.item_id) n ON true
LEFT JOIN party p ON p.party_id = w.party_id
LEFT JOIN LATERAL (SELECT g.unit_id FROM assignment g
                   WHERE g.party_id = w.party_id AND g.since <= %s AND (g.until IS NULL OR g.until >= %s)
                   ORDER BY g.since DESC, g.until DESC NULLS FIRST, g.assignment_id DESC LIMIT 1) g ON true
LEFT JOIN party u ON u.party_id = g.unit_id
LEFT JOIN party y ON y.party_id = w.assigned_by
LEFT JOIN holding h ON h.item_id = w.item_id AND h.serial
LEFT JOIN account a ON a.account_id = h.account_id
"""


def search_assignments(
    connection: Connection,
    actor: Actor,
    person: str | None = None,
    unit: str | None = None,
    weapon: str | None = None,
    site: str | None = None,
    text: str | None = None,
    ended: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Assignment]:
    """Assignments by service number: of a person, of a unit and its sub-units, of a weapon as scanned or typed, of a site,
    with a part of the person, model or serial number; those of now, with `ended` the earlier ones too.

    Raises NotAllowed, NotFound (site), Invalid (unit, limit, cursor).
    """
    require(actor, READ_PEOPLE)
    day = day_on_the_walls(connection, actor.time_zone)
    units = None
    if unit is not None:
        unit_id = need_party(connection, "unit", unit, "unit").party_id
        units = list(with_sub_units(connection, unit_id, day, day))
    where = {
        "p.code = %s": person.strip() if person else None,
        "g.unit_id = ANY (%s)": units,
        "w.item_id = ANY (%s)": look_up(connection, [weapon]).get(weapon, []) if weapon else None,
        "w.site_id = %s": find_site(connection, site).site_id if site else None,
        "concat_ws(' ', p.code, p.rank, p.name, m.name, n.serial_number) ILIKE ANY (%s)": spellings(text),
        "(w.until IS NULL) = %s": None if ended else True,
    }
    keys: dict[str, Callable[[str], Any]] = {
        "coalesce(p.code, '')": str,
        "w.since": datetime.fromisoformat,
        "w.item_id": UUID,
    }
    return read_page(connection, _ASSIGNMENTS, where, keys, _assignment, limit, cursor, (day, day))


def _assignment(item_id: UUID, tag: int, *more: Any) -> Assignment:
    return Assignment(item_id, asset_tag(tag), *more)


def assign(engine: Engine, actor: Actor, request: Assign) -> list[Assignment]:
    """Assigns each weapon to its person from now on, and gives the assignments as they stand then. What is assigned so
    already stays as it is, since when it was.

    Raises NotAllowed, Invalid (a service number nobody here has), Refused (one reason a weapon: not at this site, a person
    off the roster); nothing is done then.
    """
    require(actor, ASSIGN)
    with connected(engine) as connection:
        site = scope(connection, actor, request.site)
        scanned = voucher.lock_items(connection, request.lines)
        persons = _persons(connection, site, request.lines)
        _refuse_assigning(scanned, persons, site)
        wanted = _wanted(scanned, persons)
        _reassign(connection, site, actor, wanted)
        return _standing(connection, site, list(wanted))


def _wanted(scanned: Sequence[Scanned], persons: dict[str, Receiver]) -> dict[UUID, UUID]:
    """Item -> the person it is to be assigned to."""
    return {
        one.held.item_id: persons[one.line.person].party.party_id
        for one in scanned
        if one.held is not None and isinstance(one.line, AssignmentLine)
    }


def _persons(connection: Connection, site: Site, lines: Sequence[AssignmentLine]) -> dict[str, Receiver]:
    """Whom the lines name. Raises Invalid, naming each line whose service number is nobody's at the site."""
    persons = find_people(connection, site, {line.person for line in lines}, site.local_day(now()))
    faults = [
        Fault(sentence("not a service number of {site}", site=site.code), row=number, field="person", value=line.person)
        for number, line in enumerate(lines, 1)
        if line.person not in persons
    ]
    if faults:
        raise Invalid(
            sentence("Nothing was assigned: {count} line(s) name nobody at {site}.", count=len(faults), site=site.code),
            faults,
        )
    return persons


def _refuse_assigning(scanned: Sequence[Scanned], persons: dict[str, Receiver], site: Site) -> None:
    for one in scanned:
        held, line = one.held, one.line
        assert isinstance(line, AssignmentLine)
        if one.reason or held is None:
            continue
        if not held.serial:
            one.reason = sentence("it is counted, not told apart: only a weapon can be somebody's own")
        elif held.where.site_id != site.site_id or held.where.account_class not in HELD:
            one.reason = sentence("{site} does not have it", site=site.code)
        else:
            one.reason = persons[line.person].objection
    voucher.refuse(scanned, "assignment")


def _reassign(connection: Connection, site: Site, actor: Actor, wanted: dict[UUID, UUID]) -> None:
    """Ends what is assigned to somebody else, and assigns what is not assigned so already."""
    rows = connection.exec_driver_sql(
        "SELECT item_id, party_id FROM weapon_assignment WHERE item_id = ANY (%s) AND until IS NULL", (list(wanted),)
    )
    stands = {item_id: party_id for item_id, party_id in rows}
    changed = {item_id: party_id for item_id, party_id in wanted.items() if stands.get(item_id) != party_id}
    moment = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    _end(connection, list(changed), moment)
    connection.exec_driver_sql(
        """INSERT INTO weapon_assignment (item_id, since, party_id, site_id, assigned_by)
           SELECT item_id, %s, party_id, %s, %s FROM unnest(%s::uuid[], %s::uuid[]) AS given (item_id, party_id)""",
        (moment, site.site_id, actor.party_id, list(changed), list(changed.values())),
    )


def _end(connection: Connection, item_ids: list[UUID], moment: datetime) -> set[UUID]:
    """Ends the assignments of items, another site's too for weapons that this one has; gives those it ended."""
    return {row[0] for row in connection.exec_driver_sql("SELECT end_weapon_assignments(%s, %s)", (item_ids, moment))}


def _standing(connection: Connection, site: Site, item_ids: list[UUID]) -> list[Assignment]:
    """The assignments of now, in the order of the items."""
    day: date = site.local_day(now())
    rows = connection.exec_driver_sql(
        f"{_ASSIGNMENTS} WHERE w.item_id = ANY (%s) AND w.until IS NULL", (day, day, item_ids)
    )
    found = {row[2]: _assignment(*row[3:]) for row in rows}
    return [found[item_id] for item_id in item_ids]


def end_assignments(engine: Engine, actor: Actor, request: EndAssignments) -> int:
    """Ends the assignments of weapons now; gives how many. Custody stays where it is: a weapon that is out on a card still
    comes back by its scan.

    Raises NotAllowed, Refused (one reason a weapon: unknown, or assigned to nobody); nothing is done then.
    """
    require(actor, ASSIGN)
    with connected(engine) as connection:
        scope(connection, actor, request.site)
        scanned = voucher.lock_items(connection, request.lines)
        moment = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        ended = _end(connection, [one.held.item_id for one in scanned if one.held is not None], moment)
        for one in scanned:
            if one.reason is None and one.held is not None and one.held.item_id not in ended:
                one.reason = sentence("it is assigned to nobody")
        voucher.refuse(scanned, "request")
        return len(ended)
