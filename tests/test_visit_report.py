"""The report of a visit on paper: what was read beside the books at that moment, for both sides, and for nobody else."""

from __future__ import annotations

from uuid import UUID

import pytest

from labels.papers import render
from stockpile.acts.ship import SHIP
from stockpile.documents import now
from stockpile.donors.visits import AnswerVisit, answer_visit
from stockpile.errors import NotFound
from stockpile.papers.visit_report import visit_report_of
from stockpile.rights import reading
from tests.consigned import stored
from tests.inspecting import planned, reported, turned_away, visited
from tests.paper_reading import sheets, words
from tests.test_visits import received, with_france
from tests.world import SCAN, Country, scans


def report(country: Country, statement_id: UUID, who: str = "USA", language: str = "en") -> str:
    """All that is written on it, with single blanks."""
    with reading(country.engine, country.actors[who]) as connection:
        paper = visit_report_of(connection, country.actors[who], statement_id)
    pdf = render((paper,), language)
    return words(pdf)


def test_what_was_read_stands_beside_the_books_of_that_moment(country: Country) -> None:
    """One missile is hidden, one lies on its way to ERBIL, one number is nobody's. After the visit the read one leaves too: the report
    says where it was then. The commander's copy names who answered, the donor's does not; France gets none.
    """
    with_france(country)
    received(country, "S 1", "S 2", "S 3")
    sent = {"to_site": "ERBIL", "carrier": "2nd Transport", "expected_on": "2099-12-31"}
    country.do("clerk", SHIP, **sent, lines=scans("S 3"))
    planned(country, planned_on="2026-02-01")
    planned(country, planned_on="2026-03-01")
    photo = stored(country, "USA", SCAN)
    visit = visited(
        country, "S 1", "S 3", "ZZ 9", "S 1", complete=True, notes="Two sheds.\nOne is new.",
        began_at=now().isoformat(), ended_at=now().isoformat(),
        evidence=[{"sha256": photo, "name": "side-door.pdf"}],
        physical_security=[{"point": "locks", "found": "no", "remarks": "A bicycle lock"}],
    ).statement_id  # fmt: skip
    assert "The host did not answer yet." in report(country, visit)
    country.do("clerk", SHIP, **sent, lines=scans("S 1"))
    answer_visit(country.engine, country.actors["commander"], visit, AnswerVisit(words="S 2 was at the range."))

    said = report(country, visit)
    for told in (
        "Report of a visit done", "EUM-1", "TAJI", "Maj. Ana Reyes", "2026-02-01 2026-03-01", "S 2 was at the range.", "Two sheds.",
        "High-security locks on every door", "A bicycle lock", "side-door.pdf", "asset tag", "not in the books for this donor",
    ):  # fmt: skip
        assert told in said, told
    assert photo in said.replace(" ", "")
    differs, _, rest = said.partition("Everything else that was read")
    differs = differs.partition("What differs from the books")[2]
    assert "nobody read it" in differs
    assert "S 3" in differs
    assert "transit" in differs
    assert "ZZ 9" in differs
    assert "S 1" not in differs
    assert rest.index("matched store") < rest.index("read again")
    assert "transit" not in rest

    commander = country.actors["commander"].party_id
    ((name,),) = country.query("SELECT name FROM party WHERE party_id = %s", commander)
    assert name in report(country, visit, "registrar")
    assert name not in said
    assert "UTC+03:00" in said
    for who in ("FRA", "erbil clerk"):
        with pytest.raises(NotFound):
            report(country, visit, who)
    for language in ("ar", "uk"):
        assert "Report of a visit" not in report(country, visit, language=language)


def test_a_refusal_has_a_report_and_a_plan_has_none(country: Country) -> None:
    refused = report(country, turned_away(country).statement_id)
    assert "The visit was refused." in refused
    assert "Reason No clearance from the ministry" in refused
    assert "Findings" not in refused
    assert "Check of the store" not in refused
    plan = planned(country, number="EUM-2")
    received(country, "S 1")
    held = reported(country, {"scan": "S 1", "state": "lost", "on": "2026-01-01"})
    for one in (plan, held):
        with pytest.raises(NotFound, match="only a visit that was done or refused"):
            report(country, one.statement_id)


def test_of_a_long_visit_only_what_differs_is_printed(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockpile.papers.visit_report.LISTED", 3)
    received(country, "S 1", "S 2", "S 3", "S 4")
    moment = now().isoformat()
    visit = visited(country, "S 1", "S 2", "S 3", complete=True, began_at=moment, ended_at=moment).statement_id
    with reading(country.engine, country.actors["USA"]) as connection:
        paper = visit_report_of(connection, country.actors["USA"], visit)
    text = " ".join(" ".join(sheet.text.split()) for sheet in sheets(render((paper,))))
    assert "A list too long to print: 4 lines" in text
    assert "S 4" in text
    assert "S 2" not in text
