"""The page that shows what a scanner sends and sets it up, with the set-up code to print and the camera to try. It asks
nothing of the books: what a scanner is like is known to the browser that it types into.
"""

from __future__ import annotations

from dataclasses import dataclass

import zxingcpp
from barcode.codex import Code128
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from PIL import Image

from api.dependencies import Asker
from api.pages import templates

router = APIRouter(include_in_schema=False)

SET_UP_TEXT = "0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ-/.:+_()[]>\x1e\x1d\x04SETUP"
"""What the set-up code says: `station/scanner/learn.js` expects the same."""

BAR = 0.27
"""Width of the narrowest bar in millimetres: the code is 17 cm wide, fits A4 and Letter, and is read from a hand's length."""
QUIET_BARS = 10
"""The blank before and after Code 128, in bars (ISO/IEC 15417)."""
QUIET_SQUARES = 4
"""The blank around QR, in squares (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A code as the path of an SVG: its width and height in modules, quiet zone included."""

    path: str
    width: int
    height: int


@router.get("/station/scanner", response_class=HTMLResponse)
def scanner(request: Request, actor: Asker) -> HTMLResponse:
    """The page of the scanner."""
    bars, squares = bars_of(SET_UP_TEXT), squares_of(SET_UP_TEXT)
    return templates.TemplateResponse(
        request,
        "station/scanner.html",
        {"version": request.app.version, "bars": bars, "squares": squares, "bars_width": round(bars.width * BAR)},
    )


def bars_of(text: str) -> Drawing:
    """A text as Code 128, one module high."""
    (modules,) = Code128(text).build()
    path = "".join(f"M{n + QUIET_BARS} 0h1v1h-1z" for n, module in enumerate(modules) if module == "1")
    return Drawing(path, len(modules) + 2 * QUIET_BARS, 1)


def squares_of(text: str) -> Drawing:
    """A text as QR."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image = Image.fromarray(code.to_image(scale=1, add_quiet_zones=False))
    squares = [(n % image.width, n // image.width) for n, dark in enumerate(image.tobytes()) if dark == 0]
    path = "".join(f"M{x + QUIET_SQUARES} {y + QUIET_SQUARES}h1v1h-1z" for x, y in squares)
    return Drawing(path, image.width + 2 * QUIET_SQUARES, image.height + 2 * QUIET_SQUARES)
