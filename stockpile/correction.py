"""Mending: late facts laid into their place in time, and reversals. A posted entry is never changed: it is reversed by a
further one that carries the same `happened_at`, and what followed is posted again (invariant 4).

What a document says of a weapon is judged by where the weapon stood when it happened; what a late fact moves is judged
anew. So the books, and what stays open against them, come out the same in whatever order documents arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from sqlalchemy import Connection

from stockpile.discrepancies import Contradiction, Judged, Kind
from stockpile.documents import numbers_of
from stockpile.items import Entry, Held, Line
from stockpile.movements import GONE, MOVEMENT_OF, STAYS, AccountClass, Act
from stockpile.sites import OUTSIDE, Place, place_of

NOT_AT_HAND = GONE | {AccountClass.MISSING}
"""Classes of what nobody has, as the books say."""


STANDS = "e.reverses IS NULL AND e.posts_again IS NULL AND standing_entry(e.item_id, e.version) IS NOT NULL"
"""In SQL: entry `e` is its document's own, and neither it nor what late facts posted in its place was taken back."""


@dataclass(frozen=True, slots=True)
class Live:
    """A live entry of an item: neither reversal nor reversed. What begins with `first_` is of the document that first posted
    it, before late facts posted it again; `claimed_from` is where that says it came from.
    """

    version: int
    document_id: UUID
    posts_again: int | None
    quantity: int
    happened_at: datetime
    condition: str | None
    claimed_from: UUID | None
    claimed_name: str | None
    first_document: UUID
    first_site: UUID
    first_fact: bool
    act: Act
    book_id: UUID
    number: int
    origin: Place
    to: Place


_LIVE = """
SELECT item_id, version, document_id, posts_again, quantity, happened_at, condition, claimed_from, claimed_name,
       first_document, first_site, first_fact, first_act, first_book, first_number,
       from_account, from_class, from_name, from_site, from_party, to_account, to_class, to_name, to_site, to_party
FROM live_entries(%s, %s)
"""


def live_entries(
    connection: Connection, item_ids: Iterable[UUID], since: datetime | str = "-infinity"
) -> dict[UUID, list[Live]]:
    """The live entries of items that happened from a moment on, newest first."""
    found: dict[UUID, list[Live]] = {}
    for row in connection.exec_driver_sql(_LIVE, (list(item_ids), since)):
        live = Live(
            row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10], row[11], Act(row[12]), row[13],
            row[14], place_of(row[15:20]), place_of(row[20:25]),
        )  # fmt: skip
        found.setdefault(row[0], []).append(live)
    return found


def followers(
    connection: Connection, lines: Sequence[Line], happened_at: datetime, book_id: UUID, number: int
) -> dict[UUID, list[Live]]:
    """For each weapon a fact comes late for: its live entries that happened after the fact, newest first. Of two documents
    of one time the higher number of a book is the later, and one book is always before the other (invariant 5): so the
    order in which papers arrive makes no difference.
    """
    late = [
        line.held.item_id
        for line in lines
        if line.held.serial and line.held.happened_at is not None and line.held.happened_at >= happened_at
    ]
    if not late:
        return {}

    def after(live: Live) -> bool:
        return (live.happened_at, live.book_id, live.number) > (happened_at, book_id, number)

    found = {
        item_id: list(takewhile(after, live)) for item_id, live in live_entries(connection, late, happened_at).items()
    }
    return {item_id: live for item_id, live in found.items() if live}


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a weapon stood, in which condition it was last seen, and the document that put it there."""

    place: Place
    condition: str | None = None
    document_id: UUID | None = None


_STOOD_AT = "SELECT item_id, account_id, class, name, site_id, party_id, condition, document_id FROM stood_at(%s, %s)"


def stood_at(connection: Connection, item_ids: Iterable[UUID], moment: datetime) -> dict[UUID, Stood]:
    """Where weapons stood at a moment, as the books know now; absent: they were not in the books then."""
    rows = connection.exec_driver_sql(_STOOD_AT, (list(item_ids), moment))
    return {row[0]: Stood(place_of(row[1:6]), row[6], row[7]) for row in rows}


@dataclass(frozen=True, slots=True)
class Past:
    """What a fact has to know of its weapons' past: what followed it, where each stood when it happened if that is not where
    it is now or nobody has it, the numbers of documents that took weapons out of everybody's hands, and the fact's site.
    """

    followers: Mapping[UUID, Sequence[Live]] = field(default_factory=dict)
    stood: Mapping[UUID, Stood] = field(default_factory=dict)
    numbers: Mapping[UUID, str] = field(default_factory=dict)
    site_id: UUID | None = None

    def before(self, held: Held) -> Stood:
        """Where a weapon stood when the fact happened."""
        if held.item_id in self.followers:
            return self.stood.get(held.item_id, Stood(OUTSIDE))
        return self.stood.get(held.item_id) or Stood(held.where, held.condition)

    def number(self, document_id: UUID | None) -> str:
        """A document as a contradiction names it."""
        number = self.numbers.get(document_id) if document_id else None
        return f"document {number}" if number else "a document of another site"


NO_PAST = Past()


def past_of(
    connection: Connection,
    lines: Sequence[Line],
    happened_at: datetime,
    book_id: UUID,
    number: int,
    document_id: UUID,
    full_number: str,
    site_id: UUID,
) -> Past:
    """The past of a fact's weapons; the fact is number `number` of its book."""
    late = followers(connection, lines, happened_at, book_id, number)
    asked = {line.held.item_id for line in lines if line.held.where.account_class in NOT_AT_HAND} | set(late)
    if not asked:
        return Past(site_id=site_id)
    stood = stood_at(connection, asked, happened_at)
    gone = {live.first_document for several in late.values() for live in several if live.to.account_class in GONE}
    gone |= {one.document_id for one in stood.values() if one.document_id and one.place.account_class in NOT_AT_HAND}
    numbers = numbers_of(connection, gone) if gone else {}
    return Past(late, stood, {**numbers, document_id: full_number}, site_id)


@dataclass(slots=True)
class Laid:
    """The entries worked out for a document, what contradicts the books, and whose entries were judged anew."""

    entries: list[Entry] = field(default_factory=list)
    found: list[Contradiction] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)

    def add(self, other: Laid) -> None:
        """Takes in what was worked out for another line."""
        self.entries += other.entries
        self.found += other.found
        self.judged += other.judged


def reversal(held: Held, live: Live) -> Entry:
    """The entry that takes one back: legs swapped, the same `happened_at`."""
    held.version += 1
    return Entry(held, held.version, live.to, live.origin, live.quantity, live.happened_at, reverses=live.version)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a document says of a weapon: which act, whether as a fact, at which site, where it goes, and the account and its
    name that it came from, if it says so. `concerns` is the document, if it is not the one that is being posted.
    """

    act: Act
    fact: bool
    site_id: UUID | None
    to: Place
    came_from: UUID | None = None
    came_from_name: str | None = None
    concerns: UUID | None = None

    @property
    def seen(self) -> str:
        """In words."""
        if self.came_from:
            return f"it {'was at' if self.act in STAYS else 'came from'} {self.came_from_name}"
        return f"at hand for the act '{self.act}'" if self.act in STAYS else f"it went to {self.to.name}"


def follow(line: Line, happened_at: datetime, past: Past = NO_PAST) -> Laid:
    """A weapon's next entry, from wherever the books have it, or had it when a late fact happened; of a fact, with what
    speaks against it. A weapon that is new to the books has its discrepancy already.
    """
    held, claimed = line.held, line.claimed_from
    before = past.before(held)
    held.version += 1
    origin = held.where
    to = origin if line.stays and origin.account_class is not AccountClass.OUTSIDE else line.to
    came_from = claimed.account_id if claimed else None
    entry = Entry(held, held.version, origin, to, 1, happened_at, line.condition, came_from)
    held.place = to
    if line.fact is None:
        return Laid([entry])
    claim = Claim(line.fact, True, past.site_id, to, came_from, claimed.name if claimed else None)
    found = _misplaced(held, claim, replace(before, place=origin), past) if entry.version > 1 else []
    return Laid([entry], [*found, *_not_issuable(held, claim, before)])


def lay_in_time(line: Line, happened_at: datetime, past: Past, document_id: UUID) -> Laid:
    """A late fact: reverses what followed (newest first), posts, posts again what followed.

    A follower keeps its `happened_at` and its goal, but begins where the item now is, and is judged anew. A declaration is
    not posted again: what came in before it was declared is not on its way any more.
    """
    held = line.held
    followers = past.followers[held.item_id]
    laid = Laid([reversal(held, live) for live in followers])
    held.place = followers[-1].origin
    laid.add(follow(line, happened_at, past))
    condition, put_there_by = line.condition or past.before(held).condition, document_id
    for live in reversed(followers):
        claim, here = _claim(live), Stood(held.where, condition, put_there_by)
        if live.act is Act.DECLARE:
            laid.found.append(_moved(held, claim, here.place))
            continue
        laid.entries.append(_posted_again(held, live, claim))
        laid.found += [*_misplaced(held, claim, here, past), *_not_issuable(held, claim, here)]
        laid.judged.append((held.item_id, live.first_document))
        condition, put_there_by = live.condition or condition, live.first_document
    return laid


def _claim(live: Live) -> Claim:
    """What the document that first posted an entry says. A command began where the books had the weapon."""
    claimed, name = live.claimed_from, live.claimed_name
    if claimed is None and not live.first_fact:
        claimed, name = live.origin.account_id, live.origin.name
    return Claim(live.act, live.first_fact, live.first_site, live.to, claimed, name, live.first_document)


def _posted_again(held: Held, live: Live, claim: Claim) -> Entry:
    """A follower once more. What it first claimed to begin at stays with it, so that a predecessor who arrives later
    still can make it true. A mark that took an unknown weapon in does so again only if nobody did before it.
    """
    place = held.where
    to = place if live.act in STAYS and place.account_class is not AccountClass.OUTSIDE else live.to
    held.version += 1
    held.place = to
    return Entry(
        held,
        held.version,
        place,
        to,
        live.quantity,
        live.happened_at,
        live.condition,
        claim.came_from,
        posts_again=live.version,
    )


def _misplaced(held: Held, claim: Claim, stood: Stood, past: Past) -> list[Contradiction]:
    """What speaks against where a document found a weapon: it stood elsewhere, the books had given it up, or never had it."""
    place = stood.place
    if not claim.fact and place.account_id != claim.came_from:
        return [_moved(held, claim, place)]
    if not claim.fact and claim.act is not Act.RECEIVE:
        return []
    if not claim.fact:
        claim = replace(claim, came_from=None)  # what was received stood at the counter, wherever the books had it
    kind = _contradiction(claim, place)
    if kind is None:
        return []
    if kind is Kind.UNKNOWN_WEAPON:
        said = f"{held.name} was not in the books"
    elif kind is Kind.CLAIMED_GONE:
        said = f"{held.name} was {place.account_class}, by {past.number(stood.document_id)}"
    else:
        said = f"{held.name} was at {place.name} ({place.account_class})"
    return [_of(held, claim, kind, said, claim.seen)]


def _contradiction(claim: Claim, place: Place) -> Kind | None:
    """What kind of contradiction it is that a fact's act began at a place; None: it fits."""
    begins_in, account_class = MOVEMENT_OF[claim.act].from_classes, place.account_class
    if account_class is AccountClass.OUTSIDE:
        return None if AccountClass.OUTSIDE in begins_in else Kind.UNKNOWN_WEAPON
    if account_class in NOT_AT_HAND:
        as_usual = account_class in begins_in and (claim.act is not Act.RECOVER or account_class not in GONE)
        if not as_usual:
            return Kind.CLAIMED_GONE
    if claim.came_from is not None:
        return None if claim.came_from == place.account_id else Kind.HELD_ELSEWHERE
    at_hand = place.site_id == claim.site_id or account_class in (AccountClass.SUPPLY, AccountClass.EXPORTED)
    return None if account_class in begins_in and at_hand else Kind.HELD_ELSEWHERE


def _moved(held: Held, claim: Claim, place: Place) -> Contradiction:
    """A command was right when it was given; a late document shows that the weapon was elsewhere."""
    said = f"{held.name} went from {claim.came_from_name} to {claim.to.name}"
    return _of(held, claim, Kind.MOVED_BY_LATE_FACT, said, f"a late document puts it at {place.name} before that")


def _not_issuable(held: Held, claim: Claim, stood: Stood) -> list[Contradiction]:
    if claim.act is not Act.ISSUE or (held.marked and stood.condition != "unserviceable"):
        return []
    said = "unserviceable" if stood.condition == "unserviceable" else "unmarked"
    return [_of(held, claim, Kind.NOT_ISSUABLE, said, f"{held.name} was handed out")]


def _of(held: Held, claim: Claim, kind: Kind, books_said: str, seen: str) -> Contradiction:
    return Contradiction(kind, books_said, seen, held.item_id, held.donor_id, concerns=claim.concerns)
