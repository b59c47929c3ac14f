"""What units may have beside what they have: excess and shortfall by unit and model, now or as of a moment on either clock.

A unit's holdings are its own, its people's and its sub-units', and so are its allowances: an allowance of a battalion is for its
companies too. Each weapon counts once in the totals: with the topmost unit above its holder that has a list of allowances, or,
where none has, with the topmost unit. Only what units and people hold counts, and stores that a unit answers for: the stock of
depots is nobody's excess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.errors import NotAllowed, NotFound
from stockpile.movements import HELD
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.holdings import Holdings, held_on
from stockpile.reports.keyset import Page, read_page, text_order
from stockpile.reports.pages import cursor_of, read_cursor, rows_to_read
from stockpile.reports.scope import models_of
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import sentence, template
from stockpile.sites import day_on_the_walls

QUESTION = template(
    "How many of each model may each unit have, and how many does it have with its people and sub-units?"
)
FINDING = template(
    "More than 112,000 weapons were beyond what the forces needed, 83,184 of them AK-47 (SIGAR 14-84, 2014)."
)


@dataclass(frozen=True, slots=True)
class AllowanceRow:
    """How many of a model a unit may have, from a day until a last day (None: until a later list says otherwise), by which order."""

    unit: str
    maker: str
    model: str
    quantity: int
    since: date
    until: date | None
    order: str | None
    register_id: UUID
    recorded_at: datetime


# A list holds until the day before the unit's next one; of two of one day the later recorded holds. The order is the register's
# name, which a desk may not read.
_ALLOWANCES = """
SELECT u.code, m.maker, m.name, a.since, a.register_id,
       u.code, m.maker, m.name, a.quantity, a.since, l.next - 1, r.name, a.register_id, a.recorded_at
FROM (SELECT l.*, lead(since) OVER (PARTITION BY unit_id ORDER BY since, recorded_at, register_id) AS next
      FROM (SELECT DISTINCT unit_id, register_id, since, recorded_at FROM allowance) l) l
JOIN allowance a USING (unit_id, register_id)
JOIN party u ON u.party_id = a.unit_id JOIN model m ON m.model_id = a.model_id LEFT JOIN register r ON r.register_id = a.register_id
"""


def list_allowances(
    connection: Connection,
    actor: Actor,
    unit: str | None = None,
    model: str | None = None,
    day: date | None = None,
    every: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[AllowanceRow]:
    """The allowances in the asker's scope that hold on a day (today, if none is given), or `every` one that is or was to hold, by unit
    and model. A desk reads those of the units its site serves. Raises NotAllowed (donors), NotFound (unit, model), Invalid (limit, cursor).
    """
    _need_host(actor)
    on = day or day_on_the_walls(connection, actor.time_zone)
    where = {
        "u.code = %s": _unit_code(connection, unit),
        "a.model_id = ANY (%s)": models_of(connection, model) if model else None,
        "a.since <= %s": None if every else on,
        "coalesce(l.next, 'infinity') > %s": None if every else on,
    }
    keys: dict[str, Callable[[str], Any]] = {
        "u.code": str,
        "m.maker": str,
        "m.name": str,
        "a.since": date.fromisoformat,
        "a.register_id": UUID,
    }
    return read_page(connection, _ALLOWANCES, where, keys, AllowanceRow, limit, cursor)


class By(StrEnum):
    """What excess and shortfall are told apart by."""

    UNIT = "unit"
    MODEL = "model"


class State(StrEnum):
    """Which lines are asked for."""

    EXCESS = "excess"
    SHORTFALL = "shortfall"
    NOT_AUTHORISED = "not authorised"


@dataclass(frozen=True, slots=True)
class AllowanceSought:
    """Which lines are sought: those to which all applies that is said. `unit` is a code, `model` a model's name; `category` the
    catalogue's, such as small arms.
    """

    unit: str | None = None
    model: str | None = None
    category: str | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class ExcessLine:
    """A unit and model: how many it may have, and has. `unit` is None for what people of no unit hold, and where lines are by model: such a
    line adds up the units', so that one unit's excess does not hide another's shortfall.

    `authorised` is 0 and `not_authorised` true where no allowance names the model. `within`: the unit above whose allowance covers this
    one's too, and with which it is counted in the totals.
    """

    unit: str | None
    unit_name: str | None
    within: str | None
    maker: str
    model: str
    authorised: int
    held: int
    excess: int
    shortfall: int
    not_authorised: bool


@dataclass(frozen=True, slots=True)
class Excess:
    """A page of lines, and the sums over all pages, of lines that are not within another's. `cursor`: more lines follow."""

    rows: tuple[ExcessLine, ...]
    authorised: int
    held: int
    excess: int
    shortfall: int
    not_authorised: int
    cursor: str | None


# Who belongs where on the day: one unit above each; the list that holds for a unit; and, from the top down, the units above with a list,
# the topmost first.
_SERVING = """
    SELECT m.party_id, m.unit_id FROM assignment m
    WHERE m.since <= %(day)s AND coalesce(m.until, 'infinity') >= %(day)s
      AND NOT EXISTS (
          SELECT FROM assignment o
          WHERE o.party_id = m.party_id AND o.since <= %(day)s AND coalesce(o.until, 'infinity') >= %(day)s
            AND (o.since, coalesce(o.until, 'infinity'), o.assignment_id) > (m.since, coalesce(m.until, 'infinity'), m.assignment_id))
"""
_UNITS = f"""
WITH RECURSIVE parent AS MATERIALIZED ({_SERVING}), listed AS (
    SELECT DISTINCT ON (unit_id) unit_id, register_id FROM allowance
    WHERE since <= %(day)s AND recorded_at <= %(recorded_at)s
    ORDER BY unit_id, since DESC, recorded_at DESC, register_id DESC
), book AS (
    SELECT p.party_id AS unit_id, u.unit_id AS parent_id, CASE WHEN l.unit_id IS NULL THEN '{{{{}}}}' ELSE ARRAY[p.party_id] END AS own
    FROM party p
    LEFT JOIN ({_SERVING}) u ON u.party_id = p.party_id
    LEFT JOIN listed l ON l.unit_id = p.party_id
    WHERE p.kind IN ('unit', 'organisation')
), tree AS (
    SELECT unit_id, unit_id AS top, own AS lists FROM book WHERE parent_id IS NULL
    UNION ALL
    SELECT b.unit_id, t.top, t.lists || b.own FROM tree t JOIN book b ON b.parent_id = t.unit_id
), shown AS (
    SELECT t.unit_id, w.unit_id AS shown_id, w.first
    FROM tree t CROSS JOIN LATERAL (
        SELECT coalesce(t.lists[1], t.top) AS unit_id, true AS first
        UNION ALL SELECT t.lists[n], false FROM generate_subscripts(t.lists, 1) n WHERE n > 1) w
), hidden AS (
    SELECT DISTINCT s.shown_id FROM shown s JOIN stationing t ON t.unit_id = s.unit_id
    WHERE %(site)s::uuid IS NOT NULL AND t.site_id <> %(site)s AND t.since <= %(day)s AND (t.until IS NULL OR t.until >= %(day)s)
), place AS (
    SELECT a.account_id, CASE a.class WHEN 'unit' THEN a.party_id WHEN 'person' THEN u.unit_id ELSE a.unit_id END AS unit_id
    FROM account a LEFT JOIN parent u ON a.class = 'person' AND u.party_id = a.party_id
    WHERE a.class = ANY (%(held)s) AND (a.class IN ('unit', 'person') OR a.unit_id IS NOT NULL)
      AND (%(site)s::uuid IS NULL OR a.site_id = %(site)s)
)
"""

# A million holdings are added up in parallel, which a step that others read too would not let them be.
_HELD_NOW = f"""
    SELECT u.unit_id, h.model_id, sum(h.quantity)::bigint AS quantity
    FROM holding h JOIN account a ON a.account_id = h.account_id AND a.class = 'person'
    LEFT JOIN ({_SERVING}) u ON u.party_id = a.party_id
    WHERE %(site)s::uuid IS NULL OR a.site_id = %(site)s
    GROUP BY u.unit_id, h.model_id
    UNION ALL
    SELECT p.unit_id, h.model_id, sum(h.quantity)::bigint
    FROM (SELECT a.account_id, CASE a.class WHEN 'unit' THEN a.party_id ELSE a.unit_id END AS unit_id FROM account a
          WHERE a.class <> 'person' AND a.class = ANY (%(held)s) AND (a.class = 'unit' OR a.unit_id IS NOT NULL)
            AND (%(site)s::uuid IS NULL OR a.site_id = %(site)s)) p
    JOIN holding h ON h.account_id = p.account_id
    GROUP BY p.unit_id, h.model_id
"""
HELD_OF_LEGS = """
    SELECT p.unit_id, l.model_id, sum(l.quantity)::bigint AS quantity
    FROM ({legs}) l JOIN place p ON p.account_id = l.account_id
    GROUP BY p.unit_id, l.model_id HAVING sum(l.quantity) <> 0
"""
_LEGS_THEN = """
    SELECT e.to_account AS account_id, e.model_id, e.quantity FROM {entries} e WHERE {up_to}
    UNION ALL
    SELECT e.from_account, e.model_id, -e.quantity FROM {entries} e WHERE {up_to}
"""
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz)"

_IN_ORDER = ", ".join(f"{name}{{direction}}" for name in ("sorted_by", "unit", "maker", "model", "key"))
UNIT_LINES = f"""{_UNITS}, held AS ({{held}}
), leg AS (
    SELECT s.shown_id AS unit_id, h.model_id, 0::bigint AS authorised, h.quantity AS held, 0 AS named
    FROM held h LEFT JOIN shown s ON s.unit_id = h.unit_id
    UNION ALL
    SELECT a.unit_id, a.model_id, a.quantity, 0, 1 FROM allowance a JOIN listed l USING (unit_id, register_id)
), summed AS (
    SELECT unit_id, model_id, sum(authorised)::bigint AS authorised, sum(held)::bigint AS held, sum(named) = 0 AS not_authorised
    FROM leg GROUP BY unit_id, model_id
), line AS (
    SELECT coalesce(u.code, '') AS unit, u.name AS unit_name, CASE WHEN t.lists[1] <> s.unit_id THEN w.code END AS within,
           m.maker, m.name AS model, s.authorised, s.held, greatest(s.held - s.authorised, 0) AS excess,
           greatest(s.authorised - s.held, 0) AS shortfall, s.not_authorised, coalesce(s.unit_id::text, '') AS key
    FROM summed s JOIN model m ON m.model_id = s.model_id
    LEFT JOIN (SELECT party_id, code, name FROM party WHERE kind IN ('unit', 'organisation')) u ON u.party_id = s.unit_id
    LEFT JOIN tree t ON t.unit_id = s.unit_id
    LEFT JOIN (SELECT party_id, code FROM party WHERE kind IN ('unit', 'organisation')) w ON w.party_id = t.lists[1]
    WHERE (s.held, s.authorised) <> (0, 0)
      AND (%(unit)s::text IS NULL OR u.code = %(unit)s) AND (%(models)s::uuid[] IS NULL OR s.model_id = ANY (%(models)s))
      AND (%(category)s::text IS NULL OR m.category = %(category)s)
      AND NOT EXISTS (SELECT FROM hidden x WHERE x.shown_id = s.unit_id)
)
"""
"""What every unit may have and has, as the step `line` of a question that goes on; `place`, `parent` and `book` tell what belongs where."""
_LINES = f"""{UNIT_LINES}, wanted AS (
    SELECT * FROM line WHERE CASE %(state)s WHEN 'excess' THEN excess > 0 WHEN 'shortfall' THEN shortfall > 0
                                            WHEN 'not authorised' THEN not_authorised ELSE true END
), total AS (
    SELECT coalesce(sum(authorised), 0)::bigint AS authorised, coalesce(sum(held), 0)::bigint AS held,
           coalesce(sum(excess), 0)::bigint AS excess, coalesce(sum(shortfall), 0)::bigint AS shortfall,
           coalesce(sum(held) FILTER (WHERE not_authorised), 0)::bigint AS not_authorised
    FROM wanted WHERE within IS NULL OR %(unit)s::text IS NOT NULL
), told AS ({{told}}
), page AS (
    SELECT * FROM (SELECT *, {{sorted}} AS sorted_by FROM told) told
    WHERE %(after)s::text[] IS NULL
       OR (sorted_by, unit, maker, model, key) {{beyond}} (%(after)s[1], %(after)s[2], %(after)s[3], %(after)s[4], %(after)s[5])
    ORDER BY {_IN_ORDER} LIMIT %(limit)s
)
SELECT total.*, page.* FROM total LEFT JOIN page ON true ORDER BY {_IN_ORDER}
"""
_AS_TEXT = "lpad({}::text, 20, '0')"
ORDERS = {
    "unit": "''",
    "within": "coalesce(within, '')",
    "model": "model",
    **{name: _AS_TEXT.format(name) for name in ("authorised", "held", "excess", "shortfall")},
}
"""By the report's own columns, as texts that sort as the values do."""
_TOLD = {
    By.UNIT: "SELECT * FROM wanted",
    By.MODEL: """
    SELECT '' AS unit, NULL::text AS unit_name, NULL::text AS within, maker, model, sum(authorised)::bigint AS authorised,
           sum(held)::bigint AS held, sum(excess)::bigint AS excess, sum(shortfall)::bigint AS shortfall,
           bool_and(not_authorised) AS not_authorised, '' AS key
    FROM wanted WHERE within IS NULL OR %(unit)s::text IS NOT NULL GROUP BY maker, model
""",
}


def excess_and_shortfall(
    connection: Connection,
    actor: Actor,
    sought: AllowanceSought = AllowanceSought(),
    by: By = By.UNIT,
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Excess:
    """A page of what units may have and have, within the asker's scope. On the recorded clock the lists count that were in the books then.

    A desk has the units that its site serves, with all below them: of one that stands at several sites it could not tell the whole.
    `limit` None: all of them. Raises NotAllowed (donors), NotFound (unit, model), Invalid (limit, cursor, order).
    """
    _need_host(actor)
    values = {
        **_scope(connection, actor, at),
        "unit": _unit_code(connection, sought.unit),
        "models": models_of(connection, sought.model) if sought.model else None,
        "category": sought.category,
        "state": sought.state,
        "after": list(read_cursor(cursor, 5)) if cursor else None,
        "limit": rows_to_read(limit),
    }
    for_sums(connection)
    rows = connection.exec_driver_sql(
        _LINES.format(held=_held(actor, at), told=_TOLD[by], **text_order(order, ORDERS, ORDERS["unit"])), values
    ).all()
    lines = [row[5:] for row in rows if row.maker is not None]
    shown = lines[:limit]
    more = (
        cursor_of(shown[-1][11], shown[-1][0], shown[-1][3], shown[-1][4], shown[-1][10])
        if limit is not None and len(lines) > limit
        else None
    )
    authorised, held, excess, shortfall, not_authorised = rows[0][:5]
    told = tuple(_line(*line[:10]) for line in shown)
    return Excess(told, authorised, held, excess, shortfall, not_authorised, more)


def held_by_unit(
    connection: Connection,
    actor: Actor,
    unit: str | None,
    model: str,
    at: AsOf = NOW,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Holdings:
    """The weapons and quantities behind the number held of one line: of a unit, or, without one, of people who are in none.

    Raises NotAllowed (donors), NotFound (unit, model), Invalid (limit, cursor).
    """
    _need_host(actor)
    code = _unit_code(connection, unit)
    values = {**_scope(connection, actor, at), "unit": code}
    accounts = connection.exec_driver_sql(_ACCOUNTS.format(), values).scalars().all()
    return held_on(connection, actor, list(accounts), models_of(connection, model), at, limit, cursor, order)


_ACCOUNTS = f"""{_UNITS}
SELECT p.account_id FROM place p
LEFT JOIN shown s ON s.unit_id = p.unit_id LEFT JOIN party u ON u.party_id = s.shown_id
WHERE u.code IS NOT DISTINCT FROM %(unit)s::text
"""


def _held(actor: Actor, at: AsOf) -> str:
    if at.now:
        return _HELD_NOW
    if actor.role in DESK:
        return HELD_OF_LEGS.format(legs=_LEGS_THEN.format(entries=_SITE_ENTRIES, up_to="true"))
    return HELD_OF_LEGS.format(legs=_LEGS_THEN.format(entries="entry", up_to=at.up_to))


def _scope(connection: Connection, actor: Actor, at: AsOf) -> dict[str, Any]:
    return {
        **at.parameters,
        "day": day_on_the_walls(connection, actor.time_zone, at.moment),
        "site": actor.site_id if actor.role in DESK else None,
        "held": [str(one) for one in HELD],
    }


def _line(unit: str, *rest: Any) -> ExcessLine:
    return ExcessLine(unit or None, *rest)


def _need_host(actor: Actor) -> None:
    require(actor, READ)
    if actor.role == DONOR:
        raise NotAllowed(sentence("A donor may not read what units hold and may have."))


def _unit_code(connection: Connection, code: str | None) -> str | None:
    """The code of a unit or organisation, if there is one. Raises NotFound."""
    if code is None:
        return None
    found = connection.exec_driver_sql(
        "SELECT code FROM party WHERE kind IN ('unit', 'organisation') AND code = %s LIMIT 1", (code.strip(),)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(sentence("There is no unit {code!r} here.", code=code))
    return str(found)
