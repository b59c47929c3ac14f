"""Identifications: what a weapon is said to bear, in versions. A mark or an amendment adds one, under the entry posted for it;
none is ever changed. What stands now is the newest whose entry stands (the database's `identified`): so who takes the entry
back takes back what it said, and what was said before stands again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile import items
from stockpile.db.rows import given
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Desk
from stockpile.identity import fold, serial_key
from stockpile.items import Entry, Held, Known

FIELDS = (
    "maker", "serial_number", "obliterated", "distinguishing_mark", "import_mark", "import_country", "import_year", "uii",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identification:
    """One version of what a weapon bears. `stands` is its entry, or the entry that repeats it; None: it was taken back.
    `builds_on` is the version it carries forward; method and place are of what it adds.
    """

    item_id: UUID
    version: int
    stands: int | None
    builds_on: int | None
    maker: str
    serial_number: str | None
    obliterated: bool
    distinguishing_mark: str | None
    import_mark: str | None
    import_country: str | None
    import_year: int | None
    uii: str | None
    mark_method: str | None
    mark_place: str | None

    @property
    def readable(self) -> str | None:
        """The serial number, if it can be read."""
        return None if self.obliterated else self.serial_number

    def keys(self, model_id: UUID) -> set[str]:
        """The identity keys of one that bears this."""
        return items.keys_borne(
            self.maker, model_id, serial_key(self.readable) if self.readable is not None else None, self.uii
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What a document says of a weapon: the fields of `FIELDS` that are otherwise now, and how and where a mark was put on."""

    fields: Mapping[str, Any]
    method: str | None = None
    place: str | None = None


_VERSIONS = f"""
SELECT item_id, version, CASE WHEN version = 1 THEN 0 ELSE standing_entry(item_id, entry_version) END, builds_on,
       {", ".join(FIELDS)}, mark_method, mark_place
FROM identification WHERE item_id = ANY (%s) ORDER BY item_id, version
"""


def versions(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, list[Identification]]:
    """Every identification of weapons, oldest first."""
    found: dict[UUID, list[Identification]] = {}
    for row in connection.exec_driver_sql(_VERSIONS, (list(item_ids),)):
        found.setdefault(row[0], []).append(Identification(*row))
    return found


def standing(several: Sequence[Identification], before: int | None = None) -> Identification:
    """The one of a weapon's identifications that stands, or stood before an entry: the first stands always."""
    return next(one for one in reversed(several) if one.stands is not None and (before is None or one.stands < before))


def identified(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, Identification]:
    """What each weapon bears now."""
    return {item_id: standing(several) for item_id, several in versions(connection, item_ids).items()}


@dataclass(frozen=True, slots=True)
class Written:
    """A version about to be written, under its entry, with the identity keys that are new with it."""

    held: Held
    entry_version: int
    said: Identification
    keys: frozenset[str]


def write(
    desk: Desk, document_id: UUID, changes: Mapping[UUID, Change], held: Mapping[UUID, Held], judged: Known
) -> None:
    """Writes what a posted document changes: for each weapon a version under its entry. Where the document came late, what
    later marks and amendments changed is said again on top of it, so that each still adds its own, and no more.

    `judged`: what was known of the new numbers and UIIs when they were judged. Whoever took one since has its next row: the
    primary key of `identity` decides, and the loser is tried again by `acts.perform`.
    """
    changed = {item_id: change for item_id, change in changes.items() if change.fields}
    if not changed:
        return
    own, again = _entries(desk.connection, document_id)
    known = versions(desk.connection, changed)
    written = [
        one
        for item_id in sorted(changed)
        for one in _versions_of(held[item_id], changed[item_id], known[item_id], own[item_id], again.get(item_id, []))
    ]
    _insert(desk, written)
    _insert_identities(desk.connection, written, judged)


def _entries(connection: Connection, document_id: UUID) -> tuple[dict[UUID, int], dict[UUID, list[int]]]:
    """The document's own entry of each weapon, and those that it posted again after it."""
    own: dict[UUID, int] = {}
    again: dict[UUID, list[int]] = {}
    rows = connection.exec_driver_sql(
        """SELECT item_id, version, posts_again FROM entry WHERE document_id = %s AND serial AND reverses IS NULL
           ORDER BY item_id, version""",
        (document_id,),
    )
    for item_id, version, posts_again in rows:
        if posts_again is None:
            own[item_id] = version
        else:
            again.setdefault(item_id, []).append(version)
    return own, again


def _versions_of(
    held: Held, change: Change, known: Sequence[Identification], own: int, again: Sequence[int]
) -> list[Written]:
    model_id = held.model_id
    before = standing(known, own)
    last = known[-1].version
    said = replace(
        before, version=last + 1, builds_on=before.version, mark_method=change.method, mark_place=change.place, **change.fields
    )  # fmt: skip
    written = [Written(held, own, said, frozenset(said.keys(model_id) - before.keys(model_id)))]
    borne = {key for one in known for key in one.keys(model_id)} | said.keys(model_id)
    for entry in again:
        later = next((one for one in reversed(known) if one.stands == entry), None)
        if later is None:
            continue
        upon = next(one for one in known if one.version == later.builds_on)
        differs = {name: getattr(later, name) for name in FIELDS if getattr(later, name) != getattr(upon, name)}
        repeated = replace(
            said, version=said.version + 1, builds_on=said.version, mark_method=later.mark_method, mark_place=later.mark_place,
            **differs,
        )  # fmt: skip
        written.append(Written(held, entry, repeated, frozenset(repeated.keys(model_id) - borne)))
        borne |= repeated.keys(model_id)
        said = repeated
    return written


_COLUMNS = (
    ("item_id", "uuid"), ("version", "int4"), ("donor_id", "uuid"), ("entry_version", "int4"), ("maker", "text"),
    ("serial_number", "text"), ("serial_key", "text"), ("fold", "text"), ("obliterated", "bool"),
    ("distinguishing_mark", "text"), ("import_mark", "text"), ("import_country", "text"), ("import_year", "int4"),
    ("uii", "text"), ("mark_method", "text"), ("mark_place", "text"), ("builds_on", "int4"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_INSERT = f"INSERT INTO identification (site_id, {_NAMES}) SELECT %s::uuid, {_NAMES} FROM {{given}}"


def _insert(desk: Desk, written: Sequence[Written]) -> None:
    rows = (_row(one) for one in written)
    with given(desk.connection, _COLUMNS, rows, len(written)) as handed:
        handed.insert(_INSERT, (desk.site.site_id,))


def _row(one: Written) -> tuple[object, ...]:
    said = one.said
    key = serial_key(said.serial_number) if said.serial_number is not None else None
    return (
        said.item_id, said.version, one.held.donor_id, one.entry_version, said.maker, said.serial_number, key,
        fold(key) if key is not None else None, said.obliterated, said.distinguishing_mark, said.import_mark,
        said.import_country, said.import_year, said.uii, said.mark_method, said.mark_place, said.builds_on,
    )  # fmt: skip


def _insert_identities(connection: Connection, written: Sequence[Written], judged: Known) -> None:
    """In one order, as `items.create` does: two documents that want the same numbers wait for one another."""
    wanted = sorted(
        ((key.startswith(items.UII), key, one.held) for one in written for key in one.keys), key=lambda row: row[:2]
    )
    if not wanted:
        return
    rows = (
        judged.rows | items.known_by_identity(connection, [key for _, key, _ in wanted if key not in judged.asked]).rows
    )
    ordinals = []
    for _, key, _ in wanted:
        rows[key] = rows.get(key, 0) + 1
        ordinals.append(rows[key])
    connection.exec_driver_sql(
        """INSERT INTO identity (identity_key, ordinal, model_id, item_id)
           SELECT * FROM unnest(%s::text[], %s::int[], %s::uuid[], %s::uuid[])""",
        (
            [key for _, key, _ in wanted],
            ordinals,
            [held.model_id for _, _, held in wanted],
            [held.item_id for _, _, held in wanted],
        ),
    )


def twins_again(connection: Connection, reversals: Sequence[Entry]) -> list[Contradiction]:
    """The weapons to which these reversals, not yet posted, give back a number or UII that another bears meanwhile."""
    held = {entry.held.item_id: entry.held for entry in reversals if entry.held.serial}
    gone = {(entry.held.item_id, entry.reverses) for entry in reversals}
    regained: list[tuple[Held, Identification, set[str]]] = []
    for item_id, several in versions(connection, held).items():
        model_id, now = held[item_id].model_id, standing(several)
        then = standing([one for one in several if (item_id, one.stands) not in gone])
        if keys := then.keys(model_id) - now.keys(model_id):
            regained.append((held[item_id], then, keys))
    if not regained:
        return []
    bearers = items.known_by_identity(connection, [key for _, _, keys in regained for key in keys]).bearers
    return [
        Contradiction(
            Kind.TWIN,
            f"another {one.model_name} bears {then.readable or then.uii} now",
            "a correction gives it back to this one",
            one.item_id,
            one.donor_id,
        )
        for one, then, keys in regained
        if any(bearer != one.item_id for key in keys for bearer in bearers.get(key, ()))
    ]
