"""Characters that have no business in a list: those that steer a device or turn text about, unseen.

A serial number with one hidden in it looks like another; so a cell that holds one is refused, never cleaned.
"""

from __future__ import annotations

import re
import unicodedata

from stockpile.registers.text_encoding import FIRST_MARK
from stockpile.sentences import sentence

LINE_BREAKS = "\t\n\r"
"""The only control characters a cell may hold, inside it: spreadsheets put them there (Alt+Enter)."""

FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls, line and paragraph separators, everything bidirectional that is invisible, and marked bytes."""

UNSEEN = re.compile(r"[\xa0\xad\u180e\u2000-\u200d\u202f\u205f-\u2065\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]")
"""Characters a reader can't see or tell from a space, allowed in text but worth a word in an identifier."""

CONTROL_NAMES = {
    0x00: "NUL",
    0x07: "bell",
    0x08: "backspace",
    0x0B: "vertical tab",
    0x0C: "page break",
    0x1A: "end of file",
    0x1B: "escape",
    0x7F: "delete",
}


def forbidden_character(cell: str) -> str | None:
    """What the first forbidden character of a cell is, in words, if there is one."""
    found = FORBIDDEN.search(cell)
    return None if found is None else describe(found[0])


def describe(character: str) -> str:
    """A character in words: "U+202E, right-to-left override"."""
    point = ord(character)
    if FIRST_MARK <= point < FIRST_MARK + 0x100:
        return sentence(
            "the byte {point:02X} (hexadecimal), which is no character in this encoding", point=point - FIRST_MARK
        )
    if point < 0x20 or 0x7F <= point < 0xA0:
        return sentence(
            "the control character U+{point:04X} ({name})", point=point, name=CONTROL_NAMES.get(point, "unnamed")
        )
    return sentence(
        "the invisible character U+{point:04X} ({name})",
        point=point,
        name=unicodedata.name(character, "unnamed").lower(),
    )


def visible(text: str) -> str:
    """The text to be shown: each forbidden character written out, \\u202e, and each marked byte, \\x8f."""
    return text if text.isprintable() else FORBIDDEN.sub(lambda found: escape(found[0]), text)


def escape(character: str) -> str:
    point = ord(character)
    if FIRST_MARK <= point < FIRST_MARK + 0x100:
        return f"\\x{point - FIRST_MARK:02x}"
    return f"\\u{point:04x}"
