"""A second person at the same counter, without the first signing out: by badge and PIN, a token of their own for one request within two
minutes, in their own role. The approving request is theirs alone (invariant 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine

from stockpile import pins
from stockpile.counters import Counter
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Fault, Invalid, NotAllowed
from stockpile.parties import read_party
from stockpile.rights import ARMOURER, CLERK, COMMANDER, Actor
from stockpile.sentences import sentence
from stockpile.sign_in import roles_at
from stockpile.tokens import keep_token

LIVES = timedelta(minutes=2)

HIGHEST_FIRST = (COMMANDER, ARMOURER, CLERK)


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Who stands beside the first at the counter, with the token for the one request."""

    token: str
    expires_at: datetime
    party_id: UUID
    person: str
    role: str


def second_person(
    engine: Engine, actor: Actor, counter: Counter | None, badge: str, pin: str, address: str, role: str | None = None
) -> SecondPerson:
    """A token for who shows a badge and knows its PIN at the counter where the asker is signed in; in the highest role that they
    have at its site, or the one asked for.

    Raises NotAllowed (no counter, the same person, no role here), Invalid (role; a wrong badge or PIN, or a one-time PIN), TooSoon.
    """
    if actor.counter_id is None or counter is None or counter.counter_id != actor.counter_id:
        raise NotAllowed(sentence("A second person signs in beside somebody who is signed in at an enrolled counter."))
    if role is not None and role not in HIGHEST_FIRST:
        fault = Fault(
            sentence("one of {highest_first}", highest_first=", ".join(HIGHEST_FIRST)), field="role", value=role
        )
        raise Invalid(sentence("The second person was not signed in."), [fault])
    proven = pins.prove(engine, counter, badge, pin, address)
    if proven.party_id == actor.party_id:
        raise NotAllowed(sentence("You are signed in yourself: it takes another person."))
    if proven.must_change:
        fault = Fault(sentence("a one-time PIN: sign in with it at a counter and choose your own first"), field="pin")
        raise Invalid(sentence("The second person was not signed in."), [fault])
    with transaction(engine, roles.REGISTRAR) as connection:
        own = {one.role for one in roles_at(connection, proven.party_id, counter.site.site_id)}
        chosen = next((one for one in HIGHEST_FIRST if one in own and role in (None, one)), None)
        if chosen is None:
            raise NotAllowed(
                sentence("They have no such role at {site}. A registrar gives roles.", site=counter.site.code)
            )
        label = f"second person at {counter.label}"[:100]
        kept = keep_token(
            connection, chosen, proven.party_id, counter.site.site_id, None, counter.book_code, label, LIVES, once=True
        )
        person = read_party(connection, proven.party_id).display
    return SecondPerson(kept.text, kept.expires_at, proven.party_id, person, chosen)
