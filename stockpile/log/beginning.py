"""Beginning the log: the first time with its first key, and anew after the database was restored from a backup.

After a restore the old log is over: what it signed beyond the backup can't be had again. The new one's first leaf names the old
one's final checkpoint and the leaves that were lost, so that whoever watched the old log sees a declared restore, and no fork.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.log import signer as signers
from stockpile.log import tree
from stockpile.log.signer import LogSigner
from stockpile.log.statements import Kind, Statement, write_statement
from stockpile.proof.merkle import EMPTY_ROOT

_ORIGIN = re.compile(r"[^\s+]{1,200}")


@dataclass(frozen=True, slots=True)
class Restored:
    """The new log, and what the old one had: so many leaves were signed, so many are left."""

    origin: str
    old_origin: str
    signed: int
    left: int


def has_log(engine: Engine) -> bool:
    """Whether these books have a log."""
    return _newest(engine) is not None


def begin_log(engine: Engine, folder: Path, origin: str) -> LogSigner:
    """Makes the log's first key in the folder, and its first leaf, which names the key. Interrupted, it is gone on with.

    Raises Invalid (no name for a log; there is a log already).
    """
    _check_origin(origin)
    if _newest(engine) is not None:
        raise Invalid("These books have a log already: nothing was changed.")
    if (folder / signers.KEYS).exists() and LogSigner(folder).signed == signers.Signed(origin, 0, EMPTY_ROOT):
        signer = LogSigner(folder)
    else:
        signer = signers.begin(folder, origin)
    with transaction(engine, roles.SEQUENCER) as connection:
        _begin(connection, 1, origin, "key", {"origin": origin, "key": signer.verifier})
    return signer


def begin_after_restore(engine: Engine, folder: Path, origin: str | None = None) -> Restored:
    """Begins a new log after the database was restored from a backup. Interrupted, it is gone on with.

    Raises NotFound (no log, no keys), Invalid (the database is not behind what was signed; no name for a log).
    """
    signer = LogSigner(folder)
    signed, final = signer.signed, signer.last_checkpoint()
    newest = _newest(engine)
    if newest is None:
        raise NotFound("These books have no log yet: 'stockpile log init' begins it.")
    log, old_origin = newest
    if old_origin != signed.origin:
        return _finish(engine, signer, log, old_origin)
    with transaction(engine, roles.SEQUENCER) as connection:
        left = tree.size_of(connection, log)
        if left >= signed.size:
            raise Invalid(f"The database holds all {signed.size:,} leaves that were signed: it needs no new log.")
        wanted = origin or f"{re.sub(r'-[0-9]+$', '', old_origin)}-{log + 1}"
        _check_origin(wanted)
        content = {"origin": old_origin, "checkpoint": final, "signed": signed.size, "left": left}
        _begin(connection, log + 1, wanted, "restored", content)
    signer.begin_anew(wanted)
    return Restored(wanted, old_origin, signed.size, left)


def take_over_key(engine: Engine, folder: Path) -> str:
    """Makes a new key for the log: a leaf names it, and checkpoints are signed by it and by the one before, so that whoever knows the
    old one learns the new one. Gives it as those who verify take it. Raises NotFound.
    """
    newest = _newest(engine)
    if newest is None:
        raise NotFound("These books have no log yet: 'stockpile log init' begins it.")
    log, origin = newest
    key = LogSigner(folder).take_over()
    with transaction(engine, roles.SEQUENCER) as connection:
        leaf = write_statement(connection, Statement.new(log, "key", {"origin": origin, "key": key}))
        connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    return key


def _begin(connection: Connection, log: int, origin: str, kind: Kind, content: dict[str, object]) -> None:
    connection.exec_driver_sql(
        "INSERT INTO log_origin (log, origin, began_at) VALUES (%s, %s, %s)", (log, origin, now())
    )
    leaf = write_statement(connection, Statement.new(log, kind, content))
    edge = tree.Edge()
    tree.write(connection, log, 0, edge, edge.append([leaf]))


def _finish(engine: Engine, signer: LogSigner, log: int, origin: str) -> Restored:
    """The second half of a beginning whose first was committed."""
    with transaction(engine, roles.SEQUENCER) as connection:
        content = connection.exec_driver_sql(
            """SELECT content FROM log_statement WHERE log = %s AND kind = 'restored' AND content ->> 'origin' = %s
               AND (content ->> 'signed')::bigint = %s""",
            (log, signer.signed.origin, signer.signed.size),
        ).scalar()
    if content is None:
        raise Invalid(
            f"The database has the log {origin}, and the signer's keys are those of {signer.signed.origin}: they don't belong together."
        )
    signer.begin_anew(origin)
    return Restored(origin, content["origin"], content["signed"], content["left"])


def _newest(engine: Engine) -> tuple[int, str] | None:
    with transaction(engine, roles.SEQUENCER) as connection:
        found = connection.exec_driver_sql("SELECT log, origin FROM log_origin ORDER BY log DESC LIMIT 1").one_or_none()
    return None if found is None else (found[0], found[1])


def _check_origin(origin: str) -> None:
    if not _ORIGIN.fullmatch(origin):
        raise Invalid(
            "This is no name for a log.",
            [
                Fault(
                    "an address without 'https://', blanks and plus signs, such as stockpile.mod.example/log",
                    field="origin",
                )
            ],
        )
