"""Declare: a donor's shipping list becomes a consignment, whose supply account holds what is to arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from stockpile import ledger
from stockpile.acts.perform import ActForm
from stockpile.documents import LATER, Code, Desk, Posted, Writing, now
from stockpile.donors.staged import Declared, SettledRow, accepted, need_staged, refuse_beside, settle
from stockpile.errors import Fault, Invalid
from stockpile.items import Line, Newcomers
from stockpile.keys import new_key
from stockpile.movements import Act
from stockpile.parties import Party, need_party
from stockpile.registers import listing
from stockpile.registers.keep import keep_listed, register_of
from stockpile.registers.listing import ListLine, ListRequest, listed_from
from stockpile.sentences import sentence
from stockpile.sites import OUTSIDE, Place, add_supply_account


class Declare(ListRequest[ListLine]):
    """Declare a consignment: its shipping list, typed in or as a stored file."""

    donor: Code = Field(description="The donor's code", examples=["USA"])
    reference: Code = Field(description="The donor's number of the consignment", examples=["FMS-2026-117"])
    expected_on: date | None = Field(None, examples=["2026-12-01"])
    end_user_certificate: Annotated[Code | None, LATER] = Field(
        None,
        description="Number of the certificate that binds it: what is exported or destroyed later takes the donor's consent",
        examples=["EUC-2026-8"],
    )
    declaration: Annotated[UUID | None, LATER] = Field(
        None,
        description="The donor's own declaration that this accepts, list and all: POST /v1/statements/{id}/accept makes it",
    )
    settled: Annotated[tuple[SettledRow, ...], Field(max_length=500), LATER] = Field(
        (), description="Of a donor's declaration: twins told apart, rows left out", examples=[[]]
    )


def declare(desk: Desk, request: Declare) -> Posted:
    """Posts a shipping list, a donor's own declaration too. Raises Invalid (donor, reference, rows that can't be read), NotFound
    and Refused (of a declaration: there is none, it was answered).
    """
    donor = need_party(desk.connection, "donor", request.donor, "donor")
    given = Declared(
        donor.party_id, request.reference, request.end_user_certificate, request.lines, request.file
    )  # fmt: skip
    staged = need_staged(desk, request.declaration, given) if request.declaration else None
    if staged is None:
        refuse_beside(desk, donor.party_id, request.reference)
    rows = listed_from(desk, request.file, request.donor) if request.file else listing.typed(request.lines)
    left_out = settle(rows.lines, request.settled)
    listed = listing.sort_out(desk.connection, rows, request.donor)
    unsettled = replace(listed, rejected=[line for line in listed.rejected if line.row not in left_out])
    listing.refuse_rejected(
        desk.connection, unsettled, request.donor, "shipping list", request.file is not None and request.file.set_aside
    )
    supply, consignment_id = _add_consignment(desk, donor, request)
    new = [listing.new_weapon(line, donor.party_id, consignment_id) for line in listed.lines]
    lines = [
        Line(item.held, supply, OUTSIDE, line.quantity, line.condition)
        for item, line in zip(new, listed.lines, strict=True)
    ]
    register = register_of(
        desk, "shipping list", request.reference, request.file, listed, donor.party_id, request.document_id
    )
    details = {
        "paper": "shipping list",
        "consignment": str(consignment_id),
        "register": str(register.register_id) if register else None,
        "rows_set_aside": len(listed.rejected) or None,
        "declaration": str(staged.statement_id) if staged else None,
    }
    posted = ledger.post(
        desk,
        Writing.of(request).document(desk, {}, details),
        lines,
        [*listing.twins(listed), *listing.doubts(listed)],
        Newcomers(new, listed.bearers),
        meanwhile=lambda: keep_listed(desk, register, listed),
    )
    if staged is not None:
        accepted(desk, staged, posted, request.settled, len(listed.rejected))
    return posted


def _add_consignment(desk: Desk, donor: Party, request: Declare) -> tuple[Place, UUID]:
    # Of two who declare one consignment at once the second is told, as it would be a moment later.
    desk.connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"consignment {donor.party_id} {request.reference}",)
    )
    if desk.connection.exec_driver_sql(
        "SELECT 1 FROM consignment WHERE donor_id = %s AND reference = %s", (donor.party_id, request.reference)
    ).first():
        raise Invalid(
            sentence("The shipping list was not posted."),
            [
                Fault(
                    sentence("{donor} declared a consignment of this number already", donor=donor.code),
                    field="reference",
                    value=request.reference,
                )
            ],
        )
    supply = add_supply_account(desk.connection, desk.site, f"{donor.code} {request.reference}")
    consignment_id = new_key()
    desk.connection.exec_driver_sql(
        """INSERT INTO consignment (consignment_id, donor_id, site_id, reference, account_id, expected_on, declared_at,
                                    end_user_certificate)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            consignment_id,
            donor.party_id,
            desk.site.site_id,
            request.reference,
            supply.account_id,
            request.expected_on,
            now(),
            request.end_user_certificate,
        ),
    )
    return supply, consignment_id


DECLARE = ActForm(Act.DECLARE, Declare, declare)
