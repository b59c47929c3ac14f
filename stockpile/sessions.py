"""Sessions: browsers in which somebody has signed in. A session ends by itself when it is unused for long or a shift is over, and at
once when its user is disabled or its counter revoked. The cookie's text exists in the browser alone; here is its SHA-256.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection

from stockpile.counters import Counter
from stockpile.db.engine import ask
from stockpile.documents import now
from stockpile.errors import MustChange, NotFound, NotSignedIn
from stockpile.guest_access import guest_of
from stockpile.keys import new_key
from stockpile.rights import DESK, GUEST, REGISTRAR, Actor
from stockpile.sentences import of_the_books, sentence
from stockpile.settings import Settings
from stockpile.sites import Site
from stockpile.tokens import DESK_BOOK, REGISTRAR_BOOK

PREFIX = "sps_"
FORM = re.compile(r"sps_[A-Za-z0-9_-]{43}")

PASSWORD, BADGE_AND_PIN, SINGLE_SIGN_ON = "password", "badge and PIN", "single sign-on"


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun, with the cookie's text: the only time that anybody sees it."""

    session_id: UUID
    text: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """Who a session belongs to. `must_change`: the password or PIN that has to be chosen before anything else is done."""

    actor: Actor
    must_change: str | None


_WHOSE = """
SELECT session_id, user_id, counter_id, party_id, role, donor_id, book_code, must_change,
       site_id, code, name, time_zone, custodian_id, declared_open_at
FROM authenticate_session(%s, %s)
"""


def find(connection: Connection, text: str | None, attended: bool = True) -> Known | None:
    """Whose session a cookie is; None: nobody's, or no more. The connection needs no database role yet. What is asked unattended, by a
    page on its own, keeps no session from being over when nobody uses it.
    """
    if text is None or not FORM.fullmatch(text):
        return None
    for session_id, user_id, counter_id, party_id, role, donor_id, book, must_change, *site in ask(
        connection, _WHOSE, (_hash(text), attended)
    ):
        actor = Actor(
            party_id, role, Site(*site) if site[0] else None, donor_id, _book(role, book),
            user_id=user_id, session_id=session_id, counter_id=counter_id,
        )  # fmt: skip
        guest = guest_of(connection, actor) if role == GUEST else actor
        return Known(guest, must_change) if guest is not None else None
    return None


def authenticate(connection: Connection, text: str, attended: bool = True) -> Actor:
    """Who a session's cookie speaks for. Raises NotSignedIn, without saying why; MustChange where a one-time code or PIN has to be
    changed first.
    """
    known = find(connection, text, attended)
    if known is None:
        raise NotSignedIn(sentence("Your session is over. Sign in again."))
    if known.must_change is not None:
        raise MustChange(
            sentence(
                "You signed in by a one-time {what}: choose your own first.", what=of_the_books(known.must_change)
            ),
            known.must_change,
        )
    return known.actor


def begin(
    connection: Connection,
    user_id: UUID,
    how: str,
    counter: Counter | None,
    settings: Settings,
    binding_id: UUID | None = None,
) -> NewSession:
    """Begins a session of somebody who proved who they are, as the registrar role. `counter`: the one they sit at, if it is of
    their site; `binding_id`: by which a provider vouched for them.
    """
    idle = settings.counter_idle_minutes if counter is not None else settings.session_idle_minutes
    text, session_id, moment = PREFIX + secrets.token_urlsafe(32), new_key(), now()
    ends_at = moment + timedelta(hours=settings.session_hours)
    connection.exec_driver_sql(
        """INSERT INTO session (session_id, secret_hash, user_id, counter_id, how, created_at, last_seen_at, idle, ends_at, binding_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            session_id, _hash(text), user_id, counter.counter_id if counter else None, how, moment, moment,
            timedelta(minutes=idle), ends_at, binding_id,
        ),
    )  # fmt: skip
    return NewSession(session_id, text, ends_at)


OWN = "(u.user_id = %s OR u.party_id = %s AND u.role <> 'donor')"
"""Whose sessions are one's own: a person's in any role; of a donor, who is many people, those of the same user."""


def owner(actor: Actor) -> tuple[UUID | None, UUID]:
    """The values of `OWN`."""
    return actor.user_id, actor.party_id


def end(connection: Connection, actor: Actor, session_id: UUID) -> None:
    """Ends a session of the asker's own, as the registrar role; again changes nothing. Raises NotFound."""
    own = connection.exec_driver_sql(
        f"SELECT 1 FROM session e JOIN stockpile.user u USING (user_id) WHERE e.session_id = %s AND {OWN}",
        (session_id, *owner(actor)),
    ).first()
    if own is None:
        raise NotFound(sentence("There is no session {session_id} of yours.", session_id=session_id))
    end_these(connection, "session_id = %s", session_id)


def end_others(connection: Connection, user_id: UUID, but: UUID | None) -> None:
    """Ends every session of a user but one, as the registrar role."""
    end_these(connection, "user_id = %s AND session_id IS DISTINCT FROM %s", user_id, but)


def end_by_pin(connection: Connection, party_id: UUID, but: UUID | None = None) -> None:
    """Ends every session, but one, that this person's PIN opened, as far as the role may."""
    end_these(
        connection,
        "how = %s AND session_id IS DISTINCT FROM %s AND user_id IN (SELECT u.user_id FROM stockpile.user u WHERE u.party_id = %s)",
        BADGE_AND_PIN, but, party_id,
    )  # fmt: skip


def end_these(connection: Connection, condition: str, *values: object) -> None:
    """Ends the sessions of a condition that are not over yet."""
    connection.exec_driver_sql(
        f"UPDATE session SET ended_at = %s WHERE ended_at IS NULL AND {condition}", (now(), *values)
    )


def _book(role: str, of_counter: str | None) -> str | None:
    """In which book a session posts: its counter's; away from one in the common one."""
    if role in DESK:
        return of_counter or DESK_BOOK
    return REGISTRAR_BOOK if role == REGISTRAR else None


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
