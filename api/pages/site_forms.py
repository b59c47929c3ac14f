"""What a registrar says of sites: a new one with its stores, another store, and that it is open: no opening list comes in any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.forms import sent
from api.v1.sites import NewSite, NewStore
from stockpile import founding, parties, sites
from stockpile.rights import KEEP_REFERENCE, Actor, reading, require

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]
SiteCode = Annotated[str, Path(max_length=64)]
AREAS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
"""Names of places; what stands outside them are older names of the same."""


def _zones() -> tuple[tuple[str, str], ...]:
    zones = sorted(zone for zone in available_timezones() if zone.startswith(AREAS))
    return tuple((zone, zone) for zone in ("UTC", *zones))


@router.get("/sites/new", response_class=HTMLResponse)
def site_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a new site."""
    return _new(request, actor, {"given": {}})


@router.post("/sites", response_class=HTMLResponse)
def add_site(
    request: Request,
    engine: Database,
    actor: Asker,
    code: Text = "",
    name: Text = "",
    time_zone: Text = "",
    stores: Text = "",
    custodian: Text = "",
) -> Response:
    """Founds a site with its accounts and stores, and goes to its page."""
    given = {"code": code, "name": name, "time_zone": time_zone, "stores": stores, "custodian": custodian}

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        named = [line.strip() for line in stores.splitlines() if line.strip()]
        wanted = NewSite.model_validate({**given, "stores": named})
        with reading(engine, actor) as connection:
            answers = parties.need_party(connection, "person", wanted.custodian, "custodian")
            site = founding.found_site(
                connection, wanted.code, wanted.name, wanted.time_zone, list(wanted.stores), answers
            )
        return f"/sites/{site.code}"

    return sent(given, do, lambda form, status: _new(request, actor, form, status))


def _new(request: Request, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, KEEP_REFERENCE)
    shown = {"zones": _zones(), "form": {"faults": {}, "problem": None, **form}}
    response: Response = templates.TemplateResponse(request, "site_new.html", shown, status_code=status)
    return response


@router.get("/sites/{code}/change", response_class=HTMLResponse)
def changes(code: SiteCode, request: Request, engine: Database, actor: Asker) -> Response:
    """What can be said anew of a site."""
    return _change(request, engine, actor, code, {"given": {}})


@router.post("/sites/{code}/stores", response_class=HTMLResponse)
def add_store(code: SiteCode, request: Request, engine: Database, actor: Asker, name: Text = "") -> Response:
    """Another store of the site."""
    given = {"name": name}

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        wanted = NewStore.model_validate(given)
        with reading(engine, actor) as connection:
            sites.add_store(connection, sites.find_site(connection, code), wanted.name)
        return f"/sites/{code}"

    return sent(given, do, lambda form, status: _change(request, engine, actor, code, form, status))


@router.post("/sites/{code}/open", response_class=HTMLResponse)
def declare_open(code: SiteCode, request: Request, engine: Database, actor: Asker) -> Response:
    """From now on nothing enters it by an opening list."""

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        with reading(engine, actor) as connection:
            sites.declare_open(connection, sites.find_site(connection, code))
        return f"/sites/{code}"

    return sent({}, do, lambda form, status: _change(request, engine, actor, code, form, status))


def _change(
    request: Request, engine: Engine, actor: Actor, code: str, form: Mapping[str, Any], status: int = 200
) -> Response:
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        site = sites.find_site(connection, code)
    shown = {"site": site, "form": {"faults": {}, "problem": None, **form}}
    response: Response = templates.TemplateResponse(request, "site_change.html", shown, status_code=status)
    return response
