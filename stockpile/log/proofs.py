"""A weapon's entries as a proof that its asker carries away: each with its place in the log, opening what the asker may see.

What may be read is asked in the asker's own role and scope. The digests of all other fields are then made from the whole rows, in a role
that reads them: they tell nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import at_one_moment, transaction
from stockpile.donors.statements import Kept, need_statement
from stockpile.errors import Fault, Invalid, Refused
from stockpile.log import tree
from stockpile.log.leaf import entries_digest, microseconds, value_bytes
from stockpile.log.reading import Published, published, successions
from stockpile.proof.bundle import Bundle, Growth, Row, build, fields_of
from stockpile.proof.commitment import DOCUMENT, ENTRY, NOTE, commitment
from stockpile.proof.fields import DOCUMENT_FIELDS, DONOR_STATEMENT_FIELDS, ENTRY_FIELDS, PARTS
from stockpile.proof.merkle import NodeReader, consistency_proof, inclusion_proof
from stockpile.proof.tlog_proof import TlogProof
from stockpile.reports.history import history
from stockpile.rights import DONOR, Actor, reading
from stockpile.sentences import sentence

NOT_FOR_DONORS = frozenset({"line", "from_account", "to_account", "claimed_from"})
"""Of an entry: they would tell a donor of others' weapons, or of the host's own accounts."""
OF_DOCUMENTS = frozenset(
    {"document_id", "site_id", "number", "act", "fact", "undo", "happened_at", "happened_precision", "recorded_at"}
)
"""Of a document: what everybody who sees the entry may see, a donor too (migrations/sql/0001_privileges.sql)."""
WHOLE = frozenset({*OF_DOCUMENTS, "line_count", "quantity", "entries"})
"""What the host's own people see besides. Persons stay closed, so that a file that leaves the country names nobody."""
CLOCKS_APART = timedelta(hours=1)
"""A leaf is looked for from so long before it was recorded: the sequencer may have another clock."""


@dataclass(slots=True)
class _Logs:
    """The published logs, oldest first, since when each is, and their trees."""

    connection: Connection
    shown: list[Published]
    began: list[datetime]
    nodes: dict[int, NodeReader] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection) -> _Logs:
        rows = connection.exec_driver_sql(
            "SELECT log, began_at FROM log_origin WHERE log IN (SELECT log FROM checkpoint) ORDER BY log"
        ).all()
        return cls(connection, [published(connection, row.log) for row in rows], [row.began_at for row in rows])

    def node(self, shown: Published) -> NodeReader:
        if shown.log not in self.nodes:
            self.nodes[shown.log] = tree.nodes_of(self.connection, shown.log, shown.size)
        return self.nodes[shown.log]

    def proof(self, leaf: bytes, recorded_at: datetime) -> TlogProof | None:
        """Where a leaf is; None: no checkpoint covers it yet. In each log it is looked for from what was signed before it was recorded. So
        the log that was there then comes first, and a longer look into a newer one is only for what still waited when that began.
        """
        since = recorded_at - CLOCKS_APART
        then = max(bisect_right(self.began, since) - 1, 0)
        for shown in (*self.shown[then:], *reversed(self.shown[:then])):
            index = tree.find_leaf(self.connection, shown.log, leaf, since)
            if index is not None and index < shown.size:
                hashes = inclusion_proof(index, shown.size, self.node(shown))
                return TlogProof(index, tuple(hashes), shown.note)
        return None


def proof_of(engine: Engine, actor: Actor, item_id: UUID, pinned: Sequence[tuple[str, int]] = ()) -> Bundle:
    """The proof of an item's entries and their documents, as far as the asker sees them, under the latest checkpoint. `pinned`: name and
    size of checkpoints that the asker keeps: the log is shown to have grown out of them.

    Raises NotFound (no such item for this asker), Invalid (a pinned checkpoint of another log, or larger than it), Refused (nothing of
    it is under a checkpoint yet).
    """
    with reading(engine, actor) as connection:
        item = history(connection, actor, item_id, limit=1).item
        seen = connection.exec_driver_sql("SELECT version FROM entry WHERE item_id = %s ORDER BY version", (item_id,))
        versions = _unbroken(list(seen.scalars()))
    with transaction(at_one_moment(engine), roles.AUDITOR) as connection:
        logs = _Logs.of(connection)
        entries = list(_entries(logs, item_id, versions, actor.role == DONOR))
        if not entries:
            raise Refused(sentence("No checkpoint covers an entry of this weapon yet: try again in a moment."))
        documents = list(
            _documents(logs, item_id, [int(row.values()["version"]) for row in entries], actor.role == DONOR)
        )
        growth = [_growth(logs, origin, size) for origin, size in pinned]
        keys = successions(connection)
    return build(item.asset_tag, entries, documents, growth, keys=keys)


def _unbroken(versions: Sequence[int]) -> list[int]:
    """The newest versions that follow one another: who sees one site's entries alone may miss some in between."""
    return [version for n, version in enumerate(versions) if versions[-1] - version == len(versions) - 1 - n]


_ENTRY_COLUMNS = tuple(name for name in ENTRY_FIELDS if name not in ("serial_number", "from_class", "to_class"))
_ENTRIES = f"""
SELECT e.leaf, e.seed, f.class, t.class, {", ".join(f"e.{name}" for name in _ENTRY_COLUMNS)}
FROM entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
WHERE e.item_id = %s AND e.version = ANY (%s) ORDER BY e.version
"""
_NUMBERS = "SELECT DISTINCT serial_number FROM identification WHERE item_id = %s"


def _entries(logs: _Logs, item_id: UUID, versions: Sequence[int], of_donor: bool) -> Iterator[Row]:
    """The entries that a checkpoint covers."""
    numbers = [*logs.connection.exec_driver_sql(_NUMBERS, (item_id,)).scalars(), None]
    opening = set(ENTRY_FIELDS) - (NOT_FOR_DONORS if of_donor else set())
    for leaf, seed, from_class, to_class, *rest in logs.connection.exec_driver_sql(_ENTRIES, (item_id, list(versions))):
        values = dict(zip(_ENTRY_COLUMNS, rest, strict=True)) | {"from_class": from_class, "to_class": to_class}
        proof = logs.proof(leaf, values["recorded_at"])
        if proof is not None:
            yield Row(ENTRY, leaf[1:33], _entry_fields(leaf, seed, values, numbers, opening), proof)


def _entry_fields(
    leaf: bytes, seed: bytes, values: Mapping[str, Any], numbers: Sequence[str | None], opening: Collection[str]
) -> Any:
    """The fields under the number that the weapon bore then: of all that it ever had, the one that the leaf commits."""
    for number in numbers:
        written = {name: value_bytes(value) for name, value in {**values, "serial_number": number}.items()}
        fields = fields_of(ENTRY, seed, written, opening)
        if commitment(one.digest for one in fields) == leaf[33:]:
            return fields
    raise _altered(f"entry {values['version']}")


_DOCUMENT_COLUMNS = tuple(name for name in DOCUMENT_FIELDS if name not in ("number", "entries", *PARTS))
_DOCUMENTS = f"""
SELECT d.leaf, d.seed, concat_ws('/', s.code, b.code, b.year, d.number) AS number,
       array(SELECT e.leaf FROM entry e WHERE e.document_id = d.document_id ORDER BY e.line) AS entries,
       (SELECT jsonb_object_agg(part, encode(digest, 'hex')) FROM signatory g WHERE g.document_id = d.document_id) AS persons,
       {", ".join(f"d.{name}" for name in _DOCUMENT_COLUMNS)}
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
WHERE d.document_id IN (SELECT document_id FROM entry WHERE item_id = %s AND version = ANY (%s)) ORDER BY d.recorded_at, d.document_id
"""


def _documents(logs: _Logs, item_id: UUID, versions: Sequence[int], of_donor: bool) -> Iterator[Row]:
    """The documents of these entries. To the host's own people with the leaves of all their entries; a donor is not told how many."""
    opening = OF_DOCUMENTS if of_donor else WHOLE
    for row in logs.connection.exec_driver_sql(_DOCUMENTS, (item_id, list(versions))).all():
        leaf, seed, number, entries, persons, *rest = row
        values = dict(zip(_DOCUMENT_COLUMNS, rest, strict=True)) | {
            "number": number,
            "entries": entries_digest(entries),
        }
        values["clock_offset"] = microseconds(values["clock_offset"])
        written = {name: value_bytes(value) for name, value in values.items()}
        digests = {part: bytes.fromhex(digest) for part, digest in (persons or {}).items()}
        fields = fields_of(DOCUMENT, seed, written, opening, digests)
        if commitment(one.digest for one in fields) != leaf[33:]:
            raise _altered(f"document {number}")
        proof = logs.proof(leaf, values["recorded_at"])
        if proof is not None:
            yield Row(DOCUMENT, leaf[1:33], fields, proof, () if of_donor else tuple(entries))


def _altered(what: str) -> Refused:
    return Refused(
        f"The {what} does not follow from its row: somebody altered it since. Tell the auditor; 'stockpile verify' says more."
    )


def growth_of(connection: Connection, origin: str, size: int, shown: Published) -> Growth:
    """What leads from a checkpoint that somebody keeps to a published one. Raises Invalid."""
    return _growth(_Logs(connection, [shown], []), origin, size)


def grown(engine: Engine, pinned: tuple[str, int] | None = None) -> tuple[str, tuple[bytes, ...]]:
    """The latest checkpoint as it was signed, and what leads to it from one that somebody keeps: of a log that a restore ended, its last.
    Raises NotFound (nothing was signed yet), Invalid (pinned).
    """
    with transaction(at_one_moment(engine), roles.AUDITOR) as connection:
        if pinned is None:
            return published(connection).note, ()
        logs = _Logs.of(connection)
        growth = _growth(logs, *pinned)
        note = next(shown.note for shown in logs.shown if (shown.origin, shown.size) == (growth.origin, growth.new))
    return note, growth.hashes


def _growth(logs: _Logs, origin: str, size: int) -> Growth:
    """What leads from a checkpoint that somebody keeps to the latest of its log."""
    for shown in reversed(logs.shown):
        if shown.origin == origin and 0 < size <= shown.size:
            hashes = consistency_proof(size, shown.size, logs.node(shown)) if size < shown.size else []
            return Growth(origin, size, shown.size, tuple(hashes))
    names = [f"{shown.origin} with up to {shown.size:,} leaves" for shown in reversed(logs.shown)]
    fault = Fault(f"these books have {', '.join(names) or 'no log'}", field="pinned", value=f"{origin} {size}")
    raise Invalid("The checkpoint that you keep is of no log of these books.", [fault])


_STATEMENTS = f"""
SELECT leaf, seed, digest, {", ".join(name for name in DONOR_STATEMENT_FIELDS if name != "said_by")}
FROM donor_statement WHERE donor_id = %s AND (statement_id = %s OR answers = %s) ORDER BY answers IS NOT NULL
"""


def proof_of_statement(
    engine: Engine, actor: Actor, statement_id: UUID, pinned: Sequence[tuple[str, int]] = ()
) -> Bundle:
    """The proof of what donor and host told each other: a statement and its answer, as far as a checkpoint covers them, opening all
    but who said it. `pinned` as in `proof_of`.

    Raises NotFound (not the asker's to read), Invalid (a pinned checkpoint), Refused (no checkpoint covers it yet).
    """
    with reading(engine, actor) as connection:
        kept = need_statement(connection, statement_id)
    with transaction(at_one_moment(engine), roles.VERIFIER) as connection:
        logs = _Logs.of(connection)
        statements = list(_statements(logs, kept))
        if not statements or statements[0].values()["answers"]:
            raise Refused(sentence("No checkpoint covers it yet: try again in a moment."))
        growth = [_growth(logs, origin, size) for origin, size in pinned]
        keys = successions(connection)
    return build(f"{kept.donor} {kept.reference}", [], [], growth, statements, keys)


def _statements(logs: _Logs, kept: Kept) -> Iterator[Row]:
    asked = (kept.donor_id, kept.statement_id, kept.statement_id)
    for leaf, seed, digest, *rest in logs.connection.exec_driver_sql(_STATEMENTS, asked).all():
        values = dict(zip((name for name in DONOR_STATEMENT_FIELDS if name != "said_by"), rest, strict=True))
        written = {name: value_bytes(value) for name, value in values.items()}
        fields = fields_of(NOTE, seed, written, DONOR_STATEMENT_FIELDS, {"said_by": digest})
        if commitment(one.digest for one in fields) != leaf[33:]:
            raise _altered(f"{values['kind']} {values['reference']}")
        proof = logs.proof(leaf, values["recorded_at"])
        if proof is not None:
            yield Row(NOTE, leaf[1:33], fields, proof)
