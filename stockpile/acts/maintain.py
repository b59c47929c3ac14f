"""Maintain: weapons go to the site's workshop from a store or a unit, and come back from it, each way under a work order.

As a command it is refused for what a person holds, and for what is not where the order says. From paper it is a fact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import Giving, Receiving, giver, receiving
from stockpile.acts.voucher import ConditionVoucher, Scanned
from stockpile.discrepancies import Contradiction
from stockpile.documents import Code, Desk, Posted, Words, Writing, now
from stockpile.errors import Fault, Invalid
from stockpile.movements import AccountClass, Act
from stockpile.sentences import sentence
from stockpile.sites import Place, find_store, site_account


class Maintain(ConditionVoucher):
    """Send weapons to the workshop, or take them back from it."""

    back: bool = Field(False, description="They come back from the workshop")
    work: Words = Field(description="What is wrong; of what comes back, what was done", examples=["Firing pin broken"])
    store: Code | None = Field(None, description="From which store, or back into which; for quantities it is needed")
    unit: Code | None = Field(None, description="Instead of a store: code of the unit they come from, or go back to")
    received_by: Code | None = Field(
        None, description="For what goes back to a unit: service number of who takes it, on its signature card"
    )


@dataclass(frozen=True, slots=True)
class OtherEnd:
    """The store or unit at the other end of the workshop; no place: wherever the weapons are."""

    place: Place | None
    signatories: dict[str, UUID] = field(default_factory=dict)
    contradictions: list[Contradiction] = field(default_factory=list)


def maintain(desk: Desk, request: Maintain) -> Posted:
    """Posts a work order. Raises Invalid (store, unit), Refused (who receives; one reason a weapon)."""
    written = Writing.of(request)
    workshop = site_account(desk.connection, desk.site, AccountClass.MAINTENANCE)
    end = _other_end(desk, request, written)
    origin = workshop if request.back else end.place
    scanned = voucher.lock_voucher(desk, request, origin)
    if origin is None and voucher.any_counted(scanned):
        message = sentence("quantities go to the workshop from somewhere: give a store or a unit")
        raise Invalid(sentence("Say where what is counted comes from."), [Fault(message, field="store")])
    if written.fact:
        found = [*end.contradictions, *take_as_written(desk, scanned, written)]
    else:
        found = []
        _guard(desk, scanned, origin, request.back)
    voucher.refuse(scanned, desk.act)
    to = end.place if request.back else workshop
    assert to is not None
    details = {"paper": "work order", "work": request.work, "back": request.back or None}
    fact, claimed = (desk.act, origin) if written.fact else (None, None)
    lines = voucher.lines_from(scanned, origin, to, fact=fact, claimed=claimed)
    return ledger.post(desk, written.document(desk, end.signatories, details), lines, found)


def _other_end(desk: Desk, request: Maintain, written: Writing) -> OtherEnd:
    """Where they come from, or go back to."""
    if request.unit is not None:
        if request.store is not None:
            raise Invalid(
                sentence("Say a store or a unit."), [Fault(sentence("give one of store and unit"), field="unit")]
            )
        return _unit(desk, request, request.unit, written)
    if request.back or request.store is not None:
        return OtherEnd(find_store(desk.connection, desk.site, request.store))
    return OtherEnd(None)


def _unit(desk: Desk, request: Maintain, code: str, written: Writing) -> OtherEnd:
    day = desk.site.local_day(written.happened_at or now())
    if request.back:
        party: Receiving | Giving = receiving(desk, code, request.received_by, written, day)
    else:
        party = giver(desk, code, written.fact, day, "unit")
    if party.place.account_class is not AccountClass.UNIT and not written.fact:
        message = sentence("a unit's code: what a person holds is returned first")
        raise Invalid(sentence("The workshop serves stores and units."), [Fault(message, field="unit", value=code)])
    return OtherEnd(party.place, party.signatories, party.contradictions)


def _guard(desk: Desk, scanned: list[Scanned], origin: Place | None, back: bool) -> None:
    voucher.check_origin(scanned, desk.act, desk.site)
    if origin is not None:
        voucher.check_quantities(scanned, origin)
    for one in scanned:
        if one.reason or one.held is None or not one.held.serial:
            continue
        in_workshop = one.held.where.account_class is AccountClass.MAINTENANCE
        if back and not in_workshop:
            one.reason = sentence("it is not in the workshop")
        elif in_workshop and not back:
            one.reason = sentence("it is in the workshop already")
    voucher.check_there(scanned, origin)


MAINTAIN = ActForm(Act.MAINTAIN, Maintain, maintain)
