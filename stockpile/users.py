"""Users: who may sign in at a browser, each one person in one role and scope. A user is never deleted, only disabled; the password
is kept as argon2id alone (`passwords`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import one_writer
from stockpile.documents import now, printable
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.keys import new_key
from stockpile.parties import Party, find_party
from stockpile.passwords import hashed, new_one_time_code, password_faults
from stockpile.rights import DESK, DONOR, ROLES
from stockpile.sentences import of_the_books, sentence, words_of
from stockpile.sites import find_site

LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user just made; `code` is the one-time code to sign in with, shown this once, where no password was given."""

    user_id: UUID
    name: str
    code: str | None


def sign_in_name(text: str) -> str:
    """A name as it is compared: in one case, composed in one way."""
    return unicodedata.normalize("NFC", text.strip().casefold())


def add_user(
    connection: Connection,
    name: str,
    role: str,
    party: str | None = None,
    site: str | None = None,
    donor: str | None = None,
    password: str | None = None,
    made_by: UUID | None = None,
    password_hash: str | None = None,
    without_password: bool = False,
) -> NewUser:
    """Makes a user, as the registrar role. Without a password there is a one-time code, to be changed at the first sign-in; or none at
    all, `without_password`, for who comes by single sign-on. `password_hash` is for the demonstration alone.

    Raises Invalid naming each field that is missing, unknown or out of place.
    """
    faults: list[Fault] = []
    name = _checked_name(name, faults)
    if role not in ROLES:
        raise Invalid(
            sentence("The user was not added."),
            [Fault(sentence("one of {roles}", roles=", ".join(ROLES)), field="role", value=role)],
        )
    faults += _misplaced(role, party, site, donor)
    person = _found(connection, "donor" if role == DONOR else "person", donor if role == DONOR else party, faults)
    site_id = _found_site(connection, site, faults) if role in DESK else None
    if password is not None:
        faults += password_faults(password, _known(name, person))
    one_writer(connection)
    if not faults:
        faults += _taken(connection, name, person, role, site_id)
    if faults:
        raise Invalid(sentence("The user was not added."), faults)
    assert person is not None
    code = None if password or password_hash or without_password else new_one_time_code()
    user_id, moment = new_key(), now()
    connection.exec_driver_sql(
        """INSERT INTO stockpile.user (user_id, name, party_id, role, site_id, donor_id, password_hash, must_change,
                                       password_set_at, created_by, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            user_id, name, person.party_id, role, site_id, person.party_id if role == DONOR else None,
            None if without_password else password_hash or hashed(password or code or ""), code is not None, moment, made_by, moment,
        ),
    )  # fmt: skip
    return NewUser(user_id, name, code)


def find_user(connection: Connection, name: str) -> UUID:
    """The user of a sign-in name. Raises NotFound."""
    found = connection.exec_driver_sql(
        "SELECT user_id FROM stockpile.user WHERE name = %s", (sign_in_name(name),)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(sentence("There is no user {name!r}.", name=name))
    return UUID(str(found))


def disable_user(connection: Connection, user_id: UUID) -> None:
    """From now on the user signs in no more, and every session of theirs is over; again changes nothing. Raises NotFound."""
    _need(connection, user_id)
    moment = now()
    connection.exec_driver_sql(
        "UPDATE stockpile.user SET disabled_at = %s WHERE user_id = %s AND disabled_at IS NULL", (moment, user_id)
    )
    _end_sessions(connection, user_id)


def enable_user(connection: Connection, user_id: UUID) -> None:
    """Lets a disabled user sign in again. Raises NotFound, Invalid where the person has another user of that role by now."""
    name, party_id, role, site_id, erased = _need(connection, user_id)
    if erased:
        raise Invalid(sentence("The user was not enabled."), [Fault(sentence("the person was erased"), field="user")])
    one_writer(connection)
    other = connection.exec_driver_sql(
        f"SELECT name FROM stockpile.user WHERE {_SAME} AND user_id <> %s", (party_id, role, site_id, user_id)
    ).scalar()
    if other is not None and role != DONOR:
        raise Invalid(
            sentence("The user was not enabled."),
            [Fault(sentence("{other} is the same person in the same role", other=other), value=name)],
        )
    connection.exec_driver_sql("UPDATE stockpile.user SET disabled_at = NULL WHERE user_id = %s", (user_id,))


def set_password(connection: Connection, user_id: UUID, password: str | None = None) -> str | None:
    """Gives a user another password, or a one-time code, which is returned; every session of theirs is over.

    Raises NotFound, Invalid (password).
    """
    _need(connection, user_id)
    if password is not None:
        faults = password_faults(password, known_of(connection, user_id))
        if faults:
            raise Invalid(sentence("The password was not changed."), faults)
    code = None if password is not None else new_one_time_code()
    keep_password(connection, user_id, password or code or "", code is not None)
    _end_sessions(connection, user_id)
    return code


def take_password(connection: Connection, user_id: UUID) -> None:
    """Takes a user's password away: from now on they come by a provider alone, and every session of theirs is over. Raises NotFound."""
    _need(connection, user_id)
    connection.exec_driver_sql(
        "UPDATE stockpile.user SET password_hash = NULL, must_change = false, password_set_at = %s WHERE user_id = %s",
        (now(), user_id),
    )
    _end_sessions(connection, user_id)


def keep_password(connection: Connection, user_id: UUID, password: str, must_change: bool) -> None:
    """Keeps a password that was judged before."""
    connection.exec_driver_sql(
        "UPDATE stockpile.user SET password_hash = %s, must_change = %s, password_set_at = %s WHERE user_id = %s",
        (hashed(password), must_change, now(), user_id),
    )


def known_of(connection: Connection, user_id: UUID) -> list[str]:
    """What others know of a user: sign-in name, service number, name."""
    row = connection.exec_driver_sql(
        "SELECT u.name, p.code, p.name FROM stockpile.user u JOIN party p USING (party_id) WHERE u.user_id = %s",
        (user_id,),
    ).one()
    return [value for value in row if value]


def _known(name: str, person: Party | None) -> list[str]:
    return [value for value in (name, person.code if person else None, person.name if person else None) if value]


def _need(connection: Connection, user_id: UUID) -> tuple[str, UUID, str, UUID | None, bool]:
    row = connection.exec_driver_sql(
        """SELECT u.name, u.party_id, u.role, u.site_id, p.erased_at IS NOT NULL
           FROM stockpile.user u JOIN party p USING (party_id) WHERE u.user_id = %s""",
        (user_id,),
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no user {user_id}.", user_id=user_id))
    return (row[0], row[1], row[2], row[3], row[4])


def _end_sessions(connection: Connection, user_id: UUID) -> None:
    connection.exec_driver_sql(
        "UPDATE session SET ended_at = %s WHERE user_id = %s AND ended_at IS NULL", (now(), user_id)
    )


def _checked_name(name: str, faults: list[Fault]) -> str:
    name = sign_in_name(name)
    try:
        printable(name)
        if not 1 <= len(name) <= LONGEST_NAME or any(character.isspace() for character in name):
            faults.append(
                Fault(
                    sentence("1 to {most} characters without blanks", most=LONGEST_NAME),
                    field="name",
                    value=name,
                )
            )
    except ValueError as problem:
        faults.append(Fault(words_of(problem), field="name"))
    return name


def _misplaced(role: str, party: str | None, site: str | None, donor: str | None) -> list[Fault]:
    """What a role needs and what is not for it."""
    faults = []
    for field, value, wanted in (
        ("party", party, role != DONOR),
        ("site", site, role in DESK),
        ("donor", donor, role == DONOR),
    ):
        if wanted and value is None:
            faults.append(Fault(sentence("a user who is {role} needs it", role=of_the_books(role)), field=field))
        elif value is not None and not wanted:
            faults.append(
                Fault(sentence("a user who is {role} has none", role=of_the_books(role)), field=field, value=value)
            )
    return faults


def _found(connection: Connection, kind: str, code: str | None, faults: list[Fault]) -> Party | None:
    found = find_party(connection, kind, code) if code is not None else None
    if code is not None and found is None:
        field = "donor" if kind == "donor" else "party"
        faults.append(
            Fault(sentence("there is no {kind} with this code", kind=of_the_books(kind)), field=field, value=code)
        )
    return found


def _found_site(connection: Connection, code: str | None, faults: list[Fault]) -> UUID | None:
    try:
        return find_site(connection, code).site_id if code is not None else None
    except NotFound as problem:
        faults.append(Fault(problem.detail, field="site", value=code))
        return None


_SAME = "party_id = %s AND role = %s AND site_id IS NOT DISTINCT FROM %s AND disabled_at IS NULL"


def _taken(connection: Connection, name: str, person: Party | None, role: str, site_id: UUID | None) -> list[Fault]:
    if connection.exec_driver_sql("SELECT 1 FROM stockpile.user WHERE name = %s", (name,)).first():
        return [Fault(sentence("somebody signs in under this name already"), field="name", value=name)]
    if role == DONOR or person is None:
        return []
    same = connection.exec_driver_sql(
        f"SELECT name FROM stockpile.user WHERE {_SAME}", (person.party_id, role, site_id)
    ).scalar()
    return (
        [
            Fault(
                sentence("this person is {role} already, as {same}", role=of_the_books(role), same=same),
                field="party",
                value=person.code,
            )
        ]
        if same
        else []
    )
