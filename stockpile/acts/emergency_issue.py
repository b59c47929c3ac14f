"""Emergency issue: a store is emptied in minutes. Thousands of weapons go to named receivers by one list, under one document, and
the papers follow.

Refused, row by row, is only what could not be told afterwards: a receiver nobody knows, a weapon that is not in a store of this
site, ammunition without its lot. All else goes out, and what speaks against it is a discrepancy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.end_use import received_beyond
from stockpile.acts.issue import not_issuable
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Code, Desk, ItemLine, Posted, Words, Writing, now
from stockpile.items import Line
from stockpile.movements import Act
from stockpile.parties import Receiver, find_receivers, units_without_card
from stockpile.registers import mapping
from stockpile.registers.columns import ListKind
from stockpile.registers.listing import SCANS, ListRequest, rows_from
from stockpile.sentences import sentence
from stockpile.sites import Place, find_store

RECEIVERS = frozenset({"service_number", "unit_code", "holder"})
WITH_RECEIVERS = ListKind("list of weapons with their receivers", SCANS.fields, (*SCANS.needs, RECEIVERS))
"""A list that says for each weapon who gets it."""


class EmergencyLine(ItemLine):
    """A weapon, or so many of what is counted, and who gets it."""

    receiver: Code = Field(description="Service number of a person, or code of a unit", examples=["A-1001"])


class EmergencyIssue(ListRequest[EmergencyLine]):
    """Hand a store's weapons out to named receivers at once; the papers follow."""

    reason: Words = Field(examples=["The gate is under attack"])
    store: Code | None = Field(
        None, description="From which store, for what is counted; needed where the site has several"
    )


def emergency_issue(desk: Desk, request: EmergencyIssue) -> Posted:
    """Posts an emergency issue. Raises Invalid (columns, store), RowsRejected, Refused (one reason a row)."""
    rows = _rows(desk, request)
    day = desk.site.local_day(now())
    receivers = find_receivers(desk.connection, desk.site, {line.receiver for _, line in rows}, day)
    by_model = voucher.by_model(rows)
    store = find_store(desk.connection, desk.site, request.store) if by_model else None
    scanned = voucher.lock_rows(desk, rows, store)
    if store is None and voucher.any_counted(scanned):
        store = find_store(desk.connection, desk.site, request.store)
    _guard(desk, scanned, receivers, store)
    voucher.refuse(scanned, "emergency issue")
    handed = [_handed(one, receivers) for one in scanned]
    receiving = {one.receiver.party.party_id: one.receiver for one in handed}
    details = {
        "paper": "hand receipt",
        "called": "emergency issue",
        "reason": request.reason,
        "receivers": len(receiving),
    }
    found = [
        *not_issuable(scanned),
        *_not_entitled(desk, receiving.values(), day),
        *received_beyond(desk, [(one.scanned, one.receiver.party.party_id) for one in handed], day),
        Contradiction(
            Kind.PAPERS_TO_FOLLOW,
            f"hand receipts of {len(receiving)} receiver(s)",
            f"handed out in an emergency: {len(receiving)} receiver(s) still have to sign",
        ),
    ]
    return ledger.post(
        desk, Writing.of(request).document(desk, {}, details), [one.posted_from(store) for one in handed], found
    )


def _rows(desk: Desk, request: EmergencyIssue) -> list[tuple[int, EmergencyLine]]:
    if request.file is None:
        return list(enumerate(request.lines, 1))
    return rows_from(desk, request.file, WITH_RECEIVERS, _read)


def _read(line: mapping.Line) -> EmergencyLine:
    get = line.fields.get
    receiver = get("service_number") or get("unit_code") or get("holder")
    if not receiver:
        raise ValueError(sentence("nobody is named: give a service number or a unit code"))
    scan = get("asset_tag") or get("serial_number") or None
    return EmergencyLine(
        scan=scan,
        model=get("model") or None,
        quantity=line.quantity or 1,
        lot=(get("lot") or None) if scan is None else None,
        receiver=receiver,
    )


def _line(one: Scanned) -> EmergencyLine:
    assert isinstance(one.line, EmergencyLine)
    return one.line


def _guard(desk: Desk, scanned: Sequence[Scanned], receivers: Mapping[str, Receiver], store: Place | None) -> None:
    _share_out(scanned, store)
    voucher.check_origin(scanned, desk.act, desk.site)
    for one in scanned:
        known = receivers.get(_line(one).receiver)
        if known is None or known.place is None:
            nobody = sentence(
                "nobody at {site} has the number {receiver}", site=desk.site.code, receiver=_line(one).receiver
            )
            one.reason = sentence("{reason}; {nobody}", reason=one.reason, nobody=nobody) if one.reason else nobody


def _share_out(scanned: Sequence[Scanned], store: Place | None) -> None:
    """What is counted goes to many, a row each: together no more than there is."""
    taken: dict[UUID, int] = {}
    for one in scanned:
        if one.held is None or one.held.serial:
            continue
        assert store is not None
        if one.repeats is not None:
            one.reason = None
        if one.reason:
            continue
        there = one.held.holdings.get(store.account_id, (store, 0))[1]
        taken[one.held.item_id] = taken.get(one.held.item_id, 0) + one.line.quantity
        if taken[one.held.item_id] > there:
            one.reason = sentence(
                "only {there} at {store}, {taken} asked for on the rows up to here",
                there=there,
                store=store.name,
                taken=taken[one.held.item_id],
            )


@dataclass(frozen=True, slots=True)
class Handed:
    """A row that goes out, and to whom."""

    scanned: Scanned
    receiver: Receiver
    place: Place

    def posted_from(self, store: Place | None) -> Line:
        """The line to post: a weapon from its store, what is counted from the one named."""
        held = self.scanned.held
        assert held is not None
        return Line(held, self.place, None if held.serial else store, self.scanned.line.quantity)


def _handed(one: Scanned, receivers: Mapping[str, Receiver]) -> Handed:
    receiver = receivers[_line(one).receiver]
    assert receiver.place is not None
    return Handed(one, receiver, receiver.place)


def _not_entitled(desk: Desk, receivers: Iterable[Receiver], day: date) -> list[Contradiction]:
    """Who got something and is not on the roster, or is a unit for which nobody may draw."""
    receivers = list(receivers)
    units = {receiver.party.party_id for receiver in receivers if receiver.party.kind == "unit"}
    without_card = units_without_card(desk.connection, units, day) if units else set()
    found = [
        Contradiction(Kind.RECEIVER_NOT_ON_ROSTER, receiver.objection, f"received by {receiver.party.display}")
        for receiver in receivers
        if receiver.objection is not None
    ]
    found += [
        Contradiction(
            Kind.RECEIVER_NOT_ON_ROSTER,
            f"nobody has a signature card of {receiver.party.display}",
            f"received by {receiver.party.display}",
        )
        for receiver in receivers
        if receiver.party.party_id in without_card
    ]
    return found


EMERGENCY_ISSUE = ActForm(Act.ISSUE, EmergencyIssue, emergency_issue, called="emergency issue")
