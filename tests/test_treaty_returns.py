"""Yearly returns to treaties: what came, left, was destroyed and is held, in the treaties' own columns, from the ledger alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from stockpile.acts.correct import CORRECT
from stockpile.documents import now
from stockpile.errors import NotAllowed
from stockpile.reports.treaty_returns import Treaty, TreatyReturn, treaty_return
from tests.api_world import Web, problem, served
from tests.reading import asked_by, declared_and_received
from tests.reading_pages import BROWSER, visit
from tests.test_destruction import certified, ordered
from tests.test_export import consent, delivered, donated, exported
from tests.test_report_files import Command, rows, stockpile
from tests.world import RIFLES, Country, scans, today

web = pytest.fixture(served)
__all__ = ["stockpile"]
YEAR = today().year


def made(country: Country, treaty: Treaty, year: int = YEAR, known_by: datetime | None = None) -> TreatyReturn:
    return asked_by(country, "auditor", treaty_return, treaty, year, known_by)


def lines(found: TreatyReturn, name: str) -> list[tuple[Any, ...]]:
    return next(list(table.rows) for table in found.tables if table.name == name)


def test_what_came_and_went_in_a_year(country: Country) -> None:
    """Two M4 and helmets of the USA came; one AKM goes to Jordan for repair and comes to stand in the return, another is corrected away.
    What the host bought itself is procurement; helmets are in no category.
    """
    delivered(country)
    exported(country, *scans("US 1", RIFLES[0]), donated(country, 5), store="Main store", consents=[consent()])
    wrong = exported(country, *scans(RIFLES[1]))
    country.do_with_approval("clerk", "commander", CORRECT, document=wrong.number, reason="never left")
    found = made(country, Treaty.UN_REGISTER)
    comment = "repair abroad; authorisation EXP-2026-12"
    assert lines(found, "small-arms-exports") == [
        ("small arms 4: Assault rifles", "Jordan", 1, "US", None, "Colt M4, 5.56x45mm", comment),
        ("small arms 4: Assault rifles", "Jordan", 1, "SU", None, "Izhmash AKM, 7.62x39mm", comment),
    ]
    assert [(row[0], row[1], row[2]) for row in lines(found, "not-classed-exports")] == [
        ("not in a category", "Jordan", 5)
    ]
    ((kind, state, count, origin, _, _, remark),) = lines(found, "small-arms-imports")
    assert (kind, count, origin, remark) == ("small arms 4: Assault rifles", 2, "US", "consignment FMS-1")
    assert state == country.parties["USA"].name
    assert [row[2] for row in lines(found, "not-classed-imports")] == [40]
    assert next((row[1], row[2]) for row in lines(found, "procurement")) == (10, "Izhmash AKM, 7.62x39mm")
    assert [(row[1], row[2]) for row in lines(found, "military-holdings")] == [
        (1, "Colt M4, 5.56x45mm"), (9, "Izhmash AKM, 7.62x39mm"),
    ]  # fmt: skip
    assert all(
        not lines(made(country, Treaty.UN_REGISTER, YEAR - 1), table.name)
        for table in found.tables
        if "not" not in table.name
    )


def test_a_return_as_the_books_stood_at_its_cut_off(country: Country) -> None:
    """What was recorded later is in no return of that cut-off, and what was corrected later still is."""
    gone = exported(country, *scans(RIFLES[0]))
    cut_off = now()
    country.do_with_approval("clerk", "commander", CORRECT, document=gone.number, reason="never left")
    exported(country, *scans(RIFLES[1], RIFLES[2]))
    name = "small-arms-exports"
    assert [row[2] for row in lines(made(country, Treaty.UN_REGISTER, known_by=cut_off), name)] == [1]
    assert [row[2] for row in lines(made(country, Treaty.UN_REGISTER), name)] == [2]


def test_the_arms_trade_treaty_s_report_and_record(country: Country) -> None:
    """Values are the catalogue's; of each consignment, what was declared against what came of it."""
    declared_and_received(country, "UA 1", "UA 2")
    exported(country, *scans(RIFLES[0], RIFLES[1]))
    found = made(country, Treaty.ARMS_TRADE_TREATY)
    ((kind, actual, count, value, state, *_),) = lines(found, "exports")
    assert (kind, actual, count, value, state) == ("VIII, small arms 4: Assault rifles", "actual", 2, 900, "Jordan")
    assert {(row[0], row[1], row[4], row[9]) for row in lines(found, "record")} == {
        ("exports", 2, "EXP-2026-12", "Royal Ordnance Works, Amman"), ("imports", 2, "FMS-1", None),
    }  # fmt: skip
    assert [(row[1], *row[5:]) for row in lines(found, "authorisations")] == [("FMS-1", 2, 0, 2, 0)]


def test_what_the_programme_of_action_asks(country: Country) -> None:
    """How many weapons are on record with their number, and what was destroyed, how, where, under which certificate."""
    order = ordered(country, *scans(RIFLES[0], RIFLES[1]))
    posted = certified(country, order, *scans(RIFLES[0], RIFLES[1]))
    found = made(country, Treaty.PROGRAMME_OF_ACTION)
    assert [row[1:4] for row in lines(found, "record-keeping")] == [(10, 10, 0)]
    assert lines(found, "destruction") == [
        (today(), "small arms 4: Assault rifles", "Izhmash AKM, 7.62x39mm", 2, "cutting", "the yard", posted.number)
    ]


def test_a_return_is_of_the_whole_country_and_written_as_files(web: Web, stockpile: Command, tmp_path: Path) -> None:
    """For auditors and registrars; a depot's desk and a donor are told why not. A file holds the treaty's own headings."""
    country = web.country
    exported(country, *scans(RIFLES[0]))
    with pytest.raises(NotAllowed):
        asked_by(country, "commander", treaty_return, Treaty.UN_REGISTER, YEAR)
    path = f"/v1/treaty-returns/un-register/{YEAR}"
    problem(web.get("USA", path), 403, "not-allowed")
    answer = web.get("auditor", path).json()
    assert (answer["year"], answer["tables"][1]["name"]) == (YEAR, "small-arms-exports")
    file = web.get("auditor", f"{path}?table=small-arms-exports&format=csv")
    heading, line = file.content.decode("utf-8-sig").splitlines()
    assert heading.startswith("Category,Final importer State,Number of items,State of origin (if not exporter),")
    assert line.startswith("small arms 4: Assault rifles,Jordan,1,SU,")
    problem(web.get("auditor", f"{path}?table=none&format=csv"), 404, "not-found")
    problem(web.get("auditor", "/v1/treaty-returns/geneva/2026"), 422, "invalid")
    ran = stockpile("auditor", "treaty-return", "un-register", str(YEAR), "-o", "returns")
    assert ran.exit_code == 0, ran.output
    (row,) = rows(f"returns/un-register-{YEAR}-small-arms-exports.csv")
    assert (row["Final importer State"], row["Number of items"]) == ("Jordan", "1")


def test_the_page_shows_what_is_handed_in_and_what_is_unverified(web: Web) -> None:
    """From the index of reports an auditor comes to the year's tables, each with who defines it, and takes each along as a file; nothing of
    a kind is told as nil. A mistake keeps what was typed. Who has the books of one site only is told why not.
    """
    delivered(web.country)
    assert visit(web, "auditor", "/reports").links["Returns to treaties"] == "/reports/treaty-returns"
    page = visit(web, "auditor", f"/reports/treaty-returns?treaty=un-register&year={YEAR}")
    said = " ".join(text for _, text in page.texts)
    for words in (
        "Small arms imports",
        "seven columns as on published reports",
        "(unverified), hold its columns",
        "Nil: nothing of this",
        "Colt M4",
    ):
        assert words in said, words
    (csv,) = {link for link in page.addresses if "table=small-arms-imports" in link and "format=csv" in link}
    assert web.get("auditor", csv).content.decode("utf-8-sig").startswith("Category,Exporter State,")
    record = visit(
        web, "registrar", f"/reports/treaty-returns?treaty=arms-trade-treaty&year={YEAR}&recorded_as_of=2020-01-01"
    )
    assert "Nil: nothing of this" in " ".join(text for _, text in record.texts)
    for query, told in (
        ("treaty=geneva&year=2026", "choose a treaty"),
        ("treaty=un-register&year=12", "a year from 1900 to 2199"),
        ("treaty=un-register&year=2026&recorded_as_of=noon", "write a moment like"),
    ):
        refused = web.client.get(f"/reports/treaty-returns?{query}", headers={**BROWSER, **web.headers("auditor")})
        assert (refused.status_code, told in refused.text) == (422, True)
    for who in ("commander", "USA"):
        shut = web.client.get("/reports/treaty-returns", headers={**BROWSER, **web.headers(who)})
        assert shut.status_code == 403
