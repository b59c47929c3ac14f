"""Pages of subjects: what waits, a weapon, a person, a document, a discrepancy, an approval, and what one field finds."""

from __future__ import annotations

import re
from uuid import UUID

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


def test_the_start_page_counts_what_waits_and_leads_there(web: Web, busy: Busy) -> None:
    """The commander's approval, the open discrepancies: the number is that of the list it leads to."""
    page = visit(web, "commander", "/")
    for label, rows in (("Approvals that wait for you", 1), ("Discrepancies open", 3), ("Shipments on their way", 1)):
        (told,) = (text for text in page.links if text.endswith(label))
        assert told == f"{rows} {label}"
        assert len(visit(web, "commander", page.links[told]).rows) == rows, label
    clerk = visit(web, "clerk", "/")
    assert "1 Asked for by you, not approved yet" in clerk.links
    assert "Approvals that wait for you" not in clerk.text


def test_discrepancies_are_theirs_who_answer_for_them(web: Web, busy: Busy) -> None:
    """The site's custodian, the registrar, finds what is hers; a commander who answers for none has none."""
    assert any(
        text.endswith("Discrepancies you answer for") and text[0].isdigit()
        for text in visit(web, "registrar", "/").links
    )
    assert "Discrepancies you answer for" in visit(web, "commander", "/").links


def test_a_donor_is_shown_its_own(web: Web, busy: Busy) -> None:
    """A donor's start page, its list and its weapon: where it is by kind of place and site, nobody by name."""
    page = visit(web, "USA", "/weapons")
    assert {row["Serial number"] for row in page.rows} >= {"UA 1", "UA 2"}
    assert RIFLES[0] not in page.text
    weapon = visit(web, "USA", f"/weapons/{busy.weapon(web, 'UA 1')}")
    assert "person" in weapon.text
    for name in ("Petrov", "A-1001", "Talib"):
        assert name not in weapon.text
    visit(web, "FRA", f"/weapons/{busy.weapon(web, 'UA 1')}", 404)
    visit(web, "USA", f"/people/{web.country.parties['A-1001'].party_id}", 403)


def test_a_weapon_tells_where_it_is_and_all_that_happened(web: Web, busy: Busy) -> None:
    """Missing now; received, issued, lost: each entry leads to its document, the photo of the loss is there."""
    page = visit(web, "clerk", f"/weapons/{busy.weapon(web, RIFLES[1])}")
    assert page.heading == f"AKM{RIFLES[1]}"
    assert [row["Act"] for row in page.rows if "Act" in row] == ["receive", "issue", "report missing"]
    assert page.links[busy.loss.number] == f"/documents/{busy.loss.document_id}"
    answer = web.client.get(
        next(link for link in page.addresses if link.startswith("/files/")), headers=web.headers("clerk")
    )
    assert answer.headers["content-type"] == "image/png"
    assert "<svg" in web.get("clerk", f"/weapons/{busy.weapon(web, RIFLES[1])}").text


def test_a_weapon_is_asked_where_it_was(web: Web, busy: Busy) -> None:
    """At the end of a day before it came: outside. Today: where it is. A day that is none is told, and kept in its field."""
    path = f"/weapons/{busy.weapon(web, RIFLES[1])}"
    assert "Outside the books" in visit(web, "clerk", f"{path}?on=2001-01-01").text
    now = visit(web, "clerk", f"{path}?on={today()}")
    assert now.rows[-1]["Where"] == "missing"
    page = visit(web, "clerk", f"{path}?on=soon", 422)
    assert "write a day like" in page.text
    assert page.fields["on"] == "soon"


def test_an_undone_entry_is_marked_as_such(web: Web, busy: Busy) -> None:
    """The issue that was undone, and what took it back, on the weapon and on both documents."""
    page = visit(web, "clerk", f"/weapons/{busy.weapon(web, RIFLES[2])}")
    assert [row["Remarks"] for row in page.rows if "Remarks" in row][1:] == ["taken back by #3", "takes back #2"]
    assert "Undone by" in visit(web, "clerk", f"/documents/{busy.undone.document_id}").text
    assert busy.undone.number in visit(web, "clerk", f"/documents/{busy.undo.document_id}").links


def test_a_person_holds_signs_and_is_cleared(web: Web, busy: Busy) -> None:
    """Petrov holds two rifles, signed for three, may draw for his company; before he leaves all of it must come back."""
    path = f"/people/{web.country.parties['A-1001'].party_id}"
    page = visit(web, "clerk", path)
    assert "Holds 2 pieces." in page.text
    assert busy.issued.number in page.links
    clearance = visit(web, "clerk", page.links["Clearance before leaving"])
    assert "Not clear yet" in clearance.text
    assert {row["Serial number"] for row in clearance.rows if "Serial number" in row} == {RIFLES[0], "UA 1"}
    assert (
        "Clear: nothing is held"
        in visit(web, "clerk", f"/people/{web.country.parties['A-1003'].party_id}/clearance").text
    )


def test_a_person_of_another_site_is_nobody_here(web: Web, busy: Busy) -> None:
    """Row-level security: the page is not there."""
    visit(web, "erbil clerk", f"/people/{web.country.parties['A-1001'].party_id}", 404)
    visit(web, "erbil clerk", f"/documents/{busy.issued.document_id}", 404)


def test_a_unit_holds_what_its_people_hold(web: Web, busy: Busy) -> None:
    """The company: three rifles with its people, and who may draw for it."""
    page = visit(web, "commander", "/units")
    unit = visit(web, "commander", page.links["1st Company (1COY)"])
    assert "Holds 3 pieces" in unit.text
    assert "A-1001" in unit.links


def test_a_document_tells_who_signed_and_what_it_opened(web: Web, busy: Busy) -> None:
    """The short receipt: lines, signatures, the discrepancies; nothing of the USA's to France."""
    page = visit(web, "clerk", f"/documents/{busy.receipt.document_id}")
    assert {row["What"] for row in page.rows if "What" in row} >= {"shortage"}
    assert "Sergeant Talib Clerk (T-1)" in page.text
    assert [row["Serial number"] for row in page.rows if "Serial number" in row] == ["UA 1", RIFLES[9]]
    visit(web, "FRA", f"/documents/{busy.receipt.document_id}", 404)
    assert "Talib" not in visit(web, "USA", f"/documents/{busy.receipt.document_id}").text


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (RIFLES[0], "/weapons/"),
        (RIFLES[0].replace(" ", "-").lower(), "/weapons/"),
        ("A-1001", "/parties/"),
        ("1coy", "/parties/"),
    ],
)
def test_search_goes_straight_to_the_one_thing_found(web: Web, busy: Busy, text: str, where: str) -> None:
    """A serial number in any spelling, a service number, a unit's code."""
    answer = web.client.get(
        "/search", params={"q": text}, headers={**BROWSER, **web.headers("clerk")}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(where)
    assert web.client.get(answer.headers["location"], headers={**BROWSER, **web.headers("clerk")}).status_code == 200


def test_search_lists_several_guesses_and_says_when_there_is_nothing(web: Web, busy: Busy) -> None:
    """A twin is two; a look-alike is asked back; nothing is nothing, with other ways to look."""
    assert len(visit(web, "clerk", f"/search?q={RIFLES[9]}").rows) == 2
    assert "Did you mean" in visit(web, "clerk", "/search?q=KT 4499O3").text
    nothing = visit(web, "clerk", "/search?q=NO-SUCH-THING")
    assert "Nothing you may see bears it." in nothing.text
    assert visit(web, "clerk", nothing.links["Look among the names of people"]).rows == []
    document = web.client.get(
        "/search", params={"q": busy.issued.number.lower()}, headers={**BROWSER, **web.headers("clerk")}
    )
    assert read(document).heading.endswith(busy.issued.number)
    assert "at most 200" in visit(web, "clerk", f"/search?q={'9' * 201}", 422).text


def shortage(web: Web) -> UUID:
    """The discrepancy of the rifle that did not come."""
    (row,) = web.get("clerk", "/v1/discrepancies", kind="shortage").json()["rows"]
    return UUID(row["discrepancy_id"])


def test_a_discrepancy_is_closed_by_two(web: Web, busy: Busy) -> None:
    """The form keeps what was typed when it cannot be; then it waits for a second person, and the step is told."""
    path = f"/discrepancies/{shortage(web)}"
    assert "Nothing was done about it yet." in visit(web, "clerk", path).text
    answer = send(web, "clerk", f"{path}/close", explained_by="TAJI/B/2020/999", explanation="Came in the second crate")
    page = read(answer)
    assert answer.status_code == 404
    assert page.fields["explained_by"] == "TAJI/B/2020/999"
    assert "Came in the second crate" in page.text
    answer = send(web, "clerk", f"{path}/close", explained_by=busy.issued.number, explanation="")
    assert answer.status_code == 422
    assert read(answer).fields["explained_by"] == busy.issued.number
    answer = send(web, "clerk", f"{path}/close", explained_by=busy.receipt.number, explanation="As it says itself")
    assert answer.status_code == 409
    assert "name the one that explains it" in read(answer).text
    later = web.country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1",
        lines=[{"model": "AKM", "serial_number": "UA 2"}],
    )  # fmt: skip
    answer = send(web, "clerk", f"{path}/close", explained_by=later.number, explanation="Came in the second crate")
    assert answer.status_code == 303
    page = visit(web, "clerk", answer.headers["location"])
    assert "It takes a second person to agree" in page.text
    assert "closure asked for" in page.text
    assert [row["Explained by"] for row in visit(web, "commander", "/closures").rows] == [later.number]


def test_a_donor_asks_for_no_closure(web: Web, busy: Busy) -> None:
    """It sees its discrepancy without the form, and sending it anyway is not allowed."""
    page = visit(web, "USA", f"/discrepancies/{shortage(web)}")
    assert "explained_by" not in page.fields
    assert (
        send(web, "USA", f"/discrepancies/{shortage(web)}/close", explained_by="x", explanation="y").status_code == 403
    )


def test_a_second_person_approves_and_the_first_takes_back(web: Web, busy: Busy) -> None:
    """Who asked for it has no button, and no way around it; the commander's leads to the document."""
    path = f"/drafts/{busy.draft.document_id}"
    own = visit(web, "clerk", path)
    assert "it takes another person" in own.text
    assert "Approve: it is posted" not in own.text
    assert send(web, "clerk", f"{path}/approve").status_code == 403
    seen = visit(web, "commander", path)
    assert "taken at the robbery" in seen.text
    assert re.search(r"AKM KT 4499\d\d · missing since ", seen.text), seen.text
    refused = send(web, "commander", f"{path}/reject", reason=" ")
    assert refused.status_code == 422
    answer = send(web, "commander", f"{path}/approve")
    assert answer.headers["location"] == f"/documents/{busy.draft.document_id}"
    assert "Major Carim Commander (C-1)" in visit(web, "commander", answer.headers["location"]).text
    assert "See the document" in visit(web, "commander", path).links


def test_the_first_takes_it_back(web: Web, busy: Busy) -> None:
    """With a reason that stays."""
    path = f"/drafts/{busy.draft.document_id}"
    assert send(web, "clerk", f"{path}/reject", reason="Found behind the rack").status_code == 303
    assert "Found behind the rack" in visit(web, "clerk", path).text


def test_what_is_typed_is_shown_as_text(web: Web, busy: Busy) -> None:
    """Markup in a search, a filter, a form: shown as it was typed, never run."""
    for path in ("/search?q=<b>x</b>", "/documents?text=<b>x</b>", "/people?text=<b>x</b>&order=<b>x"):
        answer = web.client.get(path, headers={**BROWSER, **web.headers("clerk")})
        assert "<b>x" not in answer.text, path
    answer = send(
        web, "clerk", f"/discrepancies/{shortage(web)}/close", explained_by="<b>x</b>", explanation="<b>x</b>"
    )
    assert "<b>x" not in answer.text
