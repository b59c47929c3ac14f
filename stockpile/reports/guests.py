"""Guests and what they read: for registrars and auditors. It only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import NotFound
from stockpile.reports.keyset import Keys, Page, by_moment, by_text, order_asked, orders, read_page
from stockpile.reports.named import named
from stockpile.rights import APPROVE_GUESTS, Actor, require
from stockpile.sentences import sentence

STATES = ("waiting for approval", "rejected", "withdrawn", "to come", "reads", "over", "revoked")
"""How an invitation stands at this moment."""


@dataclass(frozen=True, slots=True)
class GuestRow:
    """A guest: who reads what from when until when, who asked and who approved. `readings`: how often they asked for something."""

    guest_id: UUID
    person: str
    name: str | None
    state: str
    scope: str
    donor: str | None
    consignments: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime
    reason: str
    asked_by: str
    asked_at: datetime
    settled_by: str | None
    settled_at: datetime | None
    revoked_by: str | None
    revoked_at: datetime | None
    readings: int
    last_read_at: datetime | None


_STATE = """CASE WHEN g.revoked_at IS NOT NULL THEN 'revoked' WHEN g.outcome IS NULL THEN 'waiting for approval'
                 WHEN g.outcome <> 'approved' THEN g.outcome WHEN g.until_at <= clock_timestamp() THEN 'over'
                 WHEN g.from_at > clock_timestamp() THEN 'to come' ELSE 'reads' END"""
_GUESTS = f"""
SELECT g.guest_id, g.guest_id, {named("p")}, (SELECT u.name FROM stockpile.user u WHERE u.guest_id = g.guest_id), {_STATE}, g.scope, d.code,
       array(SELECT c.reference FROM guest_consignment k JOIN consignment c USING (consignment_id)
             WHERE k.guest_id = g.guest_id ORDER BY c.reference),
       g.from_at, g.until_at, g.reason, {named("a")}, g.asked_at, CASE WHEN g.settled_by IS NOT NULL THEN {named("b")} END, g.settled_at,
       CASE WHEN g.revoked_by IS NOT NULL THEN {named("r")} END, g.revoked_at,
       (SELECT count(*) FROM guest_reading x WHERE x.guest_id = g.guest_id),
       (SELECT max(x.read_at) FROM guest_reading x WHERE x.guest_id = g.guest_id)
FROM guest g LEFT JOIN party p ON p.party_id = g.party_id LEFT JOIN party d ON d.party_id = g.donor_id
LEFT JOIN party a ON a.party_id = g.asked_by LEFT JOIN party b ON b.party_id = g.settled_by LEFT JOIN party r ON r.party_id = g.revoked_by
"""


_GUEST_KEYS: Keys = {"g.guest_id": UUID}
GUEST_ORDERS = orders(
    _GUEST_KEYS,
    person=by_text("p.name"),
    state={_STATE: str},
    scope=by_text("g.scope"),
    begins_at=by_moment("g.from_at"),
    ends_at=by_moment("g.until_at"),
)


def list_guests(
    connection: Connection,
    actor: Actor,
    state: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[GuestRow]:
    """Guests, the newest invitation first, or by one of GUEST_ORDERS; in one of STATES. Raises NotAllowed, Invalid (limit, cursor,
    order).
    """
    require(actor, APPROVE_GUESTS)
    by = order_asked(order, GUEST_ORDERS)
    asked = {f"{_STATE} = %s": state}
    return read_page(connection, _GUESTS, asked, _GUEST_KEYS, _row, limit, cursor, newest_first=True, order=by)


def read_guest(connection: Connection, actor: Actor, guest_id: UUID) -> GuestRow:
    """One guest. Raises NotAllowed, NotFound."""
    require(actor, APPROVE_GUESTS)
    found = connection.exec_driver_sql(f"{_GUESTS} WHERE g.guest_id = %s", (guest_id,)).one_or_none()
    if found is None:
        raise NotFound(sentence("There is no invitation {guest_id}.", guest_id=guest_id))
    return _row(*found[1:])


def _row(*told: Any) -> GuestRow:
    columns: list[Any] = [tuple(one) if isinstance(one, list) else one for one in told]
    return GuestRow(*columns)


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """Something that a guest asked for: when, and by which address, without what was asked of it."""

    guest_id: UUID
    person: str
    read_at: datetime
    method: str
    path: str


_READINGS = f"""
SELECT x.read_at, x.reading_id, x.guest_id, {named("p")}, x.read_at, x.method, x.path
FROM guest_reading x JOIN guest g USING (guest_id) LEFT JOIN party p ON p.party_id = g.party_id
"""


READING_ORDERS = orders(
    {"x.reading_id": UUID}, read_at=by_moment("x.read_at"), person=by_text("p.name"), path=by_text("x.path")
)


def list_readings(
    connection: Connection,
    actor: Actor,
    guest_id: UUID | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[ReadingRow]:
    """What guests read, the newest first, or by one of READING_ORDERS; of one. Raises NotAllowed, Invalid (limit, cursor, order)."""
    require(actor, APPROVE_GUESTS)
    keys: Keys = {"x.read_at": datetime.fromisoformat, "x.reading_id": UUID}
    by, of = order_asked(order, READING_ORDERS), {"x.guest_id = %s": guest_id}
    return read_page(connection, _READINGS, of, keys, ReadingRow, limit, cursor, newest_first=True, order=by)
