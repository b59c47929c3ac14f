"""Losses added up by unit, cause, model and month, and the pieces that were lost."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    day_filter,
    hidden_filter,
    site_filter,
)
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.navigation import EVERYBODY
from api.pages.pictures_of_reports import losses_by_month
from api.pages.reports.drawn import drawn
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.pages.reports.shown import sums, weapon_page
from api.words import N_
from stockpile.acts.loss import Cause
from stockpile.reports import losses
from stockpile.reports.lines import Lines
from stockpile.reports.losses import OVERRUN, UNKNOWN_CAUSE, By, LossesSought, LossSum, LostPiece
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _losses(connection: Connection, actor: Actor, asked: Asked) -> Lines[LossSum]:
    values = dict(asked.values)
    by, at = By(values.pop("by", By.TIME)), as_of(actor, values)
    return losses.losses_by(connection, actor, by, LossesSought(**values), at, asked.limit, asked.cursor, asked.order)


OF_LINE = {By.UNIT: "unit", By.CAUSE: "cause", By.MODEL: "model", By.SITE: "site", By.DONOR: "donor"}


def _lost(row: LossSum, **more: str) -> str:
    """The pieces of a line."""
    if row.by is By.TIME and row.day is not None:
        last = (row.day + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        return address("/reports/lost", since=row.day, until=last, **more)
    if row.by is By.UNIT and row.what is None:
        return address("/reports/lost", no_unit="yes", **more)
    return address("/reports/lost", **{OF_LINE[row.by]: row.what}, **more)


def _of_state(name: str, label: str) -> Column:
    def link(row: LossSum) -> str | None:
        return _lost(row, state=name) if getattr(row, name) else None

    return Column(name, label, "number", link)


CAUSES = (*get_args(Cause), OVERRUN, UNKNOWN_CAUSE)
LOSS_FIGURES = sums(
    (N_("Loss reports"), "number"), (N_("Pieces lost"), "number"), (N_("Still missing"), "number"), (N_("Concluded"), "number"),
    (N_("Found again"), "number"), (N_("Oldest open investigation (days)"), "number"),
)  # fmt: skip
LOSS_FILTERS = (
    MODEL_FILTER, choice_filter("cause", N_("Cause"), CAUSES), Filter("unit", N_("Unit"), help=N_("Its code"), roles=HOST),
    day_filter("since", N_("Lost from")), day_filter("until", N_("Lost to")), DONOR_FILTER, site_filter(), *MOMENTS,
)  # fmt: skip
CARRIED = ("donor", "site", "model", "cause", "unit", "since", "until", "state")


LOSSES_BY = Listing(
    path="/reports/losses-by",
    name="losses-by",
    title=N_("Losses by unit, cause, model and month"),
    question=losses.QUESTION,
    row=LossSum,
    columns=(
        Column("what", N_("Of"), link=lambda row: _lost(row), none=N_("no unit")),
        Column("reports", N_("Loss reports"), "number", lambda row: _lost(row)),
        Column("lost", N_("Pieces lost"), "number", lambda row: _lost(row)),
        _of_state("missing", N_("Still missing")),
        _of_state("concluded", N_("Concluded")),
        _of_state("found", N_("Found again")),
        Column("oldest_days", N_("Oldest open (days)"), "number"),
    ),
    filters=(choice_filter("by", N_("A line for each"), By, any=N_("time")), *LOSS_FILTERS),
    empty=N_("Nothing was lost."),
    ask=_losses,
    orders=losses.SUM_ORDERS,
    default="what",
    figures=LOSS_FIGURES,
    template="report.html",
    ways=(
        Way(N_("Open investigations"), "/reports/lost?state=missing&order=-days_open", EVERYBODY),
        Way(N_("How soon losses are reported"), "/reports/losses", EVERYBODY),
    ),
)


def _pieces(connection: Connection, actor: Actor, asked: Asked) -> Lines[LostPiece]:
    values = dict(asked.values)
    at, state = as_of(actor, values), values.pop("state", None)
    sought = LossesSought(**values, state=losses.State(state) if state else None)
    return losses.lost_pieces(connection, actor, sought, at, asked.limit, asked.cursor, asked.order)


LOST = Listing(
    path="/reports/lost",
    name="lost",
    title=N_("What was lost, and the open investigations"),
    question=N_("Which weapons were lost, what became of each, and how long has each open investigation lasted?"),
    row=LostPiece,
    columns=(
        Column("model", N_("Model"), link=weapon_page),
        Column("serial_number", N_("Serial number"), "code", weapon_page),
        Column("asset_tag", N_("Asset tag"), "code", weapon_page),
        Column("quantity", N_("Pieces"), "number"),
        Column("state", N_("State"), "term"),
        Column("cause", N_("Cause"), "term"),
        Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit) if row.unit else None, roles=HOST),
        Column("held_by", N_("Lost by"), "person", roles=HOST),
        Column("donor", N_("Donor"), "code"),
        Column("site", N_("Site"), "code"),
        Column("lost_on", N_("Lost"), "day"),
        Column("reported_on", N_("Reported"), "day"),
        Column("days_to_report", N_("Days until reported"), "number"),
        Column("late", N_("Reported late"), "flag"),
        Column("days_open", N_("Days open"), "number"),
        Column("document_number", N_("Loss report"), "code", lambda row: f"/documents/{row.document_id}"),
        Column("ended_by_number", N_("Ended by"), "code", lambda row: f"/documents/{row.ended_by}" if row.ended_by else None),
    ),
    filters=(
        choice_filter("state", N_("State"), losses.State), *LOSS_FILTERS,
        hidden_filter("no_unit", N_("Lost by no unit."), read=lambda text: True),
    ),
    empty=N_("Nothing was lost."),
    ask=_pieces,
    orders=losses.PIECE_ORDERS,
    default="lost_on",
    figures=LOSS_FIGURES,
    template="report.html",
)  # fmt: skip


@router.get("/reports/losses-by", response_class=HTMLResponse)
def of_losses_by(request: Request, engine: Database, actor: Asker) -> Response:
    """Losses added up; by month as a picture."""
    picture = drawn(LOSSES_BY, request, engine, actor, N_("Losses by month"), losses_by_month, by="time")
    return answer_list(
        carrying(LOSSES_BY, request, *CARRIED), request, engine, actor, picture=picture, finding=losses.FINDING
    )


@router.get("/reports/lost", response_class=HTMLResponse)
def of_lost(request: Request, engine: Database, actor: Asker) -> Response:
    """The pieces that were lost."""
    return answer_list(LOST, request, engine, actor)
