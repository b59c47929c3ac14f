"""What axe-core says of a page: rules of WCAG 2.2 that a machine can check."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


STILL = """() => Promise.all(document.getAnimations({subtree: true})
    .filter((found) => found.effect.getComputedTiming().endTime !== Infinity)
    .map((found) => found.finished.catch(() => null)))"""


def assert_accessible(page: Page) -> None:
    """Fails, naming the rule and where it is broken, unless axe-core finds nothing once what fades in stands still."""
    page.evaluate(STILL)
    violations = Axe().run(page, options=RULES).response["violations"]
    told = [
        f"{found['id']}: {found['help']}: {', '.join(node['html'][:200] for node in found['nodes'][:5])}"
        for found in violations
    ]
    assert not told, f"{page.url}\n" + "\n".join(told)
