"""When everything was recomputed from the rows, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.reports.keyset import Page, by_moment, by_number, order_asked, orders, read_page
from stockpile.rights import AUDITOR, READ_ALARMS, REGISTRAR, Actor, require


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that is wrong, what is wrong with it, and the check that found it."""

    check: str
    row: str
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """A verification. `log` and `checkpoint`: the newest checkpoint that was verified, by its log and its size; `since`: leaves under the
    checkpoint of this size were taken as they are. `first_wrong`: only for who reads all sites; others read how many rows there are.
    """

    verification_id: UUID
    began_at: datetime
    ended_at: datetime
    log: str | None
    checkpoint: int | None
    since: int | None
    wrong_count: int
    first_wrong: str | None


_WHICH = "wrong #>> '{0,row}' || ': ' || (wrong #>> '{0,what}')"
_VERIFICATIONS = """
SELECT began_at, verification_id, verification_id, began_at, ended_at, (SELECT origin FROM log_origin o WHERE o.log = v.log), tree_size,
       since, wrong_count, {which}
FROM verification v
"""
_NEWEST: dict[str, Callable[[str], Any]] = {"began_at": datetime.fromisoformat, "verification_id": UUID}
ORDERS = orders(
    {"verification_id": UUID},
    began_at=by_moment("began_at"),
    checkpoint=by_number("tree_size"),
    since=by_number("since"),
    wrong_count=by_number("wrong_count"),
)


def list_verifications(
    connection: Connection, actor: Actor, limit: int = 100, cursor: str | None = None, order: str | None = None
) -> Page[Verification]:
    """All verifications, the newest first. The connection stands in the actor's role. Raises NotAllowed, Invalid (limit, cursor)."""
    require(actor, READ_ALARMS)
    return read_page(
        connection,
        _VERIFICATIONS.format(which=_WHICH if _reads_all_sites(actor) else "NULL"),
        {},
        _NEWEST,
        Verification,
        limit,
        cursor,
        newest_first=True,
        order=order_asked(order, ORDERS),
    )


@dataclass(frozen=True, slots=True)
class LastVerification:
    """The last verification. `since`: leaves under the checkpoint of this size were taken as they are. `wrong`: only for who reads all
    sites; others read how many there are.
    """

    began_at: datetime
    ended_at: datetime
    since: int | None
    wrong_count: int
    wrong: tuple[WrongRow, ...]


_LAST = (
    "SELECT verification_id, began_at, ended_at, since, wrong_count FROM verification ORDER BY began_at DESC LIMIT 1"
)
_WRONG = "SELECT wrong FROM verification WHERE verification_id = %s"


def last_verification(connection: Connection, actor: Actor) -> LastVerification | None:
    """The last verification, or None where there was none. The connection stands in the actor's role. Raises NotAllowed."""
    require(actor, READ_ALARMS)
    row = connection.exec_driver_sql(_LAST).one_or_none()
    if row is None:
        return None
    wrong: tuple[WrongRow, ...] = ()
    if _reads_all_sites(actor):
        found = connection.exec_driver_sql(_WRONG, (row[0],)).scalar_one()
        wrong = tuple(WrongRow(**one) for one in found)
    return LastVerification(row[1], row[2], row[3], row[4], wrong)


def _reads_all_sites(actor: Actor) -> bool:
    return actor.role in (AUDITOR, REGISTRAR)
