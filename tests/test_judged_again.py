"""What a late paper moves is judged anew; what it does not explain stays open, in whatever order the documents come."""

from __future__ import annotations

from datetime import timedelta

from stockpile.acts.issue import ISSUE
from stockpile.acts.mark import MARK
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from tests.world import RIFLES, Country, ago, kinds, paper, scans

WAY = {"carrier": "2nd Transport Company", "expected_on": "2099-12-31"}


def test_what_was_on_its_way_elsewhere_stays_a_contradiction_when_an_older_mark_is_keyed(country: Country) -> None:
    """The rifle is on its way to ERBIL, and stands at TAJI's counter. That it was marked before explains nothing."""
    shipped = country.do("clerk", SHIP, to_site="ERBIL", store="Main store", **WAY, lines=scans(RIFLES[0]))
    received = country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": RIFLES[0]}])
    assert kinds(received) == ["held elsewhere"]
    marked = paper(1, shipped.happened_at - timedelta(microseconds=1))
    country.do(
        "commander", MARK, method="laser", place="receiver", import_country="IQ", lines=scans(RIFLES[0]), paper=marked
    )
    assert country.discrepancies(received.document_id) == ["held elsewhere"]


def test_a_rifle_known_by_a_marking_record_stands_where_an_older_paper_puts_it(country: Country) -> None:
    """The mark was the first that the books heard of it; then comes the older receipt for another of its persons."""
    country.do(
        "commander", MARK, store="Quarantine", method="laser", place="receiver", import_country="IQ",
        lines=[{"scan": "KT 777001", "model": "AKM"}], paper=paper(1, ago(days=1)),
    )  # fmt: skip
    assert country.where("KT 777001") == "Quarantine"
    country.do(
        "clerk", ISSUE, store="Main store", receiver="A-1001", lines=scans("KT 777001"), paper=paper(2, ago(days=2))
    )
    assert country.where("KT 777001") == "Private Petrov (A-1001)"


def test_a_rifle_stays_in_its_store_when_an_older_mark_is_keyed(country: Country) -> None:
    """The books knew nothing of it then: it was in the store where it was marked, not nowhere."""
    country.do(
        "commander", MARK, store="Main store", method="laser", place="receiver", import_country="IQ",
        lines=scans(RIFLES[0]), paper=paper(1, ago(days=2)),
    )  # fmt: skip
    lines = [{"scan": "KT 777002", "model": "AKM"}]
    for number, days in ((2, 2), (3, 3)):
        country.do(
            "commander", MARK, store="Main store", method="laser", place="receiver", import_country="IQ", lines=lines,
            paper=paper(number, ago(days=days)),
        )  # fmt: skip
    assert country.where(RIFLES[0]) == "Main store"
    assert country.where("KT 777002") == "Main store"
