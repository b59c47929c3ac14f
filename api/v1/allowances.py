"""Allowances: how many of each model units may have, from a stored list; and what holds on a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, UNREADABLE_FILE, documented
from stockpile.allowances import AllowanceRequest, AllowancesImported, import_allowances
from stockpile.documents import Code
from stockpile.reports.allowances import AllowanceRow, list_allowances
from stockpile.rights import reading

router = APIRouter(tags=["allowances"])

EXAMPLE = {"order": "MOD 117/2026", "file": {"sha256": "3b" * 32, "name": "allowances.xlsx"}, "dry_run": True}


@router.post(
    "/allowances",
    status_code=201,
    summary="Import allowances",
    response_model=None,
    responses={
        201: {"model": AllowancesImported, "description": "Imported"},
        200: {
            "model": AllowancesImported,
            "description": "A dry run, or a list that is in the books already: nothing was done",
        },
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID, UNREADABLE_FILE),
    },
    openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}},
)
def post_allowances(body: AllowanceRequest, engine: Database, actor: Asker) -> Response:
    """Store the file first (POST /v1/files): unit, model, quantity. A unit's list replaces its former one from the day on; units
    that it does not name keep theirs. Ask for a dry run, and look at what would end.
    """
    with reading(engine, actor) as connection:
        done = import_allowances(connection, actor, body)
    return answer(done, 200 if done.dry_run or done.known else 201)


@router.get(
    "/allowances",
    summary="Allowances",
    response_model=Page[AllowanceRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_allowances(
    engine: Database,
    actor: Asker,
    pages: Pages,
    unit: Annotated[Code | None, Query(description="Of one unit: its code")] = None,
    model: Annotated[Code | None, Query(description="Of one model: its name")] = None,
    on: Annotated[
        Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))] | None,
        Query(description="Those that hold on this day; left out: today"),
    ] = None,
    every: Annotated[bool, Query(description="Also those that no longer hold, or not yet")] = False,
) -> Response:
    """By unit and model, each with the order and the list it stands in. A desk reads those of the units that its site serves."""
    return listing(
        engine, actor, pages, "allowances", AllowanceRow,
        lambda connection, limit, cursor: list_allowances(connection, actor, unit, model, on, every, limit, cursor),
    )  # fmt: skip
