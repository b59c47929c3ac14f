"""How a stored list would be read: its columns, what each seems to be, and its first rows. Decides and keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from stockpile.files import file_store
from stockpile.registers.mapping import guess
from stockpile.registers.read import open_list

ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """A list before it is used: `columns` are our fields by the file's columns, as far as they can be told."""

    sheet: str | None
    headers: tuple[str, ...]
    columns: dict[str, str]
    doubtful: dict[str, str]
    unplaced: dict[str, str]
    remarks: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def preview(sha256: str, name: str, sheet: str | None = None) -> Preview:
    """The preview of a stored file. Raises NotFound, UnreadableFile."""
    with open_list(file_store().path(sha256), name, sheet=sheet) as opened:
        rows = tuple((row.number, row.cells) for row in islice(opened.rows(), ROWS_SHOWN))
        proposal = guess(opened.headers)
        columns = {str(field): column for field, column in proposal.mapping.columns}
        return Preview(
            opened.sheet, opened.headers, columns, proposal.doubtful, proposal.unplaced, tuple(opened.remarks), rows
        )
