"""Files that a donor stored itself: shipping lists and scans. It can name no others: by a digest alone it would learn what others sent."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Fault, Invalid
from stockpile.rights import Actor
from stockpile.sentences import sentence


def remember_file(engine: Engine, actor: Actor, sha256: str) -> None:
    """Keeps that this donor stored the file."""
    with transaction(engine, actor.database_role, actor.site_id, actor.donor_id) as connection:
        connection.exec_driver_sql(
            "INSERT INTO donor_file (donor_id, sha256, stored_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (actor.donor_id, bytes.fromhex(sha256), now()),
        )


def need_own_file(connection: Connection, donor_id: UUID, sha256: str, field: str) -> None:
    """Raises Invalid unless the donor stored the file itself."""
    if not connection.exec_driver_sql(
        "SELECT 1 FROM donor_file WHERE donor_id = %s AND sha256 = %s", (donor_id, bytes.fromhex(sha256))
    ).first():
        fault = Fault(sentence("you stored no such file: store it first (POST /v1/files)"), field=field, value=sha256)
        raise Invalid(sentence("Nothing was sent: the file is missing."), [fault])
