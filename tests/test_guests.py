"""A UN panel's expert and a parliament's auditor read for a time what they were invited to, and write nothing; every request of theirs is
kept.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from stockpile import guests
from stockpile.db import roles
from stockpile.db.engine import at_once, connected, transaction
from stockpile.errors import NotAllowed, NotSignedIn, Refused
from stockpile.rights import reading, require
from stockpile.tokens import authenticate, create_token
from tests.api_world import Web, problem, served
from tests.guests import FIRST, SECOND, as_owner, asked, delivered, invited, let_in, people
from tests.reading_pages import BROWSER, read, visit
from tests.signing_in import browser
from tests.test_pages_crawl import crawl
from tests.test_pages_statements import send
from tests.test_privileges import CHANGES, DENIED, answer_to, change, first_columns, refusal
from tests.world import Country

web = pytest.fixture(served)


@pytest.fixture
def visited(country: Country) -> Country:
    """With deliveries of two donors, a second registrar, and people from outside."""
    people(country)
    delivered(country)
    return country


def serials(web: Web, who: str) -> set[str]:
    return {row["serial_number"] for row in web.get(who, "/v1/weapons", limit=500).json()["rows"]}


def test_from_the_invitation_to_its_end(web: Web, visited: Country) -> None:
    """A registrar asks, nobody reads; neither the registrar nor a clerk approves; an auditor who is another person does. The guest
    reads until another ends it: the very next request is refused.
    """
    body = asked(guest_id="0194d3a0-0000-7000-8000-000000000001")
    problem(web.post("auditor", "/v1/guests", body), 403, "not-allowed")
    problem(web.post("registrar", "/v1/guests", {**body, "donor": "USA"}), 422, "invalid")
    told = problem(web.post("registrar", "/v1/guests", {**body, "person": "X-9", "name": None}), 422, "invalid")
    assert told["faults"][0]["field"] == "name"
    told = problem(web.post("registrar", "/v1/guests", {**body, "person": "A-1001"}), 422, "invalid")
    assert told["faults"][0]["field"] == "person"
    late = problem(web.post("registrar", "/v1/guests", {**body, "ends_at": "2099-01-01T00:00:00Z"}), 422, "invalid")
    assert "366 days" in late["faults"][0]["message"]
    unknown = {**body, "scope": "consignments", "donor": "USA", "consignments": ["FMS-1", "F-1"]}
    told = problem(web.post("registrar", "/v1/guests", unknown), 422, "invalid")
    assert [fault["value"] for fault in told["faults"]] == ["F-1"]

    for _ in range(2):
        answer = web.post("registrar", "/v1/guests", body)
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting for approval")
    problem(web.post("registrar", "/v1/guests", {**body, "reason": "another"}), 409, "posted-with-other-content")
    key = answer.json()["guest_id"]
    problem(web.post("registrar", f"/v1/guests/{key}/token", {"label": "early"}), 409, "refused")
    problem(web.post("clerk", f"/v1/guests/{key}/approve"), 403, "not-allowed")
    problem(web.post("registrar", f"/v1/guests/{key}/approve"), 403, "not-allowed")
    problem(web.post("auditor", f"/v1/guests/{key}/approve"), 403, "not-allowed")  # the same person as the registrar
    approved = guests.approve(visited.engine, visited.actors["second registrar"], answer.json()["guest_id"])
    assert (approved.name, approved.state) == ("un-1", "approved")
    problem(web.post("registrar", f"/v1/guests/{key}/reject"), 409, "refused")

    web.tokens["guest"] = web.post("registrar", f"/v1/guests/{key}/token", {"label": "panel"}).json()["token"]
    assert serials(web, "guest") >= {*FIRST, *SECOND, "FR 7"}
    assert web.get("guest", "/v1/units").status_code == 200
    row = web.get("auditor", f"/v1/guests/{key}").json()
    assert (row["state"], row["scope"], row["readings"], row["settled_by"]) == (
        "reads",
        "country",
        2,
        "Captain Rauf Registrar (R-2)",
    )
    found = web.get("registrar", "/v1/guest-readings", guest_id=key).json()["rows"]
    assert [(one["method"], one["path"]) for one in found] == [("GET", "/v1/units"), ("GET", "/v1/weapons")]
    problem(web.get("clerk", "/v1/guest-readings"), 403, "not-allowed")

    assert web.post("auditor", f"/v1/guests/{key}/revoke").json()["state"] == "revoked"
    problem(web.get("guest", "/v1/weapons"), 401, "not-signed-in")
    assert web.post("registrar", f"/v1/guests/{key}/revoke").json()["state"] == "revoked"
    problem(web.post("registrar", f"/v1/guests/{key}/token", {"label": "late"}), 409, "refused")
    assert web.get("registrar", "/v1/guests", state="revoked").json()["rows"][0]["revoked_by"] == row["asked_by"]
    csv = web.get("registrar", "/v1/guests", format="csv").text
    assert "Maria Silva" in csv


SCOPES: dict[str, dict[str, Any]] = {
    "country": {"scope": "country"},
    "donor": {"scope": "donor", "donor": "USA"},
    "consignments": {"scope": "consignments", "donor": "USA", "consignments": ["FMS-1"]},
}


def test_a_guest_writes_nothing(web: Web, visited: Country) -> None:
    """By no route of the API, whatever it is sent; by no form; and by the database's role in which it reads: no table. What it tried is
    kept.
    """
    _, web.tokens["guest"] = let_in(visited)
    _, web.tokens["of a consignment"] = let_in(visited, person="PAR-1", name=None, **SCOPES["consignments"])
    tried = 0
    for path, operations in web.client.get("/openapi.json").json()["paths"].items():
        for method in operations.keys() - {"get", "head"}:
            address = path.replace("{", "").replace("}", "")
            answer = web.client.request(method, address, json={}, headers=web.headers("guest"))
            assert answer.status_code == 403, (method, path, answer.text)
            assert "guest" in answer.json()["detail"]
            tried += 1
    assert tried > 80
    assert visited.query("SELECT count(*) FROM guest_reading WHERE method <> 'GET'") == [(tried,)]
    for page in ("/statements/declaration", "/guests/new", "/shared/new", "/cases/new", "/sites/new"):
        assert send(web, "guest", page, reference="X").status_code == 403

    columns = first_columns(visited)
    for who in ("guest", "of a consignment"):
        with connected(at_once(visited.engine)) as connection:
            actor = authenticate(connection, web.tokens[who])
        with reading(visited.engine, actor) as connection:
            for table, column in columns.items():
                for statement in (
                    f"INSERT INTO {table} DEFAULT VALUES",
                    *(change(how, table, column) for how in CHANGES),
                ):
                    why = answer_to(connection, statement)
                    assert DENIED in why or "read-only transaction" in why, (statement, why)
            back = refusal(connection, lambda: connection.exec_driver_sql("SET LOCAL transaction_read_only = off"))
            assert "read-write" in back
        for right in (
            "invite guests",
            "approve guests",
            "write cases",
            "declare consignments to the host",
            "store files",
        ):
            with pytest.raises(NotAllowed, match="write nothing"):
                require(actor, right)


def test_a_guest_of_a_consignment_reads_that_and_nothing_else(web: Web, visited: Country) -> None:
    """Of the USA's two consignments the first: its three rifles, the documents that moved them with its own counts; not the rifle of the
    second that went out in the same document, nor France's of the same number. The USA's guest reads both, and not France's.
    """
    _, web.tokens["one"] = let_in(visited, **SCOPES["consignments"])
    _, web.tokens["all"] = let_in(visited, person="PAR-1", name=None, **SCOPES["donor"])
    assert serials(web, "one") == set(FIRST)
    assert serials(web, "all") == serials(web, "USA") == {*FIRST, *SECOND}
    counts = {who: web.get(who, "/v1/balance").json() for who in ("one", "all", "USA")}
    assert counts["all"] == counts["USA"] != counts["one"]
    for path in (
        "/v1/weapons",
        "/v1/documents",
        "/v1/discrepancies",
        "/v1/statements",
        "/v1/tracings",
        "/v1/reports/consignments",
    ):
        answer = web.get("one", path)
        assert answer.status_code in (200, 403), (path, answer.text)
        for other in ("UB 1", "FR 7", "FMS-2", "F-1", "FRA"):
            assert f'"{other}"' not in answer.text, (path, other)
    found = web.get("one", "/v1/find", q="UA 1").json()["items"]
    assert [one["item"]["donor"] for one in found] == ["USA"]
    issued = next(row for row in web.get("one", "/v1/documents").json()["rows"] if row["act"] == "issue")
    assert (issued["lines"], issued["quantity"]) == (1, 1)
    assert next(row for row in web.get("USA", "/v1/documents").json()["rows"] if row["act"] == "issue")["lines"] == 2
    mine = {row["item_id"] for row in web.get("one", "/v1/weapons").json()["rows"]}
    for row in web.get("auditor", "/v1/weapons", limit=500).json()["rows"]:
        told = web.get("one", f"/v1/weapons/{row['item_id']}/history")
        assert told.status_code == (200 if row["item_id"] in mine else 404)
    usa = visited.parties["USA"].party_id
    with connected(at_once(visited.engine)) as connection:
        one = authenticate(connection, web.tokens["one"])
    with reading(visited.engine, one) as connection:
        seen = {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in ("item", "entry", "holding", "identification", "consignment")
        }
        for secret in (
            "secret FROM item",
            "seed FROM entry",
            "seed FROM donor_statement",
            "said_by FROM donor_statement",
        ):
            assert DENIED in answer_to(connection, f"SELECT {secret}")
    assert seen == {"item": 3, "entry": 7, "holding": 3, "identification": 3, "consignment": 1}
    with transaction(visited.engine, roles.GUEST, None, usa) as connection:  # no consignments were set: nothing
        assert connection.exec_driver_sql("SELECT count(*) FROM entry").scalar_one() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM consignment").scalar_one() == 0


@pytest.mark.parametrize("scope", SCOPES)
def test_every_page_leads_a_guest_somewhere(web: Web, visited: Country, scope: str) -> None:
    """No link ends in a refusal, nothing fails, in every route of the API either; who reads one consignment meets nothing of the others."""
    _, web.tokens["guest"] = let_in(visited, **SCOPES[scope])
    pages = crawl(web, "guest")
    assert {"/weapons", "/documents", "/reports", "/log"} <= pages.keys()
    for path, operations in web.client.get("/openapi.json").json()["paths"].items():
        if "get" in operations and "{" not in path:
            answer = web.get("guest", path)
            assert answer.status_code < 500, (path, answer.text)
            if scope == "consignments":
                assert not [other for other in OTHERS if other in answer.text], path
    if scope == "consignments":
        met = {
            (path, other) for path, page in pages.items() if path != "/docs" for other in OTHERS if other in page.text
        }
        assert met == set()


OTHERS = ("FMS-2", "UB 1", "UB 2", "FR 7", "Petrov", "Talib")
"""What stands in the books of other consignments, and people's names."""


def test_it_begins_and_ends_by_itself(web: Web, visited: Country) -> None:
    """Before its day there is no sign-in, though the code is right; the session of the day is nobody's the moment it is over."""
    later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    key = invited(visited, begins_at=later)
    code = guests.approve(visited.engine, visited.actors["second registrar"], key).code
    chair = browser(visited)
    early = chair.send("/sign-in", name="un-1", password=str(code))
    assert "as a guest from" in read(early).text
    _move(visited, "from_at", "now() - interval '1 hour'")
    assert chair.send("/sign-in", name="UN-1", password=str(code)).status_code == 303
    assert chair.get("/weapons", **BROWSER).status_code == 303  # a one-time code is changed first
    chosen = chair.send("/sign-in/password", password="nine slow barges", again="nine slow barges")
    assert chosen.status_code == 303, chosen.text
    page = read(chair.get("/weapons", **BROWSER))
    assert "Maria Silva" in page.text
    assert "guest" in page.text
    assert chair.send("/sign-out").status_code == 303
    assert chair.send("/sign-in", name="un-1", password="nine slow barges").status_code == 303
    assert chair.get("/", **BROWSER).status_code == 200
    _move(visited, "until_at", "now() - interval '1 second'")
    assert chair.get("/weapons", **BROWSER).headers["location"].startswith("/sign-in")
    assert web.get("registrar", f"/v1/guests/{key}").json()["state"] == "over"
    again = invited(visited)
    assert guests.approve(visited.engine, visited.actors["second registrar"], again).name == "un-1.2"


def _move(country: Country, column: str, to: str) -> None:
    """Lets time pass for the invitations, as their owner alone can, with the trigger off."""
    as_owner(
        country,
        "ALTER TABLE stockpile.guest DISABLE TRIGGER never",
        f"UPDATE stockpile.guest SET {column} = {to}",
        "ALTER TABLE stockpile.guest ENABLE TRIGGER never",
    )


def test_an_invitation_once_settled_stays_so(visited: Country) -> None:
    """Not the registrar's role, nor the owner: not to another outcome, not back from its end, not to more consignments or days."""
    registrar, second = visited.actors["registrar"], visited.actors["second registrar"]
    refused = invited(visited, person="PAR-1", name=None)
    assert guests.reject(visited.engine, registrar, refused).state == "withdrawn"
    with pytest.raises(Refused, match="withdrawn already"):
        guests.approve(visited.engine, second, refused)
    key, text = let_in(visited, **SCOPES["consignments"])
    guests.revoke(visited.engine, second, key)
    with connected(at_once(visited.engine)) as connection, pytest.raises(NotSignedIn):
        authenticate(connection, text)
    two = visited.query("SELECT consignment_id FROM consignment WHERE reference = 'FMS-2'")[0][0]
    waiting = invited(visited, **SCOPES["consignments"])
    with transaction(visited.engine, roles.REGISTRAR) as connection:
        more = "UPDATE guest SET {} WHERE guest_id = '{}'"
        assert answer_to(connection, more.format("outcome = 'approved'", refused)) == "guest_settled_once"
        assert answer_to(connection, more.format("revoked_at = NULL, revoked_by = NULL", key)) == "guest_settled_once"
        assert DENIED in answer_to(connection, more.format("until_at = now() + interval '99 days'", key))
        alone = f"outcome = 'approved', settled_at = now(), settled_by = '{registrar.party_id}'"
        assert answer_to(connection, more.format(alone, waiting)) == "guest_two_people"
        for guest_id in (key, waiting):
            wider = f"INSERT INTO guest_consignment VALUES ('{guest_id}', '{two}')"
            assert "row-level security" in answer_to(connection, wider)
        forged = f"INSERT INTO guest_reading VALUES (gen_random_uuid(), '{key}', now(), 'GET', '/')"
        assert DENIED in answer_to(connection, forged)
    with pytest.raises(DBAPIError):
        visited.query("SELECT note_reading(gen_random_uuid(), gen_random_uuid(), 'GET', '/')")


def test_by_forms(web: Web, visited: Country) -> None:
    """A form that is refused keeps what was typed; the code is shown once, to the second person alone."""
    typed = {
        "person": "UN-1", "name": "Maria Silva", "scope": "consignments", "donor": "USA", "consignments": "FMS-1\nFMS-9",
        "ends_at": "2026-13-40",
        "reason": "Letter 14",
    }  # fmt: skip
    refused = send(web, "registrar", "/guests/new", **typed)
    assert refused.status_code == 422
    ends_at = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    refused = send(web, "registrar", "/guests/new", **{**typed, "ends_at": ends_at})
    page = read(refused)
    assert (refused.status_code, page.fields["person"], page.fields["ends_at"]) == (422, "UN-1", ends_at)
    assert "no consignment of this number" in page.text
    done = send(web, "registrar", "/guests/new", **{**typed, "consignments": "FMS-1", "ends_at": ends_at})
    assert done.status_code == 303, read(done).text
    there = done.headers["location"]
    assert "Guests who wait for approval" in visit(web, "auditor", "/").text
    assert "another person" in read(send(web, "registrar", f"{there}/approve")).text
    with transaction(visited.engine, roles.REGISTRAR) as connection:
        web.tokens["second auditor"] = create_token(connection, "auditor", "second", "R-2").text
    answer = send(web, "second auditor", f"{there}/approve")
    assert "One-time code" in read(answer).text
    assert "One-time code" not in visit(web, "second auditor", there).text
    shown = visit(web, "registrar", "/guests")
    assert [row["State"] for row in shown.rows if "State" in row] == ["reads"]
    made = send(web, "registrar", f"{there}/token", label="panel")
    web.tokens["guest"] = read(made).text.split("sp_")[1][:43]
    web.tokens["guest"] = "sp_" + web.tokens["guest"]
    assert serials(web, "guest") == set(FIRST)
    assert send(web, "registrar", f"{there}/token", label=" ").status_code == 422
    assert send(web, "registrar", f"{there}/revoke").status_code == 303
    assert "revoked" in visit(web, "registrar", there).text
    problem(web.get("guest", "/v1/weapons"), 401, "not-signed-in")
