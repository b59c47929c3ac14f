"""Closing discrepancies: somebody says which document explains them and how, and a second person agrees. Nothing else closes
one, but a late document that shows there was nothing to explain (`discrepancies.judge_anew`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from pydantic import Field
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from stockpile import items
from stockpile.acts.perform import scope
from stockpile.db.engine import connected
from stockpile.documents import Asked, Code, Words, now
from stockpile.errors import NotAllowed, NotFound, PostedWithOtherContent, Reason, Refused
from stockpile.keys import new_key
from stockpile.parties import need_party
from stockpile.reports.documents import document_named
from stockpile.reports.keyset import Keys, Page, by_moment, by_text, order_asked, orders, read_page
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import APPROVE, ASK_CLOSURE, ASSIGN_DISCREPANCY, READ_PEOPLE, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import Site


class AskClosure(Asked):
    """Say which document explains discrepancies, and how: up to 500 that it explains together. Takes a second person."""

    closure_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    discrepancies: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]
    explained_by: Code = Field(
        description="The document that explains them: its number or key", examples=["TAJI/B/2026/41"]
    )
    explanation: Words = Field(examples=["Received a day later, in the second crate"])


class AssignDiscrepancies(Asked):
    """Say who answers for discrepancies from now on, and until when."""

    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    discrepancies: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]
    owner: Code = Field(description="Service number", examples=["A-1001"])
    due_on: date | None = Field(None, description="Left out: as it is", examples=["2026-12-24"])


@dataclass(frozen=True, slots=True)
class Closure:
    """Discrepancies that somebody says a document explains, and what became of that."""

    closure_id: UUID
    explained_by: UUID
    document_number: str
    explanation: str
    discrepancies: tuple[UUID, ...]
    proposed_by: str
    proposed_at: datetime
    outcome: str | None
    settled_by: str | None
    settled_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What was done about a discrepancy once: by whom, under which document, in which words."""

    step: int
    what: str
    happened_at: datetime
    done_by: str
    document_id: UUID | None
    words: str | None


_CLOSURES = f"""
SELECT c.closure_id, c.closure_id, c.explained_by, coalesce(concat_ws('/', s.code, b.code, b.year, d.number), 'a document of another site'),
       c.explanation, c.discrepancies, {named("p")}, c.proposed_at, c.outcome,
       CASE WHEN c.settled_by IS NOT NULL THEN {named("q")} END, c.settled_at, c.reason
FROM closure c LEFT JOIN document d ON d.document_id = c.explained_by LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site s ON s.site_id = d.site_id
LEFT JOIN party p ON p.party_id = c.proposed_by LEFT JOIN party q ON q.party_id = c.settled_by
"""


def ask(engine: Engine, actor: Actor, request: AskClosure) -> Closure:
    """The first person's part. Raises NotAllowed, NotFound (document), Refused (one reason a discrepancy),
    PostedWithOtherContent (the same id for something else).
    """
    require(actor, ASK_CLOSURE)
    try:
        return _ask(engine, actor, request)
    except IntegrityError as problem:
        if not isinstance(problem.orig, UniqueViolation):
            raise
    try:
        return _ask(engine, actor, request)
    except IntegrityError as problem:
        if not isinstance(problem.orig, UniqueViolation):
            raise
        raise PostedWithOtherContent(
            sentence(
                "Closure {closure_id} is in use elsewhere. Take a new id for a new closure.",
                closure_id=request.closure_id,
            )
        ) from None


def _ask(engine: Engine, actor: Actor, request: AskClosure) -> Closure:
    with connected(engine) as connection:
        at = scope(connection, actor, request.site)
        document_id = document_named(connection, request.explained_by)
        known = _find(connection, at, request.closure_id)
        if known is not None:
            if (known.explained_by, known.explanation, known.discrepancies) != (
                document_id, request.explanation, request.discrepancies,
            ):  # fmt: skip
                raise PostedWithOtherContent(
                    sentence(
                        "Closure {closure_id} was asked for with other content before.", closure_id=request.closure_id
                    )
                )
            return known
        _refuse(_unexplained(connection, request.discrepancies, document_id), sentence("closed by this document"))
        connection.exec_driver_sql(
            """INSERT INTO closure (closure_id, site_id, explained_by, explanation, discrepancies, proposed_by, proposed_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            (
                request.closure_id, at.site_id, document_id, request.explanation, list(request.discrepancies),
                actor.party_id, now(),
            ),
        )  # fmt: skip
        _step(connection, request.discrepancies, "closure asked for", actor, document_id, request.explanation)
        return _read(connection, at, request.closure_id)


def approve(engine: Engine, actor: Actor, closure_id: UUID, site: str | None = None) -> Closure:
    """The second person's part: the discrepancies are closed. Raises NotAllowed (who asked for it), NotFound, Refused."""
    require(actor, APPROVE)
    with connected(engine) as connection:
        at = scope(connection, actor, site)
        proposed_by = _waiting(connection, at, closure_id, "approved")
        if proposed_by is None:
            return _read(connection, at, closure_id)
        if proposed_by == actor.party_id:
            raise NotAllowed(sentence("You asked for this yourself: it takes another person to agree."))
        closure = _read(connection, at, closure_id)
        _refuse(
            _unexplained(connection, closure.discrepancies, closure.explained_by), sentence("closed by this document")
        )
        connection.exec_driver_sql("SELECT close_discrepancies(%s, %s, %s)", (closure_id, actor.party_id, now()))
        return _read(connection, at, closure_id)


def refuse(engine: Engine, actor: Actor, closure_id: UUID, reason: str, site: str | None = None) -> Closure:
    """The second person does not agree, or the first takes it back; the discrepancies stay open."""
    with connected(engine) as connection:
        at = scope(connection, actor, site)
        proposed_by = _waiting(connection, at, closure_id, None)
        own = proposed_by == actor.party_id
        if not own:
            require(actor, APPROVE)
        closure = _read(connection, at, closure_id)
        _lock(connection, closure.discrepancies)
        _step(connection, closure.discrepancies, "closure refused", actor, closure.explained_by, reason)
        _settle(connection, closure_id, actor, "withdrawn" if own else "refused", reason)
        return _read(connection, at, closure_id)


def assign(engine: Engine, actor: Actor, request: AssignDiscrepancies) -> int:
    """Makes a person of the site answer for discrepancies; how many. Raises NotAllowed, Invalid (owner), Refused."""
    require(actor, ASSIGN_DISCREPANCY)
    with connected(engine) as connection:
        scope(connection, actor, request.site)
        owner = need_party(connection, "person", request.owner, "owner")
        ((erased,),) = connection.exec_driver_sql(
            "SELECT secret IS NULL FROM signatures(%s)", ([owner.party_id],)
        ).all()
        if erased:
            raise Refused(sentence("Nothing was done: this person was erased."))
        _refuse(_not_open(connection, request.discrepancies), sentence("assigned"))
        connection.exec_driver_sql(
            "UPDATE discrepancy SET owner_id = %s, due_on = coalesce(%s, due_on) WHERE discrepancy_id = ANY (%s)",
            (owner.party_id, request.due_on, list(request.discrepancies)),
        )
        words = f"to {owner.code}" + (f", until {request.due_on}" if request.due_on else "")
        _step(connection, request.discrepancies, "assigned", actor, None, words)
        return len(set(request.discrepancies))


def list_closures(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    waiting: bool | None = True,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[Closure]:
    """The closures that wait for a second person, or were settled, or all: of a site, or of all in the asker's scope; by one of
    ORDERS. Raises NotAllowed, NotFound (site), Invalid (limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    where = {"c.site_id = %s": site_asked(connection, actor, site), "(c.outcome IS NULL) = %s": waiting}
    by = order_asked(order, ORDERS)
    return read_page(connection, _CLOSURES, where, _ORDER, _closure, limit, cursor, order=by)


_ORDER: Keys = {"c.closure_id": UUID}
ORDERS = orders(
    _ORDER,
    document_number=by_text("concat_ws('/', s.code, b.code, b.year, d.number)"),
    explanation=by_text("c.explanation"),
    proposed_by=by_text("concat_ws(' ', p.rank, p.name)"),
    proposed_at=by_moment("c.proposed_at"),
    outcome=by_text("c.outcome"),
    settled_by=by_text("concat_ws(' ', q.rank, q.name)"),
)


_STEPS = f"""
SELECT h.step, h.step, h.what, h.happened_at, {named("p")}, h.document_id, h.words
FROM discrepancy_step h LEFT JOIN party p ON p.party_id = h.done_by
"""


def list_steps(
    connection: Connection, actor: Actor, discrepancy_id: UUID, limit: int = 100, cursor: str | None = None
) -> Page[Step]:
    """What was done about a discrepancy, the oldest first."""
    require(actor, READ_PEOPLE)
    where = {"h.discrepancy_id = %s": discrepancy_id}
    return read_page(connection, _STEPS, where, {"h.step": int}, Step, limit, cursor)


@dataclass(frozen=True, slots=True)
class ClosureRead:
    """A closure as the second person judges it. `own`: the asker asked for it, and so cannot agree to it."""

    closure: Closure
    site: str
    own: bool


def read_closure(connection: Connection, actor: Actor, closure_id: UUID) -> ClosureRead:
    """One closure in the asker's scope. Raises NotAllowed, NotFound."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(f"{_CLOSURES} WHERE c.closure_id = %s", (closure_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no closure {closure} here.", closure=closure_id))
    site, own = connection.exec_driver_sql(
        """SELECT s.code, c.proposed_by = %s FROM closure c JOIN site s ON s.site_id = c.site_id WHERE c.closure_id = %s""",
        (actor.party_id, closure_id),
    ).one()
    return ClosureRead(_closure(*row[1:]), site, own)


def waiting_for(connection: Connection, actor: Actor, discrepancy_id: UUID) -> UUID | None:
    """The first closure of a discrepancy that waits for a second person, in the asker's scope. Raises NotAllowed."""
    require(actor, READ_PEOPLE)
    found: UUID | None = connection.exec_driver_sql(
        "SELECT closure_id FROM closure WHERE outcome IS NULL AND %s = ANY (discrepancies) ORDER BY closure_id LIMIT 1",
        (discrepancy_id,),
    ).scalar()
    return found


def _closure(*row: Any) -> Closure:
    return Closure(row[0], row[1], row[2], row[3], tuple(row[4]), row[5], row[6], row[7], row[8], row[9], row[10])


def _find(connection: Connection, site: Site, closure_id: UUID) -> Closure | None:
    row = connection.exec_driver_sql(
        f"{_CLOSURES} WHERE c.closure_id = %s AND c.site_id = %s", (closure_id, site.site_id)
    ).one_or_none()
    return _closure(*row[1:]) if row is not None else None


def _read(connection: Connection, site: Site, closure_id: UUID) -> Closure:
    found = _find(connection, site, closure_id)
    if found is None:
        raise NotFound(sentence("There is no closure {closure_id} at {site}.", closure_id=closure_id, site=site.code))
    return found


def _waiting(connection: Connection, site: Site, closure_id: UUID, done: str | None) -> UUID | None:
    """Who asked for a closure that waits, locked; None if it is settled as `done` already. Raises NotFound, Refused."""
    row = connection.exec_driver_sql(
        "SELECT proposed_by, outcome FROM closure WHERE closure_id = %s AND site_id = %s FOR UPDATE",
        (closure_id, site.site_id),
    ).one_or_none()
    if row is None:
        # Row-level security hides settled ones from a lock.
        if _read(connection, site, closure_id).outcome == done:
            return None
        raise Refused(sentence("This closure was settled already: ask for it anew under a new id."))
    proposed_by: UUID = row[0]
    return proposed_by


def _settle(connection: Connection, closure_id: UUID, actor: Actor, outcome: str, reason: str | None) -> None:
    connection.exec_driver_sql(
        "UPDATE closure SET settled_at = %s, settled_by = %s, outcome = %s, reason = %s WHERE closure_id = %s",
        (now(), actor.party_id, outcome, reason, closure_id),
    )


_OPEN = """
SELECT wanted.n, wanted.discrepancy_id, x.kind, x.closed_at IS NOT NULL
FROM unnest(%s::uuid[]) WITH ORDINALITY AS wanted (discrepancy_id, n) LEFT JOIN discrepancy x USING (discrepancy_id) ORDER BY wanted.n
"""
_EXPLAINS = """
SELECT wanted.n, x.discrepancy_id, x.kind,
       %(document)s IN (x.document_id, x.concerns)
           AND NOT EXISTS (SELECT FROM note a WHERE a.document_id = %(document)s AND a.recorded_at > x.opened_at),
       CASE WHEN x.item_id IS NULL THEN EXISTS (SELECT FROM document d WHERE d.document_id = %(document)s)
            ELSE document_moved(%(document)s, x.item_id) END
FROM unnest(%(discrepancies)s::uuid[]) WITH ORDINALITY AS wanted (discrepancy_id, n) JOIN discrepancy x USING (discrepancy_id)
ORDER BY wanted.n
"""


def _not_open(connection: Connection, discrepancies: Sequence[UUID]) -> list[Reason]:
    """Locks discrepancies of the own site, and says which are not open there."""
    _lock(connection, discrepancies)
    reasons = []
    for n, discrepancy_id, kind, closed in connection.exec_driver_sql(_OPEN, (list(discrepancies),)):
        if kind is None:
            reasons.append(Reason(n, str(discrepancy_id), sentence("there is no such discrepancy at this site")))
        elif closed:
            reasons.append(Reason(n, f"{kind} {discrepancy_id}", sentence("it is closed already")))
    return reasons


_ABOUT = """
SELECT array_agg(DISTINCT item_id) FILTER (WHERE item_id IS NOT NULL), array_agg(DISTINCT book_id) FILTER (WHERE book_id IS NOT NULL)
FROM discrepancy WHERE discrepancy_id = ANY (%s)
"""


def _lock(connection: Connection, discrepancies: Sequence[UUID]) -> None:
    """Locks discrepancies after what they are about, as a posting does that withdraws them: it holds its items and its book."""
    about, books = connection.exec_driver_sql(_ABOUT, (list(discrepancies),)).one()
    if about:
        items.whereabouts(connection, about)
    if books:
        connection.exec_driver_sql(
            "SELECT FROM book WHERE book_id = ANY (%s) ORDER BY book_id FOR NO KEY UPDATE", (books,)
        )
    connection.exec_driver_sql(
        "SELECT 1 FROM discrepancy WHERE discrepancy_id = ANY (%s) ORDER BY discrepancy_id FOR UPDATE",
        (list(discrepancies),),
    )


def _unexplained(connection: Connection, discrepancies: Sequence[UUID], document_id: UUID) -> list[Reason]:
    """Which discrepancies a document can't explain: they are not open, the document itself is what they are about and nothing
    was added to it since, or it has to do with another weapon.
    """
    reasons = _not_open(connection, discrepancies)
    if reasons:
        return reasons
    rows = connection.exec_driver_sql(_EXPLAINS, {"document": document_id, "discrepancies": list(discrepancies)})
    for n, discrepancy_id, kind, its_own, moved in rows:
        named = f"{kind} {discrepancy_id}"
        if its_own:
            reason = sentence(
                "this document is what it is about: name the one that explains it, or add to this what was missing"
            )
            reasons.append(Reason(n, named, reason))
        elif not moved:
            reasons.append(
                Reason(n, named, sentence("this document says nothing of its weapon, or is none of this site"))
            )
    return reasons


def _refuse(reasons: Sequence[Reason], done: str) -> None:
    if reasons:
        raise Refused(
            sentence("Nothing was done: {count} discrepancies cannot be {done}.", count=len(reasons), done=done),
            reasons,
        )


_STEP = """
INSERT INTO discrepancy_step (discrepancy_id, step, site_id, what, happened_at, done_by, document_id, words)
SELECT x.discrepancy_id, 1 + (SELECT count(*) FROM discrepancy_step s WHERE s.discrepancy_id = x.discrepancy_id),
       x.site_id, %s, %s, %s, %s, %s
FROM discrepancy x WHERE x.discrepancy_id = ANY (%s)
"""


def _step(
    connection: Connection,
    discrepancies: Sequence[UUID],
    what: str,
    actor: Actor,
    document_id: UUID | None,
    words: str | None,
) -> None:
    connection.exec_driver_sql(_STEP, (what, now(), actor.party_id, document_id, words, list(discrepancies)))
