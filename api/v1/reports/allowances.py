"""Excess and shortfall against what units may have, and the weapons behind a line."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import Page
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import listing
from api.v1.reports.asked import REPORT, ModelName, Unit
from api.v1.weapons import WeaponsShown
from stockpile.documents import Code
from stockpile.reports.allowances import AllowanceSought, By, ExcessLine, State, excess_and_shortfall, held_by_unit
from stockpile.reports.as_of import AsOf
from stockpile.reports.holdings import HoldingLine

router = APIRouter(prefix="/reports", tags=["reports"])


class ExcessShown(Page[ExcessLine]):
    """A page of lines, and the sums over all pages: each weapon once."""

    authorised: int
    held: int
    excess: int
    shortfall: int
    not_authorised: int = Field(description="Pieces of the excess that no allowance names")


@router.get("/allowances", summary="Excess and shortfall", response_model=ExcessShown, responses=REPORT)
def read_excess(
    engine: Database,
    actor: Asker,
    pages: Pages,
    unit: Unit = None,
    model: ModelName = None,
    category: Annotated[Code | None, Query(description="Of a category of models", examples=["small arms"])] = None,
    state: Annotated[State | None, Query(description="Only lines in excess, short, or not authorised")] = None,
    by: Annotated[By, Query(description="A line for each unit and model, or for each model")] = By.UNIT,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many of each model units may have, and have, with their people and sub-units; now, or as of a moment on either clock or both.
    The rows behind a number held: GET /v1/reports/allowances/weapons with the same unit, model and moments.
    """
    sought, at = AllowanceSought(unit, model, category, state), AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, "excess-and-shortfall", ExcessLine,
        lambda connection, limit, cursor: excess_and_shortfall(connection, actor, sought, by, at, limit, cursor),
        lambda connection: excess_and_shortfall(connection, actor, sought, by, at, None).rows,
    )  # fmt: skip


@router.get("/allowances/weapons", summary="The weapons behind a line", response_model=WeaponsShown, responses=REPORT)
def read_weapons_of_line(
    engine: Database,
    actor: Asker,
    pages: Pages,
    model: Annotated[Code, Query(description="Of which model: its name", examples=["AKM"])],
    unit: Annotated[Code | None, Query(description="Of which unit; left out: of people who are in none")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What a unit holds of a model as its line counts it, each with its account, since when and under which document."""
    at = AsOf(as_of, recorded_as_of)
    return listing(
        engine, actor, pages, f"weapons-of-{unit or 'no-unit'}", HoldingLine,
        lambda connection, limit, cursor: held_by_unit(connection, actor, unit, model, at, limit, cursor),
    )  # fmt: skip
