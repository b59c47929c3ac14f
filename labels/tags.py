"""What stands on a label, and its one-dimensional code: Code 128, as bars to draw and, for a single tag, as SVG for any
label printer. A code holds what `stockpile find` takes, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from barcode.codex import Code128
from barcode.errors import BarcodeError
from barcode.writer import SVGWriter

from stockpile.sentences import sentence

BAR = 0.33
"""Width of the narrowest bar in millimetres (13 mil): read from an arm's length by a hand scanner."""
HEIGHT = 12.0
QUIET_BARS = 10
"""The blank before and after, in narrowest bars (ISO/IEC 15417)."""
QUIET = QUIET_BARS * BAR


class Code(StrEnum):
    """A kind of code on a label."""

    CODE_128 = "code-128"
    DATA_MATRIX = "data-matrix"
    QR = "qr"


SQUARE = (Code.DATA_MATRIX, Code.QR)


@dataclass(frozen=True, slots=True)
class Label:
    """One label: `name` in the largest letters, `lines` below it, and what its codes hold. At most one code is square."""

    name: str
    lines: tuple[str, ...] = ()
    bars: str | None = None
    square: str | None = None
    square_code: Code = Code.QR


def takes_code_128(text: str) -> bool:
    """Whether Code 128 can hold a text: ASCII that can be printed."""
    return bool(text) and text.isascii() and text.isprintable()


def code_128(text: str) -> str:
    """The bars of a text: `1` a dark module, `0` a light one, without the blank around. Raises ValueError for a text that it
    cannot hold.
    """
    if not takes_code_128(text):
        raise ValueError(sentence("Code 128 cannot hold {text!r}", text=text))
    try:
        return str(Code128(text).build()[0])
    except BarcodeError as problem:
        raise ValueError(str(problem)) from None


def asset_tag_label(tag: str, *named: str) -> bytes:
    """The label of a tag, e.g. `SP-000001-A`, with the lines that name the weapon, as an SVG document."""
    drawn = Code128(tag, writer=SVGWriter()).render(
        {
            "module_width": BAR,
            "module_height": HEIGHT,
            "quiet_zone": QUIET,
            "font_size": 9,
            "text_distance": 4.0,
            "text_line_distance": 1.5,
        },
        text="\n".join((tag, *named)),
    )
    return bytes(drawn)
