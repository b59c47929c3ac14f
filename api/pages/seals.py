"""Seals of containers: which there are, a container sealed over the weapons in it, and a seal that was found broken or opened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, may, templates
from api.pages.forms import or_none, sent
from api.pages.listing import (
    ANYWHERE,
    Asked,
    Column,
    Listing,
    Way,
    answer_list,
    flag_filter,
    site_filter,
    sites_offered,
    table,
    text_filter,
)
from api.words import N_
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.registers.seals import BreakSeal, SealContainer, break_seal, seal_container
from stockpile.reports.counts import count_named
from stockpile.reports.keyset import Page
from stockpile.reports.seals import SEAL_ORDERS, SealRow, list_seals, read_seal, under_seal
from stockpile.rights import COUNT, RIGHTS, Actor, reading, require
from stockpile.sentences import sentence
from stockpile.sites import find_site

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]


def on_the_wall(text: str, time_zone: str, field: str) -> datetime | None:
    """A moment as a form's field gives it, on the wall of a site; None for nothing. Raises Invalid, naming the field."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            sentence("Nothing was done."),
            [Fault(sentence("write it like 2026-11-20 09:30"), field=field, value=text[:40])],
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[SealRow]:
    site, broken, text = (asked.values.get(name) for name in ("site", "broken", "text"))
    return list_seals(connection, actor, site, broken, text, asked.limit, asked.cursor, asked.order)


def _seal(row: SealRow) -> str:
    return f"/seals/{row.seal_id}"


SEALS = Listing(
    path="/seals",
    name="seals",
    title=N_("Seals of containers"),
    question=N_("Which containers are sealed, over how many weapons, and which seals were broken?"),
    row=SealRow,
    columns=(
        Column("number", N_("Seal"), "code", _seal, "number"),
        Column("container", N_("Container"), link=_seal),
        Column("site", N_("Site"), "code"),
        Column("store", N_("Store")),
        Column("weapons", N_("Weapons"), "number", _seal),
        Column("sealed_at", N_("Sealed"), "moment", order="sealed_at"),
        Column("sealed_by", N_("Sealed by"), "person"),
        Column("broken_at", N_("Broken"), "moment"),
        Column("broken_by", N_("Broken by"), "person"),
    ),
    filters=(text_filter(N_("Seal or container")), flag_filter("broken", N_("Broken")), site_filter()),
    default="number",
    empty=N_("No container is sealed so."),
    ask=_ask,
    orders=SEAL_ORDERS,
    ways=(Way(N_("Seal a container"), "/seals/new", RIGHTS[COUNT]), Way(N_("All counts"), "/counts")),
)


@router.get("/seals", response_class=HTMLResponse)
def seals(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of seals."""
    return answer_list(SEALS, request, engine, actor)


@router.get("/seals/new", response_class=HTMLResponse)
def seal_form(
    request: Request, engine: Database, actor: Asker, count: str = "", container: str = "", site: str = ""
) -> Response:
    """The form that seals a container."""
    given = {"seal_id": str(new_key()), "count": count, "container": container, "site": site}
    return _form(request, engine, actor, {"given": given})


@router.post("/seals", response_class=HTMLResponse)
def seal(
    request: Request,
    engine: Database,
    actor: Asker,
    seal_id: Text = "",
    number: Text = "",
    store: Text = "",
    container: Text = "",
    weapons: Text = "",
    count: Text = "",
    site: Text = "",
) -> Response:
    """Seals it over the weapons that are named, or over those that a count read in it."""
    given = {
        "seal_id": seal_id, "number": number, "store": store, "container": container, "weapons": weapons, "count": count,
        "site": site,
    }  # fmt: skip

    def do() -> str:
        require(actor, COUNT)
        read = [line.strip() for line in weapons.splitlines() if line.strip()]
        if not read and or_none(count) is None:
            fault = Fault(sentence("scan what is in it, or name the count that read it"), field="weapons")
            raise Invalid(sentence("The container was not sealed."), [fault])
        wanted: dict[str, Any] = {
            "seal_id": seal_id or new_key(), "number": number, "store": or_none(store), "container": or_none(container),
            "weapons": read, "site": or_none(site),
        }  # fmt: skip
        if not read:
            if wanted["container"] is None:
                fault = Fault(sentence("as the count's lines name it"), field="container")
                raise Invalid(sentence("The container was not sealed."), [fault])
            with reading(engine, actor) as connection:
                wanted["count_id"] = count_named(connection, actor, count)
        return f"/seals/{seal_container(engine, actor, SealContainer.model_validate(wanted))}"

    return sent(given, do, lambda form, status: _form(request, engine, actor, form, status))


def _form(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, COUNT)
    with reading(engine, actor) as connection:
        sites = sites_offered(connection) if actor.role in ANYWHERE else ()
    shown = {"sites": sites, "form": {"faults": {}, "problem": None, **form}}
    response: Response = templates.TemplateResponse(request, "seal_new.html", shown, status_code=status)
    return response


UNDER = (
    Column("model", N_("Model"), link=lambda row: f"/weapons/{row.item_id}"),
    Column("serial_number", N_("Serial number"), "code", lambda row: f"/weapons/{row.item_id}"),
    Column("asset_tag", N_("Asset tag"), "code", lambda row: f"/weapons/{row.item_id}"),
)


@router.get("/seals/{seal_id}", response_class=HTMLResponse)
def one_seal(seal_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One seal with what is under it."""
    return _page(request, engine, actor, seal_id, {})


@router.post("/seals/{seal_id}/break", response_class=HTMLResponse)
def broken(seal_id: UUID, request: Request, engine: Database, actor: Asker, broken_at: Text = "") -> Response:
    """It was found broken, or was opened: what was under it is counted by serial number from then on."""
    given = {"broken_at": broken_at}

    def do() -> str:
        require(actor, COUNT)
        with reading(engine, actor) as connection:
            found = read_seal(connection, actor, seal_id)
            zone = find_site(connection, found.site).time_zone
        moment = on_the_wall(broken_at, zone, "broken_at")
        asked = BreakSeal.model_validate({"site": found.site, "number": found.number, "broken_at": moment})
        break_seal(engine, actor, asked)
        return f"/seals/{seal_id}"

    return sent(given, do, lambda form, status: _page(request, engine, actor, seal_id, form, status))


def _page(
    request: Request, engine: Engine, actor: Actor, seal_id: UUID, form: Mapping[str, Any], status: int = 200
) -> Response:
    with reading(engine, actor) as connection:
        found = read_seal(connection, actor, seal_id)
        weapons = under_seal(connection, actor, seal_id)
    shown = {
        "seal": found,
        "weapons": table(UNDER, weapons, N_("Nothing is under it.")),
        "count_link": address("/counts/lines", count=found.count) if found.count else None,
        "may_break": found.broken_at is None and may(actor, COUNT),
        "form": {"given": {}, "faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "seal.html", shown, status_code=status)
    return response
