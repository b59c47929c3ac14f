"""Lists as text: cells between commas, semicolons, tabs or bars.

Streams: it never holds more than one record and the lines a broken quotation mark swallowed. A record that
can't be taken apart costs its own line only; reading goes on with the next.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import BinaryIO

from stockpile.errors import UnreadableFile
from stockpile.registers.heading_row import ROWS_SEARCHED, Record, known_fields
from stockpile.registers.text_encoding import MARKED, SAMPLE, Encoding
from stockpile.sentences import sentence

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
LINES_IN_A_RECORD = 500
"""A cell of more lines is a quotation mark that was never closed."""

BYTES_IN_A_LINE = 1 << 20
SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?\r?\n?', re.IGNORECASE)


class EndlessRecord(Exception):
    """A record goes on for more lines than any cell has."""


def check_lines(file: BinaryIO) -> None:
    """Refuse a text without line ends before anything tries to hold a line of it.

    Raises:
        UnreadableFile: a line is longer than a mebibyte.
    """
    file.seek(0)
    while block := file.read(BYTES_IN_A_LINE):
        if len(block) == BYTES_IN_A_LINE and b"\n" not in block and b"\r" not in block:
            raise UnreadableFile(
                sentence(
                    "This file has a line of more than a million characters, so it is not a list. Export the "
                    "list again as CSV or XLSX."
                )
            )


def lines_of(file: BinaryIO, encoding: Encoding) -> io.TextIOWrapper:
    """The file's text, its line ends kept, its undecodable bytes marked."""
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding.codec, errors=MARKED, newline="")


def records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    """Every record with its number, counting from 1 as a spreadsheet counts rows, blank ones too."""
    number = 0
    held: list[str] = []
    waiting: deque[str] = deque()

    def feed() -> Iterator[str]:
        while waiting:
            line = waiting.popleft()
            held.append(line)
            yield line
        for line in lines:
            held.append(line)
            if len(held) > LINES_IN_A_RECORD:
                raise EndlessRecord
            yield line

    while True:
        try:
            for cells in csv.reader(feed(), delimiter=delimiter, skipinitialspace=True, strict=True):
                number += 1
                held.clear()
                yield Record(number, cells)
            return
        except (csv.Error, EndlessRecord) as error:
            number += 1
            broken, *rest = held
            waiting.extendleft(reversed(rest))
            held.clear()
            yield Record(number, broken.rstrip("\r\n").split(delimiter), "", what_broke(error))


def what_broke(error: Exception) -> str:
    if isinstance(error, EndlessRecord) or "unexpected end" in str(error):
        return sentence("a quotation mark is opened and never closed")
    if "expected after" in str(error):
        return sentence("text follows a closing quotation mark; a quotation mark inside a cell is written twice")
    if "field larger" in str(error):
        return sentence("a cell is longer than any spreadsheet allows; perhaps a quotation mark is never closed")
    return sentence("the line cannot be taken apart ({error})", error=error)


def first_text(file: BinaryIO, encoding: Encoding) -> str:
    """The first 65,536 characters at most, in whole lines."""
    text = lines_of(file, encoding)
    sample = text.read(SAMPLE)
    complete = len(sample) < SAMPLE
    text.detach()
    return sample if complete else sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample


def find_delimiter(sample: str) -> str:
    """What parts the cells: what shows most known headings, else most rows of one width."""
    declared = SEPARATOR_LINE.match(sample)
    if declared:
        return declared[1]
    best = max(DELIMITERS, key=lambda delimiter: evidence(sample, delimiter))
    if evidence(sample, best) > (0, 0, 0):
        return best
    return next((delimiter for delimiter in DELIMITERS if delimiter not in sample), ",")


def evidence(sample: str, delimiter: str) -> tuple[int, int, int]:
    """How well a delimiter fits: known headings, rows of the usual width, that width; all 0 if not at all."""
    rows = []
    for record in records(io.StringIO(sample, newline=""), delimiter):
        if any(record.cells) and record.fault is None:
            rows.append(record)
        if record.number >= 2 * ROWS_SEARCHED:
            break
    widths = Counter(len(row.cells) for row in rows)
    parted = {width: count for width, count in widths.items() if width > 1}
    if not parted:
        return (0, 0, 0)
    width = max(parted, key=lambda width: (parted[width], width))
    if parted[width] * 3 < len(rows):
        return (0, 0, 0)
    return max(known_fields(row) for row in rows), parted[width], width
