"""Destruction, an emergency and an overrun as they are asked for: over the API, and at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stockpile import tokens
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from tests.api_world import BEARERS, Web, problem, served
from tests.world import RIFLES, Country, scanned_paper, scans

web = pytest.fixture(served)

STORE = "Main store"
ORDER: dict[str, Any] = {"reason": "worn out", "authority": "order 118", "due_on": "2099-12-31", "method": "cutting"}

Command = Callable[..., Result]


@pytest.fixture
def stockpile(country: Country, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`stockpile ...` as one of the country's people."""
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", country.engine.url.render_as_string(hide_password=False))

    def run(who: str, *words: str) -> Result:
        with transaction(country.engine, roles.REGISTRAR) as connection:
            bearer: dict[str, Any] = BEARERS[who]
            token = tokens.create_token(connection, label="a command", **bearer).text
        return CliRunner().invoke(app, words, env={"STOCKPILE_TOKEN": token})

    return run


def test_a_rifle_is_destroyed_over_the_api(web: Web) -> None:
    """Ordered, listed, certified; without a photo or with the clerk as a witness it is a mistake of the request."""
    order = web.approved(
        "commander", web.drafted("clerk", "/v1/destruction-orders", {**ORDER, "lines": scans(RIFLES[0])})
    )
    (row,) = web.get("clerk", "/v1/destruction-orders", state="ordered").json()["rows"]
    assert (row["number"], row["left"], row["authority"]) == (order["number"], 1, "order 118")
    asked = {
        "order": order["number"], "method": "cutting", "place": "yard", "counted_before": 1, "counted_after": 0,
        "witness_1": "A-1001", "witness_2": "Jane Miller, UNMAS", "attachments": [scanned_paper()],
        "lines": scans(RIFLES[0]),
    }  # fmt: skip
    for wrong in ({"attachments": []}, {"witness_1": "T-1"}, {"counted_after": 1}, {"order": "TAJI/B/1999/1"}):
        told = problem(web.post("clerk", "/v1/destructions", {**asked, **wrong}), 422, "invalid")
        assert [fault["field"] for fault in told["faults"]] == list(wrong)
    assert web.approved("commander", web.drafted("clerk", "/v1/destructions", asked))["act"] == "destroy"
    assert web.get("clerk", "/v1/destruction-orders", state="ordered").json()["rows"] == []
    problem(web.get("USA", "/v1/destruction-orders"), 403, "not-allowed")


def test_a_store_is_emptied_and_the_depot_falls_over_the_api(web: Web) -> None:
    """Two rifles go out in an emergency, the rest falls, one soldier turns up; nobody below the commander says that it fell."""
    lines = [{"scan": RIFLES[0], "receiver": "A-1001"}, {"scan": RIFLES[1], "receiver": "A-1009"}]
    issued = web.posted("clerk", "/v1/emergency-issues", {"reason": "attack", "lines": lines})
    assert (issued["act"], issued["discrepancy_count"]) == ("issue", 2)
    problem(web.post("clerk", "/v1/overruns", {"circumstances": "attack"}), 403, "not-allowed")
    fallen = web.posted("commander", "/v1/overruns", {"circumstances": "attack"})
    assert (fallen["act"], fallen["quantity"]) == ("overrun", 110)
    inside = web.get("auditor", f"/v1/documents/{fallen['document_id']}/lines", format="csv").text
    assert inside.count("\n") == fallen["lines"] + 1
    body = {"place": "the bridge", "found_by": "rear guard", "holder": "A-1001", "lines": scans(RIFLES[0])}
    assert web.posted("clerk", "/v1/recoveries", body)["act"] == "recover"


def test_the_commands_of_the_pages(stockpile: Command, country: Country, tmp_path: Path) -> None:
    """What docs/destruction.md, docs/custodian.md and docs/overrun.md say to type."""

    def typed(who: str, *words: str) -> str:
        done = stockpile(who, *words)
        assert done.exit_code == 0, done.output
        return done.output

    fields = [f"{name}={value}" for name, value in ORDER.items()]
    assert "Waiting" in typed("clerk", "act", "order-destruction", *fields, "--scan", RIFLES[9])
    (draft,) = [str(row[0]) for row in country.query("SELECT document_id FROM draft")]
    typed("commander", "approve", draft)
    assert "order 118" in typed("clerk", "destruction-orders")
    assert "no such orders" in typed("clerk", "destruction-orders", "--state", "overdue")
    file = tmp_path / "list.csv"
    file.write_text(f"serial,service number\n{RIFLES[0]},A-1001\n{RIFLES[1]},A-1002\n")
    assert "2 lines" in typed("clerk", "emergency-issue", str(file), "--reason", "attack")
    typed("clerk", "act", "maintain", "work=rust", "--scan", RIFLES[2])
    assert "Waiting" in typed(
        "clerk", "act", "change-custodian", "account=maintenance", "received_by=A-1002", "--scan", RIFLES[2]
    )
    assert "overrun" in typed("commander", "act", "overrun", "circumstances=attack")
    found = ("act", "recover", "place=bridge", "found_by=guard")
    typed("clerk", *found, "holder=A-1001", "--scan", RIFLES[0])
    typed("clerk", *found, f"store={STORE}", "--scan", RIFLES[1])
    assert (country.where(RIFLES[0]), country.where(RIFLES[1])) == ("Private Petrov (A-1001)", STORE)
