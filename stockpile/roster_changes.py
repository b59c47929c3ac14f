"""Whom the rows of a roster mean, and what they change: who is new, moved here, back, changed, gone. Only compares; what is
decided from it is done in `roster.py`.

A service number is never guessed: one that only looks like a known one is set aside with the row, and whoever it may mean does not
go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue import name_key
from stockpile.identity import fold, serial_key
from stockpile.parties import Left, Movement, Party, new_person
from stockpile.registers.roster_list import RosterList, RosterRow
from stockpile.sentences import sentence
from stockpile.sites import Site


class Kind(StrEnum):
    """What a roster says of a person."""

    GONE = "gone"
    MOVED = "moved here"
    BACK = "back"
    NEW = "new"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """What changes for one person; `was` is how the books had them. Who is gone stands in no row, or in one that says `because` of what."""

    kind: Kind
    party_id: UUID
    service_number: str
    name: str
    rank: str | None
    unit: str | None
    was: str | None = None
    row: int | None = None
    because: Left | None = None


@dataclass(slots=True)
class Changes:
    """All that a roster changes at a site. `expected` is how many the books have on its roster now; `nameless` are the
    rows set aside of which nobody can tell whom they mean.
    """

    all: list[Change] = field(default_factory=list)
    new: list[Party] = field(default_factory=list)
    brought: list[Party] = field(default_factory=list)
    renamed: list[Party] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    unchanged: int = 0
    expected: int = 0
    nameless: list[int] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Change]:
        """The changes of a kind."""
        return [change for change in self.all if change.kind is kind]


@dataclass(frozen=True, slots=True)
class Known:
    """A person as the books have them on the roster's day; `unit_id` None: on no roster."""

    party: Party
    site_id: UUID | None
    site: str | None
    unit_id: UUID | None
    unit: str | None
    was_on_a_roster: bool
    left: Left | None = None

    @property
    def words(self) -> str:
        """How the books had them."""
        return ", ".join(part for part in (self.party.display, self.unit, self.site) if part)


_KNOWN = """
SELECT p.party_id, p.kind, p.code, p.name, p.rank, p.site_id, s.code, m.unit_id, u.code,
       EXISTS (SELECT FROM assignment a WHERE a.party_id = p.party_id AND a.since <= %(day)s),
       (SELECT a.ended_because FROM assignment a WHERE a.party_id = p.party_id ORDER BY a.until DESC NULLS FIRST LIMIT 1)
FROM party p LEFT JOIN site s USING (site_id)
LEFT JOIN LATERAL (SELECT a.unit_id FROM assignment a
                   WHERE a.party_id = p.party_id AND a.since <= %(day)s AND (a.until IS NULL OR a.until > %(day)s)
                   ORDER BY a.since DESC, a.until DESC NULLS FIRST, a.assignment_id DESC LIMIT 1) m ON true
LEFT JOIN party u ON u.party_id = m.unit_id
WHERE p.kind = 'person' AND p.code IS NOT NULL AND (p.site_id = %(site)s OR p.code = ANY (%(codes)s))
"""


class People:
    """The people a roster can mean: those of its site by every spelling, those of other sites by the exact number."""

    def __init__(self, connection: Connection, site: Site, codes: list[str], day: date) -> None:
        rows = connection.exec_driver_sql(_KNOWN, {"day": day, "site": site.site_id, "codes": codes})
        known = [Known(Party(*row[:5]), *row[5:]) for row in rows]
        self.by_code = {person.party.code or "": person for person in known}
        self.here = [person for person in known if person.site_id == site.site_id]
        self._spellings: dict[str, list[Known]] = {}
        for person in self.here:
            code = person.party.code or ""
            for key in {serial_key(code), *_near(code)}:
                self._spellings.setdefault(key, []).append(person)

    def meant(self, row: RosterRow) -> Known | None:
        """Whom a row means; None: somebody new, or the row now has a reason why it can't be told."""
        exact = self.by_code.get(row.service_number)
        if exact is not None:
            return exact
        same = [person for person in self._spellings.get(row.key, ()) if serial_key(person.party.code or "") == row.key]
        if len(same) == 1:
            row.doubts += (f"written {same[0].party.code} in the books",)
            return same[0]
        if like := self.like(row.service_number):
            codes = ", ".join(sorted(person.party.code or "" for person in like))
            row.reason = sentence(
                "like {codes} in the books, but not the same: write it so, or add the person by hand", codes=codes
            )
        return None

    def like(self, text: str) -> list[Known]:
        """Everybody of the site whom a service number might mean."""
        keys = {serial_key(text), *_near(text)} - {""}
        found = {person.party.party_id: person for key in keys for person in self._spellings.get(key, ())}
        return list(found.values())


def _near(code: str) -> tuple[str, str]:
    """A service number without its leading zeros, and with look-alikes merged; marked, so that they meet only each other."""
    return f"zeros {serial_key(code).lstrip('0')}", f"looks {fold(code)}"


class Units:
    """The units a roster can name: by code, or by a name that only one of them has."""

    def __init__(self, connection: Connection, site: Site, day: date) -> None:
        rows = connection.exec_driver_sql(
            """SELECT p.party_id, p.kind, p.code, p.name,
                      EXISTS (SELECT FROM stationing t WHERE t.unit_id = p.party_id AND t.site_id = %(site)s
                              AND t.since <= %(day)s AND (t.until IS NULL OR t.until >= %(day)s))
               FROM party p WHERE p.kind IN ('unit', 'organisation') ORDER BY p.kind, p.party_id""",
            {"site": site.site_id, "day": day},
        ).all()
        self._site = site.code
        self._served = {row[0] for row in rows if row[4]}
        units = [Party(*row[:4]) for row in rows]
        self.organisation = next(unit for unit in units if unit.kind == "organisation")
        self._by_code = {unit.code: unit for unit in units}
        self._by_key: dict[str, list[Party]] = {}
        for unit in units:
            for key in {name_key(unit.code or ""), name_key(unit.name or "")}:
                self._by_key.setdefault(key, []).append(unit)

    def named(self, row: RosterRow) -> Party | None:
        """The unit of a row, the organisation where it names none; None: the row now has a reason."""
        if row.unit is None:
            return self.organisation
        found = [self._by_code[row.unit]] if row.unit in self._by_code else self._by_key.get(name_key(row.unit), [])
        if len(found) != 1:
            many = sentence("{count} units are called {unit!r}: give the unit's code", count=len(found), unit=row.unit)
            row.reason = (
                many if found else sentence("there is no unit {unit!r}: add it first, or mend the row", unit=row.unit)
            )
            return None
        if found[0].kind == "unit" and found[0].party_id not in self._served:
            row.doubts += (f"unit {found[0].code} is not served by {self._site}",)
        return found[0]


def compare(connection: Connection, site: Site, roster: RosterList, day: date) -> Changes:
    """What a roster of a site changes; rows that can't be taken get their reason on the way."""
    people = People(connection, site, [row.service_number for row in roster.rows if row.service_number], day)
    units = Units(connection, site, day)
    changes = Changes(expected=sum(person.unit_id is not None for person in people.here))
    stay: dict[UUID, int] = {}
    left: dict[UUID, RosterRow] = {}
    for row in roster.rows:
        if row.reason is None and row.left is not None:
            _leave(changes, row, site, people, left)
        elif row.reason is None:
            _take(changes, row, roster, site, people, units, stay)
        if row.reason is not None:
            _hold_back(changes, row, people, stay)
    for person in people.here:
        if person.unit_id is not None and person.party.party_id not in stay:
            row_left = left.get(person.party.party_id)
            _note(changes, Kind.GONE, person.party, person.unit, person, row_left)
            changes.movements.append(Movement(person.party.party_id, None, row_left.left if row_left else None))
    order = list(Kind)
    changes.all.sort(key=lambda change: (order.index(change.kind), change.service_number))
    return changes


def _leave(changes: Changes, row: RosterRow, site: Site, people: People, left: dict[UUID, RosterRow]) -> None:
    """A row that says why somebody is there no more; of who was gone before it says why."""
    known = people.meant(row)
    if row.reason is not None:
        return
    if known is None or known.site_id != site.site_id:
        row.doubts += (f"{row.left}, and not on the roster of {site.code} in the books: nothing changes",)
    elif known.unit_id is not None:
        left[known.party.party_id] = row
    elif known.left == row.left or not known.was_on_a_roster:
        changes.unchanged += 1
    else:
        changes.movements.append(Movement(known.party.party_id, None, row.left))
        _note(changes, Kind.CHANGED, known.party, None, known, row)


def _take(
    changes: Changes,
    row: RosterRow,
    roster: RosterList,
    site: Site,
    people: People,
    units: Units,
    stay: dict[UUID, int],
) -> None:
    known = people.meant(row)
    unit = units.named(row) if row.reason is None else None
    if unit is None:
        return
    if known is None:
        person = new_person(row.service_number, row.name, row.rank)
        changes.new.append(person)
        changes.movements.append(Movement(person.party_id, unit.party_id))
        _note(changes, Kind.NEW, person, unit.code, None, row)
        return
    if known.party.name is None:
        row.reason = sentence("this person was erased from the books: give another service number")
        return
    if known.party.party_id in stay:
        row.reason = sentence("the same person as row {stay}", stay=stay[known.party.party_id])
        return
    stay[known.party.party_id] = row.number
    _update(changes, row, roster, site, known, unit)


def _update(changes: Changes, row: RosterRow, roster: RosterList, site: Site, known: Known, unit: Party) -> None:
    rank = row.rank if roster.tells_rank else known.party.rank
    person = Party(known.party.party_id, "person", known.party.code, row.name, rank)
    moved = known.site_id != site.site_id
    stays = known.unit_id is not None and not moved and (known.unit_id == unit.party_id or not roster.tells_unit)
    if person != known.party:
        changes.renamed.append(person)
    elif stays:
        changes.unchanged += 1
        return
    if not stays:
        changes.movements.append(Movement(person.party_id, unit.party_id))
    if moved:
        changes.brought.append(person)
    back = known.unit_id is None and known.was_on_a_roster
    kind = Kind.MOVED if moved else Kind.BACK if back else Kind.CHANGED
    _note(changes, kind, person, known.unit if stays else unit.code, known, row)


def _note(
    changes: Changes, kind: Kind, person: Party, unit: str | None, known: Known | None, row: RosterRow | None = None
) -> None:
    words = known.words if known is not None and kind is not Kind.GONE else None
    number, because = (row.number, row.left) if row else (None, None)
    changes.all.append(
        Change(kind, person.party_id, person.code or "", person.name or "", person.rank, unit, words, number, because)
    )


def _hold_back(changes: Changes, row: RosterRow, people: People, stay: dict[UUID, int]) -> None:
    """Whoever a row that can't be taken may mean does not go."""
    texts = [row.service_number] if row.service_number else _codes_among(row.cells, people)
    meant = [person for text in texts for person in (*people.like(text), *_exact(people, text))]
    for person in meant:
        stay.setdefault(person.party.party_id, row.number)
    if not row.service_number and not meant:
        changes.nameless.append(row.number)


def _codes_among(cells: Sequence[str], people: People) -> list[str]:
    return [cell.strip() for cell in cells if cell.strip() in people.by_code]


def _exact(people: People, text: str) -> Iterable[Known]:
    return (people.by_code[text],) if text in people.by_code else ()
