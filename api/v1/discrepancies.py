"""Discrepancies: what contradicts the books, who answers for it, and until when."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile.discrepancies import Kind
from stockpile.documents import Code
from stockpile.reports.discrepancies import (
    DiscrepancyRow,
    Sought,
    State,
    list_discrepancies,
    read_discrepancy,
)
from stockpile.rights import reading

router = APIRouter(tags=["discrepancies"])


@router.get(
    "/discrepancies",
    summary="What contradicts the books",
    response_model=Page[DiscrepancyRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_discrepancies(
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[Kind | None, Query(description="What it is about")] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    state: Annotated[State, Query(description="open, closed, or all")] = State.OPEN,
    item: Annotated[UUID | None, Query(description="Of one weapon: its key")] = None,
    document: Annotated[UUID | None, Query(description="Opened by this document; not for donors")] = None,
    due_before: Annotated[
        date | None, Query(description="Due before this day: with today's date, the overdue ones")
    ] = None,
) -> Response:
    """The oldest first, within one's scope. A donor sees those of its own items, without words and names of the host."""
    sought = Sought(kind, site, state, item, document, due_before)
    return listing(
        engine, actor, pages, "discrepancies", DiscrepancyRow,
        lambda connection, limit, cursor: list_discrepancies(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.get(
    "/discrepancies/{discrepancy_id}",
    summary="A discrepancy",
    response_model=DiscrepancyRow,
    responses=documented(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def show_discrepancy(discrepancy_id: UUID, engine: Database, actor: Asker) -> Response:
    """What the books said, what was seen, who answers for it; and how it was settled, if it was."""
    with reading(engine, actor) as connection:
        return answer(read_discrepancy(connection, actor, discrepancy_id))
