"""`verify`: everything that can be recomputed from the rows is, and the first row that is wrong is named.

All of it sees the books as they are at one moment, in a transaction that can only read; what is posted meanwhile changes nothing. It
stands as `stockpile_verifier`, which reads what no other role reads together, secrets and seeds, and writes only what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from stockpile.db import roles
from stockpile.db.engine import at_one_moment, transaction
from stockpile.documents import now
from stockpile.files import FileStore
from stockpile.keys import new_key
from stockpile.log.verifying import additions, custody, documents, files, leaves, marks, persons, references
from stockpile.log.verifying.books import Books, Check, Wrong, stand_to_verify
from stockpile.progress import told

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
    """What came of it: the checks that were made, the wrong rows, of which checks there are more than those."""

    began_at: datetime
    ended_at: datetime
    checks: tuple[str, ...]
    wrong: tuple[Found, ...]
    more: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def verify(
    engine: Engine,
    store: FileStore,
    go_on: bool = False,
    heard: Callable[[Found], object] = lambda found: None,
    checks: Sequence[Check] = CHECKS,
) -> Verified:
    """Makes the checks, up to the first wrong row; with `go_on` all of them. `heard` is called for each wrong row at once.

    Raises DatabaseUnavailable.
    """
    began_at = now()
    wrong: list[Found] = []
    made: list[str] = []
    more: list[str] = []
    with transaction(at_one_moment(engine), roles.VERIFIER) as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        stand_to_verify(connection)
        books = Books(connection, store)
        for check in checks:
            books.check = check.name
            told(check.name, 0)
            found = [Found(check.name, *one) for one in _first(check.judge(books), (MOST + 1) if go_on else 1)]
            made.append(check.name)
            if len(found) > MOST:
                more.append(check.name)
            wrong += found[:MOST]
            for one in found[:MOST]:
                heard(one)
            if found and not go_on:
                break
    return Verified(began_at, now(), tuple(made), tuple(wrong), tuple(more))


def _first(found: Iterable[Wrong], most: int) -> list[Wrong]:
    return list(islice(found, most))
