"""What is counted, by the name of its model: how many of it are where, as sums by site, class of account and lot.

It only reads, each asker's own scope: a desk its site, a donor what it gave.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from stockpile.catalogue import find_model
from stockpile.movements import AccountClass
from stockpile.rights import DONOR, Actor

SHORTEST = 3
"""Letters of a name that are searched for."""


@dataclass(frozen=True, slots=True)
class CountedLine:
    """How many of a model, of one lot where it is tracked by lot, are on a site's accounts of one class."""

    maker: str
    model: str
    lot: str | None
    site: str
    account_class: AccountClass
    quantity: int


_COUNTED = """
SELECT m.maker, m.name, i.lot, s.code, a.class, sum(h.quantity)::bigint
FROM model m JOIN item i ON i.model_id = m.model_id AND i.tracked_by <> 'serial'
JOIN holding h ON h.item_id = i.item_id JOIN account a ON a.account_id = h.account_id JOIN site s ON s.site_id = a.site_id
WHERE m.tracked_by <> 'serial' AND (m.model_id = %(model)s OR strpos(lower(m.name), lower(%(text)s)) > 0)
GROUP BY m.maker, m.name, i.lot, s.code, a.class ORDER BY m.name, m.maker, i.lot, s.code, a.class
"""


def counted_called(connection: Connection, actor: Actor, text: str) -> tuple[CountedLine, ...]:
    """Where what is counted under a name is: a model's name or a part of it, or, for those who serve the host, an alias.
    Nothing for a text too short to be a name.
    """
    name = " ".join(text.split())
    if len(name) < SHORTEST:
        return ()
    model = find_model(connection, name) if actor.role != DONOR else None
    rows = connection.exec_driver_sql(_COUNTED, {"model": model.model_id if model else None, "text": name})
    return tuple(CountedLine(maker, name, lot, site, AccountClass(kind), n) for maker, name, lot, site, kind, n in rows)
