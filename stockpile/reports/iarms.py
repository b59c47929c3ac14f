"""Lost, stolen and recovered weapons as registers of such weapons ask for them: "iARMS-ready", the fields of INTERPOL's register as far
as they are known. No public schema of it was found (standards, section 4): a National Central Bureau sends the file on, or keys it.

A row is what stands of a weapon now: missing or lost, or recovered after that. Names no person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.tables.tracing import COMPLETE, NONE, OBLITERATED, PARTIAL
from stockpile.reports.keyset import Keys, Page, by_day, by_text, order_asked, orders, read_page
from stockpile.rights import TRACE, Actor, require

RECORD_TYPES = ("missing", "lost", "stolen", "captured", "abandoned", "recovered")
"""What a record says; a loss by its cause as two people concluded it."""


@dataclass(frozen=True, slots=True)
class IarmsRow:
    """One weapon. `reference` is the number of the document; `year` of manufacture is known of no weapon here."""

    record_type: str
    firearm_type: str
    make: str
    model: str
    calibre: str | None
    serial_number: str | None
    serial_status: str
    country_of_manufacture: str | None
    year: int | None
    import_mark: str | None
    other_marks: str | None
    happened_on: date
    place: str | None
    circumstances: str | None
    reference: str
    contact: str | None
    photo: str | None
    item_id: UUID


@dataclass(frozen=True, slots=True)
class Sought:
    """Which are sought. `contact` is written into every row: whom to ask."""

    record_type: str | None = None
    since: date | None = None
    contact: str | None = None


# The last live entry of each weapon that stands on a missing or lost account, or whose last way back was a recovery. The place and the
# circumstances of a loss stand in its first report.
_ROWS = f"""
SELECT t.happened_at::date, row.item_id, row.record_type, coalesce(m.subcategory, m.category), coalesce(n.maker, m.maker), m.name,
       m.calibre, n.serial_number,
       CASE WHEN n.obliterated AND n.serial_number IS NOT NULL THEN '{PARTIAL}' WHEN n.obliterated THEN '{OBLITERATED}'
            WHEN n.serial_number IS NULL THEN '{NONE}' ELSE '{COMPLETE}' END,
       m.country, NULL::int, nullif(concat_ws(' ', n.import_mark, n.import_country, n.import_year), ''),
       nullif(concat_ws('; ', n.distinguishing_mark, 'UII ' || n.uii), ''),
       (t.happened_at AT TIME ZONE s.time_zone)::date, t.details ->> 'place', t.details ->> 'circumstances',
       concat_ws('/', s.code, b.code, b.year, d.number), %s::text,
       (SELECT string_agg(p, '; ') FROM jsonb_array_elements_text(t.attachments) p), row.item_id
FROM (
    WITH now_gone AS (
        SELECT h.item_id, a.class FROM holding h JOIN account a ON a.account_id = h.account_id AND a.class IN ('missing', 'lost')
        WHERE h.serial
    ), live AS (
        SELECT e.item_id, e.version, e.document_id, d.act FROM entry e JOIN document d USING (document_id)
        WHERE e.serial AND e.reverses IS NULL AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
          AND d.act IN ('report missing', 'overrun', 'conclude loss', 'recover')
    ), last AS (
        SELECT DISTINCT ON (item_id) item_id, version, document_id, act FROM live ORDER BY item_id, version DESC
    ), row AS (
        SELECT l.item_id, l.document_id,
               CASE WHEN l.act = 'recover' THEN 'recovered' WHEN g.class = 'missing' THEN 'missing'
                    WHEN d.details ->> 'cause' IN ('stolen', 'captured', 'abandoned') THEN d.details ->> 'cause'
                    ELSE 'lost' END AS record_type,
               coalesce(first.document_id, l.document_id) AS told_by
        FROM last l JOIN document d ON d.document_id = l.document_id LEFT JOIN now_gone g ON g.item_id = l.item_id
        LEFT JOIN LATERAL (SELECT f.document_id FROM live f WHERE f.item_id = l.item_id AND f.act IN ('report missing', 'overrun')
                           AND l.act = 'conclude loss' ORDER BY f.version DESC LIMIT 1) first ON true
        WHERE g.item_id IS NOT NULL OR l.act = 'recover'
    )
    SELECT * FROM row
) row JOIN item i ON i.item_id = row.item_id JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(row.item_id) n ON true
JOIN document t ON t.document_id = row.told_by
JOIN document d ON d.document_id = row.document_id JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
"""
_ORDER: Keys = {"t.happened_at::date": date.fromisoformat, "row.item_id": UUID}
ORDERS = orders(
    {"row.item_id": UUID},
    record_type={"row.record_type": str},
    make=by_text("coalesce(n.maker, m.maker)"),
    model={"m.name": str},
    serial_number=by_text("n.serial_number"),
    happened_on=by_day("(t.happened_at AT TIME ZONE s.time_zone)::date"),
)


def list_iarms(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[IarmsRow]:
    """The records of the whole country, the oldest first or by one of ORDERS. Raises NotAllowed, Invalid (limit, cursor, order)."""
    require(actor, TRACE)
    where = {"row.record_type = %s": sought.record_type, "t.happened_at >= %s": sought.since}
    return read_page(
        connection,
        _ROWS,
        where,
        _ORDER,
        _row,
        limit,
        cursor,
        parameters=(sought.contact,),
        order=order_asked(order, ORDERS),
    )


def _row(*row: Any) -> IarmsRow:
    return IarmsRow(*row)
