"""Lists as pages: narrowed, sorted and leafed through by their address alone, and taken away as files of the same rows."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from tests.api_world import Web, served
from tests.reading_pages import BROWSER, visit
from tests.world import RIFLES, scans

web = pytest.fixture(served)


def issued(web: Web, serial: str, who: str = "clerk") -> str:
    """A rifle issued to Petrov; the number of the document."""
    body = {"receiver": "A-1001", "store": "Main store", "lines": scans(serial)}
    return str(web.posted(who, "/v1/issues", body)["number"])


def test_a_list_shows_the_rows_of_the_api_each_a_way_to_its_document(web: Web) -> None:
    """The newest first; the number leads to the document, and who posted it is told."""
    numbers = [issued(web, serial) for serial in RIFLES[:3]]
    page = visit(web, "clerk", "/documents")
    assert page.heading == "Documents"
    assert [row["Number"] for row in page.rows][:3] == numbers[::-1]
    assert page.rows[0]["Posted by"] == "Sergeant Talib Clerk (T-1)"
    assert page.links[numbers[0]].startswith("/documents/")


def test_filters_stay_in_the_address_and_in_the_form(web: Web) -> None:
    """Narrowed to issues of today: the form shows what was asked, and so do the heads and the files."""
    number = issued(web, RIFLES[0])
    page = visit(web, "clerk", f"/documents?act=issue&text={number}")
    assert [row["Number"] for row in page.rows] == [number]
    assert (page.fields["act"], page.fields["text"]) == ("issue", number)
    assert "act=issue" in page.links["CSV"]
    assert "act=issue" in page.links["Recorded"]


def test_the_head_of_a_column_sorts_and_sorts_back(web: Web) -> None:
    """By the oldest, then by the newest: over pages, every row once."""
    numbers = [issued(web, serial) for serial in RIFLES[:3]]
    first = visit(web, "clerk", "/documents")
    oldest = visit(web, "clerk", first.links["Recorded"])
    assert [row["Number"] for row in oldest.rows][-3:] == numbers
    newest = visit(web, "clerk", oldest.links["Recorded"])
    assert [row["Number"] for row in newest.rows] == [row["Number"] for row in first.rows]


def test_pages_go_on_where_they_ended(web: Web) -> None:
    """Sixty documents, fifty a page, in either order: every one once."""
    for serial in RIFLES[:6] * 5:
        issued(web, serial)
        web.posted("clerk", "/v1/returns", {"store": "Main store", "lines": scans(serial)})
    for order in ("", "?order=recorded_at"):
        first = visit(web, "clerk", f"/documents{order}")
        second = visit(web, "clerk", first.links["Next page"])
        rows = [row["Number"] for row in (*first.rows, *second.rows)]
        assert len(first.rows) == 50
        assert len(rows) == len(set(rows)) == 61
        assert "Next page" not in second.links
        assert second.links["First page"] == f"/documents{order}"


def test_a_file_holds_what_the_page_shows(web: Web) -> None:
    """The same rows in the same order, as CSV and XLSX."""
    for serial in RIFLES[:3]:
        issued(web, serial)
    page = visit(web, "clerk", "/documents?act=issue&order=recorded_at")
    answer = web.get("clerk", page.links["CSV"])
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["number"] for row in rows] == [row["Number"] for row in page.rows]
    assert web.get("clerk", page.links["XLSX"]).content[:2] == b"PK"


def test_what_cannot_be_asked_is_told_beside_its_field(web: Web) -> None:
    """A day that is none, an order there is not, somebody else's cursor: the form keeps what was typed, nothing breaks."""
    page = visit(web, "clerk", "/documents?since=yesterday&text=NORTH", 422)
    assert "write a day like 2026-11-24" in page.text
    assert (page.fields["since"], page.fields["text"]) == ("yesterday", "NORTH")
    assert "cannot be sorted so" in visit(web, "clerk", "/documents?order=password", 422).text
    assert "cursor" in visit(web, "clerk", "/documents?cursor=x", 422).text
    visit(web, "clerk", "/documents?act=abolish", 422)
    visit(web, "clerk", "/documents?text=%00", 422)
    unknown = visit(web, "clerk", "/weapons?model=Musket&text=9", 404)
    assert "There is no model 'Musket'" in unknown.text
    assert unknown.fields["text"] == "9"


def test_a_donor_is_shown_no_names(web: Web) -> None:
    """Neither the columns nor the filters that name people are there; asking by the address is no way around."""
    issued(web, RIFLES[0])
    page = visit(web, "USA", "/documents?poster=T-1")
    assert "Posted by" not in page.text
    assert "Talib" not in page.text


def test_errors_are_pages_with_a_way_on_for_people_and_problems_for_programs(web: Web) -> None:
    """Nothing here: a page; not signed in: where one signs in; the API and programs keep their problems."""
    page = visit(web, "clerk", "/nothing-here", 404)
    assert page.heading == "Not found"
    assert page.links["To the start page"] == "/"
    assert visit(web, None, "/documents").heading == "Sign in"
    assert web.client.get("/nothing-here").headers["content-type"] == "application/problem+json"
    told = web.client.get("/v1/nothing-here", headers={**BROWSER, **web.headers("clerk")})
    assert told.headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_is_a_page_that_tells_nothing_of_the_inside(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours: 500, in words, without the cause."""

    def broken(*given: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("api.pages.documents.list_documents", broken)
    page = visit(web, "clerk", "/documents", 500)
    assert "secret" not in page.text
    assert "Tell who runs the service" in page.text
