"""Badges and PINs of people. A PIN belongs to the person, whatever the role, and holds at enrolled counters of the site where the
person serves, nowhere else. Who gives another person a PIN gives a one-time one, shown once, changed at its first use; who set each
is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from stockpile import attempts, sessions
from stockpile.attempts import Subject, Where
from stockpile.counters import Counter
from stockpile.db.engine import ask, at_once, connected, nobody_erased, one_writer
from stockpile.documents import now, printable
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.parties import UNIDENTIFIED, Party, find_party
from stockpile.passwords import digits_of, hashed, matches, new_one_time_pin, pin_faults
from stockpile.rights import RESET_PINS, Actor, require
from stockpile.sentences import sentence, words_of

LONGEST_BADGE = 200

WRONG = sentence("The badge or the PIN is wrong, or the badge is not one of this site.")


@dataclass(frozen=True, slots=True)
class Proven:
    """A person who proved by PIN who they are. `must_change`: by a one-time PIN."""

    party_id: UUID
    must_change: bool


@dataclass(frozen=True, slots=True)
class OneTimePin:
    """A PIN just given to somebody, shown this once."""

    party_id: UUID
    person: str
    pin: str


def badge_text(text: str) -> str:
    """A badge as it is compared: without blanks and line end, in capitals."""
    return text.strip().upper()


def prove(engine: Engine, counter: Counter | None, badge: str, pin: str, address: str) -> Proven:
    """Who shows a badge and knows its PIN at an enrolled counter.

    Raises NotAllowed (no counter), TooSoon, Invalid without saying which of the two was wrong.
    """
    if counter is None:
        raise NotAllowed(sentence("A PIN holds at an enrolled counter only. Its commander or a registrar enrols one."))
    where = Where(address, counter)
    with connected(at_once(engine)) as connection:
        rows = ask(
            connection,
            "SELECT party_id, pin_hash, must_change FROM pin_of(%s, %s)",
            (counter.counter_id, badge.strip()[:LONGEST_BADGE].replace("\0", "")),
        )
    party_id, kept, must_change = rows[0] if rows else (None, None, None)
    subject = Subject(party_id, party_id=party_id) if party_id else Subject.unknown(badge_text(badge))
    attempts.begin_attempt(engine, subject, where)
    if not matches(digits_of(pin), kept) or party_id is None:
        raise Invalid(WRONG, [Fault(sentence("wrong, or not of this badge"), field="pin")])
    attempts.went_well(engine, subject, where)
    return Proven(party_id, bool(must_change))


def give_one_time_pin(connection: Connection, actor: Actor, person: str) -> OneTimePin:
    """A one-time PIN for somebody of the site who has none or forgot it: the former holds no more, what it opened is over, and
    nobody waits any longer. Raises NotAllowed, Invalid (person).
    """
    require(actor, RESET_PINS)
    found = _person(connection, actor, person)
    pin = new_one_time_pin()
    _keep(connection, found.party_id, pin, actor.party_id, must_change=True)
    sessions.end_by_pin(connection, found.party_id)
    connection.exec_driver_sql(
        "UPDATE sign_in_failure SET failures = 0, not_before = last_at WHERE subject = %s", (found.party_id,)
    )
    return OneTimePin(found.party_id, found.display, pin)


def choose_pin(
    connection: Connection, party_id: UUID, pin: str, field: str = "new_pin", but: UUID | None = None
) -> None:
    """A person's own choice, proven before, as the registrar role; sessions that the former opened are over, but one.

    Raises Invalid (field).
    """
    pin = digits_of(pin)
    numbers = connection.exec_driver_sql(
        "SELECT code FROM party WHERE party_id = %(p)s UNION ALL SELECT text FROM badge WHERE party_id = %(p)s",
        {"p": party_id},
    ).scalars()
    faults = pin_faults(pin, [number for number in numbers if number], field)
    if faults:
        raise Invalid(sentence("The PIN was not changed."), faults)
    _keep(connection, party_id, pin, party_id, must_change=False)
    sessions.end_by_pin(connection, party_id, but)


def _keep(connection: Connection, party_id: UUID, pin: str, set_by: UUID, must_change: bool) -> None:
    """As the newest version; nothing is left of the former but who set it when."""
    kept = hashed(pin)
    nobody_erased(connection)
    one_writer(connection)
    connection.exec_driver_sql("UPDATE pin SET pin_hash = NULL WHERE party_id = %s", (party_id,))
    connection.exec_driver_sql(
        """INSERT INTO pin (party_id, version, pin_hash, must_change, set_by, set_at)
           SELECT %(party)s, coalesce(max(version), 0) + 1, %(hash)s, %(change)s, %(by)s, %(at)s FROM pin WHERE party_id = %(party)s""",
        {"party": party_id, "hash": kept, "change": must_change, "by": set_by, "at": now()},
    )


def register_badge(connection: Connection, actor: Actor, person: str, text: str) -> UUID:
    """From now on this text, as a scanner reads it, is the person's badge. The same again gives the same badge.

    Raises NotAllowed, Invalid (person, text).
    """
    require(actor, RESET_PINS)
    found = _person(connection, actor, person)
    text = badge_text(text)
    fault = _badge_fault(text)
    one_writer(connection)
    if fault is None and _is_a_service_number(connection, text):
        fault = sentence("this is a service number, which is a badge by itself")
    if fault is not None:
        raise Invalid(
            sentence("The badge was not registered."), [Fault(fault, field="text", value=text[:LONGEST_BADGE])]
        )
    known = connection.exec_driver_sql(
        "SELECT badge_id FROM badge WHERE text = %s AND party_id = %s AND revoked_at IS NULL", (text, found.party_id)
    ).scalar()
    if known is not None:
        return UUID(str(known))
    badge_id = new_key()
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(
                "INSERT INTO badge (badge_id, party_id, text, registered_by, registered_at) VALUES (%s, %s, %s, %s, %s)",
                (badge_id, found.party_id, text, actor.party_id, now()),
            )
    except IntegrityError as problem:
        if not isinstance(problem.orig, UniqueViolation):
            raise
        fault = sentence("this is another person's badge: revoke that one first")
        raise Invalid(sentence("The badge was not registered."), [Fault(fault, field="text", value=text)]) from None
    return badge_id


def _badge_fault(text: str) -> str | None:
    if not 1 <= len(text) <= LONGEST_BADGE:
        return sentence("1 to {most} characters", most=LONGEST_BADGE)
    try:
        printable(text)
    except ValueError as problem:
        return words_of(problem)
    return None


def _is_a_service_number(connection: Connection, text: str) -> bool:
    """Whether it is one that the asker may see; one of another site never opens anything here."""
    found = connection.exec_driver_sql("SELECT 1 FROM party WHERE kind = 'person' AND upper(code) = %s", (text,))
    return found.first() is not None


def revoke_badge(connection: Connection, actor: Actor, badge_id: UUID) -> None:
    """Lost, stolen, replaced: it opens nothing any more; again changes nothing. Raises NotAllowed, NotFound."""
    require(actor, RESET_PINS)
    if not connection.exec_driver_sql("SELECT 1 FROM badge WHERE badge_id = %s", (badge_id,)).first():
        raise NotFound(sentence("There is no badge {badge_id} here.", badge_id=badge_id))
    connection.exec_driver_sql(
        "UPDATE badge SET revoked_at = %s WHERE badge_id = %s AND revoked_at IS NULL", (now(), badge_id)
    )


def find_by_badge(connection: Connection, scanned: str) -> Party | None:
    """Whose badge was scanned: by service number, else by a registered badge; None: nobody's whom the asker may see."""
    for code in dict.fromkeys((scanned.strip(), badge_text(scanned))):
        if code and (found := find_party(connection, "person", code)) is not None:
            return found
    row = connection.exec_driver_sql(
        """SELECT p.party_id, p.kind, p.code, p.name, p.rank FROM badge b JOIN party p USING (party_id)
           WHERE b.text = %s AND b.revoked_at IS NULL""",
        (badge_text(scanned),),
    ).one_or_none()
    return Party(*row) if row else None


def _person(connection: Connection, actor: Actor, scanned: str) -> Party:
    """Somebody whom the asker may see, who serves at the asker's own site if the asker is bound to one. Raises Invalid."""
    found = find_by_badge(connection, scanned)
    site_id = (
        found
        and connection.exec_driver_sql("SELECT site_id FROM party WHERE party_id = %s", (found.party_id,)).scalar()
    )
    nobody = found is None or (found.code or "").startswith(UNIDENTIFIED)
    if found is None or nobody or (actor.site_id is not None and site_id != actor.site_id):
        fault, nobodys = sentence("not a service number or badge"), sentence("Nobody has this number or badge.")
        if actor.site_code:
            fault = sentence("not a service number or badge of {site}", site=actor.site_code)
            nobodys = sentence("Nobody of {site} has this number or badge.", site=actor.site_code)
        raise Invalid(nobodys, [Fault(fault, field="person", value=scanned)])
    return found
