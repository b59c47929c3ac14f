"""Finding alerts in what the books hold. What documents and discrepancies say is looked through once, in the order of the feed of changes,
so that nothing is passed by whatever commits when; what a day brings about (late, overdue, lapsed) is asked anew each time. Finding again
what was found adds nothing.

A look is one transaction: cut off, it is as if it had not begun.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import connected, take_role
from stockpile.discrepancies import Kind
from stockpile.documents import full_number, now
from stockpile.keys import new_key
from stockpile.movements import AccountClass, Act
from stockpile.reports.counts_due import DUE
from stockpile.reports.inspections import InspectionSought, inspections_due
from stockpile.rights import AUDITOR, Actor

LOCK = 7_365_005
"""Advisory lock of the database: one looks at a time."""
OWN = UUID("00000000-0000-7000-8000-000000000001")
"""The donor of what the host buys itself: nobody's reader."""
OF_DISCREPANCIES = {
    str(Kind.SHORTAGE): "short",
    str(Kind.MISSING_AT_COUNT): "missing at count",
    str(Kind.BEYOND_CERTIFICATE): "beyond the certificate",
    str(Kind.DIVERSION): "diversion alarm",
}


@dataclass(frozen=True, slots=True)
class Found:
    """An alert for one reader: the host, or a donor."""

    kind: str
    subject: str
    donor_id: UUID | None
    site_id: UUID | None
    happened_at: datetime
    about: dict[str, Any]


def find_alerts(engine: Engine, whole: bool = True) -> int | None:
    """Looks for what came since the last look and, with `whole`, for what the day brought about; how many alerts are new. None: another
    looks just now. Raises DatabaseUnavailable.
    """
    with connected(engine) as connection:
        take_role(connection, roles.SEQUENCER)
        if not connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,)).scalar():
            return None
        since, until = connection.exec_driver_sql(
            """SELECT coalesce((SELECT written_in FROM alert_progress), -1), pg_snapshot_xmin(pg_current_snapshot())::text::bigint"""
        ).one()
        take_role(connection, roles.AUDITOR)
        asked = (*OF_CHANGES, *(OF_THE_DAY if whole else ()))
        found = [one for ask in asked for one in ask(connection, since, until)]
        take_role(connection, roles.SEQUENCER)
        new = _keep(connection, found)
        connection.exec_driver_sql(
            """INSERT INTO alert_progress (one, written_in) VALUES (true, %s)
               ON CONFLICT (one) DO UPDATE SET written_in = EXCLUDED.written_in""",
            (until,),
        )
    return new


def _keep(connection: Connection, found: Iterable[Found]) -> int:
    """Keeps what is not known, each under its reader's next number."""
    wanted = {(one.kind, one.subject, one.donor_id): one for one in found}
    known = connection.exec_driver_sql(
        """SELECT a.kind, a.subject, a.donor_id FROM alert a
           WHERE (a.kind, a.subject) IN (SELECT * FROM unnest(%s::text[], %s::text[]))""",
        ([key[0] for key in wanted], [key[1] for key in wanted]),
    )
    new = sorted(
        (wanted[key] for key in wanted.keys() - {(row[0], row[1], row[2]) for row in known}),
        key=lambda one: (one.happened_at, one.kind, one.subject),
    )
    numbered = connection.exec_driver_sql("SELECT donor_id, max(number) FROM alert GROUP BY donor_id")
    last: dict[UUID | None, int] = {donor_id: number for donor_id, number in numbered}
    for one in new:
        number = last[one.donor_id] = last.get(one.donor_id, 0) + 1
        connection.exec_driver_sql(
            """INSERT INTO alert (alert_id, donor_id, number, kind, site_id, subject, about, happened_at, found_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (new_key(), one.donor_id, number, one.kind, one.site_id, one.subject, Jsonb(one.about), one.happened_at, now()),
        )  # fmt: skip
    return len(new)


def _for_readers(
    rows: Iterable[tuple[tuple[Any, ...], UUID | None, int]], alert: Callable[..., Found]
) -> Iterator[Found]:
    """One alert for the host with the sum, and one for each donor with its own. A row: what it is about, whose items, how many."""
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    of_donors: dict[tuple[tuple[Any, ...], UUID], int] = defaultdict(int)
    for about, donor_id, quantity in rows:
        sums[about] += quantity
        if donor_id is not None and donor_id != OWN:
            of_donors[about, donor_id] += quantity
    for about, quantity in sums.items():
        yield alert(*about, donor_id=None, quantity=quantity)
    for (about, donor_id), quantity in of_donors.items():
        yield alert(*about, donor_id=donor_id, quantity=quantity)


_DISCREPANCIES = """
SELECT x.kind, coalesce(x.document_id, x.register_id), x.site_id, s.code, min(x.opened_at), number_site.code, b.code, b.year, d.number,
       CASE WHEN x.kind = 'diversion alarm' THEN x.discrepancy_id END, x.donor_id, count(*)
FROM discrepancy x JOIN site s ON s.site_id = x.site_id
LEFT JOIN document d ON d.document_id = x.document_id LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site number_site ON number_site.site_id = d.site_id
WHERE x.written_in >= %s AND x.written_in < %s AND x.kind = ANY (%s)
GROUP BY 1, 2, 3, 4, 6, 7, 8, 9, 10, 11
"""


def _discrepancies(connection: Connection, since: int, until: int) -> Iterator[Found]:
    """Short, not found at a count, beyond the certificate, abroad."""
    rows = connection.exec_driver_sql(_DISCREPANCIES, (since, until, list(OF_DISCREPANCIES))).all()
    opened = {(row[0], row[1], row[9]): row[4] for row in rows}

    def alert(
        kind: str,
        source: UUID,
        site_id: UUID,
        site: str,
        number: str,
        one: UUID | None,
        donor_id: UUID | None,
        quantity: int,
    ) -> Found:
        about = {"site": site, "number": number, "quantity": quantity, "document": str(source), "discrepancy": str(one)}
        subject = str(one or source)
        return Found(OF_DISCREPANCIES[kind], subject, donor_id, site_id, opened[kind, source, one], about)

    yield from _for_readers(
        (((row[0], row[1], row[2], row[3], _number(*row[5:9]), row[9]), row[10], row[11]) for row in rows), alert
    )


def _number(site: str | None, book: str | None, year: int | None, number: int | None) -> str:
    if site is None or book is None or year is None or number is None:
        return "-"
    return full_number(site, book, year, number)


_LOSSES = """
SELECT d.document_id, d.site_id, s.code, b.code, b.year, d.number, d.recorded_at, e.donor_id, sum(e.quantity)::bigint
FROM document d JOIN entry e ON e.document_id = d.document_id JOIN account t ON t.account_id = e.to_account
JOIN site s ON s.site_id = d.site_id JOIN book b ON b.book_id = d.book_id
WHERE d.written_in >= %s AND d.written_in < %s AND d.act = ANY (%s) AND e.reverses IS NULL AND t.class = ANY (%s)
GROUP BY d.document_id, s.code, b.code, b.year, e.donor_id
"""
_LOSE = [str(Act.REPORT_MISSING), str(Act.OVERRUN), str(Act.CONCLUDE_LOSS)]
_GONE = [str(AccountClass.MISSING), str(AccountClass.LOST)]


def _losses(connection: Connection, since: int, until: int) -> Iterator[Found]:
    """Reported missing, overrun, concluded lost: one alert a document."""

    def alert(
        document: UUID, site_id: UUID, site: str, number: str, at: datetime, donor_id: UUID | None, quantity: int
    ) -> Found:
        about = {"site": site, "number": number, "quantity": quantity, "document": str(document)}
        return Found("missing or lost", str(document), donor_id, site_id, at, about)

    rows = connection.exec_driver_sql(_LOSSES, (since, until, _LOSE, _GONE)).all()
    yield from _for_readers((((*row[:3], full_number(*row[2:6]), row[6]), row[7], row[8]) for row in rows), alert)


_SHIPMENTS = """
SELECT 'shipment', s.document_id, t.site_id, t.code, t.time_zone, s.number, s.expected_on, i.donor_id, sum(l.outstanding)::bigint
FROM shipments_under_way() u JOIN shipment s ON s.document_id = u JOIN site t ON t.site_id = s.to_site
CROSS JOIN LATERAL shipment_lines(ARRAY[s.document_id]) l JOIN item i ON i.item_id = l.item_id
WHERE l.outstanding > 0 AND s.expected_on < (%s::timestamptz AT TIME ZONE t.time_zone)::date
GROUP BY s.document_id, t.site_id, i.donor_id
UNION ALL
SELECT 'consignment', c.consignment_id, t.site_id, t.code, t.time_zone, p.code || ' ' || c.reference, c.expected_on, c.donor_id,
       sum(h.quantity)::bigint
FROM consignment c JOIN site t ON t.site_id = c.site_id JOIN party p ON p.party_id = c.donor_id
JOIN holding h ON h.account_id = c.account_id
WHERE c.expected_on < (%s::timestamptz AT TIME ZONE t.time_zone)::date
GROUP BY c.consignment_id, t.site_id, p.code
"""


def _late(connection: Connection, since: int, until: int) -> Iterator[Found]:
    """Shipments, and consignments of which pieces have not set out, after the day they were expected."""

    def alert(
        what: str,
        key: UUID,
        site_id: UUID,
        site: str,
        time_zone: str,
        number: str,
        day: date,
        donor_id: UUID | None,
        quantity: int,
    ) -> Found:
        rows = f"/shipments/{key}" if what == "shipment" else "/reports/consignments"
        about = {"site": site, "number": number, "day": day.isoformat(), "quantity": quantity, "rows": rows}
        return Found("late", f"{key} {day}", donor_id, site_id, _after(day, time_zone), about)

    rows = connection.exec_driver_sql(_SHIPMENTS, (now(), now())).all()
    yield from _for_readers(((tuple(row[:7]), row[7], row[8]) for row in rows), alert)


def _after(day: date, time_zone: str = "UTC") -> datetime:
    """When a day is over on a wall; at most now, for it is over somewhere."""
    return min(datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone)), now())


def _counts(connection: Connection, since: int, until: int) -> Iterator[Found]:
    """Accounts that were to be counted: one alert for each site and day."""
    rows = connection.exec_driver_sql(
        f"""SELECT due.site_id, due.site, due.due_on, count(*), max(due.today) FROM ({DUE}) due
            WHERE due.due_on IS NULL OR due.due_on < due.today GROUP BY 1, 2, 3""",
        (now(),),
    ).all()
    for site_id, site, due_on, accounts, today in rows:
        # What was never counted is due since always: it is told once a site.
        subject, day = (f"{site_id} {due_on}", due_on) if due_on else (f"{site_id} never", today)
        about = {"site": site, "day": day.isoformat(), "quantity": accounts}
        yield Found("count overdue", subject, None, site_id, _after(day), about)


def _inspections(connection: Connection, since: int, until: int) -> Iterator[Found]:
    """Weapons under enhanced monitoring that nobody inspected in time: one alert for each site and day."""
    reader = Actor(OWN, AUDITOR)
    due = inspections_due(connection, reader, InspectionSought(delinquent=True), limit=None)
    sites: dict[str, UUID] = {code: key for code, key in connection.exec_driver_sql("SELECT code, site_id FROM site")}
    known = connection.exec_driver_sql("SELECT code, party_id FROM party WHERE kind = 'donor'")
    donors: dict[str, UUID] = {code: key for code, key in known}

    def alert(site: str | None, day: date, donor_id: UUID | None, quantity: int) -> Found:
        about = {"site": site or "-", "day": day.isoformat(), "quantity": quantity}
        return Found("inspection delinquent", f"{site} {day}", donor_id, sites.get(site or ""), _after(day), about)

    yield from _for_readers(
        (((row.site, row.due_on), donors.get(row.donor or ""), row.quantity) for row in due.rows if row.due_on), alert
    )


_ALARMS = """
SELECT alarm_id, kind, raised_at FROM log_alarm
UNION ALL SELECT statement_id, 'restore declared', recorded_at FROM log_statement WHERE kind = 'restored'
"""


def _log_alarms(connection: Connection, since: int, until: int) -> Iterator[Found]:
    """What the log and its witnesses say, to everybody; the words may name documents of any site, and stay with the alarm."""
    alarms = connection.exec_driver_sql(_ALARMS).all()
    donors = connection.exec_driver_sql("SELECT party_id FROM party WHERE kind = 'donor' AND party_id <> %s", (OWN,))
    readers = [None, *donors.scalars()] if alarms else []
    for alarm_id, kind, at in alarms:
        for donor_id in readers:
            yield Found("log alarm", str(alarm_id), donor_id, None, at, {"what": kind})


_LAPSED = """
SELECT s.statement_id, s.donor_id, s.reference, v.unit, v.until
FROM (SELECT DISTINCT ON (s.donor_id, s.reference) s.statement_id, s.donor_id, s.reference, s.content FROM donor_statement s
      JOIN donor_statement a ON a.donor_id = s.donor_id AND a.answers = s.statement_id AND a.kind = 'accepted'
      WHERE s.kind = 'end-user certificate' ORDER BY s.donor_id, s.reference, a.recorded_at DESC) s
CROSS JOIN LATERAL jsonb_to_recordset(s.content->'vetted') v (unit text, until date)
WHERE v.until < %s
"""


def _lapsed(connection: Connection, since: int, until: int) -> Iterator[Found]:
    """Units whose vetting ended, under certificates in force."""
    for statement_id, donor_id, number, unit, day in connection.exec_driver_sql(_LAPSED, (now().date(),)):
        about = {"unit": unit, "number": number, "day": day.isoformat(), "statement": str(statement_id)}
        for reader in (None, donor_id):
            yield Found("vetting lapsed", f"{donor_id} {number} {unit} {day}", reader, None, _after(day), about)


Ask = Callable[[Connection, int, int], Iterator[Found]]
OF_CHANGES: tuple[Ask, ...] = (_discrepancies, _losses, _log_alarms)
"""What was written since the last look; of the log's alarms there are few."""
OF_THE_DAY: tuple[Ask, ...] = (_late, _counts, _inspections, _lapsed)
