"""In which encoding a text file was written, found without being told.

What is certain is settled by rule (byte order marks, valid UTF-8); what is not is a guess over a bounded
sample, and says so. A byte foreign to the encoding is never replaced: it is marked, and its row rejected.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from charset_normalizer import from_bytes

from stockpile.registers.headings import recognise

LABELS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with byte order mark",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16, little-endian",
    "utf-16-be": "UTF-16, big-endian",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252, Western European",
    "cp1251": "Windows-1251, Cyrillic",
    "cp1256": "Windows-1256, Arabic",
    "cp1250": "Windows-1250, Central European",
    "cp1254": "Windows-1254, Turkish",
    "cp437": "DOS 437, Western",
    "cp850": "DOS 850, Western European",
    "cp866": "DOS 866, Cyrillic",
    "cp1125": "DOS 1125, Ukrainian",
    "koi8_u": "KOI8, Cyrillic",
    "iso8859_6": "ISO 8859-6, Arabic",
    "cp720": "DOS 720, Arabic",
    "mac_roman": "Macintosh, Western European",
}
"""Encodings that lists really come in, as the user is told of them."""

ONE_BYTE = tuple(LABELS)[6:]
"""Those that can only be guessed, the likelier first."""

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BLOCK = 1 << 20
SAMPLE = 1 << 16
INTRUDERS = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’´`](?=[^\W\d_])|[³¹¼½¾¤¦¨¬¯±¶¸¿](?=[^\W\d_A-Z])")
"""Signs within or before a word: what one encoding's letters become in another."""

MARKED = "stockpile.marked"
FIRST_MARK = 0xDC00


def mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Stand a lone surrogate, U+DC00 to U+DCFF, which no text contains, for each foreign byte."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(FIRST_MARK + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(MARKED, mark_undecodable)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A Python codec, and whether it is certain rather than the likeliest guess."""

    codec: str
    certain: bool

    @property
    def label(self) -> str:
        return LABELS.get(self.codec, self.codec)


def detect(file: BinaryIO) -> Encoding:
    """The encoding of a whole text file; reads it once, and once more in part if it is not UTF-8."""
    file.seek(0)
    start = file.read(SAMPLE)
    for mark, codec in MARKS:
        if start.startswith(mark):
            return Encoding(codec, certain=True)
    unmarked = wide_without_mark(start)
    if unmarked is not None:
        return Encoding(unmarked, certain=True)
    if is_utf8(file):
        return Encoding("utf-8", certain=True)
    return guess(list(telling_lines(file)))


def wide_without_mark(start: bytes) -> str | None:
    """UTF-16 without a byte order mark: its line ends are wide, and its letters of scripts we meet.

    Text of one byte a letter, read as UTF-16, is nearly all Chinese instead.
    """
    line_ends = start.count(b"\n" if b"\n" in start else b"\r")
    for codec in ("utf-16-le", "utf-16-be"):
        try:
            text = codecs.getincrementaldecoder(codec)().decode(start)
        except UnicodeDecodeError:
            continue
        wide_ends = len(re.findall(r"\r?\n|\r", text))
        ours = sum(letter < "\u2000" for letter in text)
        if wide_ends > line_ends * 0.6 and ours > len(text) * 0.7:
            return codec
    return None


def is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def telling_lines(file: BinaryIO) -> Iterator[bytes]:
    """The first lines that are not plain ASCII, wherever they stand in the file: a bounded sample."""
    file.seek(0)
    taken = 0
    while block := file.read(BLOCK):
        if block.isascii():
            continue
        for line in re.split(rb"[\r\n]+", block):
            if not line.isascii():
                yield line[:SAMPLE]
                taken += len(line)
                if taken > SAMPLE:
                    return


def guess(lines: list[bytes]) -> Encoding:
    """UTF-8 with damaged bytes if most lines are valid; else the encoding in which the text reads best."""
    if sum(decodes(line, "utf-8") for line in lines) * 2 >= len(lines):
        return Encoding("utf-8", certain=True)
    sample = b"\n".join(lines)
    disorder = {
        codec: round(match.chaos, 1)
        for match in from_bytes(sample, cp_isolation=list(ONE_BYTE))
        for codec in match.could_be_from_charset
    }
    texts = {codec: sample.decode(codec) for codec in ONE_BYTE if decodes(sample, codec)}
    known = {codec: known_headings(text) for codec, text in texts.items()}

    def unlikeliness(codec: str) -> tuple[int, int, float]:
        return -known[codec], len(INTRUDERS.findall(texts[codec])), disorder.get(codec, 1.0)

    best = min(texts, key=unlikeliness, default="cp1252")
    return Encoding(best, certain=known.get(best, 0) > 0)


def decodes(text: bytes, codec: str) -> bool:
    try:
        text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def known_headings(text: str) -> int:
    """How many cells that need this encoding (not plain ASCII) name a column we know."""
    cells = re.split(r'[,;\t|\n"]', text[:20_000])
    return sum(not cell.isascii() and recognise(cell.strip()) is not None for cell in cells)
