"""Loss: a weapon is reported missing, which starts the donor's thirty days; two people conclude the loss."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.arrive import check_outstanding, not_named, shipment_here
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import FromHolder, lock_from_holder, reporter
from stockpile.acts.voucher import Voucher
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import LATER, Code, Desk, Posted, Words, Writing, now
from stockpile.errors import Fault, Invalid
from stockpile.movements import AccountClass, Act
from stockpile.sentences import sentence
from stockpile.shipments import shipped_items
from stockpile.sites import Place, site_account

Cause = Literal["lost", "stolen", "captured", "abandoned", "destroyed in combat", "clerical"]


class ReportMissing(FromHolder):
    """Report weapons or equipment missing (loss report)."""

    shipment: Annotated[Code | None, LATER] = Field(
        None, description="Of what did not come: number or id of the shipment it was on; what is counted needs it"
    )
    reported_by: Code | None = Field(None, description="Service number of who reports it", examples=["A-1001"])
    place: Words = Field(description="Where it was last seen", examples=["Route Tampa, checkpoint 4"])
    last_seen_at: AwareDatetime | None = Field(None, examples=["2026-11-20T06:00:00+03:00"])
    circumstances: Words = Field(
        description="What happened, as far as known", examples=["Not in the rack at the evening count"]
    )


class ConcludeLoss(Voucher):
    """Conclude the investigation of missing weapons: they are lost. Takes a second party."""

    cause: Cause = Field(examples=["stolen"])
    liability: Words = Field(
        description="Who is held liable, or why nobody is", examples=["Nobody: theft by force, police report 77"]
    )
    findings: Words = Field(examples=["Taken at the robbery of 20 November"])


def report_missing(desk: Desk, request: ReportMissing) -> Posted:
    """Posts a loss report. Raises Invalid (times, holder, who reports), Refused (one reason a weapon)."""
    written = Writing.of(request)
    found = _seen_in_the_future(request, written.fact)
    missing = site_account(desk.connection, desk.site, AccountClass.MISSING)
    signatories, unknown = reporter(desk, request.reported_by, written.fact) if request.reported_by else ({}, [])
    shipment, no_shipment, unheard = None, None, list[Contradiction]()
    if request.shipment is not None:
        origin: Place | None = site_account(desk.connection, desk.site, AccountClass.TRANSIT)
        scanned = voucher.lock_voucher(desk, request, origin)
        shipment, no_shipment = shipment_here(desk, request.shipment, written.fact)
    else:
        scanned, origin, unheard = lock_from_holder(desk, request, written)
    found += [*unknown, *unheard]
    if written.fact:
        found += take_as_written(desk, scanned, written)
    asked = {one.held.item_id for one in scanned if one.held}
    shipped = shipped_items(desk.connection, shipment.document_id, asked) if shipment else {}
    if written.fact and request.shipment is not None:
        found += not_named(scanned, shipped, no_shipment or f"not on shipment {request.shipment}")
    if not written.fact:
        voucher.check_origin(scanned, desk.act, desk.site)
        if shipment is not None and origin is not None:
            check_outstanding(scanned, shipment, shipped, origin)
        if origin is not None and request.holder is not None:
            voucher.check_held_by(scanned, origin)
        if origin is not None:
            voucher.check_quantities(scanned, origin)
    voucher.refuse(scanned, desk.act)
    details = {
        "paper": "loss report",
        "place": request.place,
        "circumstances": request.circumstances,
        "last_seen_at": request.last_seen_at.isoformat() if request.last_seen_at else None,
        "shipment": str(shipment.document_id) if shipment else None,
        "shipment_number": shipment.number if shipment else request.shipment,
    }
    return ledger.post(
        desk,
        written.document(desk, signatories, details),
        voucher.lines_from(
            scanned,
            origin,
            missing,
            fact=desk.act if written.fact else None,
            claimed=origin if written.fact and (request.holder or request.shipment) else None,
        ),
        found,
    )


def _seen_in_the_future(request: ReportMissing, fact: bool) -> list[Contradiction]:
    """A weapon can't have been seen after now: Invalid for a command, a doubt for what a paper says."""
    seen = request.last_seen_at
    if seen is None or seen <= now():
        return []
    if not fact:
        raise Invalid(
            sentence("The loss report was not posted."),
            [Fault(sentence("is in the future"), field="last_seen_at", value=str(seen))],
        )
    return [Contradiction(Kind.DOUBTFUL, "nothing: that moment has not come", f"last seen at {seen.isoformat()}")]


def conclude_loss(desk: Desk, request: ConcludeLoss) -> Posted:
    """Posts the conclusion of an investigation, approved by a second party. Raises Refused (one reason a weapon)."""
    missing = site_account(desk.connection, desk.site, AccountClass.MISSING)
    lost = site_account(desk.connection, desk.site, AccountClass.LOST)
    scanned = voucher.lock_voucher(desk, request, missing)
    voucher.check_origin(scanned, desk.act, desk.site)
    voucher.check_quantities(scanned, missing)
    voucher.refuse(scanned, desk.act)
    details = {
        "paper": "investigation",
        "cause": request.cause,
        "liability": request.liability,
        "findings": request.findings,
    }
    return ledger.post(
        desk, Writing.of(request).document(desk, {}, details), voucher.lines_from(scanned, missing, lost)
    )


REPORT_MISSING = ActForm(Act.REPORT_MISSING, ReportMissing, report_missing)
CONCLUDE_LOSS = ActForm(Act.CONCLUDE_LOSS, ConcludeLoss, conclude_loss)
