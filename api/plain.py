"""What answers plain HTTP where the service speaks HTTPS: the page that tells how to trust it, and the way there. It takes nothing: what
comes with a token or a body is refused, not passed on, for it was open to everybody on the network.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.gates import PAGE_HEADERS
from api.pages import trust
from stockpile.tls import Certificates

READING = ("GET", "HEAD")
METHODS = [*READING, "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class PageHeaders:
    """The headers that protect, on every answer."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *PAGE_HEADERS]
            await send(message)

        await self._application(scope, receive, send_with_headers)


def create_plain_app(certificates: Certificates, https_port: int, version: str) -> FastAPI:
    """The application of the plain port."""
    application = FastAPI(title="Stockpile", version=version, docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(application)
    application.add_middleware(PageHeaders)
    application.include_router(trust.router)
    application.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")

    # A temporary redirect: a browser that kept it could not come back if the service's address changed.
    @application.api_route("/{path:path}", methods=METHODS, response_class=Response)
    async def to_https(request: Request) -> Response:
        secure = f"https://{trust.reached_as(request, certificates)}:{https_port}"
        if request.method not in READING or "authorization" in request.headers:
            why = f"What is sent here can be read by everybody on the network: use {secure}. A token sent here is to be revoked."
            return problems.problem(problems.NOT_ALLOWED, why)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{secure}{request.url.path}{query}", status_code=307)

    return application
