"""The books: each numbered series with its holder, how far it goes, and which of its numbers have not come. It only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from stockpile.reports.keyset import Page, by_number, by_text, order_asked, orders, read_page
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require

RUNS_SHOWN = 50
KINDS = ("counter", "device", "paper", "importer", "exceptions")


@dataclass(frozen=True, slots=True)
class BookRow:
    """A book of one year. `missing`: how many numbers below the highest have not come and are not explained; `runs`: which,
    the first fifty runs of them, `12-16, 20`.
    """

    site: str
    book: str
    year: int
    kind: str
    holder: str
    highest: int
    missing: int
    runs: str | None


_BOOKS = f"""
SELECT s.code, b.code, b.year, s.code, b.code, b.year, b.kind, b.holder, b.next_number - 1, gaps.missing, shown.runs
FROM book b JOIN site s ON s.site_id = b.site_id
CROSS JOIN LATERAL (SELECT coalesce(sum(x.last_number - x.first_number + 1), 0)::bigint AS missing
                    FROM discrepancy x WHERE x.book_id = b.book_id AND x.closed_at IS NULL) gaps
CROSS JOIN LATERAL (
    SELECT string_agg(CASE WHEN run.first_number = run.last_number THEN run.first_number::text
                           ELSE run.first_number || '-' || run.last_number END, ', ' ORDER BY run.first_number) AS runs
    FROM (SELECT x.first_number, x.last_number FROM discrepancy x WHERE x.book_id = b.book_id AND x.closed_at IS NULL
          ORDER BY x.first_number LIMIT {RUNS_SHOWN}) run) shown
"""


def list_books(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    kind: str | None = None,
    year: int | None = None,
    incomplete: bool = False,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[BookRow]:
    """Books by site, code and year: of a site, a kind, a year; `incomplete`: only those that miss numbers.

    Raises NotAllowed, NotFound (site), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    where: dict[str, Any] = {
        "b.site_id = %s": site_asked(connection, actor, site),
        "b.kind = %s": kind,
        "b.year = %s": year,
        "(gaps.missing > 0) = %s": incomplete or None,
    }
    return read_page(
        connection,
        _BOOKS,
        where,
        {"s.code": str, "b.code": str, "b.year": int},
        BookRow,
        limit,
        cursor,
        order=order_asked(order, ORDERS),
    )


ORDERS = orders(
    {"s.code": str, "b.code": str, "b.year": int},
    site={},
    book=by_text("b.code"),
    year=by_number("b.year"),
    kind=by_text("b.kind"),
    holder=by_text("b.holder"),
    highest=by_number("b.next_number - 1"),
    missing=by_number("gaps.missing"),
)
