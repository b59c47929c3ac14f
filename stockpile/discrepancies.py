"""Discrepancies: what contradicts the books, with both sides as seen, an owner and a due date. Opened by acts and facts;
nothing here ever refuses or changes a movement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import OpenedDiscrepancy
from stockpile.keys import new_key
from stockpile.sites import Site

DAYS_TO_SETTLE = 30
"""As the loss report's clock (DoD IG 2024-043)."""


class Kind(StrEnum):
    """What a discrepancy is about."""

    UNKNOWN_WEAPON = "unknown weapon"
    HELD_ELSEWHERE = "held elsewhere"
    MOVED_BY_LATE_FACT = "moved by a late fact"
    FEWER_IN_BOOKS = "fewer in the books"
    EXCESS = "excess"
    SHORTAGE = "shortage"
    MISMATCH = "model mismatch"
    TWIN = "same serial number twice"
    CLAIMED_GONE = "found what the books hold as gone"
    RECEIVER_NOT_ON_ROSTER = "receiver not on the roster"
    PERSON_UNKNOWN = "person unknown"
    NOT_ISSUABLE = "issued though unmarked or unserviceable"
    APPROVAL_MISSING = "second party missing"
    DESTROYED_WITHOUT_ORDER = "destroyed without an order"
    WITNESS_MISSING = "witness missing"
    MISCOUNTED = "count does not fit"
    PAPERS_TO_FOLLOW = "papers to follow"
    NUMBER_USED = "number claimed twice"
    DOUBTFUL = "doubtful as it came"
    GAP_IN_BOOK = "gap in a book"
    REVOKED_DEVICE = "from a revoked device"
    WITHOUT_RIGHT = "carried by who may not do it"
    ACCESSORIES_SHORT = "accessories short"
    MISSING_AT_COUNT = "missing at count"
    UNEXPECTED_AT_COUNT = "unexpected at count"
    BEYOND_CERTIFICATE = "beyond the end-user certificate"
    DIVERSION = "diversion alarm"
    MISSING_AT_VISIT = "missing at visit"
    UNEXPECTED_AT_VISIT = "unexpected at visit"
    VISIT_REFUSED = "visit refused"
    REPORTED_OTHERWISE = "reported otherwise by its holder"


JUDGED = (
    Kind.UNKNOWN_WEAPON,
    Kind.HELD_ELSEWHERE,
    Kind.MOVED_BY_LATE_FACT,
    Kind.CLAIMED_GONE,
    Kind.NOT_ISSUABLE,
    Kind.FEWER_IN_BOOKS,
)
"""What a document finds wrong with an item because of what happened before it: judged anew when a late fact comes before it."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What was found while posting: a discrepancy to be opened with the document. `concerns` is the document it is about, if
    that is an earlier one.
    """

    kind: Kind
    books_said: str
    seen: str
    item_id: UUID | None = None
    donor_id: UUID | None = None
    line: int | None = None
    concerns: UUID | None = None


Judged = tuple[UUID, UUID]
"""An item, and the document whose entry of it a late fact made to be judged anew."""


def judge_anew(
    connection: Connection, document_id: UUID, number: str, judged: Sequence[Judged], found: Sequence[Contradiction]
) -> list[Contradiction]:
    """Withdraws the open discrepancies of judged entries that a late document explains, and gives what is to be opened: what
    was found, but for what is open already and what two people explained. So the order in which documents arrive makes no
    difference to what stays open.
    """
    if not judged:
        return list(found)
    standing = {
        (contradiction.item_id, contradiction.concerns, contradiction.kind)
        for contradiction in found
        if contradiction.concerns is not None and contradiction.kind is not Kind.FEWER_IN_BOOKS
    }
    item_ids, documents = (list(column) for column in zip(*set(judged), strict=True))
    rows = connection.exec_driver_sql(
        "SELECT discrepancy_id, item_id, document_id, kind, explained FROM judged_discrepancies(%s, %s, %s)",
        (item_ids, documents, [str(kind) for kind in JUDGED]),
    ).all()
    known = [(row[0], (row[1], row[2], Kind(row[3])), row[4]) for row in rows]
    still = {about for _, about, _ in known} & standing
    settled = {about for _, about, by_people in known if by_people}
    withdrawn = [discrepancy_id for discrepancy_id, about, by_people in known if not by_people and about not in still]
    if withdrawn:
        why = f"{number} came late and explains it"
        connection.exec_driver_sql("SELECT withdraw_discrepancies(%s, %s, %s)", (withdrawn, document_id, why))
    return [one for one in found if (one.item_id, one.concerns, one.kind) not in still | settled]


def open_all(
    connection: Connection,
    site: Site,
    document_id: UUID | None,
    opened_at: datetime,
    found: Sequence[Contradiction],
    register_id: UUID | None = None,
) -> list[OpenedDiscrepancy]:
    """Opens discrepancies under a document, or the list that shows them; the site's custodian owns them until somebody else does."""
    if not found:
        return []
    rows = [(new_key(), *_row(contradiction)) for contradiction in found]
    rows.sort(key=lambda row: row[0])
    columns = list(zip(*rows, strict=True))
    connection.exec_driver_sql(
        """INSERT INTO discrepancy (discrepancy_id, kind, item_id, donor_id, line, books_said, seen, concerns,
                                    site_id, document_id, register_id, owner_id, opened_at, due_on)
           SELECT *, %s::uuid, %s::uuid, %s::uuid, %s::uuid, %s::timestamptz, %s::date
           FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::int[], %s::text[], %s::text[], %s::uuid[])""",
        (
            site.site_id,
            document_id,
            register_id,
            site.custodian_id,
            opened_at,
            (opened_at + timedelta(days=DAYS_TO_SETTLE)).date(),
            *(list(column) for column in columns),
        ),
    )
    return [OpenedDiscrepancy(row[0], row[1], row[2], row[4]) for row in rows]


def _row(found: Contradiction) -> tuple[str, UUID | None, UUID | None, int | None, str, str, UUID | None]:
    return str(found.kind), found.item_id, found.donor_id, found.line, found.books_said, found.seen, found.concerns
