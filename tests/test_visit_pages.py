"""A donor's officer plans, records and hears of a visit by forms alone, and the host reads it and answers. A refused form keeps what was
typed, and the files. Over HTTP the same, and another donor learns nothing of it by any route.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response

from stockpile.documents import now
from tests.api_world import Web, fresh, problem, served
from tests.paper_reading import words
from tests.reading_pages import BROWSER, read, visit
from tests.test_pages_crawl import forgotten
from tests.world import SCAN

web = pytest.fixture(served)
STINGER = "FIM-92 Stinger"
OFFICER = "Maj. Ana Reyes"


def send(web: Web, who: str, path: str, files: Any = None, **fields: str) -> Response:
    """A form that somebody sends."""
    return web.client.post(
        path, data=fields, files=files, headers={**BROWSER, **web.headers(who)}, follow_redirects=False,
    )  # fmt: skip


def received(web: Web, *serials: str, donor: str = "USA") -> None:
    lines = [{"model": STINGER, "serial_number": serial, "condition": "serviceable"} for serial in serials]
    web.posted("clerk", "/v1/receipts", {"store": "Main store", "donor": donor, "lines": lines})


def on_the_wall() -> str:
    """Now as a form at TAJI has it, three hours ahead of UTC."""
    return (now() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%S.%f")


def test_by_forms_alone(web: Web) -> None:
    """Planned, recorded with what differs, answered; the delinquency counts it."""
    received(web, "S 1", "S 2", "S 3")
    plan = {
        "number": "EUM-4", "site": "TAJI", "level": "enhanced", "planned_on": "2099-12-15", "inspectors": f"{OFFICER}\nCapt. Li",
    }  # fmt: skip
    planned = send(web, "USA", "/visits/plan", **plan)
    assert planned.status_code == 303, read(planned).text
    page = visit(web, "USA", planned.headers["location"])
    form = page.links["Record it"]
    assert 'value="EUM-4"' in web.client.get(form, headers={**BROWSER, **web.headers("USA")}).text
    assert visit(web, "commander", "/visits").links["EUM-4"] == planned.headers["location"]

    seen = {
        "number": "EUM-4", "site": "TAJI", "level": "enhanced", "began_at": on_the_wall(), "ended_at": on_the_wall(),
        "inspectors": OFFICER, "lines": "S 1\nS 2; 25:99\nZZ 9\n", "complete": "yes", "point-locks": "no",
        "remarks-locks": "A bicycle lock", "notes": "Two sheds.",
    }  # fmt: skip
    photos = [("evidence", ("door.pdf", SCAN, "application/pdf"))]
    refused = send(web, "USA", "/visits/record", photos, **seen)
    assert refused.status_code == 422
    assert "write the time like 10:42" in read(refused).text
    kept = dict(re.findall(r'name="(kept_evidence|began_at|statement_id)"[^>]*value="([^"]*)"', refused.text))
    assert kept["kept_evidence"].endswith(" door.pdf")
    assert "A bicycle lock" in refused.text
    sent = send(web, "USA", "/visits/record", **{**seen, **kept, "lines": "S 1\nS 2\nZZ 9\n"})
    assert sent.status_code == 303, read(sent).text
    for who in ("USA", "commander", "auditor"):
        shown = visit(web, who, sent.headers["location"])
        found = {(row["Read"], row["Serial number"]): row["Finding"] for row in shown.rows if "Finding" in row}
        assert set(found.values()) == {"unexpected", "missing"}, found
        assert "A bicycle lock" in shown.text
        assert "door.pdf" in shown.links
        scan = web.client.get(shown.links["door.pdf"], headers=web.headers(who))
        assert scan.content == SCAN
    lines = visit(
        web, "USA", visit(web, "USA", sent.headers["location"]).links["All lines, to search and to take along"]
    )
    assert [row["Finding"] for row in lines.rows] == ["matched", "matched", "unexpected", "missing"]
    answered = send(web, "commander", f"{sent.headers['location']}/answer", words="S 3 is at the range.")
    assert answered.status_code == 303
    assert "S 3 is at the range." in visit(web, "USA", sent.headers["location"]).text
    assert {row["Finding"] for row in lines.rows} >= {"missing"}
    due = {row["Serial number"]: row["Inspected last"] for row in visit(web, "USA", "/reports/inspections").rows}
    assert due["S 3"] == "never"
    assert due["S 1"] != "never"
    answer = web.client.get("/visits?format=csv", headers=web.headers("USA"))
    assert "EUM-4" in answer.text

    printed = visit(web, "USA", sent.headers["location"]).links["Print its report"]
    for who in ("USA", "commander"):
        paper = web.client.get(printed, headers=web.headers(who))
        assert paper.headers["content-type"] == "application/pdf"
        assert "S 3 is at the range." in words(paper.content)
    assert "Print its report" not in page.links
    for who in ("FRA", "erbil clerk"):
        problem(web.client.get(printed, headers=web.headers(who)), 404, "not-found")

    for path in (sent.headers["location"], f"/visits/lines?visit={sent.headers['location'].rpartition('/')[2]}"):
        assert visit(web, "erbil clerk", path, 404)
    refusal = {
        "number": "EUM-5", "site": "TAJI", "level": "routine", "refused_on": "2026-02-01", "refused_by": "Duty officer",
        "why": "No clearance", "inspectors": OFFICER,
    }  # fmt: skip
    alarm = send(web, "USA", "/visits/refusal", **refusal)
    assert alarm.status_code == 303, read(alarm).text
    assert "No clearance" in visit(web, "commander", alarm.headers["location"]).text
    assert "visit refused" in visit(web, "commander", "/discrepancies").text
    assert "visit refused" in visit(web, "USA", "/discrepancies").text
    told = visit(web, "USA", f"/statements/{alarm.headers['location'].rpartition('/')[2]}")
    assert told.heading == "VisitEUM-5"
    ways = (
        "/visits/plan",
        "/visits/record",
        "/visits/refusal",
        "/monitoring-plans/change",
        "/visits",
        sent.headers["location"],
    )
    for who, path in (
        *(("USA", way) for way in ways),
        ("clerk", "/visits/dispositions"),
        ("registrar", alarm.headers["location"]),
    ):
        page = visit(web, who, path, **{"Accept-Language": "xx"})
        assert forgotten(page) == [], path


def test_a_holder_s_report_and_a_plan_by_forms(web: Web) -> None:
    received(web, "S 1")
    refused = send(
        web, "clerk", "/visits/dispositions", donor="USA", number="R-1", unit="1COY", lines="S 1; eaten; 2026-01-01"
    )
    assert refused.status_code == 422
    assert "line 1: write it like" in read(refused).text
    assert "eaten" in refused.text
    sent = send(
        web,
        "clerk",
        "/visits/dispositions",
        donor="USA",
        number="R-1",
        unit="1COY",
        lines="S 1; lost; 2026-01-01; at the river",
    )
    assert sent.status_code == 303, read(sent).text
    (row,) = (row for row in visit(web, "USA", sent.headers["location"]).rows if "Finding" in row)
    assert (row["Read"], row["Finding"], row["Reported"]) == ("S 1", "differs", "lost")
    plan = {"code": "missiles", "what": "Missiles", "level": "enhanced", "flagged": "yes", "initial_days": "0", "yearly_days": "180",
            "source": "Letter 7", "binds": "yes"}  # fmt: skip
    refused = send(web, "USA", "/monitoring-plans/change", **plan)
    assert refused.status_code == 422
    assert 'value="Letter 7"' in refused.text
    assert send(web, "USA", "/monitoring-plans/change", **{**plan, "initial_days": "60"}).status_code == 303
    plans = {(row["Plan"], row["Donor"]) for row in visit(web, "USA", "/monitoring-plans").rows}
    assert plans == {("enhanced", "every donor"), ("missiles", "USA"), ("routine", "every donor")}
    form = web.client.get("/monitoring-plans/change?code=missiles", headers={**BROWSER, **web.headers("USA")})
    assert 'value="Letter 7"' in form.text


def test_over_http(web: Web) -> None:
    """The same requests by an interface: each by who may, kept once, refused with the field."""
    received(web, "S 1")
    moment = now()
    body: dict[str, Any] = {
        "statement_id": fresh(), "number": "EUM-1", "site": "TAJI", "began_at": (moment - timedelta(hours=1)).isoformat(),
        "ended_at": moment.isoformat(), "inspectors": [OFFICER], "lines": [{"scan": "S 1"}, {"scan": "S 9"}],
    }  # fmt: skip
    problem(web.post("clerk", "/v1/visits", body), 403, "not-allowed")
    told = problem(web.post("USA", "/v1/visits", {**body, "began_at": "2099-01-01T00:00:00Z"}), 422, "invalid")
    assert "ended before it began" in str(told)
    first = web.post("USA", "/v1/visits", body)
    assert first.status_code == 201, first.text
    assert web.post("USA", "/v1/visits", body).content == first.content
    problem(web.post("USA", "/v1/visits", {**body, "notes": "x"}), 409, "posted-with-other-content")
    key = first.json()["statement_id"]
    shown = web.get("USA", f"/v1/visits/{key}").json()
    assert shown["findings"] == {"matched": 1, "unexpected": 1}
    rows = web.get("commander", f"/v1/visits/{key}/lines", differing=True).json()["rows"]
    assert [(row["read"], row["finding"]) for row in rows] == [("S 9", "unexpected")]
    planned = {"number": "EUM-2", "site": "TAJI", "planned_on": "2099-01-01", "inspectors": [OFFICER]}
    assert web.post("USA", "/v1/visit-plans", planned).status_code == 201
    assert [row["state"] for row in web.get("USA", "/v1/visits").json()["rows"]] == ["planned", "done"]
    assert web.post("registrar", f"/v1/visits/{key}/answer", {"words": "Noted"}).status_code == 201
    problem(web.post("registrar", f"/v1/visits/{key}/answer", {"words": "Noted again"}), 409, "refused")
    problem(web.post("registrar", f"/v1/statements/{key}/send-back", {"reason": "no"}), 403, "not-allowed")
    assert len(web.get("USA", "/v1/physical-security").json()) > 10
    problem(web.get("USA", f"/v1/visits/{key}/files/{'0' * 64}"), 404, "not-found")
    for path in (
        f"/v1/visits/{key}",
        f"/v1/visits/{key}/lines",
        f"/v1/statements/{key}",
        f"/v1/statements/{key}/proof",
    ):
        problem(web.get("FRA", path), 404, "not-found")
    assert web.get("FRA", "/v1/visits").json()["rows"] == []
    plan = {"what": "Missiles", "flagged": True, "initial_days": 60, "yearly_days": 180, "source": "Letter 7"}
    assert web.post("USA", "/v1/monitoring-plans/missiles", plan).status_code == 200
    assert "missiles" not in web.get("FRA", "/v1/monitoring-plans").text
    problem(web.post("clerk", "/v1/monitoring-plans/missiles", plan), 403, "not-allowed")
