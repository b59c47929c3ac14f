"""What a witness has seen, in one file of SQLite: each checkpoint that it cosigned, and each that contradicts one of those.

What is committed is on the disk, through a loss of power too; one writer at a time, of whatever process. A checkpoint once
cosigned is never changed or forgotten: of one log and size there is one root, by the primary key.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stockpile.errors import Invalid

_TABLES = """
CREATE TABLE IF NOT EXISTS cosigned (
  origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, seen_at INTEGER NOT NULL,
  PRIMARY KEY (origin, size)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
  origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, fork INTEGER NOT NULL,
  note TEXT NOT NULL, kept_size INTEGER NOT NULL, kept_note TEXT NOT NULL, seen_at INTEGER NOT NULL,
  PRIMARY KEY (origin, size, root)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settled (
  origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, by_size INTEGER NOT NULL, settled_at INTEGER NOT NULL,
  PRIMARY KEY (origin, size, root)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that was cosigned; `note` as the log sent it, `seen_at` in seconds since 1970."""

    origin: str
    size: int
    root: bytes
    note: str
    seen_at: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A checkpoint that the log signed, and that was not cosigned. `fork`: of this size another root was cosigned, which both notes
    prove; else nobody showed that it extends what was cosigned before, and somebody may only have sent a wrong proof.
    """

    origin: str
    size: int
    root: bytes
    fork: bool
    note: str
    kept_size: int
    kept_note: str
    seen_at: int


@dataclass(frozen=True, slots=True)
class Memory:
    """The file. Each act opens it, so that threads and processes may share it."""

    file: Path

    def begin(self) -> None:
        """Makes the file, readable by its owner alone, and the tables in it."""
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        with self._opened() as connection:
            connection.executescript(_TABLES)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A transaction that no other writer comes between. What it wrote is on the disk when this ends; nothing, if it raises."""
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Writing(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def latest(self) -> list[Seen]:
        """The latest checkpoint of each log."""
        question = """SELECT origin, size, root, note, seen_at FROM cosigned c
                      WHERE size = (SELECT max(size) FROM cosigned WHERE origin = c.origin) ORDER BY origin"""
        with self._opened() as connection:
            return [Seen(*row) for row in connection.execute(question)]

    def contradictions(self) -> list[Contradiction]:
        """What was refused and never shown to be in order since, the oldest first."""
        question = """SELECT origin, size, root, fork, note, kept_size, kept_note, seen_at FROM refused r
                      WHERE NOT EXISTS (SELECT 1 FROM cosigned c WHERE (c.origin, c.size, c.root) = (r.origin, r.size, r.root))
                      AND NOT EXISTS (SELECT 1 FROM settled s WHERE (s.origin, s.size, s.root) = (r.origin, r.size, r.root))
                      ORDER BY seen_at, origin, size"""
        with self._opened() as connection:
            return [
                Contradiction(row[0], row[1], row[2], bool(row[3]), *row[4:]) for row in connection.execute(question)
            ]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if not self.file.exists():
            raise Invalid(
                f"{self.file} is missing: a witness that forgot what it cosigned must not go on. Make a new one."
            )
        try:
            with closing(sqlite3.connect(self.file, timeout=10, isolation_level=None)) as connection:
                connection.execute(
                    "PRAGMA synchronous = EXTRA"
                )  # the folder too: else a committed journal may come back
                yield connection
        except sqlite3.Error as problem:
            raise Invalid(f"{self.file} can't be read or written: {problem}.") from None


@dataclass(frozen=True, slots=True)
class Writing:
    """Within a transaction."""

    connection: sqlite3.Connection

    def latest(self, origin: str) -> Seen | None:
        """The largest checkpoint of a log that was cosigned."""
        question = "SELECT origin, size, root, note, seen_at FROM cosigned WHERE origin = ? ORDER BY size DESC LIMIT 1"
        return next((Seen(*row) for row in self.connection.execute(question, (origin,))), None)

    def at(self, origin: str, size: int) -> Seen | None:
        """The checkpoint of this size that was cosigned."""
        question = "SELECT origin, size, root, note, seen_at FROM cosigned WHERE origin = ? AND size = ?"
        return next((Seen(*row) for row in self.connection.execute(question, (origin, size))), None)

    def remember(self, seen: Seen) -> None:
        """Keeps what is about to be cosigned."""
        self.connection.execute(
            "INSERT INTO cosigned (origin, size, root, note, seen_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (seen.origin, seen.size, seen.root, seen.note, seen.seen_at),
        )

    def keep(self, found: Contradiction) -> None:
        """Keeps what contradicts, once; that it is a fork may be learnt later."""
        self.connection.execute(
            """INSERT INTO refused (origin, size, root, fork, note, kept_size, kept_note, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET fork = excluded.fork, kept_size = excluded.kept_size, kept_note = excluded.kept_note
               WHERE excluded.fork > fork""",
            (found.origin, found.size, found.root, found.fork, found.note, found.kept_size, found.kept_note, found.seen_at),
        )  # fmt: skip

    def settle(self, found: Contradiction, by_size: int, settled_at: int) -> None:
        """Keeps that what seemed to contradict was shown to be part of a checkpoint that was cosigned later."""
        self.connection.execute(
            "INSERT INTO settled (origin, size, root, by_size, settled_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (found.origin, found.size, found.root, by_size, settled_at),
        )
