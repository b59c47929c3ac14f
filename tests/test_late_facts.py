"""Late papers: they happened, so they are laid into their place in time; what followed is posted again on top of them, and
whatever then no longer fits is told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from stockpile import closures
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Paper, Posted, Precision
from stockpile.tokens import create_token
from tests.world import RIFLES, Country, ago, kinds, paper, scanned_paper, scans

PETROV, QUIST, RAHIM = "Private Petrov (A-1001)", "Private Quist (A-1002)", "Private Rahim (A-1003)"

LIVE = """
SELECT t.name, e.happened_at FROM entry e JOIN account t ON t.account_id = e.to_account
WHERE e.item_id = %s AND e.reverses IS NULL
  AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version) ORDER BY e.version
"""


def issued(country: Country, rifle: str, person: str, **request: Any) -> Posted:
    return country.do("clerk", ISSUE, receiver=person, store="Main store", lines=scans(rifle), **request)


def returned(country: Country, rifle: str, **request: Any) -> Posted:
    return country.do("clerk", RETURN, store="Main store", lines=scans(rifle), **request)


def handed_over(country: Country, rifle: str, giver: str, taker: str, sheet: Paper) -> Posted:
    return country.do("clerk", HAND_OVER, giver=giver, receiver=taker, lines=scans(rifle), paper=sheet)


def life(country: Country, rifle: str) -> list[tuple[str, datetime]]:
    """Where a rifle went and when, as far as the books hold it for true now; without its first arrival."""
    return [(row[0], row[1]) for row in country.query(LIVE, country.item(rifle).item_id)[1:]]


def test_a_late_hand_over_lies_between_the_days_own_documents(country: Country) -> None:
    """Petrov drew the rifle, it came back, Quist drew it. Now a paper says: in between Petrov had given it to Rahim. The
    return is Rahim's then, which somebody must look at; Quist's draw is as it was.
    """
    first = issued(country, RIFLES[0], "A-1001")
    sheet = paper(1, ago())
    second = returned(country, RIFLES[0])
    third = issued(country, RIFLES[0], "A-1002")
    late = handed_over(country, RIFLES[0], "A-1001", "A-1003", sheet)
    assert (late.happened_at, late.lines) == (sheet.happened_at, 5)
    assert life(country, RIFLES[0]) == [
        (PETROV, first.happened_at),
        (RAHIM, sheet.happened_at),
        ("Main store", second.happened_at),
        (QUIST, third.happened_at),
    ]
    assert country.query(
        "SELECT version, reverses, posts_again FROM entry WHERE document_id = %s ORDER BY line", late.document_id
    ) == [(5, 4, None), (6, 3, None), (7, None, None), (8, None, 3), (9, None, 4)]
    assert country.query("SELECT kind, books_said, seen FROM discrepancy WHERE document_id = %s", late.document_id) == [
        (
            "moved by a late fact",
            f"AKM {RIFLES[0]} went from {PETROV} to Main store",
            f"a late document puts it at {RAHIM} before that",
        )
    ]


def test_a_reversal_and_what_is_posted_again_keep_their_time(country: Country) -> None:
    """So that sums over any moment cancel by themselves."""
    sheet = paper(1, ago())
    out = issued(country, RIFLES[0], "A-1001")
    late = returned(country, RIFLES[0], paper=sheet)
    times = country.query("SELECT happened_at FROM entry WHERE document_id = %s ORDER BY line", late.document_id)
    assert times == [(out.happened_at,), (sheet.happened_at,), (out.happened_at,)]


def test_a_paper_older_than_the_weapon_in_the_books(country: Country) -> None:
    """It was handed out a week before it is said to have come in. The receipt still says where it is."""
    posted = issued(country, RIFLES[0], "A-1001", paper=paper(1, ago(days=7)))
    assert kinds(posted) == ["moved by a late fact", "unknown weapon"]
    assert country.where(RIFLES[0]) == "Main store"
    assert country.query(LIVE, country.item(RIFLES[0]).item_id)[0][0] == PETROV


def test_two_late_papers_in_either_order_give_the_same_books(country: Country) -> None:
    """Petrov to Rahim, Rahim to the store: keyed as they happened for one rifle, the other way round for the next."""
    for rifle in RIFLES[:2]:
        issued(country, rifle, "A-1001")
    moments = [ago(), ago()]
    last = [issued_again(country, rifle) for rifle in RIFLES[:2]]
    steps: list[Callable[[str, int], Posted]] = [
        lambda rifle, n: handed_over(country, rifle, "A-1001", "A-1003", paper(n, moments[0])),
        lambda rifle, n: returned(country, rifle, returned_by="A-1003", paper=paper(n, moments[1])),
    ]
    for n, step in enumerate(steps, 1):
        step(RIFLES[0], n)
    for n, step in enumerate(reversed(steps), 3):
        step(RIFLES[1], n)
    one, other = life(country, RIFLES[0]), life(country, RIFLES[1])
    assert [place for place, _ in one] == [PETROV, RAHIM, "Main store", "Main store", QUIST]
    assert [place for place, _ in other] == [place for place, _ in one]
    assert [when for _, when in one[1:3]] == [when for _, when in other[1:3]] == moments
    assert [when for _, when in one[3:]] == [posted.happened_at for posted in last[0]]
    assert [when for _, when in other[3:]] == [posted.happened_at for posted in last[1]]


def issued_again(country: Country, rifle: str) -> list[Posted]:
    """Brought back and drawn by Quist."""
    return [returned(country, rifle), issued(country, rifle, "A-1002")]


def test_a_predecessor_that_arrives_later_still_makes_a_claim_true(country: Country) -> None:
    """The return by Rahim came first and contradicted the books; his hand-over explains it, and opens nothing new."""
    issued(country, RIFLES[0], "A-1001")
    moments = [ago(), ago()]
    assert kinds(returned(country, RIFLES[0], returned_by="A-1003", paper=paper(2, moments[1]))) == ["held elsewhere"]
    assert handed_over(country, RIFLES[0], "A-1001", "A-1003", paper(1, moments[0])).discrepancy_count == 0
    assert [place for place, _ in life(country, RIFLES[0])] == [PETROV, RAHIM, "Main store"]


@pytest.mark.parametrize("order", [(7, 8, 9), (9, 8, 7), (8, 9, 7)])
def test_papers_of_one_moment_go_by_their_number(country: Country, order: tuple[int, ...]) -> None:
    """A day is all that is written on them: number 7 was before 8, whichever is keyed first."""
    people = {7: "A-1001", 8: "A-1002", 9: "A-1003"}
    moment = ago(days=3)
    for number in order:
        issued(country, RIFLES[0], people[number], paper=paper(number, moment, precision=Precision.DAY))
    names = [row[0] for row in country.query(LIVE, country.item(RIFLES[0]).item_id)]
    assert names == [PETROV, QUIST, RAHIM, "Main store"]


def test_papers_of_one_moment_in_several_books_have_one_order(country: Country) -> None:
    """Keyed in two orders, for two rifles: the books say the same of both."""
    moment = ago(days=3)
    sheets = [("X", 1, "A-1001"), ("Y", 1, "A-1002"), ("X", 2, "A-1003"), ("Y", 2, "A-1001")]
    for book, number, _ in sheets:
        issued(country, RIFLES[9], "A-1001", paper=paper(number + 10, moment, book=book))
    for number, sheet in enumerate(sheets):
        keyed(country, RIFLES[0], moment, sheet, number)
    for number, sheet in enumerate(reversed(sheets), 1):
        keyed(country, RIFLES[1], moment, sheet, len(sheets) - number, again=100)
    orders = [[row[0] for row in country.query(LIVE, country.item(rifle).item_id)] for rifle in RIFLES[:2]]
    assert orders[0] == orders[1]


def keyed(
    country: Country, rifle: str, moment: datetime, sheet: tuple[str, int, str], number: int, again: int = 0
) -> None:
    book, _, person = sheet
    issued(country, rifle, person, paper=paper(100 + again + number, moment, book=book))


def test_a_paper_dated_in_the_future_keeps_how_far_its_clock_was_off(country: Country) -> None:
    """It is never refused, happened at most now, and by how much it was ahead stays with it."""
    posted = issued(country, RIFLES[0], "A-1001", paper=paper(1, ago(hours=-2)))
    assert posted.happened_at <= posted.recorded_at
    ((offset,),) = country.query("SELECT clock_offset FROM document WHERE document_id = %s", posted.document_id)
    assert timedelta(hours=1, minutes=59) < offset <= timedelta(hours=2)
    assert country.where(RIFLES[0]) == PETROV


def test_how_exactly_the_time_is_known_stays_with_the_paper(country: Country) -> None:
    day = ago(days=2).replace(hour=0, minute=0, second=0, microsecond=0)
    posted = issued(country, RIFLES[0], "A-1001", paper=paper(1, day, precision=Precision.DAY))
    assert country.query(
        "SELECT happened_precision, happened_at, clock_offset FROM document WHERE document_id = %s", posted.document_id
    ) == [("day", day, timedelta(0))]


def held(country: Country) -> dict[str, int]:
    """Where the helmets are."""
    return {place.name: quantity for place, quantity in country.helmets().holdings.values()}


def helmets_issued(country: Country, person: str, quantity: int, **request: Any) -> Posted:
    line = {"item": str(country.helmets().item_id), "quantity": quantity}
    return country.do("clerk", ISSUE, receiver=person, store="Main store", lines=[line], **request)


def helmets_returned(country: Country, person: str, quantity: int, **request: Any) -> Posted:
    line = {"item": str(country.helmets().item_id), "quantity": quantity}
    return country.do("clerk", RETURN, returned_by=person, store="Main store", lines=[line], **request)


def test_a_paper_takes_no_helmets_that_came_after_it(country: Country) -> None:
    """Three days ago the store had none, as the books know: those of the paper come from outside, and the store keeps what it
    has. It never held less than nothing, at no moment.
    """
    helmets_issued(country, "A-1001", 90)
    posted = helmets_issued(country, "A-1002", 30, paper=paper(1, ago(days=3)))
    assert (posted.lines, kinds(posted)) == (1, ["fewer in the books"])
    assert held(country) == {"Main store": 10, PETROV: 90, QUIST: 30}


def test_a_paper_takes_no_helmets_that_somebody_had_later(country: Country) -> None:
    """The hundred were there at its moment, but ninety of them went out an hour later: it can have had ten of them."""
    moment = ago()
    helmets_issued(country, "A-1001", 90)
    posted = helmets_issued(country, "A-1002", 30, paper=paper(1, moment))
    assert (posted.lines, kinds(posted)) == (2, ["fewer in the books"])
    assert held(country) == {PETROV: 90, QUIST: 30}


def test_helmets_that_a_late_paper_shows_to_have_been_there(country: Country) -> None:
    """Two papers handed out more than the books knew of. A third, older one, brings some back: what it explains of the two is
    withdrawn, what is left stays open with its number. A fourth explains the rest.
    """
    helmets_issued(country, "A-1001", 100)
    first = helmets_issued(country, "A-1002", 8, paper=paper(3, ago()))
    second = helmets_issued(country, "A-1003", 10, paper=paper(4, ago()))
    assert [*kinds(first), *kinds(second)] == ["fewer in the books"] * 2
    back = helmets_returned(country, "A-1001", 12, paper=paper(2, first.happened_at - timedelta(microseconds=1)))
    assert held(country) == {PETROV: 88, QUIST: 8, RAHIM: 10}
    assert discrepancies_of(country) == [
        ("withdrawn", first.number, "0 of Helmet at Main store", back.number),
        ("withdrawn", second.number, "0 of Helmet at Main store", back.number),
        (None, second.number, "4 of Helmet at Main store", None),
    ]
    helmets_returned(country, "A-1001", 6, paper=paper(1, first.happened_at - timedelta(microseconds=1)))
    assert held(country) == {PETROV: 82, QUIST: 8, RAHIM: 10}
    assert country.discrepancies() == []


DISCREPANCIES = """
SELECT x.outcome, concat_ws('/', s.code, b.code, b.year, d.number), x.books_said, concat_ws('/', s.code, e.code, e.year, w.number)
FROM discrepancy x JOIN document d ON d.document_id = coalesce(x.concerns, x.document_id) JOIN book b ON b.book_id = d.book_id
JOIN site s ON s.site_id = x.site_id
LEFT JOIN document w ON w.document_id = x.explained_by LEFT JOIN book e ON e.book_id = w.book_id ORDER BY x.opened_at, x.discrepancy_id
"""


def discrepancies_of(country: Country) -> list[tuple[Any, ...]]:
    """Each with its outcome, the document it is about, what the books said, the document that explains it."""
    return [(*row[:3], row[3] if row[0] else None) for row in country.query(DISCREPANCIES)]


def test_a_paper_written_twice_for_one_rifle_takes_it_once(country: Country) -> None:
    """On two lines of one paper, known or not: one weapon, and the paper's slip is told."""
    lines = scans(RIFLES[0], "NEVER 1", RIFLES[0], "never-1")
    posted = country.do("clerk", RETURN, store="Quarantine", lines=lines, paper=paper(1, ago()))
    assert kinds(posted) == [
        "held elsewhere", "same serial number twice", "same serial number twice", "unknown weapon",
    ]  # fmt: skip
    assert posted.lines == 2


def test_what_two_people_explained_stays_explained(country: Country) -> None:
    """The return by Quist was explained. A paper that comes still later judges it anew, and opens nothing again."""
    issued(country, RIFLES[0], "A-1001")
    between = ago()
    sheet = paper(2, ago())
    back = returned(country, RIFLES[0], returned_by="A-1002", paper=sheet)
    (found,) = [one.discrepancy_id for one in back.discrepancies]
    later = issued(country, RIFLES[0], "A-1002")
    asked = closures.AskClosure(discrepancies=(found,), explained_by=later.number, explanation="the wrong name")
    closure = closures.ask(country.engine, country.actors["clerk"], asked)
    closures.approve(country.engine, country.actors["commander"], closure.closure_id)
    late = country.do(
        "clerk", MAINTAIN, work="rust", store="Main store", lines=scans(RIFLES[0]), paper=paper(1, between)
    )
    assert "held elsewhere" in kinds(late)
    concerned = "SELECT count(*) FROM discrepancy WHERE coalesce(concerns, document_id) = %s AND closed_at IS NULL"
    assert country.query(concerned, back.document_id) == [(0,)]


def test_a_paper_takes_no_number_of_a_counter(country: Country) -> None:
    """Counter C has not numbered yet, but its token says that the book is its own: the paper goes to the exceptions."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        create_token(connection, role="clerk", party="T-2", site="TAJI", book="Z", label="counter Z")
    keyed = issued(country, RIFLES[0], "A-1001", paper=paper(17, ago(), book="Z"))
    assert keyed.number.startswith("TAJI/EXC/")
    assert kinds(keyed) == ["number claimed twice"]


def test_a_paper_of_no_year_that_books_have(country: Country) -> None:
    """Nineteen hundred by its own offset, the year before on the depot's wall."""
    for written in ("1900-01-01T00:00:00+14:00", "2999-12-31T23:00:00-12:00"):
        with pytest.raises(ValidationError, match="can't be"):
            Paper(book="P", number=1, happened_at=written, scan_sha256=scanned_paper())


def test_a_paper_of_a_day_that_has_not_come(country: Country) -> None:
    """Dated next week: posted as of now, as ever; and that its date can't be is somebody's to look at."""
    posted = issued(country, RIFLES[0], "A-1001", paper=paper(1, ago(days=-7)))
    assert kinds(posted) == ["doubtful as it came"]
