"""Errors as pages: what would be a problem for a program is told to a person as what happened and the way on.

Stands between the gate and the routes, and changes an answer only where a page was asked for outside /v1. It adds nothing
to what the problem itself tells.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.pages import templates
from api.problems import MEDIA_TYPE, problem_of, unexpected
from api.words import N_
from stockpile.errors import StockpileError

API = ("/v1/", "/static/", "/log/")

REMEDIES = {
    400: N_("The address or the form cannot be read. Go back and send it again."),
    401: N_("This page shows what is in the books: say who you are first."),
    403: N_("Somebody with another role or at another site can do this."),
    404: N_("It may be written differently, be in another site's books, or never have been here. Search for it."),
    405: N_("This address takes no such request. Go back and use the page's own buttons."),
    409: N_("Nothing was done. Each reason says why, and where the weapon is now."),
    413: N_("Send less at once, or send a file."),
    422: N_("Nothing was done. Mend what is named below and try again."),
    429: N_("Wait as long as it says, then try again."),
    500: N_("Nothing was done. Tell who runs the service when it happened: the log says more."),
    503: N_("The books cannot be reached just now. Nothing was done. Try again in a moment."),
}
"""What to do about an answer of each status, for a person."""


class ProblemPages:
    """Turns the problems that a person would meet into pages."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if not _for_a_person(scope):
            await self._application(scope, receive, send)
            return
        held = _Held(send)
        try:
            await self._application(scope, receive, held)
        except Exception as error:
            if held.begun:
                raise
            await unexpected(error)(scope, receive, held)
        if held.problem is not None:
            page = problem_page(Request(scope, receive), held.status, held.problem, held.headers)
            await page(scope, receive, send)


class _Held:
    """Lets an answer through, but keeps back one that is a problem."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._body = b""
        self.begun = False
        self.status = 500
        self.headers: dict[str, str] = {}
        self.problem: dict[str, Any] | None = None
        self._holding = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            self._holding = headers.get("content-type", "") == MEDIA_TYPE
            if self._holding:
                self.status = message["status"]
                self.headers = {
                    name: headers[name] for name in ("retry-after", "allow", "www-authenticate") if name in headers
                }
        if not self._holding:
            self.begun = True
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self.problem = json.loads(self._body)


def problem_page(request: Request, status: int, problem: dict[str, Any], headers: dict[str, str]) -> Response:
    """A problem as a page."""
    remedy = REMEDIES.get(status, REMEDIES[500])
    response: Response = templates.TemplateResponse(
        request, "problem.html", {"problem": problem, "remedy": remedy}, status_code=status, headers=headers
    )
    return response


def shown_problem(error: StockpileError) -> dict[str, Any]:
    """What a page shows of an error, as the API tells it: a form or a list shows it above what was sent."""
    told: dict[str, Any] = json.loads(bytes(problem_of(error).body))
    return told


def _for_a_person(scope: Scope) -> bool:
    """Whether a page is asked for: by a browser, outside the API."""
    if scope["type"] != "http" or scope["path"].startswith(API):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def install(application: FastAPI) -> None:
    """Puts it before the routes. The gate is installed after it, and so stands before it."""
    application.add_middleware(ProblemPages)
