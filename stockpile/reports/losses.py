"""Losses by unit, cause, model, site, donor and month, each piece with its report and what became of it; and the investigations that
are still open, with their age. (How soon losses are reported: `loss_timeliness`.)

A loss is what a loss report or an overrun took to *missing* and no correction took back. It is *missing* while nobody said what became
of it, *concluded* once two people did, *found* once it came back. Of what is counted, what was reported first is found or concluded first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.errors import NotAllowed
from stockpile.identity import asset_tag
from stockpile.monitoring import LOSS_REPORT, days_allowed
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.lines import NUMBER, Lines, Question, read_lines
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import sentence, template
from stockpile.sites import day_on_the_walls

QUESTION = template(
    "What was lost, by which unit, from which cause, of which model and when; and which investigations are open?"
)
FINDING = template(
    "At least 190,000 weapons could not be accounted for (GAO-07-711, 2007); losses took 301 days on average to be reported, where 30 are "
    "allowed (DODIG-2024-043, 2024)."
)


class By(StrEnum):
    """What the lines are told apart by. `time`: the month of the loss."""

    UNIT = "unit"
    CAUSE = "cause"
    MODEL = "model"
    TIME = "time"
    SITE = "site"
    DONOR = "donor"


class State(StrEnum):
    """What became of it so far."""

    MISSING = "missing"
    CONCLUDED = "concluded"
    FOUND = "found"


UNKNOWN_CAUSE = template("not concluded")
OVERRUN = "overrun"


@dataclass(frozen=True, slots=True)
class LossesSought:
    """Which losses are sought: those to which all applies that is said. `since` and `until` are of the day of the loss; `unit` a code,
    `no_unit`: lost by no unit, such as from a depot's store or on its way.
    """

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    unit: str | None = None
    no_unit: bool | None = None
    cause: str | None = None
    state: State | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class LossSum:
    """So many pieces lost, of one unit, cause, model, site, donor or month: `what`, None for those of none; `day`: the first of the month;
    `by`: which of these it is.
    lost = missing + concluded + found. `oldest_days`: how long the oldest open investigation has lasted.
    """

    by: By
    what: str | None
    day: date | None
    reports: int
    lost: int
    missing: int
    concluded: int
    found: int
    oldest_days: int | None


@dataclass(frozen=True, slots=True)
class LostPiece:
    """A weapon, or so many pieces, that a loss report took: when it was lost and reported, what became of it, and, while it is missing,
    for how many days the investigation has been open. `unit`: whose it was then; `held_by`: the account it was lost from. `late`: the
    report took longer than the days allowed.
    """

    item_id: UUID
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    quantity: int
    donor: str | None
    site: str
    unit: str | None
    held_by: str | None
    cause: str
    state: str
    lost_on: date
    reported_on: date
    days_to_report: int
    late: bool
    days_open: int | None
    document_id: UUID
    document_number: str | None
    ended_by: UUID | None
    ended_by_number: str | None


_ENTRIES = """
    SELECT e.item_id, e.version, e.document_id, e.quantity, e.happened_at, e.recorded_at, e.reverses, e.posts_again,
           e.from_account, f.class AS from_class, e.to_account, t.class AS to_class, t.site_id AS to_site
    FROM entry e JOIN place f ON f.class_and_site = e.from_class_and_site JOIN place t ON t.class_and_site = e.to_class_and_site
    WHERE e.item_id = ANY (ARRAY(SELECT item_id FROM reported))
"""
_ENTRIES_OF_DESK = """
    SELECT e.item_id, e.version, e.document_id, e.quantity, e.happened_at, e.recorded_at, e.reverses, e.posts_again,
           e.from_account, e.from_class, e.to_account, e.to_class, e.to_site
    FROM entries_of(ARRAY(SELECT item_id FROM reported)) e
"""
_REPORTED = """
    SELECT DISTINCT e.item_id FROM entry e
    WHERE e.document_id = ANY (ARRAY(SELECT document_id FROM document WHERE act IN ('report missing', 'overrun')))
      AND (%(donor)s::uuid IS NULL OR e.donor_id = %(donor)s) AND (%(models)s::uuid[] IS NULL OR e.model_id = ANY (%(models)s))
"""
# A donor's own entries first: which documents it may read is asked of each.
_REPORTED_OF_DONOR = """
    SELECT DISTINCT e.item_id FROM entry e JOIN place t ON t.class_and_site = e.to_class_and_site AND t.class = 'missing'
    WHERE (%(donor)s::uuid IS NULL OR e.donor_id = %(donor)s) AND (%(models)s::uuid[] IS NULL OR e.model_id = ANY (%(models)s))
"""

# Whose it was: the unit's own account, the unit of the person on the day, the unit that answers for the store.
_WHOSE = """
LEFT JOIN account held ON held.account_id = x.from_account
LEFT JOIN LATERAL (
    SELECT g.unit_id FROM assignment g
    WHERE held.class = 'person' AND g.party_id = held.party_id AND g.since <= x.lost_on AND (g.until IS NULL OR g.until >= x.lost_on)
    ORDER BY g.since DESC, g.until DESC NULLS FIRST, g.assignment_id DESC LIMIT 1) member ON true
LEFT JOIN party u ON u.party_id = CASE held.class WHEN 'unit' THEN held.party_id WHEN 'person' THEN member.unit_id ELSE held.unit_id END
LEFT JOIN document concluded ON concluded.document_id = x.ended_by AND concluded.act = 'conclude loss'
"""
_HOST = {"unit": "u.code", "held_by": "held.name", "cause": "concluded.details->>'cause'", "whose": _WHOSE}
_DONOR = {"unit": "NULL::text", "held_by": "NULL::text", "cause": "NULL::text", "whose": ""}
"""By whether a host or a donor asks: a donor is told neither who had it nor what an investigation found."""

# Documents are looked up one by one: which of them a donor may read is asked of each. An entry that late facts moved stands
# for the document that posted it first.
_LINE = f"""
WITH RECURSIVE {PLACES}, reported AS ({{reported}}
), told AS MATERIALIZED (
    SELECT * FROM ({{entries}}) e WHERE e.recorded_at <= %(recorded_at)s
), live AS MATERIALIZED (
    SELECT e.* FROM told e LEFT JOIN told r ON r.item_id = e.item_id AND r.reverses = e.version
    WHERE e.reverses IS NULL AND e.happened_at <= %(happened_at)s AND r.item_id IS NULL
), moved AS (
    SELECT l.*, l.to_class = 'missing' AS gone FROM live l WHERE (l.to_class = 'missing') <> (l.from_class = 'missing')
), cited AS (
    SELECT m.item_id, m.version, m.document_id, m.posts_again FROM moved m
    UNION ALL
    SELECT c.item_id, c.version, p.document_id, p.posts_again
    FROM cited c JOIN told p ON p.item_id = c.item_id AND p.version = c.posts_again
), first AS (
    SELECT item_id, version, document_id FROM cited WHERE posts_again IS NULL
), leg AS (
    SELECT m.item_id, m.version, CASE WHEN m.gone THEN m.to_account ELSE m.from_account END AS missing, m.from_account, m.to_class,
           m.to_site, m.gone, m.quantity, m.happened_at, f.document_id,
           sum(m.quantity) OVER (PARTITION BY m.item_id, CASE WHEN m.gone THEN m.to_account ELSE m.from_account END, m.gone
                                 ORDER BY m.happened_at, m.version)::bigint AS up_to
    FROM moved m JOIN first f ON f.item_id = m.item_id AND f.version = m.version
), ended AS (
    SELECT g.item_id, g.version, o.document_id AS ended_by,
           CASE WHEN o.to_class <> 'lost' OR back.version > o.version
                THEN '{State.FOUND}' ELSE '{State.CONCLUDED}' END AS state,
           least(g.up_to, o.up_to) - greatest(g.up_to - g.quantity, o.up_to - o.quantity) AS quantity
    FROM leg g JOIN leg o ON o.item_id = g.item_id AND o.missing = g.missing AND NOT o.gone
     AND o.up_to > g.up_to - g.quantity AND o.up_to - o.quantity < g.up_to
    LEFT JOIN (SELECT item_id, max(version) AS version FROM live WHERE from_class = 'lost' AND to_class <> 'lost' GROUP BY item_id) back
      ON back.item_id = o.item_id
    WHERE g.gone
), part AS (
    SELECT g.item_id, g.version, g.from_account, g.to_site, g.happened_at, g.document_id, e.ended_by, e.state, e.quantity
    FROM leg g JOIN ended e ON e.item_id = g.item_id AND e.version = g.version
    UNION ALL
    SELECT g.item_id, g.version, g.from_account, g.to_site, g.happened_at, g.document_id, NULL, '{State.MISSING}',
           g.quantity - coalesce(e.quantity, 0)
    FROM leg g LEFT JOIN (SELECT item_id, version, sum(quantity)::bigint AS quantity FROM ended GROUP BY item_id, version) e
      ON e.item_id = g.item_id AND e.version = g.version
    WHERE g.gone AND g.quantity > coalesce(e.quantity, 0)
), report AS MATERIALIZED (
    SELECT d.* FROM (SELECT DISTINCT document_id FROM part) p
    CROSS JOIN LATERAL (SELECT d.document_id, d.act, d.site_id, d.book_id, d.number, d.happened_at, d.recorded_at
                        FROM document d WHERE d.document_id = p.document_id OFFSET 0) d
), dated AS (
    SELECT p.*, s.code AS site, s.site_id, d.act, d.site_id AS book_site, d.book_id, d.number,
           (coalesce(l.last_seen_at, d.happened_at) AT TIME ZONE s.time_zone)::date AS lost_on,
           (d.recorded_at AT TIME ZONE s.time_zone)::date AS reported_on
    FROM part p JOIN report d ON d.document_id = p.document_id JOIN site s ON s.site_id = p.to_site
    LEFT JOIN last_seen(ARRAY(SELECT document_id FROM report)) l ON l.document_id = p.document_id
    WHERE %(site)s::uuid IS NULL OR p.to_site = %(site)s
), known AS (
    SELECT x.item_id, x.version, x.document_id, x.ended_by, x.state, x.quantity::bigint AS quantity, x.site, x.lost_on, x.reported_on,
           x.book_site, x.book_id, x.number, i.tag_number, m.maker, m.name AS model, p.code AS donor,
           greatest(x.reported_on - x.lost_on, 0) AS days_to_report, x.reported_on - x.lost_on > %(allowed)s AS late,
           CASE WHEN x.state = '{State.MISSING}' THEN greatest(%(today)s::date - x.reported_on, 0) END AS days_open,
           {{unit}} AS unit, {{held_by}} AS held_by,
           coalesce({{cause}}, CASE WHEN x.act = 'overrun' THEN '{OVERRUN}' ELSE '{UNKNOWN_CAUSE}' END) AS cause,
           concat_ws('/', x.item_id, lpad(x.version::text, 10, '0'), x.ended_by) AS key
    FROM dated x JOIN item i ON i.item_id = x.item_id JOIN model m ON m.model_id = i.model_id
    LEFT JOIN party p ON p.party_id = i.donor_id {{whose}}
), sought AS (
    SELECT * FROM known
    WHERE (%(unit)s::text IS NULL OR unit = %(unit)s) AND (%(no_unit)s::bool IS NULL OR (unit IS NULL) = %(no_unit)s)
      AND (%(cause)s::text IS NULL OR cause = %(cause)s) AND (%(state)s::text IS NULL OR state = %(state)s)
      AND (%(since)s::date IS NULL OR lost_on >= %(since)s) AND (%(until)s::date IS NULL OR lost_on <= %(until)s)
)
"""

_SUMMED = f"""count(DISTINCT document_id) AS reports, coalesce(sum(quantity), 0)::bigint AS lost,
           coalesce(sum(quantity) FILTER (WHERE state = '{State.MISSING}'), 0)::bigint AS missing,
           coalesce(sum(quantity) FILTER (WHERE state = '{State.CONCLUDED}'), 0)::bigint AS concluded,
           coalesce(sum(quantity) FILTER (WHERE state = '{State.FOUND}'), 0)::bigint AS found, max(days_open) AS oldest_days"""
_GROUPED = """, line AS (
    SELECT {what} AS what, {day} AS day, coalesce({what}, '') AS key, {summed}
    FROM sought GROUP BY 1, 2, 3
)"""
_WHAT = {
    By.UNIT: "unit",
    By.CAUSE: "cause",
    By.MODEL: "model",
    By.TIME: "to_char(lost_on, 'YYYY-MM')",
    By.SITE: "site",
    By.DONOR: "donor",
}
_DAY = {By.TIME: "date_trunc('month', lost_on)::date"}
SUM_ORDERS = {
    "what": "''",
    **{name: NUMBER.format(name) for name in ("reports", "lost", "missing", "concluded", "found")},
    "oldest_days": NUMBER.format("coalesce(oldest_days + 1, 0)"),
}
_ALL = """(SELECT count(DISTINCT document_id) FROM sought), coalesce(sum(lost), 0)::bigint, coalesce(sum(missing), 0)::bigint,
           coalesce(sum(concluded), 0)::bigint, coalesce(sum(found), 0)::bigint, max(oldest_days)"""
_SUM_FIELDS = "p.what, p.day, p.reports, p.lost, p.missing, p.concluded, p.found, p.oldest_days"

_PIECES = ", line AS (SELECT * FROM sought)"
PIECE_ORDERS = {
    "model": "model",
    "quantity": NUMBER.format("quantity"),
    "donor": "coalesce(donor, '')",
    "site": "site",
    "unit": "coalesce(unit, '')",
    "cause": "cause",
    "state": "state",
    "lost_on": "lost_on::text",
    "reported_on": "reported_on::text",
    "days_to_report": NUMBER.format("days_to_report"),
    "days_open": NUMBER.format("coalesce(days_open + 1, 0)"),
}
_PIECE_FIELDS = """p.item_id, p.tag_number, p.maker, p.model, n.serial_number, p.quantity, p.donor, p.site, p.unit, p.held_by, p.cause,
       p.state, p.lost_on, p.reported_on, p.days_to_report, p.late, p.days_open, p.document_id, s.code, b.code, b.year, p.number,
       ended.document_id, es.code, eb.code, eb.year, ended.number"""
_PIECE_JOINED = """LEFT JOIN LATERAL identified(p.item_id) n ON true
LEFT JOIN book b ON b.book_id = p.book_id LEFT JOIN site s ON s.site_id = p.book_site
LEFT JOIN LATERAL (SELECT d.document_id, d.site_id, d.book_id, d.number FROM document d WHERE d.document_id = p.ended_by
                   OFFSET 0) ended ON true
LEFT JOIN book eb ON eb.book_id = ended.book_id LEFT JOIN site es ON es.site_id = ended.site_id
"""


def losses_by(
    connection: Connection,
    actor: Actor,
    by: By = By.MODEL,
    sought: LossesSought = LossesSought(),
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[LossSum]:
    """The losses in the asker's scope, added up; `sums`: reports, lost, missing, concluded, found, the oldest investigation's days.

    `limit` None: all of them. Raises NotFound (an unknown code), NotAllowed (another site's books; a donor by unit), Invalid (limit,
    cursor, order).
    """
    if actor.role == DONOR and by is By.UNIT:
        raise NotAllowed(sentence("A donor may not read what units and persons hold."))
    grouped = _GROUPED.format(what=_WHAT[by], day=_DAY.get(by, "NULL::date"), summed=_SUMMED)
    question = Question(_question(actor) + grouped, _ALL, _SUM_FIELDS, SUM_ORDERS, "''", by_hash=True)
    given = _given(connection, actor, sought, at)
    return read_lines(connection, question, given, partial(LossSum, by), limit, cursor, order)


def lost_pieces(
    connection: Connection,
    actor: Actor,
    sought: LossesSought = LossesSought(),
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[LostPiece]:
    """The pieces behind the sums, the longest lost first; with state missing the open investigations. `sums` and errors as those of
    `losses_by`.
    """
    question = Question(
        _question(actor) + _PIECES,
        _SUMMED,
        _PIECE_FIELDS,
        PIECE_ORDERS,
        PIECE_ORDERS["lost_on"],
        _PIECE_JOINED,
        by_hash=True,
    )
    return read_lines(connection, question, _given(connection, actor, sought, at), _piece, limit, cursor, order)


def _question(actor: Actor) -> str:
    donor = actor.role == DONOR
    return _LINE.format(
        reported=_REPORTED_OF_DONOR if donor else _REPORTED,
        entries=_ENTRIES_OF_DESK if actor.role in DESK else _ENTRIES,
        **(_DONOR if donor else _HOST),
    )


def _given(connection: Connection, actor: Actor, sought: LossesSought, at: AsOf) -> Mapping[str, Any]:
    """What is sought, for SQL. Raises NotFound, NotAllowed."""
    require(actor, READ)
    if actor.role == DONOR and (sought.unit or sought.no_unit is not None):
        raise NotAllowed(sentence("A donor may not read what units and persons hold."))
    return {
        **at.parameters,
        **EVERY_CLASS,
        "today": day_on_the_walls(connection, actor.time_zone, at.moment),
        "allowed": days_allowed(LOSS_REPORT, None),
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
        "unit": sought.unit,
        "no_unit": sought.no_unit,
        "cause": sought.cause,
        "state": str(sought.state) if sought.state else None,
        "since": sought.since,
        "until": sought.until,
    }


def _piece(item_id: UUID, tag: int, *told: Any) -> LostPiece:
    *said, document_id, site, book, year, number, ended_by, ended_site, ended_book, ended_year, ended_number = told
    report = full_number(site, book, year, number) if site else None
    ending = full_number(ended_site, ended_book, ended_year, ended_number) if ended_site else None
    fields = (item_id, asset_tag(tag), *said, document_id, report, ended_by, ending)
    return LostPiece(*fields)
