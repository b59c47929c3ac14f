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

from stockpile import items, scans
from stockpile.acts import counted
from stockpile.acts.counted import Lack, Left, Part, Wanted, left_of
from stockpile.catalogue import UNIDENTIFIED_EQUIPMENT, Model, find_models
from stockpile.documents import ConditionLine, Desk, FactRequest, ItemLine, now
from stockpile.errors import Reason, Refused
from stockpile.items import Held, Line
from stockpile.movements import MOVEMENT_OF, AccountClass, Act
from stockpile.registers.listing import ListRequest, scanned_from
from stockpile.sentences import of_the_books, sentence
from stockpile.shortfall import left_then
from stockpile.sites import Place, Site, find_store


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
    return sentence("{place} ({account_class})", place=place.name, account_class=place.account_class)


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
    connection: Connection,
    sought: Sequence[Sought],
    also: Collection[UUID] = (),
    moment: datetime | None = None,
    only_look: bool = False,
) -> list[Scanned]:
    """Locks what was sought, all of it in one statement, in item order. A line that means nothing, or several weapons, or a
    weapon that already stands on the list, or more of a model than there is, carries its reason. Of a fact, `moment` is when
    it happened: what was not there then it does not take. `only_look` locks nothing: for who asks what an act would say.
    """
    wanted = {
        n: _wanted(one.model, one) for n, one in enumerate(sought) if one.line.by_model and _is_counted(one.model)
    }
    stock = counted.stock(connection, wanted.values(), moment)
    ids = {one.found[0] for one in sought if len(one.found) == 1} | set(also)
    ids.update(*(stock.to_lock(one) for one in wanted.values()))
    accounts = {place.account_id for one in wanted.values() for place in one.origins}
    held = items.whereabouts(connection, ids, lock=not only_look, accounts=accounts)
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
            one.reason = sentence("accessories go with a weapon: {weapon} is counted", weapon=one.of.held.name)
        elif line.line.by_model:
            _name_no_counted(one, line.model)
        elif len(line.found) > 1:
            one.reason = sentence(
                "{count} weapons bear this number: scan the asset tag, or name the model", count=len(line.found)
            )
        elif one.held is None:
            one.reason = sentence("unknown: nothing in the books bears this number")
        elif one.held.item_id in seen:
            one.repeats = seen[one.held.item_id]
            one.reason = already_listed(one.repeats)
        elif one.held.serial and line.line.quantity != 1:
            one.reason = sentence("a weapon is one: quantity must be 1")
        else:
            seen[one.held.item_id] = line.number
        scanned.append(one)
    return scanned


def already_listed(line: int) -> str:
    """The reason of a weapon that a line before it named."""
    return sentence("already on this list, line {line}", line=line)


def _name_no_counted(one: Scanned, model: Model | None) -> None:
    """Why a model's name is not enough. Of a name that nobody knows a fact takes in unidentified equipment."""
    if model is None:
        one.reason = sentence(
            "unknown model: name it as the catalogue does, or have a registrar say once what is meant by it"
        )
        one.lacks = Lack(UNIDENTIFIED_EQUIPMENT, None, 0, one.line.quantity)
    elif not _is_counted(model):
        one.reason = sentence("{model} is tracked by serial number: scan each weapon", model=model.name)


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
    return sentence("{model} is tracked by lot: give the lot", model=model.name)


def _too_few(lack: Lack) -> str:
    name = lack.model.name
    if lack.lot:
        name = sentence("{model}, lot {lot}", model=lack.model.name, lot=lack.lot)
    if not lack.origins:
        return sentence("{name} is counted: say where it is taken from, or scan a weapon", name=name)
    if lack.before:
        more = sentence("{asked} more asked for: other lines take {before}", asked=lack.asked, before=lack.before)
        return sentence(
            "only {there} {name} at {where}, {more}",
            there=lack.before + lack.there,
            name=name,
            where=lack.where,
            more=more,
        )
    return sentence(
        "only {there} {name} at {where}, {asked} asked for",
        there=lack.there,
        name=name,
        where=lack.where,
        asked=lack.asked,
    )


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
        raise Refused(
            sentence(
                "Nothing was done: {count} line(s) of this {act} cannot be.", count=len(reasons), act=of_the_books(act)
            ),
            reasons,
        )


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
            one.reason = sentence("it is not at {site}", site=site.code)


_NOT_FROM = {
    AccountClass.STORE: sentence("it is in a store"),
    AccountClass.UNIT: sentence("it is issued to a unit"),
    AccountClass.PERSON: sentence("it is issued to a person"),
    AccountClass.MAINTENANCE: sentence("it is in maintenance"),
    AccountClass.SUPPLY: sentence("it has not arrived"),
    AccountClass.TRANSIT: sentence("it is on its way"),
    AccountClass.MISSING: sentence("it is reported missing"),
    AccountClass.LOST: sentence("it was concluded as lost"),
    AccountClass.EXPENDED: sentence("it was expended"),
    AccountClass.DESTROYED: sentence("it was destroyed"),
    AccountClass.EXPORTED: sentence("it was exported"),
    AccountClass.OUTSIDE: sentence("it was taken back out of the books"),
}


def _not_from(act: Act, place: Place) -> str:
    where = _NOT_FROM[place.account_class]
    return sentence("{where}: the act '{act}' does not begin there", where=where, act=act)


def check_held_by(scanned: Sequence[Scanned], holder: Place) -> None:
    """A weapon handed on is held by who hands it on."""
    for one in scanned:
        if (
            not one.reason
            and one.held is not None
            and one.held.serial
            and one.held.where.account_id != holder.account_id
        ):
            one.reason = sentence("{holder} does not hold it", holder=holder.name)


def check_there(scanned: Sequence[Scanned], origin: Place | None) -> None:
    """A weapon leaves where it is said to leave from, if that is said."""
    for one in scanned:
        if origin is None or one.reason or one.held is None or not one.held.serial:
            continue
        if one.held.where.account_id != origin.account_id:
            one.reason = sentence("it is not in {origin}", origin=origin.name)


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
            one.reason = sentence(
                "only {there} at {place}, {quantity} asked for",
                there=there,
                place=place.name,
                quantity=one.line.quantity,
            )


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
