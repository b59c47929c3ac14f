"""The web application: the gate, the routes of /v1, the start page and the page of the API."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine

from api import described, gates, problems
from api.pages import api_page, start, trust
from api.v1 import (
    acts,
    allowances,
    assignments,
    audits,
    balance,
    catalogue,
    counts,
    destruction_orders,
    devices,
    discrepancies,
    documents,
    drafts,
    erasures,
    files,
    find,
    labels,
    notes,
    parties,
    registers,
    reports,
    rosters,
    service,
    shipments,
    signature_cards,
    sites,
    weapons,
)
from api.v1 import tokens as token_routes
from stockpile import tokens
from stockpile.db.engine import at_once, connected, engine_of
from stockpile.errors import DatabaseUnavailable
from stockpile.rights import Actor
from stockpile.settings import read_settings

DESCRIPTION = """Custody of weapons as double-entry bookkeeping: receipt, issue, return, loss and correction, each
under a numbered document that can't be changed.

Every request but `/v1/health` carries `Authorization: Bearer sp_...`. Errors are `application/problem+json`. A
document's id is made by the client: sending it again gets the first answer again."""


def create_app(engine: Engine | None = None) -> FastAPI:
    """The application over an engine; without one over STOCKPILE_DATABASE_URL."""
    engine = engine or _engine_of_settings()
    application = FastAPI(
        title="Stockpile",
        version=program_version(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    application.state.engine = engine
    problems.install(application)
    gates.install(application, _authenticator(engine))
    for routes in (
        find, acts, shipments, assignments, documents, notes, drafts, weapons, labels, balance, discrepancies, destruction_orders,
        registers, audits, counts, files, sites, parties, rosters, signature_cards, catalogue, devices, token_routes, erasures,
        service, allowances, reports,
    ):  # fmt: skip
        application.include_router(routes.router, prefix="/v1")
    application.include_router(start.router)
    application.include_router(api_page.router)
    application.include_router(trust.router)
    application.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    application.openapi = lambda: described.describe(application)  # type: ignore[method-assign]
    return application


def _engine_of_settings() -> Engine:
    url = read_settings().database_url
    if not url:
        raise DatabaseUnavailable("Say where the database is: STOCKPILE_DATABASE_URL, or start with 'stockpile run'.")
    return engine_of(url)


def _authenticator(engine: Engine) -> gates.Authenticate:
    asking = at_once(engine)

    def authenticate(text: str) -> Actor:
        with connected(asking) as connection:
            return tokens.authenticate(connection, text)

    return authenticate


def program_version() -> str:
    """The version of the program that is installed."""
    try:
        return version("stockpile")
    except PackageNotFoundError:
        return "development"
