"""Erasing a person, under an order that another person approves. Name, rank, service number and secret go, and with them the words
that the two decided about; every count, balance, history, digest and leaf stays. Nothing here may tell a name of who was erased
once it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from stockpile.alerts.subscriptions import forget_address
from stockpile.db import roles
from stockpile.db.engine import nobody_erased, transaction
from stockpile.documents import now
from stockpile.erasure_orders import ALL, WAITING, OrderRow, read_order, refuse
from stockpile.erasure_plan import against, named_in, versions_of
from stockpile.errors import (
    NotAllowed,
    Refused,
    UnreadableFile,
)
from stockpile.files import file_store
from stockpile.keys import new_secret
from stockpile.log.leaf import canonical, erasure_leaf, name_value, person_digest
from stockpile.occurrences import Fate
from stockpile.occurrences import Words as Named
from stockpile.parties import read_party
from stockpile.registers.committed import committed_digest, stored_digest, stored_lines
from stockpile.registers.keep import cells_json, lines_digest
from stockpile.rights import APPROVE, Actor, require
from stockpile.sentences import of_the_books, sentence


@dataclass(frozen=True, slots=True)
class Erased:
    """The answer to an approval, the same for ever: how much of each kind went, and how many words remain."""

    erasure_id: UUID
    party_id: UUID
    recorded_at: datetime
    leaf: str
    erased: dict[str, int]
    files: tuple[str, ...]


def approve(engine: Engine, actor: Actor, erasure_id: UUID) -> Erased:
    """The second person's own request: erases, in one transaction, then deletes the files. Approving again gets the same
    answer, and deletes what a broken-off approval left.

    Raises NotFound, NotAllowed (who asked, whom it is about), Refused (weapons still held, the order was rejected, a list that
    is not as its leaf commits it), UnreadableFile (a file that can't be deleted).
    """
    require(actor, APPROVE)
    with transaction(engine, roles.REGISTRAR) as connection:
        nobody_erased(connection, but_one=True)
        wanted = read_order(connection, actor, erasure_id)
        done = _done(connection, erasure_id) or _erase(connection, actor, wanted)
    _delete(done.files)
    return done


def _delete(digests: Sequence[str]) -> None:
    for digest in digests:
        try:
            file_store().erase(digest)
        except OSError as problem:
            raise UnreadableFile(
                sentence(
                    "The person is erased, but the file {digest} could not be deleted: {strerror}. Approve again.",
                    digest=digest,
                    strerror=problem.strerror,
                )
            ) from None


def _done(connection: Connection, erasure_id: UUID) -> Erased | None:
    row = connection.exec_driver_sql(
        "SELECT erasure_id, party_id, recorded_at, leaf, erased, files FROM erasure WHERE erasure_id = %s",
        (erasure_id,),
    ).one_or_none()
    return Erased(row[0], row[1], row[2], bytes(row[3]).hex(), row[4], tuple(row[5])) if row else None


def _erase(connection: Connection, actor: Actor, wanted: OrderRow) -> Erased:
    if wanted.state != WAITING:
        raise Refused(
            sentence("This order was {state}: ask for it anew under a new id.", state=of_the_books(wanted.state))
        )
    asked_by = connection.exec_driver_sql(
        "SELECT asked_by FROM erasure_order WHERE erasure_id = %s", (wanted.erasure_id,)
    ).scalar_one()
    if actor.party_id == asked_by:
        raise NotAllowed(sentence("You asked for this yourself: it takes another person to approve it."))
    if actor.party_id == wanted.party_id:
        raise NotAllowed(sentence("You can't approve that you be erased yourself."))
    # Who is just being given something, or signs, comes first: it counts against the erasure, or is begun again after it.
    connection.exec_driver_sql("SELECT 1 FROM party WHERE party_id = %s FOR UPDATE", (wanted.party_id,))
    party = read_party(connection, wanted.party_id)
    refuse(against(connection, party))
    found = named_in(connection, party)
    chosen = [one for one in found if _goes(one, wanted)]
    cells = [one for one in chosen if one.cells]
    # In one order of rows, as who closes discrepancies locks them.
    words = sorted((one for one in chosen if not one.cells), key=lambda one: (one.table, one.key, one.line or 0))
    registers = _registers_after(connection, cells)
    erased = {
        "names": versions_of(connection, party),
        "register lines": len({(one.key, one.line) for one in cells}),
        "words": len(words),
        "words that remain": len(found) - len(chosen),
        "files": len(wanted.files),
    }
    _record(connection, actor, wanted, asked_by, registers, erased)
    _take_away(connection, wanted, cells, words)
    forget_address(connection, wanted.party_id)
    for one in registers:
        assert stored_digest(connection, one.register_id).hex() == one.after
    done = _done(connection, wanted.erasure_id)
    assert done is not None
    connection.exec_driver_sql(
        "UPDATE erasure_order SET settled_at = %s, settled_by = %s, outcome = 'approved' WHERE erasure_id = %s",
        (done.recorded_at, actor.party_id, wanted.erasure_id),
    )
    return done


def _goes(one: Named, wanted: OrderRow) -> bool:
    fate, where = one.occurrence.fate, one.occurrence.where
    return fate is Fate.ERASED or (fate is Fate.DECIDE and (where in wanted.redact or ALL in wanted.redact))


@dataclass(frozen=True, slots=True)
class RegisterAfter:
    """A list that loses cells: which lines, its digest before and after; `version` counts its erasures."""

    register_id: UUID
    version: int
    lines: tuple[int, ...]
    before: str
    after: str

    @property
    def committed(self) -> dict[str, Any]:
        """As the erasure's leaf commits it."""
        return {
            "register": str(self.register_id),
            "lines": list(self.lines),
            "before": self.before,
            "after": self.after,
        }


def _registers_after(connection: Connection, cells: Sequence[Named]) -> list[RegisterAfter]:
    """The digests that lists will have. Raises Refused for one that isn't as its leaf commits it: an erasure would hide that."""
    places: dict[UUID, dict[int, set[int]]] = {}
    for one in cells:
        places.setdefault(one.key, {}).setdefault(one.line or 0, set()).update(one.cells)
    result = []
    for register_id, empty in sorted(places.items()):
        before, versions = committed_digest(connection, register_id)
        if stored_digest(connection, register_id) != before:
            raise Refused(
                sentence(
                    "Nothing was done: the list {register_id} is not as the log commits it. Find out why "
                    "before anything in it is erased.",
                    register_id=register_id,
                )
            )
        after = lines_digest(
            (line, cells_json(tuple("" if place in empty.get(line, ()) else cell for place, cell in enumerate(row))))
            for line, row in stored_lines(connection, register_id)
        )
        result.append(RegisterAfter(register_id, versions + 1, tuple(sorted(empty)), before.hex(), after.hex()))
    return result


def _record(
    connection: Connection,
    actor: Actor,
    wanted: OrderRow,
    asked_by: UUID,
    registers: Sequence[RegisterAfter],
    erased: dict[str, int],
) -> None:
    """Writes the erasure with its leaf: the database lets nothing go without it."""
    signers = {
        row[0]: row[1:]
        for row in connection.exec_driver_sql(
            "SELECT party_id, code, name, rank, name_version, secret FROM signatures(%s)", ([asked_by, actor.party_id],)
        )
    }
    parts = {"asked_by": asked_by, "approved_by": actor.party_id}
    digests = {
        part: person_digest(bytes(signers[who][4]), wanted.erasure_id, part, name_value(*signers[who][:4]))
        for part, who in parts.items()
    }
    recorded_at, seed = now(), new_secret()
    header: dict[str, Any] = {
        "erasure_id": wanted.erasure_id,
        "party_id": wanted.party_id,
        "order_reference": wanted.order_reference,
        "reason": wanted.reason,
        "files": list(wanted.files),
        "registers": [one.committed for one in registers],
        "erased": erased,
        "asked_at": wanted.asked_at,
        "recorded_at": recorded_at,
    }
    leaf = erasure_leaf(seed, header, digests)
    row = {
        **{name: Jsonb(value) if isinstance(value, list | dict) else value for name, value in header.items()},
        **parts,
        **{f"{part}_version": signers[who][3] for part, who in parts.items()},
        **{f"{part}_digest": digest for part, digest in digests.items()},
        "seed": seed,
        "leaf": leaf,
    }
    connection.exec_driver_sql(
        f"INSERT INTO erasure ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", tuple(row.values())
    )
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    connection.exec_driver_sql(
        """INSERT INTO erased_file (sha256, erasure_id, erased_at)
           SELECT decode(f, 'hex'), %s, %s FROM unnest(%s::text[]) f ON CONFLICT (sha256) DO NOTHING""",
        (wanted.erasure_id, recorded_at, list(wanted.files)),
    )
    for one in registers:
        connection.exec_driver_sql(
            """INSERT INTO register_erasure (register_id, version, erasure_id, lines, digest_before, digest_after)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            (
                one.register_id, one.version, wanted.erasure_id, Jsonb(list(one.lines)), bytes.fromhex(one.before),
                bytes.fromhex(one.after),
            ),
        )  # fmt: skip


def _take_away(connection: Connection, wanted: OrderRow, cells: Sequence[Named], words: Sequence[Named]) -> None:
    """By the owner's function: no role of the service may change these rows."""
    connection.exec_driver_sql(
        "SELECT erase_person(%s, %s, %s)",
        (
            wanted.erasure_id,
            Jsonb([{"register": str(one.key), "line": one.line, "places": list(one.cells)} for one in cells]),
            Jsonb([_told(one) for one in words]),
        ),
    )
    connection.exec_driver_sql("SELECT forget_bindings(%s)", (wanted.erasure_id,))


JSON_COLUMNS = frozenset({("draft", "request"), ("job", "result"), ("column_mapping", "mapping")})


def _told(one: Named) -> dict[str, Any]:
    text = canonical(one.after).decode() if (one.table, one.column) in JSON_COLUMNS else one.after
    return {"table": one.table, "key": str(one.key), "line": one.line, "column": one.column, "text": text}
