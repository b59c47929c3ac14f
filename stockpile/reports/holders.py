"""Holders against the roster: weapons with people who are on no roster, gone, or serve elsewhere, with units that have no people or more
weapons than people can carry, and beyond what units may have.

The roster is that of the day of the moment asked for, on the wall. The dead are told apart from the gone where a
roster said that they died.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.errors import NotAllowed
from stockpile.movements import HELD
from stockpile.parties import UNIDENTIFIED, Left
from stockpile.reports.allowances import HELD_OF_LEGS, UNIT_LINES
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.holdings import Holder, Holdings, Sought, accounts_of, weapons_on
from stockpile.reports.keyset import text_order
from stockpile.reports.named import named
from stockpile.reports.narrowed import accounts_of_unit, units_below
from stockpile.reports.pages import cursor_of, read_cursor, rows_to_read
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.reports.thresholds import value_of
from stockpile.rights import DESK, DONOR, READ_PEOPLE, Actor, require
from stockpile.sentences import Sentence, sentence, template
from stockpile.sites import day_on_the_walls

QUESTION = template(
    "Who holds weapons and is not on the roster, gone or dead, or beyond what is allowed; which units are ghosts?"
)
FINDING = template(
    "SIGAR 14-84: more than 112,000 weapons beyond need; GAO-07-711: 190,000 weapons handed to units that no property book "
    "of theirs shows"
)


class Doubt(StrEnum):
    """What the roster, or an allowance, says against a holder."""

    UNIDENTIFIED = template("nobody identified")
    NOT_ON_ROSTER = template("not on the roster")
    DEAD = template("dead")
    GONE = template("gone from the roster")
    ELSEWHERE = template("serves elsewhere")
    NO_PEOPLE = template("unit without people")
    UNIT_GONE = template("unit not stationed")
    MORE_THAN_PEOPLE = template("more weapons than people")
    BEYOND_ALLOWANCE = template("beyond allowance")


SAID: dict[Doubt, str] = {
    Doubt.UNIDENTIFIED: template("held by a person of {site} whom nobody could identify"),
    Doubt.NOT_ON_ROSTER: template("belongs to no unit on {day}, and never did before"),
    Doubt.DEAD: template("died: on the roster until {until}, {days:,} days before"),
    Doubt.GONE: template("left the roster on {until}, {days:,} days before"),
    Doubt.ELSEWHERE: template("serves at another site than {site} on {day}, where these are still written down"),
    Doubt.NO_PEOPLE: template("holds {weapons:,} weapons, and nobody belongs to it or a unit below it on {day}"),
    Doubt.UNIT_GONE: template("is stationed nowhere on {day}"),
    Doubt.MORE_THAN_PEOPLE: template("{weapons:,} weapons for {people:,} people, more than {head} each"),
    Doubt.BEYOND_ALLOWANCE: template("may have {authorised:,}, has {held:,}"),
}
"""Why each stands in the report, with its numbers."""
GONE_BECAUSE: dict[Left, str] = {
    Left.MISSING: template("missing since they left the roster on {until}, {days:,} days before"),
    Left.CAPTURED: template("captured: left the roster on {until}, {days:,} days before"),
    Left.DESERTED: template("deserted: left the roster on {until}, {days:,} days before"),
    Left.DISCHARGED: template("discharged: left the roster on {until}, {days:,} days before"),
}
"""The same of who is gone, where the roster said why."""


@dataclass(frozen=True, slots=True)
class HoldersSought:
    """Which holders are sought: those to which all applies that is said. `unit` with its people and sub-units; `doubt` narrows the rows,
    not the sums. Of one donor's weapons nothing is beyond an allowance, which is of all. A unit without a list of allowances is not judged
    by any.
    """

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    unit: str | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class HolderRow:
    """A holder and what speaks against it: `quantity` pieces are there, weapons or not; of what is beyond an allowance the excess.
    `account_id` is None where several accounts of a unit are added up; `model` is that of an excess.
    """

    doubt: str
    reason: str
    site: str | None
    holder: str | None
    party_id: UUID | None
    unit: str | None
    account_id: UUID | None
    model: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Holders:
    """A page of holders, those with the most pieces first, and the sums over all pages: holders and pieces by what speaks against them."""

    rows: tuple[HolderRow, ...]
    on: date
    holders: int
    quantity: int
    by_doubt: dict[str, int]
    weapons_a_head: int
    cursor: str | None


_HELD_NOW = """SELECT h.account_id, h.model_id, h.quantity FROM holding h
    WHERE %(donor)s::uuid IS NULL OR h.donor_id = %(donor)s"""
_HELD_THEN = """SELECT l.account_id, e.model_id, sum(l.quantity)::bigint AS quantity
    FROM {entries} e CROSS JOIN LATERAL (VALUES (e.to_account, e.quantity), (e.from_account, -e.quantity)) l (account_id, quantity)
    WHERE {up_to} AND (%(donor)s::uuid IS NULL OR e.donor_id = %(donor)s)
    GROUP BY l.account_id, e.model_id HAVING sum(l.quantity) > 0"""
_STOOD_NOW = """SELECT h.account_id, sum(h.quantity)::bigint AS pieces,
           coalesce(sum(h.quantity) FILTER (WHERE h.serial), 0)::bigint AS weapons
    FROM holding h WHERE {of_model} AND (%(donor)s::uuid IS NULL OR h.donor_id = %(donor)s) GROUP BY h.account_id"""
_OF_MODEL = "h.model_id = ANY (%(models)s)"
_STOOD_THEN = """SELECT l.account_id, sum(l.quantity)::bigint AS pieces,
           coalesce(sum(l.quantity) FILTER (WHERE {serial}), 0)::bigint AS weapons
    FROM {entries} e {model} CROSS JOIN LATERAL (VALUES (e.to_account, e.quantity), (e.from_account, -e.quantity)) l (account_id, quantity)
    WHERE {up_to} AND (%(donor)s::uuid IS NULL OR e.donor_id = %(donor)s)
      AND (%(models)s::uuid[] IS NULL OR e.model_id = ANY (%(models)s))
    GROUP BY l.account_id HAVING sum(l.quantity) > 0"""
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz)"

# By model only for allowances, where there are any: else nobody asks for that step. A person of another site is none whom a desk may see:
# who holds here and is unseen serves there.
_DOUBTS = f""", on_account AS MATERIALIZED (
    {{held}}
), stood AS MATERIALIZED (
    SELECT a.account_id, a.class, a.party_id, a.site_id, o.pieces, o.weapons,
           CASE a.class WHEN 'unit' THEN a.party_id WHEN 'person' THEN u.unit_id ELSE a.unit_id END AS unit_id
    FROM ({{stood}}) o
    JOIN account a ON a.account_id = o.account_id LEFT JOIN parent u ON a.class = 'person' AND u.party_id = a.party_id
    WHERE a.class = ANY (%(held)s) AND (a.class IN ('unit', 'person') OR a.unit_id IS NOT NULL)
      AND (%(site)s::uuid IS NULL OR a.site_id = %(site)s)
), holder AS (
    SELECT * FROM stood WHERE class IN ('person', 'unit') AND (%(accounts)s::uuid[] IS NULL OR account_id = ANY (%(accounts)s))
), stationed AS (
    SELECT unit_id, array_agg(site_id) AS sites FROM stationing
    WHERE since <= %(day)s AND (until IS NULL OR until >= %(day)s) GROUP BY unit_id
), person AS (
    SELECT h.account_id, h.party_id, h.site_id, h.pieces AS quantity, h.unit_id, b.until, b.because, p.code,
           CASE WHEN p.party_id IS NULL THEN '{Doubt.ELSEWHERE}'
                WHEN starts_with(p.code, '{UNIDENTIFIED}') THEN '{Doubt.UNIDENTIFIED}'
                WHEN h.unit_id IS NOT NULL THEN CASE WHEN NOT h.site_id = ANY (t.sites) THEN '{Doubt.ELSEWHERE}' END
                WHEN b.until IS NULL THEN '{Doubt.NOT_ON_ROSTER}' WHEN b.because = '{Left.DIED}' THEN '{Doubt.DEAD}'
                ELSE '{Doubt.GONE}' END AS doubt
    FROM holder h LEFT JOIN party p ON p.party_id = h.party_id LEFT JOIN stationed t ON t.unit_id = h.unit_id
    LEFT JOIN LATERAL (SELECT m.until, m.ended_because AS because FROM assignment m
                       WHERE h.unit_id IS NULL AND m.party_id = h.party_id AND m.since <= %(day)s
                       ORDER BY m.until DESC LIMIT 1) b ON h.unit_id IS NULL
    WHERE h.class = 'person'
), below AS (
    SELECT unit_id AS above_id, unit_id FROM book
    UNION ALL
    SELECT w.above_id, b.unit_id FROM below w JOIN book b ON b.parent_id = w.unit_id
), roll AS (
    SELECT u.unit_id, count(*) AS people FROM parent u
    WHERE NOT EXISTS (SELECT FROM book b WHERE b.unit_id = u.party_id) GROUP BY u.unit_id
), armed AS (
    SELECT unit_id, sum(pieces)::bigint AS pieces, sum(weapons)::bigint AS weapons FROM stood GROUP BY unit_id
), strength AS (
    SELECT w.above_id AS unit_id, coalesce(sum(r.people), 0)::bigint AS people, coalesce(sum(a.weapons), 0)::bigint AS weapons,
           coalesce(sum(a.pieces), 0)::bigint AS pieces
    FROM below w LEFT JOIN roll r ON r.unit_id = w.unit_id LEFT JOIN armed a ON a.unit_id = w.unit_id GROUP BY w.above_id
), unit AS (
    SELECT h.account_id, h.party_id, h.site_id, h.pieces AS quantity, h.weapons, s.people, s.weapons AS of_all, t.sites
    FROM holder h JOIN strength s ON s.unit_id = h.party_id LEFT JOIN stationed t ON t.unit_id = h.party_id
    WHERE h.class = 'unit'
), doubtful AS (
    SELECT doubt, site_id, party_id, unit_id, account_id, NULL::text AS model, quantity,
           jsonb_build_object('until', until, 'days', %(day)s::date - until, 'because', because) AS told
    FROM person WHERE doubt IS NOT NULL
    UNION ALL
    SELECT '{Doubt.NO_PEOPLE}', site_id, party_id, party_id, account_id, NULL, quantity, jsonb_build_object('weapons', weapons)
    FROM unit WHERE people = 0 AND weapons > 0
    UNION ALL
    SELECT CASE WHEN sites IS NULL THEN '{Doubt.UNIT_GONE}' ELSE '{Doubt.ELSEWHERE}' END, site_id, party_id, party_id, account_id, NULL,
           quantity, '{{{{}}}}'
    FROM unit WHERE sites IS NULL OR NOT site_id = ANY (sites)
    UNION ALL
    SELECT '{Doubt.MORE_THAN_PEOPLE}', NULL, u.party_id, u.party_id, NULL, NULL, s.pieces,
           jsonb_build_object('weapons', s.weapons, 'people', s.people)
    FROM strength s JOIN party u ON u.party_id = s.unit_id AND u.kind = 'unit'
    WHERE s.people > 0 AND s.weapons > s.people * %(head)s AND (%(units)s::uuid[] IS NULL OR s.unit_id = ANY (%(units)s))
    UNION ALL
    SELECT '{Doubt.BEYOND_ALLOWANCE}', NULL, u.party_id, u.party_id, NULL, l.model, l.excess,
           jsonb_build_object('authorised', l.authorised, 'held', l.held)
    FROM line l JOIN party u ON u.party_id::text = l.key
    WHERE l.excess > 0 AND EXISTS (SELECT FROM listed a WHERE a.unit_id = u.party_id) AND %(donor)s::uuid IS NULL
      AND (%(units)s::uuid[] IS NULL OR u.party_id = ANY (%(units)s))
), told AS MATERIALIZED (
    SELECT d.*, s.code AS site, {named("p")} AS holder, u.code AS unit, p.kind,
           concat_ws('/', d.party_id::text, d.account_id::text, d.model, d.doubt) AS key
    FROM doubtful d LEFT JOIN site s ON s.site_id = d.site_id
    LEFT JOIN party p ON p.party_id = d.party_id
    LEFT JOIN (SELECT party_id, code FROM party WHERE kind = 'unit') u ON u.party_id = d.unit_id
), counted AS (
    SELECT doubt, count(*) AS holders, sum(quantity) AS quantity FROM told GROUP BY doubt
), total AS (
    SELECT coalesce(sum(holders), 0)::bigint AS holders, coalesce(sum(quantity), 0)::bigint AS pieces,
           coalesce(jsonb_object_agg(doubt, holders) FILTER (WHERE doubt IS NOT NULL), '{{{{}}}}') AS by_doubt
    FROM counted
), page AS (
    SELECT * FROM (SELECT *, {{sorted}} AS sorted_by FROM told WHERE %(doubt)s::text IS NULL OR doubt = %(doubt)s) t
    WHERE %(after)s::text[] IS NULL OR (sorted_by, key) {{beyond}} (%(after)s[1], %(after)s[2])
    ORDER BY sorted_by{{direction}}, key{{direction}} LIMIT %(limit)s
)
SELECT total.*, p.sorted_by, p.key, p.doubt, p.told, p.site, p.holder, p.party_id, p.unit, p.account_id, p.model, p.quantity
FROM total LEFT JOIN page p ON true ORDER BY p.sorted_by{{direction}}, p.key{{direction}}
"""
ORDERS = {
    "quantity": "lpad(quantity::text, 20, '0')",
    "doubt": "doubt",
    "site": "coalesce(site, '')",
    "holder": "coalesce(holder, '')",
    "unit": "coalesce(unit, '')",
    "model": "coalesce(model, '')",
}
"""By the report's own columns, as texts that sort as the values do."""
MOST_FIRST = "-quantity"


def doubtful_holders(
    connection: Connection,
    actor: Actor,
    sought: HoldersSought = HoldersSought(),
    at: AsOf = NOW,
    weapons_a_head: int | None = None,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Holders:
    """Holders in the asker's scope against whom the roster or an allowance speaks. `weapons_a_head`: how many weapons a unit may have for
    each of its people; None: as the data say. A desk's units at several sites are judged by what they hold at its own, by no allowance.

    `limit` None: all of them. Raises NotAllowed (donors; another site's books), NotFound (an unknown code), Invalid (limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    if actor.role == DONOR:
        raise NotAllowed(sentence("A donor may not read what units and persons hold."))
    day = day_on_the_walls(connection, actor.time_zone, at.moment)
    head = value_of("weapons a head", weapons_a_head)
    given = {
        **at.parameters,
        "accounts": accounts_of_unit(connection, actor, sought.unit, at),
        "units": units_below(connection, sought.unit, day),
        "day": day,
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
        "held": [str(one) for one in HELD],
        "unit": None,
        "category": None,
        "head": head,
        "doubt": sought.doubt,
        "after": list(read_cursor(cursor, 2)) if cursor else None,
        "limit": rows_to_read(limit),
    }
    by = text_order(order or MOST_FIRST, ORDERS, ORDERS["quantity"])
    lines = UNIT_LINES.format(held=HELD_OF_LEGS.format(legs="SELECT account_id, model_id, quantity FROM on_account"))
    for_sums(connection)
    # The planner takes a step's rows for far more than they are, and would sort everybody where a table of them is enough.
    connection.exec_driver_sql("SELECT set_config('enable_mergejoin', 'off', true)")
    question = _DOUBTS.format(held=_held(actor, at), stood=_stood(actor, at, sought.model), **by)
    rows = connection.exec_driver_sql(lines + question, given).all()
    connection.exec_driver_sql("SELECT set_config('enable_mergejoin', 'on', true)")
    holders, quantity, by_doubt = rows[0][:3]
    found = [tuple(row[3:]) for row in rows if row[3] is not None]
    shown = found[:limit]
    return Holders(
        rows=tuple(_row(day, head, *row[2:]) for row in shown),
        on=day,
        holders=holders,
        quantity=quantity,
        by_doubt={str(doubt): by_doubt.get(doubt, 0) for doubt in Doubt},
        weapons_a_head=head,
        cursor=cursor_of(shown[-1][0], shown[-1][1]) if limit is not None and len(found) > limit else None,
    )


def weapons_of_holder(
    connection: Connection,
    actor: Actor,
    account: UUID | None = None,
    unit: str | None = None,
    sought: HoldersSought = HoldersSought(),
    at: AsOf = NOW,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Holdings:
    """The pieces behind a line: on its account, or on those of its unit with people and sub-units; of the donor and model that are sought.

    Raises NotAllowed (donors), NotFound (an unknown account or code), Invalid (neither or both; limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    accounts = accounts_of(connection, actor, Holder(account=account, unit=unit), at, HELD)
    wanted = Sought(donor=sought.donor, model=sought.model, site=sought.site)
    return weapons_on(connection, actor, accounts, wanted, at, limit, cursor, order)


def _held(actor: Actor, at: AsOf) -> str:
    if at.now:
        return _HELD_NOW
    if actor.role in DESK:
        return _HELD_THEN.format(entries=_SITE_ENTRIES, up_to="true")
    return _HELD_THEN.format(entries="entry", up_to=at.up_to)


def _stood(actor: Actor, at: AsOf, model: str | None) -> str:
    """What is on each account: of one model, or without looking at models at all."""
    if at.now:
        return _STOOD_NOW.format(of_model=_OF_MODEL if model else "true")
    if actor.role in DESK:
        join = "JOIN model m ON m.model_id = e.model_id"
        return _STOOD_THEN.format(entries=_SITE_ENTRIES, model=join, serial="m.tracked_by = 'serial'", up_to="true")
    return _STOOD_THEN.format(entries="entry", model="", serial="e.serial", up_to=at.up_to)


def _row(
    day: date, head: int, doubt: str, told: dict[str, Any], site: str | None, holder: str, party_id: UUID, unit: str | None, *rest: Any
) -> HolderRow:  # fmt: skip
    account_id, model, quantity = rest
    values = {"site": site, "day": day, "head": head, **told}
    because = told.get("because") if doubt == Doubt.GONE else None
    said = GONE_BECAUSE[Left(because)] if because else SAID[Doubt(doubt)]
    return HolderRow(doubt, Sentence(said, values), site, holder, party_id, unit, account_id, model, quantity)
