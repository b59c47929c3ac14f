"""Discrepancies as people work them off: what the books said, what was seen, who answers for it, until when.

It only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.reports.pages import cursor_of, page_size, read_cursor
from stockpile.rights import DONOR, READ, Actor, require


@dataclass(frozen=True, slots=True)
class DiscrepancyRow:
    """One discrepancy. A donor sees its own, without what names persons and places of the host."""

    discrepancy_id: UUID
    kind: str
    site: str
    item_id: UUID | None
    books_said: str | None
    seen: str | None
    document_number: str | None
    owner: str | None
    opened_at: datetime
    due_on: date
    closed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Discrepancies:
    """A page of them, and the cursor of the next, if there is one."""

    rows: tuple[DiscrepancyRow, ...]
    cursor: str | None


_CHOSEN = """
WHERE (%(kind)s::text IS NULL OR x.kind = %(kind)s) AND (%(site)s::text IS NULL OR s.code = %(site)s)
  AND (x.closed_at IS NULL OR %(closed)s) AND x.discrepancy_id > %(after)s::uuid
ORDER BY x.discrepancy_id LIMIT %(limit)s
"""
_HOST = (
    """
SELECT x.discrepancy_id, x.kind, s.code, x.item_id, x.books_said, x.seen, x.opened_at, x.due_on, x.closed_at, x.outcome,
       coalesce(concat_ws(' ', p.rank, p.name, '(' || p.code || ')'), 'a person of another site'),
       t.code, b.code, b.year, d.number
FROM discrepancy x JOIN site s ON s.site_id = x.site_id
LEFT JOIN party p ON p.party_id = x.owner_id
LEFT JOIN document d ON d.document_id = x.document_id
LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site t ON t.site_id = d.site_id
"""
    + _CHOSEN
)
_DONOR = (
    """
SELECT x.discrepancy_id, x.kind, s.code, x.item_id, NULL, NULL, x.opened_at, x.due_on, x.closed_at, x.outcome,
       NULL, NULL, NULL, NULL, NULL
FROM discrepancy x JOIN site s ON s.site_id = x.site_id
"""
    + _CHOSEN
)

FIRST = "00000000-0000-0000-0000-000000000000"


def list_discrepancies(
    connection: Connection,
    actor: Actor,
    kind: str | None = None,
    site: str | None = None,
    closed: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Discrepancies:
    """The discrepancies in the asker's scope, the oldest first: the open ones, with `closed` all. Raises Invalid."""
    require(actor, READ)
    given = {
        "kind": kind,
        "site": site.strip().upper() if site else None,
        "closed": closed,
        "after": read_cursor(cursor, 1)[0] if cursor else FIRST,
        "limit": page_size(limit) + 1,
    }
    found = connection.exec_driver_sql(_DONOR if actor.role == DONOR else _HOST, given).all()
    rows = tuple(
        DiscrepancyRow(
            row[0], row[1], row[2], row[3], row[4], row[5], full_number(*row[11:15]) if row[14] is not None else None,
            row[10], *row[6:10],
        )
        for row in found[:limit]
    )  # fmt: skip
    return Discrepancies(rows, cursor_of(str(rows[-1].discrepancy_id)) if len(found) > limit else None)
