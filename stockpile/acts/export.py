"""Export: weapons leave the country from a store, under an export authorisation and by two people.

Where an end-user certificate binds the consignment that brought them, the donor's consent must be on file, with its
scan: as for a change of end use and for disposal. It is never a fact: what left without authorisation is a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Scanned, Voucher
from stockpile.documents import Asked, Code, Desk, Digest, Posted, Words, Writing, now
from stockpile.errors import Fault, Invalid
from stockpile.files import file_store
from stockpile.movements import AccountClass, Act
from stockpile.parties import need_party
from stockpile.shipments import consignments_of
from stockpile.sites import Place, site_account

Purpose = Literal["sale", "gift", "return to donor", "repair abroad", "loan", "peace operation", "other"]


class Consent(Asked):
    """A donor's consent to what leaves the country, with its scan."""

    donor: Code = Field(description="The donor's code", examples=["USA"])
    reference: Code = Field(description="The donor's number of its consent", examples=["DSP-83 4417"])
    given_on: date = Field(description="The day on it", examples=["2026-11-02"])
    scan_sha256: Digest = Field(description="SHA-256 of its scan, a file that was stored before", examples=["9f" * 32])


class Export(Voucher):
    """Let weapons and equipment leave the country (export authorisation). Takes a second party."""

    destination: Words = Field(description="The country they go to", examples=["Jordan"])
    consignee: Words = Field(description="Who finally has them", examples=["Royal Ordnance Works, Amman"])
    authorisation: Words = Field(description="Number of the export authorisation", examples=["EXP-2026-12"])
    purpose: Purpose = Field(examples=["repair abroad"])
    store: Code | None = Field(None, description="From which store; needed for quantities where the site has several")
    consents: Annotated[tuple[Consent, ...], Field(max_length=50)] = Field(
        (), description="One of each donor whose end-user certificate binds what is exported"
    )


def export(desk: Desk, request: Export) -> Posted:
    """Posts an export. Raises Invalid (store, consents), Refused (one reason a weapon)."""
    written = Writing.of(request)
    consenting = _check_consents(desk, request.consents)
    exported = site_account(desk.connection, desk.site, AccountClass.EXPORTED)
    scanned, store = voucher.lock_from_store(desk, request, request.store)
    _guard(desk, scanned, store if request.store else None, store)
    _check_certificates(desk, scanned, consenting)
    voucher.refuse(scanned, desk.act)
    details = {
        "paper": "export authorisation",
        "destination": request.destination,
        "consignee": request.consignee,
        "authorisation": request.authorisation,
        "purpose": request.purpose,
        "consents": [consent.model_dump(mode="json") for consent in request.consents] or None,
    }
    document = written.document(desk, {}, details)
    scans = (consent.scan_sha256 for consent in request.consents)
    document = replace(document, attachments=tuple(dict.fromkeys((*document.attachments, *scans))))
    return ledger.post(desk, document, voucher.lines_from(scanned, store, exported))


def _check_consents(desk: Desk, consents: Sequence[Consent]) -> set[UUID]:
    """The donors that consent. Raises Invalid: a donor nobody knows, a day to come, a scan that is not stored."""
    today, faults = desk.site.local_day(now()), []
    for row, consent in enumerate(consents, 1):
        if consent.given_on > today:
            faults.append(Fault("is in the future", row, "given_on", str(consent.given_on)))
        if not file_store().holds(consent.scan_sha256):
            missing = "no file of this SHA-256 is stored: upload it first"
            faults.append(Fault(missing, row, "scan_sha256", consent.scan_sha256))
    if faults:
        raise Invalid("Nothing was exported: a consent can't be taken as it is.", faults)
    return {need_party(desk.connection, "donor", consent.donor, "consents").party_id for consent in consents}


def _guard(desk: Desk, scanned: Sequence[Scanned], store: Place | None, counted_from: Place | None) -> None:
    voucher.check_origin(scanned, desk.act, desk.site)
    if counted_from is not None:
        voucher.check_quantities(scanned, counted_from)
    voucher.check_there(scanned, store)


def _check_certificates(desk: Desk, scanned: Sequence[Scanned], consenting: set[UUID]) -> None:
    """What an end-user certificate binds leaves with its donor's consent alone."""
    delivered = consignments_of(
        desk.connection, {one.held.consignment_id for one in scanned if one.held and one.held.consignment_id}
    )
    for one in scanned:
        if one.reason or one.held is None or one.held.consignment_id not in delivered:
            continue
        bound = delivered[one.held.consignment_id]
        if bound.end_user_certificate is not None and bound.donor_id not in consenting:
            one.reason = f"end-user certificate {bound.end_user_certificate} binds it: add the consent of {bound.donor}"


EXPORT = ActForm(Act.EXPORT, Export, export)
