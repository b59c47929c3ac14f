"""`verify`: everything that can be recomputed from the rows is, and the first row that is wrong is named.

All of it sees the books as they are at one moment, in a transaction that can only read; what is posted meanwhile changes nothing. It
stands as `stockpile_verifier`, which reads what no other role reads together, secrets and seeds, and writes only what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from stockpile.db import roles
from stockpile.db.engine import at_one_moment, transaction
from stockpile.documents import now
from stockpile.errors import Invalid, NotFound
from stockpile.files import FileStore
from stockpile.keys import new_key
from stockpile.log.alarms import raise_alarm
from stockpile.log.signer import VERIFIERS
from stockpile.log.verifying import additions, custody, documents, files, leaves, marks, persons, references, tree
from stockpile.log.verifying.books import Books, Check, Since, stand_to_verify
from stockpile.progress import told
from stockpile.proof.checkpoint import open_checkpoint
from stockpile.proof.merkle import ProofFailed
from stockpile.proof.note import Verifier

CHECKS: tuple[Check, ...] = (
    *custody.CHECKS,
    *documents.CHECKS_OF_LINES,
    *leaves.CHECKS,
    *additions.CHECKS,
    *persons.CHECKS,
    *files.CHECKS,
    *documents.CHECKS_OF_BOOKS,
    *marks.CHECKS,
    *references.CHECKS,
    *tree.CHECKS,
)
"""Every check, in order."""

MOST = 20
"""So many wrong rows of one check are named; where there are more, that is said."""


@dataclass(frozen=True, slots=True)
class Found:
    """A wrong row, and the check that found it."""

    check: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"{self.row}: {self.what}."


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it: the checks that were made, the wrong rows, and of which checks there are more than those. `checkpoint`: the newest
    that was verified, by the number of its log and its size.
    """

    began_at: datetime
    ended_at: datetime
    checks: tuple[str, ...]
    wrong: tuple[Found, ...]
    more: tuple[str, ...] = ()
    since: Since | None = None
    checkpoint: tuple[int, int] | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def verify(
    engine: Engine,
    store: FileStore,
    go_on: bool = False,
    since: str | None = None,
    keys: Sequence[str] = (),
    heard: Callable[[Found], object] = lambda found: None,
) -> Verified:
    """Makes the checks, up to the first wrong row; with `go_on` all of them. `since`: a checkpoint that somebody kept, or the size of one
    in the books; leaves under it are taken as they are. `keys`: public keys of the log. `heard` is called for each wrong row at once.

    Raises Invalid (since, keys), NotFound (since), DatabaseUnavailable.
    """
    began_at = now()
    for key in keys:
        _check_key(key)
    with transaction(at_one_moment(engine), roles.VERIFIER) as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        books = Books(connection, store, log_keys=tuple(keys))
        if since is not None:
            books.since = _kept(books, since)
        newest = connection.exec_driver_sql(
            "SELECT log, tree_size FROM checkpoint ORDER BY log DESC, tree_size DESC LIMIT 1"
        ).one_or_none()
        made, wrong, more = look(books, go_on, heard)
    checkpoint = (newest.log, newest.tree_size) if newest is not None else None
    return Verified(began_at, now(), tuple(made), tuple(wrong), tuple(more), books.since, checkpoint)


def look(
    books: Books, go_on: bool, heard: Callable[[Found], object] = lambda found: None
) -> tuple[list[str], list[Found], list[str]]:
    """The checks that were made, the wrong rows, and of which checks there are more; the connection stands as the verifier."""
    made: list[str] = []
    wrong: list[Found] = []
    more: list[str] = []
    stand_to_verify(books.connection)
    for check in CHECKS:
        books.check = check.name
        told(check.name, 0)
        found = [Found(check.name, *one) for one in islice(check.judge(books), MOST + 1 if go_on else 1)]
        made.append(check.name)
        if len(found) > MOST:
            more.append(check.name)
        wrong += found[:MOST]
        for one in found[:MOST]:
            heard(one)
        if found and not go_on:
            break
    return made, wrong, more


def keys_at_hand(folder: Path) -> list[str]:
    """The public keys in the folder of the log's signer, where this machine has one."""
    try:
        return (folder / VERIFIERS).read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []


def _check_key(text: str) -> None:
    try:
        Verifier.parse(text)
    except ProofFailed as problem:
        raise Invalid(f"This is no public key of a log: {problem}.") from None


def _kept(books: Books, since: str) -> Since:
    """The checkpoint meant: one of the newest log by its size, or one that is given whole, signed by a key of its log."""
    if since.strip().isdecimal():
        row = books.connection.exec_driver_sql(
            "SELECT log, tree_size, root FROM checkpoint WHERE log = (SELECT max(log) FROM log_origin) AND tree_size = %s",
            (int(since),),
        ).one_or_none()
        if row is None:
            raise NotFound(f"The log has no checkpoint of {int(since):,} leaves.")
        return Since(row[0], row[1], bytes(row[2]))
    origin = since.split("\n", 1)[0]
    log = books.connection.exec_driver_sql("SELECT log FROM log_origin WHERE origin = %s", (origin,)).scalar()
    if log is None:
        raise Invalid(f"The checkpoint is of the log {origin[:80]!r}, and these books have none of that name.")
    try:
        checkpoint = open_checkpoint(since, tree.verifiers(books, log, origin)).checkpoint
    except ProofFailed as problem:
        raise Invalid(f"The checkpoint can't be trusted: {problem}.") from None
    return Since(log, checkpoint.size, checkpoint.root)


def record(engine: Engine, verified: Verified) -> None:
    """Writes down what came of a verification; where something is wrong, an alarm of the log says so to who must look into it."""
    with transaction(engine, roles.VERIFIER) as connection:
        connection.exec_driver_sql(
            """INSERT INTO verification (verification_id, began_at, ended_at, since, log, tree_size, checks, wrong, wrong_count)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (new_key(), verified.began_at, verified.ended_at, verified.since and verified.since.size,
             *(verified.checkpoint or (None, None)), Jsonb(list(verified.checks)),
             Jsonb([asdict(one) for one in verified.wrong]), len(verified.wrong)),
        )  # fmt: skip
    if verified.is_sound:
        return
    checks = ", ".join(sorted({one.check for one in verified.wrong}))
    words = f"The verification of {verified.began_at:%Y-%m-%d} found rows that are wrong: {checks}. 'stockpile verify' names them."
    with transaction(engine, roles.SEQUENCER) as connection:
        log = connection.exec_driver_sql("SELECT max(log) FROM log_origin").scalar()
        if log is not None:
            raise_alarm(connection, log, "verification failed", words)
