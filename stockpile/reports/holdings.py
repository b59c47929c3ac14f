"""What is where, with serials: what an account, a site, a unit with its people and sub-units, or a person holds; and the
weapons behind any number of the trial balance; now, or as of a moment on either clock. A list of its own site for a desk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.identity import asset_tag, read_asset_tag, scan_pattern
from stockpile.movements import BALANCED, HELD, AccountClass
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.keyset import Keys, Order, by_number, by_text, order_asked, orders
from stockpile.reports.open_cases import open_cases_of
from stockpile.reports.pages import cursor_of, page_size, read_cursor_as
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.reports.standing import CLASSES, Standing, standings
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import of_the_books, sentence, template
from stockpile.sites import day_on_the_walls

QUESTION = template("What did a site, a unit or a person hold at a moment, weapon by weapon?")
FINDING = template(
    "The property books held 75,000 of the 185,000 rifles that were reported as issued (GAO-07-711, 2007)."
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose holdings are asked for: exactly one of them. `account` is a key; the others are codes."""

    account: UUID | None = None
    site: str | None = None
    unit: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """One item on one account. `account` and `party_id` are None for donors; `serial_number` is the one it bears now,
    `open_cases` how many cases about it are open now; donors are told of none.
    """

    item_id: UUID
    tracked_by: str
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    lot: str | None
    donor: str | None
    account_id: UUID
    account_class: AccountClass
    account: str | None
    site: str
    party_id: UUID | None
    quantity: int
    condition: str | None
    unverified: bool
    since: datetime | None
    document_number: str | None
    open_cases: int = 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """A page of what is held, by model and serial number, and the sums over all pages. `cursor`: more lines follow."""

    rows: tuple[HoldingLine, ...]
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

_HELD_NOW = """
    SELECT h.item_id, h.account_id, h.model_id, h.quantity FROM holding h JOIN account a ON a.account_id = h.account_id
    WHERE {which}
"""
_HELD_THEN = """
    SELECT item_id, account_id, model_id, sum(quantity)::bigint AS quantity
    FROM (SELECT e.item_id, e.to_account AS account_id, e.model_id, e.quantity
          FROM {entries} e JOIN account a ON a.account_id = e.to_account JOIN item i ON i.item_id = e.item_id
          WHERE {which} {moment}
          UNION ALL
          SELECT e.item_id, e.from_account, e.model_id, -e.quantity
          FROM {entries} e JOIN account a ON a.account_id = e.from_account JOIN item i ON i.item_id = e.item_id
          WHERE {which} {moment}) leg
    GROUP BY item_id, account_id, model_id HAVING sum(quantity) <> 0
"""
_OF_MOMENT = "AND e.happened_at <= %(happened_at)s AND e.recorded_at <= %(recorded_at)s"
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz)"

_LINES = """
WITH {before}, line AS (
    SELECT h.item_id, i.tracked_by, i.tag_number, i.model_id, m.maker, m.name AS model, n.serial_number,
           coalesce(n.serial_key, '') AS key, i.lot,
           p.code AS donor, h.account_id, a.class, s.code AS site, h.quantity
    FROM held h
    JOIN account a ON a.account_id = h.account_id
    JOIN site s ON s.site_id = a.site_id
    JOIN item i ON i.item_id = h.item_id
    JOIN {models} m ON m.model_id = h.model_id
    LEFT JOIN party p ON p.party_id = i.donor_id
    LEFT JOIN LATERAL identified(h.item_id) n ON true
    WHERE %(search)s::text IS NULL OR n.serial_key LIKE %(serial)s OR lower(m.name) LIKE %(search)s OR i.tag_number = %(tag)s
)
"""
_TOTAL = """, total AS (
    SELECT count(*) AS lines, coalesce(sum(quantity), 0)::bigint AS of_all FROM line
)"""
# In the list's own order a page takes the lines of a few models: those alone are told of a million. Of now the holdings are read
# twice, once added up, by several processes, and once for the lines; of a moment that is gone they are worked out once and kept.
_NARROWED = """of_model AS (
    SELECT m.name, sum(h.lines)::bigint AS lines, sum(h.quantity) AS quantity
    FROM ({sums}) h JOIN model m ON m.model_id = h.model_id GROUP BY m.name
), before AS (
    SELECT name, coalesce(sum(lines) FILTER (WHERE name > (%(after)s::text[])[1] IS NOT FALSE)
                          OVER (ORDER BY name ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS lines
    FROM of_model WHERE name >= (%(after)s::text[])[1] IS NOT FALSE
), needed AS (
    SELECT m.model_id, m.maker, m.name FROM model m JOIN before b ON b.name = m.name AND b.lines < %(limit)s
), total AS (
    SELECT coalesce(sum(lines), 0)::bigint AS lines, coalesce(sum(quantity), 0)::bigint AS of_all FROM of_model
)"""
_SUMS_NOW = """
    SELECT h.model_id, count(*) AS lines, sum(h.quantity) AS quantity FROM holding h JOIN account a ON a.account_id = h.account_id
    WHERE {which} GROUP BY h.model_id
"""
_SUMS_THEN = "SELECT model_id, count(*) AS lines, sum(quantity) AS quantity FROM held GROUP BY model_id"
_PAGE = """, page AS (
    SELECT * FROM line WHERE %(after)s::text[] IS NULL OR ({sorted}) {beyond} ({after}) ORDER BY {order} LIMIT %(limit)s
)
SELECT total.lines, total.of_all, page.*, {keys} FROM total LEFT JOIN page ON true ORDER BY {order}
"""
_EVERY = "SELECT * FROM line ORDER BY model, key, item_id, account_id"

_ORDER: Keys = {"model": str, "key": str, "item_id": UUID, "account_id": UUID}
ORDERS = orders(
    {"item_id": UUID, "account_id": UUID},
    model={"model": str, "key": str},
    serial_number={"key": str},
    asset_tag=by_number("tag_number"),
    donor=by_text("donor"),
    account_class=by_text("class"),
    site=by_text("site"),
    quantity=by_number("quantity"),
)
"""All that is held is added up for every page: none of them costs more than another."""
_TYPES = {str: "text", UUID: "uuid"}
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Sought:
    """Which weapons are sought: those to which all applies that is said. `account` is a key; donor and site are codes, `model`
    a model's name, `text` part of a model's name or of a serial number. `unverified`: by an opening list, and nothing
    confirms it yet; only of now can it be asked.
    """

    account: UUID | None = None
    site: str | None = None
    classes: Collection[AccountClass] = BALANCED
    donor: str | None = None
    model: str | None = None
    unverified: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the books: conditions on account (a), holding (h, of now alone) and what either a holding or an item says ({of}),
    and their values.
    """

    conditions: tuple[str, ...]
    values: dict[str, Any]
    at: AsOf

    def and_also(self, condition: str, **values: Any) -> Question:
        """The same question of fewer."""
        return Question((*self.conditions, condition), {**self.values, **values}, self.at)

    def sql(self, actor: Actor, rest: str, narrowed: bool = False) -> str:
        """The whole question, with `rest` after its lines; `narrowed` to the models that a page in the list's own order needs."""
        which = " AND ".join(("a.class <> 'outside'", *self.conditions)).format(of="h" if self.at.now else "i")
        if self.at.now:
            held = _HELD_NOW.format(which=which)
        elif actor.role in DESK:
            held = _HELD_THEN.format(which=which, entries=_SITE_ENTRIES, moment="")
        else:
            held = _HELD_THEN.format(which=which, entries="entry", moment=_OF_MOMENT)
        if not narrowed:
            return _LINES.format(before=f"held AS ({held})", models="model") + rest
        if self.at.now:
            sums = _NARROWED.format(sums=_SUMS_NOW.format(which=which))
            before = f"{sums}, held AS ({held} AND h.model_id IN (SELECT model_id FROM needed))"
        else:
            before = f"held AS MATERIALIZED ({held}), {_NARROWED.format(sums=_SUMS_THEN)}"
        return _LINES.format(before=before, models="needed") + rest


def holdings(
    connection: Connection,
    actor: Actor,
    holder: Holder,
    at: AsOf = NOW,
    search: str | None = None,
    classes: Collection[AccountClass] = HELD,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Holdings:
    """A page of what the holder has on accounts of `classes` (of an account asked for by its key, whatever its class).

    `search` keeps models that contain the text and serial numbers that do (`?` and `*` as in a partial serial). Raises
    NotFound (no such holder in the asker's scope), NotAllowed (another site's books), Invalid (search, limit, cursor).
    """
    require(actor, READ)
    accounts = accounts_of(connection, actor, holder, at, classes)
    question = Question(("a.account_id = ANY (%(accounts)s)",), {"accounts": accounts, **search_of(search)}, at)
    return _page(connection, actor, question, limit, cursor, order)


def list_weapons(
    connection: Connection,
    actor: Actor,
    sought: Sought,
    at: AsOf = NOW,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Holdings:
    """A page of the weapons and quantities sought in the asker's scope: the rows behind a number of the trial balance.

    Raises NotFound (an unknown code), NotAllowed (another site's books), Invalid (search, limit, cursor, `unverified` of a
    moment that is gone).
    """
    require(actor, READ)
    return _page(connection, actor, question_of(connection, actor, sought, at), limit, cursor, order)


def every_weapon(connection: Connection, actor: Actor, sought: Sought, at: AsOf = NOW) -> Iterator[HoldingLine]:
    """All of them in the same order, as they come from the database. Raises as `list_weapons` does, before the first."""
    require(actor, READ)
    question = question_of(connection, actor, sought, at)
    for_sums(connection)
    rows = connection.exec_driver_sql(
        question.sql(actor, _EVERY),
        {**question.values, **at.parameters},
        execution_options={"stream_results": True, "max_row_buffer": BATCH},
    )
    return (line for batch in rows.partitions(BATCH) for line in _stood(connection, actor, batch, at))


def held_on(
    connection: Connection,
    actor: Actor,
    accounts: Collection[UUID],
    models: Collection[UUID],
    at: AsOf = NOW,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Holdings:
    """A page of what of these models is on these accounts, in the asker's scope: the rows behind a number of a report that
    adds up accounts. Raises Invalid (limit, cursor).
    """
    require(actor, READ)
    of = {"accounts": _own(connection, actor, list(accounts), None), "models": list(models)}
    conditions = ("a.account_id = ANY (%(accounts)s)", _CONDITIONS["models"])
    return _page(connection, actor, Question(conditions, {**of, **search_of(None)}, at), limit, cursor, order)


def weapons_on(
    connection: Connection,
    actor: Actor,
    accounts: Collection[UUID],
    sought: Sought = Sought(),
    at: AsOf = NOW,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Holdings:
    """A page of the weapons and quantities sought that are on these accounts. Raises as `list_weapons` does."""
    require(actor, READ)
    question = question_of(connection, actor, sought, at)
    on_accounts = question.and_also("a.account_id = ANY (%(accounts)s)", accounts=list(accounts))
    return _page(connection, actor, on_accounts, limit, cursor, order)


def _page(
    connection: Connection, actor: Actor, question: Question, limit: int, cursor: str | None, order: str | None
) -> Holdings:
    by = order_asked(order, ORDERS) or Order(_ORDER)
    after = [str(value) for value in read_cursor_as(cursor, *by.keys.values())] if cursor else None
    given = {**question.values, **question.at.parameters, "after": after, "limit": page_size(limit) + 1}
    for_sums(connection)
    narrowed = tuple(by.keys) == tuple(_ORDER) and not by.descending and question.values["search"] is None
    rest = ("" if narrowed else _TOTAL) + _in_order(by)
    rows = connection.exec_driver_sql(question.sql(actor, rest, narrowed), given).all()
    lines_in_all, quantity = rows[0][:2]
    page = [row for row in rows if row.item_id is not None]
    shown = page[:limit]
    more = cursor_of(*shown[-1][-len(by.keys) :]) if len(page) > limit else None
    return Holdings(tuple(_stood(connection, actor, shown, question.at)), lines_in_all, quantity, more)


def _in_order(by: Order) -> str:
    """The rest of the question for a page in an order."""
    direction = " DESC" if by.descending else ""
    types = [_TYPES.get(kind, "numeric") for kind in by.keys.values()]  # type: ignore[call-overload]
    return _PAGE.format(
        keys=", ".join(f"({key})::text AS after_{n}" for n, key in enumerate(by.keys)),
        sorted=", ".join(by.keys),
        beyond="<" if by.descending else ">",
        after=", ".join(f"(%(after)s::text[])[{n}]::{kind}" for n, kind in enumerate(types, 1)),
        order=", ".join(key + direction for key in by.keys),
    )


def question_of(connection: Connection, actor: Actor, sought: Sought, at: AsOf) -> Question:
    """What is sought as a question to the books. Raises as `list_weapons` does."""
    if sought.unverified is not None and not at.now:
        fault = Fault(sentence("whether a count confirmed it is known of now only"), field="unverified")
        raise Invalid(sentence("Leave out either 'unverified' or the moment."), [fault])
    asked = {
        "classes": [str(one) for one in sought.classes],
        "account": sought.account,
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
        "unverified": sought.unverified,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return Question(tuple(_CONDITIONS[name] for name in given), {**given, **search_of(sought.text)}, at)


_CONDITIONS = {
    "classes": "a.class = ANY (%(classes)s)",
    "account": "a.account_id = %(account)s",
    "site": "a.site_id = %(site)s",
    "donor": "{of}.donor_id = %(donor)s",
    "models": "{of}.model_id = ANY (%(models)s)",
    "unverified": "h.unverified = %(unverified)s",
}


def _stood(connection: Connection, actor: Actor, rows: Sequence[Any], at: AsOf) -> list[HoldingLine]:
    """Rows as lines, with since when they stand there and under which document."""
    stood = {
        (one.item_id, one.account_id): one
        for several in standings(connection, actor, {row.item_id for row in rows}, at).values()
        for one in several
    }
    in_cases = open_cases_of(connection, actor, {row.item_id for row in rows})
    return [_line(row, stood.get((row.item_id, row.account_id)), in_cases.get(row.item_id, 0)) for row in rows]


def _line(row: Any, standing: Standing | None, open_cases: int) -> HoldingLine:
    return HoldingLine(
        item_id=row.item_id,
        tracked_by=row.tracked_by,
        asset_tag=asset_tag(row.tag_number),
        maker=row.maker,
        model=row.model,
        serial_number=row.serial_number,
        lot=row.lot,
        donor=row.donor,
        account_id=row.account_id,
        account_class=CLASSES[getattr(row, "class")],
        account=standing.account if standing else None,
        site=row.site,
        party_id=standing.party_id if standing else None,
        quantity=row.quantity,
        condition=standing.condition if standing else None,
        unverified=standing.unverified if standing else False,
        since=standing.since if standing else None,
        document_number=standing.document_number if standing else None,
        open_cases=open_cases,
    )


def search_of(text: str | None) -> dict[str, Any]:
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


def accounts_of(
    connection: Connection, actor: Actor, holder: Holder, at: AsOf, classes: Collection[AccountClass]
) -> list[UUID]:
    """The holder's accounts, as far as they are the asker's to read."""
    given = [name for name in ("account", "site", "unit", "person") if getattr(holder, name) is not None]
    if len(given) != 1:
        raise Invalid(
            sentence("Say whose holdings: an account, a site, a unit or a person, one of them."),
            [Fault(sentence("name exactly one"), field="holder")],
        )
    if holder.account is not None:
        found = _own(connection, actor, [holder.account], None)
        if not found:
            raise NotFound(sentence("There is no account {account} here.", account=holder.account))
        return found
    if holder.site is not None:
        return _of_site(connection, actor, holder.site, classes)
    return _of_party(connection, actor, holder, at, classes)


def _of_site(connection: Connection, actor: Actor, code: str, classes: Collection[AccountClass]) -> list[UUID]:
    rows = connection.exec_driver_sql(
        "SELECT account_id FROM account WHERE site_id = %s AND class = ANY (%s)",
        (site_asked(connection, actor, code), [str(one) for one in classes]),
    )
    return list(rows.scalars())


def _of_party(
    connection: Connection, actor: Actor, holder: Holder, at: AsOf, classes: Collection[AccountClass]
) -> list[UUID]:
    if actor.role == DONOR:
        raise NotAllowed(sentence("A donor may not read what units and persons hold."))
    kind, code = ("unit", holder.unit) if holder.unit is not None else ("person", holder.person)
    given = {
        "kind": kind,
        "code": (code or "").strip(),
        "day": day_on_the_walls(connection, actor.time_zone, at.moment),
    }
    accounts = connection.exec_driver_sql(_ACCOUNTS_OF_PARTY, given).scalars().all()
    if not accounts:
        raise NotFound(sentence("There is no {kind} {code!r} here.", kind=of_the_books(kind), code=code))
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
