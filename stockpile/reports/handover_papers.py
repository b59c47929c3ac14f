"""Handovers without complete papers: which are signed by nobody, bear no scan, came late; and which opening entries no count confirmed.

A handover is an issue or a hand-over against a receipt; returns and receipts are judged by when they were recorded. A draw against a
weapon card has the card, which stands in the rack, for its paper. What was taken back is no handover.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import full_number
from stockpile.errors import Fault, Invalid, NotAllowed
from stockpile.movements import Act
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.keyset import text_order
from stockpile.reports.named import named
from stockpile.reports.narrowed import entries_asked
from stockpile.reports.pages import cursor_of, read_cursor, rows_to_read
from stockpile.reports.scope import site_asked
from stockpile.reports.shares import percent
from stockpile.reports.taken_back import TAKEN_BACK
from stockpile.reports.thresholds import value_of
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence, template

QUESTION = template("Which handovers lack a receiver, a signature, a date or a scan, or were recorded late?")
FINDING = template(
    "GAO-07-711: no consistent collection of supporting documents, to confirm the date received, the quantity delivered, "
    "and the Iraqi unit that received it"
)


class Gap(StrEnum):
    """What a paper lacks."""

    RECEIVER = template("no receiver")
    SIGNATURE = template("no signature")
    SCAN = template("no scan")
    DATE = template("dated ahead")
    TIME = template("no time of day")
    LATE = template("recorded late")
    COUNT = template("opening, not counted")


TOLD_DONORS = (Gap.TIME, Gap.LATE, Gap.COUNT)
"""What a donor may know of the papers of its own weapons: never who signed."""


@dataclass(frozen=True, slots=True)
class PapersSought:
    """Which documents are sought: those to which all applies that is said. `since` and `until` are days of what happened, on the wall of
    the site; `unit` with its people and sub-units; `gap` narrows the rows, not the sums.
    """

    donor: str | None = None
    site: str | None = None
    model: str | None = None
    unit: str | None = None
    since: date | None = None
    until: date | None = None
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A document and what its papers lack. `receiver`: who receives, of a return who brings it; None where there are several, nobody is
    named, or for a donor. `days_late`: whole days from what happened to its record. `not_counted`: of an opening list, the pieces that
    no count confirmed.
    """

    document_id: UUID
    document_number: str
    act: str
    site: str
    happened_at: datetime
    recorded_at: datetime
    days_late: int
    receiver: str | None
    receiver_id: UUID | None
    quantity: int
    not_counted: int
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandoverPapers:
    """A page of documents whose papers lack something, the newest first, and the sums over all pages. `documents`: how many were looked at;
    `incomplete`: of how many the papers lack something; `by_gap`: how many lack what; `not_counted`: pieces.
    """

    rows: tuple[PaperRow, ...]
    documents: int
    incomplete: int
    incomplete_percent: float | None
    by_gap: dict[str, int]
    not_counted: int
    late_after_hours: int
    cursor: str | None


_SIGNED_BY = "coalesce(d.details->'signatures' @> jsonb_build_array(jsonb_build_object('person', {party}.party_id::text)), false)"

# Signed at the counter by everybody who is named to receive or hand over; else by a signed paper, which a paper keyed with its scan is.
_HOST_WRITTEN = f"""written AS MATERIALIZED (
    SELECT d.document_id, d.act, d.site_id, d.book_id, d.number, d.happened_at, d.recorded_at, r.party_id AS received_by,
           d.happened_precision = 'day' AS by_day,
           (b.kind = 'paper' OR d.claimed_number IS NOT NULL AND NOT d.details ? 'device') AS on_paper,
           d.clock_offset > interval '0' AS ahead,
           d.act IN ('issue', 'hand over') AND d.details->>'paper' IS DISTINCT FROM 'weapon card' AS receipted,
           d.details ? 'receivers' AS several,
           CASE WHEN d.act NOT IN ('issue', 'hand over') THEN false
                WHEN r.party_id IS NULL AND g.party_id IS NULL THEN jsonb_path_exists(d.details, '$.signatures[*].person')
                ELSE (r.party_id IS NULL OR {_SIGNED_BY.format(party="r")})
                 AND (g.party_id IS NULL OR {_SIGNED_BY.format(party="g")}) END AS signed,
           d.act IN ('issue', 'hand over') AND jsonb_array_length(d.attachments) > CASE WHEN d.details ? 'device' THEN 1 ELSE 0 END
               + jsonb_array_length(jsonb_path_query_array(d.details, '$.signatures[*].file')) AS has_file,
           coalesce(later.signed, false) AS signed_later, later.document_id IS NOT NULL AS file_later
    FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
    LEFT JOIN signatory r ON r.document_id = d.document_id AND r.part = 'received_by' AND d.act IN ('issue', 'hand over')
    LEFT JOIN signatory g ON g.document_id = d.document_id AND g.part = 'handed_over_by' AND d.act = 'hand over'
    LEFT JOIN (SELECT n.document_id, bool_or(n.kind = 'signature') AS signed FROM note n
               WHERE n.kind <> 'remark' AND n.recorded_at <= %(recorded_at)s GROUP BY n.document_id) later
      ON later.document_id = d.document_id
    WHERE {{which}}
)"""
_DONOR_WRITTEN = """of_donor AS MATERIALIZED (
    SELECT DISTINCT e.document_id FROM entry e WHERE {entries}
), written AS MATERIALIZED (
    SELECT d.document_id, d.act, d.site_id, d.book_id, d.number, d.happened_at, d.recorded_at, NULL::uuid AS received_by,
           d.happened_precision = 'day' AS by_day, false AS on_paper, false AS ahead, false AS receipted, false AS several,
           false AS signed, false AS has_file, false AS signed_later, false AS file_later
    FROM of_donor o JOIN document d ON d.document_id = o.document_id JOIN site s ON s.site_id = d.site_id
    WHERE {which}
)"""
_WHICH = """d.act = ANY (%(acts)s) AND d.happened_at <= %(happened_at)s AND d.recorded_at <= %(recorded_at)s
      AND (%(site)s::uuid IS NULL OR d.site_id = %(site)s)
      AND (%(since)s::date IS NULL OR (d.happened_at AT TIME ZONE s.time_zone)::date >= %(since)s)
      AND (%(until)s::date IS NULL OR (d.happened_at AT TIME ZONE s.time_zone)::date <= %(until)s)
      AND NOT EXISTS (SELECT FROM taken_back t WHERE t.document_id = d.document_id)"""

# What the books have now knows of every count; of a moment only findings tell.
_UNCONFIRMED_NOW = "EXISTS (SELECT FROM holding h WHERE h.item_id = e.item_id AND h.unverified)"
_UNCONFIRMED_THEN = """NOT EXISTS (
        SELECT FROM count_finding f
        JOIN physical_count c ON c.count_id = f.count_id AND c.outcome = 'closed' AND c.closed_at <= %(recorded_at)s
        JOIN count_line l ON l.count_id = f.count_id AND l.line = f.line AND l.counted_at <= %(happened_at)s
        WHERE c.closed_at > e.recorded_at
          AND CASE WHEN e.serial THEN f.kind = 'matched' AND f.item_id = e.item_id
                   ELSE f.kind = 'quantity matched' AND f.model_id = e.model_id AND f.site_id = e.site_id
                        AND f.lot IS NOT DISTINCT FROM (SELECT i.lot FROM item i WHERE i.item_id = e.item_id) END)"""

_JUDGED = """, opened AS MATERIALIZED (
    SELECT e.document_id, sum(e.quantity)::bigint AS quantity
    FROM entry e JOIN written w ON w.document_id = e.document_id AND w.act = 'open'
    WHERE e.reverses IS NULL AND e.posts_again IS NULL AND {entries} AND {unconfirmed}
      AND NOT EXISTS (SELECT FROM taken_entry t WHERE (t.document_id, t.item_id, t.first) = (e.document_id, e.item_id, e.version))
    GROUP BY e.document_id
), judged AS (
    SELECT w.*, coalesce(o.quantity, 0) AS not_counted,
           w.receipted AND NOT w.several AND w.received_by IS NULL AS no_receiver,
           w.receipted AND NOT w.signed AND NOT w.on_paper AND NOT w.signed_later AS no_signature,
           w.receipted AND NOT w.signed AND NOT w.has_file AND NOT w.file_later AS no_scan,
           w.on_paper AND w.ahead AS dated_ahead,
           w.recorded_at - w.happened_at > make_interval(hours => %(late)s) AS late
    FROM written w LEFT JOIN opened o ON o.document_id = w.document_id
), lacking AS MATERIALIZED (
    SELECT j.*, s.code AS site, b.code AS book, b.year, j.document_id::text AS key,
           array_remove(ARRAY[CASE WHEN no_receiver THEN 'no receiver' END, CASE WHEN no_signature THEN 'no signature' END,
                              CASE WHEN no_scan THEN 'no scan' END, CASE WHEN dated_ahead THEN 'dated ahead' END,
                              CASE WHEN by_day THEN 'no time of day' END, CASE WHEN late THEN 'recorded late' END,
                              CASE WHEN not_counted > 0 THEN 'opening, not counted' END], NULL) AS lacks
    FROM judged j JOIN site s ON s.site_id = j.site_id JOIN book b ON b.book_id = j.book_id
    WHERE no_receiver OR no_signature OR no_scan OR dated_ahead OR by_day OR late OR not_counted > 0
), total AS (
    SELECT (SELECT count(*) FROM written) AS documents, count(*) AS incomplete,
           count(*) FILTER (WHERE no_receiver) AS no_receiver, count(*) FILTER (WHERE no_signature) AS no_signature,
           count(*) FILTER (WHERE no_scan) AS no_scan,
           count(*) FILTER (WHERE dated_ahead) AS dated_ahead, count(*) FILTER (WHERE by_day) AS by_day,
           count(*) FILTER (WHERE late) AS late, count(*) FILTER (WHERE not_counted > 0) AS opened,
           coalesce(sum(not_counted), 0)::bigint AS not_counted
    FROM lacking
), page AS (
    SELECT * FROM (SELECT *, {sorted} AS sorted_by FROM lacking WHERE %(gap)s::text IS NULL OR %(gap)s = ANY (lacks)) l
    WHERE %(after)s::text[] IS NULL OR (sorted_by, key) {beyond} (%(after)s[1], %(after)s[2])
    ORDER BY sorted_by{direction}, key{direction} LIMIT %(limit)s
)
SELECT total.*, p.sorted_by, p.key, p.document_id, p.site, p.book, p.year, p.number, p.act, p.happened_at, p.recorded_at,
       {receiver}, pieces.quantity, p.not_counted, p.lacks
FROM total LEFT JOIN page p ON true {receivers}
LEFT JOIN LATERAL (SELECT sum(e.quantity)::bigint AS quantity FROM entry e
                   WHERE e.document_id = p.document_id AND e.reverses IS NULL AND e.posts_again IS NULL AND {entries}) pieces ON true
ORDER BY p.sorted_by{direction}, p.key{direction}
"""
_RECEIVER = f"CASE WHEN w.party_id IS NOT NULL THEN {named('q')} END, w.party_id"
_RECEIVERS = """
LEFT JOIN LATERAL (SELECT coalesce((d.details->>'receiver')::uuid, (d.details->>'returned_by')::uuid, p.received_by) AS party_id
                   FROM document d WHERE d.document_id = p.document_id) w ON true
LEFT JOIN LATERAL (SELECT party_id, code, name, rank, erased_at FROM party WHERE party_id = w.party_id OFFSET 0) q ON true
"""
_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
ORDERS = {
    "happened_at": _MOMENT.format("happened_at"),
    "recorded_at": _MOMENT.format("recorded_at"),
    "document_number": "concat_ws('/', site, book, year::text, lpad(number::text, 10, '0'))",
    "act": "act",
    "site": "site",
    "days_late": "lpad(greatest(extract(day FROM recorded_at - happened_at), 0)::text, 10, '0')",
    "not_counted": "lpad(not_counted::text, 20, '0')",
}
"""By the report's own columns, as texts that sort as the values do."""
NEWEST_FIRST = "-happened_at"
ACTS = (Act.ISSUE, Act.HAND_OVER, Act.RETURN, Act.RECEIVE, Act.OPEN)
"""The acts whose papers are looked at."""


def handover_papers(
    connection: Connection,
    actor: Actor,
    sought: PapersSought = PapersSought(),
    at: AsOf = NOW,
    late_after_hours: int | None = None,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> HandoverPapers:
    """Documents in the asker's scope whose papers lack something. `late_after_hours`: from when on a record is late; None: as the data say.

    A donor is told of its own weapons' documents, never who received, and whether a count confirmed them as of now only. `limit` None: all
    of them. Raises NotFound (an unknown code), NotAllowed (another site's books; a donor's unit), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    _need_told(actor, sought, at)
    hours = value_of("recorded late", late_after_hours)
    of_entry, values = entries_asked(connection, actor, sought.donor, sought.model, sought.unit, at)
    given = {
        **values,
        **at.parameters,
        "acts": [str(act) for act in ACTS],
        "site": site_asked(connection, actor, sought.site),
        "since": sought.since,
        "until": sought.until,
        "gap": sought.gap,
        "late": hours,
        "after": list(read_cursor(cursor, 2)) if cursor else None,
        "limit": rows_to_read(limit),
    }
    by = text_order(order or NEWEST_FIRST, ORDERS, ORDERS["happened_at"])
    question = _question(actor, at, of_entry).format(
        **by, **_names(actor), entries=of_entry or "true", unconfirmed=_unconfirmed(actor, at)
    )
    for_sums(connection)
    rows = connection.exec_driver_sql(question, given).all()
    documents, incomplete, *by_gap, not_counted = rows[0][:10]
    found = [tuple(row[10:]) for row in rows if row[10] is not None]
    shown = found[:limit]
    return HandoverPapers(
        rows=tuple(_row(*row[2:]) for row in shown),
        documents=documents,
        incomplete=incomplete,
        incomplete_percent=percent(incomplete, documents),
        by_gap={
            str(gap): number
            for gap, number in zip(Gap, by_gap, strict=True)
            if actor.role != DONOR or gap in TOLD_DONORS
        },
        not_counted=not_counted,
        late_after_hours=hours,
        cursor=cursor_of(shown[-1][0], shown[-1][1]) if limit is not None and len(found) > limit else None,
    )


def _need_told(actor: Actor, sought: PapersSought, at: AsOf) -> None:
    """Raises NotAllowed for what a donor may not know of papers, Invalid for what nobody can tell it of a moment."""
    if actor.role != DONOR:
        return
    if sought.gap is not None and sought.gap not in TOLD_DONORS:
        raise NotAllowed(sentence("A donor is not told who signed what."))
    if sought.gap is Gap.COUNT and not at.now:
        fault = Fault(sentence("whether a count confirmed it is known of now only"), field="gap")
        raise Invalid(sentence("Leave out either the gap or the moment."), [fault])


def _question(actor: Actor, at: AsOf, of_entry: str) -> str:
    which = _WHICH
    if of_entry and actor.role != DONOR:
        which += f" AND d.document_id IN (SELECT e.document_id FROM entry e WHERE {of_entry})"
    written = _DONOR_WRITTEN if actor.role == DONOR else _HOST_WRITTEN
    filled = written.format(which=which, entries="{entries}")
    return f"WITH RECURSIVE {TAKEN_BACK}, {filled}{_JUDGED}"


def _names(actor: Actor) -> dict[str, str]:
    if actor.role == DONOR:
        return {"receiver": "NULL::text, NULL::uuid", "receivers": ""}
    return {"receiver": _RECEIVER, "receivers": _RECEIVERS}


def _unconfirmed(actor: Actor, at: AsOf) -> str:
    if at.now:
        return _UNCONFIRMED_NOW
    return "false" if actor.role == DONOR else _UNCONFIRMED_THEN


def _row(
    document_id: UUID, site: str, book: str, year: int, number: int, act: str, happened_at: datetime, recorded_at: datetime, *rest: Any
) -> PaperRow:  # fmt: skip
    receiver, receiver_id, quantity, not_counted, lacks = rest
    return PaperRow(
        document_id, full_number(site, book, year, number), act, site, happened_at, recorded_at, max((recorded_at - happened_at).days, 0),
        receiver, receiver_id, quantity or 0, not_counted, tuple(lacks),
    )  # fmt: skip
