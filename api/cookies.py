"""The cookies: a session's, that of a browser enrolled as a counter, and for ten minutes that of one sent to a provider. No script reads
them (HttpOnly), no other site has the first two sent (SameSite=Strict), and the third by leading the person back alone (Lax); over HTTPS
they are Secure and bear the prefix __Host-, so that no neighbour under the same name can set them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from stockpile.documents import now

SESSION = "stockpile_session"
COUNTER = "stockpile_counter"

SENT = "stockpile_sent"
"""Of who was sent to a provider: proves that they come back in the same browser, nothing more."""

COUNTER_LIVES = 400 * 24 * 3600
"""Seconds; the longest that browsers allow. It is renewed whenever somebody signs in there."""


def read_cookie(scope: Scope, name: str) -> str | None:
    """What the browser keeps under a name, if anything."""
    for header, value in scope["headers"]:
        if header == b"cookie":
            found = cookie_parser(value.decode("latin-1")).get(_named(scope, name))
            if found:
                return found
    return None


def set_session(scope: Scope, response: Response, text: str, ends_at: datetime) -> None:
    """Lets the browser keep a session until it is over."""
    _set(scope, response, SESSION, text, max(0, int((ends_at - now()).total_seconds())))


def set_counter(scope: Scope, response: Response, text: str) -> None:
    """Lets the browser keep what it is enrolled by."""
    _set(scope, response, COUNTER, text, COUNTER_LIVES)


def set_sent(scope: Scope, response: Response, text: str, lives: int) -> None:
    """Lets the browser keep that somebody was sent to a provider from it."""
    _set(scope, response, SENT, text, lives, "lax")


def forget(scope: Scope, response: Response, name: str) -> None:
    """Takes a cookie away."""
    _set(scope, response, name, "", 0)


def _set(
    scope: Scope, response: Response, name: str, text: str, lives: int, same_site: Literal["strict", "lax"] = "strict"
) -> None:
    response.set_cookie(
        _named(scope, name), text, max_age=lives, path="/", secure=_secure(scope), httponly=True, samesite=same_site
    )


def _named(scope: Scope, name: str) -> str:
    return f"__Host-{name}" if _secure(scope) else name


def _secure(scope: Scope) -> bool:
    return bool(scope["scheme"] == "https")
