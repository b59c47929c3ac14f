"""The transparency log for people: what was signed last, by which keys, who cosigned; and the alarms."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.listing import Asked, Column, Listing, answer_list, choice_filter
from api.words import N_
from stockpile.log import reading
from stockpile.log.alarms import KINDS, ORDERS, Alarm, list_alarms
from stockpile.reports.keyset import Page
from stockpile.reports.verification import last_verification
from stockpile.rights import READ, READ_ALARMS, RIGHTS, Actor, require
from stockpile.rights import reading as reading_as

router = APIRouter(include_in_schema=False)


def _alarms(connection: Connection, actor: Actor, asked: Asked) -> Page[Alarm]:
    return list_alarms(connection, actor, asked.values.get("kind"), asked.limit, asked.cursor, asked.order)


ALARMS = Listing(
    path="/log-alarms",
    name="log-alarms",
    title=N_("Alarms of the log"),
    question=N_("Where do the log and who watches it not agree?"),
    row=Alarm,
    columns=(
        Column("raised_at", N_("Raised"), "moment"),
        Column("kind", N_("Kind"), "term"),
        Column("words", N_("What is wrong")),
        Column("evidence", N_("Evidence")),
    ),
    filters=(choice_filter("kind", N_("Kind"), KINDS),),
    empty=N_("No alarm was ever raised."),
    ask=_alarms,
    orders=ORDERS,
    default="-raised_at",
)


@router.get("/log-alarms", response_class=HTMLResponse)
def list_of_alarms(request: Request, engine: Database, actor: Asker) -> Response:
    """The alarms of the log."""
    return answer_list(ALARMS, request, engine, actor)


@router.get("/log", response_class=HTMLResponse)
def show_log(request: Request, engine: Database, actor: Asker) -> Response:
    """What the log published last, and what it says of itself."""
    require(actor, READ)
    with reading.reading_log(engine) as connection:
        told = reading.told_of(connection)
    sees_alarms = actor.role in RIGHTS[READ_ALARMS]
    verified = None
    if sees_alarms:
        with reading_as(engine, actor) as connection:
            verified = last_verification(connection, actor)
    answer: Response = templates.TemplateResponse(
        request, "log.html", {"told": told, "sees_alarms": sees_alarms, "verified": verified}
    )
    return answer
