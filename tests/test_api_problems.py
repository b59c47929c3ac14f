"""What the API answers to bad input: a problem that names the place, the value and the remedy; never a stack trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from api.gates import LARGEST_BODY
from stockpile.db import roles
from tests.api_world import Web, fresh, problem, served
from tests.world import RIFLES, scanned_paper, scans

web = pytest.fixture(served)

ISSUE: dict[str, Any] = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}
LOSS: dict[str, Any] = {"place": "x", "circumstances": "y", "lines": scans(RIFLES[0])}


def sent(web: Web, content: bytes | Iterator[bytes], kind: str = "application/json", path: str = "/v1/issues") -> Any:
    return web.client.post(path, content=content, headers={**web.headers("clerk"), "Content-Type": kind})


def faults(web: Web, body: Any, path: str = "/v1/issues") -> list[dict[str, Any]]:
    return list(problem(web.post("clerk", path, body), 422, "invalid")["faults"])


def test_each_mistake_is_named_with_its_place(web: Web) -> None:
    """A field missing, one too many, one of the wrong type, and two lines with mistakes of their own."""
    body = {
        "store": 7,
        "colour": "green",
        "lines": [{"scan": "A"}, {"scan": "B", "quantity": 0}, {"scan": "C", "item": fresh()}],
    }
    found = {(fault.get("row"), fault["field"]): fault for fault in faults(web, body)}
    assert found[None, "receiver"]["message"] == "is missing"
    assert found[None, "colour"]["message"] == "there is no such field"
    assert found[None, "store"]["value"] == "7"
    assert found[2, "quantity"]["value"] == "0"
    assert "either item or scan" in next(fault["message"] for place, fault in found.items() if place[0] == 3)


@pytest.mark.parametrize("body", [None, 7, "text", [], [ISSUE], True])
def test_a_body_that_is_no_object_is_said_so(web: Web, body: Any) -> None:
    """JSON, but not what the route takes."""
    assert faults(web, body)[0]["field"] == "the body"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"{'receiver': 1}", 422),
        (b'{"receiver": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"lines": ' + b"9" * 5000 + b"}", 400),
        (b"\x00\x01\x02", 422),
    ],
)
def test_what_is_no_json_is_said_so(web: Web, content: bytes, status: int) -> None:
    """Half a body, broken UTF-8, a hundred thousand brackets, a number of 5,000 digits, binary rubbish."""
    told = sent(web, content)
    problem(told, status, "invalid" if status == 422 else "unreadable-request")


def test_only_json_is_read_as_json(web: Web) -> None:
    """A form or plain text is refused by its name."""
    content = json.dumps(ISSUE).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
        problem(sent(web, content, kind), 415, "unsupported-media-type")
    assert sent(web, content, "application/json; charset=utf-8").status_code == 201


def test_a_body_too_large_is_not_read(web: Web) -> None:
    """Whether its length is announced or not: eight megabytes are the most, and nothing is done."""
    problem(sent(web, b" " * (LARGEST_BODY + 1)), 413, "too-large")

    def blocks() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY // 65_536 + 2):
            yield b" " * 65_536

    problem(sent(web, blocks()), 413, "too-large")


def test_paths_and_methods_that_are_not_there(web: Web) -> None:
    """Both in the same form; a wrong method names the right ones."""
    problem(web.get("clerk", "/v1/nothing"), 404, "not-found")
    answer = web.get("clerk", "/v1/issues")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"
    problem(web.client.get("/nowhere"), 404, "not-found")
    for path in (
        "/v1/documents/1",
        "/v1/documents?limit=0",
        "/v1/documents?limit=501",
        "/v1/documents?act=steal",
        "/v1/documents?since=soon",
    ):
        problem(web.get("clerk", path), 422, "invalid")


TEXTS = (
    "'; DROP TABLE document; --",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "{{ 7 * 7 }} ${7*7} %s %(x)s",
    "Ünïcödé Щит سلاح 武器 🔫",
    "a" * 500,
)


@pytest.mark.parametrize("text", TEXTS)
def test_odd_text_is_kept_as_it_is(web: Web, text: str) -> None:
    """SQL, HTML, formulas, templates, any script: stored to the character, and never run."""
    posted = web.posted("clerk", "/v1/loss-reports", {**LOSS, "circumstances": text})
    shown = web.get("clerk", f"/v1/documents/{posted['document_id']}")
    assert shown.headers["content-type"] == "application/json"
    assert shown.json()["details"]["circumstances"] == text


@pytest.mark.parametrize(
    "character", ["\0", "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{LEFT-TO-RIGHT ISOLATE}", "\x1b", "\N{ZERO WIDTH SPACE}", "\n"]
)
def test_characters_that_hide_are_refused_by_name(web: Web, character: str) -> None:
    """NUL, controls and what turns text around: the place and the name are told."""
    (fault,) = faults(web, {**LOSS, "circumstances": f"ab{character}cd"}, "/v1/loss-reports")
    assert fault["field"] == "circumstances"
    assert "character 3" in fault["message"]
    assert f"U+{ord(character):04X}" in fault["message"]


@pytest.mark.parametrize("field", ["receiver", "received_by", "store", "site"])
@pytest.mark.parametrize("text", ["x\0y", "\N{RIGHT-TO-LEFT OVERRIDE}", "", " ", "a" * 65])
def test_codes_are_held_to_their_form(web: Web, field: str, text: str) -> None:
    """Empty, too long, or with characters nobody sees."""
    assert faults(web, {**ISSUE, field: text})[0]["field"] == field


@pytest.mark.parametrize(
    "scan", ["KT\0449900", "\ud800", "%", "_", "'", "[)>\x1e06\x1d", "a" * 200, "\N{RIGHT-TO-LEFT OVERRIDE}KT"]
)
def test_any_scan_gets_an_answer(web: Web, scan: str) -> None:
    """Half a mark, wildcards, a lone surrogate, NUL: refused or invalid, never an error of ours."""
    content = json.dumps({**ISSUE, "lines": [{"scan": scan}]}).encode()
    answer = sent(web, content)
    assert answer.status_code in (409, 422), answer.text
    problem(answer, answer.status_code, "refused" if answer.status_code == 409 else "invalid")
    sheet = {"book": "P", "number": 1, "happened_at": "2026-01-01T10:00:00Z", "scan_sha256": scanned_paper()}
    content = json.dumps({**ISSUE, "lines": [{"scan": scan}], "paper": sheet}).encode()
    assert sent(web, content).status_code in (201, 422)


@pytest.mark.parametrize(
    "path",
    [
        "documents/by-number/%00",
        "documents/by-number/TAJI/B/2026/99999999999",
        "parties?text=%00",
        "models?text=%25_%5C",
    ],
)
def test_any_question_gets_an_answer(web: Web, path: str) -> None:
    """NUL and wildcards in addresses and questions."""
    assert web.client.get(f"/v1/{path}", headers=web.headers("clerk")).status_code in (200, 404, 422)


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01", "2026-01-01T00:00:00", 0, 1e20, "yesterday"],
)
def test_any_moment_gets_an_answer(web: Web, moment: Any) -> None:
    """The ends of time, days without an hour, numbers, words: posted at most now, or named as invalid."""
    sheet = {"book": "P", "number": 1, "happened_at": moment, "scan_sha256": scanned_paper()}
    assert web.post("clerk", "/v1/issues", {**ISSUE, "paper": sheet}).status_code in (201, 422)


def test_five_hundred_lines_are_the_most(web: Web) -> None:
    """More come as a file; the fault says the bound."""
    (fault,) = faults(web, {**ISSUE, "lines": scans(*(f"N{n}" for n in range(501)))})
    assert "500" in fault["message"]


def test_a_problem_of_the_database_tells_nothing_of_it(web: Web) -> None:
    """Its tables gone under the service: 500 in our form, without SQL or the names of tables."""
    url = web.country.engine.url.set(drivername="postgresql", username=roles.OWNER)
    with psycopg.connect(url.render_as_string(hide_password=False)) as owner:
        owner.execute("ALTER TABLE stockpile.model RENAME TO mislaid")
    answer = web.post("clerk", "/v1/issues", ISSUE)
    told = problem(answer, 500, "unexpected")
    assert "relation" not in answer.text
    assert "Nothing was done" in told["detail"]


def test_headers_protect_every_answer(web: Web) -> None:
    """API answers are never kept or framed; pages run no script but ours and load nothing from elsewhere."""
    for answer in (web.get("clerk", "/v1/rights"), web.client.get("/v1/rights"), web.get("clerk", "/v1/nothing")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in ("/", "/docs", "/static/stockpile.css"):
        answer = web.client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "style-src 'self'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
