"""What a person settles or adds on a page: closures agreed to or declined, who answers for a discrepancy, units, sites, stores,
models, names, cards and dates. A form that is refused keeps what was typed.
"""

from __future__ import annotations

import pytest
from httpx import Response

from stockpile.acts.receive import RECEIVE
from tests.api_world import Web, served
from tests.busy_country import Busy, make_busy
from tests.reading_pages import BROWSER, read, visit

web = pytest.fixture(served)


@pytest.fixture
def busy(web: Web) -> Busy:
    return make_busy(web)


def send(web: Web, who: str, path: str, **fields: str) -> Response:
    """A form that somebody sends."""
    return web.client.post(path, data=fields, headers={**BROWSER, **web.headers(who)}, follow_redirects=False)


def waits(web: Web, who: str, label: str) -> str:
    """Where the start page leads for what waits."""
    return next(link for text, link in visit(web, who, "/").links.items() if text.endswith(label))


def test_a_second_person_agrees_to_a_closure_or_declines_it(web: Web, busy: Busy) -> None:
    """The rifle came a day later: the clerk names the receipt, and cannot agree himself; the commander declines the first time,
    saying why, then agrees. The start page led there, and the discrepancy says what waits.
    """
    short = visit(web, "clerk", "/discrepancies?kind=shortage").links["shortage"]
    later = web.country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", lines=[{"model": "AKM", "serial_number": "UA 2"}]
    )
    said = {"explained_by": later.number, "explanation": "Came in the second crate"}

    def asked() -> str:
        assert send(web, "clerk", f"{short}/close", **said).status_code == 303
        listed = visit(web, "commander", waits(web, "commander", "Closures that wait for a second person"))
        return listed.links["Came in the second crate"]

    path = asked()
    seen = visit(web, "commander", path)
    assert [row["What"] for row in seen.rows] == ["shortage"]
    assert visit(web, "clerk", short).links["See the closure, which waits for a second person"] == path
    assert "Agree: they are closed" not in visit(web, "clerk", path).text
    assert send(web, "clerk", f"{path}/approve").status_code == 403
    assert "say why" in read(send(web, "commander", f"{path}/reject", reason="")).text
    assert send(web, "commander", f"{path}/reject", reason="Which crate?").status_code == 303
    assert "Which crate?" in visit(web, "clerk", path).text
    gone = send(web, "commander", f"{path}/approve")
    assert (gone.status_code, "settled already" in read(gone).text) == (409, True)
    path = asked()
    visit(web, "erbil clerk", path, 404)
    visit(web, "USA", path, 403)
    assert "Agree: they are closed" not in visit(web, "auditor", path).text
    assert send(web, "auditor", f"{path}/approve").status_code == 403
    assert send(web, "registrar", f"{path}/approve").status_code == 303
    assert "approved" in visit(web, "auditor", path).text
    assert visit(web, "clerk", "/discrepancies?kind=shortage").rows == []
    assert visit(web, "commander", "/closures").rows == []


def test_a_commander_says_who_answers_for_a_discrepancy(web: Web, busy: Busy) -> None:
    """By service number; nobody of that number is said beside the field; a clerk may not."""
    path = visit(web, "commander", "/discrepancies?kind=shortage").links["shortage"]
    wrong = read(send(web, "commander", f"{path}/assign", owner="Z-9", due_on="2027-01-15"))
    assert (wrong.fields["owner"], wrong.fields["due_on"]) == ("Z-9", "2027-01-15")
    assert "Let this person answer" not in visit(web, "clerk", path).text
    assert send(web, "clerk", f"{path}/assign", owner="T-1").status_code == 403
    assert send(web, "commander", f"{path}/assign", owner="T-1", due_on="2027-01-15").status_code == 303
    (row,) = visit(web, "clerk", waits(web, "clerk", "Discrepancies you answer for")).rows
    assert row["Due"] == "15 Jan 2027"
