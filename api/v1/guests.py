"""Guests: people from outside who read for a time what they were invited to. A registrar invites, another person approves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    REFUSED,
    TOO_LARGE,
    UNREADABLE_REQUEST,
    documented,
)
from stockpile import guests
from stockpile.documents import Asked, Words
from stockpile.guests import InviteGuest
from stockpile.reports.guests import GuestRow, ReadingRow, list_guests, list_readings, read_guest
from stockpile.rights import reading

router = APIRouter(tags=["guests"])

DECIDING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID)
LISTS = exportable(NOT_SIGNED_IN, NOT_ALLOWED, INVALID)


class InvitedShown(BaseModel):
    """How an invitation stands. `name` and `code`: with which the guest signs in for the first time, shown to who approves, this once."""

    guest_id: UUID
    state: str
    name: str | None
    code: str | None


class TokenForGuest(Asked):
    """A token for a guest's programs."""

    label: Annotated[Words, Field(max_length=100, examples=["The panel's analysis"])]


class GuestTokenMade(BaseModel):
    """A token just made: `token` is its text, shown this once."""

    token: str
    token_id: UUID
    expires_at: datetime


@router.get("/guests", summary="Guests", response_model=Page[GuestRow], responses=LISTS)
def search_guests(
    engine: Database,
    actor: Asker,
    pages: Pages,
    state: Annotated[
        Literal["waiting for approval", "rejected", "withdrawn", "to come", "reads", "over", "revoked"] | None,
        Query(description="How they stand now"),
    ] = None,
) -> Response:
    """The newest invitation first: who reads what, from when until when, who asked and who approved; for registrars and auditors."""
    return listing(
        engine, actor, pages, "guests", GuestRow,
        lambda connection, limit, cursor: list_guests(connection, actor, state, limit, cursor),
    )  # fmt: skip


@router.get("/guest-readings", summary="What guests read", response_model=Page[ReadingRow], responses=LISTS)
def search_readings(
    engine: Database,
    actor: Asker,
    pages: Pages,
    guest_id: Annotated[UUID | None, Query(description="Of one guest: the invitation's key")] = None,
) -> Response:
    """Every request of theirs, kept before it was answered, the newest first. What they searched for is not kept."""
    return listing(
        engine, actor, pages, "guest-readings", ReadingRow,
        lambda connection, limit, cursor: list_readings(connection, actor, guest_id, limit, cursor),
    )  # fmt: skip


@router.post(
    "/guests",
    status_code=202,
    summary="Invite a guest",
    response_model=InvitedShown,
    responses=documented(
        UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, OTHER_CONTENT, REFUSED, TOO_LARGE, NOT_JSON, INVALID
    ),
)
def invite_guest(body: InviteGuest, engine: Database, actor: Asker) -> Response:
    """For a registrar. The guest reads nothing before another person approves it."""
    return answer(guests.invite(engine, actor, body), 202)


@router.get(
    "/guests/{guest_id}",
    summary="A guest",
    response_model=GuestRow,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_guest(guest_id: UUID, engine: Database, actor: Asker) -> Response:
    """One invitation as it stands."""
    with reading(engine, actor) as connection:
        return answer(read_guest(connection, actor, guest_id))


@router.post(
    "/guests/{guest_id}/approve",
    status_code=201,
    summary="Approve a guest",
    response_model=InvitedShown,
    responses=DECIDING,
)
def approve_guest(guest_id: UUID, engine: Database, actor: Asker) -> Response:
    """The second person's own request, another registrar's or an auditor's: the answer holds the name and the one-time code to sign in."""
    return answer(guests.approve(engine, actor, guest_id), 201)


@router.post(
    "/guests/{guest_id}/reject",
    summary="Reject or withdraw an invitation",
    response_model=InvitedShown,
    responses=DECIDING,
)
def reject_guest(guest_id: UUID, engine: Database, actor: Asker) -> Response:
    """The second person says no; or who asked takes it back."""
    return answer(guests.reject(engine, actor, guest_id))


@router.post(
    "/guests/{guest_id}/revoke", summary="End a guest's access", response_model=InvitedShown, responses=DECIDING
)
def revoke_guest(guest_id: UUID, engine: Database, actor: Asker) -> Response:
    """At once, for good: sessions and tokens are refused from the next request on. Takes one person, a registrar or an auditor."""
    return answer(guests.revoke(engine, actor, guest_id))


@router.post(
    "/guests/{guest_id}/token",
    status_code=201,
    summary="Make a token for a guest",
    response_model=GuestTokenMade,
    responses=documented(
        UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, TOO_LARGE, NOT_JSON, INVALID
    ),
)
def make_token(guest_id: UUID, body: TokenForGuest, engine: Database, actor: Asker) -> Response:
    """For the guest's programs; it ends with the access, after 90 days at the latest."""
    kept = guests.give_token(engine, actor, guest_id, body.label)
    return answer({"token": kept.text, "token_id": kept.token_id, "expires_at": kept.expires_at}, 201)
