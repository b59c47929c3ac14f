"""What a guest reads at this moment: asked for each request, so that an access ends by itself at its time, and at once when it is
revoked. A guest stands in an auditor's or a donor's role, and writes nothing (`rights`).
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.db.engine import ask, at_once, connected
from stockpile.errors import NotSignedIn
from stockpile.keys import new_key
from stockpile.rights import AUDITOR, DONOR, Actor
from stockpile.sentences import sentence

LONGEST_PATH = 500

COUNTRY, OF_DONOR, CONSIGNMENTS = "country", "donor", "consignments"
"""What a guest may read: everything, as an auditor does; all of one donor's items; those of named consignments."""


def guest_of(connection: Connection, actor: Actor) -> Actor | None:
    """Who signed in as a guest, with what they read now; None: nothing, for the access has not begun, or is over. The connection
    needs no database role yet.
    """
    for guest_id, scope, donor_id, consignments in ask(
        connection,
        "SELECT guest_id, scope, donor_id, consignments FROM guest_of(%s, %s)",
        (actor.token_id, actor.user_id),
    ):
        named = tuple(consignments) if scope == CONSIGNMENTS else None
        role = AUDITOR if scope == COUNTRY else DONOR
        return replace(actor, role=role, donor_id=donor_id, guest_id=guest_id, consignments=named)
    return None


def need_guest(connection: Connection, actor: Actor) -> Actor:
    """As `guest_of`. Raises NotSignedIn."""
    found = guest_of(connection, actor)
    if found is None:
        raise NotSignedIn(sentence("Your access as a guest has not begun, or is over. Ask who invited you."))
    return found


def note_reading(engine: Engine, guest_id: UUID, method: str, path: str) -> None:
    """Keeps what a guest asks for, before it is answered; never what was typed into a search."""
    with connected(at_once(engine)) as connection:
        asked = (new_key(), guest_id, method[:10], path.replace("\0", "")[:LONGEST_PATH])
        ask(connection, "SELECT note_reading(%s, %s, %s, %s)", asked)
