"""What a provider tells that is not to be believed, without a database: forged, stale and misdirected tokens, and answers that are none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from stockpile.single_sign_on import openid
from stockpile.single_sign_on.openid import NotVouched, ProviderUnavailable
from stockpile.single_sign_on.providers import safe_address
from tests.providers import Liar, lying

SHARED = "a secret that is shared between the two of them"


@pytest.fixture
def liar() -> Iterator[Liar]:
    openid.forget_all()
    with lying() as one:
        yield one


def told(liar: Liar, **more: Any) -> openid.Vouched:
    """For whom it vouches."""
    answered = {"code": "c", "iss": liar.address, **more.pop("answered", {})}
    return openid.vouched_for(liar.provider(**more), SHARED, answered, "nonce", "verifier", "http://testserver/back")


def test_what_holds_is_believed(liar: Liar) -> None:
    """A subject with a name; the code goes out with its verifier."""
    liar.claims = {"name": "  Talib Karim ", "aud": ["stockpile"]}
    assert told(liar) == openid.Vouched("1", "Talib Karim")
    (asked,) = liar.asked
    assert (asked["code"], asked["code_verifier"], asked["redirect_uri"]) == (
        ["c"],
        ["verifier"],
        ["http://testserver/back"],
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://localhost:9"}, {"iss": None}, {"aud": "another"}, {"aud": None}, {"aud": ["another"]},
        {"aud": ["another", "stockpile"]}, {"azp": "another"}, {"exp": time.time() - 3600}, {"exp": None}, {"exp": "soon"},
        {"iat": time.time() + 3600}, {"iat": None}, {"nbf": time.time() + 3600}, {"nonce": "another"}, {"nonce": None}, {"nonce": 1},
        {"sub": None}, {"sub": ""}, {"sub": 1}, {"sub": "x" * 256}, {"sub": "a\u202eb"}, {"sub": ["1"]},
    ],
)  # fmt: skip
def test_a_token_that_says_otherwise_is_refused(liar: Liar, claims: dict[str, Any]) -> None:
    """Of another issuer, for another service, over, not begun, of another sign-in, of nobody."""
    liar.claims = claims
    with pytest.raises(NotVouched):
        told(liar)


def test_a_token_signed_by_nobody_or_by_somebody_else_is_refused(liar: Liar) -> None:
    """Without a signature, by the secret that client and provider share, by a key that is not its."""
    for algorithm, key in (
        ("none", OctKey.import_key(SHARED)),
        ("HS256", OctKey.import_key(SHARED)),
        ("RS256", RSAKey.generate_key(2048)),
    ):
        liar.algorithm, liar.signs_with = algorithm, key
        with pytest.raises(NotVouched):
            told(liar)


@pytest.mark.parametrize(
    ("tells", "status", "token"),
    [
        ({"issuer": "http://localhost:9"}, 200, None),
        ({"token_endpoint": None}, 200, None),
        ({"token_endpoint": "http://metadata.internal/"}, 200, None),
        ({"jwks_uri": "file:///etc/passwd"}, 200, None),
        ({}, 302, None),
        ({}, 500, None),
        ({}, 200, b"not json"),
        ({}, 200, b"[1]"),
        ({}, 200, b"x" * (openid.LONGEST + 1)),
    ],
)
def test_a_provider_that_makes_no_sense_is_unavailable(
    liar: Liar, tells: dict[str, Any], status: int, token: bytes | None
) -> None:
    """Its address is another's, an endpoint is missing or beyond HTTPS, it leads elsewhere, it fails, it floods."""
    liar.tells, liar.status, liar.token = tells, status, token
    with pytest.raises(ProviderUnavailable):
        told(liar)


def test_errors_and_missing_parts_are_refused(liar: Liar) -> None:
    """An error instead of a code, another issuer's answer, no ID token, a refused code."""
    for answered in ({"error": "access_denied"}, {"code": ""}, {"iss": "http://localhost:9"}, {"iss": ""}):
        with pytest.raises(NotVouched):
            told(liar, answered=answered)
    for token in (b"{}", b'{"id_token": 1}', b'{"id_token": "a.b.c"}', b'{"error": "invalid_grant"}'):
        liar.token = token
        with pytest.raises(NotVouched):
            told(liar)


def test_how_surely_somebody_signed_in_is_checked(liar: Liar) -> None:
    """One of the levels, all of the methods."""
    liar.claims = {"acr": "substantial", "amr": ["pwd", "otp"]}
    assert told(liar, acr=("high", "substantial"), amr=("otp",)).subject == "1"
    for more in ({"acr": ("high",)}, {"amr": ("otp", "hwk")}):
        with pytest.raises(NotVouched, match="not as surely"):
            told(liar, **more)
    liar.claims = {}
    for more in ({"acr": ("high",)}, {"amr": ("otp",)}):
        with pytest.raises(NotVouched, match="not as surely"):
            told(liar, **more)
    assert "acr_values=high" in openid.send_to(liar.provider(acr=("high",)), "http://testserver/back", anew=False).url


def test_one_that_is_silent_is_not_asked_by_everybody(liar: Liar) -> None:
    """The second who comes is answered at once."""
    liar.status = 500
    provider = liar.provider()
    with pytest.raises(ProviderUnavailable):
        openid.metadata_of(provider)
    liar.status = 200
    with pytest.raises(ProviderUnavailable):
        openid.metadata_of(provider)
    openid.forget_all()
    assert openid.metadata_of(provider).token_endpoint == f"{liar.address}/token"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.ministry.example", True), ("https://login.ministry.example/realms/a/", True), ("http://localhost:5000", True),
        ("http://127.0.0.1", True), ("http://login.ministry.example", False), ("http://localhost.evil.example", False),
        ("https://user@login.example", False), ("https://login.example?a=b", False), ("https://login.example#a", False), ("ftp://a", False),
        ("https://", False), ("https://[broken", False), ("https://a b", False), ("", False),
    ],
)  # fmt: skip
def test_an_address_is_of_https_or_of_this_machine(url: str, safe: bool) -> None:
    """Nobody in between reads a code or puts in keys."""
    assert safe_address(url) is safe
