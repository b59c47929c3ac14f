"""Stories of signatures at the counter: the receiver signs by PIN or by hand, for one document, and the document says so for ever."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.erasure_plan import plan_of
from stockpile.files import file_store
from stockpile.parties import read_party
from tests.api_world import Web, fresh, problem, served
from tests.signing_in import PINS, Browser, add_pins, add_users, browser, enrolled, one_time_pin
from tests.world import RIFLES, Country, photo, scanned_paper, scans

web = pytest.fixture(served)


@pytest.fixture
def desk(country: Country) -> Browser:
    """A clerk at counter K1 of TAJI, before people with PINs."""
    add_users(country, "clerk", "commander")
    add_pins(country, "T-1", "C-1", "A-1001")
    made = browser(country, enrolled(country))
    made.sign_in_by_badge("T-1")
    return made


def issue(document_id: str, *signatures: str, serial: str = RIFLES[0]) -> dict[str, Any]:
    return {
        "document_id": document_id, "receiver": "A-1001", "store": "Main store", "lines": scans(serial),
        "signatures": list(signatures),
    }  # fmt: skip


def signed(desk: Browser, document_id: str, person: str = "A-1001", **how: str) -> str:
    """The id of a signature by PIN, unless said otherwise."""
    answer = desk.post(
        "/v1/signatures", {"document_id": document_id, "person": person, **(how or {"pin": PINS[person]})}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["signature_id"])


def drawing(shade: int = 7) -> str:
    return file_store().keep([photo(shade)], 100_000).sha256


def test_a_soldier_signs_for_a_rifle_by_pin(desk: Browser, country: Country) -> None:
    """The document says who signed, how, when and where; the same request gets the same answer; no PIN stands anywhere."""
    document = fresh()
    signature = signed(desk, document)
    posted = desk.post("/v1/issues", issue(document, signature))
    assert posted.status_code == 201
    assert desk.post("/v1/issues", issue(document, signature)).content == posted.content
    shown = desk.get(f"/v1/documents/{document}").json()
    (told,) = shown["signatures"]
    assert (told["person"], told["how"], told["counter"], told["file"]) == (
        "Private Petrov (A-1001)", "PIN", "Counter K1", None,
    )  # fmt: skip
    (kept,) = shown["details"]["signatures"]
    assert kept["signature"] == signature
    assert set(kept) == {"signature", "person", "how", "signed_at", "counter"}
    everything = country.owner_query(
        "SELECT row_to_json(d)::text FROM document d UNION ALL SELECT row_to_json(g)::text FROM signature g"
    )
    assert not any(PINS["A-1001"] in row[0] for row in everything)


def test_a_drawn_signature_belongs_to_the_document(desk: Browser, country: Country) -> None:
    """Its picture is among what is attached, so that who may read the document may look at it, and an erasure finds it."""
    document, file = fresh(), drawing()
    signature = signed(desk, document, file=file)
    assert desk.post("/v1/issues", issue(document, signature)).status_code == 201
    (told,) = desk.get(f"/v1/documents/{document}").json()["signatures"]
    assert (told["how"], told["file"]) == ("drawn", file)
    assert country.query("SELECT attachments FROM document WHERE document_id = %s", document) == [([file],)]
    assert desk.get(f"/v1/files/{file}").headers["content-type"] == "image/png"
    with transaction(country.engine, roles.REGISTRAR) as connection:
        plan = plan_of(connection, read_party(connection, country.parties["A-1001"].party_id), [])
    assert [one.sha256 for one in plan.files] == [file]


def test_it_is_for_one_document_and_one_person(desk: Browser, country: Country) -> None:
    """Not for another document, not by somebody who does not receive, not one that nobody gave: nothing is done then."""
    document, other = fresh(), fresh()
    signature = signed(desk, document)
    told = problem(desk.post("/v1/issues", issue(other, signature)), 409, "refused")
    assert "another document" in told["detail"]
    by_clerk = signed(desk, other, "T-1")
    told = problem(desk.post("/v1/issues", issue(other, by_clerk)), 409, "refused")
    assert "neither receives nor returns" in told["detail"]
    told = problem(desk.post("/v1/issues", issue(other, fresh())), 422, "invalid")
    assert told["faults"][0]["field"] == "signatures"
    assert country.where(RIFLES[0]) == "Main store"


def test_the_morning_draw_a_hand_over_and_a_return_are_signed_too(desk: Browser, web: Web) -> None:
    """Each by its own: who draws, both sides of a hand-over, who brings it back."""
    add_pins(web.country, "A-1002")
    web.post("commander", "/v1/assignments", {"lines": [{"scan": RIFLES[0], "person": "A-1001"}]})
    document = fresh()
    drawn = {"document_id": document, "scan": RIFLES[0], "signatures": [signed(desk, document)]}
    assert desk.post("/v1/draws", drawn).status_code == 201
    document = fresh()
    both = [signed(desk, document), signed(desk, document, "A-1002")]
    lines = scans(RIFLES[0])
    over = {"document_id": document, "giver": "A-1001", "receiver": "A-1002", "lines": lines, "signatures": both}
    assert desk.post("/v1/hand-overs", over).status_code == 201
    told = desk.get(f"/v1/documents/{document}").json()["signatures"]
    assert [one["person"] for one in told] == ["Private Petrov (A-1001)", "Private Quist (A-1002)"]
    document = fresh()
    back = {
        "document_id": document, "store": "Main store", "lines": [{"scan": RIFLES[0], "condition": "serviceable"}],
        "signatures": [signed(desk, document, "A-1002")],
    }  # fmt: skip
    assert desk.post("/v1/returns", back).status_code == 201
    (told,) = desk.get(f"/v1/documents/{document}").json()["signatures"]
    assert told["how"] == "PIN"


def test_a_wrong_pin_signs_nothing_and_is_counted(desk: Browser, country: Country) -> None:
    """The words name the field; the answer does not repeat what was typed; failures stand in the list, and the person waits there."""
    for pin in ("918273", "1" * 300):
        answer = desk.post("/v1/signatures", {"document_id": fresh(), "person": "A-1001", "pin": pin})
        told = problem(answer, 422, "invalid")
        assert told["faults"][0]["field"] == "pin"
        assert pin not in answer.text
    assert country.query("SELECT count(*) FROM signature") == [(0,)]
    country.owner_query("UPDATE sign_in_failure SET not_before = now() + interval '1 minute' RETURNING 1")
    answer = desk.post("/v1/signatures", {"document_id": fresh(), "person": "A-1001", "pin": PINS["A-1001"]})
    problem(answer, 429, "too-soon")
    assert int(answer.headers["retry-after"]) > 30


def test_a_clerk_who_tries_the_pins_of_the_whole_depot_is_braked(desk: Browser) -> None:
    """One try each makes nobody wait; so many tries from one counter do, whoever they are for. Who draws is not held up."""
    statuses = [
        desk.post("/v1/signatures", {"document_id": fresh(), "person": f"A-{number}", "pin": "508297"}).status_code
        for number in range(5000, 5031)
    ]
    assert set(statuses[:29]) == {422}
    assert statuses[-1] == 429
    signed(desk, fresh(), file=drawing())


def test_a_drawn_signature_is_used_once(desk: Browser) -> None:
    """A clerk takes the picture off a soldier's last receipt, or off a paper's scan, to sign for another rifle: it is refused."""
    document, file = fresh(), drawing()
    signature = signed(desk, document, file=file)
    for person in ("A-1001", "T-1"):
        again = desk.post("/v1/signatures", {"document_id": fresh(), "person": person, "file": file})
        assert "signed with before" in problem(again, 422, "invalid")["faults"][0]["message"]
    assert desk.post("/v1/issues", issue(document, signature)).status_code == 201
    off_a_receipt = file_store().keep([photo(8)], 100_000).sha256
    back = {"document_id": fresh(), "store": "Main store", "attachments": [off_a_receipt], "lines": scans(RIFLES[0])}
    assert desk.post("/v1/returns", back).status_code == 201
    again = desk.post("/v1/signatures", {"document_id": fresh(), "person": "A-1001", "file": off_a_receipt})
    assert "signed with before" in problem(again, 422, "invalid")["faults"][0]["message"]
    signed(desk, fresh(), file=drawing(9))


def test_a_one_time_pin_is_changed_as_it_signs(desk: Browser, country: Country) -> None:
    """The soldier who got one a minute ago chooses the own PIN and signs, in one go."""
    given, document = one_time_pin(country, "A-1001"), fresh()
    body = {"document_id": document, "person": "A-1001", "pin": given}
    assert problem(desk.post("/v1/signatures", body), 422, "invalid")["faults"][0]["field"] == "new_pin"
    easy = desk.post("/v1/signatures", {**body, "new_pin": "123456"})
    assert problem(easy, 422, "invalid")["faults"][0]["field"] == "new_pin"
    assert desk.post("/v1/signatures", {**body, "new_pin": "640917"}).status_code == 201
    problem(desk.post("/v1/signatures", body), 422, "invalid")
    signed(desk, fresh(), pin="640917")
    told = problem(desk.post("/v1/signatures", {**body, "pin": "640917", "new_pin": "531806"}), 422, "invalid")
    assert "no one-time PIN" in told["faults"][0]["message"]


def test_the_same_signature_again_is_kept_once(desk: Browser, country: Country) -> None:
    """The answer got lost and it is sent again; for something else its id is taken."""
    body = {"signature_id": fresh(), "document_id": fresh(), "person": "A-1001", "file": drawing()}
    first = desk.post("/v1/signatures", body)
    assert desk.post("/v1/signatures", body).json() == first.json()
    assert country.query("SELECT count(*) FROM signature") == [(1,)]
    problem(desk.post("/v1/signatures", {**body, "document_id": fresh()}), 409, "posted-with-other-content")


def test_what_is_no_signature(desk: Browser, web: Web) -> None:
    """A file that is none, a scan, neither or both ways; a PIN away from a counter; nobody of the site; who may not take any."""
    body = {"document_id": fresh(), "person": "A-1001"}
    for more in (
        {},
        {"pin": "1", "file": drawing()},
        {"file": "00" * 32},
        {"file": scanned_paper()},
        {"file": drawing(), "new_pin": "1"},
    ):
        problem(desk.post("/v1/signatures", {**body, **more}), 422, "invalid")
    problem(desk.post("/v1/signatures", {"document_id": fresh(), "person": "E-1", "file": drawing()}), 422, "invalid")
    told = problem(web.post("clerk", "/v1/signatures", {**body, "pin": PINS["A-1001"]}), 403, "not-allowed")
    assert "at an enrolled counter only" in told["detail"]
    assert web.post("clerk", "/v1/signatures", {**body, "file": drawing()}).status_code == 201
    for who in ("registrar", "auditor", "USA"):
        problem(web.post(who, "/v1/signatures", {**body, "file": drawing()}), 403, "not-allowed")


def test_a_draft_keeps_its_signatures(desk: Browser, country: Country) -> None:
    """An issue that a commander overrides: signed when it was asked for, posted when it is approved, signed still."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[1]))
    country.do("clerk", RETURN, store="Main store", lines=[{"scan": RIFLES[1], "condition": "unserviceable"}])
    document = fresh()
    signature = signed(desk, document)
    asked = {**issue(document, signature, serial=RIFLES[1]), "override": "the gate is under attack"}
    assert desk.post("/v1/issues", asked).status_code == 202
    second = desk.post("/v1/station/second", {"badge": "C-1", "pin": PINS["C-1"]}).json()
    approved = desk.post(f"/v1/drafts/{document}/approve", Authorization=f"Bearer {second['token']}")
    assert approved.status_code == 201
    (told,) = desk.get(f"/v1/documents/{document}").json()["signatures"]
    assert UUID(told["signature_id"]) == UUID(signature)
