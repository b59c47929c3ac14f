"""The index of reports, each with the question it answers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from api.dependencies import Asker
from api.pages import templates
from api.pages.cases import CASES
from api.pages.listing import HOST, Listing
from api.pages.navigation import EVERYBODY
from api.pages.registers import AUDITS, REGISTERS
from api.pages.reports.count_compliance import COMPLIANCE
from api.pages.reports.flows import FLOWS
from api.pages.reports.losses import LOSSES_BY
from api.pages.reports.over_time import OVER_TIME
from api.pages.reports.transit import TRANSIT
from api.pages.sites import BOOKS, DEVICES, STOCKS
from api.pages.treaty_returns import RETURNS, Entry
from api.pages.waiting_lists import CARDS, CLOSURES, COUNTS_DUE
from api.words import N_
from stockpile.reports.questions import REPORTS
from stockpile.rights import AUDITOR, DONOR, REGISTRAR

router = APIRouter(include_in_schema=False)

INDEX: tuple[tuple[str, tuple[Listing | Entry, ...], frozenset[str]], ...] = (
    (N_("Pictures, each with its table"), (OVER_TIME, FLOWS, LOSSES_BY), EVERYBODY),
    (N_("Pictures of what waits"), (TRANSIT, COMPLIANCE), HOST),
    (N_("Who has what"), (STOCKS, CARDS), HOST),
    (N_("What is to be done"), (CASES, COUNTS_DUE, CLOSURES), HOST),
    (N_("Books and lists"), (BOOKS, DEVICES, REGISTERS, AUDITS), HOST),
    (N_("To be handed in"), (RETURNS,), frozenset({REGISTRAR, AUDITOR})),
)
"""Beside the fifteen questions of the auditor (`stockpile/reports/questions.py`): lists by what they are about, and whom they are shown."""


@router.get("/reports", response_class=HTMLResponse)
def reports(request: Request, actor: Asker) -> Response:
    """The index of reports, each with the question it answers."""
    host = actor.role != DONOR
    shown = {
        "reports": [(one, one.open_to(actor)) for one in REPORTS if host or one.open_to(actor)],
        "groups": [(title, lists) for title, lists, roles in INDEX if actor.role in roles],
    }
    response: Response = templates.TemplateResponse(request, "reports.html", shown)
    return response
