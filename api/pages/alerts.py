"""Alerts: the list, the web feed, and the page on which people say how they want to be told."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.atom import MEDIA_TYPE, atom_of, tag_of, unchanged
from api.dependencies import Asker, Database
from api.pages import asker, templates
from api.pages.forms import or_none, sent
from api.pages.listing import (
    Asked,
    Column,
    Listing,
    Way,
    answer_list,
    choice_filter,
    site_filter,
    text_filter,
)
from api.words import N_, Viewer, language_of, languages, viewer
from stockpile.alerts.kinds import KINDS, kinds_for
from stockpile.alerts.subscriptions import (
    EMAIL,
    FEED,
    Feed,
    Subscribe,
    SubscriptionRow,
    end_subscription,
    feed_of,
    list_subscriptions,
    send_test,
    subscribe,
)
from stockpile.db.engine import connected
from stockpile.reports.alerts import ORDERS, AlertRow, Sought, list_alerts, read_alert
from stockpile.reports.keyset import Page
from stockpile.rights import READ_ALERTS, REGISTRAR, RIGHTS, Actor, reading, require
from stockpile.settings import read_settings

router = APIRouter(include_in_schema=False)

IN_FEED = 100
"""Alerts that a feed holds."""
READERS = RIGHTS[READ_ALERTS]


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[AlertRow]:
    values = asked.values
    sought = Sought(values.get("kind"), values.get("site"), None, values.get("text"))
    return list_alerts(connection, actor, sought, asked.limit, asked.cursor, asked.order)


ALERTS = Listing(
    path="/alerts",
    name="alerts",
    title=N_("Alerts"),
    question=N_("What should I hear of at once?"),
    row=AlertRow,
    columns=(
        Column("number", N_("Number"), "number"),
        Column("kind", N_("Kind"), "term", lambda row: row.link),
        Column("sentence", N_("What happened"), link=lambda row: row.link),
        Column("site", N_("Site"), "code", sparse=True),
        Column("happened_at", N_("Happened"), "moment"),
        Column("found_at", N_("Told first"), "moment"),
    ),
    filters=(
        text_filter(N_("Part of what it is about")),
        choice_filter("kind", N_("Kind"), KINDS),
        site_filter(),
    ),
    ways=(Way(N_("How I am told"), "/alerts/subscriptions", READERS),),
    empty=N_("There is no alert of this kind."),
    ask=_ask,
    orders=ORDERS,
    default="-found_at",
)


@router.get("/alerts", response_class=HTMLResponse)
def alerts(request: Request, engine: Database, actor: Asker) -> Response:
    """The list; a donor's own, a commander's site."""
    return answer_list(ALERTS, request, engine, actor)


@router.get("/alerts.atom")
def feed(request: Request, engine: Database) -> Response:
    """The web feed: of who is signed in, or of the secret that comes as the password of HTTP Basic. Never by a secret in the address."""
    actor = asker(request)
    own = Feed(actor, (), viewer_language(request), True) if actor else _by_secret(request, engine)
    if own is None:
        return PlainTextResponse(
            "This feed takes its secret as the password, with any name.\n",
            401,
            {"WWW-Authenticate": 'Basic realm="Stockpile: alerts", charset="UTF-8"'},
        )
    require(own.actor, READ_ALERTS)
    with reading(engine, own.actor) as connection:
        rows = list_alerts(connection, own.actor, Sought(kinds=own.kinds), IN_FEED).rows
    language = language_of(own.language)
    spoken = viewer.set(Viewer(language, ZoneInfo("UTC")))
    try:
        document = atom_of(
            rows, own.actor.donor_id or own.actor.party_id, _address(request), language.tag, own.full_text
        )
    finally:
        viewer.reset(spoken)
    tag = tag_of(document)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if unchanged(tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(document, media_type=MEDIA_TYPE, headers=headers)


def viewer_language(request: Request) -> str:
    """In which language the one who is signed in is spoken to."""
    return language_of(request.query_params.get("language"), accepted=request.headers.get("accept-language", "")).tag


def _address(request: Request) -> str:
    return read_settings().address.rstrip("/") or str(request.base_url).rstrip("/")


def _by_secret(request: Request, engine: Engine) -> Feed | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        secret = b64decode(given.strip(), validate=True).decode("utf-8").partition(":")[2]
    except ValueError:
        return None
    with connected(engine) as connection:
        return feed_of(connection, secret)


@router.get("/alerts/subscriptions", response_class=HTMLResponse)
def subscriptions_page(request: Request, engine: Database, actor: Asker) -> Response:
    """One's own subscriptions, and the form of another."""
    return _page(request, engine, actor, {})


@router.post("/alerts/subscriptions", response_class=HTMLResponse)
def subscribed(
    request: Request,
    engine: Database,
    actor: Asker,
    way: Annotated[str, Form(max_length=20)] = "",
    address: Annotated[str, Form(max_length=500)] = "",
    kind: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006
    language: Annotated[str, Form(max_length=20)] = "en",
    full_text: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Makes a subscription; of a web feed the secret is shown, this once."""
    given = {"way": way, "address": address, "kinds": kind, "language": language, "full_text": full_text}
    shown: list[str] = []

    def do() -> str:
        made = subscribe(
            engine,
            actor,
            Subscribe.model_validate(
                {**given, "address": or_none(address), "full_text": full_text == "yes", "kinds": tuple(kind)}
            ),
        )
        if made.secret:
            shown.append(made.secret)
        return "/alerts/subscriptions"

    answer = sent(given, do, lambda form, status: _page(request, engine, actor, form, status))
    return _page(request, engine, actor, {"secret": shown[0]}, 201) if shown else answer


@router.post("/alerts/subscriptions/{subscription_id}/end", response_class=HTMLResponse)
def ended(subscription_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Ends one."""

    def do() -> str:
        end_subscription(engine, actor, subscription_id)
        return "/alerts/subscriptions"

    return sent({}, do, lambda form, status: _page(request, engine, actor, form, status))


@router.post("/alerts/subscriptions/{subscription_id}/test", response_class=HTMLResponse)
def tested(subscription_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Has a test sent."""

    def do() -> str:
        send_test(engine, actor, subscription_id)
        return "/alerts/subscriptions"

    return sent({}, do, lambda form, status: _page(request, engine, actor, form, status))


@router.get("/alerts/{alert_id}", response_class=HTMLResponse)
def one(alert_id: UUID, engine: Database, actor: Asker) -> Response:
    """Where a feed and an e-mail lead: to the rows of an alert."""
    with reading(engine, actor) as connection:
        return RedirectResponse(read_alert(connection, actor, alert_id).link, 303)


def _page(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, READ_ALERTS)
    with reading(engine, actor) as connection:
        own = list_subscriptions(connection, actor, limit=100).rows
    others: tuple[SubscriptionRow, ...] = ()
    if actor.role == REGISTRAR:
        with reading(engine, actor) as connection:
            mine = {row.subscription_id for row in own}
            everybodys = list_subscriptions(connection, actor, everybodys=True, limit=500).rows
        others = tuple(row for row in everybodys if row.state == "holds" and row.subscription_id not in mine)
    shown = {
        "own": [row for row in own if row.state == "holds"],
        "others": others,
        "kinds": kinds_for(actor.role),
        "ways": ((EMAIL, EMAIL), (FEED, FEED)),
        "languages_offered": [(each.tag, each.name) for each in languages().values()],
        "sends": bool(read_settings().mail_host),
        "feed_address": f"{_address(request)}/alerts.atom",
        "form": {"faults": {}, "problem": None, "given": {}, "secret": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "alert_subscriptions.html", shown, status_code=status)
    return response
