"""Bars: upright and stacked, over time or over bands of age; lying, in parts, one for each site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.pictures.drawing import (
    WIDTH,
    Caption,
    Element,
    Words,
    area,
    legend,
    line,
    markup,
    new_picture,
    round_steps,
    text,
    thinned,
)

Number = Callable[[int], str]
"""How a number is written where the reader lives."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: what it is of, and how many of each series."""

    label: Words
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A series by what it is called; `place`: which colour and pattern it has."""

    name: Words
    place: int


START, TOP, TALL, END = 76, 28, 250, 16
LABELS_AT_MOST = 12
ROW, NAMES = 34, 150


def upright_bars(caption: Caption, series: Sequence[Series], bars: Sequence[Bar], number: Number) -> Markup:
    """Bars side by side, each stacked of its series, over a scale of round numbers."""
    wholes: list[int] = [sum(bar.parts) for bar in bars]
    steps = round_steps(max(wholes, default=0))
    picture = new_picture(caption, TOP + TALL + 60 + 22 * (1 + len(series) // 4))
    scale = TALL / steps[-1]
    for step in steps:
        y = TOP + TALL - step * scale
        line(picture, "grid-line", START, y, WIDTH - END, y)
        text(picture, Words(number(step), data=True), START - 8, y + 4, "end", "minor")
    width = (WIDTH - START - END) / max(len(bars), 1)
    labels = thinned((bar.label for bar in bars), LABELS_AT_MOST)
    for n, (bar, whole, label) in enumerate(zip(bars, wholes, labels, strict=True)):
        x = START + n * width
        _stack(picture, caption, series, bar, x + width * 0.12, width * 0.76, scale)
        if len(bars) <= LABELS_AT_MOST and whole:
            top = TOP + TALL - whole * scale - 5
            text(picture, Words(number(whole), data=True), x + width / 2, top, "middle", "figure")
        if label is not None:
            text(picture, label, x + width / 2, TOP + TALL + 20, "middle", "minor")
    if len(series) > 1:
        legend(picture, caption, [(one.place, one.name) for one in series], START, TOP + TALL + 36, WIDTH - START - END)
    return markup(picture)


def _stack(
    into: Element, caption: Caption, series: Sequence[Series], bar: Bar, x: float, width: float, scale: float
) -> None:
    y = float(TOP + TALL)
    for one, part in zip(series, bar.parts, strict=True):
        if part:
            y -= part * scale
            area(into, caption, one.place, "rect", x=x, y=y, width=width, height=part * scale)


def lying_bars(caption: Caption, series: Sequence[Series], bars: Sequence[Bar], number: Number) -> Markup:
    """Bars below one another, each as long as its whole and in its parts, with the number of each part in it where there is room."""
    most = max((sum(bar.parts) for bar in bars), default=0) or 1
    room = WIDTH - NAMES - 90
    picture = new_picture(caption, 12 + ROW * max(len(bars), 1) + (44 if len(series) > 1 else 0))
    for n, bar in enumerate(bars):
        x, y = float(NAMES), 10 + ROW * n
        text(picture, bar.label, NAMES - 10, y + 17, "end")
        for one, part in zip(series, bar.parts, strict=True):
            wide = part / most * room
            if part:
                area(picture, caption, one.place, "rect", x=x, y=y, width=wide, height=ROW - 10)
            x += wide
        told = " / ".join(number(part) for part in bar.parts)
        text(picture, Words(told, data=True), x + 8, y + 17, "start", "figure")
    if len(series) > 1:
        below = 18 + ROW * max(len(bars), 1)
        legend(picture, caption, [(one.place, one.name) for one in series], NAMES, below, WIDTH - NAMES)
    return markup(picture)
