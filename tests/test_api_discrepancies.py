"""Discrepancies over HTTP: what contradicts the books, for whom, until when; found by what people ask for."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.declare import DECLARE
from stockpile.acts.receive import RECEIVE
from tests.api_world import Web, fresh, problem, served
from tests.world import RIFLES

web = pytest.fixture(served)


def received_short(web: Web) -> str:
    """A consignment of two rifles of the USA of which one arrives, with one of a number that the books have already; the
    receipt.
    """
    lines = [{"model": "AKM", "serial_number": serial} for serial in ("UA 1", "UA 2")]
    web.country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    arrived = [lines[0], {"model": "AKM", "serial_number": RIFLES[0]}]
    posted = web.country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", complete=True, lines=arrived
    )
    return str(posted.document_id)


def kinds(web: Web, who: str, **query: Any) -> list[str]:
    answer = web.get(who, "/v1/discrepancies", **query)
    assert answer.status_code == 200, answer.text
    return sorted(row["kind"] for row in answer.json()["rows"])


def test_a_short_delivery_is_a_discrepancy_that_somebody_owns(web: Web) -> None:
    """What was declared and did not come; its site's custodian answers for it within thirty days."""
    document = received_short(web)
    (row,) = web.get("auditor", "/v1/discrepancies", kind="shortage").json()["rows"]
    assert (row["site"], row["document_id"], row["closed_at"]) == ("TAJI", document, None)
    assert row["owner"] == "Rana Registrar (R-1)"
    assert row["document_number"].startswith("TAJI/")
    assert web.get("clerk", f"/v1/discrepancies/{row['discrepancy_id']}").json() == row


def test_discrepancies_are_found_by_kind_site_item_document_and_date(web: Web) -> None:
    """Each filter narrows; together they narrow further; what none has is an empty list."""
    document = received_short(web)
    all_of_it = kinds(web, "auditor")
    assert "shortage" in all_of_it
    assert kinds(web, "auditor", document=document) == all_of_it
    assert kinds(web, "auditor", document=fresh()) == []
    assert kinds(web, "auditor", site="ERBIL") == []
    (short,) = web.get("auditor", "/v1/discrepancies", kind="shortage").json()["rows"]
    assert kinds(web, "auditor", item=short["item_id"]) == ["shortage"]
    assert kinds(web, "auditor", due_before=short["due_on"]) == []
    assert kinds(web, "auditor", due_before="2999-01-01") == all_of_it
    assert kinds(web, "auditor", state="closed") == []
    assert kinds(web, "auditor", state="all") == all_of_it


def test_closed_ones_leave_the_list_but_not_the_books(web: Web) -> None:
    """The rifle came a day later: the clerk names that receipt, the commander agrees. Then it is among the closed ones, with
    why, who and step by step; the list of closures tells what waits.
    """
    received_short(web)
    (short,) = web.get("auditor", "/v1/discrepancies", kind="shortage").json()["rows"]
    later = web.country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", lines=[{"model": "AKM", "serial_number": "UA 2"}]
    )
    body = {
        "closure_id": fresh(), "discrepancies": [short["discrepancy_id"]], "explained_by": later.number,
        "explanation": "came a day later",
    }  # fmt: skip
    asked = web.post("clerk", "/v1/closures", body)
    assert asked.status_code == 202, asked.text
    assert web.post("clerk", "/v1/closures", body).json() == asked.json()
    (waiting,) = web.get("commander", "/v1/closures").json()["rows"]
    assert waiting == asked.json()
    problem(web.post("clerk", f"/v1/closures/{body['closure_id']}/approve"), 403, "not-allowed")
    problem(web.post("auditor", "/v1/closures", body), 403, "not-allowed")
    assert web.post("commander", f"/v1/closures/{body['closure_id']}/approve").json()["outcome"] == "approved"
    assert "shortage" not in kinds(web, "auditor")
    assert web.get("commander", "/v1/closures").json()["rows"] == []
    (closed,) = web.get("auditor", "/v1/discrepancies", state="closed").json()["rows"]
    assert {name: closed[name] for name in ("outcome", "explanation", "explained_by", "proposed_by", "closed_by")} == {
        "outcome": "explained", "explanation": "came a day later", "explained_by": str(later.document_id),
        "proposed_by": "Sergeant Talib Clerk (T-1)", "closed_by": "Major Carim Commander (C-1)",
    }  # fmt: skip
    steps = web.get("auditor", f"/v1/discrepancies/{short['discrepancy_id']}/steps").json()["rows"]
    assert [step["what"] for step in steps] == ["closure asked for", "closed"]
    problem(web.get("USA", f"/v1/discrepancies/{short['discrepancy_id']}/steps"), 403, "not-allowed")


def test_the_commander_gives_them_to_somebody(web: Web) -> None:
    """Who then finds his own by his number; a donor may not ask for names."""
    received_short(web)
    (short,) = web.get("auditor", "/v1/discrepancies", kind="shortage").json()["rows"]
    body = {"discrepancies": [short["discrepancy_id"]], "owner": "T-2", "due_on": "2030-01-01"}
    assert web.post("commander", "/v1/discrepancies/assign", body).json() == {"assigned": 1}
    assert kinds(web, "second clerk", owner="T-2") == ["shortage"]
    assert kinds(web, "second clerk", owner="T-1") == []
    problem(web.get("USA", "/v1/discrepancies", owner="T-2"), 403, "not-allowed")
    problem(web.post("clerk", "/v1/discrepancies/assign", body), 403, "not-allowed")
    problem(web.post("commander", "/v1/discrepancies/assign", {**body, "owner": "E-1"}), 422, "invalid")


def test_each_sees_their_own(web: Web) -> None:
    """Erbil sees nothing of Taji; the donor sees those of its own items, without names and words; the other donor none."""
    received_short(web)
    assert kinds(web, "erbil clerk") == []
    problem(web.get("erbil clerk", "/v1/discrepancies", site="TAJI"), 403, "not-allowed")
    (short,) = web.get("auditor", "/v1/discrepancies", kind="shortage").json()["rows"]
    problem(web.get("erbil clerk", f"/v1/discrepancies/{short['discrepancy_id']}"), 404, "not-found")
    own = web.get("USA", "/v1/discrepancies").json()["rows"]
    assert "shortage" in {row["kind"] for row in own}
    for row in own:
        assert {row[name] for name in ("books_said", "seen", "owner", "document_number", "document_id")} == {None}
    assert kinds(web, "FRA") == []
    problem(web.get("USA", "/v1/discrepancies", document=fresh()), 403, "not-allowed")


def test_a_filter_nobody_knows_is_a_fault(web: Web) -> None:
    """An unknown kind or state, an unknown site, a day that is none."""
    problem(web.get("auditor", "/v1/discrepancies", kind="odd"), 422, "invalid")
    problem(web.get("auditor", "/v1/discrepancies", state="half-open"), 422, "invalid")
    problem(web.get("auditor", "/v1/discrepancies", due_before="soon"), 422, "invalid")
    problem(web.get("auditor", "/v1/discrepancies", site="NOWHERE"), 404, "not-found")
