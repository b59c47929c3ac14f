"""What the log says of itself: the keys that sign it, the restore that a new log follows, and leaves that only fill it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.keys import new_key, new_secret
from stockpile.log.leaf import statement_leaf
from stockpile.log.signer import LogSigner

Kind = Literal["key", "restored", "padding"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the log about itself."""

    statement_id: UUID
    log: int
    kind: Kind
    content: dict[str, Any]
    recorded_at: datetime
    seed: bytes

    @classmethod
    def new(cls, log: int, kind: Kind, content: dict[str, Any]) -> Statement:
        """One that is made now."""
        return cls(new_key(), log, kind, content, now(), new_secret())

    @property
    def leaf(self) -> bytes:
        """Its leaf in the log."""
        return statement_leaf(
            self.seed,
            {
                "statement_id": self.statement_id,
                "kind": self.kind,
                "content": self.content,
                "recorded_at": self.recorded_at,
            },
        )


def write_statement(connection: Connection, statement: Statement) -> bytes:
    """Writes the row; its leaf, which the caller puts into the tree or the queue."""
    leaf = statement.leaf
    connection.exec_driver_sql(
        """INSERT INTO log_statement (statement_id, log, kind, content, recorded_at, seed, leaf)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        (statement.statement_id, statement.log, statement.kind, Jsonb(statement.content), statement.recorded_at,
         statement.seed, leaf),
    )  # fmt: skip
    return leaf


def queue_key(connection: Connection, log: int, signer: LogSigner) -> bool:
    """Queues the statement that the signer's newest key signs the log, unless it was made before; whether it was missing."""
    said = "SELECT EXISTS (SELECT FROM log_statement WHERE log = %s AND kind = 'key' AND content ->> 'key' = %s)"
    if connection.exec_driver_sql(said, (log, signer.verifier)).scalar():
        return False
    content = {"origin": _origin(connection, log), "key": signer.verifier}
    if signer.vouched is not None:
        content["vouched"] = signer.vouched
    leaf = write_statement(connection, Statement.new(log, "key", content))
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    return True


def _origin(connection: Connection, log: int) -> str:
    return str(connection.exec_driver_sql("SELECT origin FROM log_origin WHERE log = %s", (log,)).scalar_one())
