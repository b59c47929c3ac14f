"""What the API tells of weapons and balances, to whom, and as of when."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile.acts.declare import DECLARE
from stockpile.documents import now
from tests.api_world import Web, fresh, problem, served
from tests.world import RIFLES, scans

web = pytest.fixture(served)


def issued(web: Web, receiver: str = "A-1001") -> dict[str, Any]:
    return web.posted("clerk", "/v1/issues", {"receiver": receiver, "store": "Main store", "lines": scans(RIFLES[0])})


def declared(web: Web, donor: str) -> str:
    """A rifle that a donor declared; its key."""
    posted = web.country.do(
        "registrar", DECLARE, site="TAJI", donor=donor, reference=f"{donor}-1",
        lines=[{"model": "AKM", "serial_number": f"{donor} 1"}],
    )  # fmt: skip
    return str(web.get(donor, f"/v1/documents/{posted.document_id}").json()["lines"][0]["item_id"])


def test_a_weapon_says_where_it_is_and_was(web: Web) -> None:
    """With Petrov now; in the store before that."""
    item = web.country.item(RIFLES[0]).item_id
    before = now().isoformat()
    document = issued(web)
    weapon = web.get("clerk", f"/v1/weapons/{item}").json()
    assert weapon["item"]["serial_number"] == RIFLES[0]
    (stands,) = weapon["standings"]
    assert (stands["account_class"], stands["document_id"]) == ("person", document["document_id"])
    for clock in ("as_of", "recorded_as_of"):
        (stood,) = web.get("clerk", f"/v1/weapons/{item}", **{clock: before}).json()["standings"]
        assert stood["account_class"] == "store"


def test_a_history_is_read_in_pages(web: Web) -> None:
    """Received, issued, returned: one entry a page, the cursor leads on."""
    item = web.country.item(RIFLES[0]).item_id
    issued(web)
    web.posted(
        "clerk", "/v1/returns", {"store": "Main store", "lines": [{"scan": RIFLES[0], "condition": "serviceable"}]}
    )
    acts, cursor = [], {}
    while True:
        page = web.get("clerk", f"/v1/weapons/{item}/history", limit=1, **cursor).json()
        acts += [entry["act"] for entry in page["entries"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert acts == ["receive", "issue", "return"]


def test_a_donor_follows_its_own_weapon_and_no_other(web: Web) -> None:
    """The other donor's rifle is not there, whatever its key; of its own no account is named."""
    own, other = declared(web, "USA"), declared(web, "FRA")
    history = web.get("USA", f"/v1/weapons/{own}/history").json()
    assert [entry["to"]["account"] for entry in history["entries"]] == [None]
    for path in (f"/v1/weapons/{other}", f"/v1/weapons/{other}/history", f"/v1/weapons/{fresh()}"):
        problem(web.get("USA", path), 404, "not-found")


def test_the_balance_closes_and_proves_itself(web: Web) -> None:
    """Ten rifles and a hundred helmets came in; one rifle is with a person; all counts agree."""
    issued(web)
    balance = web.get("auditor", "/v1/balance", by=["model", "site"]).json()
    (rifles,) = [line for line in balance["lines"] if line["model"] == "AKM"]
    assert (rifles["came_in"], rifles["store"], rifles["person"], rifles["difference"]) == (10, 9, 1, 0)
    assert balance["proof"]["closes"] is True
    assert balance["proof"]["entry_lines"] == balance["proof"]["document_lines"]


def test_the_balance_speaks_as_of_either_clock(web: Web) -> None:
    """Before the first delivery there was nothing; both clocks together work."""
    long_ago = "2020-01-01T00:00:00Z"
    assert web.get("auditor", "/v1/balance", as_of=long_ago).json()["lines"] == []
    assert web.get("auditor", "/v1/balance", recorded_as_of=long_ago).json()["lines"] == []
    both = web.get("auditor", "/v1/balance", as_of=now().isoformat(), recorded_as_of=now().isoformat()).json()
    assert [line["came_in"] for line in both["lines"]] == [110]
    problem(web.get("auditor", "/v1/balance", as_of="2020-01-01T00:00:00"), 422, "invalid")


def test_a_balance_has_its_askers_scope(web: Web) -> None:
    """A donor counts its own; a clerk reads the own site's books, not another's."""
    declared(web, "USA")
    assert [line["came_in"] for line in web.get("USA", "/v1/balance").json()["lines"]] == [1]
    assert [line["donor"] for line in web.get("USA", "/v1/balance", donor="USA", by="donor").json()["lines"]] == ["USA"]
    assert web.get("FRA", "/v1/balance").json()["lines"] == []
    problem(web.get("FRA", "/v1/balance", donor="USA"), 404, "not-found")
    assert web.get("erbil clerk", "/v1/balance").json()["lines"] == []
    problem(web.get("erbil clerk", "/v1/balance", site="TAJI"), 403, "not-allowed")
    problem(web.get("auditor", "/v1/balance", donor="NOBODY"), 404, "not-found")
    problem(web.get("auditor", "/v1/balance", by="colour"), 422, "invalid")
