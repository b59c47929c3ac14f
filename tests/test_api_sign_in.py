"""Signing in to the API: which requests nobody answers, and how far a token reaches."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from stockpile.acts.declare import DECLARE
from tests.api_world import Web, fresh, problem, served
from tests.world import RIFLES, scans

web = pytest.fixture(served)

ISSUE: dict[str, Any] = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}


def test_nothing_under_v1_answers_without_a_token(web: Web) -> None:
    """Every route of the API document but health; the door is before the routes, so unknown paths are shut too."""
    described = web.client.get("/openapi.json").json()
    asked = 0
    for path, operations in described["paths"].items():
        for method in operations:
            if path == "/v1/health":
                continue
            answer = web.client.request(method, path.replace("{", "").replace("}", ""))
            problem(answer, 401, "not-signed-in")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            asked += 1
    assert asked > 25
    problem(web.client.get("/v1/nowhere"), 401, "not-signed-in")
    assert web.client.get("/v1/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic c3A6c3A=", "Bearer sp_" + "x" * 43, "sp_" + "x" * 43, "Bearer \xff\xfe"]
)
def test_a_token_that_is_none_opens_nothing(web: Web, header: str) -> None:
    """Missing, of another kind, guessed, or not even text."""
    problem(web.client.get("/v1/rights", headers={"Authorization": header.encode("latin-1")}), 401, "not-signed-in")


def test_a_body_is_not_even_read_for_a_stranger(web: Web) -> None:
    """Not JSON, but nobody who is not signed in learns that."""
    problem(web.client.post("/v1/issues", content=b"{{{{"), 401, "not-signed-in")


def test_a_revoked_token_ends_at_once(web: Web) -> None:
    """The registrar finds the clerk's token in the list and revokes it; the clerk's next request is nobody's."""
    assert web.get("clerk", "/v1/rights").status_code == 200
    rows = web.get("registrar", "/v1/tokens", alive=True).json()["rows"]
    (token,) = [row for row in rows if row["label"] == "clerk's"]
    revoked = web.post("registrar", f"/v1/tokens/{token['token_id']}/revoke")
    assert revoked.status_code == 200
    assert revoked.json()["revoked_at"] is not None
    problem(web.get("clerk", "/v1/rights"), 401, "not-signed-in")


def test_an_expired_token_is_nobodys(web: Web) -> None:
    """Its time has passed."""
    web.country.owner_query("UPDATE token SET expires_at = now() - interval '1 second' RETURNING token_id")
    problem(web.get("clerk", "/v1/rights"), 401, "not-signed-in")


def test_a_registrar_makes_a_token_that_works(web: Web) -> None:
    """The answer shows it once; no list ever does."""
    wanted = {"role": "clerk", "label": "Counter 7", "party": "A-1003", "site": "TAJI", "book": "K7"}
    made = web.post("registrar", "/v1/tokens", wanted)
    assert made.status_code == 201
    text = made.json()["token"]
    web.tokens["new clerk"] = text
    posted = web.posted("new clerk", "/v1/issues", ISSUE)
    assert posted["number"].startswith("TAJI/K7/")
    assert text not in web.get("registrar", "/v1/tokens").text


@pytest.mark.parametrize("who", ["clerk", "commander", "auditor", "USA"])
def test_only_registrars_deal_with_tokens(web: Web, who: str) -> None:
    """All others are told whom it takes."""
    for answer in (
        web.get(who, "/v1/tokens"),
        web.post(who, "/v1/tokens", {"role": "registrar", "label": "me", "party": "T-1"}),
        web.post(who, f"/v1/tokens/{fresh()}/revoke"),
    ):
        assert "registrar" in problem(answer, 403, "not-allowed")["detail"]


def test_a_clerk_writes_in_no_other_sites_book(web: Web) -> None:
    """Naming another site is not allowed; a weapon of another site stays there; nothing is written."""
    before = web.country.query("SELECT count(*) FROM document")
    told = problem(web.post("erbil clerk", "/v1/issues", {**ISSUE, "site": "TAJI"}), 403, "not-allowed")
    assert "ERBIL" in told["detail"]
    body = {"store": "Main store", "lines": [{"scan": RIFLES[0], "condition": "serviceable"}]}
    problem(web.post("erbil clerk", "/v1/returns", body), 409, "refused")
    assert web.country.query("SELECT count(*) FROM document") == before


def test_a_clerk_reads_no_other_sites_documents(web: Web) -> None:
    """What TAJI issued is not there for ERBIL: not in the list, not by id, not by number."""
    posted = web.posted("clerk", "/v1/issues", ISSUE)
    listed = web.get("erbil clerk", "/v1/documents").json()["rows"]
    assert posted["document_id"] not in {row["document_id"] for row in listed}
    problem(web.get("erbil clerk", f"/v1/documents/{posted['document_id']}"), 404, "not-found")
    problem(web.get("erbil clerk", f"/v1/documents/by-number/{posted['number']}"), 404, "not-found")
    assert web.get("second clerk", f"/v1/documents/{posted['document_id']}").status_code == 200


def test_a_donor_sees_its_own_weapons_only(web: Web) -> None:
    """Two donors declare a rifle each: each finds its own document with its own line and without names; the other's and
    the host's own are not there.
    """
    declared = {
        donor: web.country.do(
            "registrar", DECLARE, site="TAJI", donor=donor, reference=f"{donor}-1",
            lines=[{"model": "AKM", "serial_number": f"{donor} 1"}],
        ).document_id
        for donor in ("USA", "FRA")
    }  # fmt: skip
    for donor, other in (("USA", "FRA"), ("FRA", "USA")):
        listed = {row["document_id"] for row in web.get(donor, "/v1/documents").json()["rows"]}
        assert listed == {str(declared[donor])}
        shown = web.get(donor, f"/v1/documents/{declared[donor]}").json()
        assert [line["serial_number"] for line in shown["lines"]] == [f"{donor} 1"]
        assert shown["signatories"] == {}
        assert "Rana" not in str(shown)
        problem(web.get(donor, f"/v1/documents/{declared[other]}"), 404, "not-found")
    problem(web.post("USA", "/v1/issues", ISSUE), 403, "not-allowed")
    problem(web.get("USA", "/v1/parties"), 403, "not-allowed")


def test_nobody_approves_what_they_asked_for(web: Web) -> None:
    """A loss takes two people: a clerk has not the right, who drafted it is not another, the commander may."""
    web.posted("clerk", "/v1/loss-reports", {"place": "x", "circumstances": "y", "lines": scans(RIFLES[0])})
    body = {"cause": "stolen", "liability": "nobody", "findings": "none", "lines": scans(RIFLES[0])}
    draft = web.drafted("commander", "/v1/loss-conclusions", body)
    problem(web.post("clerk", f"/v1/drafts/{draft}/approve"), 403, "not-allowed")
    problem(web.post("commander", f"/v1/drafts/{draft}/approve"), 403, "not-allowed")
    problem(web.post("erbil clerk", f"/v1/drafts/{draft}/approve"), 403, "not-allowed")
    own = web.drafted("clerk", "/v1/loss-conclusions", {**body, "document_id": fresh()})
    assert web.approved("commander", own)["act"] == "conclude loss"
    assert web.country.where(RIFLES[0]) == "lost"


def test_an_auditor_reads_all_and_writes_nothing(web: Web) -> None:
    """Documents of every site; no act."""
    posted = web.posted("clerk", "/v1/issues", ISSUE)
    assert web.get("auditor", f"/v1/documents/{UUID(posted['document_id'])}").status_code == 200
    problem(web.post("auditor", "/v1/issues", {**ISSUE, "site": "TAJI"}), 403, "not-allowed")
    problem(web.post("auditor", "/v1/voids", {"site": "TAJI", "reason": "x"}), 403, "not-allowed")
