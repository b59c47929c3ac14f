"""Find: one question for anything one can scan or type. Answers with what it is, where it is, since when, under which
document. Decides nothing where several weapons bear the same number, and guesses only as "did you mean".

Any weapon can be found from any desk, to say where it belongs; persons and documents only by their own site. Donors find
their own weapons, by class and site. Row-level security stands behind every query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile import scans
from stockpile.documents import full_number
from stockpile.errors import Fault, Invalid
from stockpile.identity import PatternKind, SerialPattern, fold, read_asset_tag, scan_pattern, serial_key
from stockpile.marks import HEADER, read_mark
from stockpile.parties import Party
from stockpile.reports.counted import CountedLine, counted_called
from stockpile.reports.described import Described, described
from stockpile.reports.holdings import Holder, Holdings, holdings
from stockpile.reports.open_cases import open_cases_of
from stockpile.reports.pages import cursor_of, page_size, read_cursor_as
from stockpile.reports.standing import Standing, standings
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls

LONGEST = 200
NUMBER = re.compile(r"([A-Z0-9-]{2,12})/([A-Z0-9-]{1,12}(?:\.[A-Z0-9]{1,12})?)/([0-9]{4})/([0-9]{1,9})")
HELD_SHOWN = 20
FIRST_ITEM = UUID(int=0)
AFTER_ALL = "\U0010ffff" * 4


@dataclass(frozen=True, slots=True)
class FoundItem:
    """A weapon, or what is counted. A weapon stands on one account or, outside the books, on none. `open_cases`: how many cases
    about it are open; donors are told of none.
    """

    item: Described
    standings: tuple[Standing, ...]
    open_cases: int = 0


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document. `lines` and `quantity` are, for a donor, those of its own items. `claimed_number`: what a paper in the
    exceptions book says its number is.
    """

    document_id: UUID
    number: str
    site: str
    act: str
    fact: bool
    happened_at: datetime
    recorded_at: datetime
    lines: int
    quantity: int
    claimed_number: str | None


@dataclass(frozen=True, slots=True)
class FoundParty:
    """A person or unit of the asker's scope: where they serve, in which unit now, and the first of what they hold."""

    party_id: UUID
    kind: str
    code: str | None
    name: str
    sites: tuple[str, ...]
    units: tuple[str, ...]
    holds: Holdings


@dataclass(frozen=True, slots=True)
class Found:
    """What a text may mean. `did_you_mean`: nothing bears it, these look alike. `cursor`: more items follow. `counted`: where
    what is counted under such a name is.
    """

    text: str
    did_you_mean: bool
    items: tuple[FoundItem, ...]
    documents: tuple[FoundDocument, ...]
    parties: tuple[FoundParty, ...]
    cursor: str | None
    counted: tuple[CountedLine, ...] = ()


def find(connection: Connection, actor: Actor, text: str, limit: int = 20, cursor: str | None = None) -> Found:
    """What `text` means in the asker's scope: an asset tag, a serial number in any spelling or in part (`?` one character,
    `*` any), a UII, a document's number or key, an item's key, a service number or a unit's code; the name of what is counted.

    An empty answer: nothing the asker may see bears it. Raises Invalid (empty, too long, no letter or digit, limit, cursor).
    """
    require(actor, READ)
    asked = text.strip()
    if not asked or len(asked) > LONGEST:
        what = sentence("is empty")
        if asked:
            what = sentence("has {count} characters; at most {most} are possible", count=len(asked), most=LONGEST)
        raise Invalid(sentence("The search {what}.", what=what), [Fault(what, field="q")])
    page_size(limit)
    documents = _documents(connection, actor, asked)
    parties = _parties(connection, actor, asked)
    items, more = _items(connection, actor, asked, limit, cursor)
    did_you_mean, nothing = False, not items and not documents and not parties
    counted = counted_called(connection, actor, asked) if nothing and cursor is None and asked.isprintable() else ()
    if nothing and not counted:
        items, more = _look_alikes(connection, actor, asked, limit, cursor)
        did_you_mean = bool(items)
    return Found(asked, did_you_mean, _described(connection, actor, items), documents, parties, more, counted)


Page = tuple[list[UUID], str | None]


def _items(connection: Connection, actor: Actor, asked: str, limit: int, cursor: str | None) -> Page:
    """The items meant: by key, by whatever a scanner reads, by serial number whole or in part."""
    key = _key(asked)
    if key is not None:
        return ([key] if key in described(connection, actor, [key]) else []), None
    by_machine = _read_as_mark(asked)
    pattern = None if by_machine else scan_pattern(asked, serial_key)
    if pattern is None or pattern.kind is PatternKind.EXACT:
        return _page(scans.look_up(connection, [asked]).get(asked, []), limit, cursor)
    return _partial(connection, actor, "serial_key", pattern, limit, cursor)


def look_alikes(connection: Connection, actor: Actor, text: str, limit: int) -> list[UUID]:
    """The first items whose serial number looks like a text that nothing bears; none for what was read by machine, or can
    be no serial number.
    """
    try:
        return _look_alikes(connection, actor, text.strip(), limit, None)[0]
    except Invalid:
        return []


def beginning_like(connection: Connection, actor: Actor, text: str, limit: int) -> list[UUID]:
    """The first items whose serial number begins with what looks like a text, `?` and `*` in it standing for anything; none
    for a text that begins with them, or can begin no serial number.
    """
    try:
        pattern = scan_pattern(f"{text.strip()}*", fold)
    except Invalid:
        return []
    if pattern.first is None:
        return []
    return _partial(connection, actor, "fold", pattern, limit, None)[0]


def _look_alikes(connection: Connection, actor: Actor, asked: str, limit: int, cursor: str | None) -> Page:
    """Items whose serial number looks like it. A tag or a mark was read by machine: it means what it says, or nothing."""
    if _key(asked) or _read_as_mark(asked) or read_asset_tag(asked) is not None:
        return [], None
    pattern = scan_pattern(asked, fold)
    if pattern.first is None:
        return [], None
    return _partial(connection, actor, "fold", pattern, limit, cursor)


def _key(asked: str) -> UUID | None:
    try:
        return UUID(asked) if len(asked) >= 32 else None
    except ValueError:
        return None


def _read_as_mark(asked: str) -> bool:
    """Whether it is a machine-readable mark, not merely a text that has the form of a UII. Raises Invalid for half a mark."""
    try:
        mark = read_mark(asked)
    except Invalid:
        if asked.startswith(HEADER):
            raise
        return False
    return mark is not None and mark.format is not None


def _page(items: Sequence[UUID], limit: int, cursor: str | None) -> Page:
    """A page of items found whole: by key, so that the next page begins where this ends."""
    after = read_cursor_as(cursor, str, UUID)[1] if cursor else FIRST_ITEM
    rest = [item for item in sorted(items) if item > after]
    more = cursor_of("", str(rest[limit - 1])) if len(rest) > limit else None
    return rest[:limit], more


# Both run in the index alone (serial_key or fold, item, donor): no LIKE decides where to look, for under row-level
# security it may not. A prefix reads its range; one that begins with a wild card reads the index through.
_RANGE = """
SELECT DISTINCT {column}, item_id FROM identification
WHERE {column} >= %(first)s AND {column} < %(before)s AND {column} LIKE %(like)s
  AND ({column}, item_id) > (%(after)s, %(after_item)s::uuid)
  AND (%(donor)s::uuid IS NULL OR donor_id = %(donor)s)
ORDER BY {column}, item_id LIMIT %(limit)s
"""
_THROUGH = """
SELECT DISTINCT {column}, item_id FROM identification
WHERE {column} LIKE %(like)s AND ({column}, item_id) > (%(after)s, %(after_item)s::uuid)
  AND (%(donor)s::uuid IS NULL OR donor_id = %(donor)s)
ORDER BY {column}, item_id LIMIT %(limit)s
"""


def _partial(
    connection: Connection, actor: Actor, column: str, pattern: SerialPattern, limit: int, cursor: str | None
) -> Page:
    """A page of items whose serial key or fold fits the pattern, old identifications too."""
    after, after_item = read_cursor_as(cursor, str, UUID) if cursor else ("", FIRST_ITEM)
    exact = pattern.kind is PatternKind.EXACT
    sql = _THROUGH if pattern.first is None else _RANGE
    rows = connection.exec_driver_sql(
        sql.format(column=column),
        {
            "first": pattern.first,
            "before": (pattern.first or "") + "\x01" if exact else pattern.before or AFTER_ALL,
            "like": pattern.like,
            "after": after,
            "after_item": after_item,
            "donor": actor.donor_id if actor.role == DONOR else None,
            "limit": limit + 1,
        },
    ).all()
    shown = rows[:limit]
    more = cursor_of(shown[-1][0], str(shown[-1][1])) if len(rows) > limit else None
    return list(dict.fromkeys(row[1] for row in shown)), more


def _described(connection: Connection, actor: Actor, items: Iterable[UUID]) -> tuple[FoundItem, ...]:
    wanted = list(items)
    if not wanted:
        return ()
    known = described(connection, actor, wanted)
    stood = standings(connection, actor, wanted)
    in_cases = open_cases_of(connection, actor, wanted)
    return tuple(FoundItem(known[item], stood.get(item, ()), in_cases.get(item, 0)) for item in wanted if item in known)


_DOCUMENTS = """
SELECT d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.happened_at, d.recorded_at, d.line_count, d.quantity,
       d.claimed_number
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
WHERE {which}
"""
_BY_NUMBER = """(s.code, b.code, b.year, d.number) = (%(site)s, %(book)s, %(year)s::int, %(number)s::int)
   OR (s.code, b.kind, d.claimed_number) = (%(site)s, 'exceptions', %(text)s)
ORDER BY d.claimed_number NULLS FIRST, d.recorded_at, d.document_id LIMIT 20"""
_DONOR_DOCUMENTS = """
SELECT d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.happened_at, d.recorded_at, own.lines, own.quantity, NULL
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
JOIN LATERAL (SELECT count(*) AS lines, sum(e.quantity)::bigint AS quantity
              FROM entry e WHERE e.document_id = d.document_id AND e.donor_id = %(donor)s) own ON own.lines > 0
WHERE {which}
"""
_BY_KEY = "d.document_id = %(key)s"
_DONOR_BY_NUMBER = "(s.code, b.code, b.year, d.number) = (%(site)s, %(book)s, %(year)s::int, %(number)s::int)"


def _documents(connection: Connection, actor: Actor, asked: str) -> tuple[FoundDocument, ...]:
    """The document of a key or a number, and papers that claim that number."""
    key, number = _key(asked), NUMBER.fullmatch(asked.upper())
    if key is None and number is None:
        return ()
    given: dict[str, Any] = {"donor": actor.donor_id, "key": key}
    if number is not None:
        site, book, year, n = number.groups()
        given |= {
            "site": site,
            "book": book,
            "year": int(year),
            "number": int(n),
            "text": full_number(site, book, int(year), int(n)),
        }
    if actor.role == DONOR:
        sql = _DONOR_DOCUMENTS.format(which=_BY_KEY if key else _DONOR_BY_NUMBER)
    else:
        sql = _DOCUMENTS.format(which=_BY_KEY if key else _BY_NUMBER)
    return tuple(
        FoundDocument(row[0], full_number(*row[1:5]), row[1], *row[5:12])
        for row in connection.exec_driver_sql(sql, given)
    )


_PARTIES = """
SELECT p.party_id, p.kind, p.code, p.name, p.rank,
       ARRAY (SELECT s.code FROM account a JOIN site s ON s.site_id = a.site_id WHERE a.party_id = p.party_id ORDER BY s.code),
       ARRAY (SELECT u.code FROM assignment m JOIN party u ON u.party_id = m.unit_id
              WHERE m.party_id = p.party_id AND m.since <= %(today)s AND (m.until IS NULL OR m.until >= %(today)s) ORDER BY u.code)
FROM party p
WHERE p.kind IN ('person', 'unit') AND p.code = ANY (%(codes)s)
  AND (%(site)s::uuid IS NULL OR EXISTS (SELECT FROM account a WHERE a.party_id = p.party_id AND a.site_id = %(site)s))
ORDER BY p.kind, p.code
"""


def _parties(connection: Connection, actor: Actor, asked: str) -> tuple[FoundParty, ...]:
    """The person or unit of a code, as typed or in capitals."""
    if actor.role == DONOR or not asked.isprintable():
        return ()
    given = {
        "codes": [asked, asked.upper()],
        "today": day_on_the_walls(connection, actor.time_zone),
        "site": actor.site_id if actor.role in DESK else None,
    }
    return tuple(
        FoundParty(
            row[0], row[1], row[2], Party(*row[:5]).display, tuple(row[5]), tuple(row[6]), _holds(connection, actor, row[1], row[2])
        )
        for row in connection.exec_driver_sql(_PARTIES, given).all()
    )  # fmt: skip


def _holds(connection: Connection, actor: Actor, kind: str, code: str) -> Holdings:
    holder = Holder(unit=code) if kind == "unit" else Holder(person=code)
    return holdings(connection, actor, holder, limit=HELD_SHOWN)
