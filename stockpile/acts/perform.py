"""How every act is performed: rights, scope, the idempotency of the document id, one transaction, and the draft that an act
of two parties waits in. The acts themselves know nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from psycopg.errors import DeadlockDetected, UniqueViolation
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, OperationalError

from stockpile.db import roles
from stockpile.db.engine import connected, nobody_erased, stand_at_desk
from stockpile.documents import Desk, FactRequest, Posted, Request, answer_if_posted, now
from stockpile.errors import (
    DatabaseUnavailable,
    Fault,
    Invalid,
    NotAllowed,
    NotFound,
    Overtaken,
    PostedWithOtherContent,
    Refused,
)
from stockpile.movements import MOVEMENT_OF, Act
from stockpile.parties import OWN_PROCUREMENT
from stockpile.registers.listing import many_rows_at_hand
from stockpile.rights import APPROVE, Actor, require
from stockpile.sentences import joined, of_the_books, sentence
from stockpile.sites import Site, find_site

TRIES = 4
RACES = frozenset({"document_pkey", "identity_pkey", "draft_pkey", "weapon_assignment_one", "consignment_reference"})
"""Unique keys that two clerks can want at one moment: the loser starts again and reads what the winner did."""

QUEUE_OF_LOSERS = 1
"""The advisory lock that losers of such a race take before they start again: one by one, each then wins."""


@dataclass(frozen=True, slots=True)
class ActForm:
    """An act as it is asked for: its request's form and the function that does it."""

    act: Act
    request: type[Request]
    do: Callable[[Desk, Any], Posted]
    needs_approval: Callable[[Any], bool] | None = None
    turns_into: tuple[Act, ...] = ()
    """Acts its document may be instead, where only the locked weapons can tell; who asks needs the right to all."""
    called: str | None = None
    """The word it is asked under, which its content hash binds; the act's own if it has none."""
    approvers: frozenset[str] | None = None
    """The roles that may approve it, if not every role with that right."""

    @property
    def acts(self) -> tuple[Act, ...]:
        """Every act that may come of it."""
        return (self.act, *self.turns_into)

    def content_hash(self, request: Request) -> bytes:
        """SHA-256 of what was asked: the same whichever act came of it."""
        return request.content_hash(self.called or self.act)

    def waits_for_second(self, request: Request) -> bool:
        """Whether this request takes a second party, who approves it by a request of their own."""
        if isinstance(request, FactRequest) and request.claim is not None:
            return False
        if self.needs_approval is not None:
            return self.needs_approval(request)
        return MOVEMENT_OF[self.act].two_parties


WAITING = "waiting for approval"


@dataclass(frozen=True, slots=True)
class Drafted:
    """An act of two parties, asked for by the first: it waits for the second, or was rejected or withdrawn."""

    document_id: UUID
    act: str
    drafted_by: UUID
    state: str = WAITING


def perform(engine: Engine, actor: Actor, form: ActForm, request: Request) -> Posted | Drafted:
    """Posts the act, or keeps it as a draft where it takes two parties. The same document id with the same content
    gets the first answer again.

    Raises NotAllowed, Invalid, Refused, PostedWithOtherContent; nothing is done then.
    """
    for act in form.acts:
        require(actor, act)
    return record(engine, actor, form, request)


def record(engine: Engine, actor: Actor, form: ActForm, request: Request) -> Posted | Drafted:
    """`perform` for what happened already under somebody's signature: nobody asks whether they may. Raises what it does."""
    again = partial(posted_before, engine, actor, form, request)
    try:
        return _retried(lambda lost: _perform(engine, actor, form, request, lost), again)
    except (Refused, Invalid, NotFound):
        # What is done already can't be done again: a repeat gets its first answer, not this refusal.
        known = again()
        if known is None:
            raise
        return known


def _perform(engine: Engine, actor: Actor, form: ActForm, request: Request, lost_a_race: bool) -> Posted | Drafted:
    waits, file = form.waits_for_second(request), getattr(request, "file", None)
    with connected(engine) as connection:
        if lost_a_race:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (QUEUE_OF_LOSERS,))
        desk = _desk(connection, actor, form, request)
        # Most requests are no repeats: those that cost little are posted first, and asked after when the key is taken.
        known = answer_if_posted(connection, request.document_id, desk.content_hash) if waits or file else None
        if known is not None:
            return known
        if waits:
            return _draft(desk, form, request)
        with many_rows_at_hand() if file else nullcontext():
            return form.do(desk, request)


def posted_before(engine: Engine, actor: Actor, form: ActForm, request: Request) -> Posted | None:
    """The first answer to this request, if it was posted. Raises NotAllowed, PostedWithOtherContent."""
    with connected(engine) as connection:
        desk = _desk(connection, actor, form, request)
        return answer_if_posted(connection, request.document_id, desk.content_hash)


def _desk(connection: Connection, actor: Actor, form: ActForm, request: Request) -> Desk:
    site = scope(connection, actor, request.site)
    return Desk(connection, actor, site, form.act, actor.book_code or "B", form.content_hash(request))


def scope(connection: Connection, actor: Actor, wanted: str | None) -> Site:
    """The site to post at, and the database role that may post there: one's own, or the one named by who has none."""
    stand_at_desk(connection, roles.POSTER, actor.site_id)
    if actor.site is not None:
        if wanted is not None and wanted.strip().upper() != actor.site_code:
            raise NotAllowed(
                sentence(
                    "You write documents of {site} only, not of {wanted}.",
                    site=actor.site_code,
                    wanted=wanted,
                )
            )
        return actor.site
    if wanted is None:
        raise Invalid(
            sentence("Say at which site."), [Fault(sentence("you are bound to no site: name one"), field="site")]
        )
    site = find_site(connection, wanted)
    stand_at_desk(connection, roles.POSTER, site.site_id)
    return site


def _retried(
    attempt: Callable[[bool], Posted | Drafted], posted_before: Callable[[], Posted | None]
) -> Posted | Drafted:
    """Attempts until no race is lost any more; `attempt` is told whether it lost one."""
    for tried in range(TRIES):
        try:
            return attempt(tried > 0)
        except IntegrityError as problem:
            name = getattr(getattr(problem.orig, "diag", None), "constraint_name", None)
            if not isinstance(problem.orig, UniqueViolation) or name not in RACES:
                raise
            if name == "document_pkey":
                known = posted_before()
                if known is None:
                    raise PostedWithOtherContent(
                        sentence("This document id is in use elsewhere. Take a new document id for a new document.")
                    ) from None
                return known
            if name == "draft_pkey" and tried:
                raise PostedWithOtherContent(
                    sentence("This document id is in use elsewhere. Take a new document id for a new document.")
                ) from None
        except Overtaken:
            continue
        except OperationalError as problem:
            # The server ended the one of two that waited for each other: it did nothing, and is tried again.
            if not isinstance(problem.orig, DeadlockDetected):
                raise
    raise DatabaseUnavailable(
        sentence(
            "Many clerks want the same number at this moment. Nothing was done: try again with the same document id."
        )
    )


class _OnlyTried(Exception):
    """Takes back the trial posting of a draft."""


def _draft(desk: Desk, form: ActForm, request: Request) -> Drafted:
    """Keeps the request for the second party, after a trial that shows it would be accepted now."""
    nobody_erased(desk.connection)
    known = _read_draft(desk.connection, request.document_id)
    if known is None:
        try:
            with desk.connection.begin_nested():
                form.do(
                    Desk(
                        desk.connection,
                        desk.actor,
                        desk.site,
                        desk.act,
                        desk.book_code,
                        desk.content_hash,
                        OWN_PROCUREMENT,  # stands for the approver: nobody's name, so none that a request can hold
                    ),
                    request,
                )
                raise _OnlyTried
        except _OnlyTried:
            pass
        desk.connection.exec_driver_sql(
            """INSERT INTO draft (document_id, site_id, act, request, content_hash, drafted_by, book_code, drafted_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                request.document_id,
                desk.site.site_id,
                str(desk.act),
                Jsonb(request.model_dump(mode="json")),
                desk.content_hash,
                desk.actor.party_id,
                desk.book_code,
                now(),
            ),
        )
    elif known.content_hash != desk.content_hash:
        raise PostedWithOtherContent(
            sentence("Draft {document_id} has other content. Take a new document id.", document_id=request.document_id)
        )
    else:
        return Drafted(request.document_id, str(desk.act), known.drafted_by, known.outcome or WAITING)
    return Drafted(request.document_id, str(desk.act), desk.actor.party_id)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it lies in wait."""

    document_id: UUID
    site_id: UUID
    act: Act
    request: dict[str, Any]
    content_hash: bytes
    drafted_by: UUID
    book_code: str
    outcome: str | None


def _read_draft(connection: Connection, document_id: UUID, lock: bool = False) -> Draft | None:
    row = connection.exec_driver_sql(
        """SELECT document_id, site_id, act, request, content_hash, drafted_by, book_code, outcome
           FROM draft WHERE document_id = %s"""
        + (" FOR UPDATE" if lock else ""),
        (document_id,),
    ).one_or_none()
    if row is None:
        return None
    return Draft(row[0], row[1], Act(row[2]), row[3], bytes(row[4]), row[5], row[6], row[7])


def approve(
    engine: Engine, actor: Actor, forms: dict[Act, ActForm], document_id: UUID, site: str | None = None
) -> Posted:
    """The second party's own request: posts the draft, checked anew, under the first party's name and this approval.

    Raises NotFound, NotAllowed (who drafted can't approve), Refused (what was right then is wrong now).
    """
    require(actor, APPROVE)
    answer = _retried(lambda lost: _approve(engine, actor, forms, document_id, site), lambda: None)
    assert isinstance(answer, Posted)
    return answer


def _approve(engine: Engine, actor: Actor, forms: dict[Act, ActForm], document_id: UUID, wanted: str | None) -> Posted:
    with connected(engine) as connection:
        site = scope(connection, actor, wanted)
        draft = _waiting(connection, document_id)
        if draft.drafted_by == actor.party_id:
            raise NotAllowed(sentence("You asked for this yourself: it takes another person to approve it."))
        known = answer_if_posted(connection, document_id, draft.content_hash)
        if known is not None:
            return known
        if draft.outcome is not None:
            raise Refused(
                sentence(
                    "This draft was {outcome}: ask for it anew under a new document id.",
                    outcome=of_the_books(draft.outcome),
                )
            )
        form = forms[draft.act]
        if form.approvers is not None and actor.role not in form.approvers:
            raise NotAllowed(
                sentence(
                    "A {role} may not approve this. It takes a {approvers}.",
                    role=of_the_books(actor.role),
                    approvers=joined(sentence(" or "), map(of_the_books, sorted(form.approvers))),
                )
            )
        first = Actor(draft.drafted_by, actor.role, site, book_code=draft.book_code)
        desk = Desk(connection, first, site, draft.act, draft.book_code, draft.content_hash, actor.party_id)
        posted = form.do(desk, form.request.model_validate(draft.request))
        _settle(connection, document_id, actor, "posted", None)
        return posted


def _waiting(connection: Connection, document_id: UUID) -> Draft:
    draft = _read_draft(connection, document_id, lock=True)
    if draft is None:
        raise NotFound(sentence("There is no draft {document_id} at this site.", document_id=document_id))
    return draft


def reject(engine: Engine, actor: Actor, document_id: UUID, reason: str, site: str | None = None) -> None:
    """The second party says no, or the first takes it back; the draft stays to be read, with the reason."""
    with connected(engine) as connection:
        scope(connection, actor, site)
        draft = _waiting(connection, document_id)
        own = draft.drafted_by == actor.party_id
        if not own:
            require(actor, APPROVE)
        if draft.outcome is not None:
            raise Refused(sentence("This draft was {outcome} already.", outcome=of_the_books(draft.outcome)))
        _settle(connection, document_id, actor, "withdrawn" if own else "rejected", reason)


def _settle(connection: Connection, document_id: UUID, actor: Actor, outcome: str, reason: str | None) -> None:
    connection.exec_driver_sql(
        "UPDATE draft SET settled_at = %s, settled_by = %s, outcome = %s, reason = %s WHERE document_id = %s",
        (now(), actor.party_id, outcome, reason, document_id),
    )
