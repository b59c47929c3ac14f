"""What every check works with: the books at one moment, read row after row, and the names by which wrong rows are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import Connection

from stockpile.files import FileStore
from stockpile.progress import told

AT_A_TIME = 5_000
"""Rows fetched in one go: however many there are, so many are in memory."""


class Wrong(NamedTuple):
    """A row that is wrong, by its name, and what is wrong with it."""

    row: str
    what: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check: what it is called, the question it asks, and how it judges the answer."""

    name: str
    question: str
    judge: Callable[[Books], Iterator[Wrong]]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Since:
    """A checkpoint that somebody kept of the log of this number: leaves under it are not made anew."""

    log: int
    size: int
    root: bytes


@dataclass(slots=True)
class Books:
    """The books at one moment, and the files beside them. `log_keys`: public keys of the log that are at hand."""

    connection: Connection
    store: FileStore
    check: str = ""
    log_keys: tuple[str, ...] = ()
    since: Since | None = None
    cursors: Iterator[int] = field(default_factory=count)

    def rows(self, question: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a question, fetched bit by bit."""
        driver = self.connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor(f"verify_{next(self.cursors)}", binary=True) as cursor:
            cursor.itersize = AT_A_TIME
            cursor.execute(question.encode(), parameters or None)
            for done, row in enumerate(cursor):
                if done % AT_A_TIME == 0:
                    told(self.check, done)
                yield row

    def newer(self, question: str, of: str) -> str:
        """A question after leaves, only for those that came after the checkpoint; `of` is the column. `{newer}` stands for that in it."""
        if self.since is None:
            return question.replace("{newer}", "")
        log, size = self.since.log, self.since.size
        return question.replace("{newer}", f"WHERE {of} IN ({_NEWER.format(log=int(log), size=int(size))})")

    def entry(self, item_id: UUID, version: int) -> str:
        """An entry by its document and line, its weapon and its number among the weapon's entries."""
        with self._by_key():
            row = self.connection.exec_driver_sql(_ENTRY, (item_id, version)).one_or_none()
        if row is None:
            return f"entry {version} of {self.item(item_id)}"
        return f"{row[0] or f'document {row[1]}'}, line {row[2]}: entry {version} of {self.item(item_id)}"

    def item(self, item_id: UUID) -> str:
        """An item by its model and serial number, and its key."""
        with self._by_key():
            called = self.connection.exec_driver_sql(_ITEM, (item_id,)).scalar()
        return f"{called} (item {item_id})" if called else f"item {item_id}"

    def document(self, document_id: UUID) -> str:
        """A document by its number, and its key."""
        with self._by_key():
            number = self.connection.exec_driver_sql(_DOCUMENT, (document_id,)).scalar()
        return f"{number} (document {document_id})" if number else f"document {document_id}"

    def account(self, account_id: UUID) -> str:
        """An account by its site and name."""
        with self._by_key():
            called = self.connection.exec_driver_sql(_ACCOUNT, (account_id,)).scalar()
        return str(called or f"account {account_id}")

    @contextmanager
    def _by_key(self) -> Iterator[None]:
        """For a few rows that are asked for by their keys: `stand_to_verify` keeps the planner from that."""
        self.connection.exec_driver_sql("SET LOCAL enable_nestloop = on")
        yield
        self.connection.exec_driver_sql("SET LOCAL enable_nestloop = off")


def stand_to_verify(connection: Connection) -> None:
    """Settings for questions that read whole tables, whatever the statistics say of them: tables that were just filled are taken for
    empty ones, and a loop that is right for ten rows takes hours for a million. Without loops, every join reads each side once.
    """
    connection.exec_driver_sql(
        "SELECT set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true), set_config('work_mem', '64MB', true), "
        "set_config('timezone', 'UTC', true)"
    )


_NEWER = """
SELECT substr(t.leaves, 65 * t.n + 1, 65)
FROM (SELECT log, tile_index, leaves, generate_series(0, 255) AS n FROM tile
      WHERE level = 0 AND (log > {log} OR log = {log} AND tile_index >= {size} / 256)) t
WHERE t.log > {log} OR t.tile_index * 256 + t.n >= {size}
UNION ALL SELECT leaf FROM leaf WHERE log > {log} OR log = {log} AND leaf_index >= {size}
UNION ALL SELECT leaf FROM unsequenced"""

NUMBER = "concat_ws('/', s.code, b.code, b.year, d.number)"
"""A document's number as people write it."""

_ENTRY = f"""
SELECT (SELECT {NUMBER} FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id
        WHERE d.document_id = e.document_id), e.document_id, e.line
FROM entry e WHERE e.item_id = %s AND e.version = %s
"""
_ITEM = """
SELECT concat_ws(' ', m.name, (SELECT n.serial_number FROM identification n WHERE n.item_id = i.item_id ORDER BY n.version DESC LIMIT 1))
FROM item i LEFT JOIN model m ON m.model_id = i.model_id WHERE i.item_id = %s
"""
_DOCUMENT = f"""
SELECT {NUMBER} FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id WHERE d.document_id = %s
"""
_ACCOUNT = """
SELECT CASE a.class WHEN 'person' THEN 'a person of ' || s.code || ' (account ' || a.account_id || ')'
                    ELSE concat_ws(' ', s.code, a.name) END
FROM account a LEFT JOIN site s USING (site_id) WHERE a.account_id = %s
"""
"""What is found stays written down, so it names nobody who might be erased."""
