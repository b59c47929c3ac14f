"""How long losses took to be reported (DODIG-2024-043: 30 days allowed, 301 on average): of the ledger's loss reports, or of the lines of
a list. A loss that was taken back by a correction is none; one that was later found was still to be reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import full_number
from stockpile.monitoring import LOSS_REPORT, days_allowed
from stockpile.reports.keyset import text_order
from stockpile.reports.listed import NAMED, names_in, need_listed
from stockpile.reports.pages import cursor_of, read_cursor, rows_to_read
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.reports.shares import percent
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import template

QUESTION = template("When was it lost, when reported, and was that within the days allowed?")
FINDING = template("Losses took 301 days on average to be reported, where 30 are allowed (DODIG-2024-043, 2024).")


LOST_ON, REPORTED_ON = "dated_on", "received_on"
"""Which day of a list's line is that of the loss, and which that on which its report was received."""


@dataclass(frozen=True, slots=True)
class LossSought:
    """Which losses are sought: those to which all applies that is said. `since` and `until` are of the day reported; `late`: only those
    that were, or were not.
    """

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    since: date | None = None
    until: date | None = None
    late: bool | None = None


@dataclass(frozen=True, slots=True)
class LossRow:
    """A loss report, or a line of a list: when it was lost, when reported, how long that took. Of a report of several models `model` is
    None; a line that lacks a day has no `days` and is neither late nor in time.
    """

    document_id: UUID | None
    document_number: str | None
    line: int | None
    act: str | None
    site: str | None
    model: str | None
    serial_number: str | None
    quantity: int
    lost_on: date | None
    reported_on: date | None
    days: int | None
    late: bool


@dataclass(frozen=True, slots=True)
class LossTimeliness:
    """A page of losses, the oldest report first, and the sums over all of them, late or not. `losses` are reports or lines, `quantity` the
    pieces lost by them, `undated` the lines that lack a day and count in no average.
    """

    rows: tuple[LossRow, ...]
    days_allowed: int
    losses: int
    quantity: int
    late: int
    late_percent: float | None
    average_days: float | None
    longest_days: int | None
    undated: int
    cursor: str | None


_GONE = """
    SELECT e.document_id, e.model_id, sum(e.quantity)::bigint AS quantity, min(e.item_id::text) FILTER (WHERE e.serial) AS item,
           count(*) AS entries
    FROM {entries} e JOIN document d ON d.document_id = e.document_id AND d.act IN ('report missing', 'overrun')
    JOIN account t ON t.account_id = e.to_account AND t.class = 'missing'
    WHERE e.reverses IS NULL AND e.posts_again IS NULL
      AND (%(donor)s::uuid IS NULL OR e.donor_id = %(donor)s) AND (%(models)s::uuid[] IS NULL OR e.model_id = ANY (%(models)s))
      AND standing_entry(e.item_id, e.version) IS NOT NULL
    GROUP BY e.document_id, e.model_id
"""
_HOST_GONE = f"gone AS ({_GONE.format(entries='entry')})"
# A donor's own entries first: which documents it may read is asked of each.
_DONOR_GONE = f"""missing AS MATERIALIZED (
    SELECT e.item_id, e.version, e.document_id, e.model_id, e.donor_id, e.serial, e.quantity, e.to_account, e.reverses, e.posts_again
    FROM entry e JOIN account t ON t.account_id = e.to_account AND t.class = 'missing'
), gone AS ({_GONE.format(entries="missing")})"""

# Where a report says when a weapon was last seen, it was lost then; else when the report says it happened. Reported is when the books
# knew of it. An entry that late facts moved still stands for its report.
_OF_LEDGER = """
WITH {gone}, report AS (
    SELECT g.document_id, sum(g.quantity)::bigint AS quantity, CASE WHEN count(*) = 1 THEN min(m.name) END AS model,
           CASE WHEN sum(g.entries) = 1 THEN min(g.item) END::uuid AS item_id
    FROM gone g JOIN model m USING (model_id) GROUP BY g.document_id
), line AS (
    SELECT d.document_id, NULL::int AS line, d.document_id::text AS key, d.act, s.code AS site, b.code AS book, b.year, d.number,
           r.model, r.item_id, NULL::text AS serial_number, r.quantity,
           (coalesce(l.last_seen_at, d.happened_at) AT TIME ZONE s.time_zone)::date AS lost_on,
           (d.recorded_at AT TIME ZONE s.time_zone)::date AS reported_on
    FROM report r JOIN document d ON d.document_id = r.document_id
    JOIN site s ON s.site_id = d.site_id JOIN book b ON b.book_id = d.book_id
    LEFT JOIN last_seen(ARRAY(SELECT document_id FROM report)) l ON l.document_id = d.document_id
    WHERE %(site)s::uuid IS NULL OR d.site_id = %(site)s
)
"""
_OF_REGISTER = f"""
WITH line AS (
    SELECT NULL::uuid AS document_id, l.line, lpad(l.line::text, 10, '0') AS key, NULL::text AS act, NULL::text AS site, NULL::text AS book,
           NULL::int AS year, NULL::int AS number, coalesce(m.name, l.model) AS model, NULL::uuid AS item_id, l.serial_number,
           CASE WHEN l.serial_key <> '' THEN 1 ELSE coalesce(l.quantity, 1) END::bigint AS quantity,
           l.{LOST_ON} AS lost_on, l.{REPORTED_ON} AS reported_on
    FROM register_line l LEFT JOIN {NAMED}
      ON named.register_id = l.register_id AND named.maker = coalesce(l.maker, '') AND named.name = l.model
    LEFT JOIN model m ON m.model_id = named.model_id
    WHERE l.register_id = %(register)s AND l.rejected IS NULL
      AND (%(asked)s::uuid[] IS NULL OR m.model_id = ANY (%(asked)s))
)
"""
_TIMED = """, timed AS (
    SELECT *, CASE WHEN reported_on < lost_on THEN 0 ELSE reported_on - lost_on END AS days,
           coalesce(reported_on - lost_on > %(allowed)s, false) AS late,
           {sorted} AS sorted_by
    FROM line
    WHERE (%(since)s::date IS NULL OR reported_on >= %(since)s) AND (%(until)s::date IS NULL OR reported_on <= %(until)s)
), total AS (
    SELECT count(*) AS losses, coalesce(sum(quantity), 0)::bigint AS quantity, count(*) FILTER (WHERE late) AS late,
           round(avg(days), 1)::float AS average_days, max(days) AS longest_days, count(*) FILTER (WHERE days IS NULL) AS undated
    FROM timed
), page AS (
    SELECT * FROM timed
    WHERE (%(late)s::bool IS NULL OR late = %(late)s)
      AND (%(after)s::text[] IS NULL OR (sorted_by, key) {beyond} (%(after)s[1], %(after)s[2]))
    ORDER BY sorted_by{direction}, key{direction} LIMIT %(limit)s
)
SELECT total.*, p.sorted_by, p.key, p.document_id, p.site, p.book, p.year, p.number, p.line, p.act, p.model,
       coalesce(p.serial_number, n.serial_number), p.quantity, p.lost_on, p.reported_on, p.days, p.late
FROM total LEFT JOIN page p ON true LEFT JOIN LATERAL identified(p.item_id) n ON true
ORDER BY p.sorted_by{direction}, p.key{direction}
"""
_REPORTED_ON = "coalesce(reported_on::text, '9999-12-31')"
ORDERS = {
    "reported_on": _REPORTED_ON,
    "document_number": "concat_ws('/', site, book, year::text, lpad(number::text, 10, '0'))",
    "act": "coalesce(act, '')",
    "site": "coalesce(site, '')",
    "model": "coalesce(model, '')",
    "lost_on": "coalesce(lost_on::text, '')",
    "days": "coalesce(lpad(CASE WHEN reported_on < lost_on THEN 0 ELSE reported_on - lost_on END::text, 10, '0'), '')",
    "quantity": "lpad(quantity::text, 20, '0')",
}
"""By the report's own columns, as texts that sort as the values do."""


def loss_timeliness(
    connection: Connection,
    actor: Actor,
    sought: LossSought = LossSought(),
    allowed: int | None = None,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> LossTimeliness:
    """Of the ledger's loss reports and overruns in the asker's scope. `allowed`: days a report may take; None: as the data say.

    `limit` None: all of them. Raises NotFound (an unknown code), NotAllowed (another site's books), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    values = {
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
    }
    question = _OF_LEDGER.format(gone=_DONOR_GONE if actor.role == DONOR else _HOST_GONE)
    return _page(connection, question, values, sought, allowed, limit, cursor, order)


def loss_timeliness_of_register(
    connection: Connection,
    actor: Actor,
    register_id: UUID,
    sought: LossSought = LossSought(),
    allowed: int | None = None,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> LossTimeliness:
    """Of a list of losses, a line each, by the model, days and lateness that are sought.

    Raises NotAllowed (donors), NotFound, Invalid (a register that was not read in our fields; limit, cursor, order).
    """
    need_listed(connection, actor, register_id)
    values = {
        **names_in(connection, [register_id]).columns,
        "register": register_id,
        "asked": models_of(connection, sought.model) if sought.model else None,
    }
    return _page(connection, _OF_REGISTER, values, sought, allowed, limit, cursor, order)


def _page(
    connection: Connection,
    question: str,
    values: dict[str, Any],
    sought: LossSought,
    allowed: int | None,
    limit: int | None,
    cursor: str | None,
    order: str | None,
) -> LossTimeliness:
    days = days_allowed(LOSS_REPORT, allowed)
    given = {
        **values,
        "since": sought.since,
        "until": sought.until,
        "late": sought.late,
        "allowed": days,
        "after": list(read_cursor(cursor, 2)) if cursor else None,
        "limit": rows_to_read(limit),
    }
    for_sums(connection)
    rows = connection.exec_driver_sql(question + _TIMED.format(**text_order(order, ORDERS, _REPORTED_ON)), given).all()
    losses, quantity, late, average, longest, undated = rows[0][:6]
    found = [tuple(row[6:]) for row in rows if row[6] is not None]
    shown = found[:limit]
    return LossTimeliness(
        rows=tuple(_row(*row[2:]) for row in shown),
        days_allowed=days,
        losses=losses,
        quantity=quantity,
        late=late,
        late_percent=percent(late, losses - undated),
        average_days=average,
        longest_days=longest,
        undated=undated,
        cursor=cursor_of(shown[-1][0], shown[-1][1]) if limit is not None and len(found) > limit else None,
    )


def _row(
    document_id: UUID | None, site: str | None, book: str | None, year: int | None, number: int | None, line: int | None, *rest: Any
) -> LossRow:  # fmt: skip
    act, *told = rest
    written = full_number(site, book, year, number) if site and book and year and number else None
    return LossRow(document_id, written, line, act, site, *told)
