"""Issue: a store hands weapons and equipment to a person or a unit, against a hand receipt. (Against a weapon card: the draw.)

As a command it is refused, weapon by weapon, when the receiver is not on the roster or not on the unit's signature card,
or the weapon is not in this site's store, not marked, or unserviceable. A commander's reasoned override lets unmarked and
unserviceable weapons go, and each is reported. From paper it is a fact: posted, and every contradiction opened as a discrepancy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.accessories import MOST, EquippedLine, as_details, with_each
from stockpile.acts.as_written import take_as_written
from stockpile.acts.end_use import check_receivers, received_beyond
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import receiving
from stockpile.acts.voucher import FactVoucher, Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import LATER, Code, Desk, ItemLine, Posted, Words, Writing, now
from stockpile.errors import Refused
from stockpile.items import Held
from stockpile.movements import Act
from stockpile.rights import COMMANDER
from stockpile.sentences import sentence
from stockpile.signatures import Signed, with_signatures
from stockpile.sites import Place, find_store


class Issue(Signed, FactVoucher):
    """Hand out weapons and equipment."""

    receiver: Code = Field(description="Service number of a person, or code of a unit", examples=["A-1001"])
    received_by: Code | None = Field(
        None, description="For a unit: service number of who draws for it, on its signature card", examples=["A-1001"]
    )
    store: Code | None = Field(None, description="From which store; needed where the site has several")
    override: Annotated[Words | None, LATER] = Field(
        None,
        description="Why unmarked or unserviceable weapons go out all the same; a commander approves it, and each is reported",
    )
    lines: Annotated[tuple[EquippedLine, ...], Field(max_length=500)] = ()
    accessories: Annotated[tuple[ItemLine, ...], Field(max_length=MOST), LATER] = Field(
        (),
        description="What goes with each weapon whose line says nothing of its own",
        examples=[[{"model": "AKM magazine", "quantity": 4}]],
    )


def issue(desk: Desk, request: Issue) -> Posted:
    """Posts an issue against a hand receipt. Raises Invalid (store, receiver), Refused (one reason a weapon)."""
    written = Writing.of(request)
    day = desk.site.local_day(written.happened_at or now())
    store = find_store(desk.connection, desk.site, request.store)
    taking = receiving(desk, request.receiver, request.received_by, written, day)
    scanned = voucher.lock_voucher(desk, request, store, each=request.accessories)
    if written.fact:
        found = [*taking.contradictions, *take_as_written(desk, scanned, written)]
        found += received_beyond(desk, [(one, taking.party_id) for one in scanned], day)
    else:
        guard(desk, scanned, store, overridden=request.override is not None)
        check_receivers(desk, [(one, taking.party_id) for one in scanned], day)
        found = not_issuable(scanned)
    voucher.refuse(scanned, desk.act)
    lines_overridden = [one.line for one in not_issuable(scanned)] if request.override else []
    if request.override and not written.fact and not lines_overridden:
        raise Refused(
            sentence("Nothing was done: every weapon is marked and serviceable. Ask for the issue without an override.")
        )
    details = {
        "paper": "hand receipt",
        "receiver": str(taking.party_id),
        "override": request.override,
        "overridden_on_lines": lines_overridden or None,
        "accessories": as_details(with_each(scanned)),
    }
    document = with_signatures(desk, request, written.document(desk, taking.signatories, details))
    return ledger.post(
        desk,
        document,
        voucher.lines_from(
            scanned,
            store,
            taking.place,
            fact=desk.act if written.fact else None,
            claimed=store if written.fact else None,
        ),
        found,
    )


def guard(desk: Desk, scanned: Sequence[Scanned], store: Place, overridden: bool = False) -> None:
    """Says of each line why it can't be issued from this store, if it can't."""
    voucher.check_origin(scanned, desk.act, desk.site)
    voucher.check_quantities(scanned, store)
    for one in scanned:
        held = one.held
        if one.reason or held is None or not held.serial:
            continue
        if held.where.account_id != store.account_id:
            one.reason = sentence("it is not in {store}", store=store.name)
        elif not overridden:
            one.reason = not_to_be_handed_out(held)


def not_to_be_handed_out(held: Held) -> str | None:
    """Why a weapon may not leave its store, whoever is to have it; None: it may."""
    if not held.marked:
        return sentence("it bears no serial number or mark: mark it first")
    if held.condition == "unserviceable":
        return sentence("it is unserviceable")
    return None


def not_issuable(scanned: Sequence[Scanned]) -> list[Contradiction]:
    """A discrepancy for each weapon that is handed out though unmarked or unserviceable."""
    return [
        Contradiction(
            Kind.NOT_ISSUABLE,
            "unserviceable" if held.condition == "unserviceable" else "unmarked",
            f"{held.name} was handed out",
            held.item_id,
            held.donor_id,
            one.number,
        )
        for one in scanned
        if (held := one.held) is not None and held.serial and (not held.marked or held.condition == "unserviceable")
    ]


ISSUE = ActForm(
    Act.ISSUE,
    Issue,
    issue,
    needs_approval=lambda request: request.override is not None,
    approvers=frozenset({COMMANDER}),
)
