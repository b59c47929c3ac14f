"""Holdings at the end of each month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import Asked, Column, Listing, answer_list, site_filter
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.pictures_of_reports import over_time
from api.pages.reports.drawn import drawn, once
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.pages.sites import CLASS_LABELS
from api.words import N_
from stockpile.movements import BALANCED
from stockpile.reports import over_time as over_time_report
from stockpile.reports.keyset import Page, page_of
from stockpile.reports.over_time import MonthLine
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _all_months(connection: Connection, actor: Actor, asked: Asked) -> Sequence[MonthLine]:
    values = dict(asked.values)
    return over_time_report.holdings_over_time(connection, actor, as_of(actor, values), **values)


def _over_time(connection: Connection, actor: Actor, asked: Asked) -> Page[MonthLine]:
    return _page(_all_months(connection, actor, asked), asked)


def _page(lines: Sequence[MonthLine], asked: Asked) -> Page[MonthLine]:
    return page_of(lines, lambda line: (line.on.isoformat(),), asked.limit, asked.cursor, asked.order, OVER_TIME_ORDERS)


OVER_TIME_ORDERS = ("on", *(str(one) for one in BALANCED))


def _weapons_then(one: str) -> Any:
    return lambda line: address("/weapons", **{"class": one, "as_of": line.on}) if getattr(line, one) else None


OVER_TIME = Listing(
    path="/reports/holdings-over-time",
    name="holdings-over-time",
    title=N_("Holdings over time"),
    question=over_time_report.QUESTION,
    row=MonthLine,
    columns=(
        Column("on", N_("At the end of"), "day"),
        *(Column(str(one), CLASS_LABELS[one], "number", _weapons_then(str(one)), sparse=True) for one in BALANCED),
    ),
    filters=(MODEL_FILTER, DONOR_FILTER, site_filter(), *MOMENTS),
    empty=N_("Nothing has come in."),
    ask=_over_time,
    orders=OVER_TIME_ORDERS,
    default="on",
    template="report.html",
)


@router.get("/reports/holdings-over-time", response_class=HTMLResponse)
def of_holdings_over_time(request: Request, engine: Database, actor: Asker) -> Response:
    """Holdings at the end of each month, as a picture and a table."""
    this = once(OVER_TIME, _all_months, _page)
    picture = drawn(this, request, engine, actor, N_("Holdings over time"), over_time)
    names = ("donor", "model", "site")
    return answer_list(carrying(this, request, *names), request, engine, actor, picture=picture)
