"""Reference over HTTP: lists in pages that hold every row once, written by registrars alone, with each mistake named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api_world import Web, problem, served
from tests.rosters import COMPANY, listed, stored, workbook
from tests.world import RIFLES, scans

web = pytest.fixture(served)

WRITTEN = (
    "/v1/sites", "/v1/units", "/v1/people", "/v1/donors", "/v1/signature-cards", "/v1/tokens", "/v1/models",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))


def rows(web: Web, who: str, path: str, limit: int, **query: Any) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = web.get(who, path, limit=limit, **query, **cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["rows"]
        if page["cursor"] is None:
            return found
        assert len(page["rows"]) == limit
        cursor = {"cursor": page["cursor"]}


def made(web: Web, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a registrar made."""
    answer = web.post("registrar", path, body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def person(code: str, name: str = "Somebody", **more: Any) -> dict[str, Any]:
    return {"service_number": code, "name": name, "site": "TAJI", "since": "2026-01-01", **more}


def party_id(web: Web, code: str, kind: str = "person") -> str:
    """The key of a party."""
    return str(
        next(row["party_id"] for row in rows(web, "registrar", "/v1/parties", 100, kind=kind) if row["code"] == code)
    )


LISTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/v1/models", "model_id", {}),
    ("/v1/aliases", "alias_id", {}),
    ("/v1/parties", "party_id", {"kind": "person"}),
    ("/v1/tokens", "token_id", {}),
    ("/v1/accounts", "account_id", {}),
    ("/v1/sites", "site_id", {}),
)


def test_small_pages_hold_what_one_page_holds(web: Web) -> None:
    """In pages of three, and of five hundred: the same rows in the same order."""
    for path, key, query in LISTS:
        whole = [row[key] for row in rows(web, "registrar", path, 500, **query)]
        assert len(whole) == len(set(whole)) > 1, path
        assert [row[key] for row in rows(web, "registrar", path, 3, **query)] == whole, path


def test_pages_hold_each_row_once_while_rows_come_between(web: Web) -> None:
    """People are added before, within and behind the page that is read: nobody is shown twice, none of the old is missed."""
    before = {row["party_id"] for row in rows(web, "registrar", "/v1/parties", 500)}
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for n in range(50):
        page = web.get("registrar", "/v1/parties", limit=2, **cursor).json()
        seen += [row["party_id"] for row in page["rows"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
        for code in (f"0-{n}", f"{page['rows'][-1]['code']}-{n}", f"Z-{n}"):
            if n < 3:
                made(web, "/v1/people", person(code))
    assert len(seen) == len(set(seen))
    assert before < set(seen)


def test_newest_tokens_first_while_others_are_made(web: Web) -> None:
    """A token made meanwhile shifts nothing."""
    whole = [row["token_id"] for row in rows(web, "registrar", "/v1/tokens", 500)]
    page = web.get("registrar", "/v1/tokens", limit=3).json()
    made(web, "/v1/tokens", {"role": "clerk", "label": "late", "party": "T-1", "site": "TAJI"})
    rest = web.get("registrar", "/v1/tokens", limit=500, cursor=page["cursor"]).json()["rows"]
    assert [row["token_id"] for row in [*page["rows"], *rest]] == whole


def test_a_cursor_of_another_list_is_named(web: Web) -> None:
    """Rubbish, and a cursor that another list made."""
    for cursor in ("x", "bm8=", "WyJhIl0=", "WyJhIiwiYiJd", "é", "W1tbW1tb"):
        for path in ("/v1/parties", "/v1/tokens", "/v1/accounts"):
            told = problem(web.get("registrar", path, cursor=cursor), 422, "invalid")
            assert told["faults"][0]["field"].endswith("cursor")


def test_names_of_every_script_are_found_and_paged(web: Web) -> None:
    """Cyrillic in the other case, Arabic, a zero-width joiner, and signs that mean something to the database."""
    names = ["Шевченко", "كريم هادي", "می\N{ZERO WIDTH NON-JOINER}خواهم", "100%_sure\\", "O'Brien; DROP TABLE party"]
    for n, name in enumerate(names):
        made(web, "/v1/people", person(f"{name} {n}"[:60], name))
    for name, asked in zip(names, ["шевченко", "كريم", names[2], "100%_SURE\\", "o'brien; drop"], strict=True):
        assert [row["name"] for row in rows(web, "registrar", "/v1/parties", 1, text=asked)] == [name]
    assert len(rows(web, "registrar", "/v1/parties", 1)) == len(rows(web, "registrar", "/v1/parties", 500))


def test_the_documented_example_is_accepted_of_a_registrar_alone(web: Web) -> None:
    """As it stands in the document; nobody else may write, and a field too many is named."""
    described = web.client.get("/openapi.json").json()
    for path in WRITTEN:
        example = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        for who in ("clerk", "armourer", "commander", "auditor", "USA"):
            problem(web.post(who, path, example), 403, "not-allowed")
        told = problem(web.post("registrar", path, {**example, "rubbish": 1}), 422, "invalid")
        assert [fault["field"] for fault in told["faults"]] == ["rubbish"]
        answer = web.post("registrar", path, example)
        assert answer.status_code == 201, answer.text


def test_nobody_else_changes_anything(web: Web) -> None:
    """Every other way of writing, by a clerk, an auditor and a donor."""
    key = party_id(web, "1COY", "unit")
    account = web.get("registrar", "/v1/accounts", site="TAJI", **{"class": "store"}).json()["rows"][0]["account_id"]
    for path, body in (
        ("/v1/sites/TAJI/stores", {"name": "X"}),
        ("/v1/sites/TAJI/open", None),
        (f"/v1/accounts/{account}/custodian", {"custodian": "T-1"}),
        (f"/v1/accounts/{account}/accountable-unit", {"unit": "1COY"}),
        (f"/v1/units/{key}/parent", {"parent": None, "since": "2026-01-01"}),
        (f"/v1/units/{key}/station", {"site": "ERBIL", "since": "2026-01-01"}),
        (f"/v1/parties/{key}/rename", {"name": "X"}),
        (f"/v1/signature-cards/{key}/withdraw", None),
        (f"/v1/models/{key}/mend", {"calibre": "X"}),
        ("/v1/aliases", {"source": "USA", "name": "X", "model_id": key}),
        ("/v1/rosters", {"site": "TAJI", "file": {"sha256": "0" * 64, "name": "x"}}),
        (f"/v1/tokens/{key}/revoke", None),
    ):
        for who in ("clerk", "commander", "auditor", "USA"):
            problem(web.post(who, path, body), 403, "not-allowed")
    for path in ("/v1/parties", "/v1/units", "/v1/accounts", "/v1/signature-cards", "/v1/aliases", "/v1/tokens"):
        problem(web.get("USA", path), 403, "not-allowed")
    problem(web.get("clerk", "/v1/tokens"), 403, "not-allowed")


def test_a_desk_sees_the_people_of_its_own_site_alone(web: Web) -> None:
    """ERBIL's clerk: not one of TAJI's people in a list, by key, in a unit, among accounts or on a card."""
    taji = party_id(web, "A-1001")
    company = party_id(web, "1COY", "unit")
    assert {row["code"] for row in rows(web, "erbil clerk", "/v1/parties", 100)} == {"E-1", "UNIDENTIFIED-ERBIL"}
    problem(web.get("erbil clerk", f"/v1/parties/{taji}"), 404, "not-found")
    assert rows(web, "erbil clerk", f"/v1/units/{company}/members", 100) == []
    assert [unit["people"] for unit in web.get("erbil clerk", "/v1/units").json()["units"]] == [0]
    assert [unit["people"] for unit in web.get("clerk", "/v1/units").json()["units"]] == [3]
    shown = web.get("erbil clerk", "/v1/accounts", limit=500).text + web.get("erbil clerk", "/v1/signature-cards").text
    assert "Petrov" not in shown
    assert "Petrov" in web.get("clerk", "/v1/accounts", limit=500).text
    assert web.get("clerk", f"/v1/parties/{taji}").json()["names"] == []
    assert len(web.get("auditor", f"/v1/parties/{taji}").json()["names"]) == 1


def test_a_donor_sees_sites_and_models_without_stores_and_custodians(web: Web) -> None:
    """What it needs to understand its own list, and no more."""
    (row, *_) = rows(web, "USA", "/v1/sites", 1, text="taji")
    assert (row["code"], row["stores"], row["custodian"]) == ("TAJI", [], None)
    (row, *_) = rows(web, "auditor", "/v1/sites", 1, text="taji")
    assert (row["stores"], row["custodian"]) == (["Main store", "Quarantine"], "Rana Registrar (R-1)")
    assert [row["name"] for row in rows(web, "USA", "/v1/models", 5, text="akms")] == ["AKM"]


MISTAKES: tuple[tuple[str, dict[str, Any], set[str]], ...] = (
        ("/v1/people", person("A-1001"), {"service_number"}),
        ("/v1/people", person("N-1", "x" * 300), {"name"}),
        ("/v1/people", person("N-1", unit="9COY"), {"unit"}),
        ("/v1/people", person("N-1", since="0001-01-01"), {"since"}),
        ("/v1/units", {"code": "1COY", "name": "x", "site": "TAJI", "since": "2026-01-01"}, {"code"}),
        ("/v1/units", {"code": "3COY", "name": "evil\u202etxt", "site": "TAJI", "since": "2026-01-01"}, {"name"}),
        ("/v1/donors", {"code": "USA", "name": "again"}, {"code"}),
        ("/v1/sites", {"code": "TAJI", "name": "x", "time_zone": "Mars/Base", "stores": ["A", "a"], "custodian": "C-1"},
         {"code", "time_zone", "stores"}),
        ("/v1/sites", {"code": "NEW", "name": "x", "time_zone": "Asia/Baghdad", "stores": ["A"], "custodian": "X"},
         {"custodian"}),
        ("/v1/sites/TAJI/stores", {"name": "main STORE"}, {"name"}),
        ("/v1/signature-cards", {"unit": "1COY", "person": "A-1002", "since": "2027-01-01", "until": "2026-01-01"},
         {"until"}),
        ("/v1/signature-cards", {"unit": "9COY", "person": "A-1002", "since": "2026-01-01", "until": "2027-01-01"},
         {"unit"}),
        ("/v1/models", {"maker": "izhmash", "name": "akm", "category": "small arms"}, {"name"}),
        ("/v1/models", {"maker": "X", "name": "Y", "category": "toys", "fire_mode": "loud", "country": "Iraq",
                        "stock_number": "12", "value": "-1", "treaty_row": "9", "tracked_by": "luck",
                        "security_risk_category": "V"},
         {"category", "fire_mode", "country", "stock_number", "value", "treaty_row", "tracked_by",
          "security_risk_category"}),
        ("/v1/rosters", {"site": "TAJI", "file": {"sha256": "x", "name": "n"}, "as_of": "0001-01-01"},
         {"file: sha256", "as_of"}),
)  # fmt: skip


def test_bad_input_is_named_by_field(web: Web) -> None:
    """Each mistake at once, and nothing is done."""
    for path, body, fields in MISTAKES:
        told = problem(web.post("registrar", path, body), 422, "invalid")
        assert {fault["field"] for fault in told["faults"]} == fields, (path, told)


def test_a_store_is_added_and_a_site_declared_open(web: Web) -> None:
    """The new store takes weapons at once; what is declared open stays so."""
    store = made(web, "/v1/sites/TAJI/stores", {"name": "Armoury 2"})
    assert (store["account_class"], store["custodian"]) == ("store", "Rana Registrar (R-1)")
    receipt = {"store": "Armoury 2", "lines": [{"model": "AKM", "serial_number": "N 1"}]}
    web.posted("clerk", "/v1/receipts", receipt)
    opened = made(web, "/v1/sites/taji/open", {})["declared_open_at"]
    assert opened is not None
    assert made(web, "/v1/sites/TAJI/open", {})["declared_open_at"] == opened
    problem(web.post("registrar", "/v1/sites/NOWHERE/open", {}), 404, "not-found")


def test_a_person_is_renamed_and_shown_with_the_past(web: Web) -> None:
    """Two names, one unit, a card, an account with the rifle on it; the paper keeps the old name's version."""
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])})
    key = party_id(web, "A-1001")
    assert made(web, f"/v1/parties/{key}/rename", {"name": "Petrenko", "rank": "Corporal"})["name"] == "Petrenko"
    shown = web.get("registrar", f"/v1/parties/{key}").json()
    assert [(name["version"], name["name"], name["rank"]) for name in shown["names"]] == [
        (1, "Petrov", "Private"), (2, "Petrenko", "Corporal"),
    ]  # fmt: skip
    assert [(unit["unit"], unit["until"]) for unit in shown["memberships"]] == [("1COY", None)]
    assert [(card["unit"], card["state"]) for card in shown["signature_cards"]] == [("1COY", "valid")]
    assert [(account["site"], account["holds"]) for account in shown["accounts"]] == [("TAJI", 1)]
    assert web.country.where(RIFLES[0]) == "Corporal Petrenko (A-1001)"
    told = problem(web.post("registrar", f"/v1/parties/{party_id(web, '1COY', 'unit')}/rename",
                            {"name": "X", "rank": "Major"}), 422, "invalid")  # fmt: skip
    assert told["faults"][0]["field"] == "rank"


def test_a_roster_over_http(web: Web) -> None:
    """Stored, tried, confirmed and imported: a workbook that only a registrar can bring in."""
    content = workbook([["Service No", "Name", "Rank", "Unit"], *(row.split(",") for row in COMPANY[:1])])
    answer = web.client.post("/v1/files", content=content, headers={
        **web.headers("registrar"), "Content-Type": "application/octet-stream"})  # fmt: skip
    file = {"sha256": answer.json()["sha256"], "name": "roster.xlsx"}
    tried = web.post("registrar", "/v1/rosters", {"site": "TAJI", "file": file, "dry_run": True})
    assert (tried.status_code, tried.json()["counts"]["gone"], tried.json()["confirm_gone"]) == (200, 2, 2)
    problem(web.post("registrar", "/v1/rosters", {"site": "TAJI", "file": file}), 409, "refused")
    done = web.post("registrar", "/v1/rosters", {"site": "TAJI", "file": file, "confirm_gone": 2})
    assert (done.status_code, done.json()["sha256"]) == (201, file["sha256"])
    assert [change["service_number"] for change in done.json()["changes"]] == ["A-1002", "A-1003"]


def test_a_roster_that_is_no_list_is_refused(web: Web) -> None:
    """A picture, a file nobody stored, columns nobody knows, rows that can't be read."""
    for file, status, kind in (
        (stored(b"\x89PNG\r\n\x1a\n" + b"0" * 100, "roster.png"), 422, "unreadable-file"),
        ({"sha256": "0" * 64, "name": "roster.csv"}, 404, "not-found"),
        (stored("alpha,beta\n1,2\n"), 422, "invalid"),
        (stored(listed(",Nobody,,")), 422, "invalid"),
    ):
        problem(web.post("registrar", "/v1/rosters", {"site": "TAJI", "file": file}), status, kind)
