"""The transparency log for people: what was signed last, by which keys, who cosigned; and the alarms."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

import stockpile.proof
from api.dependencies import Asker, Database
from api.gates import CHECK_PAGE
from api.pages import templates
from api.pages.listing import Asked, Column, Listing, answer_list, choice_filter, table
from api.words import N_
from stockpile.log import reading
from stockpile.log.alarms import KINDS, ORDERS, Alarm, list_alarms
from stockpile.reports.keyset import Page
from stockpile.reports.verification import ORDERS as ORDERS_OF_VERIFICATIONS
from stockpile.reports.verification import Verification, last_verification, list_verifications
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


def _verifications(connection: Connection, actor: Actor, asked: Asked) -> Page[Verification]:
    return list_verifications(connection, actor, asked.limit, asked.cursor, asked.order)


VERIFICATIONS = Listing(
    path="/verifications",
    name="verifications",
    title=N_("Verifications"),
    question=N_("When was everything recomputed from the rows, and what came of it?"),
    row=Verification,
    columns=(
        Column("began_at", N_("Verified"), "moment"),
        Column("checkpoint", N_("Up to the checkpoint of"), "number"),
        Column("log", N_("Log"), "code", sparse=True),
        Column("wrong_count", N_("Wrong rows"), "number"),
        Column("first_wrong", N_("The first of them"), sparse=True),
        Column("since", N_("Leaves taken as they are"), "number", sparse=True),
    ),
    empty=N_("These books were not verified yet."),
    ask=_verifications,
    orders=ORDERS_OF_VERIFICATIONS,
    default="-began_at",
)
SHOWN_AT_ONCE = 10
"""Verifications on the page of the log."""
CHECK = Path(stockpile.proof.__file__).with_name("check.html")


@router.get("/verifications", response_class=HTMLResponse)
def list_of_verifications(request: Request, engine: Database, actor: Asker) -> Response:
    """Each verification and what came of it."""
    return answer_list(VERIFICATIONS, request, engine, actor)


@router.get(CHECK_PAGE, response_class=HTMLResponse)
def check_page() -> Response:
    """The page that checks a proof, for everybody: it knows nothing of these books, asks no network, and is best kept on a stick."""
    return FileResponse(CHECK, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})


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
    verifications: Page[Verification] = Page((), None)
    if sees_alarms:
        with reading_as(engine, actor) as connection:
            verified = last_verification(connection, actor)
            verifications = list_verifications(connection, actor, SHOWN_AT_ONCE)
    shown = {
        "told": told,
        "sees_alarms": sees_alarms,
        "verified": verified,
        "past": table(VERIFICATIONS.columns, verifications.rows, VERIFICATIONS.empty, actor.role),
        "check_page": CHECK_PAGE,
        "check_digest": sha256(CHECK.read_bytes()).hexdigest(),
    }
    answer: Response = templates.TemplateResponse(request, "log.html", shown)
    return answer
