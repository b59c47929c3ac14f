"""Where everything stands on one label, in dots of the printer: codes no smaller than a scanner reads, their blanks kept free,
letters in what is left. Every edge falls on a dot, so no bar is printed wider than its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

from labels.marks import QUIET_MODULES, Grid, plain_data_matrix, square
from labels.tags import QUIET_BARS, Code, Label, code_128
from stockpile.errors import Fault, Invalid
from stockpile.sentences import sentence

MILLIMETRES_AN_INCH = 25.4

EDGE = 1.5
"""Millimetres kept free along the edge: sheets are cut, and fed, no better than that."""
SIDE = 0.5
"""Of it, what a bar code's own blank may not use."""
GAP = 1.0

LEAST_MODULE, LARGEST_BAR, LARGEST_MODULE = 0.25, 0.38, 0.5
"""Millimetres of the narrowest bar or module: under 0.25 (10 mil) neither a printer of 203 dots an inch nor a worn scanner can tell
one from two; above the others nothing is won.
"""
LEAST_BAR_ON_PAPER = 0.29
"""The same of a bar on a sheet, where no dot of the printer is sure to fall on its edge."""
LEAST_BARS, LARGEST_BARS, SHARE_OF_BARS = 5.0, 12.0, 0.4
"""Height of Code 128: at least, at most, and as a share of the label."""
NAME, LINE, LEAST_LINE = 4.2, 3.2, 1.5
"""Heights of lines in millimetres: the largest of the name and of the others, and the least that is still read."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Code 128: its first bar's upper corner, width of a module, height."""

    x: int
    y: int
    module: int
    height: int
    pattern: str
    content: str


@dataclass(frozen=True, slots=True)
class Square:
    """A square code: its upper corner without the blank around, width of a module, modules kept free for a side."""

    x: int
    y: int
    module: int
    size: int
    grid: Grid


@dataclass(frozen=True, slots=True)
class Line:
    """A line of letters and the box it must stay in."""

    x: int
    y: int
    width: int
    height: int
    bold: bool
    text: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A label, laid out."""

    label: Label
    bars: Bars | None
    square: Square | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """A blank label: its size in dots, how fine the printer's dots are, and whether the printer draws the codes by itself: then
    nobody knows before how large a Data Matrix becomes.
    """

    width: int
    height: int
    dots_an_inch: int
    printer_draws: bool = False

    @classmethod
    def of(cls, width: float, height: float, dots_an_inch: int, printer_draws: bool = False) -> Area:
        """Of millimetres."""
        wide, high = (floor(side * dots_an_inch / MILLIMETRES_AN_INCH) for side in (width, height))
        return cls(wide, high, dots_an_inch, printer_draws)

    def dots(self, millimetres: float) -> int:
        """A length in dots."""
        return round(millimetres * self.dots_an_inch / MILLIMETRES_AN_INCH)

    def module(self, room: int, modules: int, least: float, largest: float) -> int | None:
        """The widest module with which a code of so many fits into the room; None if it would be narrower than `least`."""
        finest = self.dots_an_inch / MILLIMETRES_AN_INCH
        widest = min(room // modules, floor(largest * finest + 0.01))
        return widest if widest >= ceil(least * finest - 0.01) else None


def lay_out(label: Label, area: Area) -> Laid:
    """A label on its area: Code 128 along the lower edge, the square code at the left, letters beside or above. Raises Invalid where a code
    cannot be printed so that it is read.
    """
    bars = _bars(label, area) if label.bars is not None else None
    below = (bars.y - area.dots(GAP)) if bars else area.height - area.dots(EDGE)
    beside = _square(label, area, below) if label.square is not None else None
    return Laid(label, bars, beside, tuple(_lines(label, area, beside, below)))


def _drawn(label: Label) -> Grid:
    assert label.square is not None
    try:
        return square(label.square_code, label.square)
    except ValueError:
        raise _unfit(label, f"{label.square_code} cannot hold it", label.square) from None


def _bars(label: Label, area: Area) -> Bars:
    assert label.bars is not None
    try:
        pattern = code_128(label.bars)
    except ValueError:
        why = sentence("Code 128 takes letters A to Z, digits and signs of ASCII only: choose qr")
        raise _unfit(label, why, label.bars) from None
    modules = len(pattern) + 2 * QUIET_BARS
    least = LEAST_MODULE if area.printer_draws else LEAST_BAR_ON_PAPER
    module = area.module(area.width - 2 * area.dots(SIDE), modules, least, LARGEST_BAR)
    if module is None:
        needed = modules * least + 2 * SIDE
        raise _unfit(
            label, f"Code 128 needs a label {ceil(needed)} mm wide here: choose qr, or a larger label", label.bars
        )
    height = area.dots(max(LEAST_BARS, min(LARGEST_BARS, SHARE_OF_BARS * area.height / area.dots(1))))
    y = area.height - area.dots(EDGE) - height
    if y < area.dots(EDGE):
        raise _unfit(label, "the label is too low for Code 128: choose qr, or a larger label", label.bars)
    return Bars((area.width - len(pattern) * module) // 2, y, module, height, pattern, label.bars)


def _square(label: Label, area: Area, below: int) -> Square:
    grid, quiet, edge = _drawn(label), QUIET_MODULES[label.square_code], area.dots(EDGE)
    size = grid.size
    if area.printer_draws and label.square_code is Code.DATA_MATRIX:
        size = max(size, plain_data_matrix(label.square or ""))
    modules = size + 2 * quiet
    room = min(below - edge, area.width - 2 * edge)
    module = area.module(room, modules, LEAST_MODULE, LARGEST_MODULE)
    if module is None:
        needed = modules * LEAST_MODULE
        raise _unfit(label, f"{label.square_code} needs {ceil(needed)} mm here: choose a larger label", label.square)
    return Square(edge + quiet * module, edge + quiet * module, module, size, grid)


def _lines(label: Label, area: Area, beside: Square | None, below: int) -> list[Line]:
    """The lines in what is left, smaller where there are many; the last are left out where not even the least has room."""
    edge = area.dots(EDGE)
    left = edge
    if beside is not None:
        left = beside.x + (beside.size + QUIET_MODULES[label.square_code]) * beside.module + area.dots(GAP)
    width, room = area.width - edge - left, below - edge
    texts = [text for text in (label.name, *label.lines) if text.strip()]
    if not texts:
        return []
    scale = min(1.0, room / area.dots(NAME + LINE * (len(texts) - 1)))
    while len(texts) > 1 and LINE * scale < LEAST_LINE:
        texts.pop()
        scale = min(1.0, room / area.dots(NAME + LINE * (len(texts) - 1)))
    heights = [floor(area.dots(NAME) * scale), *[floor(area.dots(LINE) * scale)] * (len(texts) - 1)]
    if width < area.dots(NAME) or heights[0] < area.dots(LEAST_LINE):
        return []
    lines, y = [], edge
    for number, (text, height) in enumerate(zip(texts, heights, strict=True)):
        lines.append(Line(left, y, width, height, number == 0, text))
        y += height
    return lines


def _unfit(label: Label, why: str, content: str | None) -> Invalid:
    return Invalid(
        sentence("The label of {label} cannot be printed: {why}.", label=label.name, why=why),
        [Fault(why, field="codes", value=content)],
    )
