"""Alarms: where the log and who watches it do not agree. They stay in view: none is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.keys import new_key
from stockpile.reports.keyset import Page, by_moment, by_text, order_asked, orders, read_page
from stockpile.rights import READ_ALARMS, Actor, require

KINDS = ("signer refuses", "witness conflict", "verification failed")


@dataclass(frozen=True, slots=True)
class Alarm:
    """What somebody must look into. `evidence`: the notes that contradict one another, as they came."""

    alarm_id: UUID
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


_ALARMS = "SELECT raised_at, alarm_id, alarm_id, kind, words, evidence, raised_at FROM log_alarm"
_NEWEST: dict[str, Callable[[str], Any]] = {"raised_at": datetime.fromisoformat, "alarm_id": UUID}
ORDERS = orders({"alarm_id": UUID}, raised_at=by_moment("raised_at"), kind=by_text("kind"), words=by_text("words"))


def list_alarms(
    connection: Connection,
    actor: Actor,
    kind: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[Alarm]:
    """Alarms, the newest first. Raises NotAllowed, Invalid (limit, cursor)."""
    require(actor, READ_ALARMS)
    return read_page(
        connection,
        _ALARMS,
        {"kind = %s": kind},
        _NEWEST,
        Alarm,
        limit,
        cursor,
        newest_first=True,
        order=order_asked(order, ORDERS),
    )


def all_alarms(engine: Engine) -> list[Alarm]:
    """All alarms, the newest first, for whoever runs the service."""
    with transaction(engine, roles.AUDITOR) as connection:
        return list(read_page(connection, _ALARMS, {}, _NEWEST, Alarm, 500, None, newest_first=True).rows)
