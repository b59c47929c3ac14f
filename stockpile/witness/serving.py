"""The witness over HTTP: one path, bodies of bounded length that must come in time, answers made in a thread."""

from __future__ import annotations

import asyncio
import logging

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from stockpile.errors import StockpileError
from stockpile.witness.message import LONGEST, PATH
from stockpile.witness.witness import Answer, Witness

PATIENCE = 10
"""Seconds that a request's body may take to come."""

logged = logging.getLogger("uvicorn.error")


def create_witness_app(witness: Witness) -> Starlette:
    """The application that serves a witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = await _body(request)
        answer = body if isinstance(body, Answer) else await run_in_threadpool(_decided, witness, body)
        return Response(answer.content, answer.status, headers={"Content-Type": answer.media_type})

    return Starlette(routes=[Route(PATH, add_checkpoint, methods=["POST"])])


async def _body(request: Request) -> bytes | Answer:
    """The body, or why it was not read to its end."""
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST:
                    return Answer(413, f"A request has at most {LONGEST} bytes.\n")
    except TimeoutError:
        return Answer(408, "The request did not come in time.\n")
    except ClientDisconnect:
        return Answer(400, "The request was cut off.\n")
    return bytes(body)


def _decided(witness: Witness, body: bytes) -> Answer:
    try:
        return witness.add_checkpoint(body)
    except StockpileError as problem:  # its own folder is out of order: nothing is cosigned
        logged.error(problem.detail)
        return Answer(503, "This witness is out of order.\n")
