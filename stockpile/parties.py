"""Parties: donors, units, persons; who belongs where on a date, and who may draw for a unit.

Nobody is deleted: who goes gets an end date, and a document keeps the version of the name it used.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import ask, one_writer
from stockpile.db.rows import given
from stockpile.documents import now, printable
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.identity import shown
from stockpile.keys import new_key, new_secret
from stockpile.movements import AccountClass
from stockpile.sentences import of_the_books, sentence, template, words_of
from stockpile.sites import Place, Site, add_party_account

LONGEST_NAME = 200
LONGEST_CODE = 64

UNIDENTIFIED = "UNIDENTIFIED-"
"""So the code begins of the person who stands, at each site, for whoever could not be identified."""

OWN_PROCUREMENT = UUID("00000000-0000-7000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class Party:
    """A person or organisation, by the current name."""

    party_id: UUID
    kind: str
    code: str | None
    name: str | None
    rank: str | None = None

    @property
    def display(self) -> str:
        """Rank, name and code as they stand on a paper; an erased person is named so."""
        if self.name is None:
            return "erased person"
        shown = f"{self.rank} {self.name}" if self.rank else self.name
        return f"{shown} ({self.code})" if self.code else shown


_PARTY = "SELECT party_id, kind, code, name, rank FROM party"


def find_party(connection: Connection, kind: str, code: str) -> Party | None:
    """The party of a code, if the reader's role may see one."""
    row = connection.exec_driver_sql(f"{_PARTY} WHERE kind = %s AND code = %s", (kind, code.strip())).one_or_none()
    return Party(*row) if row else None


def need_party(connection: Connection, kind: str, code: str, field: str) -> Party:
    """The party of a code; Invalid, naming the field, if there is none."""
    party = find_party(connection, kind, code)
    if party is None:
        raise Invalid(
            sentence("{field}: no {kind} {code!r}.", field=field, kind=of_the_books(kind), code=code),
            [Fault(sentence("there is no {kind} with this code", kind=of_the_books(kind)), field=field, value=code)],
        )
    return party


def need_property_book(connection: Connection, code: str, field: str) -> Party:
    """The unit or organisation of a code: who keeps a property book; Invalid, naming the field, if there is none."""
    return find_party(connection, "unit", code) or need_party(connection, "organisation", code, field)


def read_party(connection: Connection, party_id: UUID) -> Party:
    """The party of a key; NotFound if there is none in the reader's scope."""
    row = connection.exec_driver_sql(f"{_PARTY} WHERE party_id = %s", (party_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no party {party_id} here.", party_id=party_id))
    return Party(*row)


def written(text: str, field: str, longest: int) -> str:
    """A code, name or rank as it may stand on a paper, without the spaces around it.

    Raises Invalid, naming the field: empty, too long, or with a NUL, control or bidirectional control character.
    """
    try:
        kept = printable(text.strip())
    except ValueError as problem:
        fault = words_of(problem)
    else:
        if 0 < len(kept) <= longest:
            return kept
        fault = (
            sentence("{count:,} characters, at most {longest}", count=len(kept), longest=longest)
            if kept
            else sentence("is empty")
        )
    raise Invalid(
        sentence("{field}: {fault}.", field=of_the_books(field), fault=fault),
        [Fault(fault, field=field, value=shown(text))],
    )


def add_party(
    connection: Connection, kind: str, code: str, name: str, rank: str | None = None, site_id: UUID | None = None
) -> Party:
    """Adds a party with the first version of its name; Invalid if the code is taken."""
    field = "service_number" if kind == "person" else "code"
    code, name = written(code, field, LONGEST_CODE), written(name, "name", LONGEST_NAME)
    rank = written(rank, "rank", LONGEST_CODE) if rank and rank.strip() else None
    one_writer(connection)
    if find_party(connection, kind, code):
        raise Invalid(
            sentence("The {kind} was not added.", kind=of_the_books(kind)),
            [
                Fault(
                    sentence("there is a {kind} of this code already", kind=of_the_books(kind)), field=field, value=code
                )
            ],
        )
    party = Party(new_key(), kind, code, name, rank)
    connection.exec_driver_sql(
        "INSERT INTO party (party_id, kind, code, name, rank, site_id, secret) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (party.party_id, kind, code, name, rank, site_id, new_secret()),
    )
    _keep_name(connection, party, 1)
    return party


def _keep_name(connection: Connection, party: Party, version: int) -> None:
    connection.exec_driver_sql(
        "INSERT INTO party_name (party_id, version, code, name, rank, recorded_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (party.party_id, version, party.code, party.name, party.rank, now()),
    )


def rename(connection: Connection, party_id: UUID, name: str, rank: str | None = None) -> Party:
    """Gives a party another name or rank, as a new version: documents keep the version they were signed with.

    The same name again changes nothing. Raises NotFound, Invalid (the name; an erased person).
    """
    name, rank = written(name, "name", LONGEST_NAME), written(rank, "rank", LONGEST_CODE) if rank else None
    known = read_party(connection, party_id)
    if rank is not None and known.kind != "person":
        raise Invalid(
            sentence("A {kind} has no rank.", kind=of_the_books(known.kind)),
            [Fault(sentence("only a person has one"), field="rank", value=rank)],
        )
    if known.name is None:
        raise Invalid(
            sentence("An erased person has no name."),
            [Fault(sentence("the person was erased"), field="name", value=name)],
        )
    party = Party(party_id, known.kind, known.code, name, rank)
    if party != known:
        rename_all(connection, [party])
    return party


_RENAME = """
UPDATE party p SET name = g.name, rank = g.rank, name_version = p.name_version + 1
FROM (SELECT * FROM {given}) g WHERE p.party_id = g.party_id
"""
_KEEP_NAMES = """
INSERT INTO party_name (party_id, version, code, name, rank, recorded_at)
SELECT p.party_id, p.name_version, p.code, p.name, p.rank, %s
FROM party p WHERE p.party_id IN (SELECT party_id FROM {given})
"""
_RENAME_ACCOUNTS = """
UPDATE account a SET name = g.display FROM (SELECT * FROM {given}) g WHERE a.party_id = g.party_id
"""


def rename_all(connection: Connection, renamed: Sequence[Party]) -> None:
    """A new version of many parties' names at once; their accounts are called by it from now on."""
    columns = (("party_id", "uuid"), ("name", "text"), ("rank", "text"), ("display", "text"))
    rows = ((party.party_id, party.name, party.rank, _account_name(party)) for party in renamed)
    with given(connection, columns, rows, len(renamed)) as names:
        names.insert(_RENAME)
        names.insert(_KEEP_NAMES, (now(),))
        names.insert(_RENAME_ACCOUNTS)


def _account_name(party: Party) -> str:
    return party.display if party.kind == "person" else party.name or party.display


class Left(StrEnum):
    """Why somebody left all units, where it was said."""

    DIED = template("died")
    MISSING = template("missing")
    CAPTURED = template("captured")
    DESERTED = template("deserted")
    DISCHARGED = template("discharged")


@dataclass(frozen=True, slots=True)
class Movement:
    """A person who comes to a unit, or who leaves all units (no unit), with why if it was said."""

    party_id: UUID
    unit_id: UUID | None
    because: Left | None = None


def new_person(code: str, name: str, rank: str | None) -> Party:
    """A person not yet in the books; `add_people` brings many in at once."""
    return Party(new_key(), "person", code, name, rank)


_ADD_PEOPLE = """
INSERT INTO party (party_id, kind, code, name, rank, site_id, secret)
SELECT party_id, 'person', code, name, rank, %s::uuid, secret FROM {given}
"""
_FIRST_NAMES = """
INSERT INTO party_name (party_id, version, code, name, rank, recorded_at)
SELECT party_id, 1, code, name, rank, %s::timestamptz FROM {given}
"""
_OPEN_ACCOUNTS = """
INSERT INTO account (account_id, class, name, site_id, party_id)
SELECT account_id, 'person', display, %s::uuid, party_id FROM {given}
ON CONFLICT (party_id, site_id) WHERE party_id IS NOT NULL DO NOTHING
"""


def add_people(connection: Connection, people: Sequence[Party], site: Site) -> None:
    """Adds many new persons at a site at once, each with the first version of the name and an account there."""
    columns = (("party_id", "uuid"), ("code", "text"), ("name", "text"), ("rank", "text"), ("secret", "bytea"))
    rows = ((person.party_id, person.code, person.name, person.rank, new_secret()) for person in people)
    with given(connection, columns, rows, len(people)) as added:
        added.insert(_ADD_PEOPLE, (site.site_id,))
        added.insert(_FIRST_NAMES, (now(),))
    _open_accounts(connection, people, site)


def bring_people(connection: Connection, people: Sequence[Party], site: Site) -> None:
    """From now on these known persons serve at this site, with an account here; what they hold elsewhere stays there."""
    columns = (("party_id", "uuid"),)
    with given(connection, columns, ((person.party_id,) for person in people), len(people)) as brought:
        brought.insert(
            "UPDATE party p SET site_id = %s FROM (SELECT * FROM {given}) g WHERE p.party_id = g.party_id",
            (site.site_id,),
        )
    _open_accounts(connection, people, site)


def _open_accounts(connection: Connection, people: Sequence[Party], site: Site) -> None:
    columns = (("account_id", "uuid"), ("party_id", "uuid"), ("display", "text"))
    rows = ((new_key(), person.party_id, person.display) for person in people)
    with given(connection, columns, rows, len(people)) as accounts:
        accounts.insert(_OPEN_ACCOUNTS, (site.site_id,))


_END_MEMBERSHIPS = """
UPDATE assignment a SET until = greatest(a.since, g.last_day)
FROM (SELECT * FROM {given}) g WHERE a.party_id = g.party_id AND (a.until IS NULL OR a.until > g.last_day)
"""
_SAY_WHY = """
UPDATE assignment a SET ended_because = g.because
FROM (SELECT * FROM {given}) g
WHERE g.because IS NOT NULL AND a.party_id = g.party_id AND a.until = (SELECT max(m.until) FROM assignment m WHERE m.party_id = g.party_id)
"""
_BEGIN_MEMBERSHIPS = """
INSERT INTO assignment (assignment_id, party_id, unit_id, since)
SELECT assignment_id, party_id, unit_id, %s::date FROM {given} WHERE unit_id IS NOT NULL
ON CONFLICT (party_id, unit_id, since) DO UPDATE SET until = NULL, ended_because = NULL
"""


def move_people(connection: Connection, movements: Sequence[Movement], since: date) -> None:
    """From a day on many persons belong to another unit, or to none: what they belonged to ends the day before."""
    last_day = since - timedelta(days=1)
    columns = (
        ("assignment_id", "uuid"), ("party_id", "uuid"), ("unit_id", "uuid"), ("last_day", "date"), ("because", "text"),
    )  # fmt: skip
    rows = ((new_key(), moved.party_id, moved.unit_id, last_day, moved.because) for moved in movements)
    with given(connection, columns, rows, len(movements)) as moving:
        moving.insert(_END_MEMBERSHIPS)
        moving.insert(_SAY_WHY)
        moving.insert(_BEGIN_MEMBERSHIPS, (since,))


def add_unit(connection: Connection, code: str, name: str, site: Site, parent: Party | None, since: date) -> Party:
    """Adds a unit served by a site, under a parent unit if it has one."""
    unit = add_party(connection, "unit", code, name)
    connection.exec_driver_sql(
        "INSERT INTO stationing (stationing_id, unit_id, site_id, since) VALUES (%s, %s, %s, %s)",
        (new_key(), unit.party_id, site.site_id, since),
    )
    if parent is not None:
        assign(connection, unit.party_id, parent.party_id, since)
    add_party_account(connection, site.site_id, unit.party_id, AccountClass.UNIT, name.strip())
    return unit


def add_person(
    connection: Connection, code: str, name: str, rank: str | None, site: Site, unit: Party | None, since: date
) -> Party:
    """Adds a person at a site, with an account there and, in a unit, a membership from a day on."""
    person = add_party(connection, "person", code, name, rank, site.site_id)
    if unit is not None:
        assign(connection, person.party_id, unit.party_id, since)
    add_party_account(connection, site.site_id, person.party_id, AccountClass.PERSON, person.display)
    return person


def assign(connection: Connection, party_id: UUID, unit_id: UUID, since: date, until: date | None = None) -> None:
    """A membership from a day on."""
    connection.exec_driver_sql(
        "INSERT INTO assignment (assignment_id, party_id, unit_id, since, until) VALUES (%s, %s, %s, %s, %s)",
        (new_key(), party_id, unit_id, since, until),
    )


def end_assignments(connection: Connection, party_id: UUID, last_day: date, because: Left | None = None) -> None:
    """Ends every membership that is open after `last_day`, and says why, if it is known."""
    connection.exec_driver_sql(
        """UPDATE assignment SET until = greatest(since, %s::date), ended_because = %s
           WHERE party_id = %s AND (until IS NULL OR until > %s)""",
        (last_day, because, party_id, last_day),
    )


def give_signature_card(
    connection: Connection, unit: Party, person: Party, since: date, until: date, issued_by: UUID
) -> UUID:
    """Lets a person draw for a unit until a day (DA 1687). Raises Invalid if it ends before it begins."""
    if until < since:
        raise Invalid(
            sentence("The card was not given."),
            [Fault(sentence("ends before it begins"), field="until", value=str(until))],
        )
    card = new_key()
    connection.exec_driver_sql(
        """INSERT INTO signature_card (signature_card_id, unit_id, party_id, since, until, issued_by)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        (card, unit.party_id, person.party_id, since, until, issued_by),
    )
    return card


def withdraw_signature_card(connection: Connection, signature_card_id: UUID) -> None:
    """From now on the person may not draw by this card; withdrawing it again changes nothing. Raises NotFound."""
    row = connection.exec_driver_sql(
        "SELECT withdrawn_at FROM signature_card WHERE signature_card_id = %s", (signature_card_id,)
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no signature card {signature_card_id}.", signature_card_id=signature_card_id))
    connection.exec_driver_sql(
        "UPDATE signature_card SET withdrawn_at = %s WHERE signature_card_id = %s AND withdrawn_at IS NULL",
        (now(), signature_card_id),
    )


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who receives: the party, its account at the site, and what speaks against it on that day, if anything."""

    party: Party
    place: Place | None
    objection: str | None


_RECEIVERS = """
SELECT p.party_id, p.kind, p.code, p.name, p.rank, a.account_id, a.class, a.name, a.site_id, a.party_id,
       EXISTS (SELECT FROM assignment m WHERE m.party_id = p.party_id AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)),
       (SELECT max(m.until) FROM assignment m WHERE m.party_id = p.party_id),
       EXISTS (SELECT FROM stationing t WHERE t.unit_id = p.party_id AND t.site_id = %(site)s AND t.since <= %(day)s
               AND (t.until IS NULL OR t.until >= %(day)s))
FROM party p LEFT JOIN account a ON a.party_id = p.party_id AND a.site_id = %(site)s
WHERE p.kind IN ('person', 'unit') AND {wanted}
"""


def find_receiver(connection: Connection, site: Site, code: str, day: date) -> Receiver | None:
    """Who a service number or unit code means at this site, and whether they may receive on that day.

    None if nobody of this site has the code. A code that a unit and a person share means the person.
    """
    found = _receivers(connection, site, "p.code = %(wanted)s", code.strip(), day)
    return min(found, key=lambda receiver: receiver.party.kind) if found else None


def find_people(connection: Connection, site: Site, codes: Collection[str], day: date) -> dict[str, Receiver]:
    """`find_receiver` for many service numbers at once; those that are nobody's at this site are absent."""
    found = _receivers(connection, site, "p.kind = 'person' AND p.code = ANY (%(wanted)s)", list(codes), day)
    return {receiver.party.code: receiver for receiver in found if receiver.party.code is not None}


def find_receivers(connection: Connection, site: Site, codes: Collection[str], day: date) -> dict[str, Receiver]:
    """`find_receiver` for many codes at once; those that are nobody's at this site are absent."""
    found = _receivers(connection, site, "p.code = ANY (%(wanted)s)", list(codes), day)
    by_kind = sorted(found, key=lambda receiver: receiver.party.kind, reverse=True)
    return {receiver.party.code: receiver for receiver in by_kind if receiver.party.code is not None}


def read_people(connection: Connection, site: Site, party_ids: Collection[UUID], day: date) -> dict[UUID, Receiver]:
    """`find_receiver` for people by their keys; those the site may not see any more are absent."""
    found = _receivers(connection, site, "p.kind = 'person' AND p.party_id = ANY (%(wanted)s)", list(party_ids), day)
    return {receiver.party.party_id: receiver for receiver in found}


def receivers_of_site(connection: Connection, site: Site, day: date) -> list[Receiver]:
    """`find_receiver` for everybody who has an account at the site, by code."""
    found = _receivers(connection, site, "a.site_id = %(wanted)s", site.site_id, day)
    return sorted(found, key=lambda receiver: (receiver.party.kind, receiver.party.code or ""))


def _receivers(connection: Connection, site: Site, condition: str, wanted: object, day: date) -> list[Receiver]:
    rows = ask(connection, _RECEIVERS.format(wanted=condition), {"site": site.site_id, "wanted": wanted, "day": day})
    return [_receiver(row, site) for row in rows]


def _receiver(row: Sequence[Any], site: Site) -> Receiver:
    party = Party(*row[:5])
    place = Place(row[5], AccountClass(row[6]), row[7], row[8], row[9]) if row[5] else None
    return Receiver(party, place, _objection(party, place, site, row[10], row[11], row[12]))


def _objection(
    party: Party, place: Place | None, site: Site, member: bool, left: date | None, served: bool
) -> str | None:
    if place is None:
        return sentence("{party} is not on the roster of {site}", party=party.display, site=site.code)
    if party.kind == "person" and not member:
        if left:
            return sentence("{party} is not on the roster since {left:%Y-%m-%d}", party=party.display, left=left)
        return sentence("{party} is not on the roster", party=party.display)
    if party.kind == "unit" and not served:
        return sentence("{party} is not served by {site}", party=party.display, site=site.code)
    return None


def may_draw(connection: Connection, unit_id: UUID, person_id: UUID, day: date) -> bool:
    """Whether the person stands on the unit's signature card on that day, and is still on a roster."""
    return (
        connection.exec_driver_sql(
            """SELECT 1 FROM signature_card c
               WHERE unit_id = %(unit)s AND party_id = %(person)s AND withdrawn_at IS NULL
                 AND since <= %(day)s AND until >= %(day)s
                 AND EXISTS (SELECT FROM assignment m WHERE m.party_id = c.party_id
                             AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s))""",
            {"unit": unit_id, "person": person_id, "day": day},
        ).first()
        is not None
    )


def units_without_card(connection: Connection, unit_ids: Collection[UUID], day: date) -> set[UUID]:
    """Those of the units for which nobody may draw on that day."""
    rows = connection.exec_driver_sql(
        """SELECT DISTINCT unit_id FROM signature_card
           WHERE unit_id = ANY (%s) AND withdrawn_at IS NULL AND since <= %s AND until >= %s""",
        (list(unit_ids), day, day),
    )
    return set(unit_ids) - set(rows.scalars())


def unidentified_code(site: Site) -> str:
    """The code of the site's unidentified person."""
    return f"{UNIDENTIFIED}{site.code}"


def add_unidentified_person(connection: Connection, site: Site) -> Party:
    """Gives a new site the person who stands for a receiver nobody could identify."""
    code = unidentified_code(site)
    person = add_party(connection, "person", code, f"unidentified person at {site.code}", None, site.site_id)
    add_party_account(connection, site.site_id, person.party_id, AccountClass.PERSON, person.name or code)
    return person


def unidentified_person(connection: Connection, site: Site) -> Party:
    """The person who stands for a receiver nobody at the site could identify."""
    person = find_party(connection, "person", unidentified_code(site))
    assert person is not None
    return person
