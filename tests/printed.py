"""What a printer makes of a PDF, and what a scanner reads there: rendered by pdfium, decoded by zxing-cpp."""

from __future__ import annotations

import pypdfium2
import zxingcpp
from PIL import Image

MILLIMETRES_AN_INCH = 25.4


def pages(pdf: bytes, dots_an_inch: int = 203) -> list[Image.Image]:
    """The pages at the fineness of a printer, in shades of grey."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=dots_an_inch / 72, grayscale=True).to_pil() for page in document]


def letters(pdf: bytes) -> str:
    """The text of all pages."""
    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


def scanned(picture: Image.Image) -> set[tuple[str, bytes]]:
    """What is read in a picture: kind of code and its bytes."""
    return {(code.format.name, code.bytes) for code in zxingcpp.read_barcodes(picture)}


def part(picture: Image.Image, dots_an_inch: int, x: float, y: float, width: float, height: float) -> Image.Image:
    """A part of a page, by millimetres."""
    scale = dots_an_inch / MILLIMETRES_AN_INCH
    return picture.crop((round(x * scale), round(y * scale), round((x + width) * scale), round((y + height) * scale)))
