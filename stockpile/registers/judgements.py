"""Judgements: somebody looked at a near match and says that its two numbers are one weapon, misread, or that they are two, and why. It
is kept for ever, by whom and when, and holds in every later run of the audit's name: one weapon counts as matched, two are not
proposed again. Of several judgements of one pair the newest holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, Engine

from stockpile.db.engine import nobody_erased
from stockpile.documents import Asked, Words, now
from stockpile.errors import NotFound
from stockpile.keys import new_key
from stockpile.registers.importing import writing
from stockpile.rights import COMPARE, Actor, require
from stockpile.sentences import sentence


class Judge(Asked):
    """Say what a near match is."""

    judged: Literal["same", "different"] = Field(
        description="Whether it is one weapon, misread, or two", examples=["same"]
    )
    reason: Words = Field(
        description="What shows it", examples=["Photo of the receiver: the last digit is 2, written like a 3"]
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement that was kept."""

    judgement_id: UUID
    audit_id: UUID
    number: int
    judged: str
    recorded_at: datetime


_NEAR = """
SELECT f.model_key, f.serial_key, f.right_key FROM audit_finding f JOIN audit a USING (audit_id)
WHERE f.audit_id = %s AND f.kind = 'near match' AND f.number = %s AND f.right_key IS NOT NULL
"""
_INSERT = """
INSERT INTO audit_judgement (judgement_id, audit_id, model_key, left_key, right_key, judged, reason, judged_by, recorded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def judge(engine: Engine, actor: Actor, audit_id: UUID, number: int, request: Judge) -> Judged:
    """Keeps what somebody says of the near match of this number. Raises NotAllowed, NotFound."""
    require(actor, COMPARE)
    with writing(engine, actor) as connection:
        nobody_erased(connection)
        near = connection.exec_driver_sql(_NEAR, (audit_id, number)).one_or_none()
        if near is None:
            raise NotFound(sentence("This audit has no near match {number} here.", number=number))
        done = Judged(new_key(), audit_id, number, request.judged, now())
        connection.exec_driver_sql(
            _INSERT,
            (done.judgement_id, audit_id, *near, request.judged, request.reason, actor.party_id, done.recorded_at),
        )
        return done


_LAY_OUT = """
CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
SELECT DISTINCT ON (j.model_key, j.left_key, j.right_key) j.model_key, j.left_key, j.right_key, j.judged
FROM audit_judgement j JOIN audit a USING (audit_id) WHERE a.site_id IS NOT DISTINCT FROM %s AND a.name = %s
ORDER BY j.model_key, j.left_key, j.right_key, j.recorded_at DESC, j.judgement_id DESC
"""


def lay_out_judgements(connection: Connection, site_id: UUID | None, name: str) -> None:
    """Lays out what holds for an audit of this name, as the temporary table `judged`."""
    connection.exec_driver_sql(_LAY_OUT, (site_id, name))
