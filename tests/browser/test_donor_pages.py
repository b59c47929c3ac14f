"""A donor's officer and the host's registrar in a real browser: the list is sent by a form, settled line by line, and accepted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.consigned import CERTIFICATE, listed
from tests.world import SCAN

PHONE = {"width": 360, "height": 740}


def fill(page: Page, **fields: str) -> None:
    """Fills in a form by the names of its fields."""
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_declared_settled_and_accepted(visitors: Visitors, viewport: dict[str, int]) -> None:
    donor = visitors.page("USA", "/statements/certificate", viewport=viewport)
    fill(donor, **CERTIFICATE)
    donor.locator("[name=file]").set_input_files({"name": "EUC-8.pdf", "mimeType": "application/pdf", "buffer": SCAN})
    assert_accessible(donor)
    donor.get_by_role("button", name="Send it").click()
    donor.wait_for_url("**/statements/*-*")
    certificate = donor.url
    donor.goto(donor.url.rpartition("/")[0] + "/declaration")
    fill(donor, reference="FMS-9", end_user_certificate="EUC-8", carrier="Sea line", expected_on="2099-12-20")
    donor.locator("[name=site]").select_option("TAJI")
    content = listed(["UA 1", "UA 2", "UA 2"]) + b"UA 3,Kalashnikov (new)\n"
    donor.locator("[name=file]").set_input_files({"name": "list.csv", "mimeType": "text/csv", "buffer": content})
    assert_accessible(donor)
    donor.get_by_role("button", name="Declare it").click()
    donor.wait_for_url("**/statements/*-*")
    declaration = donor.url
    assert_accessible(donor)

    registrar = visitors.page("registrar", certificate, viewport=viewport)
    registrar.get_by_role("button", name="Accept it").click()
    registrar.wait_for_selector(".remark.ready")
    registrar.goto(declaration)
    assert_accessible(registrar)
    registrar.get_by_label("A second weapon: what tells it apart").fill("notch on the stock")
    registrar.get_by_role("button", name="Accept it").click()
    registrar.wait_for_selector("[role=alert]")
    assert "unknown model" in registrar.locator("[role=alert]").inner_text()
    assert registrar.get_by_label("A second weapon: what tells it apart").input_value() == "notch on the stock"
    registrar.get_by_label("Set aside the lines that cannot be taken, and take the rest").check()
    registrar.get_by_role("button", name="Accept it").click()
    registrar.wait_for_selector(".remark.ready")
    donor.reload()
    assert donor.locator(".remark.ready").count() == 1
    assert donor.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert_accessible(donor)
