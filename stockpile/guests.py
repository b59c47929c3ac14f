"""Guests: a registrar invites somebody from outside, such as a UN panel or a parliament's auditor, for a time and a scope; another
person approves it; either ends it. What a guest may read: `guest_access`. None of it moves custody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import nobody_erased, one_writer, transaction
from stockpile.documents import Asked, Code, Words, now
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound, NotSignedIn, PostedWithOtherContent, Refused
from stockpile.guest_access import CONSIGNMENTS, COUNTRY
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.parties import Party, add_party, find_party, need_party
from stockpile.passwords import hashed, new_one_time_code
from stockpile.rights import APPROVE_GUESTS, GUEST, INVITE_GUESTS, Actor, require
from stockpile.sentences import of_the_books, sentence
from stockpile.tokens import LONGEST, Kept, keep_token
from stockpile.users import LONGEST_NAME, disable_user, sign_in_name

LONGEST_STAY = timedelta(days=366)
"""Who is to read for longer is invited anew."""

WAITING, APPROVED, REJECTED, WITHDRAWN = "waiting for approval", "approved", "rejected", "withdrawn"


class InviteGuest(Asked):
    """Invite somebody to read for a time. Takes a second person, who approves it."""

    guest_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    person: Code = Field(
        description="A number for the person, or the one that they have in the books", examples=["UN-1"]
    )
    name: Words | None = Field(
        None, description="Of somebody new to the books, who is registered at no site", examples=["Maria Silva"]
    )
    scope: Literal["country", "donor", "consignments"] = Field(
        description="Everything, as an auditor reads it; one donor's weapons; or those of named consignments",
        examples=["consignments"],
    )
    donor: Code | None = Field(None, description="Whose weapons; of a whole country: nobody's", examples=["USA"])
    consignments: Annotated[tuple[Code, ...], Field(max_length=50)] = Field(
        (), description="The donor's numbers of the consignments", examples=[["FMS-2026-117"]]
    )
    begins_at: AwareDatetime | None = Field(None, description="Left out: as soon as it is approved")
    ends_at: AwareDatetime = Field(description="At most a year after it begins", examples=["2027-03-31T00:00:00Z"])
    reason: Words = Field(description="Who asked for it, and what for", examples=["Panel of Experts, letter S/2026/14"])

    @model_validator(mode="after")
    def _scoped(self) -> InviteGuest:
        if (self.donor is None) != (self.scope == COUNTRY):
            raise ValueError(sentence("a whole country has no donor; all else names one"))
        if bool(self.consignments) != (self.scope == CONSIGNMENTS):
            raise ValueError(sentence("name the consignments if the guest reads those alone, and only then"))
        return self

    def content_hash(self) -> bytes:
        """SHA-256 of the validated request as canonical JSON, without the person: an erasure leaves no trace of the number."""
        return sha256(
            canonical({"guest": self.model_dump(mode="json", exclude={"guest_id", "person", "name"})})
        ).digest()


@dataclass(frozen=True, slots=True)
class Invited:
    """How an invitation stands. `name` and `code`: with which to sign in for the first time, shown to who approves, this once."""

    guest_id: UUID
    state: str
    name: str | None = None
    code: str | None = None


def invite(engine: Engine, actor: Actor, request: InviteGuest) -> Invited:
    """A registrar's invitation, kept for the second person. The same again gets the same answer.

    Raises NotAllowed, Invalid (person, donor, consignments, days), PostedWithOtherContent.
    """
    require(actor, INVITE_GUESTS)
    with transaction(engine, roles.REGISTRAR) as connection:
        nobody_erased(connection)
        one_writer(connection)
        known = _known(connection, request)
        if known is not None:
            return known
        asked_at = now()
        begins_at = request.begins_at or asked_at
        faults = _wrong_times(request, begins_at, asked_at)
        person = _person(connection, actor, request, faults)
        donor = need_party(connection, "donor", request.donor, "donor") if request.donor else None
        consignments = _consignments(connection, donor, request.consignments, faults)
        if faults:
            raise Invalid(sentence("The guest was not invited."), faults)
        person = person or add_party(connection, "person", request.person, request.name or "")
        row = {
            "guest_id": request.guest_id, "party_id": person.party_id, "scope": request.scope,
            "donor_id": donor.party_id if donor else None, "reason": request.reason, "from_at": begins_at, "until_at": request.ends_at,
            "content_hash": request.content_hash(), "asked_by": actor.party_id, "asked_at": asked_at,
        }  # fmt: skip
        connection.exec_driver_sql(
            f"INSERT INTO guest ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", tuple(row.values())
        )
        for consignment_id in consignments:
            connection.exec_driver_sql(
                "INSERT INTO guest_consignment VALUES (%s, %s)", (request.guest_id, consignment_id)
            )
        return Invited(request.guest_id, WAITING)


def _person(connection: Connection, actor: Actor, request: InviteGuest, faults: list[Fault]) -> Party | None:
    """Who is invited; None: somebody new. A fault for a number without a name that nobody has, or that is somebody else's."""
    known = find_party(connection, "person", request.person)
    if known is None and request.name is None:
        why = sentence("nobody in the books has this number: give the name too, and they are registered")
        faults.append(Fault(why, field="name"))
    elif known is not None and request.name not in (None, known.name):
        why = sentence("this number is {name}'s: leave the name out, or take another number", name=known.name)
        faults.append(Fault(why, field="person", value=request.person))
    elif known is not None and known.party_id == actor.party_id:
        faults.append(Fault(sentence("nobody invites themselves"), field="person", value=request.person))
    return known


def _known(connection: Connection, request: InviteGuest) -> Invited | None:
    row = connection.exec_driver_sql(
        """SELECT g.content_hash, g.outcome, p.code FROM guest g JOIN party p USING (party_id)
           WHERE g.guest_id = %s""",
        (request.guest_id,),
    ).one_or_none()
    if row is None:
        return None
    if bytes(row[0]) != request.content_hash() or row[2] not in (None, request.person):
        raise PostedWithOtherContent(
            sentence("Invitation {guest_id} has other content. Take a new id for a new one.", guest_id=request.guest_id)
        )
    return Invited(request.guest_id, row[1] or WAITING)


def _wrong_times(request: InviteGuest, begins_at: datetime, asked_at: datetime) -> list[Fault]:
    if begins_at > asked_at + LONGEST_STAY:
        why = sentence("begins more than {days} days from now: invite them later", days=LONGEST_STAY.days)
        return [Fault(why, field="begins_at", value=begins_at.isoformat())]
    if request.ends_at <= max(begins_at, asked_at):
        why = sentence("ends before it begins, or is over already")
    elif request.ends_at - begins_at > LONGEST_STAY:
        why = sentence("at most {days} days after it begins: then invite them anew", days=LONGEST_STAY.days)
    else:
        return []
    return [Fault(why, field="ends_at", value=request.ends_at.isoformat())]


def _consignments(
    connection: Connection, donor: Party | None, references: Sequence[str], faults: list[Fault]
) -> list[UUID]:
    """The consignments of these numbers, each once; a fault for each that the donor has not in the books."""
    found = []
    for reference in dict.fromkeys(references):
        consignment_id = connection.exec_driver_sql(
            "SELECT consignment_id FROM consignment WHERE donor_id = %s AND reference = %s",
            (donor.party_id if donor else None, reference),
        ).scalar_one_or_none()
        if consignment_id is None:
            why = sentence("the books have no consignment of this number from this donor")
            faults.append(Fault(why, field="consignments", value=reference))
        else:
            found.append(consignment_id)
    return found


@dataclass(frozen=True, slots=True)
class _Kept:
    """An invitation as it stands, locked. `person`: the number, unless it was erased."""

    guest_id: UUID
    party_id: UUID
    person: str | None
    asked_by: UUID
    until_at: datetime
    outcome: str | None
    revoked: bool


def _need(connection: Connection, guest_id: UUID) -> _Kept:
    row = connection.exec_driver_sql(
        """SELECT g.guest_id, g.party_id, p.code, g.asked_by, g.until_at, g.outcome, g.revoked_at IS NOT NULL
           FROM guest g JOIN party p USING (party_id) WHERE g.guest_id = %s FOR NO KEY UPDATE OF g""",
        (guest_id,),
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no invitation {guest_id}.", guest_id=guest_id))
    return _Kept(*row)


def _need_waiting(connection: Connection, guest_id: UUID) -> _Kept:
    kept = _need(connection, guest_id)
    if kept.outcome is not None:
        raise Refused(sentence("This invitation was {outcome} already.", outcome=of_the_books(kept.outcome)))
    return kept


def approve(engine: Engine, actor: Actor, guest_id: UUID) -> Invited:
    """The second person's own request: from its day on the guest reads. The code to sign in with is in the answer, and nowhere else.

    Raises NotFound, NotAllowed (who asked, or the guest), Refused (settled already, over by now, its person erased).
    """
    require(actor, APPROVE_GUESTS)
    with transaction(engine, roles.REGISTRAR) as connection:
        nobody_erased(connection)
        one_writer(connection)
        kept = _need_waiting(connection, guest_id)
        if actor.party_id in (kept.asked_by, kept.party_id):
            raise NotAllowed(sentence("You asked for this, or it is for you: it takes another person."))
        if kept.person is None or kept.until_at <= now():
            raise Refused(sentence("Nothing was done: its time is over, or the person was erased. Reject it."))
        name, code, moment = _free_name(connection, kept.person), new_one_time_code(), now()
        connection.exec_driver_sql(
            "UPDATE guest SET outcome = %s, settled_at = %s, settled_by = %s WHERE guest_id = %s",
            (APPROVED, moment, actor.party_id, guest_id),
        )
        connection.exec_driver_sql(
            """INSERT INTO stockpile.user (user_id, name, party_id, role, password_hash, must_change, password_set_at, created_by,
                                           created_at, guest_id)
               VALUES (%s, %s, %s, %s, %s, true, %s, %s, %s, %s)""",
            (new_key(), name, kept.party_id, GUEST, hashed(code), moment, actor.party_id, moment, guest_id),
        )
        return Invited(guest_id, APPROVED, name, code)


def _free_name(connection: Connection, person: str) -> str:
    """The name to sign in by: the person's number, or, where somebody signs in by that, the first that is free after it."""
    name = sign_in_name("".join(person.split()))[: LONGEST_NAME - 6]
    numbered = (f"{name}.{n}" if n > 1 else name for n in count(1))
    taken = "SELECT 1 FROM stockpile.user WHERE name = %s"
    return next(one for one in numbered if connection.exec_driver_sql(taken, (one,)).first() is None)


def reject(engine: Engine, actor: Actor, guest_id: UUID) -> Invited:
    """The second person says no, or who asked takes it back. Raises NotFound, NotAllowed, Refused (settled already)."""
    require(actor, APPROVE_GUESTS)
    with transaction(engine, roles.REGISTRAR) as connection:
        kept = _need_waiting(connection, guest_id)
        outcome = WITHDRAWN if kept.asked_by == actor.party_id else REJECTED
        connection.exec_driver_sql(
            "UPDATE guest SET outcome = %s, settled_at = %s, settled_by = %s WHERE guest_id = %s",
            (outcome, now(), actor.party_id, guest_id),
        )
        return Invited(guest_id, outcome)


def revoke(engine: Engine, actor: Actor, guest_id: UUID) -> Invited:
    """Ends an access at once: its sessions and tokens are refused from the next request on. Takes one person; again changes nothing.

    Raises NotFound, NotAllowed, Refused (never approved).
    """
    require(actor, APPROVE_GUESTS)
    with transaction(engine, roles.REGISTRAR) as connection:
        kept = _need(connection, guest_id)
        if kept.outcome != APPROVED:
            raise Refused(sentence("Nothing was done: it was never approved. Reject it."))
        if not kept.revoked:
            connection.exec_driver_sql(
                "UPDATE guest SET revoked_at = %s, revoked_by = %s WHERE guest_id = %s",
                (now(), actor.party_id, guest_id),
            )
            for user_id in connection.exec_driver_sql(
                "SELECT user_id FROM stockpile.user WHERE guest_id = %s", (guest_id,)
            ).scalars():
                disable_user(connection, user_id)
            connection.exec_driver_sql(
                "UPDATE token SET revoked_at = %s WHERE guest_id = %s AND revoked_at IS NULL", (now(), guest_id)
            )
        return Invited(guest_id, "revoked")


def give_token(engine: Engine, actor: Actor, guest_id: UUID, label: str) -> Kept:
    """A token for the programs of a guest, until the access ends or for the longest that a token lives; shown this once.

    Raises NotFound, NotAllowed, Refused (not approved, revoked, or over).
    """
    require(actor, INVITE_GUESTS)
    with transaction(engine, roles.REGISTRAR) as connection:
        kept = _need(connection, guest_id)
        if kept.outcome != APPROVED or kept.revoked or kept.until_at <= now():
            raise Refused(sentence("Nothing was done: this access was not approved, or is over."))
        if kept.party_id == actor.party_id:
            raise NotAllowed(sentence("You are this guest yourself: it takes another registrar."))
        lives = min(LONGEST, kept.until_at - now())
        return keep_token(connection, GUEST, kept.party_id, None, None, None, label, lives, guest_id=guest_id)


def need_time(connection: Connection, user_id: UUID) -> None:
    """Raises NotSignedIn for a guest's user whose time has not come, or is over, as the registrar role. Of others nothing is asked."""
    row = connection.exec_driver_sql(
        "SELECT g.from_at, g.until_at FROM stockpile.user u JOIN guest g USING (guest_id) WHERE u.user_id = %s",
        (user_id,),
    ).one_or_none()
    if row is None or row[0] <= now() < row[1]:
        return
    begins, ends = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in row)
    raise NotSignedIn(sentence("You read here as a guest from {begins} until {ends}.", begins=begins, ends=ends))
