"""Labels on sheets of self-adhesive labels, as PDF to print at actual size. Codes are drawn as lines, not as pictures: every printer
draws them as fine as it can.

The sheets are rows of `sheets.csv`. A sheet's labels stand in the middle of its paper, as all of these makers' do; what a printer's feed
adds is the one offset that the user sets.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from labels.layout import MILLIMETRES_AN_INCH, Area, Laid, lay_out
from labels.tags import Label
from labels.typesetting import FOLDER, pdf
from stockpile.errors import Fault, Invalid
from stockpile.sentences import sentence

TEMPLATE = FOLDER / "sheets.typ"

DOTS_AN_INCH = 600
"""Codes are laid out in dots of a laser printer: 300 dots an inch meets half of them."""

LARGEST_OFFSET = 10.0
"""Millimetres that a whole sheet may be moved."""

PAPERS = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A make of label sheet, in millimetres. `source`: where its dimensions are from."""

    code: str
    name: str
    paper: str
    columns: int
    rows: int
    width: float
    height: float
    column_gap: float
    row_gap: float
    source: str

    @property
    def labels(self) -> int:
        """How many labels are on it."""
        return self.columns * self.rows

    def corner(self, cell: int) -> tuple[float, float]:
        """The upper left corner of a label, counted along the rows from 0, in millimetres from that of the paper."""
        row, column = divmod(cell, self.columns)
        wide, high = PAPERS[self.paper]
        left = (wide - self.columns * self.width - (self.columns - 1) * self.column_gap) / 2
        top = (high - self.rows * self.height - (self.rows - 1) * self.row_gap) / 2
        return left + column * (self.width + self.column_gap), top + row * (self.height + self.row_gap)


@cache
def sheets() -> dict[str, Sheet]:
    """Every make there is, by its code."""
    with (FOLDER / "sheets.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: _sheet(row) for row in csv.DictReader(file)}


def _sheet(row: dict[str, str]) -> Sheet:
    unit = {"mm": 1.0, "in": MILLIMETRES_AN_INCH}[row["unit"]]
    width, height, column_gap, row_gap = (
        float(row[name]) * unit for name in ("width", "height", "column_gap", "row_gap")
    )
    return Sheet(
        row["code"], row["name"], row["paper"], int(row["columns"]), int(row["rows"]), width, height, column_gap,
        row_gap, row["source"],
    )  # fmt: skip


def find_sheet(code: str) -> Sheet:
    """The make of a code. Raises Invalid naming those there are."""
    found = sheets().get(code.strip())
    if found is None:
        fault = Fault(sentence("one of {sheets}", sheets=", ".join(sheets())), field="sheet", value=code)
        raise Invalid(sentence("There is no sheet {code!r}.", code=code), [fault])
    return found


def print_sheets(
    labels: Sequence[Label], sheet: Sheet, start: int = 1, offset: tuple[float, float] = (0, 0), title: str = "Labels"
) -> bytes:
    """The labels on as many sheets as they need, as PDF. `start`: the first label of the first sheet that is still there; `offset`:
    millimetres to the right and down. Raises Invalid (start, offset, a label that does not fit).
    """
    if not 1 <= start <= sheet.labels:
        fault = Fault(
            sentence("the sheet has labels 1 to {labels}", labels=sheet.labels), field="start", value=str(start)
        )
        raise Invalid(sentence("The sheet cannot begin there."), [fault])
    if max(map(abs, offset)) > LARGEST_OFFSET:
        raise Invalid(
            sentence("The sheet cannot be moved so far."),
            [
                Fault(
                    sentence("at most {largest_offset:.0f} mm either way", largest_offset=LARGEST_OFFSET),
                    field="offset",
                )
            ],
        )
    area = Area.of(sheet.width, sheet.height, DOTS_AN_INCH)
    wide, high = PAPERS[sheet.paper]
    pages = [_page(sheet, area, cells, offset) for cells in _in_cells(labels, sheet, start)]
    return pdf(TEMPLATE, {"title": title, "width": wide, "height": high, "pages": pages})


def _in_cells(labels: Sequence[Label], sheet: Sheet, start: int) -> Iterator[list[tuple[int, Label]]]:
    """Page by page, each label with the place it gets."""
    placed = list(enumerate(labels, start - 1))
    first = sheet.labels - start + 1
    yield [(cell % sheet.labels, label) for cell, label in placed[:first]]
    for begin in range(first, len(placed), sheet.labels):
        yield [(cell % sheet.labels, label) for cell, label in placed[begin : begin + sheet.labels]]


def _page(
    sheet: Sheet, area: Area, cells: Sequence[tuple[int, Label]], offset: tuple[float, float]
) -> dict[str, object]:
    """A page as the template takes it."""
    art: list[str] = []
    lines: list[tuple[float, float, float, float, bool, bool, str]] = []
    for cell, label in cells:
        x, y = (area.dots(corner + by) for corner, by in zip(sheet.corner(cell), offset, strict=True))
        laid = lay_out(label, area)
        art += _art(laid, x, y)
        for line in laid.lines:
            box = [_millimetres(dots) for dots in (x + line.x, y + line.y, line.width, line.height)]
            lines.append((box[0], box[1], box[2], box[3], line.bold, is_right_to_left(line.text), line.text))
    wide, high = (area.dots(side) for side in PAPERS[sheet.paper])
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}">{"".join(art)}</svg>'
    return {"art": drawing, "lines": lines}


def _millimetres(dots: int) -> float:
    return round(dots * MILLIMETRES_AN_INCH / DOTS_AN_INCH, 3)


def _art(laid: Laid, x: int, y: int) -> Iterator[str]:
    """The codes of a label as SVG, in dots."""
    if laid.bars is not None:
        bars, paths, at = laid.bars, [], 0
        for run in laid.bars.pattern.split("0"):
            if run:
                paths.append(f"M{at} 0h{len(run)}v1h-{len(run)}z")
            at += len(run) + 1
        yield (
            f'<path transform="translate({x + bars.x} {y + bars.y})scale({bars.module} {bars.height})" '
            f'd="{"".join(paths)}"/>'
        )
    if laid.square is not None:
        code = laid.square
        path = "".join(f"M{at} {row}h{wide}v{high}h-{wide}z" for at, row, wide, high in code.grid.rectangles())
        yield f'<path transform="translate({x + code.x} {y + code.y})scale({code.module})" d="{path}"/>'


def is_right_to_left(text: str) -> bool:
    """Whether a line is read from the right: its first letter says."""
    return next(
        (kind in ("R", "AL") for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")), False
    )
