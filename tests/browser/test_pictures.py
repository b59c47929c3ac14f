"""Pictures of reports in a real browser: drawn within the page's policy, on a desk and a phone, by day, by night and on paper."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.ship import SHIP
from stockpile.registers.count_closing import close_count
from stockpile.registers.count_lines import send_lines
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.counts import OpenCount, open_count
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.world import RIFLES, Country, ago, paper, scans, today

PAGES = ("losses-by", "transit", "flows", "holdings-over-time", "count-compliance")
WIDTHS = """() => [...document.querySelectorAll('svg.picture text')].filter(each => {
    const box = each.getBBox(), whole = each.ownerSVGElement.viewBox.baseVal;
    return box.x < -1 || box.x + box.width > whole.width + 1 || box.y + box.height > whole.height + 1;
}).map(each => each.textContent)"""


def a_year_of(country: Country) -> None:
    """What came, was issued, lost, found and shipped in ten months, keyed from paper; one count closed, one site never counted."""
    numbers = iter(range(1, 100))

    def paper_of(days: float) -> Any:
        return paper(next(numbers), ago(days=days))

    for days, prefix, pieces in ((300, "A", 40), (200, "B", 25), (90, "C", 10)):
        lines = [{"model": "AKM", "serial_number": f"{prefix} {n}", "condition": "serviceable"} for n in range(pieces)]
        country.do("clerk", RECEIVE, store="Main store", paper=paper_of(days), lines=lines)
    country.do(
        "clerk",
        ISSUE,
        receiver="A-1001",
        store="Main store",
        paper=paper_of(280),
        lines=scans(*(f"A {n}" for n in range(12))),
    )
    gone = {"place": "the range", "circumstances": "not in the rack"}
    for days, serials in ((250, ("A 0", "A 1", "A 2")), (120, ("A 3", "A 4")), (20, ("B 1",))):
        country.do("clerk", REPORT_MISSING, **gone, paper=paper_of(days), lines=scans(*serials))
    found = {"place": "the bridge", "found_by": "a patrol", "in_hand": True}
    country.do("clerk", RECOVER, store="Main store", **found, lines=[{"scan": "A 3", "condition": "serviceable"}])
    ending = {"cause": "stolen", "liability": "nobody", "findings": "taken at the robbery"}
    country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **ending, lines=scans("A 0", "A 1"))
    for days, serials in ((60, ("B 5", "B 6", "B 7")), (10, ("B 8",)), (1, ("B 9", "B 10"))):
        expected = str(today() + timedelta(days=5 - days))
        way = {"to_site": "ERBIL", "store": "Main store", "carrier": "2nd Transport Company", "expected_on": expected}
        country.do("clerk", SHIP, **way, paper=paper_of(days), lines=scans(*serials))
    wanted = {"account": "Main store", "counters": ["T-1", "T-2"]}
    key = open_count(country.engine, country.actors["clerk"], OpenCount.model_validate(wanted))
    read = {"lines": [{"scan": serial} for serial in RIFLES], "counted_by": "T-1"}
    send_lines(country.engine, country.actors["clerk"], key, SendLines.model_validate(read))
    close_count(country.engine, country.actors["commander"], key, None)


def test_pictures_by_day_by_night_on_a_phone_and_on_paper(visitors: Visitors) -> None:
    """No word of a picture is cut off; the page holds to its policy and everybody can use it; the table stands below."""
    a_year_of(visitors.web.country)
    kept = os.environ.get("STOCKPILE_PICTURES")
    for name, options in {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "phone": {"viewport": {"width": 360, "height": 740}},
        "print": {},
    }.items():
        page = visitors.context("auditor", **options).new_page()
        for path in PAGES:
            page.goto(f"/reports/{path}")
            assert page.locator("svg.picture").count() == 1, path
            assert page.locator("table.rows tbody tr").count() >= 1
            assert page.evaluate(WIDTHS) == [], (path, name)
            if name == "print":
                page.emulate_media(media="print")
            if name == "light":
                assert_accessible(page)
            if kept:
                page.screenshot(path=Path(kept) / f"{path}-{name}.png", full_page=True)
        if kept and name == "light":
            page.goto("/reports")
            page.screenshot(path=Path(kept) / "reports.png", full_page=True)
