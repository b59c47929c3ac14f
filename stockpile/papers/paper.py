"""A paper as content: its head, its blocks in order, who signs. It knows neither database nor typesetting.

What is ours to say is a `Word` of the one table (`words.py`) and is translated when it is printed; what the books say is a
plain text and is printed as it stands. Nothing is both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from stockpile.papers.words import Word

Said = Word | str
Sentence = tuple[Said, ...]
"""Words and texts one after the other, with a space between."""
Width = Literal["half", "full"]
Style = Literal["text", "code", "number", "blank"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value in a box; several values stand below each other. `style`: codes keep their direction."""

    label: Word
    values: tuple[Said, ...]
    width: Width = "half"
    style: Style = "text"

    @classmethod
    def of(cls, label: Word, value: Said | None, width: Width = "half", style: Style = "text") -> Fact:
        """A fact of one value; None leaves the box empty, to be filled in by hand."""
        return cls(label, () if value is None else (value,), width, style)


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts side by side."""

    facts: tuple[Fact, ...]
    title: Word | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading and its width, in millimetres, or None: what is left over."""

    heading: Said
    width: float | None
    style: Style = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, in the columns' order. `under`: what stands in small letters under the widest column's cell."""

    cells: tuple[Said | None, ...]
    under: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its heading repeated on each page. `tall`: rows to be filled in by hand."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    title: Word | None = None
    total: Sentence = ()
    tall: bool = False
    empty: Word | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """A box in which somebody stands: in what part, who (None: to be written by hand), and how they signed. Without `how` there
    is a line to sign by hand; `picture` is a drawn signature as PNG.
    """

    part: Word
    name: str | None = None
    how: Said | None = None
    at: str | None = None
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who signs, two boxes side by side, under a statement that they sign."""

    signatures: tuple[Signature, ...]
    statement: Word | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph under a title; `notice`: framed, to be seen first."""

    text: tuple[Sentence, ...]
    title: Word | None = None
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A weapon card of pocket size: what it says, the code of the weapon's asset tag, and how its holder signed."""

    title: Word
    form: str
    heading: str
    number: str
    facts: tuple[Fact, ...]
    code: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Cards:
    """Weapon cards, several a page, to be cut apart."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A text to the letter, line by line, beside a QR code that says the same; under a title, with what it is for."""

    text: str
    title: Word
    purpose: Sentence = ()


Block = Facts | Table | Signatures | Text | Cards | Note


@dataclass(frozen=True, slots=True)
class Printed:
    """Of a copy: who printed it, and when; on the wall of the paper's site."""

    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the paper carries along inside its PDF."""

    name: str
    media_type: str
    text: str
    description: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper. `form` is a comparable form that people know, `code` what its barcode says, `leaf_hash` the hash of the
    document's leaf in the log, `watermark` what became of it.
    """

    title: Word
    organisation: str | None
    site: str
    number: str
    blocks: tuple[Block, ...]
    form: str | None = None
    subtitle: Said | None = None
    number_label: Word = field(default_factory=lambda: Word("Document number"))
    code: str | None = None
    leaf_hash: str | None = None
    watermark: Word | None = None
    printed: Printed | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows of tables and cards it has: what its size goes by."""
        return sum(
            len(block.rows) if isinstance(block, Table) else len(block.cards) if isinstance(block, Cards) else 0
            for block in self.blocks
        )


def on_the_wall(moment: datetime, time_zone: str, precision: str = "second") -> str:
    """A moment as it stands on papers: day and time on the site's wall with its offset from UTC; a day alone where no more is
    known. Figures only, so that it reads the same in every language.
    """
    local = moment.astimezone(ZoneInfo(time_zone))
    if precision == "day":
        return f"{local:%Y-%m-%d}"
    return f"{local:%Y-%m-%d %H:%M} UTC{_offset(local.utcoffset() or timedelta(0))}"


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds() // 60)
    sign = "+" if minutes >= 0 else "-"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def filled(facts: Sequence[Fact | None]) -> tuple[Fact, ...]:
    """Those facts that there are."""
    return tuple(fact for fact in facts if fact is not None)
