"""A site's counters, its people's badges and PINs, and who failed to sign in: for its commander, and for registrars."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.at_counter import counter_of
from api.cookies import COUNTER, forget, set_counter
from api.dependencies import Asker, Database
from api.pages.forms import faults_by_field
from api.pages.sign_in import SEE_OTHER, Typed, shown, status_of
from stockpile import counters, pins
from stockpile.errors import Invalid, NotFound
from stockpile.reports.reference import search_sites
from stockpile.reports.signing_in import list_failures, list_pins, search_counters
from stockpile.rights import ENROL_COUNTERS, RESET_PINS, RIGHTS, Actor, reading, require

router = APIRouter(include_in_schema=False)

SHOWN = 100
Cursor = Annotated[str | None, Query(max_length=1000)]


@router.get("/counters")
def counters_page(request: Request, engine: Database, actor: Asker, cursor: Cursor = None) -> Response:
    """The counters of a site; whoever may enrols this browser here."""
    return _counters(request, engine, actor, cursor=cursor)


def _counters(
    request: Request,
    engine: Database,
    actor: Actor,
    problem: Invalid | NotFound | None = None,
    cursor: str | None = None,
    **typed: str,
) -> Response:
    may = actor.role in RIGHTS[ENROL_COUNTERS]
    with reading(engine, actor) as connection:
        page = search_counters(connection, actor, limit=SHOWN, cursor=cursor)
        sites = search_sites(connection).rows if may and actor.site is None else ()
    return shown(
        request, "counters", status_of(problem) if problem else 200, listed=page, here=counter_of(request), may=may,
        sites=sites, problem=problem, faults=faults_by_field(problem) if problem else {}, typed=typed,
    )  # fmt: skip


@router.post("/counters")
def enrol(
    request: Request, engine: Database, actor: Asker, label: Typed = "", book: Typed = "", site: Typed = ""
) -> Response:
    """Makes this browser a counter."""
    try:
        with reading(engine, actor) as connection:
            made = counters.enrol(connection, actor, label, book, site or None)
    except (Invalid, NotFound) as problem:
        return _counters(request, engine, actor, problem, label=label, book=book, site=site)
    answer = RedirectResponse("/counters", SEE_OTHER)
    set_counter(request.scope, answer, made.text)
    return answer


@router.post("/counters/{counter_id}/revoke")
def revoke(counter_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Takes a counter out of use."""
    here = counter_of(request)
    with reading(engine, actor) as connection:
        counters.revoke(connection, actor, counter_id)
    answer = RedirectResponse("/counters", SEE_OTHER)
    if here is not None and here.counter_id == counter_id:
        forget(request.scope, answer, COUNTER)
    return answer


@router.get("/pins")
def pins_page(request: Request, engine: Database, actor: Asker, cursor: Cursor = None) -> Response:
    """Who set whose PIN when; a forgotten one is given anew here."""
    require(actor, RESET_PINS)
    with reading(engine, actor) as connection:
        page = list_pins(connection, actor, limit=SHOWN, cursor=cursor)
    return shown(request, "pins", listed=page, faults={})


@router.post("/pins")
def give_pin(request: Request, engine: Database, actor: Asker, person: Typed = "") -> Response:
    """Shows a one-time PIN, this once."""
    given, problem = None, None
    try:
        with reading(engine, actor) as connection:
            given = pins.give_one_time_pin(connection, actor, person)
    except Invalid as fault:
        problem = fault
    with reading(engine, actor) as connection:
        page = list_pins(connection, actor, limit=SHOWN)
    return shown(
        request, "pins", status_of(problem) if problem else 200, listed=page, given=given, problem=problem,
        faults=faults_by_field(problem) if problem else {}, person="" if given else person,
    )  # fmt: skip


@router.post("/badges")
def register_badge(request: Request, engine: Database, actor: Asker, person: Typed = "", text: Typed = "") -> Response:
    """Registers what a person's badge says."""
    problem = None
    try:
        with reading(engine, actor) as connection:
            pins.register_badge(connection, actor, person, text)
    except Invalid as fault:
        problem = fault
    with reading(engine, actor) as connection:
        page = list_pins(connection, actor, limit=SHOWN)
    return shown(
        request, "pins", status_of(problem) if problem else 200, listed=page, badge_problem=problem,
        badge_faults=faults_by_field(problem) if problem else {}, faults={}, registered=None if problem else text,
        badge_person=person if problem else "", badge_text=text if problem else "",
    )  # fmt: skip


@router.get("/sign-in-failures")
def failures_page(request: Request, engine: Database, actor: Asker, cursor: Cursor = None) -> Response:
    """Who failed to sign in, where, and who waits there."""
    with reading(engine, actor) as connection:
        page = list_failures(connection, actor, limit=SHOWN, cursor=cursor)
    return shown(request, "failures", listed=page)
