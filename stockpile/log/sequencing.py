"""The sequencer as a process of its own, beside those that serve: `python -m stockpile.log.sequencing`. It ends with its parent."""

from __future__ import annotations

import logging
import threading
import time

import structlog

from stockpile.beside_the_service import until_ended
from stockpile.db.engine import engine_of
from stockpile.errors import StockpileError
from stockpile.log.sequencer import AT_ONCE, Sequencer
from stockpile.log.signer import LogSigner
from stockpile.log.witnesses import Watched
from stockpile.settings import Settings, read_settings
from stockpile.unforeseen import log_to_stderr, log_unforeseen

POLL = 0.2
"""Seconds between two looks into the queue."""
PATIENCE = 2.0
"""Seconds until it is tried again after something went wrong."""

logged = structlog.get_logger("stockpile.log")


def sequence(settings: Settings, url: str, ended: threading.Event) -> None:
    """Sequences until `ended`, whatever goes wrong meanwhile. Raises NotFound where there are no keys."""
    padding = settings.log_padding if settings.log_cadence else 0
    sequencer = Sequencer(engine_of(url), LogSigner(settings.signing_folder), padding)
    watched = Watched(engine_of(url), settings.signing_folder)
    said = ""
    try:
        while not ended.wait(pause(settings.log_cadence, time.time())):
            try:
                while (moved := sequencer.step() or 0) >= AT_ONCE and not ended.is_set():
                    watched.notice(sequencer.published)
                if moved:
                    watched.notice(sequencer.published)
                said = ""
            except StockpileError as problem:
                if problem.detail != said:
                    logged.error("the log stands still", why=problem.detail)
                said = problem.detail
                ended.wait(PATIENCE)
            except Exception as problem:
                log_unforeseen("sequencing failed", problem)
                ended.wait(PATIENCE)
    finally:
        watched.end()
        sequencer.close()


def pause(cadence: int, moment: float) -> float:
    """Seconds until the next look: by a cadence at its next beat, whatever happened meanwhile."""
    return cadence - moment % cadence if cadence else POLL


def main() -> None:
    """Sequences by the settings in the environment, until the parent is gone or somebody ends it."""
    settings, ended = read_settings(), until_ended()
    log_to_stderr(logging.getLevelNamesMapping()[settings.log_level.upper()])
    sequence(settings, settings.database_url, ended)


if __name__ == "__main__":
    main()
