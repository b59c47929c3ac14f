"""Recover: a weapon the books hold as missing, lost, expended, destroyed or exported is found, and taken into a store.

Finding one that is only missing is a command. What the books had given up is a fact, with a discrepancy that says what
they claimed and under which document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import ConditionVoucher, Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Code, Desk, Posted, Words, Writing, numbers_of
from stockpile.movements import GONE, AccountClass, Act
from stockpile.sites import Place, find_store, site_account


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
    given_up = _given_up(desk) if written.fact else []
    scanned = voucher.lock_voucher(desk, request, missing, *given_up)
    if written.fact:
        found = [*voucher.take_as_written(desk, scanned), *_claims_of_counted(scanned)]
    else:
        found = []
        voucher.check_origin(scanned, desk.act, desk.site)
        voucher.check_quantities(scanned, missing)
    voucher.refuse(scanned, desk.act)
    gone = [one for one in scanned if one.held and one.held.serial and one.held.where.account_class in GONE]
    if gone:
        found += _claims(desk, gone)
        written = replace(written, fact=True)
    details = {"paper": "recovery report", "place": request.place, "found_by": request.found_by}
    lines = voucher.lines_from(scanned, missing, store, fact=desk.act if written.fact else None)
    return ledger.post(desk, written.document(desk, {}, details), lines, found)


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


_CLAIMED_BY = """
SELECT e.item_id, e.document_id FROM unnest(%s::uuid[]) AS wanted (item_id)
JOIN LATERAL (SELECT document_id, item_id FROM entry e WHERE e.item_id = wanted.item_id ORDER BY e.version DESC LIMIT 1) e ON true
"""


def _claims(desk: Desk, gone: Sequence[Scanned]) -> list[Contradiction]:
    """What the books claimed of each weapon that is in hand after all, and the document whose signatories claimed it."""
    weapons = [(one.number, one.held) for one in gone if one.held is not None]
    rows = desk.connection.exec_driver_sql(_CLAIMED_BY, ([held.item_id for _, held in weapons],))
    documents: dict[UUID, UUID] = {row[0]: row[1] for row in rows}
    numbers = numbers_of(desk.connection, documents.values())
    return [
        Contradiction(
            Kind.CLAIMED_GONE,
            f"{held.name} {held.where.account_class}, by {_document(documents.get(held.item_id), numbers)}",
            "found",
            held.item_id,
            held.donor_id,
            number,
        )
        for number, held in weapons
    ]


def _document(document_id: UUID | None, numbers: dict[UUID, str]) -> str:
    return f"document {numbers[document_id]}" if document_id in numbers else "a document of another site"


RECOVER = ActForm(Act.RECOVER, Recover, recover)
