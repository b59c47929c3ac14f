"""Recover: a weapon the books hold as missing, lost, expended, destroyed or exported is found, and taken into a store or given
back to who had it.

Finding one that is only missing is a command. What the books had given up is a fact, with a discrepancy that says what
they claimed and under which document. What an overrun took to missing is later found present.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from stockpile import correction, ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import giver
from stockpile.acts.voucher import ConditionVoucher, Scanned
from stockpile.correction import Live
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import LATER, Code, Desk, Posted, Words, Writing, now
from stockpile.errors import Fault, Invalid
from stockpile.movements import GONE, HELD, AccountClass, Act
from stockpile.sentences import sentence
from stockpile.sites import Place, find_store, site_account

FOUND_PRESENT = "later found present"


class Recover(ConditionVoucher):
    """Take found weapons back into a store, or give them back to who had them (recovery report)."""

    store: Code | None = None
    in_hand: bool = Field(
        False, description="The weapons lie on the counter, whatever the books say: post it as a fact"
    )
    place: Words = Field(description="Where it was found", examples=["Wadi north of checkpoint 4"])
    found_by: Words = Field(description="Who found it", examples=["2nd patrol, 1st Company"])
    holder: Annotated[Code | None, LATER] = Field(
        None,
        description="Instead of a store: service number or unit code of who had it before, and keeps it",
        examples=["A-1001"],
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where what was found goes; `signatories` and `contradictions` are those of the former holder who gets it back."""

    place: Place
    signatories: dict[str, UUID]
    contradictions: Sequence[Contradiction] = ()


def recover(desk: Desk, request: Recover) -> Posted:
    """Posts a recovery. Raises Invalid (store, holder), Refused (one reason a weapon)."""
    written = Writing.of(request, in_hand=request.in_hand)
    destination = _destination(desk, request, written)
    missing = site_account(desk.connection, desk.site, AccountClass.MISSING)
    given_up = _given_up(desk) if written.fact else []
    scanned = voucher.lock_voucher(desk, request, missing, *given_up)
    live = correction.live_entries(desk.connection, _weapons(scanned))
    if written.fact:
        found = [
            *destination.contradictions,
            *take_as_written(desk, scanned, written),
            *_claims_of_counted(scanned),
        ]
    else:
        found = []
        voucher.check_origin(scanned, desk.act, desk.site)
        voucher.check_quantities(scanned, missing)
    if request.holder is not None:
        found += _back_to_its_holder(scanned, live, destination.place, written.fact)
    voucher.refuse(scanned, desk.act)
    if any(one.held and one.held.serial and one.held.where.account_class in GONE for one in scanned):
        written = replace(written, fact=True)
    details = {
        "paper": "recovery report",
        "place": request.place,
        "found_by": request.found_by,
        **_found_present(scanned, live),
    }
    lines = voucher.lines_from(scanned, missing, destination.place, fact=desk.act if written.fact else None)
    return ledger.post(desk, written.document(desk, destination.signatories, details), lines, found)


def _destination(desk: Desk, request: Recover, written: Writing) -> Destination:
    if request.holder is None:
        return Destination(find_store(desk.connection, desk.site, request.store), {})
    if request.store is not None:
        raise Invalid(
            sentence("Say a store or a holder."), [Fault(sentence("give one of store and holder"), field="holder")]
        )
    day = desk.site.local_day(written.happened_at or now())
    former = giver(desk, request.holder, written.fact, day, "holder")
    person = former.signatories.get("handed_over_by")
    return Destination(former.place, {"received_by": person} if person else {}, former.contradictions)


def _given_up(desk: Desk) -> list[Place]:
    """Where what is counted was booked when the site gave it up: found in hand, it is taken from there after `missing`."""
    return [site_account(desk.connection, desk.site, one) for one in AccountClass if one in GONE]


def _claims_of_counted(scanned: Sequence[Scanned]) -> list[Contradiction]:
    return [
        Contradiction(
            Kind.CLAIMED_GONE,
            f"{one.line.quantity} {one.held.name} {one.origin.account_class}",
            "found",
            one.held.item_id,
            one.held.donor_id,
            one.number,
        )
        for one in scanned
        if one.held is not None and one.origin is not None and one.origin.account_class in GONE
    ]


def _weapons(scanned: Sequence[Scanned]) -> list[UUID]:
    return [one.held.item_id for one in scanned if one.held is not None and one.held.serial]


def _back_to_its_holder(
    scanned: Sequence[Scanned], live: Mapping[UUID, Sequence[Live]], holder: Place, fact: bool
) -> list[Contradiction]:
    """A weapon goes back to who had it last; to somebody else it is issued from a store. What is counted has no former holder."""
    found = []
    for one in scanned:
        if one.reason or one.held is None or not one.held.serial or not one.held.version:
            continue
        had = next(
            (entry.origin for entry in live.get(one.held.item_id, ()) if entry.origin.account_class in HELD), None
        )
        if had is not None and had.account_id == holder.account_id:
            continue
        books_said = sentence("{had} had it", had=had.name) if had else sentence("nobody had it")
        if not fact:
            one.reason = sentence(
                "{books_said}, not {holder}: take it into a store", books_said=books_said, holder=holder.name
            )
        else:
            seen = f"given back to {holder.name}"
            found.append(
                Contradiction(Kind.HELD_ELSEWHERE, books_said, seen, one.held.item_id, one.held.donor_id, one.number)
            )
    return found


def _found_present(scanned: Sequence[Scanned], live: Mapping[UUID, Sequence[Live]]) -> dict[str, Any]:
    """What an overrun took to missing, for the document: the lines, unless it is all of them."""
    present = [
        one.number
        for one in scanned
        if one.held is not None and (mine := live.get(one.held.item_id)) and mine[0].act is Act.OVERRUN
    ]
    if not present:
        return {}
    lines = None if len(present) == sum(one.held is not None for one in scanned) else present
    return {"finding": FOUND_PRESENT, "found_present_on_lines": lines}


RECOVER = ActForm(Act.RECOVER, Recover, recover)
