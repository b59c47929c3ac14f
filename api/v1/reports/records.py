"""Records of a register that cannot all be right."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import Page
from api.dependencies import Asker, Database, Pages
from api.v1.reports.answered import listing_at_once
from api.v1.reports.asked import REPORT
from stockpile.reports.records import RecordRow, Wrong, wrong_records

router = APIRouter(prefix="/reports", tags=["reports"])


class RecordsShown(Page[RecordRow]):
    """A page of records that something is wrong with, and the sums over the whole list."""

    lines: int
    serial_numbers: int
    repeated_numbers: int
    repeated: int
    conflicting: int
    incomplete: int
    wrong: int = Field(description="Repeated, incomplete or both")
    set_aside: int


@router.get(
    "/records", summary="Repeated, conflicting, incomplete records", response_model=RecordsShown, responses=REPORT
)
def read_records(
    engine: Database,
    actor: Asker,
    pages: Pages,
    register: Annotated[UUID, Query(description="Of this register: its key")],
    wrong: Annotated[Wrong | None, Query(description="Only records with which this is wrong")] = None,
) -> Response:
    """The records of one register that cannot all be right, in the order of its lines."""
    return listing_at_once(
        engine, actor, pages, "wrong-records", RecordRow,
        lambda connection, limit, cursor: wrong_records(connection, actor, register, wrong, limit, cursor),
    )  # fmt: skip
