"""One party: every name it had, the units it belonged to, the cards it stands on, the accounts it has. Only reads; what the asker's
role may not see is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.parties import read_party
from stockpile.reports.reference import CardRow, search_signature_cards


@dataclass(frozen=True, slots=True)
class NameShown:
    """A version of a party's name; a document keeps the version it was signed with."""

    version: int
    name: str | None
    rank: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class MembershipShown:
    """That it belonged to a unit, from the first to the last day."""

    unit: str | None
    name: str | None
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class PartyAccount:
    """Its account at a site, and how much is on it."""

    account_id: UUID
    site: str
    holds: int


@dataclass(frozen=True, slots=True)
class PartyShown:
    """A party with its past. `names` are for registrars and auditors; `signature_cards` are the first to end."""

    party_id: UUID
    kind: str
    code: str | None
    name: str | None
    rank: str | None
    site: str | None
    names: tuple[NameShown, ...]
    memberships: tuple[MembershipShown, ...]
    signature_cards: tuple[CardRow, ...]
    accounts: tuple[PartyAccount, ...]


_SITE = "SELECT s.code FROM party p JOIN site s USING (site_id) WHERE p.party_id = %s"
_NAMES = (
    "SELECT version, name, rank, recorded_at FROM party_name WHERE party_id = %s AND name IS NOT NULL ORDER BY version"
)
_MEMBERSHIPS = """
SELECT u.code, u.name, m.since, m.until FROM assignment m LEFT JOIN party u ON u.party_id = m.unit_id
WHERE m.party_id = %s ORDER BY m.since, m.until NULLS LAST, u.code
"""
_ACCOUNTS = """
SELECT a.account_id, s.code, coalesce((SELECT sum(h.quantity) FROM holding h WHERE h.account_id = a.account_id), 0)::bigint
FROM account a JOIN site s USING (site_id) WHERE a.party_id = %s ORDER BY s.code
"""


def show_party(connection: Connection, party_id: UUID, day: date, with_names: bool) -> PartyShown:
    """A party with its past, its cards as they stand on a day. Raises NotFound outside the reader's scope."""
    party = read_party(connection, party_id)
    names = connection.exec_driver_sql(_NAMES, (party_id,)).all() if with_names else []
    return PartyShown(
        party.party_id,
        party.kind,
        party.code,
        party.name,
        party.rank,
        connection.exec_driver_sql(_SITE, (party_id,)).scalar_one_or_none(),
        tuple(NameShown(*row) for row in names),
        tuple(MembershipShown(*row) for row in connection.exec_driver_sql(_MEMBERSHIPS, (party_id,))),
        search_signature_cards(connection, day, party_id=party_id).rows,
        tuple(PartyAccount(*row) for row in connection.exec_driver_sql(_ACCOUNTS, (party_id,))),
    )
