"""What was done about a tracing request or a sighting, step by step; each is added, none changed. Of two people who do something at
once the key of the step decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from stockpile.db.engine import nobody_erased
from stockpile.db.tables.tracing import INCOMING, OUTGOING, PROPOSED, RELEASED
from stockpile.documents import now
from stockpile.donors.keeping import SAID, Kept, number_of
from stockpile.donors.weapon_read import IncomingRequest, OutgoingRequest, Sighting, WeaponRead
from stockpile.errors import NotFound
from stockpile.rights import Actor
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class Tracing:
    """A request or a sighting: its number, and what was said."""

    tracing_id: UUID
    kind: str
    number: str
    register_id: UUID
    recorded_at: datetime
    said: Mapping[str, str]
    photos: tuple[str, ...]

    @property
    def kept(self) -> Kept:
        """As what kept it answered."""
        return Kept(self.tracing_id, self.kind, self.number, self.register_id, self.recorded_at, again=True)


_TRACING = """
SELECT t.tracing_id, t.kind, t.year, t.number, t.register_id, t.recorded_at, l.cells, t.photos
FROM tracing t LEFT JOIN register_line l ON l.register_id = t.register_id AND l.line = 1
WHERE t.tracing_id = %s
"""


def read_tracing(connection: Connection, tracing_id: UUID, lock: bool = False) -> Tracing:
    """One of them; `lock`: until the end of the transaction nobody else does anything about it. Raises NotFound."""
    if lock:
        nobody_erased(connection)
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended('tracing ' || %s, 0))", (str(tracing_id),)
        )
    row = connection.exec_driver_sql(_TRACING, (tracing_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no tracing request or sighting {tracing_id} here.", tracing_id=tracing_id))
    said = dict(zip(SAID, row[6] or (), strict=False))
    return Tracing(row[0], row[1], number_of(*row[1:4]), row[4], row[5], said, tuple(row[7]))


def request_of(found: Tracing) -> WeaponRead:
    """The weapon as it was read, to be sought again: what an erasure took from the words is missing, not what is sought by."""
    form = {INCOMING: IncomingRequest, OUTGOING: OutgoingRequest}.get(found.kind, Sighting)
    fields = {name: value for name, value in found.said.items() if value and name in form.model_fields}
    known: dict[str, Any] = {"photos": found.photos, **fields}
    known["obliterated"] = found.said.get("serial_status") == "obliterated" or (
        found.said.get("serial_status") == "partial" and not set("?*") & set(found.said.get("serial_number", ""))
    )
    return form.model_construct(**_typed(form, known))


def _typed(form: type[WeaponRead], known: Mapping[str, Any]) -> dict[str, Any]:
    """Every field, None where nothing was said; what was validated once is not judged again."""
    return {
        name: known.get(name, field.get_default()) for name, field in form.model_fields.items() if name != "tracing_id"
    }


def add_step(
    connection: Connection,
    actor: Actor,
    tracing_id: UUID,
    what: str,
    words: str | None = None,
    item_id: UUID | None = None,
    answer: Mapping[str, Any] | None = None,
    settles: int | None = None,
    proposed_by: UUID | None = None,
) -> int:
    """Adds a step to what is locked; its number."""
    step: int = connection.exec_driver_sql(
        "SELECT 1 + coalesce(max(step), 0) FROM tracing_step WHERE tracing_id = %s", (tracing_id,)
    ).scalar_one()
    connection.exec_driver_sql(
        """INSERT INTO tracing_step (tracing_id, step, what, happened_at, done_by, words, item_id, answer, settles, proposed_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            tracing_id, step, what, now(), actor.party_id, words, item_id, Jsonb(dict(answer)) if answer is not None else None,
            settles, proposed_by,
        ),
    )  # fmt: skip
    return step


@dataclass(frozen=True, slots=True)
class Proposal:
    """An answer that waits for a second person, or was released."""

    step: int
    done_by: UUID
    answer: Mapping[str, Any]
    item_id: UUID | None


_PROPOSALS = """
SELECT p.step, p.done_by, p.answer, p.item_id FROM tracing_step p
LEFT JOIN tracing_step s ON s.tracing_id = p.tracing_id AND s.settles = p.step
WHERE p.tracing_id = %s AND p.what = %s AND s.what IS NOT DISTINCT FROM %s ORDER BY p.step DESC LIMIT 1
"""


def waiting_answer(connection: Connection, tracing_id: UUID) -> Proposal | None:
    """The answer that waits to be released."""
    return _proposal(connection, tracing_id, None)


def released_answer(connection: Connection, tracing_id: UUID) -> Proposal | None:
    """The newest answer that was released."""
    return _proposal(connection, tracing_id, RELEASED)


def _proposal(connection: Connection, tracing_id: UUID, settled: str | None) -> Proposal | None:
    row = connection.exec_driver_sql(_PROPOSALS, (tracing_id, PROPOSED, settled)).one_or_none()
    return Proposal(*row) if row else None
