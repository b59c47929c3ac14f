"""Names of the books among other words: a number behind a name in Arabic or Hebrew stays behind it, whichever way the page runs."""

from __future__ import annotations

import re

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
NUMBER_AT_THE_END = re.compile(r"\(([^()]+)\)$")
ISOLATE, END_OF_ISOLATE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def with_number_behind(text: str) -> str:
    """A text whose end in brackets has a direction of its own (isolated, as Unicode's bidirectional algorithm calls it), if letters
    before it run from right to left; any other as it is.
    """
    if not text.endswith(")") or not RIGHT_TO_LEFT.search(text):
        return text
    return NUMBER_AT_THE_END.sub(rf"{ISOLATE}(\1){END_OF_ISOLATE}", text)


def in_its_direction(text: str) -> str:
    """A text among words of either direction: isolated, with its number behind, if it has letters that run from right to left."""
    return f"{ISOLATE}{with_number_behind(text)}{END_OF_ISOLATE}" if RIGHT_TO_LEFT.search(text) else text
