"""As of when a page is asked: a moment on either clock, as the address has it, by the wall of who asks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.pages.listing import Filter
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


def written(at: AsOf) -> dict[str, str | None]:
    """The moments for the address of another list."""
    pairs = zip(MOMENTS, (at.happened_at, at.recorded_at), strict=True)
    return {each.name: moment.isoformat() if moment else None for each, moment in pairs}
