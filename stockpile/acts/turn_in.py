"""Return: weapons come back from a person or a unit to a store, each in a condition somebody looked at.

As a command it is refused for what is not issued. With the weapon in the clerk's hand it is a fact: posted from wherever
the books had it, and the contradiction opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.accessories import COMPLETE, EquippedConditionLine, account_for, read_lasts, seek_with
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import giver
from stockpile.acts.voucher import ConditionVoucher, Scanned
from stockpile.documents import LATER, Code, Desk, Posted, Writing, now
from stockpile.errors import Fault, Invalid
from stockpile.movements import Act
from stockpile.sentences import sentence
from stockpile.signatures import Signed, with_signatures
from stockpile.sites import Place, find_store


class Return(Signed, ConditionVoucher):
    """Take weapons and equipment back into a store."""

    returned_by: Code | None = Field(
        None, description="Service number or unit code of who brings it; left out: who holds it", examples=["A-1001"]
    )
    store: Code | None = Field(None, description="Into which store; needed where the site has several")
    in_hand: bool = Field(
        False, description="The weapons lie on the counter, whatever the books say: post it as a fact"
    )
    lines: Annotated[tuple[EquippedConditionLine, ...], Field(max_length=500)] = ()
    accessories_complete: Annotated[bool, LATER] = COMPLETE


def turn_in(desk: Desk, request: Return) -> Posted:
    """Posts a return. Raises Invalid (store, returner of quantities), Refused (one reason a weapon)."""
    written = Writing.of(request, in_hand=request.in_hand)
    store = find_store(desk.connection, desk.site, request.store)
    day = desk.site.local_day(written.happened_at or now())
    giving = giver(desk, request.returned_by, written.fact, day, "returned_by") if request.returned_by else None
    origin = giving.place if giving else None
    sought = voucher.seek_voucher(desk, request, origin)
    lasts = read_lasts(desk, sought, written.happened_at)
    everything = seek_with(sought, lasts, origin, request.accessories_complete)
    scanned = voucher.lock_sought(desk.connection, everything, moment=written.happened_at)
    if origin is None and voucher.any_counted(scanned):
        raise Invalid(
            sentence("Say who returns what is counted."),
            [
                Fault(
                    sentence("quantities come back from somebody: give a service number or unit code"),
                    field="returned_by",
                )
            ],
        )
    if written.fact:
        found = [*(giving.contradictions if giving else ()), *take_as_written(desk, scanned, written)]
    else:
        found = []
        guard(desk, scanned, origin)
    voucher.refuse(scanned, desk.act)
    others = [one.number for one in scanned if origin and one.held and one.held.serial and one.held.where != origin]
    accounted = account_for(desk, scanned, lasts, origin, "came back", written.claim is not None)
    details = {
        "paper": "turn-in",
        "returned_by": str(giving.party_id) if giving else None,
        "returner_is_not_holder_on_lines": list(dict.fromkeys(others)) or None,
        **accounted.details,
    }
    document = written.document(desk, giving.signatories if giving else {}, details)
    holders = {one.held.where.party_id for one in scanned if one.held is not None and one.held.serial}
    return ledger.post(
        desk,
        with_signatures(desk, request, document, [holder for holder in holders if holder is not None]),
        voucher.lines_from(
            scanned,
            origin,
            store,
            fact=desk.act if written.fact else None,
            claimed=origin if written.fact else None,
        ),
        [*found, *accounted.contradictions],
    )


def guard(desk: Desk, scanned: Sequence[Scanned], origin: Place | None) -> None:
    """Says of each line why it can't be taken back, if it can't; quantities come from the origin."""
    voucher.check_origin(scanned, desk.act, desk.site)
    voucher.check_quantities(scanned, origin)


RETURN = ActForm(Act.RETURN, Return, turn_in)
