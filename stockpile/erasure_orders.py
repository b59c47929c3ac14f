"""Orders that a person be erased: a registrar asks, another registrar or the commander of the person's site approves or rejects.
An order names its person by the key alone: it is kept for ever. What an approval does: `erasure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import nobody_erased, take_role, transaction
from stockpile.documents import Asked, Code, Digest, Words, now
from stockpile.erasure_plan import Plan, against, files_of, named_in, plan_of
from stockpile.errors import (
    Fault,
    Invalid,
    NotAllowed,
    NotFound,
    PostedWithOtherContent,
    Reason,
    Refused,
)
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.occurrences import Fate, called_of
from stockpile.occurrences import Words as Named
from stockpile.parties import Party, need_party, read_party
from stockpile.reports.keyset import Page, read_page
from stockpile.reports.named import named
from stockpile.rights import APPROVE, COMMANDER, ERASE, READ_ERASURES, Actor, require
from stockpile.sentences import of_the_books, sentence

WAITING = "waiting for approval"


class OrderErasure(Asked):
    """Have a person erased. Takes a second person, who approves it."""

    erasure_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    person: Code = Field(description="Service number", examples=["A-1001"])
    order_reference: Words = Field(description="The order that demands it, without the name", examples=["MOD 117/2026"])
    reason: Words = Field(description="Why, without the name", examples=["Court order of 20 November 2026"])
    redact: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=5000)] = Field(
        (), description="Which words are to go too: `where` of each, as the plan shows them", examples=[[]]
    )
    redact_all: bool = Field(False, description="All words that the plan shows for decision")
    files: Annotated[tuple[Digest, ...], Field(max_length=500)] = Field(
        (), description="SHA-256 of scans and lists that are to go too", examples=[[]]
    )

    @model_validator(mode="after")
    def _one_choice(self) -> OrderErasure:
        if self.redact and self.redact_all:
            raise ValueError(sentence("give either redact or redact_all"))
        return self

    def content_hash(self) -> bytes:
        """SHA-256 of the validated request as canonical JSON, without the person: the order's row names it by its key."""
        content = self.model_dump(mode="json", exclude={"erasure_id", "person"})
        return sha256(canonical({"erase": content})).digest()


@dataclass(frozen=True, slots=True)
class Ordered:
    """The answer to an order: it waits for the second person, or was settled."""

    erasure_id: UUID
    party_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in a list; it names the person by the key alone."""

    erasure_id: UUID
    party_id: UUID
    order_reference: str
    reason: str
    redact: tuple[str, ...]
    files: tuple[str, ...]
    asked_by: str
    asked_at: datetime
    state: str
    settled_by: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderShown:
    """An order, and while it waits the plan of what it would do now."""

    order: OrderRow
    plan: Plan | None


ALL = "all"
"""In an order's `redact`: whatever the plan shows for decision."""


def plan(engine: Engine, actor: Actor, person: str) -> Plan:
    """What erasing a person would do. Changes nothing. Raises NotAllowed, Invalid (no such person)."""
    require(actor, APPROVE)
    with transaction(engine, roles.REGISTRAR) as connection:
        party = need_party(connection, "person", person, "person")
        _in_scope(connection, actor, party.party_id)
        return plan_of(connection, party, named_in(connection, party))


def _in_scope(connection: Connection, actor: Actor, party_id: UUID) -> None:
    """A commander decides about people of the own site alone."""
    if actor.role != COMMANDER:
        return
    site_id = connection.exec_driver_sql("SELECT site_id FROM party WHERE party_id = %s", (party_id,)).scalar_one()
    if site_id != actor.site_id:
        raise NotAllowed(
            sentence("You decide about people of {site} only. It takes a registrar.", site=actor.site_code)
        )


def order(engine: Engine, actor: Actor, request: OrderErasure) -> Ordered:
    """A registrar's order, kept for the second person. The same order again gets the same answer.

    Raises NotAllowed, Refused (weapons still held, ...), Invalid (the person, the words, the files), PostedWithOtherContent.
    """
    require(actor, ERASE)
    with transaction(engine, roles.REGISTRAR) as connection:
        nobody_erased(connection, but_one=True)
        known = _known(connection, request)
        if known is not None:
            return known
        party = need_party(connection, "person", request.person, "person")
        if party.party_id == actor.party_id:
            raise NotAllowed(sentence("You can't have yourself erased: it takes another registrar to ask for it."))
        found = named_in(connection, party)
        refuse(against(connection, party))
        _check(connection, request, party, found)
        _refuse_second(connection, party)
        redact = [ALL] if request.redact_all else list(request.redact)
        connection.exec_driver_sql(
            """INSERT INTO erasure_order (erasure_id, party_id, order_reference, reason, redact, files, content_hash, asked_by,
                                          asked_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                request.erasure_id, party.party_id, request.order_reference, request.reason, Jsonb(redact),
                Jsonb(list(request.files)), request.content_hash(), actor.party_id, now(),
            ),
        )  # fmt: skip
        return Ordered(request.erasure_id, party.party_id, WAITING)


def _known(connection: Connection, request: OrderErasure) -> Ordered | None:
    row = connection.exec_driver_sql(
        """SELECT o.party_id, o.content_hash, o.outcome, p.code FROM erasure_order o JOIN party p USING (party_id)
           WHERE o.erasure_id = %s""",
        (request.erasure_id,),
    ).one_or_none()
    if row is None:
        return None
    if bytes(row[1]) != request.content_hash() or row[3] not in (None, request.person):
        raise PostedWithOtherContent(
            sentence(
                "Order {erasure_id} has other content. Take a new id for a new order.", erasure_id=request.erasure_id
            )
        )
    return Ordered(request.erasure_id, row[0], row[2] or WAITING)


def refuse(reasons: Sequence[Reason]) -> None:
    """Raises Refused for what stands against an erasure, if something does."""
    if reasons:
        raise Refused(sentence("Nothing was done: this person can't be erased now."), reasons)


def _refuse_second(connection: Connection, party: Party) -> None:
    waiting = connection.exec_driver_sql(
        "SELECT erasure_id FROM erasure_order WHERE party_id = %s AND outcome IS NULL", (party.party_id,)
    ).scalar_one_or_none()
    if waiting is not None:
        raise Refused(sentence("An order for this person waits already: {waiting}.", waiting=waiting))


def _check(connection: Connection, request: OrderErasure, party: Party, found: Sequence[Named]) -> None:
    """What the order says must not tell the name; what it names must be there, and can be erased."""
    called = called_of(connection, party.party_id)
    fates = {one.occurrence.where: one.occurrence.fate for one in found}
    faults = [
        Fault(sentence("names the person, and is kept for ever: say it without"), field=field, value=text)
        for field, text in (("order_reference", request.order_reference), ("reason", request.reason))
        if called.in_text(text)
    ]
    for where in request.redact:
        if where not in fates:
            faults.append(Fault(sentence("the person is not named there: see the plan"), field="redact", value=where))
        elif fates[where] is Fate.REMAINS:
            faults.append(
                Fault(
                    sentence("can't be taken out: it is evidence, or the log commits it"), field="redact", value=where
                )
            )
    concerned = {one.sha256 for one in files_of(connection, party, found, request.files)}
    faults += [
        Fault(sentence("not among the files that may show the person: see the plan"), field="files", value=digest)
        for digest in request.files
        if digest not in concerned
    ]
    if faults:
        raise Invalid(sentence("The order was not taken."), faults)


_ORDERS = f"""
SELECT o.erasure_id, o.erasure_id, o.party_id, o.order_reference, o.reason, o.redact, o.files, {named("a")}, o.asked_at,
       coalesce(o.outcome, '{WAITING}'), CASE WHEN o.settled_by IS NOT NULL THEN {named("b")} END, o.settled_at
FROM erasure_order o JOIN party p ON p.party_id = o.party_id LEFT JOIN party a ON a.party_id = o.asked_by
LEFT JOIN party b ON b.party_id = o.settled_by
"""


def list_orders(connection: Connection, actor: Actor, limit: int = 100, cursor: str | None = None) -> Page[OrderRow]:
    """The orders, the newest first; a commander's those for people of the own site. Raises NotAllowed, Invalid."""
    require(actor, READ_ERASURES)
    if actor.role == COMMANDER:
        take_role(connection, roles.REGISTRAR)
    where = {"p.site_id = %s": actor.site_id if actor.role == COMMANDER else None}
    return read_page(connection, _ORDERS, where, {"o.erasure_id": UUID}, _order_row, limit, cursor, newest_first=True)


def _order_row(
    erasure_id: UUID, party_id: UUID, reference: str, reason: str, redact: list[str], files: list[str], *rest: Any
) -> OrderRow:
    return OrderRow(erasure_id, party_id, reference, reason, tuple(redact), tuple(files), *rest)


def show_order(engine: Engine, actor: Actor, erasure_id: UUID) -> OrderShown:
    """An order, with what it would do now while it waits. Raises NotFound, NotAllowed."""
    require(actor, APPROVE)
    with transaction(engine, roles.REGISTRAR) as connection:
        shown = read_order(connection, actor, erasure_id)
        if shown.state != WAITING:
            return OrderShown(shown, None)
        party = read_party(connection, shown.party_id)
        return OrderShown(shown, plan_of(connection, party, named_in(connection, party)))


def read_order(connection: Connection, actor: Actor, erasure_id: UUID) -> OrderRow:
    """An order that the actor may decide about. Raises NotFound, NotAllowed."""
    row = connection.exec_driver_sql(f"{_ORDERS} WHERE o.erasure_id = %s", (erasure_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no order {erasure_id}.", erasure_id=erasure_id))
    shown = _order_row(*row[1:])
    _in_scope(connection, actor, shown.party_id)
    return shown


def reject(engine: Engine, actor: Actor, erasure_id: UUID) -> Ordered:
    """The second person says no, or who asked takes it back. Raises NotFound, NotAllowed, Refused (settled already)."""
    require(actor, APPROVE)
    with transaction(engine, roles.REGISTRAR) as connection:
        nobody_erased(connection, but_one=True)
        wanted = read_order(connection, actor, erasure_id)
        if wanted.state != WAITING:
            raise Refused(sentence("This order was {state} already.", state=of_the_books(wanted.state)))
        outcome = connection.exec_driver_sql(
            """UPDATE erasure_order SET settled_at = %s, settled_by = %s,
                      outcome = CASE WHEN asked_by = %s THEN 'withdrawn' ELSE 'rejected' END
               WHERE erasure_id = %s RETURNING outcome""",
            (now(), actor.party_id, actor.party_id, erasure_id),
        ).scalar_one()
        return Ordered(erasure_id, wanted.party_id, outcome)
