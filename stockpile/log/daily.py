"""The daily verification, as a process of its own beside those that serve: `python -m stockpile.log.daily`. It ends with its parent."""

from __future__ import annotations

import logging
import os
import threading
from datetime import timedelta

import structlog
from sqlalchemy import Engine

from stockpile.db import roles
from stockpile.db.engine import engine_of, transaction
from stockpile.documents import now
from stockpile.errors import StockpileError
from stockpile.files import file_store
from stockpile.log.verify import keys_at_hand, record, verify
from stockpile.settings import read_settings
from stockpile.unforeseen import log_to_stderr, log_unforeseen

EVERY = timedelta(days=1)
LOCK = 7_365_004
"""Advisory lock of the database: of two services one verifies."""
NICE = 10
"""Whoever stands at a counter comes first."""

logged = structlog.get_logger("stockpile.verify")


def verify_if_due(engine: Engine) -> bool:
    """Verifies everything, unless that was done within a day or another does it now; whether it did. Raises DatabaseUnavailable."""
    with transaction(engine, roles.VERIFIER) as connection:
        if not connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,)).scalar():
            return False
        last = connection.exec_driver_sql("SELECT max(began_at) FROM verification WHERE since IS NULL").scalar()
        if last is not None and now() - last < EVERY:
            return False
        verified = verify(engine, file_store(), go_on=True, keys=keys_at_hand(read_settings().signing_folder))
        record(engine, verified)
    for found in verified.wrong:
        logged.error("the books are not as they were posted", check=found.check, row=found.row, what=found.what)
    return True


def main() -> None:
    """Verifies by the settings in the environment, if a day has gone."""
    settings = read_settings()
    log_to_stderr(logging.getLevelNamesMapping()[settings.log_level.upper()])
    parent = int(os.environ.get("STOCKPILE_PARENT", os.getppid()))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.nice(NICE)
    try:
        verify_if_due(engine_of(settings.database_url))
    except StockpileError as problem:
        logged.error("the books could not be verified", why=problem.detail)
    except Exception as problem:
        log_unforeseen("verifying failed", problem)


def _end_with(parent: int) -> None:
    alone = threading.Event()
    while os.getppid() == parent:
        alone.wait(1)
    os._exit(1)


if __name__ == "__main__":
    main()
