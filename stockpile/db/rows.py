"""Writing many rows at once: the one way, from a single row to half a million."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any

from sqlalchemy import Connection

from stockpile.db.engine import ask
from stockpile.progress import told

BULK = 500
"""From so many rows on, COPY into a temporary table beats arrays in one statement."""

TOLD_EVERY = 5_000

BATCH = 20_000
AHEAD = 4
"""So many batches may wait for the server."""

TURN = 0.0005
"""Seconds until a thread that computes, such as one that reads half a million lines, gives way to those that only have something to
pass on; they need their turn many times.
"""

Columns = Sequence[tuple[str, str]]
"""Names and PostgreSQL types."""


@dataclass(frozen=True, slots=True)
class Given:
    """Rows handed to the server, to be inserted from as often as needed."""

    connection: Connection
    source: str
    arrays: tuple[list[Any], ...] = ()

    def insert(self, statement: str, parameters: tuple[Any, ...] = ()) -> None:
        """Runs an INSERT ... SELECT in which `{given}` stands for the rows; its parameters stand before them."""
        ask(self.connection, statement.replace("{given}", self.source), (*parameters, *self.arrays))


@contextmanager
def given(connection: Connection, columns: Columns, rows: Iterable[tuple[Any, ...]], count: int) -> Iterator[Given]:
    """Hands rows to the server: as arrays when few, by COPY into a temporary table when many (COPY itself can't write
    under row-level security).
    """
    if count < BULK:
        names = ", ".join(name for name, _ in columns)
        arrays = ", ".join(f"%s::{kind}[]" for _, kind in columns)
        values = tuple(list(column) for column in zip(*rows, strict=True)) or tuple([] for _ in columns)
        yield Given(connection, f"unnest({arrays}) AS given ({names})", values)
        return
    declared = ", ".join(f"{name} {kind}" for name, kind in columns)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE given ({declared}) ON COMMIT DROP")
    raw = connection.connection.driver_connection
    assert raw is not None
    with raw.cursor().copy("COPY given FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([kind for _, kind in columns])
        for done, row in enumerate(rows):
            copy.write_row(row)
            if done % TOLD_EVERY == 0:
                told("rows written", done, count)
    yield Given(connection, "given")
    connection.exec_driver_sql("DROP TABLE given")


def temporary(connection: Connection, name: str, columns: Columns, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keeps rows as a temporary table until the end of the transaction."""
    declared = ", ".join(f"{column} {kind}" for column, kind in columns)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} ({declared}) ON COMMIT DROP")
    with given(connection, columns, rows, len(rows)) as handed:
        handed.insert(f"INSERT INTO {name} SELECT * FROM {{given}}")


def insert_as_they_come(
    connection: Connection, columns: Columns, rows: Iterable[bytes], statement: str, parameters: tuple[Any, ...] = ()
) -> None:
    """Runs an INSERT ... SELECT, in which `{given}` stands for the rows, for each batch of rows in COPY's text form (`as_copied`). The
    server writes a batch while the next is made, so that however many there are, few are in memory.
    """
    declared = ", ".join(f"{name} {kind}" for name, kind in columns)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE given ({declared}) ON COMMIT DROP")

    def write(batch: bytes) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor().copy("COPY given FROM STDIN (NULL '')") as copy:
            copy.write(batch)
        ask(connection, statement.replace("{given}", "given"), parameters)
        ask(connection, "TRUNCATE given")

    waiting: deque[Future[None]] = deque()
    with _short_turns, ThreadPoolExecutor(1) as writer:
        for batch in _batches(rows):
            if len(waiting) == AHEAD:
                waiting.popleft().result()
            waiting.append(writer.submit(write, batch))
        for written in waiting:
            written.result()
    connection.exec_driver_sql("DROP TABLE given")


class _ShortTurns:
    """Within it a thread that computes gives way ten times as often: what writes has little to do each time, and often. Of several at
    once the last to leave gives back what was before the first.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._before = Lock(), 0, 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, TURN))
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                sys.setswitchinterval(self._before)


_short_turns = _ShortTurns()


def _batches(rows: Iterable[bytes]) -> Iterator[bytes]:
    every = iter(rows)
    while batch := b"".join(islice(every, BATCH)):
        yield batch


def as_copied(values: Iterable[object]) -> bytes:
    """Values in COPY's text form, with tabs between them; None and an empty text are NULL."""
    texts = [value if value.__class__ is str else "" if value is None else str(value) for value in values]
    joined = "\t".join(texts)
    if not is_plain(joined, len(texts)):
        joined = "\t".join(text.translate(_ESCAPES) for text in texts)
    return joined.encode()


def is_plain(joined: str, values: int) -> bool:
    """Whether so many values, with tabs between them, hold nothing that COPY takes for something else."""
    return not ("\\" in joined or "\n" in joined or "\r" in joined or joined.count("\t") != values - 1)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
