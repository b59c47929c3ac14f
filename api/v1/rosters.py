"""Rosters: the people of a site from a stored list, again and again."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.answers import answer
from api.dependencies import Asker, Database
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, UNREADABLE_FILE, documented
from stockpile.rights import reading
from stockpile.roster import Imported, RosterRequest, import_roster

router = APIRouter(tags=["rosters"])

EXAMPLE = {"site": "TAJI", "file": {"sha256": "3b" * 32, "name": "roster.xlsx"}, "dry_run": True}


@router.post(
    "/rosters",
    status_code=201,
    summary="Import a roster",
    response_model=None,
    responses={
        201: {"model": Imported, "description": "Imported"},
        200: {"model": Imported, "description": "A dry run: nothing was done"},
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID, UNREADABLE_FILE),
    },
    openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}},
)
def post_roster(body: RosterRequest, engine: Database, actor: Asker) -> Response:
    """Store the file first (POST /v1/files). New people are added, changed ones renamed or moved, those gone get an end date;
    nobody is deleted. Ask for a dry run, and look at who would go.
    """
    with reading(engine, actor) as connection:
        done = import_roster(connection, actor, body)
    return answer(done, 200 if done.dry_run else 201)
