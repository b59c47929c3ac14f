"""From the start page, as each role, every link once: no dead end, nothing that fails, in every language nothing forgotten."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.api_world import Web, served
from tests.busy_country import make_busy
from tests.reading_pages import BROWSER, PageRead

web = pytest.fixture(served)

WHO = {
    "clerk": "en",
    "armourer": "en",
    "commander": "xx",
    "erbil clerk": "en",
    "registrar": "xx",
    "auditor": "en",
    "USA": "xx",
    "FRA": "en",
}
"""Who goes, and in which language: in the pseudo-locale every word that went through gettext stands in brackets."""
OF_A_KIND = 12
"""So many pages of one kind are opened; more would show the same."""
DATA = {"head", "bdi", "time", "code", "kbd", "pre", "textarea", "tspan"}
"""Elements whose text is what the books or a user say, or what stands on a key, not ours."""
NOT_IN_WORDS = ("/docs", "/openapi.json", "/static/", "/check.html")
"""The API speaks English, as its documents do; and the page that checks a proof, in the words of the command."""


def crawl(web: Web, who: str, language: str = "en") -> dict[str, PageRead]:
    """Every page that can be reached, each kind of page a few times."""
    pages: dict[str, PageRead] = {}
    kinds: Counter[str] = Counter()
    known, waiting = {"/"}, ["/"]
    headers = {**BROWSER, **web.headers(who), "Accept-Language": language}
    while waiting:
        address = waiting.pop(0)
        kind = re.sub("[0-9a-f-]{36}", "", address.partition("?")[0])
        if address.startswith(NOT_IN_WORDS) and language != "en":
            continue
        kinds[kind] += 1
        if kinds[kind] > OF_A_KIND:
            continue
        answer = web.client.get(address, headers=headers, follow_redirects=False)
        assert answer.status_code < 400, f"{who} at {address}: {answer.status_code} {answer.text[-600:]}"
        found = [answer.headers["location"]] if answer.is_redirect else []
        if answer.headers.get("content-type", "").startswith("text/html"):
            page = pages[address] = PageRead()
            page.feed(answer.text)
            if not address.startswith(NOT_IN_WORDS):
                assert len(answer.content) < 100_000, f"{address}: {len(answer.content)} bytes"
            found += [link.partition("#")[0] for link in page.addresses]
        for link in found:
            assert link == "" or link.startswith("/"), link
            if link and link not in known:
                known.add(link)
                waiting.append(link)
    return pages


def forgotten(page: PageRead) -> list[str]:
    """What a page says that never went through gettext: in the pseudo-locale it has no brackets."""
    said = [text for tags, text in page.texts if not DATA & set(tags)]
    return [text for text in (*said, *page.spoken) if any(map(str.isalpha, re.sub(r"\[[^\]]*\]", "", text)))]


@pytest.mark.parametrize(("who", "language"), WHO.items())
def test_every_link_leads_somewhere(web: Web, who: str, language: str) -> None:
    """Whoever follows it: a desk of either site, a registrar, an auditor, a donor with weapons and one without. In the pseudo-locale
    no word is forgotten, but what is data.
    """
    make_busy(web)
    pages = crawl(web, who, language)
    assert len(pages) > 5
    for address, page in pages.items():
        assert page.heading, address
        assert page.title, address
        if language == "xx":
            assert (forgotten(page), page.language) == ([], "xx"), address


def test_the_page_for_nobody_in_particular_is_translated_too(web: Web) -> None:
    """What stands before the sign-in."""
    page = PageRead()
    page.feed(web.client.get("/?language=xx", headers=BROWSER).text)
    assert forgotten(page) == []
