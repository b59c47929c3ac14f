"""What is to be counted again, and when; and the periods that say how often. It only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import NotFound
from stockpile.reports.keyset import (
    Page,
    by_day,
    by_moment,
    by_number,
    by_text,
    order_asked,
    orders,
    read_page,
)
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence, template

QUESTION = template("Which stores, units and people are to be counted, and which counts are late?")
FINDING = template(
    "At one depot 551 of 4,388 entries of the property book did not match the count (SIGAR 14-84, 2014)."
)


@dataclass(frozen=True, slots=True)
class DueRow:
    """An account with weapons on it: when it was last counted by serial number, and when it is to be again by the shortest period
    that binds what is on it. `due_on` None: it never was, and is overdue. `source`: who says how often; `unverified`: from memory;
    `value`: the catalogue's, of the models that have one.
    """

    account_id: UUID
    site: str
    account: str
    account_class: str
    weapons: int
    security_risk_category: str | None
    last_counted_at: datetime | None
    last_count: str | None
    due_on: date | None
    days_overdue: int | None
    overdue: bool
    period: str
    every_days: int
    source: str
    unverified: bool
    value: Decimal | None


# The shortest period that binds an account is the shortest of those that bind the models on it; each model's is looked up once, not once an
# account. `rank` is the order of the periods, the shortest first.
DUE = """
    SELECT a.account_id, a.site_id, s.code AS site, a.name AS account, a.class, held.weapons, held.value, held.category,
           last.opened_at AS last_counted_at, s.code || '/COUNT/' || last.number AS last_count,
           (last.opened_at AT TIME ZONE s.time_zone)::date + p.days AS due_on,
           coalesce((last.opened_at AT TIME ZONE s.time_zone)::date + p.days, '0001-01-01') AS sorted_by,
           (%s::timestamptz AT TIME ZONE s.time_zone)::date AS today, p.code, p.days, p.source, p.unverified
    FROM (SELECT h.account_id, count(*) AS weapons, sum(m.value) AS value, min(m.security_risk_category) AS category,
                 min(m.unit_rank) AS unit_rank, min(m.depot_rank) AS depot_rank
          FROM holding h JOIN (
              SELECT m.model_id, m.value, m.security_risk_category,
                     min(p.rank) FILTER (WHERE coalesce(p.held_by, 'unit') = 'unit') AS unit_rank,
                     min(p.rank) FILTER (WHERE coalesce(p.held_by, 'depot') = 'depot') AS depot_rank
              FROM model m LEFT JOIN (
                  SELECT p.*, row_number() OVER (ORDER BY p.days, p.unverified, p.code) AS rank FROM count_period p
                  WHERE p.binds AND p.method = 'serial') p
                ON p.security_risk_category IS NULL OR p.security_risk_category = m.security_risk_category
              GROUP BY m.model_id) m ON m.model_id = h.model_id
          WHERE h.serial GROUP BY h.account_id) held
    JOIN account a ON a.account_id = held.account_id AND a.class IN ('store', 'unit', 'person', 'maintenance')
    JOIN site s ON s.site_id = a.site_id
    JOIN (SELECT p.*, row_number() OVER (ORDER BY p.days, p.unverified, p.code) AS rank FROM count_period p
          WHERE p.binds AND p.method = 'serial') p
      ON p.rank = CASE WHEN a.class IN ('unit', 'person') OR a.unit_id IS NOT NULL THEN held.unit_rank ELSE held.depot_rank END
    LEFT JOIN (SELECT DISTINCT ON (t.account_id, c.site_id) t.account_id, c.site_id, c.opened_at, c.number
               FROM count_account t JOIN physical_count c ON c.count_id = t.count_id
               WHERE c.outcome = 'closed' AND c.method = 'serial' AND c.scope IN ('account', 'unit', 'site')
               ORDER BY t.account_id, c.site_id, c.opened_at DESC) own ON own.account_id = a.account_id AND own.site_id = a.site_id
    LEFT JOIN (SELECT DISTINCT ON (c.site_id) c.site_id, c.opened_at, c.number FROM physical_count c
               WHERE c.outcome = 'closed' AND c.method = 'serial' AND c.scope IN ('account', 'unit', 'site') AND c.whole_site
               ORDER BY c.site_id, c.opened_at DESC) whole ON whole.site_id = a.site_id
    CROSS JOIN LATERAL (
        SELECT greatest(own.opened_at, whole.opened_at) AS opened_at,
               CASE WHEN whole.opened_at > coalesce(own.opened_at, '-infinity') THEN whole.number ELSE own.number END AS number) last
"""
_DUE = f"""
SELECT due.sorted_by, due.account_id, due.account_id, due.site, due.account, due.class, due.weapons, due.category, due.last_counted_at,
       due.last_count, due.due_on, CASE WHEN due.due_on IS NOT NULL THEN greatest(due.today - due.due_on, 0) END,
       due.due_on IS NULL OR due.due_on < due.today, due.code, due.days, due.source, due.unverified, due.value
FROM ({DUE}
) due
"""


def list_due(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    overdue: bool | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[DueRow]:
    """The accounts with weapons on them, those that nobody ever counted first, then by when they are due. What no period binds is
    absent. Raises NotAllowed (donors; another site's books), NotFound (site), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    where = {
        "due.site_id = %s": site_asked(connection, actor, site),
        "(due.due_on IS NULL OR due.due_on < due.today) = %s": overdue,
    }
    keys: dict[str, Callable[[str], Any]] = {"due.sorted_by": date.fromisoformat, "due.account_id": UUID}
    return read_page(
        connection, _DUE, where, keys, DueRow, limit, cursor, (now(),), order=order_asked(order, DUE_ORDERS)
    )


DUE_ORDERS = orders(
    {"due.account_id": UUID},
    account=by_text("due.account"),
    account_class=by_text("due.class"),
    site=by_text("due.site"),
    weapons=by_number("due.weapons"),
    security_risk_category=by_text("due.category"),
    last_counted_at=by_moment("due.last_counted_at"),
    due_on=by_day("due.due_on"),
    every_days=by_number("due.days"),
    value=by_number("due.value"),
)


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """How often what is to be counted, and who says so. `changed_by` None: as it came with the program."""

    code: str
    what: str
    held_by: str | None
    security_risk_category: str | None
    method: str
    days: int | None
    source: str
    unverified: bool
    binds: bool
    changed_by: str | None
    changed_at: datetime | None


_PERIODS = f"""
SELECT p.code, p.code, p.what, p.held_by, p.security_risk_category, p.method, p.days, p.source, p.unverified, p.binds,
       CASE WHEN p.changed_by IS NOT NULL THEN {named("c")} END, p.changed_at
FROM count_period p LEFT JOIN party c ON c.party_id = p.changed_by
"""


def list_periods(
    connection: Connection, actor: Actor, binds: bool | None = None, limit: int = 100, cursor: str | None = None
) -> Page[PeriodRow]:
    """The periods by their codes. Raises NotAllowed (donors), Invalid (limit, cursor)."""
    require(actor, READ_PEOPLE)
    return read_page(connection, _PERIODS, {"p.binds = %s": binds}, {"p.code": str}, PeriodRow, limit, cursor)


def read_period(connection: Connection, actor: Actor, code: str) -> PeriodRow:
    """One period. Raises NotAllowed, NotFound."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(f"{_PERIODS} WHERE p.code = %s", (code,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no period {code!r}.", code=code))
    return PeriodRow(*row[1:])
