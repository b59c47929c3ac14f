"""Holdings over time: how many pieces were in which kind of place at the end of each month, as the books say now or said at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.movements import BALANCED
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.rights import READ, Actor, require
from stockpile.sentences import template
from stockpile.sites import day_on_the_walls

QUESTION = template("How many pieces were in store, with units, missing or gone at the end of each month?")


@dataclass(frozen=True, slots=True)
class MonthLine:
    """The end of a month, or the day asked for in the last: how many pieces were in each kind of place."""

    on: date
    supply: int
    transit: int
    store: int
    unit: int
    person: int
    maintenance: int
    missing: int
    lost: int
    expended: int
    destroyed: int
    exported: int


# The month of an entry is where its moment falls among the beginnings of all months since 1900, before which nothing happens: worked out by
# the calendar for each of millions, it takes longer than all else. Places are one number, as texts take longer, too.
_FLOWS = """
    SELECT width_bucket(e.happened_at, (SELECT begins FROM months)) AS nth, e.from_class_and_site AS origin, e.to_class_and_site AS place,
           sum(e.quantity) AS quantity
    FROM entry e
    WHERE e.from_class_and_site <> e.to_class_and_site AND {which}
    GROUP BY 1, 2, 3
"""
_WHICH = {"donor": "e.donor_id = %(donor)s", "models": "e.model_id = ANY (%(models)s)"}
_LINES = """
WITH {places}, months AS MATERIALIZED (
    SELECT array_agg(month AT TIME ZONE %(zone)s ORDER BY month) AS begins
    FROM generate_series('1900-01-01'::timestamp, %(today)s::date + interval '1 month', '1 month') month
), flow AS MATERIALIZED (
    SELECT ('1900-01-01'::date + (e.nth - 1) * interval '1 month')::date AS month, f.class AS from_class, f.site_id AS from_site,
           t.class AS to_class, t.site_id AS to_site, e.quantity
    FROM ({flows}) e JOIN place f ON f.class_and_site = e.origin JOIN place t ON t.class_and_site = e.place
), leg AS (
    SELECT month, to_class AS class, quantity FROM flow WHERE %(site)s::uuid IS NULL OR to_site = %(site)s
    UNION ALL
    SELECT month, from_class, -quantity FROM flow WHERE %(site)s::uuid IS NULL OR from_site = %(site)s
), changed AS (
    SELECT month, class, sum(quantity) AS quantity FROM leg WHERE class <> 'outside' GROUP BY month, class
), month AS (
    SELECT generate_series(min(month)::timestamp, date_trunc('month', %(today)s::date), '1 month')::date AS month FROM changed
)
SELECT m.month, {classes} FROM month m LEFT JOIN changed c ON c.month <= m.month GROUP BY m.month ORDER BY m.month
"""
_CLASSES = ", ".join(
    f"coalesce(sum(c.quantity) FILTER (WHERE c.class = '{one}'), 0)::bigint AS {one}" for one in BALANCED
)


def holdings_over_time(
    connection: Connection,
    actor: Actor,
    at: AsOf = NOW,
    donor: str | None = None,
    model: str | None = None,
    site: str | None = None,
) -> list[MonthLine]:
    """From the first month in which something moved. A desk is told what its own site's documents moved.

    Raises NotFound (an unknown code), NotAllowed (another site's books).
    """
    require(actor, READ)
    today = day_on_the_walls(connection, actor.time_zone, at.happened_at)
    narrowing: dict[str, Any] = {
        "donor": donor_asked(connection, actor, donor),
        "models": models_of(connection, model) if model else None,
    }
    given: dict[str, Any] = {
        **at.parameters,
        **EVERY_CLASS,
        **narrowing,
        "zone": actor.time_zone or "UTC",
        "today": today,
        "site": site_asked(connection, actor, site),
    }
    which = " AND ".join([at.up_to, *(_WHICH[name] for name, value in narrowing.items() if value is not None)])
    for_sums(connection)
    # A few thousand sums are handed over, where the planner, which knows nothing of months, expects as many as there are moments.
    connection.exec_driver_sql("SELECT set_config('parallel_tuple_cost', '0', true)")
    question = _LINES.format(places=PLACES, flows=_FLOWS.format(which=which), classes=_CLASSES)
    rows = connection.exec_driver_sql(question, given)
    return [MonthLine(min(_last_day(row[0]), today), *row[1:]) for row in rows]


def _last_day(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
