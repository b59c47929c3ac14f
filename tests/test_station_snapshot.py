"""What a counter takes along for when its link is down: its own site's books, whole once and then what changed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stockpile import station_snapshot
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from tests.api_world import Web, problem, served
from tests.world import RIFLES, scans

web = pytest.fixture(served)

STORE = "Main store"
PATH = "/v1/station/snapshot"


def taken(web: Web, who: str = "clerk", since: dict[str, Any] | None = None) -> dict[str, Any]:
    """A snapshot; `since` an earlier one."""
    query = {"since": since["recorded_at"], "reference": since["reference_digest"]} if since else {}
    answer = web.get(who, PATH, **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """A table's rows."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def weapons(snapshot: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its weapons by serial number, with the names of their accounts."""
    found = {}
    for row in rows(snapshot["weapons"]):
        row["where"] = snapshot["accounts"]["name"][row["account"]]
        found[row["serial"]] = row
    return found


def test_whole_at_first(web: Web) -> None:
    """Everything of the site that a counter needs, by its own accounts."""
    snapshot = taken(web)
    assert snapshot["site"]["code"] == "TAJI"
    assert snapshot["whole"]
    found = weapons(snapshot)
    assert sorted(found) == sorted(RIFLES)
    assert {one["where"] for one in found.values()} == {STORE}
    assert found[RIFLES[0]]["marked"] == 1
    models = rows(snapshot["reference"]["models"])
    assert models[found[RIFLES[0]]["model"]]["name"] == "AKM"
    counted = rows(snapshot["counted"])
    assert [(models[row["model"]]["name"], row["quantity"]) for row in counted] == [("Helmet", 100)]
    people = {one["code"]: one for one in rows(snapshot["reference"]["people"])}
    assert people["A-1001"] == {
        "code": "A-1001", "name": "Petrov", "rank": "Private", "objection": None, "units": ["1COY"],
    }  # fmt: skip
    units = {one["code"]: one for one in rows(snapshot["reference"]["units"])}
    assert units["1COY"]["drawn_by"] == ["A-1001"]


def test_only_the_own_site(web: Web) -> None:
    """Invariant 10: neither weapons nor people of elsewhere, nor anybody who left and holds nothing."""
    country = web.country
    country.do(
        "erbil clerk", RECEIVE, store=STORE,
        lines=[{"model": "AKM", "serial_number": "ER 1", "condition": "serviceable"}],
    )  # fmt: skip
    told = web.get("clerk", PATH).text
    assert "ER 1" not in told
    assert "E-1" not in told
    assert "Elin" not in told
    assert "Leaver" not in told
    assert "ER 1" in web.get("erbil clerk", PATH).text
    assert RIFLES[0] not in web.get("erbil clerk", PATH).text


@pytest.mark.parametrize("who", ["registrar", "auditor", "USA"])
def test_for_desks_only(web: Web, who: str) -> None:
    """Who works at no site takes no site's books along."""
    problem(web.get(who, PATH), 403, "not-allowed")


def test_a_leaver_who_still_holds_something(web: Web) -> None:
    """Is told, with what speaks against handing out more to them: their rifle comes back at this counter."""
    web.posted("clerk", "/v1/issues", {"receiver": "A-1002", "store": STORE, "lines": scans(RIFLES[0])})
    web.country.owner_query(
        "UPDATE stockpile.assignment SET until = current_date - 1 FROM stockpile.party p "
        "WHERE p.party_id = assignment.party_id AND p.code = 'A-1002' RETURNING 1"
    )
    snapshot = taken(web)
    people = {one["code"]: one for one in rows(snapshot["reference"]["people"])}
    assert "not on the roster" in people["A-1002"]["objection"]


def test_what_changed(web: Web) -> None:
    """After an issue and a shipment only those rifles are told: one with its holder, one gone from the site's accounts or on
    its way, and the roster not again.
    """
    first = taken(web)
    station_snapshot.OVERLAP, kept = timedelta(0), station_snapshot.OVERLAP
    try:
        web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": STORE, "lines": scans(RIFLES[0])})
        web.country.do(
            "clerk", SHIP, to_site="ERBIL", store=STORE, lines=scans(RIFLES[1]), carrier="Convoy 7",
            expected_on="2099-01-01",
        )  # fmt: skip
        second = taken(web, since=first)
    finally:
        station_snapshot.OVERLAP = kept
    assert not second["whole"]
    assert second["reference"] is None
    found = weapons(second)
    assert found[RIFLES[0]]["where"] == "Private Petrov (A-1001)"
    assert second["accounts"]["name"][found[RIFLES[0]]["rack"]] == STORE
    shipped = first["weapons"]["item"][first["weapons"]["serial"].index(RIFLES[1])]
    assert second["gone"] == [shipped]
    counts = dict(zip(second["accounts"]["name"], second["counts"], strict=True))
    assert counts[STORE] == len(RIFLES) - 2
    assert counts["Private Petrov (A-1001)"] == 1


def test_what_commits_late(web: Web) -> None:
    """A document whose recorded moment lies before the last snapshot, but that committed after it, is still told."""
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": STORE, "lines": scans(RIFLES[0])})
    later = {"recorded_at": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(), "reference_digest": ""}
    assert RIFLES[0] in weapons(taken(web, since=later))


def test_whose_it_is_at_the_draw(web: Web) -> None:
    """An assigned rifle has its person, and once it is out against a card its rack and that."""
    first = taken(web)
    answer = web.post("armourer", "/v1/assignments", {"lines": [{"scan": RIFLES[0], "person": "A-1001"}]})
    assert answer.status_code in (200, 201), answer.text
    web.posted("armourer", "/v1/draws", {"scan": RIFLES[0]})
    rifle = weapons(taken(web, since=first))[RIFLES[0]]
    assert rifle["person"] == "A-1001"
    assert rifle["card"] == 1


def test_compressed_where_asked_for(web: Web) -> None:
    """A counter's line is thin."""
    plain = web.client.get(PATH, headers={**web.headers("clerk"), "Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with web.client.stream("GET", PATH, headers={**web.headers("clerk"), "Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        raw = b"".join(packed.iter_raw())
    assert len(raw) < len(plain.content) / 2
    assert len(gzip.decompress(raw)) == pytest.approx(len(plain.content), abs=20)


def test_a_moment_before_all_books_is_a_moment(web: Web) -> None:
    """The first that there is: all that ever changed, and no error of ours."""
    for since in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        answer = web.get("clerk", PATH, since=since)
        assert answer.status_code == 200, answer.text
        assert sorted(row["serial"] for row in rows(answer.json()["weapons"])) == sorted(RIFLES)
