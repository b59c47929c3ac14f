"""Audit packages: any report with its rows, checkpoint and proofs, signed by the log's key."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Asker, Database
from api.pages.listing import Listing, package_file
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.sentences import sentence

router = APIRouter(tags=["reports"])


@router.get(
    "/audit-packages",
    summary="A report as an audit package",
    response_class=Response,
    responses={
        200: {
            "description": "The package",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID),
    },
)
def read_package(
    request: Request,
    engine: Database,
    actor: Asker,
    report: Annotated[
        str, Query(max_length=200, description="The report by the address of its page", examples=["/reports/balance"])
    ],
    asked: Annotated[
        str, Query(max_length=2000, description="How it is asked: the query of its page", examples=["by=donor"])
    ] = "",
    origin: Annotated[
        str | None, Query(max_length=200, description="Name of the log of a checkpoint that you keep: its first line")
    ] = None,
    size: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Its size: the second line")] = None,
) -> Response:
    """What the report answers, as CSV, JSON and a page, with the log's checkpoint and the proofs of the weapons in it, in one ZIP file
    that `stockpile check-proof` checks without these books.
    """
    listing: Listing | None = request.app.state.listings.get(report)
    if listing is None:
        raise NotFound(sentence("There is no report {report} here.", report=report))
    if (origin is None) != (size is None):
        raise Invalid(
            sentence("A checkpoint is named by both its lines."),
            [Fault(sentence("give origin and size"), field="origin")],
        )
    pinned = [(origin, size)] if origin is not None and size is not None else []
    return package_file(listing, engine, actor, dict(parse_qsl(asked)), pinned)
