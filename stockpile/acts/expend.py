"""Expend: what was fired or destroyed in combat leaves its holding for good, under an expenditure report of two parties.

From paper it is a fact: a report that nobody approved is posted, and that nobody did is a discrepancy.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import FromHolder, lock_from_holder
from stockpile.documents import Desk, Posted, Words, Writing
from stockpile.movements import AccountClass, Act
from stockpile.sites import site_account

Manner = Literal["fired", "destroyed in combat"]


class Expend(FromHolder):
    """Report weapons or equipment fired or destroyed in combat (expenditure report). Takes a second party."""

    manner: Manner = Field(examples=["destroyed in combat"])
    place: Words = Field(description="Where it happened", examples=["Route Tampa, checkpoint 4"])
    circumstances: Words = Field(examples=["Vehicle burnt out after an attack"])


def expend(desk: Desk, request: Expend) -> Posted:
    """Posts an expenditure report. Raises Invalid (holder, store), Refused (one reason a weapon)."""
    written = Writing.of(request)
    expended = site_account(desk.connection, desk.site, AccountClass.EXPENDED)
    scanned, origin, found = lock_from_holder(desk, request, written)
    if written.fact:
        found += take_as_written(desk, scanned, written)
    else:
        voucher.check_origin(scanned, desk.act, desk.site)
        if origin is not None:
            voucher.check_quantities(scanned, origin)
        if origin is not None and request.holder is not None:
            voucher.check_held_by(scanned, origin)
    voucher.refuse(scanned, desk.act)
    details = {
        "paper": "expenditure report",
        "manner": request.manner,
        "place": request.place,
        "circumstances": request.circumstances,
    }
    fact, claimed = (desk.act, origin if request.holder else None) if written.fact else (None, None)
    lines = voucher.lines_from(scanned, origin, expended, fact=fact, claimed=claimed)
    return ledger.post(desk, written.document(desk, {}, details), lines, found)


EXPEND = ActForm(Act.EXPEND, Expend, expend)
