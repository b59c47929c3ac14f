"""Whether each site counts in time: of what must be counted by serial number, how many accounts and weapons were, and how many are overdue;
by item and by value. The days come from `counts_due`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import now
from stockpile.reports.counts_due import DUE
from stockpile.reports.scope import site_asked
from stockpile.reports.shares import percent
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import template

QUESTION = template("Which sites count their weapons in time?")


@dataclass(frozen=True, slots=True)
class ComplianceLine:
    """A site: accounts that a period binds and weapons on them, those counted in time, those overdue, those of them never counted; the
    catalogue's value of what is overdue and of all. `percent`: of the weapons, those counted in time.
    """

    site: str
    accounts: int
    accounts_overdue: int
    weapons: int
    in_time: int
    overdue: int
    never: int
    value: Decimal
    overdue_value: Decimal
    percent: float | None


_BY_SITE = f"""
WITH due AS ({DUE})
SELECT site, count(*), count(*) FILTER (WHERE late), sum(weapons)::bigint, coalesce(sum(weapons) FILTER (WHERE NOT late), 0)::bigint,
       coalesce(sum(weapons) FILTER (WHERE late), 0)::bigint, coalesce(sum(weapons) FILTER (WHERE due_on IS NULL), 0)::bigint,
       coalesce(sum(value), 0), coalesce(sum(value) FILTER (WHERE late), 0)
FROM (SELECT *, due_on IS NULL OR due_on < today AS late FROM due) due
WHERE %s::uuid IS NULL OR site_id = %s GROUP BY site ORDER BY site
"""


def count_compliance(connection: Connection, actor: Actor, site: str | None = None) -> list[ComplianceLine]:
    """A line for each site in the asker's scope. Raises NotAllowed (donors; another site's books), NotFound (site)."""
    require(actor, READ_PEOPLE)
    site_id = site_asked(connection, actor, site)
    for_sums(connection)
    rows = connection.exec_driver_sql(_BY_SITE, (now(), site_id, site_id))
    return [ComplianceLine(*(*row, percent(row[4], row[3]))) for row in rows]
