"""Stories in a real browser: the small country behind its service on a port of its own, and Chromium before it. What a
page may not do by its content security policy, and whatever its script does not catch, fails the story that met it.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.api_world import Web, served, service_over

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
NOT_OURS = (
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu",
)  # fmt: skip
PATIENCE = 30_000
"""Milliseconds that a story waits for what it expects: longer than any answer takes on a busy machine."""

expect.set_options(timeout=PATIENCE)

REPORT_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', found =>
    console.error(`policy violated: ${found.violatedDirective} ${found.blockedURI} ${found.sourceFile}:${found.lineNumber}`));
"""

web = pytest.fixture(served)


def chromium() -> Path:
    """Where the machine's browser is. Fails the tests, with what to do, where there is none."""
    named = os.environ.get("STOCKPILE_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.exit("The browser tests need Chromium: 'apt-get install chromium', or name it in STOCKPILE_CHROMIUM.", 4)
    return Path(found)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, without a window."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=[*NOT_OURS, *sandbox])
        yield running
        running.close()


@dataclass
class Visitors:
    """Browsers of people at the service: `visitors.page("clerk", "/station")`."""

    web: Web
    address: str
    browser: Browser
    faults: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def context(self, who: str | None, **options: object) -> BrowserContext:
        """A browser of somebody's, signed in by token; `who` None: nobody."""
        headers = self.web.headers(who) if who else {}
        context = self.browser.new_context(base_url=self.address, extra_http_headers=headers, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        self.contexts.append(context)
        return context

    def page(self, who: str | None, path: str, **options: object) -> Page:
        """A page that somebody opened."""
        page = self.context(who, **options).new_page()
        page.goto(path)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        text = message.text
        if "policy violated" in text or "Content Security Policy" in text:
            self.faults.append(text)


@pytest.fixture
def visitors(web: Web, browser: Browser) -> Iterator[Visitors]:
    """The small country served to browsers. The story fails when a page broke its policy or left an error uncaught."""
    with _listening(web) as address:
        visitors = Visitors(web, address, browser)
        yield visitors
        for context in visitors.contexts:
            context.close()
    assert not visitors.faults, "\n".join(visitors.faults)


class _listening:
    """The service on a free port, in a thread of the test's own."""

    def __init__(self, web: Web) -> None:
        config = uvicorn.Config(service_over(web.country.engine), host="127.0.0.1", port=0, log_level="error")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)
        host, port = self.server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def __exit__(self, *problem: object) -> None:
        self.server.should_exit = True
        self.thread.join()
