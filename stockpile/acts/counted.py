"""What is counted is named by its model: which items a line may mean, and from which of them a number is taken, the oldest
consignment first.

A paper means what was there when it was written, not what came later. It only says what there is. Whether too little of it
refuses the act, or is a discrepancy, the act decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue import Model
from stockpile.items import Held
from stockpile.parties import OWN_PROCUREMENT
from stockpile.sites import Place

Left = dict[tuple[UUID, UUID], int]
"""What is left of an item on an account, while the lines of one voucher take from it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number of a model, of one lot if it is said, and the accounts it is taken from, in their order."""

    model: Model
    lot: str | None
    quantity: int
    origins: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What is taken of one item from one account."""

    held: Held
    origin: Place
    quantity: int


@dataclass(frozen=True, slots=True)
class Lack:
    """What the origins have too little of: what is `there` for a line, after what other lines took `before` it. `held` is
    the item as which a fact takes the rest; None: a new one.
    """

    model: Model
    lot: str | None
    there: int
    asked: int
    origins: tuple[Place, ...] = ()
    held: Held | None = None
    before: int = 0

    @property
    def where(self) -> str:
        """The origins by name."""
        return ", ".join(place.name for place in self.origins)


@dataclass(frozen=True, slots=True)
class _Item:
    item_id: UUID
    lot: str | None
    own: bool
    held_at: frozenset[UUID]
    came_later: bool


@dataclass(frozen=True, slots=True)
class Stock:
    """The items of the models that a voucher names, as they were before the locks: the oldest first."""

    of_model: Mapping[UUID, Sequence[_Item]] = field(default_factory=dict)

    def meant(self, wanted: Wanted) -> list[UUID]:
        """The items that the wanted number may be taken from."""
        accounts = {place.account_id for place in wanted.origins}
        return [item.item_id for item in self._of(wanted) if item.held_at & accounts]

    def to_lock(self, wanted: Wanted) -> set[UUID]:
        """Those, and the host's own item, as which a fact takes what there is too little of."""
        own = self._own(wanted)
        return {*self.meant(wanted), *([own] if own else [])}

    def take(self, wanted: Wanted, held: Mapping[UUID, Held], left: Left) -> tuple[list[Part], Lack | None]:
        """Takes the wanted number from what is `left` of the locked items, and tells what lacks."""
        parts: list[Part] = []
        rest = wanted.quantity
        for origin in wanted.origins:
            for item_id in self.meant(wanted):
                taken = min(rest, left_of(left, held[item_id], origin))
                if taken > 0:
                    left[item_id, origin.account_id] -= taken
                    parts.append(Part(held[item_id], origin, taken))
                    rest -= taken
        if not rest:
            return parts, None
        own = self._own(wanted)
        more = parts[-1].held if parts else held.get(own) if own else None
        there = wanted.quantity - rest
        before = self._in_all(wanted, held) - there
        return parts, Lack(wanted.model, wanted.lot, there, wanted.quantity, wanted.origins, more, before)

    def _in_all(self, wanted: Wanted, held: Mapping[UUID, Held]) -> int:
        """What the origins hold, whoever takes it."""
        meant = [held[item_id] for item_id in self.meant(wanted)]
        return sum(left_of({}, one, origin) for origin in wanted.origins for one in meant)

    def _of(self, wanted: Wanted) -> list[_Item]:
        return [item for item in self.of_model.get(wanted.model.model_id, ()) if _is_lot(item.lot, wanted.lot)]

    def _own(self, wanted: Wanted) -> UUID | None:
        """The oldest of the host's own, one that was in the books by then before one that came later."""
        own = [item for item in self._of(wanted) if item.own]
        return min(own, key=lambda item: item.came_later).item_id if own else None


def left_of(left: Left, held: Held, origin: Place) -> int:
    """What is left of a locked item on an account."""
    there = held.holdings.get(origin.account_id, (origin, 0))[1]
    return left.setdefault((held.item_id, origin.account_id), there)


def _is_lot(lot: str | None, wanted: str | None) -> bool:
    return wanted is None or (lot or "").casefold() == wanted.casefold()


# From the model's items to their holdings, not from a store's holdings to its few items that are counted.
_ITEMS = """
SELECT i.model_id, i.item_id, i.lot, i.donor_id,
       ARRAY (SELECT h.account_id FROM holding h WHERE h.item_id = i.item_id AND h.account_id = ANY (%s::uuid[]))
FROM item i WHERE i.model_id = ANY (%s::uuid[]) AND i.tracked_by <> 'serial' ORDER BY i.item_id
"""


def stock(connection: Connection, wanted: Iterable[Wanted], moment: datetime | None = None) -> Stock:
    """The items of the wanted models, and where among the wanted origins they are; for a fact of a `moment`, which of the
    host's own came later. Asks nothing if nothing is wanted.
    """
    asked = list(wanted)
    if not asked:
        return Stock()
    accounts = {place.account_id for one in asked for place in one.origins}
    models = {one.model.model_id for one in asked}
    rows = connection.exec_driver_sql(_ITEMS, (list(accounts), list(models))).all()
    later: set[UUID] = set()
    if moment is not None:
        own = [row[1] for row in rows if row[3] == OWN_PROCUREMENT]
        later.update(connection.exec_driver_sql("SELECT came_after(%s, %s)", (own, moment)).scalars())
    found: dict[UUID, list[_Item]] = {}
    for model_id, item_id, lot, donor_id, held_at in rows:
        item = _Item(item_id, lot, donor_id == OWN_PROCUREMENT, frozenset(held_at), item_id in later)
        found.setdefault(model_id, []).append(item)
    return Stock(found)
