"""Tracing requests (International Tracing Instrument, section V): one comes in and is kept, its receipt acknowledged; candidates are
weighed; one person proposes an answer or a refusal with its reasons, another releases it. Ours to other States are kept likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile.db.tables.tracing import (
    ACKNOWLEDGED,
    ANSWERED,
    DELAYED,
    INCOMING,
    OUTGOING,
    PROPOSED,
    REFUSED,
    RELEASED,
    REMARK,
    SENT,
    SIGHTING,
    TURNED_DOWN,
)
from stockpile.documents import Asked, Scan
from stockpile.donors.answers import trace
from stockpile.donors.candidates import Candidate, candidates
from stockpile.donors.keeping import Kept, as_tracer, keep, tracing
from stockpile.donors.matching import hold_to_be, match_at_once
from stockpile.donors.steps import Tracing, add_step, read_tracing, request_of, waiting_answer
from stockpile.donors.weapon_read import IncomingRequest, Long, OutgoingRequest
from stockpile.errors import Fault, Invalid, NotAllowed, Refused
from stockpile.rights import TRACE, Actor, require
from stockpile.scans import look_up
from stockpile.sentences import of_the_books, sentence

TRACED, NOT_FOUND, REFUSAL = "traced", "not in our books", "refused"
OUTCOMES = (TRACED, NOT_FOUND, REFUSAL)
"""What an answer may be (ITI 18 to 23)."""

POSSIBLE: Mapping[str, tuple[str, ...]] = {
    INCOMING: (ACKNOWLEDGED, DELAYED, REMARK),
    OUTGOING: (SENT, ACKNOWLEDGED, DELAYED, ANSWERED, REFUSED, REMARK),
    SIGHTING: (REMARK,),
}
"""Kind -> what can be noted of it. An answer of ours, and an identification, are asked for by themselves."""
IN_WORDS = frozenset({DELAYED, ANSWERED, REFUSED, REMARK})
"""Steps that say something: reasons (ITI 21, 22), or what the other State answered."""


class TakeStep(Asked):
    """Note that something was done about a request or a sighting."""

    what: Literal["acknowledged", "delayed", "sent", "answered", "refused", "remark"] = Field(examples=["acknowledged"])
    words: Long | None = Field(None, description="Reasons of a delay; what the other State answered", examples=[None])

    @model_validator(mode="after")
    def _in_words(self) -> TakeStep:
        if self.what in IN_WORDS and self.words is None:
            raise ValueError(sentence("say it in words: the reasons, or what was answered"))
        return self


class ProposeAnswer(Asked):
    """Propose an answer to an incoming request. Another person releases it."""

    outcome: Literal["traced", "not in our books", "refused"] = Field(examples=["traced"])
    weapon: Scan | None = Field(
        None, description="Of a weapon that was traced: its key, asset tag or serial number", examples=["KT 449901"]
    )
    words: Annotated[Long | None, Field(description="What is said beside; of a refusal its reasons (ITI 22)")] = None

    @model_validator(mode="after")
    def _whole(self) -> ProposeAnswer:
        if (self.outcome == TRACED) != (self.weapon is not None):
            raise ValueError(sentence("name the weapon of what was traced, and of nothing else"))
        if self.outcome == REFUSAL and self.words is None:
            raise ValueError(sentence("give the reasons of the refusal"))
        return self


def keep_request(engine: Engine, actor: Actor, request: IncomingRequest | OutgoingRequest) -> Kept:
    """Keeps a request that came in, or one of ours. What came in is matched at once: a weapon that another State found, and our books
    hold, is an alarm. Raises NotAllowed, Invalid (photos, days), PostedWithOtherContent.
    """
    require(actor, TRACE)
    with tracing(engine) as connection:
        kept = keep(connection, actor, request)
        if kept.kind == INCOMING and not kept.again:
            match_at_once(connection, actor, kept, request)
        return kept


def candidates_of(connection: Connection, actor: Actor, tracing_id: UUID) -> tuple[Candidate, ...]:
    """The weapons that it may be, as the books are now. Raises NotAllowed, NotFound."""
    require(actor, TRACE)
    return candidates(connection, actor, request_of(read_tracing(connection, tracing_id)))


def take_step(engine: Engine, actor: Actor, tracing_id: UUID, request: TakeStep) -> int:
    """Notes what was done; the number of the step. Raises NotAllowed, NotFound, Refused."""
    require(actor, TRACE)
    with tracing(engine) as connection:
        found = read_tracing(connection, tracing_id, lock=True)
        _refuse_unless(request.what in POSSIBLE[found.kind], found, request.what)
        return add_step(connection, actor, tracing_id, request.what, words=request.words)


def propose(engine: Engine, actor: Actor, tracing_id: UUID, request: ProposeAnswer) -> int:
    """The first person's part: the answer as it would be released, kept whole. Raises NotAllowed, NotFound, Invalid (the weapon),
    Refused (one waits already).
    """
    require(actor, TRACE)
    with tracing(engine) as connection:
        found = read_tracing(connection, tracing_id, lock=True)
        _refuse_unless(found.kind == INCOMING, found, PROPOSED)
        if waiting_answer(connection, tracing_id) is not None:
            raise Refused(sentence("Nothing was done: an answer waits already. Release it or turn it down first."))
        item_id = weapon_meant(connection, request.weapon) if request.weapon is not None else None
        answer: dict[str, Any] = {"outcome": request.outcome, "words": request.words}
        if item_id is not None:
            answer["traced"] = trace(connection, as_tracer(actor), item_id).to_json()
        return add_step(connection, actor, tracing_id, PROPOSED, words=request.words, item_id=item_id, answer=answer)


def release(engine: Engine, actor: Actor, tracing_id: UUID) -> int:
    """The second person's part: the answer goes out. The weapon it names is held to be the one from now on, and its donor sees so.

    Raises NotAllowed (who proposed it), NotFound, Refused (none waits).
    """
    require(actor, TRACE)
    with tracing(engine) as connection:
        found = read_tracing(connection, tracing_id, lock=True)
        waiting = waiting_answer(connection, tracing_id)
        if waiting is None:
            raise Refused(sentence("Nothing was done: no answer waits to be released."))
        if waiting.done_by == actor.party_id:
            raise NotAllowed(sentence("You proposed this answer yourself: it takes another person to release it."))
        if waiting.item_id is not None:
            hold_to_be(connection, actor, found.kept, request_of(found), waiting.item_id)
        return add_step(
            connection,
            actor,
            tracing_id,
            RELEASED,
            settles=waiting.step,
            proposed_by=waiting.done_by,
            item_id=waiting.item_id,
        )


def turn_down(engine: Engine, actor: Actor, tracing_id: UUID, words: str) -> int:
    """The second person does not agree, or the first takes it back. Raises NotAllowed, NotFound, Refused (none waits)."""
    require(actor, TRACE)
    with tracing(engine) as connection:
        read_tracing(connection, tracing_id, lock=True)
        waiting = waiting_answer(connection, tracing_id)
        if waiting is None:
            raise Refused(sentence("Nothing was done: no answer waits to be released."))
        return add_step(
            connection, actor, tracing_id, TURNED_DOWN, words=words, settles=waiting.step, proposed_by=waiting.done_by
        )


def _refuse_unless(possible: bool, found: Tracing, what: str) -> None:
    if not possible:
        raise Refused(
            sentence(
                "Nothing was done: {number} ({kind}) cannot be {what}.",
                number=found.number,
                kind=of_the_books(found.kind),
                what=of_the_books(what),
            )
        )


def weapon_meant(connection: Connection, scan: str) -> UUID:
    """The one weapon that is meant. Raises Invalid."""
    try:
        known = connection.exec_driver_sql(
            "SELECT item_id FROM item WHERE item_id = %s AND tracked_by = 'serial'", (UUID(scan),)
        ).scalar()
        meant: list[UUID] = [known] if known else []
    except ValueError:
        meant = list(look_up(connection, [scan]).get(scan, ()))
    if len(meant) == 1:
        return meant[0]
    message = sentence("nobody knows this weapon: name one of the candidates")
    if meant:
        message = sentence("several weapons bear this: give the asset tag of the one that is meant")
    raise Invalid(sentence("The answer was not proposed."), [Fault(message, field="weapon", value=scan)])
