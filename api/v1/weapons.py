"""Weapons: which there are and where; and of one what it is, where it is or was, and everything that happened to it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.answers import Page, answer
from api.dependencies import Asker, Database, Format, HappenedBy, KnownBy, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile.documents import Code
from stockpile.movements import BALANCED, AccountClass
from stockpile.reports import history
from stockpile.reports.accessories import Accessory, out_with
from stockpile.reports.as_of import AsOf
from stockpile.reports.described import Described
from stockpile.reports.history import History, HistoryEntry
from stockpile.reports.holdings import HoldingLine, Sought, every_weapon, list_weapons
from stockpile.reports.standing import Standing
from stockpile.rights import DONOR, reading

router = APIRouter(tags=["weapons"])

READING = documented(NOT_SIGNED_IN, NOT_FOUND, INVALID)


class WeaponsShown(Page[HoldingLine]):
    """A page of weapons and quantities, and the sums over all pages: the number of the trial balance they stand behind."""

    line_count: int = Field(description="Rows on all pages")
    quantity: int = Field(description="Pieces on all pages")


class WeaponShown(BaseModel):
    """An item and where it stands: a weapon on one account, or on none when it is outside the books. `accessories`: what went
    out with it to who has it now; of now only, and not for donors.
    """

    item: Described
    standings: list[Standing]
    accessories: list[Accessory]


@router.get(
    "/weapons",
    summary="Weapons",
    response_model=WeaponsShown,
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_weapons(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    account_class: Annotated[
        list[AccountClass],
        Query(description="On accounts of these classes; left out: wherever they are", alias="class"),
    ] = [],  # noqa: B006
    account: Annotated[UUID | None, Query(description="On one account: its key")] = None,
    model: Annotated[Code | None, Query(description="Of one model: its name", examples=["AKM"])] = None,
    donor: Annotated[Code | None, Query(description="Of one donor: its code", examples=["USA"])] = None,
    unverified: Annotated[
        bool | None, Query(description="true: from an opening list, and no count has confirmed it; of now only")
    ] = None,
    text: Annotated[
        Code | None,
        Query(description="Part of a serial number (? and * as in find) or of a model's name; or an asset tag"),
    ] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """The rows behind every number of the trial balance: by model and serial number, each with its account, since when and
    under which document; now, or as of a moment on either clock or both. What left the books is not among them.
    """
    sought = Sought(account, site, account_class or BALANCED, donor, model, unverified, text)
    at = AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, "weapons", HoldingLine,
        lambda connection, limit, cursor: list_weapons(connection, actor, sought, at, limit, cursor),
        lambda connection: every_weapon(connection, actor, sought, at),
    )  # fmt: skip


@router.get("/weapons/{item_id}", summary="A weapon", response_model=WeaponShown, responses=READING)
def read_weapon(
    item_id: UUID, engine: Database, actor: Asker, as_of: HappenedBy = None, recorded_as_of: KnownBy = None
) -> Response:
    """What it is and where it is, since when, under which document, with which accessories it is out; or where it was, on
    either clock.
    """
    at = AsOf(as_of, recorded_as_of)
    with reading(engine, actor) as connection:
        found = history.history(connection, actor, item_id, limit=1)
        stood = history.as_of(connection, actor, item_id, at)
        out = out_with(connection, item_id) if at.now and actor.role != DONOR else ()
    return answer({"item": found.item, "standings": stood, "accessories": out})


@router.get(
    "/weapons/{item_id}/history",
    summary="The history of a weapon",
    response_model=History,
    responses=exportable(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def read_history(item_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """Every entry, oldest first, on both clocks: what was reversed, posted again, and who signed. As a file: the entries."""
    with reading(engine, actor) as connection:
        found = history.history(connection, actor, item_id, pages.limit, pages.cursor)
    if pages.format is Format.JSON:
        return answer(found)
    return listing(
        engine, actor, pages, f"history-{found.item.asset_tag}", HistoryEntry,
        lambda connection, limit, cursor: history.list_entries(connection, actor, item_id, limit, cursor),
    )  # fmt: skip
