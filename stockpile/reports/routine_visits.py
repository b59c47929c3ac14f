"""Which stores a donor's inspectors are to visit by its routine plans, and which of these visits are late: by class of model and store, by
items and value. The plan is the closest that names a model, unless an enhanced one binds it: that is `inspections`.

A store where such weapons lie is due within the plan's days of the day since when they lie there, then within its days of each visit.
What a unit, a person or a workshop has in hand is seen by a visit to the whole depot; a refused visit is none. No visit is ever assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db import roles
from stockpile.db.engine import for_sums, take_role
from stockpile.errors import NotAllowed
from stockpile.movements import HELD
from stockpile.reports.inspections import end_of
from stockpile.reports.keyset import page_of
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.reports.shares import percent
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import sentence, template
from stockpile.sites import day_on_the_walls

QUESTION = template(
    "Which stores are to be visited by the routine plans of monitoring, and which of these visits are late?"
)


@dataclass(frozen=True, slots=True)
class RoutineSought:
    """Which stores are sought: those to which all applies that is said. `delinquent`: only those that are, or are not."""

    donor: str | None = None
    site: str | None = None
    category: str | None = None
    model: str | None = None
    delinquent: bool | None = None


@dataclass(frozen=True, slots=True)
class RoutineRow:
    """The weapons of a donor under one plan, of one category, in one store, or in hands at a depot. `store`: its name; a donor is told
    those that it named at a visit itself. `since`: the day on which the first of what is there came; `due_on` None: it was visited, and
    its plan says no days from one visit to the next. `delinquent`: all of them are.
    """

    donor: str
    plan: str
    category: str
    site: str
    place: Literal["store", "in hands"]
    store: str | None
    items: int
    value: Decimal
    since: date
    visited_on: date | None
    due_on: date | None
    delinquent: bool
    days_late: int


@dataclass(frozen=True, slots=True)
class RoutineVisits:
    """A page of stores, the longest overdue first, and the sums over all of them, delinquent or not, by items and by value.

    `without_value`: items whose model has no value, which the sums of value lack; `without_days`: items under routine plans that do not say
    within how many days they are to be seen, and make nothing due.
    """

    rows: tuple[RoutineRow, ...]
    on: date
    items: int
    delinquent: int
    delinquent_percent: float | None
    value: Decimal
    delinquent_value: Decimal
    delinquent_value_percent: float | None
    without_value: int
    without_days: int
    cursor: str | None


ORDERS = tuple(RoutineRow.__dataclass_fields__)
"""By each of its columns."""

_NOW = """
    SELECT h.item_id, h.account_id, h.model_id, h.donor_id FROM holding h JOIN account a ON a.account_id = h.account_id
    WHERE a.class = ANY (%(held)s) AND h.model_id = ANY (ARRAY(SELECT model_id FROM routine))
"""
_THEN = """
    SELECT leg.item_id, leg.account_id, leg.model_id, leg.donor_id
    FROM (SELECT e.item_id, e.model_id, e.donor_id, e.to_account AS account_id, e.quantity FROM {entries} e WHERE {up_to}
          UNION ALL
          SELECT e.item_id, e.model_id, e.donor_id, e.from_account, -e.quantity FROM {entries} e WHERE {up_to}) leg
    JOIN account a ON a.account_id = leg.account_id AND a.class = ANY (%(held)s)
    WHERE leg.model_id = ANY (ARRAY(SELECT model_id FROM routine))
    GROUP BY leg.item_id, leg.account_id, leg.model_id, leg.donor_id HAVING sum(leg.quantity) > 0
"""
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, 'infinity')"
_ENTRIES = "entry e WHERE e.item_id = ANY (ARRAY(SELECT item_id FROM scope))"
_DESK_ENTRIES = "entries_of(ARRAY(SELECT item_id FROM scope)) e WHERE true"

# An entry that stays moves nothing; one that was reversed, and its reversal, never happened.
_DUE = """
WITH covered AS (
    SELECT DISTINCT ON (m.model_id, d.party_id)
           m.model_id, m.category, m.value, d.party_id AS donor_id, d.code AS donor, p.code AS plan, p.level, p.initial_days, p.yearly_days
    FROM monitoring_plan p
    JOIN model m ON (m.enhanced_monitoring OR NOT p.flagged) AND m.category = coalesce(p.category, m.category)
                AND m.security_risk_category IS NOT DISTINCT FROM coalesce(p.security_risk_category, m.security_risk_category)
    JOIN party d ON d.kind = 'donor' AND d.party_id = coalesce(p.donor_id, d.party_id)
    WHERE m.tracked_by = 'serial' AND (p.level = 'routine' OR p.binds) AND (%(donor)s::uuid IS NULL OR d.party_id = %(donor)s)
      AND (%(models)s::uuid[] IS NULL OR m.model_id = ANY (%(models)s)) AND m.category = coalesce(%(category)s, m.category)
    ORDER BY m.model_id, d.party_id, p.level, p.donor_id,
             (p.category IS NULL)::int + (p.security_risk_category IS NULL)::int + (NOT p.flagged)::int,
             p.yearly_days, p.initial_days, p.plan_id
), routine AS (
    SELECT * FROM covered WHERE level = 'routine'
), scope AS MATERIALIZED (
    SELECT s.item_id, s.account_id, s.donor_id, r.donor, r.plan, r.category, r.value, coalesce(r.initial_days, r.yearly_days) AS first_days,
           r.yearly_days, t.site_id, t.code AS site, t.time_zone, CASE WHEN a.class = 'store' THEN a.account_id END AS store
    FROM ({scope}) s JOIN routine r ON r.model_id = s.model_id AND r.donor_id = s.donor_id
    JOIN account a ON a.account_id = s.account_id JOIN site t ON t.site_id = a.site_id
    WHERE %(site)s::uuid IS NULL OR t.site_id = %(site)s
), moved AS (
    SELECT item_id, to_account, happened_at, reverses, count(*) OVER (PARTITION BY item_id, coalesce(reverses, version)) AS times
    FROM (SELECT e.item_id, e.version, e.from_account, e.to_account, e.happened_at, e.reverses FROM {entries}
          AND e.happened_at <= %(happened_at)s) e
    WHERE e.from_account <> e.to_account
), came AS (
    SELECT s.item_id, max(m.happened_at) AS since
    FROM scope s JOIN moved m ON m.item_id = s.item_id AND m.to_account = s.account_id
    WHERE m.times = 1 AND m.reverses IS NULL AND s.first_days IS NOT NULL GROUP BY s.item_id
), lying AS (
    SELECT s.donor_id, s.donor, s.plan, s.category, s.site_id, s.site, s.store, s.first_days, s.yearly_days, count(*) AS items,
           coalesce(sum(s.value), 0) AS value, count(*) FILTER (WHERE s.value IS NULL) AS without_value,
           min((c.since AT TIME ZONE s.time_zone)::date) AS since
    FROM scope s LEFT JOIN came c USING (item_id)
    GROUP BY s.donor_id, s.donor, s.plan, s.category, s.site_id, s.site, s.store, s.first_days, s.yearly_days
), visited AS (
    SELECT * FROM unnest(%(donors)s::uuid[], %(sites)s::uuid[], %(stores)s::uuid[], %(days)s::date[]) v (donor_id, site_id, store, day)
)
SELECT l.donor, l.plan, l.category, l.site, l.store, l.items, l.value, l.since,
       (SELECT max(v.day) FROM visited v
        WHERE v.donor_id = l.donor_id AND v.site_id = l.site_id AND (v.store IS NULL OR v.store = l.store) AND v.day >= l.since),
       l.first_days, l.yearly_days, l.without_value
FROM lying l
"""


def routine_visits_due(
    connection: Connection,
    actor: Actor,
    sought: RoutineSought = RoutineSought(),
    on: date | None = None,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> RoutineVisits:
    """What routine plans make due on a day (today, if none is given), in the asker's scope; of the weapons that were held on that day,
    by the plans as they are now.

    `limit` None: all of them. Raises NotFound (an unknown code), NotAllowed (another site's books; who reads single consignments, and is
    told of no visit), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    if actor.consignments is not None:
        raise NotAllowed(
            sentence("You read single consignments here: visits are told to the donor and the host alone.")
        )
    day = on or day_on_the_walls(connection, actor.time_zone)
    desk = actor.role in DESK
    values = {
        "held": [str(one) for one in HELD],
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
        "category": sought.category,
        "happened_at": end_of(connection, actor, day),
    }
    then = _THEN.format(
        entries=_SITE_ENTRIES if desk else "entry", up_to="true" if desk else "e.happened_at <= %(happened_at)s"
    )
    question = _DUE.format(scope=_NOW if on is None else then, entries=_DESK_ENTRIES if desk else _ENTRIES)
    stores = _stores(connection, actor)
    visits = _visits(connection, stores, day)
    told = {one.store for one in visits} if actor.role == DONOR else set(stores)
    names = {key: name for key, (_, name) in stores.items() if key in told}
    visited = {
        "donors": [one.donor_id for one in visits], "sites": [one.site_id for one in visits], "stores": [one.store for one in visits],
        "days": [one.day for one in visits],
    }  # fmt: skip
    for_sums(connection)
    # The planner takes each step for a handful of rows, and would go through all entries for each weapon.
    connection.exec_driver_sql("SELECT set_config('enable_nestloop', 'off', true)")
    found = [_Lying(*row) for row in connection.exec_driver_sql(question, {**values, **visited})]
    connection.exec_driver_sql("SELECT set_config('enable_nestloop', 'on', true)")
    return _judged(day, found, names, sought.delinquent, limit, cursor, order)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit that was done: of the whole depot, or of one store."""

    donor_id: UUID
    site_id: UUID
    store: UUID | None
    day: date


_VISITS = """
SELECT donor_id, site_id, content->>'store', (content->>'day')::date FROM donor_statement
WHERE kind = 'visit' AND (content->>'day')::date <= %s
"""


def _stores(connection: Connection, actor: Actor) -> dict[UUID, tuple[UUID, str]]:
    """The depots' stores, each with its site and name. A donor's role reads no names: those that it named itself are found for it."""
    if actor.role == DONOR:
        take_role(connection, roles.POSTER)
    rows = connection.exec_driver_sql("SELECT account_id, site_id, name FROM account WHERE class = 'store'").all()
    if actor.role == DONOR:
        take_role(connection, actor.database_role, None, actor.donor_id)
    return {row[0]: (row[1], row[2]) for row in rows}


def _visits(connection: Connection, stores: Mapping[UUID, tuple[UUID, str]], on: date) -> list[_Visit]:
    """The visits up to a day that the reader's role sees."""
    named = {(site, name.casefold()): key for key, (site, name) in stores.items()}
    found = []
    for donor_id, site_id, store, day in connection.exec_driver_sql(_VISITS, (on,)):
        key = named.get((site_id, store.strip().casefold())) if store else None
        if key is not None or not store:
            found.append(_Visit(donor_id, site_id, key, day))
    return found


@dataclass(frozen=True, slots=True)
class _Lying:
    """What lies on one account as the question finds it. `first_days` None: its plan says no days."""

    donor: str
    plan: str
    category: str
    site: str
    store: UUID | None
    items: int
    value: Decimal
    since: date | None
    visited_on: date | None
    first_days: int | None
    yearly_days: int | None
    without_value: int


def _judged(
    on: date,
    found: Sequence[_Lying],
    names: Mapping[UUID, str],
    delinquent: bool | None,
    limit: int | None,
    cursor: str | None,
    order: str | None,
) -> RoutineVisits:
    due = [one for one in found if one.first_days is not None]
    rows = _rows(on, due, names)
    late = [row for row in rows if row.delinquent]
    items, late_items = sum(row.items for row in rows), sum(row.items for row in late)
    value, late_value = sum((row.value for row in rows), Decimal(0)), sum((row.value for row in late), Decimal(0))
    asked = [row for row in rows if delinquent is None or row.delinquent == delinquent]
    page = page_of(asked, _key, limit, cursor, order, ORDERS)
    return RoutineVisits(
        rows=page.rows,
        on=on,
        items=items,
        delinquent=late_items,
        delinquent_percent=percent(late_items, items),
        value=value,
        delinquent_value=late_value,
        delinquent_value_percent=percent(late_value, value),
        without_value=sum(one.without_value for one in due),
        without_days=sum(one.items for one in found if one.first_days is None),
        cursor=page.cursor,
    )


def _rows(on: date, due: Sequence[_Lying], names: Mapping[UUID, str]) -> list[RoutineRow]:
    """A line for each store; stores that the reader is not told the names of, and that are alike in all else, are one."""
    rows: dict[tuple[str, ...], RoutineRow] = {}
    for one in due:
        row = _row(on, one, names)
        before = rows.get(_key(row))
        rows[_key(row)] = (
            row if before is None else replace(row, items=row.items + before.items, value=row.value + before.value)
        )
    return list(rows.values())


def _row(on: date, one: _Lying, names: Mapping[UUID, str]) -> RoutineRow:
    assert one.since is not None
    days = one.first_days if one.visited_on is None else one.yearly_days
    due_on = (one.visited_on or one.since) + timedelta(days=days) if days is not None else None
    late = (on - due_on).days if due_on is not None and due_on < on else 0
    return RoutineRow(
        one.donor, one.plan, one.category, one.site, "store" if one.store else "in hands", names.get(one.store) if one.store else None,
        one.items, one.value, one.since, one.visited_on, due_on, late > 0, late,
    )  # fmt: skip


def _key(row: RoutineRow) -> tuple[str, ...]:
    due = row.due_on.isoformat() if row.due_on else "9999-12-31"
    seen = row.visited_on.isoformat() if row.visited_on else ""
    return due, row.donor, row.site, row.place, row.store or "", row.plan, row.category, row.since.isoformat(), seen
