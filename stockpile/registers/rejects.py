"""The rows of a list that could not be taken, each with its number, the reason, and what it said.

They wait in a temporary file, so that half a million bad rows cost no memory, and come out as a CSV that can
be mended and sent again. Nothing is ever dropped from it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from stockpile.registers.characters import visible
from stockpile.registers.write import Value, write_csv

IN_MEMORY = 1 << 20


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

    def first(self, count: int) -> list[Reject]:
        """The first few, to show."""
        return list(islice(self, count))

    def write(self, target: Path | BinaryIO, headers: Sequence[str]) -> None:
        """Write them as CSV: row, reason, then the list's own columns."""
        rows: Iterator[Sequence[Value]] = ((reject.number, reject.reason, *reject.cells) for reject in self)
        write_csv(target, ("row", "reason", *headers), rows)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
