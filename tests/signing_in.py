"""Signing in in stories: browsers at counters of the small country, users with passwords, people with PINs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from stockpile import counters, passwords, pins, users
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.rights import reading
from tests.api_world import service_over
from tests.world import Country

PASSWORD = "seven grey herons"
PINS = {"T-1": "640283", "T-2": "917350", "C-1": "385164", "A-1001": "508297", "A-1002": "739501", "E-1": "271946"}
"""The PINs that people chose, by service number."""

USERS = {
    "clerk": ("talib", "clerk", "T-1", "TAJI"),
    "second clerk": ("tara", "clerk", "T-2", "TAJI"),
    "armourer": ("tara.arms", "armourer", "T-2", "TAJI"),
    "commander": ("carim", "commander", "C-1", "TAJI"),
    "erbil clerk": ("elin", "clerk", "E-1", "ERBIL"),
    "registrar": ("rana", "registrar", "R-1", None),
    "auditor": ("rana.audit", "auditor", "R-1", None),
}
"""Who of the small country signs in under which name."""


@cache
def kept_password() -> str:
    """The one password of these users, as it is kept: one argon2 for all tests."""
    return passwords.hashed(PASSWORD)


@cache
def kept_pin(pin: str) -> str:
    """A PIN as it is kept."""
    return passwords.hashed(pin)


def add_users(country: Country, *who: str) -> None:
    """Gives people of the country users with the password of these stories."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        for one in who or USERS:
            name, role, party, site = USERS[one]
            users.add_user(connection, name, role, party, site, password_hash=kept_password())


def add_pins(country: Country, *numbers: str) -> None:
    """Gives people the PINs that they chose."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        for number in numbers or PINS:
            person = country.parties[number].party_id
            connection.exec_driver_sql(
                """INSERT INTO pin (party_id, version, pin_hash, must_change, set_by, set_at)
                   SELECT %s, coalesce(max(version), 0) + 1, %s, false, %s, now() FROM pin WHERE party_id = %s""",
                (person, kept_pin(PINS[number]), person, person),
            )


def enrolled(country: Country, book: str = "K1", who: str = "commander", site: str | None = None) -> str:
    """What the browser of a new counter keeps."""
    actor = country.actors[who]
    with reading(country.engine, actor) as connection:
        return counters.enrol(connection, actor, f"Counter {book}", book, site).text


def one_time_pin(country: Country, person: str, who: str = "commander") -> str:
    """A PIN that a commander gives."""
    actor = country.actors[who]
    with reading(country.engine, actor) as connection:
        return pins.give_one_time_pin(connection, actor, person).pin


@dataclass
class Browser:
    """A browser as the service meets it: it keeps cookies and says which page sends its forms."""

    client: TestClient
    headers: dict[str, str] = field(default_factory=lambda: {"Sec-Fetch-Site": "same-origin"})

    def keep_counter(self, text: str, name: str = "stockpile_counter") -> None:
        """Makes it an enrolled counter."""
        self.client.cookies.set(name, text)

    def get(self, path: str, **headers: str) -> Response:
        """Opens a page or asks the API."""
        return self.client.get(path, headers=headers, follow_redirects=False)

    def send(self, path: str, **fields: str) -> Response:
        """Sends a form."""
        return self.client.post(path, data=fields, headers=self.headers, follow_redirects=False)

    def post(self, path: str, body: object = None, **headers: str) -> Response:
        """Sends JSON."""
        return self.client.post(path, json=body, headers={**self.headers, **headers}, follow_redirects=False)

    def sign_in(self, who: str, password: str = PASSWORD, **more: str) -> Response:
        """By name and password."""
        return self.send("/sign-in", name=USERS[who][0], password=password, **more)

    def sign_in_by_badge(self, badge: str, pin: str | None = None, **more: str) -> Response:
        """By badge and PIN."""
        return self.send("/sign-in/badge", badge=badge, pin=PINS[badge] if pin is None else pin, **more)

    @property
    def session(self) -> str | None:
        """The session's cookie."""
        return self.client.cookies.get("stockpile_session")


@lru_cache(maxsize=1)
def service(engine: Engine) -> FastAPI:
    """The one service before which all browsers of a story stand."""
    return service_over(engine)


def browser(country: Country, counter: str | None = None, address: str = "192.0.2.7", scheme: str = "http") -> Browser:
    """A new browser at the service; `counter`: what one enrolled as such keeps."""
    made = Browser(TestClient(service(country.engine), base_url=f"{scheme}://testserver", client=(address, 50_000)))
    if counter is not None:
        made.keep_counter(counter, "__Host-stockpile_counter" if scheme == "https" else "stockpile_counter")
    return made
