"""What came of recomputing everything from the rows, each time."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.answers import Page
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_SIGNED_IN
from stockpile.reports.verification import Verification, list_verifications

router = APIRouter(tags=["reports"])


@router.get(
    "/verifications",
    summary="Verifications of the books",
    response_model=Page[Verification],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
)
def search_verifications(engine: Database, actor: Asker, pages: Pages) -> Response:
    """When everything was recomputed from the rows, up to which checkpoint, and how many rows were wrong; for who reads all sites, which
    one first. The newest first. For auditors, registrars and commanders.
    """
    return listing(
        engine, actor, pages, "verifications", Verification,
        lambda connection, limit, cursor: list_verifications(connection, actor, limit, cursor),
    )  # fmt: skip
