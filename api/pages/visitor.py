"""Who is looking at a page, as its frame always shows: name, role, site and counter."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from api.words import N_
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.reports.signing_in import in_view
from stockpile.rights import Actor

AS_GUEST = N_("guest")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in. `by_session`: with a cookie, so that they can sign out here."""

    name: str
    role: str
    site: str | None
    counter: str | None
    book: str | None
    time_zone: str | None
    by_session: bool


def visitor(request: Request) -> Visitor | None:
    """Who looks at this page; None: nobody in particular. Asks the database once, however often it is called for a request."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        return None
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is None:
        with transaction(request.app.state.engine, roles.REGISTRAR) as connection:
            name, counter = in_view(connection, actor)
        role = AS_GUEST if actor.guest_id else actor.role
        known = Visitor(
            name, role, actor.site_code, counter, actor.book_code, actor.time_zone, actor.session_id is not None
        )
        request.state.visitor = known
    return known


def in_frame(request: Request) -> dict[str, Visitor | None]:
    """What every template knows: `visitor`."""
    return {"visitor": visitor(request)}
