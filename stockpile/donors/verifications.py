"""Delivery verifications: the receiver's statement, per serial, of what arrived when, where and in what condition, with title transfer.
Signed by who received it; in force once a second person of the depot signs it too. Each signature is a statement with a leaf of its own.

What arrived after it stands in a further one, of the next number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import connected, nobody_erased, take_role
from stockpile.documents import Asked, Code, Words, full_number, now
from stockpile.donors.certificates import answer_to, check_other_person
from stockpile.donors.statements import (
    Said,
    StatementKind,
    StatementWritten,
    need_statement,
    said_already,
    say,
    signer_of,
    speaking,
)
from stockpile.errors import Fault, Invalid, NotAllowed, Refused
from stockpile.identity import asset_tag
from stockpile.keys import new_key
from stockpile.parties import need_party
from stockpile.rights import READ, SIGN_DELIVERIES, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import Site

MOST_LINES = 20_000
"""So many pieces one certificate names; the next takes the rest."""


class VerifyDelivery(Asked):
    """Certify what arrived of a consignment and stands in no certificate yet."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: under which a repeat is known")
    donor: Code = Field(examples=["USA"])
    consignment: Code = Field(description="The donor's number of it", examples=["FMS-2026-117"])
    title_passes_on: date = Field(
        description="The day on which title to what is listed passes to the host", examples=["2026-12-21"]
    )
    remarks: Words | None = None


@dataclass(frozen=True, slots=True)
class _Consignment:
    consignment_id: UUID
    donor_id: UUID
    donor: str
    reference: str
    account_id: UUID
    certificate: str | None


def verify_delivery(engine: Engine, actor: Actor, request: VerifyDelivery) -> StatementWritten:
    """The receiver's signature. Raises NotAllowed, Invalid (donor, consignment, day), Refused (nothing to certify),
    PostedWithOtherContent.
    """
    require(actor, SIGN_DELIVERIES)
    with connected(engine) as connection:
        take_role(connection, roles.POSTER, actor.site_id)
        site = _own_site(actor)
        consignment = _need_consignment(connection, site, request)
        _one_at_a_time(connection, consignment)
        known = _signed_before(connection, consignment, request)
        if known is not None:
            return known
        content = _content(connection, actor, site, consignment, request)
        nobody_erased(connection)
        said = Said(
            request.statement_id,
            consignment.donor_id,
            StatementKind.VERIFICATION,
            consignment.reference,
            content,
            site.site_id,
        )
        return say(connection, actor, signer_of(connection, actor), said)


def confirm_delivery(
    engine: Engine, actor: Actor, statement_id: UUID, answer_id: UUID | None = None
) -> StatementWritten:
    """The second person's signature. Raises NotAllowed (who signed first), NotFound, Refused (answered already)."""
    require(actor, SIGN_DELIVERIES)
    with speaking(engine, actor) as (connection, signer):
        kept = need_statement(connection, statement_id, StatementKind.VERIFICATION)
        check_other_person(connection, actor, kept)
        content = {"signed_as": actor.role, "quantity": kept.content["quantity"]}
        return say(connection, actor, signer, answer_to(kept, StatementKind.ACCEPTED, content, answer_id))


def _own_site(actor: Actor) -> Site:
    if actor.site is None:
        raise NotAllowed(sentence("A delivery is verified at the depot that received it."))
    return actor.site


def _need_consignment(connection: Connection, site: Site, request: VerifyDelivery) -> _Consignment:
    donor_id = need_party(connection, "donor", request.donor, "donor").party_id
    row = connection.exec_driver_sql(
        """SELECT consignment_id, account_id, end_user_certificate FROM consignment
           WHERE donor_id = %s AND reference = %s AND site_id = %s""",
        (donor_id, request.consignment, site.site_id),
    ).one_or_none()
    if row is None:
        fault = sentence("{donor} declared no such consignment for {site}", donor=request.donor, site=site.code)
        raise Invalid(
            sentence("Nothing was certified."), [Fault(fault, field="consignment", value=request.consignment)]
        )
    today = site.local_day(now())
    if request.title_passes_on > today:
        fault = sentence("is in the future")
        raise Invalid(
            sentence("Nothing was certified."),
            [Fault(fault, field="title_passes_on", value=str(request.title_passes_on))],
        )
    return _Consignment(row[0], donor_id, request.donor, request.consignment, row[1], row[2])


def _one_at_a_time(connection: Connection, consignment: _Consignment) -> None:
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"verification {consignment.consignment_id}",)
    )


def _signed_before(
    connection: Connection, consignment: _Consignment, request: VerifyDelivery
) -> StatementWritten | None:
    """The answer to the same request, if it came before: what arrived since does not change it."""
    row = connection.exec_driver_sql(
        "SELECT content FROM donor_statement WHERE donor_id = %s AND statement_id = %s",
        (consignment.donor_id, request.statement_id),
    ).one_or_none()
    if row is None:
        return None
    content = {
        **row[0], "title_passes_on": request.title_passes_on.isoformat(), "remarks": request.remarks,
    }  # fmt: skip
    said = Said(
        request.statement_id, consignment.donor_id, StatementKind.VERIFICATION, consignment.reference, content,
        _site_id(connection),
    )  # fmt: skip
    return said_already(connection, said)


def _site_id(connection: Connection) -> UUID:
    found: UUID = connection.exec_driver_sql("SELECT own_site()").scalar_one()
    return found


_EARLIER = """
SELECT x.content, coalesce(a.kind, 'waiting') FROM donor_statement x
LEFT JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id
WHERE x.donor_id = %s AND x.kind = 'delivery verification' AND x.reference = %s
"""


def _content(
    connection: Connection, actor: Actor, site: Site, consignment: _Consignment, request: VerifyDelivery
) -> dict[str, Any]:
    earlier = connection.exec_driver_sql(_EARLIER, (consignment.donor_id, consignment.reference)).all()
    if any(state == "waiting" for _, state in earlier):
        raise Refused(sentence("Nothing was certified: the certificate before it waits for its second signature."))
    certified = {_key(line) for content, state in earlier if state == "accepted" for line in content["lines"]}
    arrived = [line for line in _arrived(connection, consignment) if _key(line) not in certified][:MOST_LINES]
    if not arrived:
        raise Refused(sentence("Nothing was certified: nothing arrived that no certificate names."))
    organisation = connection.exec_driver_sql(
        "SELECT name FROM party WHERE kind = 'organisation' AND name IS NOT NULL ORDER BY party_id LIMIT 1"
    ).scalar_one_or_none()
    outstanding = list(_outstanding(connection, consignment))
    return {
        "number": f"{consignment.reference}/DV/{len(earlier) + 1}",
        "consignment": str(consignment.consignment_id),
        "end_user_certificate": consignment.certificate,
        "site": site.code,
        "site_name": site.name,
        "time_zone": site.time_zone,
        "signed_as": actor.role,
        "title_passes_on": request.title_passes_on.isoformat(),
        "title_passes_to": organisation,
        "remarks": request.remarks,
        "quantity": sum(line["quantity"] for line in arrived),
        "outstanding_quantity": sum(line["quantity"] for line in outstanding),
        "lines": [{"line": n, **line} for n, line in enumerate(arrived, 1)],
        "outstanding": outstanding[:MOST_LINES],
    }


def _key(line: dict[str, Any]) -> tuple[str, int | None]:
    """What is certified once: a weapon, whatever becomes of it; of what is counted each receipt."""
    return line["item"], None if line["serial"] else line["entry"]


_ARRIVED = """
SELECT e.item_id, e.version, i.tracked_by, i.tag_number, m.maker, m.name, n.serial_number, i.lot, e.quantity, e.condition, e.happened_at,
       s.code, b.code, b.year, d.number, e.leaf,
       (SELECT string_agg(DISTINCT x.kind, '; ') FROM discrepancy x WHERE x.item_id = e.item_id AND x.document_id = e.document_id
        AND x.closed_at IS NULL)
FROM item i JOIN entry e ON e.item_id = i.item_id JOIN model m ON m.model_id = i.model_id
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
JOIN document d ON d.document_id = e.document_id JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE i.consignment_id = %s AND d.act = 'receive' AND t.class = 'store' AND f.class IN ('supply', 'transit', 'outside')
  AND e.reverses IS NULL AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
ORDER BY m.name, n.serial_number NULLS LAST, e.happened_at, e.item_id, e.version
"""


def _arrived(connection: Connection, consignment: _Consignment) -> Iterator[dict[str, Any]]:
    """What was received of a consignment here and stands, the excess too; a weapon by its first arrival."""
    seen: set[UUID] = set()
    for row in connection.exec_driver_sql(_ARRIVED, (consignment.consignment_id,)):
        serial = row[2] == "serial"
        if serial and row[0] in seen:
            continue
        seen.add(row[0])
        received: datetime = row[10]
        yield {
            "item": str(row[0]), "entry": row[1], "serial": serial, "asset_tag": asset_tag(row[3]), "maker": row[4], "model": row[5],
            "serial_number": row[6], "lot": row[7], "quantity": row[8], "condition": row[9], "received_at": received.isoformat(),
            "document": full_number(*row[11:15]), "entry_leaf": bytes(row[15]).hex(), "differs": row[16],
        }  # fmt: skip


# A weapon that never arrived may be in supply, on its way, or missing since; of what is counted, in supply or on its way.
_OUTSTANDING = """
SELECT m.maker, m.name, n.serial_number, i.lot, sum(o.quantity)
FROM (
    SELECT h.item_id, h.quantity FROM holding h WHERE h.account_id = %(supply)s AND h.quantity > 0
    UNION ALL
    SELECT i.item_id, 1 FROM item i JOIN holding h ON h.item_id = i.item_id JOIN account a ON a.account_id = h.account_id
    WHERE i.consignment_id = %(consignment)s AND i.tracked_by = 'serial' AND a.class IN ('transit', 'missing', 'lost')
      AND NOT EXISTS (SELECT FROM entry e JOIN document d ON d.document_id = e.document_id
                      WHERE e.item_id = i.item_id AND d.act = 'receive' AND e.reverses IS NULL
                        AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version))
    UNION ALL
    SELECT l.item_id, l.outstanding
    FROM shipment_lines(ARRAY(SELECT s.document_id FROM shipment s WHERE s.consignment_id = %(consignment)s)) l
    JOIN item i ON i.item_id = l.item_id WHERE i.tracked_by <> 'serial' AND l.outstanding > 0
) o JOIN item i ON i.item_id = o.item_id JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(o.item_id) n ON true
GROUP BY m.maker, m.name, n.serial_number, i.lot, o.item_id ORDER BY m.name, n.serial_number NULLS LAST, o.item_id
"""


def _outstanding(connection: Connection, consignment: _Consignment) -> Iterator[dict[str, Any]]:
    """What of a consignment did not arrive, wherever it stopped."""
    named = {"supply": consignment.account_id, "consignment": consignment.consignment_id}
    for maker, model, serial_number, lot, quantity in connection.exec_driver_sql(_OUTSTANDING, named):
        yield {"maker": maker, "model": model, "serial_number": serial_number, "lot": lot, "quantity": int(quantity)}


@dataclass(frozen=True, slots=True)
class Difference:
    """An open discrepancy about something that a consignment brought, or should have: as both sides see it."""

    discrepancy_id: UUID
    kind: str
    item_id: UUID
    model: str
    serial_number: str | None
    opened_at: datetime
    due_on: date


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a consignment is, in pieces: declared, in supply, arrived, and what of it is open."""

    consignment_id: UUID
    declared_at: datetime
    in_supply: int
    in_transit: int
    differences: tuple[Difference, ...]
    differences_in_all: int


_PROGRESS = """
SELECT c.consignment_id, c.declared_at, coalesce(sum(h.quantity) FILTER (WHERE a.class = 'supply'), 0),
       coalesce(sum(h.quantity) FILTER (WHERE a.class = 'transit'), 0)
FROM consignment c JOIN party p ON p.party_id = c.donor_id LEFT JOIN item i ON i.consignment_id = c.consignment_id
LEFT JOIN holding h ON h.item_id = i.item_id LEFT JOIN account a ON a.account_id = h.account_id
WHERE p.code = %s AND c.reference = %s GROUP BY c.consignment_id, c.declared_at
"""
_DIFFERENCES = """
SELECT x.discrepancy_id, x.kind, x.item_id, m.name, n.serial_number, x.opened_at, x.due_on, count(*) OVER ()
FROM discrepancy x JOIN item i ON i.item_id = x.item_id JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE i.consignment_id = %s AND x.closed_at IS NULL ORDER BY x.kind, n.serial_number NULLS LAST, x.discrepancy_id LIMIT %s
"""


def read_progress(
    connection: Connection, actor: Actor, donor: str, reference: str, limit: int = 500
) -> Progress | None:
    """How far a consignment is, as far as the asker sees it; None: nothing of it is in the books."""
    require(actor, READ)
    row = connection.exec_driver_sql(_PROGRESS, (donor, reference)).one_or_none()
    if row is None:
        return None
    found = connection.exec_driver_sql(_DIFFERENCES, (row[0], limit)).all()
    return Progress(
        row[0],
        row[1],
        int(row[2]),
        int(row[3]),
        tuple(Difference(*one[:7]) for one in found),
        found[0][7] if found else 0,
    )
