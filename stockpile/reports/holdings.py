"""What an account, a site, a unit with its people and sub-units, or a person holds: now, or as of a moment on either clock,
with serials. A list of its own site for a desk; nothing here counts what is merely expected.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.identity import asset_tag, read_asset_tag, scan_pattern
from stockpile.movements import HELD, AccountClass
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.pages import cursor_of, page_size, read_cursor_as
from stockpile.reports.standing import standings
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sites import find_site


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose holdings are asked for: exactly one of them. `account` is a key; the others are codes."""

    account: UUID | None = None
    site: str | None = None
    unit: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """One item on one account. `account` and `party_id` are None for donors; `serial_number` is the latest known."""

    item_id: UUID
    tracked_by: str
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    lot: str | None
    account_id: UUID
    account_class: AccountClass
    account: str | None
    site: str
    party_id: UUID | None
    quantity: int
    condition: str | None
    unverified: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """A page of what is held, by model and serial number, and the sums over all pages. `cursor`: more lines follow."""

    lines: tuple[HoldingLine, ...]
    line_count: int
    quantity: int
    cursor: str | None


_ACCOUNTS_OF_PARTY = """
WITH RECURSIVE belongs AS (
    SELECT party_id, kind FROM party WHERE kind = %(kind)s AND code = %(code)s
    UNION
    SELECT p.party_id, p.kind
    FROM belongs b JOIN assignment m ON m.unit_id = b.party_id AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)
    JOIN party p ON p.party_id = m.party_id
)
SELECT a.account_id FROM belongs b JOIN account a ON a.party_id = b.party_id
UNION
SELECT a.account_id FROM belongs b JOIN account a ON a.unit_id = b.party_id
"""
"""A party's accounts; a unit's with its people, sub-units and stores, as they belonged to it on the day."""

_HELD_NOW = "SELECT item_id, account_id, quantity FROM holding WHERE account_id = ANY (%(accounts)s)"

_HELD_THEN = """
    SELECT item_id, account_id, sum(quantity)::bigint AS quantity
    FROM (SELECT item_id, to_account AS account_id, quantity FROM {entries} AND to_account = ANY (%(accounts)s)
          UNION ALL
          SELECT item_id, from_account, -quantity FROM {entries} AND from_account = ANY (%(accounts)s)) leg
    GROUP BY item_id, account_id HAVING sum(quantity) <> 0
"""
_COUNTRY_ENTRIES = "entry WHERE happened_at <= %(happened_at)s AND recorded_at <= %(recorded_at)s"
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz) WHERE true"

_HOLDINGS = """
WITH held AS ({held}
), line AS (
    SELECT h.item_id, i.tracked_by, i.tag_number, m.maker, m.name AS model, n.serial_number, coalesce(n.serial_key, '') AS key, i.lot,
           h.account_id, a.class, s.code AS site, h.quantity
    FROM held h
    JOIN account a ON a.account_id = h.account_id
    JOIN site s ON s.site_id = a.site_id
    JOIN item i ON i.item_id = h.item_id
    JOIN model m ON m.model_id = i.model_id
    LEFT JOIN LATERAL (SELECT n.serial_number, n.serial_key FROM identification n WHERE n.item_id = h.item_id
                       ORDER BY n.version DESC LIMIT 1) n ON true
    WHERE %(search)s::text IS NULL OR n.serial_key LIKE %(serial)s OR lower(m.name) LIKE %(search)s OR i.tag_number = %(tag)s
), total AS (
    SELECT count(*) AS lines, coalesce(sum(quantity), 0)::bigint AS quantity FROM line
), page AS (
    SELECT * FROM line
    WHERE %(model)s::text IS NULL OR (model, key, item_id, account_id) > (%(model)s, %(key)s, %(item)s::uuid, %(account)s::uuid)
    ORDER BY model, key, item_id, account_id LIMIT %(limit)s
)
SELECT total.lines, total.quantity AS of_all, page.* FROM total LEFT JOIN page ON true ORDER BY model, key, item_id, account_id
"""

_NOW = _HOLDINGS.format(held=_HELD_NOW)
_COUNTRY_THEN = _HOLDINGS.format(held=_HELD_THEN.format(entries=_COUNTRY_ENTRIES))
_SITE_THEN = _HOLDINGS.format(held=_HELD_THEN.format(entries=_SITE_ENTRIES))


def holdings(
    connection: Connection,
    actor: Actor,
    holder: Holder,
    at: AsOf = NOW,
    search: str | None = None,
    classes: Collection[AccountClass] = HELD,
    limit: int = 100,
    cursor: str | None = None,
) -> Holdings:
    """A page of what the holder has on accounts of `classes` (of an account asked for by its key, whatever its class).

    `search` keeps models that contain the text and serial numbers that do (`?` and `*` as in a partial serial). Raises
    NotFound (no such holder in the asker's scope), NotAllowed (another site's books), Invalid (search, limit, cursor).
    """
    require(actor, READ)
    accounts = _accounts(connection, actor, holder, at, classes)
    after = read_cursor_as(cursor, str, str, UUID, UUID) if cursor else (None, None, None, None)
    given: dict[str, Any] = {
        "accounts": accounts,
        "limit": page_size(limit) + 1,
        **dict(zip(("model", "key", "item", "account"), after, strict=True)),
        **_search(search),
        **at.parameters,
    }
    rows = connection.exec_driver_sql(_sql(actor, at), given).all()
    lines_in_all, quantity = rows[0][:2]
    page = [row for row in rows if row.item_id is not None]
    shown = page[:limit]
    stood = {
        (one.item_id, one.account_id): one
        for several in standings(connection, actor, {row.item_id for row in shown}, at).values()
        for one in several
    }
    last = shown[-1] if len(page) > limit else None
    more = cursor_of(last.model, last.key, str(last.item_id), str(last.account_id)) if last else None
    return Holdings(tuple(_line(row, stood) for row in shown), lines_in_all, quantity, more)


def _sql(actor: Actor, at: AsOf) -> str:
    if at.now:
        return _NOW
    return _SITE_THEN if actor.role in DESK else _COUNTRY_THEN


def _line(row: Any, stood: dict[tuple[UUID, UUID], Any]) -> HoldingLine:
    standing = stood.get((row.item_id, row.account_id))
    return HoldingLine(
        item_id=row.item_id,
        tracked_by=row.tracked_by,
        asset_tag=asset_tag(row.tag_number),
        maker=row.maker,
        model=row.model,
        serial_number=row.serial_number,
        lot=row.lot,
        account_id=row.account_id,
        account_class=AccountClass(row[11]),
        account=standing.account if standing else None,
        site=row.site,
        party_id=standing.party_id if standing else None,
        quantity=row.quantity,
        condition=standing.condition if standing else None,
        unverified=standing.unverified if standing else False,
        since=standing.since if standing else None,
    )


def _search(text: str | None) -> dict[str, Any]:
    """What a search means for SQL: a part of a serial key, a part of a model's name, or an asset tag."""
    if text is None or not text.strip():
        return {"search": None, "serial": None, "tag": None}
    pattern = scan_pattern(text)
    wild = "%" in pattern.like or "_" in pattern.like.replace("\\_", "")
    words = " ".join(text.split()).lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        "search": f"%{words}%",
        "serial": pattern.like if wild else f"%{pattern.like}%",
        "tag": read_asset_tag(text),
    }


def _accounts(
    connection: Connection, actor: Actor, holder: Holder, at: AsOf, classes: Collection[AccountClass]
) -> list[UUID]:
    """The holder's accounts, as far as they are the asker's to read."""
    given = [name for name in ("account", "site", "unit", "person") if getattr(holder, name) is not None]
    if len(given) != 1:
        raise Invalid(
            "Say whose holdings: an account, a site, a unit or a person, one of them.",
            [Fault("name exactly one", field="holder")],
        )
    if holder.account is not None:
        found = _own(connection, actor, [holder.account], None)
        if not found:
            raise NotFound(f"There is no account {holder.account} here.")
        return found
    if holder.site is not None:
        return _of_site(connection, actor, holder.site, classes)
    return _of_party(connection, actor, holder, at, classes)


def _of_site(connection: Connection, actor: Actor, code: str, classes: Collection[AccountClass]) -> list[UUID]:
    site = find_site(connection, code)
    if actor.role in DESK and site.site_id != actor.site_id:
        raise NotAllowed(f"You read the books of {actor.site_code} only, not of {site.code}.")
    rows = connection.exec_driver_sql(
        "SELECT account_id FROM account WHERE site_id = %s AND class = ANY (%s)",
        (site.site_id, [str(one) for one in classes]),
    )
    return list(rows.scalars())


def _of_party(
    connection: Connection, actor: Actor, holder: Holder, at: AsOf, classes: Collection[AccountClass]
) -> list[UUID]:
    if actor.role == DONOR:
        raise NotAllowed("A donor may not read what units and persons hold.")
    kind, code = ("unit", holder.unit) if holder.unit is not None else ("person", holder.person)
    given = {"kind": kind, "code": (code or "").strip(), "day": at.day}
    accounts = connection.exec_driver_sql(_ACCOUNTS_OF_PARTY, given).scalars().all()
    if not accounts:
        raise NotFound(f"There is no {kind} {code!r} here.")
    return _own(connection, actor, list(accounts), classes)


def _own(
    connection: Connection, actor: Actor, accounts: list[UUID], classes: Collection[AccountClass] | None
) -> list[UUID]:
    """Those of the accounts that are in the asker's scope and of the classes."""
    rows = connection.exec_driver_sql(
        """SELECT account_id FROM account WHERE account_id = ANY (%(accounts)s) AND class <> 'outside'
           AND (%(site)s::uuid IS NULL OR site_id = %(site)s) AND (%(classes)s::text[] IS NULL OR class = ANY (%(classes)s))""",
        {
            "accounts": accounts,
            "site": actor.site_id if actor.role in DESK else None,
            "classes": [str(one) for one in classes] if classes is not None else None,
        },
    )
    return list(rows.scalars())
