"""What is ordered to be destroyed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages.listing import Asked, Column, Listing, answer_list, choice_filter, site_filter
from api.pages.moments import MOMENTS, as_of
from api.words import N_
from stockpile.reports import destruction_orders as order_report
from stockpile.reports.destruction_orders import DestructionOrderRow, OrderState, list_destruction_orders
from stockpile.reports.keyset import Page
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


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


@router.get("/destruction-orders", response_class=HTMLResponse)
def destruction_orders(request: Request, engine: Database, actor: Asker) -> Response:
    """What is ordered to be destroyed."""
    return answer_list(ORDERS, request, engine, actor)
