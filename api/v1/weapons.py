"""One weapon: what it is, where it is or was, and everything that happened to it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.answers import answer
from api.dependencies import Asker, Cursor, Database, HappenedBy, KnownBy
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile.reports import history
from stockpile.reports.as_of import AsOf
from stockpile.reports.described import Described
from stockpile.reports.history import History
from stockpile.reports.standing import Standing
from stockpile.rights import reading

router = APIRouter(tags=["weapons"])

READING = documented(NOT_SIGNED_IN, NOT_FOUND, INVALID)


class WeaponShown(BaseModel):
    """An item and where it stands: a weapon on one account, or on none when it is outside the books."""

    item: Described
    standings: list[Standing]


@router.get("/weapons/{item_id}", summary="A weapon", response_model=WeaponShown, responses=READING)
def read_weapon(
    item_id: UUID, engine: Database, actor: Asker, as_of: HappenedBy = None, recorded_as_of: KnownBy = None
) -> Response:
    """What it is and where it is, since when, under which document; or where it was, on either clock."""
    with reading(engine, actor) as connection:
        found = history.history(connection, actor, item_id, limit=1)
        stood = history.as_of(connection, actor, item_id, AsOf(as_of, recorded_as_of))
    return answer({"item": found.item, "standings": stood})


@router.get("/weapons/{item_id}/history", summary="The history of a weapon", response_model=History, responses=READING)
def read_history(
    item_id: UUID,
    engine: Database,
    actor: Asker,
    limit: Annotated[int, Query(ge=1, le=1000, description="Entries on a page")] = 500,
    cursor: Cursor = None,
) -> Response:
    """Every entry, oldest first, on both clocks: what was reversed, posted again, and who signed."""
    with reading(engine, actor) as connection:
        return answer(history.history(connection, actor, item_id, limit, cursor))
