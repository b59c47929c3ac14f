"""A register as reports read it: lines in our fields, and which model each name of them means by now. Reads only; a name that nobody
has mapped stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue import Model, find_models
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class Listed:
    """A register whose lines were read in our fields. `source`: whose names of models its lines use."""

    register_id: UUID
    kind: str
    name: str
    source: str | None
    as_of: datetime


def need_listed(connection: Connection, actor: Actor, register_id: UUID) -> Listed:
    """The register of a key. Raises NotAllowed (donors), NotFound, Invalid (its lines were not read in our fields)."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(
        "SELECT register_id, kind, name, source, as_of, mapping IS NOT NULL FROM register WHERE register_id = %s",
        (register_id,),
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no register {register_id} here.", register_id=register_id))
    if not row[5]:
        fault = Fault(
            sentence("not read in our fields: import the list as a register"), field="register", value=str(register_id)
        )
        raise Invalid(sentence("{list}: nobody said which of its columns is which.", list=row[2]), [fault])
    return Listed(*row[:5])


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in registers mean: a model for each register, maker ('' for none) and name that somebody has mapped."""

    meant: dict[tuple[UUID, str, str], Model]

    @property
    def columns(self) -> dict[str, list[UUID] | list[str]]:
        """The same for SQL: `unnest(%(registers)s::uuid[], %(makers)s::text[], %(names)s::text[], %(models)s::uuid[])`."""
        return {
            "registers": [register for register, _, _ in self.meant],
            "makers": [maker for _, maker, _ in self.meant],
            "names": [name for _, _, name in self.meant],
            "models": [model.model_id for model in self.meant.values()],
        }


NAMED = """
    unnest(%(registers)s::uuid[], %(makers)s::text[], %(names)s::text[], %(models)s::uuid[]) AS named (register_id, maker, name, model_id)
"""
"""The models that names mean, in SQL: join it on register, coalesced maker and name."""

_NAMES = """
SELECT DISTINCT l.register_id, r.source, coalesce(l.maker, ''), l.model
FROM register_line l JOIN register r USING (register_id) WHERE r.register_id = ANY (%s) AND l.model IS NOT NULL
"""


def names_in(connection: Connection, registers: list[UUID]) -> Names:
    """What the names of models in registers mean, each by its own source: with the maker first, then the name alone."""
    found = [tuple(row) for row in connection.exec_driver_sql(_NAMES, (registers,))]
    meant: dict[tuple[UUID, str, str], Model] = {}
    for source in {row[1] for row in found}:
        rows = [row for row in found if row[1] == source]
        wanted = {text for _, _, maker, name in rows for text in (f"{maker} {name}".strip(), name)}
        models = find_models(connection, wanted, source)
        for register, _, maker, name in rows:
            model = models.get(f"{maker} {name}".strip()) or models.get(name)
            if model is not None:
                meant[register, maker, name] = model
    return Names(meant)


def of_register_alone(register_id: UUID | None, **asked: object) -> None:
    """Raises Invalid for what is asked of a register and can only be asked of the ledger: a list has no donors, sites and clocks
    of ours.
    """
    faults = [
        Fault(sentence("of the ledger only: leave it out, or the register"), field=name)
        for name, value in asked.items()
        if register_id is not None and value is not None
    ]
    if faults:
        raise Invalid(sentence("A register cannot be asked so."), faults)
