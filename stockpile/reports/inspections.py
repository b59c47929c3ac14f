"""Which weapons under enhanced monitoring are due for inspection: by serial number within 90 days of their arrival, then yearly
(SAMM C8.4; DODIG-2024-043: more than 1,005 of 1,699 million dollars' worth was delinquent). Of the ledger, or of a list of arrivals alone.

An inspection is a line of a register of kind `inspection`; no inspection is ever assumed. What is missing or gone can't be inspected,
and is not due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.identity import asset_tag
from stockpile.monitoring import INITIAL_INVENTORY, YEARLY_INVENTORY, days_allowed
from stockpile.movements import HELD, AccountClass
from stockpile.reports.as_of import FOREVER
from stockpile.reports.keyset import text_order
from stockpile.reports.listed import NAMED, names_in, need_listed
from stockpile.reports.pages import cursor_of, read_cursor, rows_to_read
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.reports.shares import percent
from stockpile.rights import DESK, READ, Actor, require
from stockpile.sentences import template
from stockpile.sites import day_on_the_walls

INSPECTION = "inspection"
"""The kind of a register whose lines are inspections."""

QUESTION = template("Which weapons under enhanced monitoring are to be inspected, and which inspections are late?")
FINDING = template(
    "Of defence articles worth 1,699 million dollars more than 1,005 million dollars' worth were delinquent: 59 "
    "per cent (DODIG-2024-043, 2024)."
)


@dataclass(frozen=True, slots=True)
class InspectionSought:
    """Which weapons are sought: those to which all applies that is said. `delinquent`: only those that are, or are not."""

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    delinquent: bool | None = None


@dataclass(frozen=True, slots=True)
class Periods:
    """Days until the first inventory after arrival, and from one to the next; None: as the plans say, of a list as the data say."""

    initial_days: int | None = None
    yearly_days: int | None = None

    @property
    def parameters(self) -> dict[str, int | None]:
        """Both for SQL."""
        return {"initial": self.initial_days, "yearly": self.yearly_days}

    @property
    def of_data(self) -> Periods:
        """Those of the data where nobody asks with others."""
        return Periods(
            days_allowed(INITIAL_INVENTORY, self.initial_days), days_allowed(YEARLY_INVENTORY, self.yearly_days)
        )


@dataclass(frozen=True, slots=True)
class InspectionRow:
    """A weapon, or a line of a list of arrivals: when it came, when it was inspected last, when it is due. `arrived_on` and `due_on` are
    None where a list does not say when it came; `value` is the catalogue's, of all pieces of the line. `initial_late`: the first
    inventory came later than it was allowed to, or is late and did not come yet; what was inspected since stays late in this.
    """

    item_id: UUID | None
    line: int | None
    asset_tag: str | None
    maker: str
    model: str
    serial_number: str | None
    donor: str | None
    site: str | None
    quantity: int
    arrived_on: date | None
    inspected_on: date | None
    due_on: date | None
    delinquent: bool
    days_late: int
    value: Decimal | None
    first_inspected_on: date | None = None
    initial_late: bool = False


@dataclass(frozen=True, slots=True)
class Inspections:
    """A page of weapons, the longest overdue first, and the sums over all of them, delinquent or not, by items and by value.

    `without_value`: items whose model has no value, which the sums of value lack; `undated`: items of which a list does not say when they
    came; `unknown_model`: pieces under names that nobody has mapped, of which nobody can say whether they are monitored;
    `initial_late`: items whose first inventory was late or is, also where they were inspected since.
    """

    rows: tuple[InspectionRow, ...]
    on: date
    items: int
    delinquent: int
    delinquent_percent: float | None
    value: Decimal
    delinquent_value: Decimal
    delinquent_value_percent: float | None
    without_value: int
    undated: int
    unknown_model: int
    cursor: str | None
    initial_late: int = 0
    initial_late_value: Decimal = Decimal(0)


# Of a million holdings only those of the models in question, as the index has them: by place, then by model.
_SCOPE_NOW = """
    SELECT h.item_id, h.model_id, h.donor_id, h.site_id FROM holding h
    WHERE h.class_and_site = ANY (ARRAY(SELECT class_and_site FROM place WHERE class = ANY (%(classes)s)))
      AND h.model_id = ANY (ARRAY(SELECT model_id FROM monitored))
"""
_SCOPE_THEN = """
    SELECT leg.item_id, leg.model_id, leg.donor_id, a.site_id
    FROM (SELECT e.item_id, e.model_id, e.donor_id, e.to_account AS account_id, e.quantity FROM {entries} e WHERE {up_to}
          UNION ALL
          SELECT e.item_id, e.model_id, e.donor_id, e.from_account, -e.quantity FROM {entries} e WHERE {up_to}) leg
    JOIN account a ON a.account_id = leg.account_id AND a.class = ANY (%(classes)s)
    WHERE leg.model_id IN (SELECT model_id FROM monitored)
    GROUP BY leg.item_id, leg.model_id, leg.donor_id, a.site_id, a.account_id HAVING sum(leg.quantity) > 0
"""
_UP_TO = "e.happened_at <= %(happened_at)s AND e.recorded_at <= %(recorded_at)s"
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz)"

_DESK_ENTRIES = """
    SELECT item_id, version, to_class, to_site, happened_at, reverses FROM entries_of(ARRAY(SELECT item_id FROM scope))
    WHERE recorded_at <= %(recorded_at)s
"""
_ENTRIES = """
    SELECT e.item_id, e.version, t.class AS to_class, t.site_id AS to_site, e.happened_at, e.reverses
    FROM entry e JOIN account t ON t.account_id = e.to_account
    WHERE e.item_id = ANY (ARRAY(SELECT item_id FROM scope)) AND e.recorded_at <= %(recorded_at)s
"""

# It came when it was first in somebody's hand here, as far as that was not taken back.
_OF_LEDGER = f"""
WITH {PLACES}, monitored AS (
    SELECT DISTINCT ON (m.model_id, d.party_id) m.model_id, d.party_id AS donor_id, p.initial_days, p.yearly_days
    FROM monitoring_plan p
    JOIN model m ON (m.enhanced_monitoring OR NOT p.flagged) AND m.category = coalesce(p.category, m.category)
                AND m.security_risk_category IS NOT DISTINCT FROM coalesce(p.security_risk_category, m.security_risk_category)
    JOIN party d ON d.kind = 'donor' AND d.party_id = coalesce(p.donor_id, d.party_id)
    WHERE p.binds AND p.level = 'enhanced' AND m.tracked_by = 'serial' AND (%(asked)s::uuid[] IS NULL OR m.model_id = ANY (%(asked)s))
    ORDER BY m.model_id, d.party_id, p.donor_id, (p.category IS NULL)::int + (p.security_risk_category IS NULL)::int, p.initial_days,
             p.plan_id
), scope AS MATERIALIZED (
    SELECT s.item_id, s.model_id, s.donor_id, s.site_id FROM ({{scope}}) s
    WHERE (%(site)s::uuid IS NULL OR s.site_id = %(site)s) AND (%(donor)s::uuid IS NULL OR s.donor_id = %(donor)s)
), told AS (
    SELECT *, count(*) OVER (PARTITION BY item_id, coalesce(reverses, version)) AS times FROM ({{entries}}) e
), arrived AS (
    SELECT DISTINCT ON (t.item_id) t.item_id, (t.happened_at AT TIME ZONE s.time_zone)::date AS arrived_on
    FROM told t JOIN site s ON s.site_id = t.to_site
    WHERE t.times = 1 AND t.reverses IS NULL AND t.to_class = ANY (%(held)s)
    ORDER BY t.item_id, t.happened_at, t.version
), inspected AS (
    SELECT n.item_id, max(n.inspected_on) AS inspected_on, min(n.inspected_on) AS first_inspected_on
    FROM inspections_of(ARRAY(SELECT item_id FROM scope), %(recorded_at)s::timestamptz) n JOIN arrived a USING (item_id)
    WHERE n.inspected_on BETWEEN a.arrived_on AND %(on)s GROUP BY n.item_id
), line AS (
    SELECT s.item_id, NULL::int AS line, s.item_id::text AS key, s.model_id, s.donor_id, s.site_id, NULL::text AS serial_number,
           1::bigint AS quantity, a.arrived_on, n.inspected_on, n.first_inspected_on, v.initial_days, v.yearly_days
    FROM scope s JOIN monitored v ON v.model_id = s.model_id AND v.donor_id = s.donor_id JOIN arrived a ON a.item_id = s.item_id
    LEFT JOIN inspected n ON n.item_id = s.item_id
), unknown AS (
    SELECT 0::bigint AS quantity
)
"""

# A line with a serial number is one weapon, whatever else it says; one without is as many as it says.
_OF_REGISTER = f"""
WITH arrival AS (
    SELECT l.line, l.item_id, l.serial_number, nullif(l.serial_key, '') AS serial_key, named.model_id, l.received_on AS arrived_on,
           CASE WHEN l.serial_key <> '' THEN 1 ELSE coalesce(l.quantity, 1) END AS quantity
    FROM register_line l LEFT JOIN {NAMED}
      ON named.register_id = l.register_id AND named.maker = coalesce(l.maker, '') AND named.name = l.model
    WHERE l.register_id = %(register)s AND l.rejected IS NULL
), inspection AS (
    SELECT l.item_id, l.serial_key, named.model_id,
           coalesce(l.dated_on, (r.as_of AT TIME ZONE coalesce(s.time_zone, 'UTC'))::date) AS inspected_on
    FROM register r JOIN register_line l USING (register_id) LEFT JOIN site s ON s.site_id = r.site_id
    LEFT JOIN {NAMED} ON named.register_id = l.register_id AND named.maker = coalesce(l.maker, '') AND named.name = l.model
    WHERE r.register_id = ANY (%(inspections)s) AND l.rejected IS NULL
), inspected AS (
    SELECT a.line, max(n.inspected_on) AS inspected_on, min(n.inspected_on) AS first_inspected_on
    FROM arrival a JOIN inspection n ON n.model_id = a.model_id AND n.serial_key = a.serial_key
    WHERE n.inspected_on <= %(on)s AND (a.arrived_on IS NULL OR n.inspected_on >= a.arrived_on) GROUP BY a.line
    UNION ALL
    SELECT a.line, max(n.inspected_on), min(n.inspected_on)
    FROM arrival a JOIN inspection n ON n.item_id = a.item_id
    WHERE n.inspected_on <= %(on)s AND (a.arrived_on IS NULL OR n.inspected_on >= a.arrived_on) GROUP BY a.line
), line AS (
    SELECT NULL::uuid AS item_id, a.line, lpad(a.line::text, 10, '0') AS key, a.model_id, NULL::uuid AS donor_id, NULL::uuid AS site_id,
           a.serial_number, a.quantity::bigint, a.arrived_on, n.inspected_on, n.first_inspected_on, NULL::int AS initial_days,
           NULL::int AS yearly_days
    FROM arrival a LEFT JOIN (SELECT line, max(inspected_on) AS inspected_on, min(first_inspected_on) AS first_inspected_on
                              FROM inspected GROUP BY line) n USING (line)
    WHERE a.quantity > 0 AND (a.arrived_on IS NULL OR a.arrived_on <= %(on)s)
      AND a.model_id IN (SELECT model_id FROM model WHERE enhanced_monitoring
                         AND (%(asked)s::uuid[] IS NULL OR model_id = ANY (%(asked)s)))
), unknown AS (
    SELECT coalesce(sum(quantity), 0)::bigint AS quantity FROM arrival WHERE model_id IS NULL
)
"""

_DUE = """, due AS (
    SELECT *, CASE WHEN inspected_on IS NULL THEN arrived_on + coalesce(%(initial)s::int, initial_days)
              ELSE inspected_on + coalesce(%(yearly)s::int, yearly_days) END AS due_on,
           arrived_on + coalesce(%(initial)s::int, initial_days) AS initial_due_on
    FROM line
), judged AS (
    SELECT d.*, coalesce(d.due_on < %(on)s, false) AS delinquent,
           coalesce(d.initial_due_on < coalesce(d.first_inspected_on, %(on)s), false) AS initial_late,
           d.quantity * m.value AS value, m.maker, m.name AS model,
           {sorted} AS sorted_by
    FROM due d JOIN model m ON m.model_id = d.model_id
), total AS (
    SELECT coalesce(sum(quantity), 0)::bigint AS items, coalesce(sum(quantity) FILTER (WHERE delinquent), 0)::bigint AS delinquent,
           coalesce(sum(value), 0) AS value, coalesce(sum(value) FILTER (WHERE delinquent), 0) AS delinquent_value,
           coalesce(sum(quantity) FILTER (WHERE value IS NULL), 0)::bigint AS without_value,
           coalesce(sum(quantity) FILTER (WHERE due_on IS NULL), 0)::bigint AS undated,
           coalesce(sum(quantity) FILTER (WHERE initial_late), 0)::bigint AS initial_late,
           coalesce(sum(value) FILTER (WHERE initial_late), 0) AS initial_late_value
    FROM judged
), page AS (
    SELECT * FROM judged
    WHERE (%(delinquent)s::bool IS NULL OR delinquent = %(delinquent)s)
      AND (%(after)s::text[] IS NULL OR (sorted_by, key) {beyond} (%(after)s[1], %(after)s[2]))
    ORDER BY sorted_by{direction}, key{direction} LIMIT %(limit)s
)
SELECT total.*, unknown.quantity, p.sorted_by, p.key, p.item_id, p.line, i.tag_number, p.maker, p.model,
       coalesce(p.serial_number, n.serial_number), o.code, s.code, p.quantity, p.arrived_on, p.inspected_on, p.due_on, p.delinquent,
       p.value, p.first_inspected_on, p.initial_late
FROM total CROSS JOIN unknown LEFT JOIN page p ON true
LEFT JOIN LATERAL (SELECT i.tag_number FROM item i WHERE i.item_id = p.item_id OFFSET 0) i ON true
LEFT JOIN LATERAL identified(p.item_id) n ON true
LEFT JOIN party o ON o.party_id = p.donor_id AND o.kind = 'donor' LEFT JOIN site s ON s.site_id = p.site_id
ORDER BY p.sorted_by{direction}, p.key{direction}
"""
_DUE_ON = "coalesce(d.due_on::text, '9999-12-31')"
ORDERS = {
    "due_on": _DUE_ON,
    "model": "m.name",
    "arrived_on": "coalesce(d.arrived_on::text, '')",
    "inspected_on": "coalesce(d.inspected_on::text, '')",
    "value": "to_char(coalesce(d.quantity * m.value, 0), '000000000000000000D00')",
}
"""By the report's own columns, as texts that sort as the values do."""

IN_HAND = HELD | {AccountClass.TRANSIT}
"""Where a weapon is that can be inspected, once it came."""


def inspections_due(
    connection: Connection,
    actor: Actor,
    sought: InspectionSought = InspectionSought(),
    on: date | None = None,
    recorded_at: datetime | None = None,
    periods: Periods = Periods(),
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Inspections:
    """What of the ledger is due on a day (today, if none is given), as the books said at a moment if one is given: weapons of monitored
    models that were held here or on their way from site to site, in the asker's scope.

    `limit` None: all of them. Raises NotFound (an unknown code), NotAllowed (another site's books), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    day = on or day_on_the_walls(connection, actor.time_zone)
    values = {
        "classes": [str(one) for one in IN_HAND],
        "held": [str(one) for one in HELD],
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "asked": models_of(connection, sought.model) if sought.model else None,
        "happened_at": end_of(connection, actor, day),
        "recorded_at": recorded_at or FOREVER,
    }
    if on is None and recorded_at is None:
        scope = _SCOPE_NOW
    elif actor.role in DESK:
        scope = _SCOPE_THEN.format(entries=_SITE_ENTRIES, up_to="true")
    else:
        scope = _SCOPE_THEN.format(entries="entry", up_to=_UP_TO)
    entries = _DESK_ENTRIES if actor.role in DESK else _ENTRIES
    question = _OF_LEDGER.format(scope=scope, entries=entries)
    return _page(connection, question, values, sought.delinquent, day, periods, limit, cursor, order)


def inspections_due_of_arrivals(
    connection: Connection,
    actor: Actor,
    register_id: UUID,
    inspections: UUID | None = None,
    model: str | None = None,
    delinquent: bool | None = None,
    on: date | None = None,
    periods: Periods = Periods(),
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Inspections:
    """What of a list of arrivals is due on a day (that of which the list speaks, if none is given), by the inspections in one register, or
    in all registers of inspections in the asker's scope: lines of one model and serial number.

    Raises NotAllowed (donors), NotFound, Invalid (a register that was not read in our fields; limit, cursor, order).
    """
    register = need_listed(connection, actor, register_id)
    if inspections is not None:
        looked_through = [need_listed(connection, actor, inspections).register_id]
    else:
        rows = connection.exec_driver_sql("SELECT register_id FROM register WHERE kind = %s", (INSPECTION,))
        looked_through = list(rows.scalars())
    day = on or register.as_of.astimezone(UTC).date()
    values = {
        **names_in(connection, [register_id, *looked_through]).columns,
        "register": register_id,
        "inspections": looked_through,
        "asked": models_of(connection, model) if model else None,
    }
    return _page(connection, _OF_REGISTER, values, delinquent, day, periods.of_data, limit, cursor, order)


def end_of(connection: Connection, actor: Actor, day: date) -> datetime:
    """The last moment of a day: on the own wall, else on the last wall of the country to show it."""
    zones = [actor.time_zone] if actor.time_zone else None
    if zones is None:
        zones = list(connection.exec_driver_sql("SELECT DISTINCT time_zone FROM site").scalars()) or ["UTC"]
    after = day + timedelta(days=1)
    return max(datetime.combine(after, time(), ZoneInfo(zone)) for zone in zones) - timedelta(microseconds=1)


def _page(
    connection: Connection,
    question: str,
    values: dict[str, Any],
    delinquent: bool | None,
    on: date,
    periods: Periods,
    limit: int | None,
    cursor: str | None,
    order: str | None,
) -> Inspections:
    given = {
        **values,
        **EVERY_CLASS,
        **periods.parameters,
        "on": on,
        "delinquent": delinquent,
        "after": list(read_cursor(cursor, 2)) if cursor else None,
        "limit": rows_to_read(limit),
    }
    for_sums(connection)
    # The planner takes each step for a handful of rows, and would go through a hundred thousand of one for each of another.
    connection.exec_driver_sql("SELECT set_config('enable_nestloop', 'off', true)")
    rows = connection.exec_driver_sql(question + _DUE.format(**text_order(order, ORDERS, _DUE_ON)), given).all()
    connection.exec_driver_sql("SELECT set_config('enable_nestloop', 'on', true)")
    items, late, value, late_value, without_value, undated, initial_late, initial_late_value, unknown = rows[0][:9]
    found = [tuple(row[9:]) for row in rows if row[9] is not None]
    shown = found[:limit]
    return Inspections(
        rows=tuple(_row(on, *row[2:]) for row in shown),
        on=on,
        items=items,
        delinquent=late,
        delinquent_percent=percent(late, items),
        value=value,
        delinquent_value=late_value,
        delinquent_value_percent=percent(late_value, value),
        without_value=without_value,
        undated=undated,
        unknown_model=unknown,
        initial_late=initial_late,
        initial_late_value=initial_late_value,
        cursor=cursor_of(shown[-1][0], shown[-1][1]) if limit is not None and len(found) > limit else None,
    )


def _row(
    on: date,
    item_id: UUID | None,
    line: int | None,
    tag: int | None,
    maker: str,
    model: str,
    serial_number: str | None,
    donor: str | None,
    site: str | None,
    quantity: int,
    arrived_on: date | None,
    inspected_on: date | None,
    due_on: date | None,
    delinquent: bool,
    value: Decimal | None,
    first_inspected_on: date | None,
    initial_late: bool,
) -> InspectionRow:
    days_late = (on - due_on).days if delinquent and due_on else 0
    return InspectionRow(
        item_id, line, asset_tag(tag) if tag is not None else None, maker, model, serial_number, donor, site, quantity, arrived_on,
        inspected_on, due_on, delinquent, days_late, value, first_inspected_on, initial_late,
    )  # fmt: skip
