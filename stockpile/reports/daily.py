"""A site's day on one page: which documents were posted, what is held now, what is open and what is late. It only reads, in the asker's
role; a desk its own site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import Invalid
from stockpile.movements import BALANCED
from stockpile.reports.counts_due import list_due
from stockpile.reports.export import every_row
from stockpile.reports.scope import site_asked
from stockpile.reports.shipments import Sought, list_shipments
from stockpile.reports.weapon_cards import cards_out
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import Site, read_site


@dataclass(frozen=True, slots=True)
class Posted:
    """The documents of one kind that a book got on a day. `card`: issued against weapon cards."""

    book: str
    act: str
    card: bool
    first: int
    last: int
    documents: int
    lines: int


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in the accounts of one class."""

    account_class: str
    weapons: int
    counted: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The open discrepancies of one kind, and how many of them are overdue."""

    kind: str
    number: int
    overdue: int
    oldest: date


@dataclass(frozen=True, slots=True)
class Late:
    """What ought to have been done: accounts to be counted, weapon cards, shipments to the site, numbers of books that have not come."""

    counts: int
    cards: int
    shipments: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Day:
    """A site's day, as the books stand at `moment`."""

    site: Site
    day: date
    moment: datetime
    posted: tuple[Posted, ...]
    held: tuple[Held, ...]
    opened: tuple[Opened, ...]
    late: Late


_POSTED = """
SELECT concat_ws('/', s.code, b.code, b.year), d.act, coalesce(d.details ->> 'paper' = 'weapon card', false) AS card,
       min(d.number), max(d.number), count(*), sum(d.line_count)::bigint
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
WHERE d.site_id = %(site)s
  AND d.recorded_at >= (%(day)s::date)::timestamp AT TIME ZONE %(zone)s
  AND d.recorded_at < (%(day)s::date + 1)::timestamp AT TIME ZONE %(zone)s
GROUP BY s.code, b.code, b.year, d.act, card ORDER BY b.code, b.year, min(d.number)
"""
_HELD = """
SELECT a.class, coalesce(sum(h.quantity) FILTER (WHERE h.serial), 0)::bigint,
       coalesce(sum(h.quantity) FILTER (WHERE NOT h.serial), 0)::bigint
FROM holding h JOIN account a ON a.account_id = h.account_id
WHERE a.site_id = %(site)s GROUP BY a.class
"""
_OPENED = """
SELECT kind, count(*), count(*) FILTER (WHERE due_on < %(today)s), min((opened_at AT TIME ZONE %(zone)s)::date)
FROM discrepancy WHERE site_id = %(site)s AND closed_at IS NULL GROUP BY kind ORDER BY count(*) DESC, kind
"""
_NUMBERS = """
SELECT coalesce(sum(x.last_number - x.first_number + 1), 0)::bigint FROM discrepancy x JOIN book b ON b.book_id = x.book_id
WHERE b.site_id = %(site)s AND x.closed_at IS NULL
"""


def read_day(connection: Connection, actor: Actor, code: str | None = None, day: date | None = None) -> Day:
    """The day of a site, by the clock on its wall; without a day, today. Raises NotAllowed (donors; another site's books), NotFound
    (site), Invalid (no site said by who is bound to none; a day that has not come).
    """
    require(actor, READ_PEOPLE)
    site_id = site_asked(connection, actor, code)
    if site_id is None:
        raise Invalid(sentence("Say of which site: a sheet is of one."))
    site, moment = read_site(connection, site_id), now()
    today = site.local_day(moment)
    shown = day or today
    if shown > today:
        raise Invalid(sentence("{day} has not come yet at {site}.", day=str(shown), site=site.code))
    asked = {"site": site_id, "day": shown, "today": today, "zone": site.time_zone}
    held = {row[0]: Held(*row) for row in connection.exec_driver_sql(_HELD, asked)}
    return Day(
        site=site,
        day=shown,
        moment=moment,
        posted=tuple(Posted(*row) for row in connection.exec_driver_sql(_POSTED, asked)),
        held=tuple(held[one] for one in BALANCED if one in held),
        opened=tuple(Opened(*row) for row in connection.exec_driver_sql(_OPENED, asked)),
        late=_late(connection, actor, site, site_id),
    )


def _late(connection: Connection, actor: Actor, site: Site, site_id: UUID) -> Late:
    code = site.code
    shipments = Sought(to_site=code, overdue=True)
    return Late(
        counts=sum(1 for _ in every_row(lambda n, cursor: list_due(connection, actor, code, True, n, cursor))),
        cards=sum(1 for _ in every_row(lambda n, cursor: cards_out(connection, actor, True, code, None, n, cursor))),
        shipments=sum(1 for _ in every_row(lambda n, cursor: list_shipments(connection, actor, shipments, n, cursor))),
        numbers=int(connection.exec_driver_sql(_NUMBERS, {"site": site_id}).scalar_one()),
    )
