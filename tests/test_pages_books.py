"""Sites, catalogue, registers, audits, reports, and people coming into the books, as pages."""

from __future__ import annotations

import pytest
from httpx import Response

from stockpile.files import file_store
from tests.api_world import Web, served
from tests.busy_country import Busy, make_busy
from tests.reading_pages import BROWSER, read, visit
from tests.rosters import COMPANY, listed, stored
from tests.world import RIFLES, today

web = pytest.fixture(served)


@pytest.fixture
def busy(web: Web) -> Busy:
    return make_busy(web)


def send(web: Web, who: str, path: str, files: dict[str, tuple[str, str]] | None = None, **fields: str) -> Response:
    """A form that somebody sends."""
    return web.client.post(
        path, data=fields, files=files, headers={**BROWSER, **web.headers(who)}, follow_redirects=False
    )


def test_a_site_tells_what_it_has_and_what_waits(web: Web, busy: Busy) -> None:
    """By model and by account, each number a way to its weapons; what waits is that of the lists it leads to."""
    page = visit(web, "commander", "/sites/TAJI")
    (rifles,) = (row for row in page.rows if row.get("Model") == "AKM" and "In store" in row)
    assert rifles["Missing"] == "1"
    found = visit(web, "commander", "/weapons?class=missing&model=AKM")
    assert [row["Serial number"] for row in found.rows] == [RIFLES[1]]
    stock = next(row for row in page.rows if row.get("Account") == "Main store" and row["Model"] == "AKM")
    assert stock["Pieces"] == rifles["In store"]
    waits = {text.split(" ", 1)[1]: link for text, link in page.links.items() if text[:1].isdigit() and " " in text}
    assert len(visit(web, "commander", waits["Shipments on their way from it"]).rows) == 1
    assert len(visit(web, "commander", waits["Discrepancies open"]).rows) == 3
    registrar = visit(web, "registrar", "/sites/TAJI")
    assert "site=TAJI" in next(link for text, link in registrar.links.items() if text.endswith("Discrepancies open"))


def test_another_site_is_there_but_keeps_its_books(web: Web, busy: Busy) -> None:
    """The clerk of ERBIL finds TAJI in the list and no number of it; a donor its own weapons and no names; nobody a site that is none."""
    page = visit(web, "erbil clerk", "/sites/TAJI")
    assert "which its own people read" in page.text
    assert page.rows == []
    donors = visit(web, "USA", "/sites/TAJI")
    assert {row["Model"] for row in donors.rows} == {"AKM"}
    assert "Registrar" not in donors.text
    visit(web, "USA", "/stocks", 403)
    visit(web, "clerk", "/sites/NOWHERE", 404)


def test_the_balance_leads_to_its_weapons(web: Web, busy: Busy) -> None:
    """By donor: came in is what the places hold; the proof closes; a number opens exactly its weapons."""
    page = visit(web, "auditor", "/reports/balance?by=donor")
    for row in page.rows:
        places = (name for name in row if name not in ("Donor", "Model", "Site", "Came in", "Difference"))
        assert int(row["Came in"]) == sum(int(row[place]) for place in places)
        assert row["Difference"] == "0"
    usa = next(row for row in page.rows if row["Donor"] == "USA")
    assert len(visit(web, "auditor", "/weapons?class=person&donor=USA").rows) == int(usa["With people"])
    assert "All counts agree" in visit(web, "auditor", "/reports/balance/proof").text
    assert visit(web, "USA", "/reports/balance").rows != []
    text = web.get("auditor", "/reports/balance", format="csv", by="donor").content.decode("utf-8-sig")
    assert len(text.splitlines()) == len(page.rows) + 1


def test_reports_show_their_sums(web: Web, busy: Busy) -> None:
    """The index leads to each; each has its figures above its rows; a donor is not led to what is not its own."""
    index = visit(web, "registrar", "/reports")
    for path in ("serial-capture", "inspections", "losses", "allowances", "balance"):
        assert f"/reports/{path}" in index.addresses
        assert visit(web, "registrar", f"/reports/{path}").heading
    assert [row["Document"] for row in visit(web, "auditor", "/reports/losses").rows] == [busy.loss.number]
    assert "/reports/allowances" not in visit(web, "USA", "/reports").addresses
    visit(web, "USA", "/reports/allowances", 403)
    held = visit(web, "registrar", "/reports/allowances?model=AKM")
    line = next(row for row in held.rows if row["Held"] != "0")
    assert len(visit(web, "registrar", held.links[line["Held"]]).rows) > 0


def test_books_show_where_numbers_lack(web: Web, busy: Busy) -> None:
    """The counter's book has none missing."""
    page = visit(web, "commander", "/books")
    row = next(row for row in page.rows if row["Book"] == "B")
    assert int(row["Highest number"]) >= 6
    assert visit(web, "commander", "/books?incomplete=yes").rows == []


def test_a_model_tells_where_it_is_and_how_lists_call_it(web: Web, busy: Busy) -> None:
    """Found by category; its page has the numbers by site."""
    found = visit(web, "clerk", "/models?category=small+arms&text=AKM")
    page = visit(web, "clerk", found.links["AKM"])
    assert {row["Site"] for row in page.rows if "Site" in row} == {"TAJI"}
    assert all(row["Risk category"] == "II" for row in visit(web, "clerk", "/models?risk=II").rows)


def test_a_registrar_says_once_what_a_name_means(web: Web) -> None:
    """A list called something a name nobody knew; the registrar finds the model and maps it; a clerk may not."""
    arrived = stored("Serial,Model\nX 1,AKM\nX 2,Kalash\n", set_aside=True)
    web.posted("clerk", "/v1/receipts", {"store": "Main store", "donor": "USA", "file": arrived})
    path = visit(web, "registrar", "/aliases?mapped=no").links["Say what it means"]
    visit(web, "clerk", path, 403)
    assert "Say what it means" not in visit(web, "clerk", "/aliases?mapped=no").text
    form = {"source": "USA", "name": "Kalash", "text": "AKM"}
    assert "choose a model" in read(send(web, "registrar", "/aliases/map", **form)).text
    offered = web.get("registrar", f"{path}&text=AKM").text
    model = offered.split('name="model_id" value="', 1)[1][:36]
    assert send(web, "clerk", "/aliases/map", **form, model_id=model).status_code == 403
    assert send(web, "registrar", "/aliases/map", **form, model_id=model).status_code == 303
    assert visit(web, "registrar", "/aliases?mapped=no").rows == []


def test_a_person_is_added_and_may_draw(web: Web) -> None:
    """By the registrar; a fault keeps what was typed; then a line on the company's card."""
    form = {"service_number": "A-2001", "name": "Karim Hadi", "site": "TAJI", "unit": "NONE", "since": str(today())}
    wrong = send(web, "registrar", "/people", **form)
    assert (wrong.status_code, read(wrong).fields["name"]) == (422, "Karim Hadi")
    assert send(web, "clerk", "/people", **form | {"unit": "1COY"}).status_code == 403
    added = send(web, "registrar", "/people", **form | {"unit": "1COY"})
    assert "Karim Hadi" in visit(web, "clerk", added.headers["location"]).heading
    card = {"unit": "1COY", "person": "A-2001", "since": str(today()), "until": "2027-12-31"}
    assert "Z-9" in read(send(web, "registrar", "/signature-cards", **card | {"person": "Z-9"})).text
    assert send(web, "registrar", "/signature-cards", **card).status_code == 303
    assert "A-2001" in [row["Service number"] for row in visit(web, "clerk", "/signature-cards?unit=1COY").rows]


def test_a_roster_is_tried_before_it_is_taken(web: Web) -> None:
    """First it says who is new; then, from the same file, it is imported; its register stands among the lists."""
    roster = listed(*COMPANY, "A-3001,Hadi,Private,1COY")
    tried = send(web, "registrar", "/rosters", {"file": ("roster.csv", roster)}, site="TAJI", set_aside="")
    page = read(tried)
    assert "Nothing was changed yet" in page.text
    assert ("new", "A-3001") in [(row["What"], row["Service number"]) for row in page.rows if "So far" in row]
    assert visit(web, "registrar", "/people?text=A-3001").rows == []
    again = {name: page.fields[name] for name in ("site", "as_of", "set_aside", "sha256", "name", "take")}
    refused = send(web, "registrar", "/rosters", **again)
    if refused.status_code == 409:
        assert "would go" in read(refused).text
        again["confirm_gone"] = read(refused).text.split("confirm_gone ")[1].split(".")[0]
        refused = send(web, "registrar", "/rosters", **again)
    assert "The roster was imported." in read(refused).text
    assert len(visit(web, "registrar", "/people?text=A-3001").rows) == 1
    assert file_store().holds(again["sha256"])
    lists = visit(web, "registrar", "/registers")
    assert visit(web, "registrar", lists.links[lists.rows[0]["Register"]]).heading == lists.rows[0]["Register"]
    assert send(web, "clerk", "/rosters", {"file": ("roster.csv", roster)}, site="TAJI").status_code == 403
    assert "Choose the file" in read(send(web, "registrar", "/rosters", site="TAJI")).text
