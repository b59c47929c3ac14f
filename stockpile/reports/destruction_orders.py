"""Destruction orders: what was ordered to be destroyed, how much of it is certified, and what is overdue. It only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.correction import STANDS
from stockpile.documents import full_number
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.keyset import Page, by_day, by_moment, by_number, by_text, order_asked, orders, read_page
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import template
from stockpile.sites import day_on_the_walls

QUESTION = template("What is ordered to be destroyed, what of it is certified, and what is overdue?")
FINDING = template(
    "More than 112,000 weapons were beyond need (SIGAR 14-84, 2014): what was to be destroyed and was not can be lost."
)


class OrderState(StrEnum):
    """How far the destruction is that an order asks for."""

    ORDERED = "ordered"
    CERTIFIED = "certified"
    OVERDUE = "overdue"
    TAKEN_BACK = "taken back"


@dataclass(frozen=True, slots=True)
class DestructionOrderRow:
    """One order. `quantity`: the pieces that stand on it, without those taken back; `certified`: how many of them were
    destroyed. `ordered`: something is left, and the day has not passed.
    """

    document_id: UUID
    number: str
    site: str
    ordered_at: datetime
    due_on: date
    authority: str
    reason: str
    method: str
    quantity: int
    certified: int
    left: int
    state: str


_ORDERS = f"""
SELECT o.ordered_at, o.document_id, o.* FROM (
    SELECT d.happened_at AS ordered_at, d.document_id, s.code AS site_code, s.site_id, b.code AS book, b.year, d.number,
           (d.details->>'due_on')::date AS due_on, d.details->>'authority' AS authority, d.details->>'reason' AS reason,
           d.details->>'method' AS method, ordered.quantity, certified.quantity AS certified,
           CASE WHEN ordered.quantity = 0 THEN '{OrderState.TAKEN_BACK}'
                WHEN certified.quantity >= ordered.quantity THEN '{OrderState.CERTIFIED}'
                WHEN (d.details->>'due_on')::date < asked.today THEN '{OrderState.OVERDUE}' ELSE '{OrderState.ORDERED}' END AS state
    FROM (SELECT %s::date AS today, %s::timestamptz AS happened, %s::timestamptz AS recorded) asked
    JOIN document d ON d.happened_at <= asked.happened AND d.recorded_at <= asked.recorded
    JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(e.quantity), 0)::bigint AS quantity FROM entry e
        WHERE e.document_id = d.document_id AND {{stands}}) ordered
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(e.quantity), 0)::bigint AS quantity
        FROM document c JOIN entry e ON e.document_id = c.document_id
        WHERE c.act = 'destroy' AND c.site_id = d.site_id AND c.details->>'order' = d.document_id::text
          AND c.happened_at <= asked.happened AND c.recorded_at <= asked.recorded AND {{stands}}) certified
    WHERE d.act = 'order destruction') o
"""
# As STANDS, by what was recorded up to the moment: not taken back by then, or posted again since by a late fact.
_STOOD = """e.reverses IS NULL AND e.posts_again IS NULL AND NOT EXISTS (
            WITH RECURSIVE chain AS (
                SELECT e.version
                UNION ALL
                SELECT p.version FROM chain JOIN entry p ON p.item_id = e.item_id AND p.posts_again = chain.version
                WHERE p.recorded_at <= asked.recorded)
            SELECT FROM chain JOIN entry r ON r.item_id = e.item_id AND r.reverses = chain.version AND r.recorded_at <= asked.recorded
            WHERE NOT EXISTS (SELECT FROM chain later WHERE later.version > chain.version))"""


def list_destruction_orders(
    connection: Connection,
    actor: Actor,
    state: OrderState | None = None,
    site: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
    at: AsOf = NOW,
) -> Page[DestructionOrderRow]:
    """The orders in the asker's scope, the oldest first; how far they are now, or were at a moment on either clock.

    Raises NotAllowed, NotFound (site), Invalid (limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    where = {"o.state = %s": state and str(state), "o.site_id = %s": site_asked(connection, actor, site)}
    keys: dict[str, Callable[[str], Any]] = {"o.ordered_at": datetime.fromisoformat, "o.document_id": UUID}
    asked = (day_on_the_walls(connection, actor.time_zone, at.moment), *at.parameters.values())
    question = _ORDERS.format(stands=STANDS if at.now else _STOOD)
    return read_page(connection, question, where, keys, _row, limit, cursor, asked, order=order_asked(order, ORDERS))


ORDERS = orders(
    {"o.document_id": UUID},
    number={"o.site_code": str, "o.book": str, **by_number("o.year"), **by_number("o.number")},
    site=by_text("o.site_code"),
    ordered_at=by_moment("o.ordered_at"),
    due_on=by_day("o.due_on"),
    state=by_text("o.state"),
    quantity=by_number("o.quantity"),
    certified=by_number("o.certified"),
    left=by_number("greatest(o.quantity - o.certified, 0)"),
    authority=by_text("o.authority"),
    method=by_text("o.method"),
)


def _row(*row: Any) -> DestructionOrderRow:
    (
        ordered_at,
        document_id,
        site,
        _,
        book,
        year,
        number,
        due_on,
        authority,
        reason,
        method,
        quantity,
        certified,
        state,
    ) = row
    return DestructionOrderRow(
        document_id, full_number(site, book, year, number), site, ordered_at, due_on, authority, reason, method, quantity,
        certified, max(quantity - certified, 0), state,
    )  # fmt: skip
