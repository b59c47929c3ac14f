"""What is held to be which weapon: by the rule, where the marks are the same, or because a person says so. One that the ledger holds in
a store or issued is a diversion alarm: an open discrepancy of its site, which the commander, auditors and its donor see, and no clerk.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from stockpile.db import roles
from stockpile.db.engine import take_role
from stockpile.discrepancies import Contradiction, Kind, open_all
from stockpile.documents import now
from stockpile.donors.candidates import Candidate, candidates, one_candidate
from stockpile.donors.keeping import Kept, as_tracer
from stockpile.donors.weapon_read import WeaponRead
from stockpile.movements import HELD, AccountClass
from stockpile.rights import Actor
from stockpile.sites import find_site

ALARMING = HELD | {AccountClass.TRANSIT}
"""Where the books hold a weapon that cannot be abroad as well."""


def match_at_once(connection: Connection, actor: Actor, kept: Kept, request: WeaponRead) -> None:
    """Holds it to be every weapon that has its marks, and raises the alarm for those that the ledger holds."""
    strong = [one for one in candidates(connection, as_tracer(actor), request) if one.strong]
    for one in strong:
        _keep(connection, kept.tracing_id, one, None)
        _alarm(connection, kept, request, one, len(strong))


def hold_to_be(connection: Connection, actor: Actor, kept: Kept, request: WeaponRead, item_id: UUID) -> None:
    """A person says which weapon it is. Said again it changes nothing, and raises no second alarm."""
    if item_id in identified(connection, kept.tracing_id):
        return
    one = one_candidate(connection, as_tracer(actor), request, item_id)
    _keep(connection, kept.tracing_id, one, actor.party_id)
    _alarm(connection, kept, request, one, 1)


def identified(connection: Connection, tracing_id: UUID) -> Sequence[UUID]:
    """The weapons that it is held to be."""
    found: Sequence[UUID] = (
        connection.exec_driver_sql(
            "SELECT item_id FROM tracing_weapon WHERE tracing_id = %s ORDER BY item_id", (tracing_id,)
        )
        .scalars()
        .all()
    )
    return found


def alarms(connection: Connection, register_id: UUID) -> Sequence[UUID]:
    """The alarms that it raised, open or closed."""
    found: Sequence[UUID] = (
        connection.exec_driver_sql(
            "SELECT discrepancy_id FROM discrepancy WHERE register_id = %s AND kind = %s ORDER BY discrepancy_id",
            (register_id, str(Kind.DIVERSION)),
        )
        .scalars()
        .all()
    )
    return found


def _keep(connection: Connection, tracing_id: UUID, one: Candidate, said_by: UUID | None) -> None:
    connection.exec_driver_sql(
        """INSERT INTO tracing_weapon (tracing_id, item_id, donor_id, reasons, stood, site_id, said_by, recorded_at)
           SELECT %s, i.item_id, i.donor_id, %s, %s, (SELECT site_id FROM site WHERE code = %s), %s, %s
           FROM item i WHERE i.item_id = %s""",
        (tracing_id, Jsonb([str(why) for why in one.reasons]), one.stood, one.site, said_by, now(), one.item_id),
    )


def _alarm(connection: Connection, kept: Kept, request: WeaponRead, one: Candidate, of: int) -> None:
    """Opens the alarm at the site that holds the weapon, in whose name alone discrepancies are opened."""
    if one.stood not in ALARMING or one.site is None:
        return
    site = find_site(connection, one.site)
    donor_id = connection.exec_driver_sql("SELECT donor_id FROM item WHERE item_id = %s", (one.item_id,)).scalar_one()
    found = Contradiction(Kind.DIVERSION, _held(one), _seen(kept, request, of), one.item_id, donor_id)
    take_role(connection, roles.POSTER, site.site_id)
    open_all(connection, site, None, now(), [found], register_id=kept.register_id)
    take_role(connection, roles.REGISTRAR)


def _held(one: Candidate) -> str:
    """Where the books have it; of a person only that it is one."""
    since = f" since {one.since:%Y-%m-%d}" if one.since else ""
    return f"{one.model} {one.serial_number or one.asset_tag}: {one.stood} at {one.site}{since}"


def _seen(kept: Kept, request: WeaponRead, of: int) -> str:
    how = getattr(request, "how", None) or "found"
    place = ", ".join(part for part in (request.place, request.place_country) if part) or "a place not told"
    on = f" on {request.found_on}" if request.found_on else ""
    sure = f"; {confidence}" if (confidence := getattr(request, "confidence", None)) else ""
    several = f"; one of {of} weapons of this number" if of > 1 else ""
    return f"{kept.number}: {how} at {place}{on}{sure}{several}"
