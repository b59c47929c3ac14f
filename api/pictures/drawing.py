"""What all pictures share: elements of SVG, the series with their colours and patterns, scales with round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup

Element = ElementTree.Element
WIDTH = 960
"""Units across of every picture; the page scales it."""
SERIES = 8
"""So many colours there are; what comes after them has the first again with another pattern."""
PATTERNS = ("plain", "rising", "dots", "falling", "grid", "level", "upright", "wide-dots")


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture is called, and in a sentence what it shows: both in the reader's language. `name`: unique on its page."""

    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Words:
    """A text in a picture: ours, in the reader's language, or `data`, as the books or the calendar have it."""

    text: str
    data: bool = False


def new_picture(caption: Caption, height: float, width: float = WIDTH) -> Element:
    """An empty picture with its title, its description and the patterns."""
    root = Element(
        "svg",
        {
            "class": "picture",
            "viewBox": f"0 0 {_written(width)} {_written(height)}",
            "role": "img",
            "aria-labelledby": f"{caption.name}-title {caption.name}-description",
        },
    )
    for tag, text in (("title", caption.title), ("desc", caption.description)):
        one = ElementTree.SubElement(
            root, tag, {"id": f"{caption.name}-{'title' if tag == 'title' else 'description'}"}
        )
        one.text = text
    _add_patterns(ElementTree.SubElement(root, "defs"), caption.name)
    return root


_STROKES: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "rising": (("path", {"d": "M0 8L8 0M-2 2L2 -2M6 10L10 6"}),),
    "falling": (("path", {"d": "M0 0L8 8M-2 6L2 10M6 -2L10 2"}),),
    "grid": (("path", {"d": "M0 4H8M4 0V8"}),),
    "level": (("path", {"d": "M0 4H8"}),),
    "upright": (("path", {"d": "M4 0V8"}),),
    "dots": (("circle", {"cx": "4", "cy": "4", "r": "1.4"}),),
    "wide-dots": (("circle", {"cx": "2", "cy": "2", "r": "1"}), ("circle", {"cx": "6", "cy": "6", "r": "1"})),
}


def _add_patterns(into: Element, name: str) -> None:
    for pattern, parts in _STROKES.items():
        tile = ElementTree.SubElement(
            into, "pattern", {"id": f"{name}-{pattern}", "width": "8", "height": "8", "patternUnits": "userSpaceOnUse"}
        )
        for tag, drawn in parts:
            ElementTree.SubElement(tile, tag, {**drawn, "class": f"mark {tag}"})


def pattern_of(series: int) -> str:
    """The pattern of a series."""
    return PATTERNS[(series + series // SERIES) % len(PATTERNS)]


def area(into: Element, caption: Caption, series: int, tag: str, **where: float | str) -> None:
    """A shape of a series: its colour, and its pattern over it."""
    place = {name.replace("_", "-"): _written(value) for name, value in where.items()}
    ElementTree.SubElement(into, tag, {"class": f"area series-{series % SERIES}", **place})
    pattern = pattern_of(series)
    if pattern != "plain":
        ElementTree.SubElement(into, tag, {"fill": f"url(#{caption.name}-{pattern})", **place})


def line(into: Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
    """A straight line of a kind that the style sheet knows."""
    places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    ElementTree.SubElement(into, "line", {"class": kind, **{name: _written(value) for name, value in places.items()}})


def text(into: Element, said: Words, x: float, y: float, anchor: str = "start", kind: str = "") -> None:
    """A text at a place; `anchor`: start, middle or end."""
    drawn = ElementTree.SubElement(into, "text", {"x": _written(x), "y": _written(y), "text-anchor": anchor})
    if kind:
        drawn.set("class", kind)
    if said.data:
        ElementTree.SubElement(drawn, "tspan").text = said.text
    else:
        drawn.text = said.text


def legend(
    into: Element, caption: Caption, names: Sequence[tuple[int, Words]], x: float, y: float, room: float
) -> float:
    """The names of series in rows, and how far down they reach."""
    across, row, step = x, y, 22
    for series, name in names:
        wide = 34 + 7.6 * len(name.text)
        if across > x and across + wide > x + room:
            across, row = x, row + step
        area(into, caption, series, "rect", x=across, y=row, width=16, height=14)
        text(into, name, across + 22, row + 12)
        across += wide + 8
    return row + step


def round_steps(most: float, wanted: int = 5) -> list[int]:
    """Round numbers from 0 to beyond the most, some five of them."""
    if most <= 0:
        return [0, 1]
    rough = max(most / wanted, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= rough)
    return list(range(0, math.ceil(most / step) * step + 1, step))


def markup(picture: Element) -> Markup:
    """The picture as markup: every text and value in it is escaped by the writer of XML."""
    return Markup(ElementTree.tostring(picture, encoding="unicode"))  # noqa: S704


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".rstrip("0").rstrip(".")


def thinned(labels: Iterable[Words], most: int) -> list[Words | None]:
    """As many of the labels as there is room for, evenly."""
    every = list(labels)
    step = -(-len(every) // most) if every else 1
    return [label if n % step == 0 else None for n, label in enumerate(every)]
