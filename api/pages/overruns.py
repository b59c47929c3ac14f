"""A site fell: the form that reports everything that it held missing, with what that is by the books before anybody presses the button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import or_none, sent
from api.pages.jobs import OVERRUN_TASK
from api.pages.listing import Column, sites_offered, table
from api.pages.seals import on_the_wall
from api.pages.sites import CLASS_LABELS
from api.words import N_
from stockpile import jobs
from stockpile.acts.overrun import OVERRUN
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.movements import HELD
from stockpile.reports.trial_balance import By, trial_balance
from stockpile.rights import DESK, Actor, reading, require
from stockpile.sentences import sentence
from stockpile.sites import find_site

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=2000)]

INSIDE = (
    Column("model", N_("Model")),
    *(Column(str(one), CLASS_LABELS[one], "number", sparse=True) for one in sorted(HELD)),
)


@router.get("/overruns/new", response_class=HTMLResponse)
def overrun_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form, with what the books have inside. What was typed before may stand in its address."""
    return _form(request, engine, actor, {"given": {"document_id": str(new_key()), **request.query_params}})


@router.post("/overruns", response_class=HTMLResponse)
def report_overrun(
    request: Request,
    engine: Database,
    actor: Asker,
    document_id: Text = "",
    site: Text = "",
    moment: Text = "",
    circumstances: Text = "",
    reported_by: Text = "",
    sure: Text = "",
) -> Response:
    """Reports it as a task: a depot of a hundred thousand weapons takes some seconds."""
    given = {
        "document_id": document_id, "site": site, "moment": moment, "circumstances": circumstances, "reported_by": reported_by,
        "sure": sure,
    }  # fmt: skip

    def do() -> str:
        require(actor, OVERRUN.act)
        if not sure:
            fault = Fault(sentence("tick it: everything inside is missing from then on"), field="sure")
            raise Invalid(sentence("Nothing was done."), [fault])
        wanted = OVERRUN.request.model_validate(
            {
                "document_id": document_id or new_key(),
                "site": or_none(site),
                "moment": on_the_wall(moment, _wall(engine, actor, site), "moment"),
                "circumstances": circumstances,
                "reported_by": or_none(reported_by),
            }
        )
        job = jobs.start(engine, actor, OVERRUN, wanted)
        return address(f"/jobs/{job.job_id}", **{name: text for name, text in given.items() if name != "document_id"})

    return sent(given, do, lambda form, status: _form(request, engine, actor, form, status))


def _wall(engine: Engine, actor: Actor, site: str) -> str:
    """The time zone of the site that fell. Raises NotFound."""
    if actor.site or not or_none(site):
        return actor.time_zone or "UTC"
    with reading(engine, actor) as connection:
        return find_site(connection, site).time_zone


def _form(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, OVERRUN.act)
    site = actor.site_code or form["given"].get("site")
    with reading(engine, actor) as connection:
        shown = {
            "site": site,
            "sites": () if actor.role in DESK else sites_offered(connection),
            "inside": _inside(connection, actor, site) if site else None,
            "form": {"faults": {}, "problem": None, **form},
        }
    response: Response = templates.TemplateResponse(request, "overrun_new.html", shown, status_code=status)
    return response


def _inside(connection: Connection, actor: Actor, site: str) -> Any:
    """What somebody holds at the site, model by model."""
    lines = trial_balance(connection, actor, [By.MODEL], site=site)
    return table(INSIDE, [line for line in lines if any(getattr(line, one) for one in HELD)], N_("It holds nothing."))


assert str(OVERRUN.act) == OVERRUN_TASK
