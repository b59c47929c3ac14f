"""Unusual: what honest work seldom looks like, each sign with its reason and its rows. A sign is a question to ask somebody, no finding.

Each sign is a row of SIGNS: its name, why it is one, what a row of it says, the thresholds it takes (`stockpile/data/thresholds.csv`),
and its SQL. What was taken back is looked at no more, but for what was undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import full_number
from stockpile.errors import Fault, Invalid, NotAllowed
from stockpile.identity import asset_tag
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.keyset import text_order
from stockpile.reports.named import named
from stockpile.reports.narrowed import entries_asked, units_below
from stockpile.reports.pages import cursor_of, read_cursor, rows_to_read
from stockpile.reports.scope import site_asked
from stockpile.reports.taken_back import TAKEN_BACK
from stockpile.reports.thresholds import value_of
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import Sentence, sentence, template
from stockpile.sites import day_on_the_walls

QUESTION = template("What was done at night, in bulk, too fast, by hand or against the rule, and how often?")
FINDING = template(
    "GAO-07-711 and SIGAR 14-84: weapons left under entries that looked like any other; each of these signs is one that an "
    "auditor would have asked about"
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something is a sign; None: as the data say. Hours are those of the wall of the site."""

    night_begins: int | None = None
    night_ends: int | None = None
    bulk_issue: int | None = None
    issue_then_loss: int | None = None
    identification_changes: int | None = None
    typed_lines: int | None = None
    seconds_a_weapon: int | None = None
    fast_count: int | None = None
    undone_in_a_day: int | None = None

    @property
    def parameters(self) -> dict[str, int]:
        """All of them for SQL."""
        return {one.name: value_of(one.name.replace("_", " "), getattr(self, one.name)) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign: what it is called, why it is one, what its rows say with their numbers, which thresholds it takes. `rows` is a question to
    the step `written`; `of_donor`: whether a donor may know of it.
    """

    name: str
    why: str
    said: str
    thresholds: tuple[str, ...]
    rows: str
    of_donor: bool = False


SIGNS: tuple[Sign, ...] = (
    Sign(
        template("issue at night"),
        template("Nobody draws at a closed counter: what leaves then leaves without those who would see it."),
        template("at {time} by the wall of {site}; the night is {night_begins}:00 to {night_ends}:00"),
        ("night_begins", "night_ends"),
        """
        SELECT w.document_id, NULL::uuid AS count_id, NULL::uuid AS item_id, w.receiver AS party_id, w.site_id,
               w.happened_at, w.recorded_at, jsonb_build_object('time', to_char(w.wall, 'HH24:MI')) AS told
        FROM written w
        WHERE w.act = 'issue' AND NOT w.card AND NOT w.by_day
          AND CASE WHEN %(night_begins)s > %(night_ends)s THEN w.hour >= %(night_begins)s OR w.hour < %(night_ends)s
                   ELSE w.hour >= %(night_begins)s AND w.hour < %(night_ends)s END
        """,
        of_donor=True,
    ),
    Sign(
        template("bulk issue to one person"),
        template("One person can carry and answer for few weapons: more are stock leaving under one name."),
        template("{weapons:,} weapons to one person on {day}, more than {bulk_issue}; documents: {documents:,}"),
        ("bulk_issue",),
        # Which documents can add up to so many is told by themselves; only those are opened.
        """
        SELECT (array_agg(h.document_id ORDER BY h.happened_at DESC, h.document_id))[1], NULL, NULL, a.party_id, min(h.site_id::text)::uuid,
               max(h.happened_at), max(h.recorded_at),
               jsonb_build_object('weapons', count(DISTINCT e.item_id), 'day', h.wall::date, 'documents', count(DISTINCT h.document_id))
        FROM (SELECT w.*, CASE WHEN w.several THEN w.line_count
                          ELSE sum(w.line_count) OVER (PARTITION BY w.receiver, w.several, w.wall::date) END AS lines_of_day
              FROM written w WHERE w.act IN ('issue', 'hand over') AND NOT w.card AND (w.several OR w.receiver IS NOT NULL)) h
        JOIN entry e ON e.document_id = h.document_id AND e.serial AND e.reverses IS NULL AND e.posts_again IS NULL
        JOIN account a ON a.account_id = e.to_account AND a.class = 'person'
        WHERE h.lines_of_day > %(bulk_issue)s AND {entries}
          AND NOT EXISTS (SELECT FROM taken_entry t WHERE (t.document_id, t.item_id, t.first) = (e.document_id, e.item_id, e.version))
        GROUP BY a.party_id, h.wall::date HAVING count(DISTINCT e.item_id) > %(bulk_issue)s
        """,
    ),
    Sign(
        template("issue, then loss"),
        template("A weapon that is lost soon after it was handed out was perhaps handed out to be lost."),
        template("reported missing {days:,} days after it left its store, within {issue_then_loss}"),
        ("issue_then_loss",),
        """
        SELECT w.document_id, NULL, e.item_id, {holder}, w.site_id, w.happened_at, w.recorded_at,
               jsonb_build_object('days', floor(extract(epoch FROM e.happened_at - i.happened_at) / 86400)::int)
        FROM written w
        JOIN entry e ON e.document_id = w.document_id AND e.serial AND e.reverses IS NULL AND e.posts_again IS NULL
        JOIN account m ON m.account_id = e.to_account AND m.class = 'missing'
        JOIN LATERAL (
            SELECT i.happened_at, i.to_account FROM entry i
            JOIN account f ON f.account_id = i.from_account AND f.class = 'store'
            JOIN account t ON t.account_id = i.to_account AND t.class IN ('person', 'unit')
            WHERE i.item_id = e.item_id AND i.reverses IS NULL AND i.happened_at <= e.happened_at AND i.recorded_at <= %(recorded_at)s
              AND i.happened_at >= e.happened_at - make_interval(days => %(issue_then_loss)s)
              AND NOT EXISTS (SELECT FROM reversal r WHERE r.item_id = i.item_id AND r.version = i.version)
            ORDER BY i.happened_at DESC, i.version DESC LIMIT 1) i ON true
        JOIN account a ON a.account_id = i.to_account
        WHERE w.act = 'report missing' AND {entries}
          AND NOT EXISTS (SELECT FROM taken_entry t WHERE (t.document_id, t.item_id, t.first) = (e.document_id, e.item_id, e.version))
        """,
        of_donor=True,
    ),
    Sign(
        template("identification changed again"),
        template("A mistake is mended once; a number that changes again makes a weapon untraceable."),
        template("its identification was amended {changes:,} times since {first}"),
        ("identification_changes",),
        """
        SELECT (array_agg(w.document_id ORDER BY w.happened_at DESC, w.document_id))[1], NULL, e.item_id, NULL::uuid,
               (array_agg(w.site_id ORDER BY w.happened_at DESC, w.document_id))[1], max(w.happened_at), max(w.recorded_at),
               jsonb_build_object('changes', count(*), 'first', min(w.wall)::date)
        FROM written w JOIN entry e ON e.document_id = w.document_id AND e.serial AND e.reverses IS NULL AND e.posts_again IS NULL
        WHERE w.act = 'amend identification' AND {entries}
          AND NOT EXISTS (SELECT FROM taken_entry t WHERE (t.document_id, t.item_id, t.first) = (e.document_id, e.item_id, e.version))
        GROUP BY e.item_id HAVING count(*) >= %(identification_changes)s
        """,
        of_donor=True,
    ),
    Sign(
        template("typed instead of scanned"),
        template("A scanner reads what is there; who types has perhaps no weapon in hand."),
        template("{typed:,} of {lines:,} lines were typed, {typed_lines} or more are a sign"),
        ("typed_lines",),
        """
        SELECT w.document_id, NULL, NULL, w.posted_by, w.site_id, w.happened_at, w.recorded_at,
               jsonb_build_object('typed', w.typed, 'lines', w.entered)
        FROM written w WHERE w.typed >= %(typed_lines)s
        """,
    ),
    Sign(
        template("counted too fast"),
        template("To pick up, turn and read a weapon takes longer: numbers were perhaps read from a list."),
        template(
            "{lines:,} weapons read in {seconds:,} seconds from the opening on, less than {seconds_a_weapon} for each"
        ),
        ("seconds_a_weapon", "fast_count"),
        """
        SELECT NULL, l.count_id, NULL, l.counted_by, c.site_id, max(l.counted_at), max(b.recorded_at),
               jsonb_build_object('lines', count(*), 'seconds', floor(extract(epoch FROM max(l.counted_at) - c.opened_at))::int)
        FROM physical_count c JOIN site s ON s.site_id = c.site_id
        JOIN count_line l ON l.count_id = c.count_id AND l.entered IN ('scanned', 'typed') AND l.scan IS NOT NULL AND l.again_of IS NULL
        JOIN count_batch b ON b.count_id = l.count_id AND b.batch_id = l.batch_id
        WHERE {counts} AND l.counted_at <= %(happened_at)s AND b.recorded_at <= %(recorded_at)s
        GROUP BY l.count_id, l.counted_by, c.site_id, c.opened_at
        HAVING count(*) >= %(fast_count)s AND extract(epoch FROM max(l.counted_at) - c.opened_at) < count(*) * %(seconds_a_weapon)s
        """,
    ),
    Sign(
        template("issued against the rule"),
        template("A commander may let unmarked or unserviceable weapons go: each time somebody should ask why."),
        template("lines that went out unmarked or unserviceable: {lines:,}; the reason given: {reason}"),
        (),
        """
        SELECT w.document_id, NULL, NULL, w.approved_by, w.site_id, w.happened_at, w.recorded_at,
               jsonb_build_object('lines', w.overridden, 'reason', w.override)
        FROM written w WHERE w.override IS NOT NULL
        """,
    ),
    Sign(
        template("counted against the rule"),
        template("Nobody counts twice running or counts alone what is their own: who allowed it should be asked why."),
        template("the reason given: {reason}"),
        (),
        """
        SELECT NULL, c.count_id, NULL, c.opened_by, c.site_id, c.opened_at, c.recorded_at, jsonb_build_object('reason', c.override)
        FROM physical_count c JOIN site s ON s.site_id = c.site_id
        WHERE c.override IS NOT NULL AND {counts} AND c.opened_at <= %(happened_at)s AND c.recorded_at <= %(recorded_at)s
        """,
    ),
    Sign(
        template("undone again and again"),
        template("One slip is a slip; whoever undoes again and again tries something out."),
        template("{documents:,} documents undone by one person on {day}, {undone_in_a_day} or more are a sign"),
        ("undone_in_a_day",),
        """
        SELECT (array_agg(w.document_id ORDER BY w.happened_at DESC, w.document_id))[1], NULL, NULL, w.posted_by, w.site_id,
               max(w.happened_at), max(w.recorded_at), jsonb_build_object('documents', count(*), 'day', w.wall::date)
        FROM written w WHERE w.undo GROUP BY w.posted_by, w.site_id, w.wall::date HAVING count(*) >= %(undone_in_a_day)s
        """,
    ),
)
"""In the order in which they are told."""
SIGN_OF: Mapping[str, Sign] = {sign.name: sign for sign in SIGNS}


@dataclass(frozen=True, slots=True)
class UnusualSought:
    """Which signs are sought: those to which all applies that is said. `since` and `until` are days of what happened, on the wall of the
    site; `unit` with its people and sub-units; `sign` is a name of SIGNS and narrows the rows, not the sums. Counts are of no donor
    or model.
    """

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    unit: str | None = None
    since: date | None = None
    until: date | None = None
    sign: str | None = None


@dataclass(frozen=True, slots=True)
class UnusualRow:
    """A sign: why it stands here with its numbers, and the document, count, weapon or person that it is about. Of several documents of one
    person the last. `person`: who received, held, typed, counted, or let it go; None for a donor.
    """

    sign: str
    reason: str
    site: str
    happened_at: datetime
    recorded_at: datetime
    document_id: UUID | None
    document_number: str | None
    count_id: UUID | None
    count: str | None
    item_id: UUID | None
    asset_tag: str | None
    model: str | None
    serial_number: str | None
    person: str | None
    party_id: UUID | None


@dataclass(frozen=True, slots=True)
class Unusual:
    """A page of signs, the newest first, and how many there are of each over all pages; `thresholds`: from where on something is one."""

    rows: tuple[UnusualRow, ...]
    signs: int
    by_sign: dict[str, int]
    thresholds: dict[str, int]
    cursor: str | None


_WHEN = """d.happened_at <= %(happened_at)s AND d.recorded_at <= %(recorded_at)s
      AND (%(site)s::uuid IS NULL OR d.site_id = %(site)s)
      AND (%(since)s::date IS NULL OR (d.happened_at AT TIME ZONE s.time_zone)::date >= %(since)s)
      AND (%(until)s::date IS NULL OR (d.happened_at AT TIME ZONE s.time_zone)::date <= %(until)s)
      AND NOT EXISTS (SELECT FROM taken_back t WHERE t.document_id = d.document_id)"""
_HOST_WRITTEN = """written AS MATERIALIZED (
    SELECT d.document_id, d.act, d.site_id, d.happened_at, d.recorded_at, d.happened_precision = 'day' AS by_day, d.undo, d.posted_by,
           d.approved_by, d.line_count, d.happened_at AT TIME ZONE s.time_zone AS wall,
           extract(hour FROM d.happened_at AT TIME ZONE s.time_zone)::int AS hour,
           coalesce(d.details->>'paper' = 'weapon card', false) AS card, d.details ? 'receivers' AS several,
           (d.details->>'receiver')::uuid AS receiver, d.details->>'override' AS override,
           coalesce(jsonb_array_length(d.details->'overridden_on_lines'), 0) AS overridden,
           coalesce(jsonb_array_length(d.details->'entered_on_lines'->'typed'), 0) AS typed,
           CASE WHEN d.details ? 'entered_on_lines'
                THEN jsonb_array_length(jsonb_path_query_array(d.details, '$.entered_on_lines.*[*]')) END AS entered
    FROM document d JOIN site s ON s.site_id = d.site_id WHERE {which}
)"""
_DONOR_WRITTEN = """of_donor AS MATERIALIZED (
    SELECT DISTINCT e.document_id FROM entry e WHERE {entries}
), written AS MATERIALIZED (
    SELECT d.document_id, d.act, d.site_id, d.happened_at, d.recorded_at, d.happened_precision = 'day' AS by_day,
           d.happened_at AT TIME ZONE s.time_zone AS wall, extract(hour FROM d.happened_at AT TIME ZONE s.time_zone)::int AS hour,
           false AS card, NULL::uuid AS receiver
    FROM of_donor o JOIN document d ON d.document_id = o.document_id JOIN site s ON s.site_id = d.site_id WHERE {which}
)"""
_COUNTS = """(%(site)s::uuid IS NULL OR c.site_id = %(site)s)
          AND (%(since)s::date IS NULL OR (c.opened_at AT TIME ZONE s.time_zone)::date >= %(since)s)
          AND (%(until)s::date IS NULL OR (c.opened_at AT TIME ZONE s.time_zone)::date <= %(until)s)"""
_COUNTS_OF_UNIT = """ AND (c.unit_id = ANY (%(units)s) OR EXISTS (
              SELECT FROM count_account o WHERE o.count_id = c.count_id AND o.account_id = ANY (%(accounts)s)))"""

_PAGE = """, told AS MATERIALIZED (
    SELECT u.*, s.code AS site, concat_ws('/', u.sign, u.document_id::text, u.count_id::text, u.item_id::text, u.party_id::text) AS key
    FROM ({signs}) u JOIN site s ON s.site_id = u.site_id
), total AS (
    SELECT coalesce(sum(n), 0)::bigint AS signs, coalesce(jsonb_object_agg(sign, n) FILTER (WHERE sign IS NOT NULL), '{{}}') AS by_sign
    FROM (SELECT sign, count(*) AS n FROM told GROUP BY sign) t
), page AS (
    SELECT * FROM (SELECT *, {sorted} AS sorted_by FROM told WHERE %(sign)s::text IS NULL OR sign = %(sign)s) t
    WHERE %(after)s::text[] IS NULL OR (sorted_by, key) {beyond} (%(after)s[1], %(after)s[2])
    ORDER BY sorted_by{direction}, key{direction} LIMIT %(limit)s
)
SELECT total.*, p.sorted_by, p.key, p.sign, p.told, p.site, p.happened_at, p.recorded_at, p.document_id, o.code, b.code, b.year, d.number,
       {counted}, p.item_id, i.tag_number, m.name, n.serial_number, {person}
FROM total LEFT JOIN page p ON true
LEFT JOIN document d ON d.document_id = p.document_id LEFT JOIN book b ON b.book_id = d.book_id LEFT JOIN site o ON o.site_id = d.site_id
LEFT JOIN item i ON i.item_id = p.item_id LEFT JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(p.item_id) n ON true
{people}
ORDER BY p.sorted_by{direction}, p.key{direction}
"""
_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
ORDERS = {
    "happened_at": _MOMENT.format("happened_at"),
    "recorded_at": _MOMENT.format("recorded_at"),
    "sign": "sign",
    "site": "site",
}
"""By the report's own columns, as texts that sort as the values do."""
NEWEST_FIRST = "-happened_at"


def unusual(
    connection: Connection,
    actor: Actor,
    sought: UnusualSought = UnusualSought(),
    at: AsOf = NOW,
    thresholds: Thresholds = Thresholds(),
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Unusual:
    """Signs in the asker's scope. A donor is told those that its own weapons show, and nobody's name. `limit` None: all of them.

    Raises NotFound (an unknown code), NotAllowed (another site's books; a donor's unit, or a sign that it is not told), Invalid (no such
    sign; limit, cursor, order).
    """
    require(actor, READ)
    signs = tuple(sign for sign in SIGNS if sign.of_donor or actor.role != DONOR)
    _need_told(signs, sought.sign)
    limits = thresholds.parameters
    of_entry, values = entries_asked(connection, actor, sought.donor, sought.model, sought.unit, at)
    day = day_on_the_walls(connection, actor.time_zone, at.moment)
    given = {
        **values,
        **at.parameters,
        **limits,
        "units": units_below(connection, sought.unit, day),
        "site": site_asked(connection, actor, sought.site),
        "since": sought.since,
        "until": sought.until,
        "sign": sought.sign,
        "after": list(read_cursor(cursor, 2)) if cursor else None,
        "limit": rows_to_read(limit),
    }
    by = text_order(order or NEWEST_FIRST, ORDERS, ORDERS["happened_at"])
    for_sums(connection)
    rows = connection.exec_driver_sql(_question(actor, signs, of_entry, values, by), given).all()
    count, by_sign = rows[0][:2]
    found = [tuple(row[2:]) for row in rows if row[2] is not None]
    shown = found[:limit]
    return Unusual(
        rows=tuple(_row(limits, *row[2:]) for row in shown),
        signs=count,
        by_sign={sign.name: by_sign.get(sign.name, 0) for sign in signs},
        thresholds=limits,
        cursor=cursor_of(shown[-1][0], shown[-1][1]) if limit is not None and len(found) > limit else None,
    )


def _need_told(signs: tuple[Sign, ...], wanted: str | None) -> None:
    if wanted is None or wanted in {sign.name for sign in signs}:
        return
    if wanted in SIGN_OF:
        raise NotAllowed(sentence("A donor is not told of this sign."))
    fault = Fault(sentence("one of {signs}", signs=", ".join(sign.name for sign in signs)), field="sign", value=wanted)
    raise Invalid(sentence("There is no such sign."), [fault])


def _question(
    actor: Actor, signs: tuple[Sign, ...], of_entry: str, asked: Mapping[str, Any], by: Mapping[str, str]
) -> str:
    of_donor = actor.role == DONOR
    which = (
        _WHEN
        if of_donor or not of_entry
        else f"{_WHEN} AND d.document_id IN (SELECT e.document_id FROM entry e WHERE {of_entry})"
    )
    entries = of_entry or "true"
    written = (_DONOR_WRITTEN if of_donor else _HOST_WRITTEN).format(which=which, entries=entries)
    counts = (
        "false" if "donor" in asked or "models" in asked else _COUNTS + (_COUNTS_OF_UNIT if "accounts" in asked else "")
    )
    holder = "NULL::uuid" if of_donor else "a.party_id"
    questions = [
        f"SELECT '{sign.name}' AS sign, {_ROW} FROM ({sign.rows.format(entries=entries, counts=counts, holder=holder)}) q\n"
        "(document_id, count_id, item_id, party_id, site_id, happened_at, recorded_at, told)"
        for sign in signs
    ]
    page = _PAGE.format(
        **by,
        signs="\nUNION ALL\n".join(questions),
        counted="NULL::uuid, NULL::text" if of_donor else "p.count_id, t.code || '/COUNT/' || c.number",
        person="NULL::text, NULL::uuid"
        if of_donor
        else f"CASE WHEN p.party_id IS NOT NULL THEN {named('q')} END, p.party_id",
        people="" if of_donor else _PEOPLE,
    )
    return f"WITH RECURSIVE {TAKEN_BACK}, {written}{page}"


_ROW = """q.document_id::uuid, q.count_id::uuid, q.item_id::uuid, q.party_id::uuid, q.site_id, q.happened_at, q.recorded_at, q.told"""
_PEOPLE = """LEFT JOIN LATERAL (SELECT party_id, code, name, rank, erased_at FROM party WHERE party_id = p.party_id OFFSET 0) q ON true
LEFT JOIN physical_count c ON c.count_id = p.count_id LEFT JOIN site t ON t.site_id = c.site_id"""


def _row(
    limits: Mapping[str, int], sign: str, told: Mapping[str, Any], site: str, happened_at: datetime, recorded_at: datetime, *rest: Any
) -> UnusualRow:  # fmt: skip
    document_id, *number, count_id, count, item_id, tag, model, serial_number, person, party_id = rest
    reason = Sentence(SIGN_OF[sign].said, {**limits, "site": site, **told})
    return UnusualRow(
        sign, reason, site, happened_at, recorded_at, document_id, full_number(*number) if document_id else None, count_id, count,
        item_id, asset_tag(tag) if tag is not None else None, model, serial_number, person, party_id,
    )  # fmt: skip
