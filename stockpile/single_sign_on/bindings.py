"""Whose account at a provider is which user here. A registrar decides it, knowing the person; no name or address that a provider tells
decides anything. Who bound and unbound whom stays on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile import sessions
from stockpile.counters import Counter
from stockpile.db.engine import one_writer
from stockpile.documents import now
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.passwords import new_one_time_code
from stockpile.rights import ROLES, Actor
from stockpile.sentences import sentence
from stockpile.sessions import SINGLE_SIGN_ON, NewSession
from stockpile.settings import Settings
from stockpile.single_sign_on.openid import LONGEST_SUBJECT, Vouched
from stockpile.single_sign_on.providers import Provider, find_provider
from stockpile.users import find_user

KEPT = "30 days"
"""How long somebody who waits is remembered."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A user that an account at a provider is."""

    binding_id: UUID
    user_id: UUID
    role: str
    site_id: UUID | None


# The scope is asked for again here: a row that should not be there signs nobody in.
_BOUND = """
SELECT b.binding_id, u.user_id, u.role, u.site_id
FROM sign_in_binding b JOIN sign_in_provider p USING (provider_id) JOIN stockpile.user u USING (user_id)
WHERE b.provider_id = %s AND b.subject = %s AND b.unbound_at IS NULL AND p.ended_at IS NULL AND u.disabled_at IS NULL
  AND u.donor_id IS NOT DISTINCT FROM p.donor_id
ORDER BY array_position(%s::text[], u.role), u.name
"""


def bound_to(connection: Connection, provider_id: UUID, subject: str) -> list[Bound]:
    """The users that an account is, one for each role of the person, as the registrar role."""
    return [Bound(*row) for row in connection.exec_driver_sql(_BOUND, (provider_id, subject, list(ROLES)))]


def of_same_account(connection: Connection, session_id: UUID) -> list[Bound]:
    """The users that the account is by which a session was opened, as the registrar role."""
    row = connection.exec_driver_sql(
        "SELECT b.provider_id, b.subject FROM session e JOIN sign_in_binding b USING (binding_id) WHERE e.session_id = %s",
        (session_id,),
    ).one_or_none()
    return bound_to(connection, *row) if row else []


def change_user(
    connection: Connection, settings: Settings, actor: Actor, counter: Counter | None, user_id: UUID
) -> NewSession:
    """Goes on as another user of the same account: the present session is over. Raises NotAllowed."""
    assert actor.session_id is not None
    wanted = next((one for one in of_same_account(connection, actor.session_id) if one.user_id == user_id), None)
    if wanted is None:
        raise NotAllowed(sentence("Your account is not bound to this user."))
    sessions.end(connection, actor, actor.session_id)
    return begin_session(connection, settings, wanted, counter)


def begin_session(connection: Connection, settings: Settings, bound: Bound, counter: Counter | None) -> NewSession:
    """A session of who came by a provider; at a counter of the user's own site as sitting there."""
    here = counter if counter is not None and counter.site.site_id == bound.site_id else None
    return sessions.begin(connection, bound.user_id, SINGLE_SIGN_ON, here, settings, bound.binding_id)


def ask_to_be_bound(connection: Connection, provider: Provider, vouched: Vouched) -> str:
    """Keeps that somebody came whom nobody has bound yet, as the registrar role; the code that they read to the registrar."""
    connection.exec_driver_sql(f"DELETE FROM sign_in_request WHERE last_at < clock_timestamp() - interval '{KEPT}'")
    moment, code = now(), new_one_time_code()[:9]
    return str(
        connection.exec_driver_sql(
            """INSERT INTO sign_in_request AS r (request_id, provider_id, subject, called, code, first_at, last_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (provider_id, subject) DO UPDATE SET called = excluded.called, last_at = excluded.last_at
               RETURNING r.code""",
            (new_key(), provider.provider_id, vouched.subject, vouched.called, code, moment, moment),
        ).scalar_one()
    )


def bind_request(connection: Connection, request_id: UUID, user: str, bound_by: UUID | None) -> UUID:
    """Binds somebody who waits to a user, by sign-in name, as the registrar role. Raises NotFound (request), Invalid."""
    row = connection.exec_driver_sql(
        """SELECT p.code, r.subject FROM sign_in_request r JOIN sign_in_provider p USING (provider_id)
           WHERE r.request_id = %s AND p.ended_at IS NULL""",
        (request_id,),
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("Nobody waits to be bound under this number any more."))
    return bind(connection, row[0], row[1], user, bound_by)


def bind(connection: Connection, provider: str, subject: str, user: str, bound_by: UUID | None) -> UUID:
    """From now on an account at a provider signs this user in, as the registrar role. `bound_by` None: who administers the machine.

    Raises Invalid naming what is unknown, beyond the provider's scope, or bound otherwise.
    """
    one_writer(connection)
    faults: list[Fault] = []
    provider_id = _provider(connection, provider, faults)
    if not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        faults.append(
            Fault(sentence("1 to {most} characters, as the provider has them", most=LONGEST_SUBJECT), field="subject")
        )
    user_id = _user(connection, user, faults)
    if provider_id is not None and user_id is not None and not faults:
        faults += _conflicts(connection, provider_id, subject, user_id, user)
    if faults:
        raise Invalid(sentence("Nothing was bound."), faults)
    binding_id = new_key()
    connection.exec_driver_sql(
        """INSERT INTO sign_in_binding (binding_id, provider_id, subject, user_id, bound_by, bound_at)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        (binding_id, provider_id, subject, user_id, bound_by, now()),
    )
    connection.exec_driver_sql(
        "DELETE FROM sign_in_request WHERE provider_id = %s AND subject = %s", (provider_id, subject)
    )
    return binding_id


def _provider(connection: Connection, code: str, faults: list[Fault]) -> UUID | None:
    try:
        return find_provider(connection, code).provider_id
    except NotFound:
        faults.append(Fault(sentence("there is no provider of this code"), field="provider", value=code))
        return None


def _user(connection: Connection, name: str, faults: list[Fault]) -> UUID | None:
    try:
        return find_user(connection, name.replace("\0", ""))
    except NotFound as unknown:
        faults.append(Fault(unknown.detail, field="user", value=name))
        return None


def _conflicts(connection: Connection, provider_id: UUID, subject: str, user_id: UUID, user: str) -> list[Fault]:
    """What speaks against binding these two."""
    in_scope = connection.exec_driver_sql("SELECT vouches_for(%s, %s)", (provider_id, user_id)).scalar_one()
    if not in_scope:
        return [
            Fault(
                sentence(
                    "not one of the people for whom this provider vouches: a donor's provider signs in that donor's people alone, the "
                    "host's the host's"
                ),
                field="user",
                value=user,
            )
        ]
    taken = connection.exec_driver_sql(
        "SELECT 1 FROM sign_in_binding WHERE provider_id = %s AND user_id = %s AND unbound_at IS NULL",
        (provider_id, user_id),
    ).first()
    if taken:
        return [Fault(sentence("bound to an account there already: unbind that one first"), field="user", value=user)]
    another = connection.exec_driver_sql(
        """SELECT 1 FROM sign_in_binding b JOIN stockpile.user u USING (user_id)
           WHERE b.provider_id = %s AND b.subject = %s AND b.unbound_at IS NULL
             AND (u.party_id <> (SELECT w.party_id FROM stockpile.user w WHERE w.user_id = %s) OR u.role = 'donor')""",
        (provider_id, subject, user_id),
    ).first()
    if another:
        return [Fault(sentence("this account is another person's here: unbind that one first"), field="subject")]
    return []


def unbind(connection: Connection, binding_id: UUID, unbound_by: UUID | None) -> None:
    """From now on the account signs this user in no more, and every session that it opened is over; again changes nothing. As the
    registrar role. Raises NotFound.
    """
    if not connection.exec_driver_sql("SELECT 1 FROM sign_in_binding WHERE binding_id = %s", (binding_id,)).first():
        raise NotFound(sentence("There is no binding {binding_id}.", binding_id=binding_id))
    connection.exec_driver_sql(
        "UPDATE sign_in_binding SET unbound_by = %s, unbound_at = %s WHERE binding_id = %s AND unbound_at IS NULL",
        (unbound_by, now(), binding_id),
    )
    sessions.end_these(connection, "binding_id = %s", binding_id)


def find_binding(connection: Connection, provider: str, user: str) -> UUID:
    """The binding of a user at a provider that is in force, as the registrar role. Raises NotFound."""
    found = connection.exec_driver_sql(
        """SELECT b.binding_id FROM sign_in_binding b JOIN sign_in_provider p USING (provider_id)
           WHERE p.code = %s AND b.user_id = %s AND b.unbound_at IS NULL""",
        (provider, find_user(connection, user)),
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(sentence("{user} is bound to no account at {provider}.", user=user, provider=provider))
    return UUID(str(found))


def dismiss(connection: Connection, request_id: UUID) -> None:
    """Takes away that somebody waits, as the registrar role; who comes again waits again. Raises NotFound."""
    gone = connection.exec_driver_sql("DELETE FROM sign_in_request WHERE request_id = %s", (request_id,))
    if gone.rowcount == 0:
        raise NotFound(sentence("Nobody waits to be bound under this number any more."))
