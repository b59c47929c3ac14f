"""What is unusual, and why each is a sign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages.listing import HOST, Asked, Column, Figure, Listing, answer_list, choice_filter, site_filter
from api.pages.moments import MOMENTS, as_of
from api.pages.reports.filters import BETWEEN, NARROWED
from api.pages.reports.shown import document_page, weapon_page
from api.words import N_
from stockpile.reports import unusual as unusual_report
from stockpile.reports.export import PageOf
from stockpile.reports.thresholds import thresholds
from stockpile.reports.unusual import SIGNS, Unusual, UnusualRow, UnusualSought, unusual
from stockpile.rights import DONOR, Actor

router = APIRouter(include_in_schema=False)


def _unusual(connection: Connection, actor: Actor, asked: Asked, everything: bool = False) -> Unusual:
    values = dict(asked.values)
    at = as_of(actor, values)
    return unusual(
        connection, actor, UnusualSought(**values), at, limit=None if everything else asked.limit, cursor=asked.cursor, order=asked.order,
    )  # fmt: skip


def _sign_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Unusual)
    return [(sign, number, "number", {"sign": sign}) for sign, number in page.by_sign.items()]


UNUSUAL = Listing(
    path="/reports/unusual",
    name="unusual",
    title=N_("Unusual"),
    question=unusual_report.QUESTION,
    row=UnusualRow,
    columns=(
        Column("sign", N_("Sign"), "term"),
        Column("reason", N_("Why")),
        Column("happened_at", N_("Happened"), "moment"),
        Column("site", N_("Site"), "code"),
        Column("document_number", N_("Document"), "code", document_page),
        Column("count", N_("Count"), "code", lambda row: f"/counts/{row.count_id}" if row.count_id else None, sparse=True),
        Column("serial_number", N_("Weapon"), "code", weapon_page,
               read=lambda row: row.serial_number or row.asset_tag, sparse=True),
        Column("model", N_("Model"), sparse=True),
        Column("person", N_("Who"), "person", lambda row: f"/parties/{row.party_id}" if row.party_id else None, roles=HOST),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(choice_filter("sign", N_("Sign"), [sign.name for sign in SIGNS]), *NARROWED, *BETWEEN, *MOMENTS, site_filter()),
    empty=N_("Nothing unusual."),
    ask=_unusual,
    every=lambda connection, actor, asked: _unusual(connection, actor, asked, everything=True).rows,
    orders=unusual_report.ORDERS,
    default=unusual_report.NEWEST_FIRST,
    figures=_sign_figures,
    template="unusual.html",
)  # fmt: skip


@router.get("/reports/unusual", response_class=HTMLResponse)
def of_signs(request: Request, engine: Database, actor: Asker) -> Response:
    """What is unusual, and why each is a sign."""
    told = [
        (sign, [thresholds()[name.replace("_", " ")] for name in sign.thresholds])
        for sign in SIGNS
        if sign.of_donor or actor.role != DONOR
    ]
    return answer_list(UNUSUAL, request, engine, actor, signs=told)
