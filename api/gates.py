"""What every request passes on its way in and out, as plain ASGI: one gate that signs in, bounds and checks the body,
sets the headers that protect, logs, and keeps unforeseen errors from anybody's eyes.

It must never log a query, a body, a token, a cookie or a name; and nothing under /v1 is served before it is known who asks, but
for the paths listed here. A page may be opened by nobody in particular: one that needs to know who asks, asks for it. What a cookie
signs in, only a page of ours may send (`same_origin`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asked_language import speak_it
from api.cookies import SESSION, read_cookie
from api.guest_gate import receive_guest
from api.problems import NOT_JSON, TOO_LARGE, problem, problem_of, unexpected
from api.same_origin import cross_site
from stockpile.errors import NotAllowed, NotSignedIn, StockpileError
from stockpile.rights import Actor
from stockpile.sentences import sentence

log = structlog.get_logger("stockpile.request")

LARGEST_BODY = 8 * 1024 * 1024
"""For JSON. What is larger comes as a file."""

API = "/v1/"
LOG = "/log/"
CHECK_PAGE = "/check.html"
STATIC = "/static/"
WITHOUT_TOKEN = frozenset({"/v1/health"})
FILES = frozenset({"/v1/files", "/v1/scans/image"})
"""Routes that take a file: they bound it themselves while it streams in."""

NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_REFERRER = (b"referrer-policy", b"no-referrer")
OWN_REFERRER = (b"referrer-policy", b"same-origin")
"""Of pages: without a referrer at all a browser calls the origin of their forms `null`."""
SAME_ORIGIN = (b"cross-origin-resource-policy", b"same-origin")
API_HEADERS = [
    NOSNIFF,
    NO_REFERRER,
    SAME_ORIGIN,
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
LOG_HEADERS = [NOSNIFF, NO_REFERRER, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]
"""Of the transparency log, whose tiles never change: it says itself how long they may be kept."""
CHECK_HEADERS = [NOSNIFF, NO_REFERRER, SAME_ORIGIN, (b"content-security-policy", b"frame-ancestors 'none'")]
"""Of the page that checks a proof: the policy by which it asks nobody for anything stands in it, so that it has it on a stick too."""
PAGE_HEADERS = [
    NOSNIFF,
    OWN_REFERRER,
    SAME_ORIGIN,
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), payment=(), usb=(), serial=()"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; "
        b"img-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        b"frame-ancestors 'none'",
    ),
]

Authenticate = Callable[[str], Actor]
AuthenticateSession = Callable[[str, bool], Actor]
"""Takes the cookie's text, and whether somebody asks or a page by itself."""
UNATTENDED = b"x-stockpile-unattended"
"""The header of what a page asks by itself."""


class Gate:
    """The way in and out of the application."""

    def __init__(
        self, application: ASGIApp, authenticate: Authenticate, authenticate_session: AuthenticateSession
    ) -> None:
        self._application = application
        self._authenticate = authenticate
        self._authenticate_session = authenticate_session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begun = time.perf_counter()
        speak_it(scope)
        of_api = scope["path"].startswith(API)
        headers = _headers_of(scope["path"])
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        try:
            refusal = await self._refusal(scope, of_api)
            if refusal is not None:
                await refusal(scope, receive, send_with_headers)
            else:
                await self._application(scope, _bounded(scope, receive), send_with_headers)
        except Exception as error:
            answer = unexpected(error)
            if not status:
                await answer(scope, receive, send_with_headers)
        finally:
            _log(scope, status, begun)

    async def _refusal(self, scope: Scope, of_api: bool) -> Response | None:
        """Why a request does not come in, if it does not: no token, or a body that nobody will read."""
        path = scope["path"]
        if not path.startswith(STATIC) and path not in WITHOUT_TOKEN:
            try:
                await self._sign_in(scope, of_api)
                await receive_guest(scope)
            except StockpileError as error:
                return problem_of(error)
        return _body_refusal(scope) if of_api and path not in FILES else None

    async def _sign_in(self, scope: Scope, needed: bool) -> None:
        """Says in the request's state who asks: by token or by session, a token first. Raises NotSignedIn, NotAllowed (what another
        site had sent).
        """
        state = scope.setdefault("state", {})
        token = bearer(scope)
        if token is not None:
            state["actor"] = await run_sync(self._authenticate, token)
            return
        cookie = read_cookie(scope, SESSION)
        if cookie is None and needed:
            raise NotSignedIn(
                sentence("This takes a token: send the header 'Authorization: Bearer sp_...'; or sign in at /sign-in.")
            )
        refused = cross_site(scope)
        if refused is not None:
            raise NotAllowed(refused)
        if cookie is not None:
            try:
                attended = all(name != UNATTENDED for name, _ in scope["headers"])
                state["actor"] = await run_sync(self._authenticate_session, cookie, attended)
            except NotSignedIn as over:
                if needed:
                    raise
                state["not_signed_in"] = over


def _headers_of(path: str) -> list[tuple[bytes, bytes]]:
    if path.startswith(LOG):
        return LOG_HEADERS
    if path == CHECK_PAGE:
        return CHECK_HEADERS
    return API_HEADERS if path.startswith(API) or path == "/openapi.json" else PAGE_HEADERS


def bearer(scope: Scope) -> str | None:
    """The token of the Authorization header, if there is one."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, text = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and text.strip():
                return str(text.strip())
    return None


def _body_refusal(scope: Scope) -> Response | None:
    """Refuses a body by its headers alone: announced as too large, or not JSON."""
    length, kind, has_body = None, b"", False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length, has_body = value, value != b"0"
        elif name == b"transfer-encoding":
            has_body = True
        elif name == b"content-type":
            kind = value.split(b";", 1)[0].strip().lower()
    if length is not None and length.isdigit() and int(length) > LARGEST_BODY:
        return problem(TOO_LARGE, _too_large())
    if has_body and kind != b"application/json":
        return problem(NOT_JSON, sentence("The body must be JSON: send the header 'Content-Type: application/json'."))
    return None


def _too_large() -> str:
    return sentence("The body is larger than {most:,} bytes.", most=LARGEST_BODY)


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Stops reading a body that grows beyond its bound, whatever was announced."""
    if scope["path"] in FILES:
        return receive
    total = 0

    async def receive_bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > LARGEST_BODY:
            raise HTTPException(413, _too_large())
        return message

    return receive_bounded


def _log(scope: Scope, status: int, begun: float) -> None:
    route = scope.get("route")
    actor: Actor | None = scope.get("state", {}).get("actor")
    log.info(
        "request",
        method=scope["method"],
        route=getattr(route, "path", None),
        status=status,
        milliseconds=round((time.perf_counter() - begun) * 1000, 1),
        role=actor.role if actor else None,
        token=str(actor.token_id) if actor and actor.token_id else None,
        session=str(actor.session_id) if actor and actor.session_id else None,
    )


def install(application: FastAPI, authenticate: Authenticate, authenticate_session: AuthenticateSession) -> None:
    """Puts the gate before everything else. A token and a session's cookie each tell who asks."""
    application.add_middleware(Gate, authenticate=authenticate, authenticate_session=authenticate_session)
