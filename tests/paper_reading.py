"""What a reader sees of a printed paper: its pages as text and as pictures, read by programs that nobody here wrote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pypdfium2
import zxingcpp
from PIL import Image

COARSE = 203
"""Dots to the inch of the coarsest printers in use."""
UNSEEN = "\u200b\u200c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe"
"""What steers lines and directions, and nobody sees."""


@dataclass(frozen=True)
class Letter:
    """A character where it stands: from its left edge, above the foot of the page, in points."""

    text: str
    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Sheet:
    """A page as it was printed."""

    text: str
    width: float
    height: float
    pdf: bytes
    number: int

    @cached_property
    def letters(self) -> tuple[Letter, ...]:
        """Every character that can be seen, where it stands."""
        document = pypdfium2.PdfDocument(self.pdf)
        text = document[self.number].get_textpage()
        try:
            found = []
            for index in range(text.count_chars()):
                character = text.get_text_range(index, 1)
                if character.strip() and character not in UNSEEN:
                    left, bottom, right, top = text.get_charbox(index, loose=True)
                    found.append(Letter(character, left, right, bottom, top))
            return tuple(found)
        finally:
            document.close()

    @property
    def sides(self) -> tuple[float, float]:
        """How far to the left and to the right something is written."""
        document = pypdfium2.PdfDocument(self.pdf)
        text = document[self.number].get_textpage()
        try:
            boxes = [text.get_rect(index) for index in range(text.count_rects())]
            return min(box[0] for box in boxes), max(box[2] for box in boxes)
        finally:
            document.close()

    def picture(self, dots: int = COARSE) -> Image.Image:
        """The page in grey, as a printer of so many dots to the inch puts it on paper."""
        document = pypdfium2.PdfDocument(self.pdf)
        try:
            return document[self.number].render(scale=dots / 72, grayscale=True).to_pil()
        finally:
            document.close()

    def codes(self, dots: int = COARSE) -> list[str]:
        """What a scanner reads from the page."""
        return sorted(code.text for code in zxingcpp.read_barcodes(self.picture(dots)))

    @property
    def seen(self) -> str:
        """The letters as the eye meets them, line by line from left to right, whatever order they are read in; without blanks."""
        lines: dict[int, list[Letter]] = {}
        for letter in sorted(self.letters, key=lambda letter: -letter.bottom):
            middle = round((letter.bottom + letter.top) / 2)
            near = next((line for line in lines if abs(line - middle) <= 3), middle)
            lines.setdefault(near, []).append(letter)
        return "\n".join(
            "".join(letter.text for letter in sorted(line, key=lambda letter: (letter.left + letter.right) / 2))
            for line in lines.values()
        )


def sheets(pdf: bytes) -> list[Sheet]:
    """The pages of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        said = "".join(one for one in text.get_text_bounded().replace("\r\n", "\n") if one not in UNSEEN)
        found.append(Sheet(said, page.get_width(), page.get_height(), pdf, number))
    document.close()
    return found


def words(pdf: bytes) -> str:
    """All that is written in a PDF, with single blanks."""
    return " ".join(" ".join(sheet.text.split()) for sheet in sheets(pdf))
