"""Devices: tablets that write while the link is down. What they signed happened, in whatever order it comes, and is posted once."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.v1.devices import TakenShown
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.documents import now
from stockpile.files import file_store
from stockpile.movements import Act
from tests.api_world import Web, fresh, problem, served
from tests.device import FieldDevice
from tests.test_api_exports import read_csv, read_xlsx
from tests.test_gaps import BOOKS, missing, open_runs
from tests.world import RIFLES, ago, paper, scans

web = pytest.fixture(served)

STORE = "Main store"
OUT = {"receiver": "A-1001", "store": STORE, "lines": scans(RIFLES[0])}


def enrolled(web: Web, who: str = "commander", book: str = "TAB-3", **asked: Any) -> FieldDevice:
    """A tablet of TAJI."""
    device = FieldDevice()
    answer = web.post(who, "/v1/devices", {**enrolment(device, book), **asked})
    assert answer.status_code == 201, answer.text
    device.device_id = answer.json()["device_id"]
    return device


def enrolment(device: FieldDevice, book: str = "TAB-3") -> dict[str, Any]:
    return {"book": book, "label": "Tablet 3", "public_key": device.public_key}


def contact(
    web: Web, device: FieldDevice, *vouchers: dict[str, str], who: str = "clerk", at: datetime | None = None
) -> Response:
    body = {"device_time": (at or now()).isoformat(), "vouchers": list(vouchers)}
    return web.post(who, f"/v1/devices/{device.device_id}/vouchers", body)


def brought(web: Web, device: FieldDevice, *vouchers: dict[str, str], **how: Any) -> list[dict[str, Any]]:
    """What became of each voucher."""
    answer = contact(web, device, *vouchers, **how)
    assert answer.status_code == 200, answer.text
    TakenShown.model_validate(answer.json())
    outcomes: list[dict[str, Any]] = answer.json()["vouchers"]
    assert len(outcomes) == len(vouchers)
    return outcomes


def posted(web: Web, device: FieldDevice, *vouchers: dict[str, str], **how: Any) -> list[dict[str, Any]]:
    """The documents that vouchers became."""
    outcomes = brought(web, device, *vouchers, **how)
    assert [outcome["became"] for outcome in outcomes] == ["posted"] * len(vouchers), outcomes
    return [outcome["posted"] for outcome in outcomes]


def set_aside(web: Web, device: FieldDevice, voucher: dict[str, str]) -> dict[str, Any]:
    """The problem of a voucher that could not be posted."""
    (outcome,) = brought(web, device, voucher)
    assert outcome["became"] == "set aside", outcome
    found: dict[str, Any] = outcome["problem"]
    return found


def kinds(document: dict[str, Any]) -> list[str]:
    return sorted(found["kind"] for found in document["discrepancies"])


def test_a_rifle_goes_out_at_the_gate_while_the_link_is_down(web: Web) -> None:
    """Two days later the tablet is in touch: the issue has the tablet's number and time, and its clerk as poster; the signed
    text is kept with it, and the document says who carried it.
    """
    device, moment = enrolled(web), ago(days=2)
    web.country.do("clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "G 1"}],
                   paper=paper(1, ago(days=9)))  # fmt: skip
    voucher = device.write("issue", moment, {**OUT, "lines": scans("G 1")})
    (document,) = posted(web, device, voucher, who="second clerk")
    year = datetime.now(UTC).year
    assert document["number"] in (f"TAJI/TAB-3/{year}/1", f"TAJI/TAB-3/{year - 1}/1")
    assert (document["act"], document["fact"], document["discrepancy_count"]) == ("issue", True, 0)
    assert datetime.fromisoformat(document["happened_at"]) == moment
    assert web.country.where("G 1") == "Private Petrov (A-1001)"
    ((poster, offline, details, attachments),) = web.country.query(
        """SELECT p.code, d.written_offline, d.details, d.attachments FROM document d JOIN party p ON p.party_id = d.posted_by
           WHERE document_id = %s""",
        document["document_id"],
    )
    assert (poster, offline) == ("T-1", True)
    assert details["device"] == device.device_id
    assert details["carried_by"] == str(web.country.parties["T-2"].party_id)
    (evidence,) = attachments
    assert json.loads(file_store().path(evidence).read_bytes()) == voucher


def test_who_enrols_a_device(web: Web) -> None:
    """The site's commander or a registrar, who names the site; nobody else, and nobody elsewhere."""
    enrolled(web)
    enrolled(web, "registrar", "TAB-4", site="TAJI")
    for who in ("clerk", "armourer", "auditor", "USA"):
        problem(web.post(who, "/v1/devices", enrolment(FieldDevice(), "TAB-5")), 403, "not-allowed")
    elsewhere = {**enrolment(FieldDevice(), "TAB-5"), "site": "ERBIL"}
    problem(web.post("commander", "/v1/devices", elsewhere), 403, "not-allowed")
    nowhere = problem(web.post("registrar", "/v1/devices", enrolment(FieldDevice(), "TAB-5")), 422, "invalid")
    assert nowhere["faults"][0]["field"] == "site"


def test_the_same_enrolment_again_is_the_same_device(web: Web) -> None:
    """An answer may get lost. One that was revoked does not come back with its old key."""
    device = FieldDevice()
    first = web.post("commander", "/v1/devices", enrolment(device)).json()
    assert web.post("commander", "/v1/devices", enrolment(device)).json() == first
    web.post("commander", f"/v1/devices/{first['device_id']}/revoke")
    again = problem(web.post("commander", "/v1/devices", enrolment(device, "TAB-9")), 422, "invalid")
    assert again["faults"][0]["field"] == "public_key"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("public_key", "short"),
        ("public_key", b64encode(bytes(31)).decode()),
        ("public_key", b64encode(bytes(32)).decode().rstrip("=")),
        ("public_key", b64encode(bytes(32)).decode().replace("A=", "B=")),
        ("public_key", "é" * 44),
        ("book", "tab 3"),
        ("book", "EXC"),
        ("book", "B"),
        ("book", "REG"),
        ("book", "CO"),
        ("book", "PAPER"),
    ],
)
def test_a_device_needs_a_key_and_a_book_of_its_own(web: Web, field: str, value: str) -> None:
    """Not what a counter, a pad of paper or every site has."""
    web.country.do("clerk", ISSUE, **OUT, paper=paper(1, ago()))
    told = problem(web.post("commander", "/v1/devices", {**enrolment(FieldDevice()), field: value}), 422, "invalid")
    assert told["faults"][0]["field"] == field


def test_nobody_else_numbers_in_a_device_s_book(web: Web) -> None:
    """No counter's token, no other device; a paper that says so goes to the exceptions."""
    enrolled(web)
    asked = {"role": "clerk", "label": "counter", "party": "T-1", "site": "TAJI", "book": "TAB-3"}
    told = problem(web.post("registrar", "/v1/tokens", asked), 422, "invalid")
    assert told["faults"][0]["message"] == "this is the book of a device: take another code"
    again = problem(web.post("commander", "/v1/devices", enrolment(FieldDevice())), 422, "invalid")
    assert again["faults"][0]["field"] == "book"
    keyed = web.country.do("clerk", ISSUE, **OUT, paper=paper(7, ago(), "TAB-3"))
    assert keyed.number.startswith("TAJI/EXC/")


@pytest.mark.parametrize(
    "off", [timedelta(hours=3), timedelta(days=400), timedelta(days=-20_000), timedelta(minutes=-2)]
)
def test_a_clock_that_is_off_refuses_nothing(web: Web, off: timedelta) -> None:
    """Ahead, behind, or back in the seventies: the voucher is posted with its own time, at most now, under the device's own
    number of the device's own year; the offset is kept with the contact and the document.
    """
    device, moment = enrolled(web), now()
    voucher = device.write("issue", moment + off, OUT)
    (document,) = posted(web, device, voucher, at=now() + off)
    happened = datetime.fromisoformat(document["happened_at"])
    assert happened <= datetime.fromisoformat(document["recorded_at"])
    assert happened == moment + off or off > timedelta(0)
    assert document["number"] == f"TAJI/TAB-3/{web.country.sites['TAJI'].local_year(moment + off)}/1"
    ((of_document, of_contact),) = web.country.query("SELECT d.clock_offset, c.clock_offset FROM document d, device_contact c"
                                                     " WHERE document_id = %s", document["document_id"])  # fmt: skip
    assert of_document == of_contact
    assert abs(of_document - off) < timedelta(seconds=5)


def test_the_same_voucher_twice_is_one_document(web: Web) -> None:
    """Byte for byte, whoever carries it and whatever happened since; also within one contact, and signed anew."""
    device = enrolled(web)
    voucher = device.write("issue", ago(), {**OUT, "lines": scans("NEVER 1", RIFLES[0])})
    first = posted(web, device, voucher)[0]
    web.posted("clerk", "/v1/returns", {"store": STORE, "lines": scans(RIFLES[0])})
    again, once_more = posted(web, device, voucher, voucher, who="armourer")
    assert json.dumps(again) == json.dumps(once_more) == json.dumps(first)
    assert web.country.query("SELECT count(*) FROM document WHERE act = 'issue'") == [(1,)]


def test_the_same_voucher_over_two_lines_at_once(web: Web) -> None:
    """Two clerks bring the same ten at one moment: ten documents, and both are told the same."""
    device = enrolled(web)
    vouchers = [device.write("issue", ago(), {**OUT, "lines": scans(rifle)}) for rifle in RIFLES]
    with ThreadPoolExecutor(2) as lines:
        one, other = lines.map(lambda who: posted(web, device, *vouchers, who=who), ["clerk", "second clerk"])
    assert one == other
    assert web.country.query("SELECT count(*) FROM document WHERE act = 'issue'") == [(10,)]
    assert web.country.discrepancies() == []


def test_other_content_under_a_document_id_is_set_aside(web: Web) -> None:
    """The first stays; the second is a problem of its own, and is kept."""
    device, key = enrolled(web), fresh()
    first = device.write("issue", ago(), OUT, document_id=key)
    posted(web, device, first)
    other = device.write("issue", ago(), {**OUT, "receiver": "A-1002"}, document_id=key)
    told = set_aside(web, device, other)
    assert told["type"] == "/docs#posted-with-other-content"
    assert web.country.where(RIFLES[0]) == "Private Petrov (A-1001)"
    (kept,) = web.get("clerk", "/v1/device-rejects").json()["rows"]
    assert (kept["payload"], kept["signature"]) == (other["payload"], other["signature"])
    assert (kept["document_id"], kept["posted_as"]) == (key, None)
    for field, value in (("number", 9), ("clerk", "T-2"), ("precision", "day")):
        set_aside(web, device, device.sign(json.dumps({**json.loads(first["payload"]), field: value})))


def test_a_number_used_for_other_content_goes_to_the_exceptions(web: Web) -> None:
    """Both happened; somebody must find out which is which."""
    device = enrolled(web)
    first = device.write("issue", ago(), OUT)
    second = device.write("issue", ago(), {**OUT, "lines": scans(RIFLES[1])}, number=1)
    one, other = posted(web, device, first, second)
    assert other["number"].startswith("TAJI/EXC/")
    assert kinds(other) == ["number claimed twice"]
    ((claimed,),) = web.country.query(
        "SELECT claimed_number FROM document WHERE document_id = %s", other["document_id"]
    )
    assert claimed == one["number"]


def bad_ones(device: FieldDevice) -> dict[str, dict[str, str]]:
    """Vouchers with something wrong, by what the problem says of it."""
    stranger = FieldDevice(device_id=device.device_id)
    honest = device.write("issue", ago(), OUT)
    return {
        "Tablet 3 did not sign this text": stranger.write("issue", ago(), OUT),
        "not JSON": device.sign('{"device": '),
        "stands twice": device.sign(honest["payload"].replace("{", '{"number": 7, ', 1)),
        "NaN is no number": device.sign(honest["payload"].replace('"number": ', '"number": NaN, "x": ', 1)),
        "nested too deep": device.sign("[" * 100_000),
        "signature: not this device's": {**honest, "signature": honest["signature"] + "="},
        "64 bytes in base64": {"payload": honest["payload"], "signature": "\u00e9"},
        "device: not the device": device.write("issue", ago(), OUT, device=fresh()),
        "act: one of": device.write("open", ago(), OUT),
        "number: ": device.write("issue", ago(), OUT, number=True),
        "number: Input": device.write("issue", ago(), OUT, number=0),
        "happened_at": device.write("issue", ago(), OUT, happened_at="2026-11-20T09:30:00"),
        "the year 2999": device.write("issue", ago(), OUT, happened_at="2999-12-31T23:30:00Z"),
        "clerk": device.write("issue", ago(), OUT, clerk=" "),
        "receiver": device.write("issue", ago(), {"lines": scans(RIFLES[0])}),
        "request.paper": device.write("issue", ago(), {**OUT, "paper": {"number": 1}}),
        "request.site": device.write("issue", ago(), {**OUT, "site": "ERBIL"}),
        "request.document_id": device.write("issue", ago(), {**OUT, "document_id": fresh()}),
        "_signed": device.write("issue", ago(), {**OUT, "_signed": {}}),
        "has no store 'Moon'": device.write("issue", ago(), {**OUT, "store": "Moon"}),
        "take it out": device.write("issue", ago(), {**OUT, "remarks": "a\0b"}),
        "remarks": device.write("issue", ago(), {**OUT, "remarks": "\ud800"}),
        "attachments": device.write("issue", ago(), {**OUT, "attachments": ["ab" * 32]}),
    }


def test_one_bad_voucher_never_stops_the_others(web: Web) -> None:
    """Two dozen that can't be posted among ten that can: each is told its problem, all are kept to the byte, once."""
    device = enrolled(web)
    wrong = bad_ones(device)
    good = [device.write("issue", ago(), {**OUT, "lines": scans(rifle)}) for rifle in RIFLES]
    mixed = [*wrong.values(), *good]
    random.Random(5).shuffle(mixed)
    outcomes = brought(web, device, *mixed)
    became = {json.dumps(voucher): outcome for voucher, outcome in zip(mixed, outcomes, strict=True)}
    assert {became[json.dumps(voucher)]["became"] for voucher in good} == {"posted"}
    for says, voucher in wrong.items():
        told = became[json.dumps(voucher)]
        assert (told["became"], told["problem"]["status"]) == ("set aside", 422), says
    brought(web, device, *mixed)
    rejects = web.get("clerk", "/v1/device-rejects", limit=500).json()["rows"]
    assert len(rejects) == len(wrong)
    reasons = {(kept["payload"], kept["signature"]): kept["reason"] for kept in rejects}
    for says, voucher in wrong.items():
        assert says in reasons[voucher["payload"], voucher["signature"]]


def test_half_a_character_spoils_its_own_voucher_alone(web: Web) -> None:
    """JSON can write it, UTF-8 can't: the voucher beside it is posted."""
    device = enrolled(web)
    good = device.write("issue", ago(), OUT)
    body = {"device_time": now().isoformat(), "vouchers": [{"payload": "\ud800", "signature": "\udfff"}, good]}
    path, headers = f"/v1/devices/{device.device_id}/vouchers", web.headers("clerk")
    sent = json.dumps(body).encode()
    answer = web.client.post(path, content=sent, headers={**headers, "Content-Type": "application/json"})
    assert [outcome["became"] for outcome in answer.json()["vouchers"]] == ["set aside", "posted"]
    assert web.get("clerk", "/v1/device-rejects").json()["rows"][0]["payload"] == "\\ud800"


def test_any_act_a_device_names_is_answered(web: Web) -> None:
    """With an empty request: set aside or, of a spoiled number, posted; never an error of ours."""
    device = enrolled(web)
    outcomes = brought(web, device, *(device.write(str(act), ago(), {"reason": "torn"}) for act in Act))
    assert [act for act, outcome in zip(Act, outcomes, strict=True) if outcome["became"] == "posted"] == [Act.VOID]
    assert {outcome["problem"]["status"] for outcome in outcomes if "problem" in outcome} == {422}


def test_a_device_that_nobody_enrolled_here(web: Web) -> None:
    """Unknown, or of another site: there is no such device at this desk, and nothing is kept."""
    device = enrolled(web)
    voucher = device.write("issue", ago(), OUT)
    problem(contact(web, FieldDevice(device_id=fresh()), voucher), 404, "not-found")
    problem(contact(web, device, voucher, who="erbil clerk"), 404, "not-found")
    for who in ("auditor", "registrar", "USA"):
        problem(contact(web, device, voucher, who=who), 403, "not-allowed")
    assert web.country.query("SELECT count(*) FROM device_contact") == [(0,)]
    assert web.country.query("SELECT count(*) FROM device_reject") == [(0,)]


def test_what_a_revoked_device_sends_is_kept_and_told(web: Web) -> None:
    """A stolen tablet, or one whose last week nobody had fetched: it happened, and somebody must look at it."""
    device = enrolled(web)
    voucher = device.write("issue", ago(), OUT)
    before = device.write("void", ago(), {"reason": "torn"})
    posted(web, device, before)
    revoked = web.post("commander", f"/v1/devices/{device.device_id}/revoke")
    assert revoked.json()["revoked_by"] == "Major Carim Commander (C-1)"
    assert web.post("commander", f"/v1/devices/{device.device_id}/revoke").json() == revoked.json()
    (document,) = posted(web, device, voucher)
    assert kinds(document) == ["from a revoked device"]
    assert web.country.where(RIFLES[0]) == "Private Petrov (A-1001)"
    assert kinds(posted(web, device, before)[0]) == ["gap in a book"]
    reused = device.write("void", ago(), {"reason": "torn"}, number=1)
    assert kinds(posted(web, device, reused)[0]) == ["from a revoked device", "number claimed twice"]


def test_a_clerk_whom_nobody_knows(web: Web) -> None:
    """Not of this site: who carried the voucher has posted it, and the name is a discrepancy."""
    device = enrolled(web)
    for number, clerk in enumerate(("E-1", "X-99")):
        voucher = device.write("issue", ago(), {**OUT, "lines": scans(RIFLES[number])}, clerk=clerk)
        (document,) = posted(web, device, voucher, who="second clerk")
        assert kinds(document) == ["person unknown"]
        assert web.country.query("SELECT posted_by FROM document WHERE document_id = %s", document["document_id"]) == [
            (web.country.parties["T-2"].party_id,)
        ]


def test_an_act_of_two_parties_is_posted_without_the_second(web: Web) -> None:
    """What burnt is burnt; that nobody approved it stands open."""
    device = enrolled(web)
    spent = {"manner": "fired", "place": "the bridge", "circumstances": "all of it", "lines": scans(RIFLES[0])}
    assert kinds(posted(web, device, device.write("expend", ago(), spent))[0]) == ["second party missing"]
    assert web.country.where(RIFLES[0]) == "expended"


def test_what_is_contradicted_by_the_books_is_posted(web: Web) -> None:
    """A receiver nobody knows, a rifle nobody knows: as from paper."""
    device = enrolled(web)
    voucher = device.write("issue", ago(), {**OUT, "receiver": "Z-9", "lines": scans("NEVER 1")})
    assert kinds(posted(web, device, voucher)[0]) == ["receiver not on the roster", "unknown weapon"]


def test_a_device_s_book_begins_at_one(web: Web) -> None:
    """Number 3 comes first: 1 and 2 are missing, whoever has them, until they come, one of them void."""
    device = enrolled(web)
    moment = ago(days=1)
    one = device.write("issue", moment, OUT)
    two = device.write("void", moment, {"reason": "slipped"})
    three = device.write("return", moment, {"store": STORE, "lines": scans(RIFLES[0])})
    assert "gap in a book" in kinds(posted(web, device, three)[0])
    (row,) = web.get("commander", "/v1/devices").json()["rows"]
    assert (row["highest"], row["open_gaps"], row["missing"]) == (3, 1, 2)
    (book,) = web.get("auditor", "/v1/books", kind="device", incomplete=True).json()["rows"]
    assert (book["site"], book["book"], book["holder"], book["highest"], book["missing"], book["runs"]) == (
        "TAJI", "TAB-3", "Tablet 3", 3, 2, "1-2",
    )  # fmt: skip
    posted(web, device, two)
    assert web.get("clerk", "/v1/books", incomplete=True).json()["rows"][0]["runs"] == "1"
    posted(web, device, one)
    assert web.get("clerk", "/v1/books", incomplete=True).json()["rows"] == []
    assert "gap in a book" not in web.country.discrepancies()


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(1, 9)), come=st.integers(1, 8))
def test_any_order_of_a_device_s_numbers_leaves_the_same_gaps(web: Web, order: list[int], come: int) -> None:
    """Whichever of its vouchers came first: missing are the maximal runs from 1 to the highest."""
    device = enrolled(web, book=next(BOOKS))
    for _ in order:
        device.write("void", ago(), {"reason": "torn"})
    for number in order[:come]:
        posted(web, device, device.kept[number - 1])
    ((code,),) = web.country.query("SELECT book_code FROM device WHERE device_id = %s", device.device_id)
    assert open_runs(web.country, code) == missing(order[:come], 1)


def test_what_was_set_aside_can_be_posted_when_it_is_right(web: Web) -> None:
    """The store was not in the books yet. Once it is, the same voucher is posted; what was kept says as what."""
    device = enrolled(web)
    voucher = device.write("return", ago(), {"store": "Annex", "lines": scans(RIFLES[0])})
    assert "Annex" in set_aside(web, device, voucher)["detail"]
    assert web.get("clerk", "/v1/devices").json()["rows"][0]["set_aside"] == 1
    assert len(web.get("registrar", "/v1/device-rejects", posted=False).json()["rows"]) == 1
    web.post("registrar", "/v1/sites/TAJI/stores", {"name": "Annex"})
    (document,) = posted(web, device, voucher)
    (kept,) = web.get("clerk", "/v1/device-rejects", device=device.device_id).json()["rows"]
    assert kept["posted_as"] == document["number"]
    assert web.get("clerk", "/v1/device-rejects", posted=False).json()["rows"] == []
    assert web.get("clerk", "/v1/devices").json()["rows"][0]["set_aside"] == 0


def test_the_list_of_devices_says_when_each_was_in_touch(web: Web) -> None:
    """A contact without vouchers is one too: it measures the clock."""
    device, other = enrolled(web), enrolled(web, "registrar", "TAB-4", site="TAJI")
    assert brought(web, device, at=now() - timedelta(seconds=90)) == []
    first, second = web.get("auditor", "/v1/devices").json()["rows"]
    assert (first["device_id"], second["device_id"]) == (device.device_id, other.device_id)
    assert -95 < first["clock_offset"] < -85
    assert first["last_contact"] is not None
    assert (second["last_contact"], second["clock_offset"], second["highest"]) == (None, None, 0)
    assert first["public_key"] == device.public_key
    web.post("commander", f"/v1/devices/{device.device_id}/revoke")
    assert [row["book"] for row in web.get("clerk", "/v1/devices", alive=True).json()["rows"]] == ["TAB-4"]
    assert [row["book"] for row in web.get("clerk", "/v1/devices", text="tab-3").json()["rows"]] == ["TAB-3"]


@pytest.mark.parametrize("path", ["/v1/devices", "/v1/device-rejects", "/v1/books"])
def test_the_lists_keep_to_their_site_and_leave_as_files(web: Web, path: str) -> None:
    """ERBIL sees nothing of TAJI's, a donor nothing at all; CSV and XLSX hold what JSON shows."""
    device = enrolled(web)
    brought(web, device, device.write("open", ago(), {}))
    shown = web.get("commander", path, limit=500).json()["rows"]
    assert shown
    assert len(read_csv(web.get("commander", path, format="csv"))) == len(shown)
    assert len(read_xlsx(web.get("commander", path, format="xlsx"))) == len(shown)
    assert web.get("erbil clerk", path).json()["rows"] == []
    problem(web.get("erbil clerk", path, site="TAJI"), 403, "not-allowed")
    problem(web.get("USA", path), 403, "not-allowed")
    problem(web.get("clerk", path, cursor="nonsense"), 422, "invalid")


def test_only_the_site_s_own_revoke_a_device(web: Web) -> None:
    device = enrolled(web)
    problem(web.post("clerk", f"/v1/devices/{device.device_id}/revoke"), 403, "not-allowed")
    problem(web.post("registrar", f"/v1/devices/{fresh()}/revoke"), 404, "not-found")
    assert web.post("registrar", f"/v1/devices/{device.device_id}/revoke").status_code == 200


WEEK = ("D 1", "D 2", "D 3", "D 4")
LAST = 23
"""The last step of the week happens in one moment with the one before, to the same rifle."""


def a_week(device: FieldDevice) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Seven days at the gate, and where each rifle is at their end: out, handed on, back, out again; some of it in one moment,
    which only the numbers tell apart.
    """
    people = {
        "A-1001": "Private Petrov (A-1001)",
        "A-1002": "Private Quist (A-1002)",
        "A-1003": "Private Rahim (A-1003)",
    }
    choose, moment, rifle = random.Random(7), ago(days=7), WEEK[0]
    where = dict.fromkeys(WEEK, STORE)
    for step in range(LAST + 1):
        if hours := choose.choice((0, 3, 9)) if step < LAST else 0:
            moment += timedelta(hours=hours)
            rifle = choose.choice(WEEK)
        holder = next((code for code, name in people.items() if name == where[rifle]), None)
        other = choose.choice([code for code in people if code != holder])
        if step % 11 == 10:
            device.write("void", moment, {"reason": "slipped"})
        elif holder is None:
            device.write("issue", moment, {"receiver": other, "store": STORE, "lines": scans(rifle)})
            where[rifle] = people[other]
        elif choose.random() < 0.4:
            device.write("hand over", moment, {"giver": holder, "receiver": other, "lines": scans(rifle)})
            where[rifle] = people[other]
        else:
            device.write("return", moment, {"store": STORE, "returned_by": holder, "lines": scans(rifle)})
            where[rifle] = STORE
    return device.kept, where


@pytest.mark.parametrize("seed", range(10))
def test_a_week_offline_in_any_order_gives_the_same_custody(web: Web, seed: int) -> None:
    """The tablet's week comes in pieces, shuffled, some of it twice: every rifle is where the week left it, and of all that
    stood open meanwhile, gaps and contradictions, nothing does any more.
    """
    web.country.do("clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": rifle} for rifle in WEEK],
                   paper=paper(1, ago(days=9)))  # fmt: skip
    device = enrolled(web)
    vouchers, where = a_week(device)
    shuffle = random.Random(seed)
    sent = [*vouchers, *shuffle.sample(vouchers, 6)]
    shuffle.shuffle(sent)
    while sent:
        piece = [sent.pop() for _ in range(min(len(sent), shuffle.randint(1, 3)))]
        posted(web, device, *piece)
    assert {rifle: web.country.where(rifle) for rifle in WEEK} == where
    assert web.country.query("SELECT count(*) FROM document WHERE written_offline AND act <> 'receive'") == [
        (LAST + 1,)
    ]
    assert web.country.discrepancies() == []


def test_an_act_that_its_carrier_may_not_do_is_posted_and_told(web: Web) -> None:
    """A tablet says that the depot fell; a clerk brought it in. It happened, if it did; and somebody looks at who says so."""
    device = enrolled(web)
    voucher = device.write("overrun", ago(), {"circumstances": "attacked"}, clerk="A-1003")
    (document,) = posted(web, device, voucher)
    assert kinds(document) == ["carried by who may not do it"]
    again = device.write("overrun", ago(), {"circumstances": "attacked"}, clerk="A-1003")
    assert set_aside(web, device, again)["detail"].startswith("Nothing was done: TAJI held nothing")
