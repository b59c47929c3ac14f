"""Find over HTTP: whatever one scans or types, in one's scope, as the API documents it."""

from __future__ import annotations

import pytest

from tests.api_world import Web, problem, served
from tests.world import RIFLES, scans

web = pytest.fixture(served)


def issued(web: Web) -> dict[str, object]:
    return web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])})


def test_a_rifle_by_its_tag_its_number_in_any_spelling_and_a_part_of_it(web: Web) -> None:
    """One rifle with Petrov: found five ways, each says where it is, since when and under which document."""
    document = issued(web)
    tag = web.get("clerk", "/v1/find", q=RIFLES[0]).json()["items"][0]["item"]["asset_tag"]
    for asked in (tag, "kt-449900", "KT٤٤٩٩٠٠", "KT 4499?0", "*449900"):
        answer = web.get("clerk", "/v1/find", q=asked).json()
        assert [one["item"]["serial_number"] for one in answer["items"]] == [RIFLES[0]], asked
        (stands,) = answer["items"][0]["standings"]
        assert (stands["account"], stands["since"], stands["document_number"]) == (
            "Private Petrov (A-1001)", document["happened_at"], document["number"],
        )  # fmt: skip
        assert answer["did_you_mean"] is False


def test_documents_and_persons_by_number(web: Web) -> None:
    """The voucher by its number in any case; Petrov by his service number, with what he holds."""
    document = issued(web)
    (voucher,) = web.get("clerk", "/v1/find", q=str(document["number"]).lower()).json()["documents"]
    assert voucher["document_id"] == document["document_id"]
    (person,) = web.get("clerk", "/v1/find", q="a-1001").json()["parties"]
    assert person["name"] == "Private Petrov (A-1001)"
    assert [row["serial_number"] for row in person["holds"]["rows"]] == [RIFLES[0]]


def test_a_uii_with_its_control_characters_travels_in_a_url(web: Web) -> None:
    """The envelope of ISO 15434 as a scanner sends it; nobody bears it: empty, no error. Half an envelope is a fault."""
    answer = web.get("clerk", "/v1/find", q="[)>\x1e06\x1d25SD1ABC2W0042\x1e\x04")
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    problem(web.get("clerk", "/v1/find", q="[)>\x1e06\x1d"), 422, "invalid")


def test_a_partial_number_is_read_in_pages(web: Web) -> None:
    """Ten rifles, four at a time."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = web.get("clerk", "/v1/find", q="KT 4499*", limit=4, **cursor).json()
        found += [one["item"]["serial_number"] for one in page["items"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert found == list(RIFLES)


def test_everybody_finds_within_their_scope(web: Web) -> None:
    """Erbil is told where the rifle belongs, not who has it; a donor does not find another's; nobody signed in finds nothing."""
    issued(web)
    (one,) = web.get("erbil clerk", "/v1/find", q=RIFLES[0]).json()["items"]
    assert (one["standings"][0]["site"], one["standings"][0]["account"]) == ("TAJI", "a person of TAJI")
    assert web.get("USA", "/v1/find", q=RIFLES[0]).json()["items"] == []
    assert web.get("erbil clerk", "/v1/find", q="A-1001").json()["parties"] == []
    problem(web.client.get("/v1/find", params={"q": RIFLES[0]}), 401, "not-signed-in")


@pytest.mark.parametrize("asked", ["", "   ", "x" * 201])
def test_what_cannot_be_searched_is_said(web: Web, asked: str) -> None:
    """Nothing, blanks, and too much."""
    assert problem(web.get("clerk", "/v1/find", q=asked), 422, "invalid")["faults"][0]["field"] == "q"


def test_the_examples_of_the_documentation_are_all_answered(web: Web) -> None:
    """Each kind of thing that can be scanned or typed stands in the document, and is taken as it stands there."""
    described = web.client.get("/openapi.json").json()
    (asked,) = [one for one in described["paths"]["/v1/find"]["get"]["parameters"] if one["name"] == "q"]
    assert len(asked["examples"]) >= 7
    for name, example in asked["examples"].items():
        assert web.get("clerk", "/v1/find", q=example["value"]).status_code == 200, name
