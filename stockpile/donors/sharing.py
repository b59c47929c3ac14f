"""Partners: a donor shares a consignment with another donor, and may take that back. Both are statements of the donor's own, leaves of the
log. A partner reads what the consignment brought, its statements and proofs, and nothing else of the other donor's.

Which donors there are is no donor's to know: a share names its partner by the code, and is answered alike whether anybody has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, Engine

from stockpile.documents import Asked, Code
from stockpile.donors.certificates import need_donor
from stockpile.donors.statements import (
    Clause,
    Said,
    StatementKind,
    StatementWritten,
    need_statement,
    said_already,
    say,
    speaking,
)
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.parties import read_party
from stockpile.reports.keyset import Keys, Page, by_moment, by_text, order_asked, orders, read_page
from stockpile.rights import DONOR, READ, Actor, reading, require
from stockpile.sentences import sentence


class ShareConsignment(Asked):
    """Share a consignment with another donor, who reads it until it is taken back."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    reference: Code = Field(
        description="Your number of the consignment, which the books have", examples=["FMS-2026-117"]
    )
    partner: Code = Field(
        description="The other donor's code in these books, as your partner tells it", examples=["FRA"]
    )
    words: Clause = Field(description="What for", examples=["Joint delivery under the agreement of 3 March 2026."])


class WithdrawShare(Asked):
    """Take back a share."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    reason: Clause | None = Field(None, examples=["The joint programme ended."])


@dataclass(frozen=True, slots=True)
class SharedRow:
    """A consignment that another donor shares with who asks."""

    share_id: UUID
    donor: str
    donor_name: str
    reference: str
    words: str
    shared_at: datetime


def share_consignment(engine: Engine, actor: Actor, request: ShareConsignment) -> StatementWritten:
    """Shares a consignment that is in the books. Raises NotAllowed, Invalid (consignment, partner), PostedWithOtherContent."""
    donor_id = need_donor(actor)
    content: dict[str, Any] = {"partner": request.partner, "words": request.words}
    said = Said(request.statement_id, donor_id, StatementKind.SHARE, request.reference, content)
    with speaking(engine, actor) as (connection, signer):
        if known := said_already(connection, said):
            return known
        _check(connection, donor_id, request)
        return say(connection, actor, signer, said)


def _check(connection: Connection, donor_id: UUID, request: ShareConsignment) -> None:
    faults = []
    if not connection.exec_driver_sql("SELECT 1 FROM consignment WHERE reference = %s", (request.reference,)).first():
        why = sentence("the books have no consignment of yours under this number: it must be accepted first")
        faults.append(Fault(why, field="reference", value=request.reference))
    if request.partner == read_party(connection, donor_id).code:
        faults.append(Fault(sentence("this is you"), field="partner", value=request.partner))
    if faults:
        raise Invalid(sentence("Nothing was shared."), faults)


def withdraw_share(engine: Engine, actor: Actor, share_id: UUID, request: WithdrawShare) -> StatementWritten:
    """Takes a share back: from now on the partner reads nothing of it. Raises NotAllowed, NotFound, Refused (taken back already)."""
    donor_id = need_donor(actor)
    with speaking(engine, actor) as (connection, signer):
        kept = need_statement(connection, share_id, StatementKind.SHARE)
        content = {"reason": request.reason} if request.reason else {}
        said = Said(request.statement_id, donor_id, StatementKind.WITHDRAWN, kept.reference, content, None, share_id)
        return say(connection, actor, signer, said)


_SHARED = "SELECT share_id, share_id, donor, donor_name, reference, words, shared_at FROM shared_with_me()"


_SHARED_KEYS: Keys = {"share_id": UUID}
SHARED_ORDERS = orders(
    _SHARED_KEYS, reference=by_text("reference"), donor=by_text("donor"), shared_at=by_moment("shared_at")
)


def list_shared(
    connection: Connection, actor: Actor, limit: int = 100, cursor: str | None = None, order: str | None = None
) -> Page[SharedRow]:
    """What other donors share with a donor, the newest first, or by one of SHARED_ORDERS; a guest of a donor reads none of it. Raises
    NotAllowed, Invalid (limit, cursor, order).
    """
    _check_partner(actor)
    by = order_asked(order, SHARED_ORDERS)
    return read_page(connection, _SHARED, {}, _SHARED_KEYS, SharedRow, limit, cursor, newest_first=True, order=by)


@dataclass(frozen=True, slots=True)
class Share:
    """A share that stands, and who reads within it: as the donor that shares, of that consignment alone."""

    row: SharedRow
    partner: Actor


def within_share(engine: Engine, actor: Actor, share_id: UUID) -> Share:
    """What a partner reads by a share, as it stands at this moment. Raises NotAllowed, NotFound (none, or taken back)."""
    _check_partner(actor)
    with reading(engine, actor) as connection:
        found = connection.exec_driver_sql(
            """SELECT share_id, donor, donor_name, reference, words, shared_at, donor_id, consignment_id FROM shared_with_me()
               WHERE share_id = %s""",
            (share_id,),
        ).all()
    if len(found) != 1:
        raise NotFound(sentence("Nothing is shared with you under this key, or it was taken back."))
    *row, donor_id, consignment_id = found[0]
    return Share(SharedRow(*row), replace(actor, donor_id=donor_id, consignments=(consignment_id,)))


def _check_partner(actor: Actor) -> None:
    require(actor, READ)
    if actor.role != DONOR or actor.reads_only:
        raise NotAllowed(sentence("Only a donor reads what other donors share with it."))
