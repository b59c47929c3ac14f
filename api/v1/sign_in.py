"""Users, sessions, counters, badges, PINs, failures to sign in, and the second person at a counter. Nothing here ever shows a
password, a PIN or a cookie again; a one-time code or PIN is in one answer alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.answers import Rows, answer
from api.at_counter import counter_of, where_from
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    TOO_SOON,
    documented,
)
from api.v1.reference import LISTING, WRITING, Form, Text
from stockpile import counters, pins, sessions, users
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Code, Scan, Words
from stockpile.pins import OneTimePin
from stockpile.reports import signing_in
from stockpile.reports.keyset import Page
from stockpile.reports.signing_in import BadgeRow, CounterRow, FailureRow, PinRow, SessionRow, UserRow
from stockpile.rights import KEEP_USERS, reading, require
from stockpile.second_person import SecondPerson, second_person

router = APIRouter(tags=["sign-in"])

GIVING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID, TOO_SOON)
LISTING_OF_SITE = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)

SiteCode = Annotated[Code | None, Query(description="Of one site: its code")]
Password = Annotated[str, Field(min_length=1, max_length=400)]
Pin = Annotated[str, Field(min_length=1, max_length=200)]


class NewUser(Form):
    """A person in a role who may sign in."""

    name: Words = Field(description="What is typed to sign in, without blanks", examples=["talib.karim"])
    role: Code = Field(examples=["clerk"])
    party: Code | None = Field(None, description="Service number; for a donor's user leave it out", examples=["T-1"])
    site: Code | None = Field(None, description="For clerk, armourer and commander", examples=["TAJI"])
    donor: Code | None = Field(None, description="For a donor's user: the donor's code")
    password: Password | None = Field(None, description="Left out: a one-time code is made", repr=False)


class UserMade(BaseModel):
    """A user just made. `code`: the one-time code to sign in with, shown this once."""

    user_id: UUID
    name: str = Field(examples=["talib.karim"])
    code: str | None = Field(examples=["7KQM-2F9X-HWDA-PLR4"])


class NewPassword(Form):
    """Another password for a user."""

    password: Password | None = Field(None, description="Left out: a one-time code is made", repr=False)


class CodeGiven(BaseModel):
    """The one-time code to sign in with, shown this once; null: a password was given."""

    code: str | None = Field(examples=["7KQM-2F9X-HWDA-PLR4"])


class PinWanted(Form):
    """Who needs a PIN."""

    person: Scan = Field(description="Service number or badge", examples=["A-1001"])


class NewBadge(Form):
    """What stands on somebody's badge."""

    person: Scan = Field(description="Service number, or another badge of theirs", examples=["A-1001"])
    text: Scan = Field(description="As the scanner reads it", examples=["0045881902"])


class SecondWanted(Form):
    """Somebody beside the one who is signed in."""

    badge: Scan = Field(description="Service number or badge", examples=["C-1"])
    pin: Pin = Field(examples=["640283"], repr=False)
    role: Code | None = Field(None, description="Left out: the highest that they have here", examples=["commander"])


@router.get("/users", summary="Users", response_model=Page[UserRow], responses=LISTING)
def list_users(
    engine: Database,
    actor: Asker,
    pages: Pages,
    alive: Annotated[bool, Query(description="Without the disabled")] = False,
    text: Text = None,
) -> Response:
    """By name: who they are, in which role, when last seen. For registrars."""
    require(actor, KEEP_USERS)
    return listing(
        engine, actor, pages, "users", UserRow,
        lambda connection, limit, cursor: signing_in.search_users(connection, actor, text, alive, limit, cursor),
    )  # fmt: skip


@router.post("/users", status_code=201, summary="Add a user", response_model=UserMade, responses=GIVING)
def add_user(body: NewUser, engine: Database, actor: Asker) -> Response:
    """The only answer that shows a one-time code."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        made = users.add_user(
            connection, body.name, body.role, body.party, body.site, body.donor, body.password, actor.party_id
        )
    return answer(made, 201)


@router.post("/users/{user_id}/password", summary="Give another password", response_model=CodeGiven, responses=GIVING)
def set_password(user_id: UUID, body: NewPassword, engine: Database, actor: Asker) -> Response:
    """The former holds no more, and every session of the user's is over."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        return answer({"code": users.set_password(connection, user_id, body.password)})


@router.post("/users/{user_id}/disable", summary="Disable a user", response_model=UserRow, responses=WRITING)
def disable_user(user_id: UUID, engine: Database, actor: Asker) -> Response:
    """Signs in no more; every session of theirs is over."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        users.disable_user(connection, user_id)
        return answer(signing_in.read_user(connection, user_id))


@router.post("/users/{user_id}/enable", summary="Enable a user again", response_model=UserRow, responses=WRITING)
def enable_user(user_id: UUID, engine: Database, actor: Asker) -> Response:
    """Signs in again as before."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        users.enable_user(connection, user_id)
        return answer(signing_in.read_user(connection, user_id))


@router.get(
    "/sessions",
    summary="Where one is signed in",
    response_model=Rows[SessionRow],
    responses=documented(NOT_SIGNED_IN),
)
def list_sessions(engine: Database, actor: Asker) -> Response:
    """The newest first, in any role of one's own."""
    with transaction(engine, roles.REGISTRAR) as connection:
        return answer({"rows": signing_in.own_sessions(connection, actor)})


@router.post(
    "/sessions/{session_id}/end",
    summary="End a session of one's own",
    response_model=Rows[SessionRow],
    responses=WRITING,
)
def end_session(session_id: UUID, engine: Database, actor: Asker) -> Response:
    """Signs oneself out elsewhere, or here; the answer is where one is signed in still."""
    with transaction(engine, roles.REGISTRAR) as connection:
        sessions.end(connection, actor.party_id, session_id)
        return answer({"rows": signing_in.own_sessions(connection, actor)})


@router.get("/counters", summary="Counters", response_model=Page[CounterRow], responses=LISTING_OF_SITE)
def list_counters(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: SiteCode = None,
    alive: Annotated[bool, Query(description="Without the revoked")] = False,
) -> Response:
    """By site. A browser is enrolled on the page /counters, in that browser."""
    return listing(
        engine, actor, pages, "counters", CounterRow,
        lambda connection, limit, cursor: signing_in.search_counters(connection, actor, site, alive, limit, cursor),
    )  # fmt: skip


@router.post("/counters/{counter_id}/revoke", summary="Revoke a counter", response_model=CounterRow, responses=WRITING)
def revoke_counter(counter_id: UUID, engine: Database, actor: Asker) -> Response:
    """Stolen, replaced: nobody signs in there by PIN any more, and who is signed in there is not."""
    with reading(engine, actor) as connection:
        counters.revoke(connection, actor, counter_id)
        return answer(signing_in.read_counter(connection, counter_id))


@router.get("/badges", summary="Registered badges", response_model=Page[BadgeRow], responses=LISTING)
def list_badges(engine: Database, actor: Asker, pages: Pages, text: Text = None) -> Response:
    """Where a badge bears something else than the service number."""
    return listing(
        engine, actor, pages, "badges", BadgeRow,
        lambda connection, limit, cursor: signing_in.search_badges(connection, actor, text, limit, cursor),
    )  # fmt: skip


@router.post("/badges", status_code=201, summary="Register a badge", response_model=BadgeRow, responses=WRITING)
def register_badge(body: NewBadge, engine: Database, actor: Asker) -> Response:
    """For somebody of the site. The same again gives the same badge."""
    with reading(engine, actor) as connection:
        badge_id = pins.register_badge(connection, actor, body.person, body.text)
        return answer(signing_in.read_badge(connection, badge_id), 201)


@router.post("/badges/{badge_id}/revoke", summary="Revoke a badge", response_model=BadgeRow, responses=WRITING)
def revoke_badge(badge_id: UUID, engine: Database, actor: Asker) -> Response:
    """Lost or replaced: it opens nothing any more."""
    with reading(engine, actor) as connection:
        pins.revoke_badge(connection, actor, badge_id)
        return answer(signing_in.read_badge(connection, badge_id))


@router.get("/pins", summary="Who set whose PIN", response_model=Page[PinRow], responses=LISTING)
def list_pins(engine: Database, actor: Asker, pages: Pages, text: Text = None) -> Response:
    """The newest first, also those that were replaced; never a PIN."""
    return listing(
        engine, actor, pages, "pins", PinRow,
        lambda connection, limit, cursor: signing_in.list_pins(connection, actor, text, limit, cursor),
    )  # fmt: skip


@router.post("/pins", status_code=201, summary="Give a one-time PIN", response_model=OneTimePin, responses=GIVING)
def give_pin(body: PinWanted, engine: Database, actor: Asker) -> Response:
    """To who has none or forgot it; the only answer that shows it. What the former PIN opened is over; that you gave it stays on
    record.
    """
    with reading(engine, actor) as connection:
        return answer(pins.give_one_time_pin(connection, actor, body.person), 201)


@router.get(
    "/sign-in-failures", summary="Who failed to sign in", response_model=Page[FailureRow], responses=LISTING_OF_SITE
)
def list_failures(engine: Database, actor: Asker, pages: Pages, site: SiteCode = None) -> Response:
    """The newest first: who they said they were, where, how often, and until when that pair waits. For commanders and registrars."""
    return listing(
        engine, actor, pages, "sign-in-failures", FailureRow,
        lambda connection, limit, cursor: signing_in.list_failures(connection, actor, site, limit, cursor),
    )  # fmt: skip


class SecondShown(BaseModel):
    """The second person's token: sent as `Authorization: Bearer` with the one request that is theirs."""

    token: str = Field(examples=["sp_Jx0Zl9gVb1n3n0mI2m4cQvXw6yR8tA5uB7kC1dE3fG0"])
    expires_at: datetime
    party_id: UUID
    person: str = Field(examples=["Major Carim Said (C-1)"])
    role: str = Field(examples=["commander"])


@router.post(
    "/station/second", status_code=201, summary="A second person at the same counter", response_model=SecondShown,
    responses=GIVING,
)  # fmt: skip
def sign_in_second(body: SecondWanted, request: Request, engine: Database, actor: Asker) -> Response:
    """By badge and PIN beside who is signed in at an enrolled counter, who stays so: a token for one request within two minutes,
    in their own role.
    """
    where = where_from(request)
    made: SecondPerson = second_person(
        engine, actor, counter_of(request), body.badge, body.pin, where.address, body.role
    )
    return answer(made, 201)
