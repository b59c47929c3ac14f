"""The loss report's annex: the fields that a national report of lost firearms asks for, weapon by weapon, filled in as far as the
books know them. (Standards, section 4: tracing requests, ATF Form 3312.1, iARMS-ready; section 8: DA 3056.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stockpile.papers.paper import Block, Column, Fact, Facts, Row, Said, Sentence, Table, Text
from stockpile.papers.words import Word, word_or_text
from stockpile.reports.papers import PaperLine

COLUMNS = (
    Column(Word("No."), 9, "number"),
    Column(Word("Type"), 30),
    Column(Word("Make, model"), None),
    Column(Word("Calibre"), 23, "code"),
    Column(Word("Serial number"), 35, "code"),
    Column(Word("Serial status"), 23),
    Column(Word("Country"), 15, "code"),
)


def blocks(lines: Sequence[PaperLine]) -> Iterator[Block]:
    """The annex, and what the police add by hand; nothing where only counted equipment is missing."""
    weapons = [line for line in lines if line.serial]
    if not weapons:
        return
    yield Table(COLUMNS, tuple(_row(line) for line in weapons), Word("Fields of the national report"))
    yield Facts(
        (
            Fact(Word("Police case number"), ()),
            Fact(Word("Reported to the national register on, by"), ()),
            Fact(Word("Entered in iARMS through the National Central Bureau on"), ()),
            Fact(Word("Contact"), ()),
        ),
        Word("To be filled in when the report goes on"),
    )
    yield Text(((Word("Country: of manufacture, two letters. Recovered weapons are reported again, as recovered."),),))


def _row(line: PaperLine) -> Row:
    return Row(
        (
            str(line.line),
            word_or_text(line.subcategory or line.category),
            f"{line.maker}, {line.model}",
            line.calibre,
            line.serial_number,
            serial_status(line),
            line.country,
        ),
        tuple(_marks(line)),
    )


def serial_status(line: PaperLine) -> Word:
    """Complete, partial or obliterated, as registers of lost weapons ask it; a weapon that never had one has none."""
    if line.obliterated:
        return Word("partial") if line.serial_number else Word("obliterated")
    return Word("complete") if line.serial_number else Word("none")


def _marks(line: PaperLine) -> Iterator[Sentence]:
    if line.import_mark or line.import_country:
        imported = [str(one) for one in (line.import_mark, line.import_country, line.import_year) if one is not None]
        yield (Word("import mark"), *imported)
    others: list[Said] = [one for one in (line.distinguishing_mark, line.uii) if one]
    if others:
        yield (Word("other marks"), *others)
    yield (Word("asset tag"), line.asset_tag)
