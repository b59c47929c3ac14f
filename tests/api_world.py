"""The small country over HTTP: a token for each of its people, made as a registrar makes them. A module of tests makes
its fixture of it: `web = pytest.fixture(served)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine
from starlette.routing import BaseRoute

from api.application import create_app
from stockpile import tokens
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.keys import new_key
from tests.world import Country

BEARERS: dict[str, dict[str, str]] = {
    "clerk": {"role": "clerk", "party": "T-1", "site": "TAJI", "book": "B"},
    "second clerk": {"role": "clerk", "party": "T-2", "site": "TAJI", "book": "C"},
    "armourer": {"role": "armourer", "party": "T-2", "site": "TAJI", "book": "D"},
    "commander": {"role": "commander", "party": "C-1", "site": "TAJI", "book": "CO"},
    "erbil clerk": {"role": "clerk", "party": "E-1", "site": "ERBIL", "book": "B"},
    "registrar": {"role": "registrar", "party": "R-1"},
    "auditor": {"role": "auditor", "party": "R-1"},
    "USA": {"role": "donor", "donor": "USA"},
    "FRA": {"role": "donor", "donor": "FRA"},
}


@dataclass
class Web:
    """The service as its users meet it: `web.post("clerk", "/v1/issues", {...})`."""

    country: Country
    client: TestClient
    tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, who: str) -> dict[str, str]:
        """The header that signs somebody in."""
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def get(self, who: str, path: str, **query: Any) -> Response:
        """Asks for something."""
        return self.client.get(path, params=query or None, headers=self.headers(who))

    def post(self, who: str, path: str, body: Any = None, **headers: str) -> Response:
        """Sends JSON."""
        return self.client.post(path, json=body, headers={**self.headers(who), **headers})

    def posted(self, who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The document that an act became."""
        answer = self.post(who, path, body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def drafted(self, who: str, path: str, body: dict[str, Any]) -> UUID:
        """The draft that an act of two parties became."""
        answer = self.post(who, path, body)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["document_id"])

    def approved(self, who: str, draft: UUID, **query: str) -> dict[str, Any]:
        """The document that a draft became."""
        answer = self.client.post(f"/v1/drafts/{draft}/approve", params=query, headers=self.headers(who))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


_routes: list[BaseRoute] = []
"""Of the first service made in this process."""


def service_over(engine: Engine) -> FastAPI:
    """The service over a database. What its routes take is worked out at the first request, which costs a second: those of this
    process share that, and nothing else.
    """
    application = create_app(engine)
    if not _routes:
        _routes.extend(application.router.routes)
    application.router.routes = _routes
    return application


def served(country: Country) -> Iterator[Web]:
    """The country behind its service."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        texts = {
            who: tokens.create_token(connection, label=f"{who}'s", **wanted).text  # type: ignore[arg-type]
            for who, wanted in BEARERS.items()
        }
    with TestClient(service_over(country.engine)) as client:
        yield Web(country, client, texts)


def problem(answer: Response, status: int, kind: str) -> dict[str, Any]:
    """The problem an answer is, checked for its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = dict(answer.json())
    assert told["status"] == status
    assert told["type"] == f"/docs#{kind}"
    assert told["title"]
    assert told["detail"]
    assert "Traceback" not in answer.text
    assert "SELECT" not in answer.text
    return told


def fresh() -> str:
    """A document id as a client makes it."""
    return str(new_key())
