"""How soon losses are reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages.listing import Asked, Column, Figure, Listing, answer_list, day_filter, flag_filter, site_filter
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.pages.reports.shown import document_page
from api.words import N_
from stockpile.reports import loss_timeliness as loss_report
from stockpile.reports.export import PageOf
from stockpile.reports.loss_timeliness import LossRow, LossSought, LossTimeliness, loss_timeliness
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _losses(connection: Connection, actor: Actor, asked: Asked) -> LossTimeliness:
    return loss_timeliness(
        connection, actor, LossSought(**asked.values), limit=asked.limit, cursor=asked.cursor, order=asked.order
    )


def _loss_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, LossTimeliness)
    return (
        (N_("Loss reports"), page.losses, "number"),
        (N_("Pieces"), page.quantity, "number"),
        (N_("Days allowed"), page.days_allowed, "number"),
        (N_("Late"), page.late, "number"),
        (N_("Of all"), page.late_percent, "percent"),
        (N_("Days on average"), page.average_days, "number"),
        (N_("Longest (days)"), page.longest_days, "number"),
    )


LOSSES = Listing(
    path="/reports/losses",
    name="losses",
    title=N_("How soon losses are reported"),
    question=N_("When was it lost, when reported, and was that within the days allowed?"),
    row=LossRow,
    columns=(
        Column("document_number", N_("Document"), "code", document_page),
        Column("act", N_("Act"), "term", document_page),
        Column("site", N_("Site"), "code"),
        Column("model", N_("Model"), none=N_("several")),
        Column("serial_number", N_("Serial number"), "code"),
        Column("quantity", N_("Pieces"), "number", lambda row: f"/documents/{row.document_id}#lines"),
        Column("lost_on", N_("Lost"), "day"),
        Column("reported_on", N_("Reported"), "day"),
        Column("days", N_("Days"), "number"),
        Column("late", N_("Late"), "flag"),
    ),
    filters=(
        MODEL_FILTER, flag_filter("late", N_("Late")), day_filter("since", N_("Reported from")), day_filter("until", N_("Reported to")),
        DONOR_FILTER, site_filter(),
    ),
    empty=N_("No loss fits."),
    ask=_losses,
    orders=loss_report.ORDERS,
    default="reported_on",
    figures=_loss_figures,
)  # fmt: skip


@router.get("/reports/losses", response_class=HTMLResponse)
def of_losses(request: Request, engine: Database, actor: Asker) -> Response:
    """How soon losses are reported."""
    return answer_list(LOSSES, request, engine, actor)
