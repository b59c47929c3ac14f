"""The history of one item: every entry, on both clocks, with what was reversed and who signed; and where it was as of any
moment. Persons stand by name only for those who may see them; donors get classes and sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.errors import NotFound
from stockpile.movements import AccountClass
from stockpile.parties import Party
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.described import Described, described
from stockpile.reports.keyset import Page
from stockpile.reports.pages import cursor_of, page_size, read_cursor_as
from stockpile.reports.standing import DONOR_ENTRIES, ENTRIES, Standing, standings
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class End:
    """One end of an entry. `site` is None for outside; `account` is a name as far as the asker may know it."""

    account_class: AccountClass
    account: str | None
    site: str | None
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Signature:
    """Who stands on a document, in which part (posted_by, approved_by, received_by, ...)."""

    part: str
    party_id: UUID
    name: str

    def __str__(self) -> str:
        return f"{self.part}: {self.name}"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of an item.

    `site` is the document's; its number and signatures are hidden (None, empty) where it is not the asker's to read.
    `reversed_by` is the version that takes this one back, `posted_again_by` the one that repeats it. `reason`: why it was
    rejected, also for its donor.
    """

    version: int
    document_id: UUID
    document_number: str | None
    act: str
    fact: bool | None
    site: str
    line: int
    origin: End
    to: End
    quantity: int
    condition: str | None
    happened_at: datetime
    happened_precision: str | None
    recorded_at: datetime
    reverses: int | None
    reversed_by: int | None
    posts_again: int | None
    posted_again_by: int | None
    signatures: tuple[Signature, ...]
    reason: str | None

    @property
    def live(self) -> bool:
        """Whether it is neither a reversal nor reversed."""
        return self.reverses is None and self.reversed_by is None


@dataclass(frozen=True, slots=True)
class Identified:
    """A weapon's marks as read once, with the document behind it: its number is None where it is not the asker's to read.
    `stands`: the entry behind it was not taken back; the newest that stands is what the weapon is now. `mark_place` and
    `mark_method` are of what this version adds.
    """

    version: int
    entry_version: int
    maker: str
    serial_number: str | None
    obliterated: bool
    distinguishing_mark: str | None
    import_mark: str | None
    uii: str | None
    mark_place: str | None
    recorded_at: datetime | None
    import_country: str | None
    import_year: int | None
    mark_method: str | None
    stands: bool
    act: str | None
    document_id: UUID | None
    document_number: str | None


@dataclass(frozen=True, slots=True)
class History:
    """An item with its entries, oldest first, and every identification it has had. `cursor`: more entries follow."""

    item: Described
    identifications: tuple[Identified, ...]
    entries: tuple[HistoryEntry, ...]
    cursor: str | None


_HISTORY = """
WITH e AS MATERIALIZED ({entries})
SELECT e.version, e.document_id, number_site.code, b.code, b.year, d.number, e.act, d.fact, s.code, {line},
       e.from_class, {from_name}, fs.code, e.from_account, e.to_class, {to_name}, ts.code, e.to_account,
       e.quantity, e.condition, e.happened_at, d.happened_precision, e.recorded_at,
       e.reverses, reversal.version, e.posts_again, again.version, rejection.reason
FROM e
JOIN site s ON s.site_id = e.site_id
LEFT JOIN site fs ON fs.site_id = e.from_site
LEFT JOIN site ts ON ts.site_id = e.to_site
LEFT JOIN account f ON f.account_id = e.from_account
LEFT JOIN account t ON t.account_id = e.to_account
LEFT JOIN document d ON d.document_id = e.document_id
LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site number_site ON number_site.site_id = d.site_id
LEFT JOIN e reversal ON reversal.reverses = e.version
LEFT JOIN e again ON again.posts_again = e.version
LEFT JOIN rejections(%(items)s) rejection ON rejection.version = e.version
WHERE e.version > %(after)s ORDER BY e.version LIMIT %(limit)s
"""

_OWN_LINE = """(SELECT count(*)::int FROM entry o
        WHERE o.document_id = e.document_id AND (o.line, o.item_id, o.version) <= (e.line, e.item_id, e.version))"""
"""For a donor: which of its own lines on the document it is."""

_HOST = _HISTORY.format(
    line="e.line",
    entries=ENTRIES,
    from_name="coalesce(f.name, 'a person of ' || fs.code)",
    to_name="coalesce(t.name, 'a person of ' || ts.code)",
)
_DONOR = _HISTORY.format(line=_OWN_LINE, entries=DONOR_ENTRIES, from_name="NULL", to_name="NULL")

_SIGNATURES = """
SELECT g.document_id, g.part, p.party_id, p.kind, p.code, p.name, p.rank
FROM signatory g JOIN party p ON p.party_id = g.party_id
WHERE g.document_id = ANY (%s) ORDER BY g.document_id, g.part
"""

_IDENTIFICATIONS = """
SELECT n.version, n.entry_version, n.maker, n.serial_number, n.obliterated, n.distinguishing_mark, n.import_mark, n.uii, n.mark_place,
       e.recorded_at, n.import_country, n.import_year, n.mark_method,
       n.version = 1 OR standing_entry(n.item_id, n.entry_version) IS NOT NULL,
       e.act, e.document_id, number_site.code, b.code, b.year, d.number
FROM identification n LEFT JOIN ({entries}) e ON e.item_id = n.item_id AND e.version = n.entry_version
LEFT JOIN document d ON d.document_id = e.document_id
LEFT JOIN book b ON b.book_id = d.book_id
LEFT JOIN site number_site ON number_site.site_id = d.site_id
WHERE n.item_id = ANY (%(items)s) ORDER BY n.version
"""

_HOST_IDENTIFICATIONS = _IDENTIFICATIONS.format(entries=ENTRIES)
_DONOR_IDENTIFICATIONS = _IDENTIFICATIONS.format(entries=DONOR_ENTRIES)


def history(
    connection: Connection, actor: Actor, item_id: UUID, limit: int = 500, cursor: str | None = None
) -> History:
    """The item's history, a page of entries at a time. Raises NotFound (unknown, or not the asker's), Invalid (cursor)."""
    require(actor, READ)
    item = _need(connection, actor, item_id)
    after = read_cursor_as(cursor, _version)[0] if cursor else 0
    of_donor = actor.role == DONOR
    given = {"items": [item_id], "donor": actor.donor_id, "after": after, "limit": page_size(limit) + 1}
    rows = connection.exec_driver_sql(_DONOR if of_donor else _HOST, given).all()
    shown = rows[:limit]
    signed = {} if of_donor else _signatures(connection, {row[1] for row in shown})
    entries = tuple(_entry(row, signed.get(row[1], ())) for row in shown)
    identified = connection.exec_driver_sql(_DONOR_IDENTIFICATIONS if of_donor else _HOST_IDENTIFICATIONS, given)
    more = cursor_of(str(entries[-1].version)) if len(rows) > limit else None
    return History(item, tuple(_identified(row) for row in identified), entries, more)


def list_entries(
    connection: Connection, actor: Actor, item_id: UUID, limit: int = 500, cursor: str | None = None
) -> Page[HistoryEntry]:
    """The entries of an item alone, oldest first. Raises as `history` does."""
    found = history(connection, actor, item_id, limit, cursor)
    return Page(found.entries, found.cursor)


def as_of(connection: Connection, actor: Actor, item_id: UUID, at: AsOf = NOW) -> tuple[Standing, ...]:
    """Where the item was at `at.happened_at`, as the books knew at `at.recorded_at`: a weapon on one account, or on none
    (outside the books); a quantity on several. Raises NotFound.
    """
    require(actor, READ)
    _need(connection, actor, item_id)
    return standings(connection, actor, [item_id], at).get(item_id, ())


def _version(text: str) -> int:
    version = int(text)
    if not 0 <= version < 2**31:
        raise ValueError(text)
    return version


def _need(connection: Connection, actor: Actor, item_id: UUID) -> Described:
    item = described(connection, actor, [item_id]).get(item_id)
    if item is None:
        raise NotFound(sentence("There is no item {item_id} here.", item_id=item_id))
    return item


def _signatures(connection: Connection, documents: set[UUID]) -> dict[UUID, tuple[Signature, ...]]:
    found: dict[UUID, list[Signature]] = {}
    for row in connection.exec_driver_sql(_SIGNATURES, (list(documents),)):
        found.setdefault(row[0], []).append(Signature(row[1], row[2], Party(*row[2:]).display))
    return {document: tuple(several) for document, several in found.items()}


def _identified(row: Sequence[Any]) -> Identified:
    number = full_number(*row[16:]) if row[-1] is not None else None
    return Identified(*(*row[:16], number))


def _entry(row: Sequence[Any], signatures: tuple[Signature, ...]) -> HistoryEntry:
    return HistoryEntry(
        version=row[0],
        document_id=row[1],
        document_number=full_number(*row[2:6]) if row[5] is not None else None,
        act=row[6],
        fact=row[7],
        site=row[8],
        line=row[9],
        origin=End(AccountClass(row[10]), row[11], row[12], row[13]),
        to=End(AccountClass(row[14]), row[15], row[16], row[17]),
        quantity=row[18],
        condition=row[19],
        happened_at=row[20],
        happened_precision=row[21],
        recorded_at=row[22],
        reverses=row[23],
        reversed_by=row[24],
        posts_again=row[25],
        posted_again_by=row[26],
        signatures=signatures,
        reason=row[27],
    )
