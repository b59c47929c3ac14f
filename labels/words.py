"""The words of papers in the languages that there are: the catalogues in `labels/translations`, by gettext's rules. A word without
a translation stands in English; what the books say is never translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.core import Locale
from babel.messages.pofile import read_po

from stockpile.errors import Fault, Invalid
from stockpile.papers.words import Word
from stockpile.sentences import sentence

FOLDER = Path(__file__).parent / "translations"
SOURCE = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """A language of papers: its code, whether it is written from right to left, its words."""

    code: str
    direction: str
    messages: Mapping[str, str]

    def say(self, word: Word) -> str:
        """A word in this language, with its values."""
        text = self.messages.get(word.text) or word.text
        return text % dict(word.values) if word.values else text


def languages() -> tuple[str, ...]:
    """The codes of the languages that papers are printed in, the source first."""
    return (SOURCE, *sorted(path.stem for path in FOLDER.glob("*.po")))


def language_of(code: str | None) -> Language:
    """The language of a code, English without one. Raises Invalid, naming those there are."""
    wanted = (code or SOURCE).strip().replace("_", "-").split("-")[0].lower()
    if wanted not in languages():
        fault = Fault(
            sentence("papers are printed in {languages}", languages=", ".join(languages())),
            field="language",
            value=code,
        )
        raise Invalid(sentence("There is no such language of papers."), [fault])
    return _read(wanted)


@cache
def _read(code: str) -> Language:
    messages: dict[str, str] = {}
    if code != SOURCE:
        with (FOLDER / f"{code}.po").open("rb") as file:
            messages = {str(one.id): str(one.string) for one in read_po(file, locale=code) if one.id and one.string}
    direction = "rtl" if Locale.parse(code).text_direction == "rtl" else "ltr"
    return Language(code, direction, messages)
