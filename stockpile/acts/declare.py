"""Declare: a donor's shipping list becomes a consignment, whose supply account holds what is to arrive."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from stockpile import ledger
from stockpile.acts.perform import ActForm
from stockpile.documents import LATER, Code, Desk, Posted, Writing, now
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


def declare(desk: Desk, request: Declare) -> Posted:
    """Posts a shipping list. Raises Invalid (donor, reference, rows that can't be read)."""
    donor = need_party(desk.connection, "donor", request.donor, "donor")
    rows = listed_from(desk, request.file, request.donor) if request.file else listing.typed(request.lines)
    listed = listing.sort_out(desk.connection, rows, request.donor)
    listing.refuse_rejected(
        desk.connection, listed, request.donor, "shipping list", request.file is not None and request.file.set_aside
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
    }
    return ledger.post(
        desk,
        Writing.of(request).document(desk, {}, details),
        lines,
        [*listing.twins(listed), *listing.doubts(listed)],
        Newcomers(new, listed.bearers),
        meanwhile=lambda: keep_listed(desk, register, listed),
    )


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
