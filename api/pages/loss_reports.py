"""The loss report as a form: weapons that a count did not find, or one weapon, are there already; the rest is for its writer to say.
Nothing is missing in the books before it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.forms import faulty, kept
from api.pages.problems import shown_problem
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.perform import perform
from stockpile.documents import Posted
from stockpile.errors import StockpileError
from stockpile.keys import new_key
from stockpile.movements import HELD, AccountClass
from stockpile.registers.count_findings import Kind
from stockpile.reports.as_of import NOW
from stockpile.reports.counts import count_named, list_findings
from stockpile.reports.described import Described, described
from stockpile.reports.export import every_row
from stockpile.reports.standing import standings
from stockpile.rights import Actor, reading, require

router = APIRouter(include_in_schema=False)

MOST = 150
"""So many weapons stand in one form; what is more goes into the next report."""
MAY_BE_MISSED = HELD | {AccountClass.TRANSIT}


@router.get("/loss-reports/new", response_class=HTMLResponse)
def new_loss_report(
    request: Request,
    engine: Database,
    actor: Asker,
    item: Annotated[list[UUID] | None, Query(max_length=MOST)] = None,
    count: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """The form, with what a count found missing, or with the weapons named."""
    require(actor, REPORT_MISSING.act)
    with reading(engine, actor) as connection:
        items = [*(item or ()), *(_missing(connection, actor, count) if count else ())]
    given: dict[str, Any] = {
        "document_id": new_key(),
        "items": items[:MOST],
        "count": count or "",
        "more": len(items) - MOST,
    }
    if count:
        given["circumstances"] = f"Not found at count {count}"
    return _form(request, engine, actor, {"given": given})


def _missing(connection: Connection, actor: Actor, count: str) -> list[UUID]:
    """The weapons that a count found missing, and that nobody reported or found since."""
    count_id = count_named(connection, actor, count)
    rows = every_row(lambda limit, cursor: list_findings(connection, actor, count_id, Kind.MISSING, limit, cursor))
    missed = [row.item_id for row in rows if row.item_id]
    stands = standings(connection, actor, set(missed), NOW)
    return [one for one in missed if any(each.account_class in MAY_BE_MISSED for each in stands.get(one, ()))]


@router.post("/loss-reports", response_class=HTMLResponse)
def write_loss_report(
    request: Request,
    engine: Database,
    actor: Asker,
    document_id: Annotated[UUID, Form()],
    item: Annotated[list[UUID] | None, Form(max_length=MOST)] = None,
    listed: Annotated[list[UUID] | None, Form(max_length=MOST)] = None,
    place: Annotated[str, Form()] = "",
    last_seen_at: Annotated[str, Form()] = "",
    circumstances: Annotated[str, Form()] = "",
    reported_by: Annotated[str, Form()] = "",
    count: Annotated[str, Form()] = "",
) -> Response:
    """Posts it, and goes to the document."""
    given = {
        "document_id": document_id, "items": listed or item or [], "chosen": item or [], "place": place, "count": count,
        "last_seen_at": last_seen_at, "circumstances": circumstances, "reported_by": reported_by,
    }  # fmt: skip
    wanted = {
        "document_id": document_id,
        "lines": [{"item": one} for one in item or ()],
        "place": place,
        "circumstances": circumstances,
        "reported_by": reported_by.strip() or None,
        "last_seen_at": _with_zone(last_seen_at, actor) or None,
    }
    try:
        posted = perform(engine, actor, REPORT_MISSING, REPORT_MISSING.request.model_validate(wanted))
    except ValidationError as error:
        return _form(request, engine, actor, faulty(error, given), 422)
    except StockpileError as error:
        return _form(request, engine, actor, kept(error, given), shown_problem(error)["status"])
    assert isinstance(posted, Posted)
    return RedirectResponse(f"/documents/{posted.document_id}", 303)


def _with_zone(text: str, actor: Actor) -> str:
    """A moment as it is typed, on the wall of the own site. What is no moment stays as it is, to be told so."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(actor.time_zone or "UTC"))).isoformat()


def _form(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    items: list[UUID] = form["given"]["items"]
    with reading(engine, actor) as connection:
        known = described(connection, actor, items)
    weapons: list[Described] = [known[one] for one in dict.fromkeys(items) if one in known]
    chosen = form["given"].get("chosen", items)
    shown = {"form": {"faults": {}, "problem": None, **form}, "weapons": weapons, "chosen": set(chosen)}
    response: Response = templates.TemplateResponse(request, "loss_report.html", shown, status_code=status)
    return response
