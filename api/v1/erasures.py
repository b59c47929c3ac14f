"""The erasure of a person by order of two people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    REFUSED,
    TOO_LARGE,
    UNREADABLE_REQUEST,
    documented,
)
from stockpile import erasure, erasure_orders
from stockpile.documents import Code
from stockpile.erasure_orders import OrderErasure, OrderRow, OrderShown
from stockpile.erasure_plan import Plan

router = APIRouter(tags=["erasures"])


class OrderedShown(BaseModel):
    """An order as it stands."""

    erasure_id: UUID
    party_id: UUID
    state: str


class ErasedShown(BaseModel):
    """What went: how much of each kind, and how many words remain."""

    erasure_id: UUID
    party_id: UUID
    recorded_at: datetime
    leaf: str
    erased: dict[str, int]
    files: list[str]


@router.get(
    "/erasures",
    summary="Erasures of persons",
    response_model=Page[OrderRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
)
def list_erasures(engine: Database, actor: Asker, pages: Pages) -> Response:
    """Orders that wait and those that were settled, the newest first. They name nobody."""
    return listing(
        engine, actor, pages, "erasures", OrderRow,
        lambda connection, limit, cursor: erasure_orders.list_orders(connection, actor, limit, cursor),
    )  # fmt: skip


@router.get(
    "/erasures/plan",
    summary="What erasing a person would do",
    response_model=Plan,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
)
def plan_erasure(
    engine: Database,
    actor: Asker,
    person: Annotated[Code, Query(description="Service number", examples=["A-1001"])],
) -> Response:
    """What speaks against it, where the name stands and what becomes of it there, which files may show the person."""
    return answer(erasure_orders.plan(engine, actor, person))


@router.post(
    "/erasures",
    status_code=202,
    summary="Order the erasure of a person",
    response_model=OrderedShown,
    responses=documented(
        UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, OTHER_CONTENT, REFUSED, TOO_LARGE, NOT_JSON, INVALID
    ),
)
def order_erasure(body: OrderErasure, engine: Database, actor: Asker) -> Response:
    """Nothing goes before another person approves it. Who still holds weapons can't be erased."""
    return answer(erasure_orders.order(engine, actor, body), 202)


@router.get(
    "/erasures/{erasure_id}",
    summary="An order",
    response_model=OrderShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_erasure(erasure_id: UUID, engine: Database, actor: Asker) -> Response:
    """With what it would do now, while it waits."""
    return answer(erasure_orders.show_order(engine, actor, erasure_id))


@router.post(
    "/erasures/{erasure_id}/approve",
    status_code=201,
    summary="Approve an erasure",
    response_model=ErasedShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID),
)
def approve_erasure(erasure_id: UUID, engine: Database, actor: Asker) -> Response:
    """The second person's own request: what the order names is gone after it, for good."""
    return answer(erasure.approve(engine, actor, erasure_id), 201)


@router.post(
    "/erasures/{erasure_id}/reject",
    summary="Reject or withdraw an erasure",
    response_model=OrderedShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID),
)
def reject_erasure(erasure_id: UUID, engine: Database, actor: Asker) -> Response:
    """The second person says no; or who asked takes it back."""
    return answer(erasure_orders.reject(engine, actor, erasure_id))
