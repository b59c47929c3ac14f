"""A donor's officer at the portal, in a real browser: what became of what was sent, each number down to its serial numbers, and the log
verified by the browser itself against the checkpoint that it keeps. And every page that a donor sees comes light.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.log import beginning
from stockpile.log.signer import LogSigner
from stockpile.proof.note import Verifier
from stockpile.proof.package import check_package
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors
from tests.busy_country import make_busy
from tests.test_log import ORIGIN, caught_up
from tests.world import Country, scans

SENT = tuple(f"US {n}" for n in range(10))
LIGHT = 100_000
"""Bytes of a page with its own parts, as a first visit makes them: over a satellite link it comes in some seconds."""


@pytest.fixture
def signer(visitors: Visitors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LogSigner:
    """The small country's log, with its keys on this machine."""
    monkeypatch.setenv("STOCKPILE_LOG_FOLDER", str(tmp_path / "log"))
    return beginning.begin_log(visitors.web.country.engine, tmp_path / "log", ORIGIN)


def sent(country: Country) -> None:
    """Ten rifles are declared and eight arrive; that is all, the receipt says."""
    lines = [{"model": "M4", "serial_number": serial} for serial in SENT]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", complete=True, lines=lines[:8]
    )  # fmt: skip


def reached(page: Page, name: str) -> None:
    """Follows a link."""
    page.get_by_role("link", name=name, exact=True).first.click()


def serials(page: Page) -> list[str]:
    return page.locator("tbody td[data-label='Serial number']").all_inner_texts()


def test_short_and_proven_by_the_donors_own_browser(visitors: Visitors, signer: LogSigner) -> None:
    """Two are short, and the portal leads to their numbers; the file of proofs is checked by the donor's own program. The browser keeps a
    checkpoint, and verifies each next one; of a log that was rewritten it says so.
    """
    country = visitors.web.country
    sent(country)
    caught_up(country, signer)
    page = visitors.page("USA", "/", viewport={"width": 1280, "height": 900})
    expect(page.locator(".waiting")).to_contain_text("Pieces short")
    assert_accessible(page)
    page.get_by_role("link", name=re.compile("Pieces short")).click()
    page.locator("td[data-label='Short'] a").click()
    assert serials(page) == list(SENT[8:])
    assert_accessible(page)
    reached(page, "Consignment FMS-1")
    assert_accessible(page)
    link = page.get_by_role("link", name="The proofs of all its weapons").get_attribute("href")
    packed = page.request.get(link or "").body()
    found = check_package(packed, [Verifier.parse(signer.verifier)])
    assert found.ok, found.failures
    assert packed.count(b"proofs/") == 2 * len(SENT)

    page.goto("/")
    page.get_by_text("Keep a checkpoint in this browser").click()
    page.get_by_label("The log's key").fill("nothing")
    page.get_by_role("button", name="Verify, and keep it in this browser").click()
    expect(page.get_by_role("alert")).to_contain_text("A key can't be used")
    page.get_by_label("The log's key").fill(signer.verifier)
    page.get_by_role("button", name="Verify, and keep it in this browser").click()
    expect(page.locator(".checked .ready")).to_contain_text("is signed by a key that you gave")
    assert_accessible(page)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*SENT[:3]))
    caught_up(country, signer)
    page.reload()
    expect(page.locator(".checked .ready")).to_contain_text("PROVEN: nothing in the log")
    page.evaluate("""() => {
        const name = Object.keys(localStorage)[0], kept = JSON.parse(localStorage.getItem(name));
        localStorage.setItem(name, JSON.stringify({ ...kept, note: kept.note.replace(/\\n\\d+\\n/, "\\n5\\n") }));
    }""")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("NOT PROVEN")
    page.get_by_role("button", name="Begin again with a key and a checkpoint").click()
    expect(page.get_by_label("The log's key")).to_have_value(signer.verifier)


def weight(visitors: Visitors, path: str) -> tuple[int, list[str]]:
    """The bytes that a first visit takes, unpacked: the page and each of its own parts; and where the page leads."""
    page = visitors.context("USA").new_page()
    parts: list[Response] = []
    page.on("response", lambda part: parts.append(part))
    page.goto(path)
    sizes = {part.url: len(part.body()) for part in list(parts) if part.status == 200}
    links = page.eval_on_selector_all("main a[href], nav a[href]", "all => all.map(one => one.getAttribute('href'))")
    page.context.close()
    return sum(sizes.values()), links


def test_every_page_of_a_donor_comes_light(visitors: Visitors, signer: LogSigner) -> None:
    """Each page that a donor can reach weighs less than 100 kB with all its parts, unpacked."""
    country = visitors.web.country
    make_busy(visitors.web)
    lines = [{"model": "M4", "serial_number": f"HEAVY {n}"} for n in range(60)]
    for n in range(12):
        several = lines if n == 0 else [{"model": "M4", "serial_number": f"LIGHT {n}"}]
        country.do("registrar", DECLARE, site="TAJI", donor="USA", reference=f"FMS-2026-11{n}", lines=several)
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-2026-110", lines=lines)
    caught_up(country, signer)
    heavy: dict[str, int] = {}
    waiting, known = ["/", "/end-use", "/consignments"], {"/", "/end-use", "/consignments"}
    kinds: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        size, links = weight(visitors, path)
        heavy[path] = size
        for link in links:
            kind = re.sub("[0-9a-f-]{36}", "*", link.partition("#")[0].partition("?")[0])
            skip = link.startswith(("/v1/", "/docs", "/check.html", "/files/")) or "format=" in link or "/proof" in link
            if link.startswith("/") and not skip and kind not in kinds and link not in known:
                kinds.add(kind)
                known.add(link)
                waiting.append(link)
    assert len(heavy) > 15
    assert {path: size for path, size in heavy.items() if size >= LIGHT} == {}
