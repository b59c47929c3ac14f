"""What end-user certificates allow: which units and depots may have what a donor sent, whether they must be vetted, and what the donor
consented to beside. A command beyond it is refused with the clause; a fact beyond it is posted, and an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.acts.voucher import Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Desk
from stockpile.sentences import sentence

Receives = tuple[Scanned, UUID]
"""A line, and the person or unit that is to have it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The certificate that binds a consignment: its content as it is in force, None where the host has only its number, and the donor's
    consents to what is beyond it.
    """

    donor_id: UUID
    donor: str
    certificate: str
    content: dict[str, Any] | None
    consents: tuple[dict[str, Any], ...]

    def consented(self, purpose: str, recipients: Iterable[str], day: date) -> bool:
        """Whether the donor consented to this, to one of these, on this day."""
        wanted = {recipient.casefold() for recipient in recipients}
        return any(
            consent["purpose"] == purpose
            and (consent["recipient"] is None or consent["recipient"].casefold() in wanted)
            and (consent["until"] is None or date.fromisoformat(consent["until"]) >= day)
            for consent in self.consents
        )

    def clause(self, name: str) -> str | None:
        """One of its clauses, in one line; None where only its number is known."""
        return " ".join(self.content[name].split()) if self.content else None


def bound_by(connection: Connection, scanned: Iterable[Scanned]) -> dict[UUID, Bound]:
    """The certificates that bind what is scanned, by its consignments."""
    consignments = {one.held.consignment_id for one in scanned if one.held and one.held.consignment_id}
    if not consignments:
        return {}
    rows = connection.exec_driver_sql(
        "SELECT consignment_id, donor_id, donor, certificate, content, consents FROM certificates_in_force(%s)",
        (list(consignments),),
    )
    return {row[0]: Bound(row[1], row[2], row[3], row[4], tuple(row[5] or ())) for row in rows}


_UNITS_ABOVE = """
WITH RECURSIVE above (first, unit_id) AS (
    SELECT p.party_id, p.party_id FROM party p WHERE p.party_id = ANY (%(parties)s)
    UNION
    SELECT a.first, m.unit_id FROM above a JOIN assignment m ON m.party_id = a.unit_id
    WHERE m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)
)
SELECT a.first, u.code FROM above a JOIN party u ON u.party_id = a.unit_id AND u.kind = 'unit'
"""


def check_receivers(desk: Desk, receives: Sequence[Receives], day: date) -> None:
    """A weapon whose certificate does not allow its receiver's unit stays where it is."""
    for one, why in _beyond(desk, receives, day):
        one.reason = one.reason or why


def received_beyond(desk: Desk, receives: Sequence[Receives], day: date) -> list[Contradiction]:
    """The same, found of what happened already."""
    return [_alarm(one, why) for one, why in _beyond(desk, receives, day)]


def _beyond(desk: Desk, receives: Sequence[Receives], day: date) -> list[tuple[Scanned, str]]:
    bound = bound_by(desk.connection, (one for one, _ in receives))
    if not any(one.content for one in bound.values()):
        return []
    units: dict[UUID, set[str]] = {}
    parties = list({party for _, party in receives})
    for first, code in desk.connection.exec_driver_sql(_UNITS_ABOVE, {"parties": parties, "day": day}):
        units.setdefault(first, set()).add(code)
    found = []
    for one, party in receives:
        binding = bound.get(one.held.consignment_id) if one.held and one.held.consignment_id else None
        why = _why_not_theirs(binding, units.get(party, set()), day) if binding and binding.content else None
        if why is not None:
            found.append((one, why))
    return found


def _why_not_theirs(bound: Bound, units: set[str], day: date) -> str | None:
    assert bound.content is not None
    if bound.consented("change of end use", units, day):
        return None
    allowed = set(bound.content["units"])
    if allowed and not allowed & units:
        return sentence(
            "end-user certificate {certificate} of {donor} allows it to {allowed} alone: {clause}",
            certificate=bound.certificate,
            donor=bound.donor,
            allowed=", ".join(sorted(allowed)),
            clause=bound.clause("retransfer_clause"),
        )
    if not bound.content["vetting"]:
        return None
    last = max((one["until"] for one in bound.content["vetted"] if one["unit"] in units), default=None)
    if last is None:
        return sentence(
            "end-user certificate {certificate} of {donor} takes a vetted unit, and the receiver is of none",
            certificate=bound.certificate,
            donor=bound.donor,
        )
    if date.fromisoformat(last) < day:
        return sentence(
            "end-user certificate {certificate} of {donor} takes a vetted unit, and the vetting ended on {last}",
            certificate=bound.certificate,
            donor=bound.donor,
            last=last,
        )
    return None


def check_destination(desk: Desk, scanned: Sequence[Scanned], site: str, day: date) -> None:
    """A weapon whose certificate does not allow a depot is not shipped there."""
    for one, why in _beyond_at(desk, scanned, site, day):
        one.reason = one.reason or why


def shipped_beyond(desk: Desk, scanned: Sequence[Scanned], site: str, day: date) -> list[Contradiction]:
    """The same, found of what was shipped already."""
    return [_alarm(one, why) for one, why in _beyond_at(desk, scanned, site, day)]


def _beyond_at(desk: Desk, scanned: Sequence[Scanned], site: str, day: date) -> list[tuple[Scanned, str]]:
    bound = bound_by(desk.connection, scanned)
    found: list[tuple[Scanned, str]] = []
    for one in scanned:
        binding = bound.get(one.held.consignment_id) if one.held and one.held.consignment_id else None
        if binding is None or binding.content is None or binding.consented("change of end use", [site], day):
            continue
        allowed = {code.upper() for code in binding.content["sites"]}
        if allowed and site not in allowed:
            why = sentence(
                "end-user certificate {certificate} of {donor} allows it at {allowed} alone: {clause}",
                certificate=binding.certificate,
                donor=binding.donor,
                allowed=", ".join(sorted(allowed)),
                clause=binding.clause("retransfer_clause"),
            )
            found.append((one, why))
    return found


def destroyed_beyond(desk: Desk, scanned: Sequence[Scanned], day: date) -> list[Contradiction]:
    """What was destroyed already though its certificate takes the donor's consent."""
    bound, found = bound_by(desk.connection, scanned), []
    for one in scanned:
        binding = bound.get(one.held.consignment_id) if one.held and one.held.consignment_id else None
        if binding is not None and not binding.consented("disposal", (), day):
            clause = binding.clause("disposal_clause") or "it takes the donor's consent"
            found.append(_alarm(one, f"end-user certificate {binding.certificate} of {binding.donor}: {clause}"))
    return found


def _alarm(one: Scanned, why: str) -> Contradiction:
    assert one.held is not None
    return Contradiction(
        Kind.BEYOND_CERTIFICATE, why[:500], one.held.name, one.held.item_id, one.held.donor_id, one.number
    )
