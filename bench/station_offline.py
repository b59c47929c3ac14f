"""How long a station takes without its link, with 20,000 weapons at its site: to take the books along, to start, to say a verdict.

    python -m bench.station_offline [--weapons 20000] [--verdicts 300]

In the machine's Chromium against the service on the same machine. The verdict is measured as a mode of the station asks for it, with the
scan on the disk before it is answered.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import time
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from bench.ground import ground
from stockpile.acts.receive import RECEIVE
from tests.api_world import Web, served
from tests.browser.conftest import NOT_OURS, PATIENCE, Visitors, _listening, chromium
from tests.browser.test_station_offline import OPEN, enrolled, hand_over, set_pin, until
from tests.world import Country

LINES = 500

MEASURE = """
async (scans) => {
    const taken = [];
    for (const scan of scans) {
        const asked = { mode: "issue", scan, store: "Main store", lines: [] };
        const begun = performance.now();
        await service.verdict(asked);
        taken.push(performance.now() - begun);
    }
    return taken;
}
"""


def stock(country: Country, weapons: int) -> list[str]:
    """So many rifles in TAJI's store."""
    serials = [f"ZX {n:06}" for n in range(weapons)]
    for first in range(0, weapons, LINES):
        lines = [
            {"model": "AKM", "serial_number": one, "condition": "serviceable"} for one in serials[first : first + LINES]
        ]
        country.do("clerk", RECEIVE, store="Main store", lines=lines)
    return serials


def told(name: str, milliseconds: list[float]) -> None:
    """The median and the 95th of a hundred."""
    ordered = sorted(milliseconds)
    print(f"{name:<46} {statistics.median(ordered):8.1f} ms {ordered[int(len(ordered) * 0.95)]:8.1f} ms of 95 in 100")


def measure_snapshot(web: Web) -> None:
    """The books over HTTP, in the service's own process."""
    taken, answer = [], None
    for _ in range(5):
        begun = time.perf_counter()
        answer = web.get("clerk", "/v1/station/snapshot")
        taken.append((time.perf_counter() - begun) * 1000)
    assert answer is not None
    told("books taken along", taken)
    print(f"{'their size, compressed':<46} {len(gzip.compress(answer.content, 3)) / 1000:8.0f} kB")


def measure_start(page: Page) -> None:
    """From nothing to the question who works here, and on to the field."""
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        page.goto("/station")
        expect(page.get_by_role("heading", name="Who works here?")).to_be_visible()
        taken.append((time.perf_counter() - begun) * 1000)
    told("start without a network", taken)


def measure_verdicts(page: Page, serials: list[str], count: int) -> None:
    """As the station asks, from a page that holds the books by itself."""
    page.goto("/")
    page.evaluate(OPEN)
    until(page, "books.state.writer && books.state.asOf !== null && !books.state.locked", 120)
    page.context.set_offline(True)
    scans = [serials[n * len(serials) // count] for n in range(count)]
    found: Any = page.evaluate(MEASURE, scans)
    told("verdict, the scan kept first", found)


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weapons", type=int, default=20_000)
    parser.add_argument("--verdicts", type=int, default=300)
    wanted = parser.parse_args()
    with ground() as here, sync_playwright() as playwright:
        serials = stock(here.country, wanted.weapons)
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*NOT_OURS, "--no-sandbox"])
        for web in served(here.country):
            measure_snapshot(web)
            with _listening(web) as address:
                visitors = Visitors(web, address, browser)
                context, page = enrolled(visitors)
                hand_over(visitors, context, "clerk")
                set_pin(page)
                page.goto("/station")
                expect(page.locator("#not-sent")).to_be_visible(timeout=PATIENCE)
                measure_verdicts(page, serials, wanted.verdicts)
                measure_start(page)
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
