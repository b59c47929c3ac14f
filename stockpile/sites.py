"""Sites, their accounts and their books: where things are, and in whose series a document is numbered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from stockpile.db.engine import ask, one_writer
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.identity import character_fault
from stockpile.keys import new_key
from stockpile.movements import AccountClass
from stockpile.sentences import sentence

OUTSIDE_ID = UUID("00000000-0000-7000-8000-000000000000")

LONGEST_NAME = 200

SITE_CLASSES = (
    AccountClass.TRANSIT,
    AccountClass.MAINTENANCE,
    AccountClass.MISSING,
    AccountClass.LOST,
    AccountClass.EXPENDED,
    AccountClass.DESTROYED,
    AccountClass.EXPORTED,
)
"""Every site has one account of each of these."""


@dataclass(frozen=True, slots=True)
class Site:
    """A depot or arms room."""

    site_id: UUID
    code: str
    name: str
    time_zone: str
    custodian_id: UUID
    declared_open_at: datetime | None

    def local_year(self, moment: datetime) -> int:
        """The year on the site's wall: that of a document's number."""
        return self.local_day(moment).year

    def local_day(self, moment: datetime) -> date:
        """The day on the site's wall."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()


@dataclass(frozen=True, slots=True)
class Place:
    """An account as the ledger needs it: where an item is or goes."""

    account_id: UUID
    account_class: AccountClass
    name: str
    site_id: UUID | None
    party_id: UUID | None = None


OUTSIDE = Place(OUTSIDE_ID, AccountClass.OUTSIDE, "outside", None)


def day_on_the_walls(connection: Connection, time_zone: str | None = None, moment: datetime | None = None) -> date:
    """The day on the wall of a time zone at a moment (now if none); for who is bound to no site the latest day on any
    site's wall, so that whoever joined a unit there today counts.
    """
    at = moment or datetime.now(UTC)
    zones = (
        [time_zone] if time_zone else connection.exec_driver_sql("SELECT DISTINCT time_zone FROM site").scalars().all()
    )
    return max((at.astimezone(ZoneInfo(zone)).date() for zone in zones), default=at.astimezone(UTC).date())


_SITE = "SELECT site_id, code, name, time_zone, custodian_id, declared_open_at FROM site"
_PLACE = "SELECT account_id, class, name, site_id, party_id FROM account"


def find_site(connection: Connection, code: str) -> Site:
    """The site of a code; NotFound if there is none."""
    row = connection.exec_driver_sql(f"{_SITE} WHERE code = %s", (code.strip().upper(),)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no site {code!r}.", code=code))
    return Site(*row)


def read_site(connection: Connection, site_id: UUID) -> Site:
    """The site of a key."""
    return Site(*connection.exec_driver_sql(f"{_SITE} WHERE site_id = %s", (site_id,)).one())


def place_of(row: Sequence[Any]) -> Place:
    """An account row (account_id, class, name, site_id, party_id) as a Place."""
    return Place(row[0], AccountClass(row[1]), row[2], row[3], row[4])


def places(connection: Connection, account_ids: list[UUID]) -> dict[UUID, Place]:
    """The accounts of these keys, as far as the role may see them."""
    rows = connection.exec_driver_sql(f"{_PLACE} WHERE account_id = ANY (%s)", (account_ids,))
    return {row[0]: place_of(row) for row in rows}


def site_account(connection: Connection, site: Site, account_class: AccountClass) -> Place:
    """The site's one account of a class such as `missing`."""
    row = connection.exec_driver_sql(
        f"{_PLACE} WHERE site_id = %s AND class = %s AND party_id IS NULL", (site.site_id, account_class)
    ).one()
    return place_of(row)


def find_store(connection: Connection, site: Site, name: str | None) -> Place:
    """A store of the site by name; its only one if no name is given.

    Raises Invalid naming the stores there are, when the name is unknown or needed and missing.
    """
    stores = f"{_PLACE} WHERE site_id = %s AND class = 'store' AND party_id IS NULL ORDER BY name"
    rows = ask(connection, stores, (site.site_id,))
    if name is None and len(rows) == 1:
        return place_of(rows[0])
    for row in rows:
        if name is not None and row[2].casefold() == name.strip().casefold():
            return place_of(row)
    known = ", ".join(row[2] for row in rows) or sentence("none yet")
    problem = (
        sentence("{site} has no store {name!r}", site=site.code, name=name)
        if name
        else sentence("say which store of {site}", site=site.code)
    )
    raise Invalid(
        sentence("Store: {problem}. Its stores: {known}.", problem=problem, known=known),
        [Fault(problem, field="store", value=name)],
    )


def party_account(connection: Connection, site: Site, party_id: UUID) -> Place | None:
    """The account of a person or unit at this site, if it has one."""
    row = connection.exec_driver_sql(
        f"{_PLACE} WHERE party_id = %s AND site_id = %s", (party_id, site.site_id)
    ).one_or_none()
    return place_of(row) if row else None


def add_site(
    connection: Connection, code: str, name: str, time_zone: str, custodian_id: UUID, stores: list[str]
) -> Site:
    """Founds a site with its accounts and stores. Raises Invalid for a bad code, time zone or store name."""
    faults = []
    try:
        ZoneInfo(time_zone)
    except (ValueError, KeyError, OSError):
        faults.append(
            Fault(sentence("no such time zone; write it like Asia/Baghdad"), field="time_zone", value=time_zone)
        )
    one_writer(connection)
    code, name = code.strip().upper(), name.strip()
    if not (2 <= len(code) <= 12 and all(c.isascii() and (c.isalnum() or c == "-") for c in code)):
        faults.append(Fault(sentence("2 to 12 letters, digits or dashes"), field="code", value=code))
    elif connection.exec_driver_sql("SELECT 1 FROM site WHERE code = %s", (code,)).first():
        faults.append(Fault(sentence("there is a site of this code already"), field="code", value=code))
    stores = [store.strip() for store in stores]
    if not stores:
        faults.append(Fault(sentence("a site needs at least one store"), field="stores"))
    elif len({store.casefold() for store in stores}) < len(stores):
        faults.append(Fault(sentence("two stores have the same name"), field="stores", value=", ".join(stores)))
    faults += _unwritable("name", name) + [fault for store in stores for fault in _unwritable("stores", store)]
    if faults:
        raise Invalid(sentence("The site was not added."), faults)
    site = Site(new_key(), code, name, time_zone, custodian_id, None)
    connection.exec_driver_sql(
        "INSERT INTO site (site_id, code, name, time_zone, custodian_id) VALUES (%s, %s, %s, %s, %s)",
        (site.site_id, site.code, site.name, site.time_zone, site.custodian_id),
    )
    for account_class in SITE_CLASSES:
        _add_account(connection, account_class, str(account_class), site.site_id)
    for store in stores:
        _add_account(connection, AccountClass.STORE, store.strip(), site.site_id)
    return site


def _unwritable(field: str, name: str) -> list[Fault]:
    """What speaks against a name on a paper, if anything."""
    if not 0 < len(name) <= LONGEST_NAME:
        return [Fault(sentence("1 to {most} characters", most=LONGEST_NAME), field=field, value=name[:80])]
    fault = character_fault(name, field)
    return [fault] if fault else []


def add_store(connection: Connection, site: Site, name: str) -> Place:
    """Adds a store to a site; Invalid if it has one of that name."""
    one_writer(connection)
    name = name.strip()
    faults = _unwritable("name", name)
    stores = connection.exec_driver_sql(
        "SELECT name FROM account WHERE site_id = %s AND class = 'store'", (site.site_id,)
    ).scalars()
    if name.casefold() in {store.casefold() for store in stores}:
        faults.append(Fault(sentence("{site} has it already", site=site.code), field="name", value=name))
    if faults:
        raise Invalid(sentence("The store was not added."), faults)
    return _add_account(connection, AccountClass.STORE, name, site.site_id)


def add_party_account(
    connection: Connection, site_id: UUID, party_id: UUID, account_class: AccountClass, name: str
) -> Place:
    """Gives a person or unit an account at a site, if it has none there yet."""
    row = connection.exec_driver_sql(
        f"{_PLACE} WHERE party_id = %s AND site_id = %s", (party_id, site_id)
    ).one_or_none()
    return place_of(row) if row else _add_account(connection, account_class, name, site_id, party_id)


def add_supply_account(connection: Connection, site: Site, name: str) -> Place:
    """The supply account of a consignment bound for the site."""
    return _add_account(connection, AccountClass.SUPPLY, name, site.site_id)


def _add_account(
    connection: Connection, account_class: AccountClass, name: str, site_id: UUID, party_id: UUID | None = None
) -> Place:
    place = Place(new_key(), account_class, name, site_id, party_id)
    connection.exec_driver_sql(
        "INSERT INTO account (account_id, class, name, site_id, party_id) VALUES (%s, %s, %s, %s, %s)",
        (place.account_id, str(account_class), name, site_id, party_id),
    )
    return place


def declare_open(connection: Connection, site: Site) -> None:
    """From now on nothing more enters this site by an opening list."""
    connection.exec_driver_sql(
        "UPDATE site SET declared_open_at = %s WHERE site_id = %s AND declared_open_at IS NULL",
        (datetime.now(UTC), site.site_id),
    )
