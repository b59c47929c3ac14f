"""Blank issue sheets for power cuts: the pages of a paper book, each with its number printed before anybody writes on it. What is
written on one is keyed later as a fact, with its scan (docs/offline.md).
"""

from __future__ import annotations

from sqlalchemy import Connection

from stockpile.documents import full_number, now
from stockpile.errors import Fault, Invalid
from stockpile.movements import Act
from stockpile.papers.documents import printed_by, site_of
from stockpile.papers.kinds import HAND_RECEIPT
from stockpile.papers.paper import Block, Column, Fact, Facts, Paper, Printed, Row, Signature, Signatures, Table, Text
from stockpile.papers.words import Word
from stockpile.reports.papers import Issuer, issuer, used_numbers
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import find_site

MOST = 100
"""Sheets at once."""
ROWS = 15

COLUMNS = (
    Column(Word("No."), 9, "number"),
    Column(Word("Item"), None),
    Column(Word("Serial number"), 46, "code"),
    Column(Word("Asset tag"), 30, "code"),
    Column(Word("Qty"), 13, "number"),
    Column(Word("With it (magazines, sling, optic)"), 46),
)


def issue_sheets(
    connection: Connection, actor: Actor, book: str, first: int, sheets: int, site: str | None = None
) -> tuple[Paper, ...]:
    """Pages `first` and on of a paper book of this year. Raises NotAllowed, NotFound (site), Invalid (a book of another kind,
    numbers that are used already, more sheets than at once).
    """
    require(actor, READ_PEOPLE)
    require(actor, Act.ISSUE)
    site_asked(connection, actor, site)
    if not 1 <= sheets <= MOST:
        raise Invalid(
            sentence("Print 1 to {most} sheets at once.", most=MOST),
            [Fault(sentence("1 to {most}", most=MOST), field="count", value=str(sheets))],
        )
    code = (site or actor.site_code or "").upper()
    whose = issuer(connection, code=code)
    moment = now()
    year = find_site(connection, code).local_year(moment)
    _check(connection, code, book, year, first, first + sheets - 1)
    printed = printed_by(connection, actor, whose.time_zone, moment)
    return tuple(_sheet(whose, printed, book, year, number) for number in range(first, first + sheets))


def _check(connection: Connection, site: str, book: str, year: int, first: int, last: int) -> None:
    kind = connection.exec_driver_sql(
        "SELECT b.kind FROM book b JOIN site s USING (site_id) WHERE s.code = %s AND b.code = %s AND b.year = %s",
        (site, book, year),
    ).scalar_one_or_none()
    if kind not in (None, "paper"):
        message = sentence(
            "{book} is the book of a {kind}: its numbers are not written by hand. Take a code of its own",
            book=book,
            kind=kind,
        )
        raise Invalid(sentence("No sheet was printed."), [Fault(message, field="book", value=book)])
    used = used_numbers(connection, site, book, year, first, last)
    if used:
        shown = ", ".join(str(number) for number in used[:10])
        message = sentence(
            "documents have these numbers already: {shown}. Begin after {used}", shown=shown, used=used[-1]
        )
        raise Invalid(sentence("No sheet was printed."), [Fault(message, field="from", value=str(first))])


def _sheet(whose: Issuer, printed: Printed, book: str, year: int, number: int) -> Paper:
    full = full_number(whose.site_code, book, year, number)
    blocks: tuple[Block, ...] = (
        Facts(
            (
                Fact(Word("Receiver: name, rank"), ()),
                Fact(Word("Receiver: service number or unit code"), ()),
                Fact(Word("For a unit: who draws, service number"), ()),
                Fact(Word("Store"), ()),
                Fact(Word("Day and time of the issue"), ()),
                Fact(Word("Reason (power cut, link down, ...)"), ()),
            )
        ),
        Table(COLUMNS, tuple(Row((str(n), *(None,) * (len(COLUMNS) - 1))) for n in range(1, ROWS + 1)), tall=True),
        Signatures(
            (Signature(Word("Issued by")), Signature(Word("Received by"))),
            Word(HAND_RECEIPT.statement or ""),
        ),
        Text(
            (
                (
                    Word(
                        "Key this sheet when the service is back, with its number and its scan. A spoiled sheet is kept and keyed "
                        "as void: a number that never comes is asked for. Use it in the year of its number only."
                    ),
                ),
            )
        ),
    )
    return Paper(
        title=Word("Hand receipt"),
        subtitle=Word("written by hand while the service is away"),
        organisation=whose.organisation,
        site=site_of(whose),
        number=full,
        blocks=blocks,
        form=HAND_RECEIPT.form,
        code=full,
        printed=printed,
    )
