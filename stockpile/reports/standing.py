"""Where items stood as of a moment, on which account since when and under which document. A weapon stands on one account,
a quantity on several. Sums legs, so that reversals cancel on either clock; names nobody whom the asker may not see.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.movements import AccountClass
from stockpile.reports.as_of import NOW, AsOf
from stockpile.rights import DONOR, Actor


@dataclass(frozen=True, slots=True)
class Standing:
    """An item on one account. `since`, document and act are those of the last movement that brought it there.

    `account` is a name as far as the asker may know it: donors get none, others no person of another site.
    `document_number` is None for a document of a site that is not the asker's.
    """

    item_id: UUID
    account_id: UUID
    account_class: AccountClass
    account: str | None
    site: str
    party_id: UUID | None
    quantity: int
    condition: str | None
    unverified: bool
    since: datetime
    document_id: UUID
    document_number: str | None
    act: str


CLASSES = {str(one): one for one in AccountClass}

ENTRIES = "SELECT * FROM entries_of(%(items)s)"
"""Entries of items, whoever's documents wrote them, for those who serve the host."""

DONOR_ENTRIES = """
SELECT e.item_id, e.version, e.document_id, d.act, e.site_id, e.line, e.quantity, e.condition,
       e.happened_at, e.recorded_at, e.reverses, e.posts_again,
       e.from_account, f.class AS from_class, f.site_id AS from_site,
       e.to_account, t.class AS to_class, t.site_id AS to_site
FROM entry e JOIN document d USING (document_id)
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
WHERE e.item_id = ANY (%(items)s) AND e.donor_id = %(donor)s
"""
"""The same for a donor, of its own items only."""

# A reversal tells the entry it reverses a second time: what is told once is live. Windows, not joins, for a thousand items at
# once: the planner can't know how many entries they have.
_THEN = """
WITH known AS (
    SELECT * FROM ({entries}) e WHERE happened_at <= %(happened_at)s AND recorded_at <= %(recorded_at)s
), leg AS (
    SELECT item_id, to_account AS account_id, to_class AS class, to_site AS site_id, quantity FROM known
    UNION ALL
    SELECT item_id, from_account, from_class, from_site, -quantity FROM known
), held AS (
    SELECT item_id, account_id, class, site_id, sum(quantity)::bigint AS quantity
    FROM leg WHERE class <> 'outside' GROUP BY item_id, account_id, class, site_id HAVING sum(quantity) <> 0
), told AS (
    SELECT *, count(*) OVER (PARTITION BY item_id, coalesce(reverses, version)) AS times FROM known
), live AS (
    SELECT *, first_value(condition) OVER (PARTITION BY item_id ORDER BY condition IS NULL, happened_at DESC, version DESC) AS seen
    FROM told WHERE times = 1 AND reverses IS NULL
), came AS (
    SELECT DISTINCT ON (item_id, to_account) item_id, to_account AS account_id, document_id, act, happened_at, seen
    FROM live WHERE from_account <> to_account ORDER BY item_id, to_account, happened_at DESC, version DESC
), stood AS (
    SELECT * FROM held JOIN came USING (item_id, account_id)
)
"""

_WEAPONS_NOW = "WITH stood AS (SELECT *, 1::bigint AS quantity FROM standing_now(%(items)s))"
"""Weapons alone, as of now, read back from their last entries: most questions ask for no more."""

_DONOR_WEAPONS_NOW = """
WITH stood AS (
    SELECT h.item_id, h.account_id, a.class, a.site_id, h.quantity, came.document_id, d.act, came.happened_at, last.condition AS seen
    FROM holding h
    JOIN account a ON a.account_id = h.account_id
    CROSS JOIN LATERAL (
        SELECT e.document_id, e.happened_at FROM entry e
        WHERE e.item_id = h.item_id AND e.to_account = h.account_id AND e.from_account <> e.to_account AND e.reverses IS NULL
          AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
        ORDER BY e.version DESC LIMIT 1) came
    JOIN document d ON d.document_id = came.document_id
    LEFT JOIN LATERAL (
        SELECT e.condition FROM entry e
        WHERE e.item_id = h.item_id AND e.condition IS NOT NULL AND e.reverses IS NULL
          AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
        ORDER BY e.version DESC LIMIT 1) last ON true
    WHERE h.item_id = ANY (%(items)s) AND h.serial
)
"""

_TOLD = """
SELECT stood.item_id, stood.account_id, stood.class, {account}, s.code, {party}, stood.quantity, stood.seen,
       coalesce(h.unverified, false), stood.happened_at, stood.document_id,
       number_site.code, b.code, b.year, d.number, stood.act
FROM stood
JOIN site s ON s.site_id = stood.site_id
LEFT JOIN account a ON a.account_id = stood.account_id
LEFT JOIN holding h ON h.item_id = stood.item_id AND h.account_id = stood.account_id
LEFT JOIN document d ON d.document_id = stood.document_id
LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site number_site ON number_site.site_id = d.site_id
ORDER BY stood.item_id, stood.class, s.code, stood.account_id
"""

_TO_THE_HOST = _TOLD.format(account="coalesce(a.name, 'a person of ' || s.code)", party="a.party_id")
_TO_A_DONOR = _TOLD.format(account="NULL", party="NULL::uuid")
_HOST, _HOST_NOW = _THEN.format(entries=ENTRIES) + _TO_THE_HOST, _WEAPONS_NOW + _TO_THE_HOST
_DONOR, _DONOR_NOW = _THEN.format(entries=DONOR_ENTRIES) + _TO_A_DONOR, _DONOR_WEAPONS_NOW + _TO_A_DONOR


def standings(
    connection: Connection, actor: Actor, item_ids: Iterable[UUID], at: AsOf = NOW
) -> dict[UUID, tuple[Standing, ...]]:
    """Where each item stood; items that were outside, or are not the asker's to see, are absent."""
    wanted, of_donor = set(item_ids), actor.role == DONOR
    found = _standings(connection, actor, wanted, at, _DONOR_NOW if of_donor else _HOST_NOW) if at.now else {}
    if len(found) < len(wanted):
        found |= _standings(connection, actor, wanted - found.keys(), at, _DONOR if of_donor else _HOST)
    return found


def _standings(
    connection: Connection, actor: Actor, item_ids: Iterable[UUID], at: AsOf, question: str
) -> dict[UUID, tuple[Standing, ...]]:
    given = {"items": list(item_ids), "donor": actor.donor_id, **at.parameters}
    found: dict[UUID, list[Standing]] = {}
    for row in connection.exec_driver_sql(question, given).all():
        number = full_number(*row[11:15]) if row[14] is not None else None
        standing = Standing(
            row[0], row[1], CLASSES[row[2]], row[3], row[4], row[5], row[6], row[7], row[8] and at.now, row[9],
            row[10], number, row[15],
        )  # fmt: skip
        found.setdefault(standing.item_id, []).append(standing)
    return {item_id: tuple(several) for item_id, several in found.items()}
