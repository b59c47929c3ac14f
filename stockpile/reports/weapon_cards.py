"""Weapon cards out: which assigned weapons are with their persons against a card in the rack, since when, and which of
them have been out for more than a day.

It only reads. A card that is overdue is not a loss: it is a question the armourer asks before the evening count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import full_number, now
from stockpile.identity import asset_tag
from stockpile.reports.keyset import Keys, Page, by_moment, by_text, order_asked, orders, read_page, spellings
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sites import day_on_the_walls, find_site

PAPER = "weapon card"
"""The paper of a document of the draw."""
CARD_STANDS = timedelta(days=1)
"""A card stands in the rack for under a day (DESIGN section 4); a longer absence takes a hand receipt."""


def last_move(until: str = "") -> str:
    """The last live entry that moved weapon `h`, with the document that first posted it, as a lateral join: a late fact posts
    entries again under a document of its own, and the card stays what it was. `until` bounds the entries (e) in time.
    """
    return f"""
LATERAL (
    WITH RECURSIVE newest AS (
        SELECT e.document_id, e.posts_again, e.to_account, e.happened_at FROM entry e
        WHERE e.item_id = h.item_id AND e.reverses IS NULL AND e.from_account <> e.to_account {until}
          AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
        ORDER BY e.version DESC LIMIT 1
    ), cited AS (
        SELECT * FROM newest
        UNION ALL
        SELECT p.document_id, p.posts_again, c.to_account, c.happened_at
        FROM cited c JOIN entry p ON p.item_id = h.item_id AND p.version = c.posts_again
    )
    SELECT c.to_account, c.happened_at, d.act, d.details->>'paper' AS paper,
           d.details->'accessories'->(h.item_id::text) AS accessories, d.document_id, d.recorded_at,
           t.code AS book_site, b.code AS book_code, b.year, d.number
    FROM cited c JOIN document d ON d.document_id = c.document_id
    JOIN book b ON b.book_id = d.book_id JOIN site t ON t.site_id = d.site_id
    WHERE c.posts_again IS NULL) last
"""


LAST_MOVE = last_move()


@dataclass(frozen=True, slots=True)
class CardOut:
    """A weapon that is out against a weapon card: who has it, of which unit, since when, and until when a card is enough."""

    item_id: UUID
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    person: str | None
    name: str | None
    rank: str | None
    unit: str | None
    site: str
    document_id: UUID
    document_number: str
    since: datetime
    due_at: datetime
    overdue: bool


# Few of the weapons that persons have are out against a card: only what a card's document brought where it is, or what was posted again and
# may cite one, is asked for its last move. What is asked in the columns is worked out after the order, for the page's rows alone.
_CARDS_OUT = f"""
SELECT c.since, c.item_id, c.* FROM (
    SELECT h.item_id, i.tag_number, m.maker, m.name AS model, (SELECT n.serial_number FROM identified(h.item_id) n) AS serial_number,
           p.code AS person, p.name, p.rank,
           (SELECT u.code FROM (SELECT g.unit_id FROM assignment g
                                WHERE g.party_id = a.party_id AND g.since <= %s AND (g.until IS NULL OR g.until >= %s)
                                ORDER BY g.since DESC, g.until DESC NULLS FIRST, g.assignment_id DESC LIMIT 1) g
            JOIN party u ON u.party_id = g.unit_id) AS unit,
           s.code AS site, s.site_id, last.document_id, last.book_site, last.book_code, last.year, last.number,
           last.happened_at AS since, last.happened_at < %s AS overdue
    FROM (SELECT e.item_id, e.to_account AS account_id FROM document d JOIN entry e ON e.document_id = d.document_id
          WHERE d.act = 'issue' AND d.details ->> 'paper' = '{PAPER}'
          UNION
          SELECT e.item_id, e.to_account FROM entry e WHERE e.posts_again IS NOT NULL AND e.serial) perhaps
    JOIN holding h ON h.item_id = perhaps.item_id AND h.account_id = perhaps.account_id AND h.serial
    JOIN account a ON a.account_id = h.account_id AND a.class = 'person'
    JOIN site s ON s.site_id = a.site_id
    JOIN {LAST_MOVE} ON last.act = 'issue' AND last.paper = '{PAPER}' AND last.to_account = h.account_id
    JOIN item i ON i.item_id = h.item_id
    JOIN model m ON m.model_id = i.model_id
    LEFT JOIN party p ON p.party_id = a.party_id) c
"""


def cards_out(
    connection: Connection,
    actor: Actor,
    overdue: bool | None = None,
    site: str | None = None,
    text: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[CardOut]:
    """The cards that stand in the racks, the longest out first or by one of ORDERS: the overdue ones, or those that are not;
    of a site; with a part of the person, unit, model or serial number. Raises NotAllowed, NotFound (site), Invalid (limit,
    cursor, order).
    """
    require(actor, READ_PEOPLE)
    moment = now()
    where = {
        "c.overdue = %s": overdue,
        "c.site_id = %s": find_site(connection, site).site_id if site else None,
        "concat_ws(' ', c.person, c.rank, c.name, c.unit, c.model, c.serial_number) ILIKE ANY (%s)": spellings(text),
    }
    day = day_on_the_walls(connection, actor.time_zone, moment)
    by = order_asked(order, ORDERS)
    for_sums(connection)
    return read_page(
        connection, _CARDS_OUT, where, _ORDER, _card, limit, cursor, (day, day, moment - CARD_STANDS), order=by
    )


_ORDER: Keys = {"c.since": datetime.fromisoformat, "c.item_id": UUID}
ORDERS = orders(
    {"c.item_id": UUID},
    since=by_moment("c.since"),
    person=by_text("c.person"),
    model=by_text("c.model"),
    serial_number=by_text("c.serial_number"),
    unit=by_text("c.unit"),
)


def _card(*row: Any) -> CardOut:
    item_id, tag, maker, model, serial, person, name, rank, unit, site, _, document_id, *number, since, overdue = row
    return CardOut(
        item_id, asset_tag(tag), maker, model, serial, person, name, rank, unit, site, document_id, full_number(*number),
        since, since + CARD_STANDS, overdue,
    )  # fmt: skip
