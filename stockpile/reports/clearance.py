"""What keeps a person from leaving: what they hold, what is assigned to them, which cards they stand on, what they answer for.
It only reads; a person is clear when all of it is settled.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from stockpile.parties import Party
from stockpile.reports.discrepancies import DiscrepancyRow, list_discrepancies
from stockpile.reports.discrepancies import Sought as SoughtDiscrepancies
from stockpile.reports.holdings import Holder, Holdings, holdings
from stockpile.reports.reference import CardRow, search_signature_cards
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sites import day_on_the_walls
from stockpile.weapon_assignments import Assignment, search_assignments

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Clearance:
    """What is still open of a person; the first 200 of each. `custodian_of`: accounts that somebody else has to answer for first."""

    held: Holdings
    assigned: tuple[Assignment, ...]
    cards: tuple[CardRow, ...]
    discrepancies: tuple[DiscrepancyRow, ...]
    custodian_of: tuple[str, ...]

    @property
    def clear(self) -> bool:
        """Whether nothing is open."""
        return not (self.held.line_count or self.assigned or self.cards or self.discrepancies or self.custodian_of)


_CUSTODIAN_OF = """
SELECT s.code || ': ' || a.name FROM account a JOIN site s ON s.site_id = a.site_id
WHERE a.custodian_id = %(person)s AND a.party_id IS DISTINCT FROM %(person)s
UNION ALL
SELECT s.code || ': ' || s.name FROM site s WHERE s.custodian_id = %(person)s
ORDER BY 1 LIMIT 200
"""

NOTHING = Holdings((), 0, 0, None)


def clearance_of(connection: Connection, actor: Actor, person: Party) -> Clearance:
    """What is open of a person in the asker's scope. Raises NotAllowed (donors)."""
    require(actor, READ_PEOPLE)
    code = person.code or ""
    has_account = connection.exec_driver_sql(
        "SELECT 1 FROM account WHERE party_id = %s LIMIT 1", (person.party_id,)
    ).first()
    day = day_on_the_walls(connection, actor.time_zone)
    return Clearance(
        holdings(connection, actor, Holder(person=code), limit=SHOWN) if has_account and code else NOTHING,
        search_assignments(connection, actor, person=code, limit=SHOWN).rows if code else (),
        search_signature_cards(connection, day, party_id=person.party_id, state="valid", limit=SHOWN).rows,
        list_discrepancies(connection, actor, SoughtDiscrepancies(owner=code), SHOWN).rows if code else (),
        tuple(connection.exec_driver_sql(_CUSTODIAN_OF, {"person": person.party_id}).scalars()),
    )
