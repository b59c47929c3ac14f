"""Export: weapons leave the country from a store, under an export authorisation and by two people.

Where an end-user certificate binds the consignment that brought them, the donor's consent must be on file
(`acts.consents`). It is never a fact: what left without authorisation is a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.consents import Consents, check_certificates, check_consents, in_words, with_scans
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Scanned, Voucher
from stockpile.documents import Code, Desk, Posted, Words, Writing
from stockpile.movements import AccountClass, Act
from stockpile.sites import Place, site_account

Purpose = Literal["sale", "gift", "return to donor", "repair abroad", "loan", "peace operation", "other"]


class Export(Voucher):
    """Let weapons and equipment leave the country (export authorisation). Takes a second party."""

    destination: Words = Field(description="The country they go to", examples=["Jordan"])
    consignee: Words = Field(description="Who finally has them", examples=["Royal Ordnance Works, Amman"])
    authorisation: Words = Field(description="Number of the export authorisation", examples=["EXP-2026-12"])
    purpose: Purpose = Field(examples=["repair abroad"])
    store: Code | None = Field(None, description="From which store; needed for quantities where the site has several")
    consents: Consents = Field((), description="One of each donor whose end-user certificate binds what is exported")


def export(desk: Desk, request: Export) -> Posted:
    """Posts an export. Raises Invalid (store, consents), Refused (one reason a weapon)."""
    written = Writing.of(request)
    consenting = check_consents(desk, request.consents)
    exported = site_account(desk.connection, desk.site, AccountClass.EXPORTED)
    scanned, store = voucher.lock_from_store(desk, request, request.store)
    _guard(desk, scanned, store if request.store else None, store)
    check_certificates(desk, scanned, consenting, "re-transfer", request.destination)
    voucher.refuse(scanned, desk.act)
    details = {
        "paper": "export authorisation",
        "destination": request.destination,
        "consignee": request.consignee,
        "authorisation": request.authorisation,
        "purpose": request.purpose,
        "consents": in_words(request.consents),
    }
    document = with_scans(written.document(desk, {}, details), request.consents)
    return ledger.post(desk, document, voucher.lines_from(scanned, store, exported))


def _guard(desk: Desk, scanned: Sequence[Scanned], store: Place | None, counted_from: Place | None) -> None:
    voucher.check_origin(scanned, desk.act, desk.site)
    if counted_from is not None:
        voucher.check_quantities(scanned, counted_from)
    voucher.check_there(scanned, store)


EXPORT = ActForm(Act.EXPORT, Export, export)
