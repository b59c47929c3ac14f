"""Receive: weapons that stand at the counter are taken into a store, against a consignment's shipping list if there is one.

What arrives is never refused for what the books say: excess, twins, a model declared otherwise, and weapons the books
had given up are received as found, each with its discrepancy. Shortage is what is left in supply when the receipt is
said to be complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from stockpile import items, ledger
from stockpile.acts.as_written import KnownThen, known_then
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import describe
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import LATER, Code, Desk, FactRequest, Posted, Words, Writing
from stockpile.errors import Fault, Invalid
from stockpile.identity import serial_key
from stockpile.items import Held, Line, Newcomers, NewItem
from stockpile.movements import HELD, MOVEMENT_OF, AccountClass, Act
from stockpile.parties import OWN_PROCUREMENT, need_party
from stockpile.registers import listing
from stockpile.registers.keep import keep_listed, register_of
from stockpile.registers.listing import Listed, ListLine, ListRequest, listed_from
from stockpile.sentences import sentence
from stockpile.sites import OUTSIDE, Place, find_store, places

LONGEST_DELIVERY = 2_000
"""Lines that a delivery may have as they are scanned, without a file: a truck is unloaded into one receiving report."""


class Receive(ListRequest[ListLine], FactRequest):
    """Take delivery: what stands at the counter goes into a store."""

    lines: Annotated[tuple[ListLine, ...], Field(max_length=LONGEST_DELIVERY)] = ()
    store: Code | None = Field(None, description="Into which store; needed where the site has several")
    donor: Code | None = Field(None, description="Whose delivery; left out: own procurement", examples=["USA"])
    consignment: Code | None = Field(
        None, description="The donor's number of the consignment", examples=["FMS-2026-117"]
    )
    complete: bool = Field(False, description="Nothing more will come: what is left in supply is short")
    delivered_by: Annotated[Words | None, LATER] = Field(
        None, description="Who handed it over here", examples=["2nd Transport Company"]
    )

    @model_validator(mode="after")
    def _known_consignment(self) -> Receive:
        if self.consignment and not self.donor:
            raise ValueError(sentence("a consignment is known by its donor and its number: give the donor too"))
        return self


@dataclass(slots=True)
class Consignment:
    """What was declared and has not arrived: the supply account with its items."""

    consignment_id: UUID
    supply: Place
    expected: dict[UUID, Held] = field(default_factory=dict)

    def by_serial(self) -> dict[str, Held]:
        """The expected weapons by serial key, whatever their model."""
        return {serial_key(held.serial_number): held for held in self.expected.values() if held.serial_number}


@dataclass(slots=True)
class Receipt:
    """What the lines of a receipt led to. `counted`: how many were taken of each item that is told by quantity."""

    lines: list[Line] = field(default_factory=list)
    new: list[NewItem] = field(default_factory=list)
    found: list[Contradiction] = field(default_factory=list)
    counted: Counter[UUID] = field(default_factory=Counter)


def receive(desk: Desk, request: Receive) -> Posted:
    """Posts a receipt. Raises Invalid (store, donor, consignment, rows that can't be read)."""
    store = find_store(desk.connection, desk.site, request.store)
    donor_id = (
        need_party(desk.connection, "donor", request.donor, "donor").party_id if request.donor else OWN_PROCUREMENT
    )
    source = request.donor or desk.site.code
    rows = listed_from(desk, request.file, source) if request.file else listing.typed(request.lines)
    listed = listing.sort_out(desk.connection, rows, source)
    listing.refuse_rejected(
        desk.connection, listed, source, "receipt", request.file is not None and request.file.set_aside
    )
    consignment = _consignment(desk, donor_id, request)
    bearers = {item for several in listed.known.values() for item in several}
    # In one statement, so that all are locked in item order.
    held = items.whereabouts(desk.connection, bearers | _declared(desk, consignment))
    items.check_borne(listed.identities, held)
    known = known_then(desk, held, request.claim)
    if consignment is not None:
        consignment.expected = _still_in(consignment.supply, held)
    receipt = Receipt()
    _receive_lines(receipt, listed, known, consignment, store, donor_id)
    if consignment is not None and request.complete:
        receipt.found += _short(consignment, receipt.lines)
    receipt.found += listing.doubts(listed)
    if consignment is None and donor_id != OWN_PROCUREMENT and receipt.new:
        receipt.found.append(
            Contradiction(Kind.EXCESS, "no shipping list", f"{len(receipt.new)} lines from {request.donor}")
        )
    register = register_of(
        desk, "receiving list", request.consignment or "receipt", request.file, listed, donor_id, request.document_id
    )
    begins_in = MOVEMENT_OF[desk.act].from_classes
    elsewhere = any(line.held.where.account_class not in begins_in for line in receipt.lines if line.held.serial)
    details = {
        "paper": "receiving report",
        "consignment": str(consignment.consignment_id) if consignment else None,
        "complete": request.complete or None,
        "delivered_by": request.delivered_by,
        "register": str(register.register_id) if register else None,
        "rows_set_aside": len(listed.rejected) or None,
    }
    written = Writing.of(request, in_hand=elsewhere)
    return ledger.post(
        desk,
        written.document(desk, {}, details),
        receipt.lines,
        receipt.found,
        Newcomers(receipt.new, listed.bearers),
        meanwhile=lambda: keep_listed(desk, register, listed),
    )


def _consignment(desk: Desk, donor_id: UUID, request: Receive) -> Consignment | None:
    if request.consignment is None:
        return None
    row = desk.connection.exec_driver_sql(
        "SELECT consignment_id, account_id FROM consignment WHERE donor_id = %s AND reference = %s",
        (donor_id, request.consignment),
    ).one_or_none()
    if row is None:
        raise Invalid(
            sentence("The receipt was not posted."),
            [
                Fault(
                    sentence(
                        "{donor} declared no such consignment for {site}", donor=request.donor, site=desk.site.code
                    ),
                    field="consignment",
                    value=request.consignment,
                )
            ],
        )
    return Consignment(row[0], places(desk.connection, [row[1]])[row[1]])


def _declared(desk: Desk, consignment: Consignment | None) -> set[UUID]:
    """What the supply account holds, before the locks."""
    if consignment is None:
        return set()
    return set(
        desk.connection.exec_driver_sql(
            "SELECT item_id FROM holding WHERE account_id = %s", (consignment.supply.account_id,)
        ).scalars()
    )


def _still_in(supply: Place, held: dict[UUID, Held]) -> dict[UUID, Held]:
    """What it holds under the locks."""
    return {item_id: one for item_id, one in held.items() if one.place == supply or supply.account_id in one.holdings}


def _receive_lines(
    receipt: Receipt,
    listed: listing.Sorted,
    known: KnownThen,
    consignment: Consignment | None,
    store: Place,
    donor_id: UUID,
) -> None:
    by_serial = consignment.by_serial() if consignment else {}
    taken: set[UUID] = set()
    for line in listed.lines:
        if line.model is not None and line.model.tracked_by != "serial":
            _receive_quantity(receipt, line, consignment, store, donor_id)
            continue
        bearers = [known.held[item] for item in listed.known.get(line.identity or "", ()) if item not in taken]
        weapon = _meant(bearers, known, consignment) or _declared_otherwise(line, by_serial, taken)
        if weapon is None:
            _receive_new(receipt, line, bearers, consignment, store, donor_id)
            continue
        taken.add(weapon.item_id)
        line.item_id = weapon.item_id
        receipt.found += _mismatch(line, weapon, known.where(weapon), consignment, store, donor_id)
        receipt.lines.append(Line(weapon, store, None, 1, line.condition, fact=Act.RECEIVE))


def _meant(bearers: Sequence[Held], known: KnownThen, consignment: Consignment | None) -> Held | None:
    """Which of the weapons that bear the number stands at the counter: the one expected, else one on its way, else one
    that the books gave up. One that somebody holds is another: a twin.
    """
    for wanted in (
        lambda place: consignment is not None and place == consignment.supply,
        lambda place: place.account_class in (AccountClass.SUPPLY, AccountClass.TRANSIT),
        lambda place: place.account_class not in HELD,
    ):
        for held in bearers:
            if wanted(known.where(held)):
                return held
    return None


def _declared_otherwise(line: Listed, by_serial: dict[str, Held], taken: set[UUID]) -> Held | None:
    """The weapon declared under this serial number as another model."""
    if line.serial_number is None:
        return None
    held = by_serial.get(serial_key(line.serial_number))
    return held if held is not None and held.item_id not in taken else None


def _mismatch(
    line: Listed, weapon: Held, place: Place, consignment: Consignment | None, store: Place, donor_id: UUID
) -> list[Contradiction]:
    model = line.model
    assert model is not None
    if model.model_id != weapon.model_id:
        said = f"declared as {weapon.model_name}"
    elif place.account_class is AccountClass.SUPPLY and _for_another(weapon, place, consignment, store, donor_id):
        said = f"declared in {place.name}"
    else:
        return []
    return [Contradiction(Kind.MISMATCH, said, _seen(line), weapon.item_id, weapon.donor_id, line.row)]


def _seen(line: Listed) -> str:
    return f"{line.name} received, row {line.row}"


def _for_another(weapon: Held, place: Place, consignment: Consignment | None, store: Place, donor_id: UUID) -> bool:
    """Whether it was declared in another consignment than the one received, for another site, or by another donor."""
    if consignment is not None:
        return place != consignment.supply
    return place.site_id != store.site_id or donor_id not in (OWN_PROCUREMENT, weapon.donor_id)


def _receive_new(
    receipt: Receipt, line: Listed, twins: Sequence[Held], consignment: Consignment | None, store: Place, donor_id: UUID
) -> None:
    new = listing.new_weapon(line, donor_id, consignment.consignment_id if consignment else None)
    receipt.new.append(new)
    receipt.lines.append(Line(new.held, store, None, 1, line.condition))
    if twins or line.twin_of is not None:
        where = f"at {describe(twins[0].where)}" if twins else f"in row {line.twin_of}"
        said = f"a weapon of this model and serial number {where}"
        receipt.found.append(Contradiction(Kind.TWIN, said, _seen(line), new.held.item_id, donor_id, line.row))
    if consignment is not None:
        receipt.found.append(
            Contradiction(Kind.EXCESS, "not on the shipping list", _seen(line), new.held.item_id, donor_id, line.row)
        )


def _receive_quantity(
    receipt: Receipt, line: Listed, consignment: Consignment | None, store: Place, donor_id: UUID
) -> None:
    """Takes a quantity from what was declared of its model; what is more comes from outside as excess."""
    left = line.quantity
    for held in consignment.expected.values() if consignment else ():
        if line.model is None or held.model_id != line.model.model_id or held.serial or consignment is None:
            continue
        declared = held.holdings.get(consignment.supply.account_id, (consignment.supply, 0))[1]
        take = min(declared - receipt.counted[held.item_id], left)
        if take > 0:
            receipt.counted[held.item_id] += take
            receipt.lines.append(Line(held, store, consignment.supply, take, line.condition))
            line.item_id = held.item_id
            left -= take
    if left:
        new = listing.new_weapon(line, donor_id, consignment.consignment_id if consignment else None)
        receipt.new.append(new)
        receipt.lines.append(Line(new.held, store, OUTSIDE, left, line.condition))
        if consignment is not None:
            receipt.found.append(
                Contradiction(
                    Kind.EXCESS, f"{line.quantity - left} declared", f"{line.quantity} {line.model_name} received, row {line.row}",
                    new.held.item_id, donor_id, line.row,
                )
            )  # fmt: skip


def _short(consignment: Consignment, lines: Sequence[Line]) -> list[Contradiction]:
    """What was declared and did not come."""
    received: dict[UUID, int] = {}
    for line in lines:
        received[line.held.item_id] = received.get(line.held.item_id, 0) + line.quantity
    found = []
    for held in consignment.expected.values():
        declared = 1 if held.serial else held.holdings[consignment.supply.account_id][1]
        short = declared - received.get(held.item_id, 0)
        if short > 0:
            seen = "not received" if held.serial else f"{short} of {declared} not received"
            found.append(
                Contradiction(
                    Kind.SHORTAGE, f"{held.name} in {consignment.supply.name}", seen, held.item_id, held.donor_id
                )
            )
    return found


RECEIVE = ActForm(Act.RECEIVE, Receive, receive)
