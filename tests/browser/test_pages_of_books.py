"""Counts, sites, catalogue, registers, audits, reports and forms in a real browser: by day at a desk, by night on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.test_pages import DESK, PHONE, TOO_SMALL, sideways
from tests.busy_country import make_busy
from tests.counts import closed, opened, read
from tests.rosters import COMPANY, listed
from tests.world import RIFLES


def addresses(visitors: Visitors) -> dict[str, list[str]]:
    """A page of each kind, by who opens it: an open count, and a closed one that missed something."""
    web = visitors.web
    make_busy(web)
    done = opened(web.country)
    read(web.country, done, *RIFLES[7:9], "ZZ 1")
    closed(web.country, done)
    still_open = opened(web.country, counters=("T-1", "T-2"))
    model = web.get("clerk", "/v1/models", text="AKM").json()["rows"][0]["model_id"]
    (register,) = web.get("auditor", "/v1/registers", kind="count sheet").json()["rows"]
    company, soldier = (web.country.parties[code].party_id for code in ("company", "A-1001"))
    return {
        "commander": [
            "/counts", "/counts/new", f"/counts/{done}", f"/counts/{still_open}", "/counts/findings?count=TAJI/COUNT/1",
            "/counts/lines?count=TAJI/COUNT/1", "/loss-reports/new?count=TAJI/COUNT/1", "/sites", "/sites/TAJI", "/stocks", "/books",
            "/devices", "/reports", "/reports/balance", "/reports/allowances", "/destruction-orders", "/sessions", "/counters", "/pins",
            "/seals", "/seals/new", f"/counts/{still_open}/sheet", "/holdings", "/closures",
        ],
        "registrar": [
            "/models", f"/models/{model}", "/aliases", "/signature-cards", "/signature-cards/new", "/people/new", "/rosters/new",
            "/registers", f"/registers/{register['register_id']}", "/audits", "/reports/serial-capture", "/reports/inspections",
            "/reports/losses", "/reports/balance/proof", "/units/new", f"/units/{company}/change", f"/people/{soldier}/change",
            "/sites/new", "/sites/TAJI/change", "/models/new", f"/models/{model}/change", "/aliases/new",
            "/aliases/map?source=USA&name=Kalash&text=AK",
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
def test_everybody_can_use_them(visitors: Visitors, scheme: str, size: dict[str, int]) -> None:
    """axe-core finds nothing, nothing is pushed sideways, what one presses is large enough."""
    for who, paths in addresses(visitors).items():
        page = visitors.context(who, color_scheme=scheme, viewport=size).new_page()
        for path in paths:
            page.goto(path)
            assert page.locator("h1").inner_text(), path
            assert_accessible(page)
            assert sideways(page) <= 0, path
            assert page.evaluate(TOO_SMALL) == [], path


def test_a_count_is_read_with_a_scanner_in_the_browser(visitors: Visitors) -> None:
    """The clerk scans into the field, each line ended by the scanner, keeps them, and goes on scanning without touching the mouse."""
    count = opened(visitors.web.country, counters=("T-1",))
    page = visitors.context("clerk", java_script_enabled=False).new_page()
    page.goto(f"/counts/{count}")
    numbers = page.get_by_label("Tags or serial numbers, one a line")
    numbers.focus()
    for serial in RIFLES[:3]:
        page.keyboard.type(serial)
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Keep these lines").click()
    expect(page.get_by_role("status")).to_contain_text("3 lines were kept.")
    expect(numbers).to_be_focused()
    expect(page.locator("dt", has_text="Lines read").locator("+ dd")).to_have_text("3")


def test_a_roster_is_tried_in_the_browser(visitors: Visitors) -> None:
    """The registrar chooses the file, looks at who would come, and takes it: the file is not chosen again."""
    page = visitors.page("registrar", "/rosters/new")
    page.get_by_label("Site").select_option("TAJI")
    rows = (
        "C-1,Carim Commander,Major,",
        "T-1,Talib Clerk,Sergeant,",
        "T-2,Second Clerk,Corporal,",
        "A-3001,Hadi,Private,1COY",
    )
    content = listed(*COMPANY, *rows).encode()
    page.get_by_label("The list, as CSV or XLSX").set_input_files(
        {"name": "roster.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was changed yet")
    expect(page.get_by_role("cell", name="A-3001")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Import this roster").click()
    expect(page.get_by_role("status")).to_contain_text("The roster was imported.")
