"""A site's books held closed for a moment, so that what its accounts hold can be read and stays true until the commit.

A posting locks its items first and then takes its number under its book's row lock. Who holds all of a site's books therefore
knows that every posting with a number has ended, and that the others come later, by both clocks. Waiting for books while
holding others turns that order round, so it is done only briefly, and given up before PostgreSQL would end somebody's
posting as a deadlock (`deadlock_timeout`, a second by default).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from stockpile import items
from stockpile.errors import DatabaseUnavailable
from stockpile.items import Held
from stockpile.sentences import sentence
from stockpile.sites import Site

BRIEFLY = "200ms"
AT_ONCE = "10ms"
PATIENCE = 60.0
"""Seconds until a site whose counters never come to rest is given up: an overrun can't wait for a quieter hour."""
AT_A_COUNTER = 4.0
"""The same where somebody stands and waits for the answer."""
PAUSE = 0.02
AT_A_TIME = 5_000
"""Items locked and read by one question: the answer is made into rows in one go, and for so long nobody else in this process is
served.
"""


def close_books(connection: Connection, site: Site) -> None:
    """Waits a moment for the postings of a site that have their number, and holds up those that want one until the end of the
    transaction. Raises DatabaseUnavailable.
    """
    until = time.monotonic() + AT_A_COUNTER
    while not _closed(connection, site):
        _have_patience(until, site)


def hold_still(connection: Connection, site: Site, look: Callable[[], Iterable[UUID]]) -> dict[UUID, Held]:
    """Locks the items that `look` finds, closes the site's books, and looks again: what entered meanwhile is locked, too.
    When it returns, what it found is locked and is all there is. Raises DatabaseUnavailable.
    """
    until = time.monotonic() + PATIENCE
    while True:
        attempt = connection.begin_nested()
        held = _held_still(connection, site, look, until)
        if held is not None:
            attempt.commit()
            return held
        attempt.rollback()
        _have_patience(until, site)


def _held_still(
    connection: Connection, site: Site, look: Callable[[], Iterable[UUID]], until: float
) -> dict[UUID, Held] | None:
    """One attempt. None: somebody holds what entered meanwhile, and may wait for what is held here."""
    wanted, held = sorted(look()), dict[UUID, Held]()
    for start in range(0, len(wanted), AT_A_TIME):  # in the order of items, as others lock them
        held.update(items.whereabouts(connection, wanted[start : start + AT_A_TIME]))
    while True:
        books = connection.begin_nested()
        if _closed(connection, site):
            inside = set(look())
            entered = inside - held.keys()
            if not entered:
                books.commit()
                return {item_id: one for item_id, one in held.items() if item_id in inside}
            books.rollback()
            # Not in the order of items, as others lock them: at once, or all over again.
            if not _locked(connection, entered, held):
                return None
        else:
            books.rollback()
            _have_patience(until, site)


def _closed(connection: Connection, site: Site) -> bool:
    with _given_up_after(connection, BRIEFLY) as got:
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended('books of ' || %s::uuid, 0))", (site.site_id,)
        )
        connection.exec_driver_sql(
            "SELECT FROM book WHERE site_id = %s ORDER BY book_id FOR NO KEY UPDATE", (site.site_id,)
        )
    return not got


def _locked(connection: Connection, entered: Iterable[UUID], held: dict[UUID, Held]) -> bool:
    with _given_up_after(connection, AT_ONCE) as given_up:
        held.update(items.whereabouts(connection, entered))
    return not given_up


_WAIT_FOR_LOCKS = "SELECT set_config('lock_timeout', %s, true)"


@contextmanager
def _given_up_after(connection: Connection, timeout: str) -> Iterator[list[str]]:
    """Within it a lock is waited for so long; given up, nothing of it is held, and the list says why."""
    given_up: list[str] = []
    before = connection.exec_driver_sql("SELECT current_setting('lock_timeout')").scalar_one()
    attempt = connection.begin_nested()
    try:
        connection.exec_driver_sql(_WAIT_FOR_LOCKS, (timeout,))
        yield given_up
    except OperationalError as problem:
        attempt.rollback()
        if not isinstance(problem.orig, LockNotAvailable):
            raise
        given_up.append(str(problem.orig))
    else:
        connection.exec_driver_sql(_WAIT_FOR_LOCKS, (before,))
        attempt.commit()


def _have_patience(until: float, site: Site) -> None:
    if time.monotonic() > until:
        raise DatabaseUnavailable(
            sentence(
                "The counters of {site} do not come to rest. Nothing was done: let them pause for a "
                "moment, and try again with the same document id.",
                site=site.code,
            )
        )
    time.sleep(PAUSE)
