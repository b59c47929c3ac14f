"""As of when a page is asked: a moment on either clock, as the address has it, by the wall of who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import Request

from api.pages import address
from api.pages.listing import Column, Filter, Listing
from api.words import N_
from stockpile.reports.as_of import AsOf
from stockpile.rights import Actor
from stockpile.sentences import sentence


def read_moment(text: str) -> datetime:
    """A moment, or the end of a day; without an offset from UTC it is one of the asker's wall. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(sentence("write a moment like 2026-11-24T09:30, or a day like 2026-11-24")) from None
    if not 1900 <= found.year <= 2999:
        raise ValueError(sentence("a year from 1900 to 2999"))
    if _is_day(text):
        return datetime.combine(found.date() + timedelta(days=1), time()) - timedelta(microseconds=1)
    return found


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


HAPPENED = Filter("as_of", N_("As it was at"), "moment", read_moment)
RECORDED = Filter("recorded_as_of", N_("As the books said at"), "moment", read_moment)
MOMENTS = (HAPPENED, RECORDED)
"""The filters of a list that can be asked as of a moment."""


def as_of(actor: Actor, values: dict[str, Any]) -> AsOf:
    """The moments among a list's values, which they are taken out of."""
    wall = ZoneInfo(actor.time_zone or "UTC")
    asked = [values.pop(each.name, None) for each in MOMENTS]
    return AsOf(*(moment.replace(tzinfo=wall) if moment and moment.tzinfo is None else moment for moment in asked))


def carrying(this: Listing, request: Request, *names: str) -> Listing:
    """The list with links that carry along what the page was asked, moments and other filters by their names: a number as of a day leads
    to the rows of that day. Only links to other lists; what a link says itself it keeps.
    """
    asked = {name: request.query_params.get(name, "").strip() for name in (HAPPENED.name, RECORDED.name, *names)}
    kept = {name: value for name, value in asked.items() if value}
    return replace(this, columns=tuple(_carrying(column, kept) for column in this.columns)) if kept else this


def _carrying(column: Column, kept: dict[str, str]) -> Column:
    link = column.link
    return replace(column, link=_with(link, kept)) if link is not None else column


def _with(link: Callable[[Any], str | None], kept: dict[str, str]) -> Callable[[Any], str | None]:
    def carried(row: Any) -> str | None:
        found = link(row)
        path, _, query = (found or "").partition("?")
        if not query:
            return found
        return address(path, **{**kept, **dict(parse_qsl(query))})

    return carried
