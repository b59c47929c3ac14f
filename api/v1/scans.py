"""A camera's frames: codes read by the service for browsers that can't."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from api.answers import answer
from api.dependencies import Asker
from api.problems import INVALID, NOT_ALLOWED, NOT_SIGNED_IN, TOO_LARGE, UNREADABLE_FILE, documented, problem
from stockpile.frames import LARGEST_FRAME, CodeSeen, read_codes
from stockpile.rights import READ_PEOPLE, require

router = APIRouter(tags=["find"])

FRAME = "/v1/scans/image"

_reading: set[UUID] = set()
"""Whose frame is being read now, in this process."""


@dataclass(frozen=True, slots=True)
class CodesSeen:
    """What a frame shows."""

    scans: tuple[CodeSeen, ...]
    skipped: Annotated[
        bool, Field(description="Not looked at: one of your frames is being read just now; send a later one")
    ] = False


@router.post(
    "/scans/image",
    summary="Read the codes in a camera's frame",
    response_model=CodesSeen,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, TOO_LARGE, INVALID, UNREADABLE_FILE),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def read_frame(request: Request, actor: Asker) -> Response:
    """The body is a JPEG of at most 1 MB and 4 million pixels. Nothing is kept of it. `text` is what `find` and every act
    take as a scan.
    """
    require(actor, READ_PEOPLE)
    picture = await _body(request)
    if picture is None:
        return problem(TOO_LARGE, f"The picture is larger than {LARGEST_FRAME:,} bytes: send it smaller.")
    with _one_at_a_time(actor.party_id) as free:
        if not free:
            return answer(CodesSeen((), skipped=True))
        return answer(CodesSeen(await run_in_threadpool(read_codes, picture)))


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is larger than a frame may be; no more than that is ever held."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LARGEST_FRAME:
        return None
    held = bytearray()
    async for block in request.stream():
        held += block
        if len(held) > LARGEST_FRAME:
            return None
    return bytes(held)


@contextmanager
def _one_at_a_time(whose: UUID) -> Iterator[bool]:
    """Whether no other frame of theirs is being read."""
    if whose in _reading:
        yield False
        return
    _reading.add(whose)
    try:
        yield True
    finally:
        _reading.discard(whose)
