"""Flows between kinds of place, and the movements behind them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection

from api.answers import Page
from api.dependencies import Asker, Database, KnownBy, Pages
from api.exports import listing
from api.v1.reports.answered import listing_at_once
from api.v1.reports.asked import REPORT, AtSite, Donor, ModelName
from stockpile.movements import AccountClass
from stockpile.reports.flows import FlowRow, FlowsSought, Movement, flow_movements, flows
from stockpile.reports.keyset import Page as PageOfRows
from stockpile.reports.keyset import page_of

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get("/flows", summary="Flow between kinds of place", response_model=Page[FlowRow], responses=REPORT)
def read_flows(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    since: Annotated[AwareDatetime | None, Query(description="What happened from this moment on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="What happened up to this moment")] = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many pieces went from which kind of place to which; what was taken back did not move."""
    sought = FlowsSought(donor, site, model, since, until, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[FlowRow]:
        found = flows(connection, actor, sought)
        return page_of(found, lambda row: (str(row.origin), str(row.place)), limit, cursor)

    return listing_at_once(engine, actor, pages, "flows", FlowRow, ask)


@router.get("/flows/movements", summary="The movements of a flow", response_model=Page[Movement], responses=REPORT)
def read_movements(
    engine: Database,
    actor: Asker,
    pages: Pages,
    origin: Annotated[AccountClass, Query(description="From this kind of place")],
    place: Annotated[AccountClass, Query(description="To this kind of place")],
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    since: Annotated[AwareDatetime | None, Query(description="What happened from this moment on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="What happened up to this moment")] = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Each live entry behind a number of the flow, the oldest first."""
    sought = FlowsSought(donor, site, model, since, until, recorded_as_of)
    return listing(
        engine, actor, pages, "movements", Movement,
        lambda connection, limit, cursor: flow_movements(connection, actor, origin, place, sought, limit, cursor),
    )  # fmt: skip
