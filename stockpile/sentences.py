"""Sentences that people meet, made where something is found out and told in the language of who asks.

A `Sentence` is the English sentence: a `str`, compared, kept, hashed and logged as one. It keeps its template and values too, so
that a page can say it in another language (`api/words.py`). What is not a `Sentence` is told as it is: what users wrote, and what
stands in the books.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from string import Formatter
from types import MappingProxyType
from typing import Any, SupportsIndex

Say = Callable[[str], str]
"""A text of ours in a language: gettext."""
Write = Callable[[object, str], str]
"""A value as it is written among words of that language; what follows its name in the template, after a colon."""

_FIELD = re.compile(r"\{[^{}]*\}")


class Sentence(str):
    """An English sentence that can be told in another language. Made by `sentence`, `joined`, `begun`, `within` and `of_the_books`."""

    __slots__ = ("first", "template", "values")
    template: str
    values: Mapping[str, object]
    first: Callable[[str], str] | None

    def __new__(
        cls, template: str, values: Mapping[str, object], first: Callable[[str], str] | None = None
    ) -> Sentence:
        """`first`: what becomes of its first letter, whatever its template's is."""
        text = template.format(**values) if values else template.replace("{{", "{").replace("}}", "}")
        made = super().__new__(cls, first(text) if first else text)
        made.template, made.values, made.first = template, MappingProxyType(dict(values)), first
        return made

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return Sentence, (self.template, dict(self.values), self.first)

    def told(self, say: Say, write: Write) -> str:
        """The sentence in a language; in English where its translation names a value that there is none of."""
        said = say(self.template) if any(map(str.isalpha, _FIELD.sub("", self.template))) else self.template
        try:
            text = _Telling(say, write).vformat(said, (), self.values)
        except (LookupError, ValueError, AttributeError):
            return str(self)
        return self.first(text) if self.first else text


class _Telling(Formatter):
    """Fills in values: sentences and words of the books in the language, the others as they are written in it."""

    def __init__(self, say: Say, write: Write) -> None:
        self._say = say
        self._write = write

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        """The value itself: a translation looks into none."""
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Sentence):
            return value.told(self._say, self._write)
        if isinstance(value, StrEnum):
            return self._say(str(value))
        return self._write(value, format_spec)


def sentence(template: str, /, **values: object) -> Sentence:
    """A sentence from its English template, written out where it is called: Babel finds it there. Values stand in braces, by
    their names: `sentence("{store} is not at {site}", store=..., site=...)`; they may be sentences themselves.
    """
    return Sentence(template, values)


def template(text: str) -> str:
    """Marks a template that becomes a `Sentence` elsewhere."""
    return text


def of_the_books(word: str) -> Sentence:
    """A word that stands in the books (`api.words.TERMS`) among others: told as pages tell it."""
    return Sentence(word.replace("{", "{{").replace("}", "}}"), {})


def joined(between: str, parts: Iterable[object]) -> Sentence:
    """Parts in a row, as `str.join` does it; what stands between them may be a sentence, too."""
    values = {f"part{n}": part for n, part in enumerate(parts, 1)}
    return Sentence("{between}".join(f"{{{name}}}" for name in values), {**values, "between": between})


def words_of(error: Exception) -> str:
    """What an exception says: the sentence that it was raised with."""
    (said,) = error.args if len(error.args) == 1 else (None,)
    return said if isinstance(said, str) else str(error)


def begun(text: str) -> str:
    """A text with a capital at its beginning; a sentence remains one."""
    return _with_first(text, _capital)


def within(text: str) -> str:
    """A text with a small letter at its beginning, for among other words; a sentence remains one."""
    return _with_first(text, _small)


def _with_first(text: str, first: Callable[[str], str]) -> str:
    return Sentence(text.template, text.values, first) if isinstance(text, Sentence) else first(text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
