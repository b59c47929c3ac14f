"""Lines of a fact, taken as the paper or the device has them: nothing is refused. What the books never heard of, or have too few of,
enters them, each flagged; where a weapon stood is looked up at the moment of writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile import items, ledger, scans
from stockpile.acts.counted import Lack
from stockpile.acts.voucher import Scanned
from stockpile.catalogue import UNIDENTIFIED, UNIDENTIFIED_EQUIPMENT, find_models
from stockpile.correction import stood_at
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import ClaimedNumber, Desk, Writing, now
from stockpile.errors import Overtaken
from stockpile.items import Held, Newcomers, NewItem
from stockpile.parties import OWN_PROCUREMENT
from stockpile.sentences import sentence
from stockpile.sites import OUTSIDE, Place

UNKNOWN_LOT = "unknown"
"""The lot of what a fact takes in without a lot."""


def take_as_written(
    desk: Desk, scanned: Sequence[Scanned], written: Writing, donor_id: UUID = OWN_PROCUREMENT
) -> list[Contradiction]:
    """For facts, which are not refused: a weapon written twice is taken once, and what the books never heard of, or can't
    tell apart, or have too few of, enters them now, from outside. Each is flagged. Raises Overtaken.
    """
    found = _take_once(scanned)
    unknown = [one for one in scanned if one.held is None and one.reason is not None and one.line.scan is not None]
    if unknown:
        _one_at_a_time(desk, written)
    return [*found, *_take_unknown(desk, unknown, donor_id), *_take_lacking(desk, scanned, donor_id)]


def _one_at_a_time(desk: Desk, written: Writing) -> None:
    """Of two papers with one unknown weapon the second finds what the first took in. The document's book comes first, as in a
    receipt and where a whole site stands still.
    """
    ledger.hold_book(desk, written)
    desk.connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('unknown weapons', 0))")


def check_meant(connection: Connection, scanned: Sequence[Scanned]) -> None:
    """Raises Overtaken if what was scanned means other weapons by now than before the locks."""
    now_found = scans.candidates(connection, [one.line for one in scanned])
    if any(set(found) != set(one.found) for one, found in zip(scanned, now_found, strict=True)):
        raise Overtaken(sentence("A weapon that this names came into the books at this moment: ask again."))


def _take_once(scanned: Sequence[Scanned]) -> list[Contradiction]:
    found = []
    for one in scanned:
        if one.repeats is None or one.held is None:
            continue
        if one.held.serial:
            found.append(_written_twice(one, one.repeats, one.held))
            one.held = None
        one.reason = None
    return found


def _written_twice(one: Scanned, before: int, held: Held) -> Contradiction:
    seen = f"written on lines {before} and {one.number}"
    return Contradiction(Kind.TWIN, f"one weapon, {held.name}", seen, held.item_id, held.donor_id, one.number)


def _take_unknown(desk: Desk, unknown: Sequence[Scanned], donor_id: UUID) -> list[Contradiction]:
    """A line that names an item by a key nobody has stays refused: no paper bears a key. Raises Overtaken."""
    if not unknown:
        return []
    models = find_models(desk.connection, {one.line.model for one in unknown if one.line.model})
    new: dict[str, tuple[int, NewItem]] = {}
    found: list[Contradiction] = []
    for one in unknown:
        model = models.get(one.line.model or "", UNIDENTIFIED)
        marks = scans.marks_of(one.line.named)
        item = items.new_item(model.maker, model.model_id, model.name, "serial", donor_id, marks)
        before, known = new.setdefault(item.identity or one.line.named, (one.number, item))
        if known is item:
            found.append(_unknown(one, item, donor_id))
            one.held = item.held
        else:
            found.append(_written_twice(one, before, known.held))
        one.reason = None
    created = [item for _, item in new.values()]
    identities = [item.identity for item in created if item.identity is not None]
    bearers = items.known_by_identity(desk.connection, identities).rows
    # Only now: a receipt that brings the weapon in before this is seen here, and one after it wants the same ordinal.
    check_meant(desk.connection, unknown)
    items.create(desk, Newcomers(created, bearers))
    return found


def _unknown(one: Scanned, item: NewItem, donor_id: UUID) -> Contradiction:
    seen = f"{one.line.named} on line {one.number}" + (f", a {one.line.model}" if one.line.model else "")
    return Contradiction(Kind.UNKNOWN_WEAPON, one.reason or "", seen, item.held.item_id, donor_id, one.number)


@dataclass(frozen=True, slots=True)
class KnownThen:
    """The weapons of the books that a list may mean, and where those stood that were elsewhere when it was written."""

    held: dict[UUID, Held]
    stood: dict[UUID, Place]

    def where(self, weapon: Held) -> Place:
        """Where a weapon was when the list was written."""
        return self.stood.get(weapon.item_id, weapon.where)


def known_then(desk: Desk, held: dict[UUID, Held], claim: ClaimedNumber | None) -> KnownThen:
    """Locked weapons as they stood when a paper or a device's voucher was written: where they are now says nothing of what
    stood at the counter then. Without one: as they stand.
    """
    if claim is None:
        return KnownThen(held, {})
    moment = min(claim.happened_at, now())
    since = [item for item, weapon in held.items() if weapon.happened_at is not None and weapon.happened_at > moment]
    then = stood_at(desk.connection, since, moment) if since else {}
    return KnownThen(held, {item: then[item].place if item in then else OUTSIDE for item in since})


def _take_lacking(desk: Desk, scanned: Sequence[Scanned], donor_id: UUID) -> list[Contradiction]:
    """What is counted enters as what it is said to be: as the last item it was taken of, as the host's own, or a new one."""
    found: list[Contradiction] = []
    new: dict[tuple[UUID, str | None], NewItem] = {}
    for one in scanned:
        lack = one.lacks
        if lack is None:
            if one.reason is not None and one.line.by_model and one.held is not None:
                found.append(_doubtful_lot(one, one.held))
                one.reason = None
            continue
        model = lack.model
        lot = (lack.lot or UNKNOWN_LOT) if model.tracked_by == "lot" else None
        if lack.held is not None:
            one.held = lack.held
        else:
            item = items.new_item(model.maker, model.model_id, model.name, model.tracked_by, donor_id, lot=lot)
            one.held = new.setdefault((model.model_id, lot), item).held
        one.reason = None
        if lack.origins and model != UNIDENTIFIED_EQUIPMENT:
            one.origin = lack.origins[0]  # the ledger tells what it has too little of
            _join(scanned, one)
        else:
            one.origin = OUTSIDE
            found.append(_lacking(one, lack, one.held))
    items.create(desk, Newcomers([*new.values()]))
    return found


def _doubtful_lot(one: Scanned, held: Held) -> Contradiction:
    seen = f"{one.line.quantity} of no said lot, line {one.number}: taken from the oldest"
    return Contradiction(
        Kind.DOUBTFUL, f"{held.name} is told apart by lot", seen, held.item_id, held.donor_id, one.number
    )


def _join(scanned: Sequence[Scanned], rest: Scanned) -> None:
    """What lacks of an item joins what was taken of it from the same place, as one number."""
    for one in scanned:
        same = one.number == rest.number and one.of is rest.of and one is not rest
        if same and one.held is rest.held and one.origin == rest.origin:
            one.line = one.line.model_copy(update={"quantity": one.line.quantity + rest.line.quantity})
            rest.held = None
            return


def _lacking(one: Scanned, lack: Lack, held: Held) -> Contradiction:
    """What nobody of the site is known to have had."""
    seen = f"{lack.asked} {one.line.named} on line {one.number}"
    kind, said = Kind.FEWER_IN_BOOKS, f"{lack.there} of {held.name} with anybody known"
    if lack.model == UNIDENTIFIED_EQUIPMENT:
        kind, said = Kind.UNKNOWN_WEAPON, f"no model is called {one.line.named}"
    return Contradiction(kind, said, seen, held.item_id, held.donor_id, one.number)
