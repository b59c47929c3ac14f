"""Where a list's table begins: the heading among title lines, in one line, two, or two languages.

Pure functions over the first rows. They never drop a row: what stands above the table is kept as its
preamble, and where no heading can be made out the columns are called by their letters and every row is data.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stockpile.registers.headings import PARTS, recognise

ROWS_SEARCHED = 50
"""Printed forms put up to a page of title above the table."""

INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


class Record(NamedTuple):
    """One row as the file has it: number, cells, a letter for the kind of each cell, what is wrong with it.

    Kinds: s text, n whole number, f number with a fraction, x number of more digits than a spreadsheet keeps,
    d date, t time, b yes or no, m text of a cell merged downwards, e error of a formula. A file of text has
    none ("").
    """

    number: int
    cells: Sequence[str]
    kinds: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Cells merged into one, by row number and column index, ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Heading:
    """The table's columns by unique names; the first and last row of the heading, 0 where there is none."""

    names: tuple[str, ...]
    first: int = 0
    last: int = 0
    lines: frozenset[tuple[str, ...]] = field(default_factory=frozenset)

    def repeats(self, cells: tuple[str, ...]) -> bool:
        """Whether a row is the heading again, as at the top of each printed page."""
        return cells in self.lines


def column_letter(index: int) -> str:
    """A for 0, AA for 26: a column as the spreadsheet names it."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """0 for A, 26 for AA."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def find_heading(rows: Sequence[Record], merges: Sequence[Merge] = (), first_column: int = 0) -> Heading:
    """The heading among the first rows of a list; `first_column` is the index of the first cell's column."""
    rows = [row for row in rows[:ROWS_SEARCHED] if any(cell.strip() for cell in row.cells)]
    if not rows:
        return Heading(names=())
    found = known_heading(rows)
    if found is None:
        found = plausible_heading(rows)
    if found is None:
        return without_heading(rows, first_column)
    first, last = with_further_lines(rows, found, merges)
    return heading_of(rows, first, last, merges, first_column)


def heading_at(rows: Sequence[Record], number: int, merges: Sequence[Merge], first_column: int) -> Heading:
    """The heading the user says stands in row `number`; 0 for none."""
    for index, row in enumerate(rows):
        if row.number == number:
            return heading_of(rows, index, index, merges, first_column)
    return without_heading(rows, first_column)


def without_heading(rows: Sequence[Record], first_column: int) -> Heading:
    """As many columns as most rows have cells, called by their letters."""
    widths = Counter(len(row.cells) for row in rows if row.fault is None)
    width = max(widths, key=lambda width: (widths[width], width), default=1)
    return Heading(names=unique([""] * width, first_column))


def filled(row: Record) -> list[str]:
    return [text for cell in row.cells if (text := clean(cell))]


def clean(cell: str) -> str:
    """A heading's text on one line, without what can't be seen."""
    return " ".join(INVISIBLE.sub(" ", cell).split())


def known_fields(row: Record) -> int:
    """How many different fields a row names; 0 unless it is all words and names them in half its cells."""
    if not is_wordy(row):
        return 0
    texts = filled(row)
    known = [named for text in texts if (named := recognise(text)) is not None]
    return len(set(known)) if len(known) * 2 >= len(texts) else 0


def is_wordy(row: Record) -> bool:
    """Whether all its cells are text."""
    return not set(row.kinds) - {"s", "m"}


def known_heading(rows: Sequence[Record]) -> int | None:
    """The first row that names most fields: two at least, or all of a list of one column."""
    scores = [known_fields(row) for row in rows]
    best = max(scores)
    widest = max(len(filled(row)) for row in rows)
    if best >= 2 or (best == 1 and widest == 1):
        return scores.index(best)
    return None


def plausible_heading(rows: Sequence[Record]) -> int | None:
    """The first row as wide as the table and made of different words without figures, if others follow it."""
    widths = Counter(len(filled(row)) for row in rows)
    usual = max(widths, key=lambda width: (widths[width], width))
    for index, row in enumerate(rows[:-1]):
        texts = filled(row)
        if len(texts) < max(2, usual * 0.6):
            continue
        wordy = [text for text in texts if not any(letter.isdigit() for letter in text) and len(text) < 100]
        different = len(set(texts)) == len(texts)
        return index if different and len(wordy) * 2 > len(texts) and is_wordy(row) else None
    return None


def with_further_lines(rows: Sequence[Record], found: int, merges: Sequence[Merge]) -> tuple[int, int]:
    """The heading's first and last line: in two languages, under merged groups, over a line of figures."""
    first = last = found
    if found > 0 and (known_fields(rows[found - 1]) >= 2 or has_groups(rows[found - 1], rows[found], merges)):
        first = found - 1
    if last + 1 < len(rows) and known_fields(rows[last + 1]) >= 2:
        last += 1
    if last + 1 < len(rows) and numbers_columns(rows[last + 1]):
        last += 1
    return first, last


def has_groups(upper: Record, lower: Record, merges: Sequence[Merge]) -> bool:
    """Whether the row above belongs to the heading: its merged cells stand over some of the columns only."""
    width = len(lower.cells)
    here = [merge for merge in merges if merge.top <= upper.number <= merge.bottom]
    groups = [merge for merge in here if merge.right > merge.left and merge.right - merge.left + 1 < width]
    return lower.number == upper.number + 1 and bool(groups) and len(filled(upper)) > 1


def numbers_columns(row: Record) -> bool:
    """Whether a row counts the columns, 1, 2, 3, as printed forms do under the heading."""
    texts = filled(row)
    return len(texts) >= 3 and texts == [str(number) for number in range(1, len(texts) + 1)]


def heading_of(rows: Sequence[Record], first: int, last: int, merges: Sequence[Merge], first_column: int) -> Heading:
    lines = rows[first : last + 1]
    named = [line for line in lines if not numbers_columns(line)]
    width = max(len(line.cells) for line in lines)
    while width and not any("".join(row.cells[width - 1 : width]).strip() for row in rows[first:]):
        width -= 1
    columns = [column_name(named, index, merges) for index in range(width)]
    return Heading(
        names=unique(columns, first_column),
        first=lines[0].number,
        last=lines[-1].number,
        lines=frozenset(tuple(cell.strip() for cell in line.cells) for line in lines),
    )


def column_name(lines: Sequence[Record], index: int, merges: Sequence[Merge]) -> str:
    texts = (clean(cell_under_merge(line, index, merges)) for line in lines)
    return PARTS.join(dict.fromkeys(text for text in texts if text))


def cell_under_merge(line: Record, index: int, merges: Sequence[Merge]) -> str:
    """A heading's cell, or what the merged cell over it in the same line says."""
    cell = line.cells[index] if index < len(line.cells) else ""
    if cell.strip():
        return cell
    for merge in merges:
        if merge.top == line.number and merge.left <= index <= merge.right and merge.left < len(line.cells):
            return line.cells[merge.left]
    return ""


def unique(columns: Sequence[str], first_column: int) -> tuple[str, ...]:
    """Names that tell columns apart: the letter for one without a heading, and after one that came before."""
    seen: set[str] = set()
    names = []
    for index, column in enumerate(columns):
        letter = f"column {column_letter(first_column + index)}"
        name = column if column and column not in seen else f"{column} ({letter})" if column else letter
        seen.add(name)
        names.append(name)
    return tuple(names)
