"""What one list says was handed over and the other does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import Asked, Column, Figure, Filter, Listing, Way, answer_list
from api.words import N_
from stockpile.reports import unaccounted as unaccounted_report
from stockpile.reports.export import PageOf
from stockpile.reports.unaccounted import Unaccounted, UnaccountedLine, unaccounted
from stockpile.rights import Actor, reading

router = APIRouter(include_in_schema=False)


def _unaccounted(connection: Connection, actor: Actor, asked: Asked) -> Unaccounted:
    return unaccounted(connection, actor, asked.values.get("audit"), asked.limit, asked.cursor, asked.order)


def _unaccounted_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Unaccounted)
    if page.audit is None:
        return ()
    return (
        (N_("Audit"), page.audit, "text"),
        (N_("Left"), page.left_list, "text"),
        (N_("Right"), page.right_list, "text"),
        (N_("Compared"), page.recorded_at, "moment"),
        (N_("Pieces left"), page.left, "number"),
        (N_("Pieces right"), page.right, "number"),
        (N_("Unaccounted for"), page.unaccounted, "number"),
        (N_("Only right"), page.not_left, "number"),
    )


def _findings(row: UnaccountedLine) -> str:
    return address("/audits/findings", model=row.model)


UNACCOUNTED = Listing(
    path="/reports/unaccounted",
    name="unaccounted",
    title=N_("Unaccounted for"),
    question=unaccounted_report.QUESTION,
    row=UnaccountedLine,
    columns=(
        Column("model", N_("Model"), link=_findings),
        Column("left", N_("Pieces left"), "number", _findings),
        Column("right", N_("Pieces right"), "number", _findings),
        Column("unaccounted", N_("Unaccounted for"), "number", _findings),
        Column("not_left", N_("Only right"), "number", _findings),
    ),
    filters=(Filter("audit", N_("Audit"), help=N_("Its name, or name#run; left out: the newest")),),
    empty=N_("No two lists were compared yet."),
    ask=_unaccounted,
    orders=unaccounted_report.ORDERS,
    default="model",
    figures=_unaccounted_figures,
    template="report.html",
    ways=(Way(N_("All audits, and comparing two lists"), "/audits"),),
)


@router.get("/reports/unaccounted", response_class=HTMLResponse)
def of_unaccounted(request: Request, engine: Database, actor: Asker) -> Response:
    """What one list has and the other has not."""
    audit = request.query_params.get("audit", "").strip()
    if not audit:
        with reading(engine, actor) as connection:
            audit = unaccounted(connection, actor, limit=1).audit or ""

    def link(row: UnaccountedLine) -> str:
        return address("/audits/findings", audit=audit, model=row.model)

    shown = replace(UNACCOUNTED, columns=tuple(replace(column, link=link) for column in UNACCOUNTED.columns))
    return answer_list(shown, request, engine, actor, finding=unaccounted_report.FINDING)
