"""The catalogue: models of arms and equipment, and the aliases by which donors and old books call them.

An unknown name is never guessed: it is kept as seen, and a registrar maps it once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.keys import new_key
from stockpile.sentences import sentence

LONGEST_NAME = 200

UNIDENTIFIED_ID = UUID("00000000-0000-7000-8000-000000000002")


@dataclass(frozen=True, slots=True)
class Model:
    """Make and model, as far as the ledger needs them."""

    model_id: UUID
    maker: str
    name: str
    tracked_by: str


UNIDENTIFIED = Model(UNIDENTIFIED_ID, "unknown", "unidentified weapon", "serial")
"""What a weapon is that nobody could identify."""

UNIDENTIFIED_EQUIPMENT = Model(
    UUID("00000000-0000-7000-8000-000000000003"), "unknown", "unidentified equipment", "quantity"
)
"""What is counted under a name that no model bears."""

_MODEL = "SELECT model_id, maker, name, tracked_by FROM model"


def name_key(name: str) -> str:
    """A model's name with case and runs of spaces folded: how names and aliases are compared."""
    return " ".join(name.split()).casefold()


def find_model(connection: Connection, name: str, source: str | None = None) -> Model | None:
    """The model of a name: by alias of the source, by its own name, or by an alias of the catalogue."""
    return find_models(connection, [name], source).get(name)


def find_models(connection: Connection, names: Iterable[str], source: str | None = None) -> dict[str, Model]:
    """The models of many names at once; names nobody has mapped, and those several makers use, are absent."""
    wanted = {name: name_key(name) for name in names}
    keys = list(set(wanted.values()))
    if not keys:
        return {}
    by_key: dict[str, list[Model]] = {}
    for row in connection.exec_driver_sql(_MODEL):  # folded here: the database's lower() knows no script but Latin
        model = Model(*row)
        for key in {name_key(model.name), name_key(f"{model.maker} {model.name}")}:
            by_key.setdefault(key, []).append(model)
    known = {key: models[0] for key, models in by_key.items() if len(models) == 1}
    aliases: dict[str, Model] = {}
    for row in connection.exec_driver_sql(
        """SELECT a.name_key, m.model_id, m.maker, m.name, m.tracked_by, a.source = %s AS own
           FROM alias a JOIN model m USING (model_id)
           WHERE a.name_key = ANY (%s) AND a.source IN (%s, 'catalogue') ORDER BY own""",
        (source or "catalogue", keys, source or "catalogue"),
    ):
        aliases[row[0]] = Model(*row[1:5])
        if row[5] and source:
            known[row[0]] = aliases[row[0]]
    both = {**aliases, **known}
    return {name: both[key] for name, key in wanted.items() if key in both}


def note_unknown(connection: Connection, names: Iterable[str], source: str) -> None:
    """Keeps names nobody has mapped yet, for a registrar to see."""
    for name in sorted(set(names)):
        if len(name) > LONGEST_NAME:
            continue  # no model is called so: another column's text, or two cells that ran together
        connection.exec_driver_sql(
            """INSERT INTO alias (alias_id, source, name, name_key, first_seen_at) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT ON CONSTRAINT alias_of_source DO NOTHING""",
            (new_key(), source, name, name_key(name), now()),
        )


def map_alias(connection: Connection, source: str, name: str, model_id: UUID, approved_by: UUID) -> None:
    """Says once what a source means by a name. Raises Invalid if it was mapped to another model before: an alias
    that lists were read with does not change.
    """
    connection.exec_driver_sql(
        """INSERT INTO alias (alias_id, source, name, name_key, model_id, approved_by, approved_at, first_seen_at)
           VALUES (%(id)s, %(source)s, %(name)s, %(key)s, %(model)s, %(by)s, %(now)s, %(now)s)
           ON CONFLICT ON CONSTRAINT alias_of_source DO UPDATE
           SET model_id = %(model)s, approved_by = %(by)s, approved_at = %(now)s WHERE alias.model_id IS NULL""",
        {
            "id": new_key(),
            "source": source,
            "name": name,
            "key": name_key(name),
            "model": model_id,
            "by": approved_by,
            "now": now(),
        },
    )
    mapped = connection.exec_driver_sql(
        "SELECT model_id FROM alias WHERE source = %s AND name_key = %s", (source, name_key(name))
    ).scalar_one()
    if mapped != model_id:
        raise Invalid(
            sentence("The alias was not mapped."),
            [
                Fault(
                    sentence("{source} already means another model by it; lists were read with that", source=source),
                    field="name",
                    value=name,
                )
            ],
        )


def read_model(connection: Connection, model_id: UUID) -> Model:
    """The model of a key; NotFound if there is none."""
    row = connection.exec_driver_sql(f"{_MODEL} WHERE model_id = %s", (model_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no model {model_id} in the catalogue.", model_id=model_id))
    return Model(*row)
