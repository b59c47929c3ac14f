"""Papers as PDF: typst sets what a `Paper` says, in a language, on A4 or Letter. It knows no database and decides nothing about
what a paper says.

All texts reach typst as data, never as markup. A text keeps the direction of its own script; codes and serial numbers run from
left to right on every page. What typst holds in memory grows with a paper's rows, and it never gives it back: a long paper is
set in a process of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from labels.barcodes import Drawing, code_of, qr_code
from labels.typesetting import FOLDER, pdf
from labels.words import Language, language_of
from stockpile.papers.paper import (
    Block,
    Card,
    Cards,
    Fact,
    Facts,
    Note,
    Paper,
    Said,
    Sentence,
    Signature,
    Signatures,
    Style,
    Table,
    Text,
)
from stockpile.papers.words import Word
from stockpile.writing_direction import END_OF_ISOLATE, ISOLATE, with_number_behind

TEMPLATE = FOLDER / "papers" / "papers.typ"
TAGGED = 200
"""So many rows have tags for screen readers; those of longer papers would make the file ten times as large."""
IN_PROCESS = 100
"""So many rows are set in this process."""
WIDEST_CODE = 78.0
WIDEST_CARD_CODE = 44.0
LONGEST_WORD = 24
"""Letters without a space, after which a line may be broken anyway."""
BREAK = "\N{ZERO WIDTH SPACE}"


class Size(StrEnum):
    """The sheet that is printed on."""

    A4 = "a4"
    LETTER = "letter"


TYPST_SIZE = {Size.A4: "a4", Size.LETTER: "us-letter"}


def render(papers: Sequence[Paper], language: str | None = None, size: Size = Size.A4) -> bytes:
    """Papers as one PDF, each on pages of its own. Raises Invalid (language), TypesettingTooLong."""
    rows = sum(paper.rows for paper in papers)
    given = _data(papers, language_of(language), size)
    return pdf(TEMPLATE, given, tagged=rows <= TAGGED, here=rows <= IN_PROCESS)


def _data(papers: Sequence[Paper], language: Language, size: Size) -> dict[str, Any]:
    setter = _Setter(language)
    return {
        "language": language.code,
        "direction": language.direction,
        "size": TYPST_SIZE[size],
        "title": f"{language.say(papers[0].title)} {papers[0].number}",
        "author": papers[0].organisation or papers[0].site,
        "words": {name: language.say(Word(text)) for name, text in FRAME_WORDS.items()},
        "papers": [setter.paper(paper) for paper in papers],
    }


FRAME_WORDS = {
    "page": "page %(page)s of %(pages)s",
    "leaf": "Hash of its leaf in the log:",
    "name_and_signature": "name and signature",
    "signature": "signature",
    "date": "date",
}
"""What the frame itself says; the page's numbers are put in by typst, which alone knows them."""


@dataclass(slots=True)
class _Setter:
    """Writes papers as data for typst, in one language."""

    language: Language

    def __post_init__(self) -> None:
        self._numbers = count(1)

    _numbers: Any = None

    def paper(self, paper: Paper) -> dict[str, Any]:
        """A paper with its blocks."""
        printed: Sentence = ()
        if paper.printed is not None:
            printed = (Word("Copy printed by"), paper.printed.by, "·", paper.printed.at)
        form = Word("(cf. %(form)s)", form=paper.form) if paper.form else None
        return {
            "id": str(next(self._numbers)),
            "head": not all(isinstance(block, Cards) for block in paper.blocks),
            "title": self.said(paper.title),
            "organisation": self.said(paper.organisation),
            "site": self.said(paper.site),
            "number": self.said(paper.number, "code"),
            "number_label": self.said(paper.number_label),
            "form": self.said(form),
            "subtitle": self.said(paper.subtitle),
            "code": _code(code_of(paper.code, WIDEST_CODE)) if paper.code else None,
            "leaf_hash": paper.leaf_hash,
            "watermark": self.said(paper.watermark),
            "printed": self.sentence(printed) if printed else None,
            "blocks": [self.block(block) for block in paper.blocks],
            "attachments": [
                {"name": one.name, "type": one.media_type, "text": one.text, "description": one.description}
                for one in paper.attachments
            ],
        }

    def said(self, said: Said | None, style: Style = "text") -> dict[str, Any] | None:
        """A text with its direction: of a word the page's, of a code left to right, of data that of its first letter."""
        if said is None:
            return None
        if isinstance(said, Word):
            return {"t": self.language.say(said), "d": None}
        return {
            "t": breakable(with_number_behind(said)),
            "d": "ltr" if style in ("code", "number") else direction(said),
        }

    def sentence(self, said: Sentence) -> list[dict[str, Any] | None]:
        """Each of its parts, those of the books kept apart (isolates of Unicode's bidirectional algorithm): else two names in a
        row would run on into each other on a page that runs the other way.
        """
        return [
            self.said(one)
            if isinstance(one, Word)
            else {"t": f"{ISOLATE}{breakable(with_number_behind(one))}{END_OF_ISOLATE}", "d": None}
            for one in said
        ]

    def block(self, block: Block) -> dict[str, Any]:
        """A block as its typst function takes it."""
        match block:
            case Facts():
                return {
                    "kind": "facts",
                    "title": self.said(block.title),
                    "facts": [self.fact(one) for one in block.facts],
                }
            case Table():
                return {"kind": "table", **self.table(block)}
            case Signatures():
                return {
                    "kind": "signatures",
                    "statement": self.said(block.statement),
                    "signatures": [self.signature(one) for one in block.signatures],
                }
            case Text():
                return {
                    "kind": "text",
                    "title": self.said(block.title),
                    "notice": block.notice,
                    "text": [self.sentence(one) for one in block.text],
                }
            case Cards():
                return {"kind": "cards", "cards": [self.card(one) for one in block.cards]}
            case Note():
                return {
                    "kind": "note",
                    "title": self.said(block.title),
                    "purpose": self.sentence(block.purpose),
                    "lines": block.text.splitlines(),
                    "code": _code(qr_code(block.text)),
                }

    def fact(self, fact: Fact) -> dict[str, Any]:
        """A labelled value."""
        return {
            "label": self.said(fact.label),
            "values": [self.said(one, fact.style) for one in fact.values],
            "width": fact.width,
        }

    def table(self, table: Table) -> dict[str, Any]:
        """Columns, rows, total."""
        styles = [column.style for column in table.columns]
        return {
            "title": self.said(table.title),
            "columns": [
                {"heading": self.said(one.heading), "width": one.width, "style": one.style} for one in table.columns
            ],
            "rows": [
                {
                    "cells": [self.said(cell, style) for cell, style in zip(row.cells, styles, strict=True)],
                    "under": [self.sentence(one) for one in row.under],
                }
                for row in table.rows
            ],
            "total": self.sentence(table.total),
            "tall": table.tall,
            "empty": self.said(table.empty),
        }

    def signature(self, signature: Signature) -> dict[str, Any]:
        """Who signs, or where to sign."""
        return {
            "part": self.said(signature.part),
            "name": self.said(signature.name),
            "how": self.said(signature.how),
            "at": self.said(signature.at, "code"),
            "picture": list(signature.picture) if signature.picture else None,
        }

    def card(self, card: Card) -> dict[str, Any]:
        """A weapon card."""
        return {
            "title": self.said(card.title),
            "form": self.said(Word("(cf. %(form)s)", form=card.form)),
            "heading": self.said(card.heading),
            "number": self.said(card.number, "code"),
            "facts": [self.fact(one) for one in card.facts],
            "code": _code(code_of(card.code, WIDEST_CARD_CODE)),
            "signature": self.signature(card.signature),
        }


def _code(drawing: Drawing) -> dict[str, Any]:
    return {"text": drawing.text, "svg": drawing.svg, "width": drawing.width, "height": drawing.height}


def direction(text: str) -> str:
    """The direction of a text: that of its first letter that has one (the rule P2 of Unicode's bidirectional algorithm)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def breakable(text: str) -> str:
    """The text with places to break a line in words longer than any line; a text of ordinary words as it is."""
    return " ".join(_broken(word) for word in text.split(" ")) if len(text) > LONGEST_WORD else text


def _broken(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    return BREAK.join(word[start : start + LONGEST_WORD // 2] for start in range(0, len(word), LONGEST_WORD // 2))
