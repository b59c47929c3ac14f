"""How a weapon is told from another: serial key, fold, the key of uniqueness, the asset tag and partial
serials.

Pure functions, called for every line of a receipt. The serial number itself is kept as marked, to the
character, and never changed here; the serial key decides uniqueness; the fold may only find near matches,
never decide that two weapons are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from stdnum.iso7064 import mod_37_36

from stockpile.errors import Fault, Invalid
from stockpile.sentences import of_the_books, sentence

LONGEST_SERIAL = 64
"""Characters of a serial number as marked; longer ones seen in lists were two cells run together."""

BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the order text is shown in, and so let a serial number look like another."""

# Read as a dash but not of Unicode's dash category: hyphen bullet, minus, superscript and subscript minus,
# Arabic tatweel.
DASHES_OUTSIDE_CATEGORY = "\u2043\u2212\u207b\u208b\u0640"

# Look-alikes of the fold. Each row: what they all become, then what is taken for it, as seen on worn metal,
# in handwriting and in lists typed on the wrong keyboard. Capitals only: the serial key has no small letters.
# fmt: off
LOOK_ALIKE_ROWS: tuple[tuple[str, str, str], ...] = (
    # becomes, Latin, Cyrillic and Greek
    ("0", "OØ", "ОѲӨΟΘ"),
    ("1", "ILŁ", "ІӀΙ"),
    ("2", "Z", "Ζ"),
    ("3", "", "ЗӠ"),
    ("5", "S", "Ѕ"),
    ("8", "B", "ВΒ"),
    ("A", "", "АΑ"),
    ("C", "", "СϹ"),
    ("D", "ĐÐ", ""),
    ("E", "", "ЕΕ"),
    ("H", "", "НҺΗ"),
    ("J", "", "ЈͿ"),
    ("K", "", "КΚ"),
    ("M", "", "МΜ"),
    ("N", "", "Ν"),
    ("P", "", "РΡ"),
    ("Q", "", "Ԛ"),
    ("T", "", "ТΤ"),
    ("W", "", "Ԝ"),
    ("X", "", "ХΧ"),
    ("Y", "", "УҮΥ"),
    # Persian and Arabic keyboards write one letter with two characters.
    ("\u064a", "", "\u06cc\u0649"),
    ("\u0643", "", "\u06a9"),
    ("\u0647", "", "\u0629\u06c1\u06d5"),
)
# fmt: on

LOOK_ALIKES = {ord(character): target for target, latin, others in LOOK_ALIKE_ROWS for character in latin + others}


def _ascii_table(merge_look_alikes: bool) -> dict[int, str | None]:
    """Every ASCII character's part in a key, so that plain serials take one pass of `str.translate`."""
    table: dict[int, str | None] = {}
    for code in range(128):
        character = chr(code).upper()
        if character.isspace() or character == "-":
            table[code] = None
        else:
            table[code] = LOOK_ALIKES.get(ord(character), character) if merge_look_alikes else character
    return table


_ASCII_KEY = _ascii_table(merge_look_alikes=False)
_ASCII_FOLD = _ascii_table(merge_look_alikes=True)


@lru_cache(maxsize=4096)
def _key_character(character: str) -> str:
    """What one character gives to the serial key: nothing, its decimal digit, or itself.

    Nothing: blanks, dashes, and characters without a shape of their own (bidi controls, joiners, byte order
    mark).
    """
    category = unicodedata.category(character)
    if character.isspace() or category in ("Pd", "Cf") or character in DASHES_OUTSIDE_CATEGORY:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return character


def _normalised(text: str) -> str:
    compatible = unicodedata.normalize("NFKC", "".join(map(_key_character, text)))
    capitals = unicodedata.normalize("NFKC", compatible.upper())
    return "".join(map(_key_character, capitals))


def serial_key(serial: str) -> str:
    """The exact but normalised key of a serial number (DESIGN section 4).

    Capitals; no blanks, dashes or invisible characters; digits of any script as 0-9; Unicode NFKC. Dots,
    slashes and all other signs stay: they tell serials apart. Idempotent. An empty key means the text holds
    nothing that tells a weapon.
    """
    if serial.isascii():
        return serial.upper() if serial.isalnum() else serial.translate(_ASCII_KEY)
    key = _normalised(serial)
    # What is dropped may bring a letter and its accent together, so one pass is not always the last.
    while (again := _normalised(key)) != key:
        key = again
    return key


def fold(serial: str) -> str:
    """The serial key with look-alikes merged and accents dropped, for search and near matches only.

    The table is `LOOK_ALIKE_ROWS`. Idempotent, and `fold(serial) == fold(serial_key(serial))`.
    """
    if serial.isascii():
        return serial.translate(_ASCII_FOLD)
    return _folded(serial_key(serial))


def _folded(key: str) -> str:
    apart = unicodedata.normalize("NFKD", key)
    bare = "".join(character for character in apart if unicodedata.category(character) != "Mn")
    return unicodedata.normalize("NFKC", bare).translate(LOOK_ALIKES)


def maker_key(maker: str) -> str:
    """A maker's name as it counts for uniqueness: letters and digits of its serial key, so never a slash."""
    return "".join(character for character in serial_key(maker) if character.isalnum())


def identity_key(maker: str, model_id: object, key: str) -> str:
    """The key of uniqueness: maker, model and serial key. `model_id` is the model's UUID.

    Neither of the first two parts can hold a slash, so two weapons never share a key by accident of spelling.
    """
    return _identity_of_model(maker, model_id) + key


@lru_cache(maxsize=4096)
def _identity_of_model(maker: str, model_id: object) -> str:
    return f"{maker_key(maker)}/{model_id}/"


# ASCII's control characters by their usual names, as `unicodedata` has none for them.
_CONTROL_NAMES = {
    0: "NUL",
    4: "EOT",
    9: "TAB",
    10: "LINE FEED",
    13: "CARRIAGE RETURN",
    27: "ESCAPE",
    29: "GS",
    30: "RS",
}


def character_name(character: str) -> str:
    """A character as a message names it: code point and name, safe to show even where the character is
    not.
    """
    name = _CONTROL_NAMES.get(ord(character)) or unicodedata.name(character, unicodedata.category(character))
    return sentence("U+{character:04X} ({name})", character=ord(character), name=name)


def shown(text: str, longest: int = 80) -> str:
    """The text with what cannot or must not be displayed written out, cut to `longest`: for faults and
    messages.
    """
    visible = "".join(f"<U+{ord(c):04X}>" if _forbidden(c) else c for c in text[: longest + 1])
    return visible if len(visible) <= longest else visible[:longest] + "…"


def _forbidden(character: str) -> str | None:
    """Why a character cannot stand in a serial number; None if it can."""
    category = unicodedata.category(character)
    if category == "Cc":
        return sentence("a control character")
    if character in BIDI_CONTROLS:
        return sentence("a character that turns the reading direction")
    if category in ("Zl", "Zp"):
        return sentence("a line break")
    if category == "Cs" or character == "\ufffd":
        return sentence("left over from a file read in the wrong encoding")
    return None


def character_fault(text: str, field: str) -> Fault | None:
    """The first character of `text` that no serial number, mark or name can have, as a fault naming it;
    else None.
    """
    if text.isascii() and text.isprintable():
        return None
    for position, character in enumerate(text, start=1):
        if why := _forbidden(character):
            name = character_name(character)
            message = sentence(
                "Character {position} of the {field} is {name}, {why}. Type it again without that.",
                position=position,
                field=of_the_books(field),
                name=name,
                why=why,
            )
            return Fault(message, field=field, value=shown(text))
    return None


def scripts_of(text: str) -> list[str]:
    """The scripts that the letters of a text are of, such as Cyrillic and Latin: of several, look-alikes may have been mixed."""
    return sorted({unicodedata.name(letter, "unknown").split()[0].capitalize() for letter in text if letter.isalpha()})


def check_serial(text: str) -> str:
    """The serial number as it is to be kept: `text` without the blanks around it.

    Raises `Invalid`, with a fault naming character or length, if it is empty, has nothing but blanks and
    dashes, is longer than 64 characters, or holds NUL, another control character or a bidirectional control.
    """
    serial = text.strip(" \u00a0")
    if fault := character_fault(serial, "serial number") or _serial_fault(serial):
        raise Invalid(fault.message, (fault,))
    return serial


def _serial_fault(serial: str) -> Fault | None:
    if not serial:
        return Fault(
            sentence("The serial number is empty. Type it as it is on the weapon, or say that the weapon has none."),
            field="serial number",
        )
    if len(serial) > LONGEST_SERIAL:
        message = sentence(
            "The serial number has {count} characters; at most {most} are possible. Check "
            "whether two cells ran together.",
            count=len(serial),
            most=LONGEST_SERIAL,
        )
        return Fault(message, field="serial number", value=shown(serial))
    if not serial_key(serial):
        message = sentence(
            "The serial number has only blanks and dashes. Type it as it is on the weapon, or say "
            "that the weapon has none."
        )
        return Fault(message, field="serial number", value=shown(serial))
    return None


TAG_PREFIX = "SP"
"""What an asset tag begins with: so a scanned tag is not mistaken for a serial number."""

LARGEST_TAG = 2**63 - 1
"""The database's bigint."""

_BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TAG = re.compile(rf"{TAG_PREFIX}([0-9A-Z]{{6,13}})([0-9A-Z])")


def asset_tag(number: int) -> str:
    """The asset tag of an item's tag number: `SP-`, the number in base 36 with at least six digits, a
    check character.

    The check character is ISO 7064 Mod 37,36 over prefix and number: it finds every single wrong character
    and nearly all swapped neighbours. Raises ValueError outside 0 to 2^63 - 1.
    """
    if not 0 <= number <= LARGEST_TAG:
        raise ValueError(sentence("no asset tag has the number {number}", number=number))
    digits = ""
    rest = number
    while rest:
        rest, digit = divmod(rest, 36)
        digits = _BASE_36[digit] + digits
    body = digits.rjust(6, "0")
    return f"{TAG_PREFIX}-{body}-{mod_37_36.calc_check_digit(TAG_PREFIX + body)}"


def read_asset_tag(text: str) -> int | None:
    """The tag number of an asset tag in any case, with or without blanks and dashes.

    None if the text is no tag, or its check character does not fit: a misread tag must not find another
    weapon.
    """
    if len(text) > LONGEST_SERIAL:
        return None
    key = serial_key(text)
    match = _TAG.fullmatch(key)
    if match is None:
        return None
    number = int(match[1], 36)
    if number > LARGEST_TAG or serial_key(asset_tag(number)) != key:
        return None
    return number


class PatternKind(StrEnum):
    """How a serial as typed is to be searched for."""

    EXACT = "exact"
    PREFIX = "prefix"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class SerialPattern:
    """A serial as typed, ready for SQL.

    `like` is the LIKE pattern, escaped with a backslash. `first` and `before` bound the keys that begin as
    the pattern does (`key >= first AND key < before` under collation "C"); both None if the pattern begins
    with a wild card. EXACT: look for `first`. PREFIX: the range alone answers. PATTERN: the range narrows,
    `like` decides.
    """

    kind: PatternKind
    like: str
    first: str | None
    before: str | None


_WILD_CARDS = {"?": "_", "*": "%"}
# The Arabic question mark has no compatibility form; the full-width ones come from East Asian keyboards.
_OTHER_WILD_CARDS = str.maketrans({"\u061f": "?", "\uff1f": "?", "\uff0a": "*", "\u066d": "*"})


def scan_pattern(text: str, key: Callable[[str], str] = serial_key) -> SerialPattern:
    """What to search for when a clerk types a serial, `?` for one unreadable character and `*` for any
    number of them.

    `key` is the key the column holds: `serial_key`, or `fold` to search for look-alikes too. Raises `Invalid`
    for text without a single readable character, longer than 64, or with characters no serial has.
    """
    if fault := character_fault(text, "search"):
        raise Invalid(fault.message, (fault,))
    if len(text) > LONGEST_SERIAL:
        message = sentence(
            "The search has {count} characters; at most {most} are possible. Shorten it.",
            count=len(text),
            most=LONGEST_SERIAL,
        )
        raise Invalid(message, (Fault(message, field="search", value=shown(text)),))
    split = re.split(r"(\?|\*+)", text.translate(_OTHER_WILD_CARDS))
    pieces = [piece[0] if piece[:1] in _WILD_CARDS else key(piece) for piece in split]
    pieces = [piece for piece in pieces if piece]
    if not any(piece not in _WILD_CARDS for piece in pieces):
        message = sentence("The search has no letter or digit. Type at least one character of the serial number.")
        raise Invalid(message, (Fault(message, field="search", value=shown(text)),))
    return _pattern(pieces)


def _pattern(pieces: list[str]) -> SerialPattern:
    prefix = pieces[0] if pieces[0] not in _WILD_CARDS else None
    like = "".join(_WILD_CARDS.get(piece) or _escaped(piece) for piece in pieces)
    kind = PatternKind.PATTERN
    if pieces == [prefix]:
        kind = PatternKind.EXACT
    elif pieces == [prefix, "*"]:
        kind = PatternKind.PREFIX
    return SerialPattern(kind, like, prefix, _after(prefix) if prefix is not None else None)


def _escaped(piece: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", piece)


def _after(prefix: str) -> str | None:
    """The least text greater than all that begin with `prefix`, in code point order; None if there is
    none.
    """
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1]) + 1
        if code == 0xD800:
            code = 0xE000
        if code <= 0x10FFFF:
            return prefix[: end - 1] + chr(code)
    return None
