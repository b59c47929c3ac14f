"""Bar codes in a camera's picture: for browsers that can't read them by themselves. A picture is read and forgotten.

Reads what labels and marks bear (Code 128, Code 39, Data Matrix, QR, PDF417), no shop codes: those are short, and look like
them is what many things do.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore

import zxingcpp
from PIL import Image, UnidentifiedImageError

from stockpile.errors import UnreadableFile
from stockpile.evidence import has_too_many_scans
from stockpile.sentences import sentence

LARGEST_FRAME = 1024 * 1024
"""In bytes. A frame of 1,280 by 960 pixels as JPEG has a quarter of it."""
MOST_PIXELS = 4_000_000

_FORMATS = (
    zxingcpp.BarcodeFormat.Code128,
    zxingcpp.BarcodeFormat.Code39,
    zxingcpp.BarcodeFormat.DataMatrix,
    zxingcpp.BarcodeFormat.QRCode,
    zxingcpp.BarcodeFormat.PDF417,
)
_few_at_a_time = BoundedSemaphore(2)
"""Reading takes a processor's whole time; the counters' other requests need some too."""


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A code in a picture: its text, control characters included, and its kind."""

    text: str
    format: str


def read_codes(picture: bytes) -> tuple[CodeSeen, ...]:
    """The codes in a JPEG picture, each once. Raises UnreadableFile (no JPEG, damaged, too many pixels or scans)."""
    grey = _grey(picture)
    with _few_at_a_time:
        found = zxingcpp.read_barcodes(grey, formats=_FORMATS, text_mode=zxingcpp.TextMode.Plain)  # type: ignore[arg-type]
    seen = [CodeSeen(code.text, str(code.format)) for code in found if code.valid and code.text.strip()]
    return tuple(dict.fromkeys(seen))


def _grey(picture: bytes) -> Image.Image:
    if has_too_many_scans(picture):
        raise UnreadableFile(sentence("The picture is in too many passes: send a plain JPEG."))
    try:
        with Image.open(BytesIO(picture), formats=["JPEG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnreadableFile(
                    sentence("The picture has more than {most:,} pixels: send it smaller.", most=MOST_PIXELS)
                )
            return image.convert("L")
    except Image.DecompressionBombError:
        raise UnreadableFile(
            sentence("The picture has more than {most:,} pixels: send it smaller.", most=MOST_PIXELS)
        ) from None
    except UnidentifiedImageError:
        raise UnreadableFile(sentence("This is no JPEG picture.")) from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError):
        # What Pillow raises in the middle of damaged pictures; it promises no list of it.
        raise UnreadableFile(sentence("The picture is damaged: take it again.")) from None
