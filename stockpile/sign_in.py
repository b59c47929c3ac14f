"""Signing in: by name and password anywhere, by badge and PIN at an enrolled counter. Who fails is told no more than that; an unknown
name takes as long as a wrong password.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile import attempts, guests, passwords, pins, sessions, users
from stockpile.attempts import Subject, Where
from stockpile.counters import Counter
from stockpile.db import roles
from stockpile.db.engine import ask, at_once, connected, transaction
from stockpile.errors import Fault, Invalid, NotAllowed, NotSignedIn
from stockpile.rights import ARMOURER, CLERK, COMMANDER, Actor
from stockpile.sentences import sentence
from stockpile.sessions import BADGE_AND_PIN, PASSWORD, SINGLE_SIGN_ON, Known, NewSession
from stockpile.settings import Settings
from stockpile.single_sign_on import bindings

WRONG = sentence("The name or the password is wrong.")

AT_A_COUNTER = (CLERK, ARMOURER, COMMANDER)
"""The roles that badge and PIN open, the first that somebody has: a registrar's, whose scope is the country, takes a password."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role in which a person can sign in at a counter."""

    user_id: UUID
    role: str


def by_password(engine: Engine, settings: Settings, name: str, password: str, where: Where) -> NewSession:
    """Signs a user in; at a counter of the user's own site as sitting there. Raises TooSoon, NotSignedIn (also a guest out of time)."""
    name = users.sign_in_name(name).replace("\0", "")[: users.LONGEST_NAME]
    with connected(at_once(engine)) as connection:
        rows = ask(connection, "SELECT user_id, party_id, site_id, password_hash FROM password_of(%s)", (name,))
    user_id, party_id, site_id, kept = rows[0] if rows else (None, None, None, None)
    subject = Subject(user_id, user_id, party_id, site_id) if user_id else Subject.unknown(name)
    attempts.begin_attempt(engine, subject, where)
    if not passwords.matches(password, kept) or user_id is None:
        raise NotSignedIn(WRONG)
    attempts.went_well(engine, subject, where)
    counter = where.counter if where.counter and where.counter.site.site_id == site_id else None
    with transaction(engine, roles.REGISTRAR) as connection:
        guests.need_time(connection, user_id)
        return sessions.begin(connection, user_id, PASSWORD, counter, settings)


def by_badge(engine: Engine, settings: Settings, badge: str, pin: str, where: Where) -> NewSession:
    """Signs a person in at an enrolled counter of the site, in the first of their roles there; `change_role` takes another.

    Raises NotAllowed (no counter; no role at this site), TooSoon, Invalid (a wrong badge or PIN).
    """
    proven = pins.prove(engine, where.counter, badge, pin, where.address)
    assert where.counter is not None
    with transaction(engine, roles.REGISTRAR) as connection:
        own = roles_at(connection, proven.party_id, where.counter.site.site_id)
        if not own:
            raise NotAllowed(
                sentence(
                    "You have no role at {site}: with your PIN you sign for weapons. A registrar gives roles.",
                    site=where.counter.site.code,
                )
            )
        return sessions.begin(connection, own[0].user_id, BADGE_AND_PIN, where.counter, settings)


def roles_at(connection: Connection, party_id: UUID, site_id: UUID) -> list[Role]:
    """The roles that a person has at a site, as the registrar role."""
    rows = connection.exec_driver_sql(
        """SELECT user_id, role FROM stockpile.user WHERE party_id = %s AND site_id = %s AND disabled_at IS NULL
           ORDER BY array_position(%s::text[], role)""",
        (party_id, site_id, list(AT_A_COUNTER)),
    )
    return [Role(*row) for row in rows]


def change_role(engine: Engine, settings: Settings, actor: Actor, counter: Counter | None, user_id: UUID) -> NewSession:
    """Goes on in another role of the same person, at the same counter or by the same account at a provider: the present session is
    over. Raises NotAllowed.
    """
    with transaction(engine, roles.REGISTRAR) as connection:
        how = connection.exec_driver_sql(
            "SELECT how FROM session WHERE session_id = %s AND ended_at IS NULL", (actor.session_id,)
        ).scalar()
        if how == SINGLE_SIGN_ON:
            return bindings.change_user(connection, settings, actor, counter, user_id)
        if actor.counter_id is None or counter is None or counter.counter_id != actor.counter_id:
            raise NotAllowed(
                sentence("Roles are changed at the enrolled counter where you signed in by badge and PIN.")
            )
        if how != BADGE_AND_PIN or user_id not in {
            own.user_id for own in roles_at(connection, actor.party_id, counter.site.site_id)
        }:
            raise NotAllowed(
                sentence("This is no role of yours here, or you signed in by password: then sign in by the other name.")
            )
        assert actor.session_id is not None
        sessions.end(connection, actor, actor.session_id)
        return sessions.begin(connection, user_id, BADGE_AND_PIN, counter, settings)


def roles_of(engine: Engine, actor: Actor) -> list[Role]:
    """The roles that somebody may go on in, as they came in: by badge at a counter, or by an account at a provider."""
    with transaction(engine, roles.REGISTRAR) as connection:
        how = connection.exec_driver_sql("SELECT how FROM session WHERE session_id = %s", (actor.session_id,)).scalar()
        if how == SINGLE_SIGN_ON:
            assert actor.session_id is not None
            bound = bindings.of_same_account(connection, actor.session_id)
            return [Role(one.user_id, one.role) for one in bound]
        if how == PASSWORD or actor.site_id is None:
            return []
        return roles_at(connection, actor.party_id, actor.site_id)


def change_password(engine: Engine, known: Known, present: str, wanted: str, where: Where) -> None:
    """A user's own choice; every other session of theirs is over. `present` is asked for, but of who just signed in by a one-time
    code. Raises Invalid, TooSoon.
    """
    actor = known.actor
    assert actor.user_id is not None
    with transaction(engine, roles.REGISTRAR) as connection:
        name, *others = users.known_of(connection, actor.user_id)
    if known.must_change != PASSWORD:
        _check_present(engine, actor, name, present, where)
    elif matches_present(engine, name, wanted):
        raise Invalid(
            sentence("The password was not changed."),
            [Fault(sentence("this is the one-time code: choose another"), field="password")],
        )
    faults = passwords.password_faults(wanted, (name, *others))
    if faults:
        raise Invalid(sentence("The password was not changed."), faults)
    with transaction(engine, roles.REGISTRAR) as connection:
        users.keep_password(connection, actor.user_id, wanted, must_change=False)
        sessions.end_others(connection, actor.user_id, actor.session_id)


def _check_present(engine: Engine, actor: Actor, name: str, present: str, where: Where) -> None:
    assert actor.user_id is not None
    subject = Subject(actor.user_id, actor.user_id, actor.party_id, actor.site_id)
    attempts.begin_attempt(engine, subject, where)
    if not matches_present(engine, name, present):
        raise Invalid(
            sentence("The password was not changed."), [Fault(sentence("not your present password"), field="present")]
        )
    attempts.went_well(engine, subject, where)


def matches_present(engine: Engine, name: str, password: str) -> bool:
    """Whether it is the password that a user has now. Raises TooSoon."""
    with connected(at_once(engine)) as connection:
        rows = ask(connection, "SELECT password_hash FROM password_of(%s)", (name,))
    return passwords.matches(password, rows[0][0] if rows else None)


def change_pin(engine: Engine, known: Known, present: str, wanted: str, where: Where) -> None:
    """A person's own choice, at an enrolled counter. `present` is asked for, but of who just signed in by a one-time PIN; of who has
    none it is the password. Raises NotAllowed, Invalid, TooSoon.
    """
    actor = known.actor
    if where.counter is None or actor.site_id != where.counter.site.site_id:
        raise NotAllowed(sentence("A PIN is chosen at an enrolled counter of your site."))
    if known.must_change != "PIN":
        _prove_for_pin(engine, actor, present, where)
    with transaction(engine, roles.REGISTRAR) as connection:
        pins.choose_pin(connection, actor.party_id, wanted, "pin", but=actor.session_id)


def _prove_for_pin(engine: Engine, actor: Actor, present: str, where: Where) -> None:
    """By the present PIN or, whether there is one or not, the password of who signed in by it. Raises Invalid, TooSoon."""
    assert actor.user_id is not None
    with transaction(engine, roles.REGISTRAR) as connection:
        how = connection.exec_driver_sql(
            "SELECT how FROM session WHERE session_id = %s", (actor.session_id,)
        ).scalar_one()
        name, code = connection.exec_driver_sql(
            "SELECT u.name, p.code FROM stockpile.user u JOIN party p USING (party_id) WHERE u.user_id = %s",
            (actor.user_id,),
        ).one()
    try:
        if how == PASSWORD:
            _check_present(engine, actor, name, present, where)
        else:
            pins.prove(engine, where.counter, code or "", present, where.address)
    except Invalid:
        what = sentence("password") if how == PASSWORD else sentence("PIN")
        raise Invalid(
            sentence("The PIN was not changed."),
            [Fault(sentence("not your present {what}", what=what), field="present")],
        ) from None
