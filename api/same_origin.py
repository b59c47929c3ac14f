"""Requests that another site makes somebody's browser send: what a cookie signs in, or would, is refused unless a page of this very
service asked for it. The browser says so itself: in Sec-Fetch-Site, which no page can forge, or, where it sends none (older ones, and
all of them over plain HTTP), in Origin.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from stockpile.sentences import sentence

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing here."""

OURS = frozenset({"same-origin", "none"})
"""`none`: by the person, such as a page sent again; no other page had a hand in it."""

PORTS = {"http": 80, "https": 443}


def cross_site(scope: Scope) -> str | None:
    """Why a request that changes something is refused, in words; None: a page of this service sent it, or it changes nothing."""
    if scope["method"] in SAFE:
        return None
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return None if site in OURS else ANOTHER_SITE
    origin = headers.get("origin")
    if origin is None:
        return WITHOUT_NAME
    return None if _same(scope, origin, headers.get("host", "")) else ANOTHER_SITE


ANOTHER_SITE = sentence(
    "Nothing was done: this was sent by another site, not by a page of this service. Open the page here and do it there; "
    "programs use a token instead of a cookie."
)
WITHOUT_NAME = sentence(
    "Nothing was done: this was sent by something that does not say what page it is, not by a page of this service. "
    "Open the page here and do it there; programs use a token instead of a cookie."
)


def _same(scope: Scope, origin: str, host: str) -> bool:
    """Whether an origin is that of the request: scheme, host and port."""
    try:
        asked, said = urlsplit(f"{scope['scheme']}://{host}"), urlsplit(origin)
        return (said.scheme, said.hostname, said.port or PORTS.get(said.scheme)) == (
            asked.scheme,
            asked.hostname,
            asked.port or PORTS.get(asked.scheme),
        )
    except ValueError:
        return False
