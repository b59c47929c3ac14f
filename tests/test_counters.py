"""Stories of counters: a browser becomes one, who signs in there posts in its book, and a stolen one is worth nothing."""

from __future__ import annotations

from base64 import b64encode

import pytest

from stockpile import counters, devices
from stockpile.acts.void import VOID
from stockpile.errors import Invalid, NotAllowed
from stockpile.rights import reading
from tests.api_world import Web, problem, served
from tests.signing_in import Browser, add_pins, add_users, browser, enrolled
from tests.test_sign_in import text_of
from tests.world import RIFLES, Country, ago, paper, scans

web = pytest.fixture(served)


def test_a_commander_makes_a_browser_a_counter(country: Country) -> None:
    """Signed in there by name and password, on a page; from then on people sign in at it by badge and PIN, and their documents go into
    its book.
    """
    add_users(country, "commander", "clerk")
    add_pins(country, "T-1")
    desk = browser(country)
    assert "By badge and PIN" not in desk.get("/sign-in").text
    desk.sign_in("commander")
    answer = desk.send("/counters", label="Counter 1, north gate", book="k1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/counters")
    page = text_of(desk.get("/counters").text)
    assert "This browser is Counter 1, north gate of TAJI, book K1." in page
    assert "Major Carim Commander (C-1)" in page
    desk.send("/sign-out")
    assert "TAJI, Counter 1, north gate: documents go into book K1." in text_of(desk.get("/sign-in").text)
    assert desk.sign_in_by_badge("T-1").status_code == 303
    assert "clerk · TAJI · Counter 1, north gate · book K1" in text_of(desk.get("/sessions").text)
    posted = desk.post("/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}).json()
    assert posted["number"].startswith("TAJI/K1/")


def test_who_signs_in_by_password_at_a_counter_sits_there_too(country: Country) -> None:
    """If it is one of their own site; a clerk of ERBIL on a visit posts in ERBIL's common book, a registrar in the registrars'."""
    add_users(country, "clerk", "erbil clerk", "registrar")
    counter = enrolled(country)
    for who, book, at in (
        ("clerk", "book K1", True),
        ("erbil clerk", "book B", False),
        ("registrar", "book REG", False),
    ):
        one = browser(country, counter)
        one.sign_in(who)
        shown = text_of(one.get("/sessions").text)
        assert book in shown
        assert ("Counter K1" in shown) is at


def test_a_registrar_enrols_anywhere_and_must_say_where(country: Country) -> None:
    """A commander enrols at the own site only; a clerk, an auditor or a donor nowhere."""
    registrar = country.actors["registrar"]
    with reading(country.engine, registrar) as connection:
        with pytest.raises(Invalid, match="Say at which site"):
            counters.enrol(connection, registrar, "Counter 1", "K1")
        counters.enrol(connection, registrar, "Counter 1", "K1", "ERBIL")
    for who, site in (("commander", "ERBIL"), ("clerk", None), ("auditor", "TAJI"), ("USA", "TAJI")):
        actor = country.actors[who]
        with reading(country.engine, actor) as connection, pytest.raises(NotAllowed):
            counters.enrol(connection, actor, "Counter 2", "K2", site)


def refused(country: Country, book: str, label: str = "Counter 2") -> str:
    actor = country.actors["commander"]
    with reading(country.engine, actor) as connection, pytest.raises(Invalid) as problem:
        counters.enrol(connection, actor, label, book)
    return problem.value.faults[0].message


def test_a_counter_s_book_is_its_own(country: Country) -> None:
    """Not another counter's, no device's, no paper's, not the common ones; and no device takes a counter's, used or not. A paper that
    claims a number of it is kept among the exceptions.
    """
    enrolled(country)
    commander = country.actors["commander"]
    country.do("clerk", VOID, reason="torn", paper=paper(1, ago()))
    with reading(country.engine, commander) as connection:
        key = b64encode(bytes(range(32))).decode()
        devices.enrol(connection, commander, "TAB-1", "Tablet", key)
        with pytest.raises(Invalid) as problem:
            devices.enrol(connection, commander, "K1", "Tablet 2", b64encode(bytes(range(1, 33))).decode())
    assert "kind counter" in problem.value.faults[0].message
    assert "Counter K1 posts in it" in refused(country, "K1")
    assert "kind device" in refused(country, "TAB-1")
    assert "kind paper" in refused(country, "PAPER")
    assert "exceptions book" in refused(country, "EXC")
    assert "away from a counter" in refused(country, "B")
    assert "registrars' book" in refused(country, "REG")
    assert "capital letters" in refused(country, "K 2")
    assert "1 to 100 characters" in refused(country, "K2", " ")
    late = country.do("clerk", VOID, reason="torn", paper=paper(7, ago(), book="K1"))
    assert late.number.startswith("TAJI/EXC/")


def test_a_form_keeps_what_was_typed(country: Country) -> None:
    """The fault stands beside its field."""
    add_users(country, "commander")
    desk = browser(country)
    desk.sign_in("commander")
    answer = desk.send("/counters", label="Counter <1>", book="B")
    assert answer.status_code == 422
    assert 'value="Counter &lt;1&gt;"' in answer.text
    assert 'aria-invalid="true" aria-describedby="book-told"' in answer.text
    assert desk.client.cookies.get("stockpile_counter") is None


def test_a_stolen_counter_is_revoked(country: Country) -> None:
    """Whoever is signed in there is out, its cookie opens no PIN any more, and its successor goes on in its book."""
    add_users(country, "commander", "clerk")
    add_pins(country, "T-1")
    stolen = browser(country, enrolled(country))
    stolen.sign_in_by_badge("T-1")
    assert stolen.get("/v1/rights").status_code == 200
    office = browser(country)
    office.sign_in("commander")
    (row,) = office.get("/v1/counters").json()["rows"]
    assert (row["label"], row["book"], row["site"]) == ("Counter K1", "K1", "TAJI")
    assert office.send(f"/counters/{row['counter_id']}/revoke").status_code == 303
    problem(stolen.get("/v1/rights"), 401, "not-signed-in")
    assert stolen.sign_in_by_badge("T-1").status_code == 403
    assert "By badge and PIN" not in stolen.get("/sign-in").text
    assert (
        office.get(
            "/v1/counters",
        ).json()["rows"][0]["revoked_by"]
        == "Major Carim Commander (C-1)"
    )
    successor = browser(country, enrolled(country))
    assert successor.sign_in_by_badge("T-1").status_code == 303


def test_another_site_s_counters_are_not_seen_nor_touched(web: Web) -> None:
    """ERBIL's clerk sees none of TAJI's; its commander, were there one, could revoke none."""
    enrolled(web.country)
    assert web.get("erbil clerk", "/v1/counters").json()["rows"] == []
    problem(web.get("erbil clerk", "/v1/counters", site="TAJI"), 403, "not-allowed")
    ((key,),) = web.country.query("SELECT counter_id FROM counter")
    problem(web.post("clerk", f"/v1/counters/{key}/revoke"), 403, "not-allowed")
    told = web.post("registrar", f"/v1/counters/{key}/revoke").json()
    assert told["revoked_by"] == "Rana Registrar (R-1)"
    assert web.post("registrar", f"/v1/counters/{key}/revoke").json() == told
    assert [row["label"] for row in web.get("auditor", "/v1/counters").json()["rows"]] == ["Counter K1"]


@pytest.mark.parametrize("text", ["", "spc_", "spc_" + "A" * 43, "' OR true --", "spc_ü"])
def test_what_is_no_counter_opens_nothing(country: Country, text: str) -> None:
    """Guesses and rubbish."""
    guessed: Browser = browser(country)
    guessed.client.cookies.set("stockpile_counter", text.encode("ascii", "replace").decode())
    assert "By badge and PIN" not in guessed.get("/sign-in").text
