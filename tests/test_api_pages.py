"""Pages: lists that go on where they ended, and the two pages for people."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.api_world import Web, problem, served
from tests.world import RIFLES, scans

web = pytest.fixture(served)


def all_rows(web: Web, who: str, path: str, limit: int, **query: Any) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = web.get(who, path, limit=limit, **query, **({"cursor": cursor} if cursor else {})).json()
        rows += answer["rows"]
        cursor = answer["cursor"]
        if cursor is None:
            return rows
        assert len(answer["rows"]) == limit


def test_pages_hold_every_row_once(web: Web) -> None:
    """Seven documents more, read three at a time: each once, the newest first."""
    numbers = [
        web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(serial)})[
            "number"
        ]
        for serial in RIFLES[:7]
    ]
    listed = [row["number"] for row in all_rows(web, "clerk", "/v1/documents", 3)]
    assert listed[:7] == numbers[::-1]
    assert len(listed) == len(set(listed)) == 8


def test_lists_are_narrowed_by_act_and_day(web: Web) -> None:
    """Issues only; of today; none of a day long gone."""
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])})
    assert {row["act"] for row in web.get("clerk", "/v1/documents", act="issue").json()["rows"]} == {"issue"}
    assert web.get("clerk", "/v1/documents", since="2020-01-01").json()["rows"]
    assert web.get("clerk", "/v1/documents", until="2020-01-01").json()["rows"] == []
    problem(web.get("clerk", "/v1/documents", cursor="not a cursor"), 422, "invalid")


def test_a_long_document_is_read_in_pages(web: Web) -> None:
    """Ten rifles on one voucher, four lines at a time."""
    posted = web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(*RIFLES)})
    path = f"/v1/documents/{posted['document_id']}"
    assert [line["line"] for line in all_rows(web, "clerk", f"{path}/lines", 4)] == list(range(1, 11))
    first = web.get("clerk", path, limit=4).json()
    second = web.get("clerk", path, limit=6, cursor=first["cursor"]).json()
    assert [line["line"] for line in (*first["lines"], *second["lines"])] == list(range(1, 11))
    assert second["cursor"] is None


def test_every_row_comes_once_while_others_come_between(web: Web) -> None:
    """A clerk leafs through the documents, two a page, while the next counter goes on posting: none is missed, none twice."""
    for serial in RIFLES[:4]:
        web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(serial)})
    there = [row["number"] for row in web.get("clerk", "/v1/documents").json()["rows"]]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for serial in RIFLES[4:]:
        page = web.get("clerk", "/v1/documents", limit=2, **cursor).json()
        seen += [row["number"] for row in page["rows"]]
        web.posted("second clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(serial)})
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert seen == there
    assert len(web.get("clerk", "/v1/documents").json()["rows"]) == len(there) + 3


def test_jobs_drafts_discrepancies_and_weapons_page_alike(web: Web) -> None:
    """In pages of one or three, each row once, in the order of one long page."""
    for number in range(5):
        opening = {
            "name": f"Old {number}",
            "store": "Main store",
            "lines": [{"model": "AKM", "serial_number": f"O{number}"}],
        }
        web.drafted("registrar", "/v1/openings", {"site": "TAJI", **opening})
        twin = {"store": "Main store", "lines": [{"model": "AKM", "serial_number": RIFLES[number]}]}
        web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[number])})
        web.posted("clerk", "/v1/receipts", twin)
    for path, key in (
        ("/v1/drafts", "document_id"),
        ("/v1/discrepancies", "discrepancy_id"),
        ("/v1/weapons", "item_id"),
    ):
        whole = [row[key] for row in all_rows(web, "commander", path, 500)]
        assert len(whole) >= 5, path
        assert len(set(whole)) == len(whole), path
        for limit in (1, 3):
            assert [row[key] for row in all_rows(web, "commander", path, limit)] == whole, path


class Links(HTMLParser):
    """What a page refers to, and whether it carries script or style of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.names: set[str] = set()
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collects."""
        given = dict(attributes)
        self.targets += [value for name in ("href", "src") if (value := given.get(name))]
        self.names |= {value for value in (given.get("id"),) if value}
        if tag in ("script", "style") or any(name.startswith("on") or name == "style" for name in given):
            self.forbidden.append(tag)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_nothing_from_elsewhere(web: Web, path: str) -> None:
    """No script, no style inside, and every link leads to something here."""
    page = Links()
    page.feed(web.client.get(path).text)
    assert page.forbidden == []
    for target in page.targets:
        assert target.startswith(("/", "#")), target
        if target.startswith("#"):
            assert target[1:] in page.names
        else:
            assert web.client.get(target).status_code == 200, target


def test_the_start_page_tells_no_figure_of_the_country(web: Web) -> None:
    """It names product, version and the way in; no site, no count, no person."""
    text = web.client.get("/").text
    assert "Stockpile" in text
    assert "/docs" in text
    for secret in ("TAJI", "ERBIL", "Rana", "AKM", "USA"):
        assert secret not in text


def test_every_kind_of_problem_is_explained_where_its_type_leads(web: Web) -> None:
    """The `type` of a problem is a link into the page of the API."""
    page = web.client.get("/docs").text
    told = problem(web.client.get("/v1/rights"), 401, "not-signed-in")
    path, _, name = told["type"].partition("#")
    assert path == "/docs"
    assert f'id="{name}"' in page


def test_the_page_of_the_api_shows_every_route_with_its_example(web: Web) -> None:
    """Each path of the document, and an example for each body."""
    page = web.client.get("/docs").text
    described = web.client.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        assert path in page
        for method, operation in operations.items():
            assert operation["summary"], path
            assert operation.get("description"), path
            status = min(operation["responses"])
            content = operation["responses"][status].get("content", {})
            assert content or status == "204", (method, path)
            assert all(one["schema"] for one in content.values()), (method, path)
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            assert body is None or "example" in body, (method, path)
    assert len(re.findall("<details", page)) == sum(len(operations) for operations in described["paths"].values())
