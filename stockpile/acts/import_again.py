"""Import again: what was exported comes back into a store, as the same weapon and of the same donor. From paper it is a
fact.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import ConditionVoucher, Scanned
from stockpile.documents import Code, Desk, Posted, Words, Writing
from stockpile.movements import AccountClass, Act
from stockpile.sentences import sentence
from stockpile.sites import find_store, site_account


class ImportAgain(ConditionVoucher):
    """Take back what was exported (receiving report)."""

    store: Code | None = Field(None, description="Into which store; needed where the site has several")
    received_from: Words = Field(description="Who hands it back", examples=["Royal Ordnance Works, Amman"])


def import_again(desk: Desk, request: ImportAgain) -> Posted:
    """Posts the receipt of what was exported. Raises Invalid (store), Refused (one reason a weapon)."""
    written = Writing.of(request)
    store = find_store(desk.connection, desk.site, request.store)
    exported = site_account(desk.connection, desk.site, AccountClass.EXPORTED)
    scanned = voucher.lock_voucher(desk, request, exported)
    if written.fact:
        found = take_as_written(desk, scanned, written)
    else:
        found = []
        _guard(scanned)
        voucher.check_quantities(scanned, exported)
    voucher.refuse(scanned, desk.act)
    details = {"paper": "receiving report", "received_from": request.received_from}
    lines = voucher.lines_from(scanned, exported, store, fact=desk.act if written.fact else None)
    return ledger.post(desk, written.document(desk, {}, details), lines, found)


def _guard(scanned: Sequence[Scanned]) -> None:
    """A weapon comes back to whichever site it comes back to; it must only have left."""
    for one in scanned:
        if one.reason or one.held is None or not one.held.serial:
            continue
        if one.held.where.account_class is not AccountClass.EXPORTED:
            one.reason = sentence("it was not exported")


IMPORT_AGAIN = ActForm(Act.IMPORT_AGAIN, ImportAgain, import_again)
