"""Alerts as a process of its own, beside those that serve: found, put into e-mails in their readers' languages, and sent:
`python -m api.alerting`. It ends with its parent.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from email.message import EmailMessage

import structlog
from sqlalchemy import Engine

from api.words import language_of
from stockpile.alerts.finding import find_alerts
from stockpile.alerts.letter import message_of
from stockpile.alerts.mailing import Letter, queue, send_waiting
from stockpile.alerts.smtp import MailServer
from stockpile.beside_the_service import until_ended
from stockpile.db.engine import engine_of
from stockpile.errors import StockpileError
from stockpile.settings import Settings, read_settings
from stockpile.unforeseen import log_to_stderr, log_unforeseen

POLL = 5.0
"""Seconds between two looks."""
DAY_ASKED = 900.0
"""Seconds between two looks for what a day brings about."""
NICE = 10
"""Whoever stands at a counter comes first."""

logged = structlog.get_logger("stockpile.alerts")


def mail_server(settings: Settings) -> MailServer | None:
    """The mail server of the settings; None: none is named."""
    if not settings.mail_host:
        return None
    return MailServer(
        settings.mail_host, settings.mail_port, settings.mail_security, settings.mail_user, settings.mail_password,
        settings.mail_from,
    )  # fmt: skip


def look(engine: Engine, settings: Settings, whole: bool = True) -> None:
    """One round: finds alerts, makes e-mails of them, sends what is due."""
    find_alerts(engine, whole)
    queue(engine)
    server = mail_server(settings)
    if server is not None:
        send_waiting(engine, server, lambda letter: written(letter, settings))


def written(letter: Letter, settings: Settings) -> EmailMessage:
    """A letter in its reader's language."""
    say = language_of(letter.language).texts.gettext
    return message_of(letter, settings.mail_from, settings.address.rstrip("/"), say)


def watch(settings: Settings, engine: Engine, ended: threading.Event) -> None:
    """Goes on until `ended`, whatever goes wrong meanwhile."""
    said, day_from = "", time.monotonic()
    while not ended.wait(POLL):
        whole = time.monotonic() >= day_from
        try:
            look(engine, settings, whole)
            said = ""
            if whole:
                day_from = time.monotonic() + DAY_ASKED
        except StockpileError as problem:
            if problem.detail != said:
                logged.error("alerts stand still", why=problem.detail)
            said = problem.detail
        except Exception as problem:
            log_unforeseen("looking for alerts failed", problem)


def main() -> None:
    """Looks by the settings in the environment, until the parent is gone or somebody ends it."""
    settings, ended = read_settings(), until_ended()
    log_to_stderr(logging.getLevelNamesMapping()[settings.log_level.upper()])
    os.nice(NICE)
    watch(settings, engine_of(settings.database_url), ended)


if __name__ == "__main__":
    main()
