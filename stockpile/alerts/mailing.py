"""E-mail of alerts: which are to go out, to whom, and what became of each. An alert goes to an address once, whatever breaks: that it is
tried is kept before the server hears of it, and what nobody knows the end of is not tried again, but shown.

An e-mail that could not go out is tried again, at ever longer distances, for five days. How many go to one subscription in a day
is bounded: the more went, the longer the next one waits, and the more alerts it tells.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from stockpile.alerts.kinds import kinds_for, sentence_of
from stockpile.alerts.smtp import MailServer, PutOff, Rejected, Unclear, send
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.keys import new_key
from stockpile.rights import COMMANDER, DONOR
from stockpile.sentences import Sentence, sentence

DAY = timedelta(days=1)
WAITS = tuple(timedelta(minutes=minutes) for minutes in (0, 0, 0, 10, 60, 120, 180, 240, 240, 360))
"""How long the next e-mail waits after the last, by how many went within a day; there are never more than these."""
AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""Until an e-mail is tried again: after the first time, the second, and so on."""
GIVEN_UP = timedelta(days=5)
LOOKED_BACK = timedelta(days=60)
"""What waits for longer, because nothing ran meanwhile, is left."""
CUT_OFF = timedelta(minutes=10)
"""A try without an end for so long was cut off."""
TOLD_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as an e-mail tells it."""

    alert_id: UUID
    number: int
    kind: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be written, to whom, in which language. No `alerts`: a test."""

    mail_id: UUID
    to: str
    language: str
    full_text: bool
    alerts: tuple[Told, ...]


Write = Callable[[Letter], EmailMessage]
"""Makes the message of a letter."""

_SUBSCRIPTIONS = """
SELECT x.subscription_id, x.role, x.site_id, x.donor_id, x.kinds, x.address, x.created_at,
       (SELECT count(*) FROM alert_mail m WHERE m.subscription_id = x.subscription_id AND m.what = 'alerts' AND m.queued_at > %s),
       (SELECT max(m.queued_at) FROM alert_mail m WHERE m.subscription_id = x.subscription_id AND m.what = 'alerts')
FROM alert_subscription x
WHERE x.ended_at IS NULL AND x.address IS NOT NULL AND alert_subscription_holds(x.subscription_id) ORDER BY x.created_at
"""
_UNTOLD = """
SELECT a.alert_id FROM alert a
WHERE a.found_at >= %s AND a.kind = ANY (%s) AND {scope}
  AND NOT EXISTS (SELECT FROM alert_mailed t WHERE t.alert_id = a.alert_id AND t.address_digest = %s)
ORDER BY a.found_at, a.number LIMIT %s
"""


def queue(engine: Engine, at: datetime | None = None) -> int:
    """Makes e-mails of the alerts that were told to nobody who wants them by e-mail; how many e-mails."""
    moment = at or now()
    made = 0
    with transaction(engine, roles.SEQUENCER) as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('stockpile alerts by e-mail', 0))")
        for row in connection.exec_driver_sql(_SUBSCRIPTIONS, (moment - DAY,)).all():
            if not _too_soon(row[7], row[8], moment):
                made += _queue(connection, row, moment)
    return made


def _too_soon(sent: int, last: datetime | None, moment: datetime) -> bool:
    return sent >= len(WAITS) or (last is not None and moment - last < WAITS[sent])


def _queue(connection: Connection, row: Any, moment: datetime) -> bool:
    kinds = [kind for kind in kinds_for(row.role) if not row.kinds or kind in row.kinds]
    scope, values = "a.donor_id IS NULL", list[Any]()
    if row.role == DONOR:
        scope, values = "a.donor_id = %s", [row.donor_id]
    elif row.role == COMMANDER:
        scope, values = "a.donor_id IS NULL AND (a.site_id IS NULL OR a.site_id = %s)", [row.site_id]
    digest = sha256(row.address.lower().encode()).digest()
    untold = (
        connection.exec_driver_sql(_UNTOLD.format(scope=scope), (row.created_at, kinds, *values, digest, TOLD_AT_ONCE))
        .scalars()
        .all()
    )
    if not untold:
        return False
    mail_id = new_key()
    connection.exec_driver_sql(
        "INSERT INTO alert_mail (mail_id, subscription_id, what, queued_at) VALUES (%s, %s, 'alerts', %s)",
        (mail_id, row.subscription_id, moment),
    )
    connection.exec_driver_sql(
        "INSERT INTO alert_mailed (alert_id, address_digest, mail_id) SELECT a, %s, %s FROM unnest(%s::uuid[]) a",
        (digest, mail_id, list(untold)),
    )
    return True


_WAITING = """
SELECT m.mail_id, m.queued_at, x.subscription_id, x.address, x.language, x.full_text, alert_subscription_holds(x.subscription_id) AS holds,
       coalesce(last.step, 0) AS step, last.what, last.happened_at,
       (SELECT count(*) FROM alert_mail_step h WHERE h.mail_id = m.mail_id AND h.what = 'put off') AS put_off
FROM alert_mail m JOIN alert_subscription x ON x.subscription_id = m.subscription_id
LEFT JOIN LATERAL (SELECT h.step, h.what, h.happened_at FROM alert_mail_step h
                   WHERE h.mail_id = m.mail_id ORDER BY h.step DESC LIMIT 1) last ON true
WHERE m.queued_at > %s AND coalesce(last.what, 'put off') IN ('put off', 'tried') ORDER BY m.queued_at, m.mail_id
"""


def send_waiting(engine: Engine, server: MailServer, write: Write, at: datetime | None = None) -> int:
    """Sends what waits and is due; how many the server took."""
    moment = at or now()
    with transaction(engine, roles.SEQUENCER) as connection:
        waiting = connection.exec_driver_sql(_WAITING, (moment - LOOKED_BACK,)).all()
    return sum(_deal_with(engine, server, write, row, moment) for row in waiting)


def _deal_with(engine: Engine, server: MailServer, write: Write, row: Any, moment: datetime) -> bool:
    if row.what == "tried":
        if moment - row.happened_at > CUT_OFF:
            _step(engine, row.mail_id, row.step + 1, "unclear", sentence("It was cut off while it was sent."))
        return False
    if not row.holds or row.address is None:
        _step(engine, row.mail_id, row.step + 1, "dropped", sentence("The subscription ended before it went out."))
        return False
    if moment - row.queued_at > GIVEN_UP:
        _step(engine, row.mail_id, row.step + 1, "dropped", sentence("It could not be sent for five days."))
        return False
    if row.what == "put off" and moment - row.happened_at < AGAIN[min(row.put_off, len(AGAIN)) - 1]:
        return False
    message = write(_letter(engine, row))
    if not _step(engine, row.mail_id, row.step + 1, "tried"):
        return False  # another sends it just now
    what, words = "delivered", None
    try:
        send(server, message, row.address)
    except PutOff as problem:
        what, words = "put off", problem.detail
    except Rejected as problem:
        what, words = "refused", problem.detail
    except Unclear as problem:
        what, words = "unclear", problem.detail
    _step(engine, row.mail_id, row.step + 2, what, words)
    return what == "delivered"


def _letter(engine: Engine, row: Any) -> Letter:
    with transaction(engine, roles.SEQUENCER) as connection:
        told = connection.exec_driver_sql(
            """SELECT a.alert_id, a.number, a.kind, a.about FROM alert_mailed t JOIN alert a ON a.alert_id = t.alert_id
               WHERE t.mail_id = %s ORDER BY a.number""",
            (row.mail_id,),
        ).all()
    alerts = tuple(Told(key, number, kind, sentence_of(kind, about)) for key, number, kind, about in told)
    return Letter(row.mail_id, row.address, row.language, row.full_text, alerts)


def _step(engine: Engine, mail_id: UUID, step: int, what: str, words: str | None = None) -> bool:
    """Keeps what became of it; whether nobody else did so first."""
    with suppress(IntegrityError), transaction(engine, roles.SEQUENCER) as connection:
        connection.exec_driver_sql(
            "INSERT INTO alert_mail_step (mail_id, step, what, happened_at, words) VALUES (%s, %s, %s, %s, %s)",
            (mail_id, step, what, now(), words),
        )
        return True
    return False
