"""The web application: the gate, the routes of /v1, the start page and the page of the API."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine

from api import described, gates, log, problems
from api.pages import alerts as alert_pages
from api.pages import (
    api_page,
    catalogue_forms,
    count_sheets,
    first,
    loss_reports,
    overruns,
    party_forms,
    people,
    portal,
    scanner,
    seals,
    search,
    shipment_forms,
    site_forms,
    statement_forms,
    station_offline,
    trust,
    waiting_lists,
    words,
    workbench,
)
from api.pages import cases as case_pages
from api.pages import catalogue as catalogue_pages
from api.pages import closures as closure_pages
from api.pages import consignments as consignment_pages
from api.pages import counters as counter_pages
from api.pages import counts as count_pages
from api.pages import discrepancies as discrepancy_pages
from api.pages import documents as document_pages
from api.pages import drafts as draft_pages
from api.pages import guests as guest_pages
from api.pages import jobs as job_pages
from api.pages import problems as problem_pages
from api.pages import registers as register_pages
from api.pages import reports as report_pages
from api.pages import rosters as roster_pages
from api.pages import sharing as sharing_pages
from api.pages import shipments as shipment_pages
from api.pages import sign_in as sign_in_pages
from api.pages import single_sign_on as single_sign_on_pages
from api.pages import sites as site_pages
from api.pages import statements as statement_pages
from api.pages import station as station_pages
from api.pages import tracing as tracing_pages
from api.pages import transparency as log_pages
from api.pages import treaty_returns as treaty_return_pages
from api.pages import visits as visit_pages
from api.pages import weapons as weapon_pages
from api.pages.listing import listings_of
from api.v1 import (
    acts,
    alerts,
    allowances,
    assignments,
    audit_packages,
    audits,
    balance,
    cases,
    catalogue,
    changes,
    consignments,
    counts,
    destruction_orders,
    devices,
    discrepancies,
    documents,
    drafts,
    erasures,
    files,
    find,
    guests,
    labels,
    notes,
    papers,
    parties,
    proofs,
    registers,
    reports,
    rosters,
    scans,
    service,
    sharing,
    shipments,
    sign_in,
    signature_cards,
    signatures,
    single_sign_on,
    sites,
    statements,
    station,
    station_snapshot,
    tracing,
    treaty_returns,
    verifications,
    visits,
    weapons,
)
from api.v1 import tokens as token_routes
from stockpile import sessions, tokens
from stockpile.attempts import Brake
from stockpile.db.engine import at_once, connected, engine_of
from stockpile.errors import DatabaseUnavailable, NotSignedIn
from stockpile.rights import Actor
from stockpile.sentences import sentence
from stockpile.settings import read_settings

DESCRIPTION = """Custody of weapons as double-entry bookkeeping: receipt, issue, return, loss and correction, each
under a numbered document that can't be changed.

Every request but `/v1/health` carries `Authorization: Bearer sp_...`, or the cookie of a browser in which
somebody signed in. Errors are `application/problem+json`. A document's id is made by the client: sending it again gets
the first answer again."""

API = (
    find,
    acts,
    shipments,
    assignments,
    documents,
    notes,
    drafts,
    weapons,
    proofs,
    labels,
    balance,
    changes,
    alerts,
    discrepancies,
    cases,
    destruction_orders,
    registers,
    audits,
    counts,
    files,
    sites,
    parties,
    rosters,
    signature_cards,
    catalogue,
    devices,
    token_routes,
    erasures,
    verifications,
    service,
    allowances,
    *reports.ROUTES,
    treaty_returns,
    audit_packages,
    tracing,
    sign_in,
    single_sign_on,
    signatures,
    papers,
    statements,
    consignments,
    visits,
    sharing,
    guests,
    station,
    station_snapshot,
    scans,
)
"""The routes under /v1 by subject, in the order in which their page tells them."""

PAGES = (
    first,
    portal,
    consignment_pages,
    api_page,
    words,
    sign_in_pages,
    single_sign_on_pages,
    counter_pages,
    search,
    weapon_pages,
    roster_pages,
    party_forms,
    people,
    document_pages,
    alert_pages,
    discrepancy_pages,
    case_pages,
    closure_pages,
    shipment_forms,
    shipment_pages,
    statement_forms,
    statement_pages,
    visit_pages,
    sharing_pages,
    guest_pages,
    waiting_lists,
    count_sheets,
    count_pages,
    seals,
    loss_reports,
    overruns,
    site_forms,
    site_pages,
    catalogue_forms,
    catalogue_pages,
    workbench,
    register_pages,
    job_pages,
    *report_pages.PAGES,
    treaty_return_pages,
    draft_pages,
    tracing_pages,
    log_pages,
    station_pages,
    station_offline,
    scanner,
    trust,
)
"""The pages for people, each a router."""


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
    problem_pages.install(application)
    gates.install(
        application, _authenticator(engine, tokens.authenticate), _authenticator(engine, sessions.authenticate)
    )
    application.state.brake = Brake()
    application.state.listings = listings_of(PAGES)
    application.add_exception_handler(NotSignedIn, sign_in_pages.to_sign_in)  # type: ignore[arg-type]
    for routes in API:
        application.include_router(routes.router, prefix="/v1")
    for page in PAGES:
        application.include_router(page.router)
    application.include_router(log.router)
    static = StaticFiles(directory=Path(__file__).parent / "static")
    application.mount("/static", GZipMiddleware(static), name="static")
    application.openapi = lambda: described.describe(application)  # type: ignore[method-assign]
    return application


def _engine_of_settings() -> Engine:
    url = read_settings().database_url
    if not url:
        raise DatabaseUnavailable(
            sentence("Say where the database is: STOCKPILE_DATABASE_URL, or start with 'stockpile run'.")
        )
    return engine_of(url)


def _authenticator(engine: Engine, whose: Callable[..., Actor]) -> Callable[..., Actor]:
    asking = at_once(engine)

    def authenticate(text: str, *how: bool) -> Actor:
        with connected(asking) as connection:
            return whose(connection, text, *how)

    return authenticate


def program_version() -> str:
    """The version of the program that is installed."""
    try:
        return version("stockpile")
    except PackageNotFoundError:
        return "development"
