"""Providers of single sign-on in stories: a real one (Canaille), which people sign in at over HTTP, and one that tells whatever a story
has it tell.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from canaille.backends.memory.backend import MemoryBackend
from joserfc import jws, jwt
from joserfc.jwk import KeySet, RSAKey
from pytest_iam import Server, iam_configuration, iam_server, iam_server_port

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.keys import new_key
from stockpile.settings import read_settings
from stockpile.single_sign_on import openid
from stockpile.single_sign_on.providers import Provider, add_provider, keep_secret
from tests.world import Country

__all__ = ["iam_configuration", "iam_server", "iam_server_port", "ministry"]

SECRET = "a secret between the two"


@dataclass
class Ministry:
    """A real provider, with accounts of people and the client that our service is there."""

    server: Server
    client: Any
    users: dict[str, Any] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """As its tokens name it."""
        return self.server.url.rstrip("/")

    def account(self, name: str, **more: Any) -> Any:
        """Somebody's account there."""
        if name not in self.users:
            self.users[name] = self.server.random_user(user_name=name, formatted_name=f"{name.title()} There", **more)
        return self.users[name]

    def signed_in(self, name: str | None) -> None:
        """Who is signed in there from now on; None: nobody."""
        if name is None:
            self.server.logout()
            return
        self.server.login(self.account(name))
        self.consents(name)

    def consents(self, name: str) -> None:
        """Somebody let it tell our client who they are."""
        self.server.consent(self.account(name), self.client)

    def comes_back_to(self, address: str) -> None:
        """Lets it send people back to this address of ours."""
        self.client.redirect_uris = [*self.client.redirect_uris, address]
        self.server.backend.save(self.client)

    def answers(self, asked: str) -> str:
        """Where it sends somebody back to who comes with an address of ours; over HTTP."""
        answer = httpx.get(asked, follow_redirects=False)
        assert answer.is_redirect, answer.text
        return answer.headers["location"]

    def rotate_keys(self) -> None:
        """Signs by another key from now on, and tells the former no more."""
        key = RSAKey.generate_key(2048, auto_kid=True)
        self.server.app.config["CANAILLE_OIDC"]["ACTIVE_JWKS"] = [key.as_dict(private=True)]

    def for_audience(self, client: Any) -> None:
        """Tokens for our client name this one as whom they are for."""
        self.client.audience = [client]
        self.server.backend.save(self.client)

    def another_client(self) -> Any:
        """Some other service that people sign in at by it."""
        return _client(self.server, "another-service", [])


def _by_all_conditions(backend: Any, model: Any, *_: Any, **conditions: Any) -> list[Any]:
    """What the provider's store in memory should answer: it takes what meets any of several conditions."""
    found = [{one.id: one for one in _ANY(backend, model, **{name: value})} for name, value in conditions.items()]
    if not found:
        return list(_ANY(backend, model))
    return [one for key, one in found[0].items() if all(key in others for others in found)]


_ANY = MemoryBackend.do_query


@pytest.fixture
def ministry(iam_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ministry]:
    """The provider, with our client in it; nobody is signed in."""
    monkeypatch.setattr(MemoryBackend, "do_query", _by_all_conditions)
    backs = [f"{place}/sign-in/with/{code}/back" for place in ("http://testserver",) for code in ("ministry", "usa")]
    made = Ministry(iam_server, _client(iam_server, "stockpile", backs))
    openid.forget_all()
    yield made
    iam_server.logout()
    for user in made.users.values():
        iam_server.backend.delete(user)


def _client(server: Server, client_id: str, redirect_uris: list[str]) -> Any:
    existing = server.backend.get(server.models.Client, client_id=client_id)
    client = existing or server.models.Client(
        client_id=client_id,
        client_secret=SECRET,
        client_name=client_id,
        client_uri="http://testserver",
        grant_types=["authorization_code"],
        response_types=["code"],
        token_endpoint_auth_method="client_secret_basic",
        scope=["openid", "profile"],
    )
    client.redirect_uris = redirect_uris
    server.backend.save(client)
    client.audience = [client]
    server.backend.save(client)
    return client


def trusted(country: Country, issuer: str, code: str = "ministry", **more: Any) -> Provider:
    """A provider that the country trusts, as whoever administers the machine adds it."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        provider = add_provider(connection, code, f"The {code.title()}", issuer, "stockpile", **more)
    keep_secret(read_settings().data, code, SECRET)
    return provider


@cache
def key_of_liars() -> RSAKey:
    """One for all: making a key takes long."""
    return RSAKey.generate_key(2048, auto_kid=True)


@dataclass
class Liar:
    """A provider that answers as a story has it: `tells` over what it would say of itself, `claims` over what its token would."""

    address: str = ""
    key: RSAKey = field(default_factory=key_of_liars)
    tells: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signs_with: Any = None
    token: bytes | None = None
    status: int = 200
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def metadata(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
            **self.tells,
        }

    def id_token(self) -> str:
        """Its token."""
        said = {
            "iss": self.address, "sub": "1", "aud": "stockpile", "exp": time.time() + 300, "iat": time.time(), "nonce": "nonce",
            **self.claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        registry = jws.JWSRegistry(algorithms=[self.algorithm])
        return jwt.encode(header, said, self.signs_with or self.key, registry=registry)

    def provider(self, **more: Any) -> Provider:
        """It, as one that is trusted."""
        return Provider(
            new_key(), "liar", "The Liar", self.address, "stockpile", None, more.get("acr", ()), more.get("amr", ())
        )


@contextmanager
def lying() -> Iterator[Liar]:
    """A provider on a port of its own."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = {"/jwks": KeySet([liar.key]).as_dict(private=False)}.get(urlsplit(self.path).path, liar.metadata())
            self._tell(json.dumps(told).encode())

        def do_POST(self) -> None:
            liar.asked.append(parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()))
            token = json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": liar.id_token()}).encode()
            self._tell(token if liar.token is None else liar.token)

        def _tell(self, content: bytes) -> None:
            self.send_response(liar.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Location", "http://localhost:1/")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    liar.address = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
