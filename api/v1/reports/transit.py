"""What is on its way, and overdue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.v1.reports.answered import Summed, listing_at_once, named
from api.v1.reports.asked import REPORT, ModelName
from stockpile.documents import Code
from stockpile.reports import transit
from stockpile.reports.as_of import AsOf
from stockpile.reports.keyset import Page as PageOfRows
from stockpile.reports.transit import TransitPiece, TransitRow, TransitSought

router = APIRouter(prefix="/reports", tags=["reports"])


class TransitSums(BaseModel):
    """Sums over all pages."""

    shipments: int
    pieces: int
    shipments_overdue: int
    pieces_overdue: int
    longest_days: int | None


class TransitShown(Page[TransitRow]):
    """A page of shipments, and the sums over all of them."""

    sums: TransitSums


FromSite = Annotated[Code | None, Query(description="From this site: its code")]
ToSite = Annotated[Code | None, Query(description="Bound for this site: its code")]
Overdue = Annotated[bool | None, Query(description="Only what should have come by then, or only the others")]


@router.get("/transit", summary="On its way, and overdue", response_model=TransitShown, responses=REPORT)
def read_transit(
    engine: Database,
    actor: Asker,
    pages: Pages,
    from_site: FromSite = None,
    to_site: ToSite = None,
    model: ModelName = None,
    overdue: Overdue = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """The shipments of which something is on its way. The weapons: GET /v1/reports/transit/pieces with the same filters."""
    sought, at = TransitSought(from_site, to_site, model, overdue), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[TransitRow]:
        found = transit.in_transit(connection, actor, sought, at, limit, cursor)
        return named(found, *TransitSums.model_fields)

    return listing_at_once(engine, actor, pages, "in-transit", TransitRow, ask)


@router.get("/transit/pieces", summary="The weapons on their way", response_model=Page[TransitPiece], responses=REPORT)
def read_pieces_in_transit(
    engine: Database,
    actor: Asker,
    pages: Pages,
    from_site: FromSite = None,
    to_site: ToSite = None,
    model: ModelName = None,
    overdue: Overdue = None,
    shipment: Annotated[Code | None, Query(description="Of one shipment: the number of its order")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Each weapon, those expected first at the top."""
    sought, at = TransitSought(from_site, to_site, model, overdue, shipment), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[TransitPiece]:
        found = transit.pieces_in_transit(connection, actor, sought, at, limit, cursor)
        return PageOfRows(found.rows, found.cursor)

    return listing_at_once(engine, actor, pages, "pieces-in-transit", TransitPiece, ask)
