"""What a counter takes along for when its link is down."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime
from pydantic_core import to_json

from api.answers import JSON
from api.dependencies import Asker, Database
from api.problems import INVALID, NOT_ALLOWED, NOT_SIGNED_IN, documented
from api.words import all_told
from stockpile.db.engine import at_one_moment
from stockpile.rights import reading
from stockpile.station_snapshot import Snapshot, snapshot

router = APIRouter(tags=["the station"])

LEVEL = 3
"""Of gzip: a tenth larger than the best, in a third of the time."""


@router.get(
    "/station/snapshot",
    summary="The site's books for a counter without its link",
    response_model=None,
    responses={200: {"model": Snapshot}, **documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID)},
)
def read_snapshot(
    request: Request,
    engine: Database,
    actor: Asker,
    since: Annotated[AwareDatetime | None, Query(description="`recorded_at` of the last: only what changed")] = None,
    reference: Annotated[
        str | None,
        Query(max_length=64, description="`reference_digest` of the last: roster and models are left out if the same"),
    ] = None,
) -> Response:
    """Roster, stores, models and all weapons on the accounts of one's own site, in columns, as of a recorded moment. With `since`
    weapons that changed, and those that are gone; `counts` says how many each account must then hold.
    """
    with reading(at_one_moment(engine), actor) as connection:
        books = snapshot(connection, actor, since, reference)
    written = to_json(replace(books, reference=all_told(books.reference)))
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        written, headers["Content-Encoding"] = gzip.compress(written, LEVEL), "gzip"
    return Response(written, media_type=JSON, headers=headers)
