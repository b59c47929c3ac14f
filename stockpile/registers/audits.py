"""Audits: two lists compared under a name, and the findings kept. An audit asked for again under its name compares the same two
sources as they are then: another run, which can be compared with the one before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import Field
from sqlalchemy import Connection, Engine

from stockpile.db.engine import nobody_erased
from stockpile.documents import Asked, Code, now
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.registers.importing import writing
from stockpile.registers.judgements import lay_out_judgements
from stockpile.registers.reconcile import Total, for_joins, reconcile
from stockpile.registers.sides import Source, side_of
from stockpile.rights import COMPARE, DESK, Actor, require
from stockpile.sentences import sentence


class MakeAudit(Asked):
    """Compare two lists and keep what is found under a name."""

    name: Code = Field(
        description="How the audit is called; the same name again is another run", examples=["3rd Division 2007"]
    )
    left: Source | None = Field(None, description="What is compared; left out: as the last run of this name")
    right: Source | None = Field(None, description="With what; left out: as the last run of this name")


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit that was made: its sides, how many findings of each kind, and of each kind and model."""

    audit_id: UUID
    name: str
    run: int
    left: dict[str, Any]
    right: dict[str, Any]
    totals: tuple[Total, ...]
    by_model: tuple[Total, ...]
    recorded_at: datetime


def make_audit(engine: Engine, actor: Actor, request: MakeAudit) -> Audited:
    """Compares two sides and keeps the findings, all or nothing.

    Raises NotAllowed, NotFound (register, site, unit ...), Invalid (a first run that does not say what to compare; a list that can't be
    compared).
    """
    require(actor, COMPARE)
    with writing(engine, actor) as connection:
        return _made(connection, actor, request)


def _made(connection: Connection, actor: Actor, request: MakeAudit) -> Audited:
    site_id = actor.site_id if actor.role in DESK else None
    nobody_erased(connection)
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"audit {site_id or ''} {request.name}",)
    )
    run, left_source, right_source = _next_run(connection, site_id, request)
    for_joins(connection)
    left, right = side_of(connection, actor, left_source, "left"), side_of(connection, actor, right_source, "right")
    audit_id, recorded_at = new_key(), now()
    lay_out_judgements(connection, site_id, request.name)
    found = reconcile(connection, audit_id, left, right)
    by_model = _largest(found.totals)
    totals = _by_kind(by_model)
    kept = {
        "by_kind": [asdict(total) for total in totals],
        "by_model": [asdict(total) for total in by_model],
        "judged": {"same": found.judged_same, "different": found.judged_different},
    }
    connection.exec_driver_sql(
        _INSERT,
        (
            audit_id, site_id, request.name, run, Jsonb(_asked(left_source)), Jsonb(_asked(right_source)), Jsonb(left.to_json()),
            Jsonb(right.to_json()), Jsonb(kept), actor.party_id, recorded_at,
        ),
    )  # fmt: skip
    return Audited(audit_id, request.name, run, left.to_json(), right.to_json(), totals, by_model, recorded_at)


MODELS_TOLD = 1_000
"""So many totals by model are kept with an audit; more names are no models."""


def _largest(totals: Sequence[Total]) -> tuple[Total, ...]:
    """The largest totals by model, in their order; the others added up under no name."""
    kept = set(sorted(totals, key=lambda total: -total.findings)[:MODELS_TOLD])
    others = _by_kind(totals, without=kept)
    return (*(total for total in totals if total in kept), *(replace(total, model="others") for total in others))


def _by_kind(totals: Iterable[Total], without: Collection[Total] = ()) -> tuple[Total, ...]:
    sums: dict[str, Total] = {}
    for one in totals:
        if one not in without:
            so_far = sums.get(one.kind, Total(one.kind, None, 0, 0, 0, 0))
            sums[one.kind] = Total(
                one.kind,
                None,
                so_far.findings + one.findings,
                so_far.left_quantity + one.left_quantity,
                so_far.right_quantity + one.right_quantity,
                so_far.times + one.times,
            )
    return tuple(sums.values())


_INSERT = """
INSERT INTO audit (audit_id, site_id, name, run, left_source, right_source, left_side, right_side, totals, made_by, recorded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LAST = """
SELECT run, left_source, right_source FROM audit WHERE site_id IS NOT DISTINCT FROM %s AND name = %s ORDER BY run DESC LIMIT 1
"""


def _next_run(connection: Connection, site_id: UUID | None, request: MakeAudit) -> tuple[int, Source, Source]:
    """The number of the run, and what it compares: as said, else as the last run of the name."""
    last = connection.exec_driver_sql(_LAST, (site_id, request.name)).one_or_none()
    if last is None and (request.left is None or request.right is None):
        fault = Fault(
            sentence("there is no audit of this name yet: say what to compare, left and right"),
            field="name",
            value=request.name,
        )
        raise Invalid(sentence("Nothing was compared."), [fault])
    run = last[0] + 1 if last else 1
    left = request.left or Source.model_validate(last[1])  # type: ignore[index]
    return run, left, request.right or Source.model_validate(last[2])  # type: ignore[index]


def _asked(source: Source) -> dict[str, Any]:
    return source.model_dump(mode="json", by_alias=True, exclude_none=True)
