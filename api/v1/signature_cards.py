"""Signature cards: who may draw for a unit, until when (DA 1687)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.answers import answer
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reference import LISTING, WRITING, Day, Form, OnDay, Text, day_asked
from stockpile import parties
from stockpile.documents import Code
from stockpile.reports.keyset import Page
from stockpile.reports.reference import CardRow, read_signature_card, search_signature_cards
from stockpile.rights import KEEP_REFERENCE, READ_PEOPLE, reading, require

router = APIRouter(tags=["signature cards"])


class NewCard(Form):
    """Who may draw for a unit, until when."""

    unit: Code = Field(examples=["1COY"])
    person: Code = Field(description="Service number", examples=["A-1002"])
    since: Day = Field(examples=["2026-01-01"])
    until: Day = Field(description="The last day", examples=["2027-12-31"])


@router.get("/signature-cards", summary="Who may draw for a unit", response_model=Page[CardRow], responses=LISTING)
def list_cards(
    engine: Database,
    actor: Asker,
    pages: Pages,
    unit: Annotated[Code | None, Query(description="Unit code")] = None,
    person: Annotated[Code | None, Query(description="Service number")] = None,
    state: Literal["valid", "expired", "withdrawn", "not begun", "left"] | None = None,
    text: Text = None,
    on: OnDay = None,
) -> Response:
    """The first to end first, each as it stands on the day; "left": the person is on no roster any more."""
    require(actor, READ_PEOPLE)

    def ask(connection: Connection, limit: int, cursor: str | None) -> Page[CardRow]:
        unit_id = parties.need_party(connection, "unit", unit, "unit").party_id if unit else None
        party_id = parties.need_party(connection, "person", person, "person").party_id if person else None
        day = day_asked(connection, actor, on)
        return search_signature_cards(connection, day, unit_id, party_id, state, text, limit, cursor)

    return listing(engine, actor, pages, "signature-cards", CardRow, ask)


@router.post(
    "/signature-cards",
    status_code=201,
    summary="Let a person draw for a unit",
    response_model=CardRow,
    responses=WRITING,
)
def give_card(body: NewCard, engine: Database, actor: Asker) -> Response:
    """A line on the unit's signature card."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        unit = parties.need_party(connection, "unit", body.unit, "unit")
        person = parties.need_party(connection, "person", body.person, "person")
        card = parties.give_signature_card(connection, unit, person, body.since, body.until, actor.party_id)
        return answer(read_signature_card(connection, card, day_asked(connection, actor, None)), 201)


@router.post(
    "/signature-cards/{signature_card_id}/withdraw",
    summary="Withdraw a signature card",
    response_model=CardRow,
    responses=WRITING,
)
def withdraw_card(signature_card_id: UUID, engine: Database, actor: Asker) -> Response:
    """From now on the person may not draw by it."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        parties.withdraw_signature_card(connection, signature_card_id)
        return answer(read_signature_card(connection, signature_card_id, day_asked(connection, actor, None)))
