"""A long task of one's own: how far it is, a button that cancels it, and what came of it. While it runs the page asks again by
itself, without a script.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.words import N_
from stockpile import jobs
from stockpile.jobs import Job

router = APIRouter(include_in_schema=False)

ASKED_AGAIN = 2
"""Seconds until the page of a running task asks how far it is."""

IMPORT, AUDIT = "import register", "audit"
OVERRUN_TASK, SHIP_TASK = "overrun", "ship"
FORMS = {
    IMPORT: "/registers/new",
    AUDIT: "/audits/new",
    OVERRUN_TASK: "/overruns/new",
    SHIP_TASK: "/shipments/new",
}
"""Where a task was asked for: what was typed there stands in the address of its page, so that it need not be typed again."""

STEPS = (
    N_("rows read"), N_("rows written"), N_("pairs"), N_("what agrees"), N_("conflicts"), N_("lines left incomplete"),
    N_("what one side alone has"), N_("quantities"), N_("repeated numbers"), N_("near matches"), N_("near matches, model by model"),
    N_("totals"), N_("import register"), N_("audit"),
)  # fmt: skip
"""What a task may be, and the steps of it: words of ours that stand in its row."""


@router.get("/jobs/{job_id}", response_class=HTMLResponse)
def job_page(job_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One's own task."""
    job = jobs.read(engine, actor, job_id)
    result = job.result or {}
    shown = {
        "job": job,
        "problem": result.get("problem"),
        "done": result.get("result") or {},
        "posted": result.get("posted"),
        "again": _again(job, request),
        "query": dict(request.query_params),
    }
    response: Response = templates.TemplateResponse(request, "job.html", shown)
    if job.state == "running":
        # Not as an element of the page: who hears it read aloud is not interrupted, and may look again when they like.
        response.headers["Refresh"] = str(ASKED_AGAIN)
    return response


def _again(job: Job, request: Request) -> str | None:
    form = FORMS.get(job.kind)
    given: dict[str, Any] = {name: value for name, value in request.query_params.items() if name != "language"}
    return address(form, **given) if form else None


@router.post("/jobs/{job_id}/cancel", response_class=HTMLResponse)
def cancel_job(job_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Asks a task to stop: unless it is done before it hears so, nothing of it happened."""
    jobs.cancel(engine, actor, job_id)
    return RedirectResponse(address(f"/jobs/{job_id}", **request.query_params), 303)
