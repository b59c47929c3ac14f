"""Stocks: how many of each model lie on each account of a site, or with a unit, its people and its sub-units. It only reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.movements import HELD, AccountClass
from stockpile.reports.as_of import NOW
from stockpile.reports.holdings import Holder, accounts_of
from stockpile.reports.keyset import Page, by_number, by_text, order_asked, orders, read_page, spellings
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require


@dataclass(frozen=True, slots=True)
class StockRow:
    """So many pieces of a model on an account; `answers`: who answers for it."""

    site: str
    account_class: str
    account: str
    account_id: UUID
    answers: str | None
    maker: str
    model: str
    quantity: int


_STOCKS = """
SELECT x.site, x.class, x.account, x.account_id, x.maker, x.model, x.site, x.class, x.account, x.account_id, x.answers, x.maker, x.model,
       x.quantity
FROM (SELECT s.code AS site, s.site_id, a.class, a.name AS account, a.account_id, m.maker, m.name AS model, m.model_id, h.quantity,
             CASE WHEN a.class IN ('store', 'maintenance', 'unit') THEN nullif(concat_ws(' ', p.rank, p.name, '(' || p.code || ')'), '')
             END AS answers
      FROM (SELECT h.account_id, i.model_id, sum(h.quantity)::bigint AS quantity
            FROM holding h JOIN item i ON i.item_id = h.item_id JOIN account a ON a.account_id = h.account_id
            WHERE (%s::text IS NULL OR a.class = %s) AND (%s::uuid IS NULL OR a.site_id = %s) AND a.class = ANY (%s)
            GROUP BY h.account_id, i.model_id) h
      JOIN account a ON a.account_id = h.account_id JOIN site s ON s.site_id = a.site_id JOIN model m ON m.model_id = h.model_id
      LEFT JOIN party p ON p.party_id = coalesce(a.custodian_id, s.custodian_id)) x
"""


def list_stocks(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    account_class: AccountClass | None = None,
    text: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[StockRow]:
    """What each account holds by model; with a part of the account's or the model's name. Persons' accounts only where their class is
    asked for. Raises NotAllowed (donors; another site's books), NotFound (site), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    site_id = site_asked(connection, actor, site)
    shown = [str(one) for one in HELD if account_class is not None or one is not AccountClass.PERSON]
    where = {"concat_ws(' ', x.account, x.model) ILIKE ANY (%s)": spellings(text)}
    keys = {"x.site": str, "x.class": str, "x.account": str, "x.account_id": UUID, "x.maker": str, "x.model": str}
    asked = str(account_class) if account_class else None
    return read_page(
        connection,
        _STOCKS,
        where,
        keys,
        StockRow,
        limit,
        cursor,
        (asked, asked, site_id, site_id, shown),
        order=order_asked(order, ORDERS),
    )


ORDERS = orders(
    {"x.account_id": UUID, "x.maker": str, "x.model": str},
    site={"x.site": str, "x.class": str, "x.account": str},
    account=by_text("x.account"),
    account_class=by_text("x.class"),
    model=by_text("x.model"),
    quantity=by_number("x.quantity"),
    answers=by_text("x.answers"),
)


@dataclass(frozen=True, slots=True)
class ModelSum:
    """So many pieces of a model, and how many of them lie in stores, with people and units, in the workshop."""

    maker: str
    model: str
    quantity: int
    store: int
    with_units: int
    maintenance: int


_BY_MODEL = """
SELECT m.maker, m.name, sum(h.quantity)::bigint, coalesce(sum(h.quantity) FILTER (WHERE a.class = 'store'), 0)::bigint,
       coalesce(sum(h.quantity) FILTER (WHERE a.class IN ('unit', 'person')), 0)::bigint,
       coalesce(sum(h.quantity) FILTER (WHERE a.class = 'maintenance'), 0)::bigint
FROM holding h JOIN account a ON a.account_id = h.account_id JOIN item i ON i.item_id = h.item_id JOIN model m ON m.model_id = i.model_id
WHERE h.account_id = ANY (%s) GROUP BY m.maker, m.name ORDER BY m.maker, m.name
"""


def sums_by_model(
    connection: Connection, actor: Actor, holder: Holder, classes: Collection[AccountClass] = HELD
) -> list[ModelSum]:
    """What a holder has by model, a unit with its people and sub-units. Raises NotAllowed, NotFound, Invalid as `holdings` does."""
    require(actor, READ_PEOPLE)
    accounts = accounts_of(connection, actor, holder, NOW, classes)
    for_sums(connection)
    return [ModelSum(*row) for row in connection.exec_driver_sql(_BY_MODEL, (accounts,))]
