"""Signing in and out, choosing one's own password and PIN, one's sessions. Each works without any script: a badge scanned into its field
sends the form by its line end, and the PIN is asked for then.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.at_counter import counter_of, where_from
from api.cookies import COUNTER, SESSION, forget, read_cookie, set_counter, set_session
from api.dependencies import Asker, Database
from api.gates import API, LOG, bearer
from api.pages import templates
from api.pages.forms import faults_by_field
from api.pages.problems import shown_problem
from api.problems import problem_of
from stockpile import sessions, sign_in
from stockpile.db import roles
from stockpile.db.engine import at_once, connected, transaction
from stockpile.errors import Invalid, MustChange, NotSignedIn, StockpileError, TooSoon
from stockpile.reports.signing_in import own_sessions
from stockpile.rights import Actor
from stockpile.sentences import sentence
from stockpile.sessions import Known, NewSession
from stockpile.settings import read_settings
from stockpile.single_sign_on.flow import provider_of_session
from stockpile.single_sign_on.providers import offered

router = APIRouter(include_in_schema=False)

START = "/"
SEE_OTHER = 303

Typed = Annotated[str, Form(max_length=400)]
Next = Annotated[str, Form(alias="next", max_length=2000)]


def own_path(wanted: str) -> str:
    """Where to go on after signing in: a page of this service, whatever was asked for."""
    parts = urlsplit(wanted) if wanted.startswith("/") and "\\" not in wanted and wanted.isprintable() else None
    if parts is None or parts.netloc or wanted.startswith(("//", "/sign-in", "/sign-out")):
        return START
    return wanted


async def to_sign_in(request: Request, error: NotSignedIn) -> Response:
    """The answer to whoever is not signed in: the API says so, and to programs every page; people are led to where one signs in, and
    back.
    """
    wants = request.headers.get("accept", "")
    program = bearer(request.scope) is not None or ("json" in wants and "html" not in wants)
    if request.url.path.startswith((API, LOG)) or program:
        return problem_of(error)
    return to_page("/sign-in", _wanted(request), error)


def to_page(path: str, wanted: str, error: NotSignedIn | None = None) -> RedirectResponse:
    """To a page of signing in, which leads on to the wanted one."""
    if isinstance(error, MustChange):
        path = "/sign-in/password" if error.what == sessions.PASSWORD else "/sign-in/pin"
    wanted = own_path(wanted)
    return RedirectResponse(path if wanted == START else f"{path}?next={quote(wanted)}", SEE_OTHER)


def _wanted(request: Request) -> str:
    """What somebody was about to look at."""
    if request.method != "GET":
        return START
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def shown(request: Request, page: str, status: int = 200, **more: Any) -> Response:
    """A page of this subject; never kept by a browser, since it may show a one-time PIN."""
    answer = templates.TemplateResponse(
        request, f"sign_in/{page}.html", {"version": request.app.version, **more}, status
    )
    answer.headers["Cache-Control"] = "no-store"
    if isinstance(more.get("problem"), TooSoon):
        answer.headers["Retry-After"] = str(more["problem"].seconds)
    return answer


def status_of(error: StockpileError) -> int:
    """The status of a form that is shown again with what is wrong: as the API has it."""
    return int(shown_problem(error)["status"])


def _known(request: Request, engine: Database) -> Known:
    """Whose session it is, also where a password or PIN has to be changed first. Raises NotSignedIn."""
    with connected(at_once(engine)) as connection:
        known = sessions.find(connection, read_cookie(request.scope, SESSION))
    if known is None:
        raise NotSignedIn(sentence("Sign in first."))
    return known


def sign_in_form(request: Request, status: int = 200, **more: Any) -> Response:
    """The form with the ways to sign in here."""
    with transaction(request.app.state.engine, roles.REGISTRAR) as connection:
        providers = offered(connection)
    return shown(request, "sign_in", status, counter=counter_of(request), providers=providers, **more)


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """The form; at an enrolled counter badge and PIN first."""
    return sign_in_form(request, wanted=own_path(request.query_params.get("next", START)), focus="badge")


@router.post("/sign-in")
def sign_in_by_password(
    request: Request, engine: Database, name: Typed = "", password: Typed = "", wanted: Next = START
) -> Response:
    """Signs in by name and password."""
    wanted = own_path(wanted)
    try:
        begun = sign_in.by_password(engine, read_settings(), name, password, where_from(request))
    except StockpileError as error:
        return sign_in_form(
            request, status_of(error), wanted=wanted, name=name, problem=error, focus="password", by_password=True
        )
    return _entered(request, engine, begun, wanted)


@router.post("/sign-in/badge")
def sign_in_by_badge(
    request: Request, engine: Database, badge: Typed = "", pin: Typed = "", wanted: Next = START
) -> Response:
    """Signs in by badge and PIN. A badge alone, as a scanner sends it, is answered by the field for the PIN."""
    wanted, counter = own_path(wanted), counter_of(request)
    if counter is not None and badge.strip() and not pin.strip():
        return sign_in_form(request, wanted=wanted, badge=badge.strip(), focus="pin")
    try:
        begun = sign_in.by_badge(engine, read_settings(), badge, pin, where_from(request))
    except StockpileError as error:
        return sign_in_form(request, status_of(error), wanted=wanted, badge=badge.strip(), problem=error, focus="pin")
    return _entered(request, engine, begun, wanted)


def _entered(request: Request, engine: Database, begun: NewSession, wanted: str) -> Response:
    """Where to go after signing in: on, unless something must be chosen first. A session that this browser had is over."""
    _end_former(request, engine)
    with connected(at_once(engine)) as connection:
        known = sessions.find(connection, begun.text)
    assert known is not None
    if known.must_change is not None:
        answer = to_page("/sign-in", wanted, MustChange("", known.must_change))
    elif known.actor.counter_id is not None and len(sign_in.roles_of(engine, known.actor)) > 1:
        answer = to_page("/sign-in/role", wanted)
    else:
        answer = RedirectResponse(wanted, SEE_OTHER)
    set_session(request.scope, answer, begun.text, begun.ends_at)
    counter = read_cookie(request.scope, COUNTER)
    if counter is not None and known.actor.counter_id is not None:
        set_counter(request.scope, answer, counter)
    return answer


def _end_former(request: Request, engine: Database) -> None:
    with connected(at_once(engine)) as connection:
        former = sessions.find(connection, read_cookie(request.scope, SESSION))
    if former is not None and former.actor.session_id is not None:
        with transaction(engine, roles.REGISTRAR) as connection:
            sessions.end(connection, former.actor, former.actor.session_id)


@router.post("/sign-out")
def sign_out(request: Request, engine: Database) -> Response:
    """Ends this browser's session; it stays a counter if it is one. Who came by a provider is told that they may be signed in there."""
    actor: Actor | None = getattr(request.state, "actor", None)
    provider = provider_of_session(engine, actor.session_id) if actor is not None and actor.session_id else None
    _end_former(request, engine)
    answer = RedirectResponse(f"/sign-in/out/{provider.code}" if provider is not None else "/sign-in", SEE_OTHER)
    forget(request.scope, answer, SESSION)
    return answer


@router.get("/sign-in/role")
def role_page(request: Request, engine: Database) -> Response:
    """Somebody with several roles at a site chooses one."""
    known = _known(request, engine)
    wanted = own_path(request.query_params.get("next", START))
    return shown(request, "role", wanted=wanted, own=sign_in.roles_of(engine, known.actor), present=known.actor.role)


@router.post("/sign-in/role")
def change_role(
    request: Request, engine: Database, actor: Asker, user: Annotated[UUID, Form()], wanted: Next = START
) -> Response:
    """Goes on in another role."""
    wanted = own_path(wanted)
    if user == actor.user_id:
        return RedirectResponse(wanted, SEE_OTHER)
    begun = sign_in.change_role(engine, read_settings(), actor, counter_of(request), user)
    answer = RedirectResponse(wanted, SEE_OTHER)
    set_session(request.scope, answer, begun.text, begun.ends_at)
    return answer


@router.get("/sign-in/password")
def password_page(request: Request, engine: Database) -> Response:
    """To choose one's own password."""
    known = _known(request, engine)
    return shown(request, "password", wanted=_next(request), one_time=known.must_change == sessions.PASSWORD)


@router.post("/sign-in/password")
def choose_password(
    request: Request,
    engine: Database,
    present: Typed = "",
    password: Typed = "",
    again: Typed = "",
    wanted: Next = START,
) -> Response:
    """Keeps one's own password."""
    known, wanted = _known(request, engine), own_path(wanted)
    try:
        _check_twice(password, again)
        sign_in.change_password(engine, known, present, password, where_from(request))
    except StockpileError as error:
        one_time = known.must_change == sessions.PASSWORD
        return shown(
            request, "password", status_of(error), wanted=wanted, one_time=one_time, problem=error,
            faults=faults_by_field(error),
        )  # fmt: skip
    return RedirectResponse(wanted, SEE_OTHER)


@router.get("/sign-in/pin")
def pin_page(request: Request, engine: Database) -> Response:
    """To choose one's own PIN."""
    known = _known(request, engine)
    return shown(request, "pin", wanted=_next(request), **_pin_asked(request, engine, known))


@router.post("/sign-in/pin")
def choose_pin(
    request: Request, engine: Database, present: Typed = "", pin: Typed = "", again: Typed = "", wanted: Next = START
) -> Response:
    """Keeps one's own PIN."""
    known, wanted = _known(request, engine), own_path(wanted)
    try:
        _check_twice(pin, again)
        sign_in.change_pin(engine, known, present, pin, where_from(request))
    except StockpileError as error:
        asked = _pin_asked(request, engine, known)
        return shown(
            request, "pin", status_of(error), wanted=wanted, problem=error, faults=faults_by_field(error), **asked
        )  # fmt: skip
    if known.must_change is not None and len(sign_in.roles_of(engine, known.actor)) > 1:
        return to_page("/sign-in/role", wanted)
    return RedirectResponse(wanted, SEE_OTHER)


def _pin_asked(request: Request, engine: Database, known: Known) -> dict[str, Any]:
    """How the form of a PIN asks who it is: not at all after a one-time PIN, by password of who signed in so, else by PIN."""
    with transaction(engine, roles.REGISTRAR) as connection:
        how = connection.exec_driver_sql(
            "SELECT how FROM session WHERE session_id = %s", (known.actor.session_id,)
        ).scalar()
    counter = counter_of(request)
    here = counter is not None and counter.site.site_id == known.actor.site_id
    return {"one_time": known.must_change == "PIN", "by_password": how == sessions.PASSWORD, "at_counter": here}


def _check_twice(wanted: str, again: str) -> None:
    if wanted != again:
        raise Invalid(sentence("Nothing was changed: the two differ. Type the new one twice."))


def _next(request: Request) -> str:
    return own_path(request.query_params.get("next", START))


@router.get("/sessions")
def sessions_page(request: Request, engine: Database, actor: Asker) -> Response:
    """Where one is signed in."""
    with transaction(engine, roles.REGISTRAR) as connection:
        rows = own_sessions(connection, actor)
    return shown(request, "sessions", rows=rows)


@router.post("/sessions/{session_id}/end")
def end_session(session_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Signs oneself out elsewhere."""
    with transaction(engine, roles.REGISTRAR) as connection:
        sessions.end(connection, actor, session_id)
    return RedirectResponse("/sign-in" if session_id == actor.session_id else "/sessions", SEE_OTHER)
