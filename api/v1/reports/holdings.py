"""Holdings as of a moment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, AtSite, Unit
from api.v1.weapons import WeaponsShown
from stockpile.documents import Code
from stockpile.movements import HELD, AccountClass
from stockpile.reports.as_of import AsOf
from stockpile.reports.holdings import Holder, HoldingLine, holdings

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get("/holdings", summary="Holdings as of a moment", response_model=WeaponsShown, responses=REPORT)
def read_holdings(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: AtSite = None,
    unit: Unit = None,
    person: Annotated[Code | None, Query(description="Of one person: the service number")] = None,
    model: Annotated[Code | None, Query(description="Part of a model's name or of a serial number")] = None,
    account_class: Annotated[
        list[AccountClass] | None, Query(alias="class", description="Only on accounts of these classes")
    ] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What a site, a unit with its people and sub-units, or a person held: name one of them."""
    holder, at = Holder(site=site, unit=unit, person=person), AsOf(as_of, recorded_as_of)
    classes = account_class or HELD
    return listing(
        engine, actor, pages, f"holdings-{site or unit or person or ''}", HoldingLine,
        lambda connection, limit, cursor: holdings(connection, actor, holder, at, model, classes, limit, cursor),
    )  # fmt: skip
