"""Signing in by a provider, and the page where a registrar says who its people are here. Both ways need no script; what comes back is
answered by a page that leads on, since a browser that another site sent keeps our cookies to itself until then.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.at_counter import counter_of, where_from
from api.cookies import SENT, read_cookie, set_sent, set_session
from api.dependencies import Asker, Database
from api.pages.forms import faults_by_field
from api.pages.sign_in import SEE_OTHER, START, Typed, own_path, shown, sign_in_form, status_of
from stockpile.errors import Invalid, NotFound, StockpileError
from stockpile.reports.single_sign_on import search_bindings, search_providers, search_requests
from stockpile.rights import KEEP_USERS, Actor, reading, require
from stockpile.settings import read_settings
from stockpile.single_sign_on import bindings, flow
from stockpile.single_sign_on.flow import LIVES, Waiting
from stockpile.single_sign_on.openid import ProviderUnavailable, sign_out_address

router = APIRouter(include_in_schema=False)

UNAVAILABLE, FORBIDDEN = 503, 403
SHOWN = 50
LONGEST = 4096
"""Of what a provider may send along."""
ANSWERED = ("state", "code", "iss", "error")

Cursor = Annotated[str | None, Query(max_length=1000)]


@router.get("/sign-in/with/{code}")
def go(code: str, request: Request, engine: Database) -> Response:
    """Leads to the provider."""
    wanted = own_path(request.query_params.get("next", START))
    actor: Actor | None = getattr(request.state, "actor", None)
    try:
        where_from(request)
        provider = flow.provider_of(engine, code)
        begun = flow.begin(
            engine, provider, _back(request, provider.code), wanted, read_cookie(request.scope, SENT), counter_of(request),
            actor.session_id if actor is not None else None,
        )  # fmt: skip
    except StockpileError as error:
        return _failed(request, error, wanted)
    answer = RedirectResponse(begun.url, SEE_OTHER)
    answer.headers["Cache-Control"] = "no-store"
    set_sent(request.scope, answer, begun.browser, LIVES)
    return answer


@router.get("/sign-in/with/{code}/back")
def come_back(code: str, request: Request, engine: Database) -> Response:
    """Where the provider leads back to."""
    answered = {name: request.query_params[name][:LONGEST] for name in ANSWERED if name in request.query_params}
    try:
        where_from(request)
        provider = flow.provider_of(engine, code)
        came = flow.finish(engine, read_settings(), provider, answered, read_cookie(request.scope, SENT))
    except StockpileError as error:
        return _failed(request, error, START)
    if isinstance(came, Waiting):
        return shown(request, "unbound", FORBIDDEN, waiting=came)
    wanted = came.wanted
    if came.several:
        wanted = "/sign-in/role" if wanted == START else f"/sign-in/role?next={quote(wanted)}"
    answer = shown(request, "entered", wanted=wanted)
    set_session(request.scope, answer, came.session.text, came.session.ends_at)
    return answer


def _back(request: Request, code: str) -> str:
    """The address of ours that a provider leads back to: each has its own, so that none can pass off its answer as another's."""
    return str(request.base_url.replace(path=f"/sign-in/with/{code}/back", query=""))


def _failed(request: Request, error: StockpileError, wanted: str) -> Response:
    """The form of all ways to sign in, with what went wrong: who can't come by a provider comes by a password."""
    status = UNAVAILABLE if isinstance(error, ProviderUnavailable) else status_of(error)
    return sign_in_form(request, status, wanted=wanted, problem=error, by_provider=True, focus="badge")


@router.get("/sign-in/out/{code}")
def signed_out(code: str, request: Request, engine: Database) -> Response:
    """That one is signed out here, and where one signs out at the provider too."""
    provider = flow.provider_of(engine, code)
    home = str(request.base_url.replace(path="/sign-in", query=""))
    return shown(request, "out", provider=provider, address=sign_out_address(provider, home))


@router.get("/single-sign-on")
def bindings_page(request: Request, engine: Database, actor: Asker, cursor: Cursor = None) -> Response:
    """Who waits to be bound, who is bound, and by whom people sign in."""
    return _page(request, engine, actor, cursor=cursor)


def _page(
    request: Request,
    engine: Database,
    actor: Actor,
    problem: Invalid | NotFound | None = None,
    bound_request: UUID | None = None,
    typed: str = "",
    cursor: str | None = None,
) -> Response:
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        waiting = search_requests(connection, actor, SHOWN)
        bound = search_bindings(connection, actor, limit=SHOWN, cursor=cursor)
        providers = search_providers(connection, actor, alive=True).rows
    return shown(
        request, "single_sign_on", status_of(problem) if problem else 200, requests=waiting, bindings=bound,
        providers=providers, problem=problem, faults=faults_by_field(problem) if problem else {},
        bound_request=bound_request, typed=typed,
    )  # fmt: skip


@router.post("/single-sign-on/requests/{request_id}/bind")
def bind(request_id: UUID, request: Request, engine: Database, actor: Asker, user: Typed = "") -> Response:
    """Says who somebody is here."""
    require(actor, KEEP_USERS)
    try:
        with reading(engine, actor) as connection:
            bindings.bind_request(connection, request_id, user, actor.party_id)
    except (Invalid, NotFound) as problem:
        return _page(request, engine, actor, problem, request_id, user)
    return RedirectResponse("/single-sign-on", SEE_OTHER)


@router.post("/single-sign-on/requests/{request_id}/dismiss")
def dismiss(request_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Takes away that somebody waits."""
    require(actor, KEEP_USERS)
    try:
        with reading(engine, actor) as connection:
            bindings.dismiss(connection, request_id)
    except NotFound as problem:
        return _page(request, engine, actor, problem)
    return RedirectResponse("/single-sign-on", SEE_OTHER)


@router.post("/single-sign-on/bindings/{binding_id}/end")
def unbind(binding_id: UUID, engine: Database, actor: Asker) -> Response:
    """Ends a binding, and what it opened."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        bindings.unbind(connection, binding_id, actor.party_id)
    return RedirectResponse("/single-sign-on", SEE_OTHER)
