"""Hand over: weapons go from one person or unit to another, both sides signing (lateral transfer, sub-hand receipt)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.accessories import COMPLETE, EquippedLine, account_for, read_lasts, seek_with
from stockpile.acts.as_written import take_as_written
from stockpile.acts.end_use import check_receivers, received_beyond
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import giver, receiving
from stockpile.acts.voucher import FactVoucher
from stockpile.documents import LATER, Code, Desk, Posted, Writing, now
from stockpile.errors import Fault, Invalid
from stockpile.movements import Act
from stockpile.sentences import sentence
from stockpile.signatures import Signed, with_signatures


class HandOver(Signed, FactVoucher):
    """Hand weapons on, from whoever holds them to another person or unit."""

    giver: Code = Field(description="Service number or unit code of who holds them", examples=["A-1001"])
    receiver: Code = Field(description="Service number or unit code of who takes them", examples=["A-1002"])
    received_by: Code | None = Field(None, description="For a unit: who signs for it, on its signature card")
    lines: Annotated[tuple[EquippedLine, ...], Field(max_length=500)] = ()
    accessories_complete: Annotated[bool, LATER] = COMPLETE


def hand_over(desk: Desk, request: HandOver) -> Posted:
    """Posts a hand-over. Raises Invalid (giver, receiver), Refused (one reason a weapon)."""
    written = Writing.of(request)
    day = desk.site.local_day(written.happened_at or now())
    giving = giver(desk, request.giver, written.fact, day, "giver")
    taking = receiving(desk, request.receiver, request.received_by, written, day)
    sought = voucher.seek_voucher(desk, request, giving.place)
    lasts = read_lasts(desk, sought, written.happened_at)
    if giving.party_id == taking.party_id and not written.fact:
        fault = Fault(sentence("the same as who hands it over"), field="receiver", value=request.receiver)
        raise Invalid(sentence("Nothing was done: nobody hands weapons to himself."), [fault])
    everything = seek_with(sought, lasts, giving.place, request.accessories_complete)
    scanned = voucher.lock_sought(desk.connection, everything, moment=written.happened_at)
    if written.fact:
        found = [*giving.contradictions, *taking.contradictions, *take_as_written(desk, scanned, written)]
        found += received_beyond(desk, [(one, taking.party_id) for one in scanned], day)
    else:
        found = []
        voucher.check_origin(scanned, desk.act, desk.site)
        voucher.check_held_by(scanned, giving.place)
        voucher.check_quantities(scanned, giving.place)
        check_receivers(desk, [(one, taking.party_id) for one in scanned], day)
    voucher.refuse(scanned, desk.act)
    signatories = {**taking.signatories, **giving.signatories}
    accounted = account_for(desk, scanned, lasts, giving.place, "handed on", written.claim is not None)
    details = {
        "paper": "lateral transfer",
        "giver": str(giving.party_id),
        "receiver": str(taking.party_id),
        **accounted.details,
    }
    return ledger.post(
        desk,
        with_signatures(desk, request, written.document(desk, signatories, details)),
        voucher.lines_from(
            scanned,
            giving.place,
            taking.place,
            fact=desk.act if written.fact else None,
            claimed=giving.place if written.fact else None,
        ),
        [*found, *accounted.contradictions],
    )


HAND_OVER = ActForm(Act.HAND_OVER, HandOver, hand_over)
