"""Tokens: who may speak to the service, in which role, until when. Only registrars make, see and end them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.answers import answer
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reference import LISTING, WRITING, Form, Text
from stockpile import tokens
from stockpile.documents import Code, Words
from stockpile.reports.keyset import Page
from stockpile.rights import KEEP_REFERENCE, reading, require
from stockpile.tokens import Token

router = APIRouter(tags=["tokens"])


class TokenWanted(Form):
    """A token for a person in a role."""

    role: Code = Field(examples=["clerk"])
    label: Words = Field(examples=["Counter 1"])
    party: Code | None = Field(
        None, description="Service number; for a donor's token leave it out", examples=["A-1001"]
    )
    site: Code | None = Field(None, description="For clerk, armourer and commander", examples=["TAJI"])
    donor: Code | None = Field(None, description="For a donor's token: the donor's code")
    book: Code | None = Field(None, description="The counter's book", examples=["B"])
    hours: Annotated[int, Field(ge=1, le=24 * 90)] | None = Field(
        None, description="How long it lives; left out: 12 hours at a desk, else 30 days", examples=[12]
    )


class TokenMade(BaseModel):
    """A token just made: `token` is its text, shown this once."""

    token: str = Field(examples=["sp_Jx0Zl9gVb1n3n0mI2m4cQvXw6yR8tA5uB7kC1dE3fG0"])
    token_id: UUID
    role: str
    party: str | None
    name: str | None
    site: str | None
    donor: str | None
    book: str | None
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@router.get("/tokens", summary="Tokens", response_model=Page[Token], responses=LISTING)
def list_tokens(
    engine: Database,
    actor: Asker,
    pages: Pages,
    alive: Annotated[bool, Query(description="Without the expired and revoked")] = False,
    text: Text = None,
) -> Response:
    """The newest first: whose, in which role, until when; never the token itself."""
    require(actor, KEEP_REFERENCE)
    return listing(
        engine, actor, pages, "tokens", Token,
        lambda connection, limit, cursor: tokens.search_tokens(connection, alive, text, limit, cursor),
    )  # fmt: skip


@router.post("/tokens", status_code=201, summary="Make a token", response_model=TokenMade, responses=WRITING)
def create_token(body: TokenWanted, engine: Database, actor: Asker) -> Response:
    """The only answer that shows it."""
    require(actor, KEEP_REFERENCE)
    lives = timedelta(hours=body.hours) if body.hours else None
    with reading(engine, actor) as connection:
        made = tokens.create_token(
            connection, body.role, body.label, body.party, body.site, body.donor, body.book, lives
        )
    return answer({"token": made.text, **asdict(made.token)}, 201)


@router.post("/tokens/{token_id}/revoke", summary="Revoke a token", response_model=Token, responses=WRITING)
def revoke_token(token_id: UUID, engine: Database, actor: Asker) -> Response:
    """From now on it is nobody's."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        return answer(tokens.revoke_token(connection, token_id))
