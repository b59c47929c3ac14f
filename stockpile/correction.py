"""Mending: late facts laid into their place in time, and reversals. A posted entry is never changed: it is reversed by a
further one that carries the same `happened_at`, and what followed is posted again (invariant 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from sqlalchemy import Connection

from stockpile.discrepancies import Contradiction, Kind
from stockpile.items import Entry, Held, Line
from stockpile.movements import GONE, STAYS, Act
from stockpile.sites import Place, place_of


@dataclass(frozen=True, slots=True)
class Live:
    """A live entry of an item: neither reversal nor reversed. `act`, `book_id` and `number` are those of the document that
    first posted it, before late facts posted it again.
    """

    version: int
    document_id: UUID
    posts_again: int | None
    quantity: int
    happened_at: datetime
    condition: str | None
    claimed_from: UUID | None
    act: Act
    book_id: UUID
    number: int
    origin: Place
    to: Place


_LIVE = """
SELECT item_id, version, document_id, posts_again, quantity, happened_at, condition, claimed_from, first_act, first_book, first_number,
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
            row[1], row[2], row[3], row[4], row[5], row[6], row[7], Act(row[8]), row[9], row[10],
            place_of(row[11:16]), place_of(row[16:21]),
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


def reversal(held: Held, live: Live) -> Entry:
    """The entry that takes one back: legs swapped, the same `happened_at`."""
    held.version += 1
    return Entry(held, held.version, live.to, live.origin, live.quantity, live.happened_at, reverses=live.version)


def follow(line: Line, happened_at: datetime) -> tuple[list[Entry], list[Contradiction]]:
    """A weapon's next entry, from wherever the books have it; a claim that it came from elsewhere is a discrepancy."""
    held = line.held
    held.version += 1
    claimed = line.claimed_from.account_id if line.claimed_from else None
    to = held.where if line.stays else line.to
    entry = Entry(held, held.version, held.where, to, 1, happened_at, line.condition, claimed)
    held.place = to
    return [entry], _contradicted(line, entry)


def _contradicted(line: Line, entry: Entry) -> list[Contradiction]:
    """What speaks against a fact: the weapon was not where the paper says, or not where such an act begins. A weapon that
    is new to the books has its discrepancy already.
    """
    origin, claimed = entry.origin, line.claimed_from
    if entry.version == 1:
        return []
    if claimed is not None:
        fits = claimed.account_id == origin.account_id
        seen = f"it was at {claimed.name}" if line.stays else f"it came from {claimed.name}"
    else:
        at_hand = origin.site_id == line.to.site_id or origin.account_class in GONE
        fits = not line.begins_in or (origin.account_class in line.begins_in and at_hand)
        seen = f"it went to {line.to.name}"
    if fits:
        return []
    kind = Kind.CLAIMED_GONE if origin.account_class in GONE else Kind.HELD_ELSEWHERE
    books_said = f"{entry.held.name} was at {origin.name} ({origin.account_class})"
    return [Contradiction(kind, books_said, seen, entry.held.item_id, entry.held.donor_id)]


def lay_in_time(
    line: Line, happened_at: datetime, followers: Sequence[Live]
) -> tuple[list[Entry], list[Contradiction]]:
    """A late fact: reverses what followed (newest first), posts, posts again what followed.

    A follower keeps its `happened_at` and its goal, but begins where the item now is; where that is not what it once
    said, the contradiction is a discrepancy. A declaration is not posted again: what came in before it was declared is
    not on its way any more.
    """
    held = line.held
    entries = [reversal(held, live) for live in followers]
    held.place = followers[-1].origin
    laid, found = follow(line, happened_at)
    entries += laid
    for live in reversed(followers):
        if live.act is Act.DECLARE:
            found.append(_moved(held, live))
            continue
        again, contradiction = _posted_again(held, live)
        entries.append(again)
        found += contradiction
        held.place = again.to
    return entries, found


def _posted_again(held: Held, live: Live) -> tuple[Entry, list[Contradiction]]:
    """A follower once more. What it first claimed to begin at stays with it, so that a predecessor who arrives later
    still can make it true.
    """
    place = held.where
    to = place if live.act in STAYS else live.to
    claimed = live.claimed_from or live.origin.account_id
    held.version += 1
    entry = Entry(
        held,
        held.version,
        place,
        to,
        live.quantity,
        live.happened_at,
        live.condition,
        claimed,
        posts_again=live.version,
    )
    if place.account_id in (live.origin.account_id, claimed):
        return entry, []
    return entry, [_moved(held, live)]


def _moved(held: Held, live: Live) -> Contradiction:
    return Contradiction(
        Kind.MOVED_BY_LATE_FACT,
        f"{held.name} went from {live.origin.name} to {live.to.name}",
        f"a late document puts it at {held.where.name} before that",
        held.item_id,
        held.donor_id,
    )
