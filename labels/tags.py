"""The asset tag as a label: Code 128, with the tag and the weapon in letters below, as SVG for any label printer.

The code holds the tag alone. What a scanner reads is what `stockpile find` takes.
"""

from __future__ import annotations

from barcode.codex import Code128
from barcode.writer import SVGWriter

BAR = 0.33
"""Width of the narrowest bar in millimetres (13 mil): read from an arm's length by a hand scanner."""
HEIGHT = 12.0
QUIET = 10 * BAR
"""The blank before and after, ten bars wide (ISO/IEC 15417)."""


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
