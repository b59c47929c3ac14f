"""Stories of signing in by name and password: who comes in, how long they stay, who is kept waiting, what another site can't do."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stockpile import attempts, passwords, users
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, TooSoon
from stockpile.passwords import password_faults
from tests.api_world import Web, problem, served
from tests.signing_in import PASSWORD, USERS, add_pins, add_users, browser, enrolled
from tests.test_reference_commands import Ask, stockpile
from tests.world import RIFLES, Country, scans

__all__ = ["stockpile"]
web = pytest.fixture(served)

ISSUE = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}


def text_of(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub("<[^>]+>", " ", page).split())


def test_a_clerk_signs_in_and_works(country: Country) -> None:
    """Away from a counter: name, role and site stand on every page, and documents go into the site's common book."""
    add_users(country, "clerk")
    clerk = browser(country)
    assert clerk.get("/sessions").headers["location"] == "/sign-in?next=/sessions"
    answer = clerk.sign_in("clerk", next="/sessions")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions")
    shown = text_of(clerk.get("/sessions").text)
    assert "Sergeant Talib Clerk clerk · TAJI · book B Sign out" in shown
    assert "this one" in shown
    posted = clerk.post("/v1/issues", ISSUE)
    assert posted.status_code == 201
    assert posted.json()["number"].startswith("TAJI/B/")
    ((poster,),) = country.query(
        "SELECT p.code FROM document JOIN party p ON p.party_id = posted_by WHERE act = 'issue'"
    )
    assert poster == "T-1"


def test_signing_out_ends_it(country: Country) -> None:
    """The cookie is taken away, and a copy of it opens nothing."""
    add_users(country, "clerk")
    clerk = browser(country)
    clerk.sign_in("clerk")
    copied = clerk.session
    answer = clerk.send("/sign-out")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert clerk.session is None
    thief = browser(country)
    thief.client.cookies.set("stockpile_session", copied or "")
    told = problem(thief.get("/v1/rights"), 401, "not-signed-in")
    assert "over" in told["detail"]
    assert thief.get("/sessions").headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_script_reads_the_cookies_and_no_other_site_has_them_sent(country: Country, scheme: str) -> None:
    """HttpOnly, SameSite=Strict, the whole service; over HTTPS also Secure and __Host-, and the plain name is not listened to then."""
    add_users(country, "clerk", "commander")
    at_desk = browser(country, enrolled(country), scheme=scheme)
    cookies = at_desk.sign_in("clerk").headers.get_list("set-cookie")
    secure = scheme == "https"
    prefix = "__Host-" if secure else ""
    assert [cookie.split("=")[0] for cookie in cookies] == [f"{prefix}stockpile_session", f"{prefix}stockpile_counter"]
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=strict", "path=/"} <= attributes
        assert ("secure" in attributes) is secure
        assert not any(part.startswith("domain") for part in attributes)
    assert at_desk.get("/v1/rights").status_code == 200
    if secure:
        planted = browser(country, scheme="https")
        planted.client.cookies.set("stockpile_session", at_desk.client.cookies["__Host-stockpile_session"])
        problem(planted.get("/v1/rights"), 401, "not-signed-in")


def test_an_unknown_name_and_a_wrong_password_are_told_alike(country: Country) -> None:
    """The same words and status; the name is kept in the form, the password nowhere; and what was typed as a name is not kept."""
    add_users(country, "clerk")
    visitor = browser(country)
    answers = [visitor.send("/sign-in", name=name, password="hunter2-hunter2") for name in ("talib", "my secret words")]
    assert [answer.status_code for answer in answers] == [401, 401]
    for answer, name in zip(answers, ("talib", "my secret words"), strict=True):
        assert "The name or the password is wrong." in text_of(answer.text)
        assert f'value="{name}"' in answer.text
        assert "hunter2" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    kept = country.owner_query("SELECT row_to_json(f)::text FROM sign_in_failure f")
    assert len(kept) == 2
    assert not any("secret" in row[0] for row in kept)
    assert visitor.session is None


def test_a_disabled_user_is_nobody_at_once(web: Web) -> None:
    """Also in the session that is open; enabled again the password holds as before."""
    country = web.country
    add_users(country, "clerk")
    clerk = browser(country)
    clerk.sign_in("clerk")
    ((user_id,),) = country.owner_query("SELECT user_id FROM stockpile.user")
    told = web.post("registrar", f"/v1/users/{user_id}/disable")
    assert told.json()["disabled_at"] is not None
    problem(clerk.get("/v1/rights"), 401, "not-signed-in")
    assert clerk.sign_in("clerk").status_code == 401
    web.post("registrar", f"/v1/users/{user_id}/enable")
    assert clerk.sign_in("clerk").status_code == 303


@pytest.mark.parametrize(
    "aged",
    ["last_seen_at = now() - interval '31 minutes'", "ends_at = now() - interval '1 second'", "ended_at = now()"],
)
def test_a_session_ends_by_itself(country: Country, aged: str) -> None:
    """Unused for half an hour, after a shift, or ended."""
    add_users(country, "clerk")
    clerk = browser(country)
    clerk.sign_in("clerk")
    country.owner_query(f"UPDATE session SET {aged} RETURNING 1")
    problem(clerk.get("/v1/rights"), 401, "not-signed-in")


def test_a_session_in_use_goes_on(country: Country) -> None:
    """Seen again within half an hour it lives another one, but never longer than a shift; at a counter it may rest for hours."""
    add_users(country, "clerk")
    clerk, at_desk = browser(country), browser(country, enrolled(country))
    for one in (clerk, at_desk):
        one.sign_in("clerk")
    country.owner_query("UPDATE session SET last_seen_at = now() - interval '29 minutes' RETURNING 1")
    assert clerk.get("/v1/rights").status_code == 200
    seen = country.query("SELECT now() - last_seen_at < interval '1 minute' FROM session WHERE counter_id IS NULL")
    assert seen == [(True,)]
    country.owner_query("UPDATE session SET last_seen_at = now() - interval '3 hours' RETURNING 1")
    problem(clerk.get("/v1/rights"), 401, "not-signed-in")
    assert at_desk.get("/v1/rights").status_code == 200
    lives = country.query("SELECT DISTINCT ends_at - created_at FROM session")
    assert lives == [(timedelta(hours=12),)]


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(country: Country) -> None:
    """The station was left open and is in touch all the time: the session is over all the same."""
    add_users(country, "clerk")
    left = browser(country)
    left.sign_in("clerk")
    country.owner_query("UPDATE session SET last_seen_at = now() - interval '29 minutes' RETURNING 1")
    assert left.get("/v1/rights", **{"X-Stockpile-Unattended": "1"}).status_code == 200
    assert country.query("SELECT now() - last_seen_at > interval '28 minutes' FROM session") == [(True,)]
    assert left.get("/v1/rights").status_code == 200
    assert country.query("SELECT now() - last_seen_at < interval '1 minute' FROM session") == [(True,)]


def test_sessions_are_ended_from_elsewhere_but_only_ones_own(country: Country) -> None:
    """The clerk forgot to sign out in the office, and ends that from the desk; nobody ends another's."""
    add_users(country, "clerk", "second clerk")
    office, desk, other = browser(country), browser(country), browser(country)
    office.sign_in("clerk")
    desk.sign_in("clerk")
    other.sign_in("second clerk")
    rows = desk.get("/v1/sessions").json()["rows"]
    assert [row["this"] for row in rows] == [True, False]
    forgotten = rows[1]["session_id"]
    problem(other.post(f"/v1/sessions/{forgotten}/end"), 404, "not-found")
    assert desk.send(f"/sessions/{forgotten}/end").status_code == 303
    problem(office.get("/v1/rights"), 401, "not-signed-in")
    assert desk.get("/v1/rights").status_code == 200


# A prankster


def test_a_prankster_locks_out_himself_alone(country: Country) -> None:
    """Somebody types the clerk's name with wrong passwords, again and again. There one waits, longer each time, and is told how long;
    the clerk signs in at the counter and from home as ever, and the commander sees what went on.
    """
    add_users(country, "clerk", "commander")
    add_pins(country, "T-1")
    prankster = browser(country, address="203.0.113.9")
    for _ in range(3):
        assert prankster.sign_in("clerk", "wrong").status_code == 401
    country.owner_query("UPDATE sign_in_failure SET not_before = now() + interval '30 seconds' RETURNING 1")
    waits = prankster.sign_in("clerk", "wrong")
    assert waits.status_code == 429
    assert int(waits.headers["retry-after"]) >= 1
    assert re.search(r"Try again in \d+ seconds?; elsewhere you can sign in\.", text_of(waits.text))
    country.owner_query(
        "UPDATE sign_in_failure SET failures = 30, not_before = now() + interval '15 minutes' RETURNING 1"
    )
    told = prankster.sign_in("clerk")
    assert told.status_code == 429
    assert "15 minutes" in text_of(told.text)

    counter = browser(country, enrolled(country), address="203.0.113.9")
    assert counter.sign_in_by_badge("T-1").status_code == 303
    assert counter.sign_in("clerk").status_code == 303
    assert browser(country, address="198.51.100.4").sign_in("clerk").status_code == 303

    commander = browser(country, address="198.51.100.5")
    commander.sign_in("commander")
    (row,) = commander.get("/v1/sign-in-failures").json()["rows"]
    assert (row["who"], row["by"]) == ("Sergeant Talib Clerk (T-1)", "password of talib")
    assert (row["place"], row["site"], row["failures_in_all"]) == ("address 203.0.113.9", "TAJI", 3)
    assert row["waits_until"] is not None
    assert "address 203.0.113.9" in commander.get("/sign-in-failures").text
    problem(counter.get("/v1/sign-in-failures"), 403, "not-allowed")


def test_who_waited_and_knows_it_begins_anew(country: Country) -> None:
    """The wait is over, the right password is given, and the next mistake is a first one; two stood in the list all along."""
    add_users(country, "clerk")
    clerk = browser(country)
    for _ in range(2):
        clerk.sign_in("clerk", "wrong")
    assert clerk.sign_in("clerk").status_code == 303
    assert country.owner_query("SELECT failures, failures_in_all FROM sign_in_failure") == [(0, 2)]
    assert clerk.sign_in("clerk", "wrong").status_code == 401
    assert country.owner_query("SELECT failures FROM sign_in_failure") == [(1,)]


def test_many_guesses_at_once_are_no_way_round(country: Country) -> None:
    """Each is counted before it is looked at: of twenty at the same moment no more are tried than of twenty in a row."""
    add_users(country, "clerk")
    ((user_id,),) = country.owner_query("SELECT user_id FROM stockpile.user")
    where, begun = attempts.Where("203.0.113.9"), list[bool]()

    def guess() -> None:
        try:
            attempts.begin_attempt(country.engine, attempts.Subject(user_id, user_id), where)
            begun.append(True)
        except TooSoon:
            begun.append(False)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(begun) == 3


def test_the_waits_grow_and_stay(country: Country) -> None:
    """From nothing to a quarter of an hour for that pair; after a quiet day it begins anew."""
    add_users(country, "clerk")
    ((user_id,),) = country.owner_query("SELECT user_id FROM stockpile.user")
    subject, where = attempts.Subject(user_id, user_id), attempts.Where("203.0.113.9")
    seen = []
    for _ in range(len(attempts.DELAYS) + 1):
        attempts.begin_attempt(country.engine, subject, where)
        ((wait,),) = country.owner_query("SELECT extract(epoch FROM not_before - last_at)::int FROM sign_in_failure")
        seen.append(wait)
        country.owner_query("UPDATE sign_in_failure SET not_before = now() RETURNING 1")
    assert seen == [*attempts.DELAYS, attempts.DELAYS[-1]]
    country.owner_query("UPDATE sign_in_failure SET last_at = now() - interval '25 hours' RETURNING 1")
    attempts.begin_attempt(country.engine, subject, where)
    assert country.owner_query("SELECT failures FROM sign_in_failure") == [(1,)]


def test_a_flood_from_one_address_is_braked_and_no_counter_behind_it(country: Country) -> None:
    """Whatever names are tried. A counter is a place of its own, though it has the same address."""
    brake, flood = attempts.Brake(), attempts.Where("203.0.113.9")
    for _ in range(30):
        brake.check(flood)
    with pytest.raises(TooSoon, match="Too many tries from here"):
        brake.check(flood)
    brake.check(attempts.Where("203.0.113.10"))
    add_users(country, "clerk")
    at_desk = browser(country, enrolled(country), address="203.0.113.9")
    for _ in range(31):
        last = browser(country, address="203.0.113.9").send("/sign-in/badge", badge="T-1", pin="1")
    assert last.status_code == 429
    assert at_desk.sign_in("clerk").status_code == 303


def test_a_subscriber_s_ipv6_addresses_are_one_place() -> None:
    """Nobody gets new tries by another address of the same network."""
    first, second = (attempts.Where(f"2001:db8:7:1::{n}").place for n in (1, 2))
    assert first == second == "address 2001:db8:7:1::/64"
    assert attempts.Where("2001:db8:7:2::1").place != first


def test_few_passwords_are_computed_at_once() -> None:
    """Each takes 46 MiB: of thirty at the same moment eight are let in, two at a time; the others are told to come again."""
    kept = passwords.hashed("seven grey herons")
    told: list[bool | int] = []

    def compare() -> None:
        try:
            told.append(passwords.matches("seven grey herons", kept))
        except TooSoon as wait:
            told.append(wait.seconds)

    threads = [threading.Thread(target=compare) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count(True) >= passwords.AT_ONCE + passwords.IN_LINE
    assert told.count(3) >= 10
    assert len(told) == 30


# Other sites


CROSS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://testserver:8080"},
    {"Origin": "https://testserver"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "null"},
    {"Origin": "http://[broken"},
    {},
]


@pytest.mark.parametrize("headers", CROSS)
def test_another_site_can_t_send_what_the_cookie_would_sign_in(country: Country, headers: dict[str, str]) -> None:
    """Acts, pages and signing in itself: refused in words, and nothing is done."""
    add_users(country, "clerk")
    clerk = browser(country)
    clerk.sign_in("clerk")
    clerk.headers = headers
    for answer in (
        clerk.post("/v1/issues", ISSUE),
        clerk.client.post("/sign-out", headers=headers),
        clerk.client.post("/sign-in", data={"name": "talib", "password": PASSWORD}, headers=headers),
        clerk.client.delete("/v1/rights", headers=headers),
    ):
        told = problem(answer, 403, "not-allowed")
        assert "not by a page of this service" in told["detail"]
    assert country.where(RIFLES[0]) == "Main store"
    assert clerk.get("/v1/rights", **headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://testserver"},
        {"Origin": "http://TESTSERVER:80"},
    ],
)
def test_our_own_pages_are_heard(country: Country, headers: dict[str, str]) -> None:
    """By the browser's own word; where it gives none, by its origin."""
    add_users(country, "clerk")
    clerk = browser(country)
    clerk.headers = headers
    assert clerk.sign_in("clerk").status_code == 303
    assert clerk.post("/v1/issues", ISSUE).status_code == 201


def test_a_token_needs_no_page(web: Web) -> None:
    """Programs send it by themselves; beside a cookie it is the token that speaks."""
    add_users(web.country, "clerk")
    clerk = browser(web.country)
    clerk.sign_in("clerk")
    answer = clerk.client.post("/v1/issues", json=ISSUE, headers=web.headers("second clerk"))
    assert answer.json()["number"].startswith("TAJI/C/")


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/counters?cursor=a%2Fb", "/counters?cursor=a%2Fb"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-in?next=/", "/"),
        ("/sign-out", "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_stays_here(country: Country, wanted: str, goes_to: str) -> None:
    """Only to pages of this service, whatever a link said."""
    add_users(country, "clerk")
    assert browser(country).sign_in("clerk", next=wanted).headers["location"] == goes_to


# Passwords


def test_a_one_time_code_is_changed_before_anything_else(web: Web) -> None:
    """The registrar makes a user and tells the code. With it the clerk comes in, can do nothing but choose a password, and the code is
    used up.
    """
    wanted = {"name": "Talib", "role": "clerk", "party": "T-1", "site": "TAJI"}
    made = web.post("registrar", "/v1/users", wanted)
    assert made.status_code == 201
    code = made.json()["code"]
    assert re.fullmatch("([2-9A-Z]{4}-){3}[2-9A-Z]{4}", code)
    clerk = browser(web.country)
    answer = clerk.sign_in("clerk", code, next="/sessions")
    assert answer.headers["location"] == "/sign-in/password?next=/sessions"
    assert "choose your own" in problem(clerk.get("/v1/rights"), 401, "not-signed-in")["detail"]
    assert clerk.get("/sessions").headers["location"] == "/sign-in/password?next=/sessions"
    for password, again, why in (
        (code, code, "this is the one-time code"),
        ("short", "short", "10 to 200 characters"),
        ("seven grey herons", "seven grey heron", "the two differ"),
    ):
        refused = clerk.send("/sign-in/password", password=password, again=again)
        assert refused.status_code == 422
        assert why in text_of(refused.text)
    assert clerk.send("/sign-in/password", password=PASSWORD, again=PASSWORD, next="/sessions").status_code == 303
    assert clerk.get("/v1/rights").status_code == 200
    assert browser(web.country).sign_in("clerk", code).status_code == 401
    assert browser(web.country).sign_in("clerk").status_code == 303


def test_changing_ones_password_takes_the_present_one(country: Country) -> None:
    """Whoever finds the browser open can't change it; every other session is over then."""
    add_users(country, "clerk")
    clerk, elsewhere = browser(country), browser(country)
    for one in (clerk, elsewhere):
        one.sign_in("clerk")
    new = "eight white storks"
    refused = clerk.send("/sign-in/password", present="a guess", password=new, again=new)
    assert (refused.status_code, "not your present password" in refused.text) == (422, True)
    assert clerk.send("/sign-in/password", present=PASSWORD, password=new, again=new).status_code == 303
    assert clerk.get("/v1/rights").status_code == 200
    problem(elsewhere.get("/v1/rights"), 401, "not-signed-in")
    assert elsewhere.sign_in("clerk", new).status_code == 303


@pytest.mark.parametrize(
    "password",
    ["", "short", "aaaaaaaaaaaaaa", "password123", "talib.karim1", "T-100001", "nothing-here-is-real", "x" * 201],
)
def test_what_anybody_guesses_is_no_password(password: str) -> None:
    """Too short, too much the same, one's own name, the demonstration's."""
    (fault,) = password_faults(password, ("talib.karim", "T-100001"))
    assert password not in fault.message or not password
    assert fault.value is None


def test_the_demonstration_s_password_is_nobody_s_elsewhere(country: Country) -> None:
    """A registrar can't give it, a user can't choose it."""
    with transaction(country.engine, roles.REGISTRAR) as connection, pytest.raises(Invalid) as refused:
        users.add_user(connection, "talib", "clerk", "T-1", "TAJI", password=passwords.DEMONSTRATION)
    assert "demonstration" in refused.value.faults[0].message


def test_a_password_is_kept_as_argon2_and_typed_in_any_composition(country: Country) -> None:
    """The same letters from another keyboard are the same password."""
    kept = passwords.hashed("sept hérons gris")
    assert kept.startswith("$argon2id$")
    assert passwords.matches("sept he\u0301rons gris", kept)
    assert not passwords.matches("sept herons gris", kept)
    assert not passwords.matches("sept hérons gris", None)


# Users


def test_only_registrars_keep_users(web: Web) -> None:
    """All others are told whom it takes; the list shows everybody, never a password."""
    add_users(web.country)
    for who in ("clerk", "commander", "auditor", "USA"):
        for answer in (web.get(who, "/v1/users"), web.post(who, "/v1/users", {"name": "x", "role": "registrar"})):
            assert "registrar" in problem(answer, 403, "not-allowed")["detail"]
    listed = web.get("registrar", "/v1/users")
    assert {row["name"] for row in listed.json()["rows"]} == {name for name, *_ in USERS.values()}
    assert "argon2" not in listed.text
    csv = web.get("registrar", "/v1/users", format="csv")
    assert "talib" in csv.text
    assert "argon2" not in csv.text


def faults(web: Web, **wanted: Any) -> set[str]:
    told = problem(web.post("registrar", "/v1/users", wanted), 422, "invalid")
    return {fault["field"] for fault in told["faults"]}


def test_a_user_needs_what_the_role_is_bound_to(web: Web) -> None:
    """Each thing that is missing, unknown, taken or out of place is named; a password is never shown."""
    clerk = {"name": "talib", "role": "clerk", "party": "T-1", "site": "TAJI", "password": PASSWORD}
    assert faults(web, name="a b", role="clerk") == {"name", "party", "site"}
    assert faults(web, **{**clerk, "party": "X-9", "site": "NOWHERE"}) == {"party", "site"}
    assert faults(web, **{**clerk, "role": "king"}) == {"role"}
    assert faults(web, **{**clerk, "role": "donor"}) == {"party", "site", "donor"}
    short = web.post("registrar", "/v1/users", {**clerk, "password": "hunter2"})
    assert "hunter2" not in short.text
    too_long = web.post("registrar", "/v1/users", {**clerk, "password": "hunter2" * 100})
    assert "hunter2" not in problem(too_long, 422, "invalid")["detail"] + too_long.text
    assert web.post("registrar", "/v1/users", clerk).status_code == 201
    assert faults(web, **clerk) == {"name"}
    assert faults(web, **{**clerk, "name": "TALIB "}) == {"name"}
    assert faults(web, **{**clerk, "name": "talib2"}) == {"party"}


def test_donors_sign_in_too(web: Web) -> None:
    """Several people of one donor, each by an own name; they see the donor's own."""
    for name in ("usa.first", "usa.second"):
        made = web.post("registrar", "/v1/users", {"name": name, "role": "donor", "donor": "USA", "password": PASSWORD})
        assert made.status_code == 201, made.text
    donor = browser(web.country)
    assert donor.send("/sign-in", name="usa.second", password=PASSWORD).status_code == 303
    assert "Government of USA donor" in text_of(donor.get("/sessions").text)
    problem(donor.get("/v1/parties"), 403, "not-allowed")

    colleague = browser(web.country)
    colleague.send("/sign-in", name="usa.first", password=PASSWORD)
    (own,) = colleague.get("/v1/sessions").json()["rows"]
    problem(donor.post(f"/v1/sessions/{own['session_id']}/end"), 404, "not-found")
    assert len(donor.get("/v1/sessions").json()["rows"]) == 1


def test_users_at_the_command_line(stockpile: Ask, country: Country, tmp_path: Path) -> None:
    """Whoever has the machine adds the first users, lists them, gives another password, and disables them."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    added = stockpile(
        "user", "add", "Talib", "--role", "clerk", "--party", "T-1", "--site", "TAJI", "--password-file", str(file)
    )
    assert "talib: added." in added
    assert browser(country).sign_in("clerk").status_code == 303
    by_code = stockpile("user", "add", "carim", "--role", "commander", "--party", "C-1", "--site", "TAJI", "--one-time")
    code = by_code.strip().rpartition(": ")[2]
    assert browser(country).sign_in("commander", code).headers["location"] == "/sign-in/password"
    listed = stockpile("user", "list")
    assert re.search(r"talib +Sergeant Talib Clerk \(T-1\) +clerk +TAJI", listed)
    assert "commander" not in stockpile("user", "list", "talib")
    changed = stockpile("user", "password", "talib", "--one-time")
    assert "One-time code" in changed
    assert browser(country).sign_in("clerk").status_code == 401
    assert "talib: disabled." in stockpile("user", "disable", "talib")
    assert "talib" not in stockpile("user", "list", "--alive")
    stockpile("user", "enable", "talib")
    assert "talib" in stockpile("user", "list", "--alive")
    assert "There is no user" in stockpile("user", "disable", "nobody", fails=True)
    empty = stockpile("user", "password", "talib", "--password-file", str(tmp_path / "none"), fails=True)
    assert "cannot be read" in empty
