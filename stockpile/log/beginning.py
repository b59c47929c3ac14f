"""Beginning the log: the first time with its first key, and anew after the database was restored from a backup, or the signer's keys or
memory were lost.

After that the old log is over: what it signed beyond what is left can't be had again. The new one's first leaf names the old one's final
checkpoint and the leaves that were lost, so that whoever watched the old log sees a declared restore, and no fork.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Fault, Invalid, NotFound, Refused
from stockpile.log import signer as signers
from stockpile.log import tree
from stockpile.log.sequencer import nobody_sequences
from stockpile.log.signer import LogSigner, MemoryLost, Signed
from stockpile.log.statements import Kind, Statement, queue_key, write_statement
from stockpile.proof.checkpoint import Checkpoint
from stockpile.proof.merkle import EMPTY_ROOT
from stockpile.proof.note import Malformed, Note, Verifier

_ORIGIN = re.compile(r"[^\s+]{1,200}")

KEYS, MEMORY = "keys", "memory"
"""What may be lost of a signer, as the new log's first leaf says it."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The new log, and what the old one had: so many leaves were signed, so many are left. `lost`: of the signer its keys, so that nobody
    signs for the new ones; its memory, so that `signed` is only what the database knows.
    """

    origin: str
    final: Checkpoint
    left: int
    lost: tuple[str, ...] = ()

    @property
    def old_origin(self) -> str:
        """The name of the log before."""
        return self.final.origin

    @property
    def signed(self) -> int:
        """How many leaves were signed there."""
        return self.final.size


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
    if signers.has_keys(folder) and LogSigner(folder).signed == Signed(origin, 0, EMPTY_ROOT):
        signer = LogSigner(folder)
    else:
        signer = signers.begin(folder, origin)
    with transaction(engine, roles.SEQUENCER) as connection:
        _begin(connection, 1, origin, "key", {"origin": origin, "key": signer.verifier})
    return signer


def begin_after_restore(engine: Engine, folder: Path, origin: str | None = None, keys_lost: bool = False) -> Restored:
    """Begins a new log after the database was restored from a backup, or what was signed last was lost, or the keys were, which must be
    said (`keys_lost`): else the machine without them is only the wrong one. Interrupted, it is gone on with.

    Raises NotFound (no log, no keys), Invalid (the database is not behind what was signed; no name for a log; keys and database don't
    belong together), Refused (the log is being sequenced).
    """
    if not (signers.has_keys(folder) or keys_lost):
        LogSigner(folder)
    with nobody_sequences(engine):
        newest = _newest(engine)
        if newest is None:
            raise NotFound("These books have no log yet: 'stockpile log init' begins it.")
        log, old_origin = newest
        told = _said_before(engine, log, old_origin, _remembered(folder))
        if told is None:
            log, told = log + 1, _declare(engine, folder, log, old_origin, origin)
        signer = signers.begin_anew(folder, told.origin, told.final, MEMORY in told.lost)
        with transaction(engine, roles.SEQUENCER) as connection:
            queue_key(connection, log, signer)
    return told


def take_over_key(engine: Engine, folder: Path) -> str:
    """Makes a new key for the log: a leaf names it, and checkpoints are signed by it and by the one before, so that whoever knows the
    old one learns the new one. Gives it as those who verify take it. Cut off before its leaf, it is gone on with: no other key is made.

    Raises NotFound (no log, no keys), Invalid (the database has another log than the signer), Refused (the newest key did not sign yet:
    whoever knows the one before would not learn it).
    """
    newest = _newest(engine)
    if newest is None:
        raise NotFound("These books have no log yet: 'stockpile log init' begins it.")
    log, origin = newest
    signer = LogSigner(folder)
    if signer.signed.origin != origin:
        raise _not_together(origin, signer.signed.origin)
    key = signer.verifier
    with transaction(engine, roles.SEQUENCER) as connection:
        if queue_key(connection, log, signer):
            return key
        if not _has_signed(connection, log, key):
            raise Refused(
                "The newest key has signed no checkpoint yet: wait for the next one, with the service running."
            )
    key = signer.take_over(key)
    with transaction(engine, roles.SEQUENCER) as connection:
        queue_key(connection, log, signer)
    return key


def _begin(connection: Connection, log: int, origin: str, kind: Kind, content: dict[str, object]) -> None:
    connection.exec_driver_sql(
        "INSERT INTO log_origin (log, origin, began_at) VALUES (%s, %s, %s)", (log, origin, now())
    )
    leaf = write_statement(connection, Statement.new(log, kind, content))
    edge = tree.Edge()
    tree.write(connection, log, 0, edge, edge.append([leaf]))


def _remembered(folder: Path) -> Signed | None:
    """What was signed last; None: that is lost. Raises Invalid (it can't be read)."""
    try:
        return signers.last_signed(folder)
    except MemoryLost:
        return None


def _said_before(engine: Engine, log: int, origin: str, remembered: Signed | None) -> Restored | None:
    """The restore that was declared and whose second half was cut off; None: there is none."""
    if remembered is not None and remembered.origin == origin:
        return None
    with transaction(engine, roles.SEQUENCER) as connection:
        content: dict[str, Any] | None = connection.exec_driver_sql(
            """SELECT content FROM log_statement s WHERE log = %s AND kind = 'restored'
               AND NOT EXISTS (SELECT FROM checkpoint c WHERE c.log = s.log)""",
            (log,),
        ).scalar()
    known = content and (content["origin"], content["signed"])
    if remembered is not None and known != (remembered.origin, remembered.size):
        raise _not_together(origin, remembered.origin)
    if content is None:
        return None
    final = Checkpoint.parse(content["checkpoint"].partition("\n\n")[0].rstrip("\n") + "\n")
    return Restored(origin, final, content["left"], tuple(content.get("lost", ())))


def _declare(engine: Engine, folder: Path, log: int, old_origin: str, wanted: str | None) -> Restored:
    """The new log with its first leaf."""
    remembered, has_keys = _remembered(folder), signers.has_keys(folder)
    lost = tuple(what for what, is_lost in ((KEYS, not has_keys), (MEMORY, remembered is None)) if is_lost)
    if has_keys and (named := LogSigner(folder).verifier.partition("+")[0]) != old_origin:
        raise _not_together(old_origin, named)
    origin = wanted or f"{re.sub(r'-[0-9]+$', '', old_origin)}-{log + 1}"
    _check_origin(origin)
    with transaction(engine, roles.SEQUENCER) as connection:
        size = tree.size_of(connection, log)
        if not lost and remembered is not None and size >= remembered.size:
            raise Invalid(f"The database holds all {remembered.size:,} leaves that were signed: it needs no new log.")
        final, note = _final(connection, folder, log, old_origin, remembered)
        left = min(size, final.size)
        _queue_again(connection, log)
        content = {"origin": old_origin, "checkpoint": note, "signed": final.size, "left": left}
        _begin(connection, log + 1, origin, "restored", {**content, **({"lost": list(lost)} if lost else {})})
    return Restored(origin, final, left, lost)


def _final(
    connection: Connection, folder: Path, log: int, origin: str, remembered: Signed | None
) -> tuple[Checkpoint, str]:
    """The old log's final checkpoint, and it as a note: as the signer remembers it, else the newest that the database has. Without keys it
    is signed only if the database has it so.
    """
    newest = connection.exec_driver_sql(
        "SELECT tree_size, root, note FROM checkpoint WHERE log = %s ORDER BY tree_size DESC LIMIT 1", (log,)
    ).one_or_none()
    if remembered is not None:
        final = Checkpoint(origin, remembered.size, remembered.root)
    else:
        final = (
            Checkpoint(origin, newest.tree_size, bytes(newest.root)) if newest else Checkpoint(origin, 0, EMPTY_ROOT)
        )
    if remembered is not None and signers.has_keys(folder):
        return final, LogSigner(folder).last_checkpoint()
    return final, newest.note if newest is not None and newest.tree_size == final.size else final.text()


def _queue_again(connection: Connection, log: int) -> None:
    """Leaves of the old tree that were never published: the new log takes them. Those in a tile that became full stay where they are."""
    connection.exec_driver_sql(
        """WITH taken AS (
               DELETE FROM leaf WHERE log = %(log)s
               AND leaf_index >= (SELECT coalesce(max(tree_size), 0) FROM checkpoint WHERE log = %(log)s) RETURNING leaf_index, leaf)
           INSERT INTO unsequenced (leaf) SELECT leaf FROM taken ORDER BY leaf_index""",
        {"log": log},
    )


def _has_signed(connection: Connection, log: int, key: str) -> bool:
    """Whether a key signed the log's latest checkpoint."""
    note = connection.exec_driver_sql(
        "SELECT note FROM checkpoint WHERE log = %s ORDER BY tree_size DESC LIMIT 1", (log,)
    ).scalar()
    try:
        return note is not None and bool(Note.parse(note).check([Verifier.parse(key)]))
    except Malformed:
        return False


def _not_together(origin: str, signed: str) -> Invalid:
    return Invalid(
        f"The database has the log {origin}, and the signer's keys are those of {signed}: they don't belong together."
    )


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
