"""Accessories go out and come back on the weapon's line: magazines and slings by number, an optic by its own serial number.

They are moved like anything else. What is special is only that the document says which weapon each belongs to, and that
what went out with a weapon and does not come back with it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from stockpile.acts.voucher import Scanned, Sought
from stockpile.catalogue import Model
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import LATER, ConditionLine, Desk, ItemLine
from stockpile.items import Held
from stockpile.movements import AccountClass
from stockpile.reports.accessories import Accessory, LastMove, last_moves
from stockpile.sentences import sentence
from stockpile.sites import Place

MOST = 20
"""Kinds of accessories on one line."""

LastMoves = dict[UUID, LastMove]


class EquippedLine(ItemLine):
    """A line that also says which accessories go with the weapon."""

    accessories: Annotated[tuple[ItemLine, ...] | None, Field(max_length=MOST), LATER] = Field(
        None,
        description="What goes with the weapon: a number of a model, or a serialised optic by its scan. "
        "Left out: nothing is said; empty: none",
        examples=[[{"model": "AKM magazine", "quantity": 4}, {"model": "Sling, rifle"}]],
    )

    @model_validator(mode="after")
    def _go_with_a_weapon(self) -> Self:
        if self.accessories is not None and self.by_model:
            raise ValueError(sentence("accessories go with a weapon: scan it"))
        return self


COMPLETE = Field(
    False, description="Of each weapon whose line says nothing of its accessories: all that went out with it is there"
)


class EquippedConditionLine(EquippedLine, ConditionLine):
    """A line that says in what condition the weapon is, and with which accessories it comes."""


def read_lasts(desk: Desk, sought: Sequence[Sought], moment: datetime | None) -> LastMoves:
    """The last moves of the weapons that are sought, up to a moment if a paper says one."""
    weapons = {one.found[0] for one in sought if one.of is None and len(one.found) == 1}
    return last_moves(desk.connection, weapons, moment) if weapons else {}


def seek_with(
    sought: Sequence[Sought], lasts: LastMoves, giver: Place | None, complete: bool, from_rack: bool = False
) -> list[Sought]:
    """Says of each accessory where it is: with whoever has the weapon, else with the giver. With `complete` a weapon of which
    nothing is said comes with what its last document moved with it, as far as that is there. `from_rack`: so does a weapon
    that lies in a store.
    """
    more: list[Sought] = []
    for one in sought:
        weapon = one.of or one
        last = lasts.get(weapon.found[0]) if len(weapon.found) == 1 else None
        with_it = last is not None and (last.out or (from_rack and last.place.account_class is AccountClass.STORE))
        place = last.place if last is not None and with_it else giver
        if one.of is not None:
            one.origins = (place,) if place else ()
        more.append(one)
        if complete and with_it and last is not None and place is not None and _says_nothing(one):
            more += [_brought(one, accessory, place) for accessory in last.accessories]
    return more


def _says_nothing(one: Sought) -> bool:
    return one.of is None and getattr(one.line, "accessories", None) is None


def _brought(weapon: Sought, accessory: Accessory, place: Place) -> Sought:
    """An accessory that nobody needs to name."""
    found = [accessory.item_id] if accessory.item_id else []
    line = ItemLine(item=accessory.item_id, model=accessory.model, quantity=accessory.quantity, lot=accessory.lot)
    tracked_by = "lot" if accessory.lot else "quantity"
    model = Model(accessory.model_id, "", accessory.model, tracked_by) if not found else None
    return Sought(weapon.number, line, found, model, (place,), weapon, optional=True)


def with_each(scanned: Sequence[Scanned]) -> dict[UUID, list[Accessory]]:
    """What the lines of a voucher move with each weapon."""
    found: dict[UUID, dict[tuple[UUID, str | None, UUID | None], Accessory]] = {}
    for one in scanned:
        weapon = one.of.held if one.of is not None else None
        if one.held is None or weapon is None:
            continue
        moved = _accessory(one, one.held)
        known = found.setdefault(weapon.item_id, {})
        key = (moved.model_id, moved.lot, moved.item_id)
        before = known[key].quantity if key in known else 0
        known[key] = replace(moved, quantity=before + moved.quantity)
    return {weapon: list(known.values()) for weapon, known in found.items()}


def _accessory(one: Scanned, held: Held) -> Accessory:
    if held.serial:
        return Accessory(held.model_id, held.model_name, 1, None, held.item_id, held.serial_number)
    return Accessory(held.model_id, held.model_name, one.line.quantity, one.line.lot)


def as_details(moved: dict[UUID, list[Accessory]]) -> dict[str, Any] | None:
    """What goes with each weapon, as a document's details have it; nothing at all if there is nothing."""
    return {str(weapon): [one.written() for one in several] for weapon, several in moved.items()} or None


@dataclass(frozen=True, slots=True)
class Short:
    """What went out with a weapon and does not come with it, though its holder still has it."""

    weapon: Scanned
    last: LastMove
    came: Sequence[Accessory]
    lacks: Sequence[Accessory]

    def contradiction(self, done: str) -> Contradiction:
        """The discrepancy in words; `done` is what the others did: "came back"."""
        held = self.weapon.held
        assert held is not None
        books = f"{held.name} went out with {_listed(self.last.accessories)}, {self.last.number}"
        came = f"{_listed(self.came)} {done}" if self.came else f"none {done}"
        seen = f"{came}; {self.last.place.name} still has {_listed(self.lacks)}"
        return Contradiction(Kind.ACCESSORIES_SHORT, books, seen, held.item_id, None, self.weapon.number)


def _listed(accessories: Sequence[Accessory]) -> str:
    return "; ".join(one.name for one in accessories)


_STILL_HELD = """
SELECT h.account_id, i.model_id, i.lot, CASE WHEN h.serial THEN h.item_id END, sum(h.quantity)::bigint
FROM holding h JOIN item i USING (item_id)
WHERE h.account_id = ANY (%s) AND i.model_id = ANY (%s) GROUP BY 1, 2, 3, 4
"""
Still = dict[tuple[UUID, UUID, str | None, UUID | None], int]
"""Account, model, lot, item -> what it holds."""


@dataclass(frozen=True, slots=True)
class Accounted:
    """What a document says of accessories, and what is short."""

    details: dict[str, Any]
    contradictions: list[Contradiction]


def account_for(
    desk: Desk, scanned: Sequence[Scanned], lasts: LastMoves, giver: Place | None, done: str, late: bool
) -> Accounted:
    """What went on with each weapon, and what went out with it before and did not. `done` says which of the two this is:
    "came back", "handed on". A document of the past is `late`: the weapon may have moved on since.
    """
    short = find_short(desk, scanned, lasts, giver, late)
    lacks = {one.weapon.held.item_id: [*one.lacks] for one in short if one.weapon.held is not None}
    details = {"accessories": as_details(with_each(scanned)), "accessories_short": as_details(lacks)}
    return Accounted(details, [one.contradiction(done) for one in short])


def find_short(
    desk: Desk, scanned: Sequence[Scanned], lasts: LastMoves, giver: Place | None, late: bool = False
) -> list[Short]:
    """What is short, weapon by weapon. Who answers for what is short is who has it on his account: it stays there. What he
    does not hold any more was brought before, or is reported missing, and is not short.

    Of a weapon that is not where its last document put it nothing is known, unless the document comes `late`.
    """
    moved = with_each(scanned)
    short: list[Short] = []
    for one in scanned:
        held = one.held
        last = lasts.get(held.item_id) if held is not None and one.of is None else None
        if held is None or last is None or not last.out or not last.accessories:
            continue
        if not late and held.where.account_id != last.place.account_id:
            continue
        came = moved.get(held.item_id, [])
        lacks = _missing(last.accessories, came)
        if lacks:
            short.append(Short(one, last, came, lacks))
    return _still_held(desk, scanned, short, giver) if short else []


def _missing(expected: Sequence[Accessory], came: Sequence[Accessory]) -> list[Accessory]:
    lacks = []
    for accessory in expected:
        there = sum(one.quantity for one in came if _same(one, accessory))
        if there < accessory.quantity:
            lacks.append(replace(accessory, quantity=accessory.quantity - there))
    return lacks


def _same(one: Accessory, other: Accessory) -> bool:
    if other.item_id is not None or one.item_id is not None:
        return one.item_id == other.item_id
    return one.model_id == other.model_id and (one.lot or "").casefold() == (other.lot or "").casefold()


def _still_held(desk: Desk, scanned: Sequence[Scanned], short: Sequence[Short], giver: Place | None) -> list[Short]:
    """What is short, as far as the holders have it after this voucher."""
    accounts = {one.last.place.account_id for one in short}
    models = {accessory.model_id for one in short for accessory in one.lacks}
    still: Still = {}
    for account, model, lot, item, quantity in desk.connection.exec_driver_sql(_STILL_HELD, ([*accounts], [*models])):
        still[account, model, _lot(lot), item] = quantity
    for line in scanned:
        _take_away(still, line, giver)
    found = []
    for one in short:
        lacks = _as_far_as_held(still, one)
        if lacks:
            found.append(replace(one, lacks=lacks))
    return found


def _take_away(still: Still, one: Scanned, giver: Place | None) -> None:
    """What this voucher itself moves is not with its holder any more."""
    held = one.held
    if held is None:
        return
    if held.serial:
        still.pop((held.where.account_id, held.model_id, None, held.item_id), None)
        return
    origin = one.origin or giver
    key = (origin.account_id if origin else held.item_id, held.model_id, _lot(one.line.lot), None)
    if key in still:
        still[key] -= one.line.quantity


def _as_far_as_held(still: Still, short: Short) -> list[Accessory]:
    lacks = []
    for accessory in short.lacks:
        key = (short.last.place.account_id, accessory.model_id, _lot(accessory.lot), accessory.item_id)
        there = min(still.get(key, 0), accessory.quantity)
        if there > 0:
            still[key] -= there
            lacks.append(replace(accessory, quantity=there))
    return lacks


def _lot(lot: str | None) -> str | None:
    return lot.casefold() if lot else None
