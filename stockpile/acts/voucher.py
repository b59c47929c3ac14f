"""What every act does with its lines: find what was scanned, lock it, and say for each weapon why it can't be done.

Guards only collect reasons; `refuse` raises them all at once, so that a clerk reads every weapon's reason in one answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

from stockpile import items, ledger, scans
from stockpile.acts import counted
from stockpile.acts.counted import Lack, Left, Part, Wanted, left_of
from stockpile.catalogue import UNIDENTIFIED, UNIDENTIFIED_EQUIPMENT, Model, find_models
from stockpile.correction import stood_at
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import ClaimedNumber, ConditionLine, Desk, FactRequest, ItemLine, Writing, now
from stockpile.errors import Overtaken, Reason, Refused
from stockpile.items import Held, Line, Newcomers, NewItem
from stockpile.movements import MOVEMENT_OF, AccountClass, Act
from stockpile.parties import OWN_PROCUREMENT
from stockpile.registers.listing import ListRequest, scanned_from
from stockpile.shortfall import left_then
from stockpile.sites import OUTSIDE, Place, Site, find_store

UNKNOWN_LOT = "unknown"
"""The lot of what a fact takes in without a lot."""


class Voucher(ListRequest[ItemLine]):
    """A request that names weapons and quantities: up to 500 lines, or a stored file of up to 500,000."""


class FactVoucher(Voucher, FactRequest):
    """A voucher that may also be keyed from paper."""


class ConditionVoucher(FactVoucher):
    """A voucher whose lines also say in what condition each weapon is."""

    lines: Annotated[tuple[ConditionLine, ...], Field(max_length=500)] = ()


@dataclass(slots=True)
class Sought:
    """One line of a voucher with the items it may mean, before they are locked. What is counted has its model, if there is
    one, and is taken from the first of its `origins` that has some; `of` is the line of the weapon it is an accessory of.
    An `optional` accessory comes as far as there is some.
    """

    number: int
    line: ItemLine
    found: list[UUID] = field(default_factory=list)
    model: Model | None = None
    origins: tuple[Place, ...] = ()
    of: Sought | None = None
    optional: bool = False


@dataclass(slots=True)
class Scanned:
    """One line of a voucher with what it led to: `held` is the locked item, None where the books never heard of it.
    `found` are the items that it might mean before the locks; `repeats` is the line that named it before. What is counted by
    its model is one or more of these, each with its own origin, and the last tells what `lacks`. `of` is the weapon it is an
    accessory of.
    """

    number: int
    line: ItemLine
    held: Held | None
    reason: str | None = None
    repeats: int | None = None
    origin: Place | None = None
    lacks: Lack | None = None
    of: Scanned | None = None
    found: Sequence[UUID] = ()

    @property
    def counted(self) -> bool:
        """Whether it is told by number, not one by one."""
        return not self.held.serial if self.held is not None else self.line.by_model

    def refused(self, keys_by_name: bool = False) -> Reason:
        """The reason as the clerk reads it; what a line names by its key alone by the key, or by its name."""
        assert self.reason is not None
        held = None if self.line.by_model else self.held
        where = describe_place(held) if held else None
        by_name = self.of is not None or (keys_by_name and self.line.item is not None)
        named = held.name if held is not None and by_name else self.line.named
        return Reason(self.number, named, self.reason, where, str(held.item_id) if held else None)


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


Rows = Sequence[tuple[int, ItemLine]]
"""Lines with their numbers."""


def rows(desk: Desk, voucher: Voucher) -> Rows:
    """A voucher's own lines, or the rows of its file under their row numbers."""
    if voucher.file is None:
        return list(enumerate(voucher.lines, 1))
    return [*scanned_from(desk, voucher.file)]


def lock_voucher(
    desk: Desk,
    voucher: Voucher,
    *origins: Place | None,
    each: Sequence[ItemLine] = (),
    also: Collection[UUID] = (),
) -> list[Scanned]:
    """Finds and locks the items of a voucher, and in the same order `also` those that the act judges with them. What is
    counted and named by its model is taken from the `origins`; `each` is what goes with every weapon whose line says
    nothing of its own.
    """
    return lock_sought(desk.connection, seek_voucher(desk, voucher, *origins, each=each), also, _moment(voucher))


def _moment(voucher: Voucher) -> datetime | None:
    """When a paper or a device says that it happened; None: now."""
    claim = voucher.claim if isinstance(voucher, FactRequest) else None
    return min(claim.happened_at, now()) if claim is not None else None


def seek_voucher(desk: Desk, voucher: Voucher, *origins: Place | None, each: Sequence[ItemLine] = ()) -> list[Sought]:
    """What a voucher's lines may mean, before anything is locked."""
    return seek(desk.connection, rows(desk, voucher), *origins, source=desk.site.code, each=each)


def lock_from_store(desk: Desk, voucher: Voucher, name: str | None) -> tuple[list[Scanned], Place | None]:
    """Locks what is taken from a store. Which one is asked only where it is named, or something is counted. Raises Invalid
    (store).
    """
    numbered = rows(desk, voucher)
    asked = name is not None or by_model(numbered)
    store = find_store(desk.connection, desk.site, name) if asked else None
    scanned = lock_rows(desk, numbered, store, moment=_moment(voucher))
    if store is None and any_counted(scanned):
        store = find_store(desk.connection, desk.site, name)
    return scanned, store


def lock_rows(desk: Desk, rows: Rows, *origins: Place | None, moment: datetime | None = None) -> list[Scanned]:
    """`lock_voucher` for lines that were read before; `moment` is when a fact happened."""
    sought = seek(desk.connection, rows, *origins, source=desk.site.code)
    return lock_sought(desk.connection, sought, moment=moment)


def lock(desk: Desk, lines: Sequence[ItemLine], numbers: Sequence[int] | None = None) -> list[Scanned]:
    """Finds and locks the items of lines: `lock_items` at its desk."""
    return lock_items(desk.connection, lines, numbers)


def lock_items(
    connection: Connection, lines: Sequence[ItemLine], numbers: Sequence[int] | None = None
) -> list[Scanned]:
    """Finds and locks the items of lines that name each of them: without an origin a model means none."""
    numbered = list(zip(numbers or range(1, len(lines) + 1), lines, strict=True))
    return lock_sought(connection, seek(connection, numbered))


def seek(
    connection: Connection,
    rows: Rows,
    *origins: Place | None,
    source: str | None = None,
    each: Sequence[ItemLine] = (),
) -> list[Sought]:
    """What lines may mean, before anything is locked; the accessories of a weapon stand after it. `each` is what goes with
    every weapon whose line says nothing of its own.
    """
    sought: list[Sought] = []
    for number, line in rows:
        one = Sought(number, line)
        sought.append(one)
        own = getattr(line, "accessories", None)
        with_it = each if own is None and not line.by_model else own or ()
        sought += [Sought(number, accessory, of=one) for accessory in with_it]
    candidates = scans.candidates(connection, [one.line for one in sought])
    named = {one.line.model for one in sought if one.line.by_model and one.line.model}
    models = find_models(connection, named, source)
    places = tuple(place for place in origins if place is not None)
    for one, found in zip(sought, candidates, strict=True):
        one.found, one.origins = found, places
        if one.line.by_model:
            one.model = models.get(one.line.model or "")
    return sought


def lock_sought(
    connection: Connection, sought: Sequence[Sought], also: Collection[UUID] = (), moment: datetime | None = None
) -> list[Scanned]:
    """Locks what was sought, all of it in one statement, in item order. A line that means nothing, or several weapons, or a
    weapon that already stands on the list, or more of a model than there is, carries its reason. Of a fact, `moment` is when
    it happened: what was not there then it does not take.
    """
    wanted = {
        n: _wanted(one.model, one) for n, one in enumerate(sought) if one.line.by_model and _is_counted(one.model)
    }
    stock = counted.stock(connection, wanted.values(), moment)
    ids = {one.found[0] for one in sought if len(one.found) == 1} | set(also)
    ids.update(*(stock.to_lock(one) for one in wanted.values()))
    accounts = {place.account_id for one in wanted.values() for place in one.origins}
    held = items.whereabouts(connection, ids, accounts=accounts)
    scanned = _scanned(sought, held)
    left: Left = {}
    if wanted and moment is not None:
        places = {place.account_id: place for one in wanted.values() for place in one.origins}
        meant = {item_id for one in wanted.values() for item_id in stock.meant(one)}
        left = left_then(connection, meant, places.values(), moment)
    if wanted:
        _leave_by_keys(left, scanned, sought)
    parts: list[Scanned] = []
    for n, (one, known) in enumerate(zip(sought, scanned, strict=True)):
        if n in wanted and not known.reason:
            parts += _parts(one, known, *stock.take(wanted[n], held, left))
        elif not one.optional or _is_there(one, known):
            parts.append(known)
    return parts


def _is_there(one: Sought, known: Scanned) -> bool:
    return (
        not known.reason
        and known.held is not None
        and known.held.where.account_id in {place.account_id for place in one.origins}
    )


def _leave_by_keys(left: Left, scanned: Sequence[Scanned], sought: Sequence[Sought]) -> None:
    """What the lines that name an item by its key leave for those that name a model."""
    for known, one in zip(scanned, sought, strict=True):
        if known.held is None or known.held.serial or known.reason:
            continue
        for origin in one.origins[:1]:
            left[known.held.item_id, origin.account_id] = max(left_of(left, known.held, origin) - one.line.quantity, 0)


def _is_counted(model: Model | None) -> bool:
    return model is not None and model.tracked_by != "serial"


def _wanted(model: Model | None, one: Sought) -> Wanted:
    assert model is not None
    return Wanted(model, one.line.lot, one.line.quantity, one.origins)


def _scanned(sought: Sequence[Sought], held: dict[UUID, Held]) -> list[Scanned]:
    """What each line led to; what is named by its model is not looked into yet."""
    scanned, seen, weapons = [], dict[UUID, int](), dict[int, Scanned]()
    for line in sought:
        one = Scanned(
            line.number, line.line, held.get(line.found[0]) if len(line.found) == 1 else None, found=line.found
        )
        one.of = weapons.get(id(line.of))
        weapons[id(line)] = one
        if one.of is not None and one.counted and not line.line.by_model:
            one.origin = next(iter(line.origins), None)
        if one.of is not None and one.of.held is not None and not one.of.held.serial:
            one.reason = f"accessories go with a weapon: {one.of.held.name} is counted"
        elif line.line.by_model:
            _name_no_counted(one, line.model)
        elif len(line.found) > 1:
            one.reason = f"{len(line.found)} weapons bear this number: scan the asset tag, or name the model"
        elif one.held is None:
            one.reason = "unknown: nothing in the books bears this number"
        elif one.held.item_id in seen:
            one.repeats = seen[one.held.item_id]
            one.reason = f"already on this list, line {one.repeats}"
        elif one.held.serial and line.line.quantity != 1:
            one.reason = "a weapon is one: quantity must be 1"
        else:
            seen[one.held.item_id] = line.number
        scanned.append(one)
    return scanned


def _name_no_counted(one: Scanned, model: Model | None) -> None:
    """Why a model's name is not enough. Of a name that nobody knows a fact takes in unidentified equipment."""
    if model is None:
        one.reason = "unknown model: name it as the catalogue does, or have a registrar say once what is meant by it"
        one.lacks = Lack(UNIDENTIFIED_EQUIPMENT, None, 0, one.line.quantity)
    elif not _is_counted(model):
        one.reason = f"{model.name} is tracked by serial number: scan each weapon"


def _parts(sought: Sought, one: Scanned, parts: Sequence[Part], lack: Lack | None) -> list[Scanned]:
    """A number of a model as the items it is taken from, and what lacks of it."""
    lot_unsaid = _lot_unsaid(sought)
    found = [
        replace(one, line=one.line.model_copy(update={"quantity": part.quantity}), held=part.held, origin=part.origin, reason=lot_unsaid)
        for part in parts
    ]  # fmt: skip
    if lack is None or sought.optional:
        return found
    line = one.line.model_copy(update={"quantity": lack.asked - lack.there})
    return [*found, replace(one, line=line, held=None, reason=lot_unsaid or _too_few(lack), lacks=lack)]


def _lot_unsaid(sought: Sought) -> str | None:
    model = sought.model
    if model is None or model.tracked_by != "lot" or sought.line.lot is not None:
        return None
    return f"{model.name} is tracked by lot: give the lot"


def _too_few(lack: Lack) -> str:
    name = f"{lack.model.name}, lot {lack.lot}" if lack.lot else lack.model.name
    if not lack.origins:
        return f"{name} is counted: say where it is taken from, or scan a weapon"
    if lack.before:
        more = f"{lack.asked} more asked for: other lines take {lack.before}"
        return f"only {lack.before + lack.there} {name} at {lack.where}, {more}"
    return f"only {lack.there} {name} at {lack.where}, {lack.asked} asked for"


def any_counted(scanned: Iterable[Scanned]) -> bool:
    """Whether something among it is told by number, and nobody knows yet where it is taken from."""
    return any(one.counted and one.origin is None and (one.of is None or one.lacks is None) for one in scanned)


def by_model(rows: Rows) -> bool:
    """Whether a line among them names what is counted by its model."""
    return any(line.by_model for _, line in rows)


def refuse(scanned: Iterable[Scanned], act: str, keys_by_name: bool = False) -> None:
    """Raises Refused with every line's reason, if any line has one. `keys_by_name`: who asked named no keys."""
    reasons = list(dict.fromkeys(one.refused(keys_by_name) for one in scanned if one.reason))
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


def check_there(scanned: Sequence[Scanned], origin: Place | None) -> None:
    """A weapon leaves where it is said to leave from, if that is said."""
    for one in scanned:
        if origin is None or one.reason or one.held is None or not one.held.serial:
            continue
        if one.held.where.account_id != origin.account_id:
            one.reason = f"it is not in {origin.name}"


def check_quantities(scanned: Sequence[Scanned], origin: Place | None) -> None:
    """A command can't take more of a quantity than there is at its origin."""
    for one in scanned:
        if one.reason or one.held is None or one.held.serial or one.line.by_model:
            continue
        place = one.origin or origin
        if place is None:
            continue
        there = one.held.holdings.get(place.account_id, (place, 0))[1]
        if there < one.line.quantity:
            one.reason = f"only {there} at {place.name}, {one.line.quantity} asked for"


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
        check_meant(desk.connection, unknown)
    return [*found, *_take_unknown(desk, unknown, donor_id), *_take_lacking(desk, scanned, donor_id)]


def _one_at_a_time(desk: Desk, written: Writing) -> None:
    """Of two papers with one unknown weapon the second finds what the first took in. The document's book comes before new
    identities, as in a receipt.
    """
    desk.connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('unknown weapons', 0))")
    ledger.hold_book(desk, written)


def check_meant(connection: Connection, scanned: Sequence[Scanned]) -> None:
    """Raises Overtaken if what was scanned means other weapons by now than before the locks."""
    now_found = scans.candidates(connection, [one.line for one in scanned])
    if any(set(found) != set(one.found) for one, found in zip(scanned, now_found, strict=True)):
        raise Overtaken("A weapon that this names came into the books at this moment: ask again.")


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
    """A line that names an item by a key nobody has stays refused: no paper bears a key."""
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


def lines_from(
    scanned: Sequence[Scanned], origin: Place | None, to: Place, fact: Act | None = None, claimed: Place | None = None
) -> list[Line]:
    """The lines to post: weapons from wherever they are, quantities from `origin`, all to one place. Of a fact, the act
    that it is, and where the paper says the weapons came from: what speaks against either is a discrepancy.
    """
    lines: list[Line] = []
    of_accessories: dict[tuple[UUID, UUID], Line] = {}
    for one in scanned:
        if one.held is None:
            continue
        condition = getattr(one.line, "condition", None)
        line = Line(one.held, to, one.origin or origin, one.line.quantity, condition, claimed, fact)
        if one.of is not None and one.counted and line.origin is not None:
            # The magazines of four hundred rifles are one line; the document's details tell them apart.
            first = of_accessories.setdefault((one.held.item_id, line.origin.account_id), line)
            if first is not line:
                first.quantity += line.quantity
                continue
        lines.append(line)
    return lines
