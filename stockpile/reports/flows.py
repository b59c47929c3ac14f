"""Flows of pieces between the kinds of place, in a time: what was declared, received, issued, returned, lost, and how many of each. What
was taken back did not move. As the books say now, or said at a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.movements import AccountClass
from stockpile.reports.as_of import FOREVER
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.rights import READ, Actor, require
from stockpile.sentences import template

QUESTION = template("How many pieces went from which kind of place to which, in a time?")


@dataclass(frozen=True, slots=True)
class FlowsSought:
    """Which movements are sought: those to which all applies that is said; `since` (inclusive) and `until` are of when they happened."""

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FlowRow:
    """So many pieces from one kind of place to another."""

    origin: AccountClass
    place: AccountClass
    pieces: int


# A reversal runs the other way at the time of what it takes back: it is subtracted from that.
_MOVED = """
    SELECT f.class AS origin, t.class AS place, e.reverses IS NOT NULL AS back,
           sum(e.quantity)::bigint AS pieces
    FROM entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    WHERE e.happened_at >= %(since)s AND e.happened_at <= %(until)s AND e.recorded_at <= %(recorded_at)s
      AND (%(donor)s::uuid IS NULL OR e.donor_id = %(donor)s) AND (%(models)s::uuid[] IS NULL OR e.model_id = ANY (%(models)s))
      AND (%(site)s::uuid IS NULL OR f.site_id = %(site)s OR t.site_id = %(site)s)
    GROUP BY f.class, t.class, e.reverses IS NOT NULL
"""
_NET = """
SELECT origin, place, sum(pieces)::bigint AS pieces
FROM (SELECT CASE WHEN back THEN place ELSE origin END AS origin, CASE WHEN back THEN origin ELSE place END AS place,
             CASE WHEN back THEN -pieces ELSE pieces END AS pieces FROM ({moved}) moved) net
WHERE origin <> place GROUP BY origin, place HAVING sum(pieces) <> 0 ORDER BY 1, 2
"""


def flows(connection: Connection, actor: Actor, sought: FlowsSought = FlowsSought()) -> list[FlowRow]:
    """The flows in the asker's scope, in the order of the classes. A desk is told what its own site's documents moved.

    Raises NotFound (an unknown code), NotAllowed (another site's books).
    """
    require(actor, READ)
    given = {
        "since": sought.since or "-infinity",
        "until": sought.until or FOREVER,
        "recorded_at": sought.recorded_at or FOREVER,
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
        "site": site_asked(connection, actor, sought.site),
    }
    for_sums(connection)
    rows = connection.exec_driver_sql(_NET.format(moved=_MOVED), given)
    order = list(AccountClass)
    found = [FlowRow(AccountClass(row[0]), AccountClass(row[1]), row[2]) for row in rows]
    return sorted(found, key=lambda row: (order.index(row.origin), order.index(row.place)))
