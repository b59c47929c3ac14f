"""Erasing a person by order: a registrar asks, another registrar or the commander of the person's site approves.

Name, rank, service number and secret go, and with them the words that the two decided about; every count, balance, history, digest
and leaf stays. Nothing here may tell a name of who was erased once it is done.
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
from stockpile.erasure_plan import Plan, against, files_of, named_in, plan_of, versions_of
from stockpile.errors import (
    Fault,
    Invalid,
    NotAllowed,
    NotFound,
    PostedWithOtherContent,
    Reason,
    Refused,
    UnreadableFile,
)
from stockpile.files import file_store
from stockpile.keys import new_key, new_secret
from stockpile.log.leaf import canonical, erasure_leaf, name_value, person_digest
from stockpile.occurrences import Fate, called_of
from stockpile.occurrences import Words as Named
from stockpile.parties import Party, need_party, read_party
from stockpile.registers.committed import committed_digest, stored_digest, stored_lines
from stockpile.registers.keep import cells_json, lines_digest
from stockpile.reports.keyset import Page, read_page
from stockpile.reports.named import named
from stockpile.rights import APPROVE, COMMANDER, ERASE, READ_ERASURES, Actor, require

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
            raise ValueError("give either redact or redact_all")
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
class Erased:
    """The answer to an approval, the same for ever: how much of each kind went, and how many words remain."""

    erasure_id: UUID
    party_id: UUID
    recorded_at: datetime
    leaf: str
    erased: dict[str, int]
    files: tuple[str, ...]


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
        raise NotAllowed(f"You decide about people of {actor.site_code} only. It takes a registrar.")


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
            raise NotAllowed("You can't have yourself erased: it takes another registrar to ask for it.")
        found = named_in(connection, party)
        _refuse(against(connection, party))
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
        raise PostedWithOtherContent(f"Order {request.erasure_id} has other content. Take a new id for a new order.")
    return Ordered(request.erasure_id, row[0], row[2] or WAITING)


def _refuse(reasons: Sequence[Reason]) -> None:
    if reasons:
        raise Refused("Nothing was done: this person can't be erased now.", reasons)


def _refuse_second(connection: Connection, party: Party) -> None:
    waiting = connection.exec_driver_sql(
        "SELECT erasure_id FROM erasure_order WHERE party_id = %s AND outcome IS NULL", (party.party_id,)
    ).scalar_one_or_none()
    if waiting is not None:
        raise Refused(f"An order for this person waits already: {waiting}.")


def _check(connection: Connection, request: OrderErasure, party: Party, found: Sequence[Named]) -> None:
    """What the order says must not tell the name; what it names must be there, and can be erased."""
    called = called_of(connection, party.party_id)
    fates = {one.occurrence.where: one.occurrence.fate for one in found}
    faults = [
        Fault("names the person, and is kept for ever: say it without", field=field, value=text)
        for field, text in (("order_reference", request.order_reference), ("reason", request.reason))
        if called.in_text(text)
    ]
    for where in request.redact:
        if where not in fates:
            faults.append(Fault("the person is not named there: see the plan", field="redact", value=where))
        elif fates[where] is Fate.REMAINS:
            faults.append(
                Fault("can't be taken out: it is evidence, or the log commits it", field="redact", value=where)
            )
    concerned = {one.sha256 for one in files_of(connection, party, found, request.files)}
    faults += [
        Fault("not among the files that may show the person: see the plan", field="files", value=digest)
        for digest in request.files
        if digest not in concerned
    ]
    if faults:
        raise Invalid("The order was not taken.", faults)


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
        shown = _read_order(connection, actor, erasure_id)
        if shown.state != WAITING:
            return OrderShown(shown, None)
        party = read_party(connection, shown.party_id)
        return OrderShown(shown, plan_of(connection, party, named_in(connection, party)))


def _read_order(connection: Connection, actor: Actor, erasure_id: UUID) -> OrderRow:
    row = connection.exec_driver_sql(f"{_ORDERS} WHERE o.erasure_id = %s", (erasure_id,)).one_or_none()
    if row is None:
        raise NotFound(f"There is no order {erasure_id}.")
    shown = _order_row(*row[1:])
    _in_scope(connection, actor, shown.party_id)
    return shown


def approve(engine: Engine, actor: Actor, erasure_id: UUID) -> Erased:
    """The second person's own request: erases, in one transaction, then deletes the files. Approving again gets the same
    answer, and deletes what a broken-off approval left.

    Raises NotFound, NotAllowed (who asked, whom it is about), Refused (weapons still held, the order was rejected, a list that
    is not as its leaf commits it), UnreadableFile (a file that can't be deleted).
    """
    require(actor, APPROVE)
    with transaction(engine, roles.REGISTRAR) as connection:
        nobody_erased(connection, but_one=True)
        wanted = _read_order(connection, actor, erasure_id)
        done = _done(connection, erasure_id) or _erase(connection, actor, wanted)
    _delete(done.files)
    return done


def _delete(digests: Sequence[str]) -> None:
    for digest in digests:
        try:
            file_store().erase(digest)
        except OSError as problem:
            raise UnreadableFile(
                f"The person is erased, but the file {digest} could not be deleted: {problem.strerror}. Approve again."
            ) from None


def _done(connection: Connection, erasure_id: UUID) -> Erased | None:
    row = connection.exec_driver_sql(
        "SELECT erasure_id, party_id, recorded_at, leaf, erased, files FROM erasure WHERE erasure_id = %s",
        (erasure_id,),
    ).one_or_none()
    return Erased(row[0], row[1], row[2], bytes(row[3]).hex(), row[4], tuple(row[5])) if row else None


def _erase(connection: Connection, actor: Actor, wanted: OrderRow) -> Erased:
    if wanted.state != WAITING:
        raise Refused(f"This order was {wanted.state}: ask for it anew under a new id.")
    asked_by = connection.exec_driver_sql(
        "SELECT asked_by FROM erasure_order WHERE erasure_id = %s", (wanted.erasure_id,)
    ).scalar_one()
    if actor.party_id == asked_by:
        raise NotAllowed("You asked for this yourself: it takes another person to approve it.")
    if actor.party_id == wanted.party_id:
        raise NotAllowed("You can't approve that you be erased yourself.")
    # Who is just being given something, or signs, comes first: it counts against the erasure, or is begun again after it.
    connection.exec_driver_sql("SELECT 1 FROM party WHERE party_id = %s FOR UPDATE", (wanted.party_id,))
    party = read_party(connection, wanted.party_id)
    _refuse(against(connection, party))
    found = named_in(connection, party)
    chosen = [one for one in found if _goes(one, wanted)]
    cells = [one for one in chosen if one.cells]
    # In one order of rows, as who closes discrepancies locks them.
    words = sorted((one for one in chosen if not one.cells), key=lambda one: (one.table, one.key, one.line or 0))
    registers = _registers_after(connection, cells)
    erased = {
        "names": versions_of(connection, party),
        "register lines": len({(one.key, one.line) for one in cells}),
        "words": len(words),
        "words that remain": len(found) - len(chosen),
        "files": len(wanted.files),
    }
    _record(connection, actor, wanted, asked_by, registers, erased)
    _take_away(connection, wanted, cells, words)
    for one in registers:
        assert stored_digest(connection, one.register_id).hex() == one.after
    done = _done(connection, wanted.erasure_id)
    assert done is not None
    connection.exec_driver_sql(
        "UPDATE erasure_order SET settled_at = %s, settled_by = %s, outcome = 'approved' WHERE erasure_id = %s",
        (done.recorded_at, actor.party_id, wanted.erasure_id),
    )
    return done


def _goes(one: Named, wanted: OrderRow) -> bool:
    fate, where = one.occurrence.fate, one.occurrence.where
    return fate is Fate.ERASED or (fate is Fate.DECIDE and (where in wanted.redact or ALL in wanted.redact))


@dataclass(frozen=True, slots=True)
class RegisterAfter:
    """A list that loses cells: which lines, its digest before and after; `version` counts its erasures."""

    register_id: UUID
    version: int
    lines: tuple[int, ...]
    before: str
    after: str

    @property
    def committed(self) -> dict[str, Any]:
        """As the erasure's leaf commits it."""
        return {
            "register": str(self.register_id),
            "lines": list(self.lines),
            "before": self.before,
            "after": self.after,
        }


def _registers_after(connection: Connection, cells: Sequence[Named]) -> list[RegisterAfter]:
    """The digests that lists will have. Raises Refused for one that isn't as its leaf commits it: an erasure would hide that."""
    places: dict[UUID, dict[int, set[int]]] = {}
    for one in cells:
        places.setdefault(one.key, {}).setdefault(one.line or 0, set()).update(one.cells)
    result = []
    for register_id, empty in sorted(places.items()):
        before, versions = committed_digest(connection, register_id)
        if stored_digest(connection, register_id) != before:
            raise Refused(
                f"Nothing was done: the list {register_id} is not as the log commits it. Find out why before anything in "
                "it is erased."
            )
        after = lines_digest(
            (line, cells_json(tuple("" if place in empty.get(line, ()) else cell for place, cell in enumerate(row))))
            for line, row in stored_lines(connection, register_id)
        )
        result.append(RegisterAfter(register_id, versions + 1, tuple(sorted(empty)), before.hex(), after.hex()))
    return result


def _record(
    connection: Connection,
    actor: Actor,
    wanted: OrderRow,
    asked_by: UUID,
    registers: Sequence[RegisterAfter],
    erased: dict[str, int],
) -> None:
    """Writes the erasure with its leaf: the database lets nothing go without it."""
    signers = {
        row[0]: row[1:]
        for row in connection.exec_driver_sql(
            "SELECT party_id, code, name, rank, name_version, secret FROM signatures(%s)", ([asked_by, actor.party_id],)
        )
    }
    parts = {"asked_by": asked_by, "approved_by": actor.party_id}
    digests = {
        part: person_digest(bytes(signers[who][4]), wanted.erasure_id, part, name_value(*signers[who][:4]))
        for part, who in parts.items()
    }
    recorded_at, seed = now(), new_secret()
    header: dict[str, Any] = {
        "erasure_id": wanted.erasure_id,
        "party_id": wanted.party_id,
        "order_reference": wanted.order_reference,
        "reason": wanted.reason,
        "files": list(wanted.files),
        "registers": [one.committed for one in registers],
        "erased": erased,
        "asked_at": wanted.asked_at,
        "recorded_at": recorded_at,
    }
    leaf = erasure_leaf(seed, header, digests)
    row = {
        **{name: Jsonb(value) if isinstance(value, list | dict) else value for name, value in header.items()},
        **parts,
        **{f"{part}_version": signers[who][3] for part, who in parts.items()},
        **{f"{part}_digest": digest for part, digest in digests.items()},
        "seed": seed,
        "leaf": leaf,
    }
    connection.exec_driver_sql(
        f"INSERT INTO erasure ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", tuple(row.values())
    )
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    connection.exec_driver_sql(
        """INSERT INTO erased_file (sha256, erasure_id, erased_at)
           SELECT decode(f, 'hex'), %s, %s FROM unnest(%s::text[]) f ON CONFLICT (sha256) DO NOTHING""",
        (wanted.erasure_id, recorded_at, list(wanted.files)),
    )
    for one in registers:
        connection.exec_driver_sql(
            """INSERT INTO register_erasure (register_id, version, erasure_id, lines, digest_before, digest_after)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            (
                one.register_id, one.version, wanted.erasure_id, Jsonb(list(one.lines)), bytes.fromhex(one.before),
                bytes.fromhex(one.after),
            ),
        )  # fmt: skip


def _take_away(connection: Connection, wanted: OrderRow, cells: Sequence[Named], words: Sequence[Named]) -> None:
    """By the owner's function: no role of the service may change these rows."""
    connection.exec_driver_sql(
        "SELECT erase_person(%s, %s, %s)",
        (
            wanted.erasure_id,
            Jsonb([{"register": str(one.key), "line": one.line, "places": list(one.cells)} for one in cells]),
            Jsonb([_told(one) for one in words]),
        ),
    )


JSON_COLUMNS = frozenset({("draft", "request"), ("job", "result"), ("column_mapping", "mapping")})


def _told(one: Named) -> dict[str, Any]:
    text = canonical(one.after).decode() if (one.table, one.column) in JSON_COLUMNS else one.after
    return {"table": one.table, "key": str(one.key), "line": one.line, "column": one.column, "text": text}


def reject(engine: Engine, actor: Actor, erasure_id: UUID) -> Ordered:
    """The second person says no, or who asked takes it back. Raises NotFound, NotAllowed, Refused (settled already)."""
    require(actor, APPROVE)
    with transaction(engine, roles.REGISTRAR) as connection:
        nobody_erased(connection, but_one=True)
        wanted = _read_order(connection, actor, erasure_id)
        if wanted.state != WAITING:
            raise Refused(f"This order was {wanted.state} already.")
        outcome = connection.exec_driver_sql(
            """UPDATE erasure_order SET settled_at = %s, settled_by = %s,
                      outcome = CASE WHEN asked_by = %s THEN 'withdrawn' ELSE 'rejected' END
               WHERE erasure_id = %s RETURNING outcome""",
            (now(), actor.party_id, actor.party_id, erasure_id),
        ).scalar_one()
        return Ordered(erasure_id, wanted.party_id, outcome)
