"""Seals on containers: which there are, over how many weapons, since when, and what was read before each was put on. It only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import NotFound
from stockpile.reports.described import Described, described
from stockpile.reports.keyset import (
    Page,
    by_moment,
    by_number,
    by_text,
    order_asked,
    orders,
    read_page,
    spellings,
)
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class SealRow:
    """A seal: on what, in which store, over how many weapons, since when; `count`: over whose lines it was sealed."""

    seal_id: UUID
    number: str
    site: str
    store: str
    container: str | None
    weapons: int
    count: str | None
    sealed_at: datetime
    sealed_by: str
    broken_at: datetime | None
    broken_by: str | None


_SEALS = f"""
SELECT k.seal_key, k.seal_id, k.seal_id, k.number, s.code, a.name, k.container,
       (SELECT count(*) FROM seal_line l WHERE l.seal_id = k.seal_id),
       s.code || '/COUNT/' || c.number, k.sealed_at, {named("p")}, k.broken_at, CASE WHEN k.broken_by IS NOT NULL THEN {named("b")} END
FROM seal k JOIN site s ON s.site_id = k.site_id JOIN account a ON a.account_id = k.account_id
LEFT JOIN physical_count c ON c.count_id = k.count_id
LEFT JOIN party p ON p.party_id = k.sealed_by LEFT JOIN party b ON b.party_id = k.broken_by
"""


def list_seals(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    broken: bool | None = None,
    text: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[SealRow]:
    """Seals by number, or by one of SEAL_ORDERS, with a part of the number or of what is written on the container. Raises NotAllowed,
    NotFound (site), Invalid (limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    where = {
        "k.site_id = %s": site_asked(connection, actor, site),
        "(k.broken_at IS NOT NULL) = %s": broken,
        "concat_ws(' ', k.number, k.container) ILIKE ANY (%s)": spellings(text),
    }
    by = order_asked(order, SEAL_ORDERS)
    return read_page(connection, _SEALS, where, _SEAL_ORDER, SealRow, limit, cursor, order=by)


_SEAL_ORDER = {"k.seal_key": str, "k.seal_id": UUID}
SEAL_ORDERS = orders(
    _SEAL_ORDER,
    number={},
    container=by_text("k.container"),
    site=by_text("s.code"),
    store=by_text("a.name"),
    weapons=by_number("(SELECT count(*) FROM seal_line l WHERE l.seal_id = k.seal_id)"),
    sealed_at=by_moment("k.sealed_at"),
    sealed_by=by_text("concat_ws(' ', p.rank, p.name)"),
    broken_at=by_moment("k.broken_at"),
    broken_by=by_text("concat_ws(' ', b.rank, b.name)"),
)


def read_seal(connection: Connection, actor: Actor, seal_id: UUID) -> SealRow:
    """One seal in the asker's scope. Raises NotAllowed, NotFound."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(f"{_SEALS} WHERE k.seal_id = %s", (seal_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no seal {seal_id} here.", seal_id=seal_id))
    return SealRow(*row[2:])


def under_seal(connection: Connection, actor: Actor, seal_id: UUID) -> tuple[Described, ...]:
    """The weapons that were read before a seal was put on, by tag. Raises NotAllowed, NotFound."""
    read_seal(connection, actor, seal_id)
    items = connection.exec_driver_sql("SELECT item_id FROM seal_line WHERE seal_id = %s", (seal_id,)).scalars().all()
    return tuple(sorted(described(connection, actor, items).values(), key=lambda one: one.asset_tag))
