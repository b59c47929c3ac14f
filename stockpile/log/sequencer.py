"""The sequencer: moves the leaves of committed postings from the queue into the tree, and publishes what the signer signs.

It takes what it sees in the queue and removes just that, in the transaction that puts it into the tree. A leaf that commits later,
whatever its position, is still in the queue when that is read again: what was never seen was never deleted, so no committed leaf can be
skipped; and none is taken twice, as it is gone from the queue once it is in the tree. A posting takes no lock of the log, and nobody is
notified: the queue is asked again and again.

Of several processes one sequences, the one that holds an advisory lock on the very connection that writes; the others stand by. The
tree is committed first, then the signer writes size and root down and signs, then the checkpoint is inserted. Whatever is cut off in
between is done again from where it stands: the signer signs the same size and root with the same bytes. The primary keys of tile, leaf
and checkpoint make a second tree beside the first impossible within one database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from stockpile.db import roles
from stockpile.db.engine import take_role, transaction
from stockpile.documents import now
from stockpile.errors import DatabaseUnavailable, NotFound, Refused
from stockpile.log import tree
from stockpile.log.alarms import raise_alarm
from stockpile.log.signer import LogSigner, SignerRefuses
from stockpile.log.statements import Statement, queue_key, write_statement
from stockpile.log.tree import Edge
from stockpile.proof.merkle import consistency_proof

AT_ONCE = 65_536
"""Leaves moved in one transaction."""
LOCK = 7_365_003
"""Advisory lock of the database: who holds it sequences."""
PATIENCE = 10
"""Seconds that is waited for whoever sequences to stop."""

logged = structlog.get_logger("stockpile.log")


@contextmanager
def nobody_sequences(engine: Engine) -> Iterator[None]:
    """Meanwhile no sequencer looks at the log. One that refuses lets go by itself. Raises Refused (one goes on)."""
    with transaction(engine, roles.SEQUENCER) as holding:
        holding.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
        try:
            holding.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        except OperationalError:
            raise Refused("The log is being sequenced: stop the service, then say it again.") from None
        yield


@dataclass(slots=True)
class Sequencer:
    """Sequences a database's log, while nobody else does. `padding`: at each step the tree grows to a multiple of so many leaves, by
    leaves that stand for nothing; 0 for none.
    """

    engine: Engine
    signer: LogSigner
    padding: int = 0
    _connection: Connection | None = None
    _log: int = 0
    _origin: str = ""
    _edge: Edge = field(default_factory=Edge)
    _published: int = 0

    def step(self) -> int | None:
        """Moves what waits into the tree and publishes a checkpoint over it; how many leaves that were. None: another sequences.

        Raises SignerRefuses (and raises an alarm in the books), NotFound (no log yet), Invalid, DatabaseUnavailable.
        """
        try:
            if self._connection is None and not self._begin():
                return None
            moved = self._move()
            self._publish()
        except SignerRefuses as refusal:
            self._alarm(refusal)
            self.close()
            raise
        except SQLAlchemyError as problem:
            self.close()
            raise DatabaseUnavailable(f"The log could not be written: {type(problem).__name__}.") from problem
        except BaseException:
            self.close()
            raise
        return moved

    @property
    def published(self) -> tuple[int, int]:
        """Number of the log and size of its latest checkpoint, as this one knows it."""
        return self._log, self._published

    def close(self) -> None:
        """Lets another sequence. What this one knew is read again when it goes on."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()  # the lock goes with the session
            connection.close()

    def _begin(self) -> bool:
        """Takes the lock and reads where the log stands; whether it was free."""
        connection = self.engine.connect()
        self._connection = connection
        with connection.begin():
            if not connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (LOCK,)).scalar():
                self.close()
                return False
            take_role(connection, roles.SEQUENCER)
            found = connection.exec_driver_sql(
                "SELECT log, origin FROM log_origin ORDER BY log DESC LIMIT 1"
            ).one_or_none()
            if found is None:
                raise NotFound("The database has no log yet: 'stockpile log init' begins it.")
            self._log, self._origin = found
            self._edge = tree.read_edge(connection, self._log)
            last = "SELECT coalesce(max(tree_size), 0) FROM checkpoint WHERE log = %s"
            self._published = int(connection.exec_driver_sql(last, (self._log,)).scalar_one())
            self.signer.check(self._origin, self._edge.size, self._edge.tree.root(), self._proof(connection))
            queue_key(connection, self._log, self.signer)  # if its making was cut off before that
        return True

    def _proof(self, connection: Connection) -> list[bytes]:
        """What leads from the tree signed last to this one; nothing where there is no such way: the signer will say so."""
        signed = self.signer.signed
        if not 0 < signed.size < self._edge.size:
            return []
        return consistency_proof(signed.size, self._edge.size, tree.nodes_of(connection, self._log, self._edge.size))

    def _move(self) -> int:
        """Moves leaves from the queue into the tree, in the order in which they were queued."""
        connection = self._connection
        assert connection is not None
        edge = self._edge.copy()
        with connection.begin():
            take_role(connection, roles.SEQUENCER)
            waiting = connection.exec_driver_sql(
                # By a range, not by a join: whatever plan is kept, it reads the queue once.
                """DELETE FROM unsequenced
                   WHERE position <= (SELECT max(position) FROM (SELECT position FROM unsequenced ORDER BY position LIMIT %s) first)
                   RETURNING position, leaf""",
                (AT_ONCE,),
            ).all()
            leaves = [leaf for _, leaf in sorted(waiting)]
            leaves += self._filling(connection, edge.size + len(leaves))
            if leaves:
                self.signer.check_at_hand()  # else they would lie in a tree that nobody signs
                before = edge.size
                full = edge.append(leaves)
                tree.write(connection, self._log, before, edge, full)
        self._edge = edge
        return len(leaves)

    def _filling(self, connection: Connection, size: int) -> list[bytes]:
        """Leaves that stand for nothing, up to the next multiple; a whole one where nothing happened."""
        if not self.padding:
            return []
        missing = -size % self.padding or (self.padding if size == self._edge.size else 0)
        return [write_statement(connection, Statement.new(self._log, "padding", {})) for _ in range(missing)]

    def _publish(self) -> None:
        """Has the tree signed as it stands, and publishes that."""
        connection, size = self._connection, self._edge.size
        assert connection is not None
        if size == self._published:
            return
        root = self._edge.tree.root()
        with connection.begin():
            take_role(connection, roles.SEQUENCER)
            proof = self._proof(connection)
        note = self.signer.sign(self._origin, size, root, proof)
        with connection.begin():
            take_role(connection, roles.SEQUENCER)
            connection.exec_driver_sql(
                "INSERT INTO checkpoint (log, tree_size, root, note, signed_at) VALUES (%s, %s, %s, %s, %s)",
                (self._log, size, root, note, now()),
            )
        self._published = size

    def _alarm(self, refusal: SignerRefuses) -> None:
        """Puts the refusal before the auditors, once."""
        logged.error("the log's signer refuses", why=refusal.detail)
        with suppress(SQLAlchemyError), self.engine.begin() as connection:
            take_role(connection, roles.SEQUENCER)
            raise_alarm(connection, self._log, "signer refuses", refusal.detail)
