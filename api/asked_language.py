"""The language that a request asks for: a page's by its address or the cookie that keeps it, then by what the browser says of itself
(Accept-Language); of the API by cookie and header alone. English where nothing is said, or nothing that there is.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from starlette.requests import HTTPConnection
from starlette.types import Scope

from api.words import Language, Viewer, language_of, viewer

COOKIE = "language"
"""The cookie's name, and that of the parameter in a page's address."""
API = "/v1/"


def asked_language(scope: Scope) -> Language:
    """The language of a request."""
    asked = HTTPConnection(scope)
    in_address = None if scope["path"].startswith(API) else asked.query_params.get(COOKIE)
    return language_of(in_address, asked.cookies.get(COOKIE), accepted=asked.headers.get("accept-language", ""))


def speak_it(scope: Scope) -> None:
    """From here on the request's sentences are told in its language."""
    viewer.set(Viewer(asked_language(scope), ZoneInfo("UTC")))
