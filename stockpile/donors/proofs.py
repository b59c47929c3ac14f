"""The weapons of a consignment with their proofs in one archive: an audit package, which `stockpile check-proof` checks anywhere. A large
consignment comes in parts.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine

from stockpile.audit_packages import Answered, make_package
from stockpile.db.engine import at_one_moment
from stockpile.donors.progress import (
    QUESTION_OF_WEAPONS,
    ConsignmentWeapon,
    list_consignment_weapons,
    read_progress_of,
)
from stockpile.errors import NotFound
from stockpile.rights import Actor, reading
from stockpile.sentences import sentence

PROVEN_AT_ONCE = 500
"""So many weapons a part has: their proofs take some seconds."""


def consignment_package(
    engine: Engine, actor: Actor, folder: Path, consignment_id: UUID, part: int = 1
) -> tuple[bytes, str]:
    """A part of a consignment's weapons as a package, and what it is called. `folder`: where the log's keys are.

    Raises NotAllowed, NotFound (consignment, part), Refused (this machine signs no log, or nothing was signed yet).
    """
    with reading(at_one_moment(engine), actor) as connection:
        consignment = read_progress_of(connection, actor, consignment_id)
        every = list_consignment_weapons(connection, actor, consignment_id, limit=None).rows
    rows = every[(part - 1) * PROVEN_AT_ONCE : part * PROVEN_AT_ONCE]
    if part < 1 or (not rows and part > 1):
        raise NotFound(sentence("This consignment has no part {part}.", part=part))
    asked = {"consignment": consignment.reference, "donor": consignment.donor, "part": str(part)}
    name = f"consignment {consignment.reference}"
    path = f"/consignments/{consignment_id}"
    answered = Answered(name, str(QUESTION_OF_WEAPONS), path, asked, ConsignmentWeapon, rows)
    packed = make_package(engine, actor, folder, answered, most_proofs=PROVEN_AT_ONCE)
    return packed, f"{name} part {part}" if len(every) > PROVEN_AT_ONCE else name
