"""What is inside: the weapons and quantities on accounts, now or at an earlier moment. It only reads, and only one's own
site's accounts; that it stays true takes `stockpile.standstill`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.movements import HELD
from stockpile.sites import Place, Site, place_of


@dataclass(frozen=True, slots=True)
class Inside:
    """So many of an item on an account."""

    item_id: UUID
    account_id: UUID
    quantity: int


_NOW = "SELECT item_id, account_id, quantity FROM holding WHERE account_id = ANY (%(accounts)s)"
_AT = """
SELECT item_id, account_id, sum(quantity)::bigint FROM (
    SELECT item_id, to_account AS account_id, quantity FROM site_entries(%(moment)s, 'infinity') WHERE to_account = ANY (%(accounts)s)
    UNION ALL
    SELECT item_id, from_account, -quantity FROM site_entries(%(moment)s, 'infinity') WHERE from_account = ANY (%(accounts)s)) leg
GROUP BY item_id, account_id HAVING sum(quantity) > 0
"""


def inside(connection: Connection, accounts: Sequence[UUID], moment: datetime | None = None) -> list[Inside]:
    """What is on accounts of the own site; what was, by all that is recorded today, if a moment is given."""
    question = _NOW if moment is None else _AT
    rows = connection.exec_driver_sql(question, {"accounts": list(accounts), "moment": moment})
    return [Inside(*row) for row in rows]


def holding_accounts(connection: Connection, site: Site) -> dict[UUID, Place]:
    """Every account of a site on which somebody has things in hand: stores, workshop, units and people."""
    rows = connection.exec_driver_sql(
        "SELECT account_id, class, name, site_id, party_id FROM account WHERE site_id = %s AND class = ANY (%s)",
        (site.site_id, [str(one) for one in HELD]),
    )
    return {row[0]: place_of(row) for row in rows}
