"""Recover: a weapon the books hold as missing, lost, expended, destroyed or exported is found, and taken into a store.

Finding one that is only missing is a command. What the books had given up is a fact, with a discrepancy that says what
they claimed and under which document.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import ConditionVoucher
from stockpile.documents import Code, Desk, Posted, Words, Writing
from stockpile.movements import GONE, AccountClass, Act
from stockpile.sites import find_store, site_account


class Recover(ConditionVoucher):
    """Take found weapons back into a store (recovery report)."""

    store: Code | None = None
    in_hand: bool = Field(
        False, description="The weapons lie on the counter, whatever the books say: post it as a fact"
    )
    place: Words = Field(description="Where it was found", examples=["Wadi north of checkpoint 4"])
    found_by: Words = Field(description="Who found it", examples=["2nd patrol, 1st Company"])


def recover(desk: Desk, request: Recover) -> Posted:
    """Posts a recovery. Raises Invalid (store), Refused (one reason a weapon)."""
    written = Writing.of(request, in_hand=request.in_hand)
    store = find_store(desk.connection, desk.site, request.store)
    missing = site_account(desk.connection, desk.site, AccountClass.MISSING)
    scanned = voucher.lock_voucher(desk, request)
    if written.fact:
        found = voucher.take_as_written(desk, scanned)
    else:
        found = []
        voucher.check_origin(scanned, desk.act, desk.site)
        voucher.check_quantities(scanned, missing)
    voucher.refuse(scanned, desk.act)
    if any(one.held and one.held.serial and one.held.where.account_class in GONE for one in scanned):
        written = replace(written, fact=True)
    details = {"paper": "recovery report", "place": request.place, "found_by": request.found_by}
    lines = voucher.lines_from(scanned, missing, store, fact=desk.act if written.fact else None)
    return ledger.post(desk, written.document(desk, {}, details), lines, found)


RECOVER = ActForm(Act.RECOVER, Recover, recover)
