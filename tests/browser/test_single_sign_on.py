"""Single sign-on in a real browser, by a real provider of another site: its pages, its password, and back."""

from __future__ import annotations

from playwright.sync_api import expect

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.single_sign_on import bindings
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.providers import Ministry, iam_configuration, iam_server, iam_server_port, ministry, trusted
from tests.signing_in import add_users

__all__ = ["iam_configuration", "iam_server", "iam_server_port", "ministry"]

THEIRS = "correct horse battery staple"


def test_in_by_the_ministry_and_out_again(visitors: Visitors, ministry: Ministry) -> None:
    """The clerk signs in at the ministry's own page, waits for the registrar the first time, and comes in the second time: on the page that
    was wanted, with cookies that no other site has sent. By its tokens the ministry says how: by password, as is asked for here.
    """
    country = visitors.web.country
    add_users(country, "clerk", "registrar")
    trusted(country, ministry.issuer, amr=["pwd"])
    ministry.comes_back_to(f"{visitors.address}/sign-in/with/ministry/back")
    ministry.account("karim", password=THEIRS)
    ministry.consents("karim")
    page = visitors.page(None, "/documents")
    page.wait_for_url("**/sign-in?next=/documents")
    assert_accessible(page)
    page.get_by_role("link", name="Sign in with The Ministry").click()
    page.get_by_label("Login").fill("karim")
    page.keyboard.press("Enter")
    page.get_by_label("Password", exact=True).fill(THEIRS)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Not bound to a user yet")).to_be_visible()
    assert_accessible(page)
    code = page.locator("dd strong").inner_text()

    registrar = visitors.page("registrar", "/single-sign-on")
    expect(registrar.get_by_role("row", name=code)).to_contain_text("Karim There")
    assert_accessible(registrar)
    registrar.get_by_label("Sign-in name of the user").fill("talib")
    registrar.get_by_role("button", name="Bind", exact=True).click()
    expect(registrar.get_by_text("Nobody waits.")).to_be_visible()
    assert_accessible(registrar)

    page.goto("/documents")
    page.get_by_role("link", name="Sign in with The Ministry").click()
    page.wait_for_url("**/documents")
    expect(page.get_by_role("group", name="Who is signed in")).to_contain_text("Sergeant Talib Clerk")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Sign out of The Ministry too").click()
    expect(page).not_to_have_url(f"{visitors.address}/sign-in/out/ministry")


def test_without_any_script(visitors: Visitors, ministry: Ministry) -> None:
    """There and back, needing none of ours."""
    country = visitors.web.country
    add_users(country, "clerk")
    trusted(country, ministry.issuer)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        bindings.bind(connection, "ministry", "karim", "talib", None)
    ministry.comes_back_to(f"{visitors.address}/sign-in/with/ministry/back")
    ministry.signed_in("karim")
    page = visitors.page(None, "/sign-in?next=/weapons", java_script_enabled=False)
    page.get_by_role("link", name="Sign in with The Ministry").click()
    page.wait_for_url("**/weapons")
    expect(page.get_by_role("group", name="Who is signed in")).to_contain_text("Sergeant Talib Clerk")
