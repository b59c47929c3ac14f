"""Sightings: a weapon was seen or recovered abroad. It is matched at once (`matching`); what a person makes of it later is a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, Engine

from stockpile.db.tables.tracing import IDENTIFIED, SIGHTING
from stockpile.documents import Asked
from stockpile.donors.keeping import Kept, keep, tracing
from stockpile.donors.matching import alarms, hold_to_be, identified, match_at_once
from stockpile.donors.steps import add_step, read_tracing, request_of
from stockpile.donors.weapon_read import Long, Sighting
from stockpile.errors import Refused
from stockpile.rights import DESK, REPORT_SIGHTING, TRACE, Actor, require
from stockpile.sentences import sentence


class Identify(Asked):
    """Say that a weapon that was sighted is one of the books."""

    item_id: UUID
    words: Long = Field(description="Why it is this one", examples=["The photo shows the star beside the number"])


@dataclass(frozen=True, slots=True)
class Sighted:
    """The answer to a sighting. A desk is told its number alone: whoever hands weapons out learns nothing of what it matched."""

    tracing_id: UUID
    number: str
    recorded_at: datetime
    identified: tuple[UUID, ...] | None
    alarms: tuple[UUID, ...] | None


def report_sighting(engine: Engine, actor: Actor, request: Sighting) -> Sighted:
    """Keeps a sighting, matches it, and raises the alarm. The same again gets the same answer, and no second alarm.

    Raises NotAllowed, Invalid (photos, days), PostedWithOtherContent.
    """
    require(actor, REPORT_SIGHTING)
    with tracing(engine) as connection:
        kept = keep(connection, actor, request)
        if not kept.again:
            match_at_once(connection, actor, kept, request)
        return _sighted(connection, actor, kept)


def identify(engine: Engine, actor: Actor, tracing_id: UUID, request: Identify) -> Sighted:
    """Says that a sighted weapon is one of the books; if they hold it, that is the alarm.

    Raises NotAllowed, NotFound (sighting, weapon), Refused (it is identified already, or it is no sighting).
    """
    require(actor, TRACE)
    with tracing(engine) as connection:
        found = read_tracing(connection, tracing_id, lock=True)
        if found.kind != SIGHTING:
            raise Refused(sentence("Nothing was done: only a sighting is identified so. A request is answered."))
        if request.item_id in identified(connection, tracing_id):
            raise Refused(sentence("Nothing was done: it is identified already."))
        kept = found.kept
        hold_to_be(connection, actor, kept, request_of(found), request.item_id)
        add_step(connection, actor, tracing_id, IDENTIFIED, words=request.words, item_id=request.item_id)
        return _sighted(connection, actor, kept)


def _sighted(connection: Connection, actor: Actor, kept: Kept) -> Sighted:
    if actor.role in DESK:
        return Sighted(kept.tracing_id, kept.number, kept.recorded_at, None, None)
    return Sighted(
        kept.tracing_id,
        kept.number,
        kept.recorded_at,
        tuple(identified(connection, kept.tracing_id)),
        tuple(alarms(connection, kept.register_id)),
    )
