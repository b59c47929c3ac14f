"""The catalogue: models with what the books have of each, and the names by which lists call them, which a registrar maps once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import faulty, kept
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    flag_filter,
    table,
    text_filter,
)
from api.pages.problems import shown_problem
from api.pages.sites import of_classes
from api.v1.catalogue import AliasMapped
from api.words import N_
from stockpile import catalogue as names
from stockpile.catalogue_data import CATEGORIES, SECURITY_RISK_CATEGORIES
from stockpile.errors import Fault, Invalid, NotFound, StockpileError
from stockpile.reports.keyset import Page
from stockpile.reports.reference import (
    ALIAS_ORDERS,
    MODEL_ORDERS,
    AliasRow,
    ModelRow,
    read_alias,
    read_model,
    search_aliases,
    search_models,
)
from stockpile.reports.trial_balance import By, trial_balance
from stockpile.rights import DONOR, KEEP_REFERENCE, READ_PEOPLE, RIGHTS, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

OFFERED = 50
"""So many models a form offers; more, and the search must be narrowed."""


def _models(connection: Connection, actor: Actor, asked: Asked) -> Page[ModelRow]:
    text, category, risk = (asked.values.get(name) for name in ("text", "category", "risk"))
    return search_models(connection, text, category, asked.limit, asked.cursor, risk, asked.order)


def _model(row: ModelRow) -> str:
    return f"/models/{row.model_id}"


MODELS = Listing(
    path="/models",
    name="models",
    title=N_("Catalogue"),
    question=N_("Which makes and models are known, in which category, and how closely is each to be kept?"),
    row=ModelRow,
    columns=(
        Column("maker", N_("Maker")),
        Column("name", N_("Model"), link=_model),
        Column("country", N_("Country"), "code"),
        Column("calibre", N_("Calibre"), "code"),
        Column("category", N_("Category"), "term"),
        Column("subcategory", N_("Kind"), "term"),
        Column("security_risk_category", N_("Risk category"), "code"),
        Column("tracked_by", N_("Told apart by"), "term"),
        Column("enhanced_monitoring", N_("Enhanced monitoring"), "flag", read=lambda row: row.enhanced_monitoring or None),
        Column("value", N_("Value"), "number"),
    ),
    filters=(
        text_filter(N_("Maker, model or variant")),
        choice_filter("category", N_("Category"), CATEGORIES),
        choice_filter("risk", N_("Risk category"), SECURITY_RISK_CATEGORIES),
    ),
    empty=N_("No model fits."),
    ask=_models,
    orders=MODEL_ORDERS,
    default="maker",
    ways=(
        Way(N_("Names that lists use"), "/aliases"),
        Way(N_("Names that wait for a registrar"), "/aliases?mapped=no"),
        Way(N_("Add a model"), "/models/new", RIGHTS[KEEP_REFERENCE]),
    ),
)  # fmt: skip


def _aliases(connection: Connection, actor: Actor, asked: Asked) -> Page[AliasRow]:
    require(actor, READ_PEOPLE)
    mapped, source, text = (asked.values.get(name) for name in ("mapped", "source", "text"))
    return search_aliases(connection, mapped, source, text, asked.limit, asked.cursor, order=asked.order)


def _map(row: AliasRow) -> str | None:
    return None if row.model_id else address("/aliases/map", source=row.source, name=row.name)


def _to_do(row: AliasRow) -> str | None:
    return N_("Say what it means") if _map(row) else None


ALIASES = Listing(
    path="/aliases",
    name="aliases",
    title=N_("Names of models"),
    question=N_("How do donors and old books call a model, and who said what each name means?"),
    row=AliasRow,
    columns=(
        Column("source", N_("Source"), "code"),
        Column("name", N_("Name")),
        Column("model", N_("Model"), link=lambda row: f"/models/{row.model_id}" if row.model_id else None, none=N_("not mapped yet")),
        Column("approved_by", N_("Mapped by"), "person"),
        Column("approved_at", N_("Mapped"), "moment"),
        Column("first_seen_at", N_("First seen"), "moment"),
        Column("alias_id", N_("What now"), "term", _map, roles=RIGHTS[KEEP_REFERENCE], read=_to_do),
    ),
    filters=(
        text_filter(N_("Name")), flag_filter("mapped", N_("Mapped")),
        Filter("source", N_("Source"), help=N_("A donor's code, or an old book")),
    ),
    empty=N_("No list has called anything so."),
    ask=_aliases,
    orders=ALIAS_ORDERS,
    default="source",
    ways=(Way(N_("Add a name"), "/aliases/new", RIGHTS[KEEP_REFERENCE]), Way(N_("Catalogue"), "/models")),
)  # fmt: skip


@router.get("/models", response_class=HTMLResponse)
def models(request: Request, engine: Database, actor: Asker) -> Response:
    """The catalogue."""
    return answer_list(MODELS, request, engine, actor)


@router.get("/aliases", response_class=HTMLResponse)
def aliases(request: Request, engine: Database, actor: Asker) -> Response:
    """The names that lists use."""
    return answer_list(ALIASES, request, engine, actor)


@router.get("/models/{model_id}", response_class=HTMLResponse)
def model(model_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One model: all that is said of it, what the books have of it at each site, how lists call it."""
    with reading(engine, actor) as connection:
        found = read_model(connection, model_id)
        lines = [
            line
            for line in trial_balance(connection, actor, [By.MODEL, By.SITE], model=found.name)
            if line.maker == found.maker
        ]
        called = (
            search_aliases(connection, text=None, limit=OFFERED, model_id=model_id).rows if actor.role != DONOR else ()
        )
    site = Column("site", N_("Site"), "code", lambda line: f"/sites/{line.site}")
    columns = (site, *of_classes())
    shown = {
        "model": found,
        "held": table(columns, lines, N_("The books have none of it.")),
        "aliases": table((ALIASES.columns[0], ALIASES.columns[1], *ALIASES.columns[3:6]), called, N_("No list calls it otherwise.")),
        "host": actor.role in HOST,
    }  # fmt: skip
    response: Response = templates.TemplateResponse(request, "model.html", shown)
    return response


@router.get("/aliases/map", response_class=HTMLResponse)
def map_form(
    request: Request, engine: Database, actor: Asker, source: str = "", name: str = "", text: str = ""
) -> Response:
    """The form in which a registrar says what a name means."""
    return _map_page(request, engine, actor, {"given": {"source": source, "name": name, "text": text}})  # fmt: skip


@router.post("/aliases/map", response_class=HTMLResponse)
def map_name(
    request: Request,
    engine: Database,
    actor: Asker,
    source: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    model_id: Annotated[str, Form()] = "",
) -> Response:
    """Maps it, once: what lists were read with does not change."""
    given = {"source": source, "name": name, "text": text, "model_id": model_id}
    try:
        require(actor, KEEP_REFERENCE)
        with reading(engine, actor) as connection:
            meant = names.read_model(connection, _key(model_id))
            wanted = AliasMapped.model_validate({"source": source, "name": name, "model_id": meant.model_id})
            names.map_alias(connection, wanted.source, wanted.name, wanted.model_id, actor.party_id)
    except ValidationError as error:
        return _map_page(request, engine, actor, faulty(error, given), 422)
    except StockpileError as error:
        return _map_page(request, engine, actor, kept(error, given), shown_problem(error)["status"])
    return RedirectResponse(address("/aliases", source=source, text=name), 303)


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(sentence("Nothing was mapped."), [Fault(sentence("choose a model"), field="model_id")]) from None


def _map_page(
    request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200
) -> Response:  # fmt: skip
    require(actor, KEEP_REFERENCE)
    given = form["given"]
    with reading(engine, actor) as connection:
        try:
            known = read_alias(connection, given["source"], given["name"])
        except NotFound:
            known = None
        found = (
            search_models(connection, given["text"].strip() or None, limit=OFFERED) if given["text"].strip() else None
        )
    shown = {
        "source": given["source"],
        "name": known.name if known else given["name"],
        "known": known,
        "offered": [(str(row.model_id), f"{row.maker} {row.name}") for row in found.rows] if found else [],
        "more": bool(found and found.cursor),
        "form": {"faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "alias_map.html", shown, status_code=status)
    return response
