"""The start page of the host's people: what waits for them, each number a way to its list; for who is not signed in what this is, without
a figure of any country. A donor's is its portal (`portal.py`); `first.py` says who is shown which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.pages import templates
from api.pages.cases import CASES
from api.pages.counts import COUNTS
from api.pages.discrepancies import DISCREPANCIES
from api.pages.guests import GUESTS
from api.pages.listing import HOST, Listing, asked_of
from api.pages.navigation import EVERYBODY
from api.pages.shipments import SHIPMENTS
from api.pages.statements import STATEMENTS
from api.pages.transparency import ALARMS
from api.pages.waiting_lists import CARDS, CLOSURES, COUNTS_DUE, DRAFTS, JOBS
from api.words import N_
from stockpile.parties import read_party
from stockpile.rights import (
    APPROVE,
    APPROVE_GUESTS,
    AUDITOR,
    CLOSE_COUNT,
    DESK,
    DONOR,
    LEAD_CASES,
    READ_ALARMS,
    REGISTRAR,
    RIGHTS,
    SIGN_DELIVERIES,
    Actor,
    reading,
)
from stockpile.sites import day_on_the_walls

COUNTED = 100
"""So many rows are counted; where there are more, it says so."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Something that may wait for who asks: the list that shows it, narrowed; `late`: what is overdue. In the values, `{me}` is
    the own service number, `{today}` the day on the own wall. `guests`: whether those in the role are shown it too.
    """

    label: str
    list: Listing
    asked: Mapping[str, str]
    roles: frozenset[str]
    late: bool = False
    guests: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits: a number, whether there is more, and where it is shown."""

    label: str
    number: int
    more: bool
    link: str
    late: bool


WITH_PEOPLE = DESK | {REGISTRAR}

WAITS = (
    Waits(N_("Approvals that wait for you"), DRAFTS, {"own": "no"}, RIGHTS[APPROVE]),
    Waits(N_("Asked for by you, not approved yet"), DRAFTS, {"own": "yes"}, WITH_PEOPLE),
    Waits(N_("Closures that wait for a second person"), CLOSURES, {}, RIGHTS[APPROVE] | {AUDITOR}),
    Waits(N_("Discrepancies you answer for"), DISCREPANCIES, {"owner": "{me}"}, WITH_PEOPLE),
    Waits(N_("Discrepancies overdue"), DISCREPANCIES, {"due_before": "{today}"}, EVERYBODY, late=True),
    Waits(N_("Discrepancies open"), DISCREPANCIES, {}, EVERYBODY),
    Waits(N_("Cases that wait for a second person"), CASES, {"state": "waiting"}, RIGHTS[LEAD_CASES]),
    Waits(N_("Cases you answer for"), CASES, {"owner": "{me}"}, HOST),
    Waits(N_("Cases overdue"), CASES, {"due_before": "{today}"}, RIGHTS[LEAD_CASES], late=True),
    Waits(N_("Cases open for over 90 days"), CASES, {"age": "over 90 days"}, RIGHTS[LEAD_CASES], late=True),
    Waits(N_("Cases open for 31 to 90 days"), CASES, {"age": "31 to 90 days"}, RIGHTS[LEAD_CASES]),
    Waits(N_("Cases open for up to 30 days"), CASES, {"age": "up to 30 days"}, RIGHTS[LEAD_CASES]),
    Waits(N_("Counts overdue"), COUNTS_DUE, {"overdue": "yes"}, HOST, late=True),
    Waits(N_("Counts due"), COUNTS_DUE, {}, RIGHTS[CLOSE_COUNT]),
    Waits(N_("Counts open"), COUNTS, {"state": "open"}, HOST),
    Waits(N_("Weapon cards overdue"), CARDS, {"overdue": "yes"}, HOST, late=True),
    Waits(
        N_("Donors' statements that wait for an answer"),
        STATEMENTS,
        {"state": "waiting"},
        frozenset({REGISTRAR, DONOR}),
    ),
    Waits(
        N_("Deliveries to be signed by a second person"),
        STATEMENTS,
        {"state": "waiting", "kind": "delivery verification"},
        RIGHTS[SIGN_DELIVERIES],
    ),
    Waits(
        N_("Guests who wait for approval"),
        GUESTS,
        {"state": "waiting for approval"},
        RIGHTS[APPROVE_GUESTS],
        guests=False,
    ),
    Waits(N_("Shipments overdue"), SHIPMENTS, {"overdue": "yes"}, HOST, late=True),
    Waits(N_("Shipments on their way"), SHIPMENTS, {"outstanding": "yes"}, HOST),
    Waits(N_("Alarms of the log"), ALARMS, {}, RIGHTS[READ_ALARMS], late=True),
    Waits(N_("Your long tasks"), JOBS, {}, HOST),
)
"""In the order in which they are shown."""


def show_waiting(request: Request, engine: Engine, actor: Actor) -> Response:
    """What waits for who is signed in."""
    with reading(engine, actor) as connection:
        waiting = waiting_for(connection, actor)
    answer: Response = templates.TemplateResponse(request, "waiting.html", {"waiting": waiting})
    return answer


def waiting_for(connection: Connection, actor: Actor) -> list[Waiting]:
    """What waits for who asks, what is overdue first, then what there is, then where there is nothing."""
    me = read_party(connection, actor.party_id).code
    return counted(connection, actor, WAITS, {"me": me})


def counted(connection: Connection, actor: Actor, waits: Sequence[Waits], known: Mapping[str, Any]) -> list[Waiting]:
    """How much there is of what may wait, what is overdue first, then what there is, then where there is nothing."""
    known = {"today": day_on_the_walls(connection, actor.time_zone).isoformat(), **known}
    waiting = [
        _waiting(connection, actor, one, known)
        for one in waits
        if actor.role in one.roles and (one.guests or not actor.reads_only)
    ]
    return sorted(waiting, key=lambda one: 0 if one.number and one.late else 1 if one.number else 2)


def _waiting(connection: Connection, actor: Actor, one: Waits, known: Mapping[str, Any]) -> Waiting:
    given = one.list.taken_from(actor, {name: value.format(**known) for name, value in one.asked.items()})
    apart = connection.begin_nested()  # rolled back, since some lists are read in another role
    try:
        page = one.list.ask(connection, actor, asked_of(one.list, actor, given, COUNTED))
    finally:
        apart.rollback()
    return Waiting(one.label, len(page.rows), page.cursor is not None, one.list.link(**given), one.late)
