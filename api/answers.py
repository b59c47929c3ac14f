"""Shaping answers: domain dataclasses as JSON, the same bytes for the same rows."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from fastapi import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

JSON = "application/json"

Row = TypeVar("Row")


class Rows(BaseModel, Generic[Row]):
    """All rows there are."""

    rows: list[Row]


class Page(BaseModel, Generic[Row]):
    """A page of rows."""

    rows: list[Row]
    cursor: str | None = Field(
        None,
        description="Ask again with `cursor` so for the next page; null: this was the last",
        examples=["WyIyMDI2LTExLTIwIDA2OjMwOjAwKzAwOjAwIl0="],
    )


def answer(value: Any, status: int = 200) -> Response:
    """A value as a JSON answer."""
    return Response(to_json(value), status, media_type=JSON)
