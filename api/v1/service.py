"""What the service is and allows: health, the table of movements, the table of rights, the discrepancies."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.answers import Rows, answer
from api.dependencies import Database
from api.problems import NOT_SIGNED_IN, documented
from stockpile.db import migrate
from stockpile.db.ready import schema_of
from stockpile.errors import DatabaseUnavailable
from stockpile.movements import MOVEMENTS, Movement
from stockpile.rights import RIGHTS, ROLES
from stockpile.sentences import sentence

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """The service works."""

    status: str = Field(examples=["ok"])


class MovementShown(BaseModel):
    """A row of the table of movements."""

    act: str
    from_classes: list[str] = Field(description="Classes of account it leads from", alias="from")
    to: list[str] = Field(description="Classes of account it leads to; none: it stays, or goes back")
    document: str
    two_parties: bool = Field(description="Takes a second person's approval")
    may_be_fact: bool = Field(description="May be keyed from paper or a weapon in hand, and is not refused then")
    needs: str


class RightShown(BaseModel):
    """A right, and who has it."""

    right: str
    roles: list[str]


@router.get("/health", summary="Whether the service works", response_model=Health)
def health(engine: Database) -> Response:
    """Needs no token, tells nothing but that the database answers in the schema this program speaks."""
    if schema_of(engine) != migrate.newest():
        raise DatabaseUnavailable(sentence("The database has another schema than this program."))
    return answer({"status": "ok"})


@router.get(
    "/movements", summary="What may move where", response_model=Rows[MovementShown], responses=documented(NOT_SIGNED_IN)
)
def movements() -> Response:
    """The table that every act is checked against."""
    return answer({"rows": [_shown(movement) for movement in MOVEMENTS]})


def _shown(movement: Movement) -> dict[str, Any]:
    return {
        "act": movement.act,
        "from": sorted(movement.from_classes),
        "to": sorted(movement.to_classes),
        "document": movement.paper,
        "two_parties": movement.two_parties,
        "may_be_fact": movement.may_be_fact,
        "needs": movement.needs,
    }


@router.get("/rights", summary="Who may do what", response_model=Rows[RightShown], responses=documented(NOT_SIGNED_IN))
def rights() -> Response:
    """Each right with the roles that have it."""
    return answer(
        {"rows": [{"right": str(right), "roles": [r for r in ROLES if r in who]} for right, who in RIGHTS.items()]}
    )
