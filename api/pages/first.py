"""The first page, by who asks: a donor's portal, what waits for the host's people, what this is for everybody else."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from api.dependencies import Database
from api.pages import asker, templates
from api.pages.portal import show_portal
from api.pages.start import show_waiting
from stockpile.rights import DONOR

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
def start(request: Request, engine: Database) -> Response:
    """The start page."""
    actor = asker(request)
    if actor is None:
        answer: Response = templates.TemplateResponse(request, "start.html", {})
        return answer
    return show_portal(request, engine, actor) if actor.role == DONOR else show_waiting(request, engine, actor)
