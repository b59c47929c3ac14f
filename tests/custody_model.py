"""A plain model of custody: for each weapon the list of what happened to it, in time. Where it was at a moment, in which condition,
and what speaks against each document are read off that list; nothing of this knows in what order the documents came.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from stockpile.discrepancies import Kind
from stockpile.movements import GONE, HELD, MOVEMENT_OF, AccountClass, Act


class Place(NamedTuple):
    """An account: of which site, of which class, by which name."""

    site: str | None
    account_class: AccountClass
    name: str


OUTSIDE = Place(None, AccountClass.OUTSIDE, "outside")
SITES = ("TAJI", "ERBIL")


def store(site: str, name: str = "Main store") -> Place:
    """A store."""
    return Place(site, AccountClass.STORE, name)


def account(site: str, account_class: AccountClass) -> Place:
    """The one account of its class that a site has."""
    return Place(site, account_class, str(account_class))


@dataclass(order=True)
class Move:
    """What one document says of a weapon: when, which act, where it went (None: it stayed). `came_from`: of a command where the
    books had it then, of a fact where the paper says it was. `enters`: where what stayed was put if the books did not have it.
    """

    happened_at: datetime
    order: int
    act: Act = field(compare=False)
    to: Place | None = field(compare=False)
    site: str = field(compare=False)
    document: UUID = field(compare=False)
    fact: bool = field(compare=False, default=False)
    came_from: Place | None = field(compare=False, default=None)
    condition: str | None = field(compare=False, default=None)
    enters: Place | None = field(compare=False, default=None)


@dataclass(frozen=True)
class Stood:
    """A weapon between two moves."""

    place: Place = OUTSIDE
    condition: str | None = None

    def after(self, move: Move) -> Stood:
        """How it stands after a move."""
        to = move.to or (move.enters if move.enters and self.place == OUTSIDE else self.place)
        return Stood(to, move.condition or self.condition)


@dataclass
class Weapon:
    """A weapon and its life. `supply` is where it goes back to if it is rejected: its consignment's account."""

    serial_number: str
    item: UUID
    supply: Place | None = None
    moves: list[Move] = field(default_factory=list)

    @property
    def line(self) -> dict[str, str]:
        """It, as a line of a voucher."""
        return {"item": str(self.item)}

    def stood(self, moment: datetime | None = None) -> Stood:
        """How it stands now, or stood at a moment, by all that is known."""
        stood = Stood()
        for move in self.moves:
            if moment is None or move.happened_at <= moment:
                stood = stood.after(move)
        return stood

    @property
    def place(self) -> Place:
        """Where it is now."""
        return self.stood().place

    @property
    def ordered_by(self) -> Move | None:
        """The destruction order it is on."""
        for move in reversed(self.moves):
            if move.act is Act.DESTROY:
                return None
            if move.act is Act.ORDER_DESTRUCTION:
                return move
        return None

    def lay(self, move: Move) -> bool:
        """Lays a move into its place in time, and says whether that was before others. What was declared only after it came is on
        its way no more.
        """
        late = bool(self.moves) and self.moves[-1] > move
        if move.fact:
            self.moves = [known for known in self.moves if known.act is not Act.DECLARE or known < move]
        insort(self.moves, move)
        return late

    def last_concerns(self, site: str) -> bool:
        """Whether its last move begins or ends at a site: only there it can be taken back."""
        before = Stood()
        for move in self.moves[:-1]:
            before = before.after(move)
        return site in (before.place.site, before.after(self.moves[-1]).place.site)

    def judged(self) -> set[tuple[UUID, str]]:
        """What speaks against its documents, each judged by where the weapon stood before it."""
        found, stood = set(), Stood()
        for move in self.moves:
            kind = _against(move, stood.place)
            if kind is not None:
                found.add((move.document, str(kind)))
            if move.act is Act.ISSUE and stood.condition == "unserviceable":
                found.add((move.document, str(Kind.NOT_ISSUABLE)))
            stood = stood.after(move)
        return found


def _against(move: Move, place: Place) -> Kind | None:
    """What speaks against a document that begins with a weapon at a place."""
    if not move.fact and move.came_from != place:
        return Kind.MOVED_BY_LATE_FACT
    if not move.fact and move.act is not Act.RECEIVE:
        return None
    begins, account_class = MOVEMENT_OF[move.act].from_classes, place.account_class
    if place == OUTSIDE:
        return None if account_class in begins else Kind.UNKNOWN_WEAPON
    nobody_has_it = account_class in GONE or account_class is AccountClass.MISSING
    if nobody_has_it and (account_class not in begins or (move.act is Act.RECOVER and account_class in GONE)):
        return Kind.CLAIMED_GONE
    if move.fact and move.came_from is not None:
        return None if move.came_from == place else Kind.HELD_ELSEWHERE
    of_any_site = account_class in (AccountClass.SUPPLY, AccountClass.EXPORTED)
    return None if account_class in begins and (of_any_site or place.site == move.site) else Kind.HELD_ELSEWHERE


def in_hands(place: Place) -> bool:
    """Whether somebody holds what is there."""
    return place.account_class in HELD
