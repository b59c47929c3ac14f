"""How a story asks a report: in the role and scope of one of the country's actors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from stockpile.acts.declare import DECLARE
from stockpile.acts.receive import RECEIVE
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.rights import Actor
from tests.world import Country

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def asked_by(
    country: Country,
    who: str,
    report: Callable[Concatenate[Connection, Actor, Given], Answer],
    *given: Given.args,
    **named: Given.kwargs,
) -> Answer:
    """What the report answers to this actor."""
    actor = country.actors[who]
    with transaction(country.engine, actor.database_role, actor.site_id, actor.donor_id) as connection:
        return report(connection, actor, *given, **named)


def declared_and_received(country: Country, *serials: str) -> Posted:
    """A consignment of M4 of the USA, declared for TAJI and received there."""
    lines = [{"model": "M4", "serial_number": serial} for serial in serials]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    return country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", lines=lines)
