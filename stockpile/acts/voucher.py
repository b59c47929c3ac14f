"""What every act does with its lines: find what was scanned, lock it, and say for each weapon why it can't be done.

Guards only collect reasons; `refuse` raises them all at once, so that a clerk reads every weapon's reason in one answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

from stockpile import items, scans
from stockpile.catalogue import UNIDENTIFIED, find_models
from stockpile.correction import stood_at
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import ClaimedNumber, ConditionLine, Desk, FactRequest, ItemLine, now
from stockpile.errors import Reason, Refused
from stockpile.items import Held, Line, Newcomers, NewItem
from stockpile.movements import MOVEMENT_OF, AccountClass, Act
from stockpile.parties import OWN_PROCUREMENT
from stockpile.registers.listing import ListRequest, scanned_from
from stockpile.sites import OUTSIDE, Place, Site


class Voucher(ListRequest[ItemLine]):
    """A request that names weapons and quantities: up to 500 lines, or a stored file of up to 500,000."""


class FactVoucher(Voucher, FactRequest):
    """A voucher that may also be keyed from paper."""


class ConditionVoucher(FactVoucher):
    """A voucher whose lines also say in what condition each weapon is."""

    lines: Annotated[tuple[ConditionLine, ...], Field(max_length=500)] = ()


@dataclass(slots=True)
class Scanned:
    """One line of a voucher with what it led to: `held` is the locked item, None where the books never heard of it.
    `repeats` is the line that named it before.
    """

    number: int
    line: ItemLine
    held: Held | None
    reason: str | None = None
    repeats: int | None = None

    def refused(self) -> Reason:
        """The reason as the clerk reads it."""
        assert self.reason is not None
        held = self.held
        where = describe_place(held) if held else None
        return Reason(self.number, self.line.named, self.reason, where, str(held.item_id) if held else None)


def describe_place(held: Held) -> str:
    """Where the books have an item now, in words."""
    if held.serial:
        return describe(held.where)
    return "; ".join(f"{quantity} at {describe(place)}" for place, quantity in held.holdings.values()) or "outside"


def describe(place: Place) -> str:
    """An account in words: its name, and its class where the name does not say it."""
    if place.name == place.account_class:
        return place.name
    return f"{place.name} ({place.account_class})"


def lock_voucher(desk: Desk, voucher: Voucher, also: Collection[UUID] = ()) -> list[Scanned]:
    """`lock` for a voucher's own lines, or the rows of its file under their row numbers."""
    if voucher.file is None:
        return lock(desk, voucher.lines, also=also)
    rows = scanned_from(desk, voucher.file)
    return lock(desk, [line for _, line in rows], [number for number, _ in rows], also)


def lock(
    desk: Desk, lines: Sequence[ItemLine], numbers: Sequence[int] | None = None, also: Collection[UUID] = ()
) -> list[Scanned]:
    """Finds and locks the items of a voucher: `lock_items` at its desk."""
    return lock_items(desk.connection, lines, numbers, also)


def lock_items(
    connection: Connection,
    lines: Sequence[ItemLine],
    numbers: Sequence[int] | None = None,
    also: Collection[UUID] = (),
) -> list[Scanned]:
    """Finds and locks the items of lines; in the same order `also` those that the act judges with them. A line that means
    nothing, or several weapons, or a weapon that already stands on the list, carries its reason.
    """
    candidates = scans.candidates(connection, lines)
    held = items.whereabouts(connection, {found[0] for found in candidates if len(found) == 1} | set(also))
    scanned, seen = [], dict[UUID, int]()
    for number, line, found in zip(numbers or range(1, len(lines) + 1), lines, candidates, strict=True):
        one = Scanned(number, line, held.get(found[0]) if len(found) == 1 else None)
        if len(found) > 1:
            one.reason = f"{len(found)} weapons bear this number: scan the asset tag, or name the model"
        elif one.held is None:
            one.reason = "unknown: nothing in the books bears this number"
        elif one.held.item_id in seen:
            one.repeats = seen[one.held.item_id]
            one.reason = f"already on this list, line {one.repeats}"
        elif one.held.serial and line.quantity != 1:
            one.reason = "a weapon is one: quantity must be 1"
        else:
            seen[one.held.item_id] = number
        scanned.append(one)
    return scanned


def any_counted(scanned: Iterable[Scanned]) -> bool:
    """Whether something among it is told by number, not one by one."""
    return any(one.held is not None and not one.held.serial for one in scanned)


def refuse(scanned: Iterable[Scanned], act: str) -> None:
    """Raises Refused with every line's reason, if any line has one."""
    reasons = [one.refused() for one in scanned if one.reason]
    if reasons:
        raise Refused(f"Nothing was done: {len(reasons)} line(s) of this {act} cannot be.", reasons)


def check_origin(scanned: Sequence[Scanned], act: Act, site: Site) -> None:
    """A command concerns only what is at its site, in a class the table of movements allows."""
    allowed = MOVEMENT_OF[act].from_classes
    for one in scanned:
        if one.reason or one.held is None or not one.held.serial:
            continue
        place = one.held.where
        if place.account_class not in allowed:
            one.reason = _not_from(act, place)
        elif place.site_id is not None and place.site_id != site.site_id:
            one.reason = f"it is not at {site.code}"


_NOT_FROM = {
    AccountClass.STORE: "it is in a store",
    AccountClass.UNIT: "it is issued to a unit",
    AccountClass.PERSON: "it is issued to a person",
    AccountClass.MAINTENANCE: "it is in maintenance",
    AccountClass.SUPPLY: "it has not arrived",
    AccountClass.TRANSIT: "it is on its way",
    AccountClass.MISSING: "it is reported missing",
    AccountClass.LOST: "it was concluded as lost",
    AccountClass.EXPENDED: "it was expended",
    AccountClass.DESTROYED: "it was destroyed",
    AccountClass.EXPORTED: "it was exported",
    AccountClass.OUTSIDE: "it was taken back out of the books",
}


def _not_from(act: Act, place: Place) -> str:
    return f"{_NOT_FROM[place.account_class]}: the act '{act}' does not begin there"


def check_held_by(scanned: Sequence[Scanned], holder: Place) -> None:
    """A weapon handed on is held by who hands it on."""
    for one in scanned:
        if (
            not one.reason
            and one.held is not None
            and one.held.serial
            and one.held.where.account_id != holder.account_id
        ):
            one.reason = f"{holder.name} does not hold it"


def check_quantities(scanned: Sequence[Scanned], origin: Place) -> None:
    """A command can't take more of a quantity than there is at its origin."""
    for one in scanned:
        if one.reason or one.held is None or one.held.serial:
            continue
        there = one.held.holdings.get(origin.account_id, (origin, 0))[1]
        if there < one.line.quantity:
            one.reason = f"only {there} at {origin.name}, {one.line.quantity} asked for"


def take_as_written(desk: Desk, scanned: Sequence[Scanned], donor_id: UUID = OWN_PROCUREMENT) -> list[Contradiction]:
    """For facts, which are not refused: a weapon written twice is taken once, and what the books never heard of, or can't
    tell apart, enters them now, from outside. Each is flagged.
    """
    return [*_take_once(scanned), *_take_unknown(desk, scanned, donor_id)]


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


def _take_unknown(desk: Desk, scanned: Sequence[Scanned], donor_id: UUID) -> list[Contradiction]:
    """A line that names an item by a key nobody has stays refused: no paper bears a key."""
    unknown = [one for one in scanned if one.held is None and one.reason is not None and one.line.scan is not None]
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
    items.create(desk, Newcomers(created, items.known_by_identity(desk.connection, identities).rows))
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


def lines_from(
    scanned: Sequence[Scanned], origin: Place | None, to: Place, fact: Act | None = None, claimed: Place | None = None
) -> list[Line]:
    """The lines to post: weapons from wherever they are, quantities from `origin`, all to one place. Of a fact, the act
    that it is, and where the paper says the weapons came from: what speaks against either is a discrepancy.
    """
    return [
        Line(one.held, to, origin, one.line.quantity, getattr(one.line, "condition", None), claimed, fact)
        for one in scanned
        if one.held is not None
    ]
