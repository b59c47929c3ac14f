"""Holders against the roster, and the weapons behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import (
    ANYWHERE,
    Asked,
    Column,
    Figure,
    Listing,
    answer_list,
    choice_filter,
    hidden_filter,
    key_filter,
    site_filter,
)
from api.pages.moments import MOMENTS, as_of
from api.pages.reports.filters import HIDDEN_AS_OF, NARROWED
from api.pages.weapons import HELD
from api.words import N_
from stockpile.reports import holders as holders_report
from stockpile.reports.export import PageOf
from stockpile.reports.holders import Doubt, HolderRow, Holders, HoldersSought, doubtful_holders, weapons_of_holder
from stockpile.reports.holdings import ORDERS as WEAPON_ORDERS
from stockpile.reports.holdings import HoldingLine, Holdings
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _holders(connection: Connection, actor: Actor, asked: Asked, everything: bool = False) -> Holders:
    values = dict(asked.values)
    at, doubt = as_of(actor, values), values.pop("doubt", None)
    sought = HoldersSought(**values, doubt=Doubt(doubt) if doubt else None)
    return doubtful_holders(
        connection, actor, sought, at, limit=None if everything else asked.limit, cursor=asked.cursor, order=asked.order,
    )  # fmt: skip


def _holder_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Holders)
    return (
        (N_("The roster of"), page.on, "day"),
        (N_("Holders"), page.holders, "number"),
        (N_("Pieces"), page.quantity, "number"),
        *((doubt, number, "number", {"doubt": doubt}) for doubt, number in page.by_doubt.items()),
    )


def weapons_behind(row: HolderRow, asked: Mapping[str, str]) -> str:
    """Where the weapons of a line are told, of what the report was asked for."""
    of = {"account": row.account_id} if row.account_id else {"unit": row.unit}
    return address("/reports/holders/weapons", **{**asked, **({"model": row.model} if row.model else {}), **of})


HOLDERS = Listing(
    path="/reports/holders",
    name="holders",
    title=N_("Holders against the roster"),
    question=holders_report.QUESTION,
    row=HolderRow,
    columns=(
        Column("holder", N_("Holder"), "person", lambda row: f"/parties/{row.party_id}"),
        Column("doubt", N_("What speaks against it"), "term"),
        Column("reason", N_("Why")),
        Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit) if row.unit else None),
        Column("site", N_("Site"), "code"),
        Column("model", N_("Model"), sparse=True),
        Column("quantity", N_("Pieces"), "number", lambda row: weapons_behind(row, {})),
    ),
    filters=(choice_filter("doubt", N_("What speaks against it"), Doubt), *NARROWED, *MOMENTS, site_filter()),
    empty=N_("Whoever holds something is on the roster, and may."),
    ask=_holders,
    every=lambda connection, actor, asked: _holders(connection, actor, asked, everything=True).rows,
    orders=holders_report.ORDERS,
    default=holders_report.MOST_FIRST,
    figures=_holder_figures,
)


def _behind(connection: Connection, actor: Actor, asked: Asked) -> Holdings:
    values = dict(asked.values)
    at = as_of(actor, values)
    account, unit = values.pop("account", None), values.pop("unit", None)
    return weapons_of_holder(
        connection, actor, account, unit, HoldersSought(**values), at, asked.limit, asked.cursor, asked.order
    )  # fmt: skip


BEHIND_HOLDER = Listing(
    path="/reports/holders/weapons",
    name="weapons-of-holder",
    title=N_("The weapons behind a holder"),
    question=N_("Which pieces does it hold, since when and under which document?"),
    row=HoldingLine,
    columns=HELD,
    filters=(
        key_filter("account", N_("On the account"), fixed=True),
        hidden_filter("unit", N_("Of the unit"), fixed=True),
        hidden_filter("model", N_("Of the model"), fixed=True),
        hidden_filter("donor", N_("Of the donor"), fixed=True),
        hidden_filter("site", N_("At the site"), fixed=True, roles=ANYWHERE),
        *HIDDEN_AS_OF,
    ),
    empty=N_("Nothing is held."),
    ask=_behind,
    orders=WEAPON_ORDERS,
    default="model",
)


@router.get("/reports/holders", response_class=HTMLResponse)
def of_holders(request: Request, engine: Database, actor: Asker) -> Response:
    """Holders against the roster; a number leads to its weapons as of the same moments."""
    kept = ("donor", "model", "site", *(each.name for each in MOMENTS))
    asked = {name: value for name in kept if (value := request.query_params.get(name, "").strip())}

    def behind(row: HolderRow) -> str:
        return weapons_behind(row, asked)

    columns = tuple(replace(one, link=behind) if one.name == "quantity" else one for one in HOLDERS.columns)
    return answer_list(replace(HOLDERS, columns=columns), request, engine, actor)


@router.get("/reports/holders/weapons", response_class=HTMLResponse)
def of_one_holder(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons behind a holder's number."""
    return answer_list(BEHIND_HOLDER, request, engine, actor)
