"""Stories of single sign-on, by a real provider over HTTP: who comes in, who waits for a registrar, and what comes back that nobody asked
for.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response

from stockpile import users
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid
from stockpile.settings import read_settings
from stockpile.single_sign_on import bindings, openid
from stockpile.single_sign_on.providers import end_provider, secret_of
from tests.api_world import Web, problem, served
from tests.providers import SECRET, Ministry, iam_configuration, iam_server, iam_server_port, ministry, trusted
from tests.signing_in import Browser, add_users, browser, enrolled, one_time_pin
from tests.test_privileges import DENIED, answer_to, standing_as
from tests.test_reference_commands import Ask, stockpile
from tests.test_sign_in import ISSUE, text_of
from tests.world import Country

__all__ = ["iam_configuration", "iam_server", "iam_server_port", "ministry", "stockpile"]
web = pytest.fixture(served)


def bound(country: Country, user: str, subject: str, provider: str = "ministry") -> None:
    """A registrar's decision."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        bindings.bind(connection, provider, subject, user, country.actors["registrar"].party_id)


def sent_to(person: Browser, **query: str) -> str:
    """Where the provider is, with what it is asked."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = person.get(f"/sign-in/with/ministry?{asked}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def come_in(person: Browser, ministry: Ministry, **query: str) -> Response:
    """There and back."""
    return person.get(ministry.answers(sent_to(person, **query)))


def role_of(person: Browser) -> str:
    """In which role somebody is signed in."""
    return str(next(row["role"] for row in person.get("/v1/sessions").json()["rows"] if row["this"]))


def test_a_clerk_comes_in_by_the_ministry_and_works(country: Country, ministry: Ministry) -> None:
    """The form offers it; the provider's word opens the very user that a registrar bound, on the page that was wanted; a local password
    goes on beside it.
    """
    add_users(country, "clerk")
    trusted(country, ministry.issuer)
    bound(country, "talib", "karim.t")
    ministry.signed_in("karim.t")
    clerk = browser(country)
    form = clerk.get("/sign-in?next=/documents").text
    assert 'href="/sign-in/with/ministry?next=/documents"' in form
    assert "Sign in with The Ministry" in text_of(form)

    asked = sent_to(clerk, next="/documents")
    query = {name: value[0] for name, value in parse_qs(urlsplit(asked).query).items()}
    assert (query["response_type"], query["scope"], query["code_challenge_method"]) == (
        "code",
        "openid profile",
        "S256",
    )
    assert query["redirect_uri"] == "http://testserver/sign-in/with/ministry/back"
    assert "prompt" not in query
    assert len(query["state"]) == len(query["nonce"]) == 43
    answer = clerk.get(ministry.answers(asked))
    assert answer.status_code == 200, answer.text
    assert '<meta http-equiv="refresh" content="0; url=/documents">' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert clerk.get("/v1/rights").status_code == 200
    assert clerk.post("/v1/issues", ISSUE).json()["number"].startswith("TAJI/B/")
    assert "single sign-on" in text_of(clerk.get("/sessions").text)
    assert browser(country).sign_in("clerk").status_code == 303
    kept = country.owner_query("SELECT how, binding_id IS NOT NULL FROM session ORDER BY created_at")
    assert kept == [("single sign-on", True), ("password", False)]


def test_an_unknown_account_waits_for_a_registrar(web: Web, ministry: Ministry) -> None:
    """Whatever name the provider tells: nobody comes in by it. The page gives a code; the registrar sees who waits and binds them; then
    they come in. Unbound again they are out at once, and it is on record who did both.
    """
    country = web.country
    add_users(country, "clerk", "registrar")
    trusted(country, ministry.issuer)
    ministry.signed_in("talib")
    stranger, rana = browser(country), browser(country)
    answer = come_in(stranger, ministry)
    assert answer.status_code == 403
    shown = text_of(answer.text)
    assert "nobody has decided yet who you are here" in shown
    code = re.search("[2-9A-Z]{4}-[2-9A-Z]{4}", shown)
    assert code is not None
    assert stranger.session is None
    assert come_in(stranger, ministry).status_code == 403

    rana.sign_in("registrar")
    page = text_of(rana.get("/single-sign-on").text)
    assert code[0] in page
    assert "Talib There" in page
    (waiting,) = rana.get("/v1/sign-in-requests").json()["rows"]
    assert (waiting["subject"], waiting["called"], waiting["code"]) == ("talib", "Talib There", code[0])
    refused = rana.send(f"/single-sign-on/requests/{waiting['request_id']}/bind", user="nobody.here")
    assert refused.status_code == 422
    assert "There is no user" in text_of(refused.text)
    assert 'value="nobody.here"' in refused.text
    assert rana.send(f"/single-sign-on/requests/{waiting['request_id']}/bind", user="a\0b").status_code == 422
    assert rana.send(f"/single-sign-on/requests/{waiting['request_id']}/bind", user="Talib").status_code == 303
    assert rana.get("/v1/sign-in-requests").json()["rows"] == []
    assert come_in(stranger, ministry).status_code == 200
    assert role_of(stranger) == "clerk"

    (kept,) = rana.get("/v1/sign-in-bindings").json()["rows"]
    assert (kept["user"], kept["subject"], kept["provider"]) == ("talib", "talib", "ministry")
    assert "Rana" in kept["bound_by"]
    assert rana.send(f"/single-sign-on/bindings/{kept['binding_id']}/end").status_code == 303
    problem(stranger.get("/v1/rights"), 401, "not-signed-in")
    (kept,) = rana.get("/v1/sign-in-bindings").json()["rows"]
    assert "Rana" in kept["unbound_by"]
    assert come_in(stranger, ministry).status_code == 403
    for who in ("clerk", "commander", "auditor", "USA"):
        for path in ("/v1/sign-in-providers", "/v1/sign-in-requests", "/v1/sign-in-bindings"):
            problem(web.get(who, path), 403, "not-allowed")
        problem(
            web.post(who, "/v1/sign-in-bindings", {"user": "talib", "provider": "ministry", "subject": "x"}),
            403,
            "not-allowed",
        )


def test_what_was_not_asked_for_here_lets_nobody_in(country: Country, ministry: Ministry) -> None:
    """A forged state, another's state, an answer carried to another browser, one used already, one that names another issuer or none: each
    is refused, and begins nothing.
    """
    add_users(country, "clerk")
    trusted(country, ministry.issuer)
    bound(country, "talib", "talib")
    ministry.signed_in("talib")
    clerk, attacker = browser(country), browser(country)
    good = ministry.answers(sent_to(clerk))
    state = parse_qs(urlsplit(good).query)["state"][0]
    others = parse_qs(urlsplit(ministry.answers(sent_to(attacker))).query)["state"][0]
    for forged in (good.replace(state, "x" * 43), good.replace(state, others), re.sub("state=[^&]+", "", good)):
        told = clerk.get(forged)
        assert told.status_code == 401
        assert "was not asked for here" in text_of(told.text)
    assert attacker.get(good).status_code == 401
    assert browser(country).get(good).status_code == 401
    assert clerk.get(good).status_code == 200
    signed_in = clerk.session
    again = clerk.get(good)
    assert (again.status_code, clerk.session) == (401, signed_in)

    for change in (("iss=", "iss=http%3A%2F%2Fevil.example&was="), ("iss=", "was=")):
        answer = clerk.get(ministry.answers(sent_to(clerk)).replace(*change))
        assert answer.status_code == 401
        assert "did not vouch for you" in text_of(answer.text)
    used = ministry.answers(sent_to(clerk))
    code = parse_qs(urlsplit(used).query)["code"][0]
    assert clerk.get(used).status_code == 200
    fresh = ministry.answers(sent_to(clerk))
    replayed = fresh.replace(parse_qs(urlsplit(fresh).query)["code"][0], code)
    assert clerk.get(replayed).status_code == 401
    assert country.owner_query("SELECT count(*) FROM sign_in_flow") == [(1,)]
    denied = clerk.get(f"/sign-in/with/ministry/back?error=access_denied&state={'y' * 43}")
    assert denied.status_code == 401


def test_a_token_for_another_service_opens_nothing_and_new_keys_are_fetched(
    country: Country, ministry: Ministry
) -> None:
    """What people show elsewhere is no key to this service. The provider changes its keys overnight: nobody has to do anything."""
    add_users(country, "clerk")
    trusted(country, ministry.issuer)
    bound(country, "talib", "talib")
    ministry.signed_in("talib")
    clerk = browser(country)
    ministry.for_audience(ministry.another_client())
    assert come_in(clerk, ministry).status_code == 401
    ministry.for_audience(ministry.client)
    assert come_in(clerk, ministry).status_code == 200
    ministry.rotate_keys()
    assert come_in(clerk, ministry).status_code == 200


def test_a_provider_that_is_down_keeps_nobody_from_signing_in_by_password(country: Country, ministry: Ministry) -> None:
    """There or on the way back: the form says so and has all other ways."""
    add_users(country, "clerk")
    trusted(country, "http://localhost:1")
    clerk = browser(country)
    answer = clerk.get("/sign-in/with/ministry?next=/documents")
    assert answer.status_code == 503
    assert "gives no answer that can be used" in text_of(answer.text)
    assert 'name="password"' in answer.text
    assert clerk.sign_in("clerk", next="/documents").headers["location"] == "/documents"
    assert clerk.get("/sign-in/with/nobody").status_code == 404
    assert clerk.get("/sign-in/with/%00").status_code == 404
    assert clerk.get("/sign-in/with/nobody/back?state=x").status_code == 404


def test_a_donor_s_provider_signs_in_that_donor_s_people_alone(country: Country, ministry: Ministry) -> None:
    """An insider at a donor's provider becomes no registrar and nobody of another donor, whatever account they make there: not by a
    registrar's mistake, not by a row written past the program.
    """
    add_users(country, "registrar")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        users.add_user(connection, "usa.officer", "donor", donor="USA", without_password=True)
        users.add_user(connection, "fra.officer", "donor", donor="FRA", without_password=True)
    trusted(country, ministry.issuer, "usa", donor="USA")
    for user in ("rana", "fra.officer"):
        with pytest.raises(Invalid) as refused:
            bound(country, user, "insider", "usa")
        assert "not one of the people for whom this provider vouches" in refused.value.faults[0].message
    country.owner_query(
        """INSERT INTO sign_in_binding (binding_id, provider_id, subject, user_id, bound_at)
           SELECT gen_random_uuid(), p.provider_id, 'insider', u.user_id, now() FROM sign_in_provider p, stockpile.user u
           WHERE u.name = 'rana' RETURNING 1"""
    )
    ministry.signed_in("insider")
    officer = browser(country)
    asked = officer.get("/sign-in/with/usa").headers["location"]
    assert officer.get(ministry.answers(asked)).status_code == 403
    assert officer.session is None
    bound(country, "usa.officer", "officer", "usa")
    ministry.signed_in("officer")
    asked = officer.get("/sign-in/with/usa").headers["location"]
    assert officer.get(ministry.answers(asked)).status_code == 200
    assert role_of(officer) == "donor"

    trusted(country, ministry.issuer)
    with pytest.raises(Invalid, match=r"Nothing was bound\."):
        bound(country, "usa.officer", "officer")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        end_provider(connection, "usa")
    problem(officer.get("/v1/rights"), 401, "not-signed-in")
    assert officer.get("/sign-in/with/usa").status_code == 404


def test_one_account_in_two_roles_chooses(country: Country, ministry: Ministry) -> None:
    """One person, two users: after the provider comes the question in which role. Another person's user is never reached by it."""
    add_users(country, "registrar", "auditor", "clerk")
    trusted(country, ministry.issuer)
    bound(country, "rana", "rana")
    bound(country, "rana.audit", "rana")
    with pytest.raises(Invalid) as refused:
        bound(country, "talib", "rana")
    assert "another person's" in refused.value.faults[0].message
    ministry.signed_in("rana")
    rana = browser(country)
    assert "url=/sign-in/role?next=/documents" in come_in(rana, ministry, next="/documents").text
    page = rana.get("/sign-in/role").text
    assert (role_of(rana), "Auditor" in page, "Registrar" in page) == ("registrar", True, True)
    ids = dict(country.owner_query("SELECT name, user_id::text FROM stockpile.user"))
    problem(rana.send("/sign-in/role", user=ids["talib"]), 403, "not-allowed")
    assert rana.send("/sign-in/role", user=ids["rana.audit"], next="/documents").status_code == 303
    assert role_of(rana) == "auditor"


def test_at_a_counter_the_provider_asks_anew_and_the_session_sits_there(country: Country, ministry: Ministry) -> None:
    """The next person at the desk does not come in as the last. Documents go into the counter's book; a one-time PIN given meanwhile keeps
    nobody from working; signing out says that one may be signed in there still, and where to end that.
    """
    add_users(country, "clerk")
    trusted(country, ministry.issuer)
    bound(country, "talib", "talib")
    ministry.signed_in("talib")
    clerk = browser(country, enrolled(country))
    asked = sent_to(clerk)
    assert "prompt=login" in asked
    assert ministry.answers(asked).startswith("/auth/")
    clerk.get(ministry.answers(asked))
    one_time_pin(country, "T-1")
    assert clerk.post("/v1/issues", ISSUE).json()["number"].startswith("TAJI/K1/")
    former, asked = clerk.session, sent_to(clerk)
    ministry.answers(asked)
    assert clerk.get(ministry.answers(asked)).status_code == 200
    assert former != clerk.session
    assert country.owner_query("SELECT count(*) FROM session WHERE ended_at IS NULL") == [(1,)]

    answer = clerk.send("/sign-out")
    assert answer.headers["location"] == "/sign-in/out/ministry"
    assert clerk.session is None
    page = clerk.get("/sign-in/out/ministry").text
    out = re.search(r'href="(http://localhost:\d+/[^"]+)"', page)
    assert out is not None
    assert "client_id=stockpile" in out[1]
    assert "Sign out of The Ministry too" in text_of(page)


def test_how_somebody_signed_in_there_can_be_demanded(country: Country, ministry: Ministry) -> None:
    """A ministry that has a second factor: without it nobody comes in by it, and is told so."""
    add_users(country, "clerk")
    trusted(country, ministry.issuer, amr=["mfa"])
    bound(country, "talib", "talib")
    ministry.signed_in("talib")
    answer = come_in(browser(country), ministry)
    assert answer.status_code == 401
    assert "not as surely as this service asks for" in text_of(answer.text)


def test_who_has_no_password_comes_in_by_the_provider_alone(country: Country, ministry: Ministry) -> None:
    """And who is disabled not at all."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        made = users.add_user(connection, "talib", "clerk", "T-1", "TAJI", without_password=True)
    assert made.code is None
    trusted(country, ministry.issuer)
    bound(country, "talib", "talib")
    ministry.signed_in("talib")
    clerk = browser(country)
    for password in ("", "none", "a long password"):
        assert clerk.sign_in("clerk", password).status_code in (401, 429)
    assert come_in(clerk, ministry).status_code == 200
    with transaction(country.engine, roles.REGISTRAR) as connection:
        users.disable_user(connection, made.user_id)
    problem(clerk.get("/v1/rights"), 401, "not-signed-in")
    assert come_in(clerk, ministry).status_code == 403


def test_the_secret_is_in_a_file_alone(country: Country, ministry: Ministry) -> None:
    """Readable by its owner; neither in the database nor on a page."""
    trusted(country, ministry.issuer)
    add_users(country, "registrar")
    file = read_settings().data / "sign-in" / "ministry.secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert secret_of(read_settings().data, "ministry") == SECRET
    rana = browser(country)
    rana.sign_in("registrar")
    for path in ("/single-sign-on", "/v1/sign-in-providers"):
        assert SECRET not in rana.get(path).text
    assert SECRET not in str(country.owner_query("SELECT row_to_json(p)::text FROM sign_in_provider p"))


def test_what_is_known_of_a_provider_is_kept(country: Country, ministry: Ministry) -> None:
    """Its addresses and keys are asked for once an hour, not for everybody who signs in."""
    add_users(country, "clerk")
    provider = trusted(country, ministry.issuer)
    first = openid.metadata_of(provider)
    assert openid.metadata_of(provider) is first
    assert first.end_session_endpoint is not None
    assert "none" not in first.algorithms


def test_what_is_over_stays_over_and_nobody_reads_who_was_sent(country: Country, ministry: Ministry) -> None:
    """The database itself: no role binds beyond a scope, brings a binding or provider back, or reads what a browser was sent with."""
    add_users(country, "clerk", "registrar")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        users.add_user(connection, "usa.officer", "donor", donor="USA", without_password=True)
    trusted(country, ministry.issuer)
    bound(country, "talib", "talib")
    ministry.signed_in("talib")
    sent_to(browser(country))
    for role in roles.TAKEN:
        with standing_as(country, role) as connection:
            assert DENIED in answer_to(connection, "SELECT nonce FROM sign_in_flow")
            assert DENIED in answer_to(
                connection, "SELECT sign_in_returned(sha256('a'), sha256('b'), gen_random_uuid())"
            )
            assert DENIED in answer_to(connection, "DELETE FROM sign_in_binding")
            assert DENIED in answer_to(connection, "UPDATE sign_in_provider SET issuer = 'https://evil.example'")
            assert DENIED in answer_to(connection, "UPDATE sign_in_binding SET subject = 'evil'")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        beyond = """INSERT INTO sign_in_binding (binding_id, provider_id, subject, user_id, bound_at)
                    SELECT gen_random_uuid(), p.provider_id, 'x', u.user_id, now() FROM sign_in_provider p, stockpile.user u
                    WHERE u.name = 'usa.officer'"""
        assert "row-level security" in answer_to(connection, beyond)
        assert answer_to(connection, "SELECT forget_bindings(gen_random_uuid())") == "erasure_recorded"
        bindings.unbind(connection, bindings.find_binding(connection, "ministry", "talib"), None)
        assert connection.exec_driver_sql("UPDATE sign_in_binding SET unbound_at = NULL").rowcount == 0
        end_provider(connection, "ministry")
        assert connection.exec_driver_sql("UPDATE sign_in_provider SET ended_at = NULL").rowcount == 0


def test_the_commands(country: Country, ministry: Ministry, stockpile: Ask, tmp_path: Path) -> None:
    """Whoever administers the machine adds a provider, binds, unbinds and ends it; a mistake is told by its field, a secret never."""
    add_users(country, "clerk")
    (secret := tmp_path / "secret").write_text(f"{SECRET}\n")
    asked = [
        "provider",
        "add",
        "ministry",
        "--name",
        "The Ministry",
        "--client-id",
        "stockpile",
        "--secret-file",
        str(secret),
    ]
    assert "such as https://login.ministry.example" in stockpile(
        *asked, "--issuer", "http://login.ministry.example", fails=True
    )
    told = stockpile(*asked, "--issuer", ministry.issuer)
    assert "It leads back to /sign-in/with/ministry/back." in told
    assert "It answers." in told
    assert secret_of(read_settings().data, "ministry") == SECRET
    assert SECRET not in told + stockpile("provider", "list")
    ministry.signed_in("karim")
    assert come_in(browser(country), ministry).status_code == 403
    assert "karim" in stockpile("provider", "waiting")
    assert "talib: bound." in stockpile("provider", "bind", "ministry", "talib", "karim")
    assert "Nobody waits." in stockpile("provider", "waiting")
    clerk = browser(country)
    assert come_in(clerk, ministry).status_code == 200
    assert "karim" in stockpile("provider", "bindings", "--alive")
    stockpile("user", "password", "talib", "--none")
    assert clerk.get("/v1/rights").status_code == 401
    assert clerk.sign_in("clerk").status_code == 401
    assert come_in(clerk, ministry).status_code == 200
    stockpile("provider", "unbind", "ministry", "talib")
    assert clerk.get("/v1/rights").status_code == 401
    assert "bound to no account" in stockpile("provider", "unbind", "ministry", "talib", fails=True)
    stockpile("provider", "end", "ministry")
    assert secret_of(read_settings().data, "ministry") is None
    assert "ministry" not in stockpile("provider", "list", "--alive")
