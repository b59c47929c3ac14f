"""What nobody foresaw, told to the log: its type, where it happened, and the database's own codes. Never its message nor the
values that the program had at hand: these may be names, numbers of weapons, and the secrets that salt the log's leaves.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

log = structlog.get_logger("stockpile.unforeseen")

FRAMES = 12


def log_to_stderr(level: int) -> None:
    """Sets up this process's log. Also what is logged with its exception, by whomever, is told as `about` tells it."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
            without_values,
            structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log_unforeseen(event: str, error: BaseException, **where: str) -> None:
    """Logs an error nobody foresaw, with the keys of what it happened to."""
    log.error(event, **where, **about(error))


def about(error: BaseException) -> dict[str, Any]:
    """What may be told of an error: type, SQLSTATE, constraint, and the places in the program it came through."""
    original = getattr(error, "orig", error)
    return {
        "kind": type(error).__name__,
        "sqlstate": getattr(original, "sqlstate", None),
        "constraint": getattr(getattr(original, "diag", None), "constraint_name", None),
        "where": [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-FRAMES:]
        ],
    }


def without_values(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A processor of structlog: puts `about` in the place of an exception, which it would print with all local variables."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    return {**event, **about(error)} if isinstance(error, BaseException) else event
