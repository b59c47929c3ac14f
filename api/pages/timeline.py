"""The history of a weapon as a picture: a lane for each kind of place, a dot for each entry, from left to right as they were
written. It only says where to draw; the same stands beside it as a table, for those who cannot see it and for those who count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stockpile.movements import AccountClass
from stockpile.reports.history import HistoryEntry

LABELS = 150
"""Units of the picture at its start, for the names of the lanes."""
STEP, WIDEST_STEP = 84, 168
LANE = 44
TOP = 34
BOTTOM = 40
WHOLE = 1120
"""Units across that a page has room for."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A kind of place, and how far down it lies."""

    place: AccountClass
    site: str | None
    y: int


@dataclass(frozen=True, slots=True)
class Dot:
    """An entry: where it is drawn, where it leads, and where the stay that it began ends."""

    version: int
    act: str
    x: int
    y: int
    until: int
    before: tuple[int, int] | None
    happened_at: datetime
    link: str | None
    undone: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """A picture: its size, lanes from the top, dots from the start."""

    width: int
    height: int
    start: int
    lanes: tuple[Lane, ...]
    dots: tuple[Dot, ...]


def timeline_of(entries: Sequence[HistoryEntry]) -> Timeline:
    """The picture of entries in their order. An undone entry and what takes it back are marked as such."""
    places = list(dict.fromkeys((entry.to.account_class, entry.to.site) for entry in entries))
    lanes = tuple(Lane(place, site, TOP + LANE * n) for n, (place, site) in enumerate(places))
    down = {(lane.place, lane.site): lane.y for lane in lanes}
    step = min(max((WHOLE - LABELS) // len(entries), STEP), WIDEST_STEP)
    width = LABELS + step * len(entries) + 20
    dots: list[Dot] = []
    for n, entry in enumerate(entries):
        x = LABELS + step * n + step // 3
        y = down[entry.to.account_class, entry.to.site]
        dots.append(
            Dot(
                entry.version,
                entry.act,
                x,
                y,
                x + step if n + 1 < len(entries) else width - 8,
                (dots[-1].x + step, dots[-1].y) if dots and dots[-1].y != y else None,
                entry.happened_at,
                f"/documents/{entry.document_id}" if entry.document_number else None,
                not entry.live,
            )
        )
    return Timeline(width, TOP + LANE * len(lanes) + BOTTOM - LANE // 2, LABELS, lanes, tuple(dots))
