"""A page of lines that a question works out all at once, such as the sums of a report, with sums over all of them: for questions
whose lines no index has in order. Each page costs what the whole question costs, and none more than another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from stockpile.db.engine import for_sums, joining_by_hash
from stockpile.reports.keyset import text_order
from stockpile.reports.pages import cursor_of, read_cursor, rows_to_read

T = TypeVar("T")

NUMBER = "lpad({}::text, 20, '0')"
"""A number that is none below zero, as a text that sorts as it does."""


@dataclass(frozen=True, slots=True)
class Lines(Generic[T]):
    """A page of lines, the sums over all pages in the order they were asked in, and the cursor of the lines after it."""

    rows: tuple[T, ...]
    sums: tuple[Any, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A question: SQL that begins `WITH ...` and ends in a part called `line`, which has a text `key` that tells any two lines apart.

    `sums`: what is added up over all lines; `fields`: what is told of each line of a page, from `page p` and what is `joined` to it;
    `sorts`: the orders by name, each a text that sorts as its values do; `own`: the expression of its own order; `by_hash`: its parts hold
    far more rows than the planner expects.
    """

    sql: str
    sums: str
    fields: str
    sorts: Mapping[str, str]
    own: str
    joined: str = ""
    by_hash: bool = False


_PAGE = """{question}, total AS (
    SELECT {sums} FROM line
), page AS (
    SELECT * FROM (SELECT *, {sorted} AS sorted_by FROM line) line
    WHERE %(after)s::text[] IS NULL OR (sorted_by, key) {beyond} (%(after)s[1], %(after)s[2])
    ORDER BY sorted_by{direction}, key{direction} LIMIT %(limit)s
)
SELECT total.*, p.sorted_by, p.key, {fields} FROM total LEFT JOIN page p ON true {joined} ORDER BY p.sorted_by{direction}, p.key{direction}
"""


def read_lines(
    connection: Connection,
    question: Question,
    given: Mapping[str, Any],
    make: Callable[..., T],
    limit: int | None,
    cursor: str | None,
    order: str | None,
) -> Lines[T]:
    """One page of a question, or with `limit` None all of it. `make` takes its fields. Raises Invalid (limit, cursor, order)."""
    sql = _PAGE.format(
        question=question.sql,
        sums=question.sums,
        fields=question.fields,
        joined=question.joined,
        **text_order(order, question.sorts, question.own),
    )
    values = {**given, "after": list(read_cursor(cursor, 2)) if cursor else None, "limit": rows_to_read(limit)}
    for_sums(connection)
    with joining_by_hash(connection) if question.by_hash else nullcontext():
        result = connection.exec_driver_sql(sql, values)
    width = list(result.keys()).index("sorted_by")
    rows = [tuple(row) for row in result]
    found = [row for row in rows if row[width + 1] is not None]
    shown = found[:limit]
    return Lines(
        rows=tuple(make(*row[width + 2 :]) for row in shown),
        sums=rows[0][:width],
        cursor=cursor_of(shown[-1][width], shown[-1][width + 1]) if limit is not None and len(found) > limit else None,
    )
