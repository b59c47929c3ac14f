"""Guests in stories: people from outside, two consignments that the USA sent and one of France's, invitations, and who reads by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from stockpile import guests, parties
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.guests import InviteGuest
from stockpile.rights import Actor
from tests.world import Country, scans

FIRST, SECOND = ("UA 1", "UA 2", "UA 3"), ("UB 1", "UB 2")
OF_FRANCE = ("UA 1", "FR 7")
"""France sent a rifle of the same number as one of the USA's."""


def people(country: Country) -> None:
    """A second registrar, and somebody from a parliament; the panel's expert is new to the books."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        other = parties.add_party(connection, "person", "R-2", "Rauf Registrar", "Captain")
        parties.add_party(connection, "person", "PAR-1", "Paul Auditeur")
    country.actors["second registrar"] = Actor(other.party_id, "registrar", book_code="REG")


def delivered(country: Country) -> None:
    """FMS-1 and FMS-2 of the USA, and F-1 of France, received; one of each issued in one document with the others."""
    for donor, reference, serials in (("USA", "FMS-1", FIRST), ("USA", "FMS-2", SECOND), ("FRA", "F-1", OF_FRANCE)):
        lines = [
            {"model": "M4" if donor == "USA" else "AKM", "serial_number": one, "condition": "serviceable"}
            for one in serials
        ]
        country.do("registrar", DECLARE, site="TAJI", donor=donor, reference=reference, lines=lines)
        country.do("clerk", RECEIVE, store="Main store", donor=donor, consignment=reference, complete=True, lines=lines)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("UA 2", "UB 1", "FR 7"))


def asked(**more: Any) -> dict[str, Any]:
    """An invitation of the panel's expert to everything, for ten days."""
    ends_at = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    return {
        "person": "UN-1",
        "name": "Maria Silva",
        "scope": "country",
        "ends_at": ends_at,
        "reason": "Panel of Experts, letter 14",
        **more,
    }


def invited(country: Country, who: str = "registrar", **more: Any) -> UUID:
    """An invitation that waits."""
    return guests.invite(country.engine, country.actors[who], InviteGuest.model_validate(asked(**more))).guest_id


def let_in(country: Country, **more: Any) -> tuple[UUID, str]:
    """A guest whom two people let in, with a token."""
    guest_id = invited(country, **more)
    guests.approve(country.engine, country.actors["second registrar"], guest_id)
    return guest_id, guests.give_token(country.engine, country.actors["registrar"], guest_id, "panel").text


def as_owner(country: Country, *statements: str) -> None:
    """What only the owner of the tables can do, with what guards them taken off."""
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER)
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        for statement in statements:
            connection.execute(statement.encode())
