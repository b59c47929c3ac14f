"""Every act over the API: asked for once, posted under a number, repeated with the same bytes."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.documents import now
from tests.api_world import Web, fresh, problem, served
from tests.world import RIFLES, scanned_paper, scans

web = pytest.fixture(served)

STORE = "Main store"


def issued(web: Web, *serials: str, **more: Any) -> dict[str, Any]:
    return web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": STORE, "lines": scans(*serials), **more})


def test_a_rifle_is_issued_handed_on_and_returned(web: Web) -> None:
    """Each step a document of the counter's book, each read again by id and by number."""
    first = issued(web, RIFLES[0])
    assert (first["act"], first["lines"], first["quantity"], first["fact"]) == ("issue", 1, 1, False)
    handed = web.posted("clerk", "/v1/hand-overs", {"giver": "A-1001", "receiver": "A-1002", "lines": scans(RIFLES[0])})
    assert web.country.where(RIFLES[0]) == "Private Quist (A-1002)"
    back = web.posted(
        "clerk", "/v1/returns", {"store": STORE, "lines": [{"scan": RIFLES[0], "condition": "serviceable"}]}
    )
    numbers = [int(posted["number"].rsplit("/", 1)[1]) for posted in (first, handed, back)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    for posted in (first, handed, back):
        by_id = web.get("clerk", f"/v1/documents/{posted['document_id']}").json()
        assert web.get("clerk", f"/v1/documents/by-number/{posted['number'].lower()}").json() == by_id
        assert [line["serial_number"] for line in by_id["lines"]] == [RIFLES[0]]


def test_a_delivery_is_declared_and_received_short(web: Web) -> None:
    """Two rifles are declared, one comes: it is in the store, the other is a discrepancy."""
    lines = [{"model": "AKM", "serial_number": "UA 1"}, {"model": "AKM", "serial_number": "UA 2"}]
    declared = {"site": "TAJI", "donor": "USA", "reference": "FMS-1", "lines": lines}
    assert web.posted("registrar", "/v1/declarations", declared)["act"] == "declare"
    body = {"store": STORE, "donor": "USA", "consignment": "FMS-1", "complete": True, "lines": lines[:1]}
    received = web.posted("clerk", "/v1/receipts", body)
    assert (received["lines"], received["discrepancy_count"]) == (1, 1)
    assert received["discrepancies"][0]["kind"] == "shortage"
    assert web.country.where("UA 1") == STORE


def test_an_old_book_is_opened_by_two(web: Web) -> None:
    """The registrar asks, the commander approves; until then the rifle is nowhere."""
    body = {
        "site": "TAJI",
        "name": "Property book 2019",
        "store": STORE,
        "lines": [{"model": "AKM", "serial_number": "OLD 1"}],
    }
    draft = web.drafted("registrar", "/v1/openings", body)
    waiting = web.get("commander", "/v1/drafts").json()["rows"]
    assert [row["document_id"] for row in waiting] == [str(draft)]
    assert web.get("commander", f"/v1/drafts/{draft}").json()["request"]["name"] == "Property book 2019"
    assert web.approved("commander", draft)["act"] == "open"
    assert web.country.where("OLD 1") == STORE
    assert web.get("commander", "/v1/drafts").json()["rows"] == []


def test_a_loss_is_reported_concluded_and_taken_back_by_finding(web: Web) -> None:
    """Missing, lost, found: a draft between the first two, and the last says what the books had claimed."""
    issued(web, RIFLES[0])
    web.posted(
        "clerk", "/v1/loss-reports", {"place": "Route Tampa", "circumstances": "Not back", "lines": scans(RIFLES[0])}
    )
    body = {"cause": "stolen", "liability": "nobody", "findings": "robbery", "lines": scans(RIFLES[0])}
    web.approved("commander", web.drafted("clerk", "/v1/loss-conclusions", body))
    assert web.country.where(RIFLES[0]) == "lost"
    found = web.posted(
        "clerk",
        "/v1/recoveries",
        {"store": STORE, "in_hand": True, "place": "Wadi", "found_by": "patrol",
         "lines": [{"scan": RIFLES[0], "condition": "unserviceable"}]},
    )  # fmt: skip
    assert found["fact"] is True
    assert [one["kind"] for one in found["discrepancies"]] == ["found what the books hold as gone"]


def test_a_rifle_goes_to_the_workshop_and_comes_back(web: Web) -> None:
    """One route for both ways; what it waits for in the workshop shows where it is found."""
    sent = {"work": "Firing pin broken", "lines": [{"scan": RIFLES[0], "condition": "unserviceable"}]}
    assert web.posted("armourer", "/v1/work-orders", sent)["act"] == "maintain"
    back = {"back": True, "work": "New pin", "store": STORE, "lines": [{"scan": RIFLES[0], "condition": "serviceable"}]}
    web.posted("clerk", "/v1/work-orders", back)
    assert web.country.where(RIFLES[0]) == STORE
    answer = web.post("clerk", "/v1/work-orders", back)
    assert "not in the workshop" in problem(answer, 409, "refused")["reasons"][0]["reason"]


def test_a_mistake_is_corrected_by_two_or_undone_at_once(web: Web) -> None:
    """Undo takes one's own last document back alone; a correction takes the commander."""
    wrong = issued(web, RIFLES[0])
    assert web.posted("clerk", "/v1/undo", {"document": wrong["document_id"]})["act"] == "correct"
    assert web.country.where(RIFLES[0]) == STORE
    wrong = issued(web, RIFLES[1])
    body = {"document": wrong["document_id"], "reason": "the wrong rifle"}
    web.approved("commander", web.drafted("clerk", "/v1/corrections", body))
    assert web.country.where(RIFLES[1]) == STORE


def test_a_spoiled_number_is_void(web: Web) -> None:
    """It moves nothing and is a document all the same."""
    voided = web.posted("clerk", "/v1/voids", {"reason": "The form tore"})
    assert (voided["lines"], voided["quantity"]) == (0, 0)


def test_a_paper_is_keyed_as_a_fact(web: Web) -> None:
    """What a paper says happened is not refused: a receiver nobody knows becomes a discrepancy."""
    sheet = {"book": "PAPER-1", "number": 17, "happened_at": now().isoformat(), "scan_sha256": scanned_paper()}
    posted = issued(web, RIFLES[0], receiver="Z-9", paper=sheet)
    assert posted["fact"] is True
    assert posted["number"].endswith("/17")
    assert posted["discrepancy_count"] == 1


def test_a_refusal_tells_each_weapon_its_reason(web: Web) -> None:
    """One is out, one is unknown, one is fine: nothing is done, and each of the two says why and where it is."""
    issued(web, RIFLES[0])
    body = {"receiver": "A-1002", "store": STORE, "lines": scans(RIFLES[0], "NO SUCH", RIFLES[1])}
    told = problem(web.post("clerk", "/v1/issues", body), 409, "refused")
    assert [(reason["line"], reason["weapon"]) for reason in told["reasons"]] == [(1, RIFLES[0]), (2, "NO SUCH")]
    assert told["reasons"][0]["where"] == "Private Petrov (A-1001) (person)"
    assert "unknown" in told["reasons"][1]["reason"]
    assert web.country.where(RIFLES[1]) == STORE


def test_the_same_document_twice_is_one_posting(web: Web) -> None:
    """Byte for byte the first answer, under document_id or Idempotency-Key or both, whatever happened since."""
    key = fresh()
    body = {"receiver": "A-1001", "store": STORE, "lines": scans(RIFLES[0])}
    first = web.post("clerk", "/v1/issues", {**body, "document_id": key})
    web.posted("clerk", "/v1/returns", {"store": STORE, "lines": [{"scan": RIFLES[0], "condition": "serviceable"}]})
    again = web.post("clerk", "/v1/issues", body, **{"Idempotency-Key": key})
    both = web.post("clerk", "/v1/issues", {**body, "document_id": key}, **{"Idempotency-Key": key})
    assert (first.status_code, first.content) == (again.status_code, again.content) == (both.status_code, both.content)
    assert web.country.where(RIFLES[0]) == STORE
    assert web.country.query("SELECT count(*) FROM document WHERE act = 'issue'") == [(1,)]


def test_a_fact_with_discrepancies_repeats_to_the_byte(web: Web) -> None:
    """The answer is rebuilt from rows: times, discrepancies and their order too."""
    sheet = {"book": "PAPER-1", "number": 3, "happened_at": now().isoformat(), "scan_sha256": scanned_paper()}
    body = {"document_id": fresh(), "receiver": "Z-9", "store": STORE, "paper": sheet,
            "lines": scans("NEVER 1", "NEVER 2", RIFLES[0])}  # fmt: skip
    first = web.post("clerk", "/v1/issues", body)
    assert first.status_code == 201
    assert first.json()["discrepancy_count"] >= 3
    assert web.post("clerk", "/v1/issues", body).content == first.content


def test_an_approved_draft_repeats_to_the_byte(web: Web) -> None:
    """A draft's repeat is the draft; once approved, both who asked and who approved get the document again."""
    body = {"document_id": fresh(), "site": "TAJI", "name": "Old", "store": STORE,
            "lines": [{"model": "AKM", "serial_number": "OLD 1"}]}  # fmt: skip
    first = web.post("registrar", "/v1/openings", body)
    assert web.post("registrar", "/v1/openings", body).content == first.content
    approved = web.post("commander", f"/v1/drafts/{body['document_id']}/approve")
    assert web.post("commander", f"/v1/drafts/{body['document_id']}/approve").content == approved.content
    assert web.post("registrar", "/v1/openings", body).content == approved.content


def test_one_id_is_one_document(web: Web) -> None:
    """The id with other content is refused, and so are two ids for one document."""
    key = fresh()
    issued(web, RIFLES[0], document_id=key)
    body = {"receiver": "A-1002", "store": STORE, "lines": scans(RIFLES[1])}
    told = problem(web.post("clerk", "/v1/issues", {**body, "document_id": key}), 409, "posted-with-other-content")
    assert "TAJI/B/" in told["detail"]
    other = web.post("clerk", "/v1/issues", {**body, "document_id": fresh()}, **{"Idempotency-Key": fresh()})
    assert problem(other, 422, "invalid")["faults"][0]["field"] == "document_id"
    bad = web.post("clerk", "/v1/issues", body, **{"Idempotency-Key": "not a uuid"})
    assert "idempotency-key" in problem(bad, 422, "invalid")["faults"][0]["field"].lower()


def test_a_rejected_draft_stays_to_be_read(web: Web) -> None:
    """With the reason; it can't be approved afterwards, nor rejected again."""
    body = {"site": "TAJI", "name": "Old", "store": STORE, "lines": [{"model": "AKM", "serial_number": "OLD 1"}]}
    draft = web.drafted("registrar", "/v1/openings", body)
    problem(web.post("commander", f"/v1/drafts/{draft}/reject", {}), 422, "invalid")
    rejected = web.post("commander", f"/v1/drafts/{draft}/reject", {"reason": "not ours"}).json()
    assert (rejected["outcome"], rejected["reason"]) == ("rejected", "not ours")
    problem(web.post("commander", f"/v1/drafts/{draft}/approve"), 409, "refused")
    problem(web.post("commander", f"/v1/drafts/{draft}/reject", {"reason": "again"}), 409, "refused")
    problem(web.post("commander", f"/v1/drafts/{fresh()}/approve"), 404, "not-found")


@pytest.mark.parametrize("path", ["/v1/issues", "/v1/returns", "/v1/hand-overs", "/v1/receipts", "/v1/loss-reports"])
def test_the_documented_example_of_each_voucher_is_accepted(web: Web, path: str) -> None:
    """The example in the API document, sent as it stands to a country where its weapon is where the act begins."""
    described = web.client.get("/openapi.json").json()
    example = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
    if path in ("/v1/returns", "/v1/hand-overs"):
        issued(web, RIFLES[0])
    assert web.posted("clerk", path, example)["lines"] == 1
