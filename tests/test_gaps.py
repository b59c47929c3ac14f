"""Gaps in the books of papers: numbers below the highest that have not come are told, run by run, until they come."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile import closures
from stockpile.acts.correct import CORRECT
from stockpile.acts.issue import ISSUE
from stockpile.acts.void import VOID
from stockpile.closures import AskClosure
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.keys import new_key
from tests.world import RIFLES, Country, ago, kinds, paper, scans

BOOKS = (f"PAD-{n}" for n in count(1))
GAP = "gap in a book"


def came(country: Country, number: int, book: str = "PAPER") -> Posted:
    """A paper that moves nothing comes in."""
    return country.do("clerk", VOID, reason="torn", paper=paper(number, ago(), book))


def open_runs(country: Country, book: str = "PAPER") -> list[tuple[int, int]]:
    return [
        (first, last)
        for first, last in country.query(
            """SELECT first_number, last_number FROM discrepancy JOIN book USING (book_id)
               WHERE code = %s AND closed_at IS NULL ORDER BY first_number""",
            book,
        )
    ]


def missing(numbers: Iterable[int], first: int) -> list[tuple[int, int]]:
    """The maximal runs that are not among the numbers, from `first` to the highest."""
    runs, expected = [], first
    for number in sorted(numbers):
        if number > expected:
            runs.append((expected, number - 1))
        expected = number + 1
    return runs


def test_papers_that_have_not_come_are_told(country: Country) -> None:
    """After 11 comes 17: 12 to 16 are missing, somebody owns that, and it is due in thirty days."""
    assert kinds(came(country, 11)) == []
    jumped = country.do(
        "clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]), paper=paper(17, ago())
    )
    assert kinds(jumped) == [GAP]
    year = jumped.number.split("/")[2]
    ((seen, said, owner, document, wait),) = country.query(
        """SELECT seen, books_said, owner_id, document_id, due_on - opened_at::date FROM discrepancy
           WHERE closed_at IS NULL"""
    )
    assert seen == f"TAJI/PAPER/{year}/12 to 16 have not come"
    assert said == f"TAJI/PAPER/{year}/17 has come"
    assert (owner, document, wait) == (country.sites["TAJI"].custodian_id, jumped.document_id, 30)


def test_a_missing_paper_comes(country: Country) -> None:
    """The run it was missing in is withdrawn and says why; what is left of it stands open, with its owner and its day."""
    came(country, 11)
    came(country, 17)
    late = country.parties["C-1"].party_id
    with transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection:
        connection.exec_driver_sql("UPDATE discrepancy SET owner_id = %s, due_on = due_on - 20", (late,))
    arrived = came(country, 14)
    assert kinds(arrived) == [GAP, GAP]
    assert open_runs(country) == [(12, 13), (15, 16)]
    assert country.query("SELECT outcome, explained_by, explanation FROM discrepancy WHERE closed_at IS NOT NULL") == [
        ("withdrawn", arrived.document_id, f"{arrived.number} has come")
    ]
    assert country.query("SELECT what, document_id FROM discrepancy_step") == [("withdrawn", arrived.document_id)]
    assert country.query("SELECT DISTINCT owner_id, due_on - opened_at::date FROM discrepancy") == [(late, 10)]
    for number in (12, 13, 16):
        came(country, number)
    assert open_runs(country) == [(15, 15)]
    assert kinds(came(country, 15)) == []
    assert country.discrepancies() == []


def test_a_gap_that_two_people_explained_stays_explained(country: Country) -> None:
    """The pad burnt with the truck, says a document. One of its papers turns up all the same: nothing is opened for the
    others, and what comes beyond is watched as ever.
    """
    came(country, 1)
    (gap,) = came(country, 9).discrepancies
    loss = country.do("clerk", VOID, reason="The pad burnt with the truck")
    asked = AskClosure(
        discrepancies=(gap.discrepancy_id,), explained_by=loss.number, explanation="Burnt with the truck"
    )
    closure = closures.ask(country.engine, country.actors["clerk"], asked)
    closures.approve(country.engine, country.actors["commander"], closure.closure_id)
    assert kinds(came(country, 4)) == []
    came(country, 11)
    assert open_runs(country) == [(10, 10)]


def test_a_pad_begins_anywhere(country: Country) -> None:
    """The first number seen is no gap, for the pad was begun elsewhere; once a smaller one comes, what lies between is."""
    assert kinds(came(country, 500)) == []
    assert kinds(came(country, 498)) == [GAP]
    assert open_runs(country) == [(499, 499)]


def test_a_number_claimed_twice_fills_no_gap(country: Country) -> None:
    """Nobody knows yet which of the two is the right one; nor does what is taken back leave a gap."""
    issued = country.do(
        "clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]), paper=paper(1, ago())
    )
    came(country, 3)
    assert kinds(came(country, 3)) == ["number claimed twice"]
    country.do_with_approval("clerk", "commander", CORRECT, document=issued.document_id, reason="the wrong rifle")
    assert open_runs(country) == [(2, 2)]


def test_each_book_each_year_and_each_site_has_its_own(country: Country) -> None:
    came(country, 1)
    came(country, 9, "OTHER")
    country.do("clerk", VOID, reason="torn", paper=paper(20, ago(days=800)))
    country.do("erbil clerk", VOID, reason="torn", paper=paper(30, ago()))
    assert country.discrepancies() == []


def test_neither_another_site_nor_a_donor_sees_a_gap(country: Country) -> None:
    came(country, 1)
    came(country, 3)
    for role, scope in (
        (roles.POSTER, {"site_id": country.sites["ERBIL"].site_id}),
        (roles.DONOR, {"donor_id": country.parties["USA"].party_id}),
    ):
        with transaction(country.engine, role, **scope) as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM discrepancy").scalar_one() == 0


def test_papers_keyed_at_once_leave_the_runs_that_are_missing(country: Country) -> None:
    """Four clerks key six papers each of one pad at one time, in all orders."""
    numbers = [2, 4, 6, 9, 11, 12, 15, 16, 20, 22, 25, 26, 27, 29, 33, 34, 36, 38, 39, 41, 44, 47, 48, 50]
    start = Barrier(4)

    def key(mine: list[int]) -> None:
        start.wait()
        for number in mine:
            came(country, number)

    with ThreadPoolExecutor(4) as clerks:
        list(clerks.map(key, [numbers[n::4] if n % 2 else numbers[n::4][::-1] for n in range(4)]))
    assert open_runs(country) == missing(numbers, 2)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(numbers=st.lists(st.integers(1, 14), unique=True, min_size=1))
def test_any_order_of_arrival_leaves_the_same_gaps(country: Country, numbers: list[int]) -> None:
    """The open runs are the maximal runs of missing numbers, after each paper that comes."""
    book, seen = next(BOOKS), list[int]()
    for number in numbers:
        came(country, number, book)
        seen.append(number)
        assert open_runs(country, book) == missing(seen, min(seen))


def test_the_answer_names_the_gaps_and_repeats_to_the_letter(country: Country) -> None:
    came(country, 1)
    came(country, 9)
    request = {"document_id": new_key(), "reason": "torn", "paper": paper(4, ago())}
    first = country.do("clerk", VOID, **request)
    assert kinds(first) == [GAP, GAP]
    came(country, 3)
    assert country.do("clerk", VOID, **request) == first
