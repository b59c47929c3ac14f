"""Lists sort by their columns: in each order, either way, the pages of a list hold every row once, and nobody can make one fail."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection

import api.pages
from api.pages.listing import Asked, Listing
from stockpile.errors import Invalid, NotAllowed
from stockpile.keys import new_key
from stockpile.registers.count_closing import close_count
from stockpile.registers.count_lines import send_lines
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.counts import OpenCount, open_count
from stockpile.registers.seals import SealContainer, seal_container
from stockpile.reports.keyset import page_of
from stockpile.rights import Actor, reading
from tests.api_world import Web, served
from tests.busy_country import make_busy
from tests.inspecting import visited
from tests.reading_pages import visit
from tests.registers import compared, imported
from tests.world import HELMET, RIFLES, Country

web = pytest.fixture(served)

ONE_BY_ONE = 12
"""Lists shorter than this are read a row at a time too: every cursor there can be."""

UNSORTED = {
    "/documents": {
        "number",
        "act",
        "happened_at",
        "quantity",
        "posted_by",
        "approved_by",
    },  # however many: by their index alone
}
COMPUTED = {
    "/counts": {"of", "counters"},
    "/weapon-cards": {"overdue", "document_number", "due_at"},
    "/weapons": {"account", "condition", "since"},
    "/holdings": {"account", "condition", "since"},
    "/reports/allowances/weapons": {"account", "condition", "since"},
    "/reports/holders/weapons": {"account", "condition", "since"},
}
"""Columns that are worked out for the rows of a page only, or say the same as another."""


def lists() -> dict[str, Listing]:
    """Every list that a page shows, by its address."""
    modules = [import_module(module.name) for module in pkgutil.walk_packages(api.pages.__path__, "api.pages.")]
    return {one.path: one for module in modules for one in vars(module).values() if isinstance(one, Listing)}


def test_every_list_has_columns_to_sort_by() -> None:
    """Each says in which order it is shown, and which of its columns sort."""
    for path, one in lists().items():
        sorting = {column.name for column in one.columns if one.order_of(column)}
        assert len(sorting) >= (1 if path in UNSORTED else 3), path
        if one.default:
            assert one.default.removeprefix("-") in {one.order_of(column) for column in one.columns}, path


OLD_BOOK = "Serial,Model,Unit\nK 1,AKM,1COY\nK 2,AKM,\nK 3,AKM,1COY\nK 3,AKM,1COY\n,AKM,\n"
NEW_BOOK = "Serial,Model,Unit\nK 1,AKM,2COY\nK 2,AKM,\nK 4,M4,1COY\n"


def counted(country: Country) -> str:
    """A closed count with findings of several kinds, an open one that anybody may look into, and two seals; the closed one's name."""
    clerk, commander = country.actors["clerk"], country.actors["commander"]

    def opened(**more: Any) -> Any:
        wanted = {"account": "Main store", "counters": ["T-1", "T-2"], **more}
        return open_count(country.engine, clerk, OpenCount.model_validate(wanted))

    first = opened()
    lines: list[dict[str, Any]] = [{"scan": scan} for scan in (*RIFLES[3:5], RIFLES[7], "ZZ 1")]
    lines.append({"model": HELMET, "quantity": 90})
    send_lines(country.engine, clerk, first, SendLines.model_validate({"lines": lines, "counted_by": "T-1"}))
    close_count(country.engine, commander, first, None)
    opened(blind=False)
    for number, weapons in (("S-2", RIFLES[7:8]), ("S-1", [RIFLES[8], RIFLES[4]])):
        request = {"number": number, "store": "Main store", "weapons": weapons, "seal_id": new_key()}
        seal_container(country.engine, clerk, SealContainer.model_validate(request))
    return "TAJI/COUNT/1"


def asked_of(path: str, count: str, visit_id: UUID) -> dict[str, Any]:
    """What a list is none without."""
    return {
        "/audits/findings": {"audit": "Two lists"},
        "/audits/changes": {"audit": "Two lists"},
        "/audits/judgements": {"audit": "Two lists"},
        "/counts/lines": {"count": count},
        "/counts/findings": {"count": count},
        "/counts/expected": {"count": "TAJI/COUNT/2"},
        "/holdings": {"site": "TAJI"},
        "/reports/allowances/weapons": {"model": "AKM"},
        "/reports/holders/weapons": {"unit": "1COY"},
        "/reports/consignments/lines": {"consignment": "FMS-1"},
        "/visits/lines": {"visit": visit_id},
    }.get(path, {})


def rows_in(
    one: Listing, connection: Connection, actor: Actor, values: dict[str, Any], order: str | None, limit: int
) -> Iterator[Any]:
    """All rows of a list, page by page."""
    cursor = None
    while True:
        page = one.ask(connection, actor, Asked(values, order, limit, cursor))
        yield from page.rows
        cursor = page.cursor
        if cursor is None:
            return


@pytest.mark.parametrize("who", ["commander", "auditor", "USA"])
def test_pages_in_any_order_hold_every_row_once(web: Web, who: str) -> None:
    """A few pages, there and back: what comes is what the list has, and the way back is the way there, from its end."""
    make_busy(web)
    count, visit_id = counted(web.country), visited(web.country, *RIFLES[:2], "ZZ 1").statement_id
    left, right = (imported(web.country, book, "commander") for book in (OLD_BOOK, NEW_BOOK))
    for sides in ((left, right), (right, left)):
        compared(web.country, *sides, "commander", "Two lists")
    actor = web.country.actors["commander"] if who == "commander" else actor_of(web, who)
    tried = 0
    for path, one in lists().items():
        values = asked_of(path, count, visit_id)
        with reading(web.country.engine, actor) as connection:
            try:
                own = list(rows_in(one, connection, actor, values, None, 500))
            except NotAllowed:
                continue
            third = len(own) // 3 + 1
            for column in one.columns:
                order = one.order_of(column)
                if order is None or (column.roles and actor.role not in column.roles):
                    continue
                there = list(rows_in(one, connection, actor, values, order, third))
                back = list(rows_in(one, connection, actor, values, f"-{order}", third + 1))
                assert len(there) == len(own), (path, order)
                assert sorted(map(repr, there)) == sorted(map(repr, own)), (path, order)
                assert back == there[::-1], (path, order)
                if len(own) < ONE_BY_ONE:
                    assert list(rows_in(one, connection, actor, values, order, 1)) == there, (path, order)
                shown = [value for row in there if isinstance(value := getattr(row, column.name, None), (int, float))]
                assert shown == sorted(shown) or column.read or None in shown, (path, order, shown)
                tried += len(there) > 1
    assert tried > (10 if who == "USA" else 60)


def actor_of(web: Web, who: str) -> Actor:
    """Somebody who reads by a token."""
    known = web.country.actors
    if who in known:
        return known[who]
    return next(actor for actor in known.values() if actor.role == who)


def test_an_order_that_is_none_is_told_and_a_foreign_cursor_too(web: Web) -> None:
    """For a donor an order by what it is not told is none; what comes from another order's page is no cursor of this one."""
    make_busy(web)
    assert "one of" in visit(web, "USA", "/discrepancies?order=owner", 422).text
    assert "one of" in visit(web, "USA", "/sites?order=custodian", 422).text
    assert "one of" in visit(web, "clerk", "/weapons?order=account", 422).text
    for path in ("/weapons?order=quantity", "/models?order=value", "/counts?order=lines"):
        for cursor in ("WyJhIiwiYiIsImMiXQ==", "WyJOYU4iLCJhIl0=", "x"):
            visit(web, "clerk", f"{path}&cursor={cursor}", 422)
    visit(web, "clerk", "/reports/losses?order=days&cursor=WyJhIiwiYiIsImMiXQ==", 422)
    visit(web, "USA", "/counts/lines?count=TAJI/COUNT/1", 403)
    visit(web, "USA", "/audits/findings?audit=Anything", 403)


def test_rows_at_hand_sort_as_their_values_do() -> None:
    """Numbers as numbers, also below zero; what has none comes first; the way back is exact."""
    rows = [(-3, "c"), (20, "a"), (None, "d"), (7, "b"), (7, "a")]

    class Row:
        def __init__(self, number: int | None, name: str) -> None:
            self.number, self.name = number, name

    made = [Row(*row) for row in rows]

    def through(order: str) -> list[tuple[int | None, str]]:
        found, cursor = [], None
        while True:
            page = page_of(made, lambda row: (row.name, str(row.number)), 2, cursor, order, ("number",))
            found += [(row.number, row.name) for row in page.rows]
            cursor = page.cursor
            if cursor is None:
                return found

    assert through("number") == [(None, "d"), (-3, "c"), (7, "a"), (7, "b"), (20, "a")]
    assert through("-number") == through("number")[::-1]
    with pytest.raises(Invalid):
        through("name")
