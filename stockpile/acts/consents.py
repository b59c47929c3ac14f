"""Donors' consents: where an end-user certificate binds the consignment that brought something, it leaves the country, or the
books for good, with the donor's consent alone, and with its scan on file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from stockpile.acts.end_use import bound_by
from stockpile.acts.voucher import Scanned
from stockpile.documents import Asked, Code, Desk, Digest, Document, now
from stockpile.errors import Fault, Invalid
from stockpile.evidence import why_no_evidence
from stockpile.parties import need_party
from stockpile.sentences import sentence


class Consent(Asked):
    """A donor's consent to what is exported or ordered destroyed, with its scan."""

    donor: Code = Field(description="The donor's code", examples=["USA"])
    reference: Code = Field(description="The donor's number of its consent", examples=["DSP-83 4417"])
    given_on: date = Field(description="The day on it", examples=["2026-11-02"])
    scan_sha256: Digest = Field(
        description="SHA-256 of its scan, a photo or scan that was stored before", examples=["9f" * 32]
    )


Consents = Annotated[tuple[Consent, ...], Field(max_length=50)]


def in_words(consents: Sequence[Consent]) -> list[dict[str, Any]] | None:
    """The consents as a document's details have them; None if there are none."""
    return [consent.model_dump(mode="json") for consent in consents] or None


def with_scans(document: Document, consents: Sequence[Consent]) -> Document:
    """The document with the scans of the consents attached."""
    scans = (consent.scan_sha256 for consent in consents)
    return replace(document, attachments=tuple(dict.fromkeys((*document.attachments, *scans))))


def check_consents(desk: Desk, consents: Sequence[Consent]) -> set[UUID]:
    """The donors that consent. Raises Invalid: a donor nobody knows, a day to come, a scan that is not stored, or is none."""
    today, faults = desk.site.local_day(now()), []
    for row, consent in enumerate(consents, 1):
        if consent.given_on > today:
            faults.append(Fault(sentence("is in the future"), row, "given_on", str(consent.given_on)))
        if why := why_no_evidence(consent.scan_sha256):
            faults.append(Fault(why, row, "scan_sha256", consent.scan_sha256))
    if faults:
        raise Invalid(sentence("Nothing was done: a consent can't be taken as it is."), faults)
    return {need_party(desk.connection, "donor", consent.donor, "consents").party_id for consent in consents}


def check_certificates(
    desk: Desk, scanned: Sequence[Scanned], consenting: set[UUID], purpose: str, recipient: str | None = None
) -> None:
    """What an end-user certificate binds leaves with its donor's consent alone: one that the host has on paper, or one that the donor
    gave itself, to this recipient.
    """
    bound, today = bound_by(desk.connection, scanned), desk.site.local_day(now())
    for one in scanned:
        if one.reason or one.held is None or one.held.consignment_id not in bound:
            continue
        binding = bound[one.held.consignment_id]
        consented = binding.consented(purpose, [recipient] if recipient else (), today)
        if binding.donor_id not in consenting and not consented:
            one.reason = sentence(
                "end-user certificate {end_user_certificate} binds it: add the consent of {donor}",
                end_user_certificate=binding.certificate,
                donor=binding.donor,
            )
            clause = binding.clause("disposal_clause" if purpose == "disposal" else "retransfer_clause")
            if clause is not None:
                one.reason = sentence("{reason}. It says: {clause}", reason=one.reason, clause=clause)
