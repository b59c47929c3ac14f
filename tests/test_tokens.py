"""Tokens: who may have one, how long it lives, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from stockpile import tokens
from stockpile.db import roles
from stockpile.db.engine import connected, transaction
from stockpile.errors import Invalid, NotFound, NotSignedIn
from stockpile.rights import Actor
from stockpile.tokens import NewToken
from tests.world import Country


@contextmanager
def desk_of_registrar(country: Country) -> Iterator[Connection]:
    with transaction(country.engine, roles.REGISTRAR) as connection:
        yield connection


def made(country: Country, **wanted: object) -> NewToken:
    """A token a registrar makes; a clerk's of TAJI unless said otherwise."""
    asked = {"role": "clerk", "label": "counter 1", "party": "T-1", "site": "TAJI", **wanted}
    with desk_of_registrar(country) as connection:
        return tokens.create_token(connection, **asked)  # type: ignore[arg-type]


def signed_in(country: Country, text: str) -> Actor:
    """Whom the service sees behind a token: asked before it has any role."""
    with connected(country.engine) as connection:
        return tokens.authenticate(connection, text)


def faults(country: Country, **wanted: object) -> set[str | None]:
    with pytest.raises(Invalid) as caught:
        made(country, **wanted)
    return {fault.field for fault in caught.value.faults}


def test_a_clerk_gets_a_token_for_a_shift(country: Country) -> None:
    """The registrar makes one for counter D of TAJI: the service knows its bearer, for twelve hours."""
    new = made(country, book="D")
    actor = signed_in(country, new.text)
    assert (actor.party_id, actor.role) == (country.parties["T-1"].party_id, "clerk")
    assert (actor.site_code, actor.time_zone, actor.book_code) == ("TAJI", "Asia/Baghdad", "D")
    assert (actor.token_id, actor.donor_id) == (new.token.token_id, None)
    assert new.token.expires_at - new.token.created_at == timedelta(hours=12)


def test_a_donor_is_bound_to_what_is_its_own(country: Country) -> None:
    """A donor's token belongs to the donor and to no site, and writes in no book."""
    actor = signed_in(country, made(country, role="donor", party=None, site=None, donor="USA").text)
    donor = country.parties["USA"].party_id
    assert (actor.party_id, actor.donor_id, actor.site_id, actor.book_code) == (donor, donor, None, None)


def test_only_the_digest_is_kept(country: Country) -> None:
    """256 random bits behind a prefix; the books hold their SHA-256, and not even a registrar may read that."""
    first, second = made(country).text, made(country).text
    assert first != second
    assert len(first) == len("sp_") + 43
    with (
        desk_of_registrar(country) as connection,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        connection.exec_driver_sql("SELECT secret_hash FROM token")
    stored = {bytes(row[0]) for row in country.owner_query("SELECT secret_hash FROM token")}
    assert {sha256(text.encode()).digest() for text in (first, second)} <= stored


def test_a_revoked_token_is_nobodys(country: Country) -> None:
    """Revoked once, revoked for ever, and revoking it again changes nothing."""
    new = made(country)
    with desk_of_registrar(country) as connection:
        revoked = tokens.revoke_token(connection, new.token.token_id)
        again = tokens.revoke_token(connection, new.token.token_id)
    assert revoked.revoked_at == again.revoked_at is not None
    with pytest.raises(NotSignedIn):
        signed_in(country, new.text)


def test_an_expired_token_is_nobodys(country: Country) -> None:
    """Its hour goes by; the next request is nobody's."""
    new = made(country, lives=timedelta(hours=1))
    country.owner_query("UPDATE token SET expires_at = now() - interval '1 second' RETURNING token_id")
    with pytest.raises(NotSignedIn):
        signed_in(country, new.text)


@pytest.mark.parametrize("text", ["", "sp_", "sp_" + "A" * 43, "sp_" + "A" * 5000, "sp_\0", "sp_ü" * 9, "' OR true --"])
def test_what_is_no_token_signs_nobody_in(country: Country, text: str) -> None:
    """Guesses, rubbish and SQL all get the same answer."""
    with pytest.raises(NotSignedIn, match="unknown, expired or revoked"):
        signed_in(country, text)


def test_a_token_needs_what_its_role_is_bound_to(country: Country) -> None:
    """Each thing that is missing, unknown or out of place is named at once."""
    assert faults(country, party=None, site=None) == {"party", "site"}
    assert faults(country, party="X-9", site="NOWHERE") == {"party", "site"}
    assert faults(country, role="donor", donor="NOWHERE", party=None, site=None) == {"donor"}
    assert faults(country, role="donor", donor="USA") == {"party", "site"}
    assert faults(country, role="auditor", book="A") == {"site", "book"}
    assert faults(country, role="auditor", party="USA", site=None) == {"party"}
    assert faults(country, role="king") == {"role"}
    assert faults(country, book="lower case") == {"book"}
    assert faults(country, book="EXC") == {"book"}
    assert faults(country, label=" ") == {"label"}
    assert faults(country, label="evil\N{RIGHT-TO-LEFT OVERRIDE}txt") == {"label"}


def test_no_token_lives_longer_than_ninety_days(country: Country) -> None:
    """Ninety days are the most; none begins dead."""
    assert made(country, lives=timedelta(days=90)).token.revoked_at is None
    assert faults(country, lives=timedelta(days=90, seconds=1)) == {"lives"}
    assert faults(country, lives=timedelta(seconds=-1)) == {"lives"}


def test_the_list_shows_who_has_which_in_pages(country: Country) -> None:
    """The newest first, a page goes on where the last ended, and the living alone where that is asked."""
    made_now = [made(country, label=f"counter {n}").token.token_id for n in range(4)]
    with desk_of_registrar(country) as connection:
        tokens.revoke_token(connection, made_now[3])
        first = tokens.search_tokens(connection, limit=2)
        rest = tokens.search_tokens(connection, cursor=first.cursor).rows
        alive = tokens.search_tokens(connection, alive=True).rows
        third = tokens.search_tokens(connection, text="COUNTER 3").rows
    assert [token.token_id for token in third] == [made_now[3]]
    assert [token.token_id for token in first.rows] == [made_now[3], made_now[2]]
    assert [token.token_id for token in rest][:2] == [made_now[1], made_now[0]]
    assert made_now[3] not in {token.token_id for token in alive}
    assert (first.rows[0].party, first.rows[0].name, first.rows[0].site, first.rows[0].book) == (
        "T-1",
        "Talib Clerk",
        "TAJI",
        "B",
    )


def test_only_registrars_touch_tokens(country: Country) -> None:
    """A clerk's database role can neither read nor make one; revoking what is not there says so."""
    taji = country.sites["TAJI"].site_id
    with transaction(country.engine, roles.POSTER, taji) as connection, pytest.raises(ProgrammingError, match="denied"):
        tokens.search_tokens(connection)
    with desk_of_registrar(country) as connection, pytest.raises(NotFound):
        tokens.revoke_token(connection, taji)
