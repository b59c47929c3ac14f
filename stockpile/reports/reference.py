"""Who, where and what is in the books: lists of parties, sites, models, aliases and signature cards. Only reads; what the
asker's role may not see is absent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue import name_key
from stockpile.errors import NotFound
from stockpile.reports.keyset import (
    Keys,
    Page,
    by_day,
    by_moment,
    by_number,
    by_text,
    order_asked,
    orders,
    read_page,
    spellings,
)
from stockpile.reports.named import ELSEWHERE, ERASED, named
from stockpile.reports.scope import TOLD_OF, shipped
from stockpile.sentences import sentence

PAGE = 100


@dataclass(frozen=True, slots=True)
class PartyRow:
    """A party by its current name; of a person and a sub-unit, the unit it belongs to on the day asked for."""

    party_id: UUID
    kind: str
    code: str | None
    name: str | None
    rank: str | None
    site: str | None
    unit: str | None


_PARTIES = """
SELECT coalesce(p.code, ''), p.party_id, p.party_id, p.kind, p.code, p.name, p.rank, s.code, u.code
FROM party p LEFT JOIN site s USING (site_id)
LEFT JOIN LATERAL (SELECT m.unit_id FROM assignment m
                   WHERE m.party_id = p.party_id AND m.since <= %s AND (m.until IS NULL OR m.until >= %s)
                   ORDER BY m.since DESC, m.until DESC NULLS FIRST, m.assignment_id DESC LIMIT 1) m ON true
LEFT JOIN party u ON u.party_id = m.unit_id
"""


def search_parties(
    connection: Connection,
    day: date,
    kind: str | None = None,
    text: str | None = None,
    site_id: UUID | None = None,
    unit_id: UUID | None = None,
    limit: int = PAGE,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[PartyRow]:
    """Parties by code, or by one of PARTY_ORDERS: of a kind, with a part of code or name, serving at a site, in a unit on
    that day. Raises Invalid (limit, cursor, order).
    """
    where = {
        "p.kind = %s": kind,
        "concat_ws(' ', p.code, p.rank, p.name) ILIKE ANY (%s)": spellings(text),
        "p.site_id = %s": site_id,
        "m.unit_id = %s": unit_id,
    }
    by = order_asked(order, PARTY_ORDERS)
    return read_page(connection, _PARTIES, where, _PARTY_ORDER, PartyRow, limit, cursor, (day, day), order=by)


_PARTY_ORDER: Keys = {"coalesce(p.code, '')": str, "p.party_id": UUID}
PARTY_ORDERS = orders(
    {"p.party_id": UUID},
    code=by_text("p.code"),
    rank=by_text("p.rank"),
    name=by_text("p.name"),
    unit=by_text("u.code"),
    site=by_text("s.code"),
)


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site with its stores and who answers for it; donors are told neither."""

    site_id: UUID
    code: str
    name: str
    time_zone: str
    custodian: str | None
    declared_open_at: datetime | None
    stores: list[str]


_SITES = """
SELECT s.code, s.site_id, s.code, s.name, s.time_zone, nullif(concat_ws(' ', p.rank, p.name, '(' || p.code || ')'), ''),
       s.declared_open_at,
       ARRAY(SELECT a.name FROM account a WHERE a.site_id = s.site_id AND a.class = 'store' ORDER BY a.name)
FROM site s LEFT JOIN party p ON p.party_id = s.custodian_id
"""
_SITES_FOR_DONORS = """
SELECT s.code, s.site_id, s.code, s.name, s.time_zone, NULL, s.declared_open_at, ARRAY[]::text[] FROM site s
"""


def search_sites(
    connection: Connection,
    text: str | None = None,
    for_donor: bool = False,
    limit: int = PAGE,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[SiteRow]:
    """Sites by code, or by one of SITE_ORDERS, with a part of code or name."""
    where = {"concat_ws(' ', s.code, s.name) ILIKE ANY (%s)": spellings(text)}
    question = _SITES_FOR_DONORS if for_donor else _SITES
    return read_page(
        connection,
        question,
        where,
        {"s.code": str},
        SiteRow,
        limit,
        cursor,
        order=order_asked(order, SITE_ORDERS_OF_DONOR if for_donor else SITE_ORDERS),
    )


SITE_ORDERS_OF_DONOR = orders(
    {"s.code": str},
    code={},
    name=by_text("s.name"),
    time_zone=by_text("s.time_zone"),
    declared_open_at=by_moment("s.declared_open_at"),
)
SITE_ORDERS = {**SITE_ORDERS_OF_DONOR, **orders({"s.code": str}, custodian=by_text("concat_ws(' ', p.rank, p.name)"))}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A make and model of the catalogue."""

    model_id: UUID
    maker: str
    name: str
    country: str | None
    calibre: str | None
    category: str
    subcategory: str | None
    variants: str | None
    fire_mode: str | None
    security_risk_category: str | None
    stock_number: str | None
    value: Decimal | None
    value_source: str | None
    treaty_row: str | None
    enhanced_monitoring: bool
    tracked_by: str


_MODELS = """
SELECT m.maker, m.name, m.model_id, m.maker, m.name, m.country, m.calibre, m.category, m.subcategory, m.variants, m.fire_mode,
       m.security_risk_category, m.stock_number, m.value, m.value_source, m.treaty_row, m.enhanced_monitoring, m.tracked_by
FROM model m
"""


def search_models(
    connection: Connection,
    text: str | None = None,
    category: str | None = None,
    limit: int = PAGE,
    cursor: str | None = None,
    risk_category: str | None = None,
    order: str | None = None,
) -> Page[ModelRow]:
    """Models by maker and name, or by one of MODEL_ORDERS, with a part of maker, name or variant, of a category, of a security risk
    category.
    """
    where = {
        "concat_ws(' ', m.maker, m.name, m.variants) ILIKE ANY (%s)": spellings(text),
        "m.category = %s": category,
        "m.security_risk_category = %s": risk_category,
        TOLD_OF: shipped(),
    }
    return read_page(
        connection,
        _MODELS,
        where,
        {"m.maker": str, "m.name": str},
        ModelRow,
        limit,
        cursor,
        order=order_asked(order, MODEL_ORDERS),
    )


MODEL_ORDERS = orders(
    {"m.maker": str, "m.name": str},
    maker={},
    name=by_text("m.name"),
    country=by_text("m.country"),
    calibre=by_text("m.calibre"),
    category=by_text("m.category"),
    subcategory=by_text("m.subcategory"),
    security_risk_category=by_text("m.security_risk_category"),
    tracked_by=by_text("m.tracked_by"),
    enhanced_monitoring=by_number("m.enhanced_monitoring::int"),
    value=by_number("m.value"),
)


def read_model(connection: Connection, model_id: UUID) -> ModelRow:
    """One model; NotFound if there is none."""
    row = connection.exec_driver_sql(
        f"{_MODELS} WHERE m.model_id = %s AND {TOLD_OF}", (model_id, shipped())
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no model {model_id} in the catalogue.", model_id=model_id))
    return ModelRow(*row[2:])


@dataclass(frozen=True, slots=True)
class AliasRow:
    """How a source calls a model, who said so and when; without a model nobody has mapped it yet."""

    alias_id: UUID
    source: str
    name: str
    model_id: UUID | None
    model: str | None
    approved_by: str | None
    approved_at: datetime | None
    first_seen_at: datetime


_ALIASES = f"""
SELECT a.source, a.name_key, a.alias_id, a.source, a.name, a.model_id, m.maker || ' ' || m.name,
       CASE WHEN a.approved_by IS NOT NULL THEN {named("p")} END,
       a.approved_at, a.first_seen_at
FROM alias a LEFT JOIN model m USING (model_id) LEFT JOIN party p ON p.party_id = a.approved_by
"""


def search_aliases(
    connection: Connection,
    mapped: bool | None = None,
    source: str | None = None,
    text: str | None = None,
    limit: int = PAGE,
    cursor: str | None = None,
    model_id: UUID | None = None,
    order: str | None = None,
) -> Page[AliasRow]:
    """Aliases by source and name, or by one of ALIAS_ORDERS, of a model if one is named; `mapped` False: only those that wait for a
    registrar.
    """
    where = {
        "(a.model_id IS NOT NULL) = %s": mapped,
        "a.source = %s": source,
        "a.name ILIKE ANY (%s)": spellings(text),
        "a.model_id = %s": model_id,
    }
    return read_page(
        connection,
        _ALIASES,
        where,
        {"a.source": str, "a.name_key": str},
        AliasRow,
        limit,
        cursor,
        order=order_asked(order, ALIAS_ORDERS),
    )


ALIAS_ORDERS = orders(
    {"a.source": str, "a.name_key": str},
    source={},
    name=by_text("a.name_key"),
    model=by_text("m.maker || ' ' || m.name"),
    approved_by=by_text("concat_ws(' ', p.rank, p.name)"),
    approved_at=by_moment("a.approved_at"),
    first_seen_at=by_moment("a.first_seen_at"),
)


def read_alias(connection: Connection, source: str, name: str) -> AliasRow:
    """What a source means by a name; NotFound if nobody has seen it."""
    row = connection.exec_driver_sql(
        f"{_ALIASES} WHERE a.source = %s AND a.name_key = %s", (source, name_key(name))
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("No list of {source} has called anything {name!r} yet.", source=source, name=name))
    return AliasRow(*row[2:])


@dataclass(frozen=True, slots=True)
class CardRow:
    """A line on a signature card, and how it stands on the day asked for: valid, expired, withdrawn, not begun, or left: the
    person is on no roster any more.
    """

    signature_card_id: UUID
    unit: str
    person: str
    name: str | None
    rank: str | None
    since: date
    until: date
    withdrawn_at: datetime | None
    state: str


_CARDS = f"""
SELECT c.until, c.signature_card_id, c.signature_card_id, u.code,
       CASE WHEN p.erased_at IS NULL THEN coalesce(p.code, '{ELSEWHERE}') ELSE '{ERASED}' END, p.name, p.rank,
       c.since, c.until, c.withdrawn_at, state
FROM signature_card c JOIN party u ON u.party_id = c.unit_id LEFT JOIN party p ON p.party_id = c.party_id
CROSS JOIN LATERAL (SELECT
    CASE WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN c.until < %s THEN 'expired' WHEN c.since > %s THEN 'not begun'
         WHEN EXISTS (SELECT FROM assignment m WHERE m.party_id = c.party_id AND m.since <= %s AND (m.until IS NULL OR m.until >= %s))
         THEN 'valid' ELSE 'left' END AS state) stands
"""


def search_signature_cards(
    connection: Connection,
    day: date,
    unit_id: UUID | None = None,
    party_id: UUID | None = None,
    state: str | None = None,
    text: str | None = None,
    limit: int = PAGE,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[CardRow]:
    """Signature cards, the first to end first, or by one of CARD_ORDERS: of a unit, of a person, in a state on the day, with a part of
    unit or person.
    """
    where = {
        "c.unit_id = %s": unit_id,
        "c.party_id = %s": party_id,
        "state = %s": state,
        "concat_ws(' ', u.code, u.name, p.code, p.rank, p.name) ILIKE ANY (%s)": spellings(text),
    }
    keys: dict[str, Callable[[str], Any]] = {"c.until": date.fromisoformat, "c.signature_card_id": UUID}
    return read_page(
        connection,
        _CARDS,
        where,
        keys,
        CardRow,
        limit,
        cursor,
        (day, day, day, day),
        order=order_asked(order, CARD_ORDERS),
    )


CARD_ORDERS = orders(
    {"c.signature_card_id": UUID},
    unit=by_text("u.code"),
    person=by_text("p.code"),
    rank=by_text("p.rank"),
    name=by_text("p.name"),
    since=by_day("c.since"),
    until=by_day("c.until"),
    state=by_text("state"),
)


def read_signature_card(connection: Connection, signature_card_id: UUID, day: date) -> CardRow:
    """One signature card as it stands on a day; NotFound if there is none."""
    row = connection.exec_driver_sql(
        f"{_CARDS} WHERE c.signature_card_id = %s", (day, day, day, day, signature_card_id)
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no signature card {signature_card_id}.", signature_card_id=signature_card_id))
    return CardRow(*row[2:])
