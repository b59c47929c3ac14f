"""Gains, markings and amendments over the API, and what find, history and the label then say of a weapon."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api_world import Web, problem, served
from tests.world import RIFLES, scanned_paper, scans

web = pytest.fixture(served)

HOW = {"method": "laser", "place": "receiver"}


def one_found(web: Web, text: str) -> dict[str, Any]:
    (found,) = web.get("clerk", "/v1/find", q=text).json()["items"]
    return dict(found["item"])


def test_a_cache_is_gained_by_two_and_marked(web: Web) -> None:
    """The draft, the approval, the number that the armourer gives."""
    cache = {
        "store": "Quarantine",
        "manner": "captured",
        "place": "Farm",
        "found_by": "patrol",
        "circumstances": "a cache",
    }
    lines = [{"model": "AKM", "distinguishing_mark": "red tape"}, {"model": "AKM", "serial_number": "CAP 1"}]
    posted = web.approved("commander", web.drafted("clerk", "/v1/gains", {**cache, "lines": lines}))
    assert (posted["act"], posted["lines"]) == ("register gain", 2)
    shown = web.get("clerk", f"/v1/documents/{posted['document_id']}").json()
    key = next(line["item_id"] for line in shown["lines"] if line["serial_number"] is None)
    web.posted("armourer", "/v1/markings", {**HOW, "lines": [{"item": key, "serial_number": "IQ-A 1"}]})
    assert one_found(web, "iq-a1")["item_id"] == key
    refused = web.post("clerk", "/v1/gains", {**cache, "lines": [{"model": "AKM", "serial_number": RIFLES[0]}]})
    assert "Main store (store)" in problem(refused, 422, "invalid")["faults"][0]["message"]


def test_a_marked_weapon_says_so_wherever_it_is_shown(web: Web) -> None:
    """Find, history with the document, and the label; a clerk is not to mark."""
    body = {
        **HOW,
        "import_country": "IQ",
        "import_year": 2026,
        "uii": {"enterprise": "1ABC2"},
        "lines": scans(RIFLES[0]),
    }
    problem(web.post("clerk", "/v1/markings", body), 403, "not-allowed")
    posted = web.posted("armourer", "/v1/markings", body)
    item = one_found(web, "D1ABC2KT449900")
    assert (item["import_mark"], item["import_country"], item["import_year"], item["uii"]) == (
        "IQ 2026", "IQ", 2026, "D1ABC2KT449900",
    )  # fmt: skip
    history = web.get("clerk", f"/v1/weapons/{item['item_id']}/history").json()
    version = history["identifications"][1]
    assert (version["document_number"], version["mark_method"], version["mark_place"]) == (
        posted["number"],
        "laser",
        "receiver",
    )
    label = web.get("clerk", f"/v1/weapons/{item['item_id']}/tag.svg").text
    assert all(words in label for words in (RIFLES[0], "UII D1ABC2KT449900", "IQ 2026"))
    answer = problem(web.post("armourer", "/v1/markings", body), 409, "refused")
    assert answer["reasons"][0]["reason"] == "it bears the import mark IQ 2026 already"


def test_a_misread_number_is_amended(web: Web) -> None:
    line = {"scan": RIFLES[0], "serial_number": "KT 449999"}
    body = {"reason": "misread", "attachments": [scanned_paper()], "lines": [line]}
    posted = web.approved("commander", web.drafted("clerk", "/v1/amendments", body))
    assert posted["act"] == "amend identification"
    item = one_found(web, RIFLES[0])
    assert (item["serial_number"], item["formerly"]) == ("KT 449999", [RIFLES[0]])
    answer = web.post("clerk", "/v1/amendments", {**body, "lines": [{"scan": "KT 449999", "model": "AK-103"}]})
    assert "A model can't be amended" in str(problem(answer, 422, "invalid")["faults"])
    problem(web.post("clerk", "/v1/amendments", {**body, "attachments": []}), 422, "invalid")
