"""Barcodes as drawings: Code 128 as long as it fits its place, else a QR code. Each bar is a whole number of dots at 203 dpi."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import zxingcpp
from barcode.codex import Code128

DOT = 25.4 / 203
"""A dot of the coarsest printers in use, in millimetres."""
BAR = 2 * DOT
"""The narrowest bar of Code 128: a quarter of a millimetre."""
QUIET = 10
"""The blank before and after Code 128, in bars (ISO/IEC 15417)."""
SQUARE = 4 * DOT
"""A square of a QR code: half a millimetre."""
HEIGHT = 9.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """A code as an SVG document, and how large it is printed, in millimetres."""

    text: str
    svg: str
    width: float
    height: float


def code_of(text: str, widest: float) -> Drawing:
    """The code of a text in a place so many millimetres wide."""
    drawn = code_128(text) if text.isascii() else None
    return drawn if drawn is not None and drawn.width <= widest else qr_code(text)


def code_128(text: str) -> Drawing:
    """Code 128 without letters below."""
    modules = Code128(text).build()[0]
    path, x = [], QUIET
    for dark, run in groupby(modules):
        width = len(list(run))
        if dark == "1":
            path.append(f"M{x} 0h{width}v1h-{width}z")
        x += width
    return _drawing(text, "".join(path), x + QUIET, 1, BAR, HEIGHT)


def qr_code(text: str) -> Drawing:
    """A QR code with its quiet zone of four squares. What is not ASCII is written in UTF-8, and the code says so."""
    said = {} if text.isascii() else {"eci": "UTF-8"}
    image = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M", **said).to_image(
        scale=1, add_quiet_zones=True
    )
    rows: list[list[int]] = memoryview(image).tolist()  # type: ignore[arg-type, assignment]
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, shade in enumerate(row) if shade < 128)
    side = len(rows)
    return _drawing(text, path, side, side, SQUARE, side * SQUARE)


def _drawing(text: str, path: str, columns: int, rows: int, module: float, height: float) -> Drawing:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns}" height="{rows}" viewBox="0 0 {columns} {rows}" '
        f'preserveAspectRatio="none" shape-rendering="crispEdges"><path d="{path}"/></svg>'
    )
    return Drawing(text, svg, columns * module, height)
