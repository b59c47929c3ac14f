"""Pages of a list: a cursor names the last row shown, so that the next page begins after it even when rows come between.
It is no secret and gives no right: row-level security answers again for every page.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from stockpile.errors import Fault, Invalid
from stockpile.sentences import sentence

LONGEST_PAGE = 1000


def cursor_of(*last: str) -> str:
    """The cursor of a page whose last row has these sort values."""
    return urlsafe_b64encode(json.dumps(last, separators=(",", ":")).encode()).decode()


def read_cursor(cursor: str, values: int) -> tuple[str, ...]:
    """The sort values in a cursor, as text. Raises Invalid if this list did not make it."""
    return read_cursor_as(cursor, *[str] * values)


def read_cursor_as(cursor: str, *kinds: Callable[[str], Any]) -> tuple[Any, ...]:
    """The sort values in a cursor, each read by its kind. Raises Invalid if this list did not make it."""
    try:
        last = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if isinstance(last, list) and len(last) == len(kinds) and all(_storable(value) for value in last):
            return tuple(kind(value) for kind, value in zip(kinds, last, strict=True))
    except (ValueError, RecursionError):
        pass
    message = sentence("This cursor is not one of this list: start from its first page.")
    raise Invalid(message, [Fault(sentence("unknown cursor"), field="cursor")])


def _storable(value: object) -> bool:
    """Whether PostgreSQL takes it as text."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def rows_to_read(limit: int | None) -> int | None:
    """How many rows to ask for, to know whether more follow a page; None: all there are. Raises Invalid."""
    return None if limit is None else page_size(limit) + 1


def page_size(limit: int) -> int:
    """The limit, if a page may be so long. Raises Invalid."""
    if not 1 <= limit <= LONGEST_PAGE:
        raise Invalid(
            sentence("A page has 1 to {most} rows, not {limit}.", most=LONGEST_PAGE, limit=limit),
            [Fault(sentence("1 to {most}", most=LONGEST_PAGE), field="limit", value=str(limit))],
        )
    return limit
