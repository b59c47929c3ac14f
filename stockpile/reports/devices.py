"""Devices as a site keeps them in view: when each was last in touch, how far its clock is off, what its book still misses,
and what came from it that could not be posted. It only reads.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.reports.keyset import Page, by_moment, by_number, by_text, order_asked, orders, read_page, spellings
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device. `clock_offset`: seconds that its clock was ahead at the last contact; `highest`: the highest number of its
    newest year; `missing`: numbers of its books that have not come; `set_aside`: what came and was not posted since.
    """

    device_id: UUID
    site: str
    book: str
    label: str
    public_key: str
    enrolled_by: str
    enrolled_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    last_contact: datetime | None
    clock_offset: float | None
    highest: int
    open_gaps: int
    missing: int
    set_aside: int


_POSTED_SINCE = "d.document_id = r.document_id AND d.content_hash = sha256(r.payload)"
_DEVICES = f"""
SELECT s.code, v.book_code, v.device_id, s.code, v.book_code, v.label, v.public_key, {named("e")}, v.enrolled_at,
       CASE WHEN v.revoked_by IS NOT NULL THEN {named("w")} END, v.revoked_at,
       last.contacted_at, extract(epoch FROM last.clock_offset)::float8, coalesce(newest.highest, 0), gaps.runs, gaps.missing,
       aside.rejects
FROM device v JOIN site s ON s.site_id = v.site_id
LEFT JOIN party e ON e.party_id = v.enrolled_by
LEFT JOIN party w ON w.party_id = v.revoked_by
LEFT JOIN LATERAL (SELECT c.contacted_at, c.clock_offset FROM device_contact c WHERE c.device_id = v.device_id
                   ORDER BY c.contacted_at DESC LIMIT 1) last ON true
LEFT JOIN LATERAL (SELECT b.next_number - 1 AS highest FROM book b WHERE b.site_id = v.site_id AND b.code = v.book_code
                   ORDER BY b.next_number = 1, b.year DESC LIMIT 1) newest ON true
CROSS JOIN LATERAL (SELECT count(*) AS runs, coalesce(sum(x.last_number - x.first_number + 1), 0)::bigint AS missing
                    FROM discrepancy x JOIN book b ON b.book_id = x.book_id
                    WHERE b.site_id = v.site_id AND b.code = v.book_code AND x.closed_at IS NULL) gaps
CROSS JOIN LATERAL (SELECT count(*) AS rejects FROM device_reject r WHERE r.device_id = v.device_id
                    AND NOT EXISTS (SELECT FROM document d WHERE {_POSTED_SINCE})) aside
"""


def search_devices(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    text: str | None = None,
    alive: bool = False,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[DeviceRow]:
    """Devices by site and book: with a part of the label or book; `alive` leaves out the revoked.

    Raises NotAllowed, NotFound (site), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    where = {
        "v.site_id = %s": site_asked(connection, actor, site),
        "concat_ws(' ', v.label, v.book_code) ILIKE ANY (%s)": spellings(text),
        "(v.revoked_at IS NULL) = %s": alive or None,
    }
    return read_page(
        connection,
        _DEVICES,
        where,
        {"s.code": str, "v.book_code": str},
        _device,
        limit,
        cursor,
        order=order_asked(order, ORDERS),
    )


ORDERS = orders(
    {"s.code": str, "v.book_code": str},
    site={},
    label=by_text("v.label"),
    book=by_text("v.book_code"),
    last_contact=by_moment("last.contacted_at"),
    highest=by_number("newest.highest"),
    missing=by_number("gaps.missing"),
    set_aside=by_number("aside.rejects"),
    revoked_at=by_moment("v.revoked_at"),
    enrolled_by=by_text("concat_ws(' ', e.rank, e.name)"),
    enrolled_at=by_moment("v.enrolled_at"),
)


def read_device(connection: Connection, device_id: UUID) -> DeviceRow:
    """One device that is there."""
    row = connection.exec_driver_sql(f"{_DEVICES} WHERE v.device_id = %s", (device_id,)).one()
    return _device(*row[2:])


def _device(*row: Any) -> DeviceRow:
    return DeviceRow(*(*row[:4], b64encode(row[4]).decode(), *row[5:]))


@dataclass(frozen=True, slots=True)
class DeviceReject:
    """What came from a device and was not posted, as it came. `posted_as`: the same, sent again, has been posted since."""

    reject_id: UUID
    site: str
    device_id: UUID
    device: str
    book: str
    document_id: UUID | None
    reason: str
    received_at: datetime
    carried_by: str
    posted_as: str | None
    payload: str
    signature: str


_REJECTS = f"""
SELECT r.reject_id, r.reject_id, s.code, v.device_id, v.label, v.book_code, r.document_id, r.reason, r.received_at, {named("p")},
       t.code, b.code, b.year, d.number, r.payload, r.signature
FROM device_reject r JOIN device v ON v.device_id = r.device_id JOIN site s ON s.site_id = v.site_id
LEFT JOIN party p ON p.party_id = r.carried_by
LEFT JOIN document d ON {_POSTED_SINCE}
LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site t ON t.site_id = d.site_id
"""


def list_rejects(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    device_id: UUID | None = None,
    posted: bool | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[DeviceReject]:
    """What was set aside, the oldest first: of a site, of a device; with `posted` only what was, or was not, posted since.

    Raises NotAllowed, NotFound (site), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    where = {
        "v.site_id = %s": site_asked(connection, actor, site),
        "r.device_id = %s": device_id,
        "(d.document_id IS NOT NULL) = %s": posted,
    }
    return read_page(connection, _REJECTS, where, {"r.reject_id": UUID}, _reject, limit, cursor)


def _reject(*row: Any) -> DeviceReject:
    number = full_number(*row[9:13]) if row[12] is not None else None
    payload, signature = (bytes(sent).decode().replace("\0", "\\0") for sent in row[13:15])
    return DeviceReject(*(*row[:9], number, payload, signature))
