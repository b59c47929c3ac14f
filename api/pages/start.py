"""The start page: what is here and where to go. It shows no figure of any country: those need a token."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.pages import templates

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
def start(request: Request) -> HTMLResponse:
    """The start page."""
    return templates.TemplateResponse(request, "start.html", {"version": request.app.version})
