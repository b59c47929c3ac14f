"""What of its dealings with the host wants a donor's attention beside its weapons: statements that the host sent back and that were not
said anew, and end-user certificates that expire. It reads in the asker's own role.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection

from stockpile.reports.scope import donor_asked
from stockpile.rights import READ, Actor, require
from stockpile.sites import day_on_the_walls

EXPIRES_SOON = timedelta(days=90)
"""So long before its last day a certificate is told of: a new one takes both sides some weeks."""


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """An end-user certificate in force: the version that the host accepted last. `expires_on` is None where it holds without end."""

    statement_id: UUID
    number: str
    donor: str
    end_user: str
    expires_on: date | None
    expired: bool
    expires_soon: bool


# A statement said again under its number stands for the one before it.
_SENT_BACK = """
SELECT count(*) FROM donor_statement x
JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id AND a.kind = 'sent back'
WHERE x.kind IN ('declaration', 'end-user certificate') AND (%(donor)s::uuid IS NULL OR x.donor_id = %(donor)s)
  AND NOT EXISTS (SELECT FROM donor_statement n WHERE n.donor_id = x.donor_id AND n.kind = x.kind AND n.reference = x.reference
                  AND n.recorded_at > x.recorded_at)
"""
_IN_FORCE = """
SELECT DISTINCT ON (x.donor_id, x.reference) x.statement_id, x.reference, p.code, x.content->>'end_user', (x.content->>'expires_on')::date
FROM donor_statement x JOIN party p ON p.party_id = x.donor_id
JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id AND a.kind = 'accepted'
WHERE x.kind = 'end-user certificate' AND (%(donor)s::uuid IS NULL OR x.donor_id = %(donor)s)
ORDER BY x.donor_id, x.reference, a.recorded_at DESC
"""


def statements_sent_back(connection: Connection, actor: Actor, donor: str | None = None) -> int:
    """How many declarations and certificates the host sent back and the donor did not say anew. Raises NotFound (donor)."""
    require(actor, READ)
    given = {"donor": donor_asked(connection, actor, donor)}
    return int(connection.exec_driver_sql(_SENT_BACK, given).scalar_one())


def certificates_in_force(connection: Connection, actor: Actor, donor: str | None = None) -> list[CertificateRow]:
    """The end-user certificates that the host accepted, the first to expire first; those without an end last. Raises NotFound (donor)."""
    require(actor, READ)
    today = day_on_the_walls(connection, actor.time_zone)
    given = {"donor": donor_asked(connection, actor, donor)}
    found = [
        CertificateRow(
            statement_id, number, code, end_user, until,
            expired=until is not None and until < today,
            expires_soon=until is not None and today <= until <= today + EXPIRES_SOON,
        )
        for statement_id, number, code, end_user, until in connection.exec_driver_sql(_IN_FORCE, given)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.expires_on or date.max, one.number))
