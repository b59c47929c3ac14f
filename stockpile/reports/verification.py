"""When everything was last recomputed from the rows, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from stockpile.rights import AUDITOR, READ_ALARMS, REGISTRAR, Actor, require


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that is wrong, what is wrong with it, and the check that found it."""

    check: str
    row: str
    what: str


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
    if actor.role in (AUDITOR, REGISTRAR):
        found = connection.exec_driver_sql(_WRONG, (row[0],)).scalar_one()
        wrong = tuple(WrongRow(**one) for one in found)
    return LastVerification(row[1], row[2], row[3], row[4], wrong)
