"""Reads any list a depot or a donor really sends: CSV in its dialects and encodings, XLSX, XLS and ODS.

Gives the columns, the rows with the numbers the sender's spreadsheet shows, and the file's SHA-256. What
they mean is for `mapping.py`. It never changes a cell but for the space around it, and drops no row in
silence: rows, rejects, blank rows and the rows down to the heading add up to the rows of the file.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, cast

from stockpile.errors import Invalid, UnreadableFile
from stockpile.registers import delimited, workbook
from stockpile.registers.characters import FORBIDDEN, forbidden_character
from stockpile.registers.heading_row import (
    ROWS_SEARCHED,
    Heading,
    Merge,
    Record,
    column_letter,
    find_heading,
    heading_at,
)
from stockpile.registers.headings import may_say_total, says_total
from stockpile.registers.limits import Limits
from stockpile.registers.rejects import SAID_BY_US, Rejects
from stockpile.registers.text_encoding import BLOCK, LABELS, SAMPLE, Encoding, detect
from stockpile.registers.write import CELL_CHARACTERS, original
from stockpile.sentences import sentence

DEFAULT_LIMITS = Limits()
END_OF_DOS_FILE = "\x1a"

OTHER_FILES = (
    (b"%PDF", sentence("a PDF document")),
    (b"\xff\xd8\xff", sentence("a JPEG picture")),
    (b"\x89PNG", sentence("a PNG picture")),
    (b"GIF8", sentence("a GIF picture")),
    (b"II*\x00", sentence("a TIFF picture")),
    (b"MM\x00*", sentence("a TIFF picture")),
    (b"{\\rtf", sentence("an RTF document")),
    (b"\x1f\x8b", sentence("a packed file (gzip)")),
    (b"BZh", sentence("a packed file (bzip2)")),
    (b"7z\xbc\xaf", sentence("a packed file (7-Zip)")),
    (b"Rar!", sentence("a packed file (RAR)")),
    (b"\xfd7zXZ", sentence("a packed file (xz)")),
    (b"SQLite format 3", sentence("a database")),
    (b"\x7fELF", sentence("a program")),
    (b"MZ\x90", sentence("a program")),
)
"""What is sent for a list by mistake, by its first bytes."""

MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|head|body|\?xml|\?mso)", re.IGNORECASE)


class Row(NamedTuple):
    """One row of the list: number in the file, cells, a letter for the kind of each cell (see `Record`), and
    whether every cell is plainly printable, without line breaks or odd spaces.
    """

    number: int
    cells: tuple[str, ...]
    kinds: str = ""
    printable: bool = True


@dataclass(slots=True)
class Counts:
    """What became of every row of the file."""

    heading: int = 0
    rows: int = 0
    rejected: int = 0
    blank: int = 0

    @property
    def all(self) -> int:
        return self.heading + self.rows + self.rejected + self.blank


class OpenList:
    """A list being read. Close it, or use it in a `with`.

    headers: the columns' names, each once. sheet: which sheet; None for text. encoding, delimiter: of text.
    preamble: the rows above the heading that say something. heading_row: its last line; 0 if there is none.
    remarks: what a person should know of how it was read. counts: complete once the rows are read.
    """

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.format = "CSV"
        self.size = 0
        self.sha256 = ""
        self.headers: tuple[str, ...] = ()
        self.heading_row = 0
        self.preamble: tuple[Row, ...] = ()
        self.sheet: str | None = None
        self.sheets: tuple[str, ...] = ()
        self.encoding: Encoding | None = None
        self.delimiter: str | None = None
        self.remarks: list[str] = []
        self.rejects = Rejects()
        self.counts = Counts()
        self._heading = Heading(names=())
        self._first_column = 0
        self._records: Iterator[Record] = iter(())
        self._resources = ExitStack()
        self._resources.callback(self.rejects.close)

    def rows(self) -> Iterator[Row]:
        """The rows below the heading, once; those that can't be taken go to `rejects` on the way.

        Raises:
            UnreadableFile: the spreadsheet turns out too large, or damaged, half-way.
        """
        records, self._records = self._records, iter(())
        counts, width = self.counts, len(self.headers)
        heading_cells = {line[0] for line in self._heading.lines if line}
        for record in records:
            number, cells, kinds, fault = record
            text = "".join(cells)
            if fault is None and len(cells) == width and text.isprintable() and len(text) <= CELL_CHARACTERS:
                # Most rows are plainly in order, and there may be half a million: no more is asked of them.
                stripped = tuple(map(str.strip, cells))
                first = stripped[0]
                if first and first not in heading_cells and ("" not in stripped or not may_say_total(first)):
                    counts.rows += 1
                    yield Row(number, stripped, kinds)
                    continue
            row = self._examined(record)
            if row is not None:
                yield row

    def _examined(self, record: Record) -> Row | None:
        """Take, count as blank, or reject a row that is not plainly in order."""
        cells = tuple(cell.strip() for cell in record.cells)
        if "".join(cells) in ("", END_OF_DOS_FILE):
            self.counts.blank += 1
            return None
        fault = record.fault or self._character_fault(record.cells) or self._shape_fault(cells)
        if fault is None:
            self.counts.rows += 1
            cells, kinds = cells[: len(self.headers)], record.kinds[: len(self.headers)]
            return Row(record.number, cells, kinds, "".join(cells).isprintable())
        self.rejects.add(record.number, fault, record.cells)
        self.counts.rejected += 1
        return None

    def _character_fault(self, cells: Sequence[str]) -> str | None:
        for index, cell in enumerate(cells):
            if (character := forbidden_character(cell)) is not None:
                return sentence("“{column}” contains {character}", column=self._column(index), character=character)
            if len(cell) > CELL_CHARACTERS:
                return sentence(
                    "“{column}” has {count:,} characters, more than any spreadsheet cell",
                    column=self._column(index),
                    count=len(cell),
                )
        return None

    def _shape_fault(self, cells: tuple[str, ...]) -> str | None:
        width = len(self.headers)
        if self._heading.repeats(cells):
            return sentence("the heading again")
        first = next(filter(None, cells), "")
        if "" in cells and says_total(first):
            return sentence("a line of totals, not an item")
        if len(cells) < width or any(cells[width:]):
            return sentence("the row has {count} cells where the heading has {width}", count=len(cells), width=width)
        return None

    def _column(self, index: int) -> str:
        if index < len(self.headers):
            return self.headers[index]
        return sentence("column {letter}", letter=column_letter(self._first_column + index))

    def close(self) -> None:
        """Let go of the file, of the spreadsheet's process and of the rejects."""
        self._resources.close()

    def __enter__(self) -> OpenList:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_list(
    source: Path | str | BinaryIO,
    filename: str = "",
    *,
    sheet: str | None = None,
    heading_row: int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> OpenList:
    """Open a list: find out what it is, and its columns. The named choices overrule what would be found.

    Raises:
        UnreadableFile: empty, too large, no list at all, damaged, protected, changed while it was read, or
            without the sheet or heading row that was asked for.
        Invalid: the encoding asked for is none we know.
    """
    if encoding is not None and encoding not in LABELS:
        raise Invalid(
            sentence(
                "There is no encoding “{encoding}”. Choose one of {encodings}.",
                encoding=encoding,
                encodings=", ".join(LABELS),
            )
        )
    opened = OpenList(filename or (str(source) if isinstance(source, Path | str) else "the file"))
    try:
        copy = opened._resources.enter_context(tempfile.NamedTemporaryFile(prefix="stockpile-list-"))  # noqa: SIM115
        file = cast(BinaryIO, copy.file)  # its wrapper would be asked for every line
        opened.size, opened.sha256 = copy_in(source, file, limits)
        opened.format, errors = what_it_is(file, limits)
        if opened.format == "CSV":
            open_text(opened, file, encoding, delimiter, heading_row)
        else:
            open_workbook(opened, Path(copy.name), errors, sheet, heading_row, limits)
    except BaseException:
        opened.close()
        raise
    return opened


def copy_in(source: Path | str | BinaryIO, target: BinaryIO, limits: Limits) -> tuple[int, str]:
    """Copy the file to a private place, so that what is hashed is what is read; its size, SHA-256."""
    if isinstance(source, Path | str):
        try:
            with Path(source).open("rb") as file:
                return copy_in(file, target, limits)
        except OSError as error:
            raise UnreadableFile(sentence("The file cannot be opened: {why}.", why=error.strerror or error)) from error
    before = size_and_time(source)
    most = limits.file_bytes if before is None else before[0]
    if most > limits.file_bytes:
        raise too_large(limits)
    if source.seekable():
        source.seek(0)
    digest, size = hashlib.sha256(), 0
    while block := source.read(BLOCK):
        size += len(block)
        if size > most:
            raise too_large(limits) if before is None else changed()
        digest.update(block)
        target.write(block)
    target.flush()
    after = size_and_time(source)
    if after != before or (after is not None and after[0] != size):
        raise changed()
    if not size:
        raise UnreadableFile(sentence("The file is empty."))
    return size, digest.hexdigest()


def size_and_time(file: BinaryIO) -> tuple[int, int] | None:
    """Size and time of change of a file on disk; None for a stream that has none."""
    try:
        status = os.fstat(file.fileno())
    except (OSError, AttributeError):
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def changed() -> UnreadableFile:
    return UnreadableFile(sentence("The file changed while it was read. Wait until it is whole and try again."))


def too_large(limits: Limits) -> UnreadableFile:
    return UnreadableFile(
        sentence(
            "The file is larger than {most:,} MB, the most allowed. Send it in parts.",
            most=limits.file_bytes // 1_000_000,
        )
    )


def what_it_is(file: BinaryIO, limits: Limits) -> tuple[str, dict[str, workbook.Errors]]:
    """The format by content, CSV, XLSX, XLSB, XLS or ODS, and errors of formulas by sheet.

    Raises:
        UnreadableFile: it is none of them.
    """
    file.seek(0)
    start = file.read(SAMPLE)
    if start.startswith(workbook.ZIP):
        return workbook.check_archive(file, limits)
    if start.startswith(workbook.OLE):
        return workbook.check_ole(file), {}
    for beginning, kind in OTHER_FILES:
        if start.startswith(beginning):
            raise UnreadableFile(sentence("This is {kind}, not a list. Send the list as CSV or XLSX.", kind=kind))
    if MARKUP.match(start):
        raise UnreadableFile(sentence("This is a web page or XML. Open it in a spreadsheet and save it as XLSX."))
    if not start.strip(b" \t\r\n\x00\x1a\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile(sentence("The file is empty."))
    return "CSV", {}


def open_text(
    opened: OpenList, file: BinaryIO, encoding: str | None, delimiter: str | None, heading_row: int | None
) -> None:
    found = Encoding(encoding, certain=True) if encoding else detect(file)
    delimited.check_lines(file)
    sample = delimited.first_text(file, found)
    refuse_rubbish(sample)
    opened.encoding = found
    if not found.certain:
        opened.remarks.append(f"The encoding was guessed to be {found.label}: look at letters with accents.")
    opened.delimiter = delimiter or delimited.find_delimiter(sample)
    text = opened._resources.enter_context(delimited.lines_of(file, found))
    begin(opened, delimited.records(text, opened.delimiter), (), 0, heading_row)
    if opened.headers[: len(SAID_BY_US)] == SAID_BY_US:
        opened._records = map(as_it_was, opened._records)


def as_it_was(record: Record) -> Record:
    """A row of our own rejects, mended and sent again: without the apostrophes that kept its cells from running."""
    return record._replace(cells=tuple(map(original, record.cells)))


def refuse_rubbish(sample: str) -> None:
    """Refuse what no encoding makes text of: many control characters and foreign bytes of many kinds."""
    strays = [letter for letter in FORBIDDEN.findall(sample) if unicodedata.category(letter) in ("Cc", "Cs")]
    if (len(strays) > len(sample) * 0.05 and len(set(strays)) >= 4) or len(strays) > len(sample) * 0.3:
        raise UnreadableFile(sentence("This is not a list: most of it is no text. Send the list as CSV or XLSX."))


def open_workbook(
    opened: OpenList,
    path: Path,
    errors: dict[str, workbook.Errors],
    sheet: str | None,
    heading_row: int | None,
    limits: Limits,
) -> None:
    book = workbook.Workbook(path, limits)
    opened._resources.callback(book.close)
    opened.sheets = tuple(name for name, _ in book.sheets)
    if sheet is not None and sheet not in opened.sheets:
        raise UnreadableFile(
            sentence("There is no sheet “{sheet}”. There are: {sheets}.", sheet=sheet, sheets=", ".join(opened.sheets))
        )
    for name in [sheet] if sheet is not None else [name for name, shown in book.sheets if shown]:
        chosen = book.open(name)
        records = workbook.with_errors(book.rows(), errors.get(name, {}), chosen.first_column)
        first = list(islice(records, ROWS_SEARCHED))
        if sheet is not None or has_table(first):
            opened.sheet = name
            opened._first_column = chosen.first_column
            filled = workbook.fill_down(chain(first, records), chosen.merges)
            begin(opened, filled, chosen.merges, chosen.first_column, heading_row)
            break
    else:
        raise UnreadableFile(sentence("No sheet holds a table. Looked at: {sheets}.", sheets=", ".join(opened.sheets)))
    if len(opened.sheets) > 1:
        others = ", ".join(f"“{name}”" for name in opened.sheets if name != opened.sheet)
        opened.remarks.append(f"Sheet “{opened.sheet}” was read; not read: {others}.")


def has_table(rows: Sequence[Record]) -> bool:
    """Whether a sheet begins with a table: a heading with a row under it, or three rows of something."""
    filled = [row for row in rows if any(cell.strip() for cell in row.cells)]
    heading = find_heading(filled)
    return len(filled) >= 3 or (heading.last > 0 and any(row.number > heading.last for row in filled))


def begin(
    opened: OpenList,
    records: Iterator[Record],
    merges: Sequence[Merge],
    first_column: int,
    heading_row: int | None,
) -> None:
    """Find the heading, and set the list to give what stands below it."""
    first = list(islice(records, max(ROWS_SEARCHED, heading_row or 0)))
    if heading_row is None:
        heading = find_heading(first, merges, first_column)
    elif heading_row == 0 or heading_row in {record.number for record in first}:
        heading = heading_at(first, heading_row, merges, first_column)
    else:
        raise UnreadableFile(sentence("There is no row {heading_row} to be the heading.", heading_row=heading_row))
    opened._heading, opened.headers, opened.heading_row = heading, heading.names, heading.last
    opened.preamble = tuple(preamble(first, heading))
    opened.counts.heading = sum(record.number <= heading.last for record in first)
    if not heading.last:
        opened.remarks.append("No heading was found: columns are called by letters, and every row was read.")
    below = (record for record in first if record.number > heading.last)
    opened._records = chain(below, records)


def preamble(rows: Iterable[Record], heading: Heading) -> Iterator[Row]:
    for row in rows:
        cells = tuple(cell.strip() for cell in row.cells)
        if row.number < heading.first and any(cells):
            yield Row(row.number, cells, row.kinds)
