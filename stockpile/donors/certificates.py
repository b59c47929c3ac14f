"""End-user certificates and consents: what the donor allows, sent by the donor itself, and taken or sent back by the host. In force is the
version that the host accepted last.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile.documents import Asked, Code, Digest, Words, now
from stockpile.donors.files import need_own_file
from stockpile.donors.statements import (
    VISITS,
    Clause,
    Kept,
    Said,
    SendBack,
    StatementKind,
    StatementWritten,
    need_statement,
    say,
    speaking,
)
from stockpile.errors import Fault, Invalid, NotAllowed
from stockpile.evidence import why_no_evidence
from stockpile.keys import new_key
from stockpile.parties import find_party
from stockpile.reports.reference import search_sites
from stockpile.rights import ANSWER_DONORS, DESK, REGISTRAR, SIGN_DELIVERIES, TELL_HOST, Actor, require
from stockpile.sentences import joined, sentence

Purpose = Literal["re-transfer", "change of end use", "disposal"]


class Vetted(Asked):
    """A unit that the donor has vetted, and the last day on which that holds."""

    unit: Code = Field(description="The unit's code", examples=["1COY"])
    until: date = Field(description="The last day", examples=["2027-06-30"])


class SendCertificate(Asked):
    """Send an end-user certificate, or a new version of it under the same number."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    number: Code = Field(examples=["EUC-2026-8"])
    supplier: Words = Field(description="Who supplies", examples=["United States of America"])
    end_user: Words = Field(description="Who finally has it", examples=["Ministry of Defence"])
    end_use: Words = Field(examples=["Border defence"])
    units: Annotated[tuple[Code, ...], Field(max_length=500)] = Field(
        (),
        description="Codes of the units that may have it, with those under them; none: every unit",
        examples=[["1COY"]],
    )
    sites: Annotated[tuple[Code, ...], Field(max_length=500)] = Field(
        (), description="Codes of the depots that may keep it; none: every depot", examples=[["TAJI"]]
    )
    retransfer_clause: Clause = Field(examples=["No re-transfer or change of end use without written consent."])
    disposal_clause: Clause = Field(examples=["Destroyed only with written consent, before witnesses."])
    issued_on: date = Field(examples=["2026-10-01"])
    expires_on: date | None = Field(None, description="The last day on which it holds", examples=["2031-09-30"])
    vetting: bool = Field(False, description="Only vetted units may have it")
    vetted: Annotated[tuple[Vetted, ...], Field(max_length=500)] = Field((), examples=[[]])
    scan_sha256: Digest = Field(
        description="SHA-256 of its scan, a PDF or picture that you stored", examples=["9f" * 32]
    )
    scan_name: Code = Field("certificate.pdf", examples=["EUC-2026-8.pdf"])

    @model_validator(mode="after")
    def _in_order(self) -> SendCertificate:
        if self.expires_on is not None and self.expires_on < self.issued_on:
            raise ValueError(sentence("it expires before it is issued"))
        if self.vetted and not self.vetting:
            raise ValueError(sentence("units are named as vetted: say that it takes vetting"))
        return self


class GiveConsent(Asked):
    """Consent to what an end-user certificate does not allow. It can't be taken back, only be given until a day."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    certificate: Code = Field(description="The number of the certificate", examples=["EUC-2026-8"])
    number: Code = Field(description="The number of the consent", examples=["DSP-83 4417"])
    purpose: Purpose = Field(examples=["re-transfer"])
    recipient: Code | None = Field(
        None,
        description="To whom: the country of a re-transfer; the code of the unit or depot of a change of end use",
        examples=["Jordan"],
    )
    until: date | None = Field(None, description="The last day on which it holds", examples=["2027-01-31"])
    words: Clause = Field(examples=["Ten rifles for repair, to be brought back within a year."])

    @model_validator(mode="after")
    def _to_whom(self) -> GiveConsent:
        if (self.recipient is None) != (self.purpose == "disposal"):
            raise ValueError(sentence("a re-transfer and a change of end use name their recipient, a disposal none"))
        return self


def send_certificate(engine: Engine, actor: Actor, request: SendCertificate) -> StatementWritten:
    """Sends a certificate to the host. Raises NotAllowed, Invalid (scan, a day to come), PostedWithOtherContent."""
    donor_id = need_donor(actor)
    content = request.model_dump(mode="json", exclude={"statement_id"})
    with speaking(engine, actor) as (connection, signer):
        need_own_file(connection, donor_id, request.scan_sha256, "scan_sha256")
        if why := why_no_evidence(request.scan_sha256):
            fault = Fault(why, field="scan_sha256", value=request.scan_sha256)
            raise Invalid(sentence("The certificate was not sent."), [fault])
        return say(
            connection, actor, signer,
            Said(request.statement_id, donor_id, StatementKind.CERTIFICATE, request.number, content),
        )  # fmt: skip


def give_consent(engine: Engine, actor: Actor, request: GiveConsent) -> StatementWritten:
    """Gives a consent. Raises NotAllowed, Invalid (certificate), PostedWithOtherContent."""
    donor_id = need_donor(actor)
    content = request.model_dump(mode="json", exclude={"statement_id"})
    with speaking(engine, actor) as (connection, signer):
        need_certificate(connection, donor_id, request.certificate, "certificate")
        return say(
            connection, actor, signer,
            Said(request.statement_id, donor_id, StatementKind.CONSENT, request.certificate, content),
        )  # fmt: skip


def need_donor(actor: Actor) -> UUID:
    """The donor that somebody speaks for. Raises NotAllowed."""
    require(actor, TELL_HOST)
    if actor.donor_id is None:
        raise NotAllowed(sentence("Only a donor tells this."))
    return actor.donor_id


def need_certificate(connection: Connection, donor_id: UUID, number: str, field: str) -> None:
    """Raises Invalid unless the donor sent a certificate of this number that was not sent back."""
    if not connection.exec_driver_sql(
        """SELECT 1 FROM donor_statement x WHERE donor_id = %s AND kind = 'end-user certificate' AND reference = %s
           AND NOT EXISTS (SELECT FROM donor_statement a WHERE a.donor_id = x.donor_id AND a.answers = x.statement_id
                           AND a.kind = 'sent back')""",
        (donor_id, number),
    ).first():
        fault = Fault(
            sentence("you sent no end-user certificate of this number: send it first"), field=field, value=number
        )
        raise Invalid(sentence("Nothing was sent."), [fault])


def accept_certificate(
    engine: Engine, actor: Actor, statement_id: UUID, answer_id: UUID | None = None
) -> StatementWritten:
    """The host takes a certificate: from now on it is in force. Raises NotAllowed, NotFound, Invalid (a unit or depot that the
    books don't have; it expired), Refused (answered already).
    """
    require(actor, ANSWER_DONORS)
    with speaking(engine, actor) as (connection, signer):
        kept = need_statement(connection, statement_id, StatementKind.CERTIFICATE)
        _check_names(connection, kept)
        return say(connection, actor, signer, answer_to(kept, StatementKind.ACCEPTED, {}, answer_id))


def answer_to(kept: Kept, kind: StatementKind, content: dict[str, Any], answer_id: UUID | None = None) -> Said:
    """The host's answer to a statement."""
    return Said(answer_id or new_key(), kept.donor_id, kind, kept.reference, content, kept.site_id, kept.statement_id)


def _check_names(connection: Connection, kept: Kept) -> None:
    content = kept.content
    faults = []
    expires = content.get("expires_on")
    if expires is not None and date.fromisoformat(expires) < now().date():
        faults.append(Fault(sentence("it expired"), field="expires_on", value=expires))
    for unit in dict.fromkeys([*content["units"], *(one["unit"] for one in content["vetted"])]):
        if find_party(connection, "unit", unit) is None:
            faults.append(Fault(sentence("the books have no unit of this code"), field="units", value=unit))
    known = {site.code for site in search_sites(connection, for_donor=True, limit=1000).rows}
    faults += [
        Fault(sentence("the books have no depot of this code"), field="sites", value=site)
        for site in content["sites"]
        if site.upper() not in known
    ]
    if faults:
        detail = sentence(
            "The certificate was not accepted: {why}. Send it back, saying so.",
            why=joined("; ", (f"{fault.value}: {fault.message}" for fault in faults)),
        )
        raise Invalid(detail, faults)


def send_back(engine: Engine, actor: Actor, statement_id: UUID, request: SendBack) -> StatementWritten:
    """Sends a statement back with the reason: a registrar what a donor sent, the second person a delivery verification.

    Raises NotAllowed, NotFound, Refused (answered already).
    """
    require(actor, SIGN_DELIVERIES if actor.role in DESK else ANSWER_DONORS)
    with speaking(engine, actor) as (connection, signer):
        kept = need_statement(connection, statement_id)
        if actor.role != REGISTRAR and kept.kind is not StatementKind.VERIFICATION:
            raise NotAllowed(sentence("What a donor sent is answered by a registrar."))
        if kept.kind is StatementKind.CONSENT:
            raise NotAllowed(sentence("A consent is not answered: it is used, or not."))
        if kept.kind in VISITS:
            raise NotAllowed(sentence("What was seen or reported is not sent back: answer it in words."))
        if kept.kind is StatementKind.SHARE:
            raise NotAllowed(sentence("A share is not answered: the donor who shares takes it back."))
        if kept.kind is StatementKind.VERIFICATION:
            check_other_person(connection, actor, kept)
        said = answer_to(kept, StatementKind.SENT_BACK, {"reason": request.reason}, request.statement_id)
        return say(connection, actor, signer, said)


def check_other_person(connection: Connection, actor: Actor, kept: Kept) -> None:
    """Raises NotAllowed for who signed it first."""
    first = connection.exec_driver_sql(
        "SELECT said_by FROM donor_statement WHERE donor_id = %s AND statement_id = %s",
        (kept.donor_id, kept.statement_id),
    ).scalar_one()
    if first == actor.party_id:
        raise NotAllowed(sentence("You signed this yourself: it takes another person."))
