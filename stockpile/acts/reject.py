"""Reject: what a donor delivered is not taken; it goes back to the supply of the consignment it came by, with a reason
that the donor reads.

From a store, or from what is on its way here. What no consignment brought has no supply to go back to: it is shipped
back. From paper it is a fact; of what no consignment brought it moves nothing away: that stays where the paper has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.arrive import check_outstanding, not_named, shipment_here
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import ConditionVoucher, Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Code, ConditionLine, Desk, Posted, Words, Writing
from stockpile.errors import Fault, Invalid
from stockpile.items import Held, Line
from stockpile.movements import AccountClass, Act
from stockpile.sentences import sentence
from stockpile.shipments import Shipment, Shipped, consignments_of, shipped_items
from stockpile.sites import Place, find_store, site_account


class Reject(ConditionVoucher):
    """Send what a donor delivered back to its consignment (rejection), from a store or from what is on its way here."""

    reason: Words = Field(description="Why; the donor reads it", examples=["Receivers cracked"])
    store: Code | None = Field(None, description="From which store")
    shipment: Code | None = Field(
        None, description="Instead: from the shipment of this number or id", examples=["TAJI/B/2026/41"]
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rejected items are taken from: a store, or transit, then with the shipment. No place: wherever they are
    here.
    """

    place: Place | None
    shipment: Shipment | None
    shipped: Mapping[UUID, Shipped]


def reject(desk: Desk, request: Reject) -> Posted:
    """Posts a rejection. Raises Invalid (store, shipment), Refused (one reason a weapon)."""
    written = Writing.of(request)
    place = _said(desk, request, written.fact)
    scanned = voucher.lock_voucher(desk, request, place)
    if place is None and voucher.any_counted(scanned):
        message = sentence("quantities are rejected from somewhere: give a store or a shipment")
        raise Invalid(sentence("Say where what is counted comes from."), [Fault(message, field="store")])
    found = take_as_written(desk, scanned, written) if written.fact else []
    shipment, unheard = shipment_here(desk, request.shipment, written.fact) if request.shipment else (None, None)
    asked = {one.held.item_id for one in scanned if one.held}
    shipped = shipped_items(desk.connection, shipment.document_id, asked) if shipment else {}
    origin = Origin(place, shipment, shipped)
    if written.fact and request.shipment:
        found += not_named(scanned, shipped, unheard or f"not on shipment {request.shipment}")
    if not written.fact:
        _guard(desk, scanned, origin)
    supplies = _supplies(desk, scanned)
    found += _not_delivered(scanned, supplies, origin, written.fact)
    voucher.refuse(scanned, desk.act)
    lines: list[Line] = []
    for one in scanned:
        if one.held is not None:
            lines.append(_send_back(one, one.held, supplies, origin, written.fact))
    details = {
        "paper": "rejection",
        "reason": request.reason,
        "shipment": str(shipment.document_id) if shipment else None,
        "shipment_number": shipment.number if shipment else request.shipment,
    }
    return ledger.post(desk, written.document(desk, {}, details), lines, found)


def _said(desk: Desk, request: Reject, fact: bool) -> Place | None:
    """Where the request says they come from. A paper must say it."""
    if request.store is not None and request.shipment is not None:
        raise Invalid(
            sentence("Say a store or a shipment."),
            [Fault(sentence("give one of store and shipment"), field="shipment")],
        )
    if request.shipment is not None:
        return site_account(desk.connection, desk.site, AccountClass.TRANSIT)
    if request.store is not None or fact:
        return find_store(desk.connection, desk.site, request.store)
    return None


def _guard(desk: Desk, scanned: Sequence[Scanned], origin: Origin) -> None:
    voucher.check_origin(scanned, desk.act, desk.site)
    if origin.place is None:
        return
    if origin.shipment is not None:
        check_outstanding(scanned, origin.shipment, origin.shipped, origin.place)
        return
    voucher.check_quantities(scanned, origin.place)
    voucher.check_there(scanned, origin.place)


def _supplies(desk: Desk, scanned: Sequence[Scanned]) -> dict[UUID, Place]:
    """The supply account of each consignment by which something came."""
    delivered = consignments_of(
        desk.connection, {one.held.consignment_id for one in scanned if one.held and one.held.consignment_id}
    )
    return {consignment_id: each.supply for consignment_id, each in delivered.items()}


def _not_delivered(
    scanned: Sequence[Scanned], supplies: Mapping[UUID, Place], origin: Origin, fact: bool
) -> list[Contradiction]:
    """What no consignment brought carries that as its reason; on paper it is a doubt."""
    found = []
    for one in scanned:
        if one.held is None or one.reason or one.held.consignment_id in supplies:
            continue
        if fact and origin.place is not None:
            held, seen = one.held, f"{one.held.name} rejected, line {one.number}: it stays at {origin.place.name}"
            said = "no consignment brought it, so nobody delivered it"
            found.append(Contradiction(Kind.DOUBTFUL, said, seen, held.item_id, held.donor_id, one.number))
        else:
            one.reason = sentence("no consignment brought it, so nobody delivered it: ship it back")
    return found


def _send_back(one: Scanned, held: Held, supplies: Mapping[UUID, Place], origin: Origin, fact: bool) -> Line:
    """The line of one item. Of what is counted the ledger tells what a paper sends back beyond what was there."""
    assert isinstance(one.line, ConditionLine)
    to = supplies.get(held.consignment_id, origin.place) if held.consignment_id else origin.place
    assert to is not None
    if held.serial:
        claimed, act = (origin.place, Act.REJECT) if fact else (None, None)
        return Line(held, to, None, 1, one.line.condition, claimed, act)
    return Line(held, to, one.origin or origin.place, one.line.quantity, one.line.condition)


REJECT = ActForm(Act.REJECT, Reject, reject)
