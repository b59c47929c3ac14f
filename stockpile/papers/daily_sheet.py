"""The daily sheet of a site: its day on one page, and the log's newest cosigned checkpoint, which so leaves the depot in a folder, a
letter, a donor's bag. Whoever holds one can prove later that nothing posted until then was altered (`stockpile log pin`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from stockpile.errors import NotFound
from stockpile.log.reading import to_carry_away
from stockpile.papers.documents import printed_by, site_of
from stockpile.papers.kinds import kind_of
from stockpile.papers.paper import (
    Block,
    Column,
    Fact,
    Facts,
    Note,
    Paper,
    Row,
    Said,
    Table,
    Text,
    on_the_wall,
)
from stockpile.papers.words import Word, word_or_text
from stockpile.reports.daily import Held, Late, Opened, Posted, read_day
from stockpile.reports.papers import issuer
from stockpile.rights import Actor
from stockpile.writing_direction import END_OF_ISOLATE, ISOLATE

COSIGNED_WITHIN = timedelta(days=1)
"""A checkpoint that a witness cosigned is worth more than a newer one, but not than all of a day's postings."""
MOST_ROWS = 8
"""Kinds of documents that one page has room for beside the rest; of more, each book has one row."""
MOST_KINDS = 4
"""Kinds of discrepancies, those with most open; the others are told together."""
LONGEST_CODE = 1_000
"""Bytes of a note that a code of a handy size takes: of more witnesses the last are left out. What is left is as good a note."""


def daily_sheet_of(connection: Connection, actor: Actor, site: str | None = None, day: date | None = None) -> Paper:
    """The sheet of a site's day, today without one. Raises what `read_day` does."""
    read = read_day(connection, actor, site, day)
    whose = issuer(connection, code=read.site.code)
    return Paper(
        title=Word("Daily sheet"),
        organisation=whose.organisation,
        site=site_of(whose),
        number=f"{read.day}",
        number_label=Word("Day"),
        blocks=(
            _posted(read.posted),
            _held(read.held, on_the_wall(read.moment, whose.time_zone)),
            _opened(read.opened),
            _late(read.late),
            _checkpoint(connection, read.moment),
            Facts(
                (
                    Fact(Word("SHA-256 of the last backup's backup.json"), (), "full"),
                    Fact(Word("Checked by"), (), "full"),
                )
            ),
        ),
        printed=printed_by(connection, actor, whose.time_zone, read.moment),
    )


def _posted(posted: Sequence[Posted]) -> Table:
    columns = (
        Column(Word("Book"), 42, "code"),
        Column(Word("Kind of document"), None),
        Column(Word("First number"), 26, "number"),
        Column(Word("Last number"), 26, "number"),
        Column(Word("Documents"), 22, "number"),
        Column(Word("Lines"), 22, "number"),
    )
    rows = tuple(_row(one, _title(one)) for one in posted)
    if len(rows) > MOST_ROWS:
        books = dict.fromkeys(one.book for one in posted)
        rows = tuple(_row(_together([one for one in posted if one.book == book]), Word("all kinds")) for book in books)
    return Table(columns, rows, Word("Documents of the day"), empty=Word("No document was posted on this day."))


def _title(one: Posted) -> Word:
    return Word(kind_of(one.act, {"paper": "weapon card"} if one.card else {}).title)


def _row(one: Posted, kind: Said) -> Row:
    return Row((one.book, kind, str(one.first), str(one.last), f"{one.documents:,}", f"{one.lines:,}"))


def _together(several: Sequence[Posted]) -> Posted:
    """All that one book got."""
    first, last = min(one.first for one in several), max(one.last for one in several)
    documents, lines = sum(one.documents for one in several), sum(one.lines for one in several)
    return Posted(several[0].book, "", False, first, last, documents, lines)


def _held(held: Sequence[Held], at: str) -> Table:
    """One column a class: the page has more room beside than below."""
    width = 140 / max(len(held), 5)
    classes = tuple(Column(word_or_text(one.account_class), width, "number") for one in held)
    rows = (
        Row((Word("Weapons"), *(f"{one.weapons:,}" for one in held))),
        Row((Word("Counted equipment"), *(f"{one.counted:,}" for one in held))),
    )
    return Table(
        (Column(Word("Account"), None), *classes),
        rows if held else (),
        Word("As the books stand at %(moment)s", moment=f"{ISOLATE}{at}{END_OF_ISOLATE}"),
        empty=Word("Nothing is held."),
    )


def _opened(opened: Sequence[Opened]) -> Table:
    columns = (
        Column(Word("What"), None),
        Column(Word("Open"), 22, "number"),
        Column(Word("Overdue"), 22, "number"),
        Column(Word("Oldest of"), 30, "number"),
    )
    shown, rest = opened[:MOST_KINDS], opened[MOST_KINDS:]
    if len(rest) == 1:
        shown, rest = opened, ()
    rows = [_open_row(word_or_text(one.kind), [one]) for one in shown]
    if rest:
        rows.append(_open_row(Word("other"), rest))
    return Table(columns, tuple(rows), Word("Open discrepancies"), empty=Word("None is open."))


def _open_row(kind: Said, several: Sequence[Opened]) -> Row:
    number, overdue = sum(one.number for one in several), sum(one.overdue for one in several)
    return Row((kind, f"{number:,}", f"{overdue:,}", f"{min(one.oldest for one in several)}"))


def _late(late: Late) -> Table:
    counted = (
        (Word("Accounts whose count is overdue"), late.counts),
        (Word("Weapon cards overdue"), late.cards),
        (Word("Shipments overdue"), late.shipments),
        (Word("Numbers of books that have not come"), late.numbers),
    )
    columns = tuple(Column(word, 45 if n else None) for n, (word, _) in enumerate(counted))
    return Table(columns, (Row(tuple(f"{number:,}" for _, number in counted)),), Word("Overdue"))


def _checkpoint(connection: Connection, moment: datetime) -> Block:
    title = Word("Checkpoint of the log")
    try:
        shown = to_carry_away(connection, moment - COSIGNED_WITHIN)
    except NotFound:
        return Text(((Word("Nothing of the log was signed yet."),),), title)
    purpose = Word(
        "Keep this sheet where those who run the service cannot reach it. With its code anybody can prove later that nothing "
        "which the log held then was altered since: stockpile log pin."
    )
    return Note(_fitting(shown.note), title, (purpose,))


def _fitting(note: str) -> str:
    lines = note.splitlines(keepends=True)
    while len("".join(lines).encode()) > LONGEST_CODE and len(lines) > 5:
        lines.pop()
    return "".join(lines)
