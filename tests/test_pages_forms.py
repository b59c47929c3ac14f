"""What a person settles or adds on a page: closures agreed to or declined, who answers for a discrepancy, units, sites, stores,
models, names, cards and dates. A form that is refused keeps what was typed.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from httpx import Response

from stockpile.acts.receive import RECEIVE
from tests.api_world import Web, served
from tests.busy_country import Busy, make_busy
from tests.reading_pages import BROWSER, read, visit
from tests.world import RIFLES, today

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

    def asked(who: str = "clerk") -> str:
        assert send(web, who, f"{short}/close", **said).status_code == 303
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
    own = asked("commander")
    assert "You asked for this yourself" in visit(web, "commander", own).text
    late = read(send(web, "clerk", f"{short}/close", explained_by="TAJI/B/1", explanation="Under the first crate"))
    assert (late.fields["explained_by"], "Under the first crate" in late.text) == ("TAJI/B/1", True)
    assert "See the closure, which waits for a second person" in late.links
    assert "Agree: they are closed" not in visit(web, "commander", own).text
    assert send(web, "commander", f"{own}/approve").status_code == 403
    assert send(web, "commander", f"{own}/reject", reason="the wrong receipt").status_code == 303
    assert "withdrawn" in visit(web, "clerk", own).text
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


def test_a_unit_is_added_and_moves(web: Web) -> None:
    """By the registrar: under the company, then under none from tomorrow, then served by ERBIL; what is wrong stands beside its field
    and what was typed stays; a commander may not.
    """
    form = {"code": "2PLT", "name": "Second Platoon", "site": "TAJI", "parent": "NONE", "since": str(today())}
    assert "Add a unit" in visit(web, "registrar", visit(web, "registrar", "/units").links["Add a unit"]).heading
    assert "Add a unit" not in visit(web, "commander", "/units").links
    visit(web, "commander", "/units/new", 403)
    assert send(web, "commander", "/units", **form | {"parent": "1COY"}).status_code == 403
    wrong = send(web, "registrar", "/units", **form)
    assert (wrong.status_code, read(wrong).fields["name"], read(wrong).fields["site"]) == (
        422,
        "Second Platoon",
        "TAJI",
    )
    path = send(web, "registrar", "/units", **form | {"parent": "1COY"}).headers["location"]
    assert [row["Unit"] for row in visit(web, "clerk", path).rows if "Unit" in row] == ["1COY"]
    assert send(web, "registrar", "/units", **form | {"parent": ""}).status_code == 422, "its code is taken"
    change = visit(web, "registrar", path).links["Change it"]
    assert "Change it" not in visit(web, "clerk", path).links
    visit(web, "clerk", change, 403)
    tomorrow = str(today() + timedelta(days=1))
    assert send(web, "clerk", f"{path}/parent", parent="", since=tomorrow).status_code == 403
    assert "below it" in read(send(web, "registrar", f"{path}/parent", parent="2PLT", since=tomorrow)).text
    assert send(web, "registrar", f"{path}/parent", parent="", since=tomorrow).status_code == 303
    assert visit(web, "clerk", path).rows[-1]["To"] == visit(web, "clerk", path).rows[-1]["From"]
    no_day = read(send(web, "registrar", f"{path}/station", site="ERBIL", since="soon"))
    assert (no_day.fields["site"], no_day.fields["since"]) == ("ERBIL", "soon")
    assert send(web, "registrar", f"{path}/station", site="ERBIL", since=tomorrow).status_code == 303

    assert send(web, "registrar", f"/parties/{path[-36:]}/name", name="Second Platoon, Erbil").status_code == 303
    assert "Second Platoon, Erbil" in visit(web, "clerk", path).heading


def test_a_person_moves_and_leaves(web: Web) -> None:
    """From a day on into another unit; then a last day: after it nothing is issued to them. Their rank changes, documents keep theirs."""
    person = f"/people/{web.country.parties['A-1002'].party_id}"
    send(web, "registrar", "/units", code="2PLT", name="Second Platoon", site="TAJI", since="2026-01-01")
    change = visit(web, "registrar", person).links["Change unit, dates or name"]
    assert "Change unit, dates or name" not in visit(web, "commander", person).links
    assert send(web, "commander", f"{person}/unit", unit="2PLT", since=str(today())).status_code == 403
    assert send(web, "commander", f"{person}/leave", since=str(today())).status_code == 403
    wrong = read(send(web, "registrar", f"{person}/unit", unit="3PLT", since=str(today())))
    assert (wrong.heading, wrong.fields["unit"]) == (visit(web, "registrar", change).heading, "3PLT")
    assert send(web, "registrar", f"{person}/unit", unit="2PLT", since=str(today())).status_code == 303
    assert "2PLT" in [row["Unit"] for row in visit(web, "clerk", person).rows if "Unit" in row]
    early = read(send(web, "registrar", f"{person}/unit", unit="1COY", since="2020-01-01"))
    assert "placed anew" in early.text
    yesterday = str(today() - timedelta(days=1))
    kept = read(send(web, "registrar", f"{person}/leave", since=yesterday))
    assert ("placed anew" in kept.text, kept.fields["since"]) == (True, yesterday)
    other = f"/people/{web.country.parties['A-1001'].party_id}"
    refused = send(web, "registrar", f"{other}/leave", since=yesterday, because="vanished")
    assert (refused.status_code, read(refused).fields["since"]) == (422, yesterday)
    assert 'id="leave-because-fault"><bdi>' in refused.text
    assert send(web, "registrar", f"{other}/leave", since=yesterday, because="died").status_code == 303
    assert web.country.query("SELECT ended_because FROM assignment WHERE ended_because IS NOT NULL") == [("died",)]
    both = web.post("registrar", f"/v1{person}/unit", {"unit": "1COY", "since": str(today()), "because": "deserted"})
    assert (both.status_code, both.json()["faults"][0]["field"]) == (422, "because")
    issue = {"receiver": "A-1001", "store": "Main store", "lines": [{"scan": RIFLES[0]}]}
    refused = web.post("clerk", "/v1/issues", issue)
    assert (refused.status_code, "not on the roster" in refused.text) == (409, True)
    assert send(web, "registrar", f"/parties/{person[-36:]}/name", name="Quist", rank="Corporal").status_code == 303
    assert "Corporal Quist" in visit(web, "clerk", person).heading
    moved = web.post("registrar", f"/v1{person}/unit", {"unit": "1COY", "since": str(today() + timedelta(days=2))})
    assert [one["unit"] for one in moved.json()["memberships"] if one["until"] is None] == ["1COY"]


def test_a_signature_card_is_withdrawn(web: Web) -> None:
    """The registrar finds it in the list and withdraws it; it says so from then on, and a new one can be given. A commander may not."""
    send(web, "registrar", "/signature-cards", unit="1COY", person="A-1002", since=str(today()), until="2027-12-31")
    listed = visit(web, "registrar", "/signature-cards?unit=1COY&text=A-1002")
    path = listed.links["Withdraw it"]
    assert "Withdraw it" not in visit(web, "commander", "/signature-cards?unit=1COY").links
    assert "Withdraw the card" not in visit(web, "commander", path).text
    assert send(web, "commander", f"{path}/withdraw").status_code == 403
    assert send(web, "registrar", f"{path}/withdraw").status_code == 303
    assert "withdrawn" in visit(web, "clerk", path).text
    again = visit(web, "registrar", visit(web, "registrar", path).links["Give a new card"])
    assert (again.fields["unit"], again.fields["person"]) == ("1COY", "A-1002")
    visit(web, "USA", path, 403)


def test_a_site_and_its_stores_are_added(web: Web) -> None:
    """A registrar founds BASRA with two stores, adds a third, and declares it open; a mistake keeps what was typed."""
    form = {"code": "basra", "name": "Basra depot", "time_zone": "Asia/Baghdad", "stores": "Main store\n\nArmoury",
            "custodian": "Z-9"}  # fmt: skip
    assert visit(web, "registrar", visit(web, "registrar", "/sites").links["Add a site"]).heading == "Add a site"
    visit(web, "commander", "/sites/new", 403)
    assert send(web, "commander", "/sites", **form).status_code == 403
    wrong = read(send(web, "registrar", "/sites", **form))
    assert (wrong.fields["custodian"], wrong.fields["time_zone"]) == ("Z-9", "Asia/Baghdad")
    assert "Armoury" in wrong.text
    twice = read(send(web, "registrar", "/sites", **form | {"custodian": "R-1", "stores": "Main\nmain"}))
    assert "two stores have the same name" in twice.text
    assert "stores" in read(send(web, "registrar", "/sites", **form | {"custodian": "R-1", "stores": " "})).text
    path = send(web, "registrar", "/sites", **form | {"custodian": "R-1"}).headers["location"]
    assert path == "/sites/BASRA"
    change = visit(web, "registrar", path).links["Add a store, or declare it open"]
    assert send(web, "commander", "/sites/TAJI/stores", name="Annex").status_code == 403
    assert "BASRA has it already" in read(send(web, "registrar", f"{path}/stores", name="armoury")).text
    assert send(web, "registrar", f"{path}/stores", name="Quarantine").status_code == 303
    assert "Quarantine" in visit(web, "registrar", path).text
    assert send(web, "commander", f"{path}/open").status_code == 403
    assert send(web, "registrar", f"{path}/open").status_code == 303
    assert "Declare it open" not in visit(web, "registrar", change).text


def test_a_model_and_a_name_for_it_are_added(web: Web) -> None:
    """The registrar adds a model, mends what is said of it, and says how a donor calls it before any list did."""
    form = {"maker": "Cugir", "name": "PM md. 90", "tracked_by": "serial", "category": "small arms", "country": "ro",
            "value": "a lot"}  # fmt: skip
    assert visit(web, "registrar", visit(web, "registrar", "/models").links["Add a model"]).heading == "Add a model"
    visit(web, "clerk", "/models/new", 403)
    assert send(web, "clerk", "/models", **form).status_code == 403
    wrong = read(send(web, "registrar", "/models", **form))
    assert (wrong.fields["name"], wrong.fields["value"], wrong.fields["category"]) == (
        "PM md. 90",
        "a lot",
        "small arms",
    )
    path = send(web, "registrar", "/models", **form | {"value": "450"}).headers["location"]
    assert "catalogue has" in read(send(web, "registrar", "/models", **form | {"value": "450"})).text
    change = visit(web, "registrar", path).links["Mend what is said of it"]
    mended = {**visit(web, "registrar", change).fields, "calibre": "5.45x39mm", "enhanced_monitoring": "yes"}
    assert send(web, "clerk", change, **mended).status_code == 403
    assert send(web, "registrar", change, **mended).status_code == 303
    assert "5.45x39mm" in visit(web, "clerk", path).text
    ask = visit(web, "registrar", "/aliases").links["Add a name"]
    assert "Add a name" not in visit(web, "clerk", "/aliases").links
    assert "name" in visit(web, "registrar", f"{ask}?go=yes&source=FRA&name=", 422).fields
    page = visit(web, "registrar", f"{ask}?go=yes&source=FRA&name=Kalachnikov+90")
    assert "see that it is written as they write it" in page.text
    said = {"source": "FRA", "name": "Kalachnikov 90", "text": "md. 90", "model_id": path[-36:]}
    assert send(web, "clerk", "/aliases/map", **said).status_code == 403
    assert send(web, "registrar", "/aliases/map", **said).status_code == 303
    assert "Kalachnikov 90" in visit(web, "clerk", path).text
    assert send(web, "registrar", "/aliases/map", **said | {"name": "x" * 500}).status_code == 422


def test_holdings_without_a_holder_asks_whose(web: Web) -> None:
    """A form for a unit, a person, a site; a donor chooses a site only."""
    page = visit(web, "registrar", "/holdings")
    assert {"unit", "person"} <= set(page.fields)
    assert visit(web, "registrar", "/holdings?unit=1COY").heading == "Holdings"
    own = visit(web, "clerk", "/holdings?unit=&person=").links["All of my site"]
    assert len(visit(web, "clerk", own).rows) > 5
    donors = visit(web, "USA", "/holdings")
    assert "person" not in donors.fields
    assert "A site" in donors.text
    assert visit(web, "USA", "/holdings?site=TAJI").heading == "Holdings"


def test_who_works_at_no_site_sets_up_no_device(web: Web) -> None:
    """A donor and an auditor are told so in words; who works at a site, and the worker that keeps the page for nobody in particular,
    get the page with its script.
    """
    for who in ("USA", "auditor"):
        page = visit(web, who, "/station/device")
        assert "nothing to set up here for you" in page.text
        assert "One moment" not in page.text
        for link in page.addresses:
            visit(web, who, link)
    for anybody in ("clerk", "commander", "registrar", None):
        assert "One moment" in visit(web, anybody, "/station/device").text
