"""The feed of changes: what somebody who asks again and again is told, in which order, and what each donor is told of it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from stockpile.acts.issue import ISSUE
from stockpile.acts.perform import perform
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.rights import Actor
from tests.api_world import Web, problem, served
from tests.consigned import accepted, declared, listed
from tests.test_privileges import DENIED, answer_to
from tests.world import RIFLES, Country, ago, paper, scans

web = pytest.fixture(served)


def told(web: Web, who: str, since: str | None = None, limit: int = 500) -> tuple[list[dict[str, Any]], str]:
    """Everything that somebody is told after a cursor, in answers of `limit`."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = web.get(who, "/v1/changes", limit=limit, **({"since": since} if since else {}))
        assert answer.status_code == 200, answer.text
        found = answer.json()
        rows += found["rows"]
        assert len(found["rows"]) <= limit
        since = str(found["cursor"])
        if not found["more"]:
            return rows, since


def acts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["act"] for row in rows if row["change"] == "document"]


def test_a_reader_follows_the_books(web: Web) -> None:
    """An auditor's machine asks again and again: at each time it is told what came since, a document before its entries, once."""
    country = web.country
    rows, since = told(web, "auditor")
    assert [row["change"] for row in rows] == ["document"] + ["entry"] * 11
    assert told(web, "auditor", since)[0] == []
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:2]))
    late = country.do("clerk", RETURN, store="Main store", paper=paper(3, ago(minutes=5)), lines=scans(RIFLES[5]))
    rows, since = told(web, "auditor", since)
    assert acts(rows) == ["issue", "return"]
    issue, entry = rows[0], rows[1]
    assert issue["number"].startswith("TAJI/B/")
    assert (entry["document_id"], entry["serial_number"], entry["model"]) == (issue["document_id"], RIFLES[0], "AKM")
    assert (entry["from_class"], entry["from_site"], entry["to_class"]) == ("store", "TAJI", "person")
    opened = [row for row in rows if row["change"] == "discrepancy"]
    assert [row["document_id"] for row in opened] == [str(late.document_id)] * len(opened)
    assert {row["kind"] for row in opened} >= {"unknown weapon"}
    assert told(web, "auditor", since)[0] == []


def test_answers_of_any_length_tell_the_same(web: Web) -> None:
    """One by one, by threes, in one answer, and line by line: the same changes in the same order; a broken stream goes on."""
    country = web.country
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:5]))
    accepted(country, declared(country, listed(["UA 1", "UA 2"])).statement_id)
    country.do("clerk", RETURN, store="Main store", paper=paper(3, ago(minutes=5)), lines=scans(RIFLES[7], RIFLES[0]))
    whole, _ = told(web, "auditor")
    assert {row["change"] for row in whole} == {"document", "entry", "discrepancy", "statement"}
    for limit in (1, 2, 3, 7):
        assert told(web, "auditor", limit=limit)[0] == whole, limit

    lines = [json.loads(line) for line in web.get("auditor", "/v1/changes", format="ndjson").text.splitlines()]
    assert lines[:-1] == whole
    assert told(web, "auditor", lines[-1]["cursor"])[0] == []
    _, since = told(web, "auditor", limit=1)
    assert (
        web.get("auditor", "/v1/changes", since=since, format="ndjson")
        .headers["content-type"]
        .startswith("application/x-ndjson")
    )


def test_what_is_written_before_the_feed_knew_is_told_first(web: Web) -> None:
    """Rows of before the schema that notes it: in the order of their keys, then what came since, whatever the answers' length."""
    country = web.country
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:5]))
    country.do("clerk", RETURN, store="Main store", paper=paper(3, ago(minutes=5)), lines=scans(RIFLES[7]))
    with as_owner(country) as owner:
        for table in ("document", "discrepancy"):
            owner.execute(f"ALTER TABLE stockpile.{table} DISABLE TRIGGER ALL".encode())
            owner.execute(f"UPDATE stockpile.{table} SET written_in = 0".encode())
            owner.execute(f"ALTER TABLE stockpile.{table} ENABLE TRIGGER ALL".encode())
    country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[8]))
    whole, _ = told(web, "auditor")
    assert acts(whole)[-1] == "issue"
    assert len(whole) == len({json.dumps(row) for row in whole})
    for limit in (1, 2, 5):
        assert told(web, "auditor", limit=limit)[0] == whole, limit


def as_owner(country: Country) -> psycopg.Connection[tuple[Any, ...]]:
    url = country.engine.url.set(drivername="postgresql", username="postgres").render_as_string(hide_password=False)
    return psycopg.connect(url)


def test_nothing_is_skipped_by_whatever_commits_when(web: Web) -> None:
    """Two clerks post at once. The first to begin is the last to commit: who asks between is told neither too early nor never."""
    country = web.country
    _, since = told(web, "auditor")
    slow = country.engine.connect()
    with slow.begin() as undecided:
        slow.exec_driver_sql("SELECT pg_current_xact_id()")  # it has begun to write
        country.do("second clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[1]))
        between, meanwhile = told(web, "auditor", since)
        assert between == []  # what the slow one writes must come before it
        posted_by_slow(country, slow)
        assert told(web, "auditor", meanwhile)[0] == []
        undecided.commit()
    slow.close()
    rows, _ = told(web, "auditor", meanwhile)
    numbers = [row["number"].split("/")[1] for row in rows if row["change"] == "document"]
    assert numbers == ["B", "C"]
    assert told(web, "auditor", since)[0] == rows


def posted_by_slow(country: Country, connection: Connection) -> None:
    """A clerk's issue in a transaction that is not committed yet."""
    engine = _Within(connection)
    request = ISSUE.request.model_validate({"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])})
    perform(engine, country.actors["clerk"], ISSUE, request)  # type: ignore[arg-type]


class _Within:
    """An engine that has one connection only, whose transaction is somebody else's to end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.url = connection.engine.url
        self.dialect = connection.dialect

    def execution_options(self, **options: Any) -> _Within:
        return self

    def begin(self) -> Any:
        return nullcontext(self.connection)


def test_a_donor_is_told_its_own_alone(web: Web) -> None:
    """Two donors send rifles of the same numbers; each is told its own: no entry, number or name of the other, and no line counts."""
    country = web.country
    france = country.parties["FRA"].party_id
    country.actors["FRA"] = Actor(france, "donor", donor_id=france)
    for who, reference in (("USA", "US-1"), ("FRA", "FR-1")):
        said = declared(country, listed(["TW 1", "TW 2"]), who=who, reference=reference)
        if who == "USA":
            accepted(country, said.statement_id)
    ours, since = told(web, "USA")
    assert acts(ours) == ["declare"]
    assert {row["line"] for row in ours if row["change"] == "entry"} == {None}
    assert [row["reference"] for row in ours if row["change"] == "statement"] == ["US-1", "US-1"]
    theirs, others = told(web, "FRA")
    assert [(row["change"], row.get("reference")) for row in theirs] == [("statement", "FR-1")]
    assert told(web, "USA", limit=1)[0] == ours
    for who, cursor in (("FRA", since), ("USA", others), ("auditor", since)):
        found = problem(web.get(who, "/v1/changes", since=cursor), 422, "invalid")
        assert found["faults"][0]["field"] == "since"
    assert (
        len({told(web, "FRA", others)[1] for _ in range(3)}) == 3
    )  # a cursor does not even say whether anything happened


def test_who_may_ask_and_what_is_no_cursor(web: Web) -> None:
    """Desks have their own lists. What is no cursor, or of before a restore, is named."""
    problem(web.get("clerk", "/v1/changes"), 403, "not-allowed")
    for wrong in ("x", "WyJhIl0=", "é", "A" * 150):
        problem(web.get("auditor", "/v1/changes", since=wrong), 422, "invalid")
    problem(web.get("auditor", "/v1/changes", limit=5001), 422, "invalid")
    _, since = told(web, "auditor")
    with as_owner(web.country) as owner:
        owner.execute(
            "INSERT INTO stockpile.restoration VALUES (%s, '261126ZNOV', 2026, %s, NULL)", (now(), now() - timedelta(1))
        )
    found = problem(web.get("auditor", "/v1/changes", since=since), 422, "invalid")
    assert "restored" in found["detail"]
    assert told(web, "auditor")[0] != []


def test_a_donors_role_reads_no_words_of_steps(country: Country) -> None:
    """The second wall: of what was done about a discrepancy the donor's role reads neither who did it nor what was said."""
    with transaction(country.engine, roles.DONOR, donor_id=country.parties["USA"].party_id) as connection:
        for column in ("words", "done_by", "document_id"):
            assert DENIED in answer_to(connection, f"SELECT {column} FROM discrepancy_step")
