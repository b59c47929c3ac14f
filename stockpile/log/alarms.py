"""Alarms: where the log and who watches it do not agree. Auditors and commanders see them until the end of time: none is taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.keys import new_key


@dataclass(frozen=True, slots=True)
class Alarm:
    """What somebody must look into. `evidence`: the notes that contradict one another, as they came."""

    kind: str
    words: str
    evidence: str | None
    raised_at: datetime


def raise_alarm(connection: Connection, log: int, kind: str, words: str, evidence: str | None = None) -> None:
    """Puts something before the auditors, unless it stands there. The caller stands as the sequencer."""
    connection.exec_driver_sql(
        """INSERT INTO log_alarm (alarm_id, log, kind, words, evidence, raised_at)
           SELECT %s, %s, %s, %s, %s, %s WHERE NOT EXISTS (SELECT FROM log_alarm WHERE log = %s AND kind = %s AND words = %s)""",
        (new_key(), log, kind, words, evidence, now(), log, kind, words),
    )


def read_alarms(engine: Engine) -> list[Alarm]:
    """All alarms, the newest first."""
    with transaction(engine, roles.AUDITOR) as connection:
        rows = connection.exec_driver_sql(
            "SELECT kind, words, evidence, raised_at FROM log_alarm ORDER BY raised_at DESC"
        )
        return [Alarm(*row) for row in rows]
