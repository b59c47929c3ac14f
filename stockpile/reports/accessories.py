"""What went out with a weapon: magazines and slings by number, an optic by its own serial number, as its last document says.

It only reads. Who answers for each is in the ledger like for everything else; this says which weapon it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import ask
from stockpile.documents import full_number
from stockpile.movements import AccountClass
from stockpile.reports.weapon_cards import last_move
from stockpile.sites import Place, place_of


@dataclass(frozen=True, slots=True)
class Accessory:
    """A number of a model, of one lot where it is tracked by lot; or one item with a serial number of its own."""

    model_id: UUID
    model: str
    quantity: int = 1
    lot: str | None = None
    item_id: UUID | None = None
    serial_number: str | None = None

    @property
    def name(self) -> str:
        """In words: how many of what, or which."""
        if self.item_id is not None:
            return f"{self.model} {self.serial_number or ''}".strip()
        return f"{self.quantity} {self.model}" + (f", lot {self.lot}" if self.lot else "")

    def written(self) -> dict[str, Any]:
        """As a document's details have it."""
        said = {
            "model_id": str(self.model_id),
            "model": self.model,
            "quantity": self.quantity,
            "lot": self.lot,
            "item": str(self.item_id) if self.item_id else None,
            "serial_number": self.serial_number,
        }
        return {name: value for name, value in said.items() if value is not None}


def read(details: Iterable[Mapping[str, Any]] | None) -> tuple[Accessory, ...]:
    """Accessories as `written` in a document's details."""
    return tuple(
        Accessory(
            UUID(one["model_id"]),
            one["model"],
            one["quantity"],
            one.get("lot"),
            UUID(one["item"]) if "item" in one else None,
            one.get("serial_number"),
        )
        for one in details or ()
    )


@dataclass(frozen=True, slots=True)
class LastMove:
    """Where a weapon's last document put it, under which number, and with what."""

    place: Place
    number: str
    accessories: tuple[Accessory, ...]

    @property
    def out(self) -> bool:
        """Whether a person or a unit has it."""
        return self.place.account_class in (AccountClass.PERSON, AccountClass.UNIT)


_LAST_MOVES = f"""
SELECT h.item_id, last.accessories, last.book_site, last.book_code, last.year, last.number,
       a.account_id, a.class, a.name, a.site_id, a.party_id
FROM unnest(%(items)s::uuid[]) AS h (item_id)
JOIN {last_move("AND e.happened_at <= coalesce(%(moment)s::timestamptz, 'infinity')")} ON true
JOIN account a ON a.account_id = last.to_account
"""


def last_moves(
    connection: Connection, item_ids: Iterable[UUID], moment: datetime | None = None
) -> dict[UUID, LastMove]:
    """The last move of weapons, up to a moment if one is said, as far as the reader may see its document."""
    rows = ask(connection, _LAST_MOVES, {"items": list(item_ids), "moment": moment})
    return {row[0]: LastMove(place_of(row[6:]), full_number(*row[2:6]), read(row[1])) for row in rows}


def out_with(connection: Connection, item_id: UUID) -> tuple[Accessory, ...]:
    """With what a weapon is out now; nothing when it is not out."""
    last = last_moves(connection, [item_id]).get(item_id)
    return last.accessories if last is not None and last.out else ()
