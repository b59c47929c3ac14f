"""A sheet of xlsxwriter's that takes a row at a time and writes it at once. Book, styles and packing are the library's; cell by
cell it takes four times as long. Text is always written as text, whatever it looks like, and never as mark-up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from uuid import UUID

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

Value = str | int | float | Decimal | date | UUID | None
"""What a cell may hold; a `datetime` is a `date`, a `bool` an `int`."""

EXACT_DIGITS = 10**15
"""A spreadsheet keeps 15 digits of a number."""

NOT_AS_IT_STANDS = re.compile(r"[&<>\x00-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\s|\s$")
"""What of a text XML can't hold as it stands."""


class WholeRows(Worksheet):  # type: ignore[misc]
    """A sheet of a book in constant memory. After `begin` its rows come from `write_values` alone, in their order."""

    def begin(self, columns: int, moment: Format) -> None:
        """Before the first row, after the headings: how many columns, and how a moment is shown."""
        self._write_single_row()
        self.names = [xl_col_to_name(column) for column in range(columns)]
        self.moment_style = moment._get_xf_index()
        self.day_style = self.default_date_format._get_xf_index()
        self._check_dimensions(0, max(columns - 1, 0))

    def write_values(self, row: int, values: Sequence[Value]) -> int:
        """Writes a row, counted from 0; what is None or empty has no cell. How many characters that took."""
        number = str(row + 1)
        cells = []
        for name, value in zip(self.names, values, strict=True):
            if type(value) is str:
                if value and NOT_AS_IT_STANDS.search(value):
                    cells.append(f'<c r="{name}{number}"{self._text(value)}</c>')
                elif value:
                    cells.append(f'<c r="{name}{number}" t="inlineStr"><is><t>{value}</t></is></c>')
            elif value is not None:
                cells.append(f'<c r="{name}{number}"{self._cell(value)}</c>')
        taken = self.fh.write(f'<row r="{number}">{"".join(cells)}</row>')
        self.previous_row = self.dim_rowmax = row
        return int(taken)

    def _cell(self, value: Value) -> str:
        """The rest of a cell's tag and what is in it."""
        match value:
            case bool():
                return f' t="b"><v>{value:d}</v>'
            case datetime():
                return f' s="{self.moment_style}"><v>{self._convert_date_time(value):.16G}</v>'
            case date():
                return f' s="{self.day_style}"><v>{self._convert_date_time(value):.16G}</v>'
            case UUID():
                return f' t="inlineStr"><is><t>{value}</t></is>'
            case int() | float() | Decimal() if isfinite(value) and abs(float(value)) < EXACT_DIGITS:
                return f"><v>{value:.16G}</v>"
            case _:
                return self._text(str(value))

    def _text(self, text: str) -> str:
        space = ' xml:space="preserve"' if text != text.strip() else ""
        return f' t="inlineStr"><is><t{space}>{self._escape_data(self._escape_control_characters(text))}</t></is>'
