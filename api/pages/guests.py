"""Guests: who is invited, who reads, and what they read; the form of an invitation, and the answer of the second person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, may, templates
from api.pages.forms import or_none, sent
from api.pages.listing import Asked, Column, Listing, Way, answer_list, choice_filter, key_filter, read_day
from api.words import N_
from stockpile import guests
from stockpile.errors import Fault, Invalid
from stockpile.guests import InviteGuest
from stockpile.keys import new_key
from stockpile.reports.guests import (
    GUEST_ORDERS,
    READING_ORDERS,
    STATES,
    GuestRow,
    ReadingRow,
    list_guests,
    list_readings,
    read_guest,
)
from stockpile.reports.keyset import Page
from stockpile.rights import APPROVE_GUESTS, INVITE_GUESTS, RIGHTS, Actor, reading, require
from stockpile.sentences import sentence, words_of

router = APIRouter(include_in_schema=False)

KEEPERS = RIGHTS[APPROVE_GUESTS]
Text = Annotated[str, Form(max_length=4000)]


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[GuestRow]:
    return list_guests(connection, actor, asked.values.get("state"), asked.limit, asked.cursor, asked.order)


GUESTS = Listing(
    path="/guests",
    name="guests",
    title=N_("Guests"),
    question=N_("Who from outside reads here, what, and until when?"),
    row=GuestRow,
    columns=(
        Column("person", N_("Person"), "person", lambda row: f"/guests/{row.guest_id}"),
        Column("state", N_("State"), "term"),
        Column("scope", N_("Reads"), "term"),
        Column("donor", N_("Donor"), "code"),
        Column("begins_at", N_("From"), "moment"),
        Column("ends_at", N_("Until"), "moment"),
        Column("asked_by", N_("Asked for by"), "person"),
        Column("settled_by", N_("Settled by"), "person", sparse=True),
        Column("readings", N_("Requests"), "number", lambda row: f"/guest-readings?guest_id={row.guest_id}"),
    ),
    filters=(choice_filter("state", N_("State"), STATES),),
    ways=(
        Way(N_("Invite a guest"), "/guests/new", RIGHTS[INVITE_GUESTS]),
        Way(N_("What guests read"), "/guest-readings", KEEPERS),
    ),
    empty=N_("Nobody from outside was invited."),
    ask=_ask,
    orders=GUEST_ORDERS,
    cases=False,
)


def _ask_readings(connection: Connection, actor: Actor, asked: Asked) -> Page[ReadingRow]:
    return list_readings(connection, actor, asked.values.get("guest_id"), asked.limit, asked.cursor, asked.order)


READINGS = Listing(
    path="/guest-readings",
    name="guest-readings",
    title=N_("What guests read"),
    question=N_("What did people from outside ask for, and when?"),
    row=ReadingRow,
    columns=(
        Column("read_at", N_("When"), "moment"),
        Column("person", N_("Person"), "person", lambda row: f"/guests/{row.guest_id}"),
        Column("method", N_("How"), "code"),
        Column("path", N_("What"), "code"),
    ),
    filters=(key_filter("guest_id", N_("Of one guest.")),),
    empty=N_("No guest asked for anything."),
    ask=_ask_readings,
    orders=READING_ORDERS,
    default="-read_at",
    cases=False,
)


@router.get("/guests", response_class=HTMLResponse)
def list_page(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of guests."""
    return answer_list(GUESTS, request, engine, actor)


@router.get("/guest-readings", response_class=HTMLResponse)
def readings_page(request: Request, engine: Database, actor: Asker) -> Response:
    """What they read."""
    return answer_list(READINGS, request, engine, actor)


SCOPES = (
    ("country", N_("everything, as an auditor reads it")),
    ("donor", N_("all weapons of one donor")),
    ("consignments", N_("named consignments of one donor")),
)


def _form(request: Request, form: Mapping[str, Any], status: int = 200) -> Response:
    shown = {
        "scopes": SCOPES,
        "form": {"faults": {}, "problem": None, "given": {"guest_id": str(new_key())}, **form},
    }
    response: Response = templates.TemplateResponse(request, "guest_new.html", shown, status_code=status)
    return response


@router.get("/guests/new", response_class=HTMLResponse)
def new_form(request: Request, actor: Asker) -> Response:
    """The form of an invitation."""
    require(actor, INVITE_GUESTS)
    return _form(request, {})


@router.post("/guests/new", response_class=HTMLResponse)
def invite(
    request: Request, engine: Database, actor: Asker, guest_id: Text = "", person: Text = "", name: Text = "", scope: Text = "",
    donor: Text = "",
    consignments: Text = "", begins_at: Text = "", ends_at: Text = "", reason: Text = "",
) -> Response:  # fmt: skip
    """A registrar invites somebody."""
    given = {
        "guest_id": guest_id, "person": person, "name": name, "scope": scope,
        "donor": donor, "consignments": consignments, "begins_at": begins_at,
        "ends_at": ends_at, "reason": reason,
    }  # fmt: skip

    def do() -> str:
        require(actor, INVITE_GUESTS)
        body = {
            **{name: value for name, value in given.items() if or_none(value)},
            "consignments": [one.strip() for one in consignments.replace("\n", ",").split(",") if one.strip()],
            "begins_at": _day("begins_at", begins_at),
            "ends_at": _day("ends_at", ends_at, after=True),
        }
        if body["ends_at"] is None:
            del body["ends_at"]
        return f"/guests/{guests.invite(engine, actor, InviteGuest.model_validate(body)).guest_id}"

    return sent(given, do, lambda form, status: _form(request, form, status))


def _day(field: str, text: str, after: bool = False) -> datetime | None:
    """The first moment of a day in UTC, or the first after it; None for no day. Raises Invalid."""
    if not text.strip():
        return None
    try:
        day: date = read_day(text.strip())
    except ValueError as problem:
        raise Invalid(
            sentence("The guest was not invited."), [Fault(words_of(problem), field=field, value=text)]
        ) from None
    return datetime.combine(day + timedelta(days=int(after)), time(), UTC)


@router.get("/guests/{guest_id}", response_class=HTMLResponse)
def show(guest_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One invitation as it stands."""
    return _page(request, engine, actor, guest_id, {})


def _page(
    request: Request, engine: Database, actor: Actor, guest_id: UUID, form: Mapping[str, Any], status: int = 200
) -> Response:
    with reading(engine, actor) as connection:
        found = read_guest(connection, actor, guest_id)
    shown = {
        "guest": found,
        "scope": dict(SCOPES)[found.scope],
        "waits": found.state == guests.WAITING,
        "may_end": found.state in ("to come", "reads"),
        "may_give_token": found.state in ("to come", "reads") and may(actor, INVITE_GUESTS),
        "readings": address("/guest-readings", guest_id=guest_id),
        "form": {"faults": {}, "problem": None, "given": {}, **form},
    }
    response: Response = templates.TemplateResponse(request, "guest.html", shown, status_code=status)
    return response


def _answered(
    request: Request,
    engine: Database,
    actor: Actor,
    guest_id: UUID,
    do: Callable[[], object],
    given: Mapping[str, Any] = {},
) -> Response:
    def there() -> str:
        do()
        return f"/guests/{guest_id}"

    return sent(given, there, lambda form, status: _page(request, engine, actor, guest_id, form, status))


@router.post("/guests/{guest_id}/approve", response_class=HTMLResponse)
def approve(guest_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The second person agrees; the name and code to sign in with are shown this once."""
    made: dict[str, Any] = {}

    def do() -> None:
        invited = guests.approve(engine, actor, guest_id)
        made.update(name=invited.name, code=invited.code)

    failed = _answered(request, engine, actor, guest_id, do)
    return _page(request, engine, actor, guest_id, made) if made else failed


@router.post("/guests/{guest_id}/reject", response_class=HTMLResponse)
def reject(guest_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The second person says no; or who asked takes it back."""
    return _answered(request, engine, actor, guest_id, lambda: guests.reject(engine, actor, guest_id))


@router.post("/guests/{guest_id}/revoke", response_class=HTMLResponse)
def revoke(guest_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The access is over at once."""
    return _answered(request, engine, actor, guest_id, lambda: guests.revoke(engine, actor, guest_id))


@router.post("/guests/{guest_id}/token", response_class=HTMLResponse)
def make_token(guest_id: UUID, request: Request, engine: Database, actor: Asker, label: Text = "") -> Response:
    """A token for the guest's programs, shown this once."""
    given = {"label": label}
    made: dict[str, Any] = {}

    def do() -> None:
        if not 1 <= len(label.strip()) <= 100:
            why = sentence("1 to 100 characters: what the token is for")
            raise Invalid(sentence("The token was not made."), [Fault(why, field="label")])
        made["token"] = guests.give_token(engine, actor, guest_id, label.strip()).text

    failed = _answered(request, engine, actor, guest_id, do, given)
    return _page(request, engine, actor, guest_id, made) if made else failed
