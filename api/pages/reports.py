"""Reports: the questions that auditors and donors have asked of weapons before, each a list with its sums above it."""

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
from api.pages.cases import CASES
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Figure,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    day_filter,
    flag_filter,
    hidden_filter,
    site_filter,
)
from api.pages.moments import MOMENTS, RECORDED, as_of, carrying
from api.pages.navigation import EVERYBODY
from api.pages.registers import AUDITS, REGISTERS
from api.pages.reports_of_weapons import COMPLIANCE, FLOWS, LOSSES_BY, OVER_TIME, TRANSIT
from api.pages.sites import BOOKS, CLASS_LABELS, DEVICES, STOCKS, of_classes
from api.pages.waiting_lists import CARDS, CLOSURES, COUNTS_DUE
from api.pages.weapons import HELD
from api.words import N_
from stockpile.catalogue_data import CATEGORIES
from stockpile.errors import Fault, Invalid
from stockpile.reports import allowances as allowance_report
from stockpile.reports import destruction_orders as order_report
from stockpile.reports import inspections
from stockpile.reports import loss_timeliness as loss_report
from stockpile.reports import serial_capture as serial_capture_report
from stockpile.reports.allowances import (
    AllowanceSought,
    By,
    Excess,
    ExcessLine,
    State,
    excess_and_shortfall,
    held_by_unit,
)
from stockpile.reports.destruction_orders import DestructionOrderRow, OrderState, list_destruction_orders
from stockpile.reports.export import PageOf
from stockpile.reports.holdings import ORDERS as WEAPON_ORDERS
from stockpile.reports.holdings import HoldingLine, Holdings
from stockpile.reports.inspections import InspectionRow, Inspections, InspectionSought, inspections_due
from stockpile.reports.keyset import Page, page_of
from stockpile.reports.loss_timeliness import LossRow, LossSought, LossTimeliness, loss_timeliness
from stockpile.reports.questions import REPORTS
from stockpile.reports.serial_capture import CaptureLine, CaptureSought, SerialCapture, serial_capture
from stockpile.reports.trial_balance import FINDING, BalanceLine, trial_balance
from stockpile.reports.trial_balance import By as BalanceBy
from stockpile.reports.trial_balance import proof as proof_of
from stockpile.rights import DONOR, Actor, reading
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

DONOR_FILTER = Filter("donor", N_("Donor"), help=N_("Its code"), roles=HOST)
MODEL_FILTER = Filter("model", N_("Model"), help=N_("Its whole name, such as AKM"))


def _narrowed(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name, None) for name in ("donor", "model", "site")}


def _capture(connection: Connection, actor: Actor, asked: Asked) -> SerialCapture:
    values = dict(asked.values)
    at = as_of(actor, values)
    return serial_capture(connection, actor, CaptureSought(**values), at, asked.limit, asked.cursor, asked.order)


def _capture_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, SerialCapture)
    return (
        (N_("Weapons"), page.weapons, "number"),
        (N_("With a serial number"), page.with_serial, "number"),
        (N_("Without one"), page.without_serial, "number"),
        (N_("Recorded"), page.percent, "percent"),
        (N_("Counted by number"), page.counted, "number"),
    )


SERIAL_CAPTURE = Listing(
    path="/reports/serial-capture",
    name="serial-capture",
    title=N_("Serial numbers recorded"),
    question=N_("Of how many weapons do the books have a readable serial number?"),
    row=CaptureLine,
    columns=(
        Column("maker", N_("Maker")),
        Column("model", N_("Model"), link=lambda row: address("/weapons", model=row.model)),
        Column("what", N_("What"), "term"),
        Column("quantity", N_("Pieces"), "number", lambda row: address("/weapons", model=row.model)),
        Column("with_serial", N_("With a serial number"), "number"),
        Column("without_serial", N_("Without one"), "number"),
        Column("percent", N_("Recorded"), "percent"),
    ),
    filters=(MODEL_FILTER, DONOR_FILTER, Filter("consignment", N_("Consignment"), help=N_("The donor's number of it")), site_filter(),
             *MOMENTS),
    empty=N_("No weapon fits."),
    ask=_capture,
    orders=serial_capture_report.ORDERS,
    figures=_capture_figures,
)  # fmt: skip


def _inspections(connection: Connection, actor: Actor, asked: Asked) -> Inspections:
    values = dict(asked.values)
    on, known = values.pop("on", None), as_of(actor, values).recorded_at
    return inspections_due(
        connection,
        actor,
        InspectionSought(**values),
        on,
        known,
        limit=asked.limit,
        cursor=asked.cursor,
        order=asked.order,
    )


def _inspection_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Inspections)
    return (
        (N_("As of"), page.on, "day"),
        (N_("Monitored weapons"), page.items, "number"),
        (N_("Delinquent"), page.delinquent, "number"),
        (N_("Of all"), page.delinquent_percent, "percent"),
        (N_("Value"), page.value, "number"),
        (N_("Value of what is delinquent"), page.delinquent_value, "number"),
        (N_("Without a value in the catalogue"), page.without_value, "number"),
        (N_("First inventory late"), page.initial_late, "number"),
        (N_("Value of these"), page.initial_late_value, "number"),
    )


INSPECTIONS = Listing(
    path="/reports/inspections",
    name="inspections",
    title=N_("Inspections due"),
    question=N_("Which weapons under enhanced monitoring are to be inspected, and which inspections are late?"),
    row=InspectionRow,
    columns=(
        Column("model", N_("Model")),
        Column("serial_number", N_("Serial number"), "code", lambda row: f"/weapons/{row.item_id}" if row.item_id else None),
        Column("asset_tag", N_("Asset tag"), "code", lambda row: f"/weapons/{row.item_id}" if row.item_id else None),
        Column("donor", N_("Donor"), "code"),
        Column("site", N_("Site"), "code"),
        Column("arrived_on", N_("Arrived"), "day"),
        Column("first_inspected_on", N_("Inspected first"), "day", sparse=True),
        Column("inspected_on", N_("Inspected last"), "day", none=N_("never")),
        Column("due_on", N_("Due"), "day"),
        Column("days_late", N_("Days late"), "number", read=lambda row: row.days_late or None),
        Column("initial_late", N_("First inventory late"), "flag"),
        Column("value", N_("Value"), "number"),
    ),
    filters=(MODEL_FILTER, flag_filter("delinquent", N_("Delinquent")), DONOR_FILTER, day_filter("on", N_("As of")), site_filter(),
             RECORDED),
    empty=N_("No weapon under enhanced monitoring fits."),
    ask=_inspections,
    orders=inspections.ORDERS,
    default="due_on",
    figures=_inspection_figures,
)  # fmt: skip


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


def _of_report(row: LossRow) -> str | None:
    return f"/documents/{row.document_id}" if row.document_id else None


LOSSES = Listing(
    path="/reports/losses",
    name="losses",
    title=N_("How soon losses are reported"),
    question=N_("When was it lost, when reported, and was that within the days allowed?"),
    row=LossRow,
    columns=(
        Column("document_number", N_("Document"), "code", _of_report),
        Column("act", N_("Act"), "term", _of_report),
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


def _orders(connection: Connection, actor: Actor, asked: Asked) -> Page[DestructionOrderRow]:
    state = asked.values.get("state")
    wanted, at = OrderState(state) if state else None, as_of(actor, dict(asked.values))
    return list_destruction_orders(
        connection, actor, wanted, asked.values.get("site"), asked.limit, asked.cursor, asked.order, at
    )


def _order(row: DestructionOrderRow) -> str:
    return f"/documents/{row.document_id}"


ORDERS = Listing(
    path="/destruction-orders",
    name="destruction-orders",
    title=N_("Destruction orders"),
    question=N_("What is ordered to be destroyed, what of it is certified, and what is overdue?"),
    row=DestructionOrderRow,
    columns=(
        Column("number", N_("Number"), "code", _order),
        Column("site", N_("Site"), "code"),
        Column("ordered_at", N_("Ordered"), "moment"),
        Column("due_on", N_("Due"), "day"),
        Column("state", N_("State"), "term"),
        Column("quantity", N_("Pieces"), "number", lambda row: f"/documents/{row.document_id}#lines"),
        Column("certified", N_("Certified"), "number", lambda row: f"/documents/{row.document_id}#lines"),
        Column("left", N_("Left"), "number", lambda row: f"/documents/{row.document_id}#lines"),
        Column("authority", N_("Authority")),
        Column("method", N_("Method")),
    ),
    filters=(choice_filter("state", N_("State"), OrderState), site_filter(), *MOMENTS),
    empty=N_("Nothing is ordered to be destroyed."),
    ask=_orders,
    orders=order_report.ORDERS,
    default="ordered_at",
)

INDEX: tuple[tuple[str, tuple[Listing, ...], frozenset[str]], ...] = (
    (N_("Pictures, each with its table"), (OVER_TIME, FLOWS, LOSSES_BY), EVERYBODY),
    (N_("Pictures of what waits"), (TRANSIT, COMPLIANCE), HOST),
    (N_("Who has what"), (STOCKS, CARDS), HOST),
    (N_("What is to be done"), (CASES, COUNTS_DUE, CLOSURES), HOST),
    (N_("Books and lists"), (BOOKS, DEVICES, REGISTERS, AUDITS), HOST),
)
"""Beside the fifteen questions of the auditor (`stockpile/reports/questions.py`): lists by what they are about, and whom they are shown."""


@router.get("/reports", response_class=HTMLResponse)
def reports(request: Request, actor: Asker) -> Response:
    """The index of reports, each with the question it answers."""
    host = actor.role != DONOR
    shown = {
        "reports": [(one, one.for_role(actor.role)) for one in REPORTS if host or one.for_role(actor.role)],
        "groups": [(title, lists) for title, lists, roles in INDEX if actor.role in roles],
    }
    response: Response = templates.TemplateResponse(request, "reports.html", shown)
    return response


@router.get("/reports/serial-capture", response_class=HTMLResponse)
def of_serial_numbers(request: Request, engine: Database, actor: Asker) -> Response:
    """Serial numbers recorded."""
    return answer_list(carrying(SERIAL_CAPTURE, request, "donor", "site"), request, engine, actor)


@router.get("/reports/inspections", response_class=HTMLResponse)
def of_inspections(request: Request, engine: Database, actor: Asker) -> Response:
    """Inspections due."""
    return answer_list(INSPECTIONS, request, engine, actor)


@router.get("/reports/losses", response_class=HTMLResponse)
def of_losses(request: Request, engine: Database, actor: Asker) -> Response:
    """How soon losses are reported."""
    return answer_list(LOSSES, request, engine, actor)


@router.get("/reports/allowances", response_class=HTMLResponse)
def of_allowances(request: Request, engine: Database, actor: Asker) -> Response:
    """Excess and shortfall."""
    return answer_list(carrying(ALLOWANCES, request), request, engine, actor)


@router.get("/reports/allowances/weapons", response_class=HTMLResponse)
def of_one_line(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons behind a number held."""
    return answer_list(OF_LINE, request, engine, actor)


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


@router.get("/destruction-orders", response_class=HTMLResponse)
def destruction_orders(request: Request, engine: Database, actor: Asker) -> Response:
    """What is ordered to be destroyed."""
    return answer_list(ORDERS, request, engine, actor)
