"""Discrepancies as people work them off: what the books said, what was seen, who answers for it, until when.

It only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.discrepancies import Kind
from stockpile.documents import full_number
from stockpile.errors import NotAllowed, NotFound
from stockpile.reports.keyset import Keys, Page, by_text, order_asked, orders, read_page
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import ARMOURER, CLERK, DONOR, READ, Actor, require
from stockpile.sentences import sentence


class State(StrEnum):
    """Whether a discrepancy still waits for its cause."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class DiscrepancyRow:
    """One discrepancy. A donor sees its own, without what names persons and documents of the host.

    `line`: of the document or of the list that opened it. `concerns`: the earlier document it is about, if a later one opened
    it. `explained_by`: the document that explains it; of one that is `withdrawn`, the late one that showed nothing was wrong.
    """

    discrepancy_id: UUID
    kind: str
    site: str
    item_id: UUID | None
    opened_at: datetime
    due_on: date
    closed_at: datetime | None
    outcome: str | None
    books_said: str | None
    seen: str | None
    document_id: UUID | None
    document_number: str | None
    register_id: UUID | None
    line: int | None
    owner: str | None
    explanation: str | None
    explained_by: UUID | None
    closed_by: str | None
    proposed_by: str | None
    concerns: UUID | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which discrepancies are sought: those to which all apply that is said. `due_before`: due on an earlier day;
    `among`: only these.
    """

    kind: str | None = None
    site: str | None = None
    state: State = State.OPEN
    item_id: UUID | None = None
    document_id: UUID | None = None
    due_before: date | None = None
    owner: str | None = None
    among: tuple[UUID, ...] | None = None


_SHOWN_TO_ALL = "x.discrepancy_id, x.kind, s.code, x.item_id, x.opened_at, x.due_on, x.closed_at, x.outcome"
_HOST = f"""
SELECT x.discrepancy_id, {_SHOWN_TO_ALL},
       x.books_said, x.seen, x.document_id, t.code, b.code, b.year, d.number, x.register_id, x.line,
       {named("p")},
       x.explanation, x.explained_by,
       CASE WHEN x.closed_by IS NOT NULL THEN {named("c")} END,
       CASE WHEN x.proposed_by IS NOT NULL THEN {named("a")} END,
       x.concerns
FROM discrepancy x JOIN site s ON s.site_id = x.site_id
LEFT JOIN party p ON p.party_id = x.owner_id
LEFT JOIN party c ON c.party_id = x.closed_by
LEFT JOIN party a ON a.party_id = x.proposed_by
LEFT JOIN document d ON d.document_id = x.document_id
LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site t ON t.site_id = d.site_id
"""
_DONOR = f"""
SELECT x.discrepancy_id, {_SHOWN_TO_ALL},
       NULL, NULL, NULL::uuid, NULL, NULL, NULL, NULL, NULL::uuid, NULL, NULL, NULL, NULL::uuid, NULL, NULL, NULL::uuid
FROM discrepancy x JOIN site s ON s.site_id = x.site_id
"""


def list_discrepancies(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[DiscrepancyRow]:
    """The discrepancies in the asker's scope, the oldest first, or by one of ORDERS.

    Raises NotFound (site), NotAllowed (another site's books; documents, for a donor), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    if actor.role == DONOR and (sought.document_id is not None or sought.owner is not None):
        raise NotAllowed(
            sentence("A donor finds its discrepancies by kind, site, item and due date, not by document or owner.")
        )
    where = {
        "x.kind <> %s": _hidden_from(actor),
        "x.kind = %s": sought.kind,
        "x.site_id = %s": site_asked(connection, actor, sought.site),
        "(x.closed_at IS NULL) = %s": None if sought.state is State.ALL else sought.state is State.OPEN,
        "x.item_id = %s": sought.item_id,
        "x.document_id = %s": sought.document_id,
        "x.due_on < %s": sought.due_before,
        "p.code = %s": sought.owner,
        "x.discrepancy_id = ANY (%s)": list(sought.among) if sought.among is not None else None,
    }
    by = order_asked(order, ORDERS_OF_DONOR if actor.role == DONOR else ORDERS)
    return read_page(connection, _question(actor), where, _ORDER, _row, limit, cursor, order=by)


_ORDER: Keys = {"x.discrepancy_id": UUID}
ORDERS_OF_DONOR = orders(
    _ORDER,
    opened_at={},
    due_on={"x.due_on": date.fromisoformat},
    kind={"x.kind": str},
    site=by_text("s.code"),
    outcome=by_text("x.outcome"),
)
ORDERS = {
    **ORDERS_OF_DONOR,
    **orders(
        _ORDER,
        books_said=by_text("x.books_said"),
        seen=by_text("x.seen"),
        owner=by_text("concat_ws(' ', p.rank, p.name)"),
        document_number=by_text("concat_ws('/', t.code, b.code, b.year, d.number)"),
    ),
}


def read_discrepancy(connection: Connection, actor: Actor, discrepancy_id: UUID) -> DiscrepancyRow:
    """One discrepancy in the asker's scope. Raises NotFound."""
    require(actor, READ)
    found = connection.exec_driver_sql(
        f"{_question(actor)} WHERE x.discrepancy_id = %s AND x.kind IS DISTINCT FROM %s",
        (discrepancy_id, _hidden_from(actor)),
    ).one_or_none()
    if found is None:
        raise NotFound(sentence("There is no discrepancy {discrepancy_id} here.", discrepancy_id=discrepancy_id))
    return _row(*found[1:])


def _hidden_from(actor: Actor) -> str | None:
    """The kind that an asker is not told of: whoever hands weapons out is not warned that one was seen abroad."""
    return str(Kind.DIVERSION) if actor.role in (CLERK, ARMOURER) else None


def _question(actor: Actor) -> str:
    return _DONOR if actor.role == DONOR else _HOST


def _row(*row: Any) -> DiscrepancyRow:
    number = full_number(*row[11:15]) if row[14] is not None else None
    return DiscrepancyRow(*(*row[:11], number, *row[15:]))
