"""Excess and shortfall against what units may have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import Asked, Column, Figure, Filter, Listing, answer_list, choice_filter, hidden_filter
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.reports.filters import MODEL_FILTER
from api.pages.weapons import HELD
from api.words import N_
from stockpile.catalogue_data import CATEGORIES
from stockpile.errors import Fault, Invalid
from stockpile.reports import allowances as allowance_report
from stockpile.reports.allowances import (
    AllowanceSought,
    By,
    Excess,
    ExcessLine,
    State,
    excess_and_shortfall,
    held_by_unit,
)
from stockpile.reports.export import PageOf
from stockpile.reports.holdings import ORDERS as WEAPON_ORDERS
from stockpile.reports.holdings import HoldingLine, Holdings
from stockpile.rights import Actor
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)


def _excess(connection: Connection, actor: Actor, asked: Asked) -> Excess:
    values = dict(asked.values)
    at = as_of(actor, values)
    by, state = By(values.pop("by", By.UNIT)), values.pop("state", None)
    sought = AllowanceSought(**values, state=State(state) if state else None)
    return excess_and_shortfall(connection, actor, sought, by, at, asked.limit, asked.cursor, asked.order)


def _excess_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Excess)
    return (
        (N_("Authorised"), page.authorised, "number"),
        (N_("Held"), page.held, "number"),
        (N_("Excess"), page.excess, "number"),
        (N_("Shortfall"), page.shortfall, "number"),
        (N_("Not authorised at all"), page.not_authorised, "number"),
    )


def _held_of_line(row: ExcessLine) -> str | None:
    return address("/reports/allowances/weapons", unit=row.unit, model=row.model) if row.held else None


ALLOWANCES = Listing(
    path="/reports/allowances",
    name="excess-and-shortfall",
    title=N_("Excess and shortfall"),
    question=N_("How many of each model may each unit have, and how many does it have with its people and sub-units?"),
    row=ExcessLine,
    columns=(
        Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit) if row.unit else None, none=N_("in no unit")),
        Column("within", N_("Counted with"), "code"),
        Column("model", N_("Model")),
        Column("authorised", N_("Authorised"), "number"),
        Column("held", N_("Held"), "number", _held_of_line),
        Column("excess", N_("Excess"), "number"),
        Column("shortfall", N_("Shortfall"), "number"),
        Column("not_authorised", N_("Not authorised at all"), "flag", read=lambda row: row.not_authorised or None),
    ),
    filters=(
        Filter("unit", N_("Unit"), help=N_("Its code")),
        MODEL_FILTER,
        choice_filter("state", N_("State"), State),
        choice_filter("category", N_("Category"), CATEGORIES),
        choice_filter("by", N_("A line for each"), By, any=N_("unit")),
        *MOMENTS,
    ),
    empty=N_("Nothing is held, and nothing is allowed."),
    ask=_excess,
    orders=allowance_report.ORDERS,
    default="unit",
    figures=_excess_figures,
)  # fmt: skip


def _of_line(connection: Connection, actor: Actor, asked: Asked) -> Holdings:
    model = asked.values.get("model")
    if model is None:
        raise Invalid(sentence("Say of which model."), [Fault(sentence("its name, such as AKM"), field="model")])
    at = as_of(actor, dict(asked.values))
    return held_by_unit(connection, actor, asked.values.get("unit"), model, at, asked.limit, asked.cursor, asked.order)


OF_LINE = Listing(
    path="/reports/allowances/weapons",
    name="weapons-of-line",
    title=N_("The weapons behind a line"),
    question=N_("Which pieces does the unit hold of this model, with its people and sub-units?"),
    row=HoldingLine,
    columns=HELD,
    filters=(
        hidden_filter("unit", N_("Of the unit"), fixed=True),
        hidden_filter("model", N_("Of the model"), fixed=True),
        *MOMENTS,
    ),
    empty=N_("Nothing is held."),
    ask=_of_line,
    orders=WEAPON_ORDERS,
    default="model",
)


@router.get("/reports/allowances", response_class=HTMLResponse)
def of_allowances(request: Request, engine: Database, actor: Asker) -> Response:
    """Excess and shortfall."""
    return answer_list(carrying(ALLOWANCES, request), request, engine, actor)


@router.get("/reports/allowances/weapons", response_class=HTMLResponse)
def of_one_line(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons behind a number held."""
    return answer_list(OF_LINE, request, engine, actor)
