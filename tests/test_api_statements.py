"""A donor's officer and the host over HTTP: certificate, declaration, settlement, receipt, delivery verification, each by its own people;
and another donor, who learns nothing of it by any of the routes.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pypdfium2 import PdfDocument

from stockpile.donors.statements import StatementKind
from tests.api_world import Web, fresh, problem, served
from tests.consigned import CERTIFICATE, listed
from tests.paper_reading import words
from tests.world import SCAN, photo

web = pytest.fixture(served)


def stored(web: Web, who: str, content: bytes, evidence: bool = False) -> str:
    answer = web.client.post("/v1/files", params={"evidence": evidence}, content=content, headers=web.headers(who))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sha256"])


def said(web: Web, who: str, path: str, body: dict[str, Any]) -> str:
    answer = web.post(who, path, body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["statement_id"])


def test_from_the_certificate_to_the_verification(web: Web) -> None:
    """Every step by who does it, none by anybody else; what is sent twice is kept once."""
    scan = stored(web, "USA", SCAN, evidence=True)
    certificate = {
        **CERTIFICATE,
        "scan_sha256": scan,
        "vetting": True,
        "vetted": [{"unit": "1COY", "until": "2099-12-31"}],
    }
    problem(web.post("clerk", "/v1/end-user-certificates", certificate), 403, "not-allowed")
    unknown = {**certificate, "statement_id": fresh(), "vetted": [{"unit": "9COY", "until": "2099-01-01"}]}
    first = said(web, "USA", "/v1/end-user-certificates", unknown)
    told = problem(web.post("registrar", f"/v1/statements/{first}/confirm", {}), 422, "invalid")
    assert told["faults"][0]["value"] == "9COY"
    said(web, "registrar", f"/v1/statements/{first}/send-back", {"reason": "There is no 9COY"})
    second = said(web, "USA", "/v1/end-user-certificates", certificate)
    assert web.get("USA", f"/v1/statements/{first}").json()["statement"]["answer"]["content"] == {
        "reason": "There is no 9COY"
    }

    content = listed(["UA 1", "UA 2", "UA 2"]) + b"UA 3,\n"
    declaration = {
        "statement_id": fresh(), "site": "TAJI", "reference": "FMS-9", "end_user_certificate": "EUC-8",
        "file": {"sha256": stored(web, "USA", content), "name": "list.csv"},
    }  # fmt: skip
    told = problem(web.post("USA", "/v1/donor-declarations", declaration), 422, "invalid")
    assert [fault["row"] for fault in told["faults"]] == [5]
    declaration["file"] = {**declaration["file"], "set_aside": True}  # type: ignore[dict-item]
    key = said(web, "USA", "/v1/donor-declarations", declaration)
    assert said(web, "USA", "/v1/donor-declarations", declaration) == key
    problem(
        web.post("USA", "/v1/donor-declarations", {**declaration, "carrier": "Air"}), 409, "posted-with-other-content"
    )
    told = problem(web.post("USA", "/v1/donor-declarations", {**declaration, "statement_id": fresh()}), 422, "invalid")
    assert told["faults"][0]["field"] == "reference"
    waiting = web.get("registrar", "/v1/statements", state="waiting", kind="declaration").json()["rows"]
    assert [row["reference"] for row in waiting] == ["FMS-9"]
    problem(web.post("USA", f"/v1/statements/{key}/accept", {}), 403, "not-allowed")
    settled = {"settled": [{"row": 4, "left_out": "row 3 again: one rifle"}]}
    problem(web.post("registrar", f"/v1/statements/{key}/accept", settled), 422, "invalid")
    said(web, "registrar", f"/v1/statements/{second}/confirm", {})
    unsettled = problem(
        web.post("registrar", f"/v1/statements/{key}/accept", {"settled": [{"row": 77, "left_out": "no"}]}),
        422,
        "invalid",
    )
    assert unsettled["faults"][0]["row"] == 77
    posted = web.post("registrar", f"/v1/statements/{key}/accept", {**settled, "document_id": fresh()})
    assert posted.status_code == 201, posted.text
    assert posted.json()["lines"] == 2
    answered = web.get("USA", f"/v1/statements/{key}").json()["statement"]["answer"]
    assert answered["kind"] == "accepted"
    assert (answered["content"]["rows_set_aside"], answered["content"]["settled"]) == (2, settled["settled"])
    problem(web.post("registrar", f"/v1/statements/{key}/send-back", {"reason": "no"}), 409, "refused")

    came = [{"model": "AKM", "serial_number": "UA 1", "condition": "serviceable"}]
    web.posted(
        "clerk",
        "/v1/receipts",
        {"store": "Main store", "donor": "USA", "consignment": "FMS-9", "complete": True, "lines": came},
    )
    asked = {"donor": "USA", "consignment": "FMS-9", "title_passes_on": "2026-01-02", "statement_id": fresh()}
    problem(web.post("registrar", "/v1/delivery-verifications", asked), 403, "not-allowed")
    verification = said(web, "clerk", "/v1/delivery-verifications", asked)
    assert said(web, "clerk", "/v1/delivery-verifications", asked) == verification
    problem(web.post("clerk", f"/v1/statements/{verification}/confirm", {}), 403, "not-allowed")
    problem(web.post("erbil clerk", f"/v1/statements/{verification}/confirm", {}), 404, "not-found")
    assert "NOT IN FORCE" in " ".join(words(web.get("USA", f"/v1/statements/{verification}/paper.pdf").content).split())
    said(web, "commander", f"/v1/statements/{verification}/confirm", {})
    again = {**asked, "statement_id": fresh()}
    assert (
        "nothing arrived" in problem(web.post("clerk", "/v1/delivery-verifications", again), 409, "refused")["detail"]
    )
    for who, named in (("USA", False), ("clerk", True)):
        pdf = web.get(who, f"/v1/statements/{verification}/paper.pdf")
        assert pdf.status_code == 200, pdf.text
        assert len(PdfDocument(pdf.content)) == 1
        text = " ".join(words(pdf.content).split())
        for wanted in (
            "Delivery verification",
            "FMS-9/DV/1",
            "UA 1",
            "UA 2",
            "2026-01-02",
            "EUC-8",
            "Second signature",
        ):
            assert wanted in text, wanted
        assert ("Talib Clerk" in text, "Carim Commander" in text) == (named, named)
    shown = web.get("USA", f"/v1/statements/{key}").json()["progress"]
    assert [(one["kind"], one["serial_number"]) for one in shown["differences"]] == [("shortage", "UA 2")]
    assert web.get("USA", f"/v1/statements/{second}/file").content == SCAN
    assert web.get("registrar", f"/v1/statements/{key}/file").content == content


def test_another_donor_learns_nothing(web: Web) -> None:
    """France finds none of it in a list, by its key, by the same key or number, by a file's digest, or in what a refusal says."""
    scan = stored(web, "USA", SCAN, evidence=True)
    content = listed(["UA 1"])
    mine = {
        "statement_id": fresh(),
        "site": "TAJI",
        "reference": "FMS-9",
        "file": {"sha256": stored(web, "USA", content), "name": "secret-name.csv"},
    }
    certificate = said(web, "USA", "/v1/end-user-certificates", {**CERTIFICATE, "scan_sha256": scan})
    declaration = said(web, "USA", "/v1/donor-declarations", mine)
    assert web.get("FRA", "/v1/statements").json()["rows"] == []
    assert web.get("FRA", "/v1/statements", donor="USA").json()["rows"] == []
    for key in (certificate, declaration):
        for path in ("", "/file", "/proof", "/paper.pdf", "/to-settle"):
            answer = web.get("FRA", f"/v1/statements/{key}{path}")
            assert answer.status_code in (403, 404), (path, answer.text)
            assert "FMS" not in answer.text
            assert "USA" not in answer.text
        for path in ("accept", "confirm", "send-back"):
            answer = web.post("FRA", f"/v1/statements/{key}/{path}", {"reason": "no"} if path == "send-back" else {})
            assert answer.status_code in (403, 404), (path, answer.text)
    problem(web.post("FRA", "/v1/donor-declarations", mine), 422, "invalid")
    told = problem(web.post("FRA", "/v1/end-user-certificates", {**CERTIFICATE, "scan_sha256": scan}), 422, "invalid")
    nowhere = problem(
        web.post("FRA", "/v1/end-user-certificates", {**CERTIFICATE, "scan_sha256": "ab" * 32}), 422, "invalid"
    )
    assert told["faults"][0]["message"] == nowhere["faults"][0]["message"]
    own = {**mine, "file": {"sha256": stored(web, "FRA", listed(["UA 1", "F 2"])), "name": "list.csv"}}
    assert said(web, "FRA", "/v1/donor-declarations", own) == declaration
    rows = web.get("FRA", "/v1/statements").json()["rows"]
    assert [(row["donor"], row["kind"]) for row in rows] == [("FRA", StatementKind.DECLARATION)]
    assert "secret-name" not in json.dumps(web.get("FRA", f"/v1/statements/{declaration}").json())
    consent = {"certificate": "EUC-8", "number": "1", "purpose": "disposal", "words": "yes"}
    problem(web.post("FRA", "/v1/donor-consents", consent), 422, "invalid")
    photo_of = stored(web, "USA", photo(3), evidence=True)
    assert web.get("FRA", f"/v1/files/{photo_of}").status_code in (403, 404)
