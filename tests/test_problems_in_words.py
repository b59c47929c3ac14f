"""What is wrong, why not, and what a scan means, told in the language of who asks: no English word is left of it in the pseudo-locale,
where every letter that has an accent in it bears one, and nothing of it changes for who asks for no language.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from stockpile.keys import new_key
from tests.api_world import Web, problem, served
from tests.reading_pages import BROWSER, read
from tests.rosters import listed
from tests.world import RIFLES, scans

web = pytest.fixture(served)

IN_XX = {"Accept-Language": "xx"}
DATA = (
    *RIFLES, "Private Petrov (A-1001)", "Private Leaver (A-1009)", "Private Quist (A-1002)", "1st Company (1COY)", "A-1001", "A-1009",
    "TAJI", "ERBIL", "1COY", "AKM", "Main store", "Quarantine", "Helmet", "roster.csv", "nobody", "USA", "Range 2",
)  # fmt: skip
"""What the books and the asker say in these stories."""


def english(text: str, *data: str) -> list[str]:
    """The words of a text that nobody translated: in the pseudo-locale every vowel has an accent."""
    for each in sorted((*DATA, *data), key=len, reverse=True):
        text = text.replace(each, "")
    without_numbers = re.sub(r"TAJI/\S+|/[A-Z]+/\d{4}/\d+|\b[0-9a-f-]{36}\b", "", text)
    return re.findall(r"\b\w*[aeiouAEIOU]\w*\b", without_numbers)


def texts(told: Any, *names: str) -> Iterator[str]:
    """Every text of an answer under these names."""
    if isinstance(told, dict):
        for name, value in told.items():
            if name in names and isinstance(value, str):
                yield value
            yield from texts(value, *names)
    elif isinstance(told, list):
        for value in told:
            yield from texts(value, *names)


def check(told: Any, *data: str) -> None:
    """No English word is left in what an answer says."""
    said = [*texts(told, "title", "detail", "message", "reason", "where", "words")]
    assert said
    assert {text: found for text in said if (found := english(text, *data))} == {}


def test_a_refused_issue(web: Web) -> None:
    """Weapon by weapon, and where each is now; and who may not receive, or is nobody; English without a language, and for `en`."""
    issue = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}
    web.posted("clerk", "/v1/issues", issue)
    lines = [*scans(RIFLES[0], RIFLES[1], RIFLES[1], "KT 0"), {"model": "Helmet", "quantity": 500}]
    asked = {"receiver": "A-1001", "store": "Main store", "lines": lines}
    plain = problem(web.post("clerk", "/v1/issues", asked), 409, "refused")
    assert plain["detail"] == "Nothing was done: 4 line(s) of this issue cannot be."
    assert plain["reasons"][0]["reason"] == "it is issued to a person: the act 'issue' does not begin there"
    assert plain["reasons"][0]["where"] == "Private Petrov (A-1001) (person)"
    answer = web.post("clerk", "/v1/issues", asked, **{"Accept-Language": "en-GB, en;q=0.9"})
    assert answer.json() == plain
    assert "content-language" not in answer.headers
    answer = web.post("clerk", "/v1/issues", asked, **IN_XX)
    assert answer.headers["content-language"] == "xx"
    told = problem(answer, 409, "refused")
    assert len(told["reasons"]) == 4
    check(told, "KT 0")
    for receiver, status in (("A-1009", 409), ("1COY", 422), ("Z-1", 422)):
        told = web.post("clerk", "/v1/issues", issue | {"receiver": receiver}, **IN_XX)
        assert told.status_code == status
        check(told.json(), "Z-1")
    assert web.post("clerk", "/v1/issues", issue | {"document_id": str(new_key())}, **IN_XX).status_code == 409


def test_what_is_told_on_the_way_in(web: Web) -> None:
    """No token, no right, another site, nothing there, a body that is none, fields that are missing, too long, none of ours."""
    client = web.client
    asked: list[Response] = [
        client.get("/v1/weapons", headers=IN_XX),
        client.get("/v1/weapons", headers=IN_XX | {"Authorization": "Bearer sp_nothing"}),
        client.get("/v1/nothing", headers=IN_XX | web.headers("clerk")),
        client.put("/v1/weapons", headers=IN_XX | web.headers("clerk")),
        client.get(f"/v1/weapons/{uuid4()}", headers=IN_XX | web.headers("clerk")),
        client.get("/v1/weapons?limit=many", headers=IN_XX | web.headers("clerk")),
        client.get("/v1/weapons?limit=0", headers=IN_XX | web.headers("clerk")),
        web.post("auditor", "/v1/issues", {"receiver": "A-1001", "lines": scans(RIFLES[0])}, **IN_XX),
        web.post("clerk", "/v1/issues", {"receiver": "", "lines": [{"scan": "\t"}], "store": 3, "why": 1}, **IN_XX),
        web.post("clerk", "/v1/issues", {"site": "ERBIL", "receiver": "A-1001", "lines": scans(RIFLES[0])}, **IN_XX),
        client.post("/v1/issues", content=b"{", headers=IN_XX | web.headers("clerk") | {"Content-Type": "application/json"}),
        client.get("/v1/audits?text=%00", headers=IN_XX | web.headers("auditor")),
        client.post("/v1/issues", content=b"a", headers=IN_XX | web.headers("clerk") | {"Content-Type": "text/plain"}),
    ]  # fmt: skip
    assert sorted({answer.status_code for answer in asked}) == [401, 403, 404, 405, 415, 422]
    as_sent = (
        "/v1/nothing",
        "/v1/weapons",
        "Authorization",
        "Bearer",
        "sp_",
        "Content-Type",
        "application/json",
        "PUT",
        "Expecting property name enclosed in double quotes",
    )
    for answer in asked:
        check(answer.json(), *as_sent)


def test_verdicts_and_badges_at_the_station(web: Web) -> None:
    """The page's language is kept by a cookie, so that it is told what a scan means in it: ready, held, missing, unknown, too few."""
    issue = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}
    web.posted("clerk", "/v1/issues", issue)
    web.posted(
        "clerk", "/v1/loss-reports", {"place": "Range 2", "circumstances": "Not in the rack", "lines": scans(RIFLES[1])}
    )
    web.client.cookies.set("language", "xx")
    item = str(web.country.item(RIFLES[2]).item_id)
    asked = [
        ({"mode": "issue", "scan": RIFLES[2]}, "ready"),
        ({"mode": "issue", "scan": RIFLES[0]}, "held"),
        ({"mode": "issue", "scan": RIFLES[1]}, "missing"),
        ({"mode": "issue", "scan": "0815-X"}, "unknown"),
        ({"mode": "issue", "scan": RIFLES[2], "lines": [{"item": item}]}, "already listed"),
        ({"mode": "issue", "model": "Helmet", "quantity": 900}, "too few"),
        ({"mode": "return", "scan": RIFLES[2]}, "in a store"),
        ({"mode": "return", "scan": RIFLES[0], "receiver": "A-1002"}, "brought by another"),
        ({"mode": "draw", "scan": RIFLES[2]}, "refused"),
        ({"mode": "receive", "scan": RIFLES[2]}, "several"),
    ]
    for request, verdict in asked:
        told = web.post("clerk", "/v1/station/verdicts", {"store": "Main store", **request}).json()
        if request["mode"] != "receive":
            assert told["verdict"] == verdict, request
        check({"words": told["words"]})
    told = web.post("clerk", "/v1/station/verdicts", {"mode": "issue", "scan": RIFLES[2]})
    check(problem(told, 422, "invalid"))
    for code in ("A-1009", "nobody", "1COY"):
        check({"words": web.get("clerk", "/v1/station/badges", code=code).json()["words"]})


SAID = re.compile(r'<div class="trouble".*?</div>|<p class="(?:fault|trouble)".*?</p>|<tbody.*?</tbody>', re.DOTALL)


def trouble(answer: Response) -> str:
    """What a page says of what is wrong: in its box, beside its fields, in its tables; without the values that were sent."""
    assert read(answer).language == "xx"
    parts = [re.sub(r"<q>.*?</q>|<time.*?</time>", "", part) for part in SAID.findall(answer.text)]
    assert parts, answer.text
    return html.unescape(re.sub("<[^>]*>", " ", " ".join(parts)))


def send(web: Web, who: str, path: str, files: dict[str, tuple[str, str]] | None = None, **fields: str) -> Response:
    """A form that somebody sends from a page in the pseudo-locale."""
    headers = {**BROWSER, **web.headers(who), **IN_XX}
    return web.client.post(path, data=fields, files=files, headers=headers, follow_redirects=False)


def test_the_faults_of_an_import(web: Web) -> None:
    """A roster with a number twice, one without, and a unit that nobody knows: the page says each in its language."""
    roster = listed(
        "A-1001,Petrov,Private,1COY", "A-1001,Petrow,Major,1COY", ",Nobody,Private,1COY", "A-7,Seven,Private,9COY"
    )
    tried = send(web, "registrar", "/rosters", {"file": ("roster.csv", roster)}, site="TAJI", set_aside="")
    assert english(trouble(tried), "9COY", "A-7", "A-1002", "A-1003", "Quist", "Rahim", "Private") == []
    for content in ("", "%PDF-1.7 nothing", "a;b\n1;2\n"):
        refused = send(web, "registrar", "/rosters", {"file": ("roster.csv", content)}, site="TAJI", set_aside="")
        assert refused.status_code == 422
        assert english(trouble(refused), "CSV", "XLSX", "PDF", "a, b") == []


def test_forms_that_are_not_right_and_pages_that_are_not_there(web: Web) -> None:
    """A loss without a place, a count of nothing by nobody, a weapon nobody knows, a page that is not for a clerk."""
    lost = str(web.country.item(RIFLES[0]).item_id)
    form = {"document_id": str(new_key()), "item": lost, "listed": lost, "circumstances": "x", "place": ""}
    assert english(trouble(send(web, "clerk", "/loss-reports", **form))) == []
    counted = {"count_id": str(new_key()), "of": "Attic", "counters": "Z-9"} | {
        "scope": "account", "method": "serial", "reason": "periodic"
    }  # fmt: skip
    assert english(trouble(send(web, "commander", "/counts", **counted)), "Attic", "Z-9") == []
    headers = {**BROWSER, **web.headers("clerk")}
    for path in (f"/weapons/{uuid4()}?language=xx", "/nothing-here?language=xx", "/rosters/new?language=xx"):
        answer = web.client.get(path, headers=headers)
        assert answer.status_code in (403, 404)
        assert english(trouble(answer), "/nothing-here") == [], path
        assert english(read(answer).heading) == [], path
