"""Lists read page by page: one question, what is asked of it, and the columns it is ordered by, which the cursor carries.
Never counts rows to skip: a page costs the same wherever it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from stockpile.errors import Fault, Invalid
from stockpile.reports.pages import cursor_of, page_size, read_cursor_as
from stockpile.sentences import sentence

T = TypeVar("T")

Keys = Mapping[str, Callable[[str], Any]]
"""What a list is sorted by: expressions that are never NULL and together tell every two rows apart -> how a cursor's text is read."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the cursor that asks for those after them; None: there are no more."""

    rows: tuple[T, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a list is asked in instead of its own."""

    keys: Keys
    descending: bool = False


def by_text(expression: str) -> Keys:
    """Sorts by a text, what has none first."""
    return {f"coalesce({expression}, '')": str}


def by_moment(expression: str) -> Keys:
    """Sorts by a moment, what has none first."""
    return {f"coalesce({expression}, '1800-01-01Z')": datetime.fromisoformat}


def by_day(expression: str) -> Keys:
    """Sorts by a day, what has none first."""
    return {f"coalesce({expression}, '0001-01-01')": date.fromisoformat}


def by_number(expression: str) -> Keys:
    """Sorts by a number that is none below zero, what has none first."""
    return {f"coalesce({expression}, -1)": _number}


def _number(text: str) -> Decimal:
    """A number as a cursor carries it. Raises ValueError."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError("no number") from None
    if not found.is_finite():
        raise ValueError("no number")
    return found


def orders(tie: Keys, **by: Keys) -> dict[str, Keys]:
    """The orders that a list can be asked in, each by its name: what it is sorted by, then what tells any two rows apart."""
    return {name: {**keys, **tie} for name, keys in by.items()}


def order_asked(asked: str | None, orders: Mapping[str, Keys]) -> Order | None:
    """The order of a name, or against it with a `-` before the name; None: the list's own. Raises Invalid for an unknown one."""
    if not asked:
        return None
    keys = orders.get(asked.removeprefix("-"))
    if keys is None:
        fault = Fault(
            sentence("one of {orders}, or with - before it", orders=", ".join(orders)), field="order", value=asked
        )
        raise Invalid(sentence("This list cannot be sorted so."), [fault])
    return Order(keys, asked.startswith("-"))


def text_order(asked: str | None, sorts: Mapping[str, str], own: str) -> dict[str, str]:
    """What a question with `{sorted}`, `{beyond}` and `{direction}` in it is completed with for the order asked for: one of `sorts`,
    each a text that sorts as its values do, or its own. Raises Invalid for an unknown one.
    """
    by = order_asked(asked, {name: {expression: str} for name, expression in sorts.items()})
    against = by is not None and by.descending
    expression = next(iter(by.keys)) if by else own
    return {"sorted": expression, "beyond": "<" if against else ">", "direction": " DESC" if against else ""}


def read_page(
    connection: Connection,
    question: str,
    where: Mapping[str, Any],
    keys: Keys,
    make: Callable[..., T],
    limit: int,
    cursor: str | None,
    parameters: tuple[Any, ...] = (),
    newest_first: bool = False,
    order: Order | None = None,
) -> Page[T]:
    """One page of a question in the order of `keys`, or `newest_first` against it; or in another `order`.

    The question ends before its WHERE and selects the keys first; `make` takes the columns after them. `where` maps a
    condition with %s to its value, None where it is not asked; `parameters` stand in the question itself, after the
    keys. Raises Invalid (limit, cursor).
    """
    if order is not None:
        selected = question.lstrip().removeprefix("SELECT")
        question, own, keys, newest_first = (
            f"SELECT {', '.join(order.keys)}, {selected}",
            len(keys),
            order.keys,
            order.descending,
        )
    else:
        own = 0
    after, direction = ("<", " DESC") if newest_first else (">", "")
    asked = {condition: value for condition, value in where.items() if value is not None}
    values = [*parameters, *(value for condition, value in asked.items() for _ in range(condition.count("%s")))]
    conditions = list(asked)
    if cursor:
        conditions.append(f"({', '.join(keys)}) {after} ({', '.join(['%s'] * len(keys))})")
        values += read_cursor_as(cursor, *keys.values())
    found = connection.exec_driver_sql(
        f"{question} WHERE {' AND '.join(conditions) or 'true'} ORDER BY {', '.join(key + direction for key in keys)} LIMIT %s",
        (*values, page_size(limit) + 1),
    ).all()
    more = cursor_of(*(str(value) for value in found[limit - 1][: len(keys)])) if len(found) > limit else None
    return Page(tuple(make(*row[len(keys) + own :]) for row in found[:limit]), more)


def page_of(
    rows: Sequence[T],
    key: Callable[[T], tuple[str, ...]],
    limit: int | None,
    cursor: str | None,
    order: str | None = None,
    fields: Collection[str] = (),
) -> Page[T]:
    """One page of rows that are all at hand, such as the few hundred sums of a report, in the order of their keys, which differ;
    or in an order by one of the rows' `fields`, or against it with a `-` before the name. `limit` None: all of them.

    Raises Invalid (limit, cursor, order).
    """
    size = len(rows) if limit is None else page_size(limit)
    by = order_asked(order, {name: {} for name in fields})
    named, descending = (order or "").removeprefix("-"), by is not None and by.descending

    def whole(row: T) -> tuple[str, ...]:
        return key(row) if by is None else (_in_order(getattr(row, named)), *key(row))

    ordered = sorted(rows, key=whole, reverse=descending)
    if cursor:
        width = len(whole(ordered[0])) if ordered else 1
        after = read_cursor_as(cursor, *[str] * width) if ordered else ()
        ordered = [row for row in ordered if (whole(row) < after if descending else whole(row) > after)]
    shown = tuple(ordered[:size])
    return Page(shown, cursor_of(*whole(shown[-1])) if len(ordered) > size else None)


HIGHER = Decimal(10) ** 18
"""Added to a number before it is compared as text, so that those below zero come first."""


def _in_order(value: object) -> str:
    """A value as a text that sorts as it does; what is none first."""
    if value is None:
        return ""
    if isinstance(value, (int, float, Decimal)):
        return f"{HIGHER + Decimal(str(int(value) if isinstance(value, bool) else value)):030.6f}"
    return str(value)


def spellings(text: str | None) -> list[str] | None:
    """Patterns for ILIKE ANY that find a part of a text in either case. The database folds the case of ASCII alone, so
    that other scripts are asked for in each case.
    """
    if text is None or not text.strip():
        return None
    wanted = " ".join(text.split())
    cases = {wanted, wanted.lower(), wanted.upper(), wanted.title(), wanted.capitalize()}
    escaped = (case.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for case in sorted(cases))
    return [f"%{case}%" for case in escaped]
