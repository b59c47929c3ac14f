"""Who may sign in and who does: users, own sessions, counters, badges, PINs and failures. It only reads, and never what a password,
a PIN or a cookie is kept as.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile import sessions
from stockpile.db.engine import ask
from stockpile.reports.keyset import Page, read_page, spellings
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import KEEP_USERS, READ_PEOPLE, RESET_PINS, Actor, require


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user. `one_time`: the password is a one-time code still; `last_seen_at`: in any session."""

    user_id: UUID
    name: str
    person: str
    role: str
    site: str | None
    donor: str | None
    one_time: bool
    created_at: datetime
    disabled_at: datetime | None
    last_seen_at: datetime | None


_USERS = f"""
SELECT u.name, u.user_id, u.name, {named("p")}, u.role, s.code, d.code, u.must_change, u.created_at, u.disabled_at,
       (SELECT max(e.last_seen_at) FROM session e WHERE e.user_id = u.user_id)
FROM stockpile.user u LEFT JOIN party p ON p.party_id = u.party_id LEFT JOIN site s ON s.site_id = u.site_id
LEFT JOIN party d ON d.party_id = u.donor_id
"""


def search_users(
    connection: Connection,
    actor: Actor | None = None,
    text: str | None = None,
    alive: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[UserRow]:
    """Users by name: with a part of name, person, role or site; `alive` leaves out the disabled. `actor` None: who administers the
    machine. Raises NotAllowed, Invalid (limit, cursor).
    """
    if actor is not None:
        require(actor, KEEP_USERS)
    where = {
        "concat_ws(' ', u.name, p.code, p.name, u.role, s.code, d.code) ILIKE ANY (%s)": spellings(text),
        "(u.disabled_at IS NULL) = %s": alive or None,
    }
    return read_page(connection, _USERS, where, {"u.name": str}, UserRow, limit, cursor)


def read_user(connection: Connection, user_id: UUID) -> UserRow:
    """One user that is there."""
    return UserRow(*connection.exec_driver_sql(f"{_USERS} WHERE u.user_id = %s", (user_id,)).one()[1:])


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session of one's own that is not over; `this`: the one that asks."""

    session_id: UUID
    name: str
    role: str
    site: str | None
    counter: str | None
    how: str
    created_at: datetime
    last_seen_at: datetime
    ends_at: datetime
    this: bool


_SESSIONS = f"""
SELECT e.session_id, u.name, u.role, s.code, c.label, e.how, e.created_at, e.last_seen_at, e.ends_at, e.session_id IS NOT DISTINCT FROM %s
FROM session e JOIN stockpile.user u USING (user_id) LEFT JOIN site s ON s.site_id = u.site_id
LEFT JOIN counter c ON c.counter_id = e.counter_id
WHERE {sessions.OWN} AND e.ended_at IS NULL AND e.ends_at > clock_timestamp() AND e.last_seen_at + e.idle > clock_timestamp()
  AND c.revoked_at IS NULL AND u.disabled_at IS NULL
ORDER BY e.created_at DESC LIMIT 200
"""


def own_sessions(connection: Connection, actor: Actor) -> list[SessionRow]:
    """Where the asker is signed in, in any role; as the registrar role."""
    asked = (actor.session_id, *sessions.owner(actor))
    return [SessionRow(*row) for row in connection.exec_driver_sql(_SESSIONS, asked)]


@dataclass(frozen=True, slots=True)
class CounterRow:
    """A counter with its book; `last_seen_at`: of any session there."""

    counter_id: UUID
    site: str
    label: str
    book: str
    enrolled_by: str
    enrolled_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    last_seen_at: datetime | None


_COUNTERS = f"""
SELECT s.code, c.counter_id, c.counter_id, s.code, c.label, c.book_code, {named("e")}, c.enrolled_at,
       CASE WHEN c.revoked_by IS NOT NULL THEN {named("w")} END, c.revoked_at,
       (SELECT max(x.last_seen_at) FROM session x WHERE x.counter_id = c.counter_id)
FROM counter c JOIN site s ON s.site_id = c.site_id
LEFT JOIN party e ON e.party_id = c.enrolled_by
LEFT JOIN party w ON w.party_id = c.revoked_by
"""


def search_counters(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    alive: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[CounterRow]:
    """Counters by site, in the order of their enrolment; `alive` leaves out the revoked. Raises NotAllowed, NotFound (site), Invalid
    (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    where = {
        "c.site_id = %s": site_asked(connection, actor, site),
        "(c.revoked_at IS NULL) = %s": alive or None,
    }
    return read_page(connection, _COUNTERS, where, {"s.code": str, "c.counter_id": UUID}, CounterRow, limit, cursor)


def read_counter(connection: Connection, counter_id: UUID) -> CounterRow:
    """One counter that is there."""
    return CounterRow(*connection.exec_driver_sql(f"{_COUNTERS} WHERE c.counter_id = %s", (counter_id,)).one()[2:])


@dataclass(frozen=True, slots=True)
class BadgeRow:
    """A badge that was registered for somebody."""

    badge_id: UUID
    person: str
    text: str
    registered_by: str
    registered_at: datetime
    revoked_at: datetime | None


_BADGES = f"""
SELECT b.badge_id, b.badge_id, {named("p")}, b.text, {named("r")}, b.registered_at, b.revoked_at
FROM badge b JOIN party p ON p.party_id = b.party_id LEFT JOIN party r ON r.party_id = b.registered_by
"""


def search_badges(
    connection: Connection, actor: Actor, text: str | None = None, limit: int = 100, cursor: str | None = None
) -> Page[BadgeRow]:
    """Badges in the order of their registration: with a part of the badge, the number or the name. Raises NotAllowed, Invalid (limit,
    cursor).
    """
    require(actor, RESET_PINS)
    where = {
        "concat_ws(' ', b.text, p.code, p.name) ILIKE ANY (%s)": spellings(text),
        "p.site_id = %s": site_asked(connection, actor, None),
    }
    return read_page(connection, _BADGES, where, {"b.badge_id": UUID}, BadgeRow, limit, cursor)


def read_badge(connection: Connection, badge_id: UUID) -> BadgeRow:
    """One badge that is there."""
    return BadgeRow(*connection.exec_driver_sql(f"{_BADGES} WHERE b.badge_id = %s", (badge_id,)).one()[1:])


@dataclass(frozen=True, slots=True)
class PinRow:
    """That somebody's PIN was set, by whom and when; `one_time`: to be changed at its first use; `newest`: it holds."""

    person: str
    set_by: str
    set_at: datetime
    own_choice: bool
    one_time: bool
    newest: bool


_PINS = f"""
SELECT n.set_at, n.party_id, n.version, {named("p")}, {named("b")}, n.set_at, n.set_by = n.party_id, n.must_change,
       NOT EXISTS (SELECT FROM pin later WHERE later.party_id = n.party_id AND later.version > n.version)
FROM pin n JOIN party p ON p.party_id = n.party_id LEFT JOIN party b ON b.party_id = n.set_by
"""


def list_pins(
    connection: Connection, actor: Actor, text: str | None = None, limit: int = 100, cursor: str | None = None
) -> Page[PinRow]:
    """Who set whose PIN when, the newest first: with a part of the number or the name. Raises NotAllowed, Invalid (limit, cursor)."""
    require(actor, READ_PEOPLE)
    where = {
        "concat_ws(' ', p.code, p.name) ILIKE ANY (%s)": spellings(text),
        "p.site_id = %s": site_asked(connection, actor, None),
    }
    order: dict[str, Any] = {"n.set_at": datetime.fromisoformat, "n.party_id": UUID, "n.version": int}
    return read_page(connection, _PINS, where, order, PinRow, limit, cursor, newest_first=True)


@dataclass(frozen=True, slots=True)
class FailureRow:
    """Who failed to sign in, where, how often, and until when that pair waits. `who`: unknown name, if nobody has it."""

    who: str
    by: str
    site: str | None
    place: str
    failures: int
    failures_in_all: int
    first_at: datetime
    last_at: datetime
    waits_until: datetime | None


_FAILURES = f"""
SELECT f.last_at, f.subject, f.place,
       CASE WHEN f.party_id IS NULL THEN 'unknown name' ELSE {named("p")} END,
       CASE WHEN u.name IS NOT NULL THEN 'password of ' || u.name WHEN f.party_id IS NOT NULL THEN 'PIN' ELSE '' END,
       s.code, coalesce(c.label, f.place), f.failures, f.failures_in_all, f.first_at, f.last_at,
       CASE WHEN f.not_before > clock_timestamp() THEN f.not_before END
FROM sign_in_failure f LEFT JOIN party p ON p.party_id = f.party_id LEFT JOIN stockpile.user u ON u.user_id = f.user_id
LEFT JOIN site s ON s.site_id = f.site_id LEFT JOIN counter c ON c.counter_id = f.counter_id
"""


def list_failures(
    connection: Connection, actor: Actor, site: str | None = None, limit: int = 100, cursor: str | None = None
) -> Page[FailureRow]:
    """Failures to sign in, the newest first: a commander's of the own site, a registrar's all. Raises NotAllowed, NotFound (site),
    Invalid (limit, cursor).
    """
    require(actor, RESET_PINS)
    where = {"f.site_id = %s": site_asked(connection, actor, site)}
    order: dict[str, Any] = {"f.last_at": datetime.fromisoformat, "f.subject": UUID, "f.place": str}
    return read_page(connection, _FAILURES, where, order, FailureRow, limit, cursor, newest_first=True)


_IN_VIEW = """
SELECT CASE WHEN p.erased_at IS NULL THEN concat_ws(' ', p.rank, p.name) ELSE 'erased person' END, c.label
FROM party p LEFT JOIN counter c ON c.counter_id = %s WHERE p.party_id = %s
"""


def in_view(connection: Connection, actor: Actor) -> tuple[str, str | None]:
    """The asker's name and counter; as the registrar role."""
    ((name, counter),) = ask(connection, _IN_VIEW, (actor.counter_id, actor.party_id))
    return name, counter
