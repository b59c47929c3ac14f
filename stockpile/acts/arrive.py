"""Arrive: what a shipment brought is taken from transit into a store, scan by scan, against its shipping order.

What stands at the counter is never refused for what the books say: what is not on the shipment, still in the sender's
store, in somebody's hands or unknown is posted as a fact with its discrepancy. Shortage is what is left when the
arrival is said to be complete; it stays in transit until it comes after all or is reported missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

from pydantic import Field

from stockpile import items, ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.receive import LONGEST_DELIVERY
from stockpile.acts.voucher import ConditionVoucher, Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Code, ConditionLine, Desk, Posted, Words, Writing
from stockpile.errors import Fault, Invalid
from stockpile.items import Held, Line
from stockpile.movements import AccountClass, Act
from stockpile.sentences import sentence
from stockpile.shipments import Shipment, Shipped, find_shipment, shipped_items
from stockpile.sites import OUTSIDE, Place, find_store, site_account


class Arrive(ConditionVoucher):
    """Take a shipment into a store: what stands at the counter, by scan, against its shipping order (receiving report)."""

    lines: Annotated[tuple[ConditionLine, ...], Field(max_length=LONGEST_DELIVERY)] = ()
    shipment: Code = Field(description="Number or id of the shipping order", examples=["ERBIL/B/2026/41"])
    store: Code | None = Field(None, description="Into which store; needed where the site has several")
    complete: bool = Field(False, description="Nothing more of it will come: what is outstanding is short")
    delivered_by: Words | None = Field(None, description="Who handed it over here", examples=["2nd Transport Company"])


@dataclass(slots=True)
class Arrival:
    """What the lines of an arrival led to. `late`: it is keyed from a paper, or came from a device. `left`: what is still
    outstanding of what is counted, while it is taken.
    """

    transit: Place
    store: Place
    shipment: Shipment | None
    shipped: Mapping[UUID, Shipped]
    fact: bool
    late: bool
    left: dict[UUID, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    found: list[Contradiction] = field(default_factory=list)

    @property
    def named(self) -> str:
        """The shipment in words, where there is one."""
        return f"shipment {self.shipment.number}" if self.shipment else "a shipment nobody posted"


def arrive(desk: Desk, request: Arrive) -> Posted:
    """Posts an arrival. Raises Invalid (store; a shipment that is none, or is not bound for here)."""
    written = Writing.of(request)
    store = find_store(desk.connection, desk.site, request.store)
    transit = site_account(desk.connection, desk.site, AccountClass.TRANSIT)
    shipment, unheard = shipment_here(desk, request.shipment, written.fact)
    all_of_it = shipped_items(desk.connection, shipment.document_id) if shipment and request.complete else {}
    scanned = voucher.lock_voucher(desk, request, transit, also=all_of_it)
    unknown = take_as_written(desk, scanned, written)
    voucher.refuse(scanned, desk.act)
    if shipment is None:  # its order may have been posted while the items were waited for
        shipment, unheard = shipment_here(desk, request.shipment, written.fact)
    asked = None if request.complete else {one.held.item_id for one in scanned if one.held}
    shipped = shipped_items(desk.connection, shipment.document_id, asked) if shipment else {}
    if unknown or _any_elsewhere(scanned, transit):
        written = replace(written, fact=True)
    arrival = Arrival(transit, store, shipment, shipped, written.fact, written.claim is not None, found=unknown)
    if arrival.late:
        arrival.found += not_named(scanned, shipped, unheard or f"not on {arrival.named}")
    for one in scanned:
        if one.held is not None:
            _take(arrival, one, one.held)
    if request.complete:
        arrival.found += _short(desk, arrival)
    details = {
        "paper": "receiving report",
        "shipment": str(shipment.document_id) if shipment else None,
        "shipment_number": shipment.number if shipment else request.shipment,
        "complete": request.complete or None,
        "delivered_by": request.delivered_by,
    }
    return ledger.post(desk, written.document(desk, {}, details), arrival.lines, arrival.found)


def shipment_here(desk: Desk, named: str, fact: bool) -> tuple[Shipment | None, str | None]:
    """The shipment that is bound for this site. None that is: Invalid for a command; for a fact, which says so all the same,
    why there is none.
    """
    shipment = find_shipment(desk.connection, named)
    if shipment is not None and shipment.to_site == desk.site.site_id:
        return shipment, None
    why = (
        sentence("it is bound for {to_code}", to_code=shipment.to_code)
        if shipment
        else sentence("no shipment of this number is bound for {site}", site=desk.site.code)
    )
    if not fact:
        raise Invalid(sentence("Nothing was posted."), [Fault(why, field="shipment", value=named)])
    return None, f"shipment {named}: {why}"


def not_named(scanned: Sequence[Scanned], shipped: Mapping[UUID, Shipped], why: str) -> list[Contradiction]:
    """What a late fact says of a shipment whose order does not name it, or is not in the books: excess, which the order
    withdraws that comes later and names it.
    """
    found: dict[UUID, Contradiction] = {}
    for one in scanned:
        if one.held is not None and one.held.item_id not in shipped:
            held, seen = one.held, f"{one.held.name} on line {one.number}"
            found.setdefault(
                held.item_id, Contradiction(Kind.EXCESS, why, seen, held.item_id, held.donor_id, one.number)
            )
    return [*found.values()]


def _any_elsewhere(scanned: Sequence[Scanned], transit: Place) -> bool:
    """Whether a weapon at the counter is not on its way here, as the books have it."""
    return any(one.held is not None and one.held.serial and one.held.where != transit for one in scanned)


def _take(arrival: Arrival, one: Scanned, held: Held) -> None:
    assert isinstance(one.line, ConditionLine)
    if not held.serial:
        _take_counted(arrival, one, held, one.line)
        return
    if not arrival.late and held.where == arrival.transit and held.item_id not in arrival.shipped:
        arrival.found.append(
            Contradiction(
                Kind.EXCESS, f"not on {arrival.named}", _seen(one, held), held.item_id, held.donor_id, one.number
            )
        )
    claimed, fact = (arrival.transit, Act.RECEIVE) if arrival.fact else (None, None)
    arrival.lines.append(Line(held, arrival.store, None, 1, one.line.condition, claimed, fact))


def _take_counted(arrival: Arrival, one: Scanned, held: Held, line: ConditionLine) -> None:
    """Takes what is counted from what is outstanding of this shipment; what is more comes from outside, as excess. Of a late
    fact the ledger tells how much was on its way, and gives it more when a later paper shows that there was.
    """
    if arrival.late:
        arrival.lines.append(Line(held, arrival.store, one.origin or arrival.transit, line.quantity, line.condition))
        return
    left = arrival.left.setdefault(held.item_id, outstanding(held, arrival.shipped, arrival.transit))
    take = min(left, line.quantity)
    arrival.left[held.item_id] = left - take
    for origin, quantity in ((arrival.transit, take), (OUTSIDE, line.quantity - take)):
        if quantity:
            arrival.lines.append(Line(held, arrival.store, origin, quantity, line.condition))
    if take < line.quantity:
        said = f"{left} of {held.name} outstanding on {arrival.named}"
        seen = f"{line.quantity} arrived, line {one.number}"
        arrival.found.append(Contradiction(Kind.EXCESS, said, seen, held.item_id, held.donor_id, one.number))


def outstanding(held: Held, shipped: Mapping[UUID, Shipped], transit: Place) -> int:
    """How much of what is counted is outstanding of a shipment, and in transit still."""
    there = held.holdings.get(transit.account_id, (transit, 0))[1]
    return min(shipped[held.item_id].outstanding, there) if held.item_id in shipped else 0


def check_outstanding(
    scanned: Sequence[Scanned], shipment: Shipment, shipped: Mapping[UUID, Shipped], transit: Place
) -> None:
    """What a command takes off a shipment otherwise than by its arrival is on it, and outstanding."""
    for one in scanned:
        if one.reason or one.held is None:
            continue
        if one.held.serial:
            if one.held.where != transit or one.held.item_id not in shipped:
                one.reason = sentence("it is not on shipment {shipment}", shipment=shipment.number)
        elif (left := outstanding(one.held, shipped, transit)) < one.line.quantity:
            one.reason = sentence(
                "only {left} outstanding on shipment {shipment}, {quantity} asked for",
                left=left,
                shipment=shipment.number,
                quantity=one.line.quantity,
            )


def _seen(one: Scanned, held: Held) -> str:
    return f"{held.name} arrived, line {one.number}"


def _short(desk: Desk, arrival: Arrival) -> list[Contradiction]:
    """What was shipped and did not arrive, now that nothing more will come."""
    taken: dict[UUID, int] = {}
    for line in arrival.lines:
        if line.origin is not OUTSIDE:
            taken[line.held.item_id] = taken.get(line.held.item_id, 0) + line.quantity
    short = {
        one.item_id: left
        for one in arrival.shipped.values()
        if (left := one.outstanding - taken.get(one.item_id, 0)) > 0
    }
    held = items.whereabouts(desk.connection, short, lock=False)
    return [
        Contradiction(
            Kind.SHORTAGE,
            f"{held[item_id].name} on {arrival.named}",
            "not arrived" if held[item_id].serial else f"{left} of {arrival.shipped[item_id].shipped} not arrived",
            item_id,
            held[item_id].donor_id,
        )
        for item_id, left in short.items()
    ]


ARRIVE = ActForm(Act.RECEIVE, Arrive, arrive, called="arrive")
