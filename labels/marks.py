"""Square codes as grids of modules, drawn by zxing-cpp: a Data Matrix with a UII in the envelope of ISO/IEC 15434, and QR.

Every character of the content is encoded as it is, control characters too. What could not be read back as the same UII is
refused, never printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import zxingcpp

from labels.tags import Code
from stockpile.errors import Invalid
from stockpile.marks import EOT, GS, HEADER, RS, read_mark
from stockpile.sentences import sentence

QUIET_MODULES = {Code.DATA_MATRIX: 1, Code.QR: 4}
"""The blank around, in modules (ISO/IEC 16022 and 18004)."""

_FORMATS = {Code.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix, Code.QR: zxingcpp.BarcodeFormat.QRCode}
# A QR label is read at arm's length and gets scratched: level M restores 15 %.
_OPTIONS: dict[Code, dict[str, object]] = {Code.DATA_MATRIX: {"force_square": True}, Code.QR: {"ec_level": "M"}}


@dataclass(frozen=True, slots=True)
class Grid:
    """A square code: rows of modules, True for dark, without the blank around."""

    rows: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules on a side."""
        return len(self.rows)

    def rectangles(self) -> Iterator[tuple[int, int, int, int]]:
        """The dark area as rectangles that do not overlap: column, row, width and height in modules."""
        growing: dict[tuple[int, int], int] = {}
        for y, row in enumerate((*self.rows, ())):
            runs = set(_runs(row))
            for run in [one for one in growing if one not in runs]:
                since = growing.pop(run)
                yield run[0], since, run[1], y - since
            for run in runs:
                growing.setdefault(run, y)


def _runs(row: tuple[bool, ...]) -> Iterator[tuple[int, int]]:
    """Where dark modules stand side by side: the first, and how many."""
    begun = None
    for x, dark in enumerate((*row, False)):
        if dark and begun is None:
            begun = x
        elif not dark and begun is not None:
            yield begun, x - begun
            begun = None


def square(code: Code, content: str) -> Grid:
    """The square code that holds a content, to the character. Raises ValueError where it is empty or too long for one."""
    if not content:
        raise ValueError(sentence("a code holds something"))
    spelling = {} if content.isascii() else {"eci": "UTF-8"}
    drawn = zxingcpp.create_barcode(content, _FORMATS[code], **_OPTIONS[code], **spelling)
    picture: Any = drawn.to_image(scale=1, add_quiet_zones=False)
    modules: Any = memoryview(picture).tolist()
    return Grid(tuple(tuple(not light for light in row) for row in modules))


# ISO/IEC 16022 table 7: modules on a side of a square symbol, and how many codewords of data it has.
_CAPACITY = (
    (10, 3), (12, 5), (14, 8), (16, 12), (18, 18), (20, 22), (22, 30), (24, 36), (26, 44), (32, 62), (36, 86), (40, 114), (44, 144),
    (48, 174), (52, 204),
)  # fmt: skip


def plain_data_matrix(content: str) -> int:
    """Modules on a side of the largest Data Matrix that an encoder makes of a content: one that packs pairs of digits, and nothing
    else. Raises ValueError where it is too long for a label.
    """
    codewords = len(re.sub("[0-9]{2}", "0", content))
    size = next((size for size, capacity in _CAPACITY if codewords <= capacity), None)
    if size is None:
        raise ValueError(sentence("too long for the Data Matrix of a label"))
    return size


def uii_envelope(uii: str, format: str = "06") -> str:
    """What a Data Matrix with a UII holds: an ISO/IEC 15434 envelope in format 06 (identifier 25S) or 12 (UID), in which the UII
    stands in one piece, as the books have it.

    Raises Invalid for a UII that does not begin with an agency's code, and so could not be read back as itself.
    """
    element = {"06": f"25S{uii}", "12": f"UID {uii}"}[format]
    text = f"{HEADER}{RS}{format}{GS}{element}{RS}{EOT}"
    mark = read_mark(text)
    if mark is None or mark.uii != uii:
        raise Invalid(sentence("The UII {uii} would not read back as itself.", uii=uii))
    return text
