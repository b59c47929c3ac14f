"""Whether a case about a weapon is open: shown wherever the weapon is. Of another site's case no more than that it is there."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection

from stockpile.rights import DONOR, Actor


def open_cases_of(connection: Connection, actor: Actor, item_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many open cases each weapon has that has any, at whichever site; donors are told of none."""
    wanted = list(item_ids)
    if actor.role == DONOR or not wanted:
        return {}
    rows = connection.exec_driver_sql("SELECT item_id, cases FROM open_cases_of(%s)", (wanted,))
    return {item_id: cases for item_id, cases in rows}
