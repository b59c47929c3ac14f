"""Voiding and numbers: each book has its own series; a counter's has no gap, a paper book's may wait for its papers, and a
number claimed twice goes to the exceptions.
"""

from __future__ import annotations

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.void import VOID
from stockpile.documents import Posted
from stockpile.errors import NotAllowed
from tests.world import RIFLES, Country, ago, kinds, paper, scans


def number(posted: Posted) -> tuple[str, int]:
    """The book and the number in it."""
    _, book, _, n = posted.number.split("/")
    return book, int(n)


def issued(country: Country, rifle: str, who: str = "clerk", **request: object) -> Posted:
    return country.do(who, ISSUE, receiver="A-1001", store="Main store", lines=scans(rifle), **request)


def test_a_spoiled_number_of_the_counter_leaves_no_gap(country: Country) -> None:
    """The void document has the number, moves nothing, and says why; the next document has the next."""
    before = number(issued(country, RIFLES[0]))
    voided = country.do("clerk", VOID, reason="The form tore in the printer")
    assert (voided.act, voided.lines, voided.quantity) == ("void", 0, 0)
    assert number(voided) == ("B", before[1] + 1)
    assert number(issued(country, RIFLES[1])) == ("B", before[1] + 2)
    (details,) = country.query("SELECT details FROM document WHERE document_id = %s", voided.document_id)
    assert details[0]["reason"] == "The form tore in the printer"


def test_each_counter_has_its_own_series(country: Country) -> None:
    assert number(issued(country, RIFLES[0], "second clerk")) == ("C", 1)
    assert number(issued(country, RIFLES[1], "commander")) == ("CO", 1)
    assert number(issued(country, RIFLES[2], "second clerk")) == ("C", 2)


def test_a_refused_command_spends_no_number(country: Country) -> None:
    first = issued(country, RIFLES[0])
    country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    assert number(issued(country, RIFLES[1]))[1] == number(first)[1] + 1


def test_papers_come_in_any_order_and_a_spoiled_one_is_voided_by_its_number(country: Country) -> None:
    """Number 5 before number 3: the gap is no refusal; the spoiled 4 closes it as a void document."""
    assert number(issued(country, RIFLES[0], paper=paper(5, ago()))) == ("PAPER", 5)
    assert number(issued(country, RIFLES[1], paper=paper(3, ago()))) == ("PAPER", 3)
    voided = country.do("clerk", VOID, reason="Spoiled by coffee", paper=paper(4, ago()))
    assert (number(voided), voided.fact, voided.discrepancy_count) == (("PAPER", 4), True, 0)
    numbers = country.query(
        "SELECT array_agg(number ORDER BY number) FROM document JOIN book USING (book_id) WHERE kind = 'paper'"
    )
    assert numbers == [([3, 4, 5],)]


def test_a_number_claimed_twice_goes_to_the_exceptions_book(country: Country) -> None:
    """Both papers count; the second keeps its claim, and somebody must find out which is which."""
    first = issued(country, RIFLES[0], paper=paper(5, ago()))
    second = issued(country, RIFLES[1], paper=paper(5, ago()))
    assert (number(second), kinds(second)) == (("EXC", 1), ["number claimed twice"])
    assert country.query("SELECT claimed_number FROM document WHERE document_id = %s", second.document_id) == [
        (first.number,)
    ]
    voided = country.do("clerk", VOID, reason="printed twice", paper=paper(5, ago()))
    assert (number(voided), kinds(voided)) == (("EXC", 2), ["number claimed twice"])


@pytest.mark.parametrize("book", ["B", "EXC", "C"])
def test_a_paper_takes_no_number_of_a_counter_or_of_the_exceptions(country: Country, book: str) -> None:
    """A paper that says it is of such a book is posted, but not there: their numbers are given by the service alone."""
    issued(country, RIFLES[9], "second clerk")
    posted = issued(country, RIFLES[0], paper=paper(900, ago(), book=book))
    assert (number(posted)[0], kinds(posted)) == ("EXC", ["number claimed twice"])


def test_who_writes_no_documents_voids_none(country: Country) -> None:
    for who in ("auditor", "registrar", "USA"):
        with pytest.raises(NotAllowed, match="may not void"):
            country.ask(who, VOID, site="TAJI", reason="torn")
