"""Whose weapon it is at the morning draw, and which weapon cards stand in the racks. A route only reads the request and
shapes the answer.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.answers import Rows, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from stockpile import weapon_assignments
from stockpile.documents import Code, Scan
from stockpile.reports import weapon_cards
from stockpile.reports.keyset import Page
from stockpile.reports.weapon_cards import CardOut
from stockpile.weapon_assignments import Assign, Assignment, EndAssignments

router = APIRouter(tags=["morning draw"])

LISTING = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
WRITING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID)

SiteCode = Annotated[Code | None, Query(description="Of one site: its code")]
Text = Annotated[Code | None, Query(description="Part of the person's number or name, the model or the serial number")]


class Ended(BaseModel):
    """How many assignments ended."""

    ended: int = Field(examples=[1])


@router.get("/assignments", summary="Whose weapons they are", response_model=Page[Assignment], responses=LISTING)
def list_assignments(
    engine: Database,
    actor: Asker,
    pages: Pages,
    person: Annotated[Code | None, Query(description="Service number")] = None,
    unit: Annotated[Code | None, Query(description="Code of a unit: its people's and its sub-units'")] = None,
    weapon: Annotated[Scan | None, Query(description="Asset tag, serial number or UII")] = None,
    site: SiteCode = None,
    text: Text = None,
    ended: Annotated[bool, Query(description="With the earlier ones")] = False,
) -> Response:
    """By service number, within one's scope; `unit` is null for a person who left the roster."""
    return listing(
        engine, actor, pages, "assignments", Assignment,
        lambda connection, limit, cursor: weapon_assignments.search_assignments(
            connection, actor, person, unit, weapon, site, text, ended, limit, cursor
        ),
    )  # fmt: skip


@router.post(
    "/assignments",
    status_code=201,
    summary="Assign weapons to persons",
    response_model=Rows[Assignment],
    responses=WRITING,
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"example": {"lines": [{"scan": "KT 449900", "person": "A-1001"}]}}}
        }
    },
)
def assign_weapons(body: Assign, engine: Database, actor: Asker) -> Response:
    """All of them or none, from now on. A weapon is one person's at a time: the earlier assignment ends."""
    return answer({"rows": weapon_assignments.assign(engine, actor, body)}, 201)


@router.post(
    "/assignments/end",
    summary="End assignments",
    response_model=Ended,
    responses=WRITING,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"lines": [{"scan": "KT 449900"}]}}}}},
)
def end_assignments(body: EndAssignments, engine: Database, actor: Asker) -> Response:
    """All of them or none, now. A weapon that is out stays with its person until it is scanned back."""
    return answer({"ended": weapon_assignments.end_assignments(engine, actor, body)})


@router.get("/weapon-cards", summary="Weapon cards out", response_model=Page[CardOut], responses=LISTING)
def list_weapon_cards(
    engine: Database,
    actor: Asker,
    pages: Pages,
    overdue: Annotated[bool | None, Query(description="Only those out for more than a day, or only the others")] = None,
    site: SiteCode = None,
    text: Text = None,
) -> Response:
    """The issue log of the morning draw: what is with its person against a card in the rack, the longest out first."""
    return listing(
        engine, actor, pages, "weapon-cards", CardOut,
        lambda connection, limit, cursor: weapon_cards.cards_out(connection, actor, overdue, site, text, limit, cursor),
    )  # fmt: skip
