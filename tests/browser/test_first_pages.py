"""The pages that anybody may open: they keep to the policy and can be used by everybody."""

from __future__ import annotations

import pytest

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_that_need_no_sign_in(visitors: Visitors, path: str) -> None:
    """They open, break no policy, and axe-core finds nothing."""
    page = visitors.page(None, path)
    assert page.locator("h1").inner_text()
    assert_accessible(page)


def test_what_breaks_the_policy_is_heard(visitors: Visitors) -> None:
    """A script from elsewhere is stopped, and the story would fail."""
    page = visitors.page(None, "/")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {src: 'https://elsewhere.test/x.js'}))"
    )
    page.wait_for_timeout(200)
    assert any("elsewhere.test" in fault for fault in visitors.faults)
    visitors.faults.clear()
