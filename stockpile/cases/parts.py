"""Writing one part of a case: under the lock of its case, numbered, with a leaf of its own in the log. Nothing is written twice under
one key, and nothing once written is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from stockpile.db import roles
from stockpile.db.engine import nobody_erased, take_role
from stockpile.documents import now
from stockpile.errors import NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.keys import new_secret
from stockpile.log.leaf import case_leaf, name_value, opening_value, person_digest
from stockpile.rights import DESK, Actor
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class PartWritten:
    """The answer to whatever is written in a case, the same for ever; it holds no names."""

    part_id: UUID
    case_id: UUID
    case: str
    part: int
    kind: str
    recorded_at: datetime
    leaf: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """How a case should end, as somebody proposed who waits for an answer. `answer_for_it`: who answered for the case then or since."""

    part: int
    outcome: str
    proposed_by: UUID
    answer_for_it: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as it stands: whose it is, and whether an answer is waited for."""

    case_id: UUID
    case: str
    site_id: UUID | None
    parts: int
    owner_id: UUID | None
    due_on: date | None
    proposal: Proposal | None
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is to be written."""

    part_id: UUID
    kind: str
    content_hash: bytes
    text: str | None = None
    attachments: Sequence[str] = ()
    owner_id: UUID | None = None
    due_on: date | None = None
    outcome: str | None = None
    document_id: UUID | None = None
    of_part: int | None = None
    opens: Mapping[str, Any] = field(default_factory=dict)
    recorded_at: datetime | None = None


def stand_to_write(connection: Connection, actor: Actor) -> None:
    """A desk writes in its own site's cases, auditors and registrars in all: the auditor's own role in the database writes nothing."""
    take_role(connection, roles.POSTER if actor.role in DESK else roles.REGISTRAR, actor.site_id)
    nobody_erased(connection)


REFERENCE = "concat_ws('/', s.code, 'CASE', f.number)"
"""How people call a case, TAJI/CASE/3; `s` is its site, if it has one."""

_WRITTEN = f"""
SELECT p.part_id, p.case_id, {REFERENCE}, p.part, p.kind, p.recorded_at, p.leaf, p.content_hash
FROM case_part p JOIN case_file f ON f.case_id = p.case_id LEFT JOIN site s ON s.site_id = f.site_id WHERE p.part_id = %s
"""


def written_before(connection: Connection, part_id: UUID, content_hash: bytes) -> PartWritten | None:
    """The answer to what was written under this key. Raises PostedWithOtherContent."""
    row = connection.exec_driver_sql(_WRITTEN, (part_id,)).one_or_none()
    if row is None:
        return None
    if bytes(row[7]) != content_hash:
        raise PostedWithOtherContent(
            sentence("{part_id} was written in a case before with other content. Take a new id.", part_id=part_id)
        )
    return PartWritten(*(*row[:6], bytes(row[6]).hex()))


_CASE = f"SELECT f.case_id, {REFERENCE}, f.site_id FROM case_file f LEFT JOIN site s ON s.site_id = f.site_id WHERE f.case_id = %s"
_PARTS = (
    "SELECT part, kind, owner_id, due_on, outcome, of_part, written_by FROM case_part WHERE case_id = %s ORDER BY part"
)


def standing(connection: Connection, case_id: UUID, lock: bool = False) -> Standing:
    """A case in the asker's scope. Raises NotFound."""
    if lock:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"case {case_id}",))
    row = connection.exec_driver_sql(_CASE, (case_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no case {case_id} here.", case_id=case_id))
    owner, due, proposal, closed, number = None, None, None, False, 0
    for number, kind, owner_id, due_on, outcome, _, written_by in connection.exec_driver_sql(_PARTS, (case_id,)):
        if owner_id is not None:
            owner, due = owner_id, due_on
            if proposal is not None:
                proposal = Proposal(
                    proposal.part, proposal.outcome, proposal.proposed_by, proposal.answer_for_it | {owner_id}
                )
        if kind == "outcome proposed":
            proposal = Proposal(number, outcome, written_by, frozenset(filter(None, (owner,))))
        elif kind == "declined":
            proposal = None
        closed = closed or kind == "closed"
    return Standing(row[0], row[1], row[2], number, owner, due, proposal, closed)


def need_open(case: Standing) -> None:
    """Raises Refused for a case that is closed."""
    if case.closed:
        raise Refused(
            sentence(
                "Case {case} is closed: nothing is added to it. Open a new case that takes it up again.", case=case.case
            )
        )


def write_part(connection: Connection, actor: Actor, case: Standing, part: Part) -> PartWritten:
    """Writes a part at the end of its case, whose lock is held. Raises PostedWithOtherContent (the key is in use elsewhere), NotAllowed
    (who writes was erased at this moment).
    """
    recorded_at = part.recorded_at or now()
    header: dict[str, Any] = {
        "part_id": part.part_id, "case_id": case.case_id, "part": case.parts + 1, "kind": part.kind, "text": part.text,
        "attachments": list(part.attachments), "owner_id": part.owner_id, "due_on": part.due_on,
        "outcome": part.outcome, "document_id": part.document_id, "of_part": part.of_part, "recorded_at": recorded_at,
        "content_hash": part.content_hash,
    }  # fmt: skip
    signer = connection.exec_driver_sql(
        "SELECT code, name, rank, name_version, secret FROM signatures(%s)", ([actor.party_id],)
    ).one()
    if signer[4] is None:
        raise NotAllowed(sentence("Nothing was written: who writes it was erased at this moment."))
    digest = person_digest(bytes(signer[4]), part.part_id, "written_by", name_value(*signer[:4]))
    seed = new_secret()
    committed = {
        **header,
        "due_on": part.due_on.isoformat() if part.due_on else None,
        "case": opening_value(part.opens) if part.opens else None,
    }
    leaf = case_leaf(seed, committed, digest)
    row = {
        **header, "attachments": Jsonb(header["attachments"]), "site_id": case.site_id, "written_by": actor.party_id,
        "name_version": signer[3], "digest": digest, "seed": seed, "leaf": leaf,
    }  # fmt: skip
    try:
        connection.exec_driver_sql(
            f"INSERT INTO case_part ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", tuple(row.values())
        )
    except IntegrityError as problem:
        if not isinstance(problem.orig, UniqueViolation):
            raise
        raise PostedWithOtherContent(
            sentence("The id {part_id} is in use elsewhere. Take a new one.", part_id=part.part_id)
        ) from None
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    return PartWritten(part.part_id, case.case_id, case.case, case.parts + 1, part.kind, recorded_at, leaf.hex())
