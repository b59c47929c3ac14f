"""Counting in the stories: open, read, close, and what was found, in a line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from stockpile.errors import Invalid
from stockpile.registers.count_closing import close_count
from stockpile.registers.count_lines import BatchTaken, send_lines
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.counts import OpenCount, open_count
from stockpile.reports.counts import CountShown, list_findings, read_count
from stockpile.reports.export import every_row
from stockpile.rights import reading
from tests.world import Country

STORE = "Main store"


def opened(country: Country, who: str = "clerk", counters: Iterable[str] = ("T-2",), **asked: Any) -> UUID:
    """A count of the main store, unless another scope is given."""
    scopes = ("account", "unit", "seals", "whole_site", "recount_of")
    scope = {} if any(asked.get(one) for one in scopes) else {"account": STORE}
    request = OpenCount.model_validate({"counters": list(counters), **scope, **asked})
    return open_count(country.engine, country.actors[who], request)


def lines(*read: str | dict[str, Any]) -> list[dict[str, Any]]:
    """Lines as they are sent: a text is a scan."""
    return [{"scan": one} if isinstance(one, str) else one for one in read]


def read(
    country: Country, count_id: UUID, *what: str | dict[str, Any], who: str = "second clerk", **asked: Any
) -> BatchTaken:
    """Sends lines of a count."""
    request = SendLines.model_validate({"lines": lines(*what), **asked})
    return send_lines(country.engine, country.actors[who], count_id, request)


def closed(country: Country, count_id: UUID, who: str = "commander") -> CountShown:
    """Closes a count, and shows it."""
    actor = country.actors[who]
    close_count(country.engine, actor, count_id, None if actor.site else "TAJI")
    with reading(country.engine, actor) as connection:
        return read_count(connection, actor, count_id)


def found(country: Country, count_id: UUID, *kinds: str) -> list[tuple[Any, ...]]:
    """The findings of a count but for those that match, or only of some kinds: kind, number, where, document."""
    actor = country.actors["auditor"]
    with reading(country.engine, actor) as connection:
        rows = list(every_row(lambda limit, cursor: list_findings(connection, actor, count_id, None, limit, cursor)))
    return [
        (str(one.kind), one.serial_number or one.scan or one.model, one.account, one.document_number)
        for one in rows
        if (str(one.kind) in kinds if kinds else str(one.kind) not in ("matched", "not counted"))
    ]


def faults(country: Country, count_id: UUID, *what: str | dict[str, Any], **asked: Any) -> list[tuple[Any, ...]]:
    """The faults that lines meet: row, field, value, what is wrong."""
    try:
        read(country, count_id, *what, **asked)
    except Invalid as problem:
        return [(fault.row, fault.field, fault.value, fault.message) for fault in problem.faults]
    raise AssertionError("it was not invalid")
