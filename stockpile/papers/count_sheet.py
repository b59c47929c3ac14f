"""The count sheet: empty, to be filled in at the racks and keyed later (`count_sheets`). It never says what to expect: a count is
worth nothing if its counter copies the books.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import Refused
from stockpile.papers.documents import printed_by, site_of
from stockpile.papers.paper import (
    Block,
    Column,
    Fact,
    Facts,
    Paper,
    Row,
    Signature,
    Signatures,
    Table,
    Text,
    on_the_wall,
)
from stockpile.papers.words import Word, word_or_text
from stockpile.reports.counts import State, read_count
from stockpile.reports.papers import issuer
from stockpile.rights import Actor
from stockpile.sentences import of_the_books, sentence

ROWS_A_PAGE = 22
"""Rows of 9 mm under the head of an A4 or Letter page, with room for who signs."""

COLUMNS = (
    Column(Word("No."), 9, "number"),
    Column(Word("Asset tag or serial number"), 46, "code"),
    Column(Word("Model"), None),
    Column(Word("Qty"), 13, "number"),
    Column(Word("Condition"), 24),
    Column(Word("Container"), 22),
    Column(Word("Seal"), 22, "code"),
    Column(Word("Time"), 17, "code"),
)
"""As `count_sheets.SHEET` reads them when the sheet is keyed."""


def count_sheet_of(connection: Connection, actor: Actor, count_id: UUID, rows: int = ROWS_A_PAGE) -> Paper:
    """The sheet of an open count. Raises NotAllowed (donors), NotFound, Refused (a count that is closed)."""
    count = read_count(connection, actor, count_id).count
    if count.state is not State.OPEN:
        raise Refused(
            sentence(
                "{count} is {state}: nothing can be counted on a sheet of it any more.",
                count=count.name,
                state=of_the_books(count.state),
            )
        )
    whose = issuer(connection, code=count.site)
    blocks: tuple[Block, ...] = (
        Facts(
            (
                Fact.of(Word("Counted"), count.of or "-"),
                Fact.of(Word("Scope"), word_or_text(count.scope)),
                Fact.of(Word("Opened"), on_the_wall(count.opened_at, whose.time_zone), style="code"),
                Fact.of(Word("Reason"), word_or_text(count.reason)),
                Fact(Word("Counters"), tuple(count.counters), "full"),
                Fact(Word("Day of the count"), ()),
                Fact(Word("Sheet number of how many"), ()),
            )
        ),
        Text(
            (
                (
                    Word(
                        "Write down every weapon that you see, one a line, as it is marked. Of what is counted write model "
                        "and quantity. A container under an unbroken seal: its seal number alone."
                    ),
                ),
            ),
            notice=True,
        ),
        Table(COLUMNS, tuple(Row((str(n), *(None,) * (len(COLUMNS) - 1))) for n in range(1, rows + 1)), tall=True),
        Signatures(
            tuple(Signature(Word("Counted by"), name) for name in count.counters) or (Signature(Word("Counted by")),),
            Word("Counted as written, with nothing of the books in hand."),
        ),
    )
    return Paper(
        title=Word("Count sheet"),
        organisation=whose.organisation,
        site=site_of(whose),
        number=count.name,
        number_label=Word("Count"),
        blocks=blocks,
        code=count.name,
        printed=printed_by(connection, actor, whose.time_zone),
    )
