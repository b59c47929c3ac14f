"""A checkpoint on paper: the QR code of a daily sheet, read in its PDF, a scan or a photograph. It needs no books; whether what the
code says is signed is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pypdfium2
import zxingcpp
from PIL import Image, UnidentifiedImageError

from stockpile.errors import UnreadableFile

PDF = b"%PDF-"
LARGEST = 50_000_000
"""Bytes of a picture or PDF."""
MOST_PAGES = 20
MOST_PIXELS = 80_000_000
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
DOTS = 300
"""To the inch, at which a page of a PDF is looked at."""
LARGEST_PAGE = 1_200
"""Points of a page's longer side: larger ones are looked at less closely, so that none takes all memory."""
BLANK_LINE = "\n\n"
"""Between the text of a signed note and its signatures."""


_FORMATS: Any = zxingcpp.BarcodeFormat.QRCode


def note_on_paper(content: bytes) -> str:
    """The note that a picture or PDF shows as a code. Raises UnreadableFile (too large, damaged, no code, several)."""
    if len(content) > LARGEST:
        raise UnreadableFile(f"The file is larger than {LARGEST // 1_000_000} MB: cut out or scan the sheet alone.")
    pictures = _pages(content) if content.startswith(PDF) else iter([_picture(content)])
    notes = dict.fromkeys(code.text for picture in pictures for code in _codes(picture) if BLANK_LINE in code.text)
    if not notes:
        raise UnreadableFile(
            "No checkpoint's code can be read in it. Photograph the code straight from above, filling the picture; or give a "
            "file with the text beside it."
        )
    if len(notes) > 1:
        raise UnreadableFile("It shows several checkpoints: pin one after the other.")
    return next(iter(notes))


def _codes(picture: Image.Image) -> list[zxingcpp.Barcode]:
    return [code for code in zxingcpp.read_barcodes(picture, formats=_FORMATS) if code.valid]


def _picture(content: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnreadableFile(f"The picture has more than {MOST_PIXELS:,} pixels: cut out the code.")
            return image.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise UnreadableFile("It is neither a checkpoint's text in UTF-8 nor a picture or PDF of one.") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError):
        # What Pillow raises in the middle of damaged pictures; it promises no list of it.
        raise UnreadableFile("The picture is damaged: take it again.") from None


def _pages(content: bytes) -> Iterator[Image.Image]:
    try:
        with pypdfium2.PdfDocument(content) as document:
            for number in range(min(len(document), MOST_PAGES)):
                page = document[number]
                scale = DOTS / 72 * min(1, LARGEST_PAGE / max(page.get_size()))
                yield page.render(scale=scale, grayscale=True).to_pil()
    except pypdfium2.PdfiumError:
        raise UnreadableFile("The PDF is damaged or locked.") from None
