"""The feed of changes: what was written since a cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.answers import answer
from api.dependencies import Asker, Database
from api.problems import INVALID, NOT_ALLOWED, NOT_SIGNED_IN, documented
from stockpile.reports.changes import (
    MOST,
    Change,
    DiscrepancyOpened,
    DiscrepancyStepTaken,
    DocumentRecorded,
    EntryPosted,
    StatementMade,
    every_change,
    list_changes,
)

router = APIRouter(tags=["changes"])

NDJSON = "application/x-ndjson"


class Form(StrEnum):
    """How changes are answered."""

    JSON = "json"
    NDJSON = "ndjson"


class ChangesShown(BaseModel):
    """Some changes, the oldest first."""

    rows: list[
        Annotated[
            DocumentRecorded | EntryPosted | DiscrepancyOpened | DiscrepancyStepTaken | StatementMade,
            Field(discriminator="change"),
        ]
    ]
    cursor: str = Field(description="Keep it: `since=` this tells what comes after")
    more: bool = Field(description="Whether there is more already; there may be even where `rows` are few")


@router.get(
    "/changes",
    summary="What was written since",
    response_model=ChangesShown,
    responses={
        200: {"content": {NDJSON: {"schema": {"type": "string"}}}, "description": "Some changes; or all, line by line"},
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
    },
)
def read_changes(
    engine: Database,
    actor: Asker,
    since: Annotated[str | None, Query(max_length=200, description="The cursor you were given last")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Changes in one answer, as JSON")] = 500,
    form: Annotated[
        Form, Query(alias="format", description="json: some; ndjson: all up to now, a line each, cursors between them")
    ] = Form.JSON,
) -> Response:
    """Documents, entries, discrepancies with what was done about them, and donors' statements, in one order: what is written later is told
    later, whatever commits when. A donor is told its own alone. As `ndjson` lines `{"cursor": ...}` stand between the changes and at
    the end: after a broken connection go on from the last one.
    """
    if form is Form.JSON:
        return answer(list_changes(engine, actor, since, limit))
    told = every_change(engine, actor, since)
    first = next(told)
    return StreamingResponse(_lines(chain([first], told)), media_type=NDJSON)


def _lines(told: Iterator[tuple[Sequence[Change], str]] | chain[Any]) -> Iterator[bytes]:
    for rows, cursor in told:
        yield b"".join(to_json(row) + b"\n" for row in rows) + to_json({"cursor": cursor}) + b"\n"
