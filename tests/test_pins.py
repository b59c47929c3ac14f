"""Stories of badges and PINs: signing in at the counter by a scan, a forgotten PIN, a second person beside the first."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from stockpile.passwords import new_one_time_pin, pin_faults
from tests.api_world import Web, problem, served
from tests.signing_in import PASSWORD, PINS, add_pins, add_users, browser, enrolled, one_time_pin
from tests.test_sign_in import text_of
from tests.world import RIFLES, Country, scans

web = pytest.fixture(served)

LOSS = {"place": "Range 2", "circumstances": "Not in the rack", "lines": scans(RIFLES[0])}
CONCLUSION = {"cause": "stolen", "liability": "nobody", "findings": "none", "lines": scans(RIFLES[0])}


def test_a_badge_then_a_pin(country: Country) -> None:
    """The scanner types the badge and sends the form by its line end: the PIN is asked for, nothing counts as failed."""
    add_users(country, "clerk")
    add_pins(country, "T-1")
    desk = browser(country, enrolled(country))
    asked = desk.send("/sign-in/badge", badge="T-1\r\n", pin="")
    assert asked.status_code == 200
    assert re.search(r'id="badge"[^>]*value="T-1"', asked.text)
    assert re.search(r'id="pin"[^>]*autofocus', asked.text)
    assert country.owner_query("SELECT 1 FROM sign_in_failure") == []
    assert desk.send("/sign-in/badge", badge="t-1", pin="٦٤٠٢٨٣").status_code == 303
    assert "Counter K1" in desk.get("/sessions").text


def test_a_pin_holds_at_enrolled_counters_of_the_own_site_alone(country: Country) -> None:
    """Not at a browser that is none, not at another site's counter; the words are the same as for a wrong one there."""
    add_users(country, "clerk")
    add_pins(country, "T-1")
    away = browser(country).sign_in_by_badge("T-1")
    assert away.status_code == 403
    assert "at an enrolled counter only" in text_of(away.text)
    erbil = browser(country, enrolled(country, "K1", "registrar", "ERBIL"))
    answers = [erbil.sign_in_by_badge("T-1"), erbil.sign_in_by_badge("X-1", "111222333")]
    assert [answer.status_code for answer in answers] == [422, 422]
    for answer in answers:
        assert "The badge or the PIN is wrong, or the badge is not one of this site." in text_of(answer.text)
        assert PINS["T-1"] not in answer.text


def test_a_prankster_at_one_counter_keeps_nobody_from_another(country: Country) -> None:
    """Nor from the password at the same one. A new PIN ends the wait."""
    add_users(country, "clerk", "commander")
    add_pins(country, "T-1")
    first, second = enrolled(country, "K1"), enrolled(country, "K2")
    tried = browser(country, first)
    assert tried.sign_in_by_badge("T-1", "000000").status_code == 422
    country.owner_query("UPDATE sign_in_failure SET not_before = now() + interval '15 minutes' RETURNING 1")
    assert tried.sign_in_by_badge("T-1").status_code == 429
    assert browser(country, second).sign_in_by_badge("T-1").status_code == 303
    assert browser(country, first).sign_in("clerk").status_code == 303
    ((who, place),) = country.owner_query(
        "SELECT p.code, c.label FROM sign_in_failure f JOIN party p USING (party_id) JOIN counter c USING (counter_id)"
    )
    assert (who, place) == ("T-1", "Counter K1")
    pin = one_time_pin(country, "T-1")
    assert tried.sign_in_by_badge("T-1", pin).status_code == 303


def test_a_forgotten_pin_is_given_anew_at_the_counter(country: Country) -> None:
    """The commander gives a one-time PIN on a page, shown once; what the former opened is over; the clerk chooses an own one before
    anything else, and who set which when stays on record.
    """
    add_users(country, "clerk", "commander")
    add_pins(country, "T-1", "C-1")
    counter = enrolled(country)
    clerk = browser(country, counter)
    clerk.sign_in_by_badge("T-1")
    commander = browser(country, counter)
    commander.sign_in_by_badge("C-1")
    page = commander.send("/pins", person="T-1")
    assert page.headers["cache-control"] == "no-store"
    given = re.search(r'class="secret">(\d{8})<', page.text)
    assert given is not None
    assert given[1] not in commander.get("/pins").text
    problem(clerk.get("/v1/rights"), 401, "not-signed-in")
    assert clerk.sign_in_by_badge("T-1").status_code == 422

    assert (
        clerk.sign_in_by_badge("T-1", given[1], next="/sessions").headers["location"] == "/sign-in/pin?next=/sessions"
    )
    problem(clerk.get("/v1/rights"), 401, "not-signed-in")
    easy = clerk.send("/sign-in/pin", pin="123456", again="123456")
    assert (easy.status_code, "too easy" in easy.text) == (422, True)
    assert clerk.send("/sign-in/pin", pin="806427", again="806427", next="/sessions").headers["location"] == "/sessions"
    assert clerk.get("/v1/rights").status_code == 200
    rows = commander.get(
        "/v1/pins",
    ).json()["rows"]
    told = [(row["person"], row["set_by"], row["own_choice"], row["one_time"], row["newest"]) for row in rows]
    clerks, commanders = "Sergeant Talib Clerk (T-1)", "Major Carim Commander (C-1)"
    assert told[:2] == [(clerks, clerks, True, False, True), (clerks, commanders, False, True, False)]
    assert country.owner_query("SELECT count(*) FROM pin WHERE pin_hash IS NOT NULL") == [(2,)]


def test_choosing_another_pin_takes_the_present_one(country: Country) -> None:
    """Or, of who signed in by password, that."""
    add_users(country, "clerk")
    add_pins(country, "T-1")
    counter = enrolled(country)
    by_pin, by_password = browser(country, counter), browser(country, counter)
    by_pin.sign_in_by_badge("T-1")
    wrong = by_pin.send("/sign-in/pin", present="111999", pin="806427", again="806427")
    assert (wrong.status_code, "not your present PIN" in wrong.text) == (422, True)
    assert by_pin.send("/sign-in/pin", present=PINS["T-1"], pin="806427", again="806427").status_code == 303
    assert by_pin.get("/v1/rights").status_code == 200
    by_password.sign_in("clerk")
    assert by_password.send("/sign-in/pin", present="806427", pin="531806", again="531806").status_code == 422
    assert by_password.send("/sign-in/pin", present=PASSWORD, pin="531806", again="531806").status_code == 303
    problem(by_pin.get("/v1/rights"), 401, "not-signed-in")
    assert by_pin.sign_in_by_badge("T-1", "531806").status_code == 303


EASY = (
    "12345", "1234567890123", "123456", "987654", "777777", "121212", "123123", "112233", "777177", "147258", "12a456", "",
)  # fmt: skip


@pytest.mark.parametrize("pin", EASY)
def test_easy_pins_are_refused(pin: str) -> None:
    """Short, in a row, repeated, in pairs, of few digits, along the keys."""
    (fault,) = pin_faults(pin)
    assert fault.value is None


def test_nobodys_pin_is_the_own_number() -> None:
    """A service number of six digits stands on the badge. One-time PINs are never easy."""
    assert pin_faults("450098", ["A-450098"])
    assert not pin_faults("450098", ["A-1001"])
    assert all(not pin_faults(new_one_time_pin()) for _ in range(200))


def test_a_badge_that_bears_something_else(web: Web) -> None:
    """The commander registers what the scanner reads; it opens as the number does; lost, it opens nothing."""
    add_users(web.country, "clerk")
    add_pins(web.country, "T-1")
    made = web.post("commander", "/v1/badges", {"person": "T-1", "text": "0045 88x"})
    assert made.status_code == 201
    assert made.json()["text"] == "0045 88X"
    assert web.post("commander", "/v1/badges", {"person": "T-1", "text": "0045 88X"}).json() == made.json()
    taken = problem(web.post("commander", "/v1/badges", {"person": "T-2", "text": "0045 88X"}), 422, "invalid")
    assert "another person's badge" in taken["faults"][0]["message"]
    number = problem(web.post("commander", "/v1/badges", {"person": "T-2", "text": "a-1001"}), 422, "invalid")
    assert "service number" in number["faults"][0]["message"]
    problem(web.post("clerk", "/v1/badges", {"person": "T-1", "text": "1"}), 403, "not-allowed")
    problem(web.post("commander", "/v1/badges", {"person": "E-1", "text": "77"}), 422, "invalid")
    desk = browser(web.country, enrolled(web.country))
    assert desk.sign_in_by_badge("0045 88x", PINS["T-1"]).status_code == 303
    revoked = web.post("commander", f"/v1/badges/{made.json()['badge_id']}/revoke").json()
    assert revoked["revoked_at"] is not None
    assert desk.sign_in_by_badge("0045 88x", PINS["T-1"]).status_code == 422
    assert web.post("commander", "/v1/badges", {"person": "T-2", "text": "0045 88X"}).status_code == 201


def test_who_may_give_a_pin_and_to_whom(web: Web) -> None:
    """Commanders to people of their own site, registrars to all; never to whoever stands for the unidentified."""
    for who in ("clerk", "armourer", "auditor", "USA"):
        problem(web.post(who, "/v1/pins", {"person": "A-1001"}), 403, "not-allowed")
    for person in ("E-1", "X-1", "UNIDENTIFIED-TAJI"):
        told = problem(web.post("commander", "/v1/pins", {"person": person}), 422, "invalid")
        assert told["faults"][0]["field"] == "person"
    assert re.fullmatch(r"\d{8}", web.post("commander", "/v1/pins", {"person": "A-1001"}).json()["pin"])
    assert web.post("registrar", "/v1/pins", {"person": "E-1"}).status_code == 201


def test_a_soldier_with_a_pin_signs_for_weapons_but_does_not_come_in(country: Country) -> None:
    """A PIN is no role."""
    add_users(country, "clerk")
    add_pins(country, "A-1001")
    answer = browser(country, enrolled(country)).sign_in_by_badge("A-1001")
    assert answer.status_code == 403
    assert "You have no role at TAJI" in text_of(answer.text)


def test_one_person_in_two_roles_says_which(country: Country) -> None:
    """The corporal is a clerk and the armourer: after badge and PIN there is the choice, and documents say what was chosen."""
    add_users(country, "second clerk", "armourer", "clerk")
    add_pins(country, "T-2")
    desk = browser(country, enrolled(country))
    assert desk.sign_in_by_badge("T-2", next="/sessions").headers["location"] == "/sign-in/role?next=/sessions"
    page = desk.get("/sign-in/role?next=/sessions").text
    users = dict(
        reversed(found) for found in re.findall(r'name="user" value="([^"]+)">\s*<p><button[^>]*>(\w+)<', page)
    )
    assert set(users) == {"Clerk", "Armourer"}
    assert desk.send("/sign-in/role", user=users["Armourer"], next="/sessions").headers["location"] == "/sessions"
    assert "armourer · TAJI · Counter K1" in text_of(desk.get("/sessions").text)
    assert len(desk.get("/v1/sessions").json()["rows"]) == 1
    ((other,),) = country.query("SELECT user_id FROM stockpile.user WHERE name = 'talib'")
    problem(desk.send("/sign-in/role", user=str(other)), 403, "not-allowed")


# A second person


def test_the_commander_approves_at_the_clerk_s_counter(country: Country) -> None:
    """The clerk asks for the conclusion of a loss; the commander scans the badge beside the clerk, and approves in a request of the own;
    the clerk's session goes on.
    """
    add_users(country, "clerk", "commander")
    add_pins(country, "T-1", "C-1")
    desk = browser(country, enrolled(country))
    desk.sign_in_by_badge("T-1")
    assert desk.post("/v1/loss-reports", LOSS).status_code == 201
    draft = desk.post("/v1/loss-conclusions", CONCLUSION).json()["document_id"]
    second = desk.post("/v1/station/second", {"badge": "C-1", "pin": PINS["C-1"]})
    assert second.status_code == 201
    assert (second.json()["person"], second.json()["role"]) == ("Major Carim Commander (C-1)", "commander")
    approved = desk.post(f"/v1/drafts/{draft}/approve", Authorization=f"Bearer {second.json()['token']}")
    assert approved.status_code == 201
    assert approved.json()["number"].startswith("TAJI/K1/")
    ((posted_by, approved_by),) = country.query(
        """SELECT p.code, a.code FROM document JOIN party p ON p.party_id = posted_by JOIN party a ON a.party_id = approved_by
           WHERE document_id = %s""",
        draft,
    )
    assert (posted_by, approved_by) == ("T-1", "C-1")
    assert "Sergeant Talib Clerk" in desk.get("/sessions").text
    lives = country.query("SELECT expires_at - created_at <= interval '2 minutes' FROM token")
    assert lives == [(True,)]


def test_the_second_person_s_token_is_for_one_request(country: Country) -> None:
    """A clerk who keeps it, to approve something else as the commander a minute later or to give PINs away, holds nothing."""
    add_users(country, "clerk", "commander")
    add_pins(country, "T-1", "C-1")
    desk = browser(country, enrolled(country))
    desk.sign_in_by_badge("T-1")
    drafts = []
    for rifle in RIFLES[:2]:
        assert desk.post("/v1/loss-reports", {**LOSS, "lines": scans(rifle)}).status_code == 201
        drafts.append(desk.post("/v1/loss-conclusions", {**CONCLUSION, "lines": scans(rifle)}).json()["document_id"])
    token = desk.post("/v1/station/second", {"badge": "C-1", "pin": PINS["C-1"]}).json()["token"]
    assert desk.post(f"/v1/drafts/{drafts[0]}/approve", Authorization=f"Bearer {token}").status_code == 201
    problem(desk.post(f"/v1/drafts/{drafts[1]}/approve", Authorization=f"Bearer {token}"), 401, "not-signed-in")
    problem(desk.post("/v1/pins", {"person": "C-1"}, Authorization=f"Bearer {token}"), 401, "not-signed-in")
    again = desk.post("/v1/station/second", {"badge": "C-1", "pin": PINS["C-1"]}).json()["token"]
    assert desk.post(f"/v1/drafts/{drafts[1]}/approve", Authorization=f"Bearer {again}").status_code == 201


def test_who_can_not_be_the_second_person(country: Country) -> None:
    """Oneself, a soldier without a role, a wrong PIN, a one-time PIN, an unknown role; and nowhere but at an enrolled counter where
    somebody is signed in. No answer repeats a PIN.
    """
    add_users(country, "clerk", "commander")
    add_pins(country, "T-1", "C-1", "A-1001")
    counter = enrolled(country)
    desk = browser(country, counter)
    desk.sign_in_by_badge("T-1")

    def second(badge: str, pin: str, status: int, kind: str, **more: str) -> str:
        answer = desk.post("/v1/station/second", {"badge": badge, "pin": pin, **more})
        assert pin not in answer.text
        return str(problem(answer, status, kind))

    assert "another person" in second("T-1", PINS["T-1"], 403, "not-allowed")
    assert "no such role" in second("A-1001", PINS["A-1001"], 403, "not-allowed")
    assert "badge or the PIN is wrong" in second("C-1", "918273", 422, "invalid")
    assert "no such role" in second("C-1", PINS["C-1"], 403, "not-allowed", role="armourer")
    assert "one of commander" in second("C-1", PINS["C-1"], 422, "invalid", role="king")
    second("C-1", "9" * 300, 422, "invalid")
    assert "one-time PIN" in second("C-1", one_time_pin(country, "C-1", "registrar"), 422, "invalid")
    away = browser(country)
    away.sign_in("clerk")
    answer = away.post("/v1/station/second", {"badge": "C-1", "pin": PINS["C-1"]})
    assert "at an enrolled counter" in problem(answer, 403, "not-allowed")["detail"]
    assert country.query("SELECT count(*) FROM token") == [(0,)]
    problem(desk.post(f"/v1/drafts/{uuid4()}/approve"), 403, "not-allowed")
