"""Register gain: weapons and equipment that nobody delivered enter a store: found, captured, surrendered or collected. Two
parties answer for it.

A weapon that the books know is no gain: it is recovered, or received. From paper it is a fact: what the books had given up
is posted from there, and what somebody holds under the same number is another weapon, a twin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from stockpile import items, ledger
from stockpile.acts.as_written import KnownThen, known_then
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import describe
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Code, Desk, FactRequest, Posted, Words, Writing
from stockpile.items import Held, Line, Newcomers, NewItem
from stockpile.movements import GONE, AccountClass, Act
from stockpile.parties import OWN_PROCUREMENT
from stockpile.registers import listing
from stockpile.registers.keep import keep_listed, register_of
from stockpile.registers.listing import Listed, ListLine, ListRequest, listed_from
from stockpile.sentences import sentence
from stockpile.sites import OUTSIDE, Place, find_store

Manner = Literal["found", "captured", "surrendered", "collected"]

GIVEN_UP = GONE | {AccountClass.MISSING}
ON_ITS_WAY = frozenset({AccountClass.SUPPLY, AccountClass.TRANSIT})
BY_LIKELIHOOD = (GIVEN_UP, ON_ITS_WAY, frozenset({AccountClass.OUTSIDE}))
"""Which of several that bear a number lies on the counter. What somebody holds does not."""


class RegisterGain(ListRequest[ListLine], FactRequest):
    """Take in what nobody delivered (gain report): found, captured, surrendered, or collected from former fighters. Takes a
    second party.
    """

    manner: Manner = Field(examples=["captured"])
    place: Words = Field(description="Where it was found or handed in", examples=["Farm south of Samarra"])
    circumstances: Words = Field(examples=["A cache under the floor of a barn"])
    found_by: Words | None = Field(None, description="Who found, took or collected it", examples=["2nd patrol"])
    surrendered_by: Words | None = Field(None, description="Who handed it in, as far as known")
    store: Code | None = Field(
        None, description="Into which store, such as one for quarantine; needed where the site has several"
    )

    @model_validator(mode="after")
    def _from_somebody(self) -> RegisterGain:
        if self.found_by is None and self.surrendered_by is None:
            raise ValueError(sentence("say who found it (found_by), or who handed it in (surrendered_by)"))
        return self


@dataclass(slots=True)
class Gain:
    """What the lines of a report led to."""

    lines: list[Line] = field(default_factory=list)
    new: list[NewItem] = field(default_factory=list)
    found: list[Contradiction] = field(default_factory=list)
    taken: set[UUID] = field(default_factory=set)


def register_gain(desk: Desk, request: RegisterGain) -> Posted:
    """Posts a gain report. Raises Invalid (store, rows that can't be read, weapons that the books know)."""
    written = Writing.of(request)
    store = find_store(desk.connection, desk.site, request.store)
    source = desk.site.code
    rows = listed_from(desk, request.file, source) if request.file else listing.typed(request.lines)
    listed = listing.sort_out(desk.connection, rows, source)
    held = items.whereabouts(desk.connection, {item for several in listed.known.values() for item in several})
    items.check_borne(listed.identities, held)
    known = known_then(desk, held, request.claim)
    if not written.fact:
        _set_aside(listed, known)
    set_aside = request.file is not None and request.file.set_aside
    listing.refuse_rejected(desk.connection, listed, source, "gain report", set_aside)
    gain = Gain()
    for line in listed.lines:
        _take_in(gain, line, _bearers(listed, known, line), known, store)
    gain.found += listing.doubts(listed)
    register = register_of(
        desk, "gain list", f"{request.manner}: {request.place}", request.file, listed, OWN_PROCUREMENT, request.document_id
    )  # fmt: skip
    details = {
        "paper": "gain report",
        "manner": request.manner,
        "place": request.place,
        "circumstances": request.circumstances,
        "found_by": request.found_by,
        "surrendered_by": request.surrendered_by,
        "register": str(register.register_id) if register else None,
        "rows_set_aside": len(listed.rejected) or None,
    }
    return ledger.post(
        desk,
        written.document(desk, {}, details),
        gain.lines,
        gain.found,
        Newcomers(gain.new, listed.bearers),
        meanwhile=lambda: keep_listed(desk, register, listed),
    )


def _bearers(listed: listing.Sorted, known: KnownThen, line: Listed) -> list[Held]:
    """The weapons of the books that bear a line's number."""
    return [known.held[item] for item in listed.known.get(line.identity or "", ())]


def _set_aside(listed: listing.Sorted, known: KnownThen) -> None:
    """Sets aside what a command can't take in: what the books know, and what nothing would tell from its like."""
    standing: list[Listed] = []
    for line in listed.lines:
        line.reason = _not_new(line, _bearers(listed, known, line), known)
        (listed.rejected if line.reason else standing).append(line)
    listed.lines = standing


def _not_new(line: Listed, bearers: list[Held], known: KnownThen) -> str | None:
    """Why a line is no gain; None: it is one."""
    if line.identity is None:
        weapon = line.model is not None and line.model.tracked_by == "serial"
        if weapon and line.distinguishing_mark is None:
            return sentence(
                "it bears no serial number that can be read: say how it can be told apart (distinguishing_mark)"
            )
        return None
    weapon_meant = _meant(bearers, known, set())
    if weapon_meant is not None:
        return _remedy(weapon_meant)
    if bearers and line.distinguishing_mark is None:
        where = describe(bearers[0].where)
        return sentence(
            "the books have it at {where}: if it is a second weapon, say how it can be told apart "
            "(distinguishing_mark)",
            where=where,
        )
    return None


def _remedy(weapon: Held) -> str | None:
    """What to do instead with a weapon that nobody holds; None: the books took it back out, so that it may come in."""
    where = weapon.where
    if where.account_class in GIVEN_UP:
        return sentence("the books know it, {where}: recover it", where=describe(where))
    if where.account_class in ON_ITS_WAY:
        return sentence("the books have it on its way, {where}: receive it", where=describe(where))
    return None


def _meant(bearers: list[Held], known: KnownThen, taken: set[UUID]) -> Held | None:
    """The weapon meant, among those that bear its number; None if somebody holds each of them."""
    for classes in BY_LIKELIHOOD:
        for weapon in bearers:
            if weapon.item_id not in taken and known.where(weapon).account_class in classes:
                return weapon
    return None


def _take_in(gain: Gain, line: Listed, bearers: list[Held], known: KnownThen, store: Place) -> None:
    weapon = _meant(bearers, known, gain.taken)
    if weapon is None:
        _take_in_new(gain, line, bearers, store)
        return
    gain.taken.add(weapon.item_id)
    line.item_id = weapon.item_id
    gain.lines.append(Line(weapon, store, None, 1, line.condition, fact=Act.REGISTER_GAIN))


def _take_in_new(gain: Gain, line: Listed, bearers: list[Held], store: Place) -> None:
    new = listing.new_weapon(line, OWN_PROCUREMENT)
    gain.new.append(new)
    gain.lines.append(Line(new.held, store, OUTSIDE, line.quantity, line.condition))
    if bearers or line.twin_of is not None:
        where = f"at {describe(bearers[0].where)}" if bearers else f"in row {line.twin_of}"
        said = f"a weapon of this model and serial number {where}"
        gain.found.append(Contradiction(Kind.TWIN, said, _seen(line), new.held.item_id, OWN_PROCUREMENT, line.row))


def _seen(line: Listed) -> str:
    return f"{line.name} gained, row {line.row}"


REGISTER_GAIN = ActForm(Act.REGISTER_GAIN, RegisterGain, register_gain)
