"""The trial balance, and the counts that prove it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.listing import Asked, Column, Figure, Listing, Way, answer_list, choice_filter, site_filter
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.navigation import EVERYBODY
from api.pages.reports.filters import DONOR_FILTER, MODEL_FILTER
from api.pages.sites import CLASS_LABELS, of_classes
from api.words import N_
from stockpile.reports.export import PageOf
from stockpile.reports.keyset import Page, page_of
from stockpile.reports.trial_balance import FINDING, BalanceLine, trial_balance
from stockpile.reports.trial_balance import By as BalanceBy
from stockpile.reports.trial_balance import proof as proof_of
from stockpile.rights import DONOR, Actor, reading

router = APIRouter(include_in_schema=False)


def _narrowed(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name, None) for name in ("donor", "model", "site")}


BALANCE_BY = {
    "model": (BalanceBy.MODEL,),
    "donor": (BalanceBy.DONOR,),
    "site": (BalanceBy.SITE,),
    "donor and model": (BalanceBy.DONOR, BalanceBy.MODEL),
    "model and site": (BalanceBy.MODEL, BalanceBy.SITE),
    "donor, model and site": (BalanceBy.DONOR, BalanceBy.MODEL, BalanceBy.SITE),
}


@dataclass(frozen=True, slots=True)
class Balance:
    """A page of the balance, and its sums over all pages."""

    rows: tuple[BalanceLine, ...]
    cursor: str | None
    sums: dict[str, int]


SUMMED = ("came_in", *(str(one) for one in CLASS_LABELS), "difference")


def _balance(connection: Connection, actor: Actor, asked: Asked) -> Balance:
    values = dict(asked.values)
    at = as_of(actor, values)
    lines = trial_balance(connection, actor, BALANCE_BY[values.pop("by", "model")], at, **values)
    page: Page[BalanceLine] = page_of(
        lines, _key, asked.limit, asked.cursor, asked.order, ("donor", "model", "site", *SUMMED)
    )
    return Balance(page.rows, page.cursor, {name: sum(getattr(line, name) for line in lines) for name in SUMMED})


COUNTED_NOW = N_(
    "The difference is what came in, counted by the entries, less the sum of the other columns, counted by the holdings: two counts, and 0 "
    "where nobody wrote past the books."
)
COUNTED_THEN = N_(
    "As of a moment all columns are counted by the entries up to it; the difference is what came in less the sum of the others, and 0."
)


def _key(line: BalanceLine) -> tuple[str, ...]:
    return (line.donor or "", line.maker or "", line.model or "", line.site or "")


def _balance_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Balance)
    labels = {
        "came_in": N_("Came in"),
        **{str(one): label for one, label in CLASS_LABELS.items()},
        "difference": N_("Difference"),
    }
    return [
        (labels[name], number, "number")
        for name, number in page.sums.items()
        if number or name in ("came_in", "difference")
    ]


BALANCE = Listing(
    path="/reports/balance",
    name="trial-balance",
    title=N_("Trial balance"),
    question=N_("How many came in, and where is each of them? Every number leads to its weapons."),
    row=BalanceLine,
    columns=(
        Column("donor", N_("Donor"), "code", sparse=True),
        Column("model", N_("Model"), link=lambda line: address("/weapons", **_narrowed(line)), sparse=True),
        Column("site", N_("Site"), "code", lambda line: f"/sites/{line.site}" if line.site else None, sparse=True),
        Column("came_in", N_("Came in"), "number"),
        *of_classes(),
        Column("difference", N_("Difference"), "number"),
    ),
    filters=(choice_filter("by", N_("A line for each"), BALANCE_BY, any=N_("model")), MODEL_FILTER, DONOR_FILTER, site_filter(), *MOMENTS),
    empty=N_("Nothing has come in."),
    template="report.html",
    ask=_balance,
    orders=("donor", "model", "site", *SUMMED),
    figures=_balance_figures,
    ways=(Way(N_("The counts that prove it"), "/reports/balance/proof", EVERYBODY),),
)  # fmt: skip


@router.get("/reports/balance", response_class=HTMLResponse)
def of_balance(request: Request, engine: Database, actor: Asker) -> Response:
    """The trial balance."""
    note = COUNTED_THEN if any(request.query_params.get(each.name, "").strip() for each in MOMENTS) else COUNTED_NOW
    return answer_list(carrying(BALANCE, request), request, engine, actor, note=note, finding=FINDING)


@router.get("/reports/balance/proof", response_class=HTMLResponse)
def of_proof(request: Request, engine: Database, actor: Asker) -> Response:
    """Three counts of the same, each by a query of its own, and whether they agree."""
    with reading(engine, actor) as connection:
        found = proof_of(connection, actor)
    shown = {"proof": found, "host": actor.role != DONOR}
    response: Response = templates.TemplateResponse(request, "proof.html", shown)
    return response
