"""The rows of a list that could not be taken, each with its number, the reason, and what it said.

While a list is read they wait in a temporary file, so that half a million bad rows cost no memory; they come out as a table
that can be mended and sent again, and are kept as a file where the whole list was refused. Nothing is ever dropped from it.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType

from stockpile.errors import Fault, Invalid, NotFound, UnreadableFile
from stockpile.files import FileStore
from stockpile.registers.characters import visible
from stockpile.registers.write import Value, csv_blocks, original
from stockpile.sentences import sentence
from stockpile.settings import Settings

IN_MEMORY = 1 << 20
SAID_BY_US = ("row", "reason")
"""The columns that stand before the list's own."""
LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken; its cells as the file has them, what can't be shown written as \\u202e."""

    number: int
    reason: str
    cells: tuple[str, ...]


class Rejects:
    """Rejects in the order they come, also those a later step finds: an unknown model, a bad date."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the list
        self._count = 0

    def add(self, number: int, reason: str, cells: Sequence[str]) -> None:
        """Keep a row's number, the reason it was not taken, and its cells."""
        line = json.dumps((number, reason, [visible(cell) for cell in cells]), ensure_ascii=False)
        self._file.seek(0, 2)
        self._file.write(line.encode() + b"\n")
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Reject]:
        position = 0
        while True:
            self._file.seek(position)
            line = self._file.readline()
            if not line:
                return
            position = self._file.tell()
            number, reason, cells = json.loads(line)
            yield Reject(number, reason, tuple(cells))

    def after(self, seen: int) -> Iterator[Reject]:
        """Those after the first few, as many as there are by now."""
        return islice(self, seen, self._count)

    def first(self, count: int) -> list[Reject]:
        """The first few, to show."""
        return list(islice(self, count))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class RowsRejected(Invalid):
    """Rows of a list cannot be taken, and so none of it was: the first of them as faults, all in a kept file.

    `rejected` counts them; `rejects` is the SHA-256 under which `rejects_store` keeps them as CSV, None where it could not.
    """

    def __init__(self, detail: str, faults: Sequence[Fault], rejected: int, rejects: str | None) -> None:
        super().__init__(detail, faults)
        self.rejected = rejected
        self.rejects = rejects


def rejects_store() -> FileStore:
    """Where the rejects of refused lists are kept."""
    return FileStore(Settings().data / "rejects")


def headings_for(headings: Sequence[str], cells: int, ours: Sequence[str] = SAID_BY_US) -> tuple[str, ...]:
    """The columns of a table of rejects: ours, the list's own, and a name for each cell that has no heading."""
    return (*ours, *headings, *(f"cell {number}" for number in range(len(headings) + 1, cells + 1)))


def rows_of(rejects: Iterable[Reject]) -> Iterator[Sequence[Value]]:
    """Rejects as the rows of that table."""
    return ((reject.number, reject.reason, *reject.cells) for reject in rejects)


def keep_rejects(headings: Sequence[str], rejects: Sequence[Reject] | Rejects) -> str | None:
    """Keeps the rejects of a refused list as a CSV file and gives its SHA-256; None where there is no room for it."""
    columns = headings_for(headings, max(len(reject.cells) for reject in rejects))
    try:
        return rejects_store().keep(csv_blocks(columns, rows_of(rejects)), LARGEST).sha256
    except UnreadableFile:
        return None


def kept_rejects(digest: str) -> tuple[list[str], Iterator[Sequence[Value]]]:
    """The columns and rows of the rejects kept under a digest, as they were before they were made harmless. Raises NotFound."""
    try:
        path = rejects_store().path(digest)
    except NotFound:
        raise NotFound(
            sentence("There are no rejects {digest}: the refusal of a list names them.", digest=digest)
        ) from None
    return next(_read(path)), _rows(path)


def _read(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for cells in csv.reader(file):
            yield [original(cell) for cell in cells]


def _rows(path: Path) -> Iterator[Sequence[Value]]:
    return ((int(number), *cells) for number, *cells in islice(_read(path), 1, None))
