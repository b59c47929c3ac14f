"""What a serial number may be that somebody read wrong or in part: every fold that is one character away, those that are two away and
likely, and what unreadable characters may stand for. Pure: whoever looks them up decides nothing here.

A weapon found abroad was read by a stranger, often in another script, off worn metal. Spelling out the possible numbers costs some
thousand looks at one index, however many weapons there are; comparing with every weapon would read them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from rapidfuzz.distance import Levenshtein

from stockpile.identity import fold

DIGITS = "0123456789"
LETTERS = "".join(dict.fromkeys(map(fold, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
OTHER_SCRIPTS = "".join(
    dict.fromkeys(
        fold(letter)
        for letter in "БГДЖИЙЛПФЦЧШЩЪЫЬЭЮЯЄЇҐЂЋЉЊЏ"
        + "ΓΔΛΞΠΣΦΨΩ"
        + "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
        + "אבגדהוזחטיכלמנסעפצקרשת"
        if len(fold(letter)) == 1
    )
)
SIGNS = "/.*#+_()"
COMMON = "".join(dict.fromkeys(DIGITS + LETTERS))
"""What most numbers are made of, look-alikes merged."""
ALPHABET = "".join(dict.fromkeys(COMMON + OTHER_SCRIPTS + SIGNS))
"""What stands for a character that was read wrong or left out."""
LONGEST = 24
"""Longer texts are no serial number as weapons bear them; of these only what is the same is sought."""
SHORTEST_FOR_TWO = 5
"""Of shorter numbers two characters are too many to be called near."""
MOST_UNREADABLE = 2
"""So many unreadable characters are spelled out; a number with more is sought by its beginning."""

CONFUSED = frozenset(
    frozenset(pair)
    for pair in (
        "38", "17", "56", "08", "68", "49", "14", "27", "3E", "0D", "0Q", "CG", "EF", "UV", "VY", "PR", "MN", "KX", "6G", "7T", "4A", "HN",
        "VW", "PF", "1T", "1J", "89", "35", "5G", "DP",
    )
)  # fmt: skip
"""Pairs that worn metal and handwriting make alike, beyond what the fold merges."""


def one_away(folded: str) -> set[str]:
    """Every fold with one character read wrong, left out or added, and with two neighbours swapped; the fold itself is none of them."""
    if len(folded) > LONGEST:
        return set()
    characters = "".join(dict.fromkeys(ALPHABET + folded))
    found = {folded[:place] + folded[place + 1 :] for place in range(len(folded))}
    for place in range(len(folded) + 1):
        before, after, beyond = folded[:place], folded[place:], folded[place + 1 :]
        found.update(before + character + after for character in characters)
        if place < len(folded):
            found.update(before + character + beyond for character in characters)
    found.update(
        folded[:place] + folded[place + 1] + folded[place] + folded[place + 2 :] for place in range(len(folded) - 1)
    )
    found -= {folded, ""}
    return found


def two_away(folded: str) -> set[str]:
    """Folds with two characters read wrong, each for one of its kind: two digits, two letters, a digit and a letter; or with two left out
    before the beginning or after the end, as a prefix that was not copied.
    """
    if not SHORTEST_FOR_TWO <= len(folded) <= LONGEST:
        return set()
    found: set[str] = set()
    for first, second in combinations(range(len(folded)), 2):
        head, middle, tail = folded[:first], folded[first + 1 : second], folded[second + 1 :]
        found.update(
            head + one + middle + other + tail
            for one, other in product(_of_its_kind(folded[first]), _of_its_kind(folded[second]))
        )
    found.update(one + other + folded for one, other in product(COMMON, COMMON))
    found.update(folded + one + other for one, other in product(COMMON, COMMON))
    return found - {folded}


def _of_its_kind(character: str) -> str:
    """What a character may be read for: a digit for a digit, a letter for a letter; for any other what is confused with it."""
    if character in DIGITS:
        return DIGITS
    return character if character not in LETTERS else character + _taken_for(character)


def _taken_for(character: str) -> str:
    return "".join(sorted(other for pair in CONFUSED if character in pair for other in pair - {character}))


def spelled_out(pattern: str) -> set[str] | None:
    """What a partial number with `?` for a character may be; None if that is too many, or it has a `*`."""
    unreadable = pattern.count("?")
    if "*" in pattern or not 0 < unreadable <= MOST_UNREADABLE or len(pattern) > LONGEST:
        return None
    pieces = pattern.split("?")
    found = set()
    characters = ALPHABET if unreadable == 1 else COMMON
    for filled in product(characters, repeat=unreadable):
        found.add("".join(piece + character for piece, character in zip(pieces, (*filled, ""), strict=True)))
    return found


def differences(read: str, borne: str) -> int:
    """How many characters one would have to change, two swapped neighbours counting as one."""
    distance = Levenshtein.distance(read, borne)
    return 1 if distance == 2 and _swapped(read, borne) else distance


def _swapped(read: str, borne: str) -> bool:
    places = list(_differing(read, borne))
    return (
        len(read) == len(borne)
        and len(places) == 2
        and places[1] == places[0] + 1
        and read[places[0]] == borne[places[1]]
        and read[places[1]] == borne[places[0]]
    )


def _differing(read: str, borne: str) -> Iterator[int]:
    return (place for place, (one, other) in enumerate(zip(read, borne, strict=False)) if one != other)


def confused(read: str, borne: str) -> tuple[str, str] | None:
    """The two characters that are often taken for one another, if that is the only difference."""
    if len(read) != len(borne):
        return None
    places = list(_differing(read, borne))
    if len(places) == 1 and frozenset((read[places[0]], borne[places[0]])) in CONFUSED:
        return read[places[0]], borne[places[0]]
    return None
