"""The auditor's workbench in a real browser, without a script: from somebody else's list to its differences, to what is said of them, to
the month after.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from stockpile.acts.receive import RECEIVE
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.browser.test_pages import DESK, PHONE, TOO_SMALL, sideways
from tests.world import RIFLES

BOOK = "Nr,Weapon,Held by,Date\n" + "".join(
    f"{serial},AKM,Main store,2026-03-{20 - n}\n" for n, serial in enumerate((*RIFLES[:8], RIFLES[9]))
)
MISREAD = f"{RIFLES[8][:-1]}X,AKM,Main store,2026-03-01\nKT 77,AKM,Main store,03/04/2026\n"


def take_in(page: Page, text: str, name: str) -> None:
    """Takes a list in, its columns looked at."""
    page.goto("/registers")
    page.get_by_role("link", name="Take in a list").click()
    sent = {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("The list, as CSV or XLSX").set_input_files(sent)
    page.get_by_label("What it is").fill("property book")
    page.get_by_label("Whose list").fill("3DIV")
    page.get_by_label("How to call it").fill(name)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("cell", name=RIFLES[0])).to_be_visible()
    page.get_by_label("Serial number", exact=True).select_option("Nr")
    fits(page)
    page.get_by_role("button", name="Keep this list").click()
    expect(page.get_by_role("status")).to_contain_text("The list was kept.")


def fits(page: Page) -> None:
    """Whoever uses it, on whatever they hold."""
    assert_accessible(page)
    assert sideways(page) <= 0, page.url
    assert page.evaluate(TOO_SMALL) == [], page.url


def figure(page: Page, label: str) -> str:
    return page.locator("ul.waiting li", has_text=re.compile(label)).locator("strong").inner_text()


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
def test_from_a_list_to_its_differences_to_next_month(visitors: Visitors, scheme: str, size: dict[str, int]) -> None:
    page = visitors.context("auditor", java_script_enabled=True, color_scheme=scheme, viewport=size).new_page()
    take_in(page, BOOK + MISREAD, "Property book, March")
    fits(page)
    rejects = page.get_by_role("link", name="The lines set aside, to be mended").get_attribute("href")
    assert b"03/04/2026" in visitors.web.get("auditor", str(rejects)).content

    page.get_by_role("link", name="Compare it").click()
    page.get_by_label("How to call it").fill("Book of the 3rd Division")
    page.get_by_label("Of the consignment").nth(1).fill("FMS-1")
    fits(page)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("give the donor too")
    expect(page.get_by_label("How to call it")).to_have_value("Book of the 3rd Division")
    page.get_by_label("Of the consignment").nth(1).fill("")
    page.get_by_label("At the site").nth(1).select_option("TAJI")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("link", name="What it found").click()
    fits(page)
    assert [figure(page, label) for label in ("Matched", "Only left", "Only right", "Near matches")] == [
        "9",
        "1",
        "1",
        "1",
    ]

    page.locator("ul.waiting").get_by_role("link", name="Matched").click()
    page.get_by_role("row", name=RIFLES[0]).get_by_role("link", name="2", exact=True).click()
    expect(page.get_by_text("From line 2 on")).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text(RIFLES[0])
    page.go_back()
    page.get_by_role("link", name=RIFLES[0]).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(RIFLES[0])

    page.goto("/audits")
    page.get_by_role("link", name="Book of the 3rd Division").click()
    page.get_by_role("link", name="Judge the near matches").click()
    page.get_by_role("link", name="not judged").click()
    fits(page)
    page.get_by_label("one weapon, misread").check()
    page.get_by_label("What shows it").fill("The last character is worn: photo 12")
    page.get_by_role("button", name="Keep it and go on").click()
    expect(page.get_by_text("1 of the near matches was judged since")).to_be_visible()

    new = [{"model": "AKM", "serial_number": "KT 77"}]
    visitors.web.country.do("clerk", RECEIVE, store="Main store", lines=new)
    page.get_by_role("button", name="Compare the same again").click()
    page.get_by_role("link", name="What it found").click()
    assert [figure(page, label) for label in ("Matched", "Only left", "Only right", "Near matches")] == [
        "10",
        "0",
        "1",
        "0",
    ]
    fits(page)
    page.get_by_role("link", name="What changed since the run before").click()
    expect(page.locator("tbody tr", has_text=RIFLES[8])).to_contain_text("settled")
    expect(page.locator("tbody tr", has_text="KT 77")).to_contain_text("new")
    fits(page)


def test_without_a_script(visitors: Visitors) -> None:
    """Every step is a form; a task's page asks by itself how far it is; a list of which nothing can be read is mended and tried again."""
    page = visitors.context("registrar", java_script_enabled=False).new_page()
    bad = "Nr,Weapon,Held by,Date\n" + f"{RIFLES[0]},AKM,Main store,03/04/2026\n"
    page.goto("/registers/new")
    page.get_by_label("The list, as CSV or XLSX").set_input_files(
        {"name": "book.csv", "mimeType": "text/csv", "buffer": bad.encode()}
    )
    page.get_by_label("What it is").fill("property book")
    page.get_by_label("Whose list").fill("3DIV")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("Serial number", exact=True).select_option("Nr")
    page.get_by_role("button", name="Keep this list").click()
    expect(page.get_by_role("alert")).to_contain_text("none of the 1 rows of book.csv can be read")
    page.get_by_role("link", name="Change it and try again").click()
    expect(page.get_by_label("Serial number", exact=True)).to_have_value("Nr")
    page.get_by_label("Of dates like").select_option("day first")
    page.get_by_role("button", name="Keep this list").click()
    expect(page.get_by_role("status")).to_contain_text("The list was kept.")
