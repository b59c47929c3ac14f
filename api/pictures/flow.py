"""Flows between kinds of place, as a Sankey picture: from where on one side, to where on the other, as thick as they are large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.pictures.drawing import WIDTH, Caption, Element, Words, area, markup, new_picture, text


@dataclass(frozen=True, slots=True)
class Flow:
    """So many pieces from one place to another, each a number of `places`."""

    origin: int
    target: int
    pieces: int


TOP, TALL, GAP, BLOCK = 16, 420, 14, 18
EDGE = 210
THINNEST = 1.5


def flow_picture(
    caption: Caption, places: Sequence[Words], flows: Sequence[Flow], number: Callable[[int], str]
) -> Markup:
    """The picture of flows between places. A block on either side is as tall as what leaves or comes; its number stands beside it."""
    left = _sums(places, [(flow.origin, flow.pieces) for flow in flows])
    right = _sums(places, [(flow.target, flow.pieces) for flow in flows])
    whole = sum(flow.pieces for flow in flows) or 1
    gaps = GAP * (max(len(left), len(right), 1) - 1)
    scale = (TALL - gaps) / whole
    height = TOP * 2 + max(_height(side, scale) for side in (left, right))
    picture = new_picture(caption, height)
    starts, ends = _stacked(left, scale), _stacked(right, scale)
    out, come = dict(starts), dict(ends)
    for flow in sorted(flows, key=lambda one: (one.origin, one.target)):
        thick = flow.pieces * scale
        _ribbon(picture, caption, flow.origin, out[flow.origin], come[flow.target], thick)
        out[flow.origin] += thick
        come[flow.target] += thick
    for side, tops, x, anchor, at in (
        (left, starts, EDGE, "end", -10),
        (right, ends, WIDTH - EDGE - BLOCK, "start", BLOCK + 10),
    ):
        for place, pieces in side.items():
            tall = max(pieces * scale, THINNEST)
            area(picture, caption, place, "rect", x=x, y=tops[place], width=BLOCK, height=tall)
            middle = tops[place] + tall / 2
            text(picture, places[place], x + at, middle - 1, anchor)
            text(picture, Words(number(pieces), data=True), x + at, middle + 14, anchor, "figure")
    return markup(picture)


def _sums(places: Sequence[Words], ends: Sequence[tuple[int, int]]) -> dict[int, int]:
    """How many of each place, in the places' order."""
    sums = {place: sum(pieces for one, pieces in ends if one == place) for place in range(len(places))}
    return {place: pieces for place, pieces in sums.items() if pieces}


ROOM = 32
"""A block with its two lines of words is never given less."""


def _height(side: dict[int, int], scale: float) -> float:
    return sum(max(pieces * scale, ROOM) + GAP for pieces in side.values())


def _stacked(side: dict[int, int], scale: float) -> dict[int, float]:
    """How far down the block of each place begins."""
    tops, y = {}, float(TOP)
    for place, pieces in side.items():
        given = max(pieces * scale, ROOM)
        tops[place] = y + (given - max(pieces * scale, THINNEST)) / 2
        y += given + GAP
    return tops


def _ribbon(into: Element, caption: Caption, series: int, start: float, end: float, thick: float) -> None:
    thick = max(thick, THINNEST)
    x1, x2 = EDGE + BLOCK, WIDTH - EDGE - BLOCK
    middle = (x1 + x2) / 2
    upper = f"M{x1:.1f} {start:.1f}C{middle:.1f} {start:.1f} {middle:.1f} {end:.1f} {x2:.1f} {end:.1f}"
    lower = f"L{x2:.1f} {end + thick:.1f}C{middle:.1f} {end + thick:.1f} {middle:.1f} {start + thick:.1f} {x1:.1f} {start + thick:.1f}Z"
    area(into, caption, series, "path", d=upper + lower, opacity="0.6")
