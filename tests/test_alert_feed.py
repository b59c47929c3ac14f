"""The web feed of alerts: read as a feed reader reads it, with its secret as a password, and no more once that ended."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree

import pytest
from httpx import Response

from stockpile.acts.loss import REPORT_MISSING
from stockpile.alerts.finding import find_alerts
from tests.api_world import Web, served
from tests.reading_pages import visit
from tests.world import RIFLES, scans

web = pytest.fixture(served)
ATOM = "{http://www.w3.org/2005/Atom}"
STOLEN = {"place": "Arms room", "circumstances": "Not in the rack at the evening count"}


def fetched(web: Web, secret: str, **headers: str) -> Response:
    """As a feed reader asks."""
    given = b64encode(f"reader:{secret}".encode()).decode()
    return web.client.get("/alerts.atom", headers={"Authorization": f"Basic {given}", **headers})


def subscribed(web: Web, who: str, **more: Any) -> tuple[str, str]:
    answer = web.post(who, "/v1/alert-subscriptions", {"way": "web feed", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["subscription_id"], answer.json()["secret"]


def check(document: bytes) -> list[dict[str, str]]:
    """The entries of a feed, after what RFC 4287 demands of it was checked."""
    feed = ElementTree.fromstring(document)
    assert feed.tag == f"{ATOM}feed"
    kinds = [child.tag.removeprefix(ATOM) for child in feed]
    for needed in ("id", "title", "updated"):  # 4.1.1: exactly one
        assert kinds.count(needed) == 1, needed
    assert kinds.count("author") == 1
    assert [link.get("rel") for link in feed.findall(f"{ATOM}link")] == ["self", "alternate"]
    entries = []
    for entry in feed.findall(f"{ATOM}entry"):
        inside = [child.tag.removeprefix(ATOM) for child in entry]
        for needed in ("id", "title", "updated"):  # 4.1.2
            assert inside.count(needed) == 1, needed
        assert inside.count("published") <= 1
        assert inside.count("summary") <= 1
        assert entry.find(f"{ATOM}link[@rel='alternate']") is not None  # without content it has one
        told = {child.tag.removeprefix(ATOM): child.text or "" for child in entry}
        for moment in (told["updated"], told["published"]):  # RFC 3339
            assert datetime.fromisoformat(moment).tzinfo is not None
            assert moment.endswith("Z")
        assert told["id"].startswith("urn:uuid:")
        entries.append(told)
    assert len({one["id"] for one in entries}) == len(entries)
    return entries


def test_a_feed_reader_is_told(web: Web) -> None:
    """Its secret opens the feed and nothing else; what is unchanged is not sent again; ended, it opens nothing."""
    country = web.country
    brief, secret = subscribed(web, "auditor")
    _, full = subscribed(web, "registrar", full_text=True, kinds=["missing or lost"])
    _, donors = subscribed(web, "USA")
    empty = fetched(web, secret)
    assert (empty.status_code, empty.headers["content-type"]) == (200, "application/atom+xml; charset=utf-8")
    assert check(empty.content) == []
    country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[0]))
    find_alerts(country.engine)
    found = fetched(web, secret)
    told = check(found.content)
    assert "1: missing or lost" in [one["title"] for one in told] or "2: missing or lost" in [
        one["title"] for one in told
    ]
    assert "TAJI" not in found.text
    (whole,) = check(fetched(web, full).content)
    assert whole["summary"].startswith("Reported missing or lost at TAJI: 1, by TAJI/B/")
    assert check(fetched(web, donors).content) == []

    tag = found.headers["etag"]
    again = fetched(web, secret, **{"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert fetched(web, secret, **{"If-None-Match": '"other"'}).status_code == 200
    country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[1]))
    find_alerts(country.engine)
    assert fetched(web, secret, **{"If-None-Match": tag}).status_code == 200

    assert web.client.get("/v1/alerts", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    kept = country.owner_query("SELECT feed_hash FROM stockpile.alert_subscription WHERE subscription_id = %s", brief)
    assert bytes(kept[0][0]) == sha256(secret.encode()).digest()
    for who in ("auditor", "registrar"):
        assert secret not in web.get(who, "/v1/alert-subscriptions").text
    assert web.post("auditor", f"/v1/alert-subscriptions/{brief}/end").status_code == 200
    refused = fetched(web, secret)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    for wrong in ("", "sf_x", "\x00", "sf_" + "A" * 43):
        assert fetched(web, wrong).status_code == 401, wrong
    assert web.client.get("/alerts.atom").status_code == 401
    assert web.client.get("/alerts.atom", headers={"Authorization": "Basic !!!"}).status_code == 401


def test_who_is_signed_in_reads_the_feed_as_the_page(web: Web) -> None:
    """By the own token: in full, since the page says so too. A clerk has none."""
    web.country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[0]))
    find_alerts(web.country.engine, whole=False)
    (told,) = check(web.get("commander", "/alerts.atom").content)
    assert told["summary"].startswith("Reported missing or lost at TAJI: 1")
    assert web.get("clerk", "/alerts.atom").status_code == 403


def test_the_form_shows_a_feeds_secret_once(web: Web) -> None:
    """On the page that made it, and never again."""
    made = web.client.post("/alerts/subscriptions", data={"way": "web feed"}, headers=web.headers("commander"))
    assert made.status_code == 201
    secret = made.text.split("sf_", 1)[1][:43]
    assert fetched(web, f"sf_{secret}").status_code == 200
    page = visit(web, "commander", "/alerts/subscriptions")
    assert "sf_" not in page.text
    assert "web feed" in page.text
