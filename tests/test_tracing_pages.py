"""Tracing over HTTP: the forms keep what was typed, a clerk's report from the counter, two registrars at one request, files out; and the
command line.
"""

from __future__ import annotations

import re

import pytest

from stockpile import parties, tokens
from stockpile.db import roles
from stockpile.db.engine import transaction
from tests.api_world import Web, problem, served
from tests.paper_reading import words
from tests.reading_pages import BROWSER, PageRead
from tests.world import RIFLES, SINCE, photo

web = pytest.fixture(served)

REQUEST = {
    "serial_number": RIFLES[1], "model": "AKM", "asked_by": "National Central Bureau, Amman", "place_country": "JO",
    "illicit_because": "Found with an armed group",
}  # fmt: skip


def second_registrar(web: Web) -> None:
    """Another person who traces."""
    with transaction(web.country.engine, roles.REGISTRAR) as connection:
        parties.add_person(connection, "R-2", "Rami Second", None, web.country.sites["TAJI"], None, SINCE)
        web.tokens["second registrar"] = tokens.create_token(connection, "registrar", party="R-2", label="second").text


def page(web: Web, who: str, path: str) -> PageRead:
    """A page as somebody reads it."""
    read = PageRead()
    answer = web.client.get(path, headers={**BROWSER, **web.headers(who)})
    assert answer.status_code == 200, answer.text[-500:]
    read.feed(answer.text)
    return read


def fill_in(web: Web, who: str, path: str, **fields: str) -> tuple[int, str, str]:
    """A form as a browser sends it: the status, where it leads, the page."""
    answer = web.client.post(path, data=fields, headers={**BROWSER, **web.headers(who)}, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", ""), answer.text


def test_a_request_by_forms_from_receipt_to_paper(web: Web) -> None:
    """What cannot be is told beside its field, with all that was typed kept; then it is kept, answered and released."""
    second_registrar(web)
    form = page(web, "registrar", "/tracing/new/incoming")
    given = {**REQUEST, "tracing_id": form.fields["tracing_id"]}
    status, _, text = fill_in(
        web, "registrar", "/tracing/new/incoming", **{**given, "place_country": "Jordan", "found_on": "2999-01-01"}
    )
    assert status == 422
    assert 'value="Jordan"' in text
    assert 'value="National Central Bureau, Amman"' in text
    status, where, _ = fill_in(web, "registrar", "/tracing/new/incoming", **given)
    assert (status, where) == (303, f"/tracing/{given['tracing_id']}")
    assert fill_in(web, "registrar", "/tracing/new/incoming", **given)[:2] == (303, where), (
        "sent twice it is one request"
    )

    shown = page(web, "auditor", where)
    assert "Diversion alarm" in shown.text
    assert "the same serial number" in shown.text
    assert fill_in(web, "registrar", f"{where}/step", what="delayed")[0] == 422
    assert fill_in(web, "registrar", f"{where}/step", what="acknowledged")[0] == 303
    status, _, text = fill_in(web, "registrar", f"{where}/answer", outcome="traced", weapon="nothing like it")
    assert status == 422
    assert "nothing like it" in text
    assert fill_in(web, "registrar", f"{where}/answer", outcome="traced", weapon=RIFLES[1])[0] == 303
    assert fill_in(web, "registrar", f"{where}/release")[0] == 403
    assert fill_in(web, "second registrar", f"{where}/release")[:2] == (303, where)
    assert "Print the answer" in page(web, "registrar", where).text
    paper = web.get("registrar", f"/v1/tracings/{given['tracing_id']}/answer.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert "Chain of custody" in words(paper.content)
    assert web.get("clerk", f"/v1/tracings/{given['tracing_id']}/answer.pdf").status_code == 403


def test_a_clerk_reports_a_sighting_with_a_photo(web: Web) -> None:
    """From the list of weapons one link leads to the form; the answer is a number; commander and auditor alone see the alarm."""
    assert "/tracing/new/sighting" in page(web, "clerk", "/weapons").addresses
    sighting = {"asked_by": "A driver", "how": "observed", "confidence": "possible", "serial_number": RIFLES[2]}
    answer = web.client.post(
        "/tracing/new/sighting", data=sighting, files={"file": ("market.png", photo(9), "image/png")},
        headers={**BROWSER, **web.headers("clerk")}, follow_redirects=False,
    )  # fmt: skip
    number = re.search(r"kept=(SIGHTING/\d{4}/1)$", answer.headers["location"])
    assert number is not None
    assert number[1] in page(web, "clerk", answer.headers["location"]).text
    assert web.get("clerk", "/v1/tracings").status_code == 403
    seen = {
        who: [row["kind"] for row in web.get(who, "/v1/discrepancies").json()["rows"]]
        for who in ("clerk", "commander", "auditor")
    }
    assert "diversion alarm" not in seen["clerk"]
    assert "diversion alarm" in seen["commander"]
    assert "diversion alarm" in seen["auditor"]
    (row,) = web.get("auditor", "/v1/tracings", kind="sighting").json()["rows"]
    whole = web.get("auditor", f"/v1/tracings/{row['tracing_id']}").json()
    assert web.client.get(
        f"/files/{whole['photos'][0]}", headers={**BROWSER, **web.headers("auditor")}
    ).content == photo(9)
    hidden = web.client.get(f"/files/{whole['photos'][0]}", headers={**BROWSER, **web.headers("clerk")})
    assert hidden.status_code == 404


def test_the_api_answers_problems_and_files(web: Web) -> None:
    """Bad input is told field by field; lists leave as CSV and XLSX; a donor without weapons of its own finds nothing at all."""
    told = problem(
        web.post("registrar", "/v1/tracings/incoming", {**REQUEST, "serial_number": "\u202e12"}), 422, "invalid"
    )
    assert [fault["field"] for fault in told["faults"]] == ["serial_number"]
    problem(web.post("commander", "/v1/tracings/incoming", REQUEST), 403, "not-allowed")
    problem(
        web.post("USA", "/v1/sightings", {"asked_by": "x", "how": "observed", "confidence": "certain", "model": "AKM"}),
        403,
        "not-allowed",
    )
    kept = web.post("registrar", "/v1/tracings/incoming", REQUEST).json()
    candidates = web.get("auditor", f"/v1/tracings/{kept['tracing_id']}/candidates", limit=3).json()
    assert candidates["rows"][0]["serial_number"] == RIFLES[1]
    more = web.get(
        "auditor", f"/v1/tracings/{kept['tracing_id']}/candidates", limit=3, cursor=candidates["cursor"]
    ).json()
    assert RIFLES[1] not in [row["serial_number"] for row in more["rows"]]
    for path in ("/v1/tracings", f"/v1/tracings/{kept['tracing_id']}/candidates", "/v1/iarms"):
        assert web.get("auditor", path, format="csv").status_code == 200, path
        assert web.get("auditor", path, format="xlsx").content[:2] == b"PK", path
    assert web.get("FRA", "/v1/tracings").json()["rows"] == []
    problem(web.get("FRA", f"/v1/tracings/{kept['tracing_id']}"), 404, "not-found")
    problem(web.get("FRA", "/v1/iarms"), 403, "not-allowed")
    problem(web.post("auditor", f"/v1/tracings/{kept['tracing_id']}/answer/release"), 409, "refused")
