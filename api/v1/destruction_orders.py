"""Destruction orders: what is to be destroyed, and how far that is. A route only reads the request and shapes the answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN
from stockpile.documents import Code
from stockpile.reports.as_of import AsOf
from stockpile.reports.destruction_orders import DestructionOrderRow, OrderState, list_destruction_orders
from stockpile.reports.keyset import Page

router = APIRouter(tags=["destruction"])


@router.get(
    "/destruction-orders",
    summary="Destruction orders",
    response_model=Page[DestructionOrderRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_destruction_orders(
    engine: Database,
    actor: Asker,
    pages: Pages,
    state: Annotated[OrderState | None, Query(description="How far they are; left out: all of them")] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """The oldest first, within one's scope, with how many pieces are certified as destroyed and how many are left."""
    at = AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, "destruction-orders", DestructionOrderRow,
        lambda connection, limit, cursor: list_destruction_orders(connection, actor, state, site, limit, cursor, at=at),
    )  # fmt: skip
