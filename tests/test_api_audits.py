"""Registers and audits over HTTP and on the command line: a list goes in as a job, two are compared, every number opens to its rows."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest

from stockpile.acts.receive import RECEIVE
from tests.api_world import Web, served
from tests.world import RIFLES, Country

web = pytest.fixture(served)

LEFT = "serial,model,unit\nKT 449900,AKM,1COY\nKT 449901,AKM,1COY\nKT 449901,AKM,1COY\nGONE 1,AKM,1COY\n,Helmet,1COY\n"
RIGHT = "Serial No,Item,Unit\nKT 449900,AKM,2COY\nKT 449901,AKM,1COY\nG0NE 1,AKM,1COY\n"


def ended(web: Web, who: str, answer: Any) -> dict[str, Any]:
    """What a job came to."""
    assert answer.status_code == 202, answer.text
    for _ in range(400):
        job = web.get(who, f"/v1/jobs/{answer.json()['job_id']}").json()
        if job["ended_at"] is not None:
            return dict(job)
        time.sleep(0.05)
    raise AssertionError("it never ended")


def imported(web: Web, text: str, name: str, who: str = "auditor") -> str:
    stored = web.client.post("/v1/files", content=text.encode(), headers=web.headers(who))
    assert stored.status_code in (200, 201), stored.text
    body = {
        "kind": "property book",
        "source": name,
        "name": name,
        "file": {"sha256": stored.json()["sha256"], "name": "list.csv"},
    }
    job = ended(web, who, web.post(who, "/v1/registers", body))
    assert job["state"] == "done", job
    return str(job["result"]["result"]["register_id"])


def audited(web: Web, name: str, left: Any, right: Any, who: str = "auditor") -> str:
    job = ended(web, who, web.post(who, "/v1/audits", {"name": name, "left": left, "right": right}))
    assert job["state"] == "done", job
    return str(job["result"]["result"]["audit_id"])


def test_every_total_opens_to_its_rows_and_every_row_to_both_lists(web: Web) -> None:
    left, right = imported(web, LEFT, "Issue log"), imported(web, RIGHT, "Property book")
    audit = audited(web, "3rd Division", {"register": left}, {"register": "Property book"})
    (listed,) = web.get("auditor", "/v1/audits").json()["rows"]
    assert (listed["name"], listed["run"], listed["left"][:9]) == ("3rd Division", 1, "Issue log")
    kinds = {
        "matched": "matched",
        "conflicting": "conflicting",
        "only_left": "only left",
        "near_match": "near match",
        "repeated_left": "repeated left",
    }
    for column, kind in kinds.items():
        rows = web.get("auditor", f"/v1/audits/{audit}/findings", kind=kind).json()["rows"]
        assert len(rows) == listed[column] == 1, kind
    (conflict,) = web.get("auditor", f"/v1/audits/{audit}/findings", kind="conflicting").json()["rows"]
    assert (conflict["why"], conflict["left_says"], conflict["right_says"]) == ("unit", "unit 1COY", "unit 2COY")
    shown = web.get("auditor", f"/v1/registers/{right}", limit=500).json()
    assert shown["lines"][conflict["right_line"] - 2]["cells"] == ["KT 449900", "AKM", "2COY"]
    lines = web.get("auditor", f"/v1/audits/{audit}/lines", side="left", serial_key="KT449901").json()
    assert lines["rows"] == [3, 4]
    by_model = web.get("auditor", f"/v1/audits/{audit}").json()["by_model"]
    (helmets,) = [total for total in by_model if total["model"] == "Helmet"]
    assert (helmets["kind"], helmets["left_quantity"], helmets["right_quantity"]) == ("quantity differs", 1, 0)


def test_findings_against_the_ledger_name_the_weapon(web: Web) -> None:
    register = imported(web, LEFT, "Issue log")
    audit = audited(web, "TAJI", {"register": register}, {"site": "TAJI"})
    rows = web.get("auditor", f"/v1/audits/{audit}/findings", kind="conflicting").json()["rows"]
    weapons = [web.get("auditor", f"/v1/weapons/{row['right_item']}").json()["item"] for row in rows]
    assert {weapon["serial_number"] for weapon in weapons} == set(RIFLES[:2])
    missing = web.get("auditor", f"/v1/audits/{audit}/findings", kind="only right", text="KT 44990").json()["rows"]
    assert len(missing) == 8


def test_findings_page_and_export(web: Web) -> None:
    register = imported(web, LEFT, "Issue log")
    audit = audited(web, "TAJI", {"register": register}, {"site": "TAJI"})
    path, seen, cursor = f"/v1/audits/{audit}/findings", [], None
    while True:
        page = web.get("auditor", path, limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += [(row["kind"], row["number"]) for row in page["rows"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    file = web.get("auditor", path, format="csv")
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert len(rows) == len(seen) + 1
    assert web.get("auditor", path, format="xlsx").content[:2] == b"PK"
    assert web.get("auditor", path, kind="no such kind").status_code == 422


def test_what_changed_since_last_month(web: Web, country: Country) -> None:
    register = imported(web, LEFT, "Issue log")
    first = audited(web, "TAJI", {"register": register}, {"site": "TAJI"})
    assert web.get("auditor", f"/v1/audits/{first}/changes").status_code == 404
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "GONE 1"}])
    job = ended(web, "auditor", web.post("auditor", "/v1/audits", {"name": "TAJI"}))
    again = job["result"]["result"]
    assert again["run"] == 2
    changes = web.get("auditor", f"/v1/audits/{again['audit_id']}/changes").json()["rows"]
    told = {(change["change"], change["kind"], change["serial_number"]) for change in changes}
    assert told == {("settled", "only left", "GONE 1"), ("new", "conflicting", "GONE 1")}
    assert web.get("auditor", f"/v1/audits/{again['audit_id']}/changes", format="csv").status_code == 200


def test_who_may_compare_and_read(web: Web) -> None:
    register = imported(web, LEFT, "Issue log", who="clerk")
    audit = audited(web, "Ours", {"register": register}, {"site": "TAJI"}, who="clerk")
    assert web.get("clerk", f"/v1/audits/{audit}").status_code == 200
    assert web.get("auditor", f"/v1/audits/{audit}/findings").status_code == 200
    assert web.get("erbil clerk", f"/v1/audits/{audit}").status_code == 404
    assert web.get("erbil clerk", f"/v1/audits/{audit}/findings").status_code == 404
    assert web.get("USA", "/v1/audits").status_code == 403
    for path, body in (
        ("/v1/registers", {"kind": "book", "source": "X", "name": "X", "file": {"sha256": "00" * 32, "name": "x.csv"}}),
        ("/v1/audits", {"name": "X", "left": {}, "right": {}}),
    ):
        refused = web.post("USA", path, body)
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")


def test_what_cannot_be_compared_fails_in_words(web: Web) -> None:
    job = ended(
        web, "auditor", web.post("auditor", "/v1/audits", {"name": "X", "left": {"register": "no such"}, "right": {}})
    )
    assert job["state"] == "failed"
    assert job["result"]["problem"]["detail"] == "There is no register 'no such' here."
    refused = web.post("auditor", "/v1/audits", {"name": "X", "left": {"register": "a", "site": "TAJI"}, "right": {}})
    assert refused.status_code == 422
    assert "name no part and no moment of the ledger with it" in refused.text


def test_a_twin_that_is_settled_and_another_reason_are_changes(web: Web, country: Country) -> None:
    """Two rifles of one number that no list has: once one is listed, one is left. A conflict of unit that becomes one of holder is told."""
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": RIFLES[5]}])
    imported(web, f"serial,model,unit\n{RIFLES[0]},AKM,2COY\n", "Before")
    imported(web, f"serial,model,issued to\n{RIFLES[0]},AKM,A-1002\n{RIFLES[5]},AKM,Main store\n", "After")
    first = audited(web, "Before", {"register": "Before"}, {"site": "TAJI"})
    second = audited(web, "After", {"register": "After"}, {"site": "TAJI"})
    changes = web.get("auditor", f"/v1/audits/{second}/changes", before=first).json()["rows"]
    assert [(one["change"], one["kind"], one["serial_number"]) for one in changes] == [
        ("changed", "conflicting", RIFLES[0]), ("settled", "only right", RIFLES[5]),
    ]  # fmt: skip
