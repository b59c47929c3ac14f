"""Books go on in a new series after a restore: what was numbered after the backup was made may stand on papers, on weapons and in
others' records, so none of it is given out again. Nobody knows how far the lost numbers went: so books get another code, TAJI/B
becomes TAJI/B.261104ZNOV, after the date-time group of the restore, and asset tags leave a distance that grows with time.

Both depend on the moment of the restore, to the minute, not on how many there were: the same backup may be restored twice, and an older
one after it. Books of devices and papers go on as they are, since those number themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from stockpile.errors import StockpileError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
EARLIEST_ZONE = timedelta(hours=14)
"""So far ahead of UTC a new year may have begun."""

MINUTE = timedelta(minutes=1)
TAGS_AT_LEAST = 1_000_000
TAGS_A_MINUTE = 100_000
"""More than are ever given out in one: a second restore, a minute later, leaves those tags out that the first led to."""


class AlreadyBegun(StockpileError):
    """A series of this name was begun in this very minute."""

    title = "The series is begun already"


@dataclass(frozen=True, slots=True)
class Series:
    """A series begun: what stands behind the codes of books, how many were closed, and the first asset tag's number."""

    name: str
    closed: int
    next_tag: int


def date_time_group(moment: datetime) -> str:
    """A moment in UTC as day, time, Z and month: 261104ZNOV. The year stands in every number."""
    return f"{moment:%d%H%M}Z{MONTHS[moment.month - 1]}"


def begin(connection: Connection, moment: datetime, backup_at: datetime, newest_document: datetime | None) -> Series:
    """Closes the books that the service numbers, and has new ones begin, as the owner of the tables or an administrator. Raises
    AlreadyBegun.
    """
    name, last_year = date_time_group(moment), (moment + EARLIEST_ZONE).year
    if connection.exec_driver_sql("SELECT 1 FROM restoration WHERE series = %s", (name,)).first():
        raise AlreadyBegun(
            f"The books go on as {name} already. Nothing was done; in a minute another series could begin."
        )
    connection.exec_driver_sql(
        "INSERT INTO restoration (restored_at, series, last_year, backup_at, newest_document) VALUES (%s, %s, %s, %s, %s)",
        (moment, name, last_year, backup_at, newest_document),
    )
    closed = connection.exec_driver_sql(
        """UPDATE book SET counter_code = NULL
           WHERE kind NOT IN ('device', 'paper') AND year <= %s AND counter_code IS NOT NULL""",
        (last_year,),
    ).rowcount
    return Series(name, closed, _leave_tags_out(connection, moment, backup_at))


_LAST_TAG = """
SELECT i.tag_number, e.recorded_at FROM item i JOIN entry e ON e.item_id = i.item_id AND e.version = 1
ORDER BY i.tag_number DESC LIMIT 1
"""


def _leave_tags_out(connection: Connection, moment: datetime, backup_at: datetime) -> int:
    """Sends asset tags on; the next one's number. The distance counts from when the last tag was given that the books know, which
    several backups may hold, and not from the one of them that was restored.
    """
    last, given_at = connection.exec_driver_sql(_LAST_TAG).one_or_none() or (0, backup_at)
    next_tag = int(last) + TAGS_AT_LEAST + TAGS_A_MINUTE * minutes_between(given_at, moment)
    connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('item', 'tag_number'), %s, false)", (next_tag,))
    return next_tag


def minutes_between(earlier: datetime, later: datetime) -> int:
    """How often the clock turned to another minute, and so to another date-time group; 0 if the later is the earlier."""
    begun, ended = (moment.replace(second=0, microsecond=0) for moment in (earlier, later))
    return max(0, (ended - begun) // MINUTE)
